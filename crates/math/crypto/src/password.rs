//! Argon2id (RFC 9106): secrets that a person can remember, made expensive to guess.

use argon2::{Algorithm, Argon2, Block, Version};
use serde::{Deserialize, Serialize};
use symbolon_secret::{MemoryError, Secret, on_stack};
use zeroize::Zeroize;

/// What one guess costs. A value read from storage is checked against the bounds, so a changed
/// file can neither make guessing cheap nor take all of the machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Params {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

/// The bounds, both ends included.
impl Params {
    /// 8 MiB.
    pub const MEMORY_KIB_MIN: u32 = 8 * 1024;
    /// 1 GiB.
    pub const MEMORY_KIB_MAX: u32 = 1024 * 1024;
    /// Passes over the memory.
    pub const ITERATIONS_MAX: u32 = 16;
    /// Lanes; they are filled one after the other here.
    pub const LANES_MAX: u32 = 4;

    /// RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes.
    pub(crate) const RFC_9106_SECOND: Self =
        Self { memory_kib: 64 * 1024, iterations: 3, lanes: 4 };

    /// Memory in KiB, passes, lanes.
    ///
    /// # Errors
    /// [`PasswordError::Params`] outside the bounds.
    pub fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Self, PasswordError> {
        let within = (Self::MEMORY_KIB_MIN..=Self::MEMORY_KIB_MAX).contains(&memory_kib)
            && (1..=Self::ITERATIONS_MAX).contains(&iterations)
            && (1..=Self::LANES_MAX).contains(&lanes);
        if within {
            Ok(Self { memory_kib, iterations, lanes })
        } else {
            Err(PasswordError::Params { memory_kib, iterations, lanes })
        }
    }

    /// Memory in KiB.
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Lanes.
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }
}

/// 64 MiB, 3 passes, 1 lane (RFC 9106's second choice has 4 lanes; ours run one after another).
impl Default for Params {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, iterations: 3, lanes: 1 }
    }
}

/// Why no key came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The cost is outside the bounds.
    #[error(
        "Argon2id with {memory_kib} KiB, {iterations} iterations, {lanes} lanes is outside \
         8192..=1048576 KiB, 1..=16, 1..=4"
    )]
    Params {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes.
        iterations: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The machine has too little memory at this moment.
    #[error("{memory_kib} KiB of memory for Argon2id are not available")]
    Memory {
        /// What was asked for.
        memory_kib: u32,
    },
    /// Longer than Argon2 takes (2^32 bytes).
    #[error("the passphrase is too long")]
    TooLong,
    /// No secret page was left for the key.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for PasswordError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// 32 bytes from a passphrase. Takes as long as `params` say (about 0.1 s by default).
///
/// The blocks are in ordinary memory, which secret pages are too few for, and are wiped before
/// this returns; the hash of the passphrase that they start from is on the secret stack.
///
/// # Errors
/// [`PasswordError::Memory`], or [`PasswordError::TooLong`].
pub fn argon2id(
    passphrase: &Secret<[u8]>,
    salt: &[u8; 16],
    params: Params,
) -> Result<Secret<[u8; 32]>, PasswordError> {
    argon2id_salted(passphrase, salt, params)
}

/// As [`argon2id`], with the salt of somebody else's format: 8 bytes or more.
///
/// # Errors
/// As [`argon2id`].
pub fn argon2id_salted(
    passphrase: &Secret<[u8]>,
    salt: &[u8],
    params: Params,
) -> Result<Secret<[u8; 32]>, PasswordError> {
    Secret::<[u8; 32]>::try_make(|out| {
        // EXPOSE: Argon2id reads the passphrase, on the secret stack.
        argon2id_into(passphrase.expose(), salt, params, out)
    })
}

/// As [`argon2id_salted`], from a page to a page: 4 bytes or more.
pub(crate) fn argon2id_into(
    input: &[u8],
    salt: &[u8],
    params: Params,
    out: &mut [u8],
) -> Result<(), PasswordError> {
    let Params { memory_kib, iterations, lanes } = params;
    let cost = argon2::Params::new(memory_kib, iterations, lanes, Some(out.len()))
        .map_err(|_| PasswordError::Params { memory_kib, iterations, lanes })?;
    let mut blocks = Blocks::make(cost.block_count(), memory_kib)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
    on_stack(|| argon2.hash_password_into_with_memory(input, salt, out, &mut blocks.0[..]))
        .map_err(|_| PasswordError::TooLong)
}

/// Argon2's memory, wiped however it ends.
struct Blocks(Vec<Block>);

impl Blocks {
    fn make(count: usize, memory_kib: u32) -> Result<Self, PasswordError> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).map_err(|_| PasswordError::Memory { memory_kib })?;
        blocks.resize(count, Block::new());
        Ok(Self(blocks))
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        for block in &mut self.0 {
            block.as_mut().zeroize();
        }
    }
}

/// The numbers as stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl TryFrom<Unchecked> for Params {
    type Error = PasswordError;
    fn try_from(u: Unchecked) -> Result<Self, PasswordError> {
        Self::new(u.memory_kib, u.iterations, u.lanes)
    }
}

impl From<Params> for Unchecked {
    fn from(p: Params) -> Self {
        Self { memory_kib: p.memory_kib, iterations: p.iterations, lanes: p.lanes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(passphrase: &[u8], salt: u8, params: Params) -> String {
        let p = Secret::<[u8]>::make_slice(passphrase.len(), |b| b.copy_from_slice(passphrase));
        let key = argon2id(&p, &[salt; 16], params).unwrap();
        // EXPOSE: a test compares.
        symbolon_codec::hex::encode(key.expose())
    }

    /// Made with another implementation (OpenSSL through Python `cryptography` 48).
    #[test]
    fn agrees_with_openssl() {
        let p = Params::new(8192, 1, 1).unwrap();
        assert_eq!(
            derive(b"correct horse", 1, p),
            "456e931f4e45aa5510d2316da76cc27ae01354236ee427fc283064a05bf4e9a8"
        );
        let p = Params::new(9216, 2, 4).unwrap();
        assert_eq!(
            derive(b"", 2, p),
            "73d2eb9665c9e32546f5792c45ab0bf6da44b346655814672bbb6175819cc93e"
        );
    }

    #[test]
    fn bounds_hold_when_made_and_when_read() {
        for (m, t, p) in [
            (8191, 1, 1),
            (1_048_577, 1, 1),
            (8192, 0, 1),
            (8192, 17, 1),
            (8192, 1, 0),
            (8192, 1, 5),
        ] {
            assert!(
                matches!(Params::new(m, t, p), Err(PasswordError::Params { .. })),
                "{m} {t} {p}"
            );
            let stored = format!(r#"{{"memory_kib":{m},"iterations":{t},"lanes":{p}}}"#);
            assert!(serde_json::from_str::<Params>(&stored).is_err(), "{stored}");
        }
        let stored = serde_json::to_string(&Params::default()).unwrap();
        assert_eq!(stored, r#"{"memory_kib":65536,"iterations":3,"lanes":1}"#);
        assert_eq!(serde_json::from_str::<Params>(&stored).unwrap(), Params::default());
    }
}
