#!/usr/bin/env bash
# Long streams go in and come back through pipes, in bounded memory, whatever is in them. A quarter of a gibibyte by
# default, two with LONG=1.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need python3

mebibytes=256
[ "$LONG" = 0 ] || mebibytes=2048
memory_max=100000000
bytes=$((mebibytes * 1048576))
free=$(($(df --output=avail -k "$work" | tail -n 1) * 1024))
if [ "$free" -lt $((bytes + bytes / 4)) ]; then
    skip "there is no room for $mebibytes MiB under $work"
    finish
fi
measured() { "$python" "$support/peak.py" "$@"; }

# through SERIES PRODUCER... : the output of PRODUCER into the repository and out again, with the peak of both
through() {
    local series=$1 sent got
    shift
    "$@" | tee >(sha256 >"$work/sent") | measured "$work/add.json" "$REPO_BIN" add "$series" --json >"$work/stdout" 2>"$work/stderr"
    same "$series: add takes $mebibytes MiB" 0 "${PIPESTATUS[2]}"
    same "$series: all of it" "$bytes" "$(field summary bytes_read)"
    until [ -s "$work/sent" ]; do sleep 0.05; done
    sent=$(cat "$work/sent")
    rm "$work/sent"
    got=$(measured "$work/cat.json" "$REPO_BIN" cat "$series" 2>"$work/stderr" | sha256)
    same "$series: cat gives it back bit for bit" "$sent" "$got"
    local command peak
    for command in add cat; do
        peak=$(field peak peak_bytes "$work/$command.json")
        fact "$series: $command took $((peak / 1000000)) MB at most, and $(field peak seconds "$work/$command.json" | cut -c1-5) s" \
            test "$peak" -le $memory_max
    done
}

new_repository r
through random head -c "$bytes" /dev/urandom
size=$(bytes_in "$REPO_REPOSITORY")
fact "what does not compress takes its own size and no more than two percent ($((size / 1000000)) MB)" \
    test $((size * 100)) -le $((bytes * 102))
through zeros head -c "$bytes" /dev/zero
grown=$(($(bytes_in "$REPO_REPOSITORY") - size))
fact "zeros take next to nothing ($grown bytes)" test $grown -le 1000000

# the same rows over and over: what a long dump of a small table looks like
# shellcheck disable=SC2317 # called by `through`
rows() {
    "$python" -c "
import sys
block = b''.join(b'INSERT INTO t VALUES (%d,%d);\n' % (i, i * i) for i in range(40000))
left = $bytes
while left:
    left -= sys.stdout.buffer.write(block[:left])"
}
through rows rows
through rows rows
grown=$(field summary bytes_stored)
fact "the same stream again takes a thousandth at most ($grown bytes)" test $((grown * 1000)) -le "$bytes"
exits 0 "the repository is sound" repo check
finish
