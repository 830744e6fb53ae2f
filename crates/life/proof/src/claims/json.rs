//! JSON with values that nobody may see: read where it lies, and written into a secret page.

use serde::Deserialize;
use symbolon_circuits::{Date, Element, Hidden};
use symbolon_codec::hex;
use symbolon_secret::Secret;

use super::ClaimsError;
use crate::text;

/// The longest document, in bytes.
pub(super) const BYTES_MAX: usize = 16 << 10;

/// Reads a document whose texts are borrowed from it. No text has an escape, so that none is copied.
pub(super) fn read<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    what: &'static str,
) -> Result<T, ClaimsError> {
    if bytes.len() > BYTES_MAX {
        return Err(ClaimsError::TooLong { max: BYTES_MAX });
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == b'\\') {
        let before = &bytes[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        return Err(ClaimsError::Form { what, line, column });
    }
    serde_json::from_slice(bytes).map_err(|error| ClaimsError::Form {
        what,
        line: error.line(),
        column: error.column(),
    })
}

/// A copy in a secret page of a text that lies in another.
pub(super) fn secret(text: &str) -> Result<Secret<[u8]>, ClaimsError> {
    copy(text.as_bytes())
}

/// A copy in a secret page.
pub(super) fn copy(bytes: &[u8]) -> Result<Secret<[u8]>, ClaimsError> {
    Secret::<[u8]>::try_make_slice(bytes.len(), |page| {
        page.copy_from_slice(bytes);
        Ok(bytes.len())
    })
}

/// An element that nobody may see, of 64 lower-case hex digits.
pub(super) fn hidden(digits: &str, member: &'static str) -> Result<Hidden, ClaimsError> {
    let wrong = || ClaimsError::Member(member);
    let is_lower = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bytes = Secret::<[u8; 32]>::try_make(|page| {
        match is_lower && hex::decode_to_slice(digits, page).is_ok() {
            true => Ok(()),
            false => Err(wrong()),
        }
    })?;
    Hidden::from_secret(bytes).map_err(|_| wrong())
}

/// The same element in a page of its own.
pub(super) fn again(hidden: &Hidden) -> Result<Hidden, ClaimsError> {
    let bytes = Secret::<[u8; 32]>::try_make(|page| {
        // EXPOSE: copied from one secret page to another.
        page.copy_from_slice(hidden.secret().expose());
        Ok::<_, ClaimsError>(())
    })?;
    Hidden::from_secret(bytes).map_err(|_| ClaimsError::Member("secret"))
}

/// A public element of 64 lower-case hex digits.
pub(super) fn element(digits: &str, member: &'static str) -> Result<Element, ClaimsError> {
    text::element(digits).map_err(|_| ClaimsError::Member(member))
}

/// A day.
pub(super) fn day(text: &str, member: &'static str) -> Result<Date, ClaimsError> {
    text.parse().map_err(|_| ClaimsError::Member(member))
}

/// Where a document goes as it is written.
pub(super) struct Page<'w>(&'w mut dyn FnMut(&[u8]));

impl Page<'_> {
    /// JSON as it stands; texts in it need no escape.
    pub(super) fn raw(&mut self, json: &str) {
        (self.0)(json.as_bytes());
    }

    /// A text that needs no escape: it came out of a document without any, or was held against its form.
    pub(super) fn secret(&mut self, text: &Secret<[u8]>) {
        // EXPOSE: copied from one secret page to another.
        (self.0)(text.expose());
    }

    /// An element as hex digits.
    pub(super) fn hidden(&mut self, hidden: &Hidden) {
        // EXPOSE: written into a secret page, digit by digit.
        for byte in hidden.secret().expose() {
            let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
            (self.0)(&[digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// A document in a secret page: `write` is run twice, to measure and to fill.
pub(super) fn write(write: impl Fn(&mut Page<'_>)) -> Result<Secret<[u8]>, ClaimsError> {
    let mut length = 0;
    write(&mut Page(&mut |piece: &[u8]| length += piece.len()));
    Secret::<[u8]>::try_make_slice(length, |page| {
        let mut at = 0;
        write(&mut Page(&mut |piece: &[u8]| {
            page[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        }));
        Ok(at)
    })
}
