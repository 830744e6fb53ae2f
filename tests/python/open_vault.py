"""Opens a vault with its passphrase by the text of specs/custody.md and specs/envelope.md alone.

Prints a JSON object of the data key and its subkeys, in hex: what a search of memory and disk looks
for. Shares no code with the product, so it also shows that the two specs are enough.

usage: open_vault.py HOME < PASSPHRASE
       open_vault.py --worked-bytes
"""

import base64
import hashlib
import hmac
import json
import sqlite3
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

USES = ["connections", "operator", "state", "tls", "request-state"]


def fields(*parts):
    out = b""
    for part in parts:
        if isinstance(part, int):
            part = part.to_bytes(8, "big")
        elif isinstance(part, str):
            part = part.encode()
        out += len(part).to_bytes(4, "big") + part
    return out


def derive(ikm, salt, label, context):
    return HKDF(hashes.SHA256(), 32, salt, fields(label, context)).derive(ikm)


def open_envelope(key, tag, context, envelope):
    magic, tag_id, length = envelope[:4], envelope[4:8], int.from_bytes(envelope[8:12], "big")
    commitment, nonce, sealed = envelope[12:44], envelope[44:56], envelope[56:]
    assert magic == b"SYE\x01" and len(sealed) == length + 16
    assert tag_id == hashlib.sha256(fields("symbolon/envelope-tag/v1", *tag)).digest()[:4]
    assert commitment == hmac.digest(key, b"symbolon/key-commitment/v1", "sha256"), "wrong key"
    aad = hashlib.sha256(fields("symbolon/envelope/v1", *tag, *context)).digest()
    return AESGCM(key).decrypt(nonce, sealed, aad)


def open_wrap(passphrase, vault, wrap):
    method = wrap["method"]
    salt, cost = bytes.fromhex(method["salt"]), method["cost"]
    costs = [cost["memory_kib"], cost["iterations"], cost["lanes"]]
    argon2 = Argon2id(
        salt=salt, length=32, memory_cost=costs[0], iterations=costs[1], lanes=costs[2]
    )
    kek = derive(argon2.derive(passphrase), salt, "symbolon/kek/passphrase/v1", b"")
    details = fields("symbolon/wrap/v1", wrap["created_unix_ms"], salt, *costs)
    context = [vault, "passphrase", bytes.fromhex(wrap["id"]), details]
    envelope = base64.b64decode(wrap["envelope"])
    return open_envelope(kek, ["vault", "data-key", 1], context, envelope)


def keys(data_key, vault):
    found = {"data key": data_key}
    for use in USES:
        found[f"{use} key"] = derive(data_key, None, f"symbolon/key/{use}/v1", vault)
    return {name: key.hex() for name, key in found.items()}


def of_home(home, passphrase):
    with open(f"{home}/home.json", encoding="utf-8") as file:
        vault = bytes.fromhex(json.load(file)["vault"])
    state = sqlite3.connect(f"file:{home}/state.db?mode=ro", uri=True)
    wraps = [json.loads(body) for (body,) in state.execute("SELECT body FROM wrap")]
    ours = next(wrap for wrap in wraps if wrap["method"]["kind"] == "passphrase")
    return keys(open_wrap(passphrase, vault, ours), vault)


def worked_bytes():
    envelope = bytes.fromhex(
        "53594501b73daa1d000000209e9af4984f5adf4f377d77b97b29c9e98212a10a"
        "e9b7dba1c6649a6500f35534404142434445464748494a4b148613dbe0b8a09c"
        "7b197e682eff53b80ee23eb2977dc086c0c3851d2948f1b384b2046eb93a8e10"
        "503e0e2331fc2c9a"
    )
    wrap = {
        "id": bytes(range(0x20, 0x30)).hex(),
        "created_unix_ms": 1700000000000,
        "method": {
            "kind": "passphrase",
            "salt": bytes(range(0x30, 0x40)).hex(),
            "cost": {"memory_kib": 8192, "iterations": 1, "lanes": 1},
        },
        "envelope": base64.b64encode(envelope).decode(),
    }
    opened = open_wrap(b"correct horse battery", bytes(range(0x10, 0x20)), wrap)
    assert opened == bytes(range(32)), opened.hex()


if sys.argv[1] == "--worked-bytes":
    worked_bytes()
else:
    print(json.dumps(of_home(sys.argv[1], sys.stdin.buffer.read())))
