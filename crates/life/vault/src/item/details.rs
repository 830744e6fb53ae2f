//! What of an item is shown in a list.

use symbolon_codec::{Digest32, Fields, FieldsReader};

use super::text::{Label, Long, Name};
use super::{ATTACHMENT_BYTES_MAX, ItemError};
use crate::wire::BlobId;

/// The kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Markdown.
    Note,
    /// What other items are in.
    Folder,
    /// Who the owner is to others.
    Profile,
    /// A user name and a password.
    Login,
    /// A key of a service.
    ApiKey,
    /// What the broker uses a service through.
    Connection,
    /// A file.
    Attachment,
    /// What an issuer says of the owner.
    Claims,
}

/// What of an item is shown in a list, without its title. Nothing of it is a secret of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Details {
    /// A note.
    Note,
    /// A folder.
    Folder,
    /// A profile.
    Profile {
        /// The name to sign in with.
        username: Name,
        /// An e-mail address.
        email: Name,
    },
    /// A login.
    Login {
        /// The user name.
        username: Name,
        /// Where it is used, 32 at most.
        uris: Vec<Long>,
    },
    /// An API key.
    ApiKey {
        /// Whose key it is.
        service: Name,
        /// What it may, 128 at most.
        scopes: Vec<Label>,
        /// Until when, in milliseconds since 1970.
        expires_unix_ms: Option<u64>,
    },
    /// A connection of the broker's.
    Connection {
        /// The catalogue's id of the service.
        service: Name,
        /// Where it is.
        base_url: Long,
        /// How a request carries the credential, in the broker's words.
        scheme: Long,
    },
    /// An attachment, whose title is its file name.
    Attachment {
        /// Its media type.
        media_type: Label,
        /// Bytes of the plaintext.
        length_bytes: u64,
        /// Its chunks.
        blob: BlobId,
        /// SHA-256 of the plaintext.
        digest: Digest32,
    },
    /// What an issuer says of the owner. None of its values is here.
    Claims {
        /// The issuer's name; empty while nobody has issued anything.
        issuer: Name,
        /// The last day on which something can be proven by it, such as `2027-12-31`.
        until: Label,
    },
}

