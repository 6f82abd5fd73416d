#!/usr/bin/env bash
# An object store behind a line on which connections break: within requests, within answers, when the answer to a request
# that was carried out is on its way. Nothing is lost, nothing is saved twice, and what is said to be saved is there. In
# the long form connections also go silent.
#
#   s3-line.sh [STORE]   STORE is a script of Tests/Services: moto (default), swift or ceph
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
need python3
start_store "${1:-moto}"
rounds=3
[ "$LONG" = 0 ] || rounds=20

# line ARG... : puts a new bad line between the program and the store
line_count=0 line_pid=
line() {
    local state
    [ -z "$line_pid" ] || kill "$line_pid" 2>/dev/null
    line_count=$((line_count + 1))
    state=$work/line$line_count
    mkdir "$state"
    "$python" "$services/bad_line.py" "${S3_ENDPOINT#http://}" "$state" "$@" </dev/null >"$state/log" 2>&1 &
    line_pid=$!
    disown "$line_pid"
    until [ -s "$state/port" ]; do
        kill -0 "$line_pid" 2>/dev/null || return 1
    done
    export REPO_ENDPOINT=http://127.0.0.1:$(cat "$state/port")
}
later 'kill "$line_pid"'

# broken : how many connections broke so far
broken() {
    cat "$work"/line*/broken 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'
}

export REPO_REPOSITORY=s3://$S3_BUCKET/line$RANDOM$RANDOM REPO_PASSWORD_FILE=$work/password
echo secret >"$REPO_PASSWORD_FILE"
REPO_ENDPOINT=$S3_ENDPOINT exits 0 "a repository" repo init --recovery-key-file "$work/key"
head -c 40000000 /dev/urandom >"$work/data"
for round in $(seq "$rounds"); do
    line --seed "$((SEED + round))" || not_ok "the line is there"
    # A megabyte of what was there changes.
    head -c 1000000 /dev/urandom | dd of="$work/data" bs=1000000 seek="$((round * 2))" conv=notrunc status=none
    cp "$work/data" "$work/wanted$round"
    exits 0 "night $round is saved" repo add dump --no-progress "$work/data"
    # Most of a night is what was new in it.
    rm -rf "$XDG_CACHE_HOME"
    same "and comes back on a machine that knows nothing" "$(sha256 <"$work/wanted$round")" \
        "$(repo cat dump 2>"$work/stderr" | sha256)"
    exits 0 "it goes to another repository" repo copy --to "$work/near" --same-keys --no-progress
done
same "every night is there once" "$rounds" "$(snapshots dump)"
for round in $(seq "$rounds"); do
    id=$(repo list dump --json 2>/dev/null | sed -n "${round}p" | sed 's/.*"snapshot":"\([0-9a-f]*\)".*/\1/')
    same "night $round, as it was" "$(sha256 <"$work/wanted$round")" "$(repo cat "$id" 2>"$work/stderr" | sha256)"
done
exits 0 "all of it is sound" repo check --read-data
exits 0 "so is the copy" "$REPO_BIN" -r "$work/near" check --read-data
fact "while $(broken) connections broke ($(cat "$work"/line*/broken | awk '{ n[substr($0, index($0, " ") + 1)] += $1 }
    END { for (kind in n) printf "%s%d %s", sep, n[kind], kind; sep = ", " }' | sed 's/\([a-z]\)\([0-9]\)/\1, \2/g'))" \
    test "$(broken)" -ge 10

if [ "$LONG" = 1 ]; then
    line --hang 20000000
    exits 0 "a line that goes silent is left after a minute" repo check --read-data
fi
finish
