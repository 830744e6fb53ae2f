//! What a node says to what others do: each check, the input that breaks it alone, and who is to blame.

#[path = "faults/accusations.rs"]
mod accusations;
#[path = "faults/batches.rs"]
mod batches;
#[path = "faults/cosignatures.rs"]
mod cosignatures;
#[path = "faults/scene.rs"]
mod scene;

use scene::*;
use symbolon_codec::Digest32;
use symbolon_log::{Log, ProofError, leaf_hash};
use symbolon_mesh::*;

#[test]
fn entries_are_taken_where_the_checkpoint_shows_them_and_by_nothing_less() {
    let mut scene = Scene::new();
    let log = scene.of.twin();
    let first = grow(&log, "entry", 3);
    let asked = scene.asked_for(&first);
    let out = scene.respond(asked, &entries(&log, 0, 0, 3));
    assert!(out.contains(&Output::Advanced { log: scene.of.name.id(), from: 0, to: 3 }));
    let second = grow(&log, "more", 4);
    let good = entries(&log, 3, 3, 7);
    let Answer::Entries { prefix, prefix_path, entries, path } = good.clone() else { panic!() };
    let make = |prefix, prefix_path: &[Digest32], entries: &[Vec<u8>], path: &[Digest32]| {
        let (prefix_path, path) = (prefix_path.to_vec(), path.to_vec());
        Answer::Entries { prefix, prefix_path, entries: entries.to_vec(), path }
    };
    let mut swapped = entries.clone();
    swapped.swap(0, 1);
    let extra = [entries.clone(), vec![b"extra".to_vec()]].concat();
    let cases = [
        (make(prefix, &prefix_path, &[], &path), Fault::Count { found: 0, max: 4 }),
        (make(prefix, &prefix_path, &extra, &path), Fault::Count { found: 5, max: 4 }),
        (
            make(Digest32([1; 32]), &prefix_path, &entries, &path),
            Fault::Prefix(ProofError::OldRoot),
        ),
        (make(prefix, &prefix_path, &swapped, &path), Fault::Entries(ProofError::Root)),
        (Answer::Heads { heads: Vec::new() }, Fault::Kind),
        (
            Answer::Behind { note: Some(first.replace('3', "4")) },
            Fault::Checkpoint(scene.of.name_error(&first.replace('3', "4"))),
        ),
    ];
    for (answer, expected) in cases {
        let mut scene = Scene::new();
        let asked = scene.asked_for(&first);
        scene.respond(asked, &self::entries(&log, 0, 0, 3));
        let asked = scene.asked_for(&second);
        let out = scene.respond(asked, &answer);
        assert_eq!(faults(&out), [&expected]);
        assert!(out.iter().any(|it| matches!(it, Output::Faulty { peer, .. } if *peer == asked.0)));
        assert_eq!(scene.mesh.size(scene.of.name.id()), Some(3), "nothing of it is kept");
        // The other node is asked at once, and has it.
        let next = asks(&out).into_iter().find(|(peer, _)| *peer != asked.0).expect("the other");
        let out = scene.respond(next, &good);
        assert_eq!(faults(&out), [] as [&Fault; 0]);
        assert_eq!(scene.mesh.head(scene.of.name.id()).unwrap().0, 7);
    }
}

