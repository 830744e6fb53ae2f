"""Makes the exports of this folder as Bitwarden's clients make them, with other people's code alone:
`cryptography` 48 for every primitive. Run: python3 make.py, in this folder."""

import base64
import json

from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

PASSPHRASE = b"correct horse battery"


def b64(data):
    return base64.b64encode(data).decode()


def sha256(data):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def enc_string(key, iv, plain):
    """Type 2: AES-256-CBC with PKCS #7, then HMAC-SHA256 over iv and ciphertext."""
    enc, mac = (HKDFExpand(hashes.SHA256(), 32, info).derive(key) for info in (b"enc", b"mac"))
    padder = padding.PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = Cipher(algorithms.AES(enc), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padded) + encryptor.finalize()
    tag = hmac.HMAC(mac, hashes.SHA256())
    tag.update(iv + sealed)
    return f"2.{b64(iv)}|{b64(sealed)}|{b64(tag.finalize())}"


def export(name, salt, kdf, key):
    plain = {
        "encrypted": False,
        "folders": [],
        "items": [
            {
                "type": 1,
                "name": "GitHub token",
                "login": {
                    "username": "me",
                    "password": "ghp_bw_sealed_0001",
                    "uris": [{"match": None, "uri": "https://github.com"}],
                },
            },
            {"type": 1, "name": "Web", "login": {"password": "hunter2-web-login", "uris": [{"uri": "https://gitlab.com"}]}},
        ],
    }
    whole = {
        "encrypted": True,
        "passwordProtected": True,
        "salt": salt,
        **kdf,
        "encKeyValidation_DO_NOT_EDIT": enc_string(key, bytes(range(16)), b"5ee3d0b0-1f5b-4d6f-9a0e-7a9c5d6b2f11"),
        "data": enc_string(key, bytes(range(16, 32)), json.dumps(plain, indent=2).encode()),
    }
    with open(name, "w") as file:
        json.dump(whole, file, indent=2)
        file.write("\n")


# The text of the salt is what is hashed, not the bytes that it spells.
SALT = b64(bytes(range(100, 116)))

pbkdf2 = PBKDF2HMAC(hashes.SHA256(), 32, SALT.encode(), 600_000).derive(PASSPHRASE)
export("pbkdf2.json", SALT, {"kdfType": 0, "kdfIterations": 600_000}, pbkdf2)

argon2 = Argon2id(salt=sha256(SALT.encode()), length=32, iterations=3, lanes=4, memory_cost=64 * 1024).derive(PASSPHRASE)
export("argon2id.json", SALT, {"kdfType": 1, "kdfIterations": 3, "kdfMemory": 64, "kdfParallelism": 4}, argon2)

# For tests that open it thousands of times; Bitwarden takes no fewer than 5,000.
few = PBKDF2HMAC(hashes.SHA256(), 32, SALT.encode(), 5).derive(PASSPHRASE)
export("few.json", SALT, {"kdfType": 0, "kdfIterations": 5}, few)
