#!/usr/bin/env bash
# A private OpenStack Swift with its S3 interface, from Debian: a store on disk that checks all that is signed, and knows
# neither If-None-Match nor Object Lock nor storage classes. One device, one copy; memcached, an account, a container,
# an object and a proxy server. DIR must be on a file system with user attributes.
#
#   swift.sh start DIR   starts, or finds running, and prints S3_ENDPOINT, S3_BUCKET and the AWS_ variables a client needs
#   swift.sh stop DIR    stops it; what is stored stays, and the next start uses it again
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || fail "usage: swift.sh start|stop DIR"
verb=$1
DIR=$(mkdir -p "$2" && cd "$2" && pwd)
# Debian's Swift belongs to Debian's Python
if [ -x /usr/bin/python3 ]; then python=/usr/bin/python3; else python=python3; fi

# make_rings : where things lie: 16 partitions, all of them here. A second start finds its ports in them.
make_rings() {
    "$python" - "$DIR" "$@" >"$DIR/rings.log" 2>&1 <<'PYTHON'
import sys
from swift.common.ring import RingBuilder
for name, port in zip(("account", "container", "object"), map(int, sys.argv[2:])):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "disk", "meta": "", "ip": "127.0.0.1",
                     "port": port, "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(f"{sys.argv[1]}/{name}.ring.gz")
PYTHON
}

# configure_server KIND PORT
configure_server() {
    cat >"$DIR/$1.conf" <<CONFIG
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
user = $(id -un)
workers = 0
swift_dir = $DIR
devices = $DIR/devices
mount_check = false
fallocate_reserve = 0
log_level = WARNING
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
recon_cache_path = $DIR
CONFIG
}

# configure_proxy PORT MEMCACHED-PORT
configure_proxy() {
    cat >"$DIR/proxy.conf" <<CONFIG
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
user = $(id -un)
workers = 0
swift_dir = $DIR
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$2
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
CONFIG
}

# come_up : waits for all of them, and makes the bucket
come_up() {
    local port
    for port in "${ports[@]}"; do answers 60 "$spawned" port_answers "$port" || return 1; done
    answers 60 "$spawned" python3 "$services/s3.py" PUT /backup
}

start() {
    if is_running; then
        cat "$DIR/env"
        return
    fi
    need swift-proxy swift-account swift-container swift-object memcached python3
    mkdir -p "$DIR/devices/disk"
    printf '[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = one\ndefault = yes\n' >"$DIR/swift.conf"
    local attempt kind ports
    for attempt in 1 2 3; do
        rm -f "$DIR/pid"
        # those of the account, container, object and proxy servers, and of memcached
        read -ra ports <<<"$(free_ports 5)"
        make_rings "${ports[@]:0:3}" || fail "no rings: $(tail -n 3 "$DIR/rings.log")"
        configure_server account "${ports[0]}"
        configure_server container "${ports[1]}"
        configure_server object "${ports[2]}"
        configure_proxy "${ports[3]}" "${ports[4]}"
        spawn memcached memcached -l 127.0.0.1 -p "${ports[4]}" -m 32 -u "$(id -un)"
        for kind in account container object proxy; do
            spawn "$kind" "$python" "$(command -v "swift-$kind-server")" "$DIR/$kind.conf" -v
        done
        export S3_ENDPOINT=http://127.0.0.1:${ports[3]} AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing
        if come_up; then
            tell S3_ENDPOINT="$S3_ENDPOINT" S3_BUCKET=backup AWS_ACCESS_KEY_ID=test:tester \
                AWS_SECRET_ACCESS_KEY=testing AWS_REGION=us-east-1
            return
        fi
        stop KILL
    done
    fail "it did not come up (attempt $attempt): $(tail -qn 2 "$DIR"/*.log)"
}

case $verb in
    start) start ;;
    stop) stop TERM ;;
    *) fail "usage: swift.sh start|stop DIR" ;;
esac
