//! What a receipt keeps from whoever reads it: whose it is, and which capsule ran.

use serde_json::{Value, json};
use symbolon_tests::home::Home;

use super::place::*;

#[test]
fn an_unlinked_receipt_is_nobodys_until_its_owner_says_whose() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("hello", ECHO, |_| ());
    let run = |receipt: &str, more: &[&str]| {
        let words = ["capsule", "run", "hello.wasm", "--input", "{}", "--receipt", receipt];
        home.json(&[&words[..], more].concat())
    };
    run("first.json", &["--unlinked"]);
    // The broker is killed between two runs; the numbers go on.
    home.kill_broker();
    run("second.json", &["--unlinked"]);
    home.kill_broker();
    run("third.json", &["--unlinked"]);
    run("linked.json", &[]);

    let key = home.operator_key();
    let key = key.to_str().expect("a plain path").to_owned();
    let with_key =
        |file: &str| ["verify", file, "--key", &key, "--root", "root.pub"].map(str::to_owned);
    let whole = |file: &str| {
        let words = with_key(file);
        home.json(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let held = |verdict: &Value| {
        let checks = verdict["checks"].as_array().expect("checks").clone();
        let held = checks.into_iter().filter(|it| it["held"] == true);
        held.map(|it| it["check"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let onion = whole("linked.json")["onion"].as_str().expect("an address").to_owned();
    for (number, file) in ["first.json", "second.json", "third.json"].into_iter().enumerate() {
        let verdict = whole(file);
        let all = ["operator", "identity", "chain", "run", "hash", "state", "publisher", "time"];
        assert_eq!(held(&verdict), all, "{verdict}");
        assert_eq!(verdict["onion"], onion);
        assert_eq!(verdict["fields"]["run"]["number"], number);
        assert_eq!(verdict["fields"]["identity"]["opening"]["position"], number);
    }

    // Without its opening it verifies, says that it is by an execution key, and is tied to nobody.
    let read = |file: &str| std::fs::read_to_string(home.beside(file)).expect("a file");
    let operator = read_operator(&read("linked.json"));
    for (file, out) in [("first.json", "one.json"), ("second.json", "two.json")] {
        let disclose = ["capsule", "disclose", file, "--show", "time,measured", "--out", out];
        home.ok(&disclose);
        let text = read(out);
        assert!(!text.contains(&onion) && !text.contains(&operator), "{text}");
        let verdict = home.json(&["verify", out]);
        assert_eq!(held(&verdict), ["identity", "time"]);
        assert_eq!(verdict["onion"], Value::Null);
        let ran = home.ok(&["verify", out]);
        assert!(ran.all().contains("held against an operator's key"), "{}", ran.all());
        shop.refused(&["verify", out, "--key", &key], "operator_withheld");
    }
    let (one, two) = (hex_of(&read("one.json")), hex_of(&read("two.json")));
    let parts = |texts: &[String]| {
        let bytes = texts.iter().flat_map(|it| it.as_bytes().windows(32).map(<[u8]>::to_vec));
        bytes.collect::<std::collections::HashSet<_>>()
    };
    assert!(parts(&one).is_disjoint(&parts(&two)));

    // With it, and without the component, it is this operator's and no other's.
    let show = ["capsule", "disclose", "first.json", "--show", "identity,time"];
    home.ok(&[&show[..], &["--out", "named.json"]].concat());
    assert_eq!(held(&whole("named.json")), ["operator", "identity", "chain", "time"]);
    let other = Home::new();
    let stranger = other.operator_key();
    let stranger = stranger.to_str().expect("a plain path");
    shop.refused(&["verify", "named.json", "--key", stranger], "other_operator");
    // The opening of another receipt in the place of its own.
    let mut forged: Value = serde_json::from_str(&read("first.json")).expect("JSON");
    let foreign: Value = serde_json::from_str(&read("second.json")).expect("JSON");
    forged["fields"][11] = foreign["fields"][11].clone();
    std::fs::write(home.beside("forged.json"), forged.to_string()).expect("a file");
    shop.refused(&["verify", "forged.json", "--key", &key], "receipt_identity");
    forged["fields"][11] = foreign["fields"][11].clone();
    forged["fields"][11]["commitment"] = serde_json::from_str::<Value>(&read("first.json"))
        .expect("JSON")["fields"][11]["commitment"]
        .clone();
    std::fs::write(home.beside("forged.json"), forged.to_string()).expect("a file");
    shop.refused(&["verify", "forged.json", "--key", &key], "receipt_field");
    // A receipt that names its operator has nothing to open, and is checked against a key.
    shop.refused(
        &["capsule", "disclose", "linked.json", "--show", "identity"],
        "receipt_field_unknown",
    );
    shop.refused(&["verify", "linked.json"], "usage");
}

fn read_operator(receipt: &str) -> String {
    let receipt: Value = serde_json::from_str(receipt).expect("JSON");
    receipt["operator"].as_str().expect("a key").to_owned()
}

/// The keys, digests and proofs of a receipt: texts of 64 hex digits and more, but no values.
fn hex_of(receipt: &str) -> Vec<String> {
    let mut receipt: Value = serde_json::from_str(receipt).expect("JSON");
    for field in receipt["fields"].as_array_mut().expect("fields") {
        field.as_object_mut().expect("a field").remove("value");
    }
    let text = receipt.to_string();
    let is_hex = |word: &&str| word.len() >= 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    text.split('"').filter(is_hex).map(str::to_owned).collect()
}

#[test]
fn a_private_receipt_says_that_some_capsule_of_a_publisher_ran_and_not_which() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("hello", ECHO, |_| ());
    // Another capsule of the same publisher, under the same policy and certificate.
    shop.publish("other", &ECHO.replace("65536", "65540"), |_| ());
    std::fs::copy(home.beside("hello.certificate.json"), home.beside("other.certificate.json"))
        .expect("a file");
    let run = |name: &str, receipt: &str, more: &[&str]| {
        let file = format!("{name}.wasm");
        let words = ["capsule", "run", &file, "--input", "{}", "--receipt", receipt, "--private"];
        home.json(&[&words[..], more].concat())
    };
    let ran = run("hello", "one.json", &[]);
    let component = ran["capsule"]["sha3_512"].as_str().expect("a digest").to_owned();
    run("other", "two.json", &[]);
    run("hello", "shown.json", &["--show", "input,use"]);

    let key = home.operator_key();
    let key = key.to_str().expect("a plain path").to_owned();
    let verify = |file: &str| home.json(&["verify", file, "--key", &key, "--root", "root.pub"]);
    let read = |file: &str| std::fs::read_to_string(home.beside(file)).expect("a file");
    for file in ["one.json", "two.json"] {
        let verdict = verify(file);
        let checks = verdict["checks"].as_array().expect("checks");
        let names: Vec<_> = checks.iter().filter_map(|it| it["check"].as_str()).collect();
        assert_eq!(
            names,
            ["operator", "identity", "capsule", "state", "publisher", "time", "inclusion"]
        );
        assert!(checks.iter().all(|it| it["held"] == true), "{verdict}");
        assert_eq!(verdict["private"], true);
        let mut fields: Vec<_> = verdict["fields"].as_object().expect("fields").keys().collect();
        fields.sort();
        assert_eq!(fields, ["certificate", "measured", "policy", "time"]);
        let text = read(file);
        for secret in ["hello", "other", component.as_str()] {
            assert!(!text.contains(secret), "{file}: {secret}");
        }
    }
    // Nothing but what every receipt of this operator has is in both.
    let (one, two) = (hex_of(&read("one.json")), hex_of(&read("two.json")));
    let common: Vec<_> = one.iter().filter(|it| two.contains(it)).collect();
    let receipt: Value = serde_json::from_str(&read("one.json")).expect("JSON");
    let all = [&receipt["operator"], &receipt["verificationKey"]["keyid"]];
    let all = [&all[..], &[&receipt["statement"]["keyid"]]].concat();
    let is_known = |it: &&&String| all.iter().any(|known| known.as_str() == Some(it.as_str()));
    assert!(common.iter().all(|it| is_known(&it)), "{common:?}");

    let shown = verify("shown.json");
    assert!(shown["fields"]["input"].is_string() && shown["fields"]["use"].is_object());
    assert!(shown["fields"]["component"].is_null());
    let words = ["verify", "one.json", "--key", &key, "--root", "root.pub"];
    assert!(home.ok(&words).all().contains("some capsule that acme signed"));

    // What is withheld stays so; the component has never been in it, and there is no manifest to show.
    let disclose =
        |facts: &str| ["capsule", "disclose", "one.json", "--show", facts].map(String::from);
    for (facts, code) in [
        ("component", "receipt_withheld"),
        ("input", "receipt_withheld"),
        ("manifest", "receipt_field_unknown"),
    ] {
        let words = disclose(facts);
        shop.refused(&words.iter().map(String::as_str).collect::<Vec<_>>(), code);
    }
    home.ok(&["capsule", "disclose", "one.json", "--show", "time", "--out", "time.json"]);
    assert_eq!(verify("time.json")["fields"].as_object().map(|it| it.len()), Some(3));

    // Each part of one receipt in another is refused; so is the other form's name on it.
    let forged = |change: &dyn Fn(&mut Value, &Value)| {
        let mut one: Value = serde_json::from_str(&read("one.json")).expect("JSON");
        let two: Value = serde_json::from_str(&read("two.json")).expect("JSON");
        change(&mut one, &two);
        std::fs::write(home.beside("forged.json"), one.to_string()).expect("a file");
    };
    let refused = |code| {
        shop.refused(&["verify", "forged.json", "--key", &key, "--root", "root.pub"], code);
    };
    forged(&|one, two| one["statement"] = two["statement"].clone());
    refused("receipt_statement");
    forged(&|one, two| one["fields"][1] = two["fields"][1].clone());
    refused("receipt_identity");
    forged(&|one, _| one["fields"][3]["value"]["landlock_abi"] = json!(0));
    refused("receipt_field");
    let standard = "application/vnd.symbolon.capsule-receipt+json;version=1";
    forged(&|one, _| one["mediaType"] = json!(standard));
    refused("receipt_form");
    forged(&|one, _| one["fields"][1]["value"] = json!(component));
    refused("receipt_form");

    // A publisher who signs no statement has none of its capsules hidden so.
    let old = std::fs::read_to_string(home.beside("publisher.key")).expect("a file");
    let old: String =
        old.lines().filter(|it| !it.starts_with("jubjub")).fold(String::new(), |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        });
    std::fs::write(home.beside("publisher.key"), old).expect("a file");
    std::fs::remove_file(home.beside("hello.capsule.json")).expect("a file");
    home.ok(&["capsule", "sign", "hello.manifest.json", "--key", "publisher.key"]);
    home.json(&["capsule", "run", "hello.wasm", "--input", "{}", "--receipt", "plain.json"]);
    let private =
        ["capsule", "run", "hello.wasm", "--input", "{}", "--receipt", "no.json", "--private"];
    shop.refused(&private, "capsule_statement");
    assert!(!home.beside("no.json").exists());
    shop.refused(&[&private[..], &["--unlinked"]].concat(), "usage");
    shop.refused(&[&private[..], &["--show", "component"]].concat(), "usage");
}
