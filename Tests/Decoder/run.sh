#!/usr/bin/env bash
# Reads back with decoder.py, which knows docs/format.md and no more, what the program writes and what it wrote once.
#
#   REPO_BIN    the program (default .build/release/repo). It makes a repository of all sorts of data, and every
#               snapshot has to come back bit for bit. Without it only kept repositories are read.
#
# Kept repositories are Tests/Vectors/repository-v1*/ with `repository/`, a file `password` that opens it and a file
# `sums` of lines `SHA256  SNAPSHOT-ID` about the data streams. With neither the one nor the other this fails.
# What Python lacks is installed into .build/decoder-venv. One line a fact, `ok - ...`; ends at the first `not ok - ...`.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
binary=$(realpath -m "${REPO_BIN:-$top/.build/release/repo}")
unset REPO_REPOSITORY REPO_PASSWORD REPO_PASSWORD_FILE REPO_PASSWORD_COMMAND REPO_KEY_FILE REPO_RECOVERY_KEY_FILE
export LC_ALL=C.UTF-8 TZ=UTC PYTHONDONTWRITEBYTECODE=1

work=$(mktemp -d "${TMPDIR:-/tmp}/repo-decoder.XXXXXX")
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache

fail() {
    echo "not ok - $1"
    if [ -s "$work/stderr" ]; then tail -n 6 "$work/stderr" | sed 's/^/#   | /'; fi
    exit 1
}

ok() {
    echo "ok - $*"
}

# --- Python

python=$("$here/python.sh" 2>"$work/stderr") || fail "there is a Python that the decoder runs on"

# decode ARGUMENT... : the repository, what opens it, a command
decode() {
    "$python" "$here/decoder.py" "$@" 2>"$work/stderr"
}

# --- the data

# dump ROWS CHANGES : like a dump of MySQL's; about one row in 100 depends on CHANGES
dump() {
    python3 - "$1" "$2" <<'END'
import random, sys
rows, texts, changes = int(sys.argv[1]), random.Random(1), random.Random(int(sys.argv[2]))
print("-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: shop")
for table, count in (("orders", rows), ("nothing", 0), ("people", rows), ("nobody", 0)):
    print(f"\nDROP TABLE IF EXISTS `{table}`;\nCREATE TABLE `{table}` (`id` int NOT NULL, `a` text, `b` text);")
    for first in range(0, count, 500):
        values = []
        for id in range(first, min(first + 500, count)):
            text = "%032x" % (texts.getrandbits(128) ^ (changes.randrange(100) == 0) * changes.getrandbits(128))
            values.append(f"({id},'{text}','line {id % 97}\\nof text')")
        print(f"INSERT INTO `{table}` VALUES {','.join(values)};")
print("\n-- Dump completed on 2026-11-21  4:16:00")
END
}

make_data() {
    dump 40000 1 >"$1/first"
    cp "$1/first" "$1/again"
    dump 40000 2 >"$1/changed"
    dump 40100 3 >"$1/grown"
    dump 0 1 >"$1/empty-tables"
    head -c 3000000 /dev/urandom >"$1/random"
    head -c 80000000 /dev/urandom >"$1/long"
    head -c 5000000 /dev/zero >"$1/zeros"
    { head -c 100001 "$1/random" && head -c 400000 /dev/zero && head -c 70001 "$1/random"; } >"$1/mixed"
    printf 'a few bytes\n' >"$1/tiny"
}

# --- what the program writes

# add NAME ARGUMENT... : a snapshot of $data/NAME, or of what the arguments say; its id is in $id
add() {
    local name=$1
    shift
    "$binary" -r "$repository" add "$name" --json "$@" >"$work/added" 2>"$work/stderr" || fail "repo add $name $*"
    id=$(sed -n 's/.*"type" *: *"summary".*"snapshot" *: *"\([0-9a-f]*\)".*/\1/p' "$work/added")
    [ -n "$id" ] || fail "repo add $name tells no id: $(cat "$work/added")"
    added=$((added + 1))
}

# comes_back NAME : the snapshot $id is $data/NAME
comes_back() {
    decode "$repository" "${opened_by[@]}" cat "$id" >"$work/out" || fail "$1 can be decoded"
    cmp "$work/out" "$data/$1" || fail "$1 comes back as it was"
    rm "$work/out"
    ok "$1: $(stat -c %s "$data/$1") bytes come back"
}

