//! A home whose log is in a real PostgreSQL server: calls, receipts, audit, witnesses' view, kill -9 of the broker, the
//! server's death under load, backup and restore in both directions, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::node::{Running, origin, until_all};
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;
use symbolon_tests::witness::serve_log;

const LIST: &str = "upstream.notes.list";
const PASSPHRASE: &[u8] = b"five words that nobody guesses";

struct Server {
    own: Option<OwnPostgres>,
    folder: PathBuf,
    password: String,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("symbolon-{name}-{}", std::process::id()));
        let own = OwnPostgres::start(&folder, Afterwards::Keep).expect("PostgreSQL starts");
        own.make_database("log").expect("a database");
        Self { own: Some(own), folder, password: random::secret(24) }
    }

    fn own(&self) -> &OwnPostgres {
        self.own.as_ref().expect("it runs")
    }

    /// A file with the URL, password and all, as an owner keeps it.
    fn file(&self, home: &Home, database: &str) -> PathBuf {
        let file = home.beside(&format!("{database}.url"));
        let user = format!("symbolon:{}@", self.password);
        let url = self.own().url(database).replace("symbolon@", &user);
        fs::write(&file, format!("{url}\n")).expect("ours");
        mode(&file, 0o600);
        file
    }

    fn crash(&mut self) {
        self.own.take().expect("it runs").crash().expect("it is ended");
    }

    fn start_again(&mut self) {
        let own = OwnPostgres::start(&self.folder, Afterwards::Keep);
        self.own = Some(own.expect("it starts again"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.own.take());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

fn init(home: &Home, file: &Path) -> Ran {
    let code = home.beside("recovery-code");
    let (code, file) = (code.to_str().unwrap(), file.to_str().unwrap());
    let line = ["--json", "init", "--device", "--recovery-file", code, "--log-database-file", file];
    home.run(&line)
}

/// A home over the database, with a service whose notes may be listed.
fn home(server: &Server) -> (Home, Upstream, String) {
    let home = Home::empty(place::symbolon());
    init(&home, &server.file(&home, "log")).succeeded();
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    home.grant("cli", "upstream.notes.read");
    (home, upstream, credential)
}

fn verify(home: &Home, number: u64) {
    let (receipt, key) = (home.export_receipt(number), home.operator_key());
    home.ok(&["verify", receipt.to_str().unwrap(), "--key", key.to_str().unwrap()]);
}

fn number(receipt: &Value) -> u64 {
    receipt["number"].as_u64().expect("a number")
}

fn entries_file(home: &Home) -> bool {
    home.path().join("log/entries").exists()
}

#[test]
fn a_home_lives_with_its_log_in_postgres_and_loses_nothing_to_kill_9() {
    let mut server = Server::start("bbpg");
    let (home, _upstream, credential) = home(&server);
    for _ in 0..3 {
        home.ok(&["call", LIST]);
    }
    assert!(!entries_file(&home), "nothing of the log is kept in the folder");
    let manifest = fs::read_to_string(home.path().join("home.json")).unwrap();
    assert!(manifest.contains("\"log\": \"postgres\""), "an older program refuses it: {manifest}");
    let kept = fs::metadata(home.path().join("log.database")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    let status = home.json(&["status"]);
    assert!(status["log_place"].as_str().unwrap().starts_with("postgres at"), "{status}");
    let receipts = home.receipts();
    assert_eq!(receipts.len(), 3);
    receipts.iter().for_each(|one| verify(&home, number(one)));

    // The broker dies at any moment; what was answered is in the log, and it goes on.
    for _ in 0..4 {
        let before = home.receipts().len();
        home.ok(&["call", LIST]);
        home.kill_broker();
        home.ok(&["call", LIST]);
        assert_eq!(home.receipts().len(), before + 2);
    }
    verify(&home, number(&home.receipts()[0]));
    let began = Instant::now();
    while !home.run(&["audit", "verify"]).is_success() {
        assert!(began.elapsed() < Duration::from_secs(20), "the log does not verify");
        std::thread::sleep(Duration::from_millis(200));
    }

    // Others follow it beside the broker.
    let (served, url) = serve_log(&home);
    let (key, state) = (home.operator_key(), home.beside("state"));
    let (key, state) = (key.to_str().unwrap(), state.to_str().unwrap());
    let line = ["monitor", &url, "--key", key, "--state", state, "--once"];
    let seen = home.json(&line);
    assert_eq!(seen["observed"], "advanced", "{seen}");
    home.ok(&["call", LIST]);
    verify(&home, number(&home.receipts()[0]));
    let more = home.json(&line);
    assert!(more["to"].as_u64() > seen["to"].as_u64(), "{more}");

    // Its node spreads it, and a follower of it has it.
    let (node, reader) = (Running::start(&home, &[], true), Home::new());
    reader.ok(&["node", "join", node.address()]);
    let _reading = Running::start(&reader, &[home.operator_key()], false);
    let size = number(&home.receipts()[0]) + 1;
    until_all(&[&reader], &[(&origin(&home), size)]);

    // The server loses its power: no call is made that the log does not keep, and none that was is lost.
    let (before, pid) = (home.receipts().len(), home.broker_pid());
    server.crash();
    let refused = home.refused(&["call", LIST]);
    assert!(refused.message.contains("nothing was released"), "{}", refused.message);
    let next = refused.next.expect("a next step");
    assert!(next.contains("symbolon doctor"), "{next}");
    let doctor: Value = home.run(&["doctor", "--json", "--listen", "127.0.0.1:0"]).json();
    let found = doctor["findings"].as_array().unwrap().iter().find(|one| one["what"] == "log");
    assert_eq!(found.unwrap()["state"], "bad", "{doctor}");
    server.start_again();
    home.ok(&["lock", "--stop"]);
    home.ok(&["call", LIST]);
    assert_ne!(home.broker_pid(), pid);
    assert_eq!(home.receipts().len(), before + 1);
    verify(&home, number(&home.receipts()[0]));
    // Who serves the log has connected again by himself.
    let again = home.json(&line);
    assert!(again["to"].as_u64() > more["to"].as_u64(), "{again}");
    let size = number(&home.receipts()[0]) + 1;
    until_all(&[&reader], &[(&origin(&home), size)]);

    // Its operator's key gives way to another there as in a folder.
    let old = home.beside("old.pub");
    fs::copy(home.operator_key(), &old).unwrap();
    home.ok(&["operator", "rotate", "--yes"]);
    home.ok(&["call", LIST]);
    verify(&home, number(&home.receipts()[0]));
    let line = ["monitor", &url, "--key", old.to_str().unwrap(), "--state", state, "--once"];
    let seen = home.json(&line);
    assert_eq!((&seen["observed"], &seen["new_key"]), (&"advanced".into(), &true.into()), "{seen}");
    drop(served);

    // Neither secret is in what was said, in arguments or in an environment.
    let pid = home.broker_pid();
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap();
    for (what, bytes) in
        [("arguments", read("cmdline")), ("environment", read("environ")), ("talk", home.said())]
    {
        for secret in [&server.password, &credential] {
            let secret = secret.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{what}");
        }
    }
}

#[test]
fn a_log_moves_by_backup_and_restore_and_is_never_begun_twice() {
    let server = Server::start("bbmv");
    server.own().make_database("second").expect("a database");
    let (home, _upstream, _) = home(&server);
    for _ in 0..3 {
        home.ok(&["call", LIST]);
    }
    let file = home.beside("home.backup");
    let file = file.to_str().unwrap();
    home.ok_with(&["backup", file, "--passphrase-from-stdin"], PASSPHRASE);
    let restore = |other: &Home, words: &[&str]| {
        let line = ["--json", "restore", file, "--passphrase-from-stdin"];
        other.run_with(&[&line, words].concat(), PASSPHRASE)
    };
    home.ok(&["lock", "--stop"]);

    // Into the database that has this log: refused, and nothing is there.
    let same = server.file(&home, "log");
    let third = Home::empty(place::symbolon());
    let refused = restore(&third, &["--log-database-file", same.to_str().unwrap()]).refused();
    assert_eq!(refused.code, "log_database", "{}", refused.message);
    assert!(refused.message.contains("has this log already"), "{}", refused.message);
    assert!(!third.path().exists());

    // Into a folder, and from there into another database.
    let second = server.file(&home, "second");
    let second = second.to_str().unwrap();
    for words in [&[][..], &["--log-database-file", second]] {
        let other = Home::empty(place::symbolon());
        restore(&other, words).succeeded();
        assert_eq!(entries_file(&other), words.is_empty());
        assert_eq!(other.receipts().len(), 3);
        other.ok(&["call", LIST]);
        verify(&other, number(&other.receipts()[0]));
        assert_eq!(other.receipts().len(), 4);
        other.kill_broker();
        other.ok(&["call", LIST]);
        assert_eq!(other.receipts().len(), 5);
    }
    assert_eq!(home.receipts().len(), 3, "the first is as it was");

    // A home that says nothing of where its log is, or two things, begins none.
    home.ok(&["lock", "--stop"]);
    let kept = home.path().join("log.database");
    fs::rename(&kept, home.beside("kept")).unwrap();
    let refused = home.refused(&["unlock"]);
    assert!(refused.message.contains("log.database"), "{}", refused.message);
    assert!(!entries_file(&home));
    fs::rename(home.beside("kept"), &kept).unwrap();
    home.ok(&["call", LIST]);

    // A file that others read, and one that is no address.
    let fourth = Home::empty(place::symbolon());
    let bad = server.file(&fourth, "log");
    mode(&bad, 0o644);
    let refused = init(&fourth, &bad).refused();
    assert_eq!(
        (refused.code.as_str(), refused.next.as_deref()),
        ("log_database", Some("chmod 600 FILE"))
    );
    mode(&bad, 0o600);
    fs::write(&bad, "mysql://nobody@localhost/x").unwrap();
    assert_eq!(init(&fourth, &bad).refused().code, "log_database");
    // The folder is as good as new.
    let good = server.file(&fourth, "second");
    init(&fourth, &good).succeeded();
    assert_eq!(fourth.receipts().len(), 0, "another log of the same database");
}

#[test]
fn a_log_in_the_database_is_divided_and_a_shard_of_it_taken_away() {
    let server = Server::start("pgshards");
    let (home, _upstream, _credential) = home(&server);
    home.ok(&["log", "shard", "--every", "quarter"]);
    (0..150).for_each(|_| drop(home.ok(&["call", LIST])));
    home.ok(&["log", "shard", "--now"]);
    (0..3).for_each(|_| drop(home.ok(&["call", LIST])));
    let shards = home.json(&["log", "shards"]);
    let name = shards["shards"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!(
        (&shards["shards"][0]["next"], shards["every"].as_str()),
        (&300.into(), Some("quarter"))
    );
    let file = home.beside("old.shard");
    let file = file.to_str().unwrap();
    home.ok(&["log", "export-shard", &name, "--out", file, "--take-away"]);
    let key = home.operator_key();
    home.ok(&["log", "check-shard", file, "--key", key.to_str().unwrap()]);
    home.kill_broker();
    home.ok(&["call", LIST]);
    assert_eq!(home.refused(&["receipts", "show", "7"]).code, "taken_away");
    verify(&home, home.receipts()[0]["number"].as_u64().unwrap());
    assert_eq!(home.json(&["audit", "verify"])["complete"], true);

    // Into a home whose log is in its folder, divided as it was.
    let backup = home.beside("home.backup");
    let words = ["--json", "backup", backup.to_str().unwrap(), "--passphrase-from-stdin"];
    home.ok_with(&words, PASSPHRASE);
    let before = home.json(&["log", "shards"])["shards"].clone();
    home.ok(&["lock", "--stop"]);
    let other = Home::empty(place::symbolon());
    let words = ["--json", "restore", backup.to_str().unwrap(), "--passphrase-from-stdin"];
    other.ok_with(&words, PASSPHRASE);
    assert_eq!(other.json(&["log", "shards"])["shards"], before);
    other.ok(&["call", LIST]);
    verify(&other, other.receipts()[0]["number"].as_u64().unwrap());
}
