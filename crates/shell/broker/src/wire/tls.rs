//! rustls, with an encrypter that puts the credential in.
//!
//! For the one record that is armed, the plaintext with the credential exists only in the window's
//! scratch: gathered around the placeholder, the credential opened into its place, sealed there,
//! and only the ciphertext copied out. All other records go the ordinary way. TLS 1.2 is served the
//! same way (ECDHE with an AEAD, which is all that rustls has): upstreams without 1.3 exist, and
//! the difference is a prefix and the authenticated data. Session keys stay in ordinary memory,
//! where rustls and AWS-LC keep them: that is not promised.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{self, Aad, LessSafeKey, UnboundKey};
use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, Nonce, OutboundChunks,
    OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls12AeadAlgorithm,
    Tls13AeadAlgorithm, UnsupportedOperationError, make_tls12_aad, make_tls13_aad,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs as stock};
use rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion,
    SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
};
use symbolon_connector::inject::Placeholder;
use symbolon_secret::{hold, scrub_registers, with_window};

use super::armed::OpenCredential;
use super::error::StreamError;

/// The largest plaintext of a record (RFC 8446, section 5.1).
pub(super) const RECORD_BYTES_MAX: usize = 1 << 14;

/// What the next record of application data on this thread becomes.
pub(super) struct Injection {
    /// The record's plaintext as rustls has it, placeholder included.
    pub(super) payload_len: usize,
    pub(super) at: usize,
    pub(super) placeholder: Placeholder,
    pub(super) opener: Arc<dyn OpenCredential>,
    pub(super) outcome: Option<Result<(), StreamError>>,
}

/// Runs `write`, which hands rustls one record, with `injection` armed on this thread, and gives
/// back what became of it: `None` where no record was sealed.
pub(super) fn with_injection<R>(
    injection: Injection,
    write: impl FnOnce() -> R,
) -> (R, Option<Result<(), StreamError>>) {
    ARMED.with(|armed| armed.replace(Some(injection)));
    // Disarmed also where `write` panics: nothing else may find it armed.
    let disarm = Disarm;
    let result = write();
    let outcome = ARMED.with(RefCell::take).and_then(|injection| injection.outcome);
    drop(disarm);
    (result, outcome)
}

struct Disarm;
impl Drop for Disarm {
    fn drop(&mut self) {
        ARMED.with(RefCell::take);
    }
}

thread_local! {
    static ARMED: RefCell<Option<Injection>> = const { RefCell::new(None) };
}

/// Seals records; one for each connection and direction.
struct Sealer {
    key: LessSafeKey,
    iv: Iv,
    shape: Shape,
}

/// How a version and cipher lays out a record.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// Payload and type sealed; RFC 8446, section 5.2.
    Tls13,
    /// Eight bytes of nonce, then the payload; RFC 5288.
    Tls12Gcm,
    /// The payload; RFC 7905.
    Tls12ChaCha,
}

impl Shape {
    fn prefix_len(self) -> usize {
        if self == Shape::Tls12Gcm { EXPLICIT_NONCE_BYTES } else { 0 }
    }
    fn type_len(self) -> usize {
        usize::from(self == Shape::Tls13)
    }
}

impl Sealer {
    /// rustls gives as many key bytes as `key_len()` or `key_block_shape()` asked for.
    fn make(alg: &'static aead::Algorithm, key: &AeadKey, iv: Iv, shape: Shape) -> Box<Self> {
        // INFALLIBLE: see above; the only error is another length.
        let key = UnboundKey::new(alg, key.as_ref()).expect("the key has the cipher's length");
        Box::new(Sealer { key: LessSafeKey::new(key), iv, shape })
    }

