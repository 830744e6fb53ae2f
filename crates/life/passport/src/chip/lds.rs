//! The document security object that is signed (ICAO 9303-10, appendix D).

use der::asn1::{AnyRef, OctetStringRef, PrintableStringRef};
use der::{Decode, Sequence};
use symbolon_crypto::DocumentHash;
use x509_cert::AlgorithmIdentifier;

use super::ChipError;

/// Digests of data groups, by their numbers.
pub struct SecurityObject {
    hash: DocumentHash,
    digests: Vec<(u8, Vec<u8>)>,
}

#[derive(Sequence)]
struct Object<'a> {
    version: u8,
    hash: AlgorithmIdentifier,
    groups: Vec<Group<'a>>,
    #[asn1(optional = "true")]
    versions: Option<Versions<'a>>,
}

#[derive(Sequence)]
struct Group<'a> {
    number: u8,
    digest: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Versions<'a> {
    lds: PrintableStringRef<'a>,
    unicode: PrintableStringRef<'a>,
}

/// Data groups are numbered 1 to 16.
const GROUPS_MAX: usize = 16;

impl SecurityObject {
    pub fn read(der: &[u8]) -> Result<Self, ChipError> {
        let wrong = ChipError::Object("what is signed is no list of digests");
        let object = Object::from_der(der).map_err(|_| wrong.clone())?;
        let (version, has_versions) = (object.version, object.versions.is_some());
        let is_null = |any: &der::Any| AnyRef::from(any).is_null();
        let has_parameters = object.hash.parameters.as_ref().is_some_and(|any| !is_null(any));
        if version > 1 || has_versions != (version == 1) || has_parameters {
            return Err(wrong);
        }
        let hash = DocumentHash::by_oid(&object.hash.oid.to_string())?;
        let len = hash.digest(&[]).len();
        let is_right = |(place, group): (usize, &Group<'_>)| {
            let before = place.checked_sub(1).map_or(0, |before| object.groups[before].number);
            group.number > before
                && usize::from(group.number) <= GROUPS_MAX
                && group.digest.as_bytes().len() == len
        };
        if !object.groups.iter().enumerate().all(is_right) {
            return Err(wrong);
        }
        let digests =
            object.groups.iter().map(|group| (group.number, group.digest.as_bytes().to_vec()));
        Ok(Self { hash, digests: digests.collect() })
    }

    pub const fn hash(&self) -> DocumentHash {
        self.hash
    }

    pub fn digest_of(&self, group: u8) -> Option<&[u8]> {
        let found = self.digests.iter().find(|(number, _)| *number == group);
        found.map(|(_, digest)| digest.as_slice())
    }
}
