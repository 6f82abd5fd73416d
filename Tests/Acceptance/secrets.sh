#!/usr/bin/env bash
# Secrets and plaintext stay inside: passwords, keys and what is saved are looked for in every object, cache, temporary file,
# message, request and command line, in all the forms in which somebody may write them down.
#
# What a store may see is in docs/design.md: lengths, times, numbers and kinds of objects. Passed on to commands is what is
# in the environment of the caller but REPO_PASSWORD and REPO_PASSWORD_COMMAND: the AWS_ variables, too, which a command may
# need for itself.
# shellcheck disable=SC2154 # canaries are assigned by eval
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
need python3 python3-venv strace util-linux

list=$work/canary-list
eval "$("$python" "$support/secret_search.py" make "$list" password second wrong command s3_secret s3_token \
    text file_name directory_name link member_text series tag group host label argument reason)"
printf '%032d' 0 >"$work/unused"
outputs=$work/outputs # all that the program says, but for what it was asked to give back
mkdir "$outputs" "$work/scratch/tmp"
said=0

# search NAMES PATH... : those that are found
search() { "$python" "$support/secret_search.py" search "$list" "$@"; }

# inside FACT NAMES PATH... : none of them is there
inside() {
    local name=$1
    shift
    same "$name" "" "$(search "$@" 2>&1 | head -n 5)"
}

# says STATUSES FACT COMMAND... : as `exits`, and keeps what is said
says() {
    local outcome=0
    exits "$@" || outcome=1
    said=$((said + 1))
    cat "$work/stdout" "$work/stderr" >"$outputs/$said"
    return $outcome
}

same "the search finds all forms of all canaries" "$("$python" "$support/secret_search.py" write "$list" "$work/forms")" \
    "$(search all "$work/forms" | sort -u | wc -l)"
rm "$work/forms"

# --- a repository, with everything that has a name

umask 000
export XDG_CACHE_HOME=$work/cache TMPDIR=$work/scratch/tmp
R=$work/r
export REPO_REPOSITORY=$R
recovery=$work/r.recovery
export REPO_PASSWORD=$password
says 0 "init, under a mask that forbids nothing" repo init --recovery-key-file "$recovery" --label "$label"
grep -v '^#' "$recovery" | tr -d '\n' >"$work/recovery.line"
tr -d '-' <"$work/recovery.line" >"$work/recovery.digits"
decoder_python=$("$root/Tests/Decoder/python.sh" 2>"$work/stderr") || {
    not_ok "there is a Python that the decoder runs on"
    finish
}
export PYTHONDONTWRITEBYTECODE=1
"$decoder_python" -c 'import sys; sys.path.insert(0, sys.argv[1]); import decoder
sys.stdout.buffer.write(decoder.recovery_key(open(sys.argv[2]).read()))' "$root/Tests/Decoder" "$recovery" >"$work/root.key"
for name in recovery.line recovery.digits root.key; do
    "$python" "$support/secret_search.py" take "$list" "${name/./_}" "$work/$name"
    rm "$work/$name"
done
says 0 "a key file is made" repo key add --kind full --new-key-file "$work/full.key" --generate --label "$label"
"$python" "$support/secret_search.py" take "$list" key_file "$work/full.key"
says 0 "and one of a host" repo key add --kind write --new-key-file "$work/write.key" --generate --label "$label"
"$python" "$support/secret_search.py" take "$list" write_key_file "$work/write.key"
printf '%s\n' "$second" >"$work/second.file"
says 0 "a second password, from a command" repo key add --new-password-command "cat '$work/second.file' # $command"
secret="password second wrong s3_secret s3_token recovery_line recovery_digits root_key key_file write_key_file"

mkdir -p "$work/in/$directory_name"
{ seq 20000 && for ((n = 0; n < 200; n++)); do echo "row $n: $text"; done; } >"$work/stream"
echo "$member_text" >"$work/in/$directory_name/$file_name"
ln -s "$link" "$work/in/$directory_name/link"
tar -C "$work/in" -cf "$work/stream.tar" .

