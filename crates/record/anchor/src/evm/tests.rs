//! Bytes as the chain has them, and each check of an anchor broken alone.

use serde_json::{Value, json};
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::ethereum::{Address, EthereumKey, keccak256, recover};
use symbolon_crypto::sha256;
use symbolon_secret::Secret;

use super::answer::Event;
use super::*;

fn digest(text: &str) -> Digest32 {
    Digest32(hex::decode(text).unwrap().try_into().unwrap())
}

fn address(text: &str) -> Address {
    let bytes: [u8; 20] = hex::decode(text).unwrap().try_into().unwrap();
    bytes.into()
}

/// A transaction of Ethereum's main chain, by its hash and its sender.
#[test]
fn a_transaction_is_the_one_that_others_make() {
    let made = Transaction {
        chain: 1,
        nonce: 0x42,
        priority_fee: 0x3b9a_ca00,
        max_fee: 0x4_a817_c800,
        gas: 44_386,
        to: Some(address("6069a6c32cf691f5982febae4faf8a6f3ab2f0f6")),
        input: hex::decode(
            "a22cb4650000000000000000000000005eee75727d804a2b13038928d36f8b188945a57a0000000000000000000000000000000000000000000000000000000000000000",
        )
        .unwrap(),
    };
    let signature: [u8; 65] = hex::decode(
        "840cfc572845f5786e702984c2a582528cad4b49b2a10b9db1be7fca9005856525e7109ceb98168d95b09b18bbf6b685130e0562f233877d492b94eee0c5b6d100",
    )
    .unwrap()
    .try_into()
    .unwrap();
    let sender = address("dd6b8b3dc6b7ad97db52f08a275ff4483e024cea");
    assert_eq!(recover(&made.digest(), &signature), Ok(sender));
    let signed = made.with(&signature);
    let hash = digest("0ec0b6a2df4d87424e5f6ad2a654e27aaeb7dac20ae9e8385cc09087ad532ee0");
    assert_eq!(Transaction::hash(&signed), hash);

    let key = Secret::<[u8; 32]>::make(|bytes| bytes.fill(7));
    let key = EthereumKey::from_secret(&key).unwrap();
    let own = Transaction { to: None, ..made.clone() };
    assert_eq!(own.sign(&key), own.sign(&key));
    assert_ne!(own.sign(&key), made.sign(&key));
    assert_ne!(own.digest(), Transaction { chain: 2, ..own.clone() }.digest());
}

#[test]
fn the_contracts_interface_is_the_sources() {
    assert_eq!(
        sha256(&creation()).to_string(),
        "e0773d3fd98200955f7f38b087b448c296c1a98d822774a86e2c77f3f5d3977c"
    );
    assert_eq!(
        sha256(&runtime()).to_string(),
        "8b370e95e2000a5dee332d3059048c53f9ec50a5731dfd31bc7f1467c7256730"
    );
    let it = anchored();
    let call = it.call();
    assert_eq!(hex::encode(&call[..4]), "7f00e393");
    assert_eq!(call.len(), 4 + 4 * 32);
    assert_eq!(call[4..36], it.origin.0);
    assert_eq!(call[60..68], 9_u64.to_be_bytes());
    let ask = it.latest_call(&submitter());
    assert_eq!((hex::encode(&ask[..4]).as_str(), ask.len()), ("68205bc3", 4 + 2 * 32));
    let event = keccak256(&[b"Anchored(address,bytes32,uint64,bytes32,bytes32)"]);
    assert_eq!(it.topics(&submitter())[0], event);

    let words = |size: u64, block: u64| {
        let word = |n: u64| [[0; 24].as_slice(), &n.to_be_bytes()].concat();
        [word(size), word(block), it.root.0.to_vec(), it.digest.0.to_vec()].concat()
    };
    let latest = Latest { size: 9, block: 3, digest: it.digest };
    assert_eq!(Latest::read(&words(9, 3)), Some(latest));
    assert_eq!(Latest::read(&words(9, 3)[..127]), None);
    let mut wide = words(9, 3);
    wide[0] = 1;
    assert_eq!(Latest::read(&wide), None, "no number of 64 bits");
}

fn submitter() -> Address {
    [5; 20].into()
}

fn anchored() -> Anchored {
    Anchored::of("log.example", 9, Digest32([8; 32]), b"the checkpoint")
}

fn record() -> AnchorRecord {
    AnchorRecord {
        chain: 31_337,
        contract: [6; 20].into(),
        submitter: submitter(),
        anchored: anchored(),
        transaction: Digest32([1; 32]),
    }
}

fn seen() -> Seen {
    let record = record();
    let event = Event {
        address: record.contract,
        topics: record.anchored.topics(&record.submitter).to_vec(),
        data: record.anchored.data().to_vec(),
    };
    let receipt = Receipt {
        transaction: record.transaction,
        is_good: true,
        block: 100,
        block_hash: Digest32([2; 32]),
        made: None,
        events: vec![event],
    };
    let block = Block { number: 100, hash: Digest32([2; 32]), time_unix_seconds: 1_790_000_000 };
    Seen { chain: 31_337, code: runtime(), receipt: Some(receipt), block: Some(block), head: 111 }
}

