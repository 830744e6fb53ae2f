//! Containers and deeds between homes of their own: sealed here, opened there.

use std::path::{Path, PathBuf};

use serde_json::Value;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::{Home, Refusal};
use symbolon_tests::random;

const PASSPHRASE: &[u8] = b"correct horse battery\n";

fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

/// A home with what others need of it, and a folder that stands for the way between homes.
struct Party {
    home: Home,
    recipient: String,
    signer: String,
}

impl Party {
    fn new() -> Self {
        let home = Home::new();
        let keys = home.json(&["container", "key"]);
        let key = |name: &str| keys[name].as_str().expect("a key").to_owned();
        let (recipient, signer) = (key("recipient"), key("signer"));
        Self { home, recipient, signer }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.home.beside(name);
        std::fs::write(&path, content).expect("a file");
        text(&path)
    }

    fn trusts(&self, other: &Self, name: &str) {
        self.home.ok(&["container", "trust", &other.signer, "--name", name]);
    }

    fn names(&self) -> Vec<String> {
        let all = self.home.json(&["connections"]);
        let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
        all.as_array().expect("a list").iter().map(name).collect()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> Refusal {
        self.home.run_with(&[&["--json"], arguments].concat(), PASSPHRASE).refused()
    }
}

#[test]
fn credentials_go_from_home_to_home_and_are_seen_nowhere() {
    let (a, b, c) = (Party::new(), Party::new(), Party::new());
    let credential = format!("ghp_{}", random::secret(36));
    let env = a.file(".env", &format!("GITHUB_TOKEN={credential}\n"));
    let flows = a.file("flows", "steps: none\n");
    let out = text(&a.home.beside("shop.box"));
    let (credentials, workflows) = (format!("credentials={env}"), format!("workflows={flows}"));
    let second = format!("{}=workflows", c.recipient);
    let create = ["container", "create", "--layer", &credentials, "--layer", &workflows, "--to"];
    let rest = [&*b.recipient, "--to", &second, "--out", &out, "--passphrase-from-stdin"];
    a.home.ok_with(&[&create[..], &rest].concat(), PASSPHRASE);
    let seen = b.home.json(&["container", "inspect", &out]);
    assert_eq!((&seen["signer"], &seen["signer_known"]), (&a.signer.clone().into(), &false.into()));
    assert_eq!(seen["recipients"].as_array().map(Vec::len), Some(2));
    // A signer that the home does not know is said, and nothing is opened.
    let open = ["container", "open", &out, "--passphrase-from-stdin", "--layer", "credentials"];
    assert_eq!(b.refused(&open).code, "container_signer");
    let other = b.refused(&[&open[..], &["--signer", &c.signer]].concat());
    assert_eq!(other.code, "container_signer");
    b.trusts(&a, "a");
    c.trusts(&a, "a");
    let wrong = b.home.run_with(&[&["--json"], &open[..]].concat(), b"another one\n").refused();
    assert_eq!(wrong.code, "container_passphrase");
    assert!(b.names().is_empty());
    b.home.ok(&["container", "verify", &out]);
    let opened = b.home.ok_with(&[&["--json"], &open[..]].concat(), PASSPHRASE).json();
    assert_eq!(opened["connections"][0]["name"], "github", "{opened}");
    assert!(opened["inner_seal_ms"].as_u64().is_some_and(|ms| ms > 0));
    assert_eq!(b.names(), ["github"]);
    // The other recipient has the layer that he was given, and no more.
    assert_eq!(c.refused(&open).code, "container_recipient");
    let folder = text(&c.home.beside("opened"));
    c.home.ok(&["container", "open", &out, "--into", &folder]);
    let written = std::fs::read_to_string(Path::new(&folder).join("workflows")).expect("a file");
    assert_eq!(written, "steps: none\n");
    assert!(!Path::new(&folder).join("credentials").exists());
    // Who was given nothing opens nothing, its maker either.
    assert_eq!(a.refused(&open).code, "container_recipient");
    let canaries = Canaries::new().plant("credential", &credential.as_bytes()[4..]);
    let container = std::fs::read(&out).expect("the container");
    assert_clean(&canaries.find_in("the container", &container));
    for home in [&a.home, &b.home, &c.home] {
        assert_clean(&canaries.find_in("what was said", &home.said()));
        assert_clean(&canaries.find_below(&home.path()).expect("the home is readable"));
    }
}

#[test]
fn a_damaged_container_is_refused_and_nothing_is_written() {
    let (a, b) = (Party::new(), Party::new());
    b.trusts(&a, "a");
    let file = a.file("notes", "text\n");
    let out = text(&a.home.beside("x.box"));
    let layer = format!("knowledge={file}");
    let create = ["container", "create", "--layer", &layer, "--to", &b.recipient, "--out", &out];
    a.home.ok(&create);
    assert_eq!(a.refused(&create).code, "exists");
    let whole = std::fs::read(&out).expect("the container");
    let folder = b.home.beside("into");
    let changed = b.home.beside("changed.box");
    let open = |bytes: &[u8]| {
        std::fs::write(&changed, bytes).expect("a file");
        let given = ["container", "open", &text(&changed), "--into", &text(&folder)];
        let code = b.refused(&given).code;
        assert!(!folder.exists(), "{code}: nothing is written");
        code
    };
    // Each byte's every bit is tried in the crate; here one of each part, and cuts.
    let flip = |at: usize| {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        changed
    };
    assert_eq!(open(&flip(0)), "container_framing");
    assert_eq!(open(&flip(19)), "container_version");
    assert_eq!(open(&flip(60)), "container_signature");
    assert_eq!(open(&flip(whole.len() - 100)), "container_signature");
    assert_eq!(open(&flip(whole.len() - 1)), "container_signature");
    assert_eq!(open(&whole[..whole.len() - 1]), "container_framing");
    assert_eq!(open(b""), "container_framing");
    std::fs::write(&changed, &whole).expect("a file");
    b.home.ok(&["container", "open", &text(&changed), "--into", &text(&folder)]);
}

/// `a` hands a container with a credential to `b`, by `send`.
fn sent(a: &Party, b: &Party) -> (String, String) {
    let env = a.file(".env", "GITHUB_TOKEN=ghp_000000000001\n");
    let out = text(&a.home.beside("shop.box"));
    let layer = format!("credentials={env}");
    let given =
        ["container", "send", "--layer", &layer, "--to", &b.recipient, "--owner", &b.signer];
    a.home.ok_with(&[&given[..], &["--out", &out, "--passphrase-from-stdin"]].concat(), PASSPHRASE);
    let deed = format!("{out}.deed");
    (out, deed)
}

fn accepted(by: &Party, container: &str, deed: &str) -> PathBuf {
    let out = by.home.beside("mine.deed");
    let given = ["deed", "accept", deed, "--container", container, "--out", &text(&out)];
    by.home.ok_with(&[&given[..], &["--passphrase-from-stdin"]].concat(), PASSPHRASE);
    out
}

#[test]
fn a_deed_is_accepted_once_by_whom_it_names() {
    let (a, b, c) = (Party::new(), Party::new(), Party::new());
    let (container, deed) = sent(&a, &b);
    b.trusts(&a, "a");
    c.trusts(&a, "a");
    let accept = |by: &Party, deed: &str, out: &str| {
        let out = text(&by.home.beside(out));
        let given = ["deed", "accept", deed, "--container", &container, "--out", &out];
        by.refused(&[&given[..], &["--passphrase-from-stdin"]].concat()).code
    };
    assert_eq!(accept(&c, &deed, "c.deed"), "deed_not_yours");
    let mine = accepted(&b, &container, &deed);
    assert_eq!(b.names(), ["github"]);
    let history = c.home.json(&["deed", "history", &text(&mine)]);
    let kinds: Vec<&str> = history["events"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|event| event["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["create", "package", "escrow", "accept", "import", "flip"]);
    assert_eq!(history["owner"], b.signer.as_str());
    // The same deed again, also by a broker that was started anew; and what was accepted.
    assert_eq!(accept(&b, &deed, "again.deed"), "deed_replayed");
    b.home.ok(&["lock", "--stop"]);
    assert_eq!(accept(&b, &deed, "again.deed"), "deed_replayed");
    assert_eq!(accept(&b, &text(&mine), "again.deed"), "deed_not_yours");
    assert!(!b.home.beside("again.deed").exists());
    // A changed event is refused, with its number.
    let changed = std::fs::read_to_string(&mine).expect("the deed").replace("escrow", "accept");
    let changed = b.file("changed.deed", &changed);
    assert_eq!(b.refused(&["deed", "history", &changed]).code, "deed_order");
}

#[test]
fn what_broke_off_after_the_acceptance_is_finished_from_its_file() {
    let (a, b) = (Party::new(), Party::new());
    let (container, deed) = sent(&a, &b);
    b.trusts(&a, "a");
    let out = text(&b.home.beside("mine.deed"));
    let given = ["deed", "accept", &deed, "--container", &container, "--out", &out];
    let given = [&given[..], &["--passphrase-from-stdin"]].concat();
    b.home.ok_with(&given, PASSPHRASE);
    // What stood in the file when the acceptance was signed, and no more.
    let whole = std::fs::read_to_string(&out).expect("the deed");
    let mut cut: Value = serde_json::from_str(&whole).expect("JSON");
    cut["events"].as_array_mut().expect("a list").truncate(4);
    let broken = b.file("broken.deed", &cut.to_string());
    let finished = text(&b.home.beside("finished.deed"));
    let given = ["deed", "accept", &broken, "--container", &container, "--out", &finished];
    b.home.ok_with(&[&given[..], &["--passphrase-from-stdin"]].concat(), PASSPHRASE);
    let history = b.home.json(&["deed", "history", &finished]);
    assert_eq!(
        (history["events"].as_array().map(Vec::len), &history["owner"]),
        (Some(6), &b.signer.clone().into())
    );
    assert_eq!(b.names(), ["github"]);
}

#[test]
fn what_broke_off_between_the_signature_and_its_file_is_signed_again_as_it_was() {
    let (a, b) = (Party::new(), Party::new());
    let (container, deed) = sent(&a, &b);
    b.trusts(&a, "a");
    let accept = |deed: &str, out: &Path| {
        let out = text(out);
        let given = ["--json", "deed", "accept", deed, "--container", &container, "--out", &out];
        b.home.run_with(&[&given[..], &["--passphrase-from-stdin"]].concat(), PASSPHRASE)
    };
    // The acceptance is signed, and there is no folder for its file.
    let nowhere = b.home.beside("nowhere").join("mine.deed");
    accept(&deed, &nowhere).refused();
    assert!(b.names().is_empty(), "nothing is made before its file is there");
    b.home.ok(&["lock", "--stop"]);
    let mine = b.home.beside("mine.deed");
    accept(&deed, &mine).succeeded();
    assert_eq!(b.names(), ["github"]);
    let history = b.home.json(&["deed", "history", &text(&mine)]);
    assert_eq!(history["owner"], b.signer.as_str());
    // From here on it was accepted.
    let again = accept(&deed, &b.home.beside("again.deed")).refused();
    assert_eq!(again.code, "deed_replayed");
}

#[test]
fn the_next_owner_hands_on_and_nobody_goes_back() {
    let (a, b, c) = (Party::new(), Party::new(), Party::new());
    let (container, deed) = sent(&a, &b);
    b.trusts(&a, "a");
    c.trusts(&b, "b");
    let mine = text(&accepted(&b, &container, &deed));
    // b makes a container of its own and hands it on under the same deed.
    let env = b.file(".env", "GITHUB_TOKEN=ghp_000000000001\n");
    let layer = format!("credentials={env}");
    let next = text(&b.home.beside("next.box"));
    let create = ["container", "create", "--layer", &layer, "--to", &c.recipient, "--out", &next];
    b.home.ok_with(&[&create[..], &["--passphrase-from-stdin"]].concat(), PASSPHRASE);
    let offered = text(&b.home.beside("next.deed"));
    let offer = ["deed", "create", "--container", &next, "--owner", &c.signer, "--from", &mine];
    b.home.ok(&[&offer[..], &["--out", &offered]].concat());
    // The same offer again is the same bytes; another from the same place is refused.
    let twice = text(&b.home.beside("twice.deed"));
    b.home.ok(&[&offer[..], &["--out", &twice]].concat());
    let bytes = |path: &str| std::fs::read(path).expect("a deed");
    assert_eq!(bytes(&twice), bytes(&offered));
    let twice = text(&b.home.beside("another.deed"));
    let another = ["deed", "create", "--container", &next, "--owner", &a.signer, "--from", &mine];
    assert_eq!(b.refused(&[&another[..], &["--out", &twice]].concat()).code, "deed_replayed");
    // The owner before cannot offer it again, nor can another container be put under the deed.
    let old = ["deed", "create", "--container", &container, "--owner", &c.signer, "--from", &mine];
    assert_eq!(a.refused(&[&old[..], &["--out", &twice]].concat()).code, "deed_order");
    let out = text(&c.home.beside("c.deed"));
    let other = ["deed", "accept", &offered, "--container", &container, "--out", &out];
    assert_eq!(c.refused(&other).code, "deed_container");
    let accepted = ["deed", "accept", &offered, "--container", &next, "--out", &out];
    c.home.ok_with(&[&accepted[..], &["--passphrase-from-stdin"]].concat(), PASSPHRASE);
    assert_eq!(c.names(), ["github"]);
    let history = c.home.json(&["deed", "history", &out]);
    assert_eq!(
        (history["events"].as_array().map(Vec::len), &history["owner"]),
        (Some(11), &c.signer.clone().into())
    );
    // The deed of before, shown to the next owner, is not his; the one of his own is spent.
    let again = text(&c.home.beside("again.deed"));
    let replay = ["deed", "accept", &deed, "--container", &container, "--out", &again];
    assert_eq!(c.refused(&replay).code, "deed_not_yours");
    let replay = ["deed", "accept", &offered, "--container", &next, "--out", &again];
    let replay = [&replay[..], &["--passphrase-from-stdin"]].concat();
    assert_eq!(c.refused(&replay).code, "deed_replayed");
}
