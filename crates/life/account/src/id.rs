//! Names of rows. Items, blobs and shares have the names that their vault gives them.

use symbolon_ambient::id;

pub use symbolon_vault::wire::{BlobId, ItemId, ShareId};

id! {
    /// An account.
    AccountId
}
id! {
    /// A way of an account to sign in. Not WebAuthn's id, which its authenticator chose.
    CredentialId
}
id! {
    /// A challenge that waits for its proof.
    ChallengeId
}
id! {
    /// A session, as its owner sees it in a list. Knowing it opens nothing.
    SessionId
}
id! {
    /// What an assistant was allowed.
    GrantId
}