# A producer that tells what it was given, and then what it saves. Nothing of it is among the program's words.
cat >"$work/producer" <<'END_OF_SCRIPT'
#!/bin/sh
tr '\0' '\n' </proc/self/environ >"$1/environ"
tr '\0' '\n' </proc/$PPID/cmdline >"$1/cmdline"
tr '\0' '\n' </proc/$PPID/environ >"$1/environ-of-the-program" 2>/dev/null
ls -l /proc/self/fd >"$1/descriptors"
case $2 in
    give) cat "$3" ;;
    take) cat >/dev/null ;;
    die) head -c 100000 "$3" && kill -KILL $$ ;;
esac
END_OF_SCRIPT
chmod 755 "$work/producer"

# what is open in every command of this script
ls -l /proc/self/fd >"$work/left-open"
opened() { sed -n 's/.* \([0-9]*\) -> .*/\1/p' "$1"; }

# told DIRECTORY FACT : a command got no secret, and nothing of the program's but three descriptors
told() {
    fact "$2 looked" test -s "$1/environ" -a -s "$1/cmdline" -a -s "$1/descriptors"
    fact "$2 has no REPO_PASSWORD" test -z "$(grep -E '^REPO_PASSWORD(_COMMAND)?=' "$1/environ")"
    inside "$2 is given no password or key, nor finds one in the command line or the environment of the program" \
        "$secret -s3_secret -s3_token" "$1"
    # the third is that of what lists them; and what whoever runs this left open is not the program's
    same "$2 has three descriptors" "0 1 2 3" "$(opened "$1/descriptors" | grep -vxFf <(opened "$work/left-open" | grep -vxE '[0-3]') | xargs)"
}

says 0 "a file goes in" repo add "a/$series" "$work/stream" --tag "$tag" --group "$group" --host "$host"
says 0 "a pipe" sh -c "'$REPO_BIN' add 'a/$series' --format raw <'$work/stream.tar'"
mkdir "$work/told-add" "$work/told-die" "$work/told-restore" "$work/told-password"
says 0 "a command" repo add "c/$series" --format raw -- "$work/producer" "$work/told-add" give "$work/stream" "$argument"
told "$work/told-add" "a command that is saved"
says 4 "a command that is killed" repo add "c/$series" --format raw -- "$work/producer" "$work/told-die" die "$work/stream"
told "$work/told-die" "it, too,"
says 0 "files" repo add "f/$series" --files "$work/in"
says 0 "files once more" repo add "f/$series" --kind incremental --files "$work/in"
says 0 "a host adds" env -u REPO_PASSWORD REPO_KEY_FILE="$work/write.key" "$REPO_BIN" add "h/$series" "$work/stream" --format raw
says 0 "a hold" repo hold add "h$tag" --match "f/*" --forever --reason "$reason"
says 0 "a policy" repo policy set "a/$series" --keep-last 1
says 0 "what was saved is given to a command" repo restore "c/$series" -- "$work/producer" "$work/told-restore" take
told "$work/told-restore" "a command that is restored to"
says 0 "the password of a command opens" env -u REPO_PASSWORD REPO_PASSWORD_COMMAND="$work/producer $work/told-password none; cat $work/second.file" \
    "$REPO_BIN" check --read-data --json
told "$work/told-password" "the command that gives a password"

# --- what comes back, under the names that it has

same "the stream comes back" "$(sha256 <"$work/stream")" "$(repo cat "c/$series" 2>"$work/stderr" | sha256)"
cat "$work/stderr" >"$outputs/cat"
says 0 "restored" repo restore "c/$series" --to "$work/back-stream"
says 0 "files, too" repo restore "f/$series" --to "$work/back"
same "bit by bit" "$member_text" "$(cat "$work/back$work/in/$directory_name/$file_name")"
run repo list --json
fact "the names are in the list" grep -q "$series" "$work/stdout"

# --- what goes wrong

says 12 "a wrong password in the environment" env REPO_PASSWORD="$wrong" "$REPO_BIN" list
unset REPO_PASSWORD
says 12 "one from a command" repo list --password-command "echo '$wrong'"
says '1|12' "a command that fails when it has said a password" repo list --password-command "echo '$password'; exit 3"
says '1|2|12' "a password that is too long" repo list --password-command "for n in \$(seq 200); do printf '$password'; done"
printf '%s' "$password" >"$work/password.file"
says '1|2|12' "a password file taken for a key file" repo list --key-file "$work/password.file"
says '1|2|12' "a key file taken for a recovery key" repo list --recovery-key-file "$work/full.key"
sed 's/[0-9A-Z]$/_/' "$recovery" >"$work/recovery.bad"
says '1|2|12' "a recovery key with a wrong character" repo list --recovery-key-file "$work/recovery.bad"
export REPO_KEY_FILE=$work/full.key
says '1|2' "a password where none is expected" repo add "a/$series" --tag x "$work/nowhere"
cp -rp "$R" "$work/damaged"
find "$work/damaged" -type f ! -name config ! -path '*/keys/*' | sort | while IFS= read -r object; do
    "$python" "$support/damage.py" flip "$object" "$SEED" >/dev/null
