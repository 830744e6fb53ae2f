//! Shares behind a link: the key is in the fragment, which no browser sends to a server.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_codec::{CodecError, Fields, FieldsReader, b64url};
use symbolon_crypto::{FieldKey, Place, labels};
use symbolon_secret::Secret;

use super::{SHARE_BYTES_MAX, ShareError, handed, received};
use crate::item::Item;
use crate::wire::ShareId;

/// 256 random bits: whoever has them, and the share, reads the item.
pub struct LinkSecret(Secret<[u8; 32]>);

impl LinkSecret {
    /// A new one.
    pub fn make(rng: &dyn Rng) -> Self {
        Self(Secret::<[u8; 32]>::make(|page| rng.fill(page)))
    }

    /// What stands behind the `#`: 43 characters of base64url.
    pub fn fragment(&self) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(FRAGMENT_BYTES, |page| {
            // EXPOSE: spelled from one secret page into another.
            // INFALLIBLE: 32 bytes are spelled in 43.
            b64url::encode_into(self.0.expose(), page).expect("43 bytes are enough");
        })
    }

    /// From what stands behind the `#`.
    ///
    /// # Errors
    /// [`ShareError::Link`].
    pub fn parse(fragment: &Secret<[u8]>) -> Result<Self, ShareError> {
        // EXPOSE: read from one secret page into another.
        let text = std::str::from_utf8(fragment.expose()).map_err(|_| ShareError::Link)?;
        let mut bytes = b64url::decode(text, 32).map_err(|_| ShareError::Link)?;
        let whole = bytes.len() == 32;
        let secret = Secret::<[u8; 32]>::try_make(|page| {
            if whole {
                page.copy_from_slice(&bytes);
            }
            Ok::<_, ShareError>(())
        });
        symbolon_secret::wipe(&mut bytes);
        if whole { Ok(Self(secret?)) } else { Err(ShareError::Link) }
    }

    fn key(&self, id: ShareId) -> FieldKey {
        FieldKey::derive(&self.0, &labels::KEY_VAULT_LINK, id.as_bytes())
    }
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret")
    }
}

/// Seals a copy of an item under a link's secret. How long and how often it is given out, the server
/// that keeps it decides.
///
/// # Errors
/// [`ShareError::Kind`], [`ShareError::Item`], [`ShareError::NoPage`].
pub fn seal_link(
    id: ShareId,
    secret: &LinkSecret,
    item: &Item,
    rng: &dyn Rng,
) -> Result<Vec<u8>, ShareError> {
    let handed = handed(item)?;
    // EXPOSE: sealed where it lies.
    let field = secret.key(id).seal(&place(id), handed.expose(), rng);
    let label = labels::VAULT_LINK.as_str();
    Ok(Fields::new(label).bytes(id.as_bytes()).bytes(&field).finish())
}

/// Opens what [`seal_link`] sealed; `id` is the one in the link.
///
/// # Errors
/// [`ShareError`]; a share of another link is [`ShareError::Moved`].
pub fn open_link(id: ShareId, secret: &LinkSecret, bytes: &[u8]) -> Result<Item, ShareError> {
    if bytes.len() > SHARE_BYTES_MAX {
        let (found, max) = (bytes.len(), SHARE_BYTES_MAX);
        return Err(CodecError::TooLong { found, max }.into());
    }
    let mut r = FieldsReader::new(labels::VAULT_LINK.as_str(), bytes)?;
    let found = ShareId::from(r.array()?);
    let field = r.bytes(SHARE_BYTES_MAX)?;
    r.end()?;
    if found != id {
        return Err(ShareError::Moved);
    }
    received(&secret.key(id).open(&place(id), field)?)
}

fn place(id: ShareId) -> Place {
    Place::new(&labels::VAULT_SHARED_ITEM, &[id.as_bytes()])
}

const FRAGMENT_BYTES: usize = 43;
