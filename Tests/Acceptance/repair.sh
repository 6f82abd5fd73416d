#!/usr/bin/env bash
# What a disk or a store has damaged: it is named to the byte, restored but for that, set aside, and healed by the same
# data. In a directory with a real dump, and in an object store.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$(dirname "$0")/support/stores.sh"
need mariadb-server mariadb-client python3

rows=60000
[ "$LONG" = 0 ] || rows=2000000

later "'$services/mariadb.sh' stop '$work/my'"
"$services/mariadb.sh" start "$work/my" >/dev/null || exit 1
my() { mariadb --defaults-file="$work/my/my.cnf" --batch --skip-column-names "$@"; }
my -e "CREATE DATABASE shop"
my shop <<END
CREATE TABLE orders (id INT PRIMARY KEY, code CHAR(64));
INSERT INTO orders SELECT seq, SHA2(seq, 256) FROM seq_1_to_$rows;
CREATE TABLE events (id INT PRIMARY KEY, what CHAR(64));
INSERT INTO events SELECT seq, SHA2(-seq, 256) FROM seq_1_to_$rows;
END
mariadb-dump --defaults-file="$work/my/my.cnf" --single-transaction shop >"$work/shop.sql"
mkdir "$work/files"
for name in a b c d e f; do head -c 700000 /dev/urandom >"$work/files/$name"; done

# largest PATH : the largest file below it
largest() {
    find "$1" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-
}

# spoil FILE : flips a bit in its middle
spoil() {
    "$python" - "$1" <<'END'
import sys
with open(sys.argv[1], "r+b") as file:
    data = file.read()
    file.seek(len(data) // 2)
    file.write(bytes([data[len(data) // 2] ^ 16]))
END
}

echo "## a directory"
new_repository r
exits 0 "a dump goes in" repo add shop <"$work/shop.sql"
pack=$(largest "$REPO_REPOSITORY/packs")
exits 0 "and files" repo add etc --files "$work/files"
cp "$REPO_REPOSITORY/config" "$work/config"
spoil "$pack"
cp "$pack" "$work/pack"
rm -f "$REPO_REPOSITORY"/index/*/*
echo "a word" >>"$REPO_REPOSITORY/config"
cp "$REPO_REPOSITORY/config" "$work/spoiled-config"

refuses 5 "damaged: ${pack#"$REPO_REPOSITORY/"}&&lost: [0-9.]+ [kM]B of the data of&&damaged: table shop.(orders|events) of" \
    "check names what is lost, and in which table" repo check --read-data
refuses 5 "does not open|is damaged" "a restore refuses it" repo restore shop --to "$work/refused.sql"
fact "and leaves nothing" test ! -e "$work/refused.sql"
exits 3 "what is left comes back" repo restore shop --to "$work/left.sql" --allow-damaged --json
fact "with zeros for what is named as lost, and for nothing else" \
    "$python" "$support/holes.py" "$work/shop.sql" "$work/left.sql" <"$work/stdout"
refuses 2 "in the place of what may be whole" "nothing whole is replaced by zeros" \
    repo restore shop --to "$work/left.sql" --in-place --allow-damaged
exits 0 "what is whole comes back as ever" repo restore etc --to "$work/etc" --allow-damaged
exits 5 "a repair" repo check --read-data --repair
fact "set the pack aside" cmp -s "$work/pack" "$(find "$REPO_REPOSITORY/set-aside" -name "$(basename "$pack")")"
fact "and the config" cmp -s "$work/spoiled-config" "$(find "$REPO_REPOSITORY/set-aside" -name config)"
fact "which is as it was" cmp -s "$work/config" "$REPO_REPOSITORY/config"
fact "the pack is gone" test ! -e "$pack"
fact "there is an index again" test -n "$(find "$REPO_REPOSITORY/index" -type f)"
exits 3 "what is left comes back as before" repo restore shop --to "$work/left-2.sql" --allow-damaged --json
fact "no more is lost" cmp -s "$work/left.sql" "$work/left-2.sql"
exits 0 "the same data heal it" repo add shop --json <"$work/shop.sql"
fact "for what was lost: $(field summary bytes_stored) bytes" \
    test "$(field summary bytes_stored)" -lt $(($(stat -c %s "$pack" 2>/dev/null || stat -c %s "$work/pack") / 2))
exits 0 "check finds nothing" repo check --read-data
first=$(repo list shop --json | head -n 1 | "$python" "$support/json_field.py" snapshot snapshot)
exits 0 "the damaged snapshot" repo restore "$first" --to "$work/healed.sql"
fact "is whole" cmp -s "$work/shop.sql" "$work/healed.sql"
exits 0 "a repair of what is whole" repo check --repair --json
same "does nothing" 0 "$(field summary repairs)"

echo "## snapshots that are gone"
last=$(repo list shop --json | "$python" "$support/json_field.py" snapshot snapshot)
rm "$REPO_REPOSITORY"/snapshots/*/"$last"
exits 5 "a manifest that is gone" repo check
exits 0 "is given up by a repair" repo check --repair
fact "and is not listed" test "$(snapshots shop)" = 1
exits 0 "others are there" repo check --read-data
exits 0 "one more" repo add shop --json <"$work/shop.sql"
last=$(field summary snapshot)
rm "$REPO_REPOSITORY"/snapshots/*/"$last" "$REPO_REPOSITORY"/commits/*/"$last"
for again in first second; do exits 7 "a newest snapshot that is gone, a $again look" repo check; done
before=$(tree_hash "$REPO_REPOSITORY")
exits 7 "is no business of a repair" repo check --repair
same "which changes nothing then" "$before" "$(tree_hash "$REPO_REPOSITORY")"
exits 0 "unless it is said that this is known" repo check --repair --accept-rollback
exits 0 "it is recorded, and missed no more" repo list
rm -rf "${XDG_CACHE_HOME:?}"/*
exits 0 "by nobody" repo check --read-data

echo "## keys"
exits 0 "a maintenance key" repo key add --kind maintain --new-key-file "$work/maintain.key" --generate
refuses 1 "this key cannot repair&&full key" "repairs nothing" \
    env -u REPO_PASSWORD_FILE "$REPO_BIN" --key-file "$work/maintain.key" check --repair

echo "## an object store"
start_store moto
export REPO_ENDPOINT=$S3_ENDPOINT REPO_REPOSITORY=s3://$S3_BUCKET/repair
exits 0 "a repository" repo init --recovery-key-file "$work/s3.recovery"
exits 0 "has files" repo add etc --files "$work/files"
key=$(s3 GET "/$S3_BUCKET?list-type=2&prefix=repair/packs/" | "$python" -c '
import re, sys
keys = re.findall("<Key>([^<]*)</Key>.*?<Size>([0-9]*)", sys.stdin.read(), re.S)
print(max(keys, key=lambda key: int(key[1]))[0])')
s3 GET "/$S3_BUCKET/$key" >"$work/object"
spoil "$work/object"
s3 PUT "/$S3_BUCKET/$key" <"$work/object" >/dev/null
exits 5 "a pack that the store has changed" repo check --read-data --repair
aside=$(s3 GET "/$S3_BUCKET?list-type=2&prefix=repair/set-aside/" | grep -o '<Key>[^<]*' | sed 's/<Key>//')
same "is set aside" "${key#repair/}" "${aside#repair/set-aside/*/}"
fact "as it was" cmp -s "$work/object" <(s3 GET "/$S3_BUCKET/$aside")
exits 0 "the same files heal it" repo add etc --files "$work/files"
exits 0 "and nothing is missing" repo check --read-data
finish
