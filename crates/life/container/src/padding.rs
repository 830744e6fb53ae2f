//! Lengths that say little: `u32 length | content | zeros`, filled to a length of Padmé.

use symbolon_codec::padme;
use symbolon_secret::{MemoryError, Secret};

/// How long a padded content of so many bytes is; below 256 bytes all are alike.
pub(crate) fn padded_len(content: usize) -> usize {
    padme::padded_len(content + 4, LENGTH_MIN)
}

/// The content with its length before and zeros behind, in a secret page.
pub(crate) fn pad(content: &Secret<[u8]>) -> Result<Secret<[u8]>, MemoryError> {
    let len = padded_len(content.len());
    Secret::<[u8]>::try_make_slice(len, |page| {
        // Every content is bounded far below 4 GiB.
        page[..4].copy_from_slice(&(content.len() as u32).to_be_bytes());
        // EXPOSE: copied from one secret page to another.
        page[4..4 + content.len()].copy_from_slice(content.expose());
        Ok(len)
    })
}

/// The content; `None` where length or zeros are not what [`pad`] writes.
pub(crate) fn unpad(padded: &Secret<[u8]>) -> Option<Secret<[u8]>> {
    // EXPOSE: its length and its zeros are checked, and the rest is copied to another page.
    let bytes = padded.expose();
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let len = u32::from_be_bytes(*len) as usize;
    let (content, zeros) = rest.split_at_checked(len)?;
    let is_ours = bytes.len() == padded_len(len) && zeros.iter().all(|b| *b == 0);
    is_ours.then(|| Secret::<[u8]>::make_slice(len, |page| page.copy_from_slice(content)))
}

const LENGTH_MIN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_in_few_kinds_and_cost_little() {
        assert_eq!((padded_len(0), padded_len(252), padded_len(253)), (256, 256, 272));
        for len in (0..100_000).step_by(37) {
            let padded = padded_len(len);
            assert!(padded >= len + 4 && (padded <= 256 || padded * 100 <= (len + 4) * 112));
            assert_eq!(padded_len(padded - 4), padded, "a padded length stays");
        }
    }

    #[test]
    fn what_is_padded_comes_back() {
        for len in [0, 1, 252, 253, 5000] {
            let content = Secret::<[u8]>::make_slice(len, |b| b.fill(7));
            let padded = pad(&content).expect("a page");
            assert_eq!(padded.len(), padded_len(len));
            assert!(unpad(&padded).expect("ours").ct_eq(&content));
        }
        let mut odd = Secret::<[u8]>::make_slice(256, |b| b[3] = 1);
        assert!(unpad(&odd).is_some());
        // EXPOSE: a test changes a byte of the filling.
        odd.expose_mut()[255] = 1;
        assert!(unpad(&odd).is_none());
    }
}
