#!/usr/bin/env bash
# From a fresh Debian 12 with a Swift 6 toolchain to a backed-up and restored database, in one command.
#
# Installs what is missing, builds, starts a database server of its own that nobody else sees, and shows on real dumps
# what repo does. Everything but the build is made in a temporary directory and gone at the end. Without the rights to
# install a server it makes do with a generated dump.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
[ $# -eq 0 ] || {
    echo "usage: examples/quickstart.sh" >&2
    exit 2
}

step="getting ready"
work=$(mktemp -d "${TMPDIR:-/tmp}/repo-quickstart.XXXXXX")
log=$work/log
finished=
clean_up() {
    for server in shop second; do
        [ ! -d "$work/$server" ] || Tests/Services/mariadb.sh stop "$work/$server" >/dev/null 2>&1 || true
    done
    if [ -z "$finished" ]; then
        echo >&2
        echo "quickstart: FAILED while $step" >&2
        [ ! -s "$log" ] || tail -n 20 "$log" | sed 's/^/    /' >&2
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

# --- how the page looks

# title TEXT : a heading; from now on this is the step that failed, if one does
title() {
    step="$(tr '[:upper:]' '[:lower:]' <<<"${1:0:1}")${1:1}"
    printf '\n%s\n' "$1"
}
say() {
    printf '  %s\n' "$@" | sed 's/ *$//'
}
# typed COMMAND : shows a command as one would type it, runs it, shows what it says; a failure of any part of it ends all
typed() {
    printf '    $ %s\n' "$1"
    bash -c "set -euo pipefail; cd '$work'; $1" 2>&1 | sed "s|$work/||g; s/^/      /"
}
megabytes() {
    awk -v n="$1" 'BEGIN { printf (n < 9950000 ? "%.1f MB" : "%.0f MB"), n / 1000000 }'
}
bytes_in() {
    find "$@" -type f -printf '%s\n' | awk '{ n += $1 } END { printf "%d", n }'
}

# --- getting ready

echo "repo, from nothing to a restored database"

title "Building"
command -v swift >/dev/null || {
    echo "swift: command not found. A Swift 6 toolchain is needed: https://www.swift.org/install/linux/" >"$log"
    exit 1
}
examples/install-dependencies.sh
started=$SECONDS
swift build -c release --product repo >"$log" 2>&1 </dev/null
say "$(.build/release/repo --version), built in $((SECONDS - started)) s as .build/release/repo"
: >"$log"

title "Starting a database"
has_server=
if examples/install-dependencies.sh mariadb-server mariadb-client python3 2>"$log" &&
    Tests/Services/mariadb.sh start "$work/shop" >>"$log" 2>&1; then
    has_server=yes
    : >"$log"
fi
command -v python3 >/dev/null || {
    echo "there is neither MariaDB nor Python 3, and no right to install them" >>"$log"
    exit 1
}

export PATH=$here/.build/release:$PATH XDG_CACHE_HOME=$work/cache
export REPO_REPOSITORY=$work/repository REPO_PASSWORD_FILE=$work/password
(umask 077 && head -c 24 /dev/urandom | base64 >"$work/password")
mkdir "$work/bin"

if [ -n "$has_server" ]; then
    shop() { mariadb --defaults-file="$work/$1/my.cnf" --batch --skip-column-names shop; }
    mariadb --defaults-file="$work/shop/my.cnf" -e 'CREATE DATABASE shop CHARACTER SET utf8mb4' >"$log" 2>&1
    shop shop >"$log" 2>&1 <<'SQL'
CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(80), email VARCHAR(120), balance DECIMAL(12, 2), token CHAR(64));
INSERT INTO customers SELECT seq, CONCAT(ELT(1 + seq MOD 6, 'Ada', 'Grace', 'Zoë', 'Łukasz', '张伟', 'Олена'), ' ', seq),
    CONCAT(MD5(seq), '@example.org'), CRC32(seq) / 100, SHA2(seq, 256) FROM seq_1_to_60000;
CREATE TABLE orders (id INT PRIMARY KEY, customer INT, state VARCHAR(10), total DECIMAL(12, 2), note TEXT, picture BLOB);
INSERT INTO orders SELECT seq, 1 + CRC32(seq) MOD 60000, ELT(1 + seq MOD 4, 'new', 'paid', 'sent', 'returned'),
    CRC32(-seq) / 1000, IF(seq MOD 5, NULL, 'it''s a "gift"'), IF(seq MOD 50, NULL, UNHEX(SHA2(-seq, 512)))
    FROM seq_1_to_150000;
SQL
    # short names, so that the page shows what one would type
    printf '#!/bin/sh\nexec %s --defaults-file=%s/shop/my.cnf "$@"\n' "$(command -v mariadb-dump)" "$work" >"$work/bin/mariadb-dump"
    printf '#!/bin/sh\nexec %s --defaults-file=%s/second/my.cnf "$@"\n' "$(command -v mariadb)" "$work" >"$work/bin/second-server"
    dump_monday="mariadb-dump --single-transaction --master-data=2 --databases shop"
    dump_tuesday=$dump_monday
    dump_cut="mariadb-dump --databases shop | head -c 3000000"
    say "MariaDB $(shop shop <<<'SELECT VERSION()' | cut -d- -f1), our own, on a socket in a temporary directory;" \
        "60,000 customers and 150,000 orders in it"
