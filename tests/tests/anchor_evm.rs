//! `symbolon anchor evm`: a log's checkpoints in a contract, on a chain that somebody else's node makes.

use std::path::Path;

use serde_json::{Value, json};
use symbolon_tests::anvil::Anvil;
use symbolon_tests::home::Home;
use symbolon_tests::node::call;
use symbolon_tests::upstream::Upstream;

/// A home with a log, an account with money, and the contract.
struct Chain {
    anvil: Anvil,
    home: Home,
    _upstream: Upstream,
    rpc: String,
    contract: String,
    account: String,
}

impl Chain {
    fn start() -> Self {
        let anvil = Anvil::start();
        let (home, upstream) = Home::with_upstream("cli");
        let rpc = anvil.url();
        let account =
            home.json(&["anchor", "evm", "address"])["address"].as_str().unwrap().to_owned();
        let poor = home.refused(&["anchor", "evm", "deploy", "--rpc", &rpc]);
        assert_eq!(poor.code, "rpc", "nobody pays for an account without money");
        anvil.get("anvil_setBalance", json!([account, "0xde0b6b3a7640000"]));
        let made = home.json(&["anchor", "evm", "deploy", "--rpc", &rpc]);
        let contract = made["contract"].as_str().unwrap().to_owned();
        Self { anvil, home, _upstream: upstream, rpc, contract, account }
    }

    fn words(&self) -> [&str; 7] {
        ["anchor", "evm", "create", "--rpc", &self.rpc, "--contract", &self.contract]
    }

