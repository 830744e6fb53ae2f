//! What witnesses sign after a checkpoint was spread: it is forwarded once, counted by those who believe them, and by no
//! one else.

use super::scene::*;
use symbolon_ambient::SeededRng;
use symbolon_crypto::SigningKey;
use symbolon_log::{WitnessKey, cosign, with_lines};
use symbolon_mesh::*;

struct Witness {
    key: SigningKey,
    name: &'static str,
}

impl Witness {
    fn new(seed: u64, name: &'static str) -> Self {
        Self { key: SigningKey::make(&SeededRng::new(seed)), name }
    }

    fn public(&self) -> WitnessKey {
        WitnessKey::new(self.name, self.key.verifying_key()).unwrap()
    }

    fn line(&self, note: &str) -> String {
        cosign(note, self.name, &self.key, 1_790_000_000).unwrap()
    }

    fn sign(&self, note: &str) -> String {
        with_lines(note, &self.line(note)).unwrap()
    }
}

/// A node that believes two witnesses and has three entries of the log, with the checkpoint over them and one over five.
struct Watched {
    scene: Scene,
    north: Witness,
    south: Witness,
    storage: Storage,
    three: String,
    five: String,
    answer: Answer,
}

impl Watched {
    fn new() -> Self {
        let (north, south) = (Witness::new(20, "north.example"), Witness::new(21, "south.example"));
        let (mut scene, storage) = (Scene::new(), Storage::default());
        let log = scene.of.name.clone();
        scene.mesh = Operator::new(1).mesh().believing(vec![north.public(), south.public()]);
        scene.mesh.follow(log, storage.clone()).unwrap();
        for peer in [scene.of.peer(), scene.stranger] {
            for (peer, id) in asks(&scene.step(Input::Connected { peer })) {
                scene.step(Input::Failed { peer, id });
            }
        }
        let log = scene.of.twin();
        let three = grow(&log, "entry", 3);
        let asked = scene.asked_for(&three);
        scene.respond(asked, &entries(&log, 0, 0, 3));
        let five = grow(&log, "more", 2);
        let answer = entries(&log, 3, 3, 5);
        Self { scene, north, south, storage, three, five, answer }
    }

    fn hear(&mut self, note: &str) -> (Verdict, Option<String>) {
        let bytes = self.scene.of.checkpoint(note);
        let (verdict, out) = self.scene.gossip(Topic::Checkpoints, bytes);
        assert_eq!(faults(&out), [] as [&Fault; 0]);
        (verdict, told(&out))
    }

    fn known(&self) -> Option<(u64, usize)> {
        self.scene.mesh.cosigned(self.scene.of.name.id())
    }

    /// The note with both lines, in the order of the witnesses' keys.
    fn in_order(&self, note: &str) -> String {
        let mut both = [&self.north, &self.south];
        both.sort_by_key(|it| *it.key.verifying_key().as_bytes());
        both.iter().fold(note.to_owned(), |all, witness| all + &witness.line(note))
    }
}

fn told(out: &[Output]) -> Option<String> {
    out.iter().find_map(|output| match output {
        Output::Cosigned { note, .. } => Some(note.clone()),
        _ => None,
    })
}

#[test]
fn each_witness_is_heard_once_and_others_add_nothing() {
    let mut at = Watched::new();
    assert_eq!(at.known(), None);
    let by_north = at.north.sign(&at.three);
    let (verdict, told) = at.hear(&by_north);
    assert_eq!((verdict, told.as_deref()), (Verdict::Accept, Some(&*by_north)));
    assert_eq!(at.known(), Some((3, 1)));
    // The same again under another stranger's line; a stranger's alone; nothing.
    let stranger = Witness::new(22, "stranger.example");
    for note in [stranger.sign(&by_north), stranger.sign(&at.three), at.three.clone()] {
        assert_eq!(at.hear(&note), (Verdict::Ignore, None), "{note}");
    }
    // The second, with the stranger's line between: what is kept has theirs alone.
    let all = at.south.sign(&stranger.sign(&at.three));
    let (verdict, told) = at.hear(&all);
    let told = told.expect("the second witness");
    assert_eq!((verdict, at.known()), (Verdict::Accept, Some((3, 2))));
    assert!(at.north.public().verify(&told).is_ok() && at.south.public().verify(&told).is_ok());
    assert!(!told.contains("stranger"), "{told}");
    // Who asks for checkpoints is shown it.
    let bytes = Request::Heads { after: None }.to_bytes();
    let out = at.scene.step(Input::Request { peer: at.scene.stranger, bytes, token: 9 });
    let answer = out.iter().find_map(|output| match output {
        Output::Answer { bytes, .. } => Some(Answer::parse(bytes).unwrap()),
        _ => None,
    });
    assert_eq!(answer, Some(Answer::Heads { heads: vec![(at.scene.of.name.id(), told)] }));
}

