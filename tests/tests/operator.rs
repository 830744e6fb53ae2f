//! An operator's identity, and its end: revocations that were signed before or are signed now, what stands under them, and a
//! home that does nothing more.

use std::path::{Path, PathBuf};

use serde_json::Value;
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::witness::{Witness, until};

struct Verifier<'h> {
    home: &'h Home,
    receipt: PathBuf,
    witnesses: Vec<String>,
}

impl Verifier<'_> {
    fn verify(&self, revocations: &[&Path], is_believing: bool) -> Ran {
        let key = self.home.operator_key();
        let mut given = vec!["--json", "verify", self.receipt.to_str().unwrap()];
        given.extend(["--key", key.to_str().unwrap()]);
        for file in revocations {
            given.extend(["--revocation", file.to_str().unwrap()]);
        }
        for witness in self.witnesses.iter().filter(|_| is_believing) {
            given.extend(["--witness", witness]);
        }
        self.home.run(&given)
    }
}

fn call(home: &Home) -> u64 {
    home.json(&["call", "upstream.notes.list"])["receipt"].as_u64().unwrap()
}

fn now() -> String {
    let run = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output();
    String::from_utf8(run.unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn what_witnesses_saw_before_stands_and_the_home_does_nothing_more() {
    let (home, _upstream) = Home::with_upstream("cli");
    let (one, two) = (Witness::of(&home), Witness::of(&home));
    let shown = home.json(&["operator"]);
    assert_eq!(shown["revoked_since"], Value::Null);
    let key = std::fs::read_to_string(home.operator_key()).unwrap();
    assert_eq!(shown["key"], key.trim());
    // A receipt that nobody saw, and one that two witnesses did.
    let unseen = call(&home);
    let unseen = home.export_receipt(unseen);
    home.ok(&["witnesses", "add", "one", &one.url, &one.key]);
    home.ok(&["witnesses", "add", "two", &two.url, &two.key]);
    let number = call(&home);
    ["one", "two"].iter().for_each(|name| until(&home, name, "cosigned", number + 1));
    let receipt = home.export_receipt(number);
    // Witnesses' times are in seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));

    let always = home.beside("always.revocation");
    home.ok(&["operator", "export-revocation", "--out", always.to_str().unwrap()]);
    use std::os::unix::fs::PermissionsExt;
    let mode = always.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = home.refused(&["operator", "export-revocation", "--out", always.to_str().unwrap()]);
    assert_eq!(again.code, "exists");
    // Signed and not handed over it changes nothing.
    assert!(call(&home) > number);
    let (since, late) = (now(), home.beside("since.revocation"));
    let revoke = ["operator", "revoke", "--since", &since, "--out", late.to_str().unwrap()];
    let asked = home.refused(&revoke);
    assert_eq!((asked.exit, asked.code.as_str()), (2, "usage"), "{}", asked.message);
    assert!(!late.exists(), "nothing is signed before its owner agreed");
    let told = home.json(&[&revoke[..], &["--yes"]].concat());
    assert!(told["revoked_since"].as_u64().unwrap() > 0, "{told}");

    // Nothing is done under it, now and after a restart, with the vault open.
    let is_refused = |words: &[&str]| {
        let refusal = home.refused(words);
        assert_eq!(refusal.code, "operator_revoked", "{words:?}: {}", refusal.message);
    };
    let all: [&[&str]; 2] = [&["call", "upstream.notes.list"], &["node", "run", "--publish"]];
    all.iter().for_each(|words| is_refused(words));
    home.ok(&["lock", "--stop"]);
    all.iter().for_each(|words| is_refused(words));
    // What was done is handed over as before.
    let again = home.beside("again.json");
    let again = again.to_str().unwrap();
    home.ok(&["receipts", "show", &number.to_string(), "--out", again]);

    let witnesses = vec![one.key.clone(), two.key.clone()];
    let seen = Verifier { home: &home, receipt, witnesses: witnesses.clone() };
    let unseen = Verifier { home: &home, receipt: unseen, witnesses };
    let said = seen.verify(&[&late], true).succeeded().json();
    assert_eq!((&said["verified"], &said["final"]), (&true.into(), &true.into()), "{said}");
    assert_eq!(said["revoked_since"], since.replace('Z', ".000Z"), "{said}");
    for (who, revocations, is_believing) in [
        // Nobody's word but the operator's.
        (&seen, &[&*late][..], false),
        // Witnesses who did not see it.
        (&unseen, &[&*late], true),
        // The strictest counts, in any order.
        (&seen, &[&*late, &*always], true),
        (&seen, &[&*always, &*late], true),
        (&seen, &[&*always], false),
    ] {
        let refusal = who.verify(revocations, is_believing).refused();
        assert_eq!(refusal.code, "operator_revoked", "{}", refusal.message);
    }
    // The one that was kept apart is taken after the other, and not the other way.
    let file = always.to_str().unwrap();
    assert_eq!(home.json(&["operator", "revoke", file, "--yes"])["revoked_since"], 0);
    let file = late.to_str().unwrap();
    assert_eq!(home.json(&["operator", "revoke", file, "--yes"])["revoked_since"], 0);
}

#[test]
fn a_revocation_of_another_or_a_damaged_one_is_never_passed_over() {
    let (home, _upstream) = Home::with_upstream("cli");
    let number = call(&home);
    let receipt = home.export_receipt(number);
    let (other, file) = (Home::new(), home.beside("other.revocation"));
    other.ok(&["operator", "export-revocation", "--out", file.to_str().unwrap()]);
    let theirs = file.to_str().unwrap().to_owned();
    let verifier = Verifier { home: &home, receipt, witnesses: Vec::new() };
    verifier.verify(&[], false).succeeded();
    assert_eq!(verifier.verify(&[&file], false).refused().code, "other_operator");
    assert_eq!(home.refused(&["operator", "revoke", &theirs, "--yes"]).code, "other_operator");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text = text.replace("\"since\":0", "\"since\":1");
    let damaged = home.beside("damaged.revocation");
    std::fs::write(&damaged, &text).unwrap();
    assert_eq!(verifier.verify(&[&damaged], false).refused().code, "revocation_form");
    let refusal = home.refused(&["operator", "revoke", damaged.to_str().unwrap(), "--yes"]);
    assert_eq!(refusal.code, "revocation_form", "{}", refusal.message);
    let future = ["operator", "revoke", "--since", "2999-01-01T00:00:00Z", "--out", "x", "--yes"];
    assert_eq!(home.refused(&future).exit, 2);
    assert_eq!(home.json(&["operator"])["revoked_since"], Value::Null);
    assert!(call(&home) > number, "the home goes on");
    // Whoever hears of it from the operator itself distrusts it by it.
    home.ok(&["trust", "distrust", &theirs]);
    let key = other.operator_key();
    let score = home.json(&["trust", "show", key.to_str().unwrap()]);
    assert_eq!(score["points"], 0, "{score}");
    // A home whose own file is damaged does not act as if there were none.
    home.ok(&["lock", "--stop"]);
    std::fs::write(home.path().join("operator.revocation"), text).unwrap();
    let refusal = home.refused(&["call", "upstream.notes.list"]);
    assert!(refusal.message.contains("operator.revocation"), "{}", refusal.message);
}
