use super::*;
use proptest::prelude::*;
use serde_json::Value;
use symbolon_codec::hex;
use symbolon_crypto::{Seed, SigningKey};
use symbolon_secret::Secret;

fn json(text: &str) -> serde_json::Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

fn positive() -> serde_json::Map<String, Value> {
    json(include_str!("../../../../../vectors/siwe/parsing_positive.json"))
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn moment(value: &Value, name: &str) -> Option<Moment> {
    let text = text(value, name)?;
    Some(Moment { unix_ms: time::parse_rfc3339(&text).unwrap(), text })
}

fn fields(value: &Value) -> Fields {
    let resources = value.get("resources").and_then(Value::as_array);
    Fields {
        scheme: text(value, "scheme"),
        domain: text(value, "domain").unwrap(),
        account: Account::Ethereum(text(value, "address").unwrap().parse().unwrap()),
        statement: text(value, "statement"),
        uri: text(value, "uri").unwrap(),
        chain_id: value["chainId"].to_string(),
        nonce: text(value, "nonce").unwrap(),
        issued_at: moment(value, "issuedAt").unwrap(),
        expiration_time: moment(value, "expirationTime"),
        not_before: moment(value, "notBefore"),
        request_id: text(value, "requestId"),
        resources: resources
            .map(|all| all.iter().map(|r| r.as_str().unwrap().to_owned()).collect())
            .unwrap_or_default(),
    }
}

#[test]
fn official_messages_are_read_and_written() {
    let all = positive();
    assert_eq!(all.len(), 19);
    for (name, vector) in all {
        let text = vector["message"].as_str().unwrap();
        let message = Message::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(message.fields(), &fields(&vector["fields"]), "{name}");
        assert_eq!(Message::make(message.fields().clone()).unwrap().text(), text, "{name}");
    }
}

#[test]
fn official_signatures_hold() {
    let all = json(include_str!("../../../../../vectors/siwe/verification_positive.json"));
    assert_eq!(all.len(), 4);
    for (name, vector) in all {
        let message = Message::make(fields(&vector)).unwrap();
        let signature = hex::decode(&vector["signature"].as_str().unwrap()[2..]).unwrap();
        assert_eq!(message.check_signature(&signature), Ok(()), "{name}");
        let mut other = message.fields().clone();
        other.nonce.push('0');
        let other = Message::make(other).unwrap().check_signature(&signature);
        assert_eq!(other, Err(SiweError::Signer), "{name}");
    }
}

const NOW: u64 = 1_700_000_000_000;

fn asked(account: Account) -> Fields {
    Fields {
        scheme: None,
        domain: "127.0.0.1:7070".into(),
        account,
        statement: Some("Open my vault's account.".into()),
        uri: "http://127.0.0.1:7070/api/session".into(),
        chain_id: if matches!(account, Account::Solana(_)) { "mainnet" } else { "1" }.into(),
        nonce: "a1b2c3d4e5f6".into(),
        issued_at: Moment::from_unix_ms(NOW),
        expiration_time: Some(Moment::from_unix_ms(NOW + 300_000)),
        not_before: Some(Moment::from_unix_ms(NOW)),
        request_id: Some("one%20request".into()),
        resources: vec!["https://example.org/terms".into()],
    }
}

fn expected(fields: &Fields) -> Expected<'_> {
    Expected {
        domain: &fields.domain,
        uri: &fields.uri,
        chain_id: &fields.chain_id,
        nonce: &fields.nonce,
        unix_ms: NOW + 1,
    }
}

fn seed() -> Seed {
    let words = "test test test test test test test test test test test junk";
    let page =
        |text: &str| Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()));
    Seed::parse(&page(words), &page("")).unwrap()
}

