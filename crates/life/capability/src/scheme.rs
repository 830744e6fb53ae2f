//! How one connection's credential goes out, as text and back.

use std::fmt;
use std::str::FromStr;

use std::sync::Arc;

use crate::OAuth2;
use crate::catalog::{AuthScheme, BasicUser};

/// The scheme of one connection. As text: `bearer`, `header:NAME`, `header:NAME:PREFIX`,
/// `query:NAME`, `cookie:NAME`, `form:NAME`,
/// `aws4:REGION:SERVICE`, `aws4-session:REGION:SERVICE`, `hmac`, `basic`, `basic-user:NAME`, `basic-key`, `mtls`, `none`, `oauth2:…`
/// (see [`OAuth2`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer <credential>` (RFC 6750).
    Bearer,
    /// `<name>: <prefix><credential>`.
    Header {
        /// In lower case.
        name: String,
        /// A blank at its end included.
        prefix: String,
    },
    /// `?<name>=<credential>`.
    Query {
        /// The parameter.
        name: String,
    },
    /// `Cookie: …; <name>=<credential>` (RFC 6265).
    Cookie {
        /// The cookie; its case counts.
        name: String,
    },
    /// `<name>=<credential>` in a form's body.
    Form {
        /// The field.
        name: String,
    },
    /// AWS Signature Version 4; the credential is `KEY_ID:SECRET` or `KEY_ID:SECRET:SESSION_TOKEN`.
    Aws4 {
        /// The region that is signed for.
        region: String,
        /// The service that is signed for.
        service: String,
        /// Whether the credential has a session token.
        session: bool,
    },
    /// A signature by HMAC, as the service's catalogue file describes it.
    Hmac,
    /// `Authorization: Basic …` (RFC 7617).
    Basic(BasicHalf),
    /// `Authorization: Bearer …` with an access token that the broker gets and renews; the
    /// credential is the client's secret, which may be empty.
    OAuth2(Arc<OAuth2>),
    /// Nothing in the request: the TLS handshake shows a certificate (RFC 8446, section 4.4.2); the
    /// credential is its chain and its key.
    Mtls,
    /// Nothing goes out: the service asks for no credential. What is sealed is random, and opens the
    /// way that any other does, so that a call without a credential has the same evidence.
    None,
}

/// Which part of Basic's `user:password` the credential is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BasicHalf {
    /// All of it.
    Both,
    /// The password; the user is known.
    Password {
        /// The user.
        user: String,
    },
    /// The user; the password is empty.
    User,
}

/// What is wrong with a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemeError {
    /// Not one of the forms.
    #[error(
        "a scheme is bearer, header:NAME, header:NAME:PREFIX, query:NAME, cookie:NAME, form:NAME, aws4:REGION:SERVICE, hmac, basic, basic-user:NAME, basic-key or mtls"
    )]
    Form,
    /// The service is in many regions, and the connection names none.
    #[error("this service needs a region")]
    RegionMissing,
    /// The service wants a user name with each connection.
    #[error("this service needs a user name beside the password")]
    UserMissing,
    /// The service's tokens come by a flow, and none was run.
    #[error("this service gives its tokens by OAuth2")]
    FlowMissing,
}

impl Scheme {
    /// The catalogue's scheme for a connection, with the user name or the region that it may need.
    ///
    /// # Errors
    /// [`SchemeError::UserMissing`], [`SchemeError::RegionMissing`].
    pub fn of(
        auth: &AuthScheme,
        user: Option<&str>,
        region: Option<&str>,
    ) -> Result<Self, SchemeError> {
        Ok(match auth {
            AuthScheme::None => Self::None,
            AuthScheme::Bearer => Self::Bearer,
            AuthScheme::Header { name, prefix } => {
                Self::Header { name: name.to_string(), prefix: prefix.to_string() }
            }
            AuthScheme::Query { name } => Self::Query { name: name.to_string() },
            AuthScheme::Cookie { name } => Self::Cookie { name: name.to_string() },
            AuthScheme::Form { name } => Self::Form { name: name.to_string() },
            AuthScheme::Aws4 { service, region: fixed } => {
                let region = region.or(fixed.as_deref()).ok_or(SchemeError::RegionMissing)?;
                return format!("aws4:{region}:{service}").parse();
            }
            AuthScheme::Hmac(_) => Self::Hmac,
            AuthScheme::OAuth2(_) => return Err(SchemeError::FlowMissing),
            AuthScheme::Basic { username: BasicUser::Fixed(user) } => {
                Self::Basic(BasicHalf::Password { user: user.to_string() })
            }
            AuthScheme::Basic { username: BasicUser::Credential } => Self::Basic(BasicHalf::User),
            AuthScheme::Basic { username: BasicUser::Connection } => {
                let user = user.ok_or(SchemeError::UserMissing)?.to_owned();
                Self::Basic(BasicHalf::Password { user })
            }
        })
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("bearer"),
            Self::Header { name, prefix } if prefix.is_empty() => write!(f, "header:{name}"),
            Self::Header { name, prefix } => write!(f, "header:{name}:{prefix}"),
            Self::Query { name } => write!(f, "query:{name}"),
            Self::Cookie { name } => write!(f, "cookie:{name}"),
            Self::Form { name } => write!(f, "form:{name}"),
            Self::Aws4 { region, service, session } => {
                let session = if *session { "-session" } else { "" };
                write!(f, "aws4{session}:{region}:{service}")
            }
            Self::Hmac => f.write_str("hmac"),
            Self::Basic(BasicHalf::Both) => f.write_str("basic"),
            Self::Basic(BasicHalf::Password { user }) => write!(f, "basic-user:{user}"),
            Self::Basic(BasicHalf::User) => f.write_str("basic-key"),
            Self::OAuth2(oauth) => write!(f, "oauth2:{oauth}"),
            Self::Mtls => f.write_str("mtls"),
            Self::None => f.write_str("none"),
        }
    }
}

