#!/usr/bin/env bash
# What real producers write, with the options and behind the filters that people use: what is accepted, what refused,
# and how sure we are of the end. Then producers that die: killed, cut at any byte, with any exit status or signal.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need mariadb-server mariadb-client mariadb-backup postgresql-15 postgresql-client-15 sqlite3 \
    gzip bzip2 xz-utils zstd lz4 pv openssl python3 procps

# --- the producers, each a program on the PATH so that a pipe and `repo add -- COMMAND` run the very same

mkdir "$work/bin"
export PATH=$work/bin:$PATH
program() {
    { echo '#!/bin/bash' && cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

later "'$services/mariadb.sh' stop '$work/my'; '$services/postgres.sh' stop '$work/pg'"
"$services/mariadb.sh" start "$work/my" >/dev/null || exit 1
"$services/postgres.sh" start "$work/pg" >"$work/pg.env" || exit 1
# shellcheck source=/dev/null
. "$work/pg.env"
export PGHOST PGPORT PGUSER
program mydump <<<"exec mariadb-dump --defaults-file='$work/my/my.cnf' \"\$@\""
program mybackup <<<"exec mariadb-backup --defaults-file='$work/my/my.cnf' --user='$(id -un)' --backup \
    --target-dir='$work/my/tmp' \"\$@\" 2>>'$work/mybackup.log'"
for name in pg_dump pg_dumpall pg_basebackup; do
    program $name <<<"exec '$PGBIN/$name' \"\$@\""
done
my() { mariadb --defaults-file="$work/my/my.cnf" --batch --skip-column-names "$@"; }

my <<'SQL'
CREATE DATABASE small;
CREATE DATABASE broken;
USE small;
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(200), b BLOB);
INSERT INTO a SELECT seq, SHA2(seq, 512), UNHEX(MD5(seq)) FROM seq_1_to_3000;
CREATE TABLE z (id INT PRIMARY KEY, v VARCHAR(200));
INSERT INTO z SELECT seq, REPEAT(MD5(seq), 3) FROM seq_1_to_20000;
CREATE VIEW v AS SELECT id FROM a;
CREATE PROCEDURE p() SELECT 1;
USE broken;
CREATE TABLE t (id INT);
CREATE VIEW over_t AS SELECT id FROM t;
DROP TABLE t;
CREATE TABLE u (id INT);
SQL
"$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 postgres <<'SQL' >/dev/null
CREATE DATABASE small;
\connect small
CREATE TABLE a (id integer PRIMARY KEY, v text, b bytea);
INSERT INTO a SELECT i, repeat(md5(i::text), 3), decode(md5(i::text), 'hex') FROM generate_series(1, 10000) i;
CREATE TABLE marks (line text);
INSERT INTO marks VALUES ('-- PostgreSQL database dump complete'), ('--'), ('\.');
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS $$
-- PostgreSQL database dump complete
SELECT 1
$$;
SELECT lo_from_bytea(4242, '\x00ff27');
SQL
sqlite3 "$work/good.db" "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, b BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO t SELECT i, hex(i * 7919) || char(10) || 'COMMIT;', zeroblob(i % 50) FROM n; CREATE INDEX t_v ON t (v);"
cp "$work/good.db" "$work/torn.db"
# pages of the table itself overwritten: .dump meets an error midway and ends with a rollback
dd if=/dev/urandom of="$work/torn.db" bs=4096 seek=4 count=4 conv=notrunc status=none
program mysql8 <<'END'
# how MySQL 8 writes: a set of GTIDs over two lines, rows in one long line
echo "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version	8.0.36

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;

--
-- GTID state at the beginning of the backup 
--

SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-447,
4e11fa47-71ca-11e1-9e33-c80aa9429562:1-475';

--
-- Position to start replication or point-in-time recovery from
--

-- CHANGE MASTER TO MASTER_LOG_FILE='binlog.000007', MASTER_LOG_POS=157;

--
-- Table structure for table \`t\`
--

CREATE TABLE \`t\` (\`id\` int NOT NULL) ENGINE=InnoDB;
LOCK TABLES \`t\` WRITE;"
printf 'INSERT INTO `t` VALUES (0)'
printf ',(%d)' $(seq 20000)
echo ";
UNLOCK TABLES;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;
"
[ "$1" = cut ] || echo "-- Dump completed on 2026-11-21  4:04:29"
END
mkdir -p "$work/tree/empty"
cp "$root"/Tests/Acceptance/*.sh "$work/tree/"
head -c 300000 /dev/urandom >"$work/tree/random"

new_repository r
with_recovery_key

# --- the table

number=0
# row WAY WANTED COMPLETE EVIDENCE WHAT SCRIPT [ADD-OPTION...] : runs SCRIPT in bash, as a pipe or as a command, and holds
# what `repo add` makes of it against what is WANTED: accepted or refused, COMPLETE, EVIDENCE (alternatives with `|`)
row() {
    local way=$1 wanted=$2 complete=$3 evidence=$4 what="$5" producer=$6 series said
    shift 6
    number=$((number + 1))
    series=row/$number
    status=0
    case $way in
        pipe)
            bash -c "$producer" 2>"$work/producer.err" </dev/null | tee "$work/sent" |
                repo add "$series" --json "$@" >"$work/stdout" 2>"$work/stderr"
            status=${PIPESTATUS[2]}
            ;;
        command) repo add "$series" --json "$@" -- bash -c "$producer" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$? ;;
        file) repo add "$series" "$producer" --json "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$? ;;
    esac
    cp "$work/stdout" "$work/summary"
    repo list "$series" --json >"$work/listed" 2>&1
    repo show "$series" --json >"$work/shown" 2>/dev/null
    if [ "$wanted" = refused ]; then
        if [ "$status" -ne 4 ]; then
            not_ok "$way: $what is refused" "exit $status instead of 4"
        elif grep -q '"snapshot"' "$work/listed"; then
            not_ok "$way: $what is refused" "and yet it is listed"
        elif ! grep -aq '[^[:space:]]' "$work/stderr"; then
            not_ok "$way: $what is refused" "without a word"
        else
            ok "$way: $what is refused"
        fi
        return
    fi
    said="exit $status, complete $(field summary complete "$work/summary"), evidence $(field snapshot evidence "$work/shown")"
    if [[ $said =~ ^exit\ (0|3),\ complete\ ($complete),\ evidence\ ($evidence)$ ]] &&
        { [ "$status" -eq 0 ] || [ "$complete" = false ]; }; then
        if [ "$way" = pipe ] && [ "$(repo cat "$series" 2>"$work/stderr" | sha256)" != "$(sha256 <"$work/sent")" ]; then
            not_ok "$way: $what comes back bit for bit"
            return
        fi
        if [ "$(field snapshot complete "$work/shown")" != "$(field summary complete "$work/summary")" ]; then
            not_ok "$way: $what is complete or not, but add and show differ"
            return
        fi
        ok "$way: $what is accepted: ${said#*, }"
    else
        not_ok "$way: $what is accepted" "wanted: exit 0, complete $complete, evidence $evidence" "got:    $said"
    fi
}

all='--all-databases --ignore-database=broken --single-transaction --routines --triggers --events'
# WAY  WANTED   COMPLETE EVIDENCE   WHAT, SCRIPT
row pipe accepted true trailer 'mariadb-dump of a database' 'mydump small'
row command accepted true both 'mariadb-dump of a database' 'mydump small'
row pipe accepted true trailer 'mariadb-dump of everything' "mydump $all --master-data=2"
row pipe accepted true trailer 'mariadb-dump --gtid --master-data=1' 'mydump --gtid --master-data=1 --databases small'
row pipe accepted true trailer 'mariadb-dump --skip-dump-date' 'mydump --skip-dump-date small'
row pipe accepted true trailer 'mariadb-dump --no-data' 'mydump --no-data small'
row pipe accepted true trailer 'mariadb-dump --no-create-info --complete-insert' 'mydump --no-create-info --complete-insert small'
row pipe accepted true trailer 'mariadb-dump --hex-blob --skip-extended-insert' 'mydump --hex-blob --skip-extended-insert small'
row pipe accepted true trailer 'mariadb-dump --skip-opt --quick' 'mydump --skip-opt --quick small'
row pipe accepted true trailer 'mariadb-dump --system=users' 'mydump --system=users'
row pipe accepted true trailer 'mariadb-dump of two databases' 'mydump --databases small mysql'
row pipe accepted true trailer 'mariadb-dump of a table with --where' 'mydump small a --where="id < 5"'
row pipe accepted null none 'mariadb-dump --compact' 'mydump --compact small'
row command accepted true exit-status 'mariadb-dump --compact' 'mydump --compact small'
row pipe accepted true trailer 'mariadb-dump --skip-comments' 'mydump --skip-comments small'
row command accepted true both 'mariadb-dump --skip-comments' 'mydump --skip-comments small'
row pipe accepted true trailer 'mariadb-dump --xml' 'mydump --xml small'
row command accepted true both 'mariadb-dump --xml' 'mydump --xml small'
row pipe refused - - 'mariadb-dump --xml, cut' 'mydump --xml small | head -c 200000'
row pipe accepted true trailer 'mariadb-dump --force over a broken view, whose exit status a pipe hides' 'mydump --force broken'
row command refused - - 'mariadb-dump --force over a broken view' 'mydump --force broken'
row command accepted true both 'mariadb-dump --force with --accept-status 0,2' 'mydump --force broken' --accept-status 0,2
row pipe refused - - 'mariadb-dump that stops at a broken view' 'mydump broken'
row command refused - - 'mariadb-dump that stops at a broken view' 'mydump broken'
row pipe refused - - 'mariadb-dump of a database that is not there' 'mydump nowhere'
row pipe accepted true trailer 'mariadb-dump | pv' 'mydump small | pv -q'
row pipe accepted true trailer 'mariadb-dump | sed of the definers' "mydump $all | sed 's/DEFINER=[^ ]*//'"
row pipe accepted true trailer 'mariadb-dump without its sandbox line' 'mydump small | sed 1d'
row pipe accepted true trailer 'mariadb-dump | grep -v of all comments, which leaves the variables it sets back' "mydump small | grep -av '^--'"
row pipe refused - - 'mariadb-dump whose end mark was filtered away' "mydump small | sed '/^-- Dump completed/d'"
row pipe accepted true trailer 'two dumps, one after the other' 'mydump small; mydump --databases mysql'
row pipe refused - - 'two dumps, the first one cut' 'mydump small | head -c 100000; mydump --databases mysql'
row pipe refused - - 'two dumps, the second one cut' 'mydump small; mydump --databases mysql | head -c 100000'
row pipe accepted true trailer 'a dump between SET and COMMIT' 'echo "SET autocommit=0;"; mydump small; echo "COMMIT;"'
row pipe accepted true trailer 'a dump after a warning' 'echo "mysqldump: [Warning] Using a password on the command line interface can be insecure."; mydump small'
row pipe accepted true trailer 'how MySQL 8 writes' 'mysql8'
row pipe refused - - 'how MySQL 8 writes, cut before its end mark' 'mysql8 cut'
row pipe refused - - 'a cut dump' 'mydump small | head -c 200000'
row pipe accepted false none 'a cut dump with --allow-incomplete' 'mydump small | head -c 200000' --allow-incomplete
row pipe accepted null none 'a cut dump with --format raw' 'mydump small | head -c 200000' --format raw

row pipe accepted true trailer 'mariadb-dump | gzip' 'mydump small | gzip -1'
row pipe accepted true trailer 'mariadb-dump | zstd' 'mydump small | zstd -q'
row pipe accepted true trailer 'two gzipped dumps' 'mydump small | gzip -1; mydump --databases mysql | gzip -1'
row command accepted true both 'mariadb-dump | gzip' 'mydump small | gzip -1'
row pipe refused - - 'a cut dump in a perfect gzip' 'mydump small | head -c 200000 | gzip -1'
row command refused - - 'a cut dump in a perfect gzip' 'mydump small | head -c 200000 | gzip -1'
row pipe refused - - 'a cut dump in a perfect zstd' 'mydump small | head -c 200000 | zstd -q'
row pipe refused - - 'mariadb-dump | gzip, cut' 'mydump small | gzip -1 | head -c 20000'
row pipe refused - - 'mariadb-dump | zstd, cut' 'mydump small | zstd -q | head -c 20000'
row pipe accepted null none 'mariadb-dump | xz' 'mydump small a | xz -0'
row pipe accepted null none 'mariadb-dump | lz4' 'mydump small | lz4 -q'
row pipe accepted null none 'mariadb-dump | bzip2' 'mydump small a | bzip2'
row pipe accepted null none 'mariadb-dump | openssl enc' 'mydump small | openssl enc -aes-256-ctr -pbkdf2 -pass pass:x'
row pipe accepted null none 'gzip of something unknown' 'head -c 100000 /dev/urandom | gzip -1'
row command accepted true exit-status 'mariadb-dump | xz' 'mydump small a | xz -0'

row pipe accepted true trailer 'pg_dump' 'pg_dump small'
row command accepted true both 'pg_dump' 'pg_dump small'
row pipe accepted true trailer 'pg_dump --verbose' 'pg_dump --verbose small 2>/dev/null'
row pipe accepted true trailer 'pg_dump --clean --if-exists --create' 'pg_dump --clean --if-exists --create small'
row pipe accepted true trailer 'pg_dump --column-inserts' 'pg_dump --column-inserts small'
row pipe accepted true trailer 'pg_dump --schema-only' 'pg_dump --schema-only small'
row pipe accepted true trailer 'pg_dump --data-only' 'pg_dump --data-only small'
row pipe refused - - 'pg_dump, cut' 'pg_dump small | head -c 300000'
row pipe refused - - 'pg_dump, cut after a row that looks like its end' "pg_dump small | sed '/^-- PostgreSQL database dump complete\$/,\$d'"
row pipe accepted true trailer 'pg_dumpall' 'pg_dumpall'
row command accepted true both 'pg_dumpall' 'pg_dumpall'
row pipe accepted true trailer 'pg_dumpall --globals-only' 'pg_dumpall --globals-only'
row pipe refused - - 'pg_dumpall, cut after one of its databases' "pg_dumpall | sed '/^-- PostgreSQL database cluster dump complete\$/,\$d'"
row pipe accepted true trailer 'pg_dumpall -g, then pg_dump' 'pg_dumpall -g; pg_dump small'
row pipe refused - - 'pg_dumpall -g, then pg_dump, cut' 'pg_dumpall -g; pg_dump small | head -c 300000'
row pipe accepted true trailer 'pg_dump, then mariadb-dump' 'pg_dump small; mydump small'
row pipe accepted null none 'pg_dump without comments' "pg_dump small | grep -av '^--'"
row pipe accepted true trailer 'pg_dump | gzip' 'pg_dump small | gzip -1'
row pipe accepted true trailer 'pg_dump -Fc -Z0' 'pg_dump -Fc -Z0 small'
row pipe accepted true trailer 'pg_dump -Fc' 'pg_dump -Fc small'
row command accepted true both 'pg_dump -Fc' 'pg_dump -Fc small'
row pipe accepted true trailer 'pg_dump -Fc --schema-only' 'pg_dump -Fc --schema-only small'
row pipe refused - - 'pg_dump -Fc -Z0, cut' 'pg_dump -Fc -Z0 small | head -c 300000'
row pipe refused - - 'pg_dump -Fc, less its last byte' 'pg_dump -Fc small | head -c -1'
row pipe accepted true trailer 'pg_dump -Ft' 'pg_dump -Ft small'
row pipe refused - - 'pg_dump -Ft, cut' 'pg_dump -Ft small | head -c 300000'
row pipe accepted null none 'COPY TO STDOUT' "psql -X -c 'COPY a TO STDOUT' small"
row pipe accepted true trailer 'pg_basebackup as one tar' 'pg_basebackup -Ft -D - -X fetch -c fast'
row pipe refused - - 'pg_basebackup, cut' 'pg_basebackup -Ft -D - -X fetch -c fast 2>/dev/null | head -c 9000000'

row pipe accepted true trailer 'mariadb-backup --stream=mbstream' 'mybackup --stream=mbstream'
row command accepted true both 'mariadb-backup --stream=mbstream --parallel=2' 'mybackup --stream=mbstream --parallel=2'
row pipe refused - - 'mariadb-backup, cut' 'mybackup --stream=mbstream | head -c 5000000'
row pipe refused - - 'mariadb-backup, cut before the last of its files' \
    "mybackup --stream=mbstream >'$work/whole.xb'; python3 '$support/xbstream_cut.py' '$work/whole.xb'"

row pipe accepted true trailer 'sqlite .dump' "sqlite3 '$work/good.db' .dump"
row command accepted true both 'sqlite .dump' "sqlite3 '$work/good.db' .dump"
row pipe refused - - 'sqlite .dump that was rolled back' "sqlite3 '$work/torn.db' .dump"
row pipe refused - - 'sqlite .dump, cut' "sqlite3 '$work/good.db' .dump | head -c 50000"

row pipe accepted true trailer 'tar' "tar -C '$work' -cf - tree"
row command accepted true both 'tar' "tar -C '$work' -cf - tree"
row pipe accepted true trailer 'tar | gzip' "tar -C '$work' -czf - tree"
row pipe accepted true trailer 'tar | zstd' "tar -C '$work' -cf - tree | zstd -q"
row pipe refused - - 'tar, cut' "tar -C '$work' -cf - tree | head -c 100000"
row command refused - - 'tar that misses a file' "tar -C '$work' -cf - tree nowhere"

mydump small a >"$work/dump.sql"
head -c 100000 "$work/dump.sql" >"$work/cut.sql"
row file accepted true trailer 'a dump in a file' "$work/dump.sql"
row file refused - - 'a cut dump in a file' "$work/cut.sql"
row pipe accepted null none 'a line of text' 'echo hello'
row command accepted true exit-status 'a line of text' 'echo hello'
row pipe accepted null none 'random bytes' 'head -c 300000 /dev/urandom'
row pipe accepted null none 'one byte' 'printf x'
row pipe refused - - 'nothing at all' 'true'
row command refused - - 'nothing at all' 'true'
row command refused - - 'a command that waits for input: it gets none' 'cat'
row command refused - - 'a good dump and exit status 1' 'mydump small; exit 1'
echo "# $number streams in the table"

# --- commands

run repo add command/stderr -- sh -c 'echo "something is wrong" >&2; echo out; exit 7'
same "a command's own words pass through" 4/1 "$status/$(grep -c 'something is wrong' "$work/stderr" | head -c 1)"
fact "and its exit status is named" grep -q 7 "$work/stderr"
refuses 4 no-such-program "a command that is not there is named" repo add command/missing -- no-such-program
exits 0 "a command with secrets among its arguments" repo add command/secret -- sh -c 'echo data' sh --password=hunter2 -psecret3
repo show command/secret --json >"$work/stdout" 2>&1
repo show command/secret >>"$work/stdout" 2>&1
fact "their values are kept nowhere" test -z "$(grep -E 'hunter2|secret3' "$work/stdout")"
run bash -c "mydump small | '$REPO_BIN' add hint"
fact "a pipe's exit status is unknown, and add says how to know it" grep -q 'repo add .* -- ' "$work/stderr"

mydump small a >"$work/short.sql"
accepted=
for code in $(seq 1 255); do
    repo add exit/codes -- sh -c "cat '$work/short.sql'; exit $code" >"$work/stdout" 2>"$work/stderr"
    [ $? -eq 4 ] || accepted+=" $code"
done
same "a good dump with exit status 1 to 255 is refused each time" "" "$accepted"
accepted=
for signal in HUP INT QUIT ILL ABRT FPE KILL SEGV PIPE TERM; do
    # signals that whoever runs this script ignores would be ignored by the command, too
    env --default-signal "$REPO_BIN" add exit/signals -- sh -c "ulimit -c 0; cat '$work/short.sql'; kill -$signal \$\$" >"$work/stdout" 2>"$work/stderr"
    [ $? -eq 4 ] || accepted+=" $signal"
done
same "a good dump that ends by one of ten signals is refused each time" "" "$accepted"
same "none of them is listed" "0 0" "$(snapshots exit/codes) $(snapshots exit/signals)"

# --- killed midway: another session holds the last table, so the dump stands still in the middle, surely

my small -e 'LOCK TABLES z WRITE; SELECT SLEEP(300)' >/dev/null 2>&1 &
holder=$!
later "kill $holder"
# waiting COUNT : until so many sessions stand still; ten seconds at most
waiting() {
    local _
    for _ in $(seq 200); do
        [ "$(my -e "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'")" != "$1" ] || return 0
        sleep 0.05
    done
    not_ok "$1 dumps wait for the table"
}
# the server notices only later that a dump which waits is dead, and must not take it for the next one
forget_the_dead() {
    my -e "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'" | my
    waiting 0
}
until [ "$(my -e "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")" = 1 ]; do sleep 0.05; done

for signal in KILL TERM; do
    mkfifo "$work/fifo"
    mydump --skip-lock-tables small a z >"$work/fifo" 2>/dev/null &
    producer=$!
    "$REPO_BIN" add killed/pipe <"$work/fifo" >"$work/stdout" 2>"$work/stderr" &
    adding=$!
    waiting 1
    { kill -$signal $producer && wait $producer; } 2>/dev/null
    wait $adding
    same "a producer killed by $signal midway in a pipe is refused" 4 $?
    forget_the_dead
    rm "$work/fifo"

    "$REPO_BIN" add killed/command -- mydump --skip-lock-tables small a z >"$work/stdout" 2>"$work/stderr" &
    adding=$!
    waiting 1
    pkill -$signal -P $adding
    wait $adding
    same "a command killed by $signal midway is refused" 4 $?
    forget_the_dead
done
same "none of them is listed" "0 0" "$(snapshots killed/pipe) $(snapshots killed/command)"
my -e "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'" | my
wait $holder 2>/dev/null

# --- cut at any byte

cuts=30
[ "$LONG" = 0 ] || cuts=500
cut_of() { # FORMAT FILE
    local points point accepted=
    points=$("$python" "$support/cut_points.py" "$1" "$2" "$cuts" "$SEED") || {
        not_ok "cut points of $1"
        return
    }
    for point in $points; do
        head -c "$point" "$2" | repo add "cut/$1" >"$work/stdout" 2>"$work/stderr"
        [ "${PIPESTATUS[1]}" -eq 4 ] || accepted+=" $point"
    done
    same "$1: cut at each of $(wc -w <<<"$points") places up to the last byte of its end mark it is refused" "" "$accepted"
    exits 0 "$1: and whole it is accepted" repo add "whole/$1" "$2"
}
mydump small a >"$work/cut.mysqldump"
pg_dump small >"$work/cut.pg_dump"
pg_dumpall >"$work/cut.pg_dumpall"
pg_dump -Fc -Z0 small >"$work/cut.pg_custom"
sqlite3 "$work/good.db" .dump >"$work/cut.sqlite"
tar -C "$work" -cf "$work/cut.tar" tree
mybackup --stream=mbstream >"$work/cut.xbstream"
gzip -1 <"$work/cut.mysqldump" >"$work/cut.gzip"
zstd -q <"$work/cut.mysqldump" >"$work/cut.zstd"
xz -0 <"$work/cut.mysqldump" >"$work/cut.xz"
lz4 -q <"$work/cut.mysqldump" >"$work/cut.lz4"
for format in mysqldump pg_dump pg_dumpall pg_custom sqlite tar xbstream gzip zstd xz lz4; do
    cut_of $format "$work/cut.$format"
done

# --- a dump that suddenly is much smaller

for _ in 1 2 3; do
    mydump small | repo add shrinking >/dev/null 2>&1
done
exits 4 "a dump of less than half the usual size is refused with --refuse-shrink" bash -c "mydump broken u | '$REPO_BIN' add shrinking --refuse-shrink"
exits 3 "and stored with a reservation without it" bash -c "mydump broken u | '$REPO_BIN' add shrinking"
same "three and one are listed" 4 "$(snapshots shrinking)"
run repo list shrinking
fact "and the column says shrunk" grep -q shrunk "$work/stdout"
exits 0 "until --allow-shrink accepts the new size" bash -c "mydump broken u | '$REPO_BIN' add shrinking --allow-shrink"

with_password
exits 0 "after all this the repository is sound" repo check --read-data
finish
