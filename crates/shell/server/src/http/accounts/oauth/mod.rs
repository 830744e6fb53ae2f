//! The authorization server for assistants (`specs/remote-mcp.md`): discovery, clients, consent, codes, tokens.

mod answer;
mod bearer;
mod clients;
mod consent;
mod documents;
mod grants;
mod limits;
mod metadata;
mod notes;
mod register;
mod shown;
mod tokens;

use symbolon_account::{AccountStore, oauth::OauthStore};
use symbolon_authorship::AuthorshipStore;
use symbolon_possession::KeyStore;
use symbolon_proof::ProofStore;

pub(super) use super::super::key::METADATA_PATH;
pub(super) use consent::{__path_consent, __path_request, consent, request};
pub(super) use documents::Documents;
pub(super) use grants::{__path_grants, __path_revoke_grant, grants, revoke_grant};
pub(super) use limits::OauthLimits;
pub(super) use metadata::{
    __path_authorization_server, __path_protected_resource, authorization_server,
    protected_resource,
};
pub(super) use notes::scope_of;
pub(super) use register::{__path_register, register};
pub(super) use tokens::{__path_revoke, __path_token, revoke, token};

pub(in crate::http) use bearer::{Assistant, Denied, is_assistants};

/// What a server with accounts keeps: theirs, their assistants', the keys of their services, what was proven to those,
/// texts that were registered.
pub trait Kept: AccountStore + OauthStore + KeyStore + ProofStore + AuthorshipStore {}
impl<S: AccountStore + OauthStore + KeyStore + ProofStore + AuthorshipStore> Kept for S {}

/// What the routes of assistants share beside the accounts' own.
pub(super) struct Oauth {
    pub documents: Documents,
    pub limits: OauthLimits,
}

impl Oauth {
    pub fn new() -> Self {
        Self { documents: Documents::new(), limits: OauthLimits::new() }
    }
}

/// Where the tools are, behind the origin.
pub(super) const RESOURCE_PATH: &str = "/mcp";
