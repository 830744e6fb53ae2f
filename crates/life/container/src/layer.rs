//! The seven layers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a layer holds. Its number stands in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Layer {
    /// Flows.
    Workflows = 0,
    /// Credentials, sealed once more under a passphrase.
    Credentials = 1,
    /// Variables of an environment that are no credentials.
    Env = 2,
    /// Settings of MCP clients and servers.
    Mcp = 3,
    /// Profiles of sites.
    Profiles = 4,
    /// Texts for models: prompts, notes.
    Knowledge = 5,
    /// Receipts and logs.
    Audit = 6,
}

impl Layer {
    /// All of them, by their numbers.
    pub const ALL: [Self; 7] = [
        Self::Workflows,
        Self::Credentials,
        Self::Env,
        Self::Mcp,
        Self::Profiles,
        Self::Knowledge,
        Self::Audit,
    ];

    /// The layer of a number.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Its number.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workflows => "workflows",
            Self::Credentials => "credentials",
            Self::Env => "env",
            Self::Mcp => "mcp",
            Self::Profiles => "profiles",
            Self::Knowledge => "knowledge",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No layer has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a layer is workflows, credentials, env, mcp, profiles, knowledge or audit")]
pub struct NoLayer;

impl FromStr for Layer {
    type Err = NoLayer;

    fn from_str(text: &str) -> Result<Self, NoLayer> {
        Self::ALL.into_iter().find(|layer| layer.as_str() == text).ok_or(NoLayer)
    }
}
