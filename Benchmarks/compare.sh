#!/usr/bin/env bash
# Measures repo beside restic and borg (Debian's packages): the same dumps, in the same run, turn by turn.
#
#   compare.sh [--scale S] [--days N] [--rounds N] [--only CORPUS] [--seed N]
#              [--work DIR] [--corpora DIR] [--json FILE] [--docs]
#
# Installs what it needs from Debian, builds repo where REPO_BIN names none, makes the corpora where they are not there
# yet (make_corpora.py), and prints the figures of each corpus and every goal beside what was reached. FILE (default:
# results.json in DIR) gets every single measurement; the pictures go beside it, or with --docs into docs/.
# --scale 1 --days 7 is the full size: 0.7, 0.6, 1.1 and 0.9 GB a night, 30 GB of disk. The default, 0.2 and three nights,
# shows that all works. CORPUS is my-sql, pg-sql, my-xb or pg-tar: two kinds of dumps and two of physical backups.
# DIR (default .build/benchmarks) keeps the corpora for the next run; the repositories are removed. --corpora DIR takes
# corpora as they are and only reads them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
scale=0.2 days=3 work=$root/.build/benchmarks corpora='' only=() passed=() json='' is_for_docs=
while [ $# -gt 0 ]; do
    case $1 in
        --docs)
            is_for_docs=1
            shift
            continue
            ;;
        -h | --help)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
            exit 0
            ;;
        --scale | --days | --rounds | --seed | --only | --work | --corpora | --json)
            if [ $# -lt 2 ]; then
                echo "compare.sh: $1 takes a value; see --help" >&2
                exit 2
            fi
            ;;
    esac
    case $1 in
        --scale) scale=$2 ;;
        --days) days=$2 ;;
        --rounds | --seed) passed+=("$1" "$2") ;;
        --only) only=(--only "$2") ;;
        --work) work=$2 ;;
        --corpora) corpora=$2 ;;
        --json) json=$2 ;;
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
    (cd "$root" && swift build -c release --product repo >&2)
fi
export REPO_BIN
mkdir -p "$work"
work=$(cd "$work" && pwd)
if [ -z "$corpora" ]; then
    corpora=$work/scale-$scale
    "$here/make_corpora.py" "$corpora" --scale "$scale" --days "$days" ${only[@]+"${only[@]}"}
fi
json=${json:-$work/results.json}
pictures=$(dirname "$json")
[ -z "$is_for_docs" ] || pictures=$root/docs
exec "$here/compare.py" "$corpora" --days "$days" --work "$work" ${only[@]+"${only[@]}"} \
    ${passed[@]+"${passed[@]}"} --json "$json" --pictures "$pictures"
