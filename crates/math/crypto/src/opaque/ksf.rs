//! The key stretching function (RFC 9807, section 7): Argon2id.

use opaque_ke::errors::InternalError;
use opaque_ke::generic_array::{ArrayLength, GenericArray};
use opaque_ke::ksf::Ksf;

use crate::password::{Params, argon2id_into};

/// How the OPRF's output is stretched.
#[derive(Clone, Copy)]
pub(super) enum Stretch {
    Argon2id(Params),
    /// As the RFC's vectors do; no guess costs anything.
    #[cfg(test)]
    Identity,
}

/// 64 MiB, 3 passes, 4 lanes: RFC 9106's second choice, and what `@serenity-kit/opaque` calls
/// `memory-constrained`. The cost is not stored: both halves of the protocol are version 1.
impl Default for Stretch {
    fn default() -> Self {
        Self::Argon2id(Params::RFC_9106_SECOND)
    }
}

impl Ksf for Stretch {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        match self {
            Self::Argon2id(params) => {
                let mut out = GenericArray::default();
                // The input is a pseudorandom value of this account: RFC 9807 has a salt of zeros.
                argon2id_into(&input, &[0; 16], *params, &mut out)
                    .map_err(|_| InternalError::KsfError)?;
                Ok(out)
            }
            #[cfg(test)]
            Self::Identity => Ok(input),
        }
    }
}
