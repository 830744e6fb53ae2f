//! `application/x-www-form-urlencoded`, as OAuth's requests are: each parameter once (RFC 6749, section 3.1).

/// Bytes of the longest form.
pub const FORM_BYTES_MAX: usize = 8 * 1024;
/// Parameters of the longest.
const PARAMETERS_MAX: usize = 32;

/// The parameters of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// Why a form is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// Longer than [`FORM_BYTES_MAX`], or more parameters than are taken.
    #[error("the parameters are too many")]
    TooLong,
    /// A percent sign without two digits behind it, or bytes that are no UTF-8.
    #[error("the parameters are not form-urlencoded")]
    Encoding,
    /// A parameter that comes twice: two readers could take each another one.
    #[error("a parameter comes twice")]
    Twice,
}

impl Form {
    /// Reads one.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn parse(text: &[u8]) -> Result<Self, FormError> {
        if text.len() > FORM_BYTES_MAX {
            return Err(FormError::TooLong);
        }
        let mut all: Vec<(String, String)> = Vec::new();
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let name = decode(&pair[..at])?;
            let value = decode(pair.get(at + 1..).unwrap_or_default())?;
            if all.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Twice);
            }
            if all.len() == PARAMETERS_MAX {
                return Err(FormError::TooLong);
            }
            all.push((name, value));
        }
        Ok(Self(all))
    }

    /// A parameter. One without a value is treated as if it were not there (RFC 6749, section 3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Each, in its order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                let (high, low) = (digit(), digit());
                let both = high.zip(low).ok_or(FormError::Encoding)?;
                u8::try_from(both.0 * 16 + both.1).map_err(|_| FormError::Encoding)?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::Encoding)
}

/// Writes a value so that [`Form::parse`] reads it again.
pub(super) fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                for digit in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                    out.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
}
