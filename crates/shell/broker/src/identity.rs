//! Proofs that this home holds its operator's key, or a key of one run that is a child of it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use symbolon_ambient::SystemRng;
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::{VerifyingKey, prove_identity};
use symbolon_store::{ExecutionHead, ExecutionRow};
use symbolon_trust::{Chain, Execution, Head, OnionAddress, Opening, Run, capsule_statement};

use crate::Broker;
use crate::api::CallError;
use crate::broker::Open;

/// A proof of the operator's key, with whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentityProofView {
    /// The operator's public key.
    pub operator: VerifyingKey,
    /// Its Tor v3 address.
    pub onion: String,
    /// 64 bytes in hex; absent where nothing was asked to be proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// A new execution key, and what its owner alone knows of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecutionView {
    /// The operator's public key.
    pub operator: VerifyingKey,
    /// That the key in it is this operator's.
    pub opening: Opening,
    /// Which run of the component it is of.
    pub run: Run,
}

/// A proof of an execution key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecutionProofView {
    /// 64 bytes in hex.
    pub proof: String,
}

/// The chain of the home's execution keys, as the store has it, and the keys that have proven nothing yet.
#[derive(Debug, Default)]
pub(crate) struct RunKeys {
    /// Nothing before the first use, and after a change that may not have reached the disk.
    chain: tokio::sync::Mutex<Option<Chain>>,
    unproven: Mutex<VecDeque<Unproven>>,
}

#[derive(Debug, Clone, Copy)]
struct Unproven {
    key: VerifyingKey,
    component: [u8; 64],
    number: u64,
}

impl RunKeys {
    /// No key is made while this is held.
    pub(crate) async fn hold(&self) -> impl Drop + '_ {
        self.chain.lock().await
    }

    /// The oldest gives way: its run ended without a receipt.
    fn await_proof(&self, one: Unproven) {
        let mut all = self.unproven.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == UNPROVEN_MAX {
            all.pop_front();
        }
        all.push_back(one);
    }

    fn take(&self, key: &VerifyingKey) -> Option<Unproven> {
        let mut all = self.unproven.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|it| it.key == *key)?;
        all.remove(at)
    }
}

impl Broker {
    /// Proves the operator's key over the transcript of a capsule's receipt, under the label of such
    /// receipts; without a transcript it says whose key that would be.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn prove_operator(
        &self,
        transcript: Option<&Digest32>,
    ) -> Result<IdentityProofView, CallError> {
        let open = if transcript.is_some() { self.acting()? } else { self.opened()? };
        let operator = open.operator.verifying_key();
        let proof = transcript.map(|transcript| {
            let statement = capsule_statement(transcript);
            hex::encode(prove_identity(&open.operator, &statement, &SystemRng))
        });
        Ok(IdentityProofView { operator, onion: OnionAddress::of(&operator).to_string(), proof })
    }

    /// Makes the execution key of the next run of a component (its SHA3-512), and takes it into the chain of
    /// the home: durable when it returns, so that no number is given twice.
    ///
    /// # Errors
    /// [`CallError`]: locked, the disk, a chain that is not the one that was signed.
    pub async fn open_execution(&self, component: &[u8; 64]) -> Result<ExecutionView, CallError> {
        let open = self.acting()?;
        let mut kept = self.run_keys.chain.lock().await;
        // Taken out: whatever ends this early, the next one reads what the disk has.
        let mut chain = match kept.take() {
            Some(chain) => chain,
            None => self.read_chain(&open).await?,
        };
        let number = self.store.next_execution(component).await?;
        let execution = Execution::derive(&open.operator, component, number);
        let position = chain.append(&execution);
        let head = chain.head(&open.operator);
        let row = ExecutionRow { position, component: *component, number, leaf: execution.leaf() };
        let signed = ExecutionHead { bytes: head.bytes().to_vec(), signature: *head.signature() };
        self.store.add_execution(&row, &signed).await?;
        let opening = chain.open(position, &execution, &head);
        let opening = opening.ok_or_else(|| CallError::bug("the new key is not in its chain"))?;
        *kept = Some(chain);
        drop(kept);
        let key = execution.key().verifying_key();
        self.run_keys.await_proof(Unproven { key, component: *component, number });
        let operator = open.operator.verifying_key();
        Ok(ExecutionView { operator, opening, run: execution.run().clone() })
    }

    /// Proves an execution key over the transcript of its run's receipt: once, since two receipts under one
    /// key could be linked.
    ///
    /// # Errors
    /// [`CallError`]: locked, or `execution_key` where it is none, or proved something before.
    pub fn prove_execution(
        &self,
        key: &VerifyingKey,
        transcript: &Digest32,
    ) -> Result<ExecutionProofView, CallError> {
        let open = self.acting()?;
        let Unproven { component, number, .. } = self.run_keys.take(key).ok_or_else(|| {
            let message = "this is no execution key that waits for its proof";
            CallError::caller("execution_key", message)
                .status(404)
                .next("symbolon capsule run FILE --receipt FILE --unlinked")
        })?;
        let execution = Execution::derive(&open.operator, &component, number);
        let proof = prove_identity(execution.key(), &capsule_statement(transcript), &SystemRng);
        Ok(ExecutionProofView { proof: hex::encode(proof) })
    }

    async fn read_chain(&self, open: &Open) -> Result<Chain, CallError> {
        let (leaves, head) = self.store.execution_chain().await?;
        let head = head.map(|it| Head::new(it.bytes, it.signature));
        Chain::restore(leaves, head.as_ref(), &open.operator.verifying_key()).map_err(|e| {
            CallError::environment("state_damaged", format!("the chain of execution keys: {e}"))
                .next("put state.db back from a backup: symbolon restore --help")
        })
    }
}

/// How many keys wait for their proofs: of runs that are being written down at this moment.
const UNPROVEN_MAX: usize = 64;
