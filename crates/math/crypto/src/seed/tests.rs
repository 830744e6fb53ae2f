use super::*;
use symbolon_codec::hex;

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
}

fn seed(phrase: &str) -> Seed {
    Seed::parse(&secret(phrase), &secret("")).unwrap()
}

const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const JUNK: &str = "test test test test test test test test test test test junk";

/// The vectors of BIP-39: phrase and passphrase `TREZOR` to seed.
#[test]
fn bip_39() {
    let all = include_str!("../../../../../vectors/bip39/vectors.json");
    let all: serde_json::Value = serde_json::from_str(all).unwrap();
    let english = all["english"].as_array().unwrap();
    assert_eq!(english.len(), 24);
    for v in english {
        let phrase = secret(v[1].as_str().unwrap());
        let seed = Seed::parse(&phrase, &secret("TREZOR")).unwrap();
        // EXPOSE: a test compares.
        assert_eq!(hex::encode(seed.0.expose()), v[2].as_str().unwrap());
    }
}

fn check(node: slip10::Node, chain: &str, key: &str) {
    assert_eq!((hex::encode(node.chain), hex::encode(node.key)), (chain.into(), key.into()));
}

/// SLIP-0010, test vector 1 for ed25519.
#[test]
fn slip_0010_ed25519() {
    let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
    let path = [0, 1, 2, 2, 1_000_000_000];
    for (depth, (chain, key)) in [
        (
            "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
            "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
        ),
        (
            "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
            "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
        ),
        (
            "a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
            "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
        ),
        (
            "2e69929e00b5ab250f49c3fb1c12f252de4fed2c1db88387094a0f8c4c9ccd6c",
            "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
        ),
        (
            "8f6d87f93d750e0efccda017d662a1b31a266e4a6f5993b15f5c1f07f74dd5cc",
            "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662",
        ),
        (
            "68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
            "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        check(slip10::derive_ed25519(&seed, &path[..depth]), chain, key);
    }
}

/// SLIP-0010, test vector 1 for secp256k1, which is BIP-32's.
#[test]
fn bip_32_and_slip_0010_secp256k1() {
    let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
    let path = [slip10::HARD, 1, slip10::HARD | 2, 2, 1_000_000_000];
    for (depth, (chain, key)) in [
        (
            "873dff81c02f525623fd1fe5167eac3a55a049de3d314bb42ee227ffed37d508",
            "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35",
        ),
        (
            "47fdacbd0f1097043b78c63c20c34ef4ed9a111d980047ad16282c7ae6236141",
            "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea",
        ),
        (
            "2a7857631386ba23dacac34180dd1983734e444fdbf774041578e9b6adb37c19",
            "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368",
        ),
        (
            "04466b9cc8e161e966409ca52986c584f07e9dc81f735db683c3ff6ec7b1503f",
            "cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca",
        ),
        (
            "cfb71883f01676f587d023cc53a35bc7f88f724b1f8c2892ac1275ac822a3edd",
            "0f479245fb19a38a1954c5c7c0ebab2f9bdfd96a17563ef28a6a4b1a2a764ef4",
        ),
        (
            "c783e67b921d2beb8f6b389cc646d7263b4145701dadd2161548a8b078e65e9e",
            "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        check(slip10::derive_secp256k1(&seed, &path[..depth]), chain, key);
    }
}

/// The first accounts that wallets show for two phrases which everybody knows.
#[test]
fn wallets_show_the_same_accounts() {
    let junk = seed(JUNK).ethereum_key().address().to_string();
    assert_eq!(junk, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    let abandon = seed(ABANDON);
    let ethereum = abandon.ethereum_key().address().to_string();
    assert_eq!(ethereum, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94");
    // HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk
    let solana = abandon.solana_key().verifying_key().to_string();
    assert_eq!(solana, "f036276246a75b9de3349ed42b15e232f6518fc20f5fcd4f1d64e81f9bd258f7");
}

#[test]
fn case_and_spaces_do_not_matter_and_the_passphrase_does() {
    let loose = seed(&format!("\t{}\n", ABANDON.to_uppercase().replace(' ', "  ")));
    assert!(loose.0.ct_eq(&seed(ABANDON).0));
    let other = Seed::parse(&secret(ABANDON), &secret("more")).unwrap();
    assert!(!other.0.ct_eq(&seed(ABANDON).0));
}

#[test]
fn each_mistake_has_its_error() {
    let parse = |phrase: &str, more: &str| Seed::parse(&secret(phrase), &secret(more)).err();
    let eleven = ABANDON.rsplit_once(' ').unwrap().0;
    assert_eq!(parse(eleven, ""), Some(SeedError::WordCount { found: 11 }));
    assert_eq!(parse("", ""), Some(SeedError::WordCount { found: 0 }));
    let many = [ABANDON; 3].join(" ");
    assert_eq!(parse(&many, ""), Some(SeedError::WordCount { found: 36 }));
    let stranger = format!("{eleven} symbolon");
    assert_eq!(parse(&stranger, ""), Some(SeedError::UnknownWord { position: 12 }));
    assert_eq!(parse(&format!("{eleven} abandon"), ""), Some(SeedError::Checksum));
    assert_eq!(parse(ABANDON, "ä"), Some(SeedError::Passphrase));
    assert_eq!(parse(ABANDON, &"a".repeat(257)), Some(SeedError::Passphrase));
}