done
for words in list "check --read-data" "cat c/$series" "show c/$series" "prune --grace 0" "add a/$series $work/stream"; do
    # shellcheck disable=SC2086
    says '0|1|3|5|6|7' "everything is damaged: ${words%% *}" repo -r "$work/damaged" --cache-dir "$work/cache-of-damaged" --json $words
done
rm -rf "$work/damaged"

# --- while it runs: killed in the middle; what the system can be asked

# held SERIES : an add that has taken what it was given and waits for more; its process is $holding_on, 7 the pipe
held() {
    rm -f "$work/pipe"
    mkfifo "$work/pipe"
    : >"$work/before"
    env -u REPO_KEY_FILE REPO_PASSWORD="$password" "$REPO_BIN" add "$1" --format raw <"$work/pipe" >"$work/held.out" 2>&1 &
    holding_on=$!
    exec 7>"$work/pipe"
    # more than the pipe holds, so when this returns it was read, after the password
    for ((n = 0; n < 40; n++)); do cat "$work/stream" "$work/stream.tar"; done >&7
    head -c 40000000 /dev/urandom >&7
}

held "k/$series"
tr '\0' '\n' <"/proc/$holding_on/environ" >"$work/environ"
tr '\0' '\n' <"/proc/$holding_on/cmdline" >"$work/cmdline"
fact "while it runs its environment can be read" grep -q '^REPO_REPOSITORY=' "$work/environ"
inside "which has the password no more" "$secret" "$work/environ" "$work/cmdline"
same "it has no file that has no name" "" "$(find "/proc/$holding_on/fd" -lname '*(deleted)' -printf '%l\n' | grep -v '^/dev/')"
{ kill -KILL "$holding_on" && wait "$holding_on"; } 2>"$work/stderr"
exec 7>&-
fact "an add that is killed has left something" test -n "$(find "$R/tmp" "$R/packs" -type f -newer "$work/before")"

if is_root_here; then
    # as an ordinary user: the program of this user that runs and was not given away
    install -m 755 "$REPO_BIN" "$work/repo-for-all"
    install -d -o 65534 -m 700 "$work/user"
    install -o 65534 -m 600 "$work/full.key" "$work/user/key"
    # shellcheck disable=SC2317 # facts call it
    as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups env -C "$work/user" HOME="$work/user" XDG_CACHE_HOME="$work/user" "$@"; }
else
    cp "$REPO_BIN" "$work/repo-for-all"
    mkdir -p "$work/user"
    cp "$work/full.key" "$work/user/key"
    # shellcheck disable=SC2317
    as_user() { env -C "$work/user" "$@"; }
fi
says 0 "an ordinary user has a repository" as_user "$work/repo-for-all" init "$work/user/r" --key-file "$work/user/key" \
    --recovery-key-file "$work/user/recovery"
rm -f "$work/pipe"
mkfifo "$work/pipe"
# exec: so that $! is the program
(
    if is_root_here; then
        cd "$work/user" && exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$work/user" \
            XDG_CACHE_HOME="$work/user" "$work/repo-for-all" -r "$work/user/r" --key-file "$work/user/key" add x --format raw
    fi
    exec "$work/repo-for-all" -r "$work/user/r" --key-file "$work/user/key" add x --format raw
) <"$work/pipe" >"$work/held.out" 2>&1 &
program=$!
exec 7>"$work/pipe"
head -c 1000000 "$work/stream" >&7
cat "$work/stream.tar" "$work/stream.tar" "$work/stream.tar" >&7
same "it runs" repo-for-all "$(cat "/proc/$program/comm")"
for file in mem environ maps auxv; do
    fact "the same user cannot read its $file" as_user sh -c "! head -c 100 /proc/$program/$file >/dev/null 2>&1"
