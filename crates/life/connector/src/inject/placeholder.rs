//! What stands in for the credential until the request reaches the wire.

use std::fmt;

use symbolon_ambient::Rng;

/// 32 lower-case hex digits that stand for the credential in one request, and in no other.
///
/// It is unpredictable (128 bits), so a caller cannot place a copy of it in a path, a body or
/// another header beforehand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Placeholder([u8; Placeholder::LEN]);

impl Placeholder {
    /// Bytes on the wire side of the HTTP stack.
    pub const LEN: usize = 32;

    /// Draws a new one.
    pub fn make(rng: &dyn Rng) -> Self {
        let mut entropy = [0; 16];
        rng.fill(&mut entropy);
        Self::from_entropy(entropy)
    }

    /// The placeholder of these 16 bytes; for a caller that draws entropy in batches.
    pub fn from_entropy(entropy: [u8; 16]) -> Self {
        let mut text = [0; Self::LEN];
        for (pair, byte) in text.chunks_exact_mut(2).zip(entropy) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// The text as bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The text, to put into the header map or the query.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The type alone: a placeholder in a log would be one that a caller can learn.
impl fmt::Debug for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Placeholder")
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_lower_hex_of_its_entropy() {
        let mut entropy = [0; 16];
        (entropy[0], entropy[15]) = (0xAB, 0x0F);
        let placeholder = Placeholder::from_entropy(entropy);
        assert_eq!(placeholder.as_str(), "ab00000000000000000000000000000f");
        assert_eq!(placeholder.as_bytes(), placeholder.as_str().as_bytes());
    }

    #[test]
    fn debug_says_the_type_alone() {
        assert_eq!(format!("{:?}", Placeholder::from_entropy([7; 16])), "Placeholder");
    }
}
