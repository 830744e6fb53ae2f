//! The outer tags of a chip's files: BER-TLV of definite lengths (ISO/IEC 7816-4, section 5.2.2).

/// The value of the one object of that tag that the bytes are.
pub fn only(tag: u32, bytes: &[u8]) -> Option<&[u8]> {
    let (found, rest) = split_tag(bytes)?;
    let (len, rest) = split_len(rest)?;
    (found == tag && rest.len() == len).then_some(rest)
}

/// Tags of one byte and of two.
fn split_tag(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x1f != 0x1f {
        return Some((u32::from(*first), rest));
    }
    let (second, rest) = rest.split_first()?;
    (second & 0x80 == 0).then_some((u32::from(*first) << 8 | u32::from(*second), rest))
}

/// Lengths in the fewest bytes, up to four.
fn split_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let count = match first {
        0..=0x7f => return Some((usize::from(*first), rest)),
        0x81..=0x84 => usize::from(first - 0x80),
        _ => return None,
    };
    let (digits, rest) = rest.split_at_checked(count)?;
    let len = digits
        .iter()
        .try_fold(0_usize, |len, byte| len.checked_mul(256)?.checked_add(usize::from(*byte)))?;
    let is_shortest = len > 0x7f && digits[0] != 0;
    is_shortest.then_some((len, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_in_the_fewest_bytes() {
        assert_eq!(only(0x61, &[0x61, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!(only(0x5f1f, &[0x5f, 0x1f, 1, 7]), Some(&[7][..]));
        let long = [&[0x77, 0x81, 0x80][..], &[5; 128]].concat();
        assert_eq!(only(0x77, &long).map(<[u8]>::len), Some(128));
        for wrong in [
            &[][..],
            &[0x61],
            &[0x61, 2, 7],
            &[0x61, 2, 7, 8, 9],
            &[0x62, 2, 7, 8],
            &[0x61, 0x81, 2, 7, 8],
            &[0x61, 0x82, 0, 2, 7, 8],
            &[0x61, 0x80, 7, 8, 0, 0],
            &[0x61, 0x85, 0, 0, 0, 0, 2, 7, 8],
            &[0x7f, 0x81, 1, 7],
        ] {
            assert_eq!(only(0x61, wrong), None, "{wrong:x?}");
        }
    }
}
