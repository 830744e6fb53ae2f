//! Names of items, blobs and shares.

use symbolon_ambient::id;

id! {
    /// An item of a vault.
    ItemId
}
id! {
    /// The chunks of an attachment.
    BlobId
}
id! {
    /// A copy of an item that was handed to somebody.
    ShareId
}
