//! Proof sessions with a service that asks for facts (`specs/proof.md`).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{By, Client};
use super::error::ClientError;

/// A proof that a service took.
#[derive(Debug, Clone, Deserialize)]
pub struct ProofTaken {
    /// Whether it was taken.
    pub accepted: bool,
    /// What the service keeps of it.
    pub evidence: Value,
    /// It was shown by claims that anybody could have made.
    #[serde(default)]
    pub demo: bool,
}

impl Client {
    /// Has the service ask: the bytes of its request, which are not believed yet.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ask_for_request(
        &mut self,
        at_least_years: u8,
        group: &str,
    ) -> Result<Vec<u8>, ClientError> {
        let body = json!({ "at_least_years": at_least_years, "group": group });
        let answer = self.send(By::Nobody, Method::POST, "/api/proofs/ask", &body).await?;
        Ok(answer.body.to_vec())
    }

    /// Shows a presentation, in its canonical bytes.
    ///
    /// # Errors
    /// [`ClientError`]; a refusal's code is the name of what does not hold.
    pub async fn show_proof(&mut self, presentation: Vec<u8>) -> Result<ProofTaken, ClientError> {
        let body = Some(("application/json", presentation));
        let answer = self.ask(By::Nobody, Method::POST, "/api/proofs", body).await?;
        self.json(&answer)
    }
}
