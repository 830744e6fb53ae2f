//! Records of authorship in the vault: `specs/authorship.md`, "Record".

use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_authorship::{CanonicalText, OwnerSecrets};
use symbolon_codec::Digest32;
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
    let filter = Filter { kind: Some(Kind::ApiKey), ..Filter::default() };
    let of_note = format!("{NOTE}{note}");
    let mut found = Vec::new();
    for it in replica.list(&filter) {
        let Details::ApiKey { service, scopes, .. } = it.details else { continue };
        let [first, second] = &scopes[..] else { continue };
        if service.as_str() != SERVICE || first.as_str() != of_note {
            continue;
        }
        let commitment = second.as_str().strip_prefix(COMMITMENT);
        let commitment = commitment.and_then(|text| Digest32::from_hex(text).ok());
        let Contents::ApiKey { key, .. } = replica.open(it.id)?.contents else { continue };
        let secrets = OwnerSecrets::parse(key.secret()).ok();
        let (Some(commitment), Some(secrets)) = (commitment, secrets) else {
            let what = format!("the item `{}` is a damaged record of authorship", it.title);
            return Err(Failure::refused("record", what).next("symbolon item ls"));
        };
        found.push(Record { secrets, commitment });
    }
    Ok(found)
}

/// Puts a record into the vault, beside its note. Nothing is kept or sent yet.
pub fn add(replica: &mut Replica, note: ItemId, record: &Record) -> Result<(), Failure> {
    let listed = replica.overview(note);
    let title = listed.as_ref().map(|it| it.title.to_string()).unwrap_or_default();
    let folder = listed.and_then(|it| it.folder);
    let too_long =
        |what: String| Failure::refused("too_long", what).next("symbolon note edit NOTE");
    // A title of the longest kind stands for itself.
    let title = Title::new(&format!("Authorship of {title}")).or_else(|_| Title::new(&title));
    let label = |text: String| Label::new(&text).map_err(|error| too_long(error.to_string()));
    let key = Hidden::new(record.secrets.write()).map_err(|error| too_long(error.to_string()))?;
    let item = Item {
        title: title.map_err(|error| too_long(error.to_string()))?,
        marks: Marks::default(),
        body: Body::default(),
        contents: Contents::ApiKey {
            service: Name::lossy(SERVICE),
            scopes: vec![
                label(format!("{NOTE}{note}"))?,
                label(format!("{COMMITMENT}{}", record.commitment))?,
            ],
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
