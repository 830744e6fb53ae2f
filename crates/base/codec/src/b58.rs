//! Base58 with Bitcoin's alphabet, of 32 bytes: how Solana writes public keys.

/// 32 bytes as 32 to 44 characters.
pub fn encode(bytes: &[u8; 32]) -> String {
    let mut digits = [0u8; CHARACTERS_MAX];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in digits.iter_mut().rev() {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
    }
    // Each leading zero byte is a `1` of its own; the number's own leading zeros are left out.
    let ones = bytes.iter().take_while(|b| **b == 0).count();
    let number = digits.iter().skip_while(|d| **d == 0);
    let character = |digit: &u8| char::from(ALPHABET[usize::from(*digit)]);
    std::iter::repeat_n('1', ones).chain(number.map(character)).collect()
}

/// The reverse; `None` where the text is not that of 32 bytes.
pub fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() > CHARACTERS_MAX {
        return None;
    }
    let mut bytes = [0u8; 32];
    for character in text.bytes() {
        let mut carry = ALPHABET.iter().position(|c| *c == character)? as u32;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    (encode(&bytes) == text).then_some(bytes)
}

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// 58^44 is more than 2^256.
const CHARACTERS_MAX: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses of Solana's own programs, and of a wallet.
    #[test]
    fn known_keys() {
        assert_eq!(encode(&[0; 32]), "1".repeat(32));
        let token = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
        let key = "06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a9";
        assert_eq!(hex::encode(decode(token).unwrap()), key);
        let vote = "Vote111111111111111111111111111111111111111";
        assert_eq!(encode(&decode(vote).unwrap()), vote);
        let mut small = [0; 32];
        small[31] = 57;
        assert_eq!(encode(&small), format!("{}z", "1".repeat(31)));
        assert_eq!(decode(&encode(&small)), Some(small));
        assert_eq!(decode(&encode(&[0xff; 32])), Some([0xff; 32]));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let more = "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFH";
        for text in
            ["", "1", &"1".repeat(31), &"1".repeat(33), &"z".repeat(44), &"0".repeat(43), "é"]
        {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode(more), None, "2^256");
    }
}
