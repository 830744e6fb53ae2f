//! Sending a transaction, for no more than its owner allows.

use std::time::Duration;

use symbolon_anchor::evm::{FeeLimit, Receipt, Transaction};
use symbolon_crypto::ethereum::{Address, EthereumKey};

use super::rpc::{Rpc, shown};
use crate::failure::Failure;
use crate::out;

/// What a transaction may cost, and how long it is waited for.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Terms {
    /// The most that is paid for a unit of gas, in gwei
    #[arg(long, value_name = "GWEI", default_value = "100", value_parser = gwei)]
    max_fee: FeeLimit,
    /// How long a block is waited for: 10s to 1h
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = patience)]
    wait: Duration,
}

/// Sends a transaction and waits for the block that has it.
pub async fn send(
    rpc: &Rpc,
    key: &EthereumKey,
    to: Option<Address>,
    input: Vec<u8>,
    terms: Terms,
) -> Result<Receipt, Failure> {
    let from = key.address();
    let gas = rpc.gas(&from, to.as_ref(), &input).await?;
    if gas > GAS_MAX {
        let what = format!(
            "the server says that it takes {gas} units of gas; {GAS_MAX} are more than enough"
        );
        return Err(Failure::refused("gas", what).next("the same command with another --rpc URL"));
    }
    let (priority_fee, max_fee) = rpc.fees().await?;
    if max_fee > terms.max_fee.0 {
        let what = format!("a unit of gas costs up to {} gwei now", max_fee.div_ceil(GWEI));
        return Err(Failure::environment("fee", what)
            .next("the same command later, or with a larger --max-fee GWEI"));
    }
    let transaction = Transaction {
        chain: rpc.chain().await?,
        nonce: rpc.nonce(&from).await?,
        priority_fee,
        max_fee,
        // Storage that others touched meanwhile costs another amount.
        gas: gas + gas / 4,
        to,
        input,
    };
    let signed = transaction.sign(key);
    let name = Transaction::hash(&signed);
    rpc.send(&signed).await?;
    out::say(&format!("Sent as {}; waiting for a block.", shown(&name.0)));
    let receipt = rpc.mined(&name, terms.wait).await?;
    if !receipt.is_good || receipt.transaction != name {
        let what = format!("the transaction {} failed in block {}", shown(&name.0), receipt.block);
        return Err(Failure::refused("transaction", what)
            .next("the same command, which says why before it sends"));
    }
    Ok(receipt)
}

fn gwei(text: &str) -> Result<FeeLimit, String> {
    match text.parse::<u32>() {
        Ok(gwei @ 1..=100_000) => Ok(FeeLimit(u128::from(gwei) * GWEI)),
        _ => Err("1 to 100000 gwei".to_owned()),
    }
}

fn patience(text: &str) -> Result<Duration, String> {
    let seconds =
        symbolon_codec::parse_duration_seconds(text).map_err(|error| error.to_string())?;
    match seconds {
        10..=3600 => Ok(Duration::from_secs(seconds)),
        _ => Err("from 10s to 1h".to_owned()),
    }
}

const GWEI: u128 = 1_000_000_000;
/// Making the contract takes some 230,000, an anchor 120,000 at most.
const GAS_MAX: u64 = 2_000_000;
