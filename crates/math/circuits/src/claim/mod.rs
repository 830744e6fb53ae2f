//! Claims: what an issuer says of a holder (`specs/claims.md`).

mod kind;
mod set;

pub use kind::{BadValue, ClaimType, Form, NoSuchType};
pub use set::{
    Claim, ClaimRoot, ClaimSet, ClaimSetError, Holder, HolderCommitment, OTHER_CLAIMS_MAX, document,
};
pub(crate) use set::{HOLDER_PLACE, SET_DEPTH};
