//! A log that cannot be rewritten: witnesses, receipts that are final, monitors, proofs of a fork.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use symbolon_tests::home::{Home, Ran};
use symbolon_tests::place;
use symbolon_tests::witness::{Witness, serve_log, until};

/// Calls, and gives the number of the last receipt, which a checkpoint covers.
fn call(home: &Home, times: usize) -> u64 {
    let call = || home.json(&["call", "upstream.notes.list"])["receipt"].as_u64().unwrap();
    let mut last = 0;
    for _ in 0..times {
        last = call();
    }
    home.export_receipt(last);
    last
}

fn verify(home: &Home, receipt: &Path, more: &[&str]) -> Ran {
    let key = home.operator_key();
    let given = ["--json", "verify", receipt.to_str().unwrap(), "--key", key.to_str().unwrap()];
    home.run(&[&given[..], more].concat())
}

#[test]
fn a_receipt_is_final_with_two_witnesses_though_a_third_sleeps() {
    let (home, _upstream) = Home::with_upstream("cli");
    let (mut one, mut two) = (Witness::of(&home), Witness::of(&home));
    // It takes connections, and never answers.
    let asleep = TcpListener::bind("127.0.0.1:0").unwrap();
    let asleep_url = format!("http://{}", asleep.local_addr().unwrap());
    let third = Home::empty(place::symbolon());
    let third_key = third.json(&["witness"])["key"].as_str().unwrap().to_owned();
    let early = call(&home, 1);
    let before = home.export_receipt(early);
    home.ok(&["witnesses", "add", "one", &one.url, &one.key]);
    home.ok(&["witnesses", "add", "two", &two.url, &two.key]);
    home.ok(&["witnesses", "add", "three", &asleep_url, &third_key]);
    let again = home.refused(&["witnesses", "add", "four", &one.url, &one.key]);
    assert_eq!(again.code, "witness_there", "two names with one key: {}", again.message);
    let began = Instant::now();
    let number = call(&home, 3);
    assert!(began.elapsed() < Duration::from_secs(8), "a call waited for a witness");
    until(&home, "one", "cosigned", number + 1);
    until(&home, "two", "cosigned", number + 1);
    let receipt = home.export_receipt(number);
    // Offline: nobody is left to ask.
    one.service.kill();
    two.service.kill();
    home.ok(&["lock", "--stop"]);
    let both = ["--witness", &one.key, "--witness", &two.key];
    let said = verify(&home, &receipt, &both).succeeded().json();
    assert_eq!((&said["verified"], &said["final"]), (&true.into(), &true.into()), "{said}");
    assert_eq!(said["witnesses"].as_array().unwrap().len(), 2);
    // A person sees the same.
    let (key, file) = (home.operator_key(), receipt.to_str().unwrap());
    let given = ["verify", file, "--key", key.to_str().unwrap()];
    let shown = home.ok(&[&given[..], &both].concat()).stdout();
    assert!(shown.contains("final       yes: 2 of 2 witnesses"), "{shown}");
    assert_eq!(shown.matches('\u{2713}').count(), 2, "{shown}");
    // Not with one that never signed.
    let other = ["--witness", &one.key, "--witness", &third_key];
    let ran = verify(&home, &receipt, &other);
    let said = ran.json();
    assert_eq!(ran.code(), Some(5), "{said}");
    assert_eq!((&said["verified"], &said["final"]), (&true.into(), &false.into()), "{said}");
    assert!(said["witnesses"][1]["reason"].as_str().unwrap().contains("no cosignature"), "{said}");
    verify(&home, &receipt, &[&other[..], &["--witnesses", "1"]].concat()).succeeded();
    // One that was handed over before there were witnesses is true all the same.
    verify(&home, &before, &[]).succeeded();
    assert_eq!(verify(&home, &before, &both).code(), Some(5));
    assert_eq!(verify(&home, &receipt, &["--witness", &one.key]).refused().exit, 2);
    let file = one.home.beside("one.pub");
    std::fs::write(&file, format!("{}\n", one.key)).unwrap();
    let in_a_file = ["--witness", file.to_str().unwrap(), "--witness", &two.key];
    verify(&home, &receipt, &in_a_file).succeeded();
    // A key that signed for another log is no help, nor is a receipt with a line taken away.
    let text = std::fs::read_to_string(&receipt).unwrap();
    let name = one.key.split('+').next().unwrap();
    let cut = text.replace(&format!("\\n\u{2014} {name} "), "\\n\u{2014} nobody ");
    assert_ne!(cut, text);
    std::fs::write(&receipt, cut).unwrap();
    assert_eq!(verify(&home, &receipt, &both).code(), Some(5));
}

