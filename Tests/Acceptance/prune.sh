#!/usr/bin/env bash
# Prune beside everything else: writers add while two prunes never stop, in a directory and in an object store; prunes are
# killed; nights of a real server are thinned out; keys that may prune and keys that may not.
#
#   prune.sh [PART...]   only these parts: directory, killed, unfinished, moved, overtaken, nights, keys, store
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
need mariadb-server mariadb-client python3
export REPO_BIN
only=" $* "
RANDOM=$((SEED % 32768))
echo "# seed $SEED"

# wanted PART
wanted() { [ "$only" = "  " ] || [[ $only == *" $1 "* ]]; }

work_of() { "$python" "$support/prune_work.py" "$@"; }

# tombstones : how many there are
tombstones() {
    case $REPO_REPOSITORY in
        s3:*) s3 GET "/$S3_BUCKET?list-type=2&prefix=${REPO_REPOSITORY#"s3://$S3_BUCKET/"}/tombstones/" </dev/null |
            grep -o '<Key>' | wc -l ;;
        *) find "$REPO_REPOSITORY/tombstones" -type f | wc -l ;;
    esac
}

# sum KEY FILE... : over the summaries of prunes
sum() {
    local key=$1
    shift
    cat "$@" | sed -n "s/.*\"type\":\"summary\".*\"$key\":\([0-9]*\).*/\1/p" | awk '{ n += $1 } END { print n + 0 }'
}

# found NAME : what the last verification says
found() { sed -n "s/^$1 //p" "$work/verified"; }

# verify NAME LOG... : everything that is listed restores, and nothing is missing
verify() {
    local name=$1
    shift
    work_of verify "$@" >"$work/verified" 2>"$work/stderr"
    grep '^# ' "$work/verified" | head -n 20
    same "$name: the list can be read" 0 "$(found list)"
    same "$name: if an add does not end with 0, something was condemned and it saved nothing" 0 "$(found failed)"
    same "$name: nothing that a policy keeps is missing" 0 "$(found lost)"
    same "$name: nothing is listed whose add failed" 0 "$(found unknown)"
    same "$name: all $(found listed) snapshots come back bit for bit" 0 "$(found wrong)"
}

# policies : all/* has none
policies() {
    exits 0 "$1: a policy keeps the last three of few/*" repo policy set 'few/*' --keep-last 3
    exits 0 "$1: another the last one of last/*" repo policy set 'last/*' --keep-last 1
}

# pruning NAME OPTION... : prunes until there is a file $beside/stop
pruning() {
    local name=$1 status
    shift
    export XDG_CACHE_HOME=$beside/cache-$name
    mkdir -p "$XDG_CACHE_HOME"
    until [ -e "$beside/stop" ]; do
        status=0
        "$REPO_BIN" prune "$@" --grace 0 --json >"$beside/$name.out" 2>"$beside/$name.err" || status=$?
        grep '"type":"summary"' "$beside/$name.out" >>"$beside/$name.summaries"
        [ $status -eq 0 ] || { echo "exit $status: $(tail -n 3 "$beside/$name.err" | tr '\n' ' ')" >>"$beside/$name.failures"; }
        echo >>"$beside/prunes"
    done
}

