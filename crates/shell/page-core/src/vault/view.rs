//! Items as the page shows them. Secrets are told of by whether they are there.

use serde::Serialize;
use symbolon_codec::b64;
use symbolon_vault::item::{Contents, CustomKind, Details, Item, Kind};
use symbolon_vault::replica::Overview;
use symbolon_vault::wire::{ItemId, State};

/// A line of a list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub id: ItemId,
    pub kind: &'static str,
    pub title: String,
    pub tags: Vec<String>,
    pub pinned: bool,
    pub template: bool,
    pub folder: Option<ItemId>,
    pub created: u64,
    pub updated: u64,
    pub trashed: bool,
    pub pending: bool,
    pub conflict_of: Option<ItemId>,
    /// What tells items of one title apart: a user name, a service, a length.
    pub about: String,
}

impl From<&Overview<'_>> for Row {
    fn from(o: &Overview<'_>) -> Self {
        Self {
            id: o.id,
            kind: kind_name(o.details.kind()),
            title: o.title.to_string(),
            tags: o.marks.tags.iter().map(ToString::to_string).collect(),
            pinned: o.marks.pinned,
            template: o.marks.template,
            folder: o.folder,
            created: o.created_unix_ms,
            updated: o.updated_unix_ms,
            trashed: o.state == State::Trashed,
            pending: o.is_pending,
            conflict_of: o.conflict_of,
            about: about(o.details),
        }
    }
}

fn about(details: &Details) -> String {
    match details {
        Details::Note | Details::Folder => String::new(),
        Details::Profile { username, .. } | Details::Login { username, .. } => username.to_string(),
        Details::ApiKey { service, .. } | Details::Connection { service, .. } => {
            service.to_string()
        }
        Details::Attachment { length_bytes, .. } => length_bytes.to_string(),
        Details::Claims { issuer, .. } => issuer.to_string(),
    }
}

/// What an item is, as far as it is shown unasked.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Shown {
    Note,
    Folder,
    Profile {
        username: String,
        email: String,
        picture: Option<PictureView>,
    },
    Login {
        username: String,
        uris: Vec<String>,
        has_password: bool,
        has_totp: bool,
        fields: Vec<FieldView>,
    },
    ApiKey {
        service: String,
        scopes: Vec<String>,
        expires: Option<u64>,
        has_key: bool,
    },
    Connection {
        service: String,
        base_url: String,
        scheme: String,
        has_credential: bool,
    },
    Attachment {
        media_type: String,
        length: u64,
        blob: String,
    },
    Claims {
        issuer: String,
        until: String,
    },
}

/// A picture, in base64 for a `data:` address.
#[derive(Debug, Serialize)]
pub(super) struct PictureView {
    media_type: String,
    base64: String,
}

/// A field that the owner named; the value of a masked one is asked for apart.
#[derive(Debug, Serialize)]
pub(super) struct FieldView {
    name: String,
    kind: &'static str,
    value: Option<String>,
}

impl From<&Item> for Shown {
    fn from(item: &Item) -> Self {
        match &item.contents {
            Contents::Note => Self::Note,
            Contents::Folder => Self::Folder,
            Contents::Profile { username, email, picture } => Self::Profile {
                username: username.to_string(),
                email: email.to_string(),
                picture: picture.as_ref().map(|p| PictureView {
                    media_type: p.media_type.to_string(),
                    base64: b64::encode(&p.bytes),
                }),
            },
            Contents::Login { username, uris, password, totp, fields } => Self::Login {
                username: username.to_string(),
                uris: uris.iter().map(ToString::to_string).collect(),
                has_password: !password.is_empty(),
                has_totp: !totp.is_empty(),
                fields: fields
                    .iter()
                    .map(|field| FieldView {
                        name: field.name.to_string(),
                        kind: match field.kind {
                            CustomKind::Text => "text",
                            CustomKind::Hidden => "hidden",
                            CustomKind::Boolean => "boolean",
                        },
                        value: (field.kind != CustomKind::Hidden).then(|| {
                            // EXPOSE: its owner said that it is shown as it is.
                            String::from_utf8_lossy(field.value.secret().expose()).into_owned()
                        }),
                    })
                    .collect(),
            },
            Contents::ApiKey { service, scopes, expires_unix_ms, key } => Self::ApiKey {
                service: service.to_string(),
                scopes: scopes.iter().map(ToString::to_string).collect(),
                expires: *expires_unix_ms,
                has_key: !key.is_empty(),
            },
            Contents::Connection { service, base_url, scheme, credential } => Self::Connection {
                service: service.to_string(),
                base_url: base_url.to_string(),
                scheme: scheme.to_string(),
                has_credential: !credential.is_empty(),
            },
            Contents::Attachment { media_type, length_bytes, blob, .. } => Self::Attachment {
                media_type: media_type.to_string(),
                length: *length_bytes,
                blob: blob.to_string(),
            },
            Contents::Claims { issuer, until, .. } => {
                Self::Claims { issuer: issuer.to_string(), until: until.to_string() }
            }
        }
    }
}

/// The name of a kind in JSON.
pub(super) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Note => "note",
        Kind::Folder => "folder",
        Kind::Profile => "profile",
        Kind::Login => "login",
        Kind::ApiKey => "api_key",
        Kind::Connection => "connection",
        Kind::Attachment => "attachment",
        Kind::Claims => "claims",
    }
}

/// The kind of a name.
pub(super) fn kind_of(name: &str) -> Option<Kind> {
    [
        Kind::Note,
        Kind::Folder,
        Kind::Profile,
        Kind::Login,
        Kind::ApiKey,
        Kind::Connection,
        Kind::Attachment,
        Kind::Claims,
    ]
    .into_iter()
    .find(|kind| kind_name(*kind) == name)
}
