//! What an item is, with its secrets.

use symbolon_codec::{Digest32, FieldsReader};
use symbolon_secret::Secret;

use super::details::{Details, Kind};
use super::secrets::Hidden;
use super::text::{Label, Long, Name};
use super::{ItemError, code::Part};
use crate::wire::BlobId;

/// What an item is.
#[derive(Debug)]
pub enum Contents {
    /// Markdown, in the item's body.
    Note,
    /// What other items are in.
    Folder,
    /// Who the owner is to others; the item's body is the biography.
    Profile {
        /// The name to sign in with.
        username: Name,
        /// An e-mail address.
        email: Name,
        /// A picture.
        picture: Option<Picture>,
    },
    /// A user name and a password.
    Login {
        /// The user name.
        username: Name,
        /// Where it is used.
        uris: Vec<Long>,
        /// The password.
        password: Hidden,
        /// The seed of one-time passwords (RFC 6238), as `otpauth:` or base32.
        totp: Hidden,
        /// What else belongs to it, 64 at most.
        fields: Vec<CustomField>,
    },
    /// A key of a service.
    ApiKey {
        /// Whose key it is.
        service: Name,
        /// What it may.
        scopes: Vec<Label>,
        /// Until when, in milliseconds since 1970.
        expires_unix_ms: Option<u64>,
        /// The key.
        key: Hidden,
    },
    /// What the broker uses a service through.
    Connection {
        /// The catalogue's id of the service.
        service: Name,
        /// Where it is.
        base_url: Long,
        /// How a request carries the credential, in the broker's words.
        scheme: Long,
        /// The credential.
        credential: Hidden,
    },
    /// A file, in sealed chunks.
    Attachment {
        /// Its media type.
        media_type: Label,
        /// Bytes of the plaintext.
        length_bytes: u64,
        /// Its chunks.
        blob: BlobId,
        /// SHA-256 of the plaintext.
        digest: Digest32,
        /// What its chunks are sealed under.
        key: Secret<[u8; 32]>,
    },
    /// What an issuer says of the owner, to prove facts by (`specs/issuer.md`).
    Claims {
        /// The issuer's name; empty while nobody has issued anything for this holder.
        issuer: Name,
        /// The last day on which something can be proven by it, such as `2027-12-31`.
        until: Label,
        /// The holder's record: the custody secret and the claims.
        holder: Hidden,
    },
}

/// A picture of a profile.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its media type.
    pub media_type: Label,
    /// The file, 256 KiB at most.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} bytes)", self.bytes.len())
    }
}

/// A field of an item that its owner named.
#[derive(Debug)]
pub struct CustomField {
    /// Its name.
    pub name: Label,
    /// How it is shown.
    pub kind: CustomKind,
    /// Its value.
    pub value: Hidden,
}

/// How a field is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomKind {
    /// As it is.
    Text,
    /// Masked.
    Hidden,
    /// As a tick: `true` or `false`.
    Boolean,
}

impl Contents {
    /// Of which kind.
    pub fn kind(&self) -> Kind {
        self.details().kind()
    }

    /// What of it is shown in a list.
    pub fn details(&self) -> Details {
        match self {
            Self::Note => Details::Note,
            Self::Folder => Details::Folder,
            Self::Profile { username, email, .. } => {
                Details::Profile { username: username.clone(), email: email.clone() }
            }
            Self::Login { username, uris, .. } => {
                Details::Login { username: username.clone(), uris: uris.clone() }
            }
            Self::ApiKey { service, scopes, expires_unix_ms, .. } => Details::ApiKey {
                service: service.clone(),
                scopes: scopes.clone(),
                expires_unix_ms: *expires_unix_ms,
            },
            Self::Connection { service, base_url, scheme, .. } => Details::Connection {
                service: service.clone(),
                base_url: base_url.clone(),
                scheme: scheme.clone(),
            },
            Self::Attachment { media_type, length_bytes, blob, digest, .. } => {
                Details::Attachment {
                    media_type: media_type.clone(),
                    length_bytes: *length_bytes,
                    blob: *blob,
                    digest: *digest,
                }
            }
            Self::Claims { issuer, until, .. } => {
                Details::Claims { issuer: issuer.clone(), until: until.clone() }
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), ItemError> {
        self.details().check()?;
        match self {
            Self::Login { fields, .. } if fields.len() > FIELDS_MAX => {
                Err(ItemError::TooMuch("fields"))
            }
            Self::Profile { picture: Some(p), .. } if p.bytes.len() > PICTURE_BYTES_MAX => {
                Err(ItemError::TooMuch("picture"))
            }
            _ => Ok(()),
        }
    }

    pub(super) const fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Profile { picture, .. } => picture.as_ref(),
            _ => None,
        }
    }

