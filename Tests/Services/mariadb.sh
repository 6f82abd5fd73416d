#!/usr/bin/env bash
# A private MariaDB server: own data, own socket, own port of 127.0.0.1, binary log on. Whoever starts it is its
# administrator over the socket; over TCP nobody has an account until a test makes one.
#
#   mariadb.sh start DIR [MARIADBD-OPTION...]    starts, or finds running, and prints
#                                                MARIADB_CONFIG (for --defaults-file), _SOCKET, _PORT, _USER, _DATA, _PID
#   mariadb.sh stop DIR                          stops it; DIR/data stays and the next start uses it again
#
# DIR/data may hold a restored data directory beforehand.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || fail "usage: mariadb.sh start|stop DIR"
verb=$1
DIR=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
PATH=$PATH:/usr/sbin:/usr/local/sbin

configure() {
    local socket=$1 port=$2
    cat >"$DIR/my.cnf" <<END
[mariadbd]
datadir = $DIR/data
socket = $socket
port = $port
bind-address = 127.0.0.1
pid-file = $DIR/mariadbd.pid
user = $(id -un)
skip-name-resolve
server-id = 1
log-bin = $DIR/data/mariadb-bin
binlog-format = ROW
gtid-strict-mode = 1
event-scheduler = OFF
performance-schema = 0
innodb-buffer-pool-size = 64M
innodb-log-file-size = 16M
innodb-flush-log-at-trx-commit = 0
sync-binlog = 0
key-buffer-size = 8M
aria-pagecache-buffer-size = 8M
max-allowed-packet = 64M

[client]
socket = $socket
user = $(id -un)
default-character-set = utf8mb4
loose-max-allowed-packet = 64M
END
}

start() {
    if is_running; then
        cat "$DIR/env"
        return
    fi
    need mariadb-server mariadb-client mariadb-backup python3
    # the address of a socket holds 107 bytes
    local socket=$DIR/socket
    [ ${#socket} -le 100 ] || socket=$(mktemp -d)/socket
    if [ ! -d "$DIR/data/mysql" ]; then
        mkdir -p "$DIR/data"
        mariadb-install-db --no-defaults --datadir="$DIR/data" --user="$(id -un)" --skip-test-db \
            --auth-root-authentication-method=socket --auth-root-socket-user="$(id -un)" \
            >"$DIR/install.log" 2>&1 || fail "mariadb-install-db failed: $(tail -n 3 "$DIR/install.log")"
    fi
    local attempt port pid
    # between choosing a port and taking it somebody else may have been quicker
    for attempt in 1 2 3; do
        port=$(free_port)
        configure "$socket" "$port"
        setsid mariadbd --defaults-file="$DIR/my.cnf" "$@" >"$DIR/server.log" 2>&1 </dev/null &
        pid=$!
        echo "$pid" >"$DIR/pid"
        if answers 120 "$pid" mariadb-admin --defaults-file="$DIR/my.cnf" ping; then
            tell MARIADB_CONFIG="$DIR/my.cnf" MARIADB_SOCKET="$socket" MARIADB_PORT="$port" \
                MARIADB_USER="$(id -un)" MARIADB_DATA="$DIR/data" MARIADB_PID="$pid"
            return
        fi
        stop KILL
        grep -q 'Address already in use' "$DIR/server.log" || break
    done
    fail "the server did not come up (attempt $attempt): $(tail -n 5 "$DIR/server.log")"
}

case $verb in
    start) start "$@" ;;
    stop) stop TERM ;;
    *) fail "usage: mariadb.sh start|stop DIR" ;;
esac
