use super::*;

fn request(origin: &Origin) -> KeyDerivation<'_> {
    KeyDerivation { origin, vault: VaultId::from(std::array::from_fn(|i| 0x10 + i as u8)) }
}

#[test]
fn origins_have_one_spelling() {
    for good in [
        "https://vault.example.org",
        "https://vault.example.org:8443",
        "https://localhost",
        "http://localhost:7070",
        "http://127.0.0.1:7070",
        "http://[::1]:7070",
        "https://[::1]",
    ] {
        assert_eq!(good.parse::<Origin>().unwrap().as_str(), good);
    }
    for bad in [
        "",
        "vault.example.org",
        "http://vault.example.org",
        "https://vault.example.org/",
        "https://vault.example.org:443",
        "http://localhost:80",
        "https://vault.example.org:0",
        "https://vault.example.org:08443",
        "https://vault.example.org:99999",
        "https://Vault.example.org",
        "https://vault..example.org",
        "https://-vault.example.org",
        "https://user@vault.example.org",
        "https://vault.example.org\"",
        "https://vault.example.org\nVault: 00",
        "ftp://localhost",
        "https://[::2]",
        "https://[::1]8443",
        &format!("https://{}", ["a"; 200].join(".")),
    ] {
        assert_eq!(bad.parse::<Origin>(), Err(OriginError), "{bad}");
    }
}

/// The texts of `specs/wallet.md`; the digest was made with npm `ethers` 6 from the same JSON.
#[test]
fn worked_messages() {
    let spec = include_str!("../../../../../specs/wallet.md");
    let origin = "http://127.0.0.1:7070".parse().unwrap();
    let request = request(&origin);
    let indented: String = request
        .solana_message()
        .lines()
        .map(|l| format!("    {l}").trim_end().to_owned() + "\n")
        .collect();
    assert!(spec.contains(&indented), "{indented}");
    let json = request.ethereum_json();
    assert!(spec.contains(&format!("    {json}\n")), "{json}");
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    let digest = request.ethereum_digest();
    assert!(spec.contains(&format!("digest = {digest}\n")), "{digest}");
}

#[test]
fn another_origin_or_vault_is_another_message() {
    let (here, there) =
        ("https://a.example".parse().unwrap(), "https://b.example".parse().unwrap());
    let one = request(&here);
    let other = KeyDerivation { vault: VaultId::from([0; 16]), ..one };
    for different in [request(&there), other] {
        assert_ne!(one.ethereum_digest(), different.ethereum_digest());
        assert_ne!(one.solana_message(), different.solana_message());
    }
}
