#!/usr/bin/env bash
# Directories that dump and backup programs write: saved as files they come back and load into a server; one that is not
# finished is refused.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source=support/servers.sh
. "$support/servers.sh"
need mariadb-server mariadb-client mariadb-backup mydumper postgresql-15 postgresql-client-15 python3

new_repository r
later "'$services/mariadb.sh' stop '$work/my1'; '$services/mariadb.sh' stop '$work/my2'"
"$services/mariadb.sh" start "$work/my1" >/dev/null || exit 1

checksums() { my "$1" -e "CHECKSUM TABLE $2.account, $2.entry" | sed "s/^$2\.//"; }

my 1 -e "CREATE DATABASE bank; USE bank;
    CREATE TABLE account (id INT PRIMARY KEY, name VARCHAR(64), note VARCHAR(200));
    INSERT INTO account SELECT seq, MD5(seq), REPEAT(SHA1(seq), 2) FROM seq_1_to_20000;
    CREATE TABLE entry (id INT AUTO_INCREMENT PRIMARY KEY, account INT, amount BIGINT);
    INSERT INTO entry (account, amount) SELECT seq, seq * 3 FROM seq_1_to_10000" || exit 1
socket=$(my 1 -e 'SELECT @@socket')
checksums 1 bank >"$work/wanted"

# back SERIES DIR : restores it to $work/back/SERIES; prints where its files are
back() {
    rm -rf "$work/back"
    repo restore "$1" --to "$work/back" >"$work/stdout" 2>"$work/stderr"
    echo "$work/back$2"
}

# --- mydumper

mydumper --socket="$socket" --user="$(id -un)" --database=bank --outputdir="$work/mydumper" >"$work/mydumper.log" 2>&1
exits 0 "mydumper: its directory is saved" repo add my/mydumper --json --files "$work/mydumper"
same "mydumper: with its position" true "$(field summary position | grep -q mariadb-bin && echo true)"
exits 0 "mydumper: show tells whose it is" repo show my/mydumper
fact "mydumper: and that it was mydumper" grep -q 'written by *mydumper' "$work/stdout"
my 1 -e "CREATE DATABASE again"
myloader --socket="$socket" --user="$(id -un)" --database=again --directory="$(back my/mydumper "$work/mydumper")" \
    >"$work/myloader.log" 2>&1
same "mydumper: what comes back is loaded, and equal" "$(cat "$work/wanted")" "$(checksums 1 again)"
cp -r "$work/mydumper" "$work/unfinished"
sed -i '/Finished dump at/d' "$work/unfinished/metadata"
refuses 4 "no line 'Finished dump at'&&nothing saved" "mydumper: without its last line it is refused" \
    repo add my/mydumper --files "$work/unfinished"
exits 3 "mydumper: and saved only where that is wanted" \
    repo add my/unfinished --json --allow-incomplete --files "$work/unfinished"
same "mydumper: as what it is" false "$(field summary complete)"
mv "$work/unfinished/metadata" "$work/unfinished/metadata.partial"
refuses 4 "metadata.partial is there" "mydumper: one that runs is refused" repo add my/mydumper --files "$work/unfinished"

# --- mysqldump --tab

