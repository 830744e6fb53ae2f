//! What a root says of a publisher: its keys, and what its capsules may at most ask for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError, is_host, is_name, is_operation, is_set};
use crate::envelope::PublicKeys;
use crate::limits::{Limit, Limits};
use crate::manifest::{Capability, LIST_MAX, Manifest};

/// A publisher's certificate, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What its capsules may at most ask for.
    pub ceiling: Ceiling,
    /// What its manifests are signed with: with all of them.
    pub keys: PublicKeys,
    /// Unix milliseconds from which on it is not good any more.
    pub not_after_ms: u64,
    /// Unix milliseconds from which on it is good.
    pub not_before_ms: u64,
    /// The root's own number for it, by which it is revoked.
    pub number: u64,
    /// The publisher's name.
    pub publisher: String,
}

/// What capsules of a publisher may at most ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// Operations; one that ends in `.*` stands for all that begin so. Sorted.
    pub calls: Vec<String>,
    /// Capabilities. Sorted.
    pub capabilities: Vec<Capability>,
    /// Hosts; one that begins with `*.` stands for all below it. Sorted.
    pub hosts: Vec<HostPattern>,
    /// Limits.
    pub limits: Limits,
}

/// A host, or `*.` and a domain: all hosts below it, and not itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostPattern(String);

impl HostPattern {
    /// From text. Checked with the certificate that it stands in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn is_valid(&self) -> bool {
        match self.0.strip_prefix("*.") {
            // A whole top level is no ceiling.
            Some(domain) => is_host(domain) && domain.contains('.'),
            None => is_host(&self.0),
        }
    }

    fn admits(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => self.0 == host,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a manifest asks for beyond its publisher's certificate. The first such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CeilingError {
    /// A capability.
    #[error("the manifest asks for the capability `{0}`, which its publisher may not give")]
    Capability(Capability),
    /// An operation.
    #[error("the manifest asks for the operation `{0}`, which its publisher may not give")]
    Call(String),
    /// A host.
    #[error("the manifest asks for the host {0}, which its publisher may not give")]
    Host(String),
    /// A limit.
    #[error("the manifest's `{limit}` is {asked}; its publisher may give {most}")]
    Limit {
        /// Which.
        limit: Limit,
        /// What the manifest asks for.
        asked: u64,
        /// What the certificate allows.
        most: u64,
    },
}

pub(crate) const BYTES_MAX: usize = 64 * 1024;

impl Certificate {
    /// The one spelling.
    pub fn to_bytes(&self) -> Vec<u8> {
        document::to_bytes(self)
    }

    /// Reads a certificate in its one spelling.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let read: Self = document::parse(bytes, BYTES_MAX)?;
        read.check()?;
        Ok(read)
    }

    /// Whether each part is within its bounds.
    ///
    /// # Errors
    /// [`DocumentError::Field`].
    pub fn check(&self) -> Result<(), DocumentError> {
        let field =
            |holds: bool, name| if holds { Ok(()) } else { Err(DocumentError::Field(name)) };
        let ceiling = &self.ceiling;
        field(is_name(&self.publisher), "publisher")?;
        field(self.not_before_ms < self.not_after_ms, "not_after_ms")?;
        field(self.not_after_ms <= TIME_MS_MAX, "not_after_ms")?;
        field(self.number <= TIME_MS_MAX, "number")?;
        field(is_set(&ceiling.capabilities, LIST_MAX), "ceiling.capabilities")?;
        field(is_set(&ceiling.calls, LIST_MAX), "ceiling.calls")?;
        let call = |it: &String| match it.strip_suffix(".*") {
            Some(prefix) => is_name(prefix) || is_operation(prefix),
            None => is_operation(it),
        };
        field(ceiling.calls.iter().all(call), "ceiling.calls")?;
        field(is_set(&ceiling.hosts, LIST_MAX), "ceiling.hosts")?;
        field(ceiling.hosts.iter().all(HostPattern::is_valid), "ceiling.hosts")?;
        ceiling.limits.check()
    }
}

impl Ceiling {
    /// Nothing but input, output and the limits of a draft, ten times over.
    pub fn plain() -> Self {
        let Limits { fuel, memory_bytes, output_bytes, time_ms } = Limits::DRAFT;
        Self {
            calls: Vec::new(),
            capabilities: vec![Capability::Log, Capability::Random, Capability::Time],
            hosts: Vec::new(),
            limits: Limits {
                fuel: fuel * 10,
                memory_bytes: memory_bytes * 4,
                output_bytes: output_bytes * 16,
                time_ms: time_ms * 10,
            },
        }
    }

    /// Whether a manifest asks for no more than this.
    ///
    /// # Errors
    /// [`CeilingError`]: the first thing that is above.
    pub fn admits(&self, manifest: &Manifest) -> Result<(), CeilingError> {
        let asked = manifest.capabilities.iter().find(|it| !self.capabilities.contains(it));
        if let Some(capability) = asked {
            return Err(CeilingError::Capability(*capability));
        }
        let named = |call: &str| {
            self.calls.iter().any(|it| match it.strip_suffix('*') {
                Some(prefix) => call.starts_with(prefix),
                None => it == call,
            })
        };
        if let Some(call) = manifest.calls.iter().find(|it| !named(it)) {
            return Err(CeilingError::Call(call.clone()));
        }
        let known = |host: &str| self.hosts.iter().any(|it| it.admits(host));
        if let Some(host) = manifest.hosts.iter().find(|it| !known(it)) {
            return Err(CeilingError::Host(host.clone()));
        }
        let (mine, most) = (manifest.limits, self.limits);
        let Some(limit) = mine.exceeds(&most) else { return Ok(()) };
        let (asked, most) = match limit {
            Limit::Fuel => (mine.fuel, most.fuel),
            Limit::Memory => (mine.memory_bytes, most.memory_bytes),
            Limit::Output => (mine.output_bytes, most.output_bytes),
            Limit::Time => (mine.time_ms, most.time_ms),
        };
        Err(CeilingError::Limit { limit, asked, most })
    }
}

/// The last millisecond of the year 9999; and what every JSON reader has exactly.
const TIME_MS_MAX: u64 = 253_402_300_799_999;
