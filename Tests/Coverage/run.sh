#!/usr/bin/env bash
# Says which lines Swift's tests run, room by room. In the rooms that decide whether data lives (the formats, the
# seals, the snapshots, prune and removal) every line must be run, or be an exception with its reason.
#
#   run.sh              builds in a folder of its own, runs Swift's tests, reports: 12 minutes for the build, more
#                       for the tests, which count every line
#   run.sh --report     reports once more on what was measured last
#
# Exceptions are in exceptions.txt beside it.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
case ${1-} in
    -h | --help)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
        exit 0
        ;;
esac
export SWIFT_BACKTRACE=enable=no SWIFT_DETERMINISTIC_HASHING=1
build=$PWD/.build/coverage
data=$build/coverage.profdata
mkdir -p .build/logs "$build"
# Profiles are read by the tools of the toolchain that wrote them.
PATH=$(dirname "$(readlink -f "$(command -v swift)")"):$PATH

if [ "${1-}" != --report ]; then
    swift build -c release --build-tests --enable-code-coverage --scratch-path "$build" >.build/logs/coverage-build.log 2>&1 || {
        tail -n 20 .build/logs/coverage-build.log
        exit 1
    }
    rm -rf "$build/profiles"
    mkdir "$build/profiles"
    # A test that ends a process of its own writes a profile of its own.
    LLVM_PROFILE_FILE=$build/profiles/%p.profraw swift test -c release --skip-build --scratch-path "$build" \
        >.build/logs/coverage.log 2>&1 || {
        grep -aE '✘|error:|Fatal error|seed' .build/logs/coverage.log | head -n 40
        exit 1
    }
    grep -aE 'Test run with' .build/logs/coverage.log | tail -n 1
    llvm-profdata merge -sparse -o "$data" "$build"/profiles/*.profraw 2>/dev/null || exit 1
fi
llvm-cov export -format=lcov -instr-profile "$data" "$build/release/repoPackageTests.xctest" Sources \
    >"$build/lines.lcov" 2>/dev/null || exit 1
python3 -B Tests/Coverage/report.py "$build/lines.lcov" Tests/Coverage/exceptions.txt
