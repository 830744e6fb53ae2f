"""Verifies the DSSE envelope in a receipt with securesystemslib, and prints the statement.

usage: verify_dsse.py RECEIPT OPERATOR_PUB
"""

import base64
import json
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def envelope_in(value):
    """The envelope, wherever the bundle keeps it."""
    if isinstance(value, dict):
        if {"payload", "payloadType", "signatures"} <= value.keys():
            return value
        value = list(value.values())
    for member in value if isinstance(value, list) else []:
        found = envelope_in(member)
        if found:
            return found
    return None


def key_of(text):
    """A C2SP vkey: name+hash+base64(0x01 || Ed25519 key)."""
    encoded = text.strip().split("+", 2)[2]
    raw = base64.b64decode(encoded, validate=True)
    assert raw[0] == 1 and len(raw) == 33, "not an Ed25519 key"
    return raw[1:]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        envelope = envelope_in(json.load(file))
    with open(sys.argv[2], encoding="utf-8") as file:
        key = key_of(file.read())
    keyid = envelope["signatures"][0].get("keyid", "")
    key = SSlibKey(keyid, "ed25519", "ed25519", {"public": key.hex()})
    for signature in envelope["signatures"]:
        signature.setdefault("keyid", keyid)
    Envelope.from_dict(envelope).verify([key], 1)
    print(base64.b64decode(envelope["payload"]).decode())


main()
