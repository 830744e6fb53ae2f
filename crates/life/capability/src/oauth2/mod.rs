//! How a connection gets its access tokens (RFC 6749), as text and back. `specs/oauth.md`.

mod endpoint;
mod store;

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

pub use endpoint::{AuthorizationEndpoint, Endpoint, EndpointError};
pub use store::{IssuedRow, IssuedStore};

/// What the broker must know to get another access token; nothing of it is secret. As text:
/// `FLOW:CLIENT_AUTH:TOKEN_ENDPOINT:CLIENT_ID:SCOPE`, the last three percent-encoded. The credential
/// of the connection is sealed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// How the first token came, and for client credentials every token.
    pub flow: Flow,
    /// How the client shows who it is.
    pub client_auth: ClientAuth,
    /// Where tokens come from.
    pub token_endpoint: Endpoint,
    /// Whom the provider knows the broker as.
    pub client_id: ClientId,
    /// What tokens are asked for; may be empty.
    pub scope: TokenScope,
}

/// A flow of RFC 6749 or RFC 8628.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Authorization code with PKCE (RFC 7636) and a loopback redirect (RFC 8252).
    Code,
    /// Device authorization (RFC 8628).
    Device,
    /// Client credentials (RFC 6749, section 4.4).
    ClientCredentials,
    /// An installation of a GitHub App, which signs who it is (RFC 7519).
    GithubApp,
}

/// How a client authenticates at the token endpoint (RFC 6749, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// A public client: its id in the body.
    None,
    /// HTTP Basic: what every server must take.
    Basic,
    /// Id and secret in the body.
    Post,
    /// A statement that the App's private key signs; with [`Flow::GithubApp`], and there alone.
    AppJwt,
}

/// A client's id: 1 to 256 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId(Box<str>);

/// Scopes, one space between them (RFC 6749, section 3.3), at most 1,024 bytes; or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenScope(Box<str>);

/// What is wrong with how tokens are to be got. The fault is the owner's, or the catalogue's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OAuth2Error {
    /// Not one of the flows.
    #[error("a flow is code, device, client-credentials or github-app")]
    Flow,
    /// Not one of the ways to authenticate.
    #[error("a client authenticates by none, basic or post")]
    ClientAuth,
    /// Not a client id.
    #[error("a client id has 1 to 256 visible ASCII characters")]
    ClientId,
    /// Not a scope.
    #[error("an OAuth2 scope is visible ASCII without \" and \\, at most 1,024 bytes in all")]
    Scope,
    /// Not an endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Parts are missing, or one has another spelling.
    #[error("not FLOW:CLIENT_AUTH:TOKEN_ENDPOINT:CLIENT_ID:SCOPE")]
    Form,
}

impl Flow {
    /// As text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Device => "device",
            Self::ClientCredentials => "client-credentials",
            Self::GithubApp => "github-app",
        }
    }
}

impl FromStr for Flow {
    type Err = OAuth2Error;
    fn from_str(text: &str) -> Result<Self, OAuth2Error> {
        [Self::Code, Self::Device, Self::ClientCredentials, Self::GithubApp]
            .into_iter()
            .find(|flow| flow.as_str() == text)
            .ok_or(OAuth2Error::Flow)
    }
}

impl ClientAuth {
    /// As text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Post => "post",
            Self::AppJwt => "app-jwt",
        }
    }
}

impl FromStr for ClientAuth {
    type Err = OAuth2Error;
    fn from_str(text: &str) -> Result<Self, OAuth2Error> {
        [Self::None, Self::Basic, Self::Post, Self::AppJwt]
            .into_iter()
            .find(|auth| auth.as_str() == text)
            .ok_or(OAuth2Error::ClientAuth)
    }
}

