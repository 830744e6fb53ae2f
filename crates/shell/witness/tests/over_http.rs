//! A log, witnesses and a monitor over real sockets and files.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_ambient::{SeededRng, SystemRng};
use symbolon_crypto::SigningKey;
use symbolon_log::*;
use symbolon_store::{FolderStorage, Home, LogService, LogSettings};
use symbolon_witness::*;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const ORIGIN: &str = "example.test/log";

struct World {
    dir: tempfile::TempDir,
    runtime: Runtime,
    stop: CancellationToken,
}

impl World {
    fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        Self { dir, runtime, stop: CancellationToken::new() }
    }

    fn home(&self, name: &str) -> Home {
        let home = Home::create(&self.dir.path().join(name)).unwrap();
        let key = operator().verifying_key();
        std::fs::write(home.operator_pub(), vkey(ORIGIN, &key).unwrap()).unwrap();
        home
    }

    fn log(&self, home: &Home) -> Arc<LogService<FolderStorage>> {
        let storage = FolderStorage::open(&home.log()).unwrap();
        let log = Log::open(storage, ORIGIN, Some(operator())).unwrap();
        let settings = LogSettings {
            checkpoint_every: Duration::from_millis(50),
            ..LogSettings::new(Durability::Group)
        };
        Arc::new(LogService::start(log, settings).unwrap())
    }

    fn serve<D: serve::Door>(&self, door: D) -> SocketAddr {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let serving = serve::serve(door, any, Bounds::new(1000), self.stop.clone());
        self.runtime.block_on(serving).unwrap().address()
    }

    fn witness(&self, name: &str) -> (PeerUrl, WitnessKey) {
        let folder = self.dir.path().join(name);
        let key = load_or_make_key(&folder, &SystemRng).unwrap();
        let log = WatchedLog::new(ORIGIN, operator().verifying_key());
        let heads = FolderHeads::open(&folder).unwrap();
        let witness = Witness::new(&format!("w.test/{name}"), key, vec![log], heads).unwrap();
        let public = witness.public().clone();
        (url(self.serve(Cosigner::new(witness))), public)
    }

    fn get(&self, at: SocketAddr, path: &str) -> client::Answer {
        let mut client = Client::new(url(at), Duration::from_secs(5));
        self.runtime.block_on(client.get(path, 1 << 20)).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn operator() -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(5)))
}

fn url(at: SocketAddr) -> PeerUrl {
    format!("http://{at}").parse().unwrap()
}

fn fill(log: &LogService<FolderStorage>, count: u64, word: &str) -> String {
    for i in 0..count {
        log.append(format!("{word} {i}").as_bytes()).unwrap();
    }
    log.checkpoint().unwrap()
}

fn soon<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn list(home: &Home, witnesses: &[(&str, &PeerUrl, &WitnessKey)]) {
    let mut listed = Listed::read(&home.witnesses()).unwrap();
    for (name, url, key) in witnesses {
        let (name, url, key) = ((*name).to_owned(), (*url).clone(), (*key).clone());
        listed.add(ListedWitness { name, url, key }).unwrap();
    }
    listed.write(&home.witnesses()).unwrap();
}

fn told(home: &Home, name: &str) -> Option<Told> {
    let text = std::fs::read(home.run().join(ask::REPORT)).ok()?;
    let all: serde_json::Value = serde_json::from_slice(&text).unwrap();
    serde_json::from_value(all.get(name)?.clone()).unwrap()
}

fn gathered(home: &Home) -> Arc<Gathered> {
    Arc::new(Gathered::open(&home.log(), ORIGIN, &operator().verifying_key()))
}

