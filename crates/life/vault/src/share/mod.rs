//! Handing a copy of an item to somebody: to another vault, or to whoever has a link.
//! `specs/vault.md`, "Shares".

mod link;
mod sealed;
#[cfg(test)]
mod tests;

pub use link::{LinkSecret, open_link, seal_link};
pub use sealed::{Received, seal_share};

use symbolon_codec::CodecError;
use symbolon_crypto::{FieldError, HpkeError};
use symbolon_secret::{MemoryError, Secret};

use crate::item::{Item, ItemError, Kind, Lineage, Plain, SALT_BYTES};

/// Why nothing was shared, or a share not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// A folder has nothing of its own, the chunks of an attachment are its owner's, and who had claims
    /// could prove in their owner's name.
    #[error("folders, attachments and claims cannot be shared")]
    Kind,
    /// The bytes are no share of this version.
    #[error("this is no share: {0}")]
    Form(#[from] CodecError),
    /// It is sealed to another vault.
    #[error("the share is sealed to another vault")]
    Recipient,
    /// Its sender did not sign it, or it was changed.
    #[error("the share is not signed by the sender that it names")]
    Signature,
    /// It does not open with this key.
    #[error("the share does not open with this key")]
    OtherKey,
    /// It was put in the place of another.
    #[error("the share was put in the place of another")]
    Moved,
    /// Changed bytes.
    #[error("the share is damaged")]
    Damaged,
    /// The text behind the `#` is no key.
    #[error("the link is not whole: the part behind # is missing or was cut")]
    Link,
    /// What was sealed is no item of this version, or one beyond its bounds.
    #[error(transparent)]
    Item(ItemError),
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<FieldError> for ShareError {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::WrongKey => Self::OtherKey,
            FieldError::Moved(_) => Self::Moved,
            FieldError::NoPage => Self::NoPage,
            _ => Self::Damaged,
        }
    }
}

impl From<ItemError> for ShareError {
    fn from(error: ItemError) -> Self {
        if error == ItemError::NoPage { Self::NoPage } else { Self::Item(error) }
    }
}

impl From<HpkeError> for ShareError {
    fn from(error: HpkeError) -> Self {
        if error == HpkeError::NoPage { Self::NoPage } else { Self::OtherKey }
    }
}

impl From<MemoryError> for ShareError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// What is handed over of an item: all that it says, and nothing of where it comes from.
fn handed(item: &Item) -> Result<Secret<[u8]>, ShareError> {
    if matches!(item.kind(), Kind::Folder | Kind::Attachment | Kind::Claims) {
        return Err(ShareError::Kind);
    }
    Ok(Plain::write(item, Lineage::default(), [0; SALT_BYTES])?.join()?)
}

/// The item again. Marks are the receiver's own.
fn received(joined: &Secret<[u8]>) -> Result<Item, ShareError> {
    let (mut item, _) = Plain::split(joined)?.read()?;
    if matches!(item.kind(), Kind::Folder | Kind::Attachment | Kind::Claims) {
        return Err(ShareError::Kind);
    }
    (item.marks.pinned, item.marks.template) = (false, false);
    Ok(item)
}

/// The longest share: an item and what stands around it.
pub const SHARE_BYTES_MAX: usize = crate::wire::REVISION_BYTES_MAX + 65_536;
