//! Entropy for canaries, straight from the kernel.

use std::fs::File;
use std::io::{BufReader, Read};

/// A secret of letters and digits: it stands unchanged in headers, queries, URLs and JSON.
pub fn secret(length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // Bytes past the last whole multiple would favour the first letters.
    let limit = 256 - 256 % LETTERS.len();
    let random = File::open("/dev/urandom").expect("the kernel gives entropy");
    let mut random = BufReader::with_capacity(256, random).bytes();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let byte = usize::from(random.next().expect("endless").expect("readable"));
        if byte < limit {
            text.push(char::from(LETTERS[byte % LETTERS.len()]));
        }
    }
    text
}
