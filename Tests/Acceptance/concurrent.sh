#!/usr/bin/env bash
# Two at once, and one that is killed: nobody waits, nothing is lost, nothing has to be repaired or unlocked.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need python3

new_repository r
R=$REPO_REPOSITORY
# The two streams share half of what they hold.
head -c 30000000 /dev/urandom >"$work/shared"
for n in 1 2; do
    { cat "$work/shared" && head -c 30000000 /dev/urandom; } >"$work/stream$n"
done

# no_locks FACT : nothing in the repository looks like a lock
no_locks() {
    same "$1" "" "$(find "$R" -iname '*lock*')"
}

# --- two at once; the pipes make sure that they overlap: neither ends before the other has begun

mkfifo "$work/pipe1" "$work/pipe2"
for n in 1 2; do
    "$REPO_BIN" add both/$n --json <"$work/pipe$n" >"$work/out$n" 2>"$work/err$n" &
    eval "adding$n=\$!"
done
exec 7>"$work/pipe1" 8>"$work/pipe2"
head -c 40000000 "$work/stream1" >&7
head -c 40000000 "$work/stream2" >&8
no_locks "while two adds are under way there is no lock"
same "and the list can be read" 0 "$(snapshots)"
tail -c +40000001 "$work/stream1" >&7
exec 7>&-
tail -c +40000001 "$work/stream2" >&8
exec 8>&-
# shellcheck disable=SC2154
wait "$adding1"
same "the first one succeeds" 0 $?
# shellcheck disable=SC2154
wait "$adding2"
same "the second one, too" 0 $?
for n in 1 2; do
    same "stream $n comes back" "$(sha256 <"$work/stream$n")" "$(repo cat both/$n 2>"$work/stderr" | sha256)"
done
exits 0 "the repository is sound" repo check --read-data

for n in 1 2 3 4; do
    "$REPO_BIN" add same --json <"$work/stream1" >"$work/out$n" 2>"$work/err$n" &
    eval "adding$n=\$!"
done
statuses=
for n in 1 2 3 4; do
    eval "wait \$adding$n"
    statuses+=$?
done
same "four adds of one series at once all succeed" 0000 "$statuses"
same "and all are listed" 4 "$(snapshots same)"
exits 0 "the repository is sound" repo check --read-data

# --- killed in the middle, and once more

rounds=3
[ "$LONG" = 0 ] || rounds=20
for round in $(seq $rounds); do
    head -c 120000000 /dev/urandom >"$work/long"
    before=$(bytes_in "$R/packs")
    mkfifo "$work/pipe"
    "$REPO_BIN" add "killed/$round" <"$work/pipe" >"$work/stdout" 2>"$work/stderr" &
    adding=$!
    exec 7>"$work/pipe"
    head -c $((60000000 + round * 7000000)) "$work/long" >&7
    # two packs and more have left
    for _ in $(seq 200); do
        uploaded=$(($(bytes_in "$R/packs") - before))
        [ $uploaded -lt 25000000 ] || break
        sleep 0.05
    done
    { kill -KILL $adding && wait $adding; } 2>/dev/null
    status=$?
    exec 7>&-
    rm "$work/pipe"
    same "round $round: the add is killed" 137 $status
    uploaded=$(($(bytes_in "$R/packs") - before))
    fact "after it has uploaded $((uploaded / 1000000)) MB of 120" test $uploaded -gt 20000000
    same "nothing of it is listed" 0 "$(snapshots "killed/$round")"
    exits 0 "the repository is sound" repo check
    no_locks "and not locked"
    same "what was there comes back" "$(sha256 <"$work/stream2")" "$(repo cat both/2 2>"$work/stderr" | sha256)"
    exits 0 "running again succeeds" repo add "killed/$round" "$work/long"
    same "and what it saved comes back" "$(sha256 <"$work/long")" "$(repo cat "killed/$round" 2>"$work/stderr" | sha256)"
    grown=$(($(bytes_in "$R/packs") - before - uploaded))
    fact "what was uploaded before is used: $((grown / 1000000)) MB more" test $grown -lt $((122000000 - uploaded * 9 / 10))
    rm "$work/long"
done
exits 0 "after all that the repository is sound" repo check --read-data
finish