#[test]
fn an_anchor_is_believed_where_the_chain_says_the_same() {
    let (record, seen) = (record(), seen());
    assert_eq!(record.check(&seen, 12).map(|block| block.number), Ok(100));
    assert_eq!(AnchorRecord::parse(&record.to_json()), Ok(record.clone()));
    assert_eq!(record.is_of(&anchored()), Ok(()));
    let other = Anchored::of("log.example", 9, Digest32([8; 32]), b"another checkpoint");
    assert_eq!(record.is_of(&other), Err(RecordError::Checkpoint));
}

#[test]
fn each_check_of_an_anchor_is_broken_alone() {
    let refused = |change: &dyn Fn(&mut Seen)| {
        let mut it = seen();
        change(&mut it);
        record().check(&it, 12).unwrap_err()
    };
    assert_eq!(refused(&|it| it.chain = 1), RecordError::Chain { expected: 31_337, found: 1 });
    assert_eq!(refused(&|it| it.code[9] ^= 1), RecordError::Code([6; 20].into()));
    assert_eq!(refused(&|it| it.code.clear()), RecordError::Code([6; 20].into()));
    assert_eq!(refused(&|it| it.receipt = None), RecordError::Gone);
    assert_eq!(refused(&|it| it.block = None), RecordError::Reorganised(100));
    assert_eq!(refused(&|it| it.head = 110), RecordError::Confirmations { needed: 12, found: 11 });
    let mut far = seen();
    far.head = u64::MAX;
    assert!(record().check(&far, 12).is_ok(), "a server may say any number");
    assert_eq!(refused(&|it| it.head = 0), RecordError::Confirmations { needed: 12, found: 0 });
    let receipt =
        |change: &dyn Fn(&mut Receipt)| refused(&|it| change(it.receipt.as_mut().unwrap()));
    assert_eq!(receipt(&|it| it.is_good = false), RecordError::Transaction);
    assert_eq!(receipt(&|it| it.transaction.0[0] ^= 1), RecordError::Transaction);
    assert_eq!(receipt(&|it| it.events.clear()), RecordError::Transaction);
    assert_eq!(receipt(&|it| it.events[0].address = [7; 20].into()), RecordError::Transaction);
    for topic in 0..4 {
        assert_eq!(receipt(&|it| it.events[0].topics[topic].0[31] ^= 1), RecordError::Transaction);
    }
    assert_eq!(receipt(&|it| it.events[0].data[63] ^= 1), RecordError::Transaction);
    assert_eq!(receipt(&|it| it.block_hash.0[0] ^= 1), RecordError::Reorganised(100));
    assert_eq!(receipt(&|it| it.block = 99), RecordError::Reorganised(99));
}

fn answered(value: &Value) -> Result<Value, AnswerError> {
    answer(value.to_string().as_bytes(), 4)
}

#[test]
fn a_server_is_read_within_bounds() {
    let good = json!({ "jsonrpc": "2.0", "id": 4, "result": "0x1" });
    assert_eq!(answered(&good), Ok(json!("0x1")));
    for wrong in [
        json!({ "jsonrpc": "2.0", "id": 5, "result": "0x1" }),
        json!({ "jsonrpc": "1.0", "id": 4, "result": "0x1" }),
        json!({ "jsonrpc": "2.0", "id": 4 }),
        json!([good]),
    ] {
        assert_eq!(answered(&wrong), Err(AnswerError::Form), "{wrong}");
    }
    assert_eq!(answer(&vec![b' '; 300_000], 4), Err(AnswerError::Form));
    let own = json!({ "code": 3, "message": "execution reverted", "data": format!("0x92800ee4{:064x}{:064x}", 9, 8) });
    let own = answered(&json!({ "jsonrpc": "2.0", "id": 4, "error": own }));
    assert_eq!(own, Err(RpcError::NotLarger { anchored: 9, offered: 8 }.into()));
    let loud = json!({ "code": 1, "message": format!("no\u{1b}[31m{}", "x".repeat(1000)) });
    let loud = answered(&json!({ "jsonrpc": "2.0", "id": 4, "error": loud })).unwrap_err();
    let loud = loud.to_string();
    assert!(!loud.contains('\u{1b}') && loud.chars().count() < 350, "{loud}");

    for (text, number) in [("0x0", 0), ("0x41", 65), ("0xffffffffffffffff", u64::MAX)] {
        assert_eq!(quantity(&json!(text), "n"), Ok(number));
    }
    for wrong in [
        json!("0x"),
        json!("0x00"),
        json!("0x01"),
        json!("1"),
        json!(1),
        json!("0x+1"),
        json!("0x10000000000000000"),
    ] {
        assert_eq!(quantity(&wrong, "n"), Err(AnswerError::Field("n")), "{wrong}");
    }
    assert_eq!(Receipt::read(&Value::Null), Ok(None));
    assert_eq!(Block::read(&Value::Null), Ok(None));
}
