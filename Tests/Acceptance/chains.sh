#!/usr/bin/env bash
# Chains of physical backups: full, increments and differentials come back as a data directory in one step, a server
# starts on it and holds the same; and a directory is brought back to what it was by writing only what differs.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source=support/servers.sh
. "$support/servers.sh"
need mariadb-server mariadb-client mariadb-backup python3 strace

new_repository r
later "'$services/mariadb.sh' stop '$work/my1'; '$services/mariadb.sh' stop '$work/my2'"
"$services/mariadb.sh" start "$work/my1" >/dev/null || exit 1

# checksums N : one line per table of the users'
checksums() {
    my "$1" -e "SELECT CONCAT('CHECKSUM TABLE \`', table_schema, '\`.\`', table_name, '\`;') FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema = 'bank' ORDER BY table_name" | my "$1"
}

# holds FACT CHECKSUMS : a server starts on what was restored to my2 and holds these
holds() {
    "$services/mariadb.sh" start "$work/my2" >"$work/start.log" 2>&1 || tail -n 3 "$work/start.log"
    checksums 2 >"$work/checksums2"
    same "$1" "" "$(diff "$2" "$work/checksums2" | head -n 5)"
    "$services/mariadb.sh" stop "$work/my2"
    rm -rf "$work/my2"
}

# change N : rows of all tables
change() {
    my 1 bank -e "UPDATE account SET balance = balance + $1 WHERE id MOD 300 = $1;
        INSERT INTO entry (account, amount) SELECT id, $1 FROM account WHERE id MOD 500 = $1;
        SET GLOBAL innodb_log_checkpoint_now = 1"
}

my 1 -e "CREATE DATABASE bank; USE bank;
    CREATE TABLE account (id INT PRIMARY KEY, name VARCHAR(64), balance BIGINT, note VARCHAR(200));
    INSERT INTO account SELECT seq, MD5(seq), seq * 7 MOD 10007, REPEAT(SHA1(seq), 4) FROM seq_1_to_300000;
    CREATE TABLE entry (id INT AUTO_INCREMENT PRIMARY KEY, account INT, amount BIGINT, KEY (account));
    INSERT INTO entry (account, amount) SELECT seq MOD 300000, seq FROM seq_1_to_50000" || exit 1

backup=(mariabackup --defaults-file="$work/my1/my.cnf" --backup --socket="$(my 1 -e 'SELECT @@socket')")
stream=("${backup[@]}" --stream=xbstream)

# --- full, two increments, a differential, through the repository alone

exits 0 "a full" repo add bank --json -- "${stream[@]}"
full=$(field summary snapshot)
for step in 1 2; do
    change $step
    exits 0 "increment $step" repo add bank --kind incremental --json -- "${stream[@]}" '--incremental-lsn={parent.to_lsn}'
    links[step]=$(field summary snapshot)
    checksums 1 >"$work/after$step"
done
change 3
exits 0 "a differential" repo add bank --kind differential --json -- "${stream[@]}" '--incremental-lsn={parent.to_lsn}'
differential=$(field summary snapshot)
checksums 1 >"$work/after3"
repo show "$differential" --json >"$work/shown" 2>&1
same "which needs the full and nothing else" "$full" "$(field snapshot needs "$work/shown")"
fact "the states differ" test "$(sort -u "$work"/after? | wc -l)" -eq 6

exits 0 "increment 1 comes back as a data directory" repo restore "${links[1]}" --to "$work/my2/data" --prepare
holds "which holds what was there then" "$work/after1"
exits 0 "so does increment 2" repo restore "${links[2]}" --to "$work/my2/data" --prepare
same "with nothing left beside it" data "$(ls "$work/my2")"
holds "with what was there then" "$work/after2"
exits 0 "so does the differential" repo restore "$differential" --to "$work/my2/data" --prepare --json
holds "with what was there then" "$work/after3"

mkdir -p "$work/full/data"
echo mine >"$work/full/data/file"
refuses 1 "exists already" "a directory that holds something is left alone" \
    repo restore "$differential" --to "$work/full/data" --prepare
