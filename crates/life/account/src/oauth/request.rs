//! An authorization request (OAuth 2.1, section 4.1.1, with RFC 7636 and RFC 8707).

use super::client::ClientId;
use super::form::{Form, FormError};
use super::pkce::CodeChallenge;
use super::redirect::RedirectUri;
use super::scope::{Scope, Scopes};

/// Bytes of the longest `state`.
pub const STATE_BYTES_MAX: usize = 1024;

/// What a client asks for; where its answer may go is judged by who knows the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// `client_id`.
    pub client: ClientId,
    /// `redirect_uri`.
    pub redirect_uri: RedirectUri,
    /// `state`, which goes back as it came.
    pub state: Option<String>,
    /// The rest, or what is wrong with it: told to the client only once its redirect URI was judged.
    pub wanted: Result<Wanted, RequestError>,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `scope`; reading alone where there is none.
    pub scopes: Scopes,
    /// `code_challenge`.
    pub challenge: CodeChallenge,
    /// `resource`, which is this server's.
    pub resource: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It cannot be read.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Nobody is named, or nobody that could be.
    #[error("client_id is missing, or is no client's")]
    Client,
    /// No address for the answer, or none that is taken.
    #[error("redirect_uri is missing, or is no address that answers go to")]
    RedirectUri,
    /// Longer than is sent back.
    #[error("state is too long")]
    State,
    /// `response_type` is not `code`.
    #[error("response_type must be code")]
    ResponseType,
    /// `response_mode` is not `query`.
    #[error("response_mode must be query")]
    ResponseMode,
    /// Parameters in a request object, which are not read.
    #[error("request objects are not taken")]
    RequestObject,
    /// No `code_challenge`, or not by `S256`.
    #[error("code_challenge with code_challenge_method=S256 is wanted")]
    Pkce,
    /// No scope that there is.
    #[error("no scope is asked for that there is here")]
    Scope,
    /// A token for another server.
    #[error("resource is missing, or is not this server's")]
    Resource,
}

impl RequestError {
    /// The word of RFC 6749, section 4.1.2.1, and of RFC 8707.
    pub fn code(self) -> &'static str {
        match self {
            Self::ResponseType => "unsupported_response_type",
            Self::RequestObject => "request_not_supported",
            Self::Scope => "invalid_scope",
            Self::Resource => "invalid_target",
            _ => "invalid_request",
        }
    }
}

impl AuthorizationRequest {
    /// Reads the query of a request to a server whose resource is `resource`.
    ///
    /// # Errors
    /// [`RequestError`], where nothing may go back to the client: an unknown client or address.
    pub fn parse(query: &[u8], resource: &str) -> Result<Self, RequestError> {
        let form = Form::parse(query)?;
        let client = form.get("client_id").and_then(ClientId::parse).ok_or(RequestError::Client)?;
        let uri = form.get("redirect_uri").and_then(RedirectUri::parse);
        let redirect_uri = uri.ok_or(RequestError::RedirectUri)?;
        let state = form.get("state").map(str::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
            return Err(RequestError::State);
        }
        Ok(Self { client, redirect_uri, state, wanted: Wanted::of(&form, resource) })
    }
}

impl Wanted {
    fn of(form: &Form, resource: &str) -> Result<Self, RequestError> {
        if form.get("request").is_some() || form.get("request_uri").is_some() {
            return Err(RequestError::RequestObject);
        }
        if form.get("response_type") != Some("code") {
            return Err(RequestError::ResponseType);
        }
        if form.get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(RequestError::ResponseMode);
        }
        let challenge = form.get("code_challenge").and_then(CodeChallenge::parse);
        let is_s256 = form.get("code_challenge_method") == Some("S256");
        let challenge = challenge.filter(|_| is_s256).ok_or(RequestError::Pkce)?;
        let scopes = match form.get("scope") {
            None => [Scope::NotesRead].into_iter().collect(),
            Some(text) => Scopes::asked(text),
        };
        if scopes.is_empty() {
            return Err(RequestError::Scope);
        }
        if form.get("resource").is_none_or(|asked| !is_resource(asked, resource)) {
            return Err(RequestError::Resource);
        }
        Ok(Self { scopes, challenge, resource: resource.to_owned() })
    }
}

/// The same resource: scheme and host in any case (RFC 3986, section 6.2.2.1), the rest to the letter.
pub(super) fn is_resource(asked: &str, own: &str) -> bool {
    let path_at = own.find("://").and_then(|at| own[at + 3..].find('/').map(|end| at + 3 + end));
    let (origin, path) = own.split_at(path_at.unwrap_or(own.len()));
    asked.split_at_checked(origin.len()).is_some_and(|(asked_origin, asked_path)| {
        asked_origin.eq_ignore_ascii_case(origin) && asked_path == path
    })
}
