use symbolon_ambient::{Rng, SeededRng};
use symbolon_codec::{b64url, hex};

use super::*;

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
}

#[test]
fn what_people_and_careless_programs_make_is_refused() {
    for weak in [
        "",
        "hunter2",
        "password123",
        &"a".repeat(64),
        &"ab".repeat(64),
        &"0123456789".repeat(8),
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnm",
        "zyxwvutsrqponmlkjihgfedcba9876543210zyxwvutsrqponmlkj",
        "sk_live_password_password_password_password",
        "correct-horse-battery-staple",
        "P4ssw0rdP4ssw0rdP4ssw0rdP4ssw0rd",
        "my-secret-api-token-for-production-server",
        "changemechangemechangemechangemechangeme",
        "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
        "11111111111111111111111111111112",
        "000000000000000000000000000000000000000000000000000000000000002a",
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee",
        // 122 bits, whatever its length says; and 124.
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "c3b1f09ad7e2486b5f1d0a9e7c43b8d",
        // Random, and short.
        "sk_live_4eC39HqLyjWD",
    ] {
        let refused = StrongKey::of(secret(weak));
        assert!(refused.is_err(), "{weak:?} is worth {}", bits(weak.as_bytes()));
    }
}

#[test]
fn keys_as_services_make_them_are_taken() {
    let rng = SeededRng::new(1);
    let mut taken = [0; 4];
    let rounds = 200;
    for _ in 0..rounds {
        let bytes = rng.bytes::<32>();
        for (n, key) in [
            hex::encode(&bytes[..16]),
            format!("sk_live_{}", b64url::encode(&bytes[..18])),
            hex::encode(bytes),
            format!("ghp_{}", b64url::encode(&bytes)),
        ]
        .iter()
        .enumerate()
        {
            taken[n] += usize::from(StrongKey::of(secret(key)).is_ok());
        }
    }
    // 128 bits and 144: what chance makes look made is refused, which is rare; 256 have room for it.
    assert!(taken[..2].iter().all(|taken| *taken >= rounds * 98 / 100), "{taken:?}");
    assert_eq!(taken[2..], [rounds; 2]);
}

#[test]
fn the_bound_of_random_keys_is_length_times_alphabet() {
    assert_eq!(bits(b"9f86d081884c7d659a2feaa0c55ad015"), 128);
    assert_eq!(bits(b"c3b1f09ad7e2486b5f1d0a9e7c43b8d"), 124);
    assert_eq!(bits(b"F47AC10B-58CC-4372-A567-0E02B2C3D479"), 122);
    // One foreign character in a key of hex does not make 94 of each.
    assert!(bits(b"c3b1f09ad7e2486b5f1d0a9e7c43b8d!") < 128 + 8);
    assert!(bits(b"bxkqwpzmvhtyrdgncfjslxkdwqzvbm") > 120);
}

/// Each kind of piece, worth what it says and no more: without it the key would pass.
#[test]
fn each_kind_of_piece_is_found() {
    let random = "xK4vQ9zTb2Lw7Rf"; // 15 characters of 62: 89 bits
    let alone = bits(random.as_bytes());
    assert_eq!(alone, 89);
    for (kind, added, at_most) in [
        ("one character again", "wwwwwwwwwwwwwwww".to_owned(), 16),
        ("itself again", random.to_owned(), 12),
        ("a row", "efghijklmnopqrstuv".to_owned(), 16),
        ("a row back", "9876543210".to_owned(), 16),
        ("the keyboard", "qwertyuiop".to_owned(), 16),
        ("words", "winterumbrella".to_owned(), 29),
        ("words in capitals", "WinterUmbrella".to_owned(), 31),
        ("words with digits", "w1nt3rumbr3ll4".to_owned(), 33),
        ("a word of bad keys", "administrator".to_owned(), 18),
    ] {
        let found = bits(format!("{random}{added}").as_bytes());
        assert!(found <= alone + at_most, "{kind}: {found}");
    }
}

#[test]
fn separators_and_prefixes_say_nothing() {
    let hex = "9f86d081884c7d659a2feaa0c55ad015";
    for same in [
        format!("sk_live_{hex}"),
        format!("api_{hex}"),
        format!("{}-{}", &hex[..16], &hex[16..]),
        format!("{}.{}:{}_{}", &hex[..8], &hex[8..16], &hex[16..24], &hex[24..]),
    ] {
        assert_eq!(bits(same.as_bytes()), 128, "{same}");
    }
}

#[test]
fn what_is_no_key_has_its_own_error() {
    let of = |text: &str| StrongKey::of(secret(text)).unwrap_err();
    for bad in ["", "a key with spaces", "schlüssel", "a\nb", "\u{0}"] {
        assert_eq!(of(bad), WeakKey::Characters, "{bad:?}");
    }
    assert_eq!(of(&"x".repeat(KEY_BYTES_MAX + 1)), WeakKey::TooLong);
    assert_eq!(of("hunter2"), WeakKey::Guessable { bits: bits(b"hunter2") });
}
