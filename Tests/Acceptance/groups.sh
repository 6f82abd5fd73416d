#!/usr/bin/env bash
# A night of several snapshots under one group: what a server knows of its accounts, two databases and a directory. The
# second night lacks a member. They are listed, restored and dropped as one, and what differs between two nights is told.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source=support/servers.sh
. "$support/servers.sh"
need mariadb-server mariadb-client mariadb-backup python3

later "'$services/mariadb.sh' stop '$work/my1'; '$services/mariadb.sh' stop '$work/my2'"
"$services/mariadb.sh" start "$work/my1" >/dev/null || exit 1
"$services/mariadb.sh" start "$work/my2" >/dev/null || exit 1

dump=(mariadb-dump --defaults-file="$work/my1/my.cnf" --single-transaction)

# save SERIES NIGHT ARG... : one member of the group; its id
save() {
    local series=$1 night=$2
    shift 2
    run repo add "$series" --group nightly --time "$night" --json "$@"
    [ "$status" -eq 0 ] || not_ok "$series: add --group saves it" "exit $status"
    field summary snapshot
}

# refs JSON-FILE : the first digits of the ids in it, in order
refs() {
    sed -n 's/.*"type":"\(snapshot\|summary\|decision\)","snapshot":"\([0-9a-f]\{8\}\).*/\2/p' "$1" | tr '\n' ' '
}

my 1 -e "CREATE DATABASE shop; CREATE DATABASE blog; CREATE USER 'till'@'%' IDENTIFIED BY 'secret';
    CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(200)); CREATE TABLE blog.posts (id INT PRIMARY KEY, text TEXT);
    USE shop; INSERT INTO shop.orders SELECT seq, REPEAT(MD5(seq), 1 + seq MOD 5) FROM seq_1_to_20000;
    CREATE TABLE shop.customers SELECT seq AS id, SHA1(seq) AS name FROM seq_1_to_30000;
    CREATE TABLE shop.vat (country CHAR(2), percent INT); INSERT INTO shop.vat VALUES ('de', 19), ('at', 20);
    CREATE TABLE shop.zones SELECT seq AS id FROM seq_1_to_100;
    INSERT INTO blog.posts SELECT seq, REPEAT(SHA2(seq, 256), 4) FROM seq_1_to_3000"
mkdir -p "$work/uploads/2026"
head -c 200000 /dev/urandom >"$work/uploads/2026/picture.png"
echo first >"$work/uploads/note"

new_repository r
with_recovery_key

first_globals=$(save globals 2026-02-19T01:00 -- "${dump[@]}" --system=users)
first_shop=$(save shop 2026-02-19T01:05 -- "${dump[@]}" --databases shop)
first_blog=$(save blog 2026-02-19T01:10 -- "${dump[@]}" --databases blog)
first_uploads=$(save site/uploads 2026-02-19T01:15 --files "$work/uploads")
first="${first_globals:0:8} ${first_shop:0:8} ${first_blog:0:8} ${first_uploads:0:8} "
my 1 -e "UPDATE shop.orders SET note = 'changed' WHERE id = 12345"
echo second >"$work/uploads/note"
second_globals=$(save globals 2026-02-20T01:00 -- "${dump[@]}" --system=users)
second_shop=$(save shop 2026-02-20T01:05 -- "${dump[@]}" --databases shop)
second_uploads=$(save site/uploads 2026-02-20T01:15 --files "$work/uploads")
second="${second_globals:0:8} ${second_shop:0:8} ${second_uploads:0:8} "
exits 0 "a snapshot without a group" repo add other --format raw "$work/uploads/note"

# --- seen

run repo list
fact "list has a column for groups" grep -q 'stored  group$' "$work/stdout"
run repo list nightly --json
same "list GROUP shows both nights and nothing else" "$first$second" "$(refs "$work/stdout")"
same "and JSON names the group" nightly "$(field snapshot group)"
run repo list shop --json
same "list SERIES still shows the series" "${first_shop:0:8} ${second_shop:0:8} " "$(refs "$work/stdout")"
run repo show "$first_blog"
fact "show names the group" grep -q '^group  *nightly$' "$work/stdout"
same "and what was saved together with it" "${first_globals:0:8} ${first_shop:0:8} ${first_uploads:0:8} " \
    "$(sed -n '/^together with/,/^[a-su-z]/p' "$work/stdout" | grep -o '[0-9a-f]\{8\}  [a-z]' | cut -c1-8 | tr '\n' ' ')"
for verb in show cat; do
    refuses 1 "${second_shop:0:8} \\(shop\\)&&${second_globals:0:8} \\(globals\\)" \
        "$verb wants one snapshot, and names those of the last night" repo "$verb" nightly
done
refuses 1 "${first_blog:0:8} \\(blog\\)" "add --parent wants one, too" \
    repo add shop --parent nightly@2026-02-19 "$work/uploads/note"

# --- compared

