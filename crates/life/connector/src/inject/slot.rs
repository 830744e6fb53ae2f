//! Where in a request the credential goes.

use symbolon_capability::catalog::is_transport_header;
use symbolon_capability::url::is_unreserved;

/// The one place in a request head that carries the credential.
///
/// Names and prefixes are checked when the slot is made, so inspection compares plain bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Slot {
    /// The whole value of one header, after a fixed prefix: `Authorization: Bearer …`.
    Header {
        /// The header, lower case.
        name: HeaderName,
        /// What stands before the credential, exactly; may be empty.
        prefix: Prefix,
    },
    /// The whole value of one query parameter: `?key=…`.
    Query {
        /// The parameter, as it stands in the request target.
        name: ParameterName,
    },
    /// HTTP Basic (RFC 7617): `Authorization: Basic base64(user:password)`.
    Basic,
    /// The whole value of one cookie, among others (RFC 6265, section 4.2): `Cookie: a=b; name=…`.
    Cookie {
        /// The cookie.
        name: CookieName,
    },
    /// The first field of an `application/x-www-form-urlencoded` body: `name=…&a=b`.
    Form {
        /// The field, as it stands in the body.
        name: ParameterName,
    },
    /// Nowhere: the credential makes a signature and stays here. Its bytes are `id:key`, or
    /// `id:key:token`, where the token is sent in a header of its own.
    Signed {
        /// The header of the token; `None` where there is no token.
        token: Option<HeaderName>,
    },
    /// Nowhere: the connection itself proves it (a client certificate).
    Nowhere,
}

impl Slot {
    /// `name: <prefix><credential>`. Errs for a header that frames or routes the message.
    pub fn header(name: &str, prefix: &str) -> Result<Self, SlotError> {
        Ok(Slot::Header { name: HeaderName::parse(name)?, prefix: Prefix::parse(prefix)? })
    }

    /// `Authorization: Bearer <credential>` (RFC 6750, section 2.1).
    pub fn bearer() -> Self {
        Slot::Header { name: HeaderName(AUTHORIZATION.into()), prefix: Prefix("Bearer ".into()) }
    }

    /// `?<name>=<credential>`.
    pub fn query(name: &str) -> Result<Self, SlotError> {
        Ok(Slot::Query { name: ParameterName::parse(name)? })
    }

    /// The value of the cookie `name`.
    pub fn cookie(name: &str) -> Result<Self, SlotError> {
        Ok(Slot::Cookie { name: CookieName::parse(name)? })
    }

    /// The field `name` of a form.
    pub fn form(name: &str) -> Result<Self, SlotError> {
        Ok(Slot::Form { name: ParameterName::parse(name)? })
    }

    /// A signature, and a token in the header `token`.
    pub fn signed(token: Option<&str>) -> Result<Self, SlotError> {
        Ok(Slot::Signed { token: token.map(HeaderName::parse).transpose()? })
    }

    /// Whether the head has no placeholder.
    pub(super) fn is_nowhere(&self) -> bool {
        matches!(self, Slot::Nowhere | Slot::Signed { token: None })
    }

    /// The header whose whole value is the credential after a prefix, and that prefix; `None` for a
    /// slot that is not a header of its own.
    pub fn carrier(&self) -> Option<(&str, &str)> {
        match self {
            Slot::Header { name, prefix } => Some((name.as_str(), prefix.as_str())),
            Slot::Basic => Some((AUTHORIZATION, "Basic ")),
            Slot::Signed { token } => token.as_ref().map(|name| (name.as_str(), "")),
            Slot::Query { .. } | Slot::Cookie { .. } | Slot::Form { .. } | Slot::Nowhere => None,
        }
    }

    /// The header that the credential stands in, alone or among others.
    pub fn header_name(&self) -> Option<&str> {
        match self {
            Slot::Cookie { .. } => Some(COOKIE),
            _ => self.carrier().map(|(name, _)| name),
        }
    }
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text! {
    /// A header name in lower case: 1 to 64 token characters (RFC 9110, section 5.6.2).
    HeaderName
}
text! {
    /// What stands before the credential in a header value: at most 64 visible characters and
    /// spaces, not beginning with a space.
    Prefix
}
text! {
    /// A cookie's name: 1 to 64 token characters (RFC 6265, section 4.1.1).
    CookieName
}
text! {
    /// A query parameter name of 1 to 64 unreserved characters (RFC 3986, section 2.3), so that it
    /// has one spelling.
    ParameterName
}

impl HeaderName {
    /// Parses in any case. Errs for a header that frames or routes the message.
    pub fn parse(name: &str) -> Result<Self, SlotError> {
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_token) {
            return Err(SlotError::HeaderName);
        }
        let name = name.to_ascii_lowercase();
        if is_transport_header(&name) {
            return Err(SlotError::ReservedHeader);
        }
        Ok(Self(name.into()))
    }
}

