//! HKDF-SHA256 (RFC 5869) with labels from the table.

use hkdf::Hkdf;
use symbolon_codec::Fields;
use symbolon_secret::{Secret, on_stack};

use crate::labels::Label;

/// 32 bytes from `ikm`, for one purpose (`label`) and one place (`context`).
///
/// `info` is the canonical field list of label and context, so that no two pairs share it. An
/// empty `salt` is RFC 5869's default, for input that is uniformly random already.
pub fn hkdf_sha256<K: AsRef<[u8]> + ?Sized>(
    ikm: &Secret<K>,
    salt: &[u8],
    label: &Label,
    context: &[u8],
) -> Secret<[u8; 32]> {
    let info = Fields::new(label.as_str()).bytes(context).finish();
    Secret::<[u8; 32]>::make(|out| {
        // EXPOSE: HKDF reads the input keying material, on the secret stack.
        on_stack(|| expand(ikm.expose().as_ref(), salt, &info, out));
    })
}

/// RFC 5869 extract and expand. `out` is at most 8160 bytes at every caller: this crate's are 32,
/// the vectors' lengths are checked by the test.
pub(crate) fn expand(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
    let salt = (!salt.is_empty()).then_some(salt);
    if Hkdf::<sha2::Sha256>::new(salt, ikm).expand(info, out).is_err() {
        // INFALLIBLE: every caller asks for 32 bytes; the vectors' test stays within the bound.
        unreachable!("HKDF-SHA256 gives up to 8160 bytes (RFC 5869, section 2.3)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels;

    fn derive(ikm: u8, salt: &[u8], label: &Label, context: &[u8]) -> Vec<u8> {
        let ikm = Secret::<[u8; 32]>::make(|b| b.fill(ikm));
        // EXPOSE: a test compares.
        hkdf_sha256(&ikm, salt, label, context).expose().to_vec()
    }

    #[test]
    fn every_input_changes_the_key() {
        let base = derive(1, b"s", &labels::KEK_DEVICE, b"c");
        assert_eq!(base, derive(1, b"s", &labels::KEK_DEVICE, b"c"));
        assert_ne!(base, derive(2, b"s", &labels::KEK_DEVICE, b"c"));
        assert_ne!(base, derive(1, b"t", &labels::KEK_DEVICE, b"c"));
        assert_ne!(base, derive(1, b"s", &labels::KEK_TPM, b"c"));
        assert_ne!(base, derive(1, b"s", &labels::KEK_DEVICE, b""));
    }

    #[test]
    fn info_is_the_field_list_of_label_and_context() {
        let mut expected = [0; 32];
        let info = b"\0\0\0\x16symbolon/kek/device/v1\0\0\0\x01c";
        expand(&[1; 32], b"s", info, &mut expected);
        assert_eq!(derive(1, b"s", &labels::KEK_DEVICE, b"c"), expected);
    }
}
