"""Signs requests by PyPI `http-message-signatures` (RFC 9421) and sends them by `requests`.

A line of JSON in: {"method", "url", "seed", "keyid", "body"?, "again"?, "change"?}; a line of JSON out: {"status",
"body"}. `again` sends it so often, byte for byte; `change` names what is changed after it was signed.
"""
import base64
import datetime
import json
import secrets
import sys

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, algorithms


def signed(asked):
    body = asked.get("body")
    headers = {"content-type": "application/json"} if body is not None else {}
    request = requests.Request(asked["method"], asked["url"], data=body, headers=headers).prepare()
    host = request.url.split("/")[2]
    request.headers["Host"] = host
    seed = base64.urlsafe_b64decode(asked["seed"] + "=")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=Keys(key),
    )
    created = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=asked.get("later", 0))
    signer.sign(
        request,
        key_id=asked["keyid"],
        created=created,
        nonce=secrets.token_urlsafe(16),
        covered_component_ids=asked.get("covers", ["@method", "@authority", "@path", "@query"]),
        body=body.encode() if body is not None else None,
    )
    return request


class Keys:
    def __init__(self, key):
        self.key = key

    def resolve_private_key(self, key_id):
        return self.key

    def resolve_public_key(self, key_id):
        return self.key.public_key()


def changed(request, what):
    if what == "query":
        request.url += "&limit=1" if "?" in request.url else "?limit=1"
    elif what == "body":
        request.body += " "
        request.headers["Content-Length"] = str(len(request.body))
    elif what == "signature":
        label, encoded = request.headers["Signature"].rstrip(":").split("=:", 1)
        signature = bytearray(base64.b64decode(encoded, validate=True))
        signature[0] ^= 1
        request.headers["Signature"] = f"{label}=:{base64.b64encode(signature).decode()}:"


with requests.Session() as session:
    session.trust_env = False
    for line in sys.stdin:
        asked = json.loads(line)
        request = signed(asked)
        if "change" in asked:
            changed(request, asked["change"])
        for _ in range(asked.get("again", 0) + 1):
            answer = session.send(request)
        print(json.dumps({"status": answer.status_code, "body": answer.text}), flush=True)