impl Prefix {
    /// Errs where the text could end the header or be trimmed away.
    pub fn parse(prefix: &str) -> Result<Self, SlotError> {
        let fits = prefix.len() <= NAME_BYTES_MAX
            && !prefix.starts_with(' ')
            && prefix.bytes().all(|b| (0x20..0x7f).contains(&b));
        if fits { Ok(Self(prefix.into())) } else { Err(SlotError::Prefix) }
    }
}

impl CookieName {
    /// Errs for what is not a token. Case counts, as it does for servers.
    pub fn parse(name: &str) -> Result<Self, SlotError> {
        let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_token);
        if fits { Ok(Self(name.into())) } else { Err(SlotError::CookieName) }
    }
}

impl ParameterName {
    /// Errs for any character that could be written in two ways.
    pub fn parse(name: &str) -> Result<Self, SlotError> {
        let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_unreserved);
        if fits { Ok(Self(name.into())) } else { Err(SlotError::ParameterName) }
    }
}

/// Why a slot cannot be made. The fault is the caller's: the catalogue entry or the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// The header name is empty, longer than 64 bytes, or not a token.
    #[error("the credential's header name is not an HTTP token of 1 to 64 characters")]
    HeaderName,
    /// The header frames or routes the message.
    #[error("a header that frames or routes the message cannot carry a credential")]
    ReservedHeader,
    /// The prefix could end the header or would be trimmed.
    #[error("the prefix before the credential must be at most 64 visible characters and spaces")]
    Prefix,
    /// The cookie's name is empty, longer than 64 bytes, or not a token.
    #[error("the credential's cookie is not a token of 1 to 64 characters")]
    CookieName,
    /// The parameter name has characters with two spellings.
    #[error("the credential's parameter or field must be 1 to 64 letters, digits, - . _ or ~")]
    ParameterName,
}

/// A token character (RFC 9110, section 5.6.2).
#[inline]
pub(super) fn is_token(b: u8) -> bool {
    TOKEN[usize::from(b)]
}

/// A table, because every header name of every request is checked.
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = matches!(b as u8, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z'
            | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
            | b'`' | b'|' | b'~');
        b += 1;
    }
    table
};

const AUTHORIZATION: &str = "authorization";
const COOKIE: &str = "cookie";
const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_tokens() {
        assert_eq!(Slot::header("X-Api-Key", ""), Slot::header("x-api-key", ""));
        for name in ["", "a b", "a:b", "a\r\n", "é", &"a".repeat(65)] {
            assert_eq!(Slot::header(name, ""), Err(SlotError::HeaderName), "{name:?}");
        }
    }

    #[test]
    fn framing_and_routing_headers_carry_nothing() {
        for name in [
            "Accept-Encoding",
            "CONNECTION",
            "content-length",
            "Expect",
            "HOST",
            "Keep-Alive",
            "Proxy-Authorization",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
        ] {
            assert_eq!(Slot::header(name, ""), Err(SlotError::ReservedHeader), "{name}");
        }
    }

    #[test]
    fn prefixes_cannot_end_the_header() {
        assert!(Slot::header("authorization", "token ").is_ok());
        for prefix in [" x", "a\r\nb", "a\tb", "\u{7f}", &"a".repeat(65)] {
            assert_eq!(Slot::header("a", prefix), Err(SlotError::Prefix), "{prefix:?}");
        }
    }

    #[test]
    fn parameters_have_one_spelling() {
        assert!(Slot::query("api_key").is_ok());
        for name in ["", "a=b", "a&b", "a%62", "a+b", "a b", "é"] {
            assert_eq!(Slot::query(name), Err(SlotError::ParameterName), "{name:?}");
        }
    }

    #[test]
    fn cookies_are_tokens_and_fields_have_one_spelling() {
        assert!(Slot::cookie("__Host-session.id").is_ok());
        for name in ["", "a=b", "a;b", "a b", "a,b", "a\r\n", "\u{e9}", &"a".repeat(65)] {
            assert_eq!(Slot::cookie(name), Err(SlotError::CookieName), "{name:?}");
        }
        assert!(Slot::form("token").is_ok());
        for name in ["", "a=b", "a&b", "a%62", "a+b", "a[b]"] {
            assert_eq!(Slot::form(name), Err(SlotError::ParameterName), "{name:?}");
        }
    }

    #[test]
    fn the_carrier_is_named() {
        assert_eq!(Slot::cookie("sid").unwrap().carrier(), None);
        assert_eq!(Slot::cookie("sid").unwrap().header_name(), Some("cookie"));
        assert_eq!(Slot::Nowhere.header_name(), None);
        assert_eq!(Slot::bearer().carrier(), Some(("authorization", "Bearer ")));
        assert_eq!(Slot::Basic.carrier(), Some(("authorization", "Basic ")));
        assert_eq!(Slot::query("key").unwrap().carrier(), None);
    }
}
