//! Rows of facts that are proven.

use symbolon_account::AccountError;
use symbolon_circuits::Nonce;
use symbolon_proof::{Asker, Outcome, RelyingParty, StoredSession, Unique};

use super::value::{Cells, Kind, Record, Table, Value, bytes, int, maybe_bytes, text};

impl Record for StoredSession {
    const TABLE: &'static Table = &Table {
        name: "proof_session",
        columns: &[
            ("nonce", Kind::Bytes),
            ("service", Kind::Bytes),
            ("operator", Kind::Bytes),
            ("audience", Kind::Text),
            ("account", Kind::Text),
            ("request_hash", Kind::Bytes),
            ("expires_unix_ms", Kind::Int),
            ("binding", Kind::Bytes),
            ("shown_binding", Kind::Bytes),
            ("evidence", Kind::Text),
        ],
        key: &["nonce"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        let (asker, outcome) = (self.party.asker.as_ref(), self.outcome.as_ref());
        Ok(vec![
            bytes(&self.nonce.0),
            maybe_bytes(asker.map(|asker| &asker.service[..])),
            maybe_bytes(asker.map(|asker| &asker.operator[..])),
            text(self.party.audience.as_str()),
            text(&self.account),
            bytes(self.request_hash.as_bytes()),
            int(self.expires_unix_ms)?,
            maybe_bytes(self.binding.as_ref().map(|binding| &binding[..])),
            maybe_bytes(outcome.map(|outcome| &outcome.binding[..])),
            Value::Text(outcome.map(|outcome| outcome.evidence.clone())),
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        let nonce = Nonce(cells.array()?);
        let asker = match (cells.maybe_id()?, cells.maybe_id()?) {
            (Some(service), Some(operator)) => Some(Asker { service, operator }),
            (None, None) => None,
            _ => return Err(cells.wrong()),
        };
        let party = RelyingParty { audience: cells.word(|text| text.parse().ok())?, asker };
        let (account, request_hash) = (cells.text()?, cells.digest()?);
        let (expires_unix_ms, binding) = (cells.int()?, cells.maybe_array()?);
        let outcome = match (cells.maybe_array()?, cells.maybe_text()?) {
            (Some(binding), Some(evidence)) => Some(Outcome { binding, evidence }),
            (None, None) => None,
            _ => return Err(cells.wrong()),
        };
        Ok(Self { nonce, party, account, request_hash, expires_unix_ms, binding, outcome })
    }
}

impl Record for Unique {
    const TABLE: &'static Table = &Table {
        name: "proof_nullifier",
        columns: &[
            ("operator", Kind::Bytes),
            ("audience", Kind::Text),
            ("epoch", Kind::Int),
            ("nullifier", Kind::Bytes),
        ],
        key: &["operator", "audience", "epoch", "nullifier"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.operator.as_ref().map_or(&[], |operator| &operator[..])),
            text(self.audience.as_str()),
            int(self.epoch.into())?,
            bytes(&self.nullifier),
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        let operator = match cells.bytes()? {
            none if none.is_empty() => None,
            some => Some(some.try_into().map_err(|_| cells.wrong())?),
        };
        Ok(Self {
            operator,
            audience: cells.word(|text| text.parse().ok())?,
            epoch: cells.int32()?,
            nullifier: cells.array()?,
        })
    }
}

/// An issuer whose signatures show nothing any more.
#[derive(Debug)]
pub(super) struct RevokedIssuer {
    pub issuer: [u8; 32],
    pub at_unix_ms: u64,
}

impl Record for RevokedIssuer {
    const TABLE: &'static Table = &Table {
        name: "revoked_issuer",
        columns: &[("issuer", Kind::Bytes), ("at_unix_ms", Kind::Int)],
        key: &["issuer"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![bytes(&self.issuer), int(self.at_unix_ms)?])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self { issuer: cells.array()?, at_unix_ms: cells.int()? })
    }
}
