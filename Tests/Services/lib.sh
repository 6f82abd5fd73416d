# shellcheck shell=bash
# Sourced by the scripts beside it, which start private servers that tests may do anything to.
#
# A service keeps all it has in one directory, DIR: data, socket, logs, `pid`, and `env`, the KEY=VALUE lines that
# `start` prints. It never uses systemd or a system account's files, and two of them never meet.

services=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
service=$(basename "$0" .sh)

fail() {
    echo "$service: $*" >&2
    exit 1
}

# need PACKAGE... : installs what is missing, or says that it cannot
need() {
    "$services/../../examples/install-dependencies.sh" "$@" || fail "cannot start without $*"
}

# free_ports COUNT : as many TCP ports of 127.0.0.1 that nobody listens on now, each another: servers that share a port
# (SO_REUSEPORT) would not notice, and answer each other's requests
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
PYTHON
}

free_port() {
    free_ports 1
}

# is_alive PID : still running, and not a zombie that nobody has waited for
is_alive() {
    local state
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
    [ -n "$state" ] && [ "$state" != Z ]
}

# is_running : all processes of DIR are up, as far as their pids tell
is_running() {
    local pid
    [ -s "$DIR/pid" ] && [ -s "$DIR/env" ] || return 1
    while read -r pid; do is_alive "$pid" || return 1; done <"$DIR/pid"
}

# spawn NAME COMMAND... : starts one process of several and sets `spawned`; what it says goes to DIR/NAME.log
spawn() {
    local name=$1
    shift
    setsid "$@" >>"$DIR/$name.log" 2>&1 </dev/null &
    spawned=$!
    echo "$spawned" >>"$DIR/pid"
}

# port_answers PORT : somebody listens there
port_answers() {
    python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1"
}

# answers SECONDS PID COMMAND... : waits until COMMAND succeeds; gives up when the process is gone or time is up
answers() {
    local deadline=$((SECONDS + $1)) pid=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        is_alive "$pid" || return 1
        [ $SECONDS -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# tell KEY=VALUE... : writes DIR/env, quoted so that a shell reads it back, and prints it
tell() {
    local pair
    for pair in "$@"; do
        printf '%s=%q\n' "${pair%%=*}" "${pair#*=}"
    done >"$DIR/env"
    cat "$DIR/env"
}

# stop SIGNAL : asks what runs in DIR to end, what was started last first; waits for 30 s, and insists
stop() {
    [ -s "$DIR/pid" ] || return 0
    local pid tenths
    for pid in $(tac "$DIR/pid"); do
        tenths=0
        kill "-$1" "$pid" 2>/dev/null || true
        while is_alive "$pid"; do
            tenths=$((tenths + 1))
            [ $tenths -ne 300 ] || kill -KILL "$pid" 2>/dev/null || true
            [ $tenths -le 350 ] || fail "process $pid does not end"
            sleep 0.1
        done
    done
    rm -f "$DIR/pid" "$DIR/env"
}
