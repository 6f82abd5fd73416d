#!/usr/bin/env bash
# Repositories in an object store: dumps of a real server go there night by night and come back, a host that only writes
# can do so, and what cannot be reached is said. First the store is held against what is asked of every store.
#
#   s3.sh [STORE]   STORE is a script of Tests/Services: moto (default), swift or ceph
#
# S3_ENDPOINT, S3_BUCKET and the usual AWS_ variables name another store to be tried.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
need mariadb-server mariadb-client python3
start_store "${1:-moto}"
export REPO_ENDPOINT=$S3_ENDPOINT

# What Tests/S3Tests ask of their own stores they ask of this one.
if [ -d "$root/.build/release" ] && command -v swift >/dev/null; then
    run conformance
    fact "$store does what is asked of every store ($(grep -ac 'passed after' "$work/stdout") tests, $SECONDS s)" \
        test "$status" -eq 0
else
    skip "conformance: there is no build to take the tests from"
fi

export REPO_REPOSITORY=s3://$S3_BUCKET/t$RANDOM$RANDOM/one REPO_PASSWORD_FILE=$work/password
echo secret >"$REPO_PASSWORD_FILE"

refuses 10 "there is no repository at s3://" "where nothing is, that is said" repo list
exits 0 "init makes a repository" repo init --recovery-key-file "$work/key"
exits 1 "a second one is not made over it" repo init --recovery-key-file "$work/key2"
exits 0 "unless one is enough" repo init --recovery-key-file "$work/key2" --if-missing

later "'$services/mariadb.sh' stop '$work/my'"
"$services/mariadb.sh" start "$work/my" >/dev/null || exit 1
my() { mariadb --defaults-file="$work/my/my.cnf" --batch --skip-column-names "$@"; }
my -e "CREATE DATABASE bank; USE bank;
    CREATE TABLE account (id INT PRIMARY KEY, name VARCHAR(64), note VARCHAR(200));
    INSERT INTO account SELECT seq, MD5(seq), REPEAT(SHA1(seq), 2) FROM seq_1_to_100000"
dump=(mariadb-dump --defaults-file="$work/my/my.cnf" --databases bank)
exits 0 "the first night" repo add bank --json -- "${dump[@]}"
first=$(field summary bytes_stored)
for night in 2 3; do
    my bank -e "UPDATE account SET note = CONCAT('night $night', note) WHERE id MOD 5000 = $night"
    exits 0 "night $night" repo add bank --json -- "${dump[@]}"
    stored=$(field summary bytes_stored)
    fact "stores what changed ($stored of $first bytes)" test "$((stored * 20))" -lt "$first"
done
"${dump[@]}" | grep -v '^-- Dump completed' >"$work/wanted"
same "the last comes back" "$(sha256 <"$work/wanted")" \
    "$(repo cat bank 2>"$work/stderr" | grep -v '^-- Dump completed' | sha256)"
sum=$(my -e "CHECKSUM TABLE bank.account")
my -e "DROP DATABASE bank"
exits 0 "and is loaded" repo restore bank -- mariadb --defaults-file="$work/my/my.cnf"
same "to equal checksums" "$sum" "$(my -e "CHECKSUM TABLE bank.account")"
exits 0 "everything is proven" repo check --read-data

rm -rf "$XDG_CACHE_HOME"
exits 0 "a machine that lost its cache lists" repo list
exits 0 "and adds" repo add bank --json -- "${dump[@]}"
same "knowing what is there" true "$([ "$(field summary bytes_new)" -lt 2000000 ] && echo true)"
exits 0 "the recovery key alone opens it" env -u REPO_PASSWORD_FILE "$REPO_BIN" list --recovery-key-file "$work/key"

exits 0 "a write key is made" repo key add --kind write --new-key-file "$work/write-key" --generate --label host
# shellcheck disable=SC2317 # exits calls it
as_writer() { env -u REPO_PASSWORD_FILE REPO_KEY_FILE="$work/write-key" XDG_CACHE_HOME="$work/writer" "$@"; }
exits 0 "with which a host adds" as_writer "$REPO_BIN" add own -- "${dump[@]}"
exits 0 "and adds again" as_writer "$REPO_BIN" add own --json -- "${dump[@]}"
fact "against what it wrote itself" test "$(field summary bytes_stored)" -lt 100000
exits 0 "forget works" repo forget "bank@latest"

