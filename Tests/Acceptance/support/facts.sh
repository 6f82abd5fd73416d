# shellcheck shell=bash
# Sourced first by every script of Tests/Acceptance. Gives it the program under test, a directory of its own that
# disappears at the end, repositories, and the words in which facts are stated: one line each, `ok - ...` or
# `not ok - ...`, and a non-zero exit when one of them does not hold.
#
#   REPO_BIN   the program under test (default .build/release/repo)
#   LONG=1     the long forms: more rounds, more bytes
#   KEEP=1     leaves the directory behind and names it
#   SEED       of what is random; printed when a fact fails
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
support=$root/Tests/Acceptance/support
services=$root/Tests/Services
script=$(basename "$0" .sh)
REPO_BIN=$(realpath -m "${REPO_BIN:-$root/.build/release/repo}")
LONG=${LONG:-0}
SEED=${SEED:-$RANDOM$RANDOM}
if [ -x /usr/bin/python3 ]; then python=/usr/bin/python3; else python=python3; fi

if [ ! -x "$REPO_BIN" ]; then
    echo "not ok - $script: there is no program $REPO_BIN; build it first: swift build -c release"
    exit 1
fi

# Nothing of the caller's may reach the program.
unset REPO_REPOSITORY REPO_PASSWORD REPO_PASSWORD_FILE REPO_PASSWORD_COMMAND REPO_KEY_FILE REPO_RECOVERY_KEY_FILE \
    REPO_ENDPOINT
export LC_ALL=C.UTF-8 TZ=UTC

work=$(mktemp -d "${TMPDIR:-/tmp}/repo-$script.XXXXXX")
chmod 711 "$work" # PostgreSQL's account has to pass through
export XDG_CACHE_HOME=$work/cache
mkdir "$work/scratch" "$XDG_CACHE_HOME"

holding=0 failing=0 skipping=0
at_exit=()

# later COMMAND : runs COMMAND when the script ends, last registered first
later() {
    at_exit=("$1" "${at_exit[@]}")
}

clean_up() {
    local status=$? command
    trap - EXIT
    for command in ${at_exit[@]+"${at_exit[@]}"}; do
        eval "$command" >/dev/null 2>&1
    done
    if [ "${KEEP:-0}" = 1 ]; then
        echo "# kept: $work"
    else
        chmod -R u+rwX "$work" 2>/dev/null
        rm -rf "$work"
    fi
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

ok() {
    holding=$((holding + 1))
    echo "ok - $*"
}

# not_ok FACT [EXPLANATION...] : and what the program said last
not_ok() {
    failing=$((failing + 1))
    echo "not ok - $1"
    shift
    [ $# -eq 0 ] || printf '#   %s\n' "$@"
    if [ -s "$work/stderr" ]; then
        tail -c 2000 "$work/stderr" | tail -n 6 | sed 's/^/#   | /'
    fi
}

skip() {
    skipping=$((skipping + 1))
    echo "skipped - $*"
}

# fact FACT COMMAND... : holds when COMMAND succeeds
fact() {
    local name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name" "does not hold: $*"; fi
}

# same FACT WANTED GOT
same() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1" "wanted: ${2:0:600}" "got:    ${3:0:600}"
    fi
}

# repo ARG... : the program itself
repo() {
    "$REPO_BIN" "$@"
}

# run COMMAND... : keeps what it says in $work/stdout and $work/stderr and its exit status in $status
run() {
    status=0
    "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
}

# exits STATUSES FACT COMMAND... : COMMAND ends with one of STATUSES (`4`, `1|2`)
exits() {
    local wanted=$1 name=$2
    shift 2
    run "$@"
    if [[ "|$wanted|" == *"|$status|"* ]]; then
        ok "$name (exit $status)"
    else
        not_ok "$name" "exit $status instead of $wanted: $*"
        return 1
    fi
}

# refuses STATUSES WORDS FACT COMMAND... : ends with one of STATUSES, and every one of WORDS (an extended regular
# expression each, separated by `&&`) stands in what it says
refuses() {
    local wanted=$1 words=$2 name=$3 word
    shift 3
    run "$@"
    if [[ "|$wanted|" != *"|$status|"* ]]; then
        not_ok "$name" "exit $status instead of $wanted: $*"
        return 1
    fi
    while IFS= read -r word; do
        if ! grep -aEqi -e "$word" "$work/stderr" "$work/stdout"; then
            not_ok "$name" "exit $status as it should be, but no word of '$word'"
            return 1
        fi
    done < <(printf '%s\n' "${words//&&/$'\n'}")
    if grep -aEq 'Fatal error|Stack dump|\*\*\* |Current stack trace' "$work/stderr"; then
        not_ok "$name" "the program crashed"
        return 1
    fi
    ok "$name (exit $status)"
}

# field TYPE KEY [FILE] : what the last JSON line of TYPE in FILE ($work/stdout) says under KEY: `true`, `null`, a bare
# string; nothing when there is no such line or key
field() {
    "$python" "$support/json_field.py" "$1" "$2" <"${3:-$work/stdout}"
}

# snapshots [SERIES] : how many `list` shows
snapshots() {
    repo list "$@" --json 2>"$work/list.err" | grep -c '"type" *: *"snapshot"'
}

sha256() {
    sha256sum | cut -d' ' -f1
}

# bytes_in DIR : what the files under DIR hold
bytes_in() {
    find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { printf "%d\n", n }'
}

# tree_hash DIR : changes when any name, mode or byte under DIR does
tree_hash() {
    (cd "$1" && find . -printf '%P %y %m %s\n' | sort && find . -type f -print0 | sort -z | xargs -0r sha256sum) | sha256
}

# new_repository NAME : makes $work/NAME with a password and a recovery key, and uses it from now on
new_repository() {
    export REPO_REPOSITORY=$work/$1 REPO_PASSWORD_FILE=$work/$1.password
    unset REPO_RECOVERY_KEY_FILE
    recovery=$work/$1.recovery
    (umask 077 && echo "a password for $1" >"$REPO_PASSWORD_FILE")
    run "$REPO_BIN" init "$REPO_REPOSITORY" --recovery-key-file "$recovery"
    if [ "$status" -ne 0 ]; then
        not_ok "repo init $1" "exit $status"
        finish
    fi
}

# with_recovery_key : opens the repository by its recovery key from now on. That takes no scrypt, so a loop of a
# thousand commands takes seconds instead of minutes.
with_recovery_key() {
    unset REPO_PASSWORD_FILE
    export REPO_RECOVERY_KEY_FILE=$recovery
}

with_password() {
    unset REPO_RECOVERY_KEY_FILE
    export REPO_PASSWORD_FILE=$REPO_REPOSITORY.password
}

# need PACKAGE... : what this script runs besides the program
need() {
    "$root/examples/install-dependencies.sh" "$@" || {
        echo "not ok - $script needs $*"
        exit 1
    }
}

# is_root_here : may mount, make devices and become somebody else
is_root_here() {
    [ "$(id -u)" -eq 0 ]
}

# finish : the last line of every script
finish() {
    [ $failing -eq 0 ] || echo "# seed $SEED"
    echo "# $script: $holding hold, $failing do not, $skipping skipped"
    [ $failing -eq 0 ]
    exit
}