impl Details {
    /// Of which kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Note => Kind::Note,
            Self::Folder => Kind::Folder,
            Self::Profile { .. } => Kind::Profile,
            Self::Login { .. } => Kind::Login,
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::Connection { .. } => Kind::Connection,
            Self::Attachment { .. } => Kind::Attachment,
            Self::Claims { .. } => Kind::Claims,
        }
    }

    /// What a search finds of them.
    pub(crate) fn words(&self) -> String {
        let joined = |list: &[&str]| list.join(" ");
        match self {
            Self::Note | Self::Folder => String::new(),
            Self::Profile { username, email } => joined(&[username.as_str(), email.as_str()]),
            Self::Login { username, uris } => {
                let mut all = vec![username.as_str()];
                all.extend(uris.iter().map(Long::as_str));
                joined(&all)
            }
            Self::ApiKey { service, scopes, .. } => {
                let mut all = vec![service.as_str()];
                all.extend(scopes.iter().map(Label::as_str));
                joined(&all)
            }
            Self::Connection { service, base_url, .. } => {
                joined(&[service.as_str(), base_url.as_str()])
            }
            Self::Attachment { media_type, .. } => media_type.as_str().to_owned(),
            Self::Claims { issuer, .. } => issuer.as_str().to_owned(),
        }
    }

    pub(super) fn write(&self, f: Fields) -> Fields {
        match self {
            Self::Note => f.bytes(&[1]),
            Self::Folder => f.bytes(&[2]),
            Self::Profile { username, email } => {
                f.bytes(&[3]).str(username.as_str()).str(email.as_str())
            }
            Self::Login { username, uris } => {
                let f = f.bytes(&[4]).str(username.as_str()).u64(uris.len() as u64);
                uris.iter().fold(f, |f, uri| f.str(uri.as_str()))
            }
            Self::ApiKey { service, scopes, expires_unix_ms } => {
                let f = f.bytes(&[5]).str(service.as_str());
                let f = match expires_unix_ms {
                    Some(ms) => f.u64(*ms),
                    None => f.bytes(&[]),
                };
                let f = f.u64(scopes.len() as u64);
                scopes.iter().fold(f, |f, scope| f.str(scope.as_str()))
            }
            Self::Connection { service, base_url, scheme } => {
                f.bytes(&[6]).str(service.as_str()).str(base_url.as_str()).str(scheme.as_str())
            }
            Self::Attachment { media_type, length_bytes, blob, digest } => f
                .bytes(&[7])
                .str(media_type.as_str())
                .u64(*length_bytes)
                .bytes(blob.as_bytes())
                .bytes(&digest.0),
            Self::Claims { issuer, until } => {
                f.bytes(&[8]).str(issuer.as_str()).str(until.as_str())
            }
        }
    }

    pub(super) fn read(r: &mut FieldsReader<'_>) -> Result<Self, ItemError> {
        let wrong = |_| ItemError::Form("details");
        let [kind] = r.array().map_err(wrong)?;
        Ok(match kind {
            1 => Self::Note,
            2 => Self::Folder,
            3 => Self::Profile { username: name(r)?, email: name(r)? },
            4 => {
                let username = name(r)?;
                let n = count(r, URIS_MAX)?;
                let uris = (0..n).map(|_| long(r)).collect::<Result<_, _>>()?;
                Self::Login { username, uris }
            }
            5 => {
                let service = name(r)?;
                let expires_unix_ms = match r.bytes(8).map_err(wrong)? {
                    [] => None,
                    ms => {
                        let ms = ms.try_into().map_err(|_| ItemError::Form("expiry"))?;
                        Some(u64::from_be_bytes(ms))
                    }
                };
                let n = count(r, SCOPES_MAX)?;
                let scopes = (0..n).map(|_| label(r)).collect::<Result<_, _>>()?;
                Self::ApiKey { service, scopes, expires_unix_ms }
            }
            6 => Self::Connection { service: name(r)?, base_url: long(r)?, scheme: long(r)? },
            7 => Self::Attachment {
                media_type: label(r)?,
                length_bytes: r.u64().map_err(wrong)?,
                blob: r.array().map(BlobId::from).map_err(wrong)?,
                digest: r.array().map(Digest32).map_err(wrong)?,
            },
            8 => Self::Claims { issuer: name(r)?, until: label(r)? },
            _ => return Err(ItemError::Form("kind")),
        })
        .and_then(|details: Self| details.check().map(|()| details))
    }

    /// The bounds that the types do not hold.
    pub(super) fn check(&self) -> Result<(), ItemError> {
        match self {
            Self::Login { uris, .. } if uris.len() > URIS_MAX => Err(ItemError::TooMuch("uris")),
            Self::ApiKey { scopes, .. } if scopes.len() > SCOPES_MAX => {
                Err(ItemError::TooMuch("scopes"))
            }
            Self::Attachment { length_bytes, .. } if *length_bytes > ATTACHMENT_BYTES_MAX => {
                Err(ItemError::TooMuch("attachment"))
            }
            _ => Ok(()),
        }
    }
}

fn name(r: &mut FieldsReader<'_>) -> Result<Name, ItemError> {
    r.str(1024).ok().and_then(|t| Name::new(t).ok()).ok_or(ItemError::Form("name"))
}

fn long(r: &mut FieldsReader<'_>) -> Result<Long, ItemError> {
    r.str(4096).ok().and_then(|t| Long::new(t).ok()).ok_or(ItemError::Form("uri"))
}

fn label(r: &mut FieldsReader<'_>) -> Result<Label, ItemError> {
    r.str(256).ok().and_then(|t| Label::new(t).ok()).ok_or(ItemError::Form("label"))
}

fn count(r: &mut FieldsReader<'_>, max: usize) -> Result<usize, ItemError> {
    let n = r.u64().ok().and_then(|n| usize::try_from(n).ok());
    n.filter(|n| *n <= max).ok_or(ItemError::Form("count"))
}

const URIS_MAX: usize = 32;
const SCOPES_MAX: usize = 128;
