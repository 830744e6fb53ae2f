//! Capsules from a key to a verified receipt, by the program itself.
#![cfg(target_os = "linux")]

#[path = "capsule/connector.rs"]
mod connector;
#[path = "capsule/hidden.rs"]
mod hidden;
#[path = "capsule/place.rs"]
mod place;
#[path = "capsule/python.rs"]
mod python;

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;
use symbolon_tests::witness::{self, Witness};

use place::*;

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
    assert_eq!(checks.len(), 7);
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
    // Nothing in it can be begun: no draft is made.
    std::fs::write(home.beside("idle.wasm"), b"\0asm\x0d\0\x01\0").expect("a file");
    shop.refused(&["capsule", "build", "idle.wasm"], "capsule_entry");
    assert!(!home.beside("idle.manifest.json").exists());
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
fn a_receipt_stands_in_the_log_and_witnesses_say_since_when() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("hello", ECHO, |_| ());
    let run = |out: &str, form: &[&str]| {
        let words = ["capsule", "run", "hello.wasm", "--input", "1", "--receipt", out];
        home.ok(&[&words[..], form].concat());
    };
    let key = home.path().join("operator.pub");
    let key = key.to_str().expect("a plain path");
    let (north, south) = (Witness::of(home), Witness::of(home));
    let both = ["--witness", &north.key, "--witness", &south.key];
    let verify = |file: &str, more: &[&str]| {
        home.run(&[&["--json", "verify", file, "--key", key, "--root", "root.pub"], more].concat())
    };
    run("early.json", &[]);
    // True, and seen by nobody yet.
    let said = verify("early.json", &both);
    assert_eq!((said.code(), &said.json()["final"]), (Some(5), &json!(false)), "{}", said.all());
    home.ok(&["witnesses", "add", "north", &north.url, &north.key]);
    home.ok(&["witnesses", "add", "south", &south.url, &south.key]);
    run("later.json", &["--private"]);
    let entry = |file: &str| {
        let bytes = std::fs::read(home.beside(file)).expect("a receipt");
        let receipt: Value = serde_json::from_slice(&bytes).expect("JSON");
        receipt["log"]["index"].as_u64()
    };
    let newest = entry("later.json").expect("its place");
    ["north", "south"].iter().for_each(|name| witness::until(home, name, "cosigned", newest + 1));
    for (file, out) in [("early.json", "early-seen.json"), ("later.json", "later-seen.json")] {
        assert_eq!(home.json(&["capsule", "log", file, "--out", out])["entry"], json!(entry(file)));
        let said = verify(out, &both).succeeded().json();
        assert_eq!((&said["verified"], &said["final"]), (&json!(true), &json!(true)), "{said}");
    }
    let shown = home.ok(&[&["verify", "early-seen.json", "--key", key][..], &both].concat());
    assert!(shown.stdout().contains("final       yes: 2 of 2 witnesses"), "{}", shown.stdout());
    // It is no call, and the log says so.
    let number = entry("early.json").expect("its place").to_string();
    shop.refused(&["receipts", "show", &number, "--out", "call.json"], "no_receipt");
    // Where it stands goes with the time that it tells.
    let disclose =
        ["capsule", "disclose", "early-seen.json", "--show", "policy", "--out", "policy.json"];
    home.ok(&disclose);
    assert_eq!(entry("policy.json"), None);
    assert_eq!(verify("policy.json", &both).code(), Some(5));
    // Another's receipt is not put into this log; an unlinked one has no place in any.
    run("unlinked.json", &["--unlinked"]);
    assert_eq!(entry("unlinked.json"), None);
    shop.refused(&["capsule", "log", "unlinked.json", "--out", "x.json"], "receipt_unlinked");
    let other = Home::new();
    let theirs = home.beside("early.json");
    let refusal = other.refused(&["capsule", "log", theirs.to_str().unwrap(), "--out", "x.json"]);
    assert_eq!(refusal.code, "receipt_refused", "{}", refusal.message);

    // Once the key is another's, what witnesses saw before stands, and nothing else.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let since = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output();
    let since = String::from_utf8(since.expect("date").stdout).expect("a time");
    let revoke =
        ["operator", "revoke", "--since", since.trim(), "--out", "lost.revocation", "--yes"];
    home.ok(&revoke);
    let lost = [&both[..], &["--revocation", "lost.revocation"]].concat();
    verify("early-seen.json", &lost).succeeded();
    assert_eq!(verify("early.json", &lost).refused().code, "operator_revoked");
    let again = ["capsule", "run", "hello.wasm", "--input", "1", "--receipt", "after.json"];
    shop.refused(&again, "operator_revoked");
}
