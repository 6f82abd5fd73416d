#!/usr/bin/env bash
# Saves all sorts of data with the program and reads them back with decoder.py, which knows docs/format.md and no more.
#
# Builds nothing. The program is $REPO_BIN, or .build/release/repo. Python's packages come from .build/decoder-venv if
# that is there, or are installed into it; where there is no .build, into a temporary directory.
# Afterwards the kept repositories are decoded: Tests/Vectors/repository-v1*/ with
#     repository/        the repository            password or recovery-key      what opens it
#     sha256             lines `hash  snapshot id` of the data streams (need not be there)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
binary=${REPO_BIN:-$top/.build/release/repo}
work=$(mktemp -d "${TMPDIR:-/tmp}/decoder-test.XXXXXX")
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1

fail() {
    echo "not ok - $*" >&2
    exit 1
}

ok() {
    echo "ok - $*"
}

# ---- Python ----

venv=$top/.build/decoder-venv
[ -d "$top/.build" ] || venv=$work/venv
python=$venv/bin/python
if ! "$python" -c 'import cryptography, zstandard' 2> "$work/import"; then
    python3 -m venv "$venv"
    "$python" -m pip install --quiet --disable-pip-version-check 'cryptography>=42' 'zstandard>=0.22' \
        || fail "pip cannot install cryptography and zstandard"
fi

decode() {
    "$python" "$here/decoder.py" "$@"
}

# ---- The data ----

# dump ROWS CHANGED : something like a dump of a database; the second number changes some of the rows
dump() {
    python3 - "$1" "$2" << 'END'
import random, sys
rows, changed = int(sys.argv[1]), int(sys.argv[2])
numbers, changes = random.Random(1), random.Random(changed)
print("-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: shop")
for table in ("orders", "people"):
    print(f"\nDROP TABLE IF EXISTS `{table}`;\nCREATE TABLE `{table}` (`id` int NOT NULL, `a` text, `b` text);")
    for first in range(0, rows, 500):
        values = []
        for id in range(first, min(first + 500, rows)):
            text = "%032x" % numbers.getrandbits(128)
            if changed and changes.random() < 0.01:
                text = "changed" + text
            values.append(f"({id},'{text}','line {id % 97}\\nof text')")
        print(f"INSERT INTO `{table}` VALUES {','.join(values)};")
print("\n-- Dump completed on 2026-11-21  4:16:00")
END
}

data=$work/data
mkdir "$data"
dump 40000 0 > "$data/first"
cp "$data/first" "$data/again"
dump 40000 1 > "$data/changed"
dump 40100 2 > "$data/grown"
head -c 3000000 /dev/urandom > "$data/random"
head -c 5000000 /dev/zero > "$data/zeros"
{ head -c 100001 "$data/random"; head -c 400000 /dev/zero; head -c 70001 "$data/random"; } > "$data/mixed"
printf 'a few bytes\n' > "$data/tiny"
: > "$data/empty"

python3 - "$data/tree" << 'END'
import os, random, sys
root = sys.argv[1]
random.seed(7)

def put(path, content, mode=0o644):
    path = os.path.join(root, path)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return path

os.makedirs(root + "/a/b/empty directory")
put("a/text", b"some text\n" * 5000, 0o640)
put("a/b/random", random.randbytes(300_000), 0o600)
put("a/b/set-user-id", b"#!/bin/sh\n", 0o4755)
put("nothing", b"")
put("a/name with \xc3\xa9 and \n".encode("latin-1").decode("utf-8"), b"odd name")
for number in range(200):
    put(f"a/small {number}", b"%d\n" % number * (number % 7))
with open(root + "/holes", "wb") as file:
    for offset in (0, 1 << 20, 5 << 20):
        file.seek(offset)
        file.write(b"island" * 1000)
    file.truncate(8 << 20)
os.symlink("text", root + "/a/link")
os.symlink("../../nowhere", root + "/a/b/dangling")
os.link(root + "/a/text", root + "/hard link")
os.mkfifo(root + "/fifo", 0o600)
try:
    os.setxattr(root + "/a/text", "user.decoder", b"value \0 of bytes")
    os.setxattr(root + "/a/b", "user.decoder", b"of a directory")
except OSError as error:
    print(f"# no extended attributes here: {error.strerror}")
os.utime(root + "/a/text", ns=(10 ** 18, 10 ** 18 + 123456789))
os.utime(root + "/nothing", ns=(0, -5_500_000_000))
os.utime(root + "/a/link", ns=(10 ** 18, 10 ** 18 + 1), follow_symlinks=False)
os.chmod(root + "/a/b", 0o750)
os.utime(root + "/a/b", ns=(10 ** 18, 10 ** 18 + 7))
END

