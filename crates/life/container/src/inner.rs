//! The seal of the credentials under a passphrase, within the seal of their layer:
//! `salt (16) | u32 KiB | u32 passes | u32 lanes | envelope`.

use symbolon_ambient::Rng;
use symbolon_crypto::{AeadKey, Params, argon2id, labels};
use symbolon_secret::Secret;

use crate::error::ContainerError;

/// Seals the credentials of the container `id`. Takes as long as Argon2id is to take.
pub(crate) fn seal(
    id: &[u8; 16],
    passphrase: &Secret<[u8]>,
    credentials: &Secret<[u8]>,
    params: Params,
    rng: &dyn Rng,
) -> Result<Secret<[u8]>, ContainerError> {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    let key = key(id, passphrase, &salt, params)?;
    // EXPOSE: sealed from its page into an envelope.
    let envelope = key.seal(&labels::CONTAINER_CREDENTIALS, &[id], credentials.expose(), rng);
    let numbers = [params.memory_kib(), params.iterations(), params.lanes()].map(u32::to_be_bytes);
    let head = [&salt[..], &numbers.concat()].concat();
    Secret::<[u8]>::try_make_slice(head.len() + envelope.len(), |page| {
        page[..head.len()].copy_from_slice(&head);
        page[head.len()..].copy_from_slice(&envelope);
        Ok(page.len())
    })
}

/// Opens what [`seal`] sealed.
pub(crate) fn open(
    id: &[u8; 16],
    passphrase: &Secret<[u8]>,
    sealed: &Secret<[u8]>,
) -> Result<Secret<[u8]>, ContainerError> {
    let refused = || ContainerError::InnerSeal;
    // EXPOSE: salt, costs and ciphertext: nothing of it is secret.
    let bytes = sealed.expose();
    let (salt, rest) = bytes.split_first_chunk::<16>().ok_or_else(refused)?;
    let mut numbers = [0; 3];
    let mut rest = rest;
    for number in &mut numbers {
        let (word, behind) = rest.split_first_chunk::<4>().ok_or_else(refused)?;
        (*number, rest) = (u32::from_be_bytes(*word), behind);
    }
    let [memory, passes, lanes] = numbers;
    // A signer may not make this machine work for as long as he likes.
    let within = memory <= MEMORY_KIB_MAX && passes <= PASSES_MAX;
    let params = Params::new(memory, passes, lanes).ok().filter(|_| within).ok_or_else(refused)?;
    let key = key(id, passphrase, salt, params)?;
    key.open(&labels::CONTAINER_CREDENTIALS, &[id], rest).map_err(|_| refused())
}

fn key(
    id: &[u8; 16],
    passphrase: &Secret<[u8]>,
    salt: &[u8; 16],
    params: Params,
) -> Result<AeadKey, ContainerError> {
    let stretched = argon2id(passphrase, salt, params)?;
    Ok(AeadKey::derive(&stretched, salt, &labels::KEK_CONTAINER, id))
}

const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 8;