done
fact "nor trace it" as_user sh -c "! timeout 10 strace -o /dev/null -p $program -e trace=none 2>/dev/null"
# shellcheck disable=SC2016
fact "of an ordinary process it could" as_user sh -c 'sleep 60 & head -c 100 /proc/$!/environ >/dev/null; got=$?; kill $!; exit $got'
exec 7>&-
wait "$program"
same "and it ends well" 0 $?
control=$(cd "$work/scratch/tmp" && "$python" "$support/secret_search.py" dies SEGV sha256sum)
if [ "$control" = "core 11" ]; then
    for name in SEGV:11 ABRT:6 QUIT:3; do
        same "SIG${name%:*} leaves no memory on the disk" "no core ${name#*:}" \
            "$(cd "$work/scratch/tmp" && "$python" "$support/secret_search.py" dies "${name%:*}" "$REPO_BIN" add "k/$series" --format raw 2>/dev/null)"
    done
else
    skip "memory on the disk: this system writes none of any program ($control)"
fi
find "$work/scratch/tmp" -name 'core*' -delete

# --- what it hands to the system: every byte that it writes and sends

# traced LOG COMMAND... : all that is written, sent and made
traced() {
    local log=$1
    shift
    strace -f -qq -y -s 40000000 -o "$log" -e trace=write,pwrite64,writev,pwritev,sendto,sendmsg,openat,open,creat,memfd_create \
        -e signal=none "$@" >"$work/stdout" 2>"$work/stderr"
}

# Text in the log is as it was written.
if traced "$work/log" "$REPO_BIN" add "t/$series" --format raw "$work/stream.tar"; then
    # what strace itself was told, and names of files it reads, are not writes; nor are the words of a summary
    grep -E '^[0-9]+ +(write|pwrite64|writev|pwritev|sendto|sendmsg)\(' "$work/log" | grep -vE '\((1|2)<' >"$work/writes"
    fact "writes are seen" grep -q "$R/tmp/" "$work/writes"
    inside "no write of an add has anything of what it saves" "all" "$work/writes"
    grep -E 'O_CREAT|O_TMPFILE|memfd_create|creat\(' "$work/log" >"$work/made"
    same "all that an add makes is in the repository or in the cache" "" \
        "$(grep -vE "\"($R|$XDG_CACHE_HOME)/" "$work/made" | head -n 3)"
    same "for its owner alone" "" "$(grep -v ', 0600) ' "$work/made" | grep -v 'unfinished' | head -n 3)"
    traced "$work/log" "$REPO_BIN" restore "t/$series" -- cat
    same "a restore into a command makes no file" "" \
        "$(grep -E 'O_CREAT|O_TMPFILE|memfd_create' "$work/log" | grep -vE "\"$XDG_CACHE_HOME/|/dev/null" | head -n 3)"
    rm -f "$work/log" "$work/writes"
else
    skip "what is written: nothing can be traced here ($(tail -n 1 "$work/stderr"))"
fi

# --- modes

same "all of it is for its owner alone: files 0600, directories 0700" "" \
    "$(find "$R" "$XDG_CACHE_HOME/repo" \( -type f ! -perm 600 -o -type d ! -perm 700 \) -printf '%m %p\n' | head -n 3)"
same "keys, too" "600 600 600" "$(stat -c %a "$recovery" "$work/full.key" "$work/write.key" | xargs)"
same "and a dump that was restored" 600 "$(stat -c %a "$work/back-stream")"

# --- an object store

export AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=$s3_secret AWS_SESSION_TOKEN=$s3_token AWS_EC2_METADATA_DISABLED=true
for words in list "add a/$series $work/stream" "check --json"; do
    # shellcheck disable=SC2086
    timeout 3 "$REPO_BIN" -r s3://bucket/prefix --endpoint http://127.0.0.1:9 $words >"$outputs/unreachable-${words%% *}" 2>&1
