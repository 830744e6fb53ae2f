//! A node that follows a log, and whom it is connected to.

use std::sync::Arc;

use symbolon_ambient::SeededRng;
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, MemoryStorage};
use symbolon_mesh::*;

pub type Storage = Arc<MemoryStorage>;

pub const NOW: u64 = 1_790_000_000_000;
const ORIGIN: &str = "example.test/log";

pub struct Operator {
    pub key: Arc<SigningKey>,
    pub endpoint: SigningKey,
    pub certificate: Certificate,
    pub name: LogName,
    pub log: Log<Storage>,
}

impl Operator {
    pub fn new(seed: u64) -> Self {
        let key = Arc::new(SigningKey::make(&SeededRng::new(seed)));
        let endpoint = derive_endpoint(&key, 0);
        let valid = (NOW - 1000, NOW + 3_600_000);
        let certificate =
            Certificate::sign(&key, endpoint.verifying_key(), valid.0, valid.1).unwrap();
        let name = LogName::new(ORIGIN, key.verifying_key()).unwrap();
        let log = Log::open(Storage::default(), ORIGIN, Some(key.clone())).unwrap();
        Self { key, endpoint, certificate, name, log }
    }

    /// Another history under the same key.
    pub fn twin(&self) -> Log<Storage> {
        Log::open(Storage::default(), ORIGIN, Some(self.key.clone())).unwrap()
    }

    pub fn peer(&self) -> Peer {
        Peer(*self.endpoint.verifying_key().as_bytes())
    }

    pub fn entry(&self, index: u64, entry: &str) -> Vec<u8> {
        self.batch(index, &[entry])
    }

    pub fn batch(&self, first: u64, entries: &[&str]) -> Vec<u8> {
        let entries = entries.iter().map(|it| it.as_bytes().to_vec()).collect();
        let (name, certificate) = (self.name.clone(), self.certificate.clone());
        Batch::sign(name, first, entries, certificate, &self.endpoint).to_bytes()
    }

    /// A node's signature for an entry of a log, with a neighbour under the same one.
    pub fn claim(&self, log: &LogName, index: u64, entry: &[u8]) -> Box<Claim> {
        let entries = vec![entry.to_vec(), b"a neighbour".to_vec()];
        let certificate = self.certificate.clone();
        let batch = Batch::sign(log.clone(), index, entries, certificate, &self.endpoint);
        Box::new(batch.into_entries().next().unwrap().claim)
    }

    pub fn mesh(&self) -> Mesh<Storage> {
        let endpoint = derive_endpoint(&self.key, 0);
        Mesh::new(endpoint, self.certificate.clone(), Forwards::Followed)
    }

    pub fn checkpoint(&self, note: &str) -> Vec<u8> {
        RawCheckpoint { log: self.name.text(), note }.to_bytes()
    }
}

/// Appends entries of this name, and signs.
pub fn grow(log: &Log<Storage>, name: &str, count: u64) -> String {
    for at in 0..count {
        log.append(format!("{name} {at}").as_bytes()).unwrap();
    }
    log.commit().unwrap();
    log.checkpoint().unwrap()
}

/// A node of operator 1 that follows the log of operator 2, and is connected to that one's node and another.
pub struct Scene {
    pub mesh: Mesh<Storage>,
    pub of: Operator,
    pub stranger: Peer,
    pub now_ms: u64,
}

impl Scene {
    pub fn new() -> Self {
        let (of, stranger) = (Operator::new(2), Operator::new(3).peer());
        let mut mesh = Operator::new(1).mesh();
        mesh.follow(of.name.clone(), Storage::default()).unwrap();
        let mut scene = Self { mesh, of, stranger, now_ms: NOW };
        for peer in [scene.of.peer(), stranger] {
            for (peer, id) in asks(&scene.step(Input::Connected { peer })) {
                scene.step(Input::Failed { peer, id });
            }
        }
        scene
    }

    pub fn step(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.mesh.step(input, self.now_ms, &mut out);
        out
    }

    pub fn gossip(&mut self, topic: Topic, bytes: Vec<u8>) -> (Verdict, Vec<Output>) {
        let mut out = self.step(Input::Gossip { peer: self.stranger, topic, bytes, token: 5 });
        match out.pop() {
            Some(Output::Verdict { token: 5, verdict, .. }) => (verdict, out),
            other => panic!("no verdict: {other:?}"),
        }
    }

    /// Whom it asks for the range under a checkpoint that was gossiped, and by which question.
    pub fn asked_for(&mut self, note: &str) -> (Peer, u64) {
        let (verdict, _) = self.gossip(Topic::Checkpoints, self.of.checkpoint(note));
        assert_eq!(verdict, Verdict::Accept);
        self.now_ms += 200;
        let out = self.step(Input::Tick);
        let range = out.iter().find_map(|output| match output {
            Output::Ask { peer, id, bytes } => match Request::parse(bytes).unwrap() {
                Request::Range { .. } => Some((*peer, *id)),
                _ => None,
            },
            _ => None,
        });
        range.expect("a question for the range")
    }

    pub fn respond(&mut self, (peer, id): (Peer, u64), answer: &Answer) -> Vec<Output> {
        self.step(Input::Response { peer, id, bytes: answer.to_bytes() })
    }
}

pub fn asks(out: &[Output]) -> Vec<(Peer, u64)> {
    let asked = |output: &Output| match output {
        Output::Ask { peer, id, .. } => Some((*peer, *id)),
        _ => None,
    };
    out.iter().filter_map(asked).collect()
}

pub fn faults(out: &[Output]) -> Vec<&Fault> {
    let faulty = out.iter().filter_map(|output| match output {
        Output::Faulty { fault, .. } => Some(fault),
        _ => None,
    });
    faulty.collect()
}

pub fn evidence(out: &[Output]) -> Option<&Evidence> {
    out.iter().find_map(|output| match output {
        Output::Evidence(evidence) => Some(&**evidence),
        _ => None,
    })
}

/// What the log's own node answers.
pub fn entries(log: &Log<Storage>, base: u64, from: u64, size: u64) -> Answer {
    let entries = log.entries(from..size).unwrap().into_iter().map(|(_, it)| it).collect();
    let prefix = log.root(base).unwrap();
    let path = |from| if from == 0 { Vec::new() } else { log.consistency(from, size).unwrap() };
    Answer::Entries { prefix, prefix_path: path(base), entries, path: path(size) }
}

impl Operator {
    pub fn name_error(&self, note: &str) -> SpreadError {
        let bytes = self.checkpoint(note);
        RawCheckpoint::parse(&bytes).unwrap().open().unwrap_err()
    }
}
