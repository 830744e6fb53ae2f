//! What a holder answers with.

use symbolon_circuits::{ClaimSet, Holder, IssuerPublicKey, Signature};

/// What a holder has: claims of one document, themselves, and who signed the claims.
#[derive(Debug, Clone, Copy)]
pub struct Held<'h> {
    /// Claims of one document.
    pub claims: &'h ClaimSet,
    /// Who they are about.
    pub holder: &'h Holder,
    /// Who signed them.
    pub issuer: IssuerPublicKey,
    /// The signature.
    pub signature: &'h Signature,
}
