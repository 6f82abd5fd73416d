#!/usr/bin/env bash
# What is kept and why: policies against restic's where both mean the same, holds, ages, a host with a write key that is
# taken over. Nights lie in the past: --time says when they were, and the store's clock is set back with touch.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need python3 restic tzdata

# decided ACTION : the days of what is kept or dropped, of JSON lines in $work/stdout
decided() {
    sed -n 's/.*"type":"decision".*"time":"\([^"]*\)","action":"'"$1"'".*/\1/p' "$work/stdout"
}

# reasons TIME : why, of JSON lines in $work/stdout
reasons() {
    sed -n 's/.*"time":"'"$1"'[^"]*","action":"[a-z]*","reasons":\[\(.*\)\],"policy".*/\1/p' "$work/stdout"
}

fact "the lists that Swift's tests use are what the calendar says" "$python" "$root/Tests/Retention/make_expected.py"

# --- beside restic, on input that has one snapshot a slot

new_repository r
with_recovery_key
export RESTIC_PASSWORD=x RESTIC_REPOSITORY=$work/restic RESTIC_CACHE_DIR=$work/restic-cache
restic init -q || exit 1

# times UNIT COUNT : so many, one a unit, the last on 2026-11-20
times() {
    local index
    for ((index = $2 - 1; index >= 0; index--)); do
        date -u -d "2026-11-20 03:30 UTC - $index $1" +%Y-%m-%dT%H:%M
    done
}

# both UNIT COUNT : adds them to a series and to restic, both called UNIT; every fifth has a tag
both() {
    local time number=0 tag
    echo "$1" >"$work/$1"
    while read -r time; do
        number=$((number + 1))
        tag=$([ $((number % 5)) -eq 0 ] && echo keep || echo other)
        repo add "$1" "$work/$1" --format raw --time "${time}Z" --tag "$tag" -q || return 1
        restic backup -q --time "${time/T/ }:00" --tag "$tag" "$work/$1" || return 1
    done < <(times "$1" "$2")
}

