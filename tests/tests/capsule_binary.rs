//! Somebody shows that they hold a component, and keeps it: from the estimate to the auditor's verdict.
#![cfg(target_os = "linux")]

use symbolon_tests::home::Home;

const AUDITOR: &str = "https://auditor.example";
const NONCE: &str = "8f3c0b52d1e94a7786c1f0a9b3d5e417";

/// Does nothing when it is asked: few blocks to prove.
const COMPONENT: &str = r#"(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "handle") (canon lift (core func $i "f"))))"#;

/// A home with a signed component in it.
fn holder() -> Home {
    let home = Home::new();
    let component = wat::parse_str(COMPONENT).expect("a component");
    std::fs::write(home.beside("hello.wasm"), component).expect("a file");
    home.ok(&["capsule", "key", "--out", "publisher.key"]);
    home.ok(&["capsule", "build", "hello.wasm"]);
    home.ok(&["capsule", "sign", "hello.manifest.json", "--key", "publisher.key"]);
    home
}

#[track_caller]
fn refused(home: &Home, arguments: &[&str], code: &str) {
    let refusal = home.run(&[&["--json"], arguments].concat()).refused();
    assert_eq!(refusal.code, code, "{}", refusal.message);
}

#[test]
fn a_component_is_proven_to_an_auditor_who_never_sees_it() {
    let home = holder();
    let estimate = home.json(&["capsule", "prove-binary", "hello.wasm", "--estimate"]);
    assert_eq!(estimate["rows"], 256);
    assert!(estimate["memory_bytes"].as_u64() < Some(1 << 30), "{estimate}");
    assert!(estimate["memory_available_bytes"].as_u64().is_some());

    let prove = ["capsule", "prove-binary", "hello.wasm", "--for", AUDITOR, "--nonce", NONCE];
    let proven = home.json(&[&prove[..], &["--out", "hello.proof"]].concat());
    assert_eq!(proven["blocks"], estimate["blocks"]);

    // The auditor has the manifest, and drew the nonce.
    let check = ["verify", "hello.proof", "--component", "hello.capsule.json"];
    let asked = [&check[..], &["--for", AUDITOR, "--nonce", NONCE]].concat();
    let shown = home.json(&asked);
    assert_eq!(shown["verified"], true);
    assert_eq!(shown["sha3_512"], proven["sha3_512"]);
    for compared in ["component_compared", "audience_compared", "nonce_compared"] {
        assert_eq!(shown[compared], true, "{compared}");
    }
    // Who brings nothing is told what nobody compared.
    assert_eq!(home.json(&["verify", "hello.proof"])["component_compared"], false);

    // Another audience, another nonce, another binary.
    refused(&home, &[&check[..], &["--for", "https://other.example"]].concat(), "other_audience");
    let other = [&check[..], &["--nonce", "00000000000000000000000000000000"]].concat();
    refused(&home, &other, "other_audience");
    let other = "0".repeat(128);
    refused(&home, &["verify", "hello.proof", "--component", &other], "other_binary");
}

#[test]
fn a_proof_that_was_changed_is_refused() {
    let home = holder();
    let prove = ["capsule", "prove-binary", "hello.wasm", "--for", AUDITOR];
    home.ok(&[&prove[..], &["--out", "hello.proof"]].concat());
    refused(&home, &[&prove[..], &["--out", "hello.proof"]].concat(), "exists");

    let proof = std::fs::read(home.beside("hello.proof")).expect("the proof");
    let mut changed = proof.clone();
    let last = changed.len() / 2;
    changed[last] ^= 1;
    std::fs::write(home.beside("changed.proof"), &changed).expect("a file");
    let refusal = home.run(&["--json", "verify", "changed.proof"]).refused();
    assert!(["not_shown", "proof_form"].contains(&&*refusal.code), "{}", refusal.code);
    std::fs::write(home.beside("cut.proof"), &proof[..proof.len() - 1]).expect("a file");
    refused(&home, &["verify", "cut.proof"], "proof_form");

    // The component itself is nowhere in it.
    let component = std::fs::read(home.beside("hello.wasm")).expect("the component");
    assert!(!proof.windows(component.len()).any(|run| run == component));
}

#[test]
fn what_cannot_be_proven_is_refused_before_it_costs_anything() {
    let home = holder();
    std::fs::write(home.beside("long.wasm"), vec![0; 204_801]).expect("a file");
    refused(&home, &["capsule", "prove-binary", "long.wasm", "--estimate"], "binary_long");
    // The largest says its figures, whether this machine has them or not.
    std::fs::write(home.beside("largest.wasm"), vec![0; 204_800]).expect("a file");
    let estimate = home.json(&["capsule", "prove-binary", "largest.wasm", "--estimate"]);
    assert_eq!((&estimate["blocks"], &estimate["rows"]), (&2845.into(), &131_072.into()));
    // A receipt is no such proof.
    std::fs::write(home.beside("receipt.json"), "{}").expect("a file");
    refused(&home, &["verify", "receipt.json", "--for", AUDITOR], "proof_form");
}
