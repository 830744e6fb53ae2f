//! Capsules from a key to a verified receipt, by the program itself.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

/// Gives its input back.
const ECHO: &str = r#"(component
  (core module $main
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "handle") (param $at i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (local.get $at))
      (i32.store (i32.const 24) (local.get $length))
      (i32.const 16)))
  (core instance $main (instantiate $main))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle") (memory (core memory $main "memory"))
      (realloc (core func $main "realloc")))))"#;

/// Never ends.
const LOOP: &str = r#"(component
  (core module $main
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "handle") (param i32 i32) (result i32) (loop $again (br $again)) (unreachable)))
  (core instance $main (instantiate $main))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle") (memory (core memory $main "memory"))
      (realloc (core func $main "realloc")))))"#;

/// Asks the broker for the operation that its input names, without parameters, and gives back what it said.
const CALLER: &str = r#"(component
  (import "symbolon:capsule/broker@1.0.0" (instance $broker
    (export "call" (func (param "operation" string) (param "parameters" string)
      (result (result string (error string)))))))
  (core module $memory
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory))
  (core func $call (canon lower (func $broker "call")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $main
    (import "memory" "memory" (memory 1))
    (import "host" "call" (func $call (param i32 i32 i32 i32 i32)))
    (data (i32.const 512) "{}")
    (func (export "handle") (param $at i32) (param $length i32) (result i32)
      (call $call (local.get $at) (local.get $length) (i32.const 512) (i32.const 2) (i32.const 16))
      (i32.const 16)))
  (core instance $main (instantiate $main
    (with "memory" (instance $memory))
    (with "host" (instance (export "call" (func $call))))))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle") (memory (core memory $memory "memory"))
      (realloc (core func $memory "realloc")))))"#;

/// A home that trusts a root, and a publisher that the root certified.
struct Shop {
    home: Home,
}

impl Shop {
    fn new() -> Self {
        let home = Home::new();
        home.ok(&["capsule", "key", "--out", "root.key"]);
        home.ok(&["capsule", "key", "--out", "publisher.key", "--post-quantum"]);
        home.ok(&["capsule", "trust", "root.pub"]);
        Self { home }
    }

    /// A component, its draft, its signed manifest and a certificate beside it.
    fn publish(&self, name: &str, text: &str, change: impl Fn(&mut Value)) {
        self.publish_below(&[], name, text, change);
    }

    /// The same, with a certificate that allows more.
    fn publish_below(&self, ceiling: &[&str], name: &str, text: &str, change: impl Fn(&mut Value)) {
        let component = wat::parse_str(text).expect("a component's text");
        std::fs::write(self.home.beside(&format!("{name}.wasm")), component).expect("a file");
        self.home.ok(&["capsule", "build", &format!("{name}.wasm")]);
        let draft = self.home.beside(&format!("{name}.manifest.json"));
        let read = std::fs::read(&draft).expect("the draft");
        let mut manifest: Value = serde_json::from_slice(&read).expect("JSON");
        change(&mut manifest);
        std::fs::write(&draft, manifest.to_string()).expect("a file");
        let draft = format!("{name}.manifest.json");
        self.home.ok(&["capsule", "sign", &draft, "--key", "publisher.key"]);
        let out = format!("{name}.certificate.json");
        let certify = ["capsule", "certify", "acme", "--public", "publisher.pub"];
        let more = ["--root", "root.key", "--out", &out, "--number", "7"];
        self.home.ok(&[&certify[..], &more, ceiling].concat());
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], code: &str) {
        let refusal = self.home.run(&[&["--json"], arguments].concat()).refused();
        assert_eq!(refusal.code, code, "{}", refusal.message);
    }
}

#[test]
fn a_capsule_runs_and_its_receipt_is_shown_in_parts() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("hello", ECHO, |_| ());
    let run = ["capsule", "run", "hello.wasm", "--input", "{\"a\":1}", "--receipt", "receipt.json"];
    let first = home.json(&run);
    assert_eq!(first["output"], json!({ "a": 1 }));
    assert_eq!(first["measured"]["seccomp_mode"], 2);
    assert_eq!(first["measured"]["no_new_privileges"], true);
    assert!(first["measured"]["landlock_abi"].as_u64() >= Some(1));
    let second = home.json(&["capsule", "run", "hello.wasm", "--input", "{\"a\":1}"]);
    assert_eq!((&first["was_cached"], &second["was_cached"]), (&json!(false), &json!(true)));
    assert_eq!(first["fuel_used"], second["fuel_used"]);

    let verify = |file: &str| {
        let key = home.path().join("operator.pub");
        let key = key.to_str().expect("a plain path").to_owned();
        home.json(&["verify", file, "--key", &key, "--root", "root.pub"])
    };
    let whole = verify("receipt.json");
    let checks = whole["checks"].as_array().expect("a list");
    assert_eq!(checks.len(), 6);
    assert!(checks.iter().all(|it| it["held"] == true), "{whole}");
    assert_eq!(whole["fields"]["capsule"]["name"], "hello");

    let disclose = ["capsule", "disclose", "receipt.json", "--show", "time,policy"];
    home.ok(&[&disclose[..], &["--out", "shown.json"]].concat());
    let shown = verify("shown.json");
    let fields = shown["fields"].as_object().expect("fields");
    assert_eq!(fields.len(), 2);
    assert!(fields.contains_key("time") && fields.contains_key("policy"));
    let text = std::fs::read_to_string(home.beside("shown.json")).expect("a file");
    assert!(!text.contains("hello"));

    // A time that was changed is not the one that was committed to.
    let mut forged: Value = serde_json::from_str(&text).expect("JSON");
    forged["fields"][0]["value"]["started_ms"] = json!(1);
    std::fs::write(home.beside("forged.json"), forged.to_string()).expect("a file");
    let key = home.path().join("operator.pub");
    let key = key.to_str().expect("a plain path");
    shop.refused(&["verify", "forged.json", "--key", key], "receipt_field");
    let other = Home::new();
    let other = other.path().join("operator.pub");
    let other = other.to_str().expect("a plain path");
    shop.refused(&["verify", "shown.json", "--key", other], "other_operator");
}

