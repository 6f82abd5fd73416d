#!/usr/bin/env bash
# A private object store that speaks S3: moto, which keeps all in memory and checks no signature. It is installed from
# PyPI into .build, once.
#
#   moto.sh start DIR    starts, or finds running, and prints S3_ENDPOINT, S3_BUCKET and the AWS_ variables
#                        a client needs
#   moto.sh stop DIR     stops it; everything in it is gone
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || fail "usage: moto.sh start|stop DIR"
verb=$1
DIR=$(mkdir -p "$2" && cd "$2" && pwd)
venv=$(cd "$(dirname "$0")/../.." && pwd)/.build/moto-venv

start() {
    if is_running; then
        cat "$DIR/env"
        return
    fi
    need python3 python3-venv
    if [ ! -x "$venv/bin/moto_server" ]; then
        python3 -m venv "$venv" >"$DIR/install.log" 2>&1 || fail "python3 makes no virtual environment"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'moto[s3,server]==5.2.5' \
            >>"$DIR/install.log" 2>&1 || fail "PyPI does not give moto: $(tail -n 2 "$DIR/install.log")"
    fi
    local attempt port pid
    for attempt in 1 2 3; do
        port=$(free_port)
        setsid "$venv/bin/moto_server" -H 127.0.0.1 -p "$port" >"$DIR/server.log" 2>&1 </dev/null &
        pid=$!
        echo "$pid" >"$DIR/pid"
        if answers 60 "$pid" port_answers "$port"; then
            export S3_ENDPOINT=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
            python3 "$services/s3.py" PUT /backup </dev/null || fail "the bucket is not made"
            tell S3_ENDPOINT="$S3_ENDPOINT" S3_BUCKET=backup AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
                AWS_REGION=us-east-1
            return
        fi
        stop KILL
    done
    fail "the server did not come up (attempt $attempt): $(tail -n 5 "$DIR/server.log")"
}

case $verb in
    start) start ;;
    stop) stop TERM ;;
    *) fail "usage: moto.sh start|stop DIR" ;;
esac
