"""PZK-Auth (specs/pzk-auth.md) once more, from the specification and the RFCs alone, with nothing but Python.

    pzk_auth.py make             the vectors, to standard output
    pzk_auth.py check FILE       recomputes every value of a vector file
    pzk_auth.py live             a client of a running server: one JSON order a line on standard input

Nothing here is constant-time: it is for tests.
"""

import base64, hashlib, hmac, json, sys, urllib.error, urllib.request

# ---- The field and the curve (RFC 8032, RFC 9496) ----
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P


def is_negative(x):
    return x % P & 1


def absolute(x):
    x %= P
    return P - x if x & 1 else x


def sqrt_ratio(u, v):
    """RFC 9496, section 4.2."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P) % P, (P - 5) // 8, P) % P
    check = v * r * r % P
    correct, flipped, flipped_i = check == u % P, check == -u % P, check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, absolute(r)


SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
assert SQRT_AD_MINUS_ONE**2 % P == (-D - 1) % P

BASE_Y = 4 * pow(5, -1, P) % P
BASE_X = absolute(sqrt_ratio(BASE_Y**2 - 1, D * BASE_Y**2 + 1)[1])
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
ZERO = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def mul(n, p):
    q = ZERO
    for bit in bin(n)[2:]:
        q = add(q, q)
        if bit == "1":
            q = add(q, p)
    return q


def neg(p):
    return (-p[0] % P, p[1], p[2], -p[3] % P)


def encode(p):
    """RFC 9496, section 4.3.2."""
    x, y, z, t = p
    u1, u2 = (z + y) * (z - y) % P, x * y % P
    inv = sqrt_ratio(1, u1 * u2 * u2)[1]
    den1, den2 = inv * u1 % P, inv * u2 % P
    z_inv = den1 * den2 * t % P
    if is_negative(t * z_inv):
        x, y, den = y * SQRT_M1 % P, x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        den = den2
    if is_negative(x * z_inv):
        y = -y
    return absolute(den * (z - y)).to_bytes(32, "little")


def decode(b):
    """RFC 9496, section 4.3.1; the identity is refused."""
    s = int.from_bytes(b, "little")
    if len(b) != 32 or s >= P or s & 1:
        raise ValueError("not canonical")
    ss = s * s % P
    u1, u2 = 1 - ss, 1 + ss
    v = (-D * u1 * u1 - u2 * u2) % P
    square, inv = sqrt_ratio(1, v * u2 * u2)
    x = absolute(2 * s * inv * u2)
    y = u1 * inv * inv * u2 * v % P
    t = x * y % P
    if not square or is_negative(t) or y % P == 0:
        raise ValueError("no element")
    if s == 0:
        raise ValueError("the identity")
    return (x, y % P, 1, t)


def elligator(t):
    r = SQRT_M1 * t * t % P
    u, c, v = (r + 1) * ONE_MINUS_D_SQ % P, -1 % P, (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    s2 = -absolute(s * t) % P
    s, c = (s, c) if square else (s2, r)
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P, 1 - s * s, 1 + s * s
    return (w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def from_uniform(b):
    """RFC 9496, section 4.3.4."""
    half = lambda part: elligator(int.from_bytes(part, "little") % 2**255 % P)
    return add(half(b[:32]), half(b[32:]))


# ---- Hashes ----
def sha256(b):
    return hashlib.sha256(b).digest()


def sha512(b):
    return hashlib.sha512(b).digest()


def fields(*all):
    """F of specs/codec.md."""
    parts = [part.encode() if isinstance(part, str) else part for part in all]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def hkdf(name, ikm, salt, info, length):
    size = hashlib.new(name).digest_size
    prk = hmac.new(salt or bytes(size), ikm, name).digest()
    out, block = b"", b""
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([len(out) // size + 1]), name).digest()
        out += block
    return out[:length]


def wide(b):
    return int.from_bytes(b, "little") % L


def scalar_bytes(n):
    return n.to_bytes(32, "little")


def b64(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


# ---- OPRF(ristretto255, SHA-512), RFC 9497 ----
CONTEXT = b"OPRFV1-" + bytes([0]) + b"-ristretto255-SHA512"


def expand_message(message, dst, length):
    """RFC 9380, section 5.3.1, with SHA-512."""
    dst += bytes([len(dst)])
    b0 = sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\0" + dst)
    out = block = sha512(b0 + b"\1" + dst)
    assert length <= 64
    return out[:length]


def oprf_key(seed, info):
    derive = seed + len(info).to_bytes(2, "big") + info
    for counter in range(256):
        key = wide(expand_message(derive + bytes([counter]), b"DeriveKeyPair" + CONTEXT, 64))
        if key:
            return key
    raise ValueError("no key")


def oprf_blind(text, blind):
    return encode(mul(blind, from_uniform(expand_message(text, b"HashToGroup-" + CONTEXT, 64))))


def oprf_finish(text, blind, evaluated):
    element = encode(mul(pow(blind, -1, L), decode(evaluated)))
    sized = lambda b: len(b).to_bytes(2, "big") + b
    return sha512(sized(text) + sized(element) + b"Finalize")


# ---- Ed25519 (RFC 8032) ----
def ed_compress(p):
    z = pow(p[2], -1, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")


def ed_key(seed):
    h = sha512(seed)
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return a, h[32:], ed_compress(mul(a, BASE))


def ed_sign(seed, message):
    a, prefix, public = ed_key(seed)
    r = wide(sha512(prefix + message))
    big_r = ed_compress(mul(r, BASE))
    s = (r + wide(sha512(big_r + public + message)) * a) % L
    return big_r + scalar_bytes(s)


# ---- PZK-Auth ----
def derive(key, value, domain):
    """The scalar of an API key."""
    context = fields(domain["issuer"], bytes.fromhex(domain["service"]), domain["audience"], domain["account"])
    info = fields("symbolon/possession-scalar/v1", context)
    return wide(hkdf("sha512", key.encode(), value, info, 64))


def statement(purpose, domain, nonce, device, scopes, channel, act):
    return fields(
        "symbolon/possession-statement/v1", purpose, domain["issuer"], bytes.fromhex(domain["service"]),
        domain["audience"], domain["account"], nonce, device, scopes, channel, act,
    )


def prove(scalar, said, drawn):
    r = wide(sha512(fields("symbolon/schnorr-commitment/v1", drawn, scalar_bytes(scalar), said)))
    commitment, point = encode(mul(r, BASE)), encode(mul(scalar, BASE))
    c = wide(sha512(fields("symbolon/schnorr-challenge/v1", said, point, commitment)))
    return commitment + scalar_bytes((r + c * scalar) % L)


def verify(point, said, proof):
    commitment, s = proof[:32], int.from_bytes(proof[32:], "little")
    decode(commitment)
    if s >= L:
        raise ValueError("not canonical")
    c = wide(sha512(fields("symbolon/schnorr-challenge/v1", said, point, commitment)))
    return encode(add(mul(s, BASE), neg(mul(c, decode(point))))) == commitment


def device_message(said, *proofs):
    return fields("symbolon/possession-device/v1", said, *proofs)


def proof_hash(said, point, proof, signature):
    return b64(sha256(fields("symbolon/possession-proof/v1", said, point, proof, signature)))


def make_nonce(key, at_ms, drawn, service, device):
    tagged = at_ms.to_bytes(8, "big") + drawn + service + sha256(device)[:16]
    return tagged + hmac.new(key, fields("symbolon/possession-nonce/v1", tagged), "sha256").digest()[:16]


def jkt(public):
    return b64(sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{b64(public)}"}}'.encode()))


def server_keys(secret):
    """What the server of this project derives from its 32 bytes; another server makes these as it likes."""
    key = lambda name: hkdf("sha256", secret, b"", fields(f"symbolon/key/{name}/v1", b""), 32)
    return {name: key(f"possession-{name}") for name in ("oprf", "nonces", "tokens")}


def jwt(header, claims, seed):
    dump = lambda value: b64(json.dumps(value, separators=(",", ":")).encode())
    text = dump(header) + "." + dump(claims)
    return text + "." + b64(ed_sign(seed, text.encode()))


def vectors(given):
    """Every value that follows from what is given."""
    domain, unhex = given["domain"], bytes.fromhex
    keys = server_keys(unhex(given["server_secret"]))
    service = unhex(domain["service"])
    info = fields("symbolon/key/possession-oprf/v1", service)
    k = oprf_key(keys["oprf"], info)
    out = {"given": given, "server": {name: key.hex() for name, key in keys.items()}}
    out["oprf"] = {"info": info.hex(), "private_key": scalar_bytes(k).hex()}
    made = {}
    for name in ("key", "new_key"):
        text, blind = given[name].encode(), int.from_bytes(unhex(given["blind"]), "little")
        blinded = oprf_blind(text, blind)
        evaluated = encode(mul(k, decode(blinded)))
        value = oprf_finish(text, blind, evaluated)
        scalar = derive(given[name], value, domain)
        made[name] = scalar, encode(mul(scalar, BASE))
        out[name] = {
            "blinded": blinded.hex(), "evaluated": evaluated.hex(), "value": value.hex(),
            "scalar": scalar_bytes(scalar).hex(), "point": made[name][1].hex(),
        }
    (old, old_point), (new, new_point) = made["key"], made["new_key"]
    seed = unhex(given["device_seed"])
    public = ed_key(seed)[2]
    out["device"] = {"public": public.hex(), "jkt": jkt(public)}
    nonce = make_nonce(keys["nonces"], given["at_unix_ms"], unhex(given["nonce_drawn"]), service, public)
    out["nonce"] = nonce.hex()
    drawn, channel = unhex(given["drawn"]), unhex(given["channel"])
    for name, purpose, scopes, bound, act in (
        ("enrol", "enrol", "", b"", given["device_name"]),
        ("login", "login", given["scopes"], b"", b""),
        ("login_channel", "login", given["scopes"], channel, b""),
        ("manage", "manage", "", b"", "list"),
    ):
        said = statement(purpose, domain, nonce, public, scopes, bound, act)
        proof = prove(old, said, drawn)
        assert verify(old_point, said, proof)
        signature = ed_sign(seed, device_message(said, proof))
        out[name] = {
            "statement": said.hex(), "proof": proof.hex(), "signature": signature.hex(),
            "proof_hash": proof_hash(said, old_point, proof, signature),
        }
    rotate = statement("rotate", domain, nonce, public, "", b"", new_point)
    replace = statement("replace", domain, nonce, public, "", b"", old_point)
    proofs = prove(old, rotate, drawn), prove(new, replace, drawn)
    out["rotate"] = {
        "statement": rotate.hex(), "replace_statement": replace.hex(),
        "proof": proofs[0].hex(), "new_proof": proofs[1].hex(),
        "signature": ed_sign(seed, device_message(rotate, *proofs)).hex(),
    }
    signer = ed_key(keys["tokens"])[2]
    at = given["at_unix_ms"] // 1000
    claims = {
        "iss": domain["issuer"], "aud": domain["audience"], "sub": given["key_id"], "client_id": given["key_id"],
        "account": domain["account"], "service": domain["service"], "device": given["device_id"],
        "scope": given["scopes"], "iat": at, "exp": at + given["token_seconds"], "jti": given["token_id"],
        "cnf": {"jkt": jkt(public)}, "proof": out["login"]["proof_hash"],
    }
    header = {"alg": "EdDSA", "kid": jkt(signer), "typ": "at+jwt"}
    token = jwt(header, claims, keys["tokens"])
    out["token"] = {"jwk_x": b64(signer), "header": header, "claims": claims, "token": token}
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64(public)}
    dpop = {"jti": given["dpop_id"], "htm": "GET", "htu": domain["audience"] + "/items", "iat": at,
            "ath": b64(sha256(token.encode()))}
    header = {"alg": "EdDSA", "jwk": jwk, "typ": "dpop+jwt"}
    out["dpop"] = {"claims": dpop, "proof": jwt(header, dpop, seed)}
    return out


GIVEN = {
    "server_secret": "0f" * 32,
    "key": "sk_live_9f86d081884c7d659a2feaa0c55ad015",
    "new_key": "sk_live_0b5ad1c2f9a348e7d6c1b2a39f58e741",
    "domain": {
        "issuer": "https://keys.example", "service": "000102030405060708090a0b0c0d0e0f",
        "audience": "https://api.example", "account": "acct_7",
    },
    "blind": "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
    "device_seed": "1d" * 32,
    "device_name": "Laptop",
    "at_unix_ms": 1800000000000,
    "nonce_drawn": "2a" * 16,
    "drawn": "3b" * 32,
    "channel": "4c" * 32,
    "scopes": "read write",
    "key_id": "5d" * 16, "device_id": "6e" * 16, "token_id": "7f" * 16,
    "token_seconds": 600,
    "dpop_id": "pzk-auth-dpop-vector-1",
}


# ---- A client of a running server ----
class Live:
    def post(self, path, body):
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return json.load(refused)

    def order(self, it):
        self.server, self.domain, self.key = it["issuer"], it["domain"], it["key"]
        self.seed = bytes.fromhex(it["device_seed"])
        self.public = ed_key(self.seed)[2]
        service = self.domain["service"]
        blind = wide(sha512(self.seed + b"blind"))
        blinded = b64(oprf_blind(self.key.encode(), blind))
        evaluated = self.post("/api/keys/oprf", {"service": service, "element": blinded})
        value = oprf_finish(self.key.encode(), blind, unb64(evaluated["element"]))
        scalar = derive(self.key, value, self.domain)
        point = encode(mul(scalar, BASE))
        if it["do"] == "point":
            return {"point": b64(point)}
        asked = self.post("/api/keys/challenge", {"service": service, "device": b64(self.public)})
        nonce = unb64(asked["nonce"])
        purpose, scopes = it["do"], it.get("scope", "")
        said = statement(purpose, self.domain, nonce, self.public, scopes, b"", it.get("name", ""))
        proof = prove(scalar, said, sha512(nonce)[:32])
        signed = {"nonce": b64(nonce), "proof": b64(proof),
                  "signature": b64(ed_sign(self.seed, device_message(said, proof)))}
        if purpose == "enrol":
            path, body = "/api/keys/enrol", {
                "service": service, "account": self.domain["account"], "point": b64(point),
                "device": b64(self.public), "name": it["name"], "signed": signed}
        else:
            path, body = "/api/keys/login", {"device": it["device"], "scope": scopes, "signed": signed}
        # What would be sent, for who tries it at several servers, or changes it first.
        return body if it.get("dry") else self.post(path, body)


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main():
    if sys.argv[1] == "make":
        print(json.dumps(vectors(GIVEN), indent=1))
    elif sys.argv[1] == "check":
        kept = json.load(open(sys.argv[2]))
        assert kept == vectors(kept["given"]), "the vectors are not what this computes"
        print("ok")
    else:
        live = Live()
        for line in sys.stdin:
            print(json.dumps(live.order(json.loads(line))), flush=True)


main()