#[test]
fn facts_are_sealed_for_a_peer_and_released_later_by_holders() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("hello", ECHO, |_| ());
    home.ok(&["capsule", "run", "hello.wasm", "--input", "{\"a\":1}", "--receipt", "receipt.json"]);
    for name in ["peer", "a", "b", "c"] {
        home.ok(&["capsule", "peer", "--out", &format!("{name}.key")]);
    }
    let show = ["capsule", "disclose", "receipt.json", "--show", "input,output", "--to"];
    home.ok(&[&show[..], &["peer.pub", "--out", "sealed.json"]].concat());
    home.ok(&["capsule", "open", "sealed.json", "--key", "peer.key", "--out", "shown.json"]);
    home.ok(&[
        "capsule",
        "disclose",
        "receipt.json",
        "--show",
        "input,output",
        "--out",
        "same.json",
    ]);
    let read = |file: &str| std::fs::read_to_string(home.beside(file)).expect("a file");
    assert_eq!(read("shown.json"), read("same.json"));
    let key = home.path().join("operator.pub");
    let key = key.to_str().expect("a plain path");
    let verified = home.json(&["verify", "shown.json", "--key", key]);
    assert_eq!(verified["fields"].as_object().map(serde_json::Map::len), Some(2));
    shop.refused(&["capsule", "open", "sealed.json", "--key", "a.key"], "disclosure_holder");
    shop.refused(&["capsule", "open", "receipt.json", "--key", "a.key"], "disclosure_form");
    shop.refused(&["capsule", "open", "sealed.json", "--key", "publisher.key"], "peer_key");
    let withheld = ["capsule", "disclose", "same.json", "--show", "time", "--to", "peer.pub"];
    shop.refused(&withheld, "receipt_withheld");

    // Two of three, at once and in a time to come.
    let three = ["a.pub", "--to", "b.pub", "--to", "c.pub", "--threshold", "2"];
    home.ok(&[&show[..], &three, &["--out", "two.json"]].concat());
    shop.refused(&["capsule", "open", "two.json", "--key", "a.key"], "disclosure_shares");
    for (key, out) in [("a.key", "one"), ("c.key", "other")] {
        home.ok(&["capsule", "release", "two.json", "--key", key, "--out", out]);
    }
    shop.refused(&["capsule", "open", "two.json", "--release", "one"], "disclosure_shares");
    home.ok(&[
        "capsule",
        "open",
        "two.json",
        "--release",
        "one",
        "--release",
        "other",
        "--out",
        "opened.json",
    ]);
    assert_eq!(read("opened.json"), read("same.json"));
    let later = ["--not-before", "2126-01-31", "--out", "later.json"];
    home.ok(&[&show[..], &three, &later].concat());
    shop.refused(&["capsule", "release", "later.json", "--key", "a.key"], "disclosure_early");
    shop.refused(&["capsule", "open", "later.json", "--release", "one"], "disclosure_release");
    let sooner = read("later.json").replace("4925491200000", "0");
    assert_ne!(sooner, read("later.json"));
    std::fs::write(home.beside("sooner.json"), sooner).expect("a file");
    shop.refused(&["capsule", "release", "sooner.json", "--key", "a.key"], "disclosure_changed");
}

