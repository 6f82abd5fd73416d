#!/usr/bin/env bash
# The way to an object store: whose certificates are trusted, proxies, and credentials that the machine gives.
set -u
# shellcheck source-path=SCRIPTDIR source=support/facts.sh
. "$(dirname "$0")/support/facts.sh"
# shellcheck source-path=SCRIPTDIR source=support/stores.sh
. "$support/stores.sh"
need openssl python3
unset S3_ENDPOINT # what is tried here is the way, not the store
start_store moto

# front NAME WORDS... : one of front.py's, and its port in `port`
front() {
    local pipe=$work/$1.port
    shift
    mkfifo "$pipe"
    "$python" "$support/front.py" "$pipe" "$@" >>"$work/front.log" 2>&1 </dev/null &
    later "kill $!"
    port=$(timeout 30 cat "$pipe")
}

# authority NAME : a certificate authority of our own
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE -keyout "$work/$1.key" -out "$work/$1.pem" 2>>"$work/openssl.log"
}

authority ours
authority another
# of the address, not of the name localhost
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=store -keyout "$work/store.key" \
    -out "$work/store.csr" 2>>"$work/openssl.log"
openssl x509 -req -in "$work/store.csr" -CA "$work/ours.pem" -CAkey "$work/ours.key" -CAcreateserial -days 2 \
    -extfile <(echo subjectAltName=IP:127.0.0.1) -out "$work/store.pem" 2>>"$work/openssl.log"
front tls tls "$work/store.pem" "$work/store.key" "${S3_ENDPOINT##*:}"
tls=$port
front proxy proxy "$work/proxy.log"
proxy=$port
touch "$work/proxy.log"

export REPO_ENDPOINT=https://127.0.0.1:$tls REPO_REPOSITORY=s3://$S3_BUCKET/tls REPO_PASSWORD_FILE=$work/password
echo secret >"$REPO_PASSWORD_FILE"
exits 0 "a store with a certificate of an authority of our own is used" \
    repo init --ca-file "$work/ours.pem" --recovery-key-file "$work/key"
refuses 1 "127.0.0.1:$tls is not to be trusted: .*issuer&&--ca-file" "without the authority it is refused, at once" \
    timeout 10 "$REPO_BIN" list
refuses 1 "not to be trusted" "and with another" timeout 10 "$REPO_BIN" list --ca-file "$work/another.pem"
refuses 1 "cannot be read" "and where the file is not there" timeout 10 "$REPO_BIN" list --ca-file "$work/none.pem"
refuses 1 "localhost:$tls is not to be trusted: .*name" "and under another name than the certificate's" \
    timeout 10 "$REPO_BIN" --endpoint "https://localhost:$tls" list --ca-file "$work/ours.pem"
export REPO_CA_FILE=$work/ours.pem
head -c 5000000 /dev/urandom >"$work/data"
exits 0 "REPO_CA_FILE says the same, and an add goes through" repo add data "$work/data" --format raw
same "and comes back" "$(sha256 <"$work/data")" "$(repo cat data 2>"$work/stderr" | sha256)"

same "without a proxy in the environment none is asked" "" "$(cat "$work/proxy.log")"
exits 0 "https_proxy leads through a proxy" env https_proxy="http://127.0.0.1:$proxy" "$REPO_BIN" list
fact "which sees where it goes, and nothing else" grep -qx "CONNECT 127.0.0.1:$tls HTTP/1.1" "$work/proxy.log"
before=$(wc -l <"$work/proxy.log")
exits 0 "no_proxy leads past it" env https_proxy="http://127.0.0.1:$proxy" no_proxy=127.0.0.1 "$REPO_BIN" list
same "truly" "$before" "$(wc -l <"$work/proxy.log")"
refuses 1 "not to be trusted" "through a proxy certificates count as ever" env -u REPO_CA_FILE \
    https_proxy="http://127.0.0.1:$proxy" timeout 10 "$REPO_BIN" list

echo a.web.token >"$work/token"
# shellcheck disable=SC2317 # exits calls it
as_role() { env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_WEB_IDENTITY_TOKEN_FILE="$work/token" \
    AWS_ROLE_ARN=arn:aws:iam::123456789012:role/backup "$@"; }
exits 0 "a web identity is changed for credentials" as_role env AWS_ENDPOINT_URL_STS="$S3_ENDPOINT" "$REPO_BIN" list
exits 0 "over TLS, with the same authorities" as_role env AWS_ENDPOINT_URL_STS="$REPO_ENDPOINT" "$REPO_BIN" list
refuses 1 "AWS_ENDPOINT_URL_STS" "its token does not leave the machine in plain sight" \
    as_role env AWS_ENDPOINT_URL_STS=http://sts.example.org "$REPO_BIN" list
fact "nor stand in an error" test -z "$(grep web.token "$work/stderr" "$work/stdout")"

front metadata metadata
unset AWS_EC2_METADATA_DISABLED
exits 0 "credentials of the instance are used, and asked for without a proxy" \
    env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY http_proxy="http://127.0.0.1:1" \
    AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:$port" "$REPO_BIN" list
refuses 1 "no credentials" "where there is no instance that is said, soon" \
    env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:1" \
    timeout 10 "$REPO_BIN" list
finish
