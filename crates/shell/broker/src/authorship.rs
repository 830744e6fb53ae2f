//! Acts of authors in this home's log: appended, read again, certified (`specs/authorship.md`).

use symbolon_authorship::{Certificate, CertificateEntry, Entry};

use crate::Broker;
use crate::api::CallError;
use crate::errors;

impl Broker {
    /// The origin of this home's log: what acts are signed for.
    pub fn log_origin(&self) -> &str {
        self.log.log().origin()
    }

    /// Appends an act, and gives its index once it is durable.
    ///
    /// # Errors
    /// [`CallError`]: locked, for then no checkpoint is signed; a log that cannot be written.
    pub async fn log_act(&self, entry: &Entry) -> Result<u64, CallError> {
        self.acting()?;
        let ticket = self.log.append(&entry.write()).map_err(not_written)?;
        let index = ticket.index();
        self.log.durable(ticket).await.map_err(not_written)?;
        Ok(index)
    }

    /// Acts that stand at these indices.
    ///
    /// # Errors
    /// [`CallError`]: a log that cannot be read, or has something else there.
    pub async fn logged_acts(&self, indices: Vec<u64>) -> Result<Vec<(u64, Entry)>, CallError> {
        let log = self.log.clone();
        let work = move || {
            let mut acts = Vec::with_capacity(indices.len());
            for index in indices {
                let bytes = log.entry(index).map_err(errors::log_read)?;
                acts.push((index, act(index, &bytes)?));
            }
            Ok(acts)
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }

    /// A certificate of the acts at these indices, without a salt, and the acts.
    ///
    /// # Errors
    /// [`CallError`]: locked; a log that cannot be read, or has something else there.
    pub async fn certify_acts(
        &self,
        indices: Vec<u64>,
    ) -> Result<(Certificate, Vec<(u64, Entry)>), CallError> {
        self.opened()?;
        let (log, witnessed) = (self.log.clone(), self.witnessed.clone());
        let operator = self.operator_vkey().trim_end().to_owned();
        let work = move || {
            let newest = *indices.last().ok_or_else(|| CallError::bug("no acts to certify"))?;
            // What witnesses signed is of more use than what is newer.
            let cosigned = witnessed.covering(newest);
            let cosigned = cosigned.filter(|note| log.log().prove_against(newest, note).is_ok());
            let checkpoint = match cosigned {
                Some(note) => note,
                None => log.proof(newest).map_err(errors::log_read)?.checkpoint,
            };
            let mut entries = Vec::with_capacity(indices.len());
            let mut acts = Vec::with_capacity(indices.len());
            for index in indices {
                let proof = log.log().prove_against(index, &checkpoint);
                let path = proof.map_err(errors::log_read)?.path;
                let entry = log.entry(index).map_err(errors::log_read)?;
                acts.push((index, act(index, &entry)?));
                entries.push(CertificateEntry { index, entry, path });
            }
            Ok((Certificate { entries, checkpoint, operator, salt: None }, acts))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }
}

fn act(index: u64, bytes: &[u8]) -> Result<Entry, CallError> {
    Entry::parse(bytes)
        .map_err(|error| CallError::bug(format!("entry {index} of the log is no act: {error}")))
}

fn not_written(error: symbolon_log::LogError) -> CallError {
    CallError::environment("log", format!("the log cannot keep the act: {error}"))
        .next("symbolon status; then free space or restart the broker")
}
