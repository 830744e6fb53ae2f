use std::sync::Arc;

use serde_json::{Value, json};
use symbolon_ambient::{Clock, ManualClock, Rng, SeededRng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Enrol, Opener, Unlocked, Vault as Custody};
use symbolon_secret::Secret;
use symbolon_vault::wire::{Commit, SealedRevision, SignedHead};
use symbolon_vault::{Keys, Replica};

use super::{Kept, Linked, MadeLink, Problem, Vault};

const NOW: u64 = 1_790_000_000_000;

fn unlocked(seed: u64) -> Unlocked {
    let (clock, rng) = (ManualClock::at(NOW), SeededRng::new(seed));
    let code = RecoveryCode::make(&rng);
    Custody::create(&Enrol::new(Opener::Recovery(&code)), &rng, &clock).expect("a vault").1
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |page| page.copy_from_slice(text.as_bytes()))
}

/// What a server keeps of one vault.
struct Server {
    head: SignedHead,
    rows: Vec<(u64, SealedRevision)>,
}

impl Server {
    fn new(of: &Unlocked) -> Self {
        let replica = Replica::create(Keys::new(of, 1), &ManualClock::at(NOW));
        Self { head: *replica.head().expect("made"), rows: Vec::new() }
    }

    fn take(&mut self, commit: &str) -> bool {
        let commit: Commit = serde_json::from_str(commit).expect("a commit");
        if commit.base() != self.head.head().counter {
            return false;
        }
        self.head = *commit.head();
        let counter = self.head.head().counter;
        self.rows.extend(commit.revisions().iter().map(|one| (counter, one.clone())));
        true
    }

    fn page(&self, after: u64, most: usize) -> String {
        let mut current: std::collections::BTreeMap<_, _> = Default::default();
        for (counter, one) in &self.rows {
            current.insert(one.item(), (*counter, one));
        }
        let mut rows: Vec<_> = current.into_values().filter(|(c, _)| *c > after).collect();
        rows.sort_by_key(|(counter, _)| *counter);
        let more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().map_or(after, |(counter, _)| *counter);
        let rows: Vec<Value> =
            rows.iter().map(|(c, one)| json!({ "counter": c, "revision": one })).collect();
        json!({ "revisions": rows, "next": next, "more": more, "head": self.head }).to_string()
    }
}

struct Tab {
    vault: Vault,
    clock: Arc<ManualClock>,
}

struct Shared(Arc<ManualClock>);

impl Clock for Shared {
    fn unix_ms(&self) -> u64 {
        self.0.unix_ms()
    }
    fn mono_ns(&self) -> u64 {
        self.0.mono_ns()
    }
}

impl Tab {
    fn open(unlocked: &Unlocked, seed: u64, snapshot: Option<&[u8]>) -> (Self, Kept) {
        let clock = Arc::new(ManualClock::at(NOW + seed));
        let rng: Box<dyn Rng> = Box::new(SeededRng::new(seed));
        let keys = || Ok::<_, Problem>(Keys::new(unlocked, 1));
        let clock_of = Box::new(Shared(Arc::clone(&clock)));
        let (vault, kept) = Vault::open(keys, snapshot, clock_of, rng).expect("keys");
        (Self { vault, clock }, kept)
    }

    fn ask(&mut self, question: Value) -> Value {
        self.clock.advance_ms(1);
        let answer = self.vault.ask(&question.to_string()).expect("in bounds");
        serde_json::from_str(&answer).expect("JSON")
    }

    fn fetch(&mut self, server: &Server) -> Value {
        let mut after = self.vault.begin_changes();
        loop {
            let told: Value =
                serde_json::from_str(&self.vault.changes(&server.page(after, 1)).expect("honest"))
                    .expect("JSON");
            match told["next"].as_u64() {
                Some(next) => after = next,
                None => return told,
            }
        }
    }

    fn sync(&mut self, server: &mut Server) {
        loop {
            self.fetch(server);
            match self.vault.commit().expect("a head is there") {
                None => return,
                Some(commit) if server.take(&commit) => {
                    self.vault.accepted().expect("ours");
                }
                Some(_) => {}
            }
        }
    }

    fn note(&mut self, title: &str, body: &str) -> String {
        let draft = json!({ "title": title, "body": body, "tags": [], "pinned": false,
            "template": false, "contents": { "note": {} } });
        let id = self.ask(json!({ "create": { "draft": draft, "folder": null } }));
        id.as_str().expect("an id").to_owned()
    }

