//! The contract that keeps checkpoints: its bytes are those of its source, and on a real node's chain it does what
//! `specs/anchor.md` says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use symbolon_codec::hex;
use symbolon_crypto::sha256;
use symbolon_tests::anvil::Anvil;
use symbolon_tests::place;

/// `anchor(bytes32,uint64,bytes32,bytes32)`.
const ANCHOR: &str = "7f00e393";
/// `latest(address,bytes32)`.
const LATEST: &str = "68205bc3";
/// `NotLarger(uint64,uint64)`.
const NOT_LARGER: &str = "92800ee4";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts").join(name)
}

fn pinned() -> Value {
    let bytes = std::fs::read(file("CheckpointAnchor.json")).expect("it is there");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {value}"))
}

fn digest_of_code(code: &str) -> String {
    let bytes = hex::decode(code.trim_start_matches("0x")).expect("hexadecimal");
    sha256(&bytes).to_string()
}

fn word(number: u64) -> String {
    format!("{number:064x}")
}

fn root(number: u64) -> String {
    sha256(format!("root {number}").as_bytes()).to_string()
}

/// The contract on a chain, with two who send.
struct Deployed {
    anvil: Anvil,
    at: String,
    me: String,
    other: String,
    origin: String,
}

impl Deployed {
    fn new() -> Self {
        let anvil = Anvil::start();
        let accounts = anvil.get("eth_accounts", json!([]));
        let account = |n: usize| accounts[n].as_str().expect("an address").to_owned();
        let (me, other) = (account(0), account(1));
        let made = anvil.send(json!({ "from": me, "data": text(&pinned(), "creation") }));
        let at = text(&made, "contractAddress").to_owned();
        let origin = sha256(b"log.example").to_string();
        Self { anvil, at, me, other, origin }
    }

    fn call(&self, from: &str, size: &str) -> Value {
        let (origin, root) = (&self.origin, root(1));
        json!({ "from": from, "to": self.at, "data": format!("0x{ANCHOR}{origin}{size}{root}{root}") })
    }

    fn anchor(&self, from: &str, size: u64) -> Value {
        let data = [ANCHOR, &self.origin, &word(size), &root(size), &root(size + 1)].concat();
        let receipt =
            self.anvil.send(json!({ "from": from, "to": self.at, "data": format!("0x{data}") }));
        assert_eq!(receipt["status"], "0x1", "size {size} is taken");
        receipt
    }

    /// The words of the error with which it refuses.
    #[track_caller]
    fn refusal(&self, from: &str, size: u64) -> String {
        let asked = self.anvil.ask("eth_call", json!([self.call(from, &word(size)), "latest"]));
        let error = asked.expect_err("it is refused");
        let data = text(&error, "data").trim_start_matches("0x").to_owned();
        data.strip_prefix(NOT_LARGER).expect("an error of its own").to_owned()
    }

    /// Size, block, root and digest of the newest checkpoint, as words.
    fn latest(&self, of: &str) -> Vec<String> {
        let of = of.trim_start_matches("0x");
        let data = format!("0x{LATEST}{of:0>64}{}", self.origin);
        let answer = self.anvil.get("eth_call", json!([{ "to": self.at, "data": data }, "latest"]));
        let words = answer.as_str().expect("words").trim_start_matches("0x").to_owned();
        assert_eq!(words.len(), 4 * 64, "four words");
        (0..4).map(|n| words[n * 64..][..64].to_owned()).collect()
    }
}

fn block(receipt: &Value) -> u64 {
    u64::from_str_radix(text(receipt, "blockNumber").trim_start_matches("0x"), 16)
        .expect("a number")
}

#[test]
fn its_bytecode_is_what_its_source_compiles_to() {
    let pinned = pinned();
    let source = std::fs::read(file("CheckpointAnchor.sol")).expect("it is there");
    assert_eq!(sha256(&source).to_string(), text(&pinned, "sourceSha256"));
    assert_eq!(digest_of_code(text(&pinned, "creation")), text(&pinned, "creationSha256"));
    assert_eq!(digest_of_code(text(&pinned, "runtime")), text(&pinned, "runtimeSha256"));

    let output = Command::new(place::node())
        .arg(place::fixture("interop/solc.mjs"))
        .args([file("CheckpointAnchor.sol"), file("CheckpointAnchor.json")])
        .current_dir(place::node_folder())
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "it does not compile: {said}");
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(made["said"], json!([]), "no warning");
    assert!(text(&made, "version").starts_with("0.8.37+"), "{}", made["version"]);
    for part in ["abi", "creation", "runtime"] {
        assert_eq!(made[part], pinned[part], "{part}");
    }
}

