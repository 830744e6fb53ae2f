//! What the page made of an item, as the item that is sealed.

use serde::Deserialize;
use symbolon_codec::{Digest32, b64};
use symbolon_crypto::Sha256;
use symbolon_vault::item::{
    Body, Contents, CustomField, CustomKind, Hidden, Item, Label, Long, Marks, Name, Picture,
    TagName, Title,
};

use super::{Problem, Vault};

/// An item as the page has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    pub title: String,
    pub body: String,
    pub tags: Vec<String>,
    pub pinned: bool,
    pub template: bool,
    pub contents: Wanted,
}

/// What an item is to be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Wanted {
    Note {},
    Folder {},
    Profile {
        username: String,
        email: String,
        picture: WantedPicture,
    },
    Login {
        username: String,
        uris: Vec<String>,
        password: WantedSecret,
        totp: WantedSecret,
        fields: Vec<WantedField>,
    },
    ApiKey {
        service: String,
        scopes: Vec<String>,
        expires: Option<u64>,
        key: WantedSecret,
    },
    /// Service, base URL, and what its `scheme` says; its credential is the one secret that was handed in. A list,
    /// because names of fields would be read by code that every page loads.
    Connection(Vec<String>),
}

/// A picture that stays, goes, or comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WantedPicture {
    Keep,
    None,
    New { media_type: String, base64: String },
}

/// A secret that stays (of fields: which one), is none, or was handed in before.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WantedSecret {
    Keep(usize),
    None,
    Slot(u32),
}

/// A field that its owner names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedField {
    name: String,
    kind: FieldKind,
    value: WantedSecret,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FieldKind {
    Text,
    Hidden,
    Boolean,
}

impl Vault {
    /// The item of a draft; secrets that stay come from `before`. The slots are empty afterwards.
    pub(super) fn make(&mut self, draft: &Draft, before: Option<Item>) -> Result<Item, Problem> {
        let made = self.contents(&draft.contents, before.map(|item| item.contents));
        self.slots.clear();
        Ok(Item {
            title: Title::new(draft.title.trim())?,
            marks: Marks {
                tags: tags(&draft.tags)?,
                pinned: draft.pinned,
                template: draft.template,
            },
            body: Body::new(&draft.body)?,
            contents: made?,
        })
    }

    fn contents(&mut self, wanted: &Wanted, before: Option<Contents>) -> Result<Contents, Problem> {
        Ok(match wanted {
            Wanted::Note {} => Contents::Note,
            Wanted::Folder {} => Contents::Folder,
            Wanted::Profile { username, email, picture } => Contents::Profile {
                username: Name::new(username.trim())?,
                email: Name::new(email.trim())?,
                picture: match (picture, before) {
                    (WantedPicture::Keep, Some(Contents::Profile { picture, .. })) => picture,
                    (WantedPicture::New { media_type, base64 }, _) => Some(Picture {
                        media_type: Label::new(media_type)?,
                        bytes: b64::decode(base64, PICTURE_BYTES_MAX)?,
                    }),
                    _ => None,
                },
            },
            Wanted::Login { username, uris, password, totp, fields } => {
                let (old_password, old_totp, old_fields) = match before {
                    Some(Contents::Login { password, totp, fields, .. }) => {
                        (Some(password), Some(totp), fields)
                    }
                    _ => (None, None, Vec::new()),
                };
                let mut old: Vec<Option<Hidden>> =
                    old_fields.into_iter().map(|field| Some(field.value)).collect();
                let mut new = Vec::with_capacity(fields.len());
                for field in fields {
                    let kept = match field.value {
                        WantedSecret::Keep(at) => old.get_mut(at).and_then(Option::take),
                        _ => None,
                    };
                    new.push(CustomField {
                        name: Label::new(field.name.trim())?,
                        kind: match field.kind {
                            FieldKind::Text => CustomKind::Text,
                            FieldKind::Hidden => CustomKind::Hidden,
                            FieldKind::Boolean => CustomKind::Boolean,
                        },
                        value: self.hidden(&field.value, kept)?,
                    });
                }
                Contents::Login {
                    username: Name::new(username.trim())?,
                    uris: lines(uris)?,
                    password: self.hidden(password, old_password)?,
                    totp: self.hidden(totp, old_totp)?,
                    fields: new,
                }
            }
            Wanted::ApiKey { service, scopes, expires, key } => {
                let old = match before {
                    Some(Contents::ApiKey { key, .. }) => Some(key),
                    _ => None,
                };
                Contents::ApiKey {
                    service: Name::new(service.trim())?,
                    scopes: labels(scopes)?,
                    expires_unix_ms: *expires,
                    key: self.hidden(key, old)?,
                }
            }
            Wanted::Connection(parts) => {
                let [service, base_url, scheme] = &parts[..] else {
                    return Err(Problem::request());
                };
                let (_, credential) = self.slots.pop_first().ok_or_else(Problem::request)?;
                Contents::Connection {
                    service: Name::new(service)?,
                    base_url: Long::new(base_url)?,
                    scheme: Long::new(scheme)?,
                    credential: Hidden::new(credential)?,
                }
            }
        })
    }

    fn hidden(&mut self, wanted: &WantedSecret, old: Option<Hidden>) -> Result<Hidden, Problem> {
        match wanted {
            WantedSecret::None => Ok(Hidden::empty()),
            WantedSecret::Slot(slot) => {
                let secret = self.slots.remove(slot).ok_or_else(Problem::request)?;
                Ok(Hidden::new(secret)?)
            }
            // A secret that should stay and is not there would be lost in silence.
            WantedSecret::Keep(_) => {
                old.ok_or_else(|| Problem::new("missing", "a secret that was to stay is gone"))
            }
        }
    }
}

/// Tags, each once.
pub(super) fn tags(given: &[String]) -> Result<Vec<TagName>, Problem> {
    let mut tags: Vec<TagName> = Vec::with_capacity(given.len());
    for tag in given.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()) {
        let tag = TagName::new(tag)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

fn lines(given: &[String]) -> Result<Vec<Long>, Problem> {
    let given = given.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    given.map(|line| Long::new(line).map_err(Problem::from)).collect()
}

fn labels(given: &[String]) -> Result<Vec<Label>, Problem> {
    let given = given.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    given.map(|line| Label::new(line).map_err(Problem::from)).collect()
}

/// What tells one state of a title and a text from another: an editor says by it what it began with.
pub(super) fn stamp(title: &str, body: &str) -> Digest32 {
    let mut hash = Sha256::new();
    hash.field(title.as_bytes());
    hash.field(body.as_bytes());
    hash.finish()
}

const PICTURE_BYTES_MAX: usize = 256 << 10;
