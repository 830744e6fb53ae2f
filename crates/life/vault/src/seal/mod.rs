//! Items into revisions and back.

mod error;
#[cfg(test)]
pub(crate) mod tests;

use symbolon_ambient::Rng;
use symbolon_codec::Digest32;
use symbolon_crypto::{FieldError, Place, PlaceDigest, labels};
use symbolon_custody::VaultId;

pub use error::{OpenError, Origin, SealError};

use crate::item::{About, Body, Item, Lineage, Plain, SALT_BYTES, Title};
use crate::keys::Keys;
use crate::wire::{Header, ItemId, SealedRevision, State};

/// What a revision says in the clear, without what sealing gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Revise {
    pub item: ItemId,
    pub number: u64,
    pub parent: Option<ItemId>,
    pub created_unix_ms: u64,
    pub updated_unix_ms: u64,
    pub state: State,
}

/// Seals an item under the epoch in use.
pub(crate) fn seal(
    keys: &Keys,
    to: &Revise,
    item: &Item,
    lineage: Lineage,
    rng: &dyn Rng,
) -> Result<SealedRevision, SealError> {
    let mut salt = [0; SALT_BYTES];
    rng.fill(&mut salt);
    let plain = Plain::write(item, lineage, salt)?;
    let header = header(keys, to, plain.commitment(&salt)?);
    let key = &keys.current().fields;
    let field = |number: u8, bytes: &[u8]| {
        (number, key.seal(&place(keys.vault(), to.item, to.number, number), bytes, rng))
    };
    let fields = [
        field(ABOUT, &plain.about),
        field(TITLE, &plain.title),
        field(CONTENT, &plain.content),
        // EXPOSE: sealed where it lies.
        field(SECRETS, plain.secrets.expose()),
    ];
    Ok(SealedRevision::new(&header, &fields)?)
}

/// The last revision of an item, without contents.
pub(crate) fn erase(keys: &Keys, to: &Revise) -> Result<SealedRevision, SealError> {
    let to = Revise { parent: None, state: State::Erased, ..*to };
    Ok(SealedRevision::new(&header(keys, &to, Digest32([0; 32])), &[])?)
}

/// What a list shows.
pub(crate) fn open_about(
    keys: &Keys,
    revision: &SealedRevision,
) -> Result<(About, Title), OpenError> {
    let about = About::read(&readable(keys, revision, ABOUT)?)?;
    Ok((about, crate::item::read_title(&readable(keys, revision, TITLE)?)?))
}

/// The text alone: for searching, and for links.
pub(crate) fn open_body(keys: &Keys, revision: &SealedRevision) -> Result<Body, OpenError> {
    Ok(crate::item::read_content(&readable(keys, revision, CONTENT)?)?.0)
}

/// All of it, with the commitment checked.
pub(crate) fn open(keys: &Keys, revision: &SealedRevision) -> Result<(Item, About), OpenError> {
    let key = key(keys, revision)?;
    let (at, sealed) = sealed(revision, SECRETS)?;
    let secrets = key.open(&at, sealed).map_err(|e| explain(revision, SECRETS, e))?;
    let plain = Plain {
        about: readable(keys, revision, ABOUT)?,
        title: readable(keys, revision, TITLE)?,
        content: readable(keys, revision, CONTENT)?,
        secrets,
    };
    let (item, about) = plain.read()?;
    if plain.commitment(&about.salt)? != revision.header().commitment {
        return Err(OpenError::Commitment);
    }
    Ok((item, about))
}

fn header(keys: &Keys, to: &Revise, commitment: Digest32) -> Header {
    Header {
        vault: keys.vault(),
        item: to.item,
        number: to.number,
        parent: to.parent,
        epoch: keys.epoch(),
        created_unix_ms: to.created_unix_ms,
        updated_unix_ms: to.updated_unix_ms,
        state: to.state,
        commitment,
    }
}

fn readable(keys: &Keys, revision: &SealedRevision, number: u8) -> Result<Vec<u8>, OpenError> {
    let key = key(keys, revision)?;
    let (at, sealed) = sealed(revision, number)?;
    key.open_readable(&at, sealed).map_err(|e| explain(revision, number, e))
}

fn key<'k>(
    keys: &'k Keys,
    revision: &SealedRevision,
) -> Result<&'k symbolon_crypto::FieldKey, OpenError> {
    let header = revision.header();
    if header.vault != keys.vault() {
        return Err(OpenError::OtherVault);
    }
    let epoch = header.epoch;
    keys.of(epoch).map(|k| &k.fields).ok_or(OpenError::NoKey { epoch })
}

fn sealed(revision: &SealedRevision, number: u8) -> Result<(Place, &[u8]), OpenError> {
    let header = revision.header();
    if header.state == State::Erased {
        return Err(OpenError::Erased);
    }
    let sealed = revision.field(number).ok_or(OpenError::Missing(number))?;
    Ok((place(header.vault, header.item, header.number, number), sealed))
}

fn place(vault: VaultId, item: ItemId, number: u64, field: u8) -> Place {
    let context: [&[u8]; 4] = [vault.as_bytes(), item.as_bytes(), &number.to_be_bytes(), &[field]];
    Place::new(&labels::VAULT_FIELD, &context)
}

/// Says what a sealed field that does not open is.
fn explain(revision: &SealedRevision, field: u8, error: FieldError) -> OpenError {
    match error {
        FieldError::Moved(to) => OpenError::Moved { field, origin: origin(revision, to) },
        FieldError::WrongKey => OpenError::OtherKey { field },
        FieldError::NoPage => OpenError::NoPage,
        _ => OpenError::Damaged { field },
    }
}

/// Where a field that was moved comes from. A place is a digest, so the places that it can be are
/// tried: another field of this revision, one of the revisions around; else it is another item's.
fn origin(revision: &SealedRevision, found: PlaceDigest) -> Origin {
    let h = revision.header();
    let is = |number, field| place(h.vault, h.item, number, field).digest() == found;
    if let Some(field) = (ABOUT..=SECRETS).find(|field| is(h.number, *field)) {
        return Origin::Field(field);
    }
    let around =
        h.number.saturating_sub(REVISIONS_TRIED)..=h.number.saturating_add(REVISIONS_TRIED);
    let mut around = around.filter(|number| (ABOUT..=SECRETS).any(|field| is(*number, field)));
    around.next().map_or(Origin::Item, Origin::Revision)
}

/// How far a revision is looked for when a field was moved.
const REVISIONS_TRIED: u64 = 1000;

const ABOUT: u8 = 1;
const TITLE: u8 = 2;
const CONTENT: u8 = 3;
const SECRETS: u8 = 4;
