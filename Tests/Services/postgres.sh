#!/usr/bin/env bash
# A private PostgreSQL server: own data, own socket, own port of 127.0.0.1. Whoever may enter DIR/socket is its
# superuser; over TCP a password is asked that nobody has until a test sets one.
#
#   postgres.sh start DIR [POSTGRES-OPTION...]   starts, or finds running, and prints PGHOST (the socket's directory),
#                                                PGPORT, PGUSER, PGBIN, PGDATA and POSTGRES_ACCOUNT, POSTGRES_PID
#   postgres.sh stop DIR                         stops it; DIR/data stays and the next start uses it again
#
# The server refuses to run as root: for root it runs as `postgres`, who must be able to enter DIR.
# POSTGRES_BIN=DIR : the programs of another version than Debian's.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || fail "usage: postgres.sh start|stop DIR"
verb=$1
DIR=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2

account=$(id -un)
[ "$account" != root ] || account=postgres

# as_account COMMAND... : as the user that the server runs as
as_account() {
    if [ "$account" = "$(id -un)" ]; then
        (cd "$DIR" && exec "$@")
    else
        (cd "$DIR" && exec setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups env HOME="$DIR" "$@")
    fi
}

start() {
    if is_running; then
        cat "$DIR/env"
        return
    fi
    local bin=${POSTGRES_BIN:-}
    if [ -z "$bin" ]; then
        need postgresql-15 postgresql-client-15 python3
        bin=/usr/lib/postgresql/15/bin
    fi
    mkdir -p "$DIR/data"
    local socket=$DIR/socket
    [ ${#socket} -le 80 ] || socket=$(mktemp -d)
    mkdir -p "$socket"
    touch "$DIR/server.log"
    if [ "$account" != "$(id -un)" ]; then
        chown "$account" "$DIR" "$socket" "$DIR/server.log"
        [ -e "$DIR/data/PG_VERSION" ] || chown "$account" "$DIR/data"
        setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups test -x "$DIR" ||
            fail "user $account cannot enter $DIR: a directory above it is closed"
    fi
    as_account chmod 700 "$socket"
    if [ ! -e "$DIR/data/PG_VERSION" ]; then
        as_account "$bin/initdb" -D "$DIR/data" -U postgres --auth-local=trust --auth-host=scram-sha-256 \
            --data-checksums --encoding=UTF8 --locale=C.UTF-8 --no-sync \
            >"$DIR/install.log" 2>&1 || fail "initdb failed: $(tail -n 3 "$DIR/install.log")"
    fi
    local attempt port pid
    for attempt in 1 2 3; do
        port=$(free_port)
        : >"$DIR/server.log"
        as_account "$bin/postgres" -D "$DIR/data" -c listen_addresses=127.0.0.1 -c port="$port" \
            -c unix_socket_directories="$socket" -c unix_socket_permissions=0700 -c shared_buffers=64MB \
            -c wal_level=replica -c max_wal_senders=5 -c fsync=off -c log_min_messages=warning \
            -c jit=off -c timezone=UTC "$@" >>"$DIR/server.log" 2>&1 </dev/null &
        pid=$!
        if answers 120 "$pid" "$bin/psql" -X -h "$socket" -p "$port" -U postgres -c 'select 1' postgres; then
            # $! may be a shell around it; the server itself wrote its own pid
            head -n 1 "$DIR/data/postmaster.pid" >"$DIR/pid"
            tell PGHOST="$socket" PGPORT="$port" PGUSER=postgres PGBIN="$bin" PGDATA="$DIR/data" \
                POSTGRES_ACCOUNT="$account" POSTGRES_PID="$(cat "$DIR/pid")"
            return
        fi
        ! is_alive "$pid" || kill -KILL "$pid"
        grep -q 'Address already in use' "$DIR/server.log" || break
    done
    fail "the server did not come up (attempt $attempt): $(tail -n 5 "$DIR/server.log")"
}

case $verb in
    start) start "$@" ;;
    stop) stop INT ;; # INT asks for a fast shutdown: open sessions are ended
    *) fail "usage: postgres.sh start|stop DIR" ;;
esac
