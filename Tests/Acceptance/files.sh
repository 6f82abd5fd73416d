#!/usr/bin/env bash
# Files and directories go in and come back as they were: bytes, modes, owners, times, links, holes, attributes, and
# the things that are no files. What cannot be read is said, and everything else is saved.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need python3 util-linux
tree() { "$python" "$support/tree.py" "$@"; }

# Sockets are entries, but nobody listens on a restored one: it may come back or not.
tree_without_sockets() {
    tree list "$1" | grep -v '"kind": "socket"'
}

# restored_top DIR : where under DIR the tree came out; the marker file stands at its top
restored_top() {
    dirname "$(find "$1" -name THIS-IS-THE-TOP -print -quit 2>/dev/null)"
}

# same_tree FACT DIR DIR
same_tree() {
    tree_without_sockets "$2" >"$work/tree1"
    tree_without_sockets "$3" >"$work/tree2"
    same "$1 ($(wc -l <"$work/tree1") entries)" "" "$(diff "$work/tree1" "$work/tree2" | head -n 6)"
}

new_repository r
tree make "$work/etc"

exits 0 "add --files takes a whole tree" repo add etc --json --files "$work/etc"
same "it is complete" true "$(field summary complete)"
exits 0 "restore --to brings it back" repo restore etc --to "$work/out1"
same_tree "every entry is as it was: bytes, modes, owners, times, links, holes, attributes" \
    "$work/etc" "$(restored_top "$work/out1")"
exits 0 "show --members lists it" repo show etc --members
fact "with the names that are no words" grep -aq 'größe-笑-😀' "$work/stdout"
fact "and the socket" grep -aq 'socket' "$work/stdout"

exits 0 "the same tree again" repo add etc --json --files "$work/etc"
grown=$(field summary bytes_stored)
fact "stores next to nothing ($grown bytes)" test "$grown" -lt 100000

exits '1|2' "restore over what is there is refused" repo restore etc --to "$work/out1"
same_tree "and touches nothing" "$work/etc" "$(restored_top "$work/out1")"
top=$(restored_top "$work/out1")
echo changed >"$top/text.conf"
rm "$top/one-byte"
exits 0 "restore --overwrite puts things right" repo restore etc --to "$work/out1" --overwrite
same_tree "all of them" "$work/etc" "$top"
exits 0 "restore --include brings back a part" repo restore etc --to "$work/out2" --include '*/sizes/*'
same "the eight files of sizes, and the link among them" 9 "$(find "$work/out2" ! -type d | wc -l)"

exits 0 "several paths and an exclusion" repo add some --files "$work/etc/sizes" "$work/etc/many" --exclude '*/many/7'
exits 0 "come back" repo restore some --to "$work/out3"
same "without what was excluded" "9 270" "$(find "$work/out3" -path '*/sizes/*' | wc -l) $(find "$work/out3" -path '*/many/*' -type f | wc -l)"
printf '*.bin\n# a comment\n' >"$work/patterns"
exits 0 "exclusions from a file" repo add some --files "$work/etc" --exclude-from "$work/patterns"
exits 0 "come back too" repo restore some --to "$work/out4"
same "without what the file names" 0 "$(find "$work/out4" -name '*.bin' | wc -l)"
refuses '1|2|3|4' nowhere-to-be-found "a path that is not there is named" repo add some --files "$work/nowhere-to-be-found"

exits 0 "the same file as a stream of its own" repo add one "$work/etc/random.bin"
same "comes back" "$(sha256 <"$work/etc/random.bin")" "$(repo cat one 2>"$work/stderr" | sha256)"
exits 0 "and into a file" repo restore one --to "$work/one.bin"
fact "of the same bytes" cmp -s "$work/etc/random.bin" "$work/one.bin"
exits '1|2' "which is not overwritten unasked" repo restore one --to "$work/one.bin"
mkdir "$work/dir"
exits 0 "and into a directory" repo restore one --to "$work/dir"
fact "under a name that begins with the series" test -n "$(find "$work/dir" -name 'one-*' -size 5120k)"

