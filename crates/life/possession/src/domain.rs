//! For whom a key is a key: no scalar of one domain is one of another.

use std::fmt;

use symbolon_codec::Fields;

use crate::ServiceId;

/// Characters of the longest audience.
pub const AUDIENCE_CHARS_MAX: usize = 200;
/// Characters of the longest name of an account.
pub const ACCOUNT_CHARS_MAX: usize = 128;

/// The address of a service, such as `https://api.example`: `https`, or `http` on loopback; a name, and a port where
/// it is another than the scheme's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Audience(String);

impl Audience {
    /// Reads one in its one spelling.
    ///
    /// # Errors
    /// [`DomainError::Audience`].
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let rest = text.strip_prefix("https://").or_else(|| {
            let rest = text.strip_prefix("http://")?;
            let host = rest.split(':').next();
            (host == Some("localhost")).then_some(rest)
        });
        let rest =
            rest.filter(|_| text.len() <= AUDIENCE_CHARS_MAX).ok_or(DomainError::Audience)?;
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        };
        let is_char = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        };
        // One spelling: no zeros before, and not the port that the scheme has anyway.
        let own = if text.starts_with("https") { 443 } else { 80 };
        let is_port = |port: &str| {
            let number = port.parse::<u16>().ok().filter(|number| *number > 0 && *number != own);
            number.is_some_and(|number| number.to_string() == port)
        };
        let is_good = !host.is_empty() && host.bytes().all(is_char) && port.is_none_or(is_port);
        if is_good { Ok(Self(text.to_owned())) } else { Err(DomainError::Audience) }
    }

    /// As it stands in tokens.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audience({})", self.0)
    }
}

/// The account at the service that a key is of, where the service has them; else empty.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct KeyAccount(String);

impl KeyAccount {
    /// Printable ASCII.
    ///
    /// # Errors
    /// [`DomainError::Account`].
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let is_good = text.len() <= ACCOUNT_CHARS_MAX && text.bytes().all(|b| b.is_ascii_graphic());
        if is_good { Ok(Self(text.to_owned())) } else { Err(DomainError::Account) }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyAccount({})", self.0)
    }
}

/// Server, service and account: what a scalar is derived for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// The server's origin.
    pub issuer: String,
    /// The service's id there.
    pub service: ServiceId,
    /// The service's address.
    pub audience: Audience,
    /// The account there.
    pub account: KeyAccount,
}

impl Domain {
    /// What goes into the derivation: `F(issuer, service, audience, account)` behind the label.
    pub(crate) fn context(&self) -> Vec<u8> {
        Fields::new(&self.issuer)
            .bytes(self.service.as_bytes())
            .str(self.audience.as_str())
            .str(self.account.as_str())
            .finish()
    }
}

/// What is wrong with a word of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// No address of a service.
    #[error(
        "a service's address is https://NAME, with a port where it is not 443, and nothing else"
    )]
    Audience,
    /// No name of an account.
    #[error("an account's name is at most {ACCOUNT_CHARS_MAX} printable characters without spaces")]
    Account,
}