#[test]
fn what_does_not_hold_is_rejected_and_what_depends_on_us_is_ignored() {
    let mut scene = Scene::new();
    let (of, other) = (Operator::new(2), Operator::new(9));
    let note = grow(&of.log, "entry", 2);
    let rejected = |topic, bytes: Vec<u8>, expected: fn(&Fault) -> bool| {
        let mut scene = Scene::new();
        let (verdict, out) = scene.gossip(topic, bytes);
        assert_eq!(verdict, Verdict::Reject);
        assert!(faults(&out).iter().all(|fault| expected(fault)) && faults(&out).len() == 1);
    };
    let mut changed = of.entry(0, "entry 0");
    *changed.last_mut().unwrap() ^= 1;
    rejected(Topic::Entries, changed, |it| matches!(it, Fault::Entry(EntryError::Signature)));
    let forged = of.checkpoint(&note.replace("\n2\n", "\n3\n"));
    rejected(Topic::Checkpoints, forged, |it| {
        matches!(it, Fault::Checkpoint(SpreadError::Checkpoint(_)))
    });
    rejected(Topic::Evidence, vec![1; 9], |it| {
        matches!(it, Fault::Evidence(EvidenceError::Form(_)))
    });
    let long = vec![0; Topic::Checkpoints.bytes_max() + 1];
    rejected(Topic::Checkpoints, long, |it| matches!(it, Fault::Long { .. }));

    // A log that is not followed, and a certificate that is over by our clock, are nobody's fault.
    let (verdict, out) = scene.gossip(Topic::Entries, other.entry(0, "entry"));
    assert_eq!((verdict, faults(&out).len()), (Verdict::Ignore, 0));
    scene.now_ms += 2 * 3_600_000;
    let (verdict, out) = scene.gossip(Topic::Entries, of.entry(0, "entry 0"));
    assert_eq!((verdict, faults(&out).len()), (Verdict::Ignore, 0));
    scene.now_ms = NOW;
    let (verdict, out) = scene.gossip(Topic::Entries, of.entry(0, "entry 0"));
    let arrived = |it: &Output| matches!(it, Output::Arrived { index: 0, .. });
    assert!(verdict == Verdict::Accept && out.iter().any(arrived));
    let (verdict, _) = scene.gossip(Topic::Entries, of.entry(0, "entry 0"));
    assert_eq!(verdict, Verdict::Ignore, "it was taken before");
    let (verdict, _) = scene.gossip(Topic::Entries, of.entry(4096, "far"));
    assert_eq!(verdict, Verdict::Ignore, "it is found by its checkpoint");
    // The rest of the log comes, and its checkpoint: nothing has to be asked for.
    scene.gossip(Topic::Entries, of.entry(1, "entry 1"));
    let (_, out) = scene.gossip(Topic::Checkpoints, of.checkpoint(&note));
    assert!(out.contains(&Output::Advanced { log: of.name.id(), from: 0, to: 2 }));
}

#[test]
fn four_bad_messages_cut_their_sender_off_and_nobody_else() {
    let mut scene = Scene::new();
    let mut cut = None;
    for at in 0..4 {
        let (verdict, out) = scene.gossip(Topic::Entries, vec![at]);
        assert_eq!(verdict, Verdict::Reject);
        assert!(cut.is_none());
        cut = out.iter().find_map(|it| match it {
            Output::Cut { peer, until_ms } => Some((*peer, *until_ms)),
            _ => None,
        });
    }
    let (peer, until_ms) = cut.expect("it is cut off");
    assert_eq!((peer, until_ms), (scene.stranger, NOW + 600_000));
    let of = Operator::new(2);
    let good = of.entry(0, "entry 0");
    let (verdict, out) = scene.gossip(Topic::Entries, good.clone());
    assert_eq!((verdict, out.len()), (Verdict::Reject, 0), "it is not even looked at");
    let peer = of.peer();
    let out = scene.step(Input::Gossip { peer, topic: Topic::Entries, bytes: good, token: 6 });
    let verdict = Verdict::Accept;
    assert_eq!(out.last(), Some(&Output::Verdict { peer, token: 6, verdict }));
}

#[test]
fn who_asks_too_much_is_told_that_it_is_busy_here_and_then_cut_off() {
    let mut scene = Scene::new();
    let peer = scene.stranger;
    let bytes = Request::Heads { after: None }.to_bytes();
    let mut busy = 0;
    for token in 0..2000 {
        let out = scene.step(Input::Request { peer, bytes: bytes.clone(), token });
        let Some(Output::Answer { bytes, .. }) = out.last() else { panic!("no answer") };
        busy += u64::from(Answer::parse(bytes) == Ok(Answer::Busy));
        if out.iter().any(|it| matches!(it, Output::Cut { .. })) {
            assert!((200..1400).contains(&token), "{token}");
            assert!(busy > 100);
            return;
        }
    }
    panic!("nobody was cut off");
}