    /// The fields of the sealed secrets, in their order.
    pub(super) fn secret_parts(&self) -> Vec<Part<'_>> {
        match self {
            Self::Note | Self::Folder | Self::Profile { .. } => Vec::new(),
            Self::Login { password, totp, fields, .. } => {
                let count = Part::Number(fields.len() as u64);
                let mut parts = vec![password.into(), totp.into(), count];
                for field in fields {
                    parts.push(Part::Open(field.name.as_str().as_bytes()));
                    parts.push(Part::Open(field.kind.as_bytes()));
                    parts.push((&field.value).into());
                }
                parts
            }
            Self::ApiKey { key, .. } => vec![key.into()],
            Self::Connection { credential, .. } => vec![credential.into()],
            Self::Attachment { key, .. } => vec![Part::Key(key)],
            Self::Claims { holder, .. } => vec![holder.into()],
        }
    }

    /// What was sealed apart, together again. `r` reads what is open in a secret page.
    pub(super) fn join(
        details: Details,
        picture: Option<Picture>,
        r: &mut FieldsReader<'_>,
    ) -> Result<Self, ItemError> {
        if picture.is_some() && details.kind() != Kind::Profile {
            return Err(ItemError::Form("picture"));
        }
        let contents = match details {
            Details::Note => Self::Note,
            Details::Folder => Self::Folder,
            Details::Profile { username, email } => Self::Profile { username, email, picture },
            Details::Login { username, uris } => {
                let (password, totp) = (hidden(r)?, hidden(r)?);
                let n = r.u64().ok().filter(|n| *n <= FIELDS_MAX as u64);
                let n = n.ok_or(ItemError::Form("fields"))?;
                let fields = (0..n).map(|_| CustomField::read(r)).collect::<Result<_, _>>()?;
                Self::Login { username, uris, password, totp, fields }
            }
            Details::ApiKey { service, scopes, expires_unix_ms } => {
                Self::ApiKey { service, scopes, expires_unix_ms, key: hidden(r)? }
            }
            Details::Connection { service, base_url, scheme } => {
                Self::Connection { service, base_url, scheme, credential: hidden(r)? }
            }
            Details::Attachment { media_type, length_bytes, blob, digest } => {
                let bytes = r.bytes(32).ok().filter(|b| b.len() == 32);
                let bytes = bytes.ok_or(ItemError::Form("blob key"))?;
                let key = Secret::<[u8; 32]>::try_make(|page| {
                    page.copy_from_slice(bytes);
                    Ok::<_, ItemError>(())
                })?;
                Self::Attachment { media_type, length_bytes, blob, digest, key }
            }
            Details::Claims { issuer, until } => Self::Claims { issuer, until, holder: hidden(r)? },
        };
        contents.check().map(|()| contents)
    }
}

impl CustomField {
    fn read(r: &mut FieldsReader<'_>) -> Result<Self, ItemError> {
        let wrong = || ItemError::Form("field");
        let name = r.str(256).ok().and_then(|t| Label::new(t).ok()).ok_or_else(wrong)?;
        let kind = match r.bytes(1).map_err(|_| wrong())? {
            [1] => CustomKind::Text,
            [2] => CustomKind::Hidden,
            [3] => CustomKind::Boolean,
            _ => return Err(wrong()),
        };
        Ok(Self { name, kind, value: hidden(r)? })
    }
}

impl CustomKind {
    const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Text => &[1],
            Self::Hidden => &[2],
            Self::Boolean => &[3],
        }
    }
}

fn hidden(r: &mut FieldsReader<'_>) -> Result<Hidden, ItemError> {
    let bytes = r.bytes(64 << 10).map_err(|_| ItemError::Form("secret"))?;
    Hidden::copy_of(bytes)
}

const FIELDS_MAX: usize = 64;
pub(super) const PICTURE_BYTES_MAX: usize = 256 << 10;
