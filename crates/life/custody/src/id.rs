//! Names of vaults and wraps.

use symbolon_ambient::id;

id! {
    /// A vault.
    VaultId
}
id! {
    /// A wrap of a vault's data key.
    WrapId
}