# --- what differs

mkdir -p "$work/diff/dir"
for name in added changed closed gone longer same touched; do echo "$name" >"$work/diff/dir/$name"; done
head -c 300000 /dev/zero >"$work/diff/dir/large"
ln -s same "$work/diff/dir/link"
rm "$work/diff/dir/added"
find "$work/diff" -exec touch -h -d 2026-01-01 {} +
repo add diff --files "$work/diff" >"$work/stdout" 2>"$work/stderr"
echo added >"$work/diff/dir/added"
rm "$work/diff/dir/gone"
echo CHANGED >"$work/diff/dir/changed"
echo longer and longer >"$work/diff/dir/longer"
printf x | dd of="$work/diff/dir/large" bs=1 seek=150000 conv=notrunc status=none
ln -snf changed "$work/diff/dir/link"
chmod 400 "$work/diff/dir/closed"
find "$work/diff" -exec touch -h -d 2026-01-01 {} +
touch -d 2026-01-02 "$work/diff/dir/touched"
repo add diff --files "$work/diff" >"$work/stdout" 2>"$work/stderr"
exits 0 "two trees are compared" repo diff "$(repo list diff --json | field snapshot parent /dev/stdin)" diff
same "what is new, gone, changed, and other in its metadata only, is told" \
    "+ added  6 bytes
M changed  8 bytes
m closed  7 bytes; mode
M large  300.0 kB
m link  target
M longer  7 bytes -> 18 bytes
m touched  8 bytes; time
- gone  5 bytes" "$(sed "s|${work#/}/diff/dir/||;\$d" "$work/stdout")"
same "and counted" "files and directories: 1 added, 1 removed, 3 changed, 3 with other metadata, " \
    "$(tail -n 1 "$work/stdout" | sed 's/[0-9]* the same.*//')"
run repo diff diff diff
fact "nothing differs from itself" grep -q '^no difference; ' "$work/stdout"

# --- what changes while it is read

mkdir "$work/busy"
head -c 67108864 /dev/urandom >"$work/busy/growing"
echo still >"$work/busy/still"
(while :; do
    head -c 65536 /dev/urandom | dd of="$work/busy/growing" bs=65536 seek=$((RANDOM % 1024)) conv=notrunc status=none
    printf x >>"$work/busy/growing"
done) &
writer=$!
later "kill $writer"
exits '0|3' "a file that changes while it is read is saved all the same" repo add busy --files "$work/busy"
{ kill $writer && wait $writer; } 2>/dev/null
fact "and named" grep -aq 'growing' "$work/stderr"
fact "as changed" grep -aqi 'chang' "$work/stderr"
exits 0 "what did not change comes back" repo restore busy --to "$work/out5"
same "as it was" still "$(cat "$(find "$work/out5" -name still)")"
exits 0 "and the repository is sound" repo check --read-data

# --- kinds

# opened DIR : how many files below DIR the program under strace opened to read
opened() {
    strace -f -qq -e trace=openat -o "$work/trace" "$REPO_BIN" "${@:2}" >"$work/stdout" 2>"$work/stderr" || return
    grep -a "\"$1/" "$work/trace" | grep -avc 'O_DIRECTORY\|ENOENT'
}

need strace
mkdir -p "$work/kinds/sub"
for number in $(seq 1000); do
    case $((number % 50)) in 0) count=30000 ;; *) count=700 ;; esac
    head -c $count /dev/urandom >"$work/kinds/sub/$number"
done
exits 0 "a full of 1,000 files" repo add kinds --files "$work/kinds"
for number in 7 50 101 202 303 404 505 650 777 1000; do echo changed >>"$work/kinds/sub/$number"; done
same "an incremental opens the ten files that changed, and no other" 10 \
    "$(opened "$work/kinds" add kinds --json --kind incremental --files "$work/kinds")"
