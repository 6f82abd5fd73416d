#!/usr/bin/env bash
# Installs the Debian packages that building and testing need: only those that are missing.
#
#   install-dependencies.sh                what `swift build` needs
#   install-dependencies.sh --tests        and what Tests/run.sh needs: real databases, an object store, compressors, tools
#   install-dependencies.sh --benchmarks   and what Benchmarks/compare.sh needs: the peers
#   install-dependencies.sh PACKAGE...     just these
#
# Silent when nothing is missing. Installs as root or through a sudo that asks nothing; where neither
# is to be had it names what is missing and exits 1.
set -euo pipefail

build=(libssl-dev libzstd-dev zlib1g-dev libisal-dev libcurl4-openssl-dev pkg-config)
tests=(
    mariadb-server mariadb-client mariadb-backup mydumper postgresql-15 postgresql-client-15 sqlite3
    gzip bzip2 xz-utils zstd lz4 pv openssl python3 python3-venv
    swift-proxy swift-account swift-container swift-object memcached
    attr strace rsync tar util-linux bsdutils procps restic tzdata
)
benchmarks=(borgbackup)

wanted=()
for argument in "$@"; do
    case $argument in
        --tests) wanted+=("${tests[@]}") ;;
        --benchmarks) wanted+=("${tests[@]}" "${benchmarks[@]}") ;;
        -h | --help)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
            exit 0
            ;;
        -*)
            echo "install-dependencies: unknown option $argument; there are --tests and --benchmarks" >&2
            exit 2
            ;;
        *) wanted+=("$argument") ;;
    esac
done
case " $* " in
    "  " | *" --tests "* | *" --benchmarks "*) wanted=("${build[@]}" ${wanted[@]+"${wanted[@]}"}) ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "install-dependencies: this is not a Debian system; see to it that these are there: ${wanted[*]}" >&2
    exit 0
fi

installed=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "${wanted[@]}" 2>/dev/null || true) "
missing=()
for package in "${wanted[@]}"; do
    [[ $installed == *" $package=installed "* ]] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        echo "install-dependencies: missing, and only root may install them: ${missing[*]}" >&2
        echo "install-dependencies: apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi

# RUNLEVEL=1 keeps server packages from starting the daemons they bring: the tests start their own.
apt() {
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -qq -o DPkg::Lock::Timeout=600 "$@" </dev/null >"$log" 2>&1
}

echo "installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! apt install -y --no-install-recommends "${missing[@]}"; then
    # most often the lists are too old, or were never fetched
    apt update || true
    if ! apt install -y --no-install-recommends "${missing[@]}"; then
        tail -n 20 "$log" >&2
        echo "install-dependencies: apt-get could not install ${missing[*]}" >&2
        exit 1
    fi
fi
