//! The first byte chooses: an anchor's file, a server's answer, a receipt or a block in one, or what a contract answers.

use symbolon_anchor::evm::{AnchorRecord, Block, Latest, Receipt, Seen, answer, quantity, runtime};

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 4 {
        0 => record(rest),
        1 => drop(Latest::read(rest)),
        _ => server(rest),
    }
}

fn record(bytes: &[u8]) {
    let Ok(read) = AnchorRecord::parse(bytes) else { return };
    assert_eq!(AnchorRecord::parse(&read.to_json()).as_ref(), Ok(&read));
    let chain = read.chain;
    let nothing = Seen { chain, code: runtime(), receipt: None, block: None, head: u64::MAX - 1 };
    assert!(read.check(&nothing, 1).is_err(), "a chain without it shows nothing");
}

/// What a server says of a transaction that nobody sent is believed of no anchor but one that says the same.
fn server(bytes: &[u8]) {
    let Ok(result) = answer(bytes, 1) else { return };
    let _ = quantity(&result, "result");
    let block = Block::read(&result).ok().flatten();
    let Ok(receipt) = Receipt::read(&result) else { return };
    let chain = OURS.0.chain;
    let seen = Seen { chain, code: runtime(), receipt, block, head: u64::MAX - 1 };
    assert!(OURS.0.check(&seen, 1).is_err(), "no block stands beside a receipt in one answer");
}

struct Ours(AnchorRecord);

static OURS: std::sync::LazyLock<Ours> = std::sync::LazyLock::new(|| {
    let bytes = include_bytes!("../../corpus/evm/record_ours");
    Ours(AnchorRecord::parse(&bytes[1..]).expect("an anchor of our own"))
});
