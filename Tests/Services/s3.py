"""s3.py METHOD PATH [HEADER:VALUE...]: sends one signed request to the object store of S3_ENDPOINT, for what tests set up
and `repo` never does: buckets, policies, versions. PATH is /bucket/key?query; standard input is the body of a
PUT or POST. Prints the answer's body, of a HEAD its headers; exits 1 and names the status where it is no success."""
import hashlib
import hmac
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode

method, target, extra = sys.argv[1], sys.argv[2], sys.argv[3:]
body = sys.stdin.buffer.read() if method in ("PUT", "POST") else b""
endpoint, region = os.environ["S3_ENDPOINT"], os.environ.get("AWS_REGION", "us-east-1")
path, _, query = target.partition("?")
quote, unquote = urllib.parse.quote, urllib.parse.unquote
pairs = sorted("=".join(quote(unquote(word), safe="-._~") for word in pair.partition("=")[::2])
               for pair in query.split("&") if pair)
stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
headers = {"host": urllib.parse.urlsplit(endpoint).netloc, "x-amz-date": stamp, "content-type": "application/octet-stream",
           "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
if body:
    headers["content-md5"] = b64encode(hashlib.md5(body).digest()).decode()
for line in extra:
    name, _, value = line.partition(":")
    headers[name.lower()] = value
names = sorted(headers)
canonical = "\n".join([method, path, "&".join(pairs), *(f"{name}:{headers[name]}" for name in names), "", ";".join(names),
                       headers["x-amz-content-sha256"]])
scope = f"{stamp[:8]}/{region}/s3/aws4_request"
key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
for part in scope.split("/"):
    key = hmac.digest(key, part.encode(), "sha256")
text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                            f"SignedHeaders={';'.join(names)}, Signature={hmac.digest(key, text.encode(), 'sha256').hex()}")
url = endpoint + path + ("?" + "&".join(pairs) if pairs else "")
request = urllib.request.Request(url, method=method, headers=headers, data=body if method in ("PUT", "POST") else None)
try:
    with urllib.request.urlopen(request, timeout=60) as answer:
        if method == "HEAD":
            print(answer.headers, end="")
        sys.stdout.buffer.write(answer.read())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode(errors="replace"), file=sys.stderr)
    sys.exit(1)
