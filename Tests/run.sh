#!/usr/bin/env bash
# Runs every test: installs what is missing, builds once, then Swift's tests, the acceptance scripts on the built
# program, the independent decoder, the model of prune, the fuzzed decoders and the quick start. Ends with a table of seconds and a
# line that counts.
#
#   Tests/run.sh             everything; after a stage that fails the rest is not run
#   Tests/run.sh NAME...     builds, then only these: swift, decoder, model, fuzz, quickstart, or scripts of
#                            Tests/Acceptance by name
#
#   LONG=1 runs the long forms; Tests/soak.sh has those and more. REPO_STRICT= (empty) lets warnings be warnings. Logs are kept in .build/logs.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
for argument in "$@"; do
    case $argument in
        -h | --help)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
            exit 0
            ;;
    esac
done
only=" $* "
# a crash that a test expects needs no backtrace, which takes a minute
export SWIFT_BACKTRACE=enable=no
# a seed that fails must fail again
export SWIFT_DETERMINISTIC_HASHING=1
export REPO_STRICT=${REPO_STRICT-1}
[ -n "$REPO_STRICT" ] || unset REPO_STRICT
logs=$PWD/.build/logs
mkdir -p "$logs"
export REPO_BIN=$PWD/.build/release/repo

passed=0 failed=0 skipped=0
table=()

# wanted NAME : this stage was asked for
wanted() {
    [ "$only" = "  " ] || [[ $only == *" $1 "* ]]
}

# stage NAME COMMAND... : runs COMMAND with its words in a log, and times it; its status
stage() {
    local name=$1 status=0 started=$SECONDS outcome='as it should be'
    shift
    echo "== $name"
    "$@" >"$logs/$name.log" 2>&1 </dev/null || status=$?
    [ $status -eq 0 ] || outcome=FAILED
    table+=("$(printf '%-14s %6d  %s' "$name" $((SECONDS - started)) "$outcome")")
    return $status
}

# missing NAME FILE : says that there is no such stage yet, and is true then
missing() {
    [ ! -e "$2" ] || return 1
    echo "== $1: there is no $2 yet"
    table+=("$(printf '%-14s %6s  not there yet' "$1" -)")
    skipped=$((skipped + 1))
}

finish() {
    printf '\n%-14s %6s\n' stage seconds
    printf '%s\n' "${table[@]}"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

# give_up : one more failure, and what the log of the last stage ends with
give_up() {
    tail -n "${2:-40}" "$logs/$1.log"
    failed=$((failed + 1))
    finish
}

# count PATTERN FILE
count() {
    grep -acE -- "$1" "$2"
}

# --- getting ready

stage packages examples/install-dependencies.sh --tests || give_up packages
if ! command -v swift >/dev/null; then
    echo "swift: command not found. A Swift 6 toolchain is needed: https://www.swift.org/install/linux/" >"$logs/build.log"
    give_up build
fi
stage build swift build -c release --build-tests || give_up build 80
[ -x "$REPO_BIN" ] || stage program swift build -c release --product repo || give_up program 80

# --- Swift's own

if wanted swift; then
    status=0
    stage swift swift test -c release --skip-build --skip ScheduleTests || status=$?
    ran=$(sed -n 's/.*Test run with \([0-9][0-9]*\) tests\{0,1\}.*/\1/p' "$logs/swift.log" | tail -n 1)
    broken=$(count '✘ Test .* failed after' "$logs/swift.log")
    grep -aE '^# |Test run with' "$logs/swift.log"
    if [ $status -ne 0 ]; then
        [ "$broken" -gt 0 ] || broken=1
        grep -aE '✘|error:|Fatal error|seed' "$logs/swift.log" | head -n 100
        failed=$((failed + broken))
        passed=$((passed + ${ran:-broken} - broken))
        finish
    fi
    if [ "${ran:-0}" -eq 0 ]; then
        echo "swift test ran no test"
        give_up swift
    fi
    passed=$((passed + ran))
fi

# --- prune beside everything else, in orders drawn from seeds, and what must be noticed if it were wrong

if wanted schedules; then
    stage schedules env REPO_SCHEDULES="${REPO_SCHEDULES-5000}" swift test -c release --skip-build --filter ScheduleTests || {
        grep -aE '✘|seed' "$logs/schedules.log" | head -n 20
        give_up schedules 5
    }
    grep -aE 'schedules from' "$logs/schedules.log"
    passed=$((passed + $(count '✔ Test .* passed|◇ Passing argument' "$logs/schedules.log")))
fi

# --- the program as its users meet it

acceptance_failed=0

# acceptance NAME COMMAND... : a stage whose facts are counted
acceptance() {
    local name=$1 status=0 good bad
    stage "$@" || status=$?
    grep -aE '^(not ok|skipped|# )|^#   ' "$logs/$name.log"
    good=$(count '^ok - ' "$logs/$name.log")
    bad=$(count '^not ok - ' "$logs/$name.log")
    # a script that dies has failed even if no fact did
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        tail -n 20 "$logs/$name.log"
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + $(count '^skipped - ' "$logs/$name.log")))
    [ "$bad" -eq 0 ] || acceptance_failed=1
}

for script in Tests/Acceptance/*.sh; do
    name=$(basename "$script" .sh)
    ! wanted "$name" || acceptance "$name" bash "$script"
done
# the same once more, on a store that is strict and lacks much
! wanted s3-swift || acceptance s3-swift bash Tests/Acceptance/s3.sh swift
[ $acceptance_failed -eq 0 ] || finish

# --- a reader that was written from docs/format.md alone

if wanted decoder && ! missing decoder Tests/Decoder/run.sh; then
    stage decoder bash Tests/Decoder/run.sh || give_up decoder
    good=$(count '^ok - ' "$logs/decoder.log")
    [ "$good" -gt 0 ] || good=1
    passed=$((passed + good))
fi

# --- every order in which writers, pruners and removers may meet, within bounds

if wanted model && ! missing model Tests/Model/run.py; then
    stage model python3 -B Tests/Model/run.py --short || give_up model
    good=$(count '^ok - ' "$logs/model.log")
    [ "$good" -gt 0 ] || good=1
    passed=$((passed + good))
fi

# --- bytes that nobody meant, for everything that reads bytes

if wanted fuzz && ! missing fuzz Tests/Fuzz/run.sh; then
    acceptance fuzz bash Tests/Fuzz/run.sh
    [ $acceptance_failed -eq 0 ] || finish
fi

# --- the first thing that anybody runs, with nothing of ours around it

if wanted quickstart && ! missing quickstart examples/quickstart.sh; then
    stage quickstart env -i PATH="$PATH" HOME="$HOME" ${REPO_STRICT+REPO_STRICT="$REPO_STRICT"} examples/quickstart.sh || give_up quickstart
    passed=$((passed + 1))
fi
finish
