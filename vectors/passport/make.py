"""Makes chips.json: files of chips as states write them, and as they must not be.

Certificates and lists by the package `cryptography`, CMS by OpenSSL's `cms`; zones are ICAO's specimens.
Run: python3 make.py > chips.json (keys are made anew).
"""
import datetime, json, pathlib, subprocess, tempfile
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

DER = serialization.Encoding.DER
PASSPORT = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F3204153ZE184226B<<<<<16"
GERMAN = "P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<C01X00T478D<<6408125F3202285<<<<<<<<<<<<<<02"
OTHERS = PASSPORT.replace("P<UTO", "P<FRA")
WRONG_ZONE = PASSPORT[:-1] + "5"


def day(year):
    return datetime.datetime(year, 1, 1)


def name(country, common):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def usage(**on):
    kinds = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{kind: kind in on for kind in kinds})


class State:
    def __init__(self, country, key, hash_, pss=False, common="CSCA", ends=2045, crl_sign=True):
        self.name, self.key, self.hash, self.pss = name(country, common), key, hash_, pss
        uses = dict(key_cert_sign=1, **({"crl_sign": 1} if crl_sign else {}))
        builder = self.begin(self.name, key.public_key(), 1, 2020, ends)
        builder = builder.add_extension(x509.BasicConstraints(True, 0), True).add_extension(usage(**uses), True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        self.certificate = self.sign(builder)

    def begin(self, subject, key, serial, starts, ends):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key)
        return builder.serial_number(serial).not_valid_before(day(starts)).not_valid_after(day(ends))

    def sign(self, builder):
        more = {"rsa_padding": padding.PSS(padding.MGF1(self.hash), self.hash.digest_size)} if self.pss else {}
        return builder.sign(self.key, self.hash, **more)

    def signer(self, country, key, serial=7, starts=2024, ends=2035, uses=None, ca=False, critical=False):
        builder = self.begin(name(country, "Document signer"), key.public_key(), serial, starts, ends)
        builder = builder.add_extension(usage(**(uses or {"digital_signature": 1})), True)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(authority, False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        if critical:
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
        return self.sign(builder)

    def revokes(self, serial, until=2027):
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(day(2026)).build()
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(day(2026)).next_update(day(until))
        return self.sign(builder.add_revoked_certificate(one))


def tlv(tag, value):
    length = bytes([len(value)]) if len(value) < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(len(value).to_bytes((len(value).bit_length() + 7) // 8, "big"))
    return bytes.fromhex(tag) + length + value


HASHES = {"sha224": ("0609608648016503040204", hashes.SHA224), "sha256": ("0609608648016503040201", hashes.SHA256), "sha384": ("0609608648016503040202", hashes.SHA384), "sha512": ("0609608648016503040203", hashes.SHA512)}


def digest(hash_, message):
    state = hashes.Hash(HASHES[hash_][1]())
    state.update(message)
    return state.finalize()


def security_object(hash_, groups, version=0):
    algorithm = tlv("30", bytes.fromhex(HASHES[hash_][0]) + b"\x05\x00")
    rows = b"".join(tlv("30", tlv("02", bytes([number])) + tlv("04", digest(hash_, group))) for number, group in groups)
    versions = tlv("30", tlv("13", b"0107") + tlv("13", b"040000")) if version else b""
    return tlv("30", tlv("02", bytes([version])) + algorithm + tlv("30", rows) + versions)


def cms(content, certificate, key, hash_, pss=False, kind="2.23.136.1.1.1", more=()):
    with tempfile.TemporaryDirectory() as folder:
        at = pathlib.Path(folder)
        (at / "content").write_bytes(content)
        (at / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (at / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        command = ["openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-econtent_type", kind, "-md", hash_, "-in", at / "content", "-signer", at / "cert.pem", "-inkey", at / "key.pem", "-outform", "DER", "-out", at / "out"]
        command += ["-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{HASHES[hash_][1]().digest_size}"] if pss else []
        subprocess.run([*command, *more], check=True, capture_output=True)
        return (at / "out").read_bytes()


def dg1(zone):
    return tlv("61", tlv("5f1f", zone.encode()))


def chip(label, signed, authority, zone=PASSPORT, expected="ok", lists=(), group=None):
    made.append({
        "name": label, "expected": expected,
        "dg1": (group or dg1(zone)).hex(), "sod": tlv("77", signed).hex(),
        "authority": authority.certificate.public_bytes(DER).hex(), "lists": [one.public_bytes(DER).hex() for one in lists],
    })


made = []
bp384, bp256 = ec.BrainpoolP384R1(), ec.BrainpoolP256R1()
point = lambda curve: ec.generate_private_key(curve)
rsa_key = lambda bits: rsa.generate_private_key(65537, bits)

utopia = State("UT", point(bp384), hashes.SHA384())
key = point(bp256)
signer = utopia.signer("UT", key)
plain = security_object("sha256", [(1, dg1(PASSPORT)), (2, b"face"), (14, b"options")])
good = cms(plain, signer, key, "sha256")
chip("Brainpool curves", good, utopia)
chip("with versions, signer by its key's identifier", cms(security_object("sha512", [(1, dg1(PASSPORT))], 1), signer, key, "sha512", more=["-keyid"]), utopia)
pss_state, pss_key = State("de", rsa_key(3072), hashes.SHA256(), pss=True), rsa_key(2048)
pss_signer = pss_state.signer("DE", pss_key)
chip("RSA-PSS, Germany's one letter", cms(security_object("sha256", [(1, dg1(GERMAN))]), pss_signer, pss_key, "sha256", pss=True), pss_state, GERMAN)
nist, nist_key = State("UT", point(ec.SECP521R1()), hashes.SHA512()), rsa_key(2048)
chip("P-521 over RSA with PKCS #1 padding", cms(security_object("sha384", [(1, dg1(PASSPORT))]), nist.signer("UT", nist_key), nist_key, "sha384"), nist)
p256, p384_key = State("UT", point(ec.SECP256R1()), hashes.SHA256()), point(ec.SECP384R1())
chip("P-256 over P-384", cms(security_object("sha224", [(1, dg1(PASSPORT))]), p256.signer("UT", p384_key), p384_key, "sha384"), p256)
chip("a list that does not name the signer", good, utopia, expected="not revoked", lists=[utopia.revokes(8)])

chip("revoked", good, utopia, expected="revoked", lists=[utopia.revokes(7)])
old = x509.CertificateRevocationListBuilder().issuer_name(utopia.name).last_update(day(2024)).next_update(day(2025))
chip("only an old list", good, utopia, expected="list out of date", lists=[utopia.sign(old)])
chip("another zone than was signed", good, utopia, PASSPORT.replace("ANNA", "EMMA"), "changed")
chip("no digest of the zone", cms(security_object("sha256", [(2, b"face")]), signer, key, "sha256"), utopia, expected="no digest")
twin = State("UT", point(bp384), hashes.SHA384())
chip("signed under a twin of the state's name", good, twin, expected="untrusted")
chip("a state that nobody trusts", good, pss_state, expected="untrusted")
other_key = point(bp256)
forged = twin.signer("UT", key)
chip("a certificate of one's own making", cms(plain, forged, key, "sha256"), utopia, expected="untrusted")
chip("another state's document", cms(security_object("sha256", [(1, dg1(OTHERS))]), signer, key, "sha256"), utopia, OTHERS, "other state")
chip("a signer of another state than its authority", cms(plain, utopia.signer("FR", key), key, "sha256"), utopia, expected="untrusted")
chip("an expired signer", cms(plain, utopia.signer("UT", key, ends=2026), key, "sha256"), utopia, expected="signer's time")
chip("a signer of tomorrow", cms(plain, utopia.signer("UT", key, starts=2027), key, "sha256"), utopia, expected="signer's time")
ended = State("UT", point(bp384), hashes.SHA384(), ends=2026)
chip("an expired authority", cms(plain, ended.signer("UT", key), key, "sha256"), ended, expected="authority's time")
chip("a signer that may not sign", cms(plain, utopia.signer("UT", key, uses={"key_agreement": 1}), key, "sha256"), utopia, expected="signer's certificate")
chip("an authority as signer", cms(plain, utopia.signer("UT", key, ca=True), key, "sha256"), utopia, expected="signer's certificate")
chip("a critical extension that nobody knows", cms(plain, utopia.signer("UT", key, critical=True), key, "sha256"), utopia, expected="signer's certificate")
chip("another kind of content", cms(plain, signer, key, "sha256", kind="1.2.840.113549.1.7.1"), utopia, expected="object")
chip("no signed attributes", cms(plain, signer, key, "sha256", more=["-noattr"]), utopia, expected="object")
chip("no certificate", cms(plain, signer, key, "sha256", more=["-nocerts"]), utopia, expected="object")
chip("digests in no order", cms(security_object("sha256", [(2, b"face"), (1, dg1(PASSPORT))]), signer, key, "sha256"), utopia, expected="object")
chip("one group twice", cms(security_object("sha256", [(1, dg1(PASSPORT)), (1, b"again")]), signer, key, "sha256"), utopia, expected="object")
chip("a seventeenth group", cms(security_object("sha256", [(1, dg1(PASSPORT)), (17, b"more")]), signer, key, "sha256"), utopia, expected="object")
chip("a zone with a wrong digit", cms(security_object("sha256", [(1, dg1(WRONG_ZONE))]), signer, key, "sha256"), utopia, WRONG_ZONE, "zone")
chip("no zone in the group", good, utopia, expected="group", group=tlv("61", tlv("5f20", b"nothing")))
refused_authorities = {
    "no authority": signer.public_bytes(DER).hex(),
    "no certificate": "3000",
}
no_lists = State("UT", point(bp384), hashes.SHA384(), common="CSCA without lists", crl_sign=False)
refused_lists = {
    "by nobody trusted": twin.revokes(7).public_bytes(DER).hex(),
    "by an authority that may not": no_lists.revokes(7).public_bytes(DER).hex(),
    "no list": "3000",
}
print(json.dumps({
    "made by": "the package cryptography, and OpenSSL", "now_unix_ms": 1795305600000, "chips": made,
    "refused authorities": refused_authorities, "refused lists": refused_lists,
    "without lists": no_lists.certificate.public_bytes(DER).hex(),
}, indent=1))
