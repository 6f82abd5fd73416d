#!/usr/bin/env bash
# The long runs: what takes too long, or too many packages, for every change.
#
#   Tests/soak.sh              lists them
#   Tests/soak.sh NAME...      builds, then runs these one after another
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

list() {
    cat <<END
archives   everything of Tests/run.sh in the long forms: more rounds, more bytes, more cut points
ceph       the tests of object stores on the RADOS gateway of Ceph: 350 MB of packages, 4 minutes
line       an object store behind a line that breaks twenty nights long, and goes silent: 2 minutes
sequences  10,000 sequences of all operations against a dictionary, on two processors
schedules  100,000 orders of requests of three writers, two pruners and a reader; faults that must be noticed
kills      kill -9 at every call that touches a repository, every request, and at 500 instants
faults     the kernel refuses every call that touches a repository, once and from then on
reliability  power cuts, failing system calls, damaged bytes: at every place instead of some
model      the model of prune in larger scenarios, with every trace: 4 GB of memory, 13 minutes
prune      eight writers beside prunes in a directory and in a store, a hundred killed prunes, large nights
fuzz       fifty times as many inputs for every decoder as Tests/run.sh tries: an hour
coverage   which lines Swift's tests run; of some rooms all are wanted: a build of its own, half an hour
thread     Swift's tests under the thread sanitizer: a build of its own
address    Swift's tests under the address sanitizer: a build of its own
END
}

if [ $# -eq 0 ]; then
    list
    exit 0
fi
for name in "$@"; do
    list | grep -q "^$name " || {
        echo "soak: there is no $name; without a name the runs are listed" >&2
        exit 2
    }
done
export SWIFT_BACKTRACE=enable=no REPO_STRICT=${REPO_STRICT-1}
[ -n "$REPO_STRICT" ] || unset REPO_STRICT

# sanitized KIND : Swift's tests, built and run with -sanitize=KIND
sanitized() {
    local scratch=.build/$1
    swift build -c release --build-tests --sanitize="$1" --scratch-path "$scratch" >"$scratch.log" 2>&1 || {
        tail -n 20 "$scratch.log"
        return 1
    }
    # A test that ends a process of its own leaks what it held.
    ASAN_OPTIONS=detect_leaks=0 SWIFT_DETERMINISTIC_HASHING=1 \
        swift test -c release --skip-build --sanitize="$1" --scratch-path "$scratch" >"$scratch.log" 2>&1 || {
        grep -aE '✘|ERROR: AddressSanitizer|WARNING: ThreadSanitizer|SUMMARY' "$scratch.log" | head -n 40
        return 1
    }
    grep -aE 'Test run with' "$scratch.log" | tail -n 1
}

# These build by themselves; the others use the program.
for name in "$@"; do
    case $name in
        fuzz | coverage | thread | address) ;;
        *)
            swift build -c release --build-tests >/dev/null && swift build -c release --product repo >/dev/null || exit 1
            break
            ;;
    esac
done
failed=0
for name in "$@"; do
    started=$SECONDS
    echo "== $name"
    case $name in
        archives) LONG=1 Tests/run.sh || failed=1 ;;
        ceph)
            Tests/Acceptance/s3.sh ceph || failed=1
            Tests/Acceptance/s3-rights.sh ceph || failed=1
            Tests/Acceptance/copies.sh ceph || failed=1
            Tests/Acceptance/s3-line.sh ceph || failed=1
            ;;
        schedules)
            REPO_SCHEDULES=100000 REPO_MUTANTS=1 SWIFT_DETERMINISTIC_HASHING=1 swift test -c release --skip-build \
                --filter ScheduleTests || failed=1
            ;;
        reliability)
            LONG=1 swift test -c release --skip-build --filter ReliabilityTests || failed=1
            ;;
        sequences)
            LONG=1 SWIFT_DETERMINISTIC_HASHING=1 swift test -c release --skip-build \
                --filter 'sequences of all operations' || failed=1
            ;;
        kills) LONG=1 Tests/Acceptance/kills.sh || failed=1 ;;
        faults) LONG=1 Tests/Acceptance/faults.sh || failed=1 ;;
        model) python3 -B Tests/Model/run.py --long || failed=1 ;;
        prune) LONG=1 Tests/Acceptance/prune.sh || failed=1 ;;
        line) LONG=1 Tests/Acceptance/s3-line.sh || failed=1 ;;
        fuzz) LONG=1 Tests/Fuzz/run.sh || failed=1 ;;
        coverage) Tests/Coverage/run.sh || failed=1 ;;
        thread | address) sanitized "$name" || failed=1 ;;
    esac </dev/null
    echo "== $name: $((SECONDS - started)) s"
done
exit $failed
