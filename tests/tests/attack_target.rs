//! `symbolon attack --target`: a broker and a proxy that were started apart, by what their owner
//! hands over in files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use symbolon_tests::home::Home;
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};

/// What `--prepare` made, and where the hostile upstream is to listen.
struct Suite {
    folder: tempfile::TempDir,
    listen: String,
}

impl Suite {
    fn prepare() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listen = format!("127.0.0.1:{}", free_port());
        let suite = Self { folder, listen };
        let prepared = suite.file("suite");
        let made = suite.attack(&["--prepare", prepared.to_str().unwrap()]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        suite
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn attack(&self, words: &[&str]) -> Output {
        let mut command = Command::new(place::symbolon());
        command.args(["--json", "attack", "--upstream-listen", &self.listen]).args(words);
        command.output().expect("it runs")
    }

    /// The rows of an attack on a proxy whose program told what its environment says.
    fn attack_proxy(&self, told: &Told, words: &[&str]) -> (Output, Vec<Value>) {
        let write = |name: &str, text: &str| {
            std::fs::write(self.file(name), text).unwrap();
            self.file(name).display().to_string()
        };
        let (suite, ca) = (self.file("suite").display().to_string(), told.ca.display().to_string());
        let placeholder = write("placeholder", &told.placeholder);
        let mut given = vec!["--target", &told.url, "--prepared", &suite, "--ca-file", &ca];
        given.extend(["--placeholder-file", &placeholder]);
        let auth;
        if let Some(pair) = &told.password {
            auth = write("auth", &format!("http://{pair}@there\n"));
            given.extend(["--proxy-auth-file", &auth]);
        }
        let output = self.attack(&[&given[..], words].concat());
        let said = String::from_utf8_lossy(&output.stdout);
        let rows = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (output, rows)
    }
}

/// What a program finds in its environment.
struct Told {
    _program: Service,
    url: String,
    password: Option<String>,
    placeholder: String,
    ca: PathBuf,
}

/// A line of a shell that tells it and stays.
fn tell(variable: &str) -> String {
    format!(
        "printf 'told %s %s %s\\n' \"$HTTPS_PROXY\" \"${variable}\" \"$SSL_CERT_FILE\"; exec sleep 600"
    )
}

impl Told {
    fn by(name: &str, command: &mut Command) -> Self {
        let mut program = Service::start(name, command.stdin(Stdio::null()));
        let words = program.wait_for("environment", |said| {
            let line = said.lines().find_map(|line| line.strip_prefix("told "))?;
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            (words.len() == 3).then_some(words)
        });
        let rest = words[0].strip_prefix("http://").expect("the address of a proxy");
        let (password, address) = match rest.rsplit_once('@') {
            Some((pair, address)) => (Some(pair.to_owned()), address),
            None => (None, rest),
        };
        let url = format!("http://{address}");
        let (placeholder, ca) = (words[1].clone(), Path::new(&words[2]).to_owned());
        Self { _program: program, url, password, placeholder, ca }
    }
}

/// A home that has the canary, for the hostile upstream alone, and a run that may use it.
fn own(suite: &Suite) -> (Home, Told) {
    let home = Home::new();
    let folder = home.path().join("catalog");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(suite.file("suite/attack.toml"), folder.join("attack.toml")).unwrap();
    let mode = |path: &Path, mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&folder, 0o700);
    mode(&folder.join("attack.toml"), 0o600);
    let base = format!("https://localhost:{}", suite.listen.rsplit(':').next().unwrap());
    let ca = suite.file("suite/upstream-ca.pem").display().to_string();
    let canary = std::fs::read(suite.file("suite/canary")).unwrap();
    let given = ["connect", "attack", "--base-url", &base, "--ca", &ca, "--allow-loopback"];
    home.ok_with(&[&given[..], &["--from-stdin"]].concat(), &canary);
    home.ok(&["grant", "mallory", "attack.things.read", "attack.things.write", "--for", "1h"]);
    home.ok(&["grant", "mallory", "attack.money.write", "--limit", "amount<=100", "--for", "1h"]);
    let line = tell("SYMREF_ATTACK");
    let told =
        Told::by("run", &mut home.command(&["run", "--agent", "mallory", "--", "sh", "-c", &line]));
    (home, told)
}

fn count(rows: &[Value], held: &Value) -> usize {
    rows.iter().filter(|row| row["held"] == *held).count()
}

#[test]
fn our_own_proxy_started_apart_holds() {
    let suite = Suite::prepare();
    let (home, told) = own(&suite);
    let classes =
        ["placeholder", "swap", "path", "smuggling", "echo", "host", "connect", "redirect"];
    let words: Vec<&str> = classes.iter().flat_map(|class| ["--class", class]).collect();
    let (output, rows) = suite.attack_proxy(&told, &words);
    let fell: Vec<_> = rows.iter().filter(|row| row["held"] == false).collect();
    assert!(fell.is_empty() && output.status.success(), "{fell:#?}");
    assert!(count(&rows, &Value::Bool(true)) > 90, "{} rows", rows.len());
    // And the receipts know of what was let out.
    assert!(
        home.receipts().iter().any(|row| row["agent"] == "mallory" && row["outcome"] == "allowed")
    );

    // Without the placeholder it is not reached, and that is no success.
    let wrong = Told { placeholder: "symref_0".to_owned(), ..told };
    let (output, rows) = suite.attack_proxy(&wrong, &words);
    assert!(!output.status.success() && rows.iter().all(|row| row["held"].is_null()), "{rows:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("honest request"), "{said}");
}

#[test]
fn a_proxy_of_others_is_shown_where_it_falls() {
    let suite = Suite::prepare();
    let canary = std::fs::read_to_string(suite.file("suite/canary")).unwrap();
    let schema = format!(
        "# @defaultSensitive=false\n# ---\n# @sensitive @required @proxy(domain=\"localhost\")\n\
         TOKEN=\"{}\"\n",
        canary.trim_end()
    );
    std::fs::write(suite.file(".env.schema"), schema).unwrap();
    let mut command = Command::new(place::node());
    command.arg(place::node_script("varlock")).args([
        "proxy",
        "run",
        "--new",
        "--no-redact-stdout",
    ]);
    command.args(["--", "sh", "-c", &tell("TOKEN")]).current_dir(suite.folder.path());
    command.env("HOME", suite.folder.path());
    command.env("NODE_EXTRA_CA_CERTS", suite.file("suite/upstream-ca.pem"));
    let told = Told::by("varlock", &mut command);
    let cases = ["placeholder-in-path", "echo-raw", "echo-base64", "path-dot-dot", "path-unknown"];
    let words: Vec<&str> = cases.iter().flat_map(|case| ["--case", case]).collect();
    let (output, rows) = suite.attack_proxy(&told, &words);
    // It looks for the plain spelling in what says that it is text, and knows hosts, not paths.
    for (case, observed) in [("echo-base64", "base64"), ("path-dot-dot", "went with GET /read/../")]
    {
        let row = rows.iter().find(|row| row["case"] == case);
        let row = row.unwrap_or_else(|| panic!("no {case}: {rows:?}"));
        assert_eq!(row["held"], false, "{row}");
        assert!(row["observed"].as_str().unwrap().contains(observed), "{row}");
    }
    assert!(count(&rows, &Value::Bool(true)) > 0, "it holds nothing at all: {rows:#?}");
    assert_eq!(output.status.code(), Some(1));
}