# alike UNIT OPTION... : restic and repo keep the same
alike() {
    local unit=$1 ours theirs
    shift
    run repo prune "$unit" "$@" --week-starts monday --dry-run --json
    ours=$(decided keep | cut -c1-16 | sort | tr '\n' ' ')
    run restic forget --dry-run --json --group-by paths --path "$work/$unit" "$@"
    theirs=$("$python" -c '
import json, sys
for group in json.load(sys.stdin):
    for snapshot in group["keep"] or []:
        print(snapshot["time"][:16])' <"$work/stdout" | sort | tr '\n' ' ')
    if [ -n "$ours" ] && [ "$ours" = "$theirs" ]; then
        ok "of one snapshot each of $unit, $* keeps what restic keeps ($(wc -w <<<"$ours"))"
    else
        not_ok "of one snapshot each of $unit, $* keeps what restic keeps" "restic: $theirs" "repo:   $ours"
    fi
}

both hours 30 && both days 40 && both weeks 14 && both months 16 && both years 4 || exit 1
alike hours --keep-hourly 7
alike hours --keep-last 3 --keep-hourly 24
alike days --keep-daily 14
alike days --keep-last 5 --keep-daily 3 --keep-tag keep
alike weeks --keep-weekly 5
alike weeks --keep-daily 3 --keep-weekly 6 --keep-hourly 8 --keep-tag keep
alike months --keep-monthly 12
alike months --keep-daily 2 --keep-weekly 4 --keep-monthly 6
alike years --keep-yearly 3
alike years --keep-last 1 --keep-hourly 1 --keep-daily 2 --keep-weekly 2 --keep-monthly 2 --keep-yearly 7

# --- policies

exits 0 "a policy is set for all" repo policy set '*' --gfs --timezone Europe/Berlin
exits 0 "and one for a series" repo policy set days --keep-daily 7 --keep-weekly 2
exits 0 "and a newer one for all" repo policy set '*' --gfs --keep-yearly none
run repo policy show days
fact "the one that names the series holds, and show says why" grep -q '^it names the series; \* would mean it too$' "$work/stdout"
run repo policy show weeks --json
same "for others the last one that was set for all" "2 null" "$(field policy version) $(field policy keep_yearly)"
run repo prune days --dry-run --json
same "seven nights are kept, and the first of another week" "8 32" "$(decided keep | wc -l) $(decided drop | wc -l)"
same "for reasons that count" '"weekly 2 of 2"' "$(reasons 2026-11-08)"
same "the newest for all of its reasons" '"newest","daily 1 of 7"' "$(reasons 2026-11-20)"
run repo show days@2026-11-08
fact "show tells it, too" grep -q '^kept  *weekly 2 of 2 (policy days)$' "$work/stdout"
before=$(tree_hash "$work/r")
run repo prune --dry-run
same "a dry run changes nothing" "$before" "$(tree_hash "$work/r")"
exits 0 "a policy is taken away" repo policy remove days
run repo prune days --dry-run --json
fact "and the less specific one holds" grep -q '"policy":"\*"' "$work/stdout"
refuses 2 'no rule says what to keep' "a policy that keeps nothing is none" repo policy set shop --keep-daily 0
refuses 2 'tzdata' "a time zone that nobody knows is refused" repo policy set shop --gfs --timezone Mars/Olympus
refuses 2 'no series for them' "rules for one run need a series" repo prune --keep-last 1

# --- holds, and the opposite

exits 0 "a hold by a preset" repo hold add pci --preset pci-dss --match 'day*' --json
same "holds the nights there are" 40 "$(field summary snapshots_held)"
last=$(repo list days --json | field snapshot snapshot /dev/stdin)
refuses 1 'is held by pci' "forget refuses, naming the hold" repo forget "$last"
run repo prune days --keep-last 1 --dry-run --json
same "prune drops nothing of it" 0 "$(decided drop | wc -l)"
run repo prune days --keep-last 1 --max-age 20d --dry-run --json
same "and a conflict is shown" '"hold pci (older than max-age 20d)"' "$(reasons 2026-10-20)"
run repo list days --last 1 --json
fact "list says who holds it" grep -q '"held":\["pci"\]' "$work/stdout"
exits 0 "a hold ends" repo hold remove pci --reason 'audit is over'
run repo hold list --all
fact "its record stays" grep -q 'PCI DSS v4.0.1, requirement 10.5.1; audit is over$' "$work/stdout"
run repo prune days --keep-last all --max-age 5h --dry-run --json
same "what is too old goes then, but for the newest" '39 "newest (older than max-age 5h)"' \
    "$(decided drop | wc -l) $(reasons 2026-11-20)"
refuses 2 'over' "a date that has passed holds nothing" repo hold add x --match '*' --until 2020-01-01

# --- keys

key=$work/host.key
exits 0 "a key for a host" repo key add --kind write --new-key-file "$key" --generate
exits 0 "and one to maintain" repo key add --kind maintain --new-key-file "$work/maintain.key" --generate
# as NAME COMMAND... : with another key than the recovery key
as() {
    local file=$work/$1.key
    shift
    env -u REPO_RECOVERY_KEY_FILE REPO_KEY_FILE="$file" "$REPO_BIN" "$@"
}
exits 0 "who maintains sets policies" as maintain policy set 'host/*' --keep-last 40
exits 0 "and looks what they do" as maintain prune 'days' --dry-run
refuses 1 'cannot change policies' "a host does not" as host policy set '*' --keep-last 1
refuses 1 'cannot make holds' "nor does it hold" as host hold add x --match '*' --forever
refuses 2 'sees neither' "nor see what is kept" as host policy show

# --- a host that is taken over

# stored TIME : sets the store's clock back for the newest commit
stored() {
    local commit
    commit=$(find "$work/r/commits" -type f -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
    touch -d "$1" "$commit"
}

head -c 2000000 /dev/urandom >"$work/dump"
for ((night = 50; night >= 1; night--)); do
    time=$(date -u -d "now - $night days" +%Y-%m-%dT%H:%M)
    as host add host/shop "$work/dump" --format raw --time "${time}Z" -q || exit 1
    stored "${time}Z"
done
run repo policy show host/shop
fact "nights whose time the store's clock confirms are believed, given or not" \
    test "$(grep -c 'not believed' "$work/stdout")" = 0
run repo prune host/shop --keep-last 3 --dry-run --json
same "nothing goes that the store got within thirty days" 21 "$(decided drop | wc -l)"
fact "for the reason that it is young" grep -q '"within 30d"' "$work/stdout"
run repo prune host/shop --keep-last 3 --dry-run
fact "more than thirty percent of it at once would be refused" grep -q 'without --really this is refused' "$work/stderr"
run repo prune host/shop --keep-last 3 --really --dry-run
fact "unless somebody means it" test "$(grep -c refused "$work/stderr")" = 0

exits 0 "somebody says a snapshot is from last year" as host add host/shop "$work/dump" --format raw --time 2025-11-20
run repo prune host/shop --keep-last 3 --dry-run --json
same "that is not believed" '"time not believed","within 30d"' "$(reasons 2025-11-20)"
for ((number = 0; number < 25; number++)); do
    as host add host/shop "$work/dump" --format raw -q || exit 1
done
run repo prune host/shop --dry-run --json
same "a flood drops nothing" 0 "$(decided drop | wc -l)"
fact "it freezes what was there before" grep -q '"frozen: flood on ' "$work/stdout"
head -c 9000000 /dev/urandom >"$work/dump"
exits 0 "and something much larger" as host add host/shop "$work/dump" --format raw
run repo policy show host/shop
for words in 'time not believed' 'flood: [0-9]* in a week, 7 usual' 'jump in size: 9000000 bytes, 2000000 usual'; do
    fact "policy show names it: $words" grep -q "$words" "$work/stdout"
done
refuses 2 'sees neither' "the host cannot say that this is in order" as host policy acknowledge host/shop
exits 0 "somebody looks at it" repo policy acknowledge host/shop --dry-run
exits 0 "and says it is in order" repo policy acknowledge host/shop
run repo prune host/shop --keep-last 40 --dry-run --json
same "then forty are kept, and what is young" 0 "$(grep -c frozen "$work/stdout")"
fact "and what is old goes" test "$(decided drop | wc -l)" -gt 5
exits 0 "and the repository is sound" repo check
finish
