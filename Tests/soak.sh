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
schedules  100,000 orders of requests of three writers, two pruners and a reader; 10,000 take 3 minutes
reliability  power cuts, failing system calls, damaged bytes: at every place instead of some
model      the model of prune in larger scenarios, with every trace: 4 GB of memory, 13 minutes
prune      eight writers beside prunes in a directory and in a store, a hundred killed prunes, large nights
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
swift build -c release --build-tests >/dev/null && swift build -c release --product repo >/dev/null || exit 1
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
            REPO_SCHEDULES=100000 SWIFT_DETERMINISTIC_HASHING=1 swift test -c release --skip-build \
                --filter ScheduleTests || failed=1
            ;;
        reliability)
            LONG=1 swift test -c release --skip-build --filter ReliabilityTests || failed=1
            ;;
        model) python3 -B Tests/Model/run.py --long || failed=1 ;;
        prune) LONG=1 Tests/Acceptance/prune.sh || failed=1 ;;
        line) LONG=1 Tests/Acceptance/s3-line.sh || failed=1 ;;
    esac </dev/null
    echo "== $name: $((SECONDS - started)) s"
done
exit $failed
