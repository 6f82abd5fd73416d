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

# make_users : the users owner, writer, reader, maintainer and nobody, with the policies of docs/s3.md for `buckets`. The
# keys of each stand in two lines of $work/NAME.user.
make_users() {
    case $store in
        moto) moto_users ;;
        ceph) ceph_users ;;
        *) return 1 ;;
    esac
}

# policy NAME : as docs/s3.md has it, for all of `buckets`
policy() {
    "$python" - "$root/docs/s3.md" "$1" "${buckets[@]}" <<'END_OF_PYTHON'
import json, re, sys
text, name, buckets = open(sys.argv[1]).read(), sys.argv[2], sys.argv[3:]
policy = json.loads(re.search(r"```json " + name + r"\n(.*?)```", text, re.S).group(1))
for statement in policy["Statement"]:
    statement["Resource"] = [place.replace("BUCKET", bucket) for place in statement["Resource"] for bucket in buckets]
print(json.dumps(policy))
END_OF_PYTHON
}

# moto believes everybody until it is told to check; then it knows users and their policies.
moto_users() {
    local name
    for name in owner writer reader maintainer nobody; do
        case $name in
            owner) echo '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}' ;;
            nobody) ;;
            *) policy "$name" ;;
        esac >"$work/$name.policy"
        "$python" - "$S3_ENDPOINT" "$name" "$work/$name" <<'END_OF_PYTHON' || return 1
import re, sys, urllib.parse, urllib.request
endpoint, name, path = sys.argv[1:]
def ask(**fields):
    request = urllib.request.Request(endpoint, urllib.parse.urlencode(fields).encode(), {
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request"})
    return urllib.request.urlopen(request).read().decode()
ask(Action="CreateUser", UserName=name)
if policy := open(path + ".policy").read():
    ask(Action="PutUserPolicy", UserName=name, PolicyName=name, PolicyDocument=policy)
answer = ask(Action="CreateAccessKey", UserName=name)
with open(path + ".user", "w") as out:
    for field in ("AccessKeyId", "SecretAccessKey"):
        print(re.search(f"<{field}>(.*?)</{field}>", answer).group(1), file=out)
END_OF_PYTHON
    done
    echo 0 | s3 POST /moto-api/reset-auth >"$work/stdout"
}

# The gateway has policies of buckets: the same statements, each for one user.
ceph_users() {
    local name bucket
    for name in writer reader maintainer nobody; do
        radosgw-admin user create --uid="$name" --display-name="$name" --access-key="$name" --secret-key="$name-secret" \
            >"$work/stdout" 2>"$work/stderr" || return 1
        printf '%s\n%s\n' "$name" "$name-secret" >"$work/$name.user"
    done
    printf '%s\n%s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$work/owner.user"
    for name in writer reader maintainer; do policy "$name" >"$work/$name.policy"; done
    for bucket in "${buckets[@]}"; do
        "$python" - "$bucket" "$work" <<'END_OF_PYTHON' | s3 PUT "/$bucket?policy" >"$work/stdout" || return 1
import json, sys
bucket, work = sys.argv[1:]
statements = []
for name in ("writer", "reader", "maintainer"):
    for statement in json.load(open(f"{work}/{name}.policy"))["Statement"]:
        statement["Principal"] = {"AWS": [f"arn:aws:iam:::user/{name}"]}
        statement["Resource"] = [place for place in statement["Resource"] if place.split(":")[-1].split("/")[0] == bucket]
        statements.append(statement)
print(json.dumps({"Version": "2012-10-17", "Statement": statements}))
END_OF_PYTHON
    done
}
