//! Check digits (ICAO 9303-3, section 4.9).

/// The digit of characters: weights 7, 3 and 1, modulo 10. `<` counts 0, `A` to `Z` 10 to 35.
pub fn digit<'a>(characters: impl IntoIterator<Item = &'a u8>) -> u8 {
    let weighted = characters.into_iter().zip([7, 3, 1].into_iter().cycle());
    let sum: u32 = weighted.map(|(character, weight)| value(*character) * weight).sum();
    b'0' + (sum % 10) as u8
}

fn value(character: u8) -> u32 {
    match character {
        b'0'..=b'9' => u32::from(character - b'0'),
        b'A'..=b'Z' => u32::from(character - b'A') + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ICAO 9303-3, examples of section 4.9.
    #[test]
    fn examples_of_icao() {
        assert_eq!(digit(b"520727"), b'3');
        assert_eq!(digit(b"AB2134<<<"), b'5');
        let composite = [&b"HA672242<6"[..], b"5802254", b"9601086", b"<<<<<<<<<<<<<<0"].concat();
        assert_eq!(digit(&composite), b'8');
        assert_eq!(
            digit(
                &[&b"D231458907"[..], b"<<<<<<<<<<<<<<<", b"3407127", b"9507122", b"<<<<<<<<<<<"]
                    .concat()
            ),
            b'2'
        );
    }
}
