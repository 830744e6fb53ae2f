//! Signed notes (C2SP `signed-note`) with Ed25519 keys, and their keys as text.

use symbolon_codec::{CodecError, b64};
use symbolon_crypto::{SigningKey, VerifyingKey, sha256_parts};

/// Why a note, or the text of a key, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// A name with white space or `+`, empty, or over 255 bytes.
    #[error("a log's name has no white space and no '+', and 1 to 255 bytes")]
    Name,
    /// Not a note: no blank line before signatures, control characters, too long, bad base64.
    #[error("this is not a signed note: {0}")]
    Form(&'static str),
    /// No signature line is by the key that was asked for.
    #[error("no signature by {name} with this key")]
    Unsigned {
        /// The signer that was expected.
        name: String,
    },
    /// A signature line names the key and does not verify.
    #[error("the signature by {name} does not match the text")]
    Signature {
        /// The signer.
        name: String,
    },
    /// The text of a key is not `name+id+base64`, or its id is another key's.
    #[error("this is not a verification key: {0}")]
    Key(&'static str),
}

/// Longest note that is read.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
const SIGNATURES_MAX: usize = 64;
/// Kinds of keys (C2SP `signed-note`): a log's, and a witness's.
pub(crate) const ED25519: u8 = 1;
pub(crate) const COSIGNATURE: u8 = 4;

/// The text of a key: what `operator.pub` holds.
///
/// # Errors
/// [`NoteError::Name`].
pub fn vkey(name: &str, key: &VerifyingKey) -> Result<String, NoteError> {
    key_text(ED25519, name, key)
}

/// The text of a key of this kind.
pub(crate) fn key_text(kind: u8, name: &str, key: &VerifyingKey) -> Result<String, NoteError> {
    check_name(name)?;
    let id = hex_id(&key_id(kind, name, key));
    let mut bytes = vec![kind];
    bytes.extend_from_slice(key.as_bytes());
    Ok(format!("{name}+{id}+{}", b64::encode(&bytes)))
}

/// Reads the text of a key: its name and the key. One newline at the end is allowed.
///
/// # Errors
/// [`NoteError::Key`] or [`NoteError::Name`].
pub fn parse_vkey(text: &str) -> Result<(String, VerifyingKey), NoteError> {
    parse_key_text(ED25519, text)
}

/// Reads the text of a key of this kind alone.
pub(crate) fn parse_key_text(kind: u8, text: &str) -> Result<(String, VerifyingKey), NoteError> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::Key("three parts with + between"));
    };
    check_name(name)?;
    let bytes = b64::decode(key, 33).map_err(|_| NoteError::Key("base64"))?;
    let Some((_, key)) = bytes.split_first().filter(|(found, _)| **found == kind) else {
        return Err(NoteError::Key(match kind {
            COSIGNATURE => "a witness's key (algorithm 4)",
            _ => "an Ed25519 key (algorithm 1)",
        }));
    };
    let key: &[u8; 32] = key.try_into().map_err(|_| NoteError::Key("32 bytes"))?;
    let key = VerifyingKey::from_bytes(key).map_err(|_| NoteError::Key("a point of the curve"))?;
    if id != hex_id(&key_id(kind, name, &key)) {
        return Err(NoteError::Key("the id belongs to another name or key"));
    }
    Ok((name.to_owned(), key))
}

/// Signs `text`, which ends with a newline, as `name`.
pub(crate) fn sign_note(text: &str, name: &str, key: &SigningKey) -> String {
    format!("{text}\n{}", own_line(text, name, key))
}

/// The line that signs `text` as `name`.
pub(crate) fn own_line(text: &str, name: &str, key: &SigningKey) -> String {
    let mut bytes = key_id(ED25519, name, &key.verifying_key()).to_vec();
    bytes.extend_from_slice(&key.sign(text.as_bytes()));
    signature_line(name, &bytes)
}

/// A line under a note: key id and what follows it.
pub(crate) fn signature_line(name: &str, bytes: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", b64::encode(bytes))
}

/// The text of a note that `name` signed with this key. Signatures by others are passed over.
pub(crate) fn open_note<'a>(
    note: &'a str,
    name: &str,
    key: &VerifyingKey,
) -> Result<&'a str, NoteError> {
    Ok(open_line(note, name, key)?.0)
}

/// The note again, with the last line by `name` and no other.
pub(crate) fn bare_note(note: &str, name: &str, key: &VerifyingKey) -> Result<String, NoteError> {
    let (text, line) = open_line(note, name, key)?;
    Ok(format!("{text}\n{line}\n"))
}

/// The text of a note, and the last line by `name`. All its lines have to verify.
pub(crate) fn open_line<'a>(
    note: &'a str,
    name: &str,
    key: &VerifyingKey,
) -> Result<(&'a str, &'a str), NoteError> {
    let (text, signatures) = split_note(note)?;
    let id = key_id(ED25519, name, key);
    let mut found = None;
    for line in signatures.split_terminator('\n') {
        let (signer, signature) = parse_signature(line)?;
        if signer != name || signature[..4] != id {
            continue;
        }
        let whole = <&[u8; 64]>::try_from(&signature[4..]);
        let bad = || NoteError::Signature { name: name.to_owned() };
        key.verify(text.as_bytes(), whole.map_err(|_| bad())?).map_err(|_| bad())?;
        found = Some((text, line));
    }
    found.ok_or_else(|| NoteError::Unsigned { name: name.to_owned() })
}

/// The text of a note and its signature lines, nothing verified.
pub(crate) fn split_note(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::Form("longer than 64 KiB"));
    }
    if note.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Form("a control character"));
    }
    let border = note.rfind("\n\n").ok_or(NoteError::Form("no blank line before signatures"))?;
    let (text, signatures) = (&note[..=border], &note[border + 2..]);
    if !signatures.ends_with('\n') {
        return Err(NoteError::Form("the last line has no end"));
    }
    if signatures.split_terminator('\n').count() > SIGNATURES_MAX {
        return Err(NoteError::Form("more than 64 signatures"));
    }
    Ok((text, signatures))
}

pub(crate) fn parse_signature(line: &str) -> Result<(&str, Vec<u8>), NoteError> {
    const FORM: NoteError = NoteError::Form("a signature line is '\u{2014} name base64'");
    let rest = line.strip_prefix("\u{2014} ").ok_or(FORM)?;
    let (name, text) = rest.split_once(' ').ok_or(FORM)?;
    check_name(name).map_err(|_| FORM)?;
    let bytes = b64::decode(text, 16 * 1024).map_err(|_: CodecError| FORM)?;
    if bytes.len() < 5 { Err(FORM) } else { Ok((name, bytes)) }
}

/// A name that can stand in a note and in the text of a key.
pub(crate) fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c == '+' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.len() > 255 || name.contains(bad) {
        return Err(NoteError::Name);
    }
    Ok(())
}

pub(crate) fn key_id(kind: u8, name: &str, key: &VerifyingKey) -> [u8; 4] {
    let hash = sha256_parts(&[name.as_bytes(), b"\n", &[kind], key.as_bytes()]);
    let [a, b, c, d, ..] = *hash.as_bytes();
    [a, b, c, d]
}

fn hex_id(id: &[u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(*id))
}