install -d -m 777 "$work/tab"
mariadb-dump --defaults-file="$work/my1/my.cnf" --tab="$work/tab" bank 2>"$work/stderr" || true
exits 0 "--tab: pairs are saved" repo add my/tab --files "$work/tab"
my 1 -e "CREATE DATABASE tabs"
tab=$(back my/tab "$work/tab")
cat "$tab"/*.sql | my 1 tabs
mariadb-import --defaults-file="$work/my1/my.cnf" --local tabs "$tab"/*.txt >"$work/import.log" 2>&1
same "--tab: what comes back is imported, and equal" "$(cat "$work/wanted")" "$(checksums 1 tabs)"
rm "$work/tab/entry.sql"
refuses 4 "entry.txt has no .sql" "--tab: rows without a definition are refused" repo add my/tab --files "$work/tab"

# --- MySQL Shell, and what an NDB cluster writes, by their shapes

mkdir "$work/shell"
echo '{"dumper": "mysqlsh Ver 8.4.0", "serverVersion": "8.4.2"}' >"$work/shell/@.json"
echo 'CREATE TABLE t (id INT);' >"$work/shell/bank@t.sql"
refuses 4 "@.done.json is not there" "mysqlsh: without its last file it is refused" repo add my/shell --files "$work/shell"
echo '{"end": "2026-11-28 04:31:10"}' >"$work/shell/@.done.json"
exits 0 "mysqlsh: with it it is saved" repo add my/shell --files "$work/shell"
same "mysqlsh: and comes back" "" "$(diff -r "$work/shell" "$(back my/shell "$work/shell")")"
mkdir -p "$work/ndb/BACKUP-1"
for file in BACKUP-1-0.1.Data BACKUP-1-0.2.Data BACKUP-1.1.ctl BACKUP-1.1.log; do
    head -c $((RANDOM * 20)) /dev/urandom >"$work/ndb/BACKUP-1/$file"
done
exits 0 "ndb: a directory of its shape is saved" repo add my/ndb --files "$work/ndb"
same "ndb: and comes back bit for bit" "" "$(diff -r "$work/ndb" "$(back my/ndb "$work/ndb")")"

# --- mariabackup into directories

backup=(mariabackup --defaults-file="$work/my1/my.cnf" --backup --socket="$socket")
"${backup[@]}" --target-dir="$work/full" >"$work/backup.log" 2>&1
exits 0 "mariabackup: a full directory is saved" repo add my/dirs --json --files "$work/full"
full=$(field summary snapshot)
mkdir "$work/lsn"
exits 0 "mariabackup: cat gives its checkpoints" repo cat my/dirs xtrabackup_checkpoints
cp "$work/stdout" "$work/lsn/xtrabackup_checkpoints"
my 1 bank -e "UPDATE account SET note = 'changed' WHERE id MOD 100 = 7; SET GLOBAL innodb_log_checkpoint_now = 1"
"${backup[@]}" --target-dir="$work/increment" --incremental-basedir="$work/lsn" >"$work/backup.log" 2>&1
exits 0 "mariabackup: an increment made against that is saved" repo add my/dirs --json --files "$work/increment"
repo show my/dirs --json >"$work/shown" 2>&1
same "mariabackup: and linked" "$full differential" \
    "$(field snapshot needs "$work/shown") $(field snapshot kind "$work/shown")"
checksums 1 bank >"$work/wanted2"
exits 0 "mariabackup: both come back as a data directory" repo restore my/dirs --to "$work/my2/data" --prepare
"$services/mariadb.sh" start "$work/my2" >"$work/start.log" 2>&1 || tail -n 3 "$work/start.log"
same "mariabackup: a server starts on it and holds the same" "$(cat "$work/wanted2")" "$(checksums 2 bank)"
"$services/mariadb.sh" stop "$work/my2"
refuses 1 "needed by" "mariabackup: what the increment needs is not forgotten" repo forget "$full"
mariabackup --prepare --target-dir="$work/full" >"$work/backup.log" 2>&1
exits 0 "mariabackup: a prepared directory is saved" repo add my/prepared --files "$work/full"
exits 0 "mariabackup: and told to be one" repo show my/prepared
fact "mariabackup: from which nothing goes on" grep -q 'no increment goes on from it' "$work/stdout"
refuses 4 "no snapshot of my/prepared ends there" "mariabackup: an increment of it is refused" \
    repo add my/prepared --files "$work/increment"
rm "$work/increment/xtrabackup_info"
refuses 4 "no xtrabackup_info" "mariabackup: one that did not end is refused" repo add my/dirs --files "$work/increment"

# --- PostgreSQL

later "'$services/postgres.sh' stop '$work/pg1'; '$services/postgres.sh' stop '$work/pg2'"
"$services/postgres.sh" start "$work/pg1" >"$work/pg1.env" || exit 1
account=$(sed -n 's/^POSTGRES_ACCOUNT=//p' "$work/pg1.env")

sum="SELECT count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM t"
query() { pg "$1" psql -XAtq -c "$3" "$2"; }
query 1 postgres "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS hash FROM generate_series(1, 30000) g" || exit 1
wanted=$(query 1 postgres "$sum")
pg 1 pg_dump -Fd -j4 -f "$work/fd" postgres
exits 0 "pg_dump -Fd: its directory is saved" repo add pg/fd --files "$work/fd"
query 1 postgres "CREATE DATABASE fd"
pg 1 pg_restore -d fd "$(back pg/fd "$work/fd")" 2>"$work/stderr"
same "pg_dump -Fd: what comes back is restored, and equal" "$wanted" "$(query 1 fd "$sum")"
rm "$work/fd/toc.dat"
refuses 4 "toc.dat is not there" "pg_dump -Fd: one that did not end is refused" repo add pg/fd --files "$work/fd"
pg 1 pg_dump -Ft postgres >"$work/dump.tar"
exits 0 "pg_dump -Ft: its stream is saved" repo add pg/ft "$work/dump.tar"
query 1 postgres "CREATE DATABASE ft"
repo cat pg/ft 2>"$work/stderr" | pg 1 pg_restore -d ft
same "pg_dump -Ft: what comes back is restored, and equal" "$wanted" "$(query 1 ft "$sum")"

pg 1 pg_basebackup -D "$work/fp" -Fp -Xf -c fast
exits 0 "pg_basebackup -Fp: its directory is saved" repo add pg/fp --files "$work/fp"
fp=$(back pg/fp "$work/fp")
fact "pg_basebackup -Fp: pg_verifybackup says verified" pg 1 pg_verifybackup -q "$fp"
mkdir -p "$work/pg2"
mv "$fp" "$work/pg2/data"
[ "$account" = "$(id -un)" ] || chown -R "$account" "$work/pg2/data"
"$services/postgres.sh" start "$work/pg2" >"$work/pg2.env" 2>"$work/start.log" || tail -n 3 "$work/start.log"
same "pg_basebackup -Fp: a server starts on it and holds the same" "$wanted" "$(query 2 postgres "$sum")"
rm "$work/fp/global/pg_control"
refuses 4 "no global/pg_control" "pg_basebackup -Fp: one that did not end is refused" repo add pg/fp --files "$work/fp"

exits 0 "and the repository is sound" repo check --read-data
finish
