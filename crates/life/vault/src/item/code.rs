//! The four plaintexts of an item, padded: what is sealed of it. `specs/vault.md`, "Items".

use symbolon_codec::{Digest32, Fields, FieldsReader, padme};
use symbolon_crypto::{Sha256, labels};
use symbolon_secret::{Secret, on_stack};

use super::contents::{Contents, PICTURE_BYTES_MAX, Picture};
use super::details::Details;
use super::secrets::Hidden;
use super::text::{Body, Label, TagName, Title};
use super::{Item, ItemError, Marks, TAGS_MAX};
use crate::wire::{ItemId, PLAIN_BYTES_MIN};

/// Where a revision comes from; sealed with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// The digest of the revision before.
    pub previous: Option<Digest32>,
    /// The item whose other version this one is.
    pub conflict_of: Option<ItemId>,
}

/// The first plaintext: what a list shows, and what ties the revision.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub salt: [u8; SALT_BYTES],
    pub lineage: Lineage,
    pub marks: Marks,
    pub details: Details,
}

/// All four, each padded. The secrets are in a secret page.
pub(crate) struct Plain {
    pub about: Vec<u8>,
    pub title: Vec<u8>,
    pub content: Vec<u8>,
    pub secrets: Secret<[u8]>,
}

/// A field of the sealed secrets.
pub(crate) enum Part<'a> {
    Open(&'a [u8]),
    Number(u64),
    Hidden(&'a Hidden),
    Key(&'a Secret<[u8; 32]>),
}

impl<'a> From<&'a Hidden> for Part<'a> {
    fn from(hidden: &'a Hidden) -> Self {
        Self::Hidden(hidden)
    }
}

impl Plain {
    /// Of an item within its bounds.
    pub fn write(item: &Item, lineage: Lineage, salt: [u8; SALT_BYTES]) -> Result<Self, ItemError> {
        item.contents.check()?;
        let about =
            About { salt, lineage, marks: item.marks.clone(), details: item.contents.details() };
        let (media, picture) = match item.contents.picture() {
            Some(p) => (p.media_type.as_str(), &p.bytes[..]),
            None => ("", &[][..]),
        };
        let content = Fields::new(labels::VAULT_CONTENT.as_str())
            .str(item.body.as_str())
            .str(media)
            .bytes(picture)
            .finish();
        if content.len() > CONTENT_BYTES_MAX {
            return Err(ItemError::TooMuch("content"));
        }
        Ok(Self {
            about: pad(&about.write()?),
            title: pad(item.title.as_str().as_bytes()),
            content: pad(&content),
            secrets: secrets(&item.contents.secret_parts())?,
        })
    }

    /// The item again.
    pub fn read(&self) -> Result<(Item, About), ItemError> {
        let about = About::read(&self.about)?;
        let title = read_title(&self.title)?;
        let (body, picture) = read_content(&self.content)?;
        // EXPOSE: read where it lies; what is secret of it goes to pages of its own.
        let secrets = unpad(self.secrets.expose()).ok_or(ItemError::Form("padding"))?;
        let mut r = FieldsReader::new(labels::VAULT_SECRETS.as_str(), secrets)
            .map_err(|_| ItemError::Form("secrets"))?;
        let contents = Contents::join(about.details.clone(), picture, &mut r)?;
        r.end().map_err(|_| ItemError::Form("secrets"))?;
        Ok((Item { title, marks: about.marks.clone(), body, contents }, about))
    }

    /// All four as one, in a secret page: what is handed to somebody else.
    pub fn join(&self) -> Result<Secret<[u8]>, ItemError> {
        // EXPOSE: copied from one secret page to another.
        let secrets = Part::Open(self.secrets.expose());
        let parts =
            [Part::Open(&self.about), Part::Open(&self.title), Part::Open(&self.content), secrets];
        page(labels::VAULT_SHARED.as_str(), &parts, SHARED_BYTES_MAX)
    }

    /// What [`Plain::join`] joined.
    pub fn split(joined: &Secret<[u8]>) -> Result<Self, ItemError> {
        let wrong = |_| ItemError::Form("shared item");
        // EXPOSE: taken apart; what is secret of it goes to a page of its own.
        let bytes = unpad(joined.expose()).ok_or(ItemError::Form("padding"))?;
        let mut r = FieldsReader::new(labels::VAULT_SHARED.as_str(), bytes).map_err(wrong)?;
        let mut open = || r.bytes(SHARED_BYTES_MAX).map(<[u8]>::to_vec).map_err(wrong);
        let (about, title, content) = (open()?, open()?, open()?);
        let secrets = r.bytes(2 * SECRETS_BYTES_MAX).map_err(wrong)?;
        let secrets = Secret::<[u8]>::try_make_slice(secrets.len(), |page| {
            page.copy_from_slice(secrets);
            Ok::<_, ItemError>(secrets.len())
        })?;
        r.end().map_err(wrong)?;
        Ok(Self { about, title, content, secrets })
    }

    /// What commits a revision to them.
    pub fn commitment(&self, salt: &[u8; SALT_BYTES]) -> Result<Digest32, ItemError> {
        let wrong = ItemError::Form("padding");
        // EXPOSE: hashed where it lies, on the secret stack.
        let secrets = unpad(self.secrets.expose()).ok_or(wrong)?;
        let open = [&self.about, &self.title, &self.content];
        let open: Vec<&[u8]> =
            open.into_iter().map(|p| unpad(p)).collect::<Option<_>>().ok_or(wrong)?;
        Ok(on_stack(|| {
            let mut h = Sha256::new();
            h.field(labels::VAULT_COMMITMENT.as_str().as_bytes());
            for plain in open {
                h.field(plain);
            }
            h.field(secrets);
            h.field(salt);
            h.finish()
        }))
    }
}

impl About {
    fn write(&self) -> Result<Vec<u8>, ItemError> {
        let tags = &self.marks.tags;
        let twice = tags.iter().enumerate().any(|(n, tag)| tags[..n].contains(tag));
        if tags.len() > TAGS_MAX || twice { Err(ItemError::Tags) } else { Ok(self.encode()) }
    }

    /// The plaintext.
    pub fn encode(&self) -> Vec<u8> {
        let tags = &self.marks.tags;
        let flags = u8::from(self.marks.pinned) | u8::from(self.marks.template) << 1;
        let f = Fields::new(labels::VAULT_ABOUT.as_str())
            .bytes(&self.salt)
            .bytes(self.lineage.previous.as_ref().map_or(&[][..], |d| &d.0))
            .bytes(self.lineage.conflict_of.as_ref().map_or(&[][..], |id| id.as_bytes()))
            .bytes(&[flags])
            .u64(tags.len() as u64);
        let f = tags.iter().fold(f, |f, tag| f.str(tag.as_str()));
        self.details.write(f).finish()
    }

    /// From the padded plaintext.
    pub fn read(padded: &[u8]) -> Result<Self, ItemError> {
        Self::decode(unpad(padded).ok_or(ItemError::Form("padding"))?)
    }

    /// From the plaintext.
    pub fn decode(bytes: &[u8]) -> Result<Self, ItemError> {
        let wrong = |_| ItemError::Form("about");
        let mut r = FieldsReader::new(labels::VAULT_ABOUT.as_str(), bytes).map_err(wrong)?;
        let salt = r.array().map_err(wrong)?;
        let previous = match r.bytes(32).map_err(wrong)? {
            [] => None,
            d => Some(Digest32(d.try_into().map_err(|_| ItemError::Form("previous"))?)),
        };
        let conflict_of = match r.bytes(16).map_err(wrong)? {
            [] => None,
            id => {
                let id: [u8; 16] = id.try_into().map_err(|_| ItemError::Form("conflict"))?;
                Some(ItemId::from(id))
            }
        };
        let [flags] = r.array().map_err(wrong)?;
        if flags > 3 {
            return Err(ItemError::Form("flags"));
        }
        let n = r.u64().map_err(wrong)?;
        if n > TAGS_MAX as u64 {
            return Err(ItemError::Tags);
        }
        let mut tags = Vec::with_capacity(n as usize);
        for _ in 0..n {
            let tag = r.str(64).map_err(wrong)?;
            let tag = TagName::new(tag).map_err(|_| ItemError::Form("tag"))?;
            if tags.contains(&tag) {
                return Err(ItemError::Tags);
            }
            tags.push(tag);
        }
        let details = Details::read(&mut r)?;
        r.end().map_err(wrong)?;
        let marks = Marks { tags, pinned: flags & 1 != 0, template: flags & 2 != 0 };
        Ok(Self { salt, lineage: Lineage { previous, conflict_of }, marks, details })
    }
}

/// From the padded plaintext.
pub(crate) fn read_title(padded: &[u8]) -> Result<Title, ItemError> {
    let bytes = unpad(padded).ok_or(ItemError::Form("padding"))?;
    let text = std::str::from_utf8(bytes).map_err(|_| ItemError::Form("title"))?;
    Title::new(text).map_err(|_| ItemError::Form("title"))
}

/// From the padded plaintext.
pub(crate) fn read_content(padded: &[u8]) -> Result<(Body, Option<Picture>), ItemError> {
    let bytes = unpad(padded).ok_or(ItemError::Form("padding"))?;
    let wrong = |_| ItemError::Form("content");
    let mut r = FieldsReader::new(labels::VAULT_CONTENT.as_str(), bytes).map_err(wrong)?;
    let body = r.str(CONTENT_BYTES_MAX).map_err(wrong)?;
    let body = Body::new(body).map_err(|_| ItemError::Form("body"))?;
    let media = r.str(256).map_err(wrong)?;
    let media_type = Label::new(media).map_err(|_| ItemError::Form("media type"))?;
    let bytes = r.bytes(PICTURE_BYTES_MAX).map_err(wrong)?;
    r.end().map_err(wrong)?;
    let is_none = media.is_empty() && bytes.is_empty();
    Ok((body, (!is_none).then(|| Picture { media_type, bytes: bytes.to_vec() })))
}

/// `u32 length | bytes | zeros`.
fn pad(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(padme::padded_len(bytes.len() + 4, PLAIN_BYTES_MIN));
    // Every plaintext is bounded far below 4 GiB.
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
    out.resize(padme::padded_len(out.len(), PLAIN_BYTES_MIN), 0);
    out
}

/// What [`pad`] was given; `None` for what it does not write.
fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (len, rest) = padded.split_first_chunk::<4>()?;
    let (bytes, zeros) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    let is_ours = padded.len() == padme::padded_len(bytes.len() + 4, PLAIN_BYTES_MIN);
    (is_ours && zeros.iter().all(|b| *b == 0)).then_some(bytes)
}