same "it is told so" "incremental 990" "$(field summary kind) $(field summary files_unchanged)"
exits 0 "show says which" repo show kinds
fact "files were not read" grep -aq '990 files are as in' "$work/stdout"
exits 0 "it comes back in one step" repo restore kinds --to "$work/out7"
same "as it is" "" "$(diff -r "$work/kinds" "$work/out7$work/kinds")"
echo more >>"$work/kinds/sub/8"
same "a differential opens what changed since the full" 11 \
    "$(opened "$work/kinds" add kinds --kind differential --files "$work/kinds")"
exits 0 "and comes back" repo restore kinds --to "$work/out8"
same "as it is, too" "" "$(diff -r "$work/kinds" "$work/out8$work/kinds")"
same "a full reads everything" 1000 "$(opened "$work/kinds" add kinds --json --kind full --files "$work/kinds")"
same "and stores nothing of it anew" 0 "$(field summary bytes_new)"
exits 2 "an incremental without a full is no such thing" repo add kinds2 --kind incremental --files "$work/kinds"
exits 0 "and the repository is sound" repo check --read-data

# --- what cannot be read

# as_user COMMAND... : as somebody who may not read everything
if is_root_here; then
    mkdir "$work/user"
    chown 65534:65534 "$work/user"
    cp "$REPO_PASSWORD_FILE" "$work/user/password"
    chown 65534 "$work/user/password"
    cp "$REPO_BIN" "$work/user/repo"
    as_user() {
        setpriv --reuid=65534 --regid=65534 --clear-groups env -C "$work/user" HOME="$work/user" XDG_CACHE_HOME="$work/user/cache" \
            REPO_REPOSITORY="$work/user/r" REPO_PASSWORD_FILE="$work/user/password" "$@"
    }
    user_repo=$work/user/repo
else
    mkdir "$work/user"
    as_user() { env XDG_CACHE_HOME="$work/user/cache" REPO_REPOSITORY="$work/user/r" "$@"; }
    user_repo=$REPO_BIN
fi
as_user mkdir -p "$work/user/data/closed"
as_user sh -c "cd '$work/user/data' && echo 1 >readable && echo 2 >forbidden && echo 3 >closed/inside && touch THIS-IS-THE-TOP"
chmod 000 "$work/user/data/forbidden" "$work/user/data/closed"
if is_root_here; then chown root "$work/user/data/forbidden" "$work/user/data/closed"; fi
exits 0 "somebody without rights makes a repository" as_user "$user_repo" init "$work/user/r" --recovery-key-file "$work/user/key"
exits 3 "what cannot be read is no reason to save nothing" as_user "$user_repo" add mine --json --files "$work/user/data"
same "the snapshot says that it is not complete" false "$(field summary complete)"
fact "the file is named" grep -aq forbidden "$work/stderr"
fact "the directory is named" grep -aq closed "$work/stderr"
exits 0 "the rest comes back" as_user "$user_repo" restore mine --to "$work/user/out"
same "as it was" 1 "$(cat "$(restored_top "$work/user/out")/readable" 2>/dev/null)"

if is_root_here && mkdir "$work/etc/mounted" && mount -t tmpfs -o size=1m tmpfs "$work/etc/mounted" 2>/dev/null; then
    later "umount '$work/etc/mounted'"
    echo elsewhere >"$work/etc/mounted/elsewhere"
    exits 0 "--one-file-system" repo add one-fs --one-file-system --files "$work/etc"
    exits 0 "comes back" repo restore one-fs --to "$work/out6"
    same "without what is mounted there" 0 "$(find "$work/out6" -name elsewhere | wc -l)"
    same "but with the place where it was mounted" 1 "$(find "$work/out6" -name mounted -type d | wc -l)"
else
    skip "--one-file-system: only root can mount something"
fi
finish
