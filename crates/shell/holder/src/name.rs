//! What a vault is called on this device.

use std::fmt;
use std::str::FromStr;

/// The name of a vault on this device, and of its folder: 1 to 32 of `a-z`, `0-9`, `-`, `_`, a letter or
/// digit first. No server hears it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultName(String);

/// A name that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a vault's name has 1 to 32 of a-z, 0-9, - and _, a letter or digit first")]
pub struct NameError;

impl VaultName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VaultName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first = text.bytes().next().is_some_and(is_plain);
        let rest = text.bytes().all(|b| is_plain(b) || matches!(b, b'-' | b'_'));
        if first && rest && text.len() <= 32 { Ok(Self(text.to_owned())) } else { Err(NameError) }
    }
}

impl fmt::Display for VaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for good in ["personal", "a", "0", "work-2_b"] {
            assert_eq!(good.parse::<VaultName>().map(|n| n.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", ".", "..", "a/b", "-a", "_a", "A", "ä", ".new", &"a".repeat(33)] {
            assert_eq!(bad.parse::<VaultName>(), Err(NameError), "{bad}");
        }
    }
}