same "as it is" mine "$(cat "$work/full/data/file")"
refuses 1 "prepare-with" "without the tool nothing is written, and it is named" \
    env PATH=/nowhere "$REPO_BIN" restore "$differential" --to "$work/none" --prepare
fact "nothing at all" test ! -e "$work/none"
cat >"$work/broken" <<'END'
#!/bin/sh
echo "the log is torn" >&2
exit 3
END
chmod +x "$work/broken"
refuses 1 "the log is torn" "a tool that fails is quoted" \
    repo restore "$full" --to "$work/failed" --prepare-with "$work/broken"
refuses 2 "wants a directory of its own" "--prepare goes with no other way" \
    repo restore "$full" --to "$work/none" --prepare --in-place

# What the store lost: its objects are taken away behind the program's back.
cp -r "$REPO_REPOSITORY" "$work/gap"
rm "$work"/gap/snapshots/*/"${links[1]}"
refuses 1 "${links[1]:0:8}&&is not there" "a missing link is named, and nothing is written" \
    repo -r "$work/gap" --cache-dir "$work/gap-cache" restore "${links[2]}" --to "$work/none" --prepare
fact "nothing at all" test ! -e "$work/none"
exits 0 "the differential does not need it" \
    repo -r "$work/gap" --cache-dir "$work/gap-cache" restore "$differential" --to "$work/my2/data" --prepare
holds "and holds the same" "$work/after3"
exits 0 "the end of a chain may be forgotten" repo forget "${links[2]}"
exits 0 "then the one before it" repo forget "${links[1]}"
change 4
gap=$(repo show "$differential" --json | "$python" -c "import json, sys; print(json.loads(sys.stdin.readline())['lsn']['to'] - 1)")
refuses 4 "LSN $gap" "an increment of nothing that is there names the gap" \
    repo add bank --kind incremental -- "${stream[@]}" --incremental-lsn="$gap"

# --- back to what it was, in place

exits 0 "a full to come back to" repo add place --json -- "${stream[@]}"
checksums 1 >"$work/place"
stored=$(du -sb "$REPO_REPOSITORY" | cut -f 1)
exits 0 "is restored" repo restore place --to "$work/my3"
cp -a "$work/my3" "$work/my3.was"
# A server lives on it for a while.
rm -rf "$work/my2"
mkdir "$work/my2"
cp -a "$work/my3" "$work/my2/data"
mariabackup --prepare --target-dir="$work/my2/data" >"$work/prepare.log" 2>&1
"$services/mariadb.sh" start "$work/my2" >"$work/start.log" 2>&1
my 2 bank -e "UPDATE account SET balance = balance + 1 WHERE id BETWEEN 5000 AND 7400; CREATE TABLE more (id INT)"
"$services/mariadb.sh" stop "$work/my2"
exits 0 "--in-place --delete brings it back" repo restore place --to "$work/my2/data" --in-place --delete --json
same "to the very files" "" "$(diff -r "$work/my3.was" "$work/my2/data" 2>&1 | head -n 5)"
compared=$(field summary bytes_compared) written=$(field summary bytes)
fact "writing $written of $compared bytes" test "$((written * 5))" -lt "$compared"
mariabackup --prepare --target-dir="$work/my2/data" >"$work/prepare.log" 2>&1
holds "a server starts on it and holds the same" "$work/place"

# reads FILES COMMAND... : how many bytes of packs it reads
reads() {
    rm -f "$work"/trace.*
    strace -ff -qq -y -e trace=pread64,read -o "$work/trace" "$@" >"$work/stdout" 2>"$work/stderr"
    cat "$work"/trace.* | grep -a "$REPO_REPOSITORY/packs" | awk -F'= ' '{ sum += $NF } END { print sum + 0 }'
}
"$python" - "$work/my3" <<'END'
import os, random, sys
random.seed(1)
path = sys.argv[1] + "/bank/account.ibd"
pages = os.path.getsize(path) // 16384
with open(path, "r+b") as file:
    start = pages // 3
    for page in range(start, start + max(1, pages // 50)):
        file.seek(page * 16384 + 600)
        file.write(random.randbytes(300))
END
read=$(reads "$REPO_BIN" restore place --to "$work/my3" --in-place)
fact "2 % of a table's pages are put right by reading $read of $stored stored bytes" test "$((read * 20))" -lt "$stored"
same "and are" "" "$(diff -r "$work/my3.was" "$work/my3" 2>&1 | head -n 5)"
# Stopped in the middle, however far it came, it goes on when it is run again.
for seconds in 0.05 0.15 0.25; do
    find "$work/my3" -name '*.ibd' -exec truncate -s -100000 {} +
    timeout -s KILL "$seconds" "$REPO_BIN" restore place --to "$work/my3" --in-place >"$work/stdout" 2>&1
done
exits 0 "killed three times it goes on" repo restore place --to "$work/my3" --in-place
same "to the very files, too" "" "$(diff -r "$work/my3.was" "$work/my3" 2>&1 | head -n 5)"
read=$(reads "$REPO_BIN" restore place --to "$work/my3" --in-place --json)
same "again it writes nothing" 0 "$(field summary bytes)"
exits 0 "and the repository is sound" repo check --read-data

# --- PostgreSQL's own increments

if ! programs=$("$services/postgres18.sh" programs 2>"$work/stderr"); then
    skip "increments of PostgreSQL 18: its programs cannot be had"
    finish
fi
later "'$services/postgres18.sh' stop '$work/pg1'; '$services/postgres18.sh' stop '$work/pg2'"
"$services/postgres18.sh" start "$work/pg1" >"$work/pg1.env" || exit 1

query() { pg "$1" psql -XAtq -c "$2" postgres; }
sum="SELECT count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM t"
query 1 "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS hash FROM generate_series(1, 100000) g; CHECKPOINT"
# shellcheck source=/dev/null
. "$work/pg1.env"
base=(env PGHOST="$PGHOST" PGPORT="$PGPORT" PGUSER="$PGUSER" "$programs/pg_basebackup" -D - -Ft -Xf -c fast)
exits 0 "a full of PostgreSQL 18" repo add pg --json -- "${base[@]}"
pgfull=$(field summary snapshot)
previous=$pgfull
for step in 1 2; do
    repo cat pg backup_manifest >"$work/manifest$step"
    query 1 "UPDATE t SET hash = hash || '$step' WHERE id % 700 = $step; CHECKPOINT"
    exits 0 "increment $step is linked to the one before" \
        repo add pg --kind incremental --json -- "${base[@]}" --incremental="$work/manifest$step"
    repo show pg --json >"$work/shown" 2>&1
    same "which it needs" "$previous" "$(field snapshot needs "$work/shown")"
    previous=$(field snapshot snapshot "$work/shown")
done
query 1 "$sum" >"$work/pgsum1"
exits 0 "show tells the LSNs as PostgreSQL writes them" repo show pg
fact "from and to" grep -qE 'LSN +0/[0-9A-F]+ to 0/[0-9A-F]+' "$work/stdout"
fact "and how many files its manifest proved" grep -qE 'files checked: [0-9]{3,}' "$work/stdout"
refuses 4 "LSN 0/&&backup_manifest" "an increment of nothing that is there is refused, with the way out" \
    repo add nothing -- "${base[@]}" --incremental="$work/manifest2"
refuses 1 "needed by" "what an increment needs is not forgotten" repo forget "$pgfull"
exits 0 "all three come back as one data directory" \
    repo restore pg --to "$work/pg2/data" --prepare-with "$programs/pg_combinebackup"
account=$(sed -n 's/^POSTGRES_ACCOUNT=//p' "$work/pg1.env")
[ "$account" = "$(id -un)" ] || chown -R "$account" "$work/pg2/data"
"$services/postgres18.sh" start "$work/pg2" >"$work/pg2.env" 2>"$work/start.log" || tail -n 3 "$work/start.log"
same "a server starts on it and holds the same" "$(cat "$work/pgsum1")" "$(query 2 "$sum")"
finish