exits 0 "two dumps are compared" repo diff shop@2026-02-19 shop@2026-02-20
same "the one table that changed is named, and no other" "M shop.orders" "$(grep -o '^[-+Mm] shop[^ ]*' "$work/stdout")"
fact "and how many are the same" grep -q '^tables: 1 changed, 3 the same;' "$work/stdout"
run repo diff shop@2026-02-19 shop@2026-02-20 --json
read -r new gone <<<"$(field difference bytes_new <(grep '"orders"' "$work/stdout")) $(field difference bytes_gone <(grep '"orders"' "$work/stdout"))"
fact "one row is a chunk or two ($new bytes new, $gone gone)" test "$((new > 0 && gone > 0 && new + gone < 200000))" = 1
same "what both have and what is new make up the second" "$(repo list shop --json | field snapshot bytes /dev/stdin)" \
    "$(($(field summary bytes_common) + $(field summary bytes_new)))"
my 1 -e "UPDATE shop.vat SET percent = 21 WHERE country = 'at'; CREATE TABLE shop.carts (id INT); DROP TABLE shop.zones"
repo add shop/later -- "${dump[@]}" --databases shop >"$work/stdout" 2>"$work/stderr"
run repo diff shop shop/later
same "a small table is told from those that share its chunk; one is new and one gone" \
    "+ shop.carts M shop.vat - shop.zones" "$(grep -o '^[-+Mm] shop[^ ]*' "$work/stdout" | tr '\n' ' ' | sed 's/ $//')"
repo cat shop | gzip | repo add zipped >"$work/stdout" 2>"$work/stderr"
repo cat shop/later | gzip | repo add zipped >"$work/stdout" 2>"$work/stderr"
run repo diff "$(repo list zipped --json | field snapshot parent /dev/stdin)" zipped
fact "of compressed dumps it tells the bytes alone" grep -qx '[0-9.]* [a-zA-Z]* new, .* gone, .* in both; .*' "$work/stdout"
refuses 1 'holds files, and [0-9a-f]* a stream' "files and a stream are no pair" repo diff site/uploads shop
refuses 1 'is a group' "nor is a group one snapshot" repo diff nightly shop

# --- restored

refuses 2 'several snapshots' "a group is not fed to a command" repo restore nightly -- cat
refuses 2 'several snapshots' "and no files of it are chosen" repo restore nightly --to "$work/none" --include '*'
fact "nothing was made of that" test ! -e "$work/none"
exits 0 "the first night is restored by its date" repo restore nightly@2026-02-19 --to "$work/first" --json
same "with one summary a snapshot" "$first" "$(refs "$work/stdout")"
same "each under the name of its series" "blog-20260219-0110.sql globals-20260219-0100.sql shop-20260219-0105.sql site-uploads " \
    "$(cd "$work/first" && printf '%s\n' * | tr '\n' ' ')"
same "its files are as they were" "first" "$(cat "$work/first/site-uploads/${work#/}/uploads/note")"
fact "to the byte" cmp -s "$work/uploads/2026/picture.png" "$work/first/site-uploads/${work#/}/uploads/2026/picture.png"
for file in globals shop blog; do
    my 2 --force <"$work/first/$file-20260219-01"*.sql 2>"$work/stderr"
done
same "the dumps load into a second server" "$(my 1 -e 'CHECKSUM TABLE blog.posts')" "$(my 2 -e 'CHECKSUM TABLE blog.posts')"
same "shop as it was that night" 0 "$(my 2 -e "SELECT COUNT(*) FROM shop.orders WHERE note = 'changed'")"
same "with the accounts" 1 "$(my 2 -e "SELECT COUNT(*) FROM mysql.user WHERE user = 'till'")"

exits 0 "the last night is restored by the group's name" repo restore nightly --to "$work/second"
same "with what it has, in as many lines and one for all" "3 nightly of 2026-02-20 01:00: 3 snapshots" \
    "$(grep -c '^restored' "$work/stdout") $(tail -n 1 "$work/stdout" | cut -d, -f1)"
same "and no other database" "globals-20260220-0100.sql shop-20260220-0105.sql site-uploads " \
    "$(cd "$work/second" && printf '%s\n' * | tr '\n' ' ')"
same "shop is the changed one" 1 "$(grep -c "'changed'" "$work/second/shop-20260220-0105.sql")"
mkdir -p "$work/taken/site-uploads"
refuses 1 'site-uploads exists already' "a name that is taken is found first" repo restore nightly --to "$work/taken"
same "and nothing is written" site-uploads "$(ls "$work/taken")"
exits 0 "--overwrite replaces what is there" repo restore nightly --to "$work/second" --overwrite

# --- dropped

refuses 1 "group nightly&&${first_globals:0:8} \\(globals\\)&&nightly@2026-02-19" \
    "one member is not dropped by itself" repo forget "$first_shop"
refuses 1 "last good snapshot of blog" "nor a night with the last good dump of a database" repo forget nightly@2026-02-19
same "nothing is gone" 7 "$(snapshots nightly)"
exits 0 "a night that may go is looked at first" repo forget nightly --dry-run --json
same "it would be three" "$second" "$(refs "$work/stdout")"
exits 0 "and goes" repo forget nightly
run repo list nightly --json
same "whole, and alone" "$first" "$(refs "$work/stdout")"
# shellcheck disable=SC2086
exits 0 "naming all members is as good" repo forget $first --allow-empty
same "then there is no group" 0 "$(snapshots nightly)"
same "and the rest stays" 4 "$(snapshots)"
exits 0 "and the repository is sound" repo check --read-data
finish
