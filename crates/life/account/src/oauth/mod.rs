//! What a server knows of assistants that may use a vault: clients, grants, tokens, and the requests that
//! lead to them (OAuth 2.1). `specs/remote-mcp.md`.

mod client;
mod form;
mod grant;
mod pkce;
mod redirect;
mod request;
mod scope;
mod store;
#[cfg(test)]
mod tests;
mod token;

pub use client::{
    CLIENT_ID_BYTES_MAX, CLIENT_NAME_CHARS_MAX, Client, ClientId, ClientMetadata, MetadataError,
    REDIRECT_URIS_MAX,
};
pub use form::{FORM_BYTES_MAX, Form, FormError};
pub use grant::{ACCESS_MS, CODE_MS, CodeProof, GRANTS_MAX, Grant, GrantId, REFRESH_MS, Refusal};
pub use pkce::{CodeChallenge, is_code_verifier};
pub use redirect::{REDIRECT_URI_BYTES_MAX, RedirectUri};
pub use request::{AuthorizationRequest, RequestError, STATE_BYTES_MAX};
pub use scope::{Scope, Scopes};
pub use store::{OauthStore, PurgedOauth, Redeemed, Rotated};
pub use token::{Bearer, BearerKind, Token, TokenKind};
