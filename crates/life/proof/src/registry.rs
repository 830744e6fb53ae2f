//! The keys and groups that proofs are checked by, to be told to anybody.

use serde::Serialize;
use symbolon_circuits::{
    GroupName, Statement, VerifyingKey, age, binding, capsule, claimed, identity, nationality,
    possession, returning, validity,
};
use symbolon_codec::{Digest32, b64url, hex};

/// A statement's verifying key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyEntry {
    /// Name and version, such as `identity/1`.
    pub statement: &'static str,
    /// Of the key's file.
    pub sha256: String,
    /// Of the same, for circuits: 64 hex digits, little-endian.
    pub poseidon: String,
    /// Bytes of each proof.
    pub proof_bytes: usize,
    /// The file, base64url.
    pub key: String,
}

/// A group of nationalities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupEntry {
    /// Name and version, such as `EU/1`.
    pub name: String,
    /// Of its tree: 64 hex digits, little-endian.
    pub root: String,
    /// Codes of its members.
    pub members: Vec<String>,
}

/// Every statement's key.
pub fn keys() -> Vec<KeyEntry> {
    vec![
        entry::<age::Age>(),
        entry::<validity::Validity>(),
        entry::<nationality::Nationality>(),
        entry::<binding::Bound>(),
        entry::<possession::Key>(),
        entry::<claimed::Says>(),
        entry::<returning::Returning>(),
        entry::<identity::Identity>(),
        entry::<capsule::Capsule>(),
    ]
}

/// Every group.
pub fn groups() -> Vec<GroupEntry> {
    let entry = |group: GroupName| GroupEntry {
        name: group.to_string(),
        root: hex::encode(group.root().to_bytes()),
        members: group.members().map(|country| country.to_string()).collect(),
    };
    GroupName::all().into_iter().map(entry).collect()
}

fn entry<S: Statement>() -> KeyEntry {
    let pins = VerifyingKey::<S>::pins();
    KeyEntry {
        statement: pins.statement,
        sha256: Digest32(pins.verifying_sha256).to_string(),
        poseidon: hex::encode(VerifyingKey::<S>::poseidon().to_bytes()),
        proof_bytes: pins.proof_bytes,
        key: b64url::encode(pins.file()),
    }
}