fn sign(message: &Message) -> Vec<u8> {
    match message.fields().account {
        Account::Ethereum(_) => {
            let digest = personal_message_digest(message.text().as_bytes());
            // EXPOSE: a test's wallet hands its signature out.
            seed().ethereum_key().sign(&digest).expose().to_vec()
        }
        Account::Solana(_) => seed().solana_key().sign(message.text().as_bytes()).to_vec(),
    }
}

#[test]
fn each_kind_of_wallet_signs_in_and_each_wrong_thing_has_its_error() {
    for account in [
        Account::Ethereum(seed().ethereum_key().address()),
        Account::Solana(seed().solana_key().verifying_key()),
    ] {
        let asked = asked(account);
        let message = Message::make(asked.clone()).unwrap();
        let message = Message::parse(message.text()).unwrap();
        let (signature, right) = (sign(&message), expected(&asked));
        assert_eq!(message.verify(&right, &signature), Ok(account));

        let at = |unix_ms| Expected { unix_ms, ..right };
        for (expected, error) in [
            (Expected { domain: "127.0.0.1", ..right }, SiweError::Other { what: "domain" }),
            (Expected { uri: "http://127.0.0.1:7070", ..right }, SiweError::Other { what: "URI" }),
            (Expected { chain_id: "2", ..right }, SiweError::Other { what: "chain id" }),
            (Expected { nonce: "a1b2c3d4e5f7", ..right }, SiweError::Other { what: "nonce" }),
            (at(NOW + 300_000), SiweError::Expired),
            (at(u64::MAX), SiweError::Expired),
            (at(NOW - 1), SiweError::NotYet),
            (at(0), SiweError::NotYet),
        ] {
            assert_eq!(message.verify(&expected, &signature), Err(error));
        }
        assert!(message.verify(&at(NOW), &signature).is_ok());
        for bytes in [&signature[1..], &[&signature[..], &[0]].concat(), &[]] {
            assert_eq!(message.verify(&right, bytes), Err(SiweError::Signature));
        }
        let mut changed = asked.clone();
        changed.statement = Some("Give it all away.".into());
        let changed = Message::make(changed).unwrap();
        assert_eq!(changed.verify(&right, &signature), Err(SiweError::Signer));
    }
    // A message that its maker's clock dated ahead, by less and by more than the leeway.
    let mut ahead = asked(Account::Solana(seed().solana_key().verifying_key()));
    ahead.not_before = None;
    ahead.issued_at = Moment::from_unix_ms(NOW + 60_000);
    let ahead = Message::make(ahead).unwrap();
    let right = expected(ahead.fields());
    assert!(ahead.verify(&Expected { unix_ms: NOW, ..right }, &sign(&ahead)).is_ok());
    let early = Expected { unix_ms: NOW - 1, ..right };
    assert_eq!(ahead.verify(&early, &sign(&ahead)), Err(SiweError::NotYet));
}

#[test]
fn another_accounts_signature_signs_nobody_in() {
    let asked = asked(Account::Solana(seed().solana_key().verifying_key()));
    let message = Message::make(asked.clone()).unwrap();
    let other = SigningKey::from_seed(Secret::<[u8; 32]>::make(|b| b.fill(9)));
    let signature = other.sign(message.text().as_bytes());
    assert_eq!(message.verify(&expected(&asked), &signature), Err(SiweError::Signer));
}

