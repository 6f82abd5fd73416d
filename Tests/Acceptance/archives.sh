#!/usr/bin/env bash
# Physical backups of real servers, as xbstream and tar: they come back bit for bit as the archives that they were and as
# the files in them, a server starts on these and holds the same, and the next night costs what changed.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source=support/servers.sh
. "$support/servers.sh"
need mariadb-server mariadb-client mariadb-backup postgresql-15 postgresql-client-15 python3

# night SERIES ARCHIVE : adds it, and gets the same bytes back
night() {
    run repo add "$1" --json <"$2"
    if [ "$status" -ne 0 ]; then
        not_ok "$1: add takes $(basename "$2")" "exit $status"
        return 1
    fi
    same "$1: $(basename "$2") is complete" true "$(field summary complete)"
    stored=$(field summary bytes_stored)
    size=$(stat -c %s "$2")
    same "$1: cat gives the same $size bytes back" "$(sha256 <"$2")" "$(repo cat "$1" 2>"$work/stderr" | sha256)"
}

# files DIR : name, kind, mode, size, target and time of everything below
files() {
    (cd "$1" && find . -mindepth 1 ! -type d -printf '%P %y %m %s %l %T@\n' | sort &&
        find . -mindepth 1 -type d -printf '%P %m\n' | sort)
}

# noted SERIES WORDS : the number that show gives for it
noted() {
    repo show "$1" 2>"$work/stderr" | sed -n "s/.*$2: //p"
}

# flip FILE MARK OFFSET : one bit of a copy of FILE, so far behind the first MARK (\0 in it is a zero byte)
flip() {
    "$python" - "$1" "$2" "$3" <<'END'
import sys
path, mark, offset = sys.argv[1], sys.argv[2].encode().replace(b"\\0", b"\0"), int(sys.argv[3])
data = bytearray(open(path, "rb").read())
data[data.index(mark) + len(mark) + offset] ^= 4
open(path + ".flipped", "wb").write(data)
END
}

new_repository r
with_recovery_key

# --- mariabackup

later "'$services/mariadb.sh' stop '$work/my1'; '$services/mariadb.sh' stop '$work/my2'"
"$services/mariadb.sh" start "$work/my1" >/dev/null || exit 1

# checksums N : one line per table of the users'. That of a table with generated columns differs from call to call.
checksums() {
    my "$1" -e "SELECT CONCAT('CHECKSUM TABLE \`', REPLACE(table_schema, '\`', '\`\`'), '\`.\`',
            REPLACE(table_name, '\`', '\`\`'), '\`;') FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('information_schema', 'performance_schema', 'sys', 'mysql')
            AND NOT (table_schema = 'shop' AND table_name = 'derived') ORDER BY table_schema, table_name" | my "$1"
}

# backup FILE ARG... : a full backup of the first server, while it runs. What was changed before is in its files by then:
# which pages differ from one night to the next would be chance otherwise.
backup() {
    local file=$1
    shift
    my 1 -e 'SET GLOBAL innodb_log_checkpoint_now = 1'
    if ! mariabackup --defaults-file="$work/my1/my.cnf" --backup --stream=xbstream --socket="$(my 1 -e 'SELECT @@socket')" \
        "$@" >"$file" 2>"$work/backup.log"; then
        not_ok "mariabackup runs" "$(tail -n 3 "$work/backup.log")"
        finish
    fi
}

my 1 <"$support/fill-mariadb.sql" || {
    not_ok "the first MariaDB server is filled"
    finish
}
backup "$work/full.xb"
night my/physical "$work/full.xb"
first=$stored
fact "my/physical: the pages of its files are sound ($(noted my/physical 'pages sound'))" \
    test "$(noted my/physical 'pages sound')" -gt 1000
same "my/physical: and none is damaged" "" "$(noted my/physical 'pages damaged')"