#[test]
fn two_witnesses_sign_and_one_that_sleeps_holds_nobody_up() {
    let world = World::new();
    let home = world.home("home");
    let log = world.log(&home);
    fill(&log, 10, "entry");
    let ((one_url, one), (two_url, two)) = (world.witness("one"), world.witness("two"));
    // It takes connections, and never answers.
    let asleep = TcpListener::bind("127.0.0.1:0").unwrap();
    let third = WitnessKey::new("w.test/three", operator().verifying_key()).unwrap();
    let asleep_url = url(asleep.local_addr().unwrap());
    list(
        &home,
        &[("one", &one_url, &one), ("two", &two_url, &two), ("three", &asleep_url, &third)],
    );
    let said = gathered(&home);
    let asker = Asker::start(log.clone(), &home, said.clone()).unwrap();
    let both = |note: &String| one.verify(note).is_ok() && two.verify(note).is_ok();
    let note = soon("two cosignatures", || said.covering(9).filter(both));
    assert_eq!(log.log().prove_against(9, &note).unwrap().size, 10);
    assert_eq!(said.covering(10), None);
    // More entries: signed as well, without the one that sleeps.
    fill(&log, 500, "more");
    soon("two more", || said.covering(509).filter(both));
    assert_eq!(told(&home, "one").unwrap().state, State::Cosigned);
    asker.stop();
    // The next process has what was said, and gives the final one first.
    let again = gathered(&home);
    assert!(again.covering(509).filter(both).is_some());
}

#[test]
fn a_home_that_was_restored_from_a_copy_is_told_so_and_a_fork_as_well() {
    let world = World::new();
    let (home, copy) = (world.home("home"), world.home("copy"));
    let (at, witness) = world.witness("one");
    let log = world.log(&home);
    fill(&log, 10, "entry");
    log.close().unwrap();
    copy_log(&home, &copy);
    let log = world.log(&home);
    fill(&log, 10, "later");
    list(&home, &[("one", &at, &witness)]);
    list(&copy, &[("one", &at, &witness)]);
    let asker = Asker::start(log.clone(), &home, gathered(&home)).unwrap();
    soon("a cosignature", || told(&home, "one").filter(|t| t.state == State::Cosigned));
    asker.stop();
    // The copy has ten entries where the witness has seen twenty.
    let log = world.log(&copy);
    log.checkpoint().unwrap();
    let said = gathered(&copy);
    let _asker = Asker::start(log.clone(), &copy, said.clone()).unwrap();
    let refused = soon("a refusal", || told(&copy, "one"));
    assert_eq!((refused.state, refused.size), (State::RolledBack, 10), "{}", refused.message);
    // It goes on with another history.
    fill(&log, 30, "another");
    soon("another refusal", || told(&copy, "one").filter(|t| t.state == State::Forked));
    assert_eq!(said.covering(0), None);
}

fn copy_log(from: &Home, to: &Home) {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &to);
            } else {
                std::fs::copy(&path, &to).unwrap();
            }
        }
    }
    copy(&from.log(), &to.log());
}

#[test]
fn a_monitor_follows_a_served_log_and_nothing_else_is_served() {
    let world = World::new();
    let home = world.home("home");
    let log = world.log(&home);
    fill(&log, 700, "entry");
    let at = world.serve(Tiles::open(&home, false).unwrap());
    let mut client = Client::new(url(at), Duration::from_secs(5));
    let storage = Arc::new(MemoryStorage::new());
    let mut mirror = Mirror::open(storage, ORIGIN, operator().verifying_key()).unwrap();
    let mut look = || look(&world.runtime, &mut client, &mut mirror).unwrap().observed;
    assert_eq!(look(), Observed::Advanced { from: 0, to: 700 });
    fill(&log, 70_000, "more");
    assert_eq!(look(), Observed::Advanced { from: 700, to: 70_700 });
    assert_eq!(look(), Observed::Unchanged);
    let tile = world.get(at, "tile/1/000");
    assert_eq!((tile.status.as_u16(), tile.body.len()), (200, 8192));
    assert_eq!(log.log().tile(&"tile/1/000".parse().unwrap()).unwrap(), tile.body);
    for path in [
        "",
        "tile",
        "tile/0/x001/000",
        "tile/0/276.p/45",
        "tile/3/000",
        "tile/entries/000",
        "entries",
        "tile/0/../../entries",
        "..%2fentries",
        "operator.pub",
        "tile/2/000.p/2",
    ] {
        assert_eq!(world.get(at, path).status.as_u16(), 404, "{path}");
    }
    assert_eq!(world.get(at, "tile/0/276.p/44").body.len(), 44 * 32);
    let open = world.serve(Tiles::open(&home, true).unwrap());
    let bundle = world.get(open, "tile/entries/276.p/44");
    let entries = parse_bundle(&bundle.body).unwrap();
    assert_eq!((entries.len(), entries[43]), (44, &b"more 69999"[..]));
}

