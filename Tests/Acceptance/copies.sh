#!/usr/bin/env bash
# Offsite: nights of a real server are saved in a local repository and copied to an object store, a copy is killed again
# and again and goes on, the local repository is lost, and an empty server is filled from the other one with nothing but
# its recovery key.
#
#   copies.sh [STORE]   STORE is a script of Tests/Services: swift (default), moto or ceph
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
# shellcheck source-path=SCRIPTDIR source=support/servers.sh
. "$support/servers.sh"
need mariadb-server mariadb-client python3
start_store "${1:-swift}"
export REPO_ENDPOINT=$S3_ENDPOINT
place=s3://$S3_BUCKET/copies$RANDOM$RANDOM

for n in 1 2; do
    later "'$services/mariadb.sh' stop '$work/my$n'"
    "$services/mariadb.sh" start "$work/my$n" >/dev/null || exit 1
done
my 1 -e "CREATE DATABASE bank; USE bank;
    CREATE TABLE account (id INT PRIMARY KEY, name VARCHAR(64), note VARCHAR(200));
    INSERT INTO account SELECT seq, MD5(seq), REPEAT(SHA1(seq), 2) FROM seq_1_to_100000"
dump=(mariadb-dump --defaults-file="$work/my1/my.cnf" --single-transaction --databases bank)
night() { my 1 bank -e "UPDATE account SET note = CONCAT('night $1', note) WHERE id MOD 2000 = $1"; }
mkdir "$work/files"
for n in 1 2 3; do head -c 50000 /dev/urandom >"$work/files/$n"; done

echo here >"$work/here.password"
echo there >"$work/there.password"
export REPO_REPOSITORY=$work/here REPO_PASSWORD_FILE=$work/here.password
exits 0 "a local repository" repo init --recovery-key-file "$work/here.key"
for n in 1 2 3; do
    night "$n"
    exits 0 "night $n" repo add bank -- "${dump[@]}"
done
exits 0 "and files" repo add etc --files "$work/files"

# names : of a listing all that copies keep, in a fixed order
names() {
    "$python" -c 'import json, sys
kept = "series", "time", "kind", "complete", "format", "bytes", "host", "tags"
rows = [json.loads(line) for line in sys.stdin]
print(sorted(str([row.get(name) for name in kept]) for row in rows if row["type"] == "snapshot"))'
}

# --- to other keys

there() { REPO_REPOSITORY=$place/there REPO_PASSWORD_FILE=$work/there.password "$REPO_BIN" "$@"; }
refuses 10 "--copy-parameters-from" "where nothing is, it is said how to make it" \
    repo copy --to "$place/there"
exits 0 "the other one is made to cut alike" there init --copy-parameters-from "$work/here" \
    --from-password-file "$work/here.password" --recovery-key-file "$work/there.key"
refuses 12 "to-password-file" "the password of this one does not open it" repo copy --to "$place/there"
copy=(repo copy --to "$place/there" --to-password-file "$work/there.password")
exits 0 "all is copied" "${copy[@]}" --json
same "four snapshots" 4 "$(field summary snapshots_copied)"
sent=$(field summary bytes_sent)
stored=$(du -sb "$work/here/packs" | cut -f1)
fact "as small as they are here ($sent bytes of $stored)" test "$sent" -lt "$((stored * 11 / 10))"
fact "and read back" test "$(field summary bytes_verified)" -gt "$((sent * 8 / 10))"
exits 0 "a second run" "${copy[@]}" --json
same "moves nothing" "0 0" "$(field summary bytes_sent) $(field summary objects_sent)"
night 4
exits 0 "a night" repo add bank --json -- "${dump[@]}"
stored=$(field summary bytes_stored)
exits 0 "is copied" "${copy[@]}" bank --json
fact "as what it is here ($(field summary bytes_sent) bytes, $stored here)" \
    test "$(field summary bytes_sent)" -lt "$((stored + stored / 2 + 20000))"
exits 0 "all is sound there" there check --read-data
same "the same times and series" "$(repo list --json 2>/dev/null | names)" \
    "$(there list --json 2>/dev/null | names)"

# --- saved in both at once

night 5
exits 0 "one dump, two repositories" repo add bank --also "$place/there" --also-password-file "$work/there.password" \
    --json -- "${dump[@]}"
exits 0 "which a copy knows" "${copy[@]}" --json
same "for the same" 0 "$(field summary objects_sent)"
refuses 3 "not saved at .*nowhere" "one that cannot be reached is said" \
    repo add bank --also "$work/nowhere" -- "${dump[@]}"
exits 0 "files, too" repo add etc --also "$place/there" --also-password-file "$work/there.password" --files "$work/files"

# --- killed

killed=0
for n in 6 7 8 9; do
    night "$n"
    exits 0 "night $n" repo add "bank/$n" -- "${dump[@]}"
done
for delay in 0.05 0.1 0.15 0.2 0.3 0.4 0.5 0.7; do
    { run timeout --signal=KILL "$delay" "${copy[@]/#repo/$REPO_BIN}"; } 2>/dev/null # the shell would tell of each
    [ "$status" -ne 137 ] || killed=$((killed + 1))
done
fact "a copy is killed ($killed times)" test "$killed" -ge 2
exits 0 "and goes on" "${copy[@]}"
exits 0 "to a sound end" there check --read-data

# --- the same keys

exits 0 "an empty place becomes a repository of the same keys" repo copy --to "$work/twin" --same-keys
exits 0 "which is sound" env REPO_REPOSITORY="$work/twin" "$REPO_BIN" check --read-data
same "and opened by the same recovery key" "$(repo list --json 2>/dev/null | names)" \
    "$(env -u REPO_PASSWORD_FILE "$REPO_BIN" -r "$work/twin" --recovery-key-file "$work/here.key" list --json \
        2>/dev/null | names)"

# --- the local one is lost

sum=$(my 1 -e "CHECKSUM TABLE bank.account")
exits 0 "the last night" repo add bank -- "${dump[@]}"
exits 0 "goes offsite" "${copy[@]}"
rm -rf "$work/here" "$work/twin" "$XDG_CACHE_HOME" "$work/there.password" "$work/here.password" "$work/here.key"
unset REPO_PASSWORD_FILE REPO_REPOSITORY
lost=("$REPO_BIN" -r "$place/there" --recovery-key-file "$work/there.key")
exits 0 "the recovery key alone restores into an empty server" "${lost[@]}" restore bank -- \
    mariadb --defaults-file="$work/my2/my.cnf"
same "to equal checksums" "$sum" "$(my 2 -e "CHECKSUM TABLE bank.account")"
exits 0 "files come back" "${lost[@]}" restore etc --to "$work/back"
fact "bit by bit" diff -r "$work/files" "$work/back$work/files"
exits 0 "all of it is sound" "${lost[@]}" check --read-data

# --- and back into a new local one

echo new >"$work/new.password"
exits 0 "a new local repository" "$REPO_BIN" init "$work/new" --password-file "$work/new.password" \
    --recovery-key-file "$work/new.key"
exits 0 "gets everything back" "${lost[@]}" copy --to "$work/new" --to-password-file "$work/new.password"
exits 0 "and is sound" "$REPO_BIN" -r "$work/new" --password-file "$work/new.password" check --read-data
finish
