//! The contract's calls, its event and its error.

use alloy_primitives::{Address as Word20, B256};
use alloy_sol_types::{SolCall, SolError, SolEvent};
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::ethereum::Address;
use symbolon_crypto::sha256;

use interface::{Checkpoint, NotLarger, anchorCall, latestCall};

/// As the source has it.
mod interface {
    alloy_sol_types::sol! {
        struct Checkpoint {
            uint64 size;
            uint64 blockNumber;
            bytes32 root;
            bytes32 digest;
        }

        event Anchored(address indexed submitter, bytes32 indexed origin, uint64 indexed size, bytes32 root, bytes32 digest);

        error NotLarger(uint64 anchored, uint64 offered);

        function anchor(bytes32 origin, uint64 size, bytes32 root, bytes32 digest) external;
        function latest(address submitter, bytes32 origin) external view returns (Checkpoint memory);
    }
}

/// What is sent to put the contract on a chain.
pub fn creation() -> Vec<u8> {
    bytecode(include_str!("../../../../../contracts/CheckpointAnchor.creation.hex"))
}

/// What stands on the chain at its address, and nothing else may.
pub fn runtime() -> Vec<u8> {
    bytecode(include_str!("../../../../../contracts/CheckpointAnchor.runtime.hex"))
}

fn bytecode(text: &str) -> Vec<u8> {
    // Our own file, which a test holds against its hash.
    hex::decode(text.trim()).unwrap_or_default()
}

/// A checkpoint as the contract keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// SHA-256 of the log's origin.
    pub origin: Digest32,
    /// Entries in the tree.
    pub size: u64,
    /// The tree's root.
    pub root: Digest32,
    /// SHA-256 of the checkpoint's bytes.
    pub digest: Digest32,
}

/// The newest checkpoint of a log on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latest {
    /// Entries in the tree; 0 where there is none.
    pub size: u64,
    /// The block that it was anchored in.
    pub block: u64,
    /// SHA-256 of the checkpoint's bytes.
    pub digest: Digest32,
}

impl Anchored {
    /// A checkpoint of the log named `origin`, by its parts and its bytes.
    pub fn of(origin: &str, size: u64, root: Digest32, checkpoint: &[u8]) -> Self {
        Self { origin: sha256(origin.as_bytes()), size, root, digest: sha256(checkpoint) }
    }

    /// The input of a transaction that anchors it.
    pub fn call(&self) -> Vec<u8> {
        let Self { origin, size, root, digest } = self;
        anchorCall { origin: word(origin), size: *size, root: word(root), digest: word(digest) }
            .abi_encode()
    }

    /// The input of a question for the newest of the same log, by who submits it.
    pub fn latest_call(&self, submitter: &Address) -> Vec<u8> {
        latestCall { submitter: Word20::from(*submitter.as_bytes()), origin: word(&self.origin) }
            .abi_encode()
    }

    /// The topics by which its event is found.
    pub fn topics(&self, submitter: &Address) -> [Digest32; 4] {
        let mut by = [0; 32];
        by[12..].copy_from_slice(submitter.as_bytes());
        let mut size = [0; 32];
        size[24..].copy_from_slice(&self.size.to_be_bytes());
        [Digest32(EVENT), Digest32(by), self.origin, Digest32(size)]
    }

    /// The data of its event.
    pub fn data(&self) -> [u8; 64] {
        let mut data = [0; 64];
        data[..32].copy_from_slice(&self.root.0);
        data[32..].copy_from_slice(&self.digest.0);
        data
    }
}

impl Latest {
    /// From what the contract answers; none where it is no such answer.
    pub fn read(answer: &[u8]) -> Option<Self> {
        let read = latestCall::abi_decode_returns_validate(answer).ok()?;
        let Checkpoint { size, blockNumber, digest, .. } = read;
        Some(Self { size, block: blockNumber, digest: Digest32(digest.0) })
    }
}

/// The sizes in the contract's own refusal: anchored, offered. None where it is another one.
pub(super) fn not_larger(data: &[u8]) -> Option<(u64, u64)> {
    let NotLarger { anchored, offered } = NotLarger::abi_decode_validate(data).ok()?;
    Some((anchored, offered))
}

/// Keccak-256 of the event's signature.
const EVENT: [u8; 32] = interface::Anchored::SIGNATURE_HASH.0;

fn word(digest: &Digest32) -> B256 {
    B256::from(digest.0)
}