#[test]
fn a_flood_of_messages_is_not_read_to_its_end() {
    let mut scene = Scene::new();
    // Of a log that is not followed: nobody's fault, each for itself.
    let other = Operator::new(9).entry(0, "entry");
    for _ in 0..8192 {
        let (verdict, out) = scene.gossip(Topic::Entries, other.clone());
        assert_eq!((verdict, out.len()), (Verdict::Ignore, 0));
    }
    let good = scene.of.entry(0, "entry 0");
    let (verdict, out) = scene.gossip(Topic::Entries, good.clone());
    assert_eq!((verdict, faults(&out)), (Verdict::Ignore, vec![&Fault::Flood]));
    scene.now_ms += 10;
    assert_eq!(scene.gossip(Topic::Entries, good).0, Verdict::Accept);
}

#[test]
fn an_answer_is_of_whom_was_asked_and_to_what() {
    let of = Operator::new(2);
    let note = grow(&of.log, "entry", 3);
    let good = entries(&of.log, 0, 0, 3);
    let log = of.name.id();
    let mut scene = Scene::new();
    let asked = scene.asked_for(&note);
    let other = [of.peer(), scene.stranger].into_iter().find(|peer| *peer != asked.0).unwrap();
    assert_eq!(scene.respond((other, asked.1), &good), [], "somebody else answers");
    assert_eq!(scene.respond((asked.0, asked.1 + 100), &good), [], "nobody asked that");
    assert_eq!(scene.mesh.size(log), Some(0));
    // Who goes away before it answers is not waited for.
    let out = scene.step(Input::Disconnected { peer: asked.0 });
    let next = asks(&out)[0];
    assert_eq!(next.0, other);
    assert_eq!(scene.respond(asked, &good), [], "it came too late");
    scene.respond(next, &good);
    assert_eq!(scene.mesh.size(log), Some(3));

    // Evidence of another kind, or about another log, is no answer to a question for a range.
    let elsewhere = Operator::new(9);
    let fork = |of: &Operator| {
        let (one, other) = (of.twin(), of.twin());
        let side = |log: &Log<Storage>, name| {
            let note = grow(log, name, 1);
            Side { note, root: log.root(1).unwrap(), path: Vec::new() }
        };
        let (one, other) = (side(&one, "one"), side(&other, "other"));
        let histories = Contradiction::Histories { at: 1, one, other };
        Evidence::check(of.name.clone(), histories).unwrap()
    };
    let claim = |entry: &[u8]| of.claim(&of.name, 1, entry);
    let twice = Contradiction::Entries { one: claim(b"a"), other: claim(b"b") };
    let twice = Evidence::check(of.name.clone(), twice).unwrap();
    for wrong in [fork(&elsewhere), twice] {
        let mut scene = Scene::new();
        let asked = scene.asked_for(&note);
        let out = scene.respond(asked, &Answer::Forked { evidence: wrong.to_bytes() });
        assert!(faults(&out) == [&Fault::Kind] && evidence(&out).is_none());
    }
    let mut scene = Scene::new();
    let asked = scene.asked_for(&note);
    let out = scene.respond(asked, &Answer::Forked { evidence: fork(&of).to_bytes() });
    assert!(faults(&out).is_empty() && evidence(&out).is_some());

    // Checkpoints of logs come in order, so that asking for more comes to an end.
    for (logs, is_good) in [([1, 2], true), ([2, 1], false), ([1, 1], false)] {
        let mut scene = Scene::new();
        scene.now_ms += 2000;
        let out = scene.step(Input::Tick);
        let asked = asks(&out)[0];
        let heads = logs.map(|log| (LogId(Digest32([log; 32])), note.clone())).to_vec();
        let out = scene.respond(asked, &Answer::Heads { heads });
        assert_eq!(faults(&out).is_empty(), is_good);
    }
}