    fn titles(&mut self, query: &str) -> Vec<String> {
        let list = json!({ "list": { "kinds": ["note", "login"], "within": null, "tag": null,
            "trashed": false, "query": query, "max": 100 } });
        let rows = self.ask(list)["rows"].as_array().expect("rows").clone();
        rows.iter().map(|row| row["title"].as_str().expect("a title").to_owned()).collect()
    }
}

#[test]
fn two_tabs_write_one_note_and_both_texts_are_kept() {
    let keys = unlocked(1);
    let mut server = Server::new(&keys);
    let (mut a, kept) = Tab::open(&keys, 2, None);
    let (mut b, _) = Tab::open(&keys, 3, None);
    assert_eq!(kept, Kept::None);
    a.fetch(&server);
    let id = a.note("Plan", "first");
    a.sync(&mut server);
    b.sync(&mut server);
    let before = b.ask(json!({ "item": { "id": id } }));
    assert_eq!(before["body"], "first");

    // Each editor began with `first`; the one that comes second does not write over the other.
    let stamp = before["stamp"].as_str().expect("a stamp").to_owned();
    let write =
        |body: &str| json!({ "write": { "id": id, "base": stamp, "title": "Plan", "body": body } });
    assert_eq!(a.ask(write("from a"))["copy"], Value::Null);
    a.sync(&mut server);
    b.sync(&mut server);
    let copy = b.ask(write("from b"))["copy"].as_str().expect("a copy").to_owned();
    b.sync(&mut server);
    a.sync(&mut server);
    assert_eq!(a.ask(json!({ "item": { "id": id } }))["body"], "from a");
    let other = a.ask(json!({ "item": { "id": copy } }));
    assert_eq!((&other["body"], &other["row"]["conflict_of"]), (&json!("from b"), &json!(id)));

    // The same text is no change, whatever the editor began with.
    assert_eq!(a.ask(write("from a"))["copy"], Value::Null);
    assert_eq!(a.vault.commit(), Ok(None));
}

#[test]
fn offline_changes_of_two_tabs_meet_at_the_server() {
    let keys = unlocked(1);
    let mut server = Server::new(&keys);
    let (mut a, _) = Tab::open(&keys, 2, None);
    let (mut b, _) = Tab::open(&keys, 3, None);
    a.fetch(&server);
    b.fetch(&server);
    a.note("Alpha", "über den Berg");
    b.note("Beta", "with [[Alpha]] in it");
    a.sync(&mut server);
    b.sync(&mut server);
    a.sync(&mut server);
    assert_eq!(a.titles("UBER"), ["Alpha"]);
    let alpha = a.ask(json!({ "resolve": { "title": "alpha" } }));
    let item = a.ask(json!({ "item": { "id": alpha } }));
    assert_eq!(item["backlinks"][0]["title"], "Beta");
    let frame = a.ask(json!({ "frame": {} }));
    assert_eq!((&frame["notes"], &frame["pending"]), (&json!(2), &json!(0)));
}

#[test]
fn a_kept_copy_opens_with_what_waits_and_notices_a_server_that_goes_back() {
    let keys = unlocked(1);
    let mut server = Server::new(&keys);
    let (mut tab, _) = Tab::open(&keys, 2, None);
    tab.fetch(&server);
    let old = server.page(0, 10);
    tab.note("Kept", "text");
    tab.sync(&mut server);
    tab.note("Waits", "text");
    let snapshot = tab.vault.snapshot();

    let (mut again, kept) = Tab::open(&keys, 4, Some(&snapshot));
    assert_eq!(kept, Kept::Used);
    assert_eq!(again.titles(""), ["Waits", "Kept"]);
    again.vault.begin_changes();
    let refused = again.vault.changes(&old).expect_err("it went back");
    assert_eq!(refused.code, "rollback");
    again.sync(&mut server);

    for (bytes, of) in [(&snapshot[..snapshot.len() - 1], 1), (&snapshot[..], 9)] {
        let (_, kept) = Tab::open(&unlocked(of), 5, Some(bytes));
        assert_eq!(kept, Kept::Refused);
    }
}

