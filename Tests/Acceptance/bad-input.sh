#!/usr/bin/env bash
# Whatever is wrong gets its exit status and a message that names it, and loses nothing.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
need python3 util-linux bsdutils

new_repository r
R=$REPO_REPOSITORY
head -c 3000000 /dev/urandom >"$work/first"
printf 'second\n' >"$work/second"
exits 0 "two snapshots to lose" repo add shop/first "$work/first"
exits 0 "the second one" repo add shop/second "$work/second"

# still_there FACT : the snapshots made above are listed and come back
still_there() {
    same "$1" "2 $(sha256 <"$work/first")" "$(snapshots) $(repo cat shop/first 2>"$work/stderr" | sha256)"
}

# --- the command line

refuses 2 '.' "no command at all" repo
refuses 2 'frobnicate' "an unknown command is named" repo frobnicate
refuses 2 '--frobnicate' "an unknown option is named" repo add shop/x --frobnicate
refuses 2 '--frobnicate' "an unknown option before the command, too" repo --frobnicate list
refuses 2 '-Z' "an unknown letter, too" repo list -Z
refuses 2 '--last' "an option without its value" repo list --last
refuses 2 'many' "an option with a value that is none" repo list --last many
refuses 2 'halfway' "a kind that there is not" repo add shop/x --kind halfway "$work/second"
refuses 2 'papyrus' "a format that there is not" repo add shop/x --format papyrus "$work/second"
refuses 2 '.' "add without a series" repo add
refuses 2 'shop' "a series whose name is none" repo add 'shop@monday' "$work/second"
refuses 2 '.' "a command line with nothing behind its --" repo add shop/x --
refuses 2 '.' "an argument too many" repo show shop/first and more
refuses '1|2' 'nowhere.sql' "a file that is not there is named" repo add shop/x "$work/nowhere.sql"
refuses '1|2' "$work" "a directory is no stream" repo add shop/x "$work"
exits 0 "help is no mistake" repo --help
exits 0 "nor is the version" repo --version
for verb in init key add list show cat restore check forget; do
    exits 0 "repo $verb --help" repo $verb --help
done
for pair in "snapshots:repo list" "ls:repo (list|show)" "backup:repo add" "dump:repo (cat|add)" "unlock:lock"; do
    refuses 2 "${pair#*:}" "'${pair%%:*}' of other tools is answered with ours" repo "${pair%%:*}"
done
for verb in mount wal drill; do
    refuses '1|2' "yet" "'$verb' says that it is not there yet" repo $verb
done
refuses 2 'terminal|standard input' "add with a terminal as standard input" \
    script -qec "'$REPO_BIN' add shop/x" /dev/null
still_there "and nothing is lost"

# --- locations

refuses 2 '-r&&REPO_REPOSITORY' "no location at all" env -u REPO_REPOSITORY "$REPO_BIN" list
refuses '2|10' 'location|repository' "an empty location" repo -r '' list
refuses 10 "$work/nowhere" "a location that is not there" repo -r "$work/nowhere" list
mkdir "$work/just-a-directory"
echo mine >"$work/just-a-directory/file"
refuses 10 "just-a-directory" "a directory that is no repository" repo -r "$work/just-a-directory" list
refuses '1|10' "second" "a file" repo -r "$work/second" list
refuses '1|2|10' 'ftp:' "a kind of location that there is not" repo -r ftp://host/path list
before=$(tree_hash "$R")
refuses 1 "$R" "a second init over a repository" repo init "$R" --recovery-key-file "$work/again.key"
same "touches nothing" "$before" "$(tree_hash "$R")"
fact "and makes no key" test ! -e "$work/again.key"
exits 0 "unless it is told --if-missing" repo init "$R" --if-missing --recovery-key-file "$work/again.key"
same "which touches nothing either" "$before" "$(tree_hash "$R")"
refuses 1 "just-a-directory" "init in a directory that is not empty" \
    repo init "$work/just-a-directory" --recovery-key-file "$work/again.key"
same "touches nothing" "file" "$(ls -A "$work/just-a-directory")"
refuses '1|2' 'recovery-key-file' "init never writes the recovery key into a pipe" repo init "$work/piped"
fact "and leaves no repository behind" test ! -e "$work/piped/config"
refuses '1|2' "r.recovery" "init writes over no recovery key" repo init "$work/piped" --recovery-key-file "$recovery"
same "which is for its owner alone" 600 "$(stat -c %a "$recovery")"

# --- references

