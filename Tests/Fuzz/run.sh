#!/usr/bin/env bash
# Fuzzes every decoder of bytes from outside with libFuzzer: see README.md beside it.
#
#   run.sh                 every target: a million inputs in all, some two minutes with the build
#   run.sh TARGET...       these only; --list names them
#   run.sh --minimize TARGET...  puts into Corpus what a long run found to reach more code, and nothing twice
#
#   RUNS=22000 is how many inputs a target of average cost gets, LONG=1 fifty times as many. SEED=1234 repeats a
#   run, JOBS=2 run at once. What was found lies in .build/fuzz/found, with the command that shows it again.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
case ${1-} in
    -h | --help)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
        exit 0
        ;;
esac

seed=${SEED-$((RANDOM * 32768 + RANDOM + 1))}
runs=${RUNS-22000}
[ -z "${LONG-}" ] || runs=$((runs * 50))
jobs=${JOBS-$(nproc)}
build=$PWD/.build/fuzz
program=$build/release/repo-fuzz
found=$build/found
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
# What is freed goes back to the system at once: targets measure what one input takes.
export MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
# A backtrace takes longer than a thousand inputs.
export SWIFT_BACKTRACE=enable=no

started=$SECONDS
REPO_FUZZ=1 swift build -c release --product repo-fuzz --scratch-path "$build" >"$work/build.log" 2>&1 || {
    grep -a 'error:' "$work/build.log" | head -n 20
    tail -n 5 "$work/build.log"
    echo "not ok - the fuzzed decoders are built"
    exit 1
}
echo "ok - the fuzzed decoders are built, in $((SECONDS - started)) s"

mkdir -p "$work/seeds" "$found"
REPO_FUZZ_SEEDS=$work/seeds "$program" >"$work/targets" || exit 1
minimizes=
case ${1-} in
    --list)
        cut -d ' ' -f 1 "$work/targets"
        exit 0
        ;;
    --minimize)
        minimizes=1
        shift
        ;;
esac
for name in "$@"; do
    grep -q "^$name " "$work/targets" || {
        echo "fuzz: there is no target $name; --list names them" >&2
        exit 2
    }
done

# fuzz TARGET LONGEST SHARE : runs one, with its log in $work
fuzz() {
    local name=$1 longest=$2 share=$3 corpus=Tests/Fuzz/Corpus/$1
    local kept=("$work/seeds/$1")
    local new=$build/corpus/$name status=0 from=$EPOCHREALTIME
    mkdir -p "$new"
    [ ! -d "$corpus" ] || kept+=("$corpus")
    if [ -n "$minimizes" ]; then
        mkdir -p "$corpus"
        REPO_FUZZ_TARGET=$name "$program" -merge=1 -max_len="$longest" "$corpus" "$work/seeds/$name" "$new" \
            >"$work/$name.log" 2>&1
        return
    fi
    # Kept inputs and seeds come first, all of them. What is found on the way stays outside the checkout's files.
    REPO_FUZZ_TARGET=$name "$program" -seed="$seed" -runs=$((runs * share / 100)) -max_len="$longest" \
        -timeout=20 -rss_limit_mb=640 -detect_leaks=0 -print_final_stats=1 \
        -artifact_prefix="$found/$name-" \
        "$new" "${kept[@]}" >"$work/$name.log" 2>&1 || status=$?
    echo "$status $(echo "$from $EPOCHREALTIME" | awk '{ printf "%.1f", $2 - $1 }')" >"$work/$name.end"
}

[ -n "$minimizes" ] || echo "# fuzz: SEED=$seed, $runs inputs for a target of average cost"
names=()
while read -r name longest share; do
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    names+=("$name")
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    fuzz "$name" "$longest" "$share" &
done <"$work/targets"
wait
if [ -n "$minimizes" ]; then
    du -sh Tests/Fuzz/Corpus
    exit 0
fi

total=0 failed=0
for name in "${names[@]}"; do
    read -r status seconds <"$work/$name.end"
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$work/$name.log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/$name.log" | tail -n 1)
    if [ "$status" -eq 0 ] && [ -n "$executed" ]; then
        echo "ok - $name: $executed executions, $edges edges, $seconds s, $peak MiB"
        total=$((total + executed))
    else
        failed=$((failed + 1))
        echo "not ok - $name: status $status after $seconds s"
        grep -aE 'Fatal error|ERROR: libFuzzer|SUMMARY|Test unit written' "$work/$name.log" | sed 's/^/#   /'
        file=$(sed -n 's/.*Test unit written to //p' "$work/$name.log" | tail -n 1)
        [ -z "$file" ] || echo "#   REPO_FUZZ_TARGET=$name $program $file"
    fi
done
if [ $failed -gt 0 ]; then
    echo "# fuzz: $failed of ${#names[@]} targets found something (SEED=$seed)"
    exit 1
fi
echo "# fuzz: $total executions over ${#names[@]} targets, nothing found"
