//! Transactions of EIP-1559, as far as a contract is made and called by them.

use alloy_primitives::U256;
use alloy_rlp::{Encodable, Header};
use symbolon_codec::Digest32;
use symbolon_crypto::ethereum::{Address, EthereumKey, keccak256};

/// The most that is paid for a unit of gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeLimit(pub u128);

/// A transaction without money, of type 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The chain's number: on another chain it is none.
    pub chain: u64,
    /// How many the sender sent before.
    pub nonce: u64,
    /// What whoever makes the block gets for a unit of gas, in wei.
    pub priority_fee: u128,
    /// The most that is paid for a unit of gas, in wei.
    pub max_fee: u128,
    /// The most gas that it may take.
    pub gas: u64,
    /// The contract; none makes one.
    pub to: Option<Address>,
    /// What the contract is called with, or made of.
    pub input: Vec<u8>,
}

/// The type's number, before the list of fields.
const TYPE: u8 = 2;
/// An empty list, of accounts that are touched, and an empty text, of no recipient.
const EMPTY_LIST: u8 = 0xc0;

impl Transaction {
    /// What is signed: Keccak-256 of type and fields.
    pub fn digest(&self) -> Digest32 {
        keccak256(&[&self.encoded(&[])])
    }

    /// The bytes that a chain takes, signed.
    pub fn sign(&self, key: &EthereumKey) -> Vec<u8> {
        // EXPOSE: a transaction's signature is public; the type is for those of wallets that open vaults.
        self.with(key.sign(&self.digest()).expose())
    }

    /// With a signature: `r || s || v`, `v` 0, 1, 27 or 28.
    pub(super) fn with(&self, signature: &[u8; 65]) -> Vec<u8> {
        let number = |bytes: &[u8]| U256::from_be_slice(bytes);
        let v = U256::from(signature[64] % 27);
        self.encoded(&[v, number(&signature[..32]), number(&signature[32..64])])
    }

    /// The name of a signed transaction on its chain.
    pub fn hash(signed: &[u8]) -> Digest32 {
        keccak256(&[signed])
    }

    fn encoded(&self, signature: &[U256]) -> Vec<u8> {
        let mut fields = Vec::new();
        self.chain.encode(&mut fields);
        self.nonce.encode(&mut fields);
        self.priority_fee.encode(&mut fields);
        self.max_fee.encode(&mut fields);
        self.gas.encode(&mut fields);
        match &self.to {
            Some(to) => to.as_bytes().as_slice().encode(&mut fields),
            None => b"".as_slice().encode(&mut fields),
        }
        // No money goes with it.
        0_u64.encode(&mut fields);
        self.input.as_slice().encode(&mut fields);
        fields.push(EMPTY_LIST);
        for part in signature {
            part.encode(&mut fields);
        }
        let mut whole = vec![TYPE];
        Header { list: true, payload_length: fields.len() }.encode(&mut whole);
        whole.extend_from_slice(&fields);
        whole
    }
}
