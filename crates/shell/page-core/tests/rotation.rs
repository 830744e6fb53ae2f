//! Another data key, as the Worker gives it to a vault: what opens afterwards, what does not, and what is sealed anew.

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::b64url;
use symbolon_page_core::custody::{Change, Rotation, Way};
use symbolon_page_core::vault::Vault;
use symbolon_page_core::{Failed, Moment, Opened};
use symbolon_secret::Secret;
use symbolon_vault::wire::{Commit, SealedRevision, SignedHead};

const NOW: f64 = 1_700_000_000_000.0;

fn now() -> Moment {
    Moment::at(NOW)
}

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |out| out.copy_from_slice(bytes))
}

fn passkey(byte: u8) -> Way {
    Way::passkey(vec![byte; 8], secret(&[byte; 32])).unwrap()
}

fn code(result: Result<impl Sized, Failed>) -> &'static str {
    result.err().expect("a refusal").code
}

fn open(opened: &Opened, snapshot: Option<&[u8]>) -> Vault {
    Vault::open(|| opened.keys(), snapshot, Box::new(now()), Box::new(SystemRng)).unwrap().0
}

/// What a server keeps: the wraps and the ring as a body left them, the head, the current revisions.
struct Server {
    keys: Value,
    head: SignedHead,
    rows: Vec<(u64, SealedRevision)>,
}

impl Server {
    fn new(opened: &Opened) -> Self {
        let body = opened.sign_up(&now()).unwrap();
        let head = serde_json::from_value(body["head"].clone()).unwrap();
        let keys =
            json!({ "id": opened.vault_id(), "wraps": opened.custody().wraps(), "ring": "" });
        Self { keys, head, rows: Vec::new() }
    }

    fn view(&self) -> String {
        self.keys.to_string()
    }

    fn rotate(&mut self, change: &Change, commit: &str) {
        let body = change.body(1);
        self.keys["wraps"] = body["wraps"].clone();
        self.keys["ring"] = body["ring"].clone();
        self.take(serde_json::from_str(commit).unwrap());
    }

    fn take(&mut self, commit: Commit) {
        assert_eq!(commit.base(), self.head.head().counter);
        self.head = *commit.head();
        let counter = self.head.head().counter;
        for one in commit.revisions() {
            self.rows.retain(|(_, old)| old.item() != one.item());
            self.rows.push((counter, one.clone()));
        }
    }

    fn page(&self, after: u64) -> String {
        let rows = self.rows.iter().filter(|(counter, _)| *counter > after);
        let rows: Vec<Value> =
            rows.map(|(c, one)| json!({ "counter": c, "revision": one })).collect();
        json!({ "revisions": rows, "next": self.head.head().counter, "more": false, "head": self.head }).to_string()
    }

    fn sync(&mut self, vault: &mut Vault) -> Result<(), String> {
        loop {
            let after = vault.begin_changes();
            vault.changes(&self.page(after)).map_err(|problem| problem.code.to_owned())?;
            let Some(commit) = vault.commit().unwrap() else { return Ok(()) };
            self.take(serde_json::from_str(&commit).unwrap());
            vault.accepted().unwrap();
        }
    }