#[test]
fn a_log_only_grows() {
    let chain = Deployed::new();
    let code = chain.anvil.get("eth_getCode", json!([chain.at, "latest"]));
    assert_eq!(code, pinned()["runtime"], "the code on the chain is the pinned one");
    assert_eq!(chain.latest(&chain.me), vec![word(0); 4], "nothing at first");
    assert_eq!(chain.refusal(&chain.me, 0), word(0) + &word(0), "an empty tree is none");

    chain.anchor(&chain.me, 5);
    let grown = chain.anchor(&chain.me, 9);
    let newest = vec![word(9), word(block(&grown)), root(9), root(10)];
    assert_eq!(chain.latest(&chain.me), newest);
    let event = &grown["logs"][0];
    assert_eq!(grown["logs"].as_array().map(Vec::len), Some(1));
    assert_eq!(event["address"], grown["to"]);
    let me = chain.me.trim_start_matches("0x");
    assert_eq!(event["topics"][1], format!("0x{me:0>64}"));
    assert_eq!(event["topics"][2], format!("0x{}", chain.origin));
    assert_eq!(event["topics"][3], format!("0x{}", word(9)));
    assert_eq!(event["data"], format!("0x{}{}", root(9), root(10)));

    for size in [9, 8, 5, 0] {
        assert_eq!(chain.refusal(&chain.me, size), word(9) + &word(size));
    }
    // One that is sent all the same stands in a block, and changes nothing.
    let mut sent = chain.call(&chain.me, &word(8));
    sent["gas"] = json!("0x30000");
    assert_eq!(chain.anvil.send(sent)["status"], "0x0");
    assert_eq!(chain.latest(&chain.me), newest);
}

#[test]
fn nobody_writes_to_the_log_of_another() {
    let chain = Deployed::new();
    // Whoever is first with an origin, and with the greatest size there is, is in nobody's way.
    chain.anchor(&chain.other, u64::MAX - 1);
    assert_eq!(chain.latest(&chain.me), vec![word(0); 4]);
    chain.anchor(&chain.me, 3);
    assert_eq!(chain.latest(&chain.me)[0], word(3));
    assert_eq!(chain.latest(&chain.other)[0], word(u64::MAX - 1));

    let with_money = json!({ "from": chain.me, "to": chain.at, "value": "0x1" });
    assert!(chain.anvil.ask("eth_call", json!([with_money, "latest"])).is_err(), "takes no money");
    let above = format!("{:064x}", 1_u128 << 64);
    let asked = chain.anvil.ask("eth_call", json!([chain.call(&chain.me, &above), "latest"]));
    assert!(asked.is_err(), "a size that is no 64-bit number is not cut to one");
}

#[test]
fn what_a_reorganisation_takes_back_is_gone() {
    let chain = Deployed::new();
    chain.anchor(&chain.me, 9);
    for _ in 0..3 {
        chain.anvil.get("anvil_mine", json!(["0x1"]));
    }
    let lost = chain.anchor(&chain.me, 13);
    let number = lost["blockNumber"].clone();
    let at = |number: &Value| chain.anvil.get("eth_getBlockByNumber", json!([number, false]));
    assert_eq!(at(&number)["hash"], lost["blockHash"]);
    chain.anvil.get("anvil_reorg", json!([2, []]));
    assert_ne!(at(&number)["hash"], lost["blockHash"], "another block stands there");
    let receipt = chain.anvil.get("eth_getTransactionReceipt", json!([lost["transactionHash"]]));
    assert_eq!(receipt, Value::Null);
    assert_eq!(chain.latest(&chain.me)[0], word(9));
    chain.anchor(&chain.me, 12);
    assert_eq!(chain.latest(&chain.me)[0], word(12), "what was never there is in nobody's way");
}
