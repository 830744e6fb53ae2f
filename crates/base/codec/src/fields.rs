//! Length-prefixed fields: the canonical bytes under every hash, signature and authenticated data.
//!
//! Layout: for each field a big-endian `u32` length and then the bytes; the first field is the
//! format's name, so bytes of one kind never read as another. Numbers are eight big-endian bytes.

use crate::CodecError;

/// Writes fields; each call appends one.
#[derive(Debug, Clone)]
pub struct Fields(Vec<u8>);

impl Fields {
    /// Starts with the format's name, such as `symbolon/intent/v1`.
    pub fn new(tag: &str) -> Self {
        Self(Vec::with_capacity(256)).str(tag)
    }

    /// As [`Fields::new`], into a buffer that is used again; what it held is dropped.
    pub fn reuse(mut buffer: Vec<u8>, tag: &str) -> Self {
        buffer.clear();
        Self(buffer).str(tag)
    }

    /// One field of bytes. Fields over 4 GiB cannot be built here: every caller bounds its input.
    #[must_use]
    pub fn bytes(mut self, field: &[u8]) -> Self {
        self.0.extend_from_slice(&(field.len() as u32).to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    /// One field of UTF-8 text.
    #[must_use]
    pub fn str(self, field: &str) -> Self {
        self.bytes(field.as_bytes())
    }

    /// One field of eight bytes.
    #[must_use]
    pub fn u64(self, field: u64) -> Self {
        self.bytes(&field.to_be_bytes())
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads what [`Fields`] wrote.
#[derive(Debug, Clone)]
pub struct FieldsReader<'a>(&'a [u8]);

impl<'a> FieldsReader<'a> {
    /// Checks the format's name.
    ///
    /// # Errors
    /// [`CodecError::Tag`] where the first field is another name.
    pub fn new(tag: &'static str, bytes: &'a [u8]) -> Result<Self, CodecError> {
        let mut r = Self(bytes);
        match r.bytes(tag.len()) {
            Ok(found) if found == tag.as_bytes() => Ok(r),
            _ => Err(CodecError::Tag { expected: tag }),
        }
    }

    /// The next field, `max` bytes at most.
    ///
    /// # Errors
    /// [`CodecError::Truncated`] or [`CodecError::TooLong`].
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], CodecError> {
        let (len, rest) = self.0.split_first_chunk::<4>().ok_or(CodecError::Truncated)?;
        let len = u32::from_be_bytes(*len) as usize;
        if len > max {
            return Err(CodecError::TooLong { found: len, max });
        }
        let (field, rest) = rest.split_at_checked(len).ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(field)
    }

    /// The next field as text of at most `max` bytes.
    ///
    /// # Errors
    /// As [`FieldsReader::bytes`], or [`CodecError::Encoding`].
    pub fn str(&mut self, max: usize) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.bytes(max)?).map_err(|_| CodecError::Encoding("UTF-8"))
    }

    /// The next field as a number.
    ///
    /// # Errors
    /// As [`FieldsReader::bytes`]; a field of other than eight bytes is [`CodecError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        let field = self.bytes(8)?;
        field.try_into().map(u64::from_be_bytes).map_err(|_| CodecError::Truncated)
    }

    /// The next field as exactly `N` bytes.
    ///
    /// # Errors
    /// As [`FieldsReader::bytes`]; another length is [`CodecError::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        self.bytes(N)?.try_into().map_err(|_| CodecError::Truncated)
    }

    /// How many bytes follow.
    pub const fn remaining(&self) -> usize {
        self.0.len()
    }

    /// Checks that nothing follows.
    ///
    /// # Errors
    /// [`CodecError::Trailing`].
    pub fn end(self) -> Result<(), CodecError> {
        if self.0.is_empty() { Ok(()) } else { Err(CodecError::Trailing(self.0.len())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_a_cut_and_a_tail_are_told_apart() {
        let b = Fields::new("symbolon/test/v1").str("x").u64(9).finish();
        assert!(matches!(FieldsReader::new("symbolon/test/v2", &b), Err(CodecError::Tag { .. })));
        for cut in 20..b.len() {
            let mut r = FieldsReader::new("symbolon/test/v1", &b[..cut]).unwrap();
            assert!(r.str(8).and_then(|_| r.u64()).is_err(), "{cut}");
        }
        let tail = [&b[..], b"z"].concat();
        let mut r = FieldsReader::new("symbolon/test/v1", &tail).unwrap();
        assert_eq!((r.str(8).unwrap(), r.u64().unwrap()), ("x", 9));
        assert_eq!(r.end(), Err(CodecError::Trailing(1)));
    }

    #[test]
    fn moving_a_border_changes_the_bytes() {
        let a = Fields::new("t").str("ab").str("c").finish();
        let b = Fields::new("t").str("a").str("bc").finish();
        assert_ne!(a, b);
    }
}
