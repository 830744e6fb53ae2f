//! Changes to a vault's ways in: made here, taken by the server, and only then in force.

use serde_json::{Value, json};
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::b64url;
use symbolon_custody::{Change as Changed, Unlocked, Vault, WrapId};
use symbolon_vault::Keys;

use super::Way;
use crate::opened::keys;
use crate::{Failed, Opened};

/// A change that no server has taken yet. Dropping it changes nothing.
#[derive(Debug)]
pub struct Change {
    pub(crate) vault: Vault,
    /// Where the data key is a new one.
    pub(crate) unlocked: Option<Unlocked>,
    warnings: Vec<String>,
}

impl Change {
    /// One more way in.
    ///
    /// # Errors
    /// `wraps`, and what the way is refused for.
    pub fn add(
        opened: &Opened,
        way: &Way,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Self, Failed> {
        let (vault, unlocked) = (opened.custody(), opened.unlocked());
        Ok(vault.add_wrap(unlocked, &way.enrol()?, rng, clock)?.into())
    }

    /// Another way in, in the place of one.
    ///
    /// # Errors
    /// As [`Change::add`].
    pub fn replace(
        opened: &Opened,
        wrap: &str,
        way: &Way,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Self, Failed> {
        let (vault, unlocked) = (opened.custody(), opened.unlocked());
        Ok(vault.rotate_wrap(unlocked, named(wrap)?, &way.enrol()?, rng, clock)?.into())
    }

    /// One way in less, never the last.
    ///
    /// # Errors
    /// `last_wrap`, `wraps`.
    pub fn remove(opened: &Opened, wrap: &str) -> Result<Self, Failed> {
        Ok(opened.custody().remove_wrap(opened.unlocked(), named(wrap)?)?.into())
    }

    /// Another data key, with a wrap for each of these ways and for nothing else.
    ///
    /// # Errors
    /// `wraps`, and what a way is refused for.
    pub(super) fn rotate<'w>(
        opened: &Opened,
        ways: impl Iterator<Item = &'w Way>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Self, Failed> {
        let (vault, unlocked) = (opened.custody(), opened.unlocked());
        let ways = ways.map(Way::enrol).collect::<Result<Vec<_>, _>>()?;
        let (change, unlocked) = vault.rotate_data_key(unlocked, &ways, rng, clock)?;
        Ok(Self { unlocked: Some(unlocked), ..change.into() })
    }

    /// What `PUT /api/vault/wraps` takes of it, on the version that it was made on. Where the data key is a new
    /// one, the commit that hands the vault over goes beside it ([`crate::vault::Vault::hand_over`]).
    pub fn body(&self, base_version: u64) -> Value {
        let mut body = json!({ "base_version": base_version, "wraps": self.vault.wraps() });
        if self.unlocked.is_some() {
            body["ring"] = b64url::encode(json!(self.vault.ring()).to_string().as_bytes()).into();
        }
        body
    }

    /// The keys of the vault as it will be, where its data key is a new one.
    pub(crate) fn next_keys(&self) -> Result<Option<Keys>, Failed> {
        self.unlocked.as_ref().map(|unlocked| keys(&self.vault, unlocked)).transpose()
    }

    /// What is unwise about the vault as it will be.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl From<Changed> for Change {
    fn from(change: Changed) -> Self {
        let warnings = change.warnings.iter().map(ToString::to_string).collect();
        Self { vault: change.vault, unlocked: None, warnings }
    }
}

fn named(wrap: &str) -> Result<WrapId, Failed> {
    wrap.parse().map_err(|_| Failed::shape("way in"))
}
