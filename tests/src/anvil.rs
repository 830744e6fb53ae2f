//! anvil, an Ethereum node with a chain of its own, from npm.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Request;
use crate::place;
use crate::service::{Service, free_port};

/// A chain on loopback: a block for each transaction, and accounts with money that the node signs for.
pub struct Anvil {
    _service: Service,
    port: u16,
}

impl Anvil {
    pub fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(place::anvil());
        command.args(["--port", &port.to_string(), "--silent"]);
        let mut service = Service::start("anvil", &mut command);
        service.wait_for_port(port);
        Self { _service: service, port }
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a method gives, or the error object of a call that the node refuses.
    pub fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = Request::post(self.port, "/").json(&body).answer().expect(200).json();
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].clone()),
        }
    }

    /// What a method gives that has to be answered.
    #[track_caller]
    pub fn get(&self, method: &str, params: Value) -> Value {
        self.ask(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Sends a transaction and gives its receipt, once it is in a block.
    #[track_caller]
    pub fn send(&self, transaction: Value) -> Value {
        let hash = self.get("eth_sendTransaction", json!([transaction]));
        for _ in 0..200 {
            let receipt = self.get("eth_getTransactionReceipt", json!([hash]));
            if !receipt.is_null() {
                return receipt;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no block has {hash} after ten seconds")
    }
}
