//! Containers and deeds, `.0nv`: layers under a passphrase, a seal and a signature by a key made for
//! the file.

use symbolon_codec::Digest32;
use symbolon_crypto::{
    Params, VerifyingKey, argon2id_salted, foreign_gcm_open, pbkdf2_sha512, sha3_256,
};
use symbolon_secret::Secret;

use super::sealed::ROUNDS;
use super::{About, connection, workflow};
use crate::foreign::environment::{self, Variable};
use crate::foreign::error::ForeignError;
use crate::foreign::findings::{Findings, Severity};
use crate::foreign::json;
use crate::foreign::page::Value;

/// What a container shows without its passphrase.
#[derive(Debug)]
pub struct LegacyContainer<'b> {
    /// The id of this transfer, a UUID.
    pub transfer: String,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// The key that signed, made for this file.
    pub signer: [u8; 32],
    /// Names of its layers, in order.
    pub names: Vec<String>,
    layers: Vec<Layer<'b>>,
}

#[derive(Debug)]
struct Layer<'b> {
    name: String,
    salt: &'b [u8],
    nonce: &'b [u8],
    tag: &'b [u8; 16],
    argon_salt: Option<&'b [u8]>,
    sealed: &'b [u8],
}

/// Reads a container as far as it goes without its passphrase: signature, seal, no escrow.
///
/// # Errors
/// [`ForeignError::Bytes`], [`ForeignError::Signature`], [`ForeignError::Escrow`].
pub fn inspect(bytes: &[u8]) -> Result<LegacyContainer<'_>, ForeignError> {
    let mut reader = Reader { bytes, at: 0 };
    if reader.take(4, "the first four bytes")? != MAGIC {
        return Err(ForeignError::Bytes { at: 0, what: "this is no .0nv container" });
    }
    if reader.take(1, "the version")? != [1] {
        return Err(ForeignError::Bytes { at: 4, what: "a version that is not known" });
    }
    let transfer = reader.take(36, "the transfer's id")?;
    let is_uuid = |b: &u8| b.is_ascii_hexdigit() || *b == b'-';
    if !transfer.iter().all(is_uuid) {
        return Err(ForeignError::Bytes { at: 5, what: "the transfer's id is no UUID" });
    }
    let signer: &[u8; 32] = reader.array("the signer's key")?;
    let created = reader.array::<8>("the time")?;
    let seal = reader.array::<32>("the seal")?;
    let count = reader.take(1, "the number of layers")?[0];
    if count > LAYERS_MAX {
        return Err(reader.wrong("more layers than there are kinds"));
    }
    let mut layers: Vec<Layer<'_>> = Vec::new();
    for _ in 0..count {
        let layer = layer(&mut reader)?;
        if layers.iter().any(|own| own.name == layer.name) {
            return Err(reader.wrong("a layer stands twice"));
        }
        layers.push(layer);
    }
    let escrow = u32::from_be_bytes(*reader.array::<4>("the length of the escrow block")?);
    reader.take(escrow as usize, "the escrow block")?;
    let signed = reader.at;
    let signature: &[u8; 64] = reader.array("the signature")?;
    if reader.at != bytes.len() {
        return Err(reader.wrong("something stands behind the signature"));
    }
    let key = VerifyingKey::from_bytes(signer).map_err(|_| ForeignError::Signature)?;
    key.verify(&bytes[..signed], signature).map_err(|_| ForeignError::Signature)?;
    let contents: Vec<&[u8]> = layers.iter().map(|layer| layer.sealed).collect();
    let contents = sha3_256(&contents);
    let own = sha3_256(&[transfer, created, signer, contents.as_bytes()]);
    if own != Digest32(*seal) {
        return Err(ForeignError::Bytes { at: 81, what: "the seal is not that of these layers" });
    }
    if escrow > 0 {
        return Err(ForeignError::Escrow);
    }
    Ok(LegacyContainer {
        transfer: String::from_utf8_lossy(transfer).into_owned(),
        created_unix_ms: u64::from_be_bytes(*created),
        signer: *signer,
        names: layers.iter().map(|layer| layer.name.clone()).collect(),
        layers,
    })
}

