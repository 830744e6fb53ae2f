//! Text with secrets in it, written where it stays.

use symbolon_connector::inject::{Slot, WireFormError, wire_form};
use symbolon_secret::{MemoryError, Secret};

use super::TokenError;

/// Writes into a secret page.
pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    overflows: bool,
}

/// What `write` writes, in a secret page.
///
/// # Errors
/// [`TokenError::TooLong`] beyond what one record takes, [`TokenError::Memory`].
pub(super) fn secret_text(write: impl FnOnce(&mut Writer<'_>)) -> Result<Secret<[u8]>, TokenError> {
    Secret::try_make_slice(TEXT_BYTES_MAX, |out| {
        let mut writer = Writer { out, len: 0, overflows: false };
        write(&mut writer);
        if writer.overflows { Err(TokenError::TooLong) } else { Ok(writer.len) }
    })
}

impl Writer<'_> {
    /// The bytes as they are.
    pub(super) fn plain(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        match self.out.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.overflows = true,
        }
    }

    /// The bytes as a form writes them: all but the unreserved percent-encoded.
    pub(super) fn encoded(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                self.plain([*byte]);
            } else {
                let digit = |half: u8| b"0123456789ABCDEF"[usize::from(half)];
                self.plain([b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }

    /// `&name=value`, without the `&` at the beginning.
    pub(super) fn field(&mut self, name: &str, value: impl AsRef<[u8]>) {
        if self.len > 0 {
            self.plain("&");
        }
        self.plain(name);
        self.plain("=");
        self.encoded(value);
    }
}

/// Base64 of a pair `user:password`, both encoded as a form writes them (RFC 6749, section 2.3.1).
///
/// # Errors
/// [`TokenError::ClientSecret`] for a secret under 8 bytes.
pub(super) fn basic(user: &str, password: &Secret<[u8]>) -> Result<Secret<[u8]>, TokenError> {
    let pair = secret_text(|w| {
        w.encoded(user);
        w.plain(":");
        // EXPOSE: encoded from one secret page into another.
        w.encoded(password.expose());
    })?;
    wire_form(&Slot::Basic, &pair).map_err(|e| match e {
        WireFormError::TooLong => TokenError::TooLong,
        WireFormError::Memory(e) => e.into(),
        _ => TokenError::ClientSecret,
    })
}

/// The text of one value of a query or form, decoded into a page of its own; `None` where it is
/// not percent-encoded ASCII.
pub(super) fn decoded(value: &[u8]) -> Option<Secret<[u8]>> {
    let mut is_good = true;
    let text = Secret::<[u8]>::try_make_slice(value.len(), |out| {
        let (mut at, mut len) = (0, 0);
        while at < value.len() {
            let (byte, used) = match value[at] {
                b'%' => match value.get(at + 1..at + 3).map(hex) {
                    Some(Some(byte)) => (byte, 3),
                    _ => (0, 1),
                },
                b'+' => (b' ', 1),
                byte => (byte, 1),
            };
            is_good &= (0x20..0x7f).contains(&byte);
            out[len] = byte;
            (at, len) = (at + used, len + 1);
        }
        Ok::<_, MemoryError>(len)
    });
    text.ok().filter(|_| is_good)
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()
}

const TEXT_BYTES_MAX: usize = 12 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(secret: Secret<[u8]>) -> String {
        // EXPOSE: a test's own text.
        String::from_utf8(secret.expose().to_vec()).unwrap()
    }

    #[test]
    fn fields_are_encoded_and_a_text_that_is_too_long_is_refused() {
        let text = secret_text(|w| {
            w.field("grant_type", "refresh_token");
            w.field("refresh_token", "a+b/c=&d e");
        });
        let expected = "grant_type=refresh_token&refresh_token=a%2Bb%2Fc%3D%26d%20e";
        assert_eq!(shown(text.unwrap()), expected);
        let long = vec![b'%'; TEXT_BYTES_MAX];
        assert!(matches!(secret_text(|w| w.encoded(&long)), Err(TokenError::TooLong)));
    }

    #[test]
    fn a_pair_is_encoded_before_it_is_base64() {
        let secret = |text: &str| secret_text(|w| w.plain(text)).unwrap();
        // "my%3Aclient:s%26cret-01"
        let expected = "bXklM0FjbGllbnQ6cyUyNmNyZXQtMDE=";
        assert_eq!(shown(basic("my:client", &secret("s&cret-01")).unwrap()), expected);
        assert!(matches!(basic("c", &secret("short")), Err(TokenError::ClientSecret)));
    }

    #[test]
    fn values_are_decoded_or_refused() {
        assert_eq!(shown(decoded(b"a%2Fb+c%7e").unwrap()), "a/b c~");
        for bad in [&b"%"[..], b"%2", b"%zz", b"%00", b"a%0Ab", b"\xc3\xa9"] {
            assert!(decoded(bad).is_none(), "{bad:?}");
        }
    }
}