refuses 1 'shop/frist&&shop/first' "a series that is not there is named, with the nearest that is" repo show shop/frist
refuses 1 'shop/frist&&shop/first' "for cat, too" repo cat shop/frist
refuses 1 'shop/frist&&shop/first' "for restore, too" repo restore shop/frist --to "$work/out"
fact "which writes nothing" test ! -e "$work/out"
refuses 1 'deadbeef' "an id that is not there" repo show deadbeef
refuses 1 'shop/first@2001-01-01' "a time before the first snapshot" repo show shop/first@2001-01-01
refuses 2 'next week' "a time that is none" repo show 'shop/first@next week'
refuses 1 'nosuch' "a member that is not there" repo cat shop/first nosuch
refuses 1 'shop/frist' "forget of what is not there" repo forget shop/frist
still_there "and nothing is lost"

# --- keys

wrong=$work/wrong.password
echo "not the password" >"$wrong"
refuses 12 'key slot|password' "a wrong password" repo list --password-file "$wrong"
: >"$wrong"
refuses '1|2|12' 'empty' "an empty password" repo list --password-file "$wrong"
refuses '1|2|12' 'no-such-file' "a password file that is not there" repo list --password-file "$work/no-such-file"
refuses '2|12' '--password-file' "no password and no terminal: the option is named" env -u REPO_PASSWORD_FILE "$REPO_BIN" list </dev/null
refuses 2 'password' "two passwords" env REPO_PASSWORD=x "$REPO_BIN" list --password-file "$REPO_PASSWORD_FILE" --password-command 'echo y'
exits 0 "the recovery key opens" env -u REPO_PASSWORD_FILE "$REPO_BIN" list --recovery-key-file "$recovery"
sed 's/[0-9A-Z]\{4\}/0000/' "$recovery" >"$work/wrong.recovery"
refuses '1|2|12' 'recovery key' "a recovery key with a slip of the pen" \
    env -u REPO_PASSWORD_FILE "$REPO_BIN" list --recovery-key-file "$work/wrong.recovery"
exits 0 "a password from a command" env -u REPO_PASSWORD_FILE "$REPO_BIN" list --password-command "cat '$REPO_PASSWORD_FILE'"
exits 0 "a password in the environment" env -u REPO_PASSWORD_FILE REPO_PASSWORD="$(cat "$REPO_PASSWORD_FILE")" "$REPO_BIN" list

first_slot=$(ls "$R/keys")
echo "another password" >"$work/another.password"
if exits 0 "a second key slot" repo key add --kind full --new-password-file "$work/another.password"; then
    exits 0 "opens" repo list --password-file "$work/another.password"
    cp -p "$R/keys/$first_slot" "$work/slot"
    "$python" "$support/damage.py" flip "$R/keys/$first_slot" "$SEED" >/dev/null
    exits 0 "and still opens when the first one is damaged" repo list --password-file "$work/another.password"
    refuses '5|12' '.' "which the first password notices" repo list
    refuses 5 "$first_slot" "and check names" repo check --password-file "$work/another.password"
    chmod u+w "$R/keys/$first_slot"
    cp -p "$work/slot" "$R/keys/$first_slot"
    head -c 10 "$work/slot" >"$work/short"
    rm -f "$R/keys/$first_slot"
    cp "$work/short" "$R/keys/$first_slot"
    exits 0 "a slot that was cut off disturbs no other" repo list --password-file "$work/another.password"
    rm -f "$R/keys/$first_slot"
    cp -p "$work/slot" "$R/keys/$first_slot"
fi
still_there "and nothing is lost"

# --- versions and damage

cp -rp "$R" "$work/copy"
"$python" "$support/damage.py" version "$work/copy/config" 99
refuses 6 '99|version' "a format of the future" repo -r "$work/copy" list
refuses 6 '99|version' "is not written to" repo -r "$work/copy" add shop/x "$work/second"
rm -rf "$work/copy"

with_recovery_key
undetected=
wrongly_restored=
objects=0
want=$(sha256 <"$work/first")
while IFS= read -r object; do
    rounds=3
    [ "$LONG" = 0 ] || rounds=100
    for round in $(seq $rounds); do
        cp -p "$object" "$work/object"
        place=$("$python" "$support/damage.py" flip "$object" "$SEED$round")
        objects=$((objects + 1))
        name=${object#"$R"/}
        repo check --read-data >"$work/stdout" 2>"$work/stderr" </dev/null
        status=$?
        # the sixth byte is the version: another one there is a newer repository's, and said so;
        # a config can also be damaged into one of no repository at all
        case $name:$status:$place in
            *:5:* | *:6:5)
                grep -qF "$(basename "$name")" "$work/stdout" "$work/stderr" || undetected+=" $name@$place(unnamed)"
                ;;
            config:6:* | config:10:*) ;;
            *) undetected+=" $name@$place(exit $status)" ;;
        esac
        repo cat shop/first >"$work/read" 2>"$work/stderr" </dev/null
        status=$?
        if [ $status -eq 0 ]; then
            [ "$(sha256 <"$work/read")" = "$want" ] || wrongly_restored+=" $name@$place"
        else
            cmp -s -n "$(stat -c %s "$work/read")" "$work/read" "$work/first" || wrongly_restored+=" $name@$place"
        fi
        rm -f "$object"
        cp -p "$work/object" "$object"
    done
