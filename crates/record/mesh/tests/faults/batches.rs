//! Entries that come in one message: each is looked at by itself, and nobody loses by what is beside it.

use symbolon_log::leaf_hash;
use symbolon_mesh::*;

use crate::scene::*;

fn arrived(out: &[Output]) -> Vec<u64> {
    let index = |output: &Output| match output {
        Output::Arrived { index, .. } => Some(*index),
        _ => None,
    };
    out.iter().filter_map(index).collect()
}

#[test]
fn what_is_new_of_a_message_is_taken_and_what_is_known_is_not_taken_twice() {
    let (mut scene, of) = (Scene::new(), Operator::new(2));
    let first = of.batch(0, &["entry 0", "entry 1"]);
    let (verdict, out) = scene.gossip(Topic::Entries, first.clone());
    assert_eq!((verdict, arrived(&out)), (Verdict::Accept, vec![0, 1]));
    assert_eq!(scene.gossip(Topic::Entries, first).0, Verdict::Ignore, "the same message");
    // The same entries, cut another way.
    let (verdict, out) = scene.gossip(Topic::Entries, of.batch(1, &["entry 1", "entry 2"]));
    assert_eq!((verdict, arrived(&out)), (Verdict::Accept, vec![2]));
    // Of one that reaches beyond what is held, the rest is found by its checkpoint.
    let (verdict, out) = scene.gossip(Topic::Entries, of.batch(4095, &["near", "far"]));
    assert_eq!((verdict, arrived(&out)), (Verdict::Accept, vec![4095]));
    assert_eq!(
        scene.gossip(Topic::Entries, of.batch(4096, &["far", "farther"])).0,
        Verdict::Ignore
    );
    let note = grow(&of.log, "entry", 3);
    let (_, out) = scene.gossip(Topic::Checkpoints, of.checkpoint(&note));
    assert!(out.contains(&Output::Advanced { log: of.name.id(), from: 0, to: 3 }));
    // What is here already is held against it, beside what is new.
    let (verdict, out) = scene.gossip(Topic::Entries, of.batch(2, &["a lie", "entry 3"]));
    assert_eq!((verdict, arrived(&out)), (Verdict::Accept, vec![3]));
    let found = evidence(&out).expect("evidence");
    let Contradiction::Checkpoint { claim, .. } = found.contradiction() else { panic!() };
    assert_eq!((claim.index(), *claim.leaf()), (2, leaf_hash(b"a lie")));
    assert_eq!(Evidence::open(&found.to_bytes()).as_ref(), Ok(found));
}

#[test]
fn two_messages_that_contradict_each_other_in_one_place_are_evidence_of_that_place() {
    let (mut scene, of) = (Scene::new(), Operator::new(2));
    scene.gossip(Topic::Entries, of.batch(0, &["entry 0", "entry 1", "entry 2"]));
    let other = of.batch(1, &["entry 1", "something else", "entry 3"]);
    let (verdict, out) = scene.gossip(Topic::Entries, other);
    assert_eq!((verdict, arrived(&out)), (Verdict::Accept, vec![3]));
    let found = evidence(&out).expect("evidence");
    let Contradiction::Entries { one, other } = found.contradiction() else { panic!() };
    assert_eq!((one.index(), other.index()), (2, 2));
    assert_eq!(*one.leaf(), leaf_hash(b"entry 2"));
    let bytes = found.to_bytes();
    assert_eq!(Evidence::open(&bytes).as_ref(), Ok(found));
    // Whose place is not among what was signed is no claim.
    let mut moved = bytes;
    let kind = b"entries";
    let at = moved.windows(kind.len()).position(|it| it == kind).unwrap() + kind.len() + 4;
    moved[at..at + 8].copy_from_slice(&9_u64.to_be_bytes());
    assert_eq!(Evidence::open(&moved), Err(EvidenceError::Entry(EntryError::Place)));
}

#[test]
fn what_a_log_grew_by_goes_in_as_few_messages_as_the_bounds_allow() {
    let of = Operator::new(2);
    let mut mesh = of.mesh();
    mesh.own(of.name.clone(), Storage::default()).unwrap();
    let entries: Vec<_> = (0..300_u32).map(|at| at.to_be_bytes().to_vec()).collect();
    let mut out = Vec::new();
    let grown = Input::Grown { log: of.name.id(), from: 0, entries, note: None };
    mesh.step(grown, NOW, &mut out);
    let firsts = out.iter().map(|output| match output {
        Output::Publish { topic: Topic::Entries, bytes } => {
            let raw = RawBatch::parse(bytes).unwrap();
            assert!(Batch::open(&raw).is_ok());
            (raw.first, raw.entries.len())
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(firsts.collect::<Vec<_>>(), [(0, 128), (128, 128), (256, 44)]);
}