from_the_program() {
    local name series pack
    data=$work/data repository=$work/repository added=0
    mkdir "$data"
    make_data "$data"
    echo 'correct horse battery staple' >"$work/password"
    export REPO_PASSWORD_FILE=$work/password
    opened_by=(--recovery-key-file "$work/recovery-key")
    "$binary" init "$repository" --recovery-key-file "$work/recovery-key" >/dev/null 2>"$work/stderr" || fail "repo init"

    for name in first again changed grown empty-tables random long zeros mixed tiny; do
        series=$name
        case $name in first | again | changed | grown) series=shop ;; esac
        add "$series" "$data/$name"
        comes_back "$name"
        case $name in
            changed)
                decode "$repository" --password-file "$work/password" tables "$id" >"$work/tables" || fail "tables"
                [ "$(cut -f 2 "$work/tables" | sort | tr '\n' ' ')" = "nobody nothing orders people " ] ||
                    fail "the tables are named: $(cat "$work/tables")"
                ok "its tables are named, by the password"
                ;;
        esac
    done

    # as root with everything that is no file, too
    python3 "$top/Tests/Acceptance/support/tree.py" make "$data/tree" >"$work/stderr" 2>&1 || fail "a tree of files is made"
    mkdir "$data/tree/more"
    (cd "$data/tree/more" && seq -f 'a file with a name that fills the catalog, and a number %g' 2000 | xargs -d '\n' touch)
    (cd "$data" && add files --files tree && echo "$id" >"$work/id") || exit 1
    added=$((added + 1))
    decode "$repository" "${opened_by[@]}" files "$(cat "$work/id")" "$work/files" || fail "the files can be decoded"
    for name in "$data/tree" "$work/files/tree"; do
        python3 "$top/Tests/Acceptance/support/tree.py" list "$name"
    done >"$work/trees"
    [ "$(sort "$work/trees" | uniq -c | grep -cv '^ *2 ')" = 0 ] ||
        fail "the files come back as they were: $(sort "$work/trees" | uniq -c | grep -v '^ *2 ' | head -n 6)"
    ok "$(($(wc -l <"$work/trees") / 2)) files, directories, links, holes, attributes and the rest come back"

    "$binary" -r "$repository" key add --kind write --new-key-file "$work/write-key" --generate >/dev/null \
        2>"$work/stderr" || fail "repo key add --kind write"
    unset REPO_PASSWORD_FILE
    export REPO_KEY_FILE=$work/write-key
    add host/old "$data/tiny" --time 2020-01-01
    comes_back tiny
    for name in first changed mixed; do
        add "host/$name" "$data/$name"
        comes_back "$name"
    done
    unset REPO_KEY_FILE
    export REPO_PASSWORD_FILE=$work/password
    decode "$repository" "${opened_by[@]}" list >"$work/list" || fail "the snapshots are listed"
    [ "$(cut -f 2 "$work/list" | sort -u | wc -l)" = 2 ] || fail "a write key has a domain of its own: $(cat "$work/list")"
    ok "these lie in the write key's domain"
    decode "$repository" --key-file "$work/write-key" list >"$work/list" && fail "a write key reads something back"
    ok "which the write key cannot read back"

    "$binary" -r "$repository" forget "$id" --allow-empty >/dev/null 2>"$work/stderr" || fail "repo forget"
    decode "$repository" "${opened_by[@]}" list >"$work/list" || fail "the snapshots are listed"
    [ "$(wc -l <"$work/list")" = $((added - 1)) ] || fail "$((added - 1)) snapshots are listed: $(cat "$work/list")"
    ok "all $((added - 1)) snapshots are listed, and not the one that was forgotten"

    for name in "policy set * --gfs --keep-within 30d --keep-tag x --max-age 9y --timezone Europe/Berlin --expect-every 1d" \
        "policy set shop --keep-last all --keep-hourly 3 --week-starts monday --by-host" "policy remove shop" \
        "hold add pci --preset pci-dss --match s* --match long" "hold add court --forever --match x --reason y" \
        "hold remove pci --reason over" "hold add date --match * --until 2099-01-01" "policy acknowledge host/old"; do
        # shellcheck disable=SC2086
        (set -f && exec "$binary" -r "$repository" $name >/dev/null 2>"$work/stderr") || fail "repo $name"
    done
    for name in policies holds acknowledgements; do
        [ -n "$(ls "$repository/records/$name")" ] || fail "there are records of $name"
    done
    decode "$repository" --password-file "$work/password" verify >"$work/verified" || fail "everything keeps the format"
    ok "everything keeps the format: $(cat "$work/verified")"

    pack=$(find "$repository/packs" -type f | sort | sed -n 1p)
    chmod u+w "$pack"
    python3 -c '
import sys
with open(sys.argv[1], "r+b") as file:
    content = file.read(101)
    file.seek(100)
    file.write(bytes([content[100] ^ 1]))' "$pack"
    decode "$repository" "${opened_by[@]}" verify >"$work/verified" && fail "a changed bit is found"
    grep -q "$(basename "$pack")" "$work/stderr" || fail "the damaged pack is named"
    ok "a changed bit is found, and its pack named"
}

# --- what it wrote once

kept() {
    local name=${1#"$top/Tests/Vectors/"} sum id
    decode "$1/repository" --password-file "$1/password" verify >"$work/verified" || fail "$name keeps the format"
    ok "$name keeps the format: $(cat "$work/verified")"
    while read -r sum id; do
        [ "$(decode "$1/repository" --password-file "$1/password" cat "$id" | sha256sum)" = "$sum  -" ] ||
            fail "$name: snapshot $id comes back as it was"
        ok "$name: snapshot $id comes back"
    done <"$1/sums"
}

read_back=0
if [ -x "$binary" ]; then
    from_the_program
    read_back=1
elif [ -n "${REPO_BIN:-}" ]; then
    fail "there is a program $binary"
fi
for directory in "$top"/Tests/Vectors/repository-v1*/; do
    [ -d "$directory" ] || continue
    kept "${directory%/}"
    read_back=1
done
[ $read_back = 1 ] || fail "there is a program, or a kept repository: build it first: swift build -c release"
