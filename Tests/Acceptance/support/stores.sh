# shellcheck shell=bash
# Sourced behind facts.sh by scripts that talk to object stores.

# start_store NAME : starts a store of Tests/Services and takes its variables for everything that follows; without one
# the script ends here. Where S3_ENDPOINT is set, that store is taken instead.
start_store() {
    # Nothing of the caller's may be found but what is meant.
    unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE AWS_ENDPOINT_URL_STS
    unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY REPO_CA_FILE REPO_OBJECT_LOCK
    export HOME=$work AWS_EC2_METADATA_DISABLED=true
    if [ -n "${S3_ENDPOINT:-}" ]; then
        store=$S3_ENDPOINT
    else
        store=$1
        later "'$services/$store.sh' stop '$work/$store'"
        if ! "$services/$store.sh" start "$work/$store" >"$work/store.env" 2>"$work/stderr"; then
            skip "everything: there is no $store ($(tail -n 1 "$work/stderr"))"
            finish
        fi
        # shellcheck source=/dev/null
        . "$work/store.env"
    fi
    export S3_ENDPOINT S3_BUCKET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION CEPH_CONF=${CEPH_CONF:-}
}

# s3 METHOD PATH [HEADER:VALUE...] : one request of the bucket's owner
s3() {
    "$python" "$services/s3.py" "$@"
}

# conformance : Tests/S3Tests' contract of stores, on this one
conformance() {
    local conditional=
    # A store that cannot refuse to put an object over another is not asked to.
    s3 PUT "/$S3_BUCKET/asked" if-none-match:'*' </dev/null >"$work/asked" 2>&1 && conditional=yes
    (cd "$root" && env ${conditional:+REPO_TEST_S3_CONDITIONAL=yes} REPO_TEST_S3_ENDPOINT="$S3_ENDPOINT" \
        REPO_TEST_S3_BUCKET="$S3_BUCKET" swift test -c release --skip-build --filter 'S3Tests.ConformanceTests')
}
