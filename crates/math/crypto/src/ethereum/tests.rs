use super::*;

fn key(bytes: Digest32) -> EthereumKey {
    EthereumKey::from_secret(&Secret::<[u8; 32]>::make(|b| *b = bytes.0)).unwrap()
}

fn raw(signature: &Secret<[u8; 65]>) -> [u8; 65] {
    // EXPOSE: a test compares.
    *signature.expose()
}

/// The eight addresses of EIP-55.
#[test]
fn eip_55() {
    for text in [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
        assert_eq!(text.to_lowercase().parse(), Ok(address));
        assert_eq!(format!("0x{}", text[2..].to_uppercase()).parse(), Ok(address));
    }
    let wrong = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed";
    for text in [wrong, "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", &wrong[..41]] {
        assert_eq!(text.parse::<Address>(), Err(EthereumError::Address), "{text}");
    }
}

/// The example of EIP-712, "Ether Mail": hashes, signer and signature.
#[test]
fn eip_712() {
    let domain = hash_struct(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        &[
            TypedWord::text("Ether Mail"),
            TypedWord::text("1"),
            TypedWord::uint(1),
            TypedWord::address(&"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC".parse().unwrap()),
        ],
    );
    assert_eq!(
        domain.to_string(),
        "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    );
    let person = |name: &str, wallet: &str| {
        let wallet = wallet.parse().unwrap();
        let members = [TypedWord::text(name), TypedWord::address(&wallet)];
        TypedWord::nested(&hash_struct("Person(string name,address wallet)", &members))
    };
    let mail = hash_struct(
        "Mail(Person from,Person to,string contents)Person(string name,address wallet)",
        &[
            person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
            person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"),
            TypedWord::text("Hello, Bob!"),
        ],
    );
    assert_eq!(
        mail.to_string(),
        "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    );
    let digest = typed_data_digest(&domain, &mail);
    assert_eq!(
        digest.to_string(),
        "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    );
    let cow = key(keccak256(&[b"cow"]));
    assert_eq!(cow.address().to_string(), "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
    let signature = cow.sign(&digest);
    assert_eq!(
        hex::encode(raw(&signature)),
        "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d\
         07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
    );
    assert_eq!(recover(&digest, &raw(&signature)), Ok(cow.address()));
}

/// The other `s` with the other `v`, and `v` from 0, are the same signature.
#[test]
fn every_form_of_a_signature_is_one_signer_and_one_secret() {
    let (digest, cow) = (keccak256(&[b"message"]), key(keccak256(&[b"cow"])));
    let signature = cow.sign(&digest);
    let one = secret_signature(&signature).unwrap();
    let given = raw(&signature);
    let mut low = given;
    low[64] -= 27;
    let mut high = given;
    high[32..64].copy_from_slice(&minus(&given[32..64]));
    high[64] = if given[64] == 27 { 28 } else { 27 };
    for form in [given, low, high] {
        assert_eq!(recover(&digest, &form), Ok(cow.address()));
        let secret = Secret::<[u8; 65]>::make(|b| *b = form);
        assert!(secret_signature(&secret).unwrap().ct_eq(&one));
    }
    // The high `s` with the low one's `v` names another key.
    high[64] = given[64];
    assert_ne!(recover(&digest, &high), Ok(cow.address()));
}

#[test]
fn what_is_no_signature_is_refused() {
    let digest = keccak256(&[b"message"]);
    let mut none = [0; 65];
    assert_eq!(recover(&digest, &none), Err(EthereumError::Signature));
    none[..64].fill(0xff);
    assert_eq!(recover(&digest, &none), Err(EthereumError::Signature));
    let mut good = raw(&key(keccak256(&[b"cow"])).sign(&digest));
    for v in [2, 26, 29, 255] {
        good[64] = v;
        assert_eq!(recover(&digest, &good), Err(EthereumError::Signature), "{v}");
    }
}

/// `n - s`, for the order of the group.
fn minus(s: &[u8]) -> [u8; 32] {
    let n = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let n = hex::decode(n).unwrap();
    let mut out = [0; 32];
    let mut borrow = 0;
    for i in (0..32).rev() {
        let difference = i16::from(n[i]) - i16::from(s[i]) - borrow;
        borrow = i16::from(difference < 0);
        out[i] = (difference & 0xff) as u8;
    }
    out
}
