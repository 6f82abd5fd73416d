#!/usr/bin/env bash
# Real dumps of real servers go in, come back bit for bit, and load into a second server that then holds the same.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source=support/servers.sh
. "$support/servers.sh"
need mariadb-server mariadb-client mariadb-backup postgresql-15 postgresql-client-15 python3

# round_trip SERIES COMMAND... : pipes COMMAND's output into `repo add SERIES` and gets the same bytes back
round_trip() {
    local series=$1 sent got
    shift
    "$@" 2>"$work/producer.err" | tee >(sha256 >"$work/sent") | repo add "$series" --json >"$work/stdout" 2>"$work/stderr"
    local statuses=("${PIPESTATUS[@]}")
    if [ "${statuses[0]}" -ne 0 ]; then
        not_ok "$series: $1 runs" "$(tail -n 3 "$work/producer.err")"
        return 1
    fi
    if [ "${statuses[2]}" -ne 0 ]; then
        not_ok "$series: add takes the output of $*" "exit ${statuses[2]}"
        return 1
    fi
    same "$series: the end was seen" true "$(field summary complete)"
    until [ -s "$work/sent" ]; do sleep 0.05; done # the process substitution may end a moment later
    sent=$(cat "$work/sent")
    rm "$work/sent"
    got=$(repo cat "$series" 2>"$work/stderr" | sha256)
    same "$series: cat gives the same $(field summary bytes_read) bytes back" "$sent" "$got"
}

# --- MariaDB

later "'$services/mariadb.sh' stop '$work/my1'; '$services/mariadb.sh' stop '$work/my2'"
"$services/mariadb.sh" start "$work/my1" >/dev/null || exit 1
"$services/mariadb.sh" start "$work/my2" >/dev/null || exit 1

# What a server keeps for itself (statistics, its own replication state) is no data of the user's; of routines and
# events the creation time changes when they are made anew, so they are compared by their text below. The checksum of
# a table with generated columns differs from one call to the next (10.11), so shop.derived is compared by its rows.
own_tables="'innodb_index_stats','innodb_table_stats','table_stats','column_stats','index_stats','gtid_slave_pos',
    'transaction_registry','general_log','slow_log','proc','event'"

# contents N : one line per table of server N with its checksum, then the text of all that is not rows
contents() {
    my "$1" -e "SELECT CONCAT('CHECKSUM TABLE \`', REPLACE(table_schema, '\`', '\`\`'), '\`.\`',
            REPLACE(table_name, '\`', '\`\`'), '\`;') FROM information_schema.tables
        WHERE table_type IN ('BASE TABLE', 'SEQUENCE') AND table_schema NOT IN ('information_schema', 'performance_schema', 'sys')
            AND NOT (table_schema = 'mysql' AND table_name IN ($own_tables))
            AND NOT (table_schema = 'shop' AND table_name = 'derived')
        ORDER BY table_schema, table_name" | my "$1"
    my "$1" -e "SELECT 'derived', d.* FROM shop.derived d ORDER BY id;
        SELECT 'routine', db, name, type, param_list, returns, body, definer, sql_mode FROM mysql.proc
            WHERE db NOT IN ('mysql', 'sys') ORDER BY db, name;
        SELECT 'trigger', trigger_schema, trigger_name, event_object_table, action_statement, definer
            FROM information_schema.triggers WHERE trigger_schema <> 'sys' ORDER BY 2, 3;
        SELECT 'event', db, name, body, interval_value, interval_field, status, starts FROM mysql.event ORDER BY 2, 3;
        SELECT 'view', table_schema, table_name, view_definition FROM information_schema.views
            WHERE table_schema NOT IN ('sys', 'mysql') ORDER BY 2, 3;
        SELECT 'column', table_schema, table_name, column_name, column_type, column_default, is_nullable, extra,
            generation_expression FROM information_schema.columns
            WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'sys', 'mysql') ORDER BY 2, 3, ordinal_position;
        SELECT 'database', schema_name, default_character_set_name FROM information_schema.schemata ORDER BY 2"
}

my 1 <"$support/fill-mariadb.sql" || {
    not_ok "the first MariaDB server is filled"
    finish
}
new_repository r
my1_dump=(mariadb-dump --defaults-file="$work/my1/my.cnf" --single-transaction --routines --triggers --events
    --all-databases --master-data=2)