#[test]
fn a_line_counts_only_where_a_believed_witness_signed_this_very_checkpoint() {
    let mut at = Watched::new();
    let moved = with_lines(&at.three, &at.north.line(&at.five)).unwrap();
    let impostor = Witness::new(23, "north.example").sign(&at.three);
    let mut damaged = at.north.line(&at.three);
    let last = damaged.trim_end_matches(['=', '\n']).len() - 8;
    let other = if damaged.as_bytes()[last] == b'A' { "B" } else { "A" };
    damaged.replace_range(last..=last, other);
    let damaged = with_lines(&at.three, &damaged).unwrap();
    for note in [moved, impostor, damaged] {
        assert_eq!(at.hear(&note), (Verdict::Ignore, None), "{note}");
    }
    assert_eq!(at.known(), None);
    // The operator is no witness of itself, whatever it calls itself.
    let own = WitnessKey::new("own.example", at.scene.of.key.verifying_key()).unwrap();
    let line = cosign(&at.three, "own.example", &at.scene.of.key, 1_790_000_000).unwrap();
    at.scene.mesh = Operator::new(1).mesh().believing(vec![own]);
    at.scene.mesh.follow(at.scene.of.name.clone(), at.storage.clone()).unwrap();
    for (peer, id) in asks(&at.scene.step(Input::Connected { peer: at.scene.stranger })) {
        at.scene.step(Input::Failed { peer, id });
    }
    assert_eq!(at.hear(&with_lines(&at.three, &line).unwrap()), (Verdict::Ignore, None));
}

#[test]
fn what_is_signed_before_its_entries_are_here_counts_once_they_are() {
    let mut at = Watched::new();
    let five = at.five.clone();
    let asked = at.scene.asked_for(&five);
    assert_eq!(at.hear(&at.north.sign(&five)), (Verdict::Accept, None));
    assert_eq!(at.hear(&at.south.sign(&five)), (Verdict::Accept, None));
    assert_eq!(at.known(), None);
    let out = at.scene.respond(asked, &at.answer.clone());
    assert_eq!(told(&out), Some(at.in_order(&five)));
    assert_eq!(at.known(), Some((5, 2)));
    // An older one is no news.
    assert_eq!(at.hear(&at.north.sign(&at.three)), (Verdict::Ignore, None));
}

#[test]
fn what_witnesses_said_is_there_after_a_restart_as_far_as_they_are_believed_then() {
    let mut at = Watched::new();
    let both = at.south.sign(&at.north.sign(&at.three));
    assert_eq!(at.hear(&both).0, Verdict::Accept);
    let again = |believed: Vec<WitnessKey>| {
        let mut mesh = Operator::new(1).mesh().believing(believed);
        mesh.follow(at.scene.of.name.clone(), at.storage.clone()).unwrap();
        mesh.cosigned(at.scene.of.name.id())
    };
    assert_eq!(again(vec![at.north.public(), at.south.public()]), Some((3, 2)));
    assert_eq!(again(vec![at.south.public()]), Some((3, 1)));
    assert_eq!(again(Vec::new()), None);
    // It is a cache: one that is damaged is as none.
    symbolon_log::Storage::publish(&at.storage, "mesh.cosigned", b"\xff damaged").unwrap();
    assert_eq!(again(vec![at.north.public()]), None);
}

#[test]
fn our_own_log_is_spread_again_with_what_witnesses_said() {
    let of = Operator::new(2);
    let north = Witness::new(20, "north.example");
    let (mut mesh, id) = (of.mesh(), of.name.id());
    mesh.own(of.name.clone(), Storage::default()).unwrap();
    let note = grow(&of.log, "entry", 2);
    let given: Vec<Vec<u8>> =
        of.log.entries(0..2).unwrap().into_iter().map(|(_, entry)| entry).collect();
    let mut step = |input| {
        let mut out = Vec::new();
        mesh.step(input, NOW, &mut out);
        let published = |output| match output {
            Output::Publish { topic: Topic::Checkpoints, bytes } => Some(bytes),
            _ => None,
        };
        out.into_iter().filter_map(published).collect::<Vec<_>>()
    };
    let cosigned = north.sign(&note);
    let told = || Input::Cosigned { log: id, note: cosigned.clone() };
    // Not before the checkpoint itself.
    assert!(step(told()).is_empty());
    let grown = Input::Grown { log: id, from: 0, entries: given, note: Some(note.clone()) };
    assert_eq!(step(grown), [of.checkpoint(&note)]);
    assert_eq!(step(told()), [of.checkpoint(&cosigned)]);
    assert!(step(told()).is_empty(), "once");
    // Nor one that others could not read.
    let long = (0..60).fold(note.clone(), |note, at| {
        let name: &'static str = format!("{}.{at}", "w".repeat(240)).leak();
        Witness::new(100 + at, name).sign(&note)
    });
    assert!(long.len() > symbolon_mesh::checkpoint::NOTE_BYTES_MAX);
    assert!(step(Input::Cosigned { log: id, note: long }).is_empty());
}
