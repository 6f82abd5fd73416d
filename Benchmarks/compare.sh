#!/usr/bin/env bash
# Measures repo beside restic and borg (Debian's packages): the same dumps, in the same run, turn by turn.
#
#   compare.sh [--scale S] [--days N] [--rounds N] [--only my-sql|pg-sql] [--work DIR] [--json FILE]
#
# Makes the corpora first where DIR does not hold them (make_corpora.py). Prints one table a corpus; FILE gets every
# single measurement. DIR (default .build/benchmarks) keeps the corpora for the next run; the repositories are removed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
scale=0.2 days=3 rounds=3 work=$root/.build/benchmarks only=() json=
while [ $# -gt 0 ]; do
    case $1 in
        --scale) scale=$2 ;;
        --days) days=$2 ;;
        --rounds) rounds=$2 ;;
        --only) only=(--only "$2") ;;
        --work) work=$2 ;;
        --json) json=$2 ;;
        -h | --help)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
            exit 0
            ;;
        *)
            echo "compare.sh: unknown option $1; see --help" >&2
            exit 2
            ;;
    esac
    shift 2
done

"$root/examples/install-dependencies.sh" --benchmarks
REPO_BIN=${REPO_BIN:-$root/.build/release/repo}
if [ ! -x "$REPO_BIN" ]; then
    "$root/examples/install-dependencies.sh"
    (cd "$root" && swift build -c release --product repo >&2)
fi
export REPO_BIN
mkdir -p "$work"
corpora=$(cd "$work" && pwd)/scale-$scale
"$here/make_corpora.py" "$corpora" --scale "$scale" --days "$days" ${only[@]+"${only[@]}"}
exec "$here/compare.py" "$corpora" --days "$days" --rounds "$rounds" ${only[@]+"${only[@]}"} \
    --json "${json:-$corpora/results.json}"
