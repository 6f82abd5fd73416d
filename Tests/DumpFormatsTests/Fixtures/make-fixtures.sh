#!/bin/bash
# Makes the recorded streams again, with real servers and tools: MariaDB 10.11, PostgreSQL 15 and 18, sqlite3, GNU tar,
# mariabackup, gzip, zstd, xz, lz4, bzip2, gpg, openssl, zip. Each stream is kept as NAME.gz, and the exit status of
# its producer in statuses.txt (0 where the producer's status is lost in a pipe, as it is to repo).
# usage: make-fixtures.sh SERVICES   (the folder with mariadb.sh, postgres.sh, postgres18.sh)
set -u
here=$(cd "$(dirname "$0")" && pwd)
services=${1:?the folder with mariadb.sh, postgres.sh and postgres18.sh}
work=$(mktemp -d); chmod 755 "$work"; mkdir "$work/out"
trap '"$services/mariadb.sh" stop "$work/my"; "$services/postgres.sh" stop "$work/pg"; "$services/postgres18.sh" stop "$work/pg18"; rm -rf "$work"' EXIT
cd "$work" || exit 1
: > statuses.txt
# keep NAME COMMAND...: the command's output and status
keep() {
    local name=$1 status; shift
    "$@" > "out/$name" 2>> errors.txt; status=$?
    echo "$name $status" >> statuses.txt
}
# pipe NAME 'SHELL PIPELINE': what comes out of it; its status is that of its last command
pipe() { keep "$1" bash -c "$2"; }

# --- MariaDB
"$services/mariadb.sh" start "$work/my" > start.txt < /dev/null; . "$work/my/env"
M="--defaults-file=$MYSQL_CNF"
mariadb $M --comments < "$here/shop-mariadb.sql" || exit 1
export D="mariadb-dump $M" ODD='odd`name'
keep my-single $D shop
keep my-databases $D --single-transaction --routines --triggers --events --master-data=2 --databases shop "$ODD"
keep my-all-schemas $D --all-databases --no-data --flush-privileges
keep my-system $D --system=plugins,udfs,servers
keep my-compact $D --compact --routines --triggers shop
keep my-compact-empty $D --compact empty
keep my-skip-comments $D --skip-comments --routines --events shop
keep my-skip-comments-databases $D --skip-comments --databases shop "$ODD"
keep my-skip-dump-date $D --skip-dump-date --routines shop
keep my-xml $D --xml --databases shop empty
keep my-skip-opt $D --skip-opt shop
keep my-complete-insert $D --hex-blob --complete-insert --skip-extended-insert shop
keep my-replace $D --replace shop customers orders
keep my-insert-ignore $D --insert-ignore --skip-quote-names shop customers orders
keep my-no-create $D --no-create-info --skip-triggers --where='id < 5' shop customers orders
keep my-no-charset $D --skip-tz-utc --skip-set-charset --skip-add-locks --skip-disable-keys shop
keep my-gtid $D --gtid --master-data=1 --single-transaction shop
keep my-small-buffer $D --net-buffer-length=4096 --order-by-primary shop
mariadb $M -e "CHANGE MASTER TO master_host='127.0.0.1', master_log_file='src-bin.000007', master_log_pos=4242"
keep my-dump-slave $D --dump-slave=2 shop
mariadb $M -e "RESET SLAVE ALL"
pipe my-pv "$D shop | pv -q"
pipe my-sed "$D --triggers --routines shop | sed 's/DEFINER=[^*]*\*/\*/g; s/utf8mb4_general_ci/utf8mb4_unicode_ci/'"
pipe my-sed-conditionals "$D --routines '$ODD' | sed '/^\/\*!4/d'"
pipe my-grep-comments "$D shop | grep -v '^--'"
pipe my-grep-trailer "$D shop | grep -v 'Dump completed'"
pipe my-sandbox-removed "$D shop | tail -n +2"
pipe my-crlf "$D --routines shop | sed 's/\$/\r/'"
pipe my-cut "$D shop | head -c 5000"
pipe my-cut-at-fake "$D shop | sed '/^-- Dump completed\$/q'"
pipe my-two "$D shop; $D '$ODD'"
pipe my-two-cut "$D shop | head -c 6000; $D '$ODD'"
pipe my-two-first-line-cut "$D '$ODD' | head -c 100; $D '$ODD'"
pipe my-compact-two "$D --compact '$ODD'; $D '$ODD'"
pipe my-wrapped "echo 'SET autocommit=0; -- it'\''s ours'; $D '$ODD'; echo 'COMMIT;'"
pipe my-gzip "$D shop | gzip"
pipe my-two-gzips "$D shop | gzip; $D '$ODD' | gzip"
pipe my-cut-gzip "$D shop | head -c 5000 | gzip"
pipe my-gzip-cut "$D shop | gzip | head -c 1500"
pipe my-zstd "$D shop | zstd"
pipe my-zstd-cut "$D shop | zstd | head -c 1500"
pipe my-xz "$D shop | xz"
pipe my-lz4 "$D shop | lz4 -c"
pipe my-bzip2 "$D shop | bzip2"
pipe my-gpg "$D '$ODD' | GNUPGHOME=$work gpg --batch --yes --passphrase x --pinentry-mode loopback -c -z 0"
GNUPGHOME=$work gpgconf --kill gpg-agent
pipe my-openssl "$D '$ODD' | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x"
pipe my-zip "$D shop | zip -q"
mariadb $M -e "CREATE TABLE shop.gone (a INT); CREATE VIEW shop.zbroken AS SELECT a FROM shop.gone; DROP TABLE shop.gone"
keep my-broken-view $D shop
keep my-force $D --force shop
keep my-force-messages bash -c "$D --force shop 2>&1"
mariadb $M -e "DROP VIEW shop.zbroken"
keep my-no-such-database $D nowhere
keep my-killed bash -c "$D shop | head -c 3000; kill -9 \$\$"
mkdir "$work/full" "$work/inc"
B="mariabackup $M --backup --stream=xbstream --databases=shop"
keep xb-full $B --extra-lsndir="$work/full"
mariadb $M -e "INSERT INTO shop.customers VALUES (1000, 'a', 'b')"
keep xb-incremental $B --incremental-basedir="$work/full"
keep xb-compressed $B --compress --incremental-basedir="$work/full"
pipe xb-cut "$B | head -c 60000"

