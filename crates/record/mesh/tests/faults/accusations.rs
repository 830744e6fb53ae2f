//! Evidence that holds, and what breaks each of its checks alone.

use symbolon_codec::Digest32;
use symbolon_log::{Log, ProofError, leaf_hash};
use symbolon_mesh::*;

use crate::scene::*;

#[test]
fn evidence_that_shows_nothing_accuses_nobody() {
    let of = Operator::new(2);
    let (one, other) = (of.twin(), of.twin());
    let (three, five) = (grow(&one, "one", 3), grow(&other, "other", 5));
    let root = |log: &Log<Storage>, at| log.root(at).unwrap();
    let left = Side { note: three.clone(), root: root(&one, 3), path: Vec::new() };
    let path = other.consistency(3, 5).unwrap();
    let right = Side { note: five.clone(), root: root(&other, 3), path: path.clone() };
    let check = |at, one: &Side, other: &Side| {
        let (one, other) = (one.clone(), other.clone());
        Evidence::check(of.name.clone(), Contradiction::Histories { at, one, other })
    };
    assert!(check(3, &left, &right).is_ok_and(|it| it.is_fork()));
    assert_eq!(check(3, &left, &left), Err(EvidenceError::NoContradiction));
    let wrong = Side { root: Digest32([1; 32]), ..right.clone() };
    assert_eq!(check(3, &left, &wrong), Err(EvidenceError::Path(ProofError::OldRoot)));
    assert!(matches!(check(2, &left, &right), Err(EvidenceError::Path(_))));
    let forged = Side { note: five.replace("\n5\n", "\n6\n"), ..right.clone() };
    let first = check(3, &forged, &left);
    assert!(matches!(first, Err(EvidenceError::Checkpoint(_))));
    assert!(matches!(check(3, &left, &forged), Err(EvidenceError::Checkpoint(_))));
    // Of another operator nothing is shown by it.
    let stranger = Operator::new(3);
    let (one_side, other_side) = (left.clone(), right);
    let histories = Contradiction::Histories { at: 3, one: one_side, other: other_side };
    let accused = Evidence::check(stranger.name.clone(), histories);
    assert!(matches!(accused, Err(EvidenceError::Checkpoint(_))));

    let claim = |index, entry: &[u8]| of.claim(&of.name, index, entry);
    let twice = |one: Box<Claim>, other: Box<Claim>| {
        Evidence::check(of.name.clone(), Contradiction::Entries { one, other })
    };
    assert!(twice(claim(1, b"a"), claim(1, b"b")).is_ok());
    assert_eq!(twice(claim(1, b"a"), claim(1, b"a")), Err(EvidenceError::NoContradiction));
    assert_eq!(twice(claim(1, b"a"), claim(2, b"b")), Err(EvidenceError::NoContradiction));
    let contradiction = Contradiction::Entries { one: claim(1, b"a"), other: claim(1, b"b") };
    let accused = Evidence::check(stranger.name.clone(), contradiction);
    assert_eq!(accused, Err(EvidenceError::Entry(EntryError::Operator)));

    // Each of the two is looked at: one of another operator's, or of another log, is no claim about this one.
    let strange = |index, entry: &[u8]| stranger.claim(&of.name, index, entry);
    let operator = Err(EvidenceError::Entry(EntryError::Operator));
    assert_eq!(twice(strange(1, b"a"), claim(1, b"b")), operator);
    assert_eq!(twice(claim(1, b"a"), strange(1, b"b")), operator);
    let elsewhere = LogName::new("example.test/other", of.key.verifying_key()).unwrap();
    let moved = of.claim(&elsewhere, 1, b"c");
    let signature = Err(EvidenceError::Entry(EntryError::Signature));
    assert_eq!(twice(moved, claim(1, b"b")), signature);

    let against = |claim: Box<Claim>, leaf: &[u8], path: Vec<Digest32>| {
        let (note, leaf) = (three.clone(), leaf_hash(leaf));
        Evidence::check(of.name.clone(), Contradiction::Checkpoint { claim, note, leaf, path })
    };
    let path = one.inclusion(1, 3).unwrap();
    let shown = against(claim(1, b"a lie"), b"one 1", path.clone()).unwrap();
    assert_eq!(Evidence::open(&shown.to_bytes()), Ok(shown));
    assert_eq!(against(strange(1, b"a lie"), b"one 1", path.clone()), operator);
    let same = against(claim(1, b"one 1"), b"one 1", path.clone());
    assert_eq!(same, Err(EvidenceError::NoContradiction));
    let other = against(claim(1, b"a lie"), b"one 2", path);
    assert_eq!(other, Err(EvidenceError::Path(ProofError::Root)));
}