#[test]
fn two_entries_for_one_place_are_evidence_and_so_is_one_against_the_checkpoint() {
    let mut scene = Scene::new();
    let of = Operator::new(2);
    assert_eq!(scene.gossip(Topic::Entries, of.entry(0, "one")).0, Verdict::Accept);
    let (verdict, out) = scene.gossip(Topic::Entries, of.entry(0, "other"));
    let found = evidence(&out).expect("evidence");
    assert!(verdict == Verdict::Accept && !found.is_fork() && faults(&out).is_empty());
    assert!(matches!(found.contradiction(), Contradiction::Entries { .. }));
    // Whoever gets the evidence needs nothing else.
    let mut other = Scene::new();
    let (verdict, out) = other.gossip(Topic::Evidence, found.to_bytes());
    assert!(verdict == Verdict::Accept && evidence(&out) == Some(found));
    assert_eq!(other.gossip(Topic::Evidence, found.to_bytes()).0, Verdict::Ignore);
    // One is enough: more of the kind is not spread.
    let Contradiction::Entries { one, other: two } = found.contradiction().clone() else {
        panic!()
    };
    let turned = Contradiction::Entries { one: two, other: one };
    let turned = Evidence::check(of.name.clone(), turned).unwrap();
    assert_eq!(other.gossip(Topic::Evidence, turned.to_bytes()).0, Verdict::Ignore);

    let mut scene = Scene::new();
    // All have arrived, and do not lead to the checkpoint: the range is asked for, and tells which is none.
    for (index, entry) in (0..).zip(["entry 0", "a lie", "entry 2"]) {
        assert_eq!(scene.gossip(Topic::Entries, of.entry(index, entry)).0, Verdict::Accept);
    }
    let note = grow(&of.log, "entry", 3);
    let asked = scene.asked_for(&note);
    let out = scene.respond(asked, &entries(&of.log, 0, 0, 3));
    let found = evidence(&out).expect("evidence");
    let Contradiction::Checkpoint { claim, leaf, .. } = found.contradiction() else { panic!() };
    assert_eq!((claim.index(), *leaf), (1, leaf_hash(b"entry 1")));
    assert_eq!(*claim.leaf(), leaf_hash(b"a lie"));
    assert_eq!(scene.mesh.size(of.name.id()), Some(3), "the log goes on: it has one history");
}

#[test]
fn a_second_history_is_evidence_however_it_is_met() {
    let of = Operator::new(2);
    let (one, other) = (of.twin(), of.twin());
    let (three, five) = (grow(&one, "one", 3), grow(&other, "other", 5));
    let reach = |note: &str, log: &Log<Storage>, size| {
        let mut scene = Scene::new();
        let asked = scene.asked_for(note);
        scene.respond(asked, &entries(log, 0, 0, size));
        assert_eq!(scene.mesh.head(of.name.id()).unwrap().0, size);
        scene
    };
    let is_fork = |scene: &Scene, out: &[Output]| {
        let found = evidence(out).expect("evidence");
        assert!(found.is_fork() && scene.mesh.is_forked(of.name.id()));
        assert_eq!(Evidence::open(&found.to_bytes()).as_ref(), Ok(found));
    };
    // A smaller checkpoint than the one that is reached.
    let mut scene = reach(&five, &other, 5);
    let (_, out) = scene.gossip(Topic::Checkpoints, of.checkpoint(&three));
    is_fork(&scene, &out);
    // A larger one: the answer shows that it begins otherwise, and nobody who answers is to blame.
    let mut scene = reach(&three, &one, 3);
    let asked = scene.asked_for(&five);
    let out = scene.respond(asked, &entries(&other, 3, 3, 5));
    is_fork(&scene, &out);
    assert!(faults(&out).is_empty());
    // One that waited is held against what was reached meanwhile.
    let mut scene = Scene::new();
    let asked = scene.asked_for(&five);
    let (verdict, out) = scene.gossip(Topic::Checkpoints, of.checkpoint(&three));
    assert!(verdict == Verdict::Accept && evidence(&out).is_none(), "nothing can be said yet");
    let out = scene.respond(asked, &entries(&other, 0, 0, 5));
    is_fork(&scene, &out);
    // Two of one size, neither reached.
    let mut scene = Scene::new();
    let same = grow(&of.twin(), "third", 5);
    scene.gossip(Topic::Checkpoints, of.checkpoint(&five));
    let (_, out) = scene.gossip(Topic::Checkpoints, of.checkpoint(&same));
    is_fork(&scene, &out);
    // One before the power went, and one after: neither reached.
    let (mut scene, storage) = (Scene::new(), Storage::default());
    scene.mesh.unfollow(of.name.id());
    scene.mesh.follow(of.name.clone(), storage.clone()).unwrap();
    scene.gossip(Topic::Checkpoints, of.checkpoint(&five));
    let mut scene = Scene::new();
    scene.mesh.unfollow(of.name.id());
    let storage = Storage::new(storage.after_power_cut(0));
    assert_eq!(scene.mesh.follow(of.name.clone(), storage.clone()).unwrap(), []);
    let (_, out) = scene.gossip(Topic::Checkpoints, of.checkpoint(&same));
    is_fork(&scene, &out);
    // It is known after the next power cut as well.
    let mut mesh = Operator::new(1).mesh();
    let storage = Storage::new(storage.after_power_cut(0));
    let known = mesh.follow(of.name.clone(), storage).unwrap();
    assert!(known.len() == 1 && known[0].is_fork() && mesh.is_forked(of.name.id()));
    // What somebody who asks wants is of another history than ours.
    let mut scene = reach(&five, &other, 5);
    let log = of.name.id();
    let bytes = Request::Range { log, base: 0, from: 0, note: three.clone() }.to_bytes();
    let peer = scene.stranger;
    let out = scene.step(Input::Request { peer, bytes, token: 1 });
    is_fork(&scene, &out);
    let Some(Output::Answer { bytes, .. }) = out.last() else { panic!("no answer") };
    let told = Answer::parse(bytes).unwrap();
    // Who is told so checks it, and knows it then.
    let mut asking = Scene::new();
    let asked = asking.asked_for(&three);
    let out = asking.respond(asked, &told);
    is_fork(&asking, &out);
}