impl Scheme {
    /// As a person may read it: of tokens that the broker gets, by which flow.
    pub fn label(&self) -> String {
        match self {
            Self::OAuth2(oauth) => format!("oauth2 ({})", oauth.flow.as_str()),
            other => other.to_string(),
        }
    }
}

impl FromStr for Scheme {
    type Err = SchemeError;
    fn from_str(text: &str) -> Result<Self, SchemeError> {
        let word = |s: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            let ok = (1..=64).contains(&s.len()) && s.bytes().all(plain);
            ok.then(|| s.to_owned()).ok_or(SchemeError::Form)
        };
        let shown = |s: &str, max: usize| {
            let ok = s.len() <= max && s.bytes().all(|b| (0x20..0x7f).contains(&b));
            ok.then(|| s.to_owned()).ok_or(SchemeError::Form)
        };
        Ok(match text.split_once(':') {
            None if text == "bearer" => Self::Bearer,
            None if text == "mtls" => Self::Mtls,
            None if text == "none" => Self::None,
            None if text == "basic" => Self::Basic(BasicHalf::Both),
            None if text == "basic-key" => Self::Basic(BasicHalf::User),
            Some(("header", rest)) => {
                let (name, prefix) = rest.split_once(':').unwrap_or((rest, ""));
                Self::Header { name: word(name)?.to_ascii_lowercase(), prefix: shown(prefix, 64)? }
            }
            Some(("query", name)) => Self::Query { name: word(name)? },
            None if text == "hmac" => Self::Hmac,
            Some((aws @ ("aws4" | "aws4-session"), rest)) => {
                let (region, service) = rest.split_once(':').ok_or(SchemeError::Form)?;
                let session = aws == "aws4-session";
                Self::Aws4 { region: word(region)?, service: word(service)?, session }
            }
            Some(("cookie", name)) => Self::Cookie { name: word(name)? },
            Some(("form", name)) => Self::Form { name: word(name)? },
            Some(("oauth2", rest)) => {
                Self::OAuth2(Arc::new(rest.parse().map_err(|_| SchemeError::Form)?))
            }
            Some(("basic-user", user)) if !user.is_empty() && !user.contains(':') => {
                Self::Basic(BasicHalf::Password { user: shown(user, 256)? })
            }
            _ => return Err(SchemeError::Form),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_other_text_is_refused() {
        for text in [
            "bearer",
            "header:x-api-key",
            "header:authorization:Token ",
            "query:key",
            "cookie:__Host-sid.v1",
            "form:token",
            "aws4:eu-west-1:s3",
            "aws4-session:us-east-1:execute-api",
            "hmac",
            "basic",
            "basic-user:api",
            "basic-key",
            "mtls",
            "none",
            "oauth2:device:none:https%3A//id.example/token:client:",
        ] {
            assert_eq!(text.parse::<Scheme>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "Bearer",
            "header:",
            "header:a b",
            "header:a\r\nb",
            "header:x:\r\n",
            "query:",
            "query:a=b",
            "cookie:",
            "cookie:a=b",
            "cookie:a;b",
            "form:a&b",
            "form:a[b]",
            "aws4:eu-west-1",
            "aws4::s3",
            "aws4:a/b:s3",
            "hmac:x",
            "basic-user:",
            "basic-user:a:b",
            "mtls:x",
            "none:x",
            "oauth2",
            "oauth2:device:none:http%3A//id.example/token:client:",
        ] {
            assert!(bad.parse::<Scheme>().is_err(), "{bad:?}");
        }
    }
}