done
fact "a store that cannot be reached is said" grep -qi 'connect' "$outputs/unreachable-list" "$outputs/unreachable-add"
start_store moto
export AWS_SECRET_ACCESS_KEY=$s3_secret AWS_SESSION_TOKEN=$s3_token REPO_ENDPOINT=$S3_ENDPOINT REPO_KEY_FILE=$work/full.key
export REPO_REPOSITORY=s3://$S3_BUCKET/secrets
says 0 "a repository in an object store" repo init --recovery-key-file "$work/s3.recovery"
if traced "$work/log" "$REPO_BIN" add "a/$series" "$work/stream" --format raw; then
    grep -E '^[0-9]+ +(write|writev|sendto|sendmsg)\(' "$work/log" | grep -vE '\((1|2)<' >"$work/writes"
    fact "requests are seen" grep -q 'x-amz-content-sha256' "$work/writes"
    # a token is sent with every request: that is what it is for
    inside "no request has the secret, or anything of what is saved" "all -s3_token" "$work/writes"
    rm -f "$work/log" "$work/writes"
fi
says 0 "checked" repo check --read-data
says 1 "a bucket that is not there" repo -r s3://no-such-bucket/x list
says 10 "a prefix that has no repository" repo -r "s3://$S3_BUCKET/elsewhere" list
inside "nor is anything in the copies of packs" "all" "$XDG_CACHE_HOME"
export REPO_REPOSITORY=$R
unset AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

# --- prune, copy, and then all that is left

says 0 "a second repository" repo init "$work/other" --recovery-key-file "$work/other.recovery" --copy-parameters-from "$R" \
    --from-key-file "$work/full.key"
says '0|3' "copied" repo copy --to "$work/other"
says 0 "pruned" repo prune --grace 0 --max-unused 0
says 0 "keys are listed" repo key list --json
says 0 "checked" repo check --read-data
inside "nothing that was saved, no name and no key is in any object or temporary file" "all" \
    "$R" "$work/other" "$work/scratch" "$work/user/r"
# The cache keeps the records of what was dropped as they are, with the names of series. It stays on the machine.
inside "nor in a cache, but for the series of what was dropped" "all -series" "$XDG_CACHE_HOME" "$work/user/repo"
mapfile -t cached < <(find "$XDG_CACHE_HOME" "$work/user/repo" -type f ! -name records-forgotten)
fact "a cache has other files than these" test ${#cached[@]} -gt 10
inside "which stand in one file" "series" "${cached[@]}"
inside "no secret is in all that was said ($(cat "$outputs"/* | wc -c) bytes)" "$secret" "$outputs"
inside "nor anything of what was saved" "text member_text" "$outputs"

"$python" "$support/canaries.py" make "$work/stream" "$work/canaries"
same "the search finds all 1,000 canaries in what lies there unsealed" 1000 \
    "$("$python" "$support/canaries.py" search "$work/canaries" "$work/stream")"
exits 0 "a thousand canaries that are bytes go in" repo add canaries "$work/stream"
same "and come back" "$(sha256 <"$work/stream")" "$(repo cat canaries 2>"$work/stderr" | sha256)"
same "and none is found in any object, cache or temporary file" 0 \
    "$("$python" "$support/canaries.py" search "$work/canaries" "$R" "$XDG_CACHE_HOME" "$work/scratch")"

# --- seals: no key seals two messages under one number

rounds=3
[ "$LONG" = 0 ] || rounds=40
mkdir "$work/states"
for ((n = 0; n < rounds; n++)); do
    head -c 300000 /dev/urandom >"$work/new"
    # eight at once, that save the same at the same time
    adding=()
    for ((m = 0; m < 8; m++)); do
        repo add "same" "$work/new" --format raw --time 2026-11-21T04:16 >"$work/at-once.$m" 2>&1 &
        adding+=($!)
    done
    failed=0
    for m in "${adding[@]}"; do wait "$m" || failed=$((failed + 1)); done
    [ $failed -eq 0 ] || not_ok "eight adds at once" "$failed fail"
    # objects that a prune takes away count as well
    cp -rp "$R" "$work/states/$n"
    repo prune same --keep-last 1 --grace 0 --max-unused 0 >"$work/stdout" 2>"$work/stderr" || not_ok "round $n: prune" "exit $?"
done
"$decoder_python" "$support/seals.py" "$recovery" "$work/states"/* "$R" >"$work/seals" 2>"$work/stderr" || not_ok "seals are read" "exit $?"
of() { sed -n "s/^$1 //p" "$work/seals"; }
fact "$(of envelopes) envelopes, $(of messages) messages and $(of boxes) boxes are looked at" test "$(of envelopes)" -gt $((rounds * 8))
for what in messages names keys salts box_salts; do
    same "no two share their ${what/_/ }" 0 "$(of twice_$what)"
done
finish
