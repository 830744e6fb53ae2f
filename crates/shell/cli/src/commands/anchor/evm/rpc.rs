//! A server of a chain, asked one thing at a time.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_anchor::evm::{
    Anchored, AnswerError, Block, Latest, Receipt, RpcError, Seen, answer, quantity, runtime,
};
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::ethereum::Address;

use super::super::calendar::{Server, Wire};
use crate::failure::Failure;

pub struct Rpc {
    wire: Wire,
    server: Server,
    asked: Cell<u64>,
}

impl Rpc {
    pub fn new(server: Server) -> Self {
        Self { wire: Wire::new(), server, asked: Cell::new(0) }
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let id = self.asked.get() + 1;
        self.asked.set(id);
        let question = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let said = self.wire.ask(&self.server, question.to_string().as_bytes()).await;
        let said = said.map_err(|why| {
            let what = format!("{} did not answer {method}: {why}", self.server.name);
            Failure::environment("rpc", what).next("the same command with another --rpc URL")
        })?;
        answer(&said, id).map_err(|error| self.wrong(method, &error))
    }

    fn wrong(&self, method: &str, error: &AnswerError) -> Failure {
        match error {
            AnswerError::Refused(refused @ RpcError::NotLarger { .. }) => {
                Failure::refused("not_larger", refused.to_string())
                    .next("symbolon anchor ls, for what is anchored")
            }
            error => {
                let what = format!("{}, {method}: {error}", self.server.name);
                Failure::environment("rpc", what).next("the same command with another --rpc URL")
            }
        }
    }

    async fn number(&self, method: &'static str, params: Value) -> Result<u64, Failure> {
        let said = self.ask(method, params).await?;
        quantity(&said, "result").map_err(|error| self.wrong(method, &error))
    }

    async fn bytes(&self, method: &str, params: Value) -> Result<Vec<u8>, Failure> {
        let said = self.ask(method, params).await?;
        let digits = said.as_str().and_then(|text| text.strip_prefix("0x"));
        let bytes = digits.and_then(|digits| hex::decode(digits).ok());
        bytes.ok_or_else(|| self.wrong(method, &AnswerError::Field("result")))
    }

    pub async fn chain(&self) -> Result<u64, Failure> {
        self.number("eth_chainId", json!([])).await
    }

    pub async fn head(&self) -> Result<u64, Failure> {
        self.number("eth_blockNumber", json!([])).await
    }

    /// How many transactions an account sent, those that wait counted.
    pub async fn nonce(&self, of: &Address) -> Result<u64, Failure> {
        self.number("eth_getTransactionCount", json!([of.to_string(), "pending"])).await
    }

    /// What a unit of gas costs: for whoever makes the block, and at most.
    pub async fn fees(&self) -> Result<(u128, u128), Failure> {
        let tip = u128::from(self.number("eth_maxPriorityFeePerGas", json!([])).await?);
        let method = "eth_getBlockByNumber";
        let newest = self.ask(method, json!(["latest", false])).await?;
        let base = quantity(&newest["baseFeePerGas"], "baseFeePerGas");
        let base = u128::from(base.map_err(|error| self.wrong(method, &error))?);
        // Room for blocks that grow dearer while it waits.
        Ok((tip, base * 2 + tip))
    }

    pub async fn gas(
        &self,
        from: &Address,
        to: Option<&Address>,
        input: &[u8],
    ) -> Result<u64, Failure> {
        let mut call = json!({ "from": from.to_string(), "data": shown(input) });
        if let Some(to) = to {
            call["to"] = json!(to.to_string());
        }
        self.number("eth_estimateGas", json!([call])).await
    }

    pub async fn send(&self, signed: &[u8]) -> Result<(), Failure> {
        self.bytes("eth_sendRawTransaction", json!([shown(signed)])).await.map(drop)
    }

    pub async fn receipt(&self, transaction: &Digest32) -> Result<Option<Receipt>, Failure> {
        let method = "eth_getTransactionReceipt";
        let said = self.ask(method, json!([shown(&transaction.0)])).await?;
        Receipt::read(&said).map_err(|error| self.wrong(method, &error))
    }

    pub async fn block(&self, number: u64) -> Result<Option<Block>, Failure> {
        let method = "eth_getBlockByNumber";
        let said = self.ask(method, json!([format!("{number:#x}"), false])).await?;
        Block::read(&said).map_err(|error| self.wrong(method, &error))
    }

    pub async fn code(&self, of: &Address) -> Result<Vec<u8>, Failure> {
        self.bytes("eth_getCode", json!([of.to_string(), "latest"])).await
    }

    /// The newest checkpoint of a log in a contract.
    pub async fn latest(
        &self,
        contract: &Address,
        of: &Anchored,
        by: &Address,
    ) -> Result<Latest, Failure> {
        let method = "eth_call";
        let call = json!({ "to": contract.to_string(), "data": shown(&of.latest_call(by)) });
        let said = self.bytes(method, json!([call, "latest"])).await?;
        Latest::read(&said).ok_or_else(|| self.wrong(method, &AnswerError::Field("result")))
    }

    /// The transaction that anchored it, by its event in a block.
    pub async fn anchored_by(
        &self,
        contract: &Address,
        of: &Anchored,
        by: &Address,
        block: u64,
    ) -> Result<Digest32, Failure> {
        let method = "eth_getLogs";
        let topics = of.topics(by).map(|topic| shown(&topic.0));
        let at = format!("{block:#x}");
        let filter = json!([{ "address": contract.to_string(), "fromBlock": at, "toBlock": at, "topics": topics }]);
        let said = self.ask(method, filter).await?;
        let hash = said[0]["transactionHash"].as_str().and_then(|text| text.strip_prefix("0x"));
        let hash = hash.and_then(|digits| hex::decode(digits).ok()?.try_into().ok());
        hash.map(Digest32).ok_or_else(|| self.wrong(method, &AnswerError::Field("transactionHash")))
    }

    /// Waits until a block has a transaction.
    pub async fn mined(
        &self,
        transaction: &Digest32,
        patience: Duration,
    ) -> Result<Receipt, Failure> {
        let began = tokio::time::Instant::now();
        loop {
            if let Some(receipt) = self.receipt(transaction).await? {
                return Ok(receipt);
            }
            if began.elapsed() > patience {
                let what = format!("no block has {} yet", shown(&transaction.0));
                return Err(Failure::environment("pending", what)
                    .next("the same command later: it finds what was sent"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Refuses an address at which something else stands than the contract.
    pub async fn expect_contract(&self, at: &Address) -> Result<(), Failure> {
        if self.code(at).await? == runtime() {
            return Ok(());
        }
        let what = format!("what stands at {at} is not the contract that keeps checkpoints");
        Err(Failure::refused("contract", what)
            .next("symbolon anchor evm deploy --rpc URL, for one of your own"))
    }

    /// What the chain says of an anchor.
    pub async fn seen(&self, contract: &Address, transaction: &Digest32) -> Result<Seen, Failure> {
        let receipt = self.receipt(transaction).await?;
        let block = match &receipt {
            Some(receipt) => self.block(receipt.block).await?,
            None => None,
        };
        Ok(Seen {
            chain: self.chain().await?,
            code: self.code(contract).await?,
            receipt,
            block,
            head: self.head().await?,
        })
    }
}

/// Bytes as these servers write them.
pub fn shown(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
