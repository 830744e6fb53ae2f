//! The structured reference string: Ethereum's KZG ceremony (EIP-4844), whose secret nobody knows
//! as long as one of its 141,416 contributors was honest.
//!
//! A verifier carries `tau * G2`, 96 bytes. The 4096 powers in G1 are the prover's.

use std::sync::LazyLock;

use midnight_curves::Bls12;
use midnight_proofs::poly::kzg::params::ParamsVerifierKZG;
use midnight_proofs::utils::SerdeFormat;

/// `tau * G2`, compressed.
pub(super) const TAU: &[u8; 96] = include_bytes!("../../srs/tau.bin");

static VERIFIER: LazyLock<ParamsVerifierKZG<Bls12>> = LazyLock::new(|| {
    // INFALLIBLE: the point is in the program, and read by a test; reading checks its subgroup.
    ParamsVerifierKZG::read(&mut &TAU[..], SerdeFormat::Processed).expect("tau in G2")
});

/// What every verification needs.
pub(crate) fn verifier() -> &'static ParamsVerifierKZG<Bls12> {
    &VERIFIER
}

#[cfg(feature = "prove")]
pub(super) mod powers {
    use group::GroupEncoding;
    use group::prime::PrimeCurveAffine;
    use midnight_curves::{Bls12, G1Affine, G1Projective, G2Affine};
    use midnight_proofs::poly::kzg::params::ParamsKZG;
    use rayon::prelude::*;
    use symbolon_crypto::sha256;

    use super::TAU;
    use crate::group::hex32;

    /// `tau^0 * G1` to `tau^4095 * G1`, compressed.
    pub(crate) const POWERS: &[u8; 4096 * 48] = include_bytes!("../../srs/powers.bin");
    /// Their SHA-256. The powers were held against each other by pairing under this hash (tests),
    /// so they are read without that.
    pub(crate) const POWERS_SHA256: [u8; 32] =
        hex32("08797579f6cfd5788eddc1a215d64dcfabd04acbcaf2953fb2c1afb830f43315");

    /// The first `2^k` powers as the prover wants them; nothing where they are not the pinned ones.
    pub(crate) fn read(k: u32) -> Option<ParamsKZG<Bls12>> {
        if sha256(POWERS).0 != POWERS_SHA256 {
            return None;
        }
        // Each is a root: together a tenth of the work of a key.
        let points: Option<Vec<G1Projective>> =
            POWERS.par_chunks(48).take(1 << k).map(|bytes| point(bytes).map(Into::into)).collect();
        let mut tau = <G2Affine as GroupEncoding>::Repr::default();
        tau.as_mut().copy_from_slice(TAU);
        let tau: Option<G2Affine> = G2Affine::from_bytes(&tau).into();
        let one = G2Affine::generator();
        Some(ParamsKZG::from_parts(k, points?, None, one.into(), tau?.into()))
    }

    /// A point of the curve. Whether it is of the subgroup was checked under the hash.
    fn point(bytes: &[u8]) -> Option<G1Affine> {
        let mut repr = <G1Affine as GroupEncoding>::Repr::default();
        repr.as_mut().copy_from_slice(bytes);
        G1Affine::from_bytes_unchecked(&repr).into()
    }
}