    /// Seals `inner` (payload, and in TLS 1.3 its type) in place.
    fn seal(
        &self,
        inner: &mut [u8],
        typ: ContentType,
        version: ProtocolVersion,
        seq: u64,
    ) -> Result<aead::Tag, StreamError> {
        let nonce = aead::Nonce::assume_unique_for_key(Nonce::new(&self.iv, seq).0);
        let sealed = if self.shape == Shape::Tls13 {
            let aad = Aad::from(make_tls13_aad(inner.len() + TAG_BYTES));
            self.key.seal_in_place_separate_tag(nonce, aad, inner)
        } else {
            let aad = Aad::from(make_tls12_aad(seq, typ, version, inner.len()));
            self.key.seal_in_place_separate_tag(nonce, aad, inner)
        };
        sealed.map_err(|_| StreamError::Seal)
    }

    /// A record's buffer with its prefix.
    fn begin(&self, payload_len: usize, seq: u64) -> PrefixedPayload {
        let mut out = PrefixedPayload::with_capacity(self.encrypted_payload_len(payload_len));
        if self.shape == Shape::Tls12Gcm {
            out.extend_from_slice(&Nonce::new(&self.iv, seq).0[4..]);
        }
        out
    }

    fn finish(
        &self,
        typ: ContentType,
        version: ProtocolVersion,
        out: PrefixedPayload,
    ) -> OutboundOpaqueMessage {
        match self.shape {
            // RFC 8446, section 5.1: the outer type and version are fixed.
            Shape::Tls13 => OutboundOpaqueMessage::new(
                ContentType::ApplicationData,
                ProtocolVersion::TLSv1_2,
                out,
            ),
            Shape::Tls12Gcm | Shape::Tls12ChaCha => OutboundOpaqueMessage::new(typ, version, out),
        }
    }

    /// The ordinary way, as rustls' own encrypter does it.
    fn ordinary(
        &self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let mut out = self.begin(message.payload.len(), seq);
        out.extend_from_chunks(&message.payload);
        if self.shape == Shape::Tls13 {
            out.extend_from_slice(&message.typ.to_array());
        }
        let inner = &mut out.as_mut()[self.shape.prefix_len()..];
        let tag =
            self.seal(inner, message.typ, message.version, seq).map_err(|_| Error::EncryptError)?;
        out.extend_from_slice(tag.as_ref());
        Ok(self.finish(message.typ, message.version, out))
    }

    /// The armed record: gathered, opened and sealed in secret memory.
    fn inject(
        &self,
        injection: &Injection,
        message: &OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, StreamError> {
        let (at, wire_len) = (injection.at, injection.opener.wire_len());
        let given = message.payload.len();
        if given != injection.payload_len || at + Placeholder::LEN > given {
            return Err(StreamError::OtherRecord);
        }
        let plain_len = given - Placeholder::LEN + wire_len;
        if plain_len > RECORD_BYTES_MAX {
            return Err(StreamError::RecordTooLong);
        }
        let inner_len = plain_len + self.shape.type_len();
        let mut out = self.begin(plain_len, seq);
        let tag = with_window(|window| {
            let inner = window.take(inner_len);
            if !gather(&message.payload, at, &injection.placeholder, wire_len, inner) {
                return Err(StreamError::OtherRecord);
            }
            if self.shape == Shape::Tls13 {
                inner[plain_len] = message.typ.into();
            }
            window.opened();
            let place = &mut window.take(inner_len)[at..at + wire_len];
            if injection.opener.open_into(place)? != wire_len {
                return Err(StreamError::Length);
            }
            // The cipher left the credential's last bytes and round keys in vector registers.
            scrub_registers();
            hold("opened");
            hold("record");
            let tag = self.seal(window.take(inner_len), message.typ, message.version, seq)?;
            window.sealed();
            out.extend_from_slice(window.take(inner_len)); // ciphertext
            Ok(tag)
        })??;
        out.extend_from_slice(tag.as_ref());
        Ok(self.finish(message.typ, message.version, out))
    }
}

impl MessageEncrypter for Sealer {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        if message.typ != ContentType::ApplicationData {
            return self.ordinary(message, seq);
        }
        let Some(mut injection) = ARMED.with(RefCell::take) else {
            return self.ordinary(message, seq);
        };
        if injection.outcome.is_some() {
            // A second record of one armed write: then the first was refused, because it was not
            // the whole write. Nothing of this one goes out either.
            ARMED.with(|armed| armed.replace(Some(injection)));
            return self.ordinary(empty(&message), seq);
        }
        let sealed = self.inject(&injection, &message, seq);
        let (outcome, record) = match sealed {
            Ok(record) => (Ok(()), Ok(record)),
            // rustls takes an error here for impossible and panics. An empty record says nothing,
            // and the stream above refuses all that would follow.
            Err(error) => (Err(error), self.ordinary(empty(&message), seq)),
        };
        injection.outcome = Some(outcome);
        ARMED.with(|armed| armed.replace(Some(injection)));
        record
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.shape.prefix_len() + payload_len + self.shape.type_len() + TAG_BYTES
    }
}

