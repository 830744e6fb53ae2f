//! A fact of a receipt, committed to, and shown or withheld.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use symbolon_codec::{Digest32, Fields, json};
use symbolon_crypto::labels::CAPSULE_FIELD;
use symbolon_crypto::sha256;

/// What a field is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the word of `specs/receipt.md`
pub enum FieldName {
    Time,
    Capsule,
    Component,
    Publisher,
    Manifest,
    Certificate,
    Policy,
    Measured,
    Input,
    Output,
    Use,
    Identity,
    Run,
}

/// A word that is no field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no field of a capsule's receipt")]
pub struct UnknownField(String);

impl FieldName {
    /// Those of the unlinked form: what the standard form has, and whose key it is.
    pub const ALL: [Self; 13] = [
        Self::Time,
        Self::Capsule,
        Self::Component,
        Self::Publisher,
        Self::Manifest,
        Self::Certificate,
        Self::Policy,
        Self::Measured,
        Self::Input,
        Self::Output,
        Self::Use,
        Self::Identity,
        Self::Run,
    ];

    /// Those of the standard form, in the order of the receipt.
    pub const STANDARD: &[Self] = Self::ALL.split_at(11).0;

    /// Those of the private form: what does not tell which capsule it was, or need not be shown. The component is
    /// committed to by another hash, and never shown.
    pub const PRIVATE: &[Self] = &[
        Self::Time,
        Self::Component,
        Self::Certificate,
        Self::Policy,
        Self::Measured,
        Self::Input,
        Self::Output,
        Self::Use,
    ];

    /// What of a private receipt tells its reader nothing but what the form says anyway.
    pub const PRIVATE_SHOWN: &[Self] =
        &[Self::Time, Self::Certificate, Self::Policy, Self::Measured];

    /// Whether a private receipt without it says nothing.
    pub(super) fn is_of_statement(self) -> bool {
        matches!(self, Self::Certificate | Self::Policy)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Capsule => "capsule",
            Self::Component => "component",
            Self::Publisher => "publisher",
            Self::Manifest => "manifest",
            Self::Certificate => "certificate",
            Self::Policy => "policy",
            Self::Measured => "measured",
            Self::Input => "input",
            Self::Output => "output",
            Self::Use => "use",
            Self::Identity => "identity",
            Self::Run => "run",
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FieldName {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| UnknownField(text.to_owned()))
    }
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    name: FieldName,
    commitment: Digest32,
    shown: Option<(Digest32, Value)>,
}

impl Field {
    /// Commits to a value, under 32 random bytes.
    pub(super) fn commit(name: FieldName, salt: [u8; 32], value: Value) -> Self {
        let salt = Digest32(salt);
        Self { name, commitment: commitment(name, &salt, &value), shown: Some((salt, value)) }
    }

    /// As it was read: what is shown need not belong to the commitment.
    pub(super) fn read(
        name: FieldName,
        commitment: Digest32,
        shown: Option<(Digest32, Value)>,
    ) -> Self {
        Self { name, commitment, shown }
    }

    /// What it is about.
    pub fn name(&self) -> FieldName {
        self.name
    }

    pub(super) fn commitment(&self) -> &Digest32 {
        &self.commitment
    }

    pub(super) fn shown(&self) -> Option<(&Digest32, &Value)> {
        self.shown.as_ref().map(|(salt, value)| (salt, value))
    }

    pub(super) fn withhold(&mut self) {
        self.shown = None;
    }

    /// Whether what is shown, if anything is, belongs to the commitment.
    pub(super) fn holds(&self) -> bool {
        self.shown
            .as_ref()
            .is_none_or(|(salt, value)| commitment(self.name, salt, value) == self.commitment)
    }
}

fn commitment(name: FieldName, salt: &Digest32, value: &Value) -> Digest32 {
    let bytes = Fields::new(CAPSULE_FIELD.as_str())
        .str(name.as_str())
        .bytes(salt.as_bytes())
        .bytes(&json::canonical(value))
        .finish();
    sha256(&bytes)
}