mkdir "$work/unpacked"
mbstream -x -C "$work/unpacked" <"$work/full.xb"
exits 0 "my/physical: restore gives files" repo restore my/physical --to "$work/my2/data" --json
same "my/physical: every file is the one that mbstream unpacks" "" \
    "$(diff -r "$work/unpacked" "$work/my2/data" 2>&1 | head -n 5)"
same "my/physical: show --members names all of them" "$(cd "$work/unpacked" && find . -type f -printf '%P\n' | sort)" \
    "$(repo show my/physical --members 2>"$work/stderr" | sort)"
for member in xtrabackup_checkpoints xtrabackup_info ibdata1 shop/customers.ibd; do
    same "my/physical: cat gives the member $member" "$(sha256 <"$work/unpacked/$member")" \
        "$(repo cat my/physical "$member" 2>"$work/stderr" | sha256)"
done
run repo restore my/physical --to "$work/some" --include 'shop/*.ibd'
same "my/physical: restore --include gives those files and no others" \
    "$(cd "$work/unpacked" && find shop -name '*.ibd' | sort)" "$(cd "$work/some" && find . -type f -printf '%P\n' | sort)"

checksums 1 >"$work/checksums1"
if mariabackup --prepare --target-dir="$work/my2/data" >"$work/prepare.log" 2>&1; then
    ok "my/physical: what was restored is prepared"
else
    not_ok "my/physical: what was restored is prepared" "$(tail -n 3 "$work/prepare.log")"
fi
"$services/mariadb.sh" start "$work/my2" >/dev/null
checksums 2 >"$work/checksums2"
same "my/physical: a server starts on it, and CHECKSUM TABLE is equal ($(wc -l <"$work/checksums1") tables)" "" \
    "$(diff "$work/checksums1" "$work/checksums2" | head -n 5)"
fact "my/physical: and the comparison sees the tables that were filled" \
    grep -q '^shop\.customers[[:space:]][1-9]' "$work/checksums1"
"$services/mariadb.sh" stop "$work/my2"

my 1 shop -e "UPDATE customers SET balance = balance + 1 WHERE id MOD 2000 = 7"
backup "$work/second.xb"
night my/physical "$work/second.xb"
fact "my/physical: a night in which little changed adds less than a twentieth ($stored of $first bytes)" \
    test "$((stored * 20))" -lt "$first"
my 1 shop -e "UPDATE customers SET balance = balance + 1 WHERE id MOD 2000 = 9"
backup "$work/third.xb" --parallel=4
night my/physical "$work/third.xb"
fact "my/physical: also where four threads sent the files in another order ($stored of $first bytes)" \
    test "$((stored * 20))" -lt "$first"
exits 0 "my/physical: two nights are compared, whatever the order of their files" \
    repo diff "$(repo list my/physical --json | field snapshot parent /dev/stdin)" my/physical
same "my/physical: of the shop only the table that changed is named" "M shop/customers.ibd" \
    "$(grep -o '^[-+Mm] shop/[^ ]*' "$work/stdout")"

# A chain of mariabackup's own increments, through the repository alone.
chain=(mariabackup --defaults-file="$work/my1/my.cnf" --backup --stream=xbstream
    --socket="$(my 1 -e 'SELECT @@socket')")
refuses 2 "my/chain has no full" "my/chain: an increment of nothing is refused" \
    repo add my/chain --kind incremental -- "${chain[@]}" '--incremental-lsn={parent.to_lsn}'
exits 0 "my/chain: a full backup as a command" repo add my/chain --json -- "${chain[@]}"
links=("$(field summary snapshot)")
for step in 1 2; do
    my 1 shop -e "UPDATE customers SET balance = balance + $step WHERE id MOD 500 = $step;
        INSERT INTO customers (name, email, balance, created) VALUES ('step $step', 'step$step@example.org', $step, NOW());
        SET GLOBAL innodb_log_checkpoint_now = 1"
    exits 0 "my/chain: increment $step goes on from where the one before ends" \
        repo add my/chain --kind incremental --json -- "${chain[@]}" '--incremental-lsn={parent.to_lsn}'
    links+=("$(field summary snapshot)")
    same "my/chain: increment $step needs the one before" "${links[$((step - 1))]}" \
        "$(repo show "${links[$step]}" --json >"$work/shown" 2>&1; field snapshot needs "$work/shown")"