# beside NAME WRITERS ADDS : so many writers add so often while two prunes never stop
beside() {
    local name=$1 writers=$2 adds=$3 number pids=() pruners=() started=$SECONDS
    beside=$work/beside-$name
    mkdir "$beside"
    : >"$beside/prunes"
    policies "$name"
    # There are deltas from the beginning, however few come beside the prunes.
    mkdir "$beside/cache0"
    SERIES=all ALONE=0 XDG_CACHE_HOME=$beside/cache0 work_of write "$beside/log0" "$SEED" 0 8 - 2>"$beside/writer0.err"
    same "$name: eight adds before" 8 "$(grep -c '"status": 0,' "$beside/log0")"
    pruning policies &
    pruners+=($!)
    pruning thorough --max-unused 0 &
    pruners+=($!)
    for ((number = 1; number <= writers; number++)); do
        mkdir "$beside/cache$number"
        XDG_CACHE_HOME=$beside/cache$number work_of write "$beside/log$number" "$SEED" "$number" "$adds" "$beside/prunes" \
            2>"$beside/writer$number.err" &
        pids+=($!)
    done
    local ended=0
    for number in "${pids[@]}"; do wait "$number" || ended=1; done
    : >"$beside/stop"
    wait "${pruners[@]}"
    same "$name: $writers writers end" 0 "$ended"
    same "$name: each has added $adds times" $((writers * adds)) "$(cat "$beside"/log[1-9]* | wc -l)"
    cat "$beside"/*.failures 2>/dev/null | sort | uniq -c | sort -rn | head -n 10 | sed 's/^/# a prune: /'
    same "$name: all $(wc -l <"$beside/prunes") prunes end with 0" 0 "$(cat "$beside"/*.failures 2>/dev/null | wc -l)"
    local deleted dropped
    deleted=$(sum packs_deleted "$beside"/*.summaries)
    dropped=$(sum snapshots_dropped "$beside"/*.summaries)
    fact "$name: $dropped snapshots were dropped meanwhile" test "$dropped" -gt 0
    fact "$name: $deleted packs were deleted meanwhile" test "$deleted" -gt 0
    # so few that there may be nothing to rewrite
    [ "$writers" -lt 4 ] || fact "$name: $(sum bytes_rewritten "$beside"/*.summaries) bytes were rewritten meanwhile" \
        test "$(sum bytes_rewritten "$beside"/*.summaries)" -gt 0
    local failed
    failed=$(cat "$beside"/log[1-9]* | grep -c '"status": 1,')
    echo "# $name: of $((writers * adds)) adds $failed had to start again; $((SECONDS - started)) s"
    exits 0 "$name: no damage" repo check --read-data --json
    same "$name: and none is told" "0 0" "$(field summary damages) $(grep -c '"type":"damage"' "$work/stdout")"
    verify "$name" "$beside"/log*
    echo "# $name: $(found added) streams of $(found bytes) bytes, $(found deltas) deltas, $(found condemned) condemned"
    fact "$name: there were deltas" test "$(found deltas)" -gt 0
    exits 0 "$name: a last prune" repo prune --grace 0 --json
    same "$name: leaves no tombstone" 0 "$(tombstones)"
    verify "$name, after it" "$beside"/log*
    same "$name: no policy leaves more than it keeps" 0 "$(found too_many)"
    exits 0 "$name: no damage after it" repo check --read-data
    XDG_CACHE_HOME=$beside/cache-none exits 0 "$name: nor for somebody without a cache" repo check --read-data
}

# --- a directory

if wanted directory; then
    new_repository r
    with_recovery_key
    if [ "$LONG" = 0 ]; then beside directory 4 12; else beside directory 8 50; fi
fi

# --- prunes that are killed

if wanted killed; then
    new_repository killed
    with_recovery_key
    policies killed
    rounds=10
    [ "$LONG" = 0 ] || rounds=100
    killed=0 halfway=0 bad=0 seconds=
    export SERIES="few last"
    for ((round = 0; round <= rounds; round++)); do
        work_of write "$work/killed.log" "$SEED" "1.$round" 5 -
        work_of write "$work/killed.log" "$SEED" "2.$round" 5 -
        unused=$((RANDOM % 2 * 10))
        prune=("$REPO_BIN" prune --grace 0 --max-unused "$unused")
        # the first one is not killed, and tells how long it takes
        if [ $round -eq 0 ]; then
            when=begin delay=1000
        else
            [ $((RANDOM % 2)) -eq 0 ] && when=begin || when=change
            delay=$(awk "BEGIN { print $seconds * $RANDOM / 32768 / (\"$when\" == \"begin\" ? 1 : 3) }")
        fi
        answer=$(work_of kill "$REPO_REPOSITORY" "$when" "$delay" "${prune[@]}" 2>"$work/stderr")
        read -r ended changes took <<<"$answer"
        [ $round -gt 0 ] || seconds=$took
        case $ended in
            killed)
                killed=$((killed + 1))
                [ "$changes" -eq 0 ] || halfway=$((halfway + 1))
                ;;
            0) ;;
            *) not_ok "round $round: a prune ends" "exit $ended" ;;
        esac
        said="round $round, seed $SEED, killed $delay s after $when, $changes changes"
        run "$REPO_BIN" check --read-data
        [ "$status" -eq 0 ] || { not_ok "$said: no damage" && bad=1; }
        if [ $((RANDOM % 2)) -eq 0 ]; then
            work_of write "$work/killed.log" "$SEED" "1.again$round" 2 -
        fi
        run "$REPO_BIN" prune --grace 0 --max-unused "$unused"
        [ "$status" -eq 0 ] || { not_ok "$said: the next one ends" && bad=1; }
        left=$(tombstones)
        [ "$left" -eq 0 ] || { not_ok "$said: the next one ends it" "$left tombstones are left" && bad=1; }
        run "$REPO_BIN" check --read-data
        [ "$status" -eq 0 ] || { not_ok "$said: no damage after the next one" && bad=1; }
        work_of verify "$work/killed.log" >"$work/verified" 2>"$work/stderr"
        for what in list condemned failed lost unknown wrong too_many; do
            [ "$(found $what)" = 0 ] || { not_ok "$said: nothing is $what" "$(grep '^# ' "$work/verified")" && bad=1; }
        done
        [ $bad -eq 0 ] || break
    done
    unset SERIES
    fact "$killed of $rounds prunes were killed" test $((killed * 2)) -gt $rounds
    fact "$halfway of them when something had changed" test $((halfway * 5)) -ge $rounds
    same "the next one ends what each began, and no snapshot suffers" 0 $bad
    verify "after all that" "$work/killed.log"
    exits 0 "a last prune" repo prune --grace 0 --max-unused 0 --keep-incomplete 0
    exits 0 "and another" repo prune --grace 0 --max-unused 0 --json
    same "nothing that is not needed stays" "0 0 0" \
        "$(field summary bytes_unused) $(field summary bytes_later) $(field summary bytes_rewritten)"
    same "no partial file stays" 0 "$(find "$REPO_REPOSITORY/tmp" -type f ! -name reserve | wc -l)"
fi

# --- an add that is killed when a prune has deleted what it was to stand on

if wanted unfinished; then
    new_repository unfinished
    with_recovery_key
    # the moment is short; it is missed where the machine is busy
    for _ in 1 2 3 4 5; do
        id=$(work_of unfinished "$REPO_REPOSITORY" "$SEED" shop 2>"$work/stderr")
        [ -z "$id" ] || break
    done
    if [ -z "$id" ]; then
        skip "a manifest that was never confirmed: the add was never killed in time"
    else
        exits 0 "a manifest that was never confirmed and lacks data is no damage" repo check --read-data
        exits 0 "a prune goes on all the same" repo prune --grace 0
        head -c 2000000 /dev/urandom >"$work/stream"
        exits 0 "what is added then" repo add shop "$work/stream" --format raw
        exits 0 "lets a prune drop what was there" repo prune shop --keep-last 1 --grace 0 --json
        fact "and frees it" test "$(field summary bytes_freed | grep . || echo 0)" -gt 2500000
        same "it comes back" "$(sha256 <"$work/stream")" "$(repo cat shop 2>"$work/stderr" | sha256)"
        exits 0 "after the time for what is incomplete the manifest goes" repo prune --grace 0 --keep-incomplete 0 --json
        same "as one that was never finished" 1 "$(field summary snapshots_abandoned)"
    fi
fi

# --- what an add makes deltas against is moved meanwhile

if wanted moved; then
    new_repository moved
    with_recovery_key
    answer=$(work_of moved "$SEED" shop "$work/stream" 2>"$work/stderr")
    same "an add whose bases are moved by a prune succeeds and tells no damage" "0 " "$answer"
    same "it comes back" "$(sha256 <"$work/stream")" "$(repo cat shop 2>"$work/stderr" | sha256)"
    exits 0 "no damage" repo check --read-data
fi

# --- a prune that is overtaken by another one

if wanted overtaken; then
    new_repository overtaken
    with_recovery_key
    answer=$(work_of overtaken "$REPO_REPOSITORY" "$SEED" shop store 2>"$work/stderr")
    stopped=${answer%% *}
    if [ "$stopped" = 0 ]; then
        skip "a prune that is overtaken: none was stopped in time"
    else
        same "of five prunes $stopped are overtaken when they have begun to condemn, and all end with 0" "$stopped" "$answer"
    fi
    exits 0 "no damage" repo check --read-data
    exits 0 "a last prune" repo prune --grace 0
    same "leaves no tombstone" 0 "$(tombstones)"
fi

# --- seven nights

# all_come_back NAME FIRST-DAY NUMBERS : the nights of these numbers, the first on FIRST-DAY, and nothing is damaged
all_come_back() {
    local name=$1 first=$2 number
    for number in $3; do
        same "$name: night $number comes back bit for bit" "$(sha256 <"$corpora/my-sql/day$number.sql")" \
            "$(repo cat "shop@$(date -u -d "$first + $((number - 1)) days" +%F)" 2>"$work/stderr" | sha256)"
    done
    exits 0 "$name: no damage" repo check --read-data
}

# thinned NAME FIRST-DAY KEPT : the nights, the first on FIRST-DAY, are thinned out to three days and two weeks; KEPT are
# the numbers of those that stay
thinned() {
    local name=$1 first=$2 kept=$3 number day before after fresh stored
    new_repository "$name"
    with_recovery_key
    for number in 1 2 3 4 5 6 7; do
        day=$(date -u -d "$first + $((number - 1)) days" +%F)
        run "$REPO_BIN" add shop "$corpora/my-sql/day$number.sql" --time "${day}T02:00" --json
        [ "$status" -eq 0 ] || not_ok "$name: night $number" "exit $status"
        stored+=" $(field summary bytes_stored)"
    done
    echo "# $name: stored$stored bytes"
    before=$(bytes_in "$REPO_REPOSITORY")
    exits 0 "$name: from $first three days and two weeks are kept" \
        repo prune shop --keep-daily 3 --keep-weekly 2 --grace 0 --json
    cp "$work/stdout" "$work/$name.prune"
    after=$(bytes_in "$REPO_REPOSITORY")
    for number in $kept; do date -u -d "$first + $((number - 1)) days" +%F; done >"$work/wanted"
    same "$name: nights $kept stay" "$(cat "$work/wanted")" \
        "$(repo list shop --json 2>"$work/stderr" | sed -n 's/.*"time":"\([0-9-]*\)T.*/\1/p' | sort)"
    local rewritten unused
    rewritten=$(field summary bytes_rewritten "$work/$name.prune")
    unused=$(field summary bytes_unused "$work/$name.prune")
    fact "$name: $rewritten bytes were rewritten, less than a tenth of the $after that remain" \
        test $((rewritten * 10)) -lt "$after"
    exits 0 "$name: another run finds nothing to do" repo prune shop --keep-daily 3 --keep-weekly 2 --grace 0 --json
    same "$name: and changes nothing" "0 0 0 $after" "$(field summary bytes_rewritten) $(field summary packs_condemned) \
$(field summary bytes_freed) $(bytes_in "$REPO_REPOSITORY")"
    all_come_back "$name" "$first" "$kept"
    # with --rebase less may stand on what was dropped
    local rebased
    exits 0 "$name: deltas are made anew where that is worth it" repo prune shop --keep-daily 3 --keep-weekly 2 --grace 0 \
        --rebase --json
    rebased=$(bytes_in "$REPO_REPOSITORY")
    echo "# $name: $(field summary bytes_rebased) bytes made anew: $rebased bytes in all"
    fact "$name: that takes no more" test "$rebased" -le "$after"
    all_come_back "$name, made anew" "$first" "$kept"
    # what a repository holds that never had the other nights
    echo "a password for $name-fresh" >"$work/$name-fresh.password"
    exits 0 "$name: a fresh repository that cuts alike" env -u REPO_RECOVERY_KEY_FILE REPO_REPOSITORY="$work/$name-fresh" \
        REPO_PASSWORD_FILE="$work/$name-fresh.password" "$REPO_BIN" init --recovery-key-file "$work/$name-fresh.recovery" \
        --copy-parameters-from "$work/$name" --from-recovery-key-file "$recovery"
    export REPO_REPOSITORY=$work/$name-fresh REPO_RECOVERY_KEY_FILE=$work/$name-fresh.recovery
    for number in $kept; do
        day=$(date -u -d "$first + $((number - 1)) days" +%F)
        run "$REPO_BIN" add shop "$corpora/my-sql/day$number.sql" --time "${day}T02:00" --json
        [ "$status" -eq 0 ] || not_ok "$name: night $number in a fresh repository" "exit $status"
    done
    fresh=$(bytes_in "$REPO_REPOSITORY")
    echo "# $name: $before bytes before, $after after, $fresh in a fresh repository; $unused unused;" \
        "freed $(field summary bytes_freed "$work/$name.prune")," \
        "$(field summary packs_deleted "$work/$name.prune") packs deleted"
    fact "$name: as large as $((after * 1000 / fresh)) thousandths of a fresh one, at most 1350" \
        test $((after * 100)) -le $((fresh * 135))
    fact "$name: something was freed" test "$after" -lt "$before"
}

