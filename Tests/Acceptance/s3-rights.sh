#!/usr/bin/env bash
# Who may do what in an object store, under the policies of docs/s3.md: a writer that cannot delete, a reader, a
# maintainer; and what Object Lock keeps when somebody who may delete does.
#
#   s3-rights.sh [STORE]   STORE is a script of Tests/Services that enforces policies: moto (default) or ceph
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
need python3
unset S3_ENDPOINT # users are made in ways of the store's own
start_store "${1:-moto}"
export REPO_ENDPOINT=$S3_ENDPOINT REPO_PASSWORD_FILE=$work/password
echo secret >"$REPO_PASSWORD_FILE"
buckets=(backup locked)
s3 PUT /locked x-amz-bucket-object-lock-enabled:true </dev/null >"$work/stdout"
make_users || {
    not_ok "the store has users"
    finish
}

# as USER COMMAND... : with that user's key, and a cache of his own
as() {
    local user=$1
    shift
    env AWS_ACCESS_KEY_ID="$(sed -n 1p "$work/$user.user")" AWS_SECRET_ACCESS_KEY="$(sed -n 2p "$work/$user.user")" \
        XDG_CACHE_HOME="$work/cache-of-$user" "$@"
}

# keys_in PLACE : what is stored there and not deleted
keys_in() {
    as owner "$python" "$services/s3.py" GET "/${1%%/*}?list-type=2&prefix=${1#*/}" | grep -o '<Key>[^<]*' | sed 's/<Key>//'
}

for bucket in "${buckets[@]}"; do
    export REPO_REPOSITORY=s3://$bucket/one
    if [ "$bucket" = locked ]; then export REPO_OBJECT_LOCK=1; fi
    exits 0 "$bucket: a maintainer makes a repository" as maintainer "$REPO_BIN" init --recovery-key-file "$work/$bucket.key"
    head -c 3000000 /dev/urandom >"$work/data"
    exits 0 "$bucket: a writer adds" as writer "$REPO_BIN" add data "$work/data" --format raw
    echo more >>"$work/data"
    exits 0 "$bucket: and adds again" as writer "$REPO_BIN" add data "$work/data" --format raw --json
    id=$(field summary snapshot)
    before=$(keys_in "$bucket/one/" | sha256)
    refuses 1 "DELETE snapshots/&&s3:DeleteObject" "$bucket: a writer forgets nothing, and is told why" \
        as writer "$REPO_BIN" forget "$id"
    same "$bucket: and nothing was begun" "$before" "$(keys_in "$bucket/one/" | sha256)"
    refuses 1 "s3:PutObject" "$bucket: a reader adds nothing" as reader "$REPO_BIN" add data "$work/data" --format raw
    exits 0 "$bucket: but proves everything" as reader "$REPO_BIN" check --read-data
    same "$bucket: and gets the very bytes" "$(sha256 <"$work/data")" \
        "$(as reader "$REPO_BIN" cat data 2>"$work/stderr" | sha256)"
    refuses 1 "s3:GetObject|s3:ListBucket" "$bucket: who has no rights sees nothing" as nobody "$REPO_BIN" list
    exits 0 "$bucket: a write key is made" as maintainer "$REPO_BIN" key add --kind write --new-key-file \
        "$work/$bucket.write" --generate --label host
    exits 0 "$bucket: and behind both walls a host adds" as writer env -u REPO_PASSWORD_FILE \
        REPO_KEY_FILE="$work/$bucket.write" "$REPO_BIN" add own "$work/data" --format raw
    exits 0 "$bucket: a maintainer forgets" as maintainer "$REPO_BIN" forget "$id"
done

# --- what is locked

unlocked=0 locked=0
for key in $(keys_in locked/one/); do
    if as writer "$python" "$services/s3.py" HEAD "/locked/$key" | grep -qi 'x-amz-object-lock-mode: *COMPLIANCE'; then
        locked=$((locked + 1))
    else
        unlocked=$((unlocked + 1))
    fi
done
fact "all that is there is locked ($locked objects)" test "$locked" -ge 8 -a "$unlocked" -eq 0
refuses 1 "the store refuses Object Lock&&docs/s3.md" "a bucket that was not made for it refuses a lock" \
    as writer "$REPO_BIN" -r s3://backup/one add data "$work/data" --format raw

# A night stands on packs of nights before: prune locks what stays anew.
export REPO_OBJECT_LOCK=3
exits 0 "a prune by the maintainer locks what stays for longer" as maintainer "$REPO_BIN" prune --json
same "all of it" "$locked" "$(field summary objects_locked)"
soon=$(date -u -d '+70 hours' +%Y-%m-%dT%H:%M:%S)
short=0
for key in $(keys_in locked/one/); do
    until=$(as writer "$python" "$services/s3.py" HEAD "/locked/$key" |
        sed -n 's/^x-amz-object-lock-retain-until-date: *//Ip')
    [[ $until > $soon ]] || short=$((short + 1))
done
same "the store says so of every object" 0 "$short"
exits 0 "another prune" as maintainer "$REPO_BIN" prune --json
same "has nothing to lock" 0 "$(field summary objects_locked)"
REPO_OBJECT_LOCK=1

# versions KIND : key and version of all that is there of KIND: Version or DeleteMarker
versions() {
    as owner "$python" "$services/s3.py" GET "/locked?versions&prefix=one/" | "$python" -c '
import sys, xml.etree.ElementTree as tree
space = "{http://s3.amazonaws.com/doc/2006-03-01/}"
for entry in tree.parse(sys.stdin).getroot().iter(space + sys.argv[1]):
    print(entry.find(space + "Key").text, entry.find(space + "VersionId").text)' "$1"
}

# Somebody has the key of the maintainer, and deletes everything; then that of the owner, and deletes all versions.
exits 0 "there are snapshots" as reader "$REPO_BIN" list --json
wanted=$(grep -c '"type" *: *"snapshot"' "$work/stdout")
for key in $(keys_in locked/one/); do as maintainer "$python" "$services/s3.py" DELETE "/locked/$key" >"$work/said"; done
refuses 10 "no repository" "who may delete can hide all of it" as reader "$REPO_BIN" list
deleted=0 kept=0 tombstones=0
while read -r key version; do
    if ! as owner "$python" "$services/s3.py" DELETE "/locked/$key?versionId=$version" \
        x-amz-bypass-governance-retention:true >"$work/said" 2>&1; then
        kept=$((kept + 1))
    elif [[ $key == */tombstones/* ]]; then
        tombstones=$((tombstones + 1))
    else
        deleted=$((deleted + 1))
    fi
done < <(versions Version)
fact "but what is locked not even the owner can destroy ($kept versions)" test "$kept" -ge 8 -a "$deleted" -eq 0
fact "though tombstones he can" test "$tombstones" -ge 1
while read -r key version; do
    as owner "$python" "$services/s3.py" DELETE "/locked/$key?versionId=$version" >"$work/said"
done < <(versions DeleteMarker)
exits 0 "without the marks of deletion all of it is back" as reader "$REPO_BIN" list --json
# the one that was forgotten, too
same "every snapshot" $((wanted + 1)) "$(grep -c '"type" *: *"snapshot"' "$work/stdout")"
exits 0 "and whole" as reader "$REPO_BIN" check --read-data
finish
