//! What is known of each statement's keys beforehand.

use crate::group::hex32;
use crate::statements::Statement;

/// A verifying key and the hashes of both keys.
#[derive(Debug, Clone, Copy)]
pub struct Pins {
    /// Name and version of the statement, such as `age/1`.
    pub statement: &'static str,
    /// The verifying key's file: the library's bytes, then the representative of key and constraint
    /// system that goes into each transcript, 32 bytes.
    pub(crate) verifying: &'static [u8],
    /// SHA-256 of that file.
    pub verifying_sha256: [u8; 32],
    /// SHA-256 of the stored proving key.
    pub proving_sha256: [u8; 32],
    /// Bytes of each proof.
    pub proof_bytes: usize,
}

impl Pins {
    /// The verifying key's file, as its hashes are over it.
    pub const fn file(&self) -> &'static [u8] {
        self.verifying
    }
}

/// The pins of a statement.
pub(crate) fn pins<S: Statement>() -> &'static Pins {
    S::PINS
}

macro_rules! table {
    ($($name:ident = $statement:literal $file:literal $verifying:literal $proving:literal $bytes:literal;)*) => {
        $(pub(crate) const $name: Pins = Pins {
            statement: $statement,
            verifying: include_bytes!(concat!("../../keys/", $file)),
            verifying_sha256: hex32($verifying),
            proving_sha256: hex32($proving),
            proof_bytes: $bytes,
        };)*
    };
}

// Written by `cargo run --release -p symbolon-circuits --example pin`.
table! {
    AGE = "age/1" "age.1.vk"
        "0186eb5792db9dc040577d99fc25a441c01573b122bdc32e2b2d43b16502c902"
        "b64441fdd6407ac9b02f10f2c88e968680c0c916327fd9e38eefa3928d50fe20" 2912;
    VALIDITY = "validity/1" "validity.1.vk"
        "5479082d0c07eb35eb9e8c220c941275163a45e026c60f0f36a16f41d3319dfb"
        "1b26406eea03cee57bf1f0d303d97967140a805ef1dd0cb5f47d30fc929f1e80" 2912;
    NATIONALITY = "nationality/1" "nationality.1.vk"
        "101a8a8f3b8c3caccca938f8ce39bafb67aff628f47a992dbf04dbc750a59f99"
        "17d5bbc2c0848d0bd43a5a8723fb012ca69858a46d0642b956d4cc8f902f058b" 2912;
    BINDING = "binding/1" "binding.1.vk"
        "146465a114199aac3aa75f2413016142bc312609763a61c0379f00d70df0bdb9"
        "c951ca9f1d2fc6eae4180b019075f758ef981ea0f16ef6bacbe058c58ac4c572" 2912;
    KEY = "key/1" "key.1.vk"
        "0a0cf982d715040ceaa1777c94af572bfac550ddd54e780e7401b6e0023411db"
        "5816165144a0f3fafd78cc5550a1c375b1594fbbeb472fdafdc607cdd6ec97b5" 2912;
    CLAIM = "claim/1" "claim.1.vk"
        "bf6738a34e6f7784197ad99208bfdd38790ea8d6d72d82b07941152d4a628476"
        "e029229065de28684464836424c1ad121e462d0bf6bc0f9fd3d52365b1421300" 2912;
    RETURNING = "returning/1" "returning.1.vk"
        "73e58e57aed74d4908cd9b20f4ebaeebd7b2424368f9d636e04f3cbebbe3088c"
        "ab1ff9d663e6bc70a204a06fa92e0fa21629a7af839620bde91bb008161c60b0" 2912;
    IDENTITY = "identity/1" "identity.1.vk"
        "112e193c47f0ed702828072efcd6f76e6910a865e3c74dc16f5f986d2adbead8"
        "cf880a3b152caa207c19b711af39e4367229271d6c9fd581c5bb52cd0e92a188" 3296;
    CAPSULE = "capsule/1" "capsule.1.vk"
        "2e5f976c8b1ef941513511cddac4c87b30e3f8710add0fba02b36026693d8cd0"
        "d30dfeab35f39d1957534a5c363e5f105d800dbb7b0e0b9c8d0282fc3fb8886e" 3296;
}
