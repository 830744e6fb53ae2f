//! What a capsule is, and what it asks for.

use std::fmt;

use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_circuits::IssuerKey;
use symbolon_circuits::capsule::Description;

use crate::digest::ComponentDigest;
use crate::document::{self, DocumentError, is_host, is_name, is_operation, is_set, is_version};
use crate::limits::Limits;
use crate::policy::Policy;
use crate::statement::StatementSignature;

/// A capsule's manifest, version 1. Its bytes are canonical JSON (`specs/capsule.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Operations of the broker that it calls, such as `github.issues.list`. Sorted.
    pub calls: Vec<String>,
    /// What else it is given beside its input and a place for its output. Sorted.
    pub capabilities: Vec<Capability>,
    /// The component that this manifest is of.
    pub component: Component,
    /// Clocks that stand still and random numbers of a seed, so that a run can be repeated.
    pub deterministic: bool,
    /// Hosts that its calls may go to. Sorted.
    pub hosts: Vec<String>,
    /// What a run may use.
    pub limits: Limits,
    /// The capsule's name.
    pub name: String,
    /// What must be true of the process that runs it.
    pub policy: Policy,
    /// The publisher's signature over the [`description`](Self::description), where private receipts of it can be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<StatementSignature>,
    /// Three numbers, such as `1.0.0`.
    pub version: String,
}

/// The bytes that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Their length. 8 bytes to 32 MiB.
    pub bytes: u64,
    /// Their hash.
    pub sha3_512: ComponentDigest,
}

/// What a capsule can be given. What is not named is not there: no files, no sockets, no
/// environment, no standard streams of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Calls of the broker's operations, by name; a credential is never seen.
    Call,
    /// Lines for the operator.
    Log,
    /// Random numbers.
    Random,
    /// The time of day, and a clock that goes forward.
    Time,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "call",
            Self::Log => "log",
            Self::Random => "random",
            Self::Time => "time",
        })
    }
}

/// Longest component.
pub const COMPONENT_BYTES_MAX: usize = 32 * 1024 * 1024;
pub(crate) const BYTES_MAX: usize = 64 * 1024;
pub(crate) const LIST_MAX: usize = 32;

impl Manifest {
    /// A draft for a component: nothing is asked for, isolation in full.
    pub fn template(name: &str, sha3_512: ComponentDigest, bytes: u64) -> Self {
        Self {
            calls: Vec::new(),
            capabilities: Vec::new(),
            component: Component { bytes, sha3_512 },
            deterministic: true,
            hosts: Vec::new(),
            limits: Limits::DRAFT,
            name: name.to_owned(),
            policy: Policy::strict(),
            statement: None,
            version: "0.1.0".to_owned(),
        }
    }

    /// What the publisher signs beside the whole: component, name and version, policy.
    pub fn description(&self) -> Description {
        let capsule = format!("{}/{}", self.name, self.version);
        Description::new(self.component.sha3_512.as_bytes(), &capsule, &self.policy.to_bytes())
    }

    /// Puts the publisher's signature over the description into it, or takes it out where there is no key.
    pub fn sign_statement(&mut self, publisher: Option<&IssuerKey>, rng: &impl Rng) {
        self.statement = publisher.map(|key| self.description().sign(key, rng).into());
    }

    /// The one spelling.
    pub fn to_bytes(&self) -> Vec<u8> {
        document::to_bytes(self)
    }

    /// On several lines, for a person to edit.
    pub fn to_draft(&self) -> String {
        // Strings, numbers and lists of them always serialize.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a manifest in its one spelling.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let read: Self = document::parse(bytes, BYTES_MAX)?;
        read.check()?;
        Ok(read)
    }

    /// Reads a draft in any spelling, to be signed.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn parse_draft(bytes: &[u8]) -> Result<Self, DocumentError> {
        let read: Self = document::parse_draft(bytes, BYTES_MAX)?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), DocumentError> {
        let field =
            |holds: bool, name| if holds { Ok(()) } else { Err(DocumentError::Field(name)) };
        let may_call = self.capabilities.contains(&Capability::Call);
        field(is_name(&self.name), "name")?;
        field(is_version(&self.version), "version")?;
        field((8..=COMPONENT_BYTES_MAX as u64).contains(&self.component.bytes), "component.bytes")?;
        field(is_set(&self.capabilities, LIST_MAX), "capabilities")?;
        field(is_set(&self.calls, LIST_MAX), "calls")?;
        field(self.calls.iter().all(|it| is_operation(it)), "calls")?;
        field(is_set(&self.hosts, LIST_MAX), "hosts")?;
        field(self.hosts.iter().all(|it| is_host(it)), "hosts")?;
        // What may call names what and where, and what may not names nothing.
        field(self.calls.is_empty() != may_call, "calls")?;
        field(self.hosts.is_empty() != may_call, "hosts")?;
        // What came over the network is not the same twice.
        field(!(may_call && self.deterministic), "deterministic")?;
        self.limits.check()?;
        self.policy.check_form()
    }
}
