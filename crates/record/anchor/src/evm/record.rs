//! An anchor as a file: which checkpoint stands in which contract on which chain. By itself it proves nothing; it says
//! what to ask a chain for, and what the chain must then say.

use serde::{Deserialize, Serialize};
use symbolon_codec::{Digest32, json};
use symbolon_crypto::ethereum::Address;
use symbolon_crypto::sha256;

use super::answer::{Block, Receipt};
use super::contract::{Anchored, runtime};

/// The longest file of an anchor.
pub const RECORD_BYTES_MAX: usize = 8 * 1024;
const MEDIA_TYPE: &str = "application/vnd.symbolon.evm-anchor+json;version=1";

/// Why an anchor is not believed. In the order in which things are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Not such a file, or too long.
    #[error("this is no anchor of version 1 in an EVM contract")]
    Form,
    /// It is of another checkpoint.
    #[error("the anchor is of another checkpoint")]
    Checkpoint,
    /// The server is of another chain.
    #[error("the anchor is on chain {expected}; the server is of chain {found}")]
    Chain {
        /// What the anchor says.
        expected: u64,
        /// What the server says.
        found: u64,
    },
    /// Something else stands at the contract's address.
    #[error("what stands at {0} is not the contract that keeps checkpoints")]
    Code(Address),
    /// No block has the transaction.
    #[error("no block of the chain has the transaction any more, or yet")]
    Gone,
    /// The transaction failed, or is another.
    #[error("the transaction did not anchor this checkpoint")]
    Transaction,
    /// The block that has it is not the chain's of that number.
    #[error("block {0} of the chain is another than the one that has the transaction")]
    Reorganised(u64),
    /// Too few blocks are on top.
    #[error("{found} of {needed} blocks are on top of it")]
    Confirmations {
        /// As many as are asked for.
        needed: u64,
        /// As many as there are.
        found: u64,
    },
}

/// A checkpoint in a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorRecord {
    /// The chain's number.
    pub chain: u64,
    /// The contract.
    pub contract: Address,
    /// Who sent it: with the origin, whose log it is.
    pub submitter: Address,
    /// What was anchored.
    pub anchored: Anchored,
    /// The transaction.
    pub transaction: Digest32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    chain: u64,
    contract: String,
    submitter: String,
    origin: Digest32,
    size: u64,
    root: Digest32,
    digest: Digest32,
    transaction: Digest32,
}

/// What a server of the chain said, of one anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The chain's number.
    pub chain: u64,
    /// What stands at the contract's address.
    pub code: Vec<u8>,
    /// What became of the transaction, where a block has it.
    pub receipt: Option<Receipt>,
    /// The chain's block of the receipt's number, where there is one.
    pub block: Option<Block>,
    /// The number of the newest block.
    pub head: u64,
}

impl AnchorRecord {
    /// As JSON, on several lines for people.
    pub fn to_json(&self) -> Vec<u8> {
        let Anchored { origin, size, root, digest } = self.anchored.clone();
        let whole = RecordJson {
            media_type: MEDIA_TYPE.to_owned(),
            chain: self.chain,
            contract: self.contract.to_string(),
            submitter: self.submitter.to_string(),
            origin,
            size,
            root,
            digest,
            transaction: self.transaction,
        };
        // Strings and numbers always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// Reads one; nothing of it is known to be true.
    ///
    /// # Errors
    /// [`RecordError::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let value = json::parse_bounded(bytes, RECORD_BYTES_MAX, 2);
        let value = value.map_err(|_| RecordError::Form)?;
        let read: RecordJson = serde_json::from_value(value).map_err(|_| RecordError::Form)?;
        if read.media_type != MEDIA_TYPE || read.size == 0 {
            return Err(RecordError::Form);
        }
        let address = |text: &str| text.parse().map_err(|_| RecordError::Form);
        Ok(Self {
            chain: read.chain,
            contract: address(&read.contract)?,
            submitter: address(&read.submitter)?,
            anchored: Anchored {
                origin: read.origin,
                size: read.size,
                root: read.root,
                digest: read.digest,
            },
            transaction: read.transaction,
        })
    }

    /// Whether it is of a checkpoint, by that one's origin, size, root and bytes.
    ///
    /// # Errors
    /// [`RecordError::Checkpoint`].
    pub fn is_of(&self, checkpoint: &Anchored) -> Result<(), RecordError> {
        if self.anchored == *checkpoint { Ok(()) } else { Err(RecordError::Checkpoint) }
    }

    /// Holds the anchor against what a server of the chain said; gives the block. What the server says of the chain is
    /// believed: who checks chose it.
    ///
    /// # Errors
    /// [`RecordError`]: the first check that fails.
    pub fn check<'s>(&self, seen: &'s Seen, confirmations: u64) -> Result<&'s Block, RecordError> {
        if seen.chain != self.chain {
            return Err(RecordError::Chain { expected: self.chain, found: seen.chain });
        }
        if sha256(&seen.code) != sha256(&runtime()) {
            return Err(RecordError::Code(self.contract));
        }
        let receipt = seen.receipt.as_ref().ok_or(RecordError::Gone)?;
        let (topics, data) = (self.anchored.topics(&self.submitter), self.anchored.data());
        let has_it = receipt.events.iter().any(|event| {
            event.address == self.contract && event.topics == topics && event.data == data
        });
        if receipt.transaction != self.transaction || !receipt.is_good || !has_it {
            return Err(RecordError::Transaction);
        }
        let block = seen
            .block
            .as_ref()
            .filter(|block| (block.number, block.hash) == (receipt.block, receipt.block_hash));
        let block = block.ok_or(RecordError::Reorganised(receipt.block))?;
        // The block itself is the first.
        let found = seen.head.saturating_add(1).saturating_sub(block.number);
        if found < confirmations {
            return Err(RecordError::Confirmations { needed: confirmations, found });
        }
        Ok(block)
    }
}
