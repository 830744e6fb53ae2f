"""Makes botocore.json: requests signed by botocore, an implementation that we did not write.

    pip install botocore && python3 make.py > botocore.json
"""
import datetime
import json
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
WHEN = datetime.datetime(2015, 8, 30, 12, 36, 0)

# name, signer's service, region, method, URL, headers, body
CASES = [
    ("get", "service", "us-east-1", "GET", "https://example.amazonaws.com/", {}, b""),
    ("post", "service", "us-east-1", "POST", "https://example.amazonaws.com/", {}, b""),
    ("query order", "service", "us-east-1", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", {}, b""),
    ("query values", "service", "us-east-1", "GET", "https://example.amazonaws.com/?a=b&a=A&a=&b&%C3%A4=1%2B1&c=~-_.", {}, b""),
    ("path encoded twice", "service", "us-east-1", "GET", "https://example.amazonaws.com/a%20b/%C3%A4/c%2Bd", {}, b""),
    ("header blanks", "service", "us-east-1", "GET", "https://example.amazonaws.com/", {"x-amz-meta-a": "  a   b  c ", "X-Amz-Meta-B": "x"}, b""),
    ("json target", "dynamodb", "eu-central-1", "POST", "https://dynamodb.eu-central-1.amazonaws.com/", {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables"}, b"{}"),
    ("form", "sts", "us-west-2", "POST", "https://sts.us-west-2.amazonaws.com/", {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, b"Action=GetCallerIdentity&Version=2011-06-15"),
    ("session token", "sts", "us-west-2", "POST", "https://sts.us-west-2.amazonaws.com/", {}, b"Action=GetCallerIdentity"),
    ("port", "service", "us-east-1", "GET", "https://localhost:5000/things/1", {}, b""),
    ("s3 list", "s3", "eu-west-1", "GET", "https://s3.eu-west-1.amazonaws.com/bucket?list-type=2&prefix=a%2Fb%20c&max-keys=10", {}, b""),
    ("s3 put", "s3", "eu-west-1", "PUT", "https://s3.eu-west-1.amazonaws.com/bucket/a%20b/%C3%A4%2B1.txt", {"content-type": "text/plain"}, b"hello"),
    ("s3 subresource", "s3", "eu-west-1", "GET", "https://s3.eu-west-1.amazonaws.com/bucket?acl", {}, b""),
    ("s3 double slash", "s3", "eu-west-1", "GET", "https://s3.eu-west-1.amazonaws.com/bucket//a/./b", {}, b""),
]


def main():
    out = []
    for name, service, region, method, url, headers, body in CASES:
        token = "SESSION/TOKEN+EXAMPLE==" if name == "session token" else None
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer = kind(Credentials(KEY_ID, SECRET, token), service, region)
        request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
        seen = {}
        canonical = signer.canonical_request

        def keep(request):
            seen["canonical"] = canonical(request)
            return seen["canonical"]

        with mock.patch.object(signer, "canonical_request", keep):
            now = lambda *_, **__: WHEN
            with mock.patch("botocore.auth.get_current_datetime", now):
                signer.add_auth(request)
        signed = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        host = url.split("/")[2]
        values = [[n, host if n == "host" else request.headers[n]] for n in signed]
        rest = url.split("/", 3)[3]
        path, _, query = rest.partition("?")
        out.append({
            "name": name, "unix_ms": 1440938160000, "region": region, "service": service,
            "method": method, "path": "/" + path, "query": query, "headers": values,
            "payload": seen["canonical"].rsplit("\n", 1)[1], "canonical": seen["canonical"],
            "authorization": request.headers["Authorization"],
        })
    print(json.dumps({"key_id": KEY_ID, "secret": SECRET, "cases": out}, indent=1))


main()