done
checksums 1 >"$work/checksums1"
refuses 1 "needed by" "my/chain: the middle one is not forgotten while another needs it" repo forget "${links[1]}"
rm -rf "$work/my2"
for step in 0 1 2; do
    target=$work/step$step
    [ "$step" -ne 0 ] || target=$work/my2/data
    repo restore "${links[$step]}" --to "$target" >"$work/stdout" 2>"$work/stderr" || not_ok "my/chain: step $step is restored"
    increment=()
    [ "$step" -eq 0 ] || increment=(--incremental-dir="$target")
    mariabackup --prepare --target-dir="$work/my2/data" ${increment[@]+"${increment[@]}"} >"$work/prepare.log" 2>&1 ||
        not_ok "my/chain: step $step is prepared" "$(tail -n 3 "$work/prepare.log")"
done
"$services/mariadb.sh" start "$work/my2" >/dev/null
checksums 2 >"$work/checksums2"
same "my/chain: full and both increments give a server that holds the same" "" \
    "$(diff "$work/checksums1" "$work/checksums2" | head -n 5)"
"$services/mariadb.sh" stop "$work/my2"
exits 0 "my/chain: its end may be forgotten" repo forget "${links[2]}"
exits 0 "my/chain: and then the one before" repo forget "${links[1]}"
lsn=$(sed -n 's/^from_lsn = //p' "$work/step2/xtrabackup_checkpoints")
refuses 4 "goes on from LSN $lsn&&nothing saved" "my/chain: an increment of what was forgotten is refused, and the gap named" \
    repo add my/chain -- "${chain[@]}" --incremental-lsn="$lsn"

flip "$work/third.xb" shop/customers.ibd "$((20 + 3 * 16384 + 5000))"
exits 3 "my/flipped: a page with one bit flipped is saved with a reservation" \
    repo add my/flipped <"$work/third.xb.flipped"
fact "my/flipped: file and page are named" grep -q 'shop/customers.ibd page 3' "$work/stderr"
fact "my/flipped: and kept in the manifest" grep -q 'shop/customers.ibd page 3' <(repo show my/flipped 2>&1)
refuses 4 "customers.ibd page 3&&nothing saved" "my/flipped: --strict-pages refuses it" \
    repo add my/strict --strict-pages <"$work/third.xb.flipped"
same "my/flipped: and saves nothing" 0 "$(snapshots my/strict)"

# --- pg_basebackup

later "'$services/postgres.sh' stop '$work/pg1'; '$services/postgres.sh' stop '$work/pg2'"
"$services/postgres.sh" start "$work/pg1" >"$work/pg1.env" || exit 1

# rows N : one line per table with a hash of its rows
rows() {
    local table
    for table in $(pg "$1" psql -XAtc "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"); do
        echo "$table $(pg "$1" psql -XAtc "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM $table t")"
    done
}

pg 1 psql -X -q -v ON_ERROR_STOP=1 -c "
    CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS name, repeat(md5((g * 7)::text), 3) AS note
        FROM generate_series(1, 100000) g;
    ALTER TABLE orders ADD PRIMARY KEY (id);
    CREATE TABLE people AS SELECT g AS id, sha256(g::text::bytea) AS hash FROM generate_series(1, 50000) g" || exit 1
base_backup() {
    if ! pg 1 pg_basebackup -D - -Ft -Xf -c fast "${@:2}" >"$1" 2>"$work/backup.log"; then
        not_ok "pg_basebackup runs" "$(tail -n 3 "$work/backup.log")"
        finish
    fi
}
base_backup "$work/first.tar"
night pg/physical "$work/first.tar"
first=$stored
fact "pg/physical: its files are those of its manifest ($(noted pg/physical 'files checked'))" \
    test "$(noted pg/physical 'files checked')" -gt 500