#[test]
fn a_copied_home_is_told_that_it_went_back_and_its_fork_is_proven() {
    let (home, _upstream) = Home::with_upstream("cli");
    call(&home, 2);
    home.ok(&["lock", "--stop"]);
    let copy = Home::empty(place::symbolon());
    let copied = Command::new("cp").arg("-a").args([home.path(), copy.path()]).status().unwrap();
    assert!(copied.success());
    let witness = Witness::of(&home);
    home.ok(&["witnesses", "add", "one", &witness.url, &witness.key]);
    let last = call(&home, 4);
    until(&home, "one", "cosigned", last + 1);
    let ((_served, ours), (_also, theirs)) = (serve_log(&home), serve_log(&copy));
    let (key, state, proof) = (home.operator_key(), home.beside("state"), home.beside("fork.json"));
    let watch = |url: &str| {
        let (key, state) = (key.to_str().unwrap(), state.to_str().unwrap());
        let proof = proof.to_str().unwrap();
        let given = ["--json", "monitor", url, "--key", key, "--state", state, "--proof", proof];
        let ran = home.run(&[&given[..], &["--once"]].concat());
        (ran.code(), ran.json())
    };
    let (code, said) = watch(&ours);
    assert_eq!(
        (code, &said["observed"], &said["to"]),
        (Some(0), &"advanced".into(), &(last + 1).into())
    );
    assert_eq!(watch(&ours).1["observed"], "unchanged");
    // The copy begins where it was made.
    let (code, said) = watch(&theirs);
    assert_eq!((code, &said["observed"]), (Some(1), &"rolled_back".into()), "{said}");
    copy.ok(&["witnesses", "add", "one", &witness.url, &witness.key]);
    copy.ok(&["receipts"]);
    until(&copy, "one", "rolled_back", 1);
    // It goes on, and past the other.
    let number = call(&copy, 7);
    until(&copy, "one", "forked", number + 1);
    let (code, said) = watch(&theirs);
    assert_eq!((code, &said["observed"]), (Some(1), &"forked".into()), "{said}");
    // It is remembered of the operator, for ever; whoever is shown the proof remembers it too.
    let known = || home.json(&["trust", "show", key.to_str().unwrap()]);
    let forked = known();
    assert_eq!((&forked["points"], &forked["reasons"][1]["why"]), (&0.into(), &"fork".into()));
    home.ok(&["trust", "forget", key.to_str().unwrap()]);
    assert_eq!(known()["points"], 50);
    let shown = verify(&home, &proof, &[]).succeeded().json();
    assert_eq!(known()["points"], 0);
    assert_eq!((&shown["fork"], &shown["older"]["size"]), (&true.into(), &(last + 1).into()));
    // Another operator is not accused, and nobody by a file that was changed.
    let stranger = Home::new();
    assert_eq!(verify(&stranger, &proof, &[]).refused().code, "other_operator");
    let text = std::fs::read_to_string(&proof).unwrap();
    let at = text.find("\"prefix\": \"").unwrap() + 12;
    let mut changed = text.clone().into_bytes();
    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
    let file = home.beside("changed.json");
    std::fs::write(&file, changed).unwrap();
    assert_eq!(verify(&home, &file, &[]).refused().code, "no_fork");
    // A proof that stands is not written over.
    let (code, said) = watch(&ours);
    assert_eq!((code, said["error"]["code"].as_str()), (Some(1), Some("exists")), "{said}");
}