fn empty<'a>(message: &OutboundPlainMessage<'_>) -> OutboundPlainMessage<'a> {
    OutboundPlainMessage {
        typ: message.typ,
        version: message.version,
        payload: OutboundChunks::new_empty(),
    }
}

/// Copies a payload around its placeholder, leaving `wire_len` bytes at `at`; whether the
/// placeholder was there.
fn gather(
    payload: &OutboundChunks<'_>,
    at: usize,
    placeholder: &Placeholder,
    wire_len: usize,
    out: &mut [u8],
) -> bool {
    let after = at + Placeholder::LEN;
    let mut found = true;
    let mut place = |pos: usize, part: &[u8]| {
        let end = pos + part.len();
        if pos < at {
            let n = end.min(at) - pos;
            out[pos..pos + n].copy_from_slice(&part[..n]);
        }
        if pos < after && end > at {
            let (from, to) = (pos.max(at), end.min(after));
            found &= part[from - pos..to - pos] == placeholder.as_bytes()[from - at..to - at];
        }
        if end > after {
            let from = pos.max(after);
            let to = from - Placeholder::LEN + wire_len;
            out[to..to + end - from].copy_from_slice(&part[from - pos..]);
        }
    };
    match *payload {
        OutboundChunks::Single(chunk) => place(0, chunk),
        OutboundChunks::Multiple { chunks, start, end } => {
            let mut offset = 0;
            for chunk in chunks {
                let (from, to) = (start.max(offset), end.min(offset + chunk.len()));
                if from < to {
                    place(from - start, &chunk[from - offset..to - offset]);
                }
                offset += chunk.len();
            }
        }
    }
    found
}

/// One of rustls' TLS 1.3 ciphers, sealing with [`Sealer`].
struct Tls13Aead {
    alg: &'static aead::Algorithm,
    stock: &'static dyn Tls13AeadAlgorithm,
}

impl Tls13AeadAlgorithm for Tls13Aead {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Sealer::make(self.alg, &key, iv, Shape::Tls13)
    }
    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.stock.decrypter(key, iv)
    }
    fn key_len(&self) -> usize {
        self.stock.key_len()
    }
    fn extract_keys(
        &self,
        _: AeadKey,
        _: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// One of rustls' TLS 1.2 ciphers, sealing with [`Sealer`].
struct Tls12Aead {
    alg: &'static aead::Algorithm,
    stock: &'static dyn Tls12AeadAlgorithm,
    shape: Shape,
}

impl Tls12AeadAlgorithm for Tls12Aead {
    fn encrypter(&self, key: AeadKey, iv: &[u8], explicit: &[u8]) -> Box<dyn MessageEncrypter> {
        // As rustls does: a start of twelve bytes from the key block, XORed with the sequence
        // number. Each nonce is unique, and eight of its bytes go out in front of a GCM record.
        let mut start = [0; 12];
        start[..iv.len()].copy_from_slice(iv);
        start[iv.len()..].copy_from_slice(&explicit[..12 - iv.len()]);
        Sealer::make(self.alg, &key, Iv::new(start), self.shape)
    }
    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.stock.decrypter(key, iv)
    }
    fn key_block_shape(&self) -> KeyBlockShape {
        self.stock.key_block_shape()
    }
    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// rustls' own provider with each cipher's encrypter replaced. Made once for the process.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER
        .get_or_init(|| {
            let stock = stock::default_provider();
            let cipher_suites = stock.cipher_suites.iter().filter_map(ours).collect();
            Arc::new(CryptoProvider { cipher_suites, ..stock })
        })
        .clone()
}

