//! The home's operator, and its own word that it is believed no more (`specs/identity.md`, "Revocation").

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use symbolon_capability::Refusal;
use symbolon_crypto::VerifyingKey;
use symbolon_store::{Home, replace_file};
use symbolon_trust::{OnionAddress, REVOCATION_BYTES_MAX, Revocation};

use crate::Broker;
use crate::api::{CallError, Fault};
use crate::broker::Open;
use crate::errors;

/// Who this home is to others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperatorView {
    /// The operator's public key.
    pub operator: VerifyingKey,
    /// Text of `operator.pub`.
    pub key: String,
    /// The log's name.
    pub log: String,
    /// Its Tor v3 address.
    pub onion: String,
    /// From when on nothing under it stands, Unix time in ms, where it is revoked; 0 is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_since: Option<u64>,
}

/// A revocation, as its file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevocationView {
    /// JSON and a newline.
    pub revocation: String,
}

impl Broker {
    /// Who this home is.
    pub fn operator(&self) -> OperatorView {
        OperatorView {
            operator: self.operator,
            key: self.operator_vkey(),
            log: self.log_origin().to_owned(),
            onion: OnionAddress::of(&self.operator).to_string(),
            revoked_since: self.revoked().as_deref().map(Revocation::since_ms),
        }
    }

    /// Signs a revocation, which says nothing to anybody before it is handed over.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn sign_revocation(&self, since_ms: u64) -> Result<RevocationView, CallError> {
        let signed = Revocation::sign(&self.opened()?.operator, since_ms);
        Ok(RevocationView { revocation: String::from_utf8_lossy(&signed.to_bytes()).into_owned() })
    }

    /// Revokes this home's operator by a revocation that its root signed: durable when it returns, and in force at once. Of
    /// several the strictest is kept.
    ///
    /// # Errors
    /// [`CallError`]: another operator's, none at all, the disk.
    pub async fn revoke_operator(&self, revocation: &str) -> Result<OperatorView, CallError> {
        let given = Revocation::parse(revocation.as_bytes()).map_err(|error| {
            CallError::caller("revocation_form", error.to_string())
                .next("symbolon operator export-revocation --out FILE")
        })?;
        if *given.root() != self.operator {
            let what =
                format!("the revocation is of the operator {}, not of this home's", given.root());
            return Err(CallError::caller("other_operator", what).next("symbolon operator show"));
        }
        let _changes = self.changes.lock().await;
        if self.home.operator_rotation().exists() {
            let what = "this operator's key gave way to another; nothing of the one before is revoked here";
            return Err(CallError::caller("other_operator", what)
                .status(409)
                .next("give its revocation to whoever believes it; here: symbolon operator show"));
        }
        let known = self.revoked();
        let strictest =
            Revocation::strictest(&self.operator, known.as_deref().into_iter().chain([&given]));
        if strictest == Some(&given) {
            let (path, bytes) = (self.home.operator_revocation(), given.to_bytes());
            let written = move || replace_file(&path, &bytes);
            let written = tokio::task::spawn_blocking(written).await;
            written.map_err(|e| CallError::bug(e.to_string()))?.map_err(errors::io)?;
            *self.revocation.write().unwrap_or_else(PoisonError::into_inner) =
                Some(Arc::new(given));
        }
        self.stand_down();
        Ok(self.operator())
    }

    /// What takes the operator's key for something new needs one that is believed.
    pub(crate) fn acting(&self) -> Result<Arc<Open>, CallError> {
        match self.revoked() {
            None => self.opened(),
            Some(revocation) => Err(refused(&revocation)),
        }
    }

    /// What a caller is told of a refusal. Locked stands for no policy in force.
    pub(crate) fn refusal(&self, refusal: &Refusal) -> CallError {
        match refusal {
            Refusal::Locked => self.not_in_force(),
            refusal => errors::refusal(refusal),
        }
    }

    /// Why there is no policy in force.
    pub(crate) fn not_in_force(&self) -> CallError {
        self.revoked().as_deref().map_or_else(errors::locked, refused)
    }

    pub(crate) fn revoked(&self) -> Option<Arc<Revocation>> {
        self.revocation.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the home's folder has of it.
///
/// # Errors
/// [`CallError`]: damaged, or another operator's. Nothing is passed over here: without it the operator would act again.
pub(crate) fn read(home: &Home, operator: &VerifyingKey) -> Result<Option<Revocation>, CallError> {
    let path = home.operator_revocation();
    let damaged = |what: String| {
        let message = format!("{}: {what}", path.display());
        CallError::environment("operator_revocation", message)
            .next("put operator.revocation back from a backup")
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) if bytes.len() > REVOCATION_BYTES_MAX => return Err(damaged("too long".into())),
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(damaged(error.to_string())),
    };
    let read = Revocation::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
    match read.root() == operator {
        true => Ok(Some(read)),
        false => Err(damaged("it is another operator's".into())),
    }
}

pub(crate) fn refused(revocation: &Revocation) -> CallError {
    let since = match revocation.since_ms() {
        0 => "as if it had never been believed".to_owned(),
        since => format!("since {}", symbolon_codec::time::rfc3339(since)),
    };
    let message = format!("this home's operator is revoked, {since}: nothing is done under it");
    CallError::new("operator_revoked", Fault::Caller, 403, message)
        .next("symbolon --home NEW_HOME init, for an operator that is believed")
}
