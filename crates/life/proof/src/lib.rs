#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod claims;
mod error;
mod evidence;
mod held;
mod judge;
mod policy;
#[cfg(feature = "prove")]
mod present;
mod presentation;
mod registry;
mod request;
mod sessions;
mod store;
mod text;

pub use claims::{
    ClaimsError, ClaimsFile, ClaimsRequest, HolderRecord, ISSUER_NAME_BYTES_MAX, IssuerFile,
    IssuerName, Particular, Particulars, demo_issuer, is_demo,
};
pub use error::{MalformedError, ProofError, StoreError};
pub use evidence::Evidence;
pub use held::Held;
pub use judge::{Shown, Verified, show};
pub use policy::{AGE_YEARS_MAX, ISSUERS_MAX, Identity, Policy, Returning};
#[cfg(feature = "prove")]
pub use present::{Lacking, PresentError};
pub use presentation::{PRESENTATION_BYTES_MAX, Presentation};
pub use registry::{GroupEntry, KeyEntry, groups, keys};
pub use request::{ACCOUNT_BYTES_MAX, Request};
pub use sessions::{
    Judged, Ready, SESSION_KEPT_MS, SESSION_MS, SessionState, SessionView, Sessions,
};
pub use store::{
    Acceptance, Accepted, Asker, Outcome, ProofStore, RelyingParty, StoredSession, Unique,
};
/// What a relying party names in its policy, and a store keeps.
pub use symbolon_circuits::{GroupName, IssuerPublicKey, Nonce};
pub use text::issuer as read_issuer;