# --- PostgreSQL
export LD_LIBRARY_PATH=
postgres() { # postgres PREFIX: the streams that every version makes
    psql -q -d postgres -c 'CREATE DATABASE shop' -c 'CREATE ROLE "we'\''ird" PASSWORD NULL' -c 'CREATE ROLE poor LOGIN'
    psql -q -v ON_ERROR_STOP=1 -d shop -f "$here/shop-postgres.sql" > /dev/null || exit 1
    keep "$1-plain" "$P/pg_dump" shop
    keep "$1-inserts" "$P/pg_dump" --inserts shop
    keep "$1-dumpall" "$P/pg_dumpall"
    pipe "$1-custom-z0" "'$P/pg_dump' -Fc -Z0 shop | cat"
    # into a file it goes back and notes the offsets; PostgreSQL 18 appends them where it cannot go back
    keep "$1-custom-file" "$P/pg_dump" -Fc -Z0 shop
    pipe "$1-custom-pipe" "'$P/pg_dump' -Fc shop | cat"
    keep "$1-custom-schema" "$P/pg_dump" -Fc -s shop
    pipe "$1-custom-cut" "'$P/pg_dump' -Fc -Z0 shop | head -c -1"
}
"$services/postgres.sh" start "$work/pg" > start.txt < /dev/null; . "$work/pg/env"; export PGHOST PGPORT PGUSER; P=$PGBIN
postgres pg15
keep pg15-create "$P/pg_dump" -C -c --if-exists shop
keep pg15-rows-per-insert "$P/pg_dump" --rows-per-insert=7 --column-inserts --quote-all-identifiers shop
keep pg15-schema-only "$P/pg_dump" -s shop
keep pg15-data-only "$P/pg_dump" -a --disable-triggers shop
keep pg15-post-data "$P/pg_dump" --section=post-data shop
keep pg15-verbose "$P/pg_dump" -v shop
keep pg15-no-dollar "$P/pg_dump" --disable-dollar-quoting shop
keep pg15-gzip "$P/pg_dump" -Z5 shop
keep pg15-tar "$P/pg_dump" -Ft shop
keep pg15-custom-pre "$P/pg_dump" -Fc --section=pre-data shop
keep pg15-globals "$P/pg_dumpall" -g
keep pg15-no-permission "$P/pg_dump" -U poor shop
pipe pg15-globals-and-one "'$P/pg_dumpall' -g; '$P/pg_dump' shop"
pipe pg15-no-restrict "'$P/pg_dump' shop | sed '/^[\\\\]\(un\)\?restrict /d'"
pipe pg15-cut-then-whole "'$P/pg_dump' shop | head -c 8000; '$P/pg_dump' shop"
pipe pg15-dumpall-one-cut "'$P/pg_dumpall' | awk '/^COPY public.parted_1/ {skip=1} /cluster dump complete/ {skip=0} !skip'"
pipe pg15-cut "'$P/pg_dump' shop | head -c 9000"
# most members are left out; those kept are byte for byte as pg_basebackup wrote them
"$P/pg_basebackup" -D - -Ft -Xnone --checkpoint=fast > base.tar 2>> errors.txt
python3 - <<'PY'
data = open("base.tar", "rb").read()
small, without = bytearray(), bytearray()
at = 0
while data[at]:
    name = data[at:at + 100].split(b"\0")[0].decode()
    size = int(data[at + 124:at + 135], 8)
    end = at + 512 + (size + 511) // 512 * 512
    if not name.startswith("base/") and not (name.startswith("global/") and name[7:8].isdigit()):
        small += data[at:end]
        if name not in ("global/pg_control", "backup_manifest"):
            without += data[at:end]
    at = end