    fn epochs(&self) -> Vec<u32> {
        let mut all: Vec<_> = self.rows.iter().map(|(_, one)| one.header().epoch).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn note(vault: &mut Vault, title: &str) {
    let draft = json!({ "title": title, "body": "text", "tags": [], "pinned": false, "template": false, "contents": { "note": {} } });
    vault.ask(&json!({ "create": { "draft": draft, "folder": null } }).to_string()).unwrap();
}

fn titles(vault: &mut Vault) -> Vec<String> {
    let asked = json!({ "list": { "kinds": ["note"], "within": null, "tag": null, "trashed": false, "query": "", "max": 99 } });
    let told: Value = serde_json::from_str(&vault.ask(&asked.to_string()).unwrap()).unwrap();
    let mut all: Vec<String> = told["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["title"].as_str().unwrap().to_owned())
        .collect();
    all.sort();
    all
}

#[test]
fn what_was_shown_opens_afterwards_and_nothing_else_does() {
    let paper = Way::make_recovery(&SystemRng);
    let mut opened = Opened::create(&paper, &SystemRng, &now()).unwrap();
    for byte in [1, 2] {
        let change = Change::add(&opened, &passkey(byte), &SystemRng, &now()).unwrap();
        opened.adopt(change);
    }
    let mut server = Server::new(&opened);
    let (mut here, mut there) = (open(&opened, None), open(&opened, None));
    server.sync(&mut here).unwrap();
    for n in 0..5 {
        note(&mut here, &format!("note {n}"));
    }
    server.sync(&mut here).unwrap();
    server.sync(&mut there).unwrap();
    note(&mut there, "written elsewhere, not sent yet");

    let (mut rotation, code_way) = (Rotation::default(), Way::make_recovery(&SystemRng));
    assert_eq!(code(rotation.keep(&opened, passkey(3))), "other_passkey");
    let kept = rotation.keep(&opened, passkey(1)).unwrap();
    assert_eq!(
        rotation.keep(&opened, passkey(1)).unwrap(),
        kept,
        "once, however often it is shown"
    );
    let change = rotation.make(&opened, &code_way, &SystemRng, &now()).unwrap();
    assert_eq!(
        change.body(1)["wraps"].as_array().unwrap().len(),
        2,
        "the passkey and the new code"
    );
    let commit = here.hand_over(&opened, &change).unwrap();

    // Nothing is sealed under the new key before the server has it.
    let before = server.view();
    note(&mut here, "written in between");
    assert!(Opened::unlock(&before, &passkey(2)).is_ok());
    server.rotate(&change, &commit);
    opened.adopt(change);
    here.go_on(&opened).unwrap();
    server.sync(&mut here).unwrap();
    assert_eq!(server.epochs(), [1]);
    assert_eq!(here.reseal(4).unwrap(), 2);
    server.sync(&mut here).unwrap();
    assert_eq!(server.epochs(), [1, 2]);

    // A power cut here: who opens it next goes on.
    let snapshot = here.snapshot();
    drop((here, opened));
    let mut opened = Opened::unlock(&server.view(), &passkey(1)).unwrap();
    assert_eq!(opened.overview()["epoch"], 2);
    let mut here = open(&opened, Some(&snapshot));
    assert_eq!(here.reseal(0).unwrap(), 2);
    assert_eq!(here.reseal(200).unwrap(), 0);
    server.sync(&mut here).unwrap();
    assert_eq!(server.epochs(), [2]);
    for gone in [passkey(2), paper] {
        assert!(Opened::unlock(&server.view(), &gone).is_err(), "{gone:?} opens it still");
    }
    let words = code_way.phrase().unwrap();
    opened = Opened::unlock(&server.view(), &Way::recovery(&words).unwrap()).unwrap();

    // The device that did not know sees that its key is an old one, and goes on with what it had.
    assert_eq!(server.sync(&mut there).unwrap_err(), "no_key");
    there.go_on(&opened).unwrap();
    server.sync(&mut there).unwrap();
    assert_eq!(there.reseal(200).unwrap(), 0);
    server.sync(&mut there).unwrap();
    server.sync(&mut here).unwrap();
    assert_eq!(titles(&mut here), titles(&mut there));
    assert_eq!(titles(&mut here).len(), 7);
    assert_eq!(server.epochs(), [2]);
}

#[test]
fn a_change_that_nobody_took_changes_nothing() {
    let paper = Way::make_recovery(&SystemRng);
    let opened = Opened::create(&paper, &SystemRng, &now()).unwrap();
    let mut server = Server::new(&opened);
    let mut here = open(&opened, None);
    server.sync(&mut here).unwrap();
    let (rotation, code_way) = (Rotation::default(), Way::make_recovery(&SystemRng));
    let change = rotation.make(&opened, &code_way, &SystemRng, &now()).unwrap();
    let first = here.hand_over(&opened, &change).unwrap();
    note(&mut here, "after it");
    server.sync(&mut here).unwrap();
    // What was made on another head is made anew, by the same change or by another.
    let again = here.hand_over(&opened, &change).unwrap();
    assert_ne!(first, again);
    let other = rotation.make(&opened, &code_way, &SystemRng, &now()).unwrap();
    assert_ne!(change.body(1)["wraps"], other.body(1)["wraps"]);
    assert!(b64url::decode(other.body(1)["ring"].as_str().unwrap(), 4096).is_ok());
    drop((change, other));
    assert!(Opened::unlock(&server.view(), &paper).is_ok());
    let plain = Change::add(&opened, &passkey(1), &SystemRng, &now()).unwrap();
    assert_eq!(plain.body(1).get("ring"), None);
    assert_eq!(code(here.hand_over(&opened, &plain)), "shape");
}
