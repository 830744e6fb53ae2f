//! Copies of items for others: sealed to another vault, or behind a link.

use serde_json::{Value, json};
use symbolon_codec::{b64url, hex};
use symbolon_crypto::{RecipientKey, VerifyingKey};
use symbolon_secret::Secret;
use symbolon_vault::fingerprint;
use symbolon_vault::item::Item;
use symbolon_vault::share::{LinkSecret, open_link, seal_link, seal_share};
use symbolon_vault::wire::{ItemId, ShareId};

use super::view::{Shown, kind_name};
use super::{Problem, Vault};

/// A link that was made, and what goes to the server for it.
#[derive(Debug)]
pub struct MadeLink {
    /// The share's name, which stands in the link.
    pub share: ShareId,
    /// What stands behind the `#`.
    pub fragment: Secret<[u8]>,
    /// What the server keeps.
    pub sealed: Vec<u8>,
}

impl Vault {
    /// What two people compare of another account's share key, in base64url.
    ///
    /// # Errors
    /// `share` for a key that is none.
    pub fn fingerprint_of(share_key: &str) -> Result<String, Problem> {
        Ok(fingerprint(&key(share_key)?))
    }

    /// A copy of an item, sealed to another account's share key.
    ///
    /// # Errors
    /// `share` for folders and attachments, `missing`.
    pub fn share_with(&self, id: &str, share_key: &str) -> Result<Vec<u8>, Problem> {
        let item = self.replica.open(id.parse::<ItemId>()?)?;
        let (keys, key) = (self.replica.keys(), key(share_key)?);
        Ok(seal_share(keys, &item, &key, &*self.clock, &*self.rng)?.1)
    }

    /// A copy of an item behind a link.
    ///
    /// # Errors
    /// As [`Vault::share_with`].
    pub fn share_link(&self, id: &str) -> Result<MadeLink, Problem> {
        let item = self.replica.open(id.parse::<ItemId>()?)?;
        let (share, secret) = (ShareId::make(&*self.rng), LinkSecret::make(&*self.rng));
        let sealed = seal_link(share, &secret, &item, &*self.rng)?;
        Ok(MadeLink { share, fragment: secret.fragment(), sealed })
    }

    /// What somebody shared with this vault, and who.
    ///
    /// # Errors
    /// `sender`, `other_key`, `moved`, `damaged`.
    pub fn received(&self, sealed: &[u8]) -> Result<String, Problem> {
        let got = self.replica.keys().open_share(sealed)?;
        let mut shown = shown(&got.item);
        shown["sender"] = signer(&got.sender).into();
        shown["created"] = got.created_unix_ms.into();
        Ok(shown.to_string())
    }

    /// Takes what somebody shared into this vault.
    ///
    /// # Errors
    /// As [`Vault::received`].
    pub fn take(&mut self, sealed: &[u8]) -> Result<ItemId, Problem> {
        let got = self.replica.keys().open_share(sealed)?;
        Ok(self.replica.create_item(&got.item, None, &*self.clock, &*self.rng)?)
    }
}

impl Vault {
    /// Puts an item that another module of the Worker handed over, sealed as behind a link, under its own id.
    /// `marks`: 1 where it is pinned, 2 where it is a template; `times`: when it was made, and changed.
    ///
    /// # Errors
    /// `missing` for an id that was erased, `edit` for one of another kind.
    pub fn put_copy(
        &mut self,
        copy: Linked,
        id: &str,
        folder: Option<&str>,
        marks: u8,
        times: [u64; 2],
    ) -> Result<(), Problem> {
        let Linked(mut item) = copy;
        (item.marks.pinned, item.marks.template) = (marks & 1 != 0, marks & 2 != 0);
        let folder = folder.map(str::parse::<ItemId>).transpose()?;
        Ok(self.replica.put_item(id.parse()?, &item, folder, times, &*self.rng)?)
    }
}

/// A share behind a link, opened; nobody needs an account for it.
#[derive(Debug)]
pub struct Linked(Item);

impl Linked {
    /// Opens the share of this id by what stands behind the `#`.
    ///
    /// # Errors
    /// `link` where the fragment is none, `other_key` where it is of another link, `moved`, `damaged`.
    pub fn open(id: &str, fragment: &Secret<[u8]>, sealed: &[u8]) -> Result<Self, Problem> {
        Ok(Self(open_link(share_id(id)?, &LinkSecret::parse(fragment)?, sealed)?))
    }

    /// Whether a link is whole, before a view of it is counted.
    ///
    /// # Errors
    /// `link`.
    pub fn check(id: &str, fragment: &Secret<[u8]>) -> Result<(), Problem> {
        share_id(id)?;
        LinkSecret::parse(fragment)?;
        Ok(())
    }

    /// As it is shown, without its secrets.
    pub fn shown(&self) -> String {
        shown(&self.0).to_string()
    }

    /// One of its secrets, by the names that [`Vault::secret`] has.
    pub fn secret(&self, name: &str) -> Option<&Secret<[u8]>> {
        super::secrets::named(&self.0.contents, name).map(|hidden| hidden.secret())
    }
}

fn share_id(id: &str) -> Result<ShareId, Problem> {
    id.parse().map_err(|_| Problem::new("link", "the link is not whole: its address was cut"))
}

fn shown(item: &Item) -> Value {
    json!({
        "kind": kind_name(item.kind()),
        "title": item.title.as_str(),
        "body": item.body.as_str(),
        "contents": Shown::from(item),
    })
}

/// What two people compare of who signed: the first 128 bits of the key, as a share key's fingerprint is
/// written.
pub(super) fn signer(key: &VerifyingKey) -> String {
    let hex = hex::encode(key.as_bytes());
    let groups: Vec<&str> = (0..8).filter_map(|n| hex.get(n * 4..n * 4 + 4)).collect();
    groups.join(" ")
}

fn key(share_key: &str) -> Result<RecipientKey, Problem> {
    let none = || Problem::new("share", "the server sent a share key that is none");
    let bytes = b64url::decode(share_key, 32).map_err(|_| none())?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| none())?;
    RecipientKey::from_bytes(&bytes).map_err(|_| none())
}