impl ClientId {
    /// # Errors
    /// [`OAuth2Error::ClientId`].
    pub fn parse(text: &str) -> Result<Self, OAuth2Error> {
        let is_one = (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        is_one.then(|| Self(text.into())).ok_or(OAuth2Error::ClientId)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TokenScope {
    /// # Errors
    /// [`OAuth2Error::Scope`].
    pub fn parse(text: &str) -> Result<Self, OAuth2Error> {
        let is_token = |token: &str| {
            !token.is_empty()
                && token.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
        };
        let fits = text.is_empty() || text.len() <= 1024 && text.split(' ').all(is_token);
        fits.then(|| Self(text.into())).ok_or(OAuth2Error::Scope)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OAuth2 {
    /// Whether flow and way to authenticate go together.
    pub fn is_consistent(&self) -> bool {
        (self.flow == Flow::GithubApp) == (self.client_auth == ClientAuth::AppJwt)
    }

    /// Whether what is sealed with the connection ever goes to a server as it is.
    pub fn sends_secret(&self) -> bool {
        matches!(self.client_auth, ClientAuth::Basic | ClientAuth::Post)
    }
}

/// A time as RFC 3339 writes it, in Unix milliseconds; `None` for other text, and before 1970.
pub fn unix_ms_of_rfc3339(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok()
}

impl fmt::Display for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (flow, auth) = (self.flow.as_str(), self.client_auth.as_str());
        write!(f, "{flow}:{auth}")?;
        for part in [self.token_endpoint.as_str(), self.client_id.as_str(), self.scope.as_str()] {
            write!(f, ":{}", utf8_percent_encode(part, ESCAPED))?;
        }
        Ok(())
    }
}

impl FromStr for OAuth2 {
    type Err = OAuth2Error;
    fn from_str(text: &str) -> Result<Self, OAuth2Error> {
        let parts: Vec<&str> = text.split(':').collect();
        let [flow, auth, endpoint, client, scope] = parts[..] else {
            return Err(OAuth2Error::Form);
        };
        let plain = |part: &str| {
            let plain = percent_decode_str(part).decode_utf8().map_err(|_| OAuth2Error::Form)?;
            Ok::<_, OAuth2Error>(plain.into_owned())
        };
        let read = Self {
            flow: flow.parse()?,
            client_auth: auth.parse()?,
            token_endpoint: Endpoint::parse(&plain(endpoint)?)?,
            client_id: ClientId::parse(&plain(client)?)?,
            scope: TokenScope::parse(&plain(scope)?)?,
        };
        // One spelling: what is sealed to the text is sealed to all that it says.
        let is_good = read.is_consistent() && read.to_string() == text;
        if is_good { Ok(read) } else { Err(OAuth2Error::Form) }
    }
}

/// In a query or a form: all but what RFC 3986 leaves unreserved.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ESCAPED: &AsciiSet = &VALUE.remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "code:basic:https%3A//id.example/o/token/:my%3Aclient:read%20write";

    #[test]
    fn text_round_trips() {
        let oauth: OAuth2 = TEXT.parse().unwrap();
        assert_eq!(oauth.to_string(), TEXT);
        assert_eq!((oauth.flow, oauth.client_auth), (Flow::Code, ClientAuth::Basic));
        assert_eq!(oauth.client_id.as_str(), "my:client");
        assert_eq!(oauth.scope.as_str(), "read write");
        assert_eq!(oauth.token_endpoint.target(), "/o/token/");
        let bare = "client-credentials:post:https%3A//id.example/t:c:";
        assert_eq!(bare.parse::<OAuth2>().unwrap().to_string(), bare);
    }

    #[test]
    fn an_app_signs_and_nobody_else_does() {
        let text =
            "github-app:app-jwt:https%3A//api.github.com/app/installations/7/access_tokens:12:";
        let app: OAuth2 = text.parse().unwrap();
        assert_eq!((app.to_string().as_str(), app.sends_secret()), (text, false));
        for (from, to) in [("app-jwt", "basic"), ("github-app", "client-credentials")] {
            assert_eq!(
                text.replacen(from, to, 1).parse::<OAuth2>(),
                Err(OAuth2Error::Form),
                "{to}"
            );
        }
    }

    #[test]
    fn times_are_read_as_github_writes_them() {
        assert_eq!(unix_ms_of_rfc3339("2016-07-11T22:14:10Z"), Some(1_468_275_250_000));
        for bad in ["", "2016-07-11", "2016-07-11T22:14:10", "1969-07-11T22:14:10Z", "never"] {
            assert_eq!(unix_ms_of_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        let cases = [
            ("code:", "implicit:", OAuth2Error::Flow),
            ("basic", "jwt", OAuth2Error::ClientAuth),
            ("my%3Aclient", "", OAuth2Error::ClientId),
            ("my%3Aclient", "my%20client", OAuth2Error::ClientId),
            ("read%20write", "read%20%20write", OAuth2Error::Scope),
            ("read%20write", "a%0Ab", OAuth2Error::Scope),
            (":read%20write", "", OAuth2Error::Form),
            ("read%20write", "read%20write:x", OAuth2Error::Form),
            // Another spelling of the same.
            ("read%20write", "%72ead%20write", OAuth2Error::Form),
        ];
        for (from, to, error) in cases {
            assert_eq!(TEXT.replacen(from, to, 1).parse::<OAuth2>(), Err(error), "{to:?}");
        }
        let plain = TEXT.replace("https", "http").parse::<OAuth2>();
        assert!(matches!(plain, Err(OAuth2Error::Endpoint(_))), "{plain:?}");
    }
}
