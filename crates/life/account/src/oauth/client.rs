//! Who asks: a client that registered (RFC 7591), or one whose id is the address of its own description
//! (draft-ietf-oauth-client-id-metadata-document).

use std::fmt;

use serde_json::Value;
use symbolon_ambient::Rng;
use symbolon_codec::hex;

use super::redirect::{RedirectUri, is_name};

/// Bytes of the longest id.
pub const CLIENT_ID_BYTES_MAX: usize = 512;
/// Characters of a name that are kept.
pub const CLIENT_NAME_CHARS_MAX: usize = 80;
/// Redirect URIs of one client.
pub const REDIRECT_URIS_MAX: usize = 10;
const REGISTERED: &str = "symo_";

/// A client's id.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// A new one, for a client that registers.
    pub fn make(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 16];
        rng.fill(&mut bytes);
        Self(format!("{REGISTERED}{}", hex::encode(bytes)))
    }

    /// Reads one: `symo_` and 32 hex digits, or an `https` address with a name, a path and no more.
    pub fn parse(text: &str) -> Option<Self> {
        let is_registered = text.strip_prefix(REGISTERED).is_some_and(|id| {
            id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        });
        (is_registered || document(text).is_some()).then(|| Self(text.to_owned()))
    }

    /// As it stands in requests.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it is the address of a description: `https://NAME[:PORT]`, and the path.
    pub fn document(&self) -> Option<(&str, &str)> {
        document(&self.0)
    }

    /// The host of that address.
    pub fn host(&self) -> Option<&str> {
        self.document()?.0.strip_prefix("https://")
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The draft's section 3: `https`, a path, no fragment, no user, no dot segments; of ours: no query, and a name
/// rather than an address.
fn document(text: &str) -> Option<(&str, &str)> {
    let url = RedirectUri::parse(text).filter(|_| text.len() <= CLIENT_ID_BYTES_MAX)?;
    let host = url.authority().split(':').next().unwrap_or_default();
    let origin_end = text.len() - text.strip_prefix("https://")?.len() + url.authority().len();
    let (origin, path) = text.split_at_checked(origin_end)?;
    (is_name(host) && path.len() > 1 && !path.contains('?')).then_some((origin, path))
}

/// A client as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What it says that it is called. Nobody checked that.
    pub name: String,
    /// Where its answers may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// When it was registered, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// From when on it is forgotten where it has no grant, in Unix milliseconds.
    pub expires_unix_ms: u64,
}

impl Client {
    /// The registered address that an answer to `asked` goes by.
    pub fn admits(&self, asked: &RedirectUri) -> bool {
        self.redirect_uris.iter().any(|registered| registered.admits(asked))
    }
}

/// What a client says of itself, in a registration or in its own document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `client_name`, without what a terminal or a page might obey.
    pub name: Option<String>,
    /// `redirect_uris`, at least one.
    pub redirect_uris: Vec<RedirectUri>,
}

/// Why a client's words about itself are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Another shape.
    #[error("the client's metadata has another shape: {0}")]
    Shape(&'static str),
    /// A redirect URI that no answer goes to.
    #[error("a redirect URI is https, or http to this machine by localhost, 127.0.0.1 or [::1]")]
    RedirectUri,
    /// A document that is another client's.
    #[error("the document's client_id is not its address")]
    OtherClient,
}

impl ClientMetadata {
    /// Reads a registration (RFC 7591, section 2). Members that mean nothing here are passed over, as it has it.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn of_registration(value: &Value) -> Result<Self, MetadataError> {
        let shape = MetadataError::Shape;
        let members = value.as_object().ok_or(shape("it is no object"))?;
        let name = match members.get("client_name") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(shown(name)).filter(|name| !name.is_empty()),
            Some(_) => return Err(shape("client_name is no text")),
        };
        let uris = members.get("redirect_uris").and_then(Value::as_array);
        let uris = uris.ok_or(shape("redirect_uris is no list"))?;
        if uris.is_empty() || uris.len() > REDIRECT_URIS_MAX {
            return Err(shape("there are 1 to 10 redirect_uris"));
        }
        let read = |uri: &Value| RedirectUri::parse(uri.as_str()?);
        let redirect_uris = uris.iter().map(read).collect::<Option<_>>();
        let redirect_uris = redirect_uris.ok_or(MetadataError::RedirectUri)?;
        let lists = |name: &str, word: &str| match members.get(name) {
            None | Some(Value::Null) => true,
            Some(list) => list.as_array().is_some_and(|all| all.iter().any(|one| one == word)),
        };
        if !lists("response_types", "code") || !lists("grant_types", "authorization_code") {
            return Err(shape("codes are the only grant"));
        }
        Ok(Self { name, redirect_uris })
    }

    /// Reads the document at a client's id.
    ///
    /// # Errors
    /// [`MetadataError`]; a document with a shared secret in it is one too, since everybody can read it.
    pub fn of_document(value: &Value, id: &ClientId) -> Result<Self, MetadataError> {
        let read = Self::of_registration(value)?;
        if value["client_id"] != id.as_str() {
            return Err(MetadataError::OtherClient);
        }
        if value.get("client_secret").is_some() {
            return Err(MetadataError::Shape("a document has no secret"));
        }
        match value.get("token_endpoint_auth_method").and_then(Value::as_str) {
            None | Some("none") => Ok(read),
            Some(_) => Err(MetadataError::Shape("clients here are public: none")),
        }
    }
}

/// A name as it is shown: printable, one line, cut.
fn shown(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let plain = plain.filter(|c| !c.is_control() && !is_invisible(*c));
    let cut: String = plain.take(CLIENT_NAME_CHARS_MAX).collect();
    cut.trim().to_owned()
}

/// What changes the direction of a text, or is seen by nobody (Unicode's Cf and its like).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}