#[test]
fn secrets_stay_where_they_are_until_one_is_asked_for() {
    let keys = unlocked(1);
    let server = Server::new(&keys);
    let (mut tab, _) = Tab::open(&keys, 2, None);
    tab.fetch(&server);
    let password = tab.vault.put_secret(secret("pass-canary")).expect("a slot");
    let pin = tab.vault.put_secret(secret("pin-canary")).expect("a slot");
    let login = |password: Value, fields: Value| {
        json!({ "title": "Bank", "body": "", "tags": ["money"], "pinned": true, "template": false,
            "contents": { "login": { "username": "robin", "uris": ["https://bank.example"],
                "password": password, "totp": "none", "fields": fields } } })
    };
    let fields = json!([{ "name": "PIN", "kind": "hidden", "value": { "slot": pin } }]);
    let draft = login(json!({ "slot": password }), fields);
    let id = tab.ask(json!({ "create": { "draft": draft, "folder": null } }));
    let id = id.as_str().expect("an id");

    let shown = tab.ask(json!({ "item": { "id": id } }));
    assert!(!shown.to_string().contains("canary"), "a secret was shown unasked");
    assert_eq!(shown["contents"]["has_password"], true);
    let look = |tab: &Tab, name: &str| {
        tab.vault.secret(id, name, |s| {
            // EXPOSE: a test looks at it.
            String::from_utf8(s.expose().to_vec()).expect("UTF-8")
        })
    };
    assert_eq!(look(&tab, "password").as_deref(), Ok("pass-canary"));
    assert_eq!(look(&tab, "0").as_deref(), Ok("pin-canary"));
    assert_eq!(look(&tab, "key").map_err(|p| p.code), Err("missing"));

    // Changed, with one secret that stays and one that goes.
    let fields = json!([{ "name": "Number", "kind": "hidden", "value": { "keep": 0 } }]);
    tab.ask(json!({ "save": { "id": id, "draft": login(json!("none"), fields) } }));
    assert_eq!(look(&tab, "password").as_deref(), Ok(""));
    assert_eq!(look(&tab, "0").as_deref(), Ok("pin-canary"));

    // One that should stay and is not there is not lost in silence.
    let fields = json!([{ "name": "x", "kind": "hidden", "value": { "keep": 7 } }]);
    let save = json!({ "save": { "id": id, "draft": login(json!("none"), fields) } });
    assert_eq!(tab.vault.ask(&save.to_string()).map_err(|p| p.code), Err("missing"));
    assert_eq!(look(&tab, "0").as_deref(), Ok("pin-canary"));
}

#[test]
fn a_connection_is_made_as_the_broker_described_it() {
    let keys = unlocked(1);
    let (mut tab, _) = Tab::open(&keys, 2, None);
    tab.fetch(&Server::new(&keys));
    tab.vault.put_secret(secret("token-canary")).expect("a slot");
    let parts = json!(["gitlab", "https://git.example", "{\"user\":\"me\"}"]);
    let draft = json!({ "title": "work", "body": "", "tags": [], "pinned": false,
        "template": false, "contents": { "connection": parts } });
    let id = tab.ask(json!({ "create": { "draft": draft, "folder": null } }));
    let id = id.as_str().expect("an id");
    let shown = tab.ask(json!({ "item": { "id": id } }))["contents"].clone();
    let wanted = json!({ "kind": "connection", "service": "gitlab",
        "base_url": "https://git.example", "scheme": "{\"user\":\"me\"}", "has_credential": true });
    assert_eq!(shown, wanted);
    let is_there = tab.vault.secret(id, "credential", |s| s.ct_eq_bytes(b"token-canary"));
    assert_eq!(is_there, Ok(true));
    // The secret is used up, and a connection without what it was to hold is none.
    let again = json!({ "create": { "draft": draft, "folder": null } });
    assert!(tab.vault.ask(&again.to_string()).is_err());
}

#[test]
fn an_older_revision_comes_back_as_a_new_one() {
    let keys = unlocked(1);
    let mut server = Server::new(&keys);
    let (mut tab, _) = Tab::open(&keys, 2, None);
    let id = {
        tab.fetch(&server);
        tab.note("Draft", "one")
    };
    tab.sync(&mut server);
    for body in ["two", "three"] {
        let stamp = tab.ask(json!({ "item": { "id": id } }))["stamp"].clone();
        tab.ask(json!({ "write": { "id": id, "base": stamp, "title": "Draft", "body": body } }));
        tab.sync(&mut server);
    }
    let answers: Vec<Value> =
        server.rows.iter().map(|(c, one)| json!({ "counter": c, "revision": one })).collect();
    let past = tab.vault.history(&id, &json!(answers).to_string()).expect("whole");
    let past: Value = serde_json::from_str(&past).expect("JSON");
    assert_eq!((&past[0]["body"], &past[1]["body"]), (&json!("two"), &json!("one")));
    tab.vault.revert(&id, 1).expect("it is shown");
    assert_eq!(tab.ask(json!({ "item": { "id": id } }))["body"], "one");
    let gap = json!([answers[0]]).to_string();
    assert_eq!(tab.vault.history(&id, &gap).map_err(|p| p.code), Err("history"));
    tab.vault.forget_history();
    assert_eq!(tab.vault.revert(&id, 1).map_err(|p| p.code), Err("missing"));
}