open("small.tar", "wb").write(small + data[at:])
open("without.tar", "wb").write(without + data[at:])
PY
keep pg15-basebackup cat small.tar
keep pg15-basebackup-no-control cat without.tar
"$services/postgres18.sh" start "$work/pg18" > start.txt < /dev/null; . "$work/pg18/env"; export PGHOST PGPORT PGUSER; P=$PGBIN
postgres pg18
keep pg18-statistics "$P/pg_dump" --statistics shop
pipe pg18-custom-statistics "'$P/pg_dump' -Fc -Z0 --statistics shop | cat"

# --- sqlite
sqlite3 shop.db < "$here/shop-sqlite.sql"
keep sqlite-good sqlite3 shop.db .dump
pipe sqlite-gzip "sqlite3 shop.db .dump | gzip"
# pages of the first table are overwritten
python3 - <<'PY'
data = bytearray(open("shop.db", "rb").read())
for page in range(1, len(data) // 4096):
    if data[page * 4096] in (5, 13):
        data[page * 4096:page * 4096 + 64] = b"\xff" * 64
open("damaged.db", "wb").write(data)
PY
keep sqlite-damaged sqlite3 damaged.db .dump

# --- tar
mkdir -p files/sub; python3 - <<'PY'
import os
for i, size in enumerate((0, 1, 511, 512, 513, 5000)):
    open(f"files/f{i}", "wb").write(bytes((i * 7 + j) % 251 for j in range(size)))
name = "files/sub/" + "n" * 90 + "é" * 30
open(name, "wb").write(b"long name\n")
os.symlink("target" * 30, "files/link")
os.link("files/f5", "files/hard")
with open("files/sparse", "wb") as f:
    for i in range(12):
        f.seek(i * 200_000); f.write(b"data" * 100)
    f.truncate(3_000_000)
PY
T="tar --sort=name --mtime=2026-01-02 --owner=0 --group=0 --numeric-owner"
keep tar-gnu $T -c files
keep tar-gnu-sparse $T -S -c files
keep tar-pax $T --format=posix -c files
keep tar-pax-sparse $T --format=posix -S -c files
keep tar-ustar $T --format=ustar --exclude='n*' --exclude=link -c files
keep tar-v7 $T --format=v7 --exclude='n*' --exclude=link -c files
keep tar-volume-label $T -V label --blocking-factor=1 -c files
pipe tar-two "$T -c files/f5; $T -c files/f4"
pipe tar-one-zero-block "$T --blocking-factor=1 -c files/f5 | head -c -512"
pipe tar-gzip "$T -cz files"

# --- others
printf 'id,name\n1,"-- a"\n' > out/raw-csv; echo "raw-csv 0" >> statuses.txt
head -c 3000 /dev/urandom > out/raw-random; echo "raw-random 0" >> statuses.txt
: > out/raw-empty; echo "raw-empty 0" >> statuses.txt

rm -f "$here"/*.gz
for f in out/*; do gzip -9nc "$f" > "$here/$(basename "$f").gz"; done
sort statuses.txt > "$here/statuses.txt"
cat errors.txt | head -40
du -bc "$here"/*.gz | tail -1