    /// Anchors the newest checkpoint, once there is one of so many entries.
    fn anchor(&self, entries: u64) -> String {
        let checkpoint = self.home.path().join("log/checkpoint");
        let began = std::time::Instant::now();
        loop {
            let text = std::fs::read_to_string(&checkpoint).unwrap_or_default();
            if text.lines().nth(1).and_then(|line| line.parse().ok()) >= Some(entries) {
                break;
            }
            assert!(began.elapsed().as_secs() < 20, "a checkpoint of {entries} entries");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let made = self.home.json(&self.words());
        assert_eq!(made["new"], true);
        made["anchor"].as_str().unwrap().to_owned()
    }

    fn verify<'a>(&'a self, anchor: &'a str) -> Vec<&'a str> {
        vec!["anchor", "evm", "verify", anchor, "--rpc", &self.rpc, "--confirmations", "1"]
    }
}

#[test]
fn a_log_that_grows_is_anchored_and_anybody_sees_since_when() {
    let chain = Chain::start();
    let entries = call(&chain.home, 2);
    let first = chain.anchor(entries);
    let again = chain.home.json(&chain.words());
    assert_eq!((again["new"].clone(), again["anchor"].clone()), (json!(false), json!(first)));
    let entries = call(&chain.home, 2);
    let second = chain.anchor(entries);
    assert_ne!(first, second);

    let words = [
        &chain.verify(&second)[..],
        &["--contract", &chain.contract, "--submitter", &chain.account],
    ]
    .concat();
    let said = chain.home.json(&words);
    assert_eq!(said["verified"], true);
    assert_eq!(
        (&said["contract_compared"], &said["submitter_compared"]),
        (&json!(true), &json!(true))
    );
    assert!(said["entries"].as_u64() >= Some(entries));
    // The one before stands too, in its own block, for somebody without this home.
    let other = Home::new();
    let beside = other.beside("anchor.evm.json");
    std::fs::copy(&first, &beside).unwrap();
    let checkpoint = first.replace(".evm.json", ".checkpoint");
    let words = [
        &chain.verify(beside.to_str().unwrap())[..1],
        &[
            "evm",
            "verify",
            beside.to_str().unwrap(),
            &checkpoint,
            "--rpc",
            &chain.rpc,
            "--confirmations",
            "2",
        ],
    ]
    .concat();
    let said = other.json(&words);
    assert_eq!((&said["verified"], &said["submitter_compared"]), (&json!(true), &json!(false)));
    assert!(said["confirmations"].as_u64() >= Some(2));
}

#[test]
fn what_the_chain_does_not_say_is_not_believed() {
    let chain = Chain::start();
    let entries = call(&chain.home, 1);
    let anchor = chain.anchor(entries);
    let code = |words: &[&str]| chain.home.refused(words).code;
    let early = [&chain.verify(&anchor)[..6], &["--confirmations", "50"]].concat();
    assert_eq!(chain.home.refused(&early).exit, 5, "not yet");
    let somebody = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let other = [&chain.verify(&anchor)[..], &["--submitter", somebody]].concat();
    assert_eq!(code(&other), "other_address");
    // Another root, in the file and in the checkpoint beside it.
    let forged = chain.home.beside("forged.evm.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&anchor).unwrap()).unwrap();
    let checkpoint = std::fs::read(anchor.replace(".evm.json", ".checkpoint")).unwrap();
    std::fs::write(chain.home.beside("forged.checkpoint"), &checkpoint).unwrap();
    record["root"] = json!("00".repeat(32));
    std::fs::write(&forged, record.to_string()).unwrap();
    assert_eq!(code(&chain.verify(forged.to_str().unwrap())), "other_checkpoint");
    // Something else at the contract's address.
    let elsewhere = ["anchor", "evm", "create", "--rpc", &chain.rpc, "--contract", somebody];
    call(&chain.home, 1);
    assert_eq!(code(&elsewhere), "contract");
    let pinned = chain.anvil.get("eth_getCode", json!([chain.contract, "latest"]));
    chain.anvil.get("anvil_setCode", json!([chain.contract, "0x6001"]));
    assert_eq!(code(&chain.verify(&anchor)), "anchor");
    chain.anvil.get("anvil_setCode", json!([chain.contract, pinned]));
    assert_eq!(chain.home.json(&chain.verify(&anchor))["verified"], true);
    // The chain goes another way, without the transaction.
    chain.anvil.get("anvil_reorg", json!([1, []]));
    assert_eq!(code(&chain.verify(&anchor)), "anchor");
    // Too dear.
    chain.anvil.get("anvil_setNextBlockBaseFeePerGas", json!(["0x174876e800"]));
    chain.anvil.get("evm_mine", json!([]));
    assert_eq!(code(&[&chain.words()[..], &["--max-fee", "2"]].concat()), "fee");
}

#[test]
fn a_run_that_broke_off_after_sending_is_finished_by_the_next() {
    let chain = Chain::start();
    let entries = call(&chain.home, 1);
    let anchor = chain.anchor(entries);
    let kept = std::fs::read(&anchor).unwrap();
    // As if it had been killed before it wrote.
    std::fs::remove_file(&anchor).unwrap();
    let again = chain.home.json(&chain.words());
    assert_eq!((&again["new"], &again["anchor"]), (&json!(true), &json!(anchor)));
    assert_eq!(std::fs::read(Path::new(&anchor)).unwrap(), kept, "the same transaction");
}

#[test]
fn what_a_chain_lost_is_anchored_again_and_one_checkpoint_has_one_contract() {
    let chain = Chain::start();
    let other = chain.home.json(&["anchor", "evm", "deploy", "--rpc", &chain.rpc])["contract"]
        .as_str()
        .unwrap()
        .to_owned();
    let entries = call(&chain.home, 1);
    let anchor = chain.anchor(entries);
    let kept = std::fs::read(&anchor).unwrap();
    let elsewhere = ["anchor", "evm", "create", "--rpc", &chain.rpc, "--contract", &other];
    assert_eq!(chain.home.refused(&elsewhere).code, "anchored_elsewhere");
    assert_eq!(std::fs::read(&anchor).unwrap(), kept, "nothing is lost");
    // The newest block goes, and the transaction with it.
    chain.anvil.get("anvil_reorg", json!([1, []]));
    assert_eq!(chain.home.refused(&chain.verify(&anchor)).code, "anchor");
    let again = chain.home.json(&chain.words());
    assert_eq!((&again["new"], &again["anchor"]), (&json!(true), &json!(anchor)));
    assert_eq!(chain.home.json(&chain.verify(&anchor))["verified"], true);
    assert_eq!(chain.home.json(&chain.words())["new"], false);
}