#[test]
fn what_may_not_run_says_why() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("loop", LOOP, |it| it["limits"]["fuel"] = json!(100_000));
    shop.refused(&["capsule", "run", "loop.wasm"], "capsule_fuel");
    shop.publish("wide", ECHO, |it| it["limits"]["time_ms"] = json!(500_000));
    shop.refused(&["capsule", "run", "wide.wasm"], "capsule_ceiling");
    shop.publish("strict", ECHO, |it| it["policy"]["landlock_abi"] = json!(200));
    shop.refused(&["capsule", "run", "strict.wasm"], "capsule_policy");

    shop.publish("hello", ECHO, |_| ());
    let swap = ["capsule", "run", "loop.wasm", "--manifest", "hello.capsule.json"];
    shop.refused(&swap, "capsule_hash");
    home.ok(&["capsule", "key", "--out", "other.key"]);
    let other = ["capsule", "run", "hello.wasm", "--root", "other.pub"];
    shop.refused(&other, "capsule_certificate");

    let revoke = ["capsule", "revoke", "--certificate", "7", "--root", "root.key"];
    home.ok(&[&revoke[..], &["--number", "2", "--out", "second.json"]].concat());
    home.ok(&["capsule", "revoke", "--root", "root.key", "--number", "1", "--out", "first.json"]);
    home.ok(&["capsule", "trust", "--revocations", "second.json"]);
    shop.refused(&["capsule", "run", "hello.wasm"], "capsule_revoked");
    // The list before, which revokes nothing, is not taken any more.
    shop.refused(&["capsule", "trust", "--revocations", "first.json"], "capsule_revocations");
    let old = ["capsule", "run", "hello.wasm", "--revocations", "first.json"];
    shop.refused(&old, "capsule_revocations");
}

#[test]
fn a_capsule_calls_by_the_brokers_gates_and_never_sees_the_credential() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let shop = Shop::new();
    let home = &shop.home;
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    let names = |host: &'static str| {
        move |it: &mut Value| {
            it["calls"] = json!(["upstream.notes.create", "upstream.notes.list"]);
            it["hosts"] = json!([host]);
            it["limits"]["time_ms"] = json!(20_000);
        }
    };
    let ceiling = ["--call", "upstream.notes.*", "--host", "localhost", "--time", "30"];
    shop.publish_below(&ceiling, "clerk", CALLER, names("localhost"));
    let run = |operation: &str| {
        home.run(&["--json", "capsule", "run", "clerk.wasm", "--input", operation])
    };

    let refused = run("upstream.notes.list").refused();
    assert_eq!(refused.code, "capsule_guest");
    assert!(refused.message.contains("upstream.notes.read"), "{}", refused.message);
    assert_eq!(upstream.authorized(), 0);

    home.grant("capsule_acme_clerk", "upstream.notes.read");
    let ran = run("upstream.notes.list").json();
    assert_eq!(ran["output"]["status"], 200, "{ran}");
    assert_eq!(ran["output"]["body"]["notes"][0], "The two halves fit.");
    assert!(!ran.to_string().contains(&credential));
    assert_eq!(upstream.authorized(), 1);
    let row = &home.receipts()[0];
    assert_eq!(row["number"], ran["output"]["receipt"]);
    assert_eq!((&row["agent"], &row["status"]), (&json!("capsule_acme_clerk"), &json!(200)));

    // What its manifest does not name, it cannot ask for, whatever it is granted.
    home.grant("capsule_acme_clerk", "upstream.account.read");
    let refused = run("upstream.account.get").refused();
    assert!(refused.message.contains("does not name"), "{}", refused.message);
    // What it is not granted it does not do, whatever its manifest names.
    assert_eq!(run("upstream.notes.create").refused().code, "capsule_guest");
    assert_eq!(upstream.authorized(), 1);

    // Another publisher's capsule of that name is another agent.
    home.ok(&["capsule", "key", "--out", "eve.key"]);
    let sign = ["capsule", "sign", "clerk.manifest.json", "--key", "eve.key"];
    home.ok(&[&sign[..], &["--out", "eve.capsule.json"]].concat());
    let certify = ["capsule", "certify", "eve", "--public", "eve.pub", "--root", "root.key"];
    home.ok(&[&certify[..], &ceiling, &["--out", "eve.certificate.json"]].concat());
    let words = ["capsule", "run", "clerk.wasm", "--input", "upstream.notes.list"];
    let eves = ["--manifest", "eve.capsule.json", "--certificate", "eve.certificate.json"];
    let refused = home.run(&[&["--json"][..], &words, &eves].concat()).refused();
    assert!(refused.message.contains("capsule_eve_clerk"), "{}", refused.message);
    assert_eq!(upstream.authorized(), 1);

    // The connection goes elsewhere than the manifest says.
    let ceiling = ["--call", "upstream.notes.*", "--host", "api.example.com", "--time", "30"];
    shop.publish_below(&ceiling, "elsewhere", CALLER, names("api.example.com"));
    home.grant("capsule_acme_elsewhere", "upstream.notes.read");
    let words = ["capsule", "run", "elsewhere.wasm", "--input", "upstream.notes.list"];
    let refused = home.run(&[&["--json"][..], &words].concat()).refused();
    assert!(refused.message.contains("host"), "{}", refused.message);
    assert_eq!(upstream.authorized(), 1);
}

#[test]
fn keys_that_others_can_read_sign_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::new();
    let key = shop.home.beside("publisher.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("a file");
    std::fs::write(shop.home.beside("hello.manifest.json"), "{}").expect("a file");
    let sign = ["capsule", "sign", "hello.manifest.json", "--key", "publisher.key"];
    shop.refused(&sign, "capsule_manifest");
    let revoke = ["capsule", "revoke", "--number", "1", "--root", "publisher.key", "--out", "l"];
    shop.refused(&revoke, "capsule_key_rights");
}

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
        assert_eq!(names, ["operator", "identity", "capsule", "state", "publisher", "time"]);
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
