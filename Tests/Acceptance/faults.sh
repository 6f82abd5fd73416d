#!/usr/bin/env bash
# The kernel refuses: EIO, ENOSPC and EDQUOT at the calls of the real program, signals that interrupt, reads and writes that
# give half, by strace and ptrace; and a disk that is full to its last byte, on which prune has to make room.
#
#   faults.sh [PART...]   only these parts: faults, interrupted, short, full
#
# The short form takes a few calls of each command, evenly spread from a place drawn from SEED; LONG=1 takes all.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need python3 strace
export REPO_BIN PYTHONDONTWRITEBYTECODE=1
only=" $* "
echo "# seed $SEED"
declare -A met=([faults]=0 [interrupted]=0 [short]=0)
restored=0 bad=0

# wanted PART
wanted() { [ "$only" = "  " ] || [[ $only == *" $1 "* ]]; }

# struck PART COUNT VERB... : strikes, and states a fact a verb
struck() {
    local part=$1 verb wanted hit refused survived back wrong seconds
    "$python" "$support/fault_work.py" "$1" "$work/small" "$SEED" "$2" "${@:3}" >"$work/struck" 2>"$work/stderr" ||
        not_ok "$part: the faults end" "exit $?"
    grep '^# ' "$work/struck"
    for verb in "${@:3}"; do
        if ! read -r wanted hit refused survived back wrong seconds < <(sed -n "s/^$verb //p" "$work/struck"); then
            not_ok "$part: $verb is struck"
            continue
        fi
        met[$part]=$((met[$part] + hit))
        restored=$((restored + back))
        bad=$((bad + wrong))
        same "$part: $verb, struck $hit times in $wanted: it says so or it ends well, and nothing is lost or damaged" 0 "$wrong"
        # Threads do not always make the same number of calls.
        fact "$part: most of them were met" test $((hit * 10)) -ge $((wanted * 6))
        echo "# $part: $verb: $refused were told, $survived did no harm; $back snapshots came back; $seconds s"
    done
}

faults=5 interrupted=2
[ "$LONG" = 0 ] || faults=all interrupted=all
everything=(add files also prune forget copy twin key init check restore restore-files)

if wanted faults || wanted interrupted || wanted short; then
    if ! is_root_here || [ "$(uname -m)" != x86_64 ]; then
        skip "calls that are refused: a program that is not dumpable shows its calls to root only, and they are known for x86-64"
        only=" full "
    elif ! "$python" "$support/kill_work.py" prepare "$work/small" "$SEED" 2000 >"$work/prepared" 2>"$work/stderr"; then
        not_ok "what is struck is prepared"
        finish
    fi
fi

if wanted faults; then
    struck faults "$faults" "${everything[@]}"
    # who looks for faults that are kept quiet has to find one
    DEAF=1 "$python" "$support/fault_work.py" faults "$work/small" "$SEED" 4 add >"$work/struck" 2>"$work/stderr"
    fact "a program that keeps a fault to itself is found out" grep -q '^# add.*exit 0 after' "$work/struck"
fi
! wanted interrupted || struck interrupted "$interrupted" "${everything[@]}"
! wanted short || struck short all "${everything[@]}"

# --- a disk that is full to its last byte

# on_full ARG... : in the repository on the small disk
on_full() { repo -r "$work/full/r" "$@"; }

# fill : leaves not a byte
fill() {
    head -c 100000000 /dev/zero >>"$work/full/filler" 2>/dev/null
    same "$1" 0 "$(stat -f -c %a "$work/full")"
}

# acknowledged : every stream that was said to be saved comes back
acknowledged() {
    local series wrong=0
    while read -r series; do
        cmp -s "$work/streams/$series" <(on_full cat "full/$series" 2>/dev/null) || wrong=$((wrong + 1))
    done <"$work/saved"
    restored=$((restored + $(wc -l <"$work/saved")))
    same "$1" 0 "$wrong"
}

# forgotten SERIES...
forgotten() {
    local series
    for series in "$@"; do sed -i "/^$series\$/d" "$work/saved"; done
}

