//! Bytes that came from JavaScript.

use symbolon_secret::{Secret, wipe};

/// Moves bytes into secret memory. What they came in is wiped; the caller wipes its own.
pub(super) fn taken(mut bytes: Vec<u8>) -> Secret<[u8]> {
    let secret = Secret::<[u8]>::make_slice(bytes.len(), |out| out.copy_from_slice(&bytes));
    wipe(&mut bytes);
    secret
}
