#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod approval;
pub mod attenuation;
pub mod budget;
pub mod calendar;
pub mod catalog;
pub mod chain;
pub mod connection;
pub mod engine;
pub mod explain;
pub mod gate;
pub mod grant;
pub mod hours;
pub mod idempotency;
pub mod limit;
pub mod minted;
pub mod mount;
pub mod name;
pub mod oauth2;
pub mod opening;
mod pool;
pub mod rate;
pub mod rules;
pub mod schedule;
pub mod scheme;
pub mod session;
pub mod store;
pub mod token;
pub mod url;

pub use approval::{Approval, Approved, Ask, AskVia, Consent, Need};
pub use budget::{
    Budget, GiveBack, Reservation, Settlement, Settler, SpendingChange, SpendingStore,
};
pub use chain::Chain;
pub use connection::{Connection, Registration, SealedCredential};
pub use engine::{Engine, Lease, Policy};
pub use explain::{Check, Explanation};
pub use gate::{Gate, Gates, Refusal};
pub use grant::{Grant, GrantId, LINEAGE_MAX, LiveGrant};
pub use hours::{Hours, Zone, ZoneName};
pub use idempotency::IdempotencyKey;
pub use limit::Limit;
pub use minted::{MintedId, MintedRow, MintedStore};
pub use mount::{MountRow, MountStore};
pub use name::{AgentName, ConnectionName, NameError};
pub use oauth2::{ClientAuth, ClientId, Endpoint, Flow, OAuth2, OAuth2Error, TokenScope};
pub use opening::{
    Intent, Opening, Recorded, Release, ReleaseError, minted_request_digest, request_digest,
    streamed_request_digest,
};
pub use scheme::{BasicHalf, Scheme, SchemeError};
pub use session::{Context, Door, Session};
pub use store::{Agent, OwnerToken, SealedConnection, Store, StoreError};
pub use token::Token;

#[cfg(test)]
mod tests;
