#!/usr/bin/env bash
# What nights of a real server cost: full dumps of MariaDB, one after the other, of which each differs from the one
# before in its own way. Every night prints how much it stored and how much that is of the first, holds it against a
# bound a third above what was measured or more, and is compared bit for bit. All of it twice: the second time in
# a copy of the repository, with no cache at all from one night to the next.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need mariadb-server mariadb-client python3

rows=60000
[ "$LONG" = 0 ] || rows=900000

later "'$services/mariadb.sh' stop '$work/my'"
"$services/mariadb.sh" start "$work/my" >/dev/null || exit 1
my() { mariadb --defaults-file="$work/my/my.cnf" --batch --skip-column-names "$@"; }

# dump FILE OPTION... : what a nightly job would write; a time stands at its end
dump() {
    local file=$1
    shift
    mariadb-dump --defaults-file="$work/my/my.cnf" --single-transaction --skip-tz-utc "$@" >"$file"
}

# fill DATABASE SEED : the tables of a shop; another seed gives a shop that differs in one row of forty
fill() {
    my -e "CREATE DATABASE $1 CHARACTER SET utf8mb4" || return 1
    my "$1" <<END
CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(80), email VARCHAR(120), balance DECIMAL(12, 2), notes TEXT);
INSERT INTO customers SELECT seq,
        CONCAT(ELT(1 + seq MOD 6, 'Ada', 'Grace', 'Zoë', 'Łukasz', '张伟', 'Олена'), ' ', MD5(seq)),
        CONCAT(LEFT(SHA1(seq), 12), '@example.org'), seq MOD 9973 + IF(seq MOD 40 = $2, 0.5, 0),
        IF(seq MOD 3 = 0, NULL, CONCAT('prefers ', MD5(seq * 3), ' and calls on ', MD5(seq * 5)))
    FROM seq_1_to_$((rows / 2));
CREATE TABLE orders (id INT PRIMARY KEY, customer INT, total DECIMAL(10, 2), placed DATETIME, code CHAR(16));
INSERT INTO orders SELECT seq, 1 + seq * 7919 MOD $((rows / 2)), seq MOD 3571 / 4 + IF(seq MOD 40 = $2, 0.25, 0),
        TIMESTAMP '2024-02-29 00:00:00' + INTERVAL seq * 37 SECOND, LEFT(SHA1(seq + 1), 16)
    FROM seq_1_to_$((rows * 2));
CREATE TABLE events (id INT PRIMARY KEY, at TIMESTAMP NOT NULL, what TEXT);
INSERT INTO events SELECT seq, TIMESTAMP '2024-02-29 00:00:00' + INTERVAL seq SECOND,
        CONCAT('{"kind": "', ELT(1 + seq MOD 4, 'seen', 'bought', 'left', 'came back'), '", "session": "', SHA1(seq),
            '", "from": "10.', seq MOD 256, '.', seq DIV 256 MOD 256, '.7", "took": ', seq MOD 811, '}')
    FROM seq_1_to_$rows;
END
}

# A night is a file, added to both repositories.
nights=()
first_bytes=0

# in_repository NAME : from now on $work/NAME, with a cache of its own: the two are one repository that went two ways
in_repository() {
    export REPO_REPOSITORY=$work/$1 XDG_CACHE_HOME=$work/cache-$1
    mkdir -p "$XDG_CACHE_HOME"
}

# stored FILE SERIES ARG... : adds FILE and prints how many bytes that stored
stored() {
    local file=$1 series=$2
    shift 2
    repo add "$series" "$@" --json <"$file" >"$work/stdout" 2>"$work/stderr" || return 1
    field summary bytes_stored
}