if wanted nights; then
    corpora=${CORPORA:-$work/corpora}
    scale=0.05
    [ "$LONG" = 0 ] || scale=0.5
    if "$python" "$root/Benchmarks/make_corpora.py" "$corpora" --scale $scale --days 7 --only my-sql \
        >"$work/stdout" 2>"$work/stderr"; then
        ok "seven nights of $(stat -c %s "$corpora/my-sql/day7.sql") bytes"
        # 2026-11-08 is a Sunday. Of the week of November 1 there is the 4th first; the Sunday after is one of three days.
        thinned from-wednesday 2026-11-04 "1 5 6 7"
        # Of the week of November 1 there is the 6th first, and the Sunday after is none of three days.
        thinned from-friday 2026-11-06 "1 3 5 6 7"
        # All in one week.
        [ "$LONG" = 0 ] || thinned from-sunday 2026-11-08 "1 5 6 7"
    else
        not_ok "seven nights of a server"
    fi
fi

# --- keys

if wanted keys; then
    new_repository keys
    with_recovery_key
    for kind in write maintain; do
        exits 0 "a $kind key is made" repo key add --kind $kind --new-key-file "$work/$kind.key" --generate
    done
    # as NAME COMMAND... : with another key than the recovery key
    # shellcheck disable=SC2317 # exits calls it
    as() {
        local file=$work/$1.key
        shift
        env -u REPO_RECOVERY_KEY_FILE REPO_KEY_FILE="$file" XDG_CACHE_HOME="$work/cache-of-another" "$REPO_BIN" "$@"
    }
    head -c 3000000 /dev/urandom >"$work/common"
    for number in 1 2 3 4; do
        { head -c 4000000 /dev/urandom && cat "$work/common"; } >"$work/stream$number"
        exits 0 "stream $number" repo add own "$work/stream$number" --format raw
        exits 0 "stream $number of a host" as write add host "$work/stream$number" --format raw
    done
    before=$(tree_hash "$REPO_REPOSITORY")
    refuses 2 'use a full or a maintain key' "a write key does not prune" as write prune own --keep-last 1 --grace 0
    refuses 2 'use a full or a maintain key' "nor without rules" as write prune --grace 0
    same "and nothing has changed" "$before" "$(tree_hash "$REPO_REPOSITORY")"
    exits 0 "a maintain key does" as maintain prune own --keep-last 1 --grace 0 --json
    same "and drops what the rules say" 3 "$(field summary snapshots_dropped)"
    freed=$(($(field summary bytes_freed) - $(field summary bytes_rewritten)))
    fact "and frees most of the 12000000 bytes that only these used: $freed, beside what it rewrites" \
        test $freed -gt 9000000
    exits 0 "of a host with a write key nothing so young goes" as maintain prune host --keep-last 1 --grace 0 --json
    same "without more words" 0 "$(field summary snapshots_dropped)"
    refuses 1 'cannot open stored data&&use a full key' "a maintain key reads no data" as maintain cat own
    refuses 1 'cannot open stored data&&use a full key' "nor restores it" as maintain restore own --to "$work/never"
    fact "not a byte" test ! -s "$work/never"
    same "what is kept comes back to who may read" "$(sha256 <"$work/stream4")" "$(repo cat own 2>"$work/stderr" | sha256)"
    same "and so does the host's" "$(sha256 <"$work/stream1")" \
        "$(repo cat "$(repo list host --json 2>/dev/null | head -n 1 | field snapshot snapshot /dev/stdin)" 2>"$work/stderr" |
            sha256)"
    exits 0 "no damage" repo check --read-data
fi

# --- an object store, last: HOME and more is another from here

if wanted store; then
    start_store moto
    export REPO_ENDPOINT=$S3_ENDPOINT
    export REPO_REPOSITORY=s3://$S3_BUCKET/prune$SEED REPO_PASSWORD_FILE=$work/store.password
    unset REPO_RECOVERY_KEY_FILE
    recovery=$work/store.recovery
    echo "a password for the store" >"$REPO_PASSWORD_FILE"
    exits 0 "a repository in an object store" repo init --recovery-key-file "$recovery"
    with_recovery_key
    if [ "$LONG" = 0 ]; then SERIES="all last last last" HELD_UP=0.8 ALONE=0.6 beside store 2 8; else beside store 8 50; fi
fi
finish