done < <(find "$R" -type f ! -path "$R/tmp/*" | sort)
same "one bit flipped, $objects times in every object: check --read-data exits 5, or 6 for its version, and names it" "" "$undetected"
same "and cat gives no wrong byte" "" "$wrongly_restored"
with_password
still_there "repaired, all is there"
exits 0 "and sound" repo check --read-data

# --- streams

refuses 4 'empty' "an empty stream" repo add shop/x </dev/null
: >"$work/empty"
refuses 4 'empty' "an empty file" repo add shop/x "$work/empty"

# --- disks

if is_root_here && mkdir "$work/small" && mount -t tmpfs -o size=48m tmpfs "$work/small" 2>/dev/null; then
    later "umount '$work/small'"
    # on_small ARG... : in the repository on the small disk
    on_small() { repo -r "$work/small/r" "$@"; }
    exits 0 "a repository on a small disk" repo init "$work/small/r" --recovery-key-file "$work/small.key"
    exits 0 "holds something" on_small add small/first "$work/first"
    head -c 100000000 /dev/urandom >"$work/much"
    refuses 1 'space' "a full disk is named" on_small add small/much "$work/much"
    exits 0 "and the repository stays sound" on_small check --read-data
    same "what was there comes back" "$(sha256 <"$work/first")" "$(on_small cat small/first 2>"$work/stderr" | sha256)"
    run on_small list --json
    same "and what did not fit is not listed" 1 "$(grep -c '"snapshot"' "$work/stdout")"
    mount -o remount,size=300m "$work/small"
    exits 0 "with more space the same add succeeds" on_small add small/much "$work/much"
    same "and comes back" "$(sha256 <"$work/much")" "$(on_small cat small/much 2>"$work/stderr" | sha256)"
    mount -o remount,ro "$work/small"
    refuses 1 'read-only' "a disk that is read-only is named" on_small add small/second "$work/second"
    exits 0 "list works on it" on_small list
    exits 0 "check, too" on_small check
    same "and cat" "$(sha256 <"$work/first")" "$(on_small cat small/first 2>"$work/stderr" | sha256)"
    rm -f "$work/much"
else
    skip "a full disk and a read-only one: only root can mount them"
fi

# as_user COMMAND... : as somebody who may read the repository and not write
cp "$REPO_BIN" "$work/repo-for-all"
chmod 755 "$work/repo-for-all"
cp -rp "$R" "$work/locked"
if is_root_here; then
    chown -R 65534:65534 "$work/locked"
    install -o 65534 -m 600 "$REPO_PASSWORD_FILE" "$work/user.password"
    install -d -o 65534 "$work/user"
    as_user() {
        setpriv --reuid=65534 --regid=65534 --clear-groups env -C "$work/user" XDG_CACHE_HOME="$work/user" HOME="$work/user" \
            REPO_REPOSITORY="$work/locked" REPO_PASSWORD_FILE="$work/user.password" "$@"
    }
else
    as_user() { env REPO_REPOSITORY="$work/locked" "$@"; }
fi
chmod -R a-w "$work/locked"
refuses 1 'permission|denied|read-only' "a repository that may not be written" as_user "$work/repo-for-all" add shop/x --tag t -- echo data
exits 0 "can still be listed" as_user "$work/repo-for-all" list
same "and read" "$want" "$(as_user "$work/repo-for-all" cat shop/first 2>"$work/stderr" | sha256)"
chmod -R 000 "$work/locked"
refuses '1|10' 'permission|denied' "one that may not even be read" as_user "$work/repo-for-all" list
chmod -R u+rwX "$work/locked"

# --- signals

for pair in INT:130 TERM:143; do
    exits "${pair#*:}" "SIG${pair%:*} in the middle of an add" \
        "$python" "$support/interrupt.py" "${pair%:*}" 40000000 "$REPO_BIN" add shop/interrupted
    fact "ends without a crash" test -z "$(grep -aE 'Fatal error|Stack dump|\*\*\* ' "$work/stderr")"
done
same "and commits nothing" 0 "$(snapshots shop/interrupted)"
exits 0 "the repository is sound" repo check --read-data
still_there "nothing is lost"
repo cat shop/first 2>"$work/stderr" | head -c 10 >"$work/read"
same "a reader that stops reading does no harm" 10 "$(stat -c %s "$work/read")"
finish
