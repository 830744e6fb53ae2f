//! Claims, and the set of them that an issuer signs.

use symbolon_ambient::Rng;
use symbolon_crypto::labels;
use symbolon_secret::Secret;

use super::kind::{BadValue, ClaimType};
use crate::Fr;
use crate::value::{Date, Domain, Element, Hidden, hash, node, tag};

/// Levels of a claim set.
pub(crate) const SET_DEPTH: usize = 3;
/// Places of a claim set.
const PLACES: usize = 1 << SET_DEPTH;
/// Claims beside birth date, nationality and expiry.
pub const OTHER_CLAIMS_MAX: usize = 4;

/// Where the holder stands in a claim set.
pub(crate) const HOLDER_PLACE: usize = 3;

/// A value, its type and the salt that hides it.
#[derive(Debug)]
pub struct Claim {
    pub(crate) kind: ClaimType,
    pub(crate) value: Hidden,
    pub(crate) salt: Hidden,
}

/// Who the claims are about: by a secret that only their device has, good until a day.
#[derive(Debug)]
pub struct Holder {
    pub(crate) secret: Hidden,
    pub(crate) until: Date,
}

/// The element of a holder that an issuer puts into a claim set: it says nothing of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderCommitment(pub Element);

/// The claims of one document about one holder.
#[derive(Debug)]
pub struct ClaimSet {
    pub(crate) document: Hidden,
    pub(crate) birth: Claim,
    pub(crate) nationality: Claim,
    pub(crate) expiry: Claim,
    pub(crate) others: Vec<Claim>,
    holder: Fr,
}

/// What an issuer signs: the root over a claim set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRoot(pub Element);

/// Why claims make no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimSetError {
    /// One of the first three is not of its type.
    #[error("the first three claims are birth date, nationality and expiry, in this order")]
    Order,
    /// More than [`OTHER_CLAIMS_MAX`] others.
    #[error("more than {OTHER_CLAIMS_MAX} other claims")]
    TooMany,
    /// Two claims of one type.
    #[error("two claims of one type")]
    Twice,
}

impl Claim {
    /// A claim with a fresh salt; `value` is in the form of its type, such as `2004-02-29`.
    pub fn make(kind: ClaimType, value: &Secret<[u8]>, rng: &impl Rng) -> Result<Self, BadValue> {
        Ok(Self { kind, value: kind.hide(value)?, salt: Hidden::make(rng) })
    }

    /// A claim that was made before: its value again, and its salt.
    pub fn with_salt(
        kind: ClaimType,
        value: &Secret<[u8]>,
        salt: Hidden,
    ) -> Result<Self, BadValue> {
        Ok(Self { kind, value: kind.hide(value)?, salt })
    }

    /// Its type.
    pub fn kind(&self) -> ClaimType {
        self.kind
    }

    /// Its salt, to keep it.
    pub fn salt(&self) -> &Hidden {
        &self.salt
    }

    /// Poseidon(domain and type, value, document, salt).
    pub(crate) fn hash(&self, document: Fr) -> Fr {
        let kind = tag(Domain::Claim, self.kind.number());
        hash(&[kind, self.value.element(), document, self.salt.element()])
    }
}

impl Holder {
    /// By a custody secret that is good up to and including a day.
    pub fn new(secret: Hidden, until: Date) -> Self {
        Self { secret, until }
    }

    /// What an issuer puts into the claim set.
    pub fn commitment(&self) -> HolderCommitment {
        HolderCommitment(Element(hash(&[
            tag(Domain::Holder, 0),
            self.secret.element(),
            self.until.element(),
        ])))
    }
}

impl ClaimSet {
    /// Of birth date, nationality and expiry, and up to [`OTHER_CLAIMS_MAX`] others, each of a type
    /// of its own.
    pub fn new(
        document: Hidden,
        [birth, nationality, expiry]: [Claim; 3],
        holder: HolderCommitment,
        others: Vec<Claim>,
    ) -> Result<Self, ClaimSetError> {
        let order = [ClaimType::BIRTH_DATE, ClaimType::NATIONALITY, ClaimType::DOCUMENT_EXPIRY];
        if [birth.kind, nationality.kind, expiry.kind] != order {
            return Err(ClaimSetError::Order);
        }
        if others.len() > OTHER_CLAIMS_MAX {
            return Err(ClaimSetError::TooMany);
        }
        let mut kinds: Vec<_> = others.iter().map(|c| c.kind).chain(order).collect();
        kinds.sort_unstable();
        if kinds.windows(2).any(|two| two[0] == two[1]) {
            return Err(ClaimSetError::Twice);
        }
        Ok(Self { document, birth, nationality, expiry, others, holder: holder.0.0 })
    }

    /// What the issuer signs.
    pub fn root(&self) -> ClaimRoot {
        ClaimRoot(Element(self.levels()[SET_DEPTH][0]))
    }

    /// The claim of a type, and its place.
    pub(crate) fn find(&self, kind: ClaimType) -> Option<(usize, &Claim)> {
        let first = [&self.birth, &self.nationality, &self.expiry];
        let rest = self.others.iter().enumerate().map(|(i, claim)| (HOLDER_PLACE + 1 + i, claim));
        first.into_iter().enumerate().chain(rest).find(|(_, claim)| claim.kind == kind)
    }

    /// The siblings from a place up to the root.
    pub(crate) fn path(&self, place: usize) -> [Fr; SET_DEPTH] {
        let levels = self.levels();
        std::array::from_fn(|up| levels[up][(place >> up) ^ 1])
    }

    fn levels(&self) -> Vec<Vec<Fr>> {
        let document = self.document.element();
        let mut places: Vec<Fr> =
            [&self.birth, &self.nationality, &self.expiry].map(|c| c.hash(document)).into();
        places.push(self.holder);
        places.extend(self.others.iter().map(|claim| claim.hash(document)));
        places
            .extend((places.len()..PLACES).map(|place| hash(&[tag(Domain::Empty, place as u32)])));
        let mut levels = vec![places];
        for up in 0..SET_DEPTH {
            let above = levels[up].chunks(2).map(|two| node(two[0], two[1])).collect();
            levels.push(above);
        }
        levels
    }
}

/// The element of a document: its issuing state, and its number as it stands in it.
///
/// The same for all claims of one document, so that claims of two documents are never one set.
pub fn document(state: &Secret<[u8]>, number: &Secret<[u8]>) -> Hidden {
    let joined = Secret::<[u8]>::make_slice(state.len() + 1 + number.len(), |bytes| {
        // EXPOSE: joined in secret memory, by a byte that no code of a state has.
        bytes[..state.len()].copy_from_slice(state.expose());
        bytes[state.len()] = b'/';
        // EXPOSE: as above.
        bytes[state.len() + 1..].copy_from_slice(number.expose());
    });
    Hidden::hash(&labels::FIELD_DOCUMENT, &joined)
}