# night BOUND NAME [ADD-ARG...] : the dump in $work/NAME.sql costs BOUND tenths of a percent of the first at most
night() {
    local bound=$1 name=$2 series=${series:-shop} bytes again
    shift 2
    in_repository r
    bytes=$(stored "$work/$name.sql" "$series" "$@") || {
        not_ok "$name is added"
        return
    }
    nights+=("$(field summary snapshot) $name")
    in_repository copy
    rm -rf "${XDG_CACHE_HOME:?}"/*
    again=$(stored "$work/$name.sql" "$series" "$@") || {
        not_ok "$name is added without a cache"
        return
    }
    copies+=("$(field summary snapshot) $name")
    [ "$first_bytes" -gt 0 ] || first_bytes=$bytes
    local tenths=$((bytes * 1000 / first_bytes))
    fact "$name: $bytes bytes, $((tenths / 10)).$((tenths % 10)) % of the first; at most $((bound / 10)).$((bound % 10))" \
        test $((bytes * 1000)) -le $((first_bytes * bound))
    local apart=$((again > bytes ? again - bytes : bytes - again))
    fact "$name: without a cache the same ($again bytes)" test $((apart * 10)) -le $((bytes + 50000))
}

fill shop 1 || {
    not_ok "the server is filled"
    finish
}
dump "$work/first.sql" --databases shop
new_repository r
with_recovery_key
cp -a "$work/r" "$work/copy"
copies=()
night 1000 first
printf '# the first night: %d bytes, stored in %d\n' "$(stat -c %s "$work/first.sql")" "$first_bytes"

dump "$work/unchanged.sql" --databases shop
night 2 unchanged

my shop -e "UPDATE customers SET balance = balance + 1 WHERE id MOD 997 = 5;
    UPDATE orders SET total = total * 2 WHERE id MOD 1999 = 7;
    DELETE FROM orders WHERE id MOD 4001 = 3;
    DELETE FROM events WHERE id <= 200;
    INSERT INTO events SELECT seq, NOW(), CONCAT('new ', SHA2(seq, 256)) FROM seq_10000000_to_10000300;
    INSERT INTO orders SELECT seq, 1, 9.99, NOW(), LEFT(SHA1(seq), 16) FROM seq_10000000_to_10000300"
dump "$work/few-rows.sql" --databases shop
night 20 few-rows

my shop -e "INSERT INTO customers SELECT -CAST(seq AS SIGNED), MD5(seq), NULL, 0, SHA1(seq) FROM seq_1_to_50;
    INSERT INTO orders SELECT -CAST(seq AS SIGNED), 1, 0, NOW(), 'front' FROM seq_1_to_50;
    INSERT INTO events SELECT -CAST(seq AS SIGNED), NOW(), SHA2(seq, 256) FROM seq_1_to_50"
dump "$work/front.sql" --databases shop
night 15 front

my shop -e "ALTER TABLE customers ADD COLUMN grade INT NOT NULL DEFAULT 7;
    ALTER TABLE events ADD COLUMN seen TINYINT NULL AFTER at"
dump "$work/column.sql" --databases shop
night 120 column

# a server that was brought up to date
sed '1,12s/10\.11\.[0-9]*/11.4.99/' "$work/column.sql" >"$work/version.sql"
fact "the header speaks of another version" test "$(diff "$work/version.sql" "$work/column.sql" | grep -c "^<")" -gt 0
night 2 version

# every row another statement, and back
dump "$work/single-rows.sql" --databases shop --skip-extended-insert
night 400 single-rows
cp "$work/version.sql" "$work/back.sql"
night 2 back

# the rows of a table in another order: nothing of it stands where it stood
my shop -e "ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (customer, id)"
dump "$work/sorted.sql" --databases shop
night 600 sorted

# another series: a shop much like the first one
fill store 2
dump "$work/alike.sql" --databases store
series=store/alone night 950 alike
cp "$work/alike.sql" "$work/alike-parent.sql"
my store -e "UPDATE customers SET notes = CONCAT('x', notes) WHERE id MOD 5 = 1"
dump "$work/alike-parent.sql" --databases store
series=store/parent night 60 alike-parent --parent shop

for repository in r copy; do
    in_repository $repository
    wrong=0
    [ $repository = r ] && made=("${nights[@]}") || made=("${copies[@]}")
    for night in "${made[@]}"; do
        repo cat "${night%% *}" 2>"$work/stderr" | cmp -s - "$work/${night#* }.sql" || {
            wrong=$((wrong + 1))
            echo "# ${night#* } does not come back"
        }
    done
    same "$repository: all ${#made[@]} nights come back bit for bit" 0 "$wrong"
    exits 0 "$repository: the repository is sound" repo check --read-data
done
finish
