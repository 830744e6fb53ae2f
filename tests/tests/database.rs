//! Accounts in a real PostgreSQL server: a password that stands in no argument, a home that knows where its accounts
//! are, a backup, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_tests::accounts::{Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};

const PASSPHRASE: &[u8] = b"five words that nobody guesses";

/// A server on a socket whose role `keeper` has a password.
struct Server {
    _own: OwnPostgres,
    folder: PathBuf,
    password: String,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("symbolon-{name}-{}", std::process::id()));
        let own = OwnPostgres::start(&folder, Afterwards::Remove).expect("PostgreSQL starts");
        own.make_database("accounts").expect("a database");
        let password = symbolon_tests::random::secret(24);
        let server = Self { _own: own, folder, password };
        server.sql(&format!("CREATE ROLE keeper LOGIN PASSWORD '{}'", server.password));
        server.sql("ALTER DATABASE accounts OWNER TO keeper");
        server.sql("CREATE DATABASE empty OWNER keeper");
        let rules = "local all symbolon trust\nlocal all all scram-sha-256\n";
        fs::write(server.folder.join("data/pg_hba.conf"), rules).expect("rules");
        server.sql("SELECT pg_reload_conf()");
        server
    }

    fn sql(&self, statement: &str) -> String {
        let mut psql = Command::new("psql");
        psql.args(["-U", "symbolon", "-d", "accounts", "-qtA", "-c", statement, "-h"]);
        let ran = psql.arg(&self.folder).stdin(Stdio::null()).output().expect("psql");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    fn url(&self, password: Option<&str>, database: &str) -> String {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        let password = password.map_or_else(String::new, |password| format!(":{password}"));
        format!("postgres://keeper{password}@{socket}/{database}")
    }

    /// A file with the URL, as an owner keeps it.
    fn file(&self, home: &Home, database: &str) -> PathBuf {
        let file = home.beside(database);
        fs::write(&file, self.url(Some(&self.password), database)).expect("ours");
        mode(&file, 0o600);
        file
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

fn served(home: &Home, port: u16, words: &[&str]) -> Service {
    let listen = format!("127.0.0.1:{port}");
    let line = [&["serve", "--accounts", "--listen", &listen], words].concat();
    let mut served = Service::start("symbolon serve", home.command(&line).stdin(Stdio::null()));
    served.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    served
}

/// What the doctor finds of the accounts.
fn found(home: &Home, words: &[&str]) -> (String, String) {
    let listen = format!("127.0.0.1:{}", free_port());
    let ran = home.run(&[&["doctor", "--json", "--listen", &listen], words].concat());
    let said: Value = serde_json::from_str(&ran.stdout()).expect("JSON");
    let all = said["findings"].as_array().expect("findings");
    let one = all.iter().find(|one| one["what"] == "accounts").expect("of the accounts");
    (one["state"].as_str().unwrap().to_owned(), one["says"].as_str().unwrap().to_owned())
}

#[test]
fn accounts_live_in_postgres_and_the_home_knows_it() {
    let server = Server::start("db");
    let home = Home::new();
    home.ok(&["lock", "--stop"]);
    let (port, file) = (free_port(), server.file(&home, "accounts"));
    let file = file.to_str().unwrap();
    let mut device = Device::default();
    let running = served(&home, port, &["--database-file", file]);
    Page::at(port).sign_up(&mut device, &Holder::default()).expect(201);
    assert!(!home.path().join("accounts.db").exists(), "nothing is kept beside");
    assert_eq!(server.sql("SELECT count(*) FROM account"), "1");
    // The password is nowhere that others read.
    let arguments = fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap();
    let environment = fs::read(format!("/proc/{}/environ", running.pid())).unwrap();
    let said = running.said();
    drop(running);
    for (what, bytes) in
        [("arguments", arguments), ("environment", environment), ("talk", said.into_bytes())]
    {
        let secret = server.password.as_bytes();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{what}");
    }
    let kept = fs::read_to_string(home.path().join("accounts.place")).unwrap();
    assert!(kept.ends_with("database accounts\n") && !kept.contains(&server.password), "{kept}");

    // Another start, with the password where psql has it too.
    let folder = server.folder.display();
    let pass = home.beside("pgpass");
    fs::write(&pass, format!("*:*:accounts:keeper:{}\n", server.password)).unwrap();
    mode(&pass, 0o600);
    let url = server.url(None, "accounts");
    let home = home.with_variable("PGPASSFILE", pass.to_str().unwrap());
    let running = served(&home, port, &["--database", &url]);
    Page::at(port).sign_in(&mut device).expect(200);
    drop(running);
    assert_eq!(found(&home, &["--database", &url]).0, "good");
    mode(&pass, 0o644);
    let (state, said) = found(&home, &["--database", &url]);
    assert_eq!(state, "bad", "a file that others read is not used: {said}");
    assert!(said.contains(&format!("{folder}")), "it says which database: {said}");
    mode(&pass, 0o600);

    // Without it, with another, or in the home: refused, and nothing is made.
    let refused = |words: &[&str]| home.run(&[&["--json", "serve"], words].concat()).refused();
    assert_eq!(refused(&["--accounts"]).code, "accounts_elsewhere");
    let empty = server.url(None, "empty");
    assert_eq!(refused(&["--accounts", "--database", &empty]).code, "accounts_elsewhere");
    assert_eq!(refused(&["--database", &url]).code, "usage", "without accounts");
    assert_eq!(found(&home, &[]).0, "bad");
    assert!(!home.path().join("accounts.db").exists());
    fs::rename(home.path().join("server.key"), home.beside("server.key")).unwrap();
    assert_eq!(refused(&["--accounts", "--database", &url]).code, "server_key");
    assert!(!home.path().join("server.key").exists(), "no new key for accounts that are there");
    fs::rename(home.beside("server.key"), home.path().join("server.key")).unwrap();

    // One backup of home and database; without the database there is none.
    let backup = home.beside("backup");
    let backup = backup.to_str().unwrap();
    let line = ["--json", "backup", backup, "--passphrase-from-stdin"];
    assert_eq!(home.run_with(&line, PASSPHRASE).refused().code, "accounts_elsewhere");
    let line = [&line[..], &["--database-file", file]].concat();
    home.ok_with(&line, PASSPHRASE);
    let other = Home::empty(place::symbolon());
    let into = server.file(&other, "empty");
    let line = ["restore", backup, "--passphrase-from-stdin", "--database-file"];
    other.ok_with(&[&line[..], &[into.to_str().unwrap()]].concat(), PASSPHRASE);
    assert_eq!(found(&other, &["--database-file", into.to_str().unwrap()]).0, "good");
    assert_eq!(found(&other, &["--database-file", file]).0, "bad", "that is the other home's");
}

#[test]
fn a_password_on_the_command_line_or_in_the_environment_is_refused() {
    let home = Home::new();
    home.ok(&["lock", "--stop"]);
    let refused = |home: &Home, words: &[&str]| {
        let refused = home.run(&[&["--json", "up"], words].concat()).refused();
        assert_eq!(refused.exit, 2, "{}", refused.message);
        assert!(!format!("{}{:?}", refused.message, refused.next).contains("geheim"));
        refused.next.unwrap_or_default()
    };
    let with = "postgres://keeper:geheim@localhost/accounts";
    assert!(refused(&home, &["--database", with]).contains("--database-file"));
    assert!(!refused(&home, &["--database", "mysql://localhost/accounts"]).is_empty());
    let far = "postgres://keeper@db.example/accounts?sslmode=disable";
    assert!(refused(&home, &["--database", far]).contains("verify-full"));
    let file = home.beside("url");
    fs::write(&file, with).unwrap();
    mode(&file, 0o644);
    assert!(refused(&home, &["--database-file", file.to_str().unwrap()]).contains("chmod"));
    let home = home.with_variable("PGPASSWORD", "geheim");
    let plain = "postgres://keeper@localhost/accounts";
    assert!(refused(&home, &["--database", plain]).contains("PGPASSWORD"));
}

#[test]
fn a_database_that_does_not_keep_what_it_says_or_is_away_is_refused() {
    let server = Server::start("weak");
    let home = Home::new();
    home.ok(&["lock", "--stop"]);
    let file = server.file(&home, "accounts");
    server.sql("ALTER SYSTEM SET fsync = off");
    server.sql("SELECT pg_reload_conf()");
    let words = ["--json", "serve", "--accounts", "--database-file", file.to_str().unwrap()];
    let refused = home.run(&words).refused();
    assert!(refused.message.contains("fsync"), "{}", refused.message);
    drop(server);
    let refused = home.run(&words).refused();
    assert_eq!((refused.code.as_str(), refused.exit), ("accounts", 4));
}
