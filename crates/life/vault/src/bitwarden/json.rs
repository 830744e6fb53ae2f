//! JSON (RFC 8259) written without a copy of what it says.

/// A document that is handed on as it is written.
pub(super) struct Json<'w, E> {
    write: &'w mut dyn FnMut(&[u8]) -> Result<(), E>,
}

impl<'w, E> Json<'w, E> {
    pub(super) fn new(write: &'w mut dyn FnMut(&[u8]) -> Result<(), E>) -> Self {
        Self { write }
    }

    /// What is JSON already.
    pub(super) fn raw(&mut self, json: &str) -> Result<(), E> {
        (self.write)(json.as_bytes())
    }

    /// A text, in UTF-8, with the escapes that it must have.
    pub(super) fn text(&mut self, text: &[u8]) -> Result<(), E> {
        (self.write)(b"\"")?;
        let mut from = 0;
        for (at, byte) in text.iter().enumerate() {
            let Some((escape, length)) = escape(*byte) else { continue };
            (self.write)(&text[from..at])?;
            (self.write)(&escape[..length])?;
            from = at + 1;
        }
        (self.write)(&text[from..])?;
        (self.write)(b"\"")
    }

    /// A further member of an object, whose name needs no escape.
    pub(super) fn member(&mut self, name: &str, text: &[u8]) -> Result<(), E> {
        self.name(name)?;
        self.text(text)
    }

    /// A further member that is null where there is nothing.
    pub(super) fn optional(&mut self, name: &str, text: &[u8]) -> Result<(), E> {
        self.name(name)?;
        if text.is_empty() { self.raw("null") } else { self.text(text) }
    }

    fn name(&mut self, name: &str) -> Result<(), E> {
        self.raw(",\"")?;
        self.raw(name)?;
        self.raw("\":")
    }
}

/// What stands for a byte that is not bare in a text, and how much of it counts.
fn escape(byte: u8) -> Option<([u8; 6], usize)> {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    let short = |letter: u8| Some(([b'\\', letter, 0, 0, 0, 0], 2));
    match byte {
        b'"' | b'\\' => short(byte),
        b'\n' => short(b'n'),
        b'\r' => short(b'r'),
        b'\t' => short(b't'),
        0..0x20 => Some(([b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)], 6)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_by_another_reader(text in any::<String>()) {
            let mut out = Vec::new();
            let mut write = |piece: &[u8]| {
                out.extend_from_slice(piece);
                Ok::<_, Infallible>(())
            };
            Json::new(&mut write).text(text.as_bytes()).expect("a Vec takes it");
            prop_assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), text);
        }
    }
}
