//! What is known of each statement's keys beforehand.

use crate::group::hex32;
use crate::reading::{Layout, bytes};
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
    /// How they are read.
    pub(crate) layout: Layout,
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
    ($($name:ident = $statement:literal $file:literal $verifying:literal $proving:literal $bytes:literal $layout:ident;)*) => {
        $(pub(crate) const $name: Pins = Pins {
            statement: $statement,
            verifying: include_bytes!(concat!("../../keys/", $file)),
            verifying_sha256: hex32($verifying),
            proving_sha256: hex32($proving),
            proof_bytes: {
                assert!(bytes($layout) == $bytes, "a layout of so many bytes");
                $bytes
            },
            layout: $layout,
        };)*
    };
}

/// Of statements that compute with hashes alone.
const PLAIN: Layout = &[20, 54, 1, 4, 1];
/// Of those that check a signature too.
const SIGNED: Layout = &[22, 63, 1, 4, 1];

// Written by `cargo run --release -p symbolon-circuits --example pin`, but for the layouts.
table! {
    AGE = "age/1" "age.1.vk"
        "22d40a221b41d9b0196cf51e7f9fcd17b71645d6c91f387f933f4f4aee03bc6a"
        "2014c4de00764f3da2c2ce9c589648bd3633e4f615264567baf950b136cc55ac" 2912 PLAIN;
    VALIDITY = "validity/1" "validity.1.vk"
        "8ac731f4dcd7369a0588816bde375c2a8283cb60d5d7a24e672b69dc1e24bc5f"
        "b4f5bad3e7b0964bd834a92215368b1af5afe8a5b045ae681e31fa0c16ebff29" 2912 PLAIN;
    NATIONALITY = "nationality/1" "nationality.1.vk"
        "d5e4193fc6e444a4108548001981bc8edb43dc13d128e209d073864be999188f"
        "704f8dab65951c51e8ff8bd5e45ef04c6a831cf04680c63d239ac959c89144b5" 2912 PLAIN;
    BINDING = "binding/1" "binding.1.vk"
        "e71ab09b9d1609769fca2665434a5707250ec6757d28e7a17999247d9928aade"
        "4741ecf5895e9537e7397750f68aad794081206990271d86e09bd7a343f3eabe" 2912 PLAIN;
    KEY = "key/1" "key.1.vk"
        "0a0cf982d715040ceaa1777c94af572bfac550ddd54e780e7401b6e0023411db"
        "5816165144a0f3fafd78cc5550a1c375b1594fbbeb472fdafdc607cdd6ec97b5" 2912 PLAIN;
    CLAIM = "claim/1" "claim.1.vk"
        "3066370180c3e5e04bbbc9acfcb6da677c652227fd66611e8f818c045e1815e2"
        "5c0c2c0cb3ec691620569766a5abbf2e59f13ec85beb12252d41441388104805" 2912 PLAIN;
    RETURNING = "returning/1" "returning.1.vk"
        "40c45386483d53a4464dcb088c79c21306daad3ca4924fd0a4629c587bf1d201"
        "a55abc364a205bc6a7eff30b093463daf47d20347a5df736fafecc0590f708f2" 2912 PLAIN;
    IDENTITY = "identity/1" "identity.1.vk"
        "aaf5ec5144612503128f3b22b4f5c19a7048c71bcf18f419d5dc91cba5b3b2ff"
        "9a54f33d2fd7ed015f5cfce4c6be4c239dd3bb0adcc342c045a2a15099f93132" 3296 SIGNED;
    CAPSULE = "capsule/1" "capsule.1.vk"
        "2e5f976c8b1ef941513511cddac4c87b30e3f8710add0fba02b36026693d8cd0"
        "d30dfeab35f39d1957534a5c363e5f105d800dbb7b0e0b9c8d0282fc3fb8886e" 3296 SIGNED;
}