#[test]
fn an_entry_is_confirmed_by_operators_that_show_it_and_by_no_others_word() {
    let of = Operator::new(2);
    let note = grow(&of.log, "entry", 3);
    let others: Vec<_> = (3..6).map(Operator::new).collect();
    let log = of.name.id();
    let included = |index| Answer::Included {
        note: note.clone(),
        leaf: leaf_hash(format!("entry {index}").as_bytes()),
        path: of.log.inclusion(index, 3).unwrap(),
    };
    let ask_but = |leaf: &[u8], quorum, excluded: Vec<symbolon_crypto::VerifyingKey>| {
        let mut scene = Scene::new();
        // The log's own operator is not asked: its word is what is questioned.
        for operator in others.iter().chain([&of]) {
            let peer = operator.peer();
            for (peer, id) in asks(&scene.step(Input::Connected { peer })) {
                scene.step(Input::Failed { peer, id });
            }
            let certificate = operator.certificate.bytes().to_vec();
            scene.step(Input::Introduced { peer, certificate });
        }
        let leaf = leaf_hash(leaf);
        let asked =
            asks(&scene.step(Input::Verify { id: 1, log, index: 1, leaf, quorum, excluded }));
        assert!(asked.iter().all(|(peer, _)| *peer != of.peer()));
        (scene, asked)
    };
    let ask = |leaf: &[u8], quorum| ask_but(leaf, quorum, Vec::new());
    // Whose word counts nothing is not asked.
    let (_, asked) = ask_but(b"entry 1", 2, vec![others[0].key.verifying_key()]);
    assert!(asked.len() == 2 && asked.iter().all(|(peer, _)| *peer != others[0].peer()));
    let verified = |out: &[Output]| {
        out.iter().find_map(|it| match it {
            Output::Verified { id: 1, outcome } => Some(outcome.clone()),
            _ => None,
        })
    };
    let (mut scene, asked) = ask(b"entry 1", 2);
    assert_eq!(asked.len(), 3);
    assert_eq!(verified(&scene.respond(asked[0], &included(1))), None);
    // The path of another place shows nothing, and says who lies.
    let out = scene.respond(asked[1], &included(2));
    assert_eq!(faults(&out), [&Fault::Inclusion(ProofError::Length { found: 1, expected: 2 })]);
    let outcome = verified(&scene.respond(asked[2], &included(1)));
    assert!(matches!(outcome, Some(Verified::Confirmed { by }) if by.len() == 2));

    // Two nodes that turn out to be one operator's are one voice.
    let (mut scene, asked) = ask(b"entry 1", 2);
    assert_eq!(verified(&scene.respond(asked[0], &included(1))), None);
    let whose = |peer: Peer| others.iter().find(|it| it.peer() == peer).unwrap();
    let (first, second) = (whose(asked[0].0), whose(asked[1].0));
    let second = second.endpoint.verifying_key();
    let both = Certificate::sign(&first.key, second, NOW, NOW + 1000).unwrap();
    let certificate = both.bytes().to_vec();
    scene.step(Input::Introduced { peer: asked[1].0, certificate });
    assert_eq!(verified(&scene.respond(asked[1], &included(1))), None);

    let (mut scene, asked) = ask(b"another", 2);
    let outcome = verified(&scene.respond(asked[0], &included(1)));
    let stands = leaf_hash(b"entry 1");
    assert!(matches!(outcome, Some(Verified::Contradicted { leaf, .. }) if leaf == stands));

    let (mut scene, asked) = ask(b"entry 1", 1);
    assert_eq!(asked.len(), 2);
    assert_eq!(verified(&scene.respond(asked[0], &Answer::Absent)), None);
    let outcome = verified(&scene.respond(asked[1], &Answer::Busy));
    assert_eq!(outcome, Some(Verified::Unknown { by: Vec::new() }));
    let (mut scene, _) = ask(b"entry 1", 1);
    scene.now_ms += 30_000;
    let outcome = verified(&scene.step(Input::Tick));
    assert_eq!(outcome, Some(Verified::Unknown { by: Vec::new() }));
}

