//! What an RPC server answers (JSON-RPC 2.0, Ethereum's execution API), read within bounds. A server is believed in
//! nothing but what the chain says, and that only as far as its asker chose it.

use serde_json::Value;
use symbolon_codec::{Digest32, hex, json};
use symbolon_crypto::ethereum::Address;

use super::contract::not_larger;

/// The longest answer that is read. A receipt of ours has some kilobytes; a contract's code has 24 at most.
pub(super) const ANSWER_BYTES_MAX: usize = 256 * 1024;
const DEPTH_MAX: usize = 8;
const LOGS_MAX: usize = 64;
const MESSAGE_CHARS_MAX: usize = 300;

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// No answer to the question, or too long.
    #[error("the server's answer is not one of JSON-RPC")]
    Form,
    /// A field of it.
    #[error("the server's answer has no right `{0}`")]
    Field(&'static str),
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] RpcError),
}

/// What the server said in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// The contract's own refusal.
    #[error("the contract has {anchored} entries of this log already, and {offered} are not more")]
    NotLarger {
        /// Entries that are anchored.
        anchored: u64,
        /// Entries that were offered.
        offered: u64,
    },
    /// Anything else, in the server's words, cut.
    #[error("the server says: {0}")]
    Said(String),
}

/// The result in an answer to question `id`.
///
/// # Errors
/// [`AnswerError`].
pub fn answer(bytes: &[u8], id: u64) -> Result<Value, AnswerError> {
    let value = json::parse_bounded(bytes, ANSWER_BYTES_MAX, DEPTH_MAX);
    let mut value = value.map_err(|_| AnswerError::Form)?;
    let whole = value.as_object_mut().ok_or(AnswerError::Form)?;
    if whole.get("jsonrpc").and_then(Value::as_str) != Some("2.0")
        || whole.get("id").and_then(Value::as_u64) != Some(id)
    {
        return Err(AnswerError::Form);
    }
    if let Some(error) = whole.get("error") {
        let data = error.get("data").and_then(Value::as_str).and_then(|text| data(text).ok());
        if let Some((anchored, offered)) = data.as_deref().and_then(not_larger) {
            return Err(RpcError::NotLarger { anchored, offered }.into());
        }
        let said = error.get("message").and_then(Value::as_str).unwrap_or("nothing");
        // A server's words go to a terminal.
        let plain = said.chars().filter(|it| !it.is_control()).take(MESSAGE_CHARS_MAX);
        return Err(RpcError::Said(plain.collect()).into());
    }
    whole.remove("result").ok_or(AnswerError::Form)
}

/// A number: `0x` and hex digits without a zero in front.
///
/// # Errors
/// [`AnswerError::Field`].
pub fn quantity(value: &Value, name: &'static str) -> Result<u64, AnswerError> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    let digits = digits.filter(|it| (1..=16).contains(&it.len()));
    let digits = digits.filter(|it| *it == "0" || !it.starts_with('0'));
    let digits = digits.filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let number = digits.and_then(|it| u64::from_str_radix(it, 16).ok());
    number.ok_or(AnswerError::Field(name))
}

/// Bytes: `0x` and hex digits, two for each.
pub(super) fn bytes(value: &Value, name: &'static str) -> Result<Vec<u8>, AnswerError> {
    value.as_str().ok_or(()).and_then(data).map_err(|()| AnswerError::Field(name))
}

fn data(text: &str) -> Result<Vec<u8>, ()> {
    hex::decode(text.strip_prefix("0x").ok_or(())?).map_err(|_| ())
}

fn digest(value: &Value, name: &'static str) -> Result<Digest32, AnswerError> {
    let bytes = bytes(value, name)?;
    bytes.try_into().map(Digest32).map_err(|_| AnswerError::Field(name))
}

fn address(value: &Value, name: &'static str) -> Result<Address, AnswerError> {
    let bytes: [u8; 20] = bytes(value, name)?.try_into().map_err(|_| AnswerError::Field(name))?;
    Ok(bytes.into())
}

/// A block's head, as far as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Digest32,
    /// When it was made, by its own word, in seconds since 1970.
    pub time_unix_seconds: u64,
}

impl Block {
    /// From `eth_getBlockByNumber`; none where there is none of that number.
    ///
    /// # Errors
    /// [`AnswerError::Field`].
    pub fn read(value: &Value) -> Result<Option<Self>, AnswerError> {
        if value.is_null() {
            return Ok(None);
        }
        Ok(Some(Self {
            number: quantity(&value["number"], "number")?,
            hash: digest(&value["hash"], "hash")?,
            time_unix_seconds: quantity(&value["timestamp"], "timestamp")?,
        }))
    }
}

/// A log's line in a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub address: Address,
    pub topics: Vec<Digest32>,
    pub data: Vec<u8>,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its name.
    pub transaction: Digest32,
    /// Whether it did what it was sent for.
    pub is_good: bool,
    /// The block that has it.
    pub block: u64,
    /// That block's hash.
    pub block_hash: Digest32,
    /// The contract that it made.
    pub made: Option<Address>,
    pub(super) events: Vec<Event>,
}

impl Receipt {
    /// From `eth_getTransactionReceipt`; none where no block has it.
    ///
    /// # Errors
    /// [`AnswerError::Field`].
    pub fn read(value: &Value) -> Result<Option<Self>, AnswerError> {
        if value.is_null() {
            return Ok(None);
        }
        let logs = value["logs"].as_array().filter(|it| it.len() <= LOGS_MAX);
        let event = |log: &Value| {
            let topics = log["topics"].as_array().filter(|it| it.len() <= 4);
            let topics = topics.ok_or(AnswerError::Field("topics"))?.iter();
            Ok(Event {
                address: address(&log["address"], "address")?,
                topics: topics.map(|it| digest(it, "topics")).collect::<Result<_, _>>()?,
                data: bytes(&log["data"], "data")?,
            })
        };
        let made = &value["contractAddress"];
        Ok(Some(Self {
            transaction: digest(&value["transactionHash"], "transactionHash")?,
            is_good: quantity(&value["status"], "status")? == 1,
            block: quantity(&value["blockNumber"], "blockNumber")?,
            block_hash: digest(&value["blockHash"], "blockHash")?,
            made: if made.is_null() { None } else { Some(address(made, "contractAddress")?) },
            events: logs
                .ok_or(AnswerError::Field("logs"))?
                .iter()
                .map(event)
                .collect::<Result<_, AnswerError>>()?,
        }))
    }
}
