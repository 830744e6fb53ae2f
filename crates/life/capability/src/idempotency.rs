//! Idempotency keys: what lets a service know a request that it has seen before
//! (`specs/retries.md`).

use std::fmt;

use crate::{Intent, Release};

/// A key that the broker made for one call: a version 4 UUID (RFC 9562, section 5.4) out of the
/// intent's id, so that whoever has the log can make it again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey([u8; 16]);

impl IdempotencyKey {
    /// Of the call with this intent.
    #[must_use]
    pub const fn of(intent_id: [u8; 16]) -> Self {
        let mut bytes = intent_id;
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Release {
    /// The key that this call is made under, on every try, where its operation takes one and its
    /// caller brought none.
    #[must_use]
    pub fn idempotency_key(&self) -> IdempotencyKey {
        IdempotencyKey::of(self.intent_id())
    }
}

impl Intent {
    /// The key under which the call went out, where its operation takes one and its caller brought
    /// none.
    #[must_use]
    pub const fn idempotency_key(&self) -> IdempotencyKey {
        IdempotencyKey::of(self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_a_uuid_of_the_intent_and_nothing_else() {
        let id: [u8; 16] = std::array::from_fn(|i| (i * 0x11) as u8);
        assert_eq!(IdempotencyKey::of(id).to_string(), "00112233-4455-4677-8899-aabbccddeeff");
        let ones = IdempotencyKey::of([0xFF; 16]).to_string();
        assert_eq!(ones, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let mut other = id;
        other[15] ^= 1;
        assert_ne!(IdempotencyKey::of(id), IdempotencyKey::of(other));
    }
}
