//! Records of authorship in the vault: `specs/authorship.md`, "Record".

use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_authorship::{CanonicalText, OwnerSecrets};
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::VerifyingKey;
use symbolon_vault::Replica;
use symbolon_vault::item::{
    Body, Contents, Details, Hidden, Item, Kind, Label, Marks, Name, Title,
};
use symbolon_vault::replica::Filter;
use symbolon_vault::wire::ItemId;

use crate::failure::Failure;

/// What an owner keeps of a registration.
pub struct Record {
    pub secrets: OwnerSecrets,
    pub commitment: Digest32,
}

/// The canonical text of a note.
pub fn text(replica: &Replica, id: ItemId) -> Result<CanonicalText, Failure> {
    let body = replica.body(id)?;
    CanonicalText::of(body.as_str()).map_err(|error| {
        Failure::refused("no_text", format!("of this note nothing can be registered: {error}"))
            .next("symbolon note edit NOTE")
    })
}

/// All records of a note, whatever its text was.
pub fn records(replica: &Replica, note: ItemId) -> Result<Vec<Record>, Failure> {
    let of_note = format!("{NOTE}{note}");
    let mut found = Vec::new();
    for kept in all(replica)? {
        if kept.of != of_note {
            continue;
        }
        let commitment = kept.for_what.strip_prefix(COMMITMENT);
        let commitment = commitment.and_then(|text| Digest32::from_hex(text).ok());
        let commitment = commitment.ok_or_else(|| damaged(&kept.title))?;
        found.push(Record { secrets: kept.secrets, commitment });
    }
    Ok(found)
}

/// The secrets of the invitation that was made with this key.
pub fn invitation(
    replica: &Replica,
    key: &VerifyingKey,
) -> Result<Option<(ItemId, OwnerSecrets)>, Failure> {
    let for_what = format!("{INVITATION}{}", hex::encode(key.as_bytes()));
    let kept = all(replica)?.into_iter().find(|kept| kept.for_what == for_what);
    Ok(kept.map(|kept| (kept.id, kept.secrets)))
}

/// Whether the vault has this record.
pub fn has(replica: &Replica, record: &Record) -> Result<bool, Failure> {
    let for_what = format!("{COMMITMENT}{}", record.commitment);
    let key = record.secrets.public();
    Ok(all(replica)?.iter().any(|it| it.for_what == for_what && it.secrets.public() == key))
}

/// Puts a record into the vault, beside its note where it has one. Nothing is sent yet.
pub fn add(replica: &mut Replica, note: Option<ItemId>, record: &Record) -> Result<(), Failure> {
    let for_what = format!("{COMMITMENT}{}", record.commitment);
    put(replica, note, "a note", &for_what, &record.secrets)
}

/// Puts the secrets of an invitation into the vault.
pub fn add_invitation(replica: &mut Replica, secrets: &OwnerSecrets) -> Result<(), Failure> {
    let for_what = format!("{INVITATION}{}", hex::encode(secrets.public().as_bytes()));
    put(replica, None, "a note to come", &for_what, secrets)
}

struct Kept {
    id: ItemId,
    title: String,
    of: String,
    for_what: String,
    secrets: OwnerSecrets,
}

fn all(replica: &Replica) -> Result<Vec<Kept>, Failure> {
    let filter = Filter { kind: Some(Kind::ApiKey), ..Filter::default() };
    let mut found = Vec::new();
    for it in replica.list(&filter) {
        let Details::ApiKey { service, scopes, .. } = it.details else { continue };
        let [of, for_what] = &scopes[..] else { continue };
        if service.as_str() != SERVICE {
            continue;
        }
        let Contents::ApiKey { key, .. } = replica.open(it.id)?.contents else { continue };
        let title = it.title.to_string();
        let secrets = OwnerSecrets::parse(key.secret()).map_err(|_| damaged(&title))?;
        let (of, for_what) = (of.as_str().to_owned(), for_what.as_str().to_owned());
        found.push(Kept { id: it.id, title, of, for_what, secrets });
    }
    Ok(found)
}

fn damaged(title: &str) -> Failure {
    let what = format!("the item `{title}` is a damaged record of authorship");
    Failure::refused("record", what).next("symbolon item ls")
}

fn put(
    replica: &mut Replica,
    note: Option<ItemId>,
    otherwise: &str,
    for_what: &str,
    secrets: &OwnerSecrets,
) -> Result<(), Failure> {
    let listed = note.and_then(|note| replica.overview(note));
    let title = listed.as_ref().map_or(otherwise.to_owned(), |it| it.title.to_string());
    let folder = listed.and_then(|it| it.folder);
    let too_long =
        |what: String| Failure::refused("too_long", what).next("symbolon note edit NOTE");
    // A title of the longest kind stands for itself.
    let title = Title::new(&format!("Authorship of {title}")).or_else(|_| Title::new(&title));
    let label = |text: String| Label::new(&text).map_err(|error| too_long(error.to_string()));
    let key = Hidden::new(secrets.write()).map_err(|error| too_long(error.to_string()))?;
    let of = note.map(|note| note.to_string()).unwrap_or_default();
    let item = Item {
        title: title.map_err(|error| too_long(error.to_string()))?,
        marks: Marks::default(),
        body: Body::default(),
        contents: Contents::ApiKey {
            service: Name::lossy(SERVICE),
            scopes: vec![label(format!("{NOTE}{of}"))?, label(for_what.to_owned())?],
            expires_unix_ms: None,
            key,
        },
    };
    replica.create_item(&item, folder, &SystemClock, &SystemRng)?;
    Ok(())
}

const SERVICE: &str = "Authorship of a note";
const NOTE: &str = "note:";
const COMMITMENT: &str = "commitment:";
const INVITATION: &str = "invitation:";
