//! Why a credential that a service made is not handed on, or one that was kept is not used.

use symbolon_capability::StoreError;
use symbolon_capability::oauth2::unix_ms_of_rfc3339;
use symbolon_connector::redact::PatternError;
use symbolon_secret::MemoryError;

/// A credential was or may have been made, and nobody here has it.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// More than is read whole.
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    /// The document.
    #[error("its answer is not JSON with each member once")]
    NotJson,
    /// A place.
    #[error("its answer has no credential where the catalogue says")]
    Missing,
    /// What stands at the place.
    #[error("the credential in its answer cannot be sent through this connection")]
    Unfit,
    /// When it ends.
    #[error("its answer does not say when the credential ends, in a way that can be read")]
    End,
    /// No secret memory.
    #[error("the credential could not be sealed: {0}")]
    Memory(#[from] MemoryError),
    /// It cannot be searched for in the answer.
    #[error("the credential could not be sealed: {0}")]
    Learn(#[from] LearnError),
    /// The store.
    #[error("the credential could not be kept: {0}")]
    Store(#[from] StoreError),
    /// The connection, or the key.
    #[error("the credential could not be kept: the vault was locked, or the connection is gone")]
    Gone,
}

impl MintError {
    /// A stable word: whose fault it is.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) | Self::NotJson | Self::Missing | Self::Unfit | Self::End => {
                "mint_unreadable"
            }
            Self::Memory(_) | Self::Learn(_) | Self::Store(_) | Self::Gone => "mint_unkept",
        }
    }
}

/// What was kept is not good any more, when its call had passed its gates.
#[derive(Debug, thiserror::Error)]
pub enum UnusableMinted {
    /// Revoked, or over, meanwhile.
    #[error("the minted credential was revoked, or has ended, while the call waited")]
    Gone,
    /// Its row was changed.
    #[error("the minted credential does not open: {0}")]
    Sealed(#[from] LearnError),
}

/// A sealed secret that could not be opened to learn what an echo of it looks like.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The envelope.
    #[error("an envelope is damaged or was moved")]
    Sealed,
    /// Its text.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// When a text says that something ends, in Unix milliseconds: RFC 3339, a date, or Unix seconds.
pub(super) fn end_of(text: &str) -> Option<u64> {
    if text.len() > TIME_BYTES_MAX {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<u64>().ok().filter(|s| *s <= UNIX_SECONDS_MAX).map(|s| s * 1000);
    }
    unix_ms_of_rfc3339(text).or_else(|| unix_ms_of_rfc3339(&format!("{text}T00:00:00Z")))
}

const TIME_BYTES_MAX: usize = 40;
/// The last second of the year 9999.
const UNIX_SECONDS_MAX: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_written_in_three_ways() {
        let ms = 1_468_275_250_000;
        for text in ["2016-07-11T22:14:10Z", "2016-07-12T00:14:10+02:00", "1468275250"] {
            assert_eq!(end_of(text), Some(ms), "{text}");
        }
        assert_eq!(end_of("2016-07-11"), Some(1_468_195_200_000));
        for bad in ["", "soon", "2016-07-11T22:14:10", "-5", "1.5", "253402300800", "1969-12-31"] {
            assert_eq!(end_of(bad), None, "{bad}");
        }
        assert_eq!(end_of(&"1".repeat(41)), None);
    }
}