if round_trip shop "${my1_dump[@]}"; then
    position=$(my 1 -e 'SHOW MASTER STATUS' | cut -f1,2 | tr '\t' ':')
    run repo show shop
    fact "shop: show names the binary log position $position as the line that goes on from it" \
        grep -q -e "--start-position=${position#*:}.*${position%:*}" "$work/stdout"
    run repo show shop --json
    fact "shop: show --json keeps the position" grep -q "\"${position%:*}\"" "$work/stdout"
    run repo show shop --tables
    fact "shop: show --tables names the tables" grep -q customers "$work/stdout"

    repo cat shop 2>"$work/stderr" | my 2 2>>"$work/stderr"
    same "shop: cat loads into a second server" "0 0" "${PIPESTATUS[*]}"
    contents 1 >"$work/contents1"
    contents 2 >"$work/contents2"
    same "shop: CHECKSUM TABLE and all definitions are equal ($(wc -l <"$work/contents1") lines)" \
        "" "$(diff "$work/contents1" "$work/contents2" | head -n 5)"
    fact "shop: and the comparison sees the tables that were filled" \
        grep -q '^shop\.customers[[:space:]][1-9]' "$work/contents1"

    "$services/mariadb.sh" stop "$work/my2"
    rm -rf "$work/my2"
    "$services/mariadb.sh" start "$work/my2" >/dev/null
    exits 0 "shop: restore -- mariadb loads it too" \
        repo restore shop -- mariadb --defaults-file="$work/my2/my.cnf" --comments
    contents 2 >"$work/contents2"
    same "shop: and all is equal again" "" "$(diff "$work/contents1" "$work/contents2" | head -n 5)"

    my 1 shop -e "UPDATE customers SET balance = balance + 1 WHERE id MOD 2000 = 7; DELETE FROM orders WHERE id MOD 9999 = 0"
    round_trip shop "${my1_dump[@]}"
    read -r grown total <<<"$(field summary bytes_stored) $(field summary bytes_read)"
    fact "shop: after twenty changed rows the next dump adds less than a tenth ($grown of $total bytes)" \
        test "$((grown * 10))" -lt "$total"
fi

exits 0 "shop/exec: a command's dump is saved" repo add shop/exec --json -- "${my1_dump[@]}"
same "shop/exec: it is complete" true "$(field summary complete)"
same "shop/exec: both end mark and exit status say so" both \
    "$(repo show shop/exec --json >"$work/shown" 2>&1; field snapshot evidence "$work/shown")"

# --- PostgreSQL

later "'$services/postgres.sh' stop '$work/pg1'; '$services/postgres.sh' stop '$work/pg2'"
"$services/postgres.sh" start "$work/pg1" >"$work/pg1.env" || exit 1
"$services/postgres.sh" start "$work/pg2" >"$work/pg2.env" || exit 1

# rows N DATABASE : one line per table with its number of rows and a hash of them all
rows() {
    pg "$1" psql -At -d "$2" -c "SELECT format('SELECT %L, count(*), md5(coalesce(string_agg(t::text, E''\n'' ORDER BY t::text), ''''))
            FROM ONLY %I.%I t', n.nspname || '.' || c.relname, n.nspname, c.relname) || ';'
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        ORDER BY n.nspname, c.relname" -c "SELECT 'SELECT ''large objects'', count(*), md5(string_agg(data, '''' ORDER BY loid, pageno)) FROM pg_largeobject;'" |
        pg "$1" psql -At -d "$2"
}

# definitions N DATABASE : the schema as pg_dump writes it, without the one word that is random in each
definitions() {
    pg "$1" pg_dump --schema-only "$2" | grep -v '^\\\(un\)\?restrict '
}

# same_database SERIES DATABASE FROM-DATABASE : DATABASE of server 2 holds what FROM-DATABASE of server 1 holds
same_database() {
    rows 1 "$3" >"$work/rows1"
    rows 2 "$2" >"$work/rows2"
    same "$1: all rows are equal ($(wc -l <"$work/rows1") tables)" "" "$(diff "$work/rows1" "$work/rows2" | head -n 5)"
    definitions 1 "$3" >"$work/rows1"
    definitions 2 "$2" >"$work/rows2"
    same "$1: all definitions are equal" "" "$(diff "$work/rows1" "$work/rows2" | head -n 5)"
}

pg 1 psql -f "$support/fill-postgres.sql" postgres || {
    not_ok "the first PostgreSQL server is filled"
    finish
}
pg 2 psql -c 'CREATE ROLE reader' -c 'CREATE DATABASE plain TEMPLATE template0' -c 'CREATE DATABASE custom TEMPLATE template0' postgres

if round_trip pg/plain pg 1 pg_dump -Fp shop; then
    repo cat pg/plain 2>"$work/stderr" | pg 2 psql plain >/dev/null 2>>"$work/stderr"
    same "pg/plain: cat loads through psql" "0 0" "${PIPESTATUS[*]}"
    same_database pg/plain plain shop
    run repo show pg/plain
    fact "pg/plain: show names the server's version" grep -q "$(pg 1 psql -At -c 'SHOW server_version' postgres | cut -d' ' -f1)" "$work/stdout"
fi
if round_trip pg/custom pg 1 pg_dump -Fc -Z0 shop; then
    (
        # shellcheck source=/dev/null
        . "$work/pg2.env"
        export PGHOST PGPORT PGUSER
        repo restore pg/custom -- "$PGBIN/pg_restore" --exit-on-error -d custom
    ) >"$work/stdout" 2>"$work/stderr"
    same "pg/custom: restore -- pg_restore loads it" 0 $?
    same_database pg/custom custom shop
fi
if round_trip pg/all pg 1 pg_dumpall; then
    "$services/postgres.sh" stop "$work/pg2"
    rm -rf "$work/pg2"
    "$services/postgres.sh" start "$work/pg2" >"$work/pg2.env"
    # the one error: the superuser is there already
    repo cat pg/all 2>"$work/stderr" | pg 2 psql -v ON_ERROR_STOP=0 postgres >/dev/null 2>"$work/psql.err"
    same "pg/all: the only complaint of psql is that role postgres exists" "" \
        "$(grep ERROR "$work/psql.err" | grep -v 'role "postgres" already exists')"
    same_database pg/all shop shop
    same_database pg/all 'odd "names"' 'odd "names"'
fi
finish