# same_tree A B : kinds, contents, holes, modes, times, links, extended attributes
same_tree() {
    python3 - "$1" "$2" << 'END'
import os, stat, sys

def tree(root):
    found, inodes = {}, {}
    for folder, folders, files in os.walk(root):
        for path in [folder] + [os.path.join(folder, name) for name in files + folders]:
            name, status = os.path.relpath(path, root), os.lstat(path)
            entry = {"mode": oct(status.st_mode), "modified": status.st_mtime_ns}
            entry["attributes"] = {key: os.getxattr(path, key, follow_symlinks=False)
                                   for key in os.listxattr(path, follow_symlinks=False) if key.startswith("user.")}
            if stat.S_ISLNK(status.st_mode):
                entry["target"] = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                entry["content"] = open(path, "rb").read()
                entry["sparse"] = status.st_blocks * 512 < status.st_size // 2
                entry["links"] = status.st_nlink
                inodes.setdefault(status.st_ino, set()).add(name)
            found[name] = entry
    return found, sorted(map(sorted, inodes.values()))

(one, links_one), (two, links_two) = tree(sys.argv[1]), tree(sys.argv[2])
for name in sorted(one.keys() | two.keys()):
    for key in one.get(name, {}).keys() | two.get(name, {}).keys() or {"existence"}:
        values = [entry.get(name, {}).get(key) for entry in (one, two)]
        if values[0] != values[1]:
            sys.exit(f"{name!r}: {key}: {str(values[0])[:80]} became {str(values[1])[:80]}")
if links_one != links_two:
    sys.exit("the hard links differ")
END
}

# ---- Saving, and reading back ----

repository=$work/repository
printf 'correct horse battery staple\n' > "$work/password"

program() {
    "$binary" -r "$repository" --password-file "$work/password" --cache-dir "$work/cache" --no-progress "$@"
}

# saved SERIES ARGUMENT... : saves, and prints the id of the snapshot
saved() {
    program add "$@" --json > "$work/add.json" || fail "repo add $* failed"
    python3 - "$work/add.json" << 'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
print([line["snapshot"] for line in lines if line.get("type") == "summary"][-1])
END
}

if [ -x "$binary" ]; then
    program init --recovery-key-file "$work/recovery-key"
    count=0
    for name in first again changed grown random zeros mixed tiny empty; do
        series=$name
        case $name in first | again | changed | grown) series=shop ;; esac
        id=$(saved "$series" "$data/$name" --format "$([ "$series" = shop ] && echo auto || echo raw)")
        decode "$repository" --password-file "$work/password" cat "$id" > "$work/out" || fail "$name does not decode"
        cmp "$work/out" "$data/$name" || fail "$name came back changed"
        count=$((count + 1))
        ok "$name: $(stat -c %s "$data/$name") bytes came back"
        if [ "$name" = changed ]; then
            decode "$repository" --recovery-key-file "$work/recovery-key" tables "$id" > "$work/tables" \
                && ok "the tables of $name: $(wc -l < "$work/tables")" || echo "# no tables of $name"
        fi
    done

    id=$(cd "$data" && saved files --files tree)
    count=$((count + 1))
    decode "$repository" --password-file "$work/password" files "$id" "$work/files" || fail "the files do not decode"
    restored=$(find "$work/files" -type d -name tree)
    [ -d "$restored" ] || fail "tree is not among the files: $(find "$work/files" -maxdepth 3)"
    same_tree "$data/tree" "$restored" || fail "the files came back changed"
    ok "a tree of files with links, holes, attributes and times came back"

    decode "$repository" --recovery-key-file "$work/recovery-key" list > "$work/list"
    [ "$(wc -l < "$work/list")" -eq "$count" ] || fail "not $count snapshots in: $(cat "$work/list")"
    ok "the list has $count snapshots"

    decode "$repository" --recovery-key-file "$work/recovery-key" verify > "$work/verify" || fail "verify"
    ok "every object keeps the format: $(cat "$work/verify")"

    pack=$(find "$repository/packs" -type f | sort | head -1)
    chmod u+w "$pack"
    python3 - "$pack" << 'END'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(100)
    byte = file.read(1)[0]
    file.seek(100)
    file.write(bytes([byte ^ 1]))
END
    ! decode "$repository" --password-file "$work/password" verify > "$work/verify" 2> "$work/damage" \
        || fail "verify does not see a changed bit in $pack"
    grep -q "$(basename "$pack")" "$work/damage" || fail "verify does not name the damaged pack: $(cat "$work/damage")"
    ok "a changed bit is found and named"
else
    [ -z "${REPO_BIN:-}" ] || fail "$binary is no program"
    echo "# no $binary: only kept repositories are decoded" | sed "s|$top/||"
fi

# ---- Kept repositories ----

decoded=0
[ ! -x "$binary" ] || decoded=1
for kept in "$top"/Tests/Vectors/repository-v1*/; do
    [ -d "$kept/repository" ] || continue
    name=$(basename "$kept")
    secret=(--password-file "$kept/password")
    [ -f "$kept/password" ] || secret=(--recovery-key-file "$kept/recovery-key")
    decode "$kept/repository" "${secret[@]}" verify > "$work/verify" || fail "$name does not verify"
    if [ -f "$kept/sha256" ]; then
        while read -r hash id; do
            [ "$(decode "$kept/repository" "${secret[@]}" cat "$id" | sha256sum | cut -d' ' -f1)" = "$hash" ] \
                || fail "$name: snapshot $id came back changed"
        done < "$kept/sha256"
    fi
    ok "$name: $(cat "$work/verify")"
    decoded=$((decoded + 1))
done
[ "$decoded" -gt 0 ] || fail "there is neither a program nor a kept repository to decode"