#[test]
fn a_note_goes_to_another_vault_and_behind_a_link() {
    let (own, other) = (unlocked(1), unlocked(2));
    let (mut from, _) = Tab::open(&own, 3, None);
    let (mut to, _) = Tab::open(&other, 4, None);
    from.fetch(&Server::new(&own));
    to.fetch(&Server::new(&other));
    let id = from.note("Shared", "between us");
    let state: Value = serde_json::from_str(&to.vault.state()).expect("JSON");
    let key = symbolon_codec::b64url::encode(Keys::new(&other, 1).share_key().as_bytes());
    assert_eq!(Vault::fingerprint_of(&key).as_deref(), Ok(state["fingerprint"].as_str().unwrap()));

    let sealed = from.vault.share_with(&id, &key).expect("a note");
    assert!(to.vault.received(&sealed).expect("theirs").contains("between us"));
    to.vault.take(&sealed).expect("theirs");
    assert_eq!(to.titles("between"), ["Shared"]);
    assert_eq!(from.vault.received(&sealed).map_err(|p| p.code), Err("sender"));

    let MadeLink { share, fragment, sealed } = from.vault.share_link(&id).expect("a note");
    let share = share.to_string();
    let linked = Linked::open(&share, &fragment, &sealed).expect("whole");
    assert!(linked.shown().contains("between us"));
    let wrong = from.vault.share_link(&id).expect("a note").fragment;
    let code =
        |fragment, sealed: &[u8]| Linked::open(&share, fragment, sealed).err().map(|p| p.code);
    assert_eq!(code(&wrong, &sealed), Some("other_key"));
    let short = secret("short");
    assert_eq!(code(&short, &sealed), Some("link"));
    let mut damaged = sealed.clone();
    *damaged.last_mut().expect("bytes") ^= 1;
    assert_eq!(code(&fragment, &damaged), Some("damaged"));
}

#[test]
fn a_file_is_sealed_resumed_and_opened_chunk_by_chunk() {
    let keys = unlocked(1);
    let (mut tab, _) = Tab::open(&keys, 2, None);
    tab.fetch(&Server::new(&keys));
    let file: Vec<u8> = (0..Vault::chunk_bytes() + 777).map(|n| (n % 251) as u8).collect();
    let read = |tab: &mut Tab, bytes: &[u8]| {
        tab.vault.read_file();
        bytes.chunks(100_000).for_each(|piece| tab.vault.read_more(piece));
    };
    read(&mut tab, &file);
    let told: Value = serde_json::from_str(
        &tab.vault.add_file("a.bin", "application/octet-stream", None).expect("in bounds"),
    )
    .expect("JSON");
    assert_eq!(told["count"], 2);
    let id = told["id"].as_str().expect("an id").to_owned();
    let (one, two) = file.split_at(Vault::chunk_bytes());
    let first = tab.vault.seal_chunk(0, one).expect("a chunk");

    // Another file is not put behind the first half; the same one is.
    read(&mut tab, two);
    assert_eq!(tab.vault.move_file(&id, true).map_err(|p| p.code), Err("other_file"));
    read(&mut tab, &file);
    tab.vault.move_file(&id, true).expect("the same");
    let second = tab.vault.seal_chunk(1, two).expect("a chunk");

    tab.vault.move_file(&id, false).expect("a file");
    assert_eq!(tab.vault.open_chunk(1, &second).map_err(|p| p.code), Err("request"), "in order");
    assert_eq!(tab.vault.open_chunk(0, &second).map_err(|p| p.code), Err("chunk"), "moved");
    assert_eq!(tab.vault.open_chunk(0, &first).as_deref(), Ok(one));
    assert_eq!(tab.vault.open_chunk(1, &second).as_deref(), Ok(two));
}

#[test]
fn what_the_page_does_not_ask_is_refused() {
    let (mut tab, _) = Tab::open(&unlocked(1), 2, None);
    for bad in ["", "{}", "{\"nothing\":{}}", "{\"item\":{\"id\":\"x\"}}", "[1]"] {
        assert_eq!(tab.vault.ask(bad).map_err(|p| p.code), Err("request"), "{bad}");
    }
}