/// The suite with our encrypter; `None` for a cipher that is not known here, which is then not
/// offered.
fn ours(suite: &SupportedCipherSuite) -> Option<SupportedCipherSuite> {
    let (alg, shape): (&'static aead::Algorithm, _) = match suite.suite() {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => (&aead::AES_128_GCM, Shape::Tls13),
        CipherSuite::TLS13_AES_256_GCM_SHA384 => (&aead::AES_256_GCM, Shape::Tls13),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => (&aead::CHACHA20_POLY1305, Shape::Tls13),
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => {
            (&aead::AES_128_GCM, Shape::Tls12Gcm)
        }
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => {
            (&aead::AES_256_GCM, Shape::Tls12Gcm)
        }
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
            (&aead::CHACHA20_POLY1305, Shape::Tls12ChaCha)
        }
        _ => return None,
    };
    let common = |common: &CipherSuiteCommon| CipherSuiteCommon {
        suite: common.suite,
        hash_provider: common.hash_provider,
        confidentiality_limit: common.confidentiality_limit,
    };
    // Leaked on purpose: rustls wants them for ever, and `provider` makes them once.
    Some(match *suite {
        SupportedCipherSuite::Tls13(of) => {
            SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: common(&of.common),
                hkdf_provider: of.hkdf_provider,
                aead_alg: Box::leak(Box::new(Tls13Aead { alg, stock: of.aead_alg })),
                quic: None,
            })))
        }
        SupportedCipherSuite::Tls12(of) => {
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: common(&of.common),
                prf_provider: of.prf_provider,
                kx: of.kx,
                sign: of.sign,
                aead_alg: Box::leak(Box::new(Tls12Aead { alg, stock: of.aead_alg, shape })),
            })))
        }
    })
}

const TAG_BYTES: usize = 16;
const EXPLICIT_NONCE_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gather_is_the_same_for_every_cut_into_chunks() {
        let placeholder = Placeholder::from_entropy([0x5A; 16]);
        let (head, tail) = (b"GET / HTTP/1.1\r\na: ", b"\r\n\r\n");
        let payload = [&head[..], placeholder.as_bytes(), tail].concat();
        for wire_len in [0, 5, 32, 90] {
            let want = [&head[..], &vec![0; wire_len][..], tail].concat();
            for a in 0..=payload.len() {
                for b in (a..=payload.len()).step_by(7) {
                    let front = b"skipped".as_slice();
                    let chunks = [front, &payload[..a], &payload[a..b], &payload[b..], b"more"];
                    let chunks = OutboundChunks::Multiple {
                        chunks: &chunks,
                        start: front.len(),
                        end: front.len() + payload.len(),
                    };
                    let mut out = vec![0; want.len()];
                    assert!(gather(&chunks, head.len(), &placeholder, wire_len, &mut out));
                    assert_eq!(out, want);
                }
            }
        }
        let mut out = vec![0; payload.len()];
        let single = OutboundChunks::Single(&payload);
        assert!(gather(&single, head.len(), &placeholder, 32, &mut out));
        let other = Placeholder::from_entropy([0x5B; 16]);
        assert!(!gather(&single, head.len(), &other, 32, &mut out));
        assert!(!gather(&single, head.len() - 1, &placeholder, 32, &mut out));
    }

    #[test]
    fn every_stock_suite_is_offered_with_our_encrypter() {
        let stock: Vec<_> =
            stock::default_provider().cipher_suites.iter().map(|s| s.suite()).collect();
        let ours: Vec<_> = provider().cipher_suites.iter().map(|s| s.suite()).collect();
        assert_eq!(ours, stock);
    }
}