#[test]
fn a_certificate_is_of_the_node_that_shows_it() {
    let mut scene = Scene::new();
    let (of, peer) = (Operator::new(2), scene.stranger);
    let certificate = of.certificate.bytes().to_vec();
    let out = scene.step(Input::Introduced { peer, certificate: certificate.clone() });
    assert_eq!(faults(&out), [&Fault::Certificate(CertificateError::Subject)]);
    let peer = of.peer();
    let out = scene.step(Input::Introduced { peer, certificate });
    assert_eq!(out, [Output::Introduced { peer, operator: of.key.verifying_key() }]);
    // A log of ours is signed by our operator.
    let mut mesh = Operator::new(1).mesh();
    let own = mesh.own(of.name.clone(), Storage::default());
    assert!(matches!(own, Err(FollowError::Operator)));
}

#[test]
fn a_log_of_our_own_that_was_put_back_is_not_spread() {
    let of = Operator::new(2);
    let mut mesh = of.mesh();
    mesh.own(of.name.clone(), Storage::default()).unwrap();
    let note = grow(&of.log, "entry", 2);
    let log = of.name.id();
    let mut grown = |from, entries: &[&str], note: Option<&str>| {
        let entries = entries.iter().map(|it| it.as_bytes().to_vec()).collect();
        let mut out = Vec::new();
        let note = note.map(str::to_owned);
        mesh.step(Input::Grown { log, from, entries, note }, NOW, &mut out);
        out
    };
    let out = grown(0, &["entry 0", "entry 1"], Some(&note));
    let topics: Vec<_> = out.iter().map(|it| matches!(it, Output::Publish { .. })).collect();
    assert_eq!(topics, [true; 2], "entries in one message, and a checkpoint");
    assert_eq!(grown(1, &["entry 1"], None), [], "what was given before is nothing new");
    let out = grown(1, &["something else"], None);
    assert!(matches!(&out[..], [Output::Stopped { .. }]), "{out:?}");

    // A checkpoint under our key that is not of what was spread stops it too, before anything is said of it.
    for other in [grow(&of.twin(), "other", 2), grow(&of.twin(), "entry", 3)] {
        let mut mesh = of.mesh();
        mesh.own(of.name.clone(), Storage::default()).unwrap();
        let entries = vec![b"entry 0".to_vec(), b"entry 1".to_vec()];
        let mut out = Vec::new();
        let grown = Input::Grown { log, from: 0, entries, note: Some(other) };
        mesh.step(grown, NOW, &mut out);
        assert!(matches!(&out[..], [Output::Stopped { .. }]), "{out:?}");
    }
}
