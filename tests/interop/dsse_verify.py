"""Checks a receipt of ours with software that others wrote.

    cargo run -p symbolon-receipt --example receipt_sample -- DIR
    python3 dsse_verify.py DIR        (pip: securesystemslib, cryptography; in-toto-attestation if there)

Offline. securesystemslib verifies the DSSE envelope; Python's hashlib and `cryptography` verify the
checkpoint and the inclusion proof of the bundle by the RFCs, with no code of ours. Every check is
also run on a changed input, which must be refused. Ends with status 1 on the first failure.
"""
import base64, copy, hashlib, json, pathlib, sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

folder = pathlib.Path(sys.argv[1])
raw = bytes.fromhex((folder / "key.hex").read_text().strip())
envelope = json.loads((folder / "envelope.json").read_text())
bundle = json.loads((folder / "bundle.json").read_text())


def must_refuse(name, check, value):
    try:
        check(value)
    except Exception as error:  # any refusal is one
        print(f"  {name}: refused ({type(error).__name__})")
    else:
        sys.exit(f"{name}: ACCEPTED")


def dsse(value):
    keyid = hashlib.sha256(raw).hexdigest()
    key = SSlibKey(keyid, "ed25519", "ed25519", {"public": raw.hex()})
    verified = Envelope.from_dict(copy.deepcopy(value)).verify([key], 1)
    assert list(verified) == [keyid]


def statement(payload):
    value = json.loads(payload)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://symbolon.dev/receipt/v1"
    assert len(value["subject"][0]["digest"]["sha256"]) == 64
    try:
        from google.protobuf import json_format
        from in_toto_attestation.v1 import statement_pb2
        from in_toto_attestation.v1.statement import Statement
    except ImportError:
        print("  in-toto-attestation is not installed: form checked by hand alone")
        return
    Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement())).validate()
    print("  in-toto-attestation: valid statement")


def checkpoint(note):
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    name, signature = signatures.strip().removeprefix("\u2014 ").split(" ")
    signature = base64.b64decode(signature)
    assert name == origin
    assert signature[:4] == hashlib.sha256(origin.encode() + b"\n\x01" + raw).digest()[:4]
    Ed25519PublicKey.from_public_bytes(raw).verify(signature[4:], text.encode())
    return int(size), base64.b64decode(root)


def inclusion(value):
    """RFC 9162, section 2.1.3.2."""
    size, root = checkpoint(value["log"]["checkpoint"])
    payload = base64.b64decode(value["dsseEnvelope"]["payload"], validate=True)
    fn, sn = value["log"]["index"], size - 1
    assert fn <= sn
    found = hashlib.sha256(b"\x00" + payload).digest()
    for sibling in map(bytes.fromhex, value["log"]["path"]):
        assert sn != 0
        if fn & 1 or fn == sn:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0 and found == root


def changed(path, value, change):
    value = copy.deepcopy(value)
    at = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = change(at[path[-1]])
    return value


def flip(text):
    data = bytearray(base64.b64decode(text))
    data[-2] ^= 1
    return base64.b64encode(bytes(data)).decode()


print("securesystemslib: DSSE envelope")
dsse(envelope)
dsse(bundle["dsseEnvelope"])
assert envelope == bundle["dsseEnvelope"]
must_refuse("changed payload", dsse, changed(["payload"], envelope, flip))
must_refuse("changed signature", dsse, changed(["signatures", 0, "sig"], envelope, flip))
print("in-toto statement")
statement(base64.b64decode(envelope["payload"]))
print("checkpoint and inclusion, by the RFCs")
inclusion(bundle)
must_refuse("another index", inclusion, changed(["log", "index"], bundle, lambda i: i - 1))
must_refuse("changed payload", inclusion, changed(["dsseEnvelope", "payload"], bundle, flip))
must_refuse("another size", inclusion, changed(["log", "checkpoint"], bundle, lambda n: n.replace("\n2\n", "\n3\n")))
print("ok")
