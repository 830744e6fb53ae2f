//! A server that keeps a sealed copy of a vault: who we are to it, and what passes between.

mod attach;
mod authorship;
mod client;
mod error;
mod history;
mod keys;
mod lease;
mod proofs;
mod rotate;
mod seed;
mod services;
mod shares;
mod sign_in;
mod sync;
#[cfg(test)]
mod tests;
mod url;

pub use attach::{AttachFailure, Transferred};
pub use authorship::{Registered, RegistrationFound};
pub use client::{By, Client};
pub use error::{ClientError, Refusal};
pub use history::PastFailure;
pub use keys::{DeviceRow, KeyFailure, RelyingService, Token};
pub use lease::{LendFailure, LiveLease};
pub use proofs::ProofTaken;
pub use seed::no_server;
pub use services::{NewService, ServiceRow, ServiceSecretShown};
pub use shares::{ShareFailure, ShareRow, Shares, Terms};
pub use sign_in::{Begun, Session, SignedIn, VaultView};
pub use sync::{SyncFailure, Synced};
pub use url::{ServerUrl, UrlError};