newest=$(repo cat bank 2>"$work/stderr" | sha256)
if [ "$store" = swift ]; then
    refuses 2 "listings of this store lag&&--settle 1h" "prune asks how long the listings lag" \
        repo prune bank --keep-last 1 --grace 0
    there=$(snapshots bank)
    exits 0 "and condemns what is to go" repo prune bank --keep-last 1 --grace 0 --settle 1h --json
    same "which goes once that time is over" "0 $there" "$(field summary snapshots_dropped) $(snapshots bank)"
else
    exits 0 "prune drops all nights but one" repo prune bank --keep-last 1 --grace 0 --json
    same "of those that are there" "$(field summary snapshots_dropped) 1" \
        "$(grep -c '"action" *: *"drop' "$work/stdout") $(snapshots bank)"
    fact "and frees what only they used" test "$(field summary bytes_freed)" -gt 0
fi
same "the one that stays comes back" "$newest" "$(repo cat bank 2>"$work/stderr" | sha256)"
exits 0 "and everything is proven" repo check --read-data

# A class is for packs of data: small objects would cost more there than they save.
head -c 2000000 /dev/urandom >"$work/data"
if [ "$store" = swift ]; then
    refuses 1 "InvalidStorageClass&&no class of this name" "a class that the store does not have is refused" \
        repo add classes "$work/data" --format raw --storage-class STANDARD_IA
else
    place=${REPO_REPOSITORY#"s3://$S3_BUCKET/"}
    exits 0 "an add into a class of storage" repo add classes "$work/data" --format raw --storage-class STANDARD_IA
    s3 GET "/$S3_BUCKET?list-type=2&prefix=$place/" | sed 's/<Contents>/\n/g' >"$work/listing"
    fact "puts packs there" grep -q '/packs/.*<StorageClass>STANDARD_IA<' "$work/listing"
    fact "and nothing else" test "$(grep -c STANDARD_IA "$work/listing")" -eq "$(grep STANDARD_IA "$work/listing" | grep -c /packs/)"
    same "which are read as ever" "$(sha256 <"$work/data")" "$(repo cat classes 2>"$work/stderr" | sha256)"
fi

wanted=$(snapshots bank)
repo -r "$work/directory" init -q --recovery-key-file "$work/key4"
refuses 1 "the store (ignores|refuses) Object Lock&&docs/s3.md" "a bucket that keeps nothing from being deleted takes no lock" \
    repo add bank --object-lock 1 -- "${dump[@]}"
same "and that add is not there" "$wanted" "$(snapshots bank)"
refuses 1 "the store (ignores|refuses) Object Lock" "nor does a repository come of it" \
    repo -r "$REPO_REPOSITORY-locked" init --object-lock 1 --recovery-key-file "$work/key3"
refuses 10 "no repository" "not even half of one" repo -r "$REPO_REPOSITORY-locked" list
head -c 100000 /dev/urandom >"$work/data"
refuses 3 "not saved at s3:.*the store (ignores|refuses) Object Lock" "a second place may be the one that is locked" \
    repo -r "$work/directory" add data "$work/data" --format raw --also "$REPO_REPOSITORY" --object-lock 1
refuses 2 "a directory keeps nothing" "a directory cannot be locked" repo -r "$work/directory" list --object-lock 1
refuses 2 "days are wanted" "a lock is a number of days" repo list --object-lock forever

exits 124 "a store that cannot be reached is asked again, until somebody has had enough" \
    timeout 6 "$REPO_BIN" --endpoint "http://127.0.0.1:1" list
fact "and that is said" grep -q '127.0.0.1:1.*trying again' "$work/stderr"
refuses 2 "plain http" "plain http to elsewhere is refused" repo --endpoint http://s3.example.org list
refuses 2 "no name of a bucket" "a bucket has a name" repo -r s3://x/y list
refuses 1 "no credentials" "without credentials that is said" \
    env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "$REPO_BIN" list
finish
