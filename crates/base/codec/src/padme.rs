//! Lengths that say little.

/// The length to which so many bytes are filled, `min` at least. Padmé (Nikitin and others, "Reducing
/// Metadata Leakage from Encrypted Files and Communication with PURBs", 2019): at most 12 % more, and
/// of all lengths up to n bytes only about log log n bits are told. `min` is a power of two, 2 at least.
pub fn padded_len(bytes: usize, min: usize) -> usize {
    let len = bytes.max(min).max(2);
    let exponent = usize::BITS - 1 - len.leading_zeros();
    let significant = u32::BITS - exponent.leading_zeros();
    let mask = (1_usize << (exponent - significant)) - 1;
    (len + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_lengths_each_its_own_and_at_most_an_eighth_more() {
        assert_eq!((padded_len(0, 64), padded_len(64, 64), padded_len(65, 64)), (64, 64, 72));
        let mut kinds = std::collections::BTreeSet::new();
        for len in 0..100_000 {
            let padded = padded_len(len, 64);
            assert!(padded >= len && (padded <= 64 || padded * 100 <= len * 112), "{len}");
            assert_eq!(padded_len(padded, 64), padded);
            kinds.insert(padded);
        }
        assert!(kinds.len() < 200, "{}", kinds.len());
    }
}