/// The field list of the secrets, padded.
fn secrets(parts: &[Part<'_>]) -> Result<Secret<[u8]>, ItemError> {
    page(labels::VAULT_SECRETS.as_str(), parts, SECRETS_BYTES_MAX)
}

/// A field list, padded, laid out in a secret page.
fn page(label: &str, parts: &[Part<'_>], max: usize) -> Result<Secret<[u8]>, ItemError> {
    let label = label.as_bytes();
    let size = |part: &Part<'_>| 4 + part.with(|bytes| bytes.len());
    let len = 4 + label.len() + parts.iter().map(size).sum::<usize>();
    if len > max {
        return Err(ItemError::TooMuch("secrets"));
    }
    let padded = padme::padded_len(len + 4, PLAIN_BYTES_MIN);
    Secret::<[u8]>::try_make_slice(padded, |page| {
        let mut at = 0;
        let mut write = |bytes: &[u8]| {
            page[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        write(&(len as u32).to_be_bytes());
        write(&(label.len() as u32).to_be_bytes());
        write(label);
        for part in parts {
            part.with(|bytes| {
                write(&(bytes.len() as u32).to_be_bytes());
                write(bytes);
            });
        }
        Ok(padded)
    })
}

impl Part<'_> {
    fn with<R>(&self, see: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Open(bytes) => see(bytes),
            Self::Number(n) => see(&n.to_be_bytes()),
            // EXPOSE: copied from one secret page to another.
            Self::Hidden(hidden) => see(hidden.secret().expose()),
            // EXPOSE: copied from one secret page to another.
            Self::Key(key) => see(key.expose()),
        }
    }
}

pub(crate) const SALT_BYTES: usize = 32;
const CONTENT_BYTES_MAX: usize = (1 << 20) + 256;
const SECRETS_BYTES_MAX: usize = 64 << 10;
/// All four, padded: a revision's bound.
const SHARED_BYTES_MAX: usize = crate::wire::REVISION_BYTES_MAX;
