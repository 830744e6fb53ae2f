//! Keys whose containers are opened.

use serde_json::{Value, json};
use symbolon_broker::SignerView;
use symbolon_container::ContainerError;
use symbolon_crypto::VerifyingKey;
use symbolon_server::control::Op;

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::link::Link;
use crate::out;

pub(super) fn trust(ctx: &Ctx, key: &str, name: &str) -> Result<(), Failure> {
    let op = Op::TrustSigner { key: key.to_owned(), name: name.to_owned() };
    let made: SignerView = ctx.broker()?.ask(&op)?;
    if ctx.json {
        return out::json(&made);
    }
    out::say(&format!("containers signed by {} are {}'s, and are opened", made.key, made.name));
    out::say_next("symbolon container open FILE");
    Ok(())
}

pub(super) fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<SignerView> = ctx.broker()?.ask(&Op::TrustedSigners {})?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("You trust no signer but yourself.");
        out::say_next("symbolon container trust SIGNER --name NAME");
        return Ok(());
    }
    let row = |it: SignerView| vec![it.name, it.key, it.created];
    out::table(&["NAME", "SIGNER", "SINCE"], &all.into_iter().map(row).collect::<Vec<_>>())
}

pub(super) fn distrust(ctx: &Ctx, key: &str) -> Result<(), Failure> {
    let _: Value = ctx.broker()?.ask(&Op::DistrustSigner { key: key.to_owned() })?;
    if ctx.json {
        return out::json(&json!({ "untrusted": key }));
    }
    out::say("its containers are no longer opened; what was opened stays");
    Ok(())
}

/// Which keys count as known: the one that was named, or this home's own and the pinned ones.
pub(in crate::commands) fn known(
    broker: &mut Link,
    named: Option<&str>,
) -> Result<Vec<VerifyingKey>, Failure> {
    if let Some(key) = named {
        return Ok(vec![parse(key)?]);
    }
    let pinned: Vec<SignerView> = broker.ask(&Op::TrustedSigners {})?;
    let own = super::keys(broker)?.signer;
    std::iter::once(&own).chain(pinned.iter().map(|it| &it.key)).map(|key| parse(key)).collect()
}

pub(in crate::commands) fn parse(key: &str) -> Result<VerifyingKey, Failure> {
    VerifyingKey::from_hex(key).map_err(|e| {
        Failure::usage(format!("{key} is no signer's key: {e}"))
            .next("symbolon container key   (there)")
    })
}

/// A refusal of a container, with what can be done.
pub(in crate::commands) fn refused(file: &std::path::Path, error: &ContainerError) -> Failure {
    let file = file.display();
    let (code, next) = match error {
        ContainerError::Framing { .. } => ("container_framing", "ask for it again".to_owned()),
        ContainerError::Version { .. } => ("container_version", "symbolon --version".to_owned()),
        ContainerError::Signature => ("container_signature", "ask for it again".to_owned()),
        ContainerError::Signer { signer } => (
            "container_signer",
            format!(
                "compare with what its sender says, then: symbolon container trust {} --name NAME",
                symbolon_codec::hex::encode(signer.as_bytes())
            ),
        ),
        ContainerError::Recipient | ContainerError::NotGiven(_) => (
            "container_recipient",
            "symbolon container key   (and send it to the maker)".to_owned(),
        ),
        ContainerError::LayerKey(_) => ("container_layer_key", "ask for it again".to_owned()),
        ContainerError::LayerDigest(_) => ("container_layer_digest", "ask for it again".to_owned()),
        ContainerError::Layer(_) => ("container_layer", "ask for it again".to_owned()),
        ContainerError::InnerSeal => {
            ("container_passphrase", "the same command with the passphrase of its maker".to_owned())
        }
        _ => ("container", "symbolon container --help".to_owned()),
    };
    Failure::refused(code, format!("{file}: {error}")).next(next)
}