#[test]
fn answers_of_a_hostile_log_are_bounded() {
    let world = World::new();
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = peer.local_addr().unwrap();
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-le",
    ];
    let server = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = peer.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
            let filler = vec![b'x'; 1 << 16];
            // Until the client has had enough; the last goes quiet instead.
            if answer.starts_with(b"HTTP/1.1 200 OK\r\ncontent-length") {
                while stream.write_all(&filler).is_ok() {}
            } else {
                let _ = stream.read_to_end(&mut Vec::new());
            }
        }
    });
    let storage = Arc::new(MemoryStorage::new());
    let mut mirror = Mirror::open(storage, ORIGIN, operator().verifying_key()).unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let mut client = Client::new(url(at), Duration::from_secs(1));
        let refused = look(&world.runtime, &mut client, &mut mirror);
        seen.push(match refused.unwrap_err() {
            MonitorError::Client(ClientError::Long { .. }) => "long",
            MonitorError::Client(ClientError::Late { .. }) => "late",
            MonitorError::Client(ClientError::Unreachable { .. }) => "broken",
            MonitorError::Status { status: 302 } => "redirect",
            other => panic!("{other}"),
        });
    }
    assert_eq!(seen, ["long", "redirect", "broken", "late"]);
    server.join().unwrap();
}

#[test]
fn a_witness_answers_as_the_protocol_says() {
    let world = World::new();
    let (at, key) = world.witness("one");
    let post = |body: &str| {
        let mut client = Client::new(at.clone(), Duration::from_secs(5));
        world.runtime.block_on(client.post("add-checkpoint", body.to_owned(), 4096)).unwrap()
    };
    let home = world.home("home");
    let log = world.log(&home);
    let note = fill(&log, 5, "entry");
    let ask = |old: u64, note: &str| AddCheckpoint { old, proof: Vec::new(), note: note.into() };
    let signed = post(&ask(0, &note).to_text());
    assert_eq!(signed.status.as_u16(), 200);
    let lines = String::from_utf8(signed.body.to_vec()).unwrap();
    key.verify(&with_lines(&note, &lines).unwrap()).unwrap();
    let conflict = post(&ask(0, &note).to_text());
    assert_eq!((conflict.status.as_u16(), &*conflict.media_type), (409, "text/x.tlog.size"));
    assert_eq!(&conflict.body[..], b"5\n");
    let next = fill(&log, 5, "more");
    assert_eq!(post(&ask(5, &next).to_text()).status.as_u16(), 422);
    assert_eq!(post("nonsense").status.as_u16(), 400);
    assert_eq!(post(&ask(11, &next).to_text()).status.as_u16(), 400);
    let forger = SigningKey::make(&SeededRng::new(77));
    let checkpoint = Checkpoint::dangerous_read_unverified(&next).unwrap();
    assert_eq!(post(&ask(5, &checkpoint.sign(&forger)).to_text()).status.as_u16(), 403);
    let other = Checkpoint { origin: "other.test".into(), ..checkpoint };
    assert_eq!(post(&ask(0, &other.sign(&forger)).to_text()).status.as_u16(), 404);
    assert_eq!(post(&"x".repeat(80 << 10)).status.as_u16(), 413);
    let root = SocketAddr::from(([127, 0, 0, 1], at.port()));
    assert_eq!(world.get(root, "").body, format!("{key}\n").as_bytes());
    assert_eq!(world.get(root, "add-checkpoint").status.as_u16(), 405);
    // A slow head costs its own connection alone.
    let mut slow = TcpStream::connect(root).unwrap();
    slow.write_all(b"POST /add-checkpoint HTTP/1.1\r\n").unwrap();
    assert_eq!(post("nonsense").status.as_u16(), 400);
}
