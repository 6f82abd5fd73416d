#!/usr/bin/env bash
# The long runs: what takes too long, or too many packages, for every change.
#
#   Tests/soak.sh              lists them
#   Tests/soak.sh NAME...      builds, then runs these one after another
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# name | what it is | command
runs='
archives | physical backups and dumps in the long forms: more rounds, more bytes, more cut points | env LONG=1 Tests/run.sh
ceph     | the tests of object stores on the RADOS gateway of Ceph (350 MB of packages)            | Tests/Acceptance/s3.sh ceph
'

# command_of NAME
command_of() {
    awk -F ' *[|] *' -v name="$1" '$1 == name { print $3 }' <<<"$runs"
}

if [ $# -eq 0 ]; then
    awk -F ' *[|] *' 'NF > 1 { printf "%-10s %s\n", $1, $2 }' <<<"$runs"
    exit 0
fi
for name in "$@"; do
    [ -n "$(command_of "$name")" ] || {
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
    read -ra words < <(command_of "$name")
    "${words[@]}" </dev/null || failed=1
    echo "== $name: $((SECONDS - started)) s"
done
exit $failed
