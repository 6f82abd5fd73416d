#!/usr/bin/env bash
# kill -9 at every request to a store, and at any instant: whatever was said to be saved is there, nothing is damaged, and
# the same command run again ends well.
#
#   kills.sh [PART...]   only these parts: requests, store, instants
#
# The short form takes a few moments of each command, evenly spread from a place drawn from SEED; LONG=1 takes all.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
need python3 python3-venv
export REPO_BIN PYTHONDONTWRITEBYTECODE=1
only=" $* "
echo "# seed $SEED"
declare -A kills=([requests]=0 [store]=0 [instants]=0)
restored=0 bad=0

# wanted PART
wanted() { [ "$only" = "  " ] || [[ $only == *" $1 "* ]]; }

work_of() { "$python" "$support/kill_work.py" "$@"; }

# prepared DIRECTORY ROWS
prepared() {
    if ! work_of prepare "$1" "$SEED" "$2" >"$work/prepared" 2>"$work/stderr"; then
        not_ok "what is killed is prepared"
        finish
    fi
    fact "$(sed -n 's/^snapshots //p' "$work/prepared") snapshots of $(sed -n 's/^bytes //p' "$work/prepared") bytes stored" \
        test "$(sed -n 's/^snapshots //p' "$work/prepared")" -eq 7
    fact "two of them are deltas" test "$(sed -n 's/^deltas //p' "$work/prepared")" -eq 2
}

# killed PART DIRECTORY COUNT VERB... : kills and states a fact a verb
killed() {
    local part=$1 verb wanted killed back told wrong seconds notes
    work_of "$1" "$2" "$SEED" "$3" "${@:4}" >"$work/killed" 2>"$work/stderr" || not_ok "$part: the kills end" "exit $?"
    grep '^# ' "$work/killed"
    for verb in "${@:4}"; do
        if ! read -r wanted killed back told wrong seconds notes < <(sed -n "s/^$verb //p" "$work/killed"); then
            not_ok "$part: $verb is killed"
            continue
        fi
        kills[$part]=$((kills[$part] + killed))
        restored=$((restored + back))
        bad=$((bad + wrong))
        same "$part: $verb, killed $killed times in $wanted: nothing is lost or damaged, and again it ends well" 0 "$wrong"
        # By chance a run ends before; and threads do not always make the same number of calls.
        fact "$part: most of them in time" test $((killed * 10)) -ge $((wanted * 6))
        echo "# $part: $verb: $back snapshots came back; $told kills when it had said what it saved; $seconds s${notes:+; $notes}"
    done
}

requests=4 requests_far=3 instants=12 rows=20000
[ "$LONG" = 0 ] || requests=all requests_far=all instants=167 rows=120000
everything=(add files also prune forget copy twin key init check restore restore-files)

if wanted requests || wanted store; then
    prepared "$work/small" 2000
    if ! is_root_here || [ "$(uname -m)" != x86_64 ]; then
        skip "kills at requests: a program that is not dumpable shows its calls to root only, and they are known for x86-64"
        only=" instants "
    fi
fi

if wanted requests; then
    killed requests "$work/small" "$requests" "${everything[@]}"
    # who looks for losses has to find one
    LOSE=1 work_of requests "$work/small" "$SEED" 2 forget >"$work/killed" 2>"$work/stderr"
    fact "a pack that is taken away after a kill is missed" \
        grep -q '^# forget.*check ends with 5' "$work/killed"
    fact "and so is the snapshot that needs it" grep -q '^# forget.*does not come back' "$work/killed"
fi

# All that is drawn is the instant: runs of less than a second, three quarters of them in the middle of their work.
if wanted instants; then
    prepared "$work/large" "$rows"
    killed instants "$work/large" "$instants" add prune copy
    rm -rf "$work/large"
fi

# last: HOME is another from here
if wanted store; then
    start_store moto
    killed store "$work/small" "$requests_far" add prune copy
fi
echo "# kills: ${kills[requests]} kill points at requests (directory), ${kills[store]} (S3), ${kills[instants]} random instants;" \
    "$restored acknowledged snapshots restored, $([ $bad -eq 0 ] && echo nothing || echo "$bad things") lost"
finish