fn layer<'b>(reader: &mut Reader<'b>) -> Result<Layer<'b>, ForeignError> {
    let len = u16::from_be_bytes(*reader.array::<2>("a layer's name")?);
    let name = reader.take(usize::from(len), "a layer's name")?;
    let known = NAMES.iter().find(|own| own.as_bytes() == name);
    let name = known.ok_or_else(|| reader.wrong("a layer of no known name"))?;
    let flags = reader.take(1, "a layer's flags")?[0];
    if flags > 1 {
        return Err(reader.wrong("flags that are not known"));
    }
    let salt = reader.take(32, "a layer's salt")?;
    let nonce = reader.take(12, "a layer's nonce")?;
    let tag = reader.array::<16>("a layer's tag")?;
    let argon_salt = match flags {
        1 => Some(reader.take(32, "the salt of the inner seal")?),
        _ => None,
    };
    let len = u32::from_be_bytes(*reader.array::<4>("a layer's length")?);
    let sealed = reader.take(len as usize, "a layer")?;
    Ok(Layer { name: (*name).to_owned(), salt, nonce, tag, argon_salt, sealed })
}

pub(super) fn read(
    bytes: &[u8],
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let container = inspect(bytes)?;
    found.risk(
        Severity::Medium,
        "fresh_signer",
        about.name,
        "it is signed by a key that was made for it and is named in it: the signature shows nobody",
        "compare the transfer's id with its sender by another way",
    );
    found.risk(
        Severity::Medium,
        "weak_derivation",
        about.name,
        "its layers are under PBKDF2-SHA512 with 100,000 rounds, and nothing takes memory: a guess is cheap",
        "make new credentials at their services, then delete the file",
    );
    let passphrase = about.passphrase.ok_or(ForeignError::Sealed)?;
    for layer in &container.layers {
        let plain = open(layer, passphrase)?;
        // EXPOSE: parsed where it lies.
        contents(&layer.name, plain.expose(), about, found)?;
    }
    Ok(())
}

fn open(layer: &Layer<'_>, passphrase: &Secret<[u8]>) -> Result<Secret<[u8]>, ForeignError> {
    let key = pbkdf2_sha512(passphrase, layer.salt, ROUNDS)?;
    let outer = foreign_gcm_open(&key, layer.nonce, layer.tag, layer.sealed)?;
    let Some(salt) = layer.argon_salt else { return Ok(outer) };
    let key = argon2id_salted(passphrase, salt, Params::new(65_536, 4, 2)?)?;
    let short = ForeignError::Format("the inner seal of the credentials is cut short");
    // EXPOSE: ciphertext of the inner seal.
    let inner = outer.expose();
    let Some((nonce, rest)) = inner.split_first_chunk::<12>() else { return Err(short) };
    let Some((tag, sealed)) = rest.split_first_chunk::<16>() else { return Err(short) };
    Ok(foreign_gcm_open(&key, nonce, tag, sealed)?)
}

/// One opened layer, in JSON.
fn contents(
    layer: &str,
    plain: &[u8],
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let root = json::read(plain)?;
    let at = format!("{}, {layer}", about.name);
    let within = About { name: &at, ..*about };
    match layer {
        "credentials" => {
            for (service, fields) in root.members() {
                connection::record(service, &Value::Null, fields, &within, found)?;
            }
        }
        "env_vars" => {
            let one = |(name, value): (&str, _)| Variable {
                from: at.clone(),
                name: name.to_owned(),
                value,
            };
            let variables: Vec<_> = root.texts().map(one).collect();
            environment::convert(&variables, about.catalog, found)?;
        }
        "workflows" => workflow::take(plain, &within, found)?,
        "audit_trail" => {
            if let Some(deed) = root.get("deed") {
                let moves = deed.get("transfer_history").map_or(0, |h| h.items().len());
                let why = format!(
                    "a deed that names {moves} owners before; its history is not signed, so it is shown and not kept"
                );
                found.leave(at.as_str(), why);
            }
        }
        _ => found.leave(at.as_str(), "it holds nothing that is used here"),
    }
    Ok(())
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn wrong(&self, what: &'static str) -> ForeignError {
        ForeignError::Bytes { at: self.at, what }
    }

    fn take(&mut self, len: usize, what: &'static str) -> Result<&'b [u8], ForeignError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(ForeignError::Bytes { at: self.at, what })?;
        self.at += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<&'b [u8; N], ForeignError> {
        let at = self.at;
        self.take(N, what)?.try_into().map_err(|_| ForeignError::Bytes { at, what })
    }
}

pub(super) const MAGIC: &[u8] = b"0NSP";

const LAYERS_MAX: u8 = 7;

const NAMES: [&str; 7] = [
    "workflows",
    "credentials",
    "env_vars",
    "mcp_configs",
    "site_profiles",
    "ai_brain",
    "audit_trail",
];
