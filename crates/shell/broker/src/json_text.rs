//! Text of a JSON document that may be secret, read where it lies.

use serde_json::value::RawValue;
use symbolon_secret::{MemoryError, Secret};

/// A string without escapes.
pub(crate) fn word(raw: &RawValue) -> Option<&str> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\')).then_some(inner)
}

/// A JSON string's text in a page of its own: visible ASCII and spaces, with its escapes undone.
///
/// # Errors
/// `not_text` for anything else; what `E` makes of it where there is no secret memory.
pub(crate) fn secret_text<E: From<MemoryError>>(
    raw: &RawValue,
    not_text: impl Fn() -> E,
) -> Result<Secret<[u8]>, E> {
    let quoted = raw.get().as_bytes();
    let [b'"', inner @ .., b'"'] = quoted else { return Err(not_text()) };
    Secret::try_make_slice(inner.len(), |out| {
        let (mut at, mut len) = (0, 0);
        while at < inner.len() {
            let (byte, used) = match inner[at..] {
                [b'\\', b'u', b'0', b'0', high, low, ..] => {
                    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(16);
                    (u8::try_from(digit(high) << 4 | digit(low)).unwrap_or(0), 6)
                }
                [b'\\', byte @ (b'"' | b'\\' | b'/'), ..] => (byte, 2),
                [b'\\', ..] => (0, 2),
                [byte, ..] => (byte, 1),
                [] => (0, 1),
            };
            if !(0x20..0x7f).contains(&byte) {
                return Err(not_text());
            }
            out[len] = byte;
            (at, len) = (at + used, len + 1);
        }
        Ok(len)
    })
}