if wanted full && is_root_here && mkdir "$work/full" && mount -t tmpfs -o size=24m tmpfs "$work/full" 2>/dev/null; then
    later "umount '$work/full'"
    mkdir "$work/streams"
    (umask 077 && echo "a password" >"$work/full.password")
    export REPO_PASSWORD_FILE=$work/full.password
    exits 0 "a repository on a disk of 24 MB" repo init "$work/full/r" --recovery-key-file "$work/full.recovery"
    unset REPO_PASSWORD_FILE
    export REPO_RECOVERY_KEY_FILE=$work/full.recovery
    : >"$work/saved"
    head -c 300000 /dev/urandom >"$work/shared"
    for number in $(seq 40); do
        # half of what is dropped later stays in use, so that it has to be moved
        { cat "$work/shared" && head -c 900000 /dev/urandom; } >"$work/streams/$number"
        run on_full add "full/$number" "$work/streams/$number" --format raw
        [ "$status" -eq 0 ] || break
        echo "$number" >>"$work/saved"
    done
    count=$(wc -l <"$work/saved")
    fact "adds fill it ($count of them)" test "$count" -ge 10
    fact "until one is refused, which says what is missing and where" \
        grep -Eq "$work/full/r/.*: no space left on device" "$work/stderr"
    acknowledged "all that was saved comes back"
    exits 0 "and is sound" on_full check --read-data

    fill "not a byte is free"
    exits 0 "list works" on_full list
    exits 0 "check, too" on_full check --read-data
    refuses 1 'no space left' "an add is refused" on_full add full/more "$work/streams/1" --format raw --time 2030-01-01T00:00:00Z
    exits 0 "forget needs no room that is not kept for it" on_full forget full/2 full/3 --allow-empty
    forgotten 2 3
    fill "not a byte is free once more"
    exits 0 "prune starts, and frees what was dropped" on_full prune --grace 0
    free=$(stat -f -c %a "$work/full")
    fact "at least two streams ($((free * 4)) KiB)" test $((free * 4)) -ge 1600
    acknowledged "what stays comes back"
    exits 0 "and is sound" on_full check --read-data
    same "and is all that is listed" "$(wc -l <"$work/saved")" "$(on_full list --json 2>/dev/null | grep -c '"snapshot"')"
    exits 0 "there is room for an add" on_full add full/2 "$work/streams/2" --format raw
    echo 2 >>"$work/saved"

    # by rules, of many at once, on a disk that was filled by somebody else meanwhile
    for number in $(seq 30); do
        echo "$number" >"$work/streams/tiny"
        run on_full add tiny "$work/streams/tiny" --format raw --time "2026-01-$(printf %02d "$number")T00:00:00Z"
    done
    cp "$work/streams/tiny" "$work/tiny"
    fill "not a byte is free for the third time"
    exits 0 "prune drops twenty-eight snapshots" on_full prune tiny --keep-last 2 --grace 0
    for _ in 1 2 3; do on_full prune tiny --keep-last 2 --grace 0 >/dev/null 2>&1; done
    same "in the end all that should go" 2 "$(on_full list tiny --json 2>/dev/null | grep -c '"snapshot"')"
    acknowledged "what stays comes back"
    same "and the newest of what was thinned out" "$(sha256 <"$work/tiny")" "$(on_full cat tiny 2>/dev/null | sha256)"
    exits 0 "and is sound" on_full check --read-data
    rm "$work/full/filler"
    exits 0 "one more is dropped" on_full forget full/4 --allow-empty
    forgotten 4
    exits 0 "with room again prune ends" on_full prune --grace 0
    exits 0 "and add saves" on_full add full/3 "$work/streams/3" --format raw
    echo 3 >>"$work/saved"
    acknowledged "everything comes back"
elif wanted full; then
    skip "a disk that is full: only root can mount one"
fi
echo "# faults: ${met[faults]} refused calls, ${met[interrupted]} interrupted, ${met[short]} commands on short counts;" \
    "$restored acknowledged snapshots restored, $([ $bad -eq 0 ] && echo nothing || echo "$bad things") lost"
finish
