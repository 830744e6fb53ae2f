//! Files in which other programs keep credentials, read in secret pages. What they hold becomes
//! [`Draft`]s of connections; what is unsafe about them becomes [`Risk`]s. Nothing is sent, written or
//! believed because a file says so: where a credential goes is the catalogue's word.

#[cfg(feature = "catalog")]
mod assign;
#[cfg(feature = "catalog")]
mod bitwarden;
#[cfg_attr(not(feature = "catalog"), allow(dead_code, reason = "what other formats need of it"))]
mod bitwarden_sealed;
#[cfg(feature = "catalog")]
mod dotenv;
#[cfg(feature = "catalog")]
mod environment;
mod error;
#[cfg(feature = "catalog")]
mod findings;
#[cfg(feature = "catalog")]
mod items;
#[cfg_attr(not(feature = "catalog"), allow(dead_code, reason = "what other formats need of it"))]
mod json;
#[cfg(feature = "catalog")]
mod onepassword;
#[cfg_attr(not(feature = "catalog"), allow(dead_code, reason = "what other formats need of it"))]
mod page;
#[cfg(feature = "catalog")]
mod read;
#[cfg(all(test, feature = "catalog"))]
mod tests;
mod vault;
#[cfg(feature = "catalog")]
mod yaml;
#[cfg(feature = "catalog")]
mod zero_n;

use symbolon_secret::Secret;

pub use error::ForeignError;
#[cfg(feature = "catalog")]
pub use findings::{Draft, Findings, Risk, Severity, Workflow};
#[cfg(feature = "catalog")]
pub use read::{Origin, read, settle};
pub use vault::{VaultItems, read_vault};
#[cfg(feature = "catalog")]
pub use zero_n::{LegacyContainer, inspect_container};

/// One file, in a secret page.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name, as it is shown.
    pub name: &'a str,
    /// The permission bits of its mode.
    pub mode: u32,
    /// All of it, [`FILE_BYTES_MAX`] at most.
    pub bytes: &'a Secret<[u8]>,
}

/// The largest file. A page that nobody else can read is scarce: the usual limit is 8 MiB in all.
pub const FILE_BYTES_MAX: usize = 1 << 20;