else
    printf '#!/bin/sh\nexec python3 %s/examples/make_dump.py "$@"\n' "$here" >"$work/bin/make-dump"
    dump_monday="make-dump --night 1"
    dump_tuesday="make-dump --night 2"
    dump_cut="make-dump --cut"
    say "no MariaDB here and no right to install it: examples/make_dump.py writes" \
        "what mariadb-dump would, for 30,000 customers and 90,000 orders"
fi
chmod +x "$work"/bin/*
export PATH=$work/bin:$PATH

# --- the tour

title "Making a repository"
typed "repo init \"\$REPO_REPOSITORY\" --recovery-key-file recovery-key"
say "Encrypted from the first byte. The password opens it; so does the recovery key," \
    "which belongs on paper, in a drawer."

title "Monday night: the first dump"
typed "$dump_monday | tee monday.sql | repo add shop"
monday=$(bytes_in "$work/repository")

title "Tuesday night, after a day of business"
if [ -n "$has_server" ]; then
    shop shop >"$log" 2>&1 <<'SQL'
UPDATE orders SET state = 'sent' WHERE id > 145000 AND id MOD 10 = 3;
UPDATE customers SET balance = balance + 10 WHERE id MOD 2000 = 5;
INSERT INTO orders SELECT 150000 + seq, seq, 'new', seq, NULL, NULL FROM seq_1_to_500;
DELETE FROM orders WHERE id MOD 20000 = 9;
SQL
fi
typed "$dump_tuesday | tee tuesday.sql | repo add shop"
tuesday=$(($(bytes_in "$work/repository") - monday))
say "Once more a full dump, $(megabytes "$(stat -c %s "$work/tuesday.sql")"), but the repository grew by only $(megabytes $tuesday):" \
    "the pieces in which nothing changed were there already."

title "Wednesday night: the connection breaks"
printf '    $ %s | repo add shop\n' "$dump_cut"
status=0
bash -c "cd '$work'; { $dump_cut; } 2>/dev/null | repo add shop" >"$log" 2>&1 || status=$?
sed "s|$work/||g; s/^/      /" "$log"
[ $status -eq 4 ] || {
    echo "a dump that was cut off ended with exit status $status instead of 4" >>"$log"
    exit 1
}
say "Exit status 4. Half a dump is no backup, so it is not kept as one."

title "Looking at what is there"
typed "repo list"
typed "repo show shop"

title "Restoring"
typed "repo restore shop --to restored.sql"
cmp "$work/tuesday.sql" "$work/restored.sql" >"$log" 2>&1
say "restored.sql is tuesday.sql, bit for bit ($(sha256sum <"$work/restored.sql" | cut -c1-16)...)"
# the older of the two is the one that is not the latest
latest=$(cd "$work" && repo show shop --json | sed -n 's/.*"snapshot" *: *"\([0-9a-f]*\)".*/\1/p' | head -n 1)
older=$(repo list shop --json | grep -o '"snapshot" *: *"[0-9a-f]*"' | grep -o '[0-9a-f]\{16,\}' | grep -v "^$latest$" | head -n 1)
(cd "$work" && repo cat "${older:0:8}" | cmp - monday.sql) >"$log" 2>&1
say "and monday.sql comes back the same way: repo cat ${older:0:8}"

if [ -n "$has_server" ]; then
    title "Loading it into a second server"
    Tests/Services/mariadb.sh start "$work/second" >"$log" 2>&1
    : >"$log"
    typed "repo restore shop -- second-server"
    for server in shop second; do
        shop $server <<<'CHECKSUM TABLE customers, orders' >"$work/$server.sums" 2>"$log"
    done
    cmp "$work/shop.sums" "$work/second.sums" >"$log" 2>&1
    say "CHECKSUM TABLE says the same of both servers:"
    sed 's/^/      /' "$work/second.sums" | tr '\t' ' '
fi

title "Is it sound?"
typed "repo check --read-data"

dumps=$(bytes_in "$work/monday.sql" "$work/tuesday.sql")
title "So"
say "two full dumps, $(megabytes "$dumps"), take $(megabytes "$(bytes_in "$work/repository")") in the repository, and each is one step away." \
    "Keep your own like this:" \
    "" \
    "    export REPO_REPOSITORY=/backup/repository REPO_PASSWORD_FILE=/etc/repo.password" \
    "    repo init \$REPO_REPOSITORY --recovery-key-file /etc/repo.recovery-key" \
    "    repo add shop -- mariadb-dump --single-transaction --master-data=2 --databases shop" \
    "" \
    "Nothing of this tour is left but .build. Read on in README.md."
finished=yes