# A byte of a file that has no pages: nobody but the manifest knows.
flip "$work/first.tar" "pg_xact/0000" 600
refuses 4 "pg_xact/0000 has another checksum&&nothing saved" "pg/flipped: a byte changed on the way is named" \
    repo add pg/flipped <"$work/first.tar.flipped"
exits 3 "pg/flipped: and saved only where that is wanted" \
    repo add pg/flipped --allow-incomplete <"$work/first.tar.flipped"
fact "pg/physical: the pages of its files are sound ($(noted pg/physical 'pages sound'))" \
    test "$(noted pg/physical 'pages sound')" -gt 1000
same "pg/physical: and none is damaged" "" "$(noted pg/physical 'pages damaged')"
rows 1 >"$work/rows1"

mkdir "$work/tar"
tar -xpf "$work/first.tar" -C "$work/tar"
exits 0 "pg/physical: restore gives files" repo restore pg/physical --to "$work/pg2/data"
same "pg/physical: every file is the one that tar unpacks" "" \
    "$(diff -r "$work/tar" "$work/pg2/data" 2>&1 | head -n 5)"
same "pg/physical: with modes, links and times" "" \
    "$(diff <(files "$work/tar") <(files "$work/pg2/data") | head -n 5)"
fact "pg/physical: pg_verifybackup says verified" pg 1 pg_verifybackup -q "$work/pg2/data"
account=$(sed -n 's/^POSTGRES_ACCOUNT=//p' "$work/pg1.env")
[ "$account" = "$(id -un)" ] || chown -R "$account" "$work/pg2/data"
chmod 700 "$work/pg2/data"
"$services/postgres.sh" start "$work/pg2" >"$work/pg2.env"
rows 2 >"$work/rows2"
same "pg/physical: a server starts on it, and every row is there ($(wc -l <"$work/rows1") tables)" "" \
    "$(diff "$work/rows1" "$work/rows2")"
fact "pg/physical: and the comparison sees the tables that were filled" grep -q '^public.orders 100000|' "$work/rows1"
"$services/postgres.sh" stop "$work/pg2"

pg 1 psql -X -q -c "UPDATE orders SET name = 'changed' WHERE id % 2000 = 3"
base_backup "$work/second.tar"
night pg/physical "$work/second.tar"
fact "pg/physical: a night in which little changed adds less than a tenth ($stored of $first bytes)" \
    test "$((stored * 10))" -lt "$first"
same "pg/physical: pages that change while they are read are not called damaged" "" \
    "$(noted pg/physical 'pages damaged')"
relation=$(pg 1 psql -XAtc "SELECT pg_relation_filepath('orders')")
# A page that is damaged on the server's disk is sent as it is: its manifest, where there is one, says so, too.
base_backup "$work/second.tar" --no-manifest
flip "$work/second.tar" "$relation\\0" "$((511 - ${#relation} + 9 * 8192 + 5000))"
exits 3 "pg/flipped: a page with one bit flipped is saved with a reservation" \
    repo add pg/flipped <"$work/second.tar.flipped"
fact "pg/flipped: file and page are named" grep -q "$relation page 9" "$work/stderr"

# --- dumps that are archives

pg 1 pg_dump -Ft postgres >"$work/dump.tar"
night pg/tar "$work/dump.tar"
repo restore pg/tar --to "$work/dump" >/dev/null 2>"$work/stderr"
mkdir "$work/dump-tar"
tar -xpf "$work/dump.tar" -C "$work/dump-tar"
same "pg/tar: restore gives the files of the archive" "" "$(diff -r "$work/dump-tar" "$work/dump" 2>&1 | head -n 5)"
same "pg/tar: pg_restore lists what cat gives" "$(pg 1 pg_restore -l "$work/dump.tar" | grep -cv '^; *Archive')" \
    "$(repo cat pg/tar 2>"$work/stderr" | pg 1 pg_restore -l | grep -cv '^; *Archive')"

exits 0 "the repository is sound" repo check --read-data
finish
