//! An oblivious pseudorandom function (RFC 9497, OPRF mode, ristretto255-SHA512): who has an input
//! gets the function's value from who has the key, and neither learns what the other has.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_secret::{MemoryError, Secret, on_stack};
use voprf::{BlindedElement, EvaluationElement, OprfClient, OprfServer, Ristretto255};

use crate::opaque::Entropy;

/// The longest input, in bytes.
pub const INPUT_BYTES_MAX: usize = 4096;

/// The function's key, in a secret page.
pub struct OprfKey(Secret<OprfServer<Ristretto255>>);

impl OprfKey {
    /// From a seed, for one purpose (RFC 9497, section 3.2.1, `DeriveKeyPair`).
    ///
    /// # Errors
    /// [`OprfError::Malformed`] where `info` is longer than 64 KiB.
    pub fn derive(seed: &Secret<[u8; 32]>, info: &[u8]) -> Result<Self, OprfError> {
        Secret::place_or(|| {
            // EXPOSE: the key is derived from the seed, on the secret stack.
            OprfServer::new_from_seed(seed.expose(), info).map_err(|_| OprfError::Malformed)
        })
        .map(Self)
    }

    /// The server's step: `BlindEvaluate`.
    ///
    /// # Errors
    /// [`OprfError::Malformed`] where the bytes are no element, or the identity.
    pub fn evaluate(&self, blinded: &[u8; 32]) -> Result<[u8; 32], OprfError> {
        let element = BlindedElement::<Ristretto255>::deserialize(blinded);
        let element = element.map_err(|_| OprfError::Malformed)?;
        // EXPOSE: evaluating reads the key, on the secret stack.
        let evaluated = on_stack(|| self.0.expose().blind_evaluate(&element));
        Ok(evaluated.serialize().into())
    }
}

impl fmt::Debug for OprfKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OprfKey")
    }
}

/// An input that was blinded and waits for the server's answer.
pub struct Blinded {
    state: Secret<OprfClient<Ristretto255>>,
    element: [u8; 32],
}

impl Blinded {
    /// The client's first step: `Blind`.
    ///
    /// # Errors
    /// [`OprfError::Malformed`] where the input is empty or longer than [`INPUT_BYTES_MAX`];
    /// [`OprfError::NoPage`].
    pub fn make(input: &Secret<[u8]>, rng: &dyn Rng) -> Result<Self, OprfError> {
        if input.is_empty() || input.len() > INPUT_BYTES_MAX {
            return Err(OprfError::Malformed);
        }
        let mut element = [0; 32];
        let state = Secret::place_or(|| {
            // EXPOSE: the input is hashed to the group and blinded, on the secret stack.
            let blinded = OprfClient::blind(input.expose(), &mut Entropy(rng));
            let blinded = blinded.map_err(|_| OprfError::Malformed)?;
            element = blinded.message.serialize().into();
            Ok::<_, OprfError>(blinded.state)
        })?;
        Ok(Self { state, element })
    }

    /// What the server is sent: nothing of the input is in it.
    pub const fn element(&self) -> &[u8; 32] {
        &self.element
    }

    /// The client's last step, with the same input: `Finalize`.
    ///
    /// # Errors
    /// As [`Blinded::make`], or where the answer is no element, or the identity.
    pub fn finish(
        self,
        input: &Secret<[u8]>,
        evaluated: &[u8; 32],
    ) -> Result<Secret<[u8; 64]>, OprfError> {
        let element = EvaluationElement::<Ristretto255>::deserialize(evaluated);
        let element = element.map_err(|_| OprfError::Malformed)?;
        Secret::<[u8; 64]>::try_make(|out| {
            on_stack(|| {
                // EXPOSE: the answer is unblinded and hashed with the input, on the secret stack.
                let value = self.state.expose().finalize(input.expose(), &element);
                out.copy_from_slice(&value.map_err(|_| OprfError::Malformed)?);
                Ok(())
            })
        })
    }
}

impl fmt::Debug for Blinded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinded")
    }
}

/// Why a step was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OprfError {
    /// No element of the group, the identity, or an input of a length that is not taken.
    #[error("this is no message of the function")]
    Malformed,
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for OprfError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

#[cfg(test)]
mod tests {
    use symbolon_ambient::SystemRng;
    use symbolon_codec::hex;

    use super::*;

    struct Fixed([u8; 32]);

    impl Rng for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0);
            let n = out.len().min(32);
            out[..n].copy_from_slice(&self.0[..n]);
        }
    }

    fn bytes(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    fn input(bytes: &[u8]) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(bytes.len(), |b| b.copy_from_slice(bytes))
    }

    /// RFC 9497, appendix A.1.1: both vectors. The blind is read modulo the order, so that a
    /// generator that gives it gives the vector.
    #[test]
    fn rfc_9497() {
        let seed = Secret::<[u8; 32]>::make(|b| b.fill(0xa3));
        let key = OprfKey::derive(&seed, b"test key").unwrap();
        let rng = Fixed(bytes("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"));
        for (plain, blinded, evaluated, output) in [
            (
                &[0][..],
                "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
                "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
                "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6",
            ),
            (
                &[0x5a; 17],
                "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
                "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
                "f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73",
            ),
        ] {
            let one = Blinded::make(&input(plain), &rng).unwrap();
            assert_eq!(one.element(), &bytes(blinded));
            let answer = key.evaluate(one.element()).unwrap();
            assert_eq!(answer, bytes(evaluated));
            let value = one.finish(&input(plain), &answer).unwrap();
            // EXPOSE: a test compares.
            assert_eq!(hex::encode(value.expose()), output);
        }
    }

    #[test]
    fn one_input_has_one_value_under_one_key() {
        let seed = Secret::<[u8; 32]>::make(|b| b.fill(1));
        let value = |info: &[u8], plain: &[u8]| {
            let key = OprfKey::derive(&seed, info).unwrap();
            let one = Blinded::make(&input(plain), &SystemRng).unwrap();
            let answer = key.evaluate(one.element()).unwrap();
            let value = one.finish(&input(plain), &answer).unwrap();
            // EXPOSE: a test compares.
            (answer, value.expose().to_vec())
        };
        let (one, again) = (value(b"a", b"x"), value(b"a", b"x"));
        assert_eq!(one.1, again.1);
        assert_ne!(one.0, again.0, "what crosses is another each time");
        assert_ne!(one.1, value(b"b", b"x").1);
        assert_ne!(one.1, value(b"a", b"y").1);
    }

    #[test]
    fn what_is_no_element_is_refused_on_both_sides() {
        let key = OprfKey::derive(&Secret::<[u8; 32]>::make(|b| b.fill(1)), b"").unwrap();
        for bad in [[0; 32], [0xff; 32], [1; 32]] {
            assert_eq!(key.evaluate(&bad), Err(OprfError::Malformed));
            let one = Blinded::make(&input(b"x"), &SystemRng).unwrap();
            assert_eq!(one.finish(&input(b"x"), &bad).unwrap_err(), OprfError::Malformed);
        }
        for bad in [0, INPUT_BYTES_MAX + 1] {
            let refused = Blinded::make(&input(&vec![7; bad]), &SystemRng);
            assert_eq!(refused.unwrap_err(), OprfError::Malformed);
        }
    }
}
