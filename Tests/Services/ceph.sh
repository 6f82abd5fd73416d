#!/usr/bin/env bash
# A private RADOS gateway of Ceph, from Debian: a store that knows If-None-Match, versions, Object Lock, classes and
# policies, and enforces them. One monitor, one OSD on a sparse file, one gateway; no keys between them.
#
#   ceph.sh start DIR   starts, or finds running, and prints S3_ENDPOINT, S3_BUCKET and the AWS_ variables a client needs,
#                       and CEPH_CONF for radosgw-admin
#   ceph.sh stop DIR    stops it; what is stored stays, and the next start uses it again
#
# It takes 350 MB of packages: Tests/soak.sh starts it, continuous integration does not.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || fail "usage: ceph.sh start|stop DIR"
verb=$1
DIR=$(mkdir -p "$2" && cd "$2" && pwd)

# configure CLUSTER-ID MONITOR-PORT GATEWAY-PORT
configure() {
    cat >"$DIR/ceph.conf" <<CONFIG
[global]
fsid = $1
mon host = [v2:127.0.0.1:$2/0]
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
# the gateway asks for encryption, which would take keys
ms mon client mode = crc
auth allow insecure global id reclaim = false
run dir = $DIR
admin socket = $DIR/\$name.asok
log file = $DIR/\$name.log
mon data = $DIR/mon
mon allow pool size one = true
# a disk that is half full is no trouble here
mon data avail crit = 1
osd data = $DIR/osd
osd objectstore = bluestore
bluestore block size = 21474836480
osd memory target = 1073741824
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
rgw data = $DIR/gateway
rgw frontends = beast endpoint=127.0.0.1:$3
rgw rados pool pg num min = 4
rgw dynamic resharding = false
CONFIG
}

# setup COMMAND... : one step of the first start
setup() {
    timeout 60 "$@" >>"$DIR/setup.log" 2>&1 || fail "$1 failed: $(tail -n 3 "$DIR/setup.log")"
}

has_an_osd() {
    timeout 10 ceph --connect-timeout 5 osd stat | grep -q '1 up'
}

start() {
    if is_running; then
        cat "$DIR/env"
        return
    fi
    need ceph-mon ceph-osd radosgw ceph-common python3
    mkdir -p "$DIR/mon" "$DIR/osd" "$DIR/gateway"
    rm -f "$DIR/pid"
    local first=true id monitor gateway osd class
    [ ! -s "$DIR/monitor" ] || first=false
    # the map of monitors keeps the port of the first start
    $first && echo "$(cat /proc/sys/kernel/random/uuid) $(free_port)" >"$DIR/monitor"
    read -r id monitor <"$DIR/monitor"
    gateway=$(free_port)
    configure "$id" "$monitor" "$gateway"
    export CEPH_CONF=$DIR/ceph.conf
    if $first; then
        setup monmaptool --create --clobber --fsid "$id" --addv a "[v2:127.0.0.1:$monitor]" "$DIR/map"
        setup ceph-mon --mkfs -i a --monmap "$DIR/map"
    fi
    spawn monitor ceph-mon -f -i a
    answers 60 "$spawned" timeout 10 ceph --connect-timeout 5 mon stat || fail "no monitor: $(tail -n 3 "$DIR/monitor.log")"
    if $first; then
        osd=$(cat /proc/sys/kernel/random/uuid)
        setup ceph osd new "$osd"
        setup ceph-osd -i 0 --mkfs --osd-uuid "$osd"
    fi
    spawn osd ceph-osd -f -i 0
    answers 90 "$spawned" has_an_osd || fail "no OSD: $(tail -n 3 "$DIR/osd.log")"
    if $first; then
        setup radosgw-admin user create --uid=owner --display-name=owner --access-key=owner --secret-key=owner-secret
        for class in STANDARD_IA GLACIER; do
            setup radosgw-admin zonegroup placement add --rgw-zonegroup default --placement-id default-placement \
                --storage-class "$class"
            setup radosgw-admin zone placement add --rgw-zone default --placement-id default-placement \
                --storage-class "$class" --data-pool default.rgw.buckets.data
        done
    fi
    spawn gateway radosgw -f -n client.rgw
    export S3_ENDPOINT=http://127.0.0.1:$gateway AWS_ACCESS_KEY_ID=owner AWS_SECRET_ACCESS_KEY=owner-secret
    answers 120 "$spawned" python3 "$services/s3.py" PUT /backup || fail "no gateway: $(tail -n 3 "$DIR/gateway.log")"
    tell S3_ENDPOINT="$S3_ENDPOINT" S3_BUCKET=backup AWS_ACCESS_KEY_ID=owner AWS_SECRET_ACCESS_KEY=owner-secret \
        AWS_REGION=us-east-1 CEPH_CONF="$CEPH_CONF"
}

case $verb in
    start) start ;;
    # the monitor and the OSD are asked, the gateway has nothing to save and takes its time
    stop)
        [ "$(wc -l <"$DIR/pid" 2>/dev/null || echo 0)" -ne 3 ] || kill -KILL "$(tail -n 1 "$DIR/pid")" 2>/dev/null || true
        stop TERM
        ;;
    *) fail "usage: ceph.sh start|stop DIR" ;;
esac