/// One change to a good message each; where it must be noticed.
#[test]
fn what_is_not_of_the_grammar_is_refused_where_it_is_wrong() {
    let good = Message::make(asked(Account::Ethereum(seed().ethereum_key().address()))).unwrap();
    for (at, from, to) in [
        ("first line", "wants you to sign in", "wants you to sign up"),
        ("first line", "Ethereum account:", "Ethereum account"),
        ("first line", "Ethereum account:", "Cosmos account:"),
        ("domain", "127.0.0.1:7070 wants", " wants"),
        ("domain", "127.0.0.1:7070 wants", "a b wants"),
        ("domain", "127.0.0.1:7070 wants", "a%2 wants"),
        ("domain", "127.0.0.1:7070 wants", "https://a/b wants"),
        ("scheme", "127.0.0.1:7070 wants", "1://a wants"),
        ("address", "0xf39F", "0xf39f"),
        ("address", "0xf39F", "f39F"),
        ("address", "account:\n0xf39F", "account:\n\n0xf39F"),
        ("statement", "Open my vault's account.", "Open my “vault”."),
        ("statement", "account.\n\n", "account.\nMore.\n"),
        ("URI", "URI: http", "URI:  http"),
        ("URI", "URI: http://127.0.0.1:7070/api/session", "URI: /api/session"),
        ("URI", "URI: http://127.0.0.1:7070/api/session", "URI: http:"),
        ("URI", "URI: http", "Uri: http"),
        ("version", "Version: 1", "Version: 2"),
        ("version", "Version: 1", "Version: 01"),
        ("chain id", "Chain ID: 1", "Chain ID: +1"),
        ("chain id", "Chain ID: 1", "Chain ID: one"),
        ("chain id", "Chain ID: 1", "Chain ID: 18446744073709551616"),
        ("nonce", "Nonce: a1b2c3d4e5f6", "Nonce: a1b2c3d"),
        ("nonce", "Nonce: a1b2c3d4e5f6", "Nonce: a1b2-3d4e5f6"),
        ("issued-at", "Issued At: 2023", "Issued At: 2023x"),
        ("issued-at", "\nIssued At", "\n\nIssued At"),
        ("expiration-time", "Expiration Time: 2023-11", "Expiration Time: 2023-13"),
        ("not-before", "Not Before: 2023", "Not Before: "),
        ("request id", "one%20request", "one request"),
        ("request id", "one%20request", "one%2"),
        ("resources", "- https://example.org/terms", "- no uri"),
        ("resources", "Resources:", "Resources: none"),
        ("resources", "\n- https://example.org/terms", ""),
        ("resources", "- https://example.org/terms", "-"),
        ("end", "- https://example.org/terms", "- https://example.org/terms\n"),
        ("end", "Not Before", "not before"),
    ] {
        let wrong = good.text().replacen(from, to, 1);
        assert_ne!(wrong, good.text(), "{from}");
        assert_eq!(Message::parse(&wrong).err(), Some(SiweError::Grammar { at }), "{to}");
    }
    assert_eq!(Message::parse("").err(), Some(SiweError::Grammar { at: "first line" }));
    assert_eq!(Message::parse(&"a".repeat(4097)).err(), Some(SiweError::TooLong));
}

#[test]
fn a_value_that_would_begin_a_line_makes_no_message() {
    let good = asked(Account::Ethereum(seed().ethereum_key().address()));
    let changes: [fn(&mut Fields); 6] = [
        |f| f.statement = Some("Yes\n\nURI: http://evil.example\nVersion: 1".into()),
        |f| f.statement = Some(String::new()),
        |f| f.domain = "evil.example wants you to sign in with your Ethereum account:\n".into(),
        |f| f.uri.push_str("\nVersion: 1"),
        |f| f.request_id = Some("1\nResources:\n- https://evil.example".into()),
        |f| f.resources.push("https://a.example\n- https://evil.example".into()),
    ];
    for change in changes {
        let mut fields = good.clone();
        change(&mut fields);
        assert!(matches!(Message::make(fields), Err(SiweError::Grammar { .. })));
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text: String) {
        let _ = Message::parse(&text);
    }

    /// What is read is written as it was.
    #[test]
    fn a_changed_message_is_refused_or_says_what_it_says(
        which: prop::sample::Index, at: prop::sample::Index, byte: u8,
    ) {
        let all = positive();
        let vector = all.values().nth(which.index(all.len())).unwrap();
        let mut bytes = vector["message"].as_str().unwrap().as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(message) = Message::parse(&text)
        {
            let written = Message::make(message.fields().clone()).unwrap();
            prop_assert_eq!(written.text(), text);
        }
    }
}
