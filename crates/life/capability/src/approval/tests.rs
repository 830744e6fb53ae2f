//! Rules, evidence and memory, each way that they must not be stretched.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use symbolon_ambient::{Clock, ManualClock, SeededRng};
use symbolon_codec::Digest32;
use symbolon_crypto::{AeadKey, labels};
use symbolon_log::{Durability, Log, MemoryStorage};
use symbolon_secret::Secret;

use super::{AskEntry, Covers, Remembered};
use crate::catalog::Catalog;
use crate::engine::{Lease, Policy};
use crate::*;

const SERVICE: &str = r#"
[service]
id = "shop"
name = "Shop"
base_url = "https://shop.example"
docs = "https://shop.example"
auth = { scheme = "bearer" }
verify = "things.list"
rate = { burst = 60, per_second = 20.0 }

[[operation]]
id = "things.list"
title = "List things"
description = "Lists all things."
method = "GET"
path = "/things"
scope = "shop.things.read"
effect = "read"

[[operation]]
id = "things.edit"
title = "Edit a thing"
description = "Changes one thing."
method = "POST"
path = "/things/{id:int}"
scope = "shop.things.write"
effect = "write"
body.text = { type = "string" }
body.amount = { type = ["integer", "string", "array"], items = { type = "integer" } }

[[operation]]
id = "things.delete"
title = "Delete a thing"
description = "Deletes one thing for good."
method = "DELETE"
path = "/things/{id:int}"
scope = "shop.things.write"
effect = "destructive"
"#;

const HERE: Digest32 = Digest32([9; 32]);

struct World {
    clock: Arc<ManualClock>,
    engine: Engine,
    log: Log<MemoryStorage>,
    registration: Arc<Registration>,
}

fn args(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn digest(n: u8) -> Digest32 {
    Digest32([n; 32])
}

impl World {
    fn new(ask: &[&str]) -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000_000));
        let catalog = Arc::new(Catalog::builtin().unwrap().with_extra(SERVICE).unwrap());
        let engine = Engine::new(catalog.clone(), HERE, clock.clone(), Arc::new(SeededRng::new(3)));
        let connection = Connection {
            name: ConnectionName::parse("shop").unwrap(),
            service: "shop".into(),
            base_url: "https://shop.example".into(),
            auth: Scheme::Bearer,
            ca_pem: None,
            allow_loopback: false,
            allow_private: false,
            scopes: vec!["shop.*".into()],
            fingerprint: HERE,
            created_unix_ms: 1,
        };
        let key = Arc::new(AeadKey::from_secret(&Secret::<[u8; 32]>::make(|b| b.fill(5))));
        let aad = connection.aad(b"vault");
        let envelope = key.seal_with(&aad, b"the_credential", &SeededRng::new(8));
        let scopes = catalog.scopes().expand("shop.*").unwrap();
        let registration = Arc::new(Registration {
            service: catalog.service("shop").unwrap().clone(),
            credential: SealedCredential::new(key, aad, envelope.into()),
            origin: "https://shop.example".into(),
            scopes: scopes.clone(),
            connection,
        });
        let log = Log::open(MemoryStorage::new(), "symbolon.test/log", None).unwrap();
        let w = Self { clock, engine, log, registration };
        let ask: Vec<String> = ask.iter().map(ToString::to_string).collect();
        w.install(&[(1, Ask::parse(&ask, AskVia::Owner).unwrap())]);
        w
    }

    fn install(&self, grants: &[(u64, Ask)]) {
        let live = |(id, ask): &(u64, Ask)| {
            Arc::new(LiveGrant {
                id: *id,
                connection: self.registration.connection.name.clone(),
                scopes: self.registration.scopes.clone(),
                limits: Vec::new(),
                ask: ask.clone(),
                until_ns: self.clock.mono_ns() + 900_000_000_000,
                session: None,
                rules: Chain::default(),
                lineage: None,
                delegable: 0,
            })
        };
        let name = self.registration.connection.name.clone();
        let connections = HashMap::from([(name, self.registration.clone())]);
        let agent = AgentName::parse("claude").unwrap();
        let grants = HashMap::from([(agent, grants.iter().map(live).collect())]);
        self.engine.install(Some(Policy { connections, grants, ..Policy::default() }));
    }

    fn lease(&self, session: &Session, tool: &str) -> Arc<Lease> {
        self.engine.lease(session, tool, None).unwrap()
    }

    /// What a call is refused with, or nothing.
    fn refusal(&self, tool: &str, arguments: Value, consent: Consent) -> Option<&'static str> {
        let session = session(1);
        self.refusal_in(&session, tool, arguments, digest(1), consent)
    }

    fn refusal_in(
        &self,
        session: &Session,
        tool: &str,
        arguments: Value,
        request: Digest32,
        consent: Consent,
    ) -> Option<&'static str> {
        let lease = self.lease(session, tool);
        let minted =
            self.engine.mint_with(&lease, &Context::Direct, &args(arguments), &request, consent);
        minted.err().map(|r| r.refusal.code())
    }

    fn approved(&self, session: &Session, tool: &str, context: &Context, n: u8) -> Approval {
        let need = Need { grant: 1, rule: approval::AskRule::Always, via: AskVia::Owner };
        let lease = self.lease(session, tool);
        let question =
            self.engine.question(&lease, context, &digest(n), need, Gates::default(), 600);
        let asked = question.record(|leaf| self.log.append(leaf)).unwrap();
        let answered = asked.approve(approval::Via::Cli, self.clock.unix_ms(), 0);
        let recorded = answered.record(|leaf| self.log.append(leaf)).unwrap();
        self.log.commit().unwrap();
        let durable = self.log.durable(recorded.ticket(), Durability::Group).unwrap();
        recorded.approval(&durable).unwrap()
    }
}

fn session(seed: u64) -> Session {
    Session::make(AgentName::parse("claude").unwrap(), Door::McpStdio, &SeededRng::new(seed))
}

const DELETE: &str = "shop.things.delete";
const EDIT: &str = "shop.things.edit";
const LIST: &str = "shop.things.list";
const ASKED: Option<&str> = Some("approval_needed");

#[test]
fn a_grant_without_rules_asks_before_what_is_destructive() {
    let w = World::new(&[]);
    assert_eq!(w.refusal(LIST, json!({}), Consent::None), None);
    assert_eq!(w.refusal(EDIT, json!({"id": 1, "text": "a"}), Consent::None), None);
    assert_eq!(w.refusal(DELETE, json!({"id": 1}), Consent::None), ASKED);
}

#[test]
fn each_rule_asks_for_what_it_says() {
    let asks = |rule: &str, tool: &str, arguments: Value| {
        World::new(&[rule]).refusal(tool, arguments, Consent::None) == ASKED
    };
    let edit = |amount: i64| json!({"id": 1, "amount": amount});
    assert!(!asks("never", DELETE, json!({"id": 1})));
    assert!(asks("write", EDIT, edit(1)) && asks("write", DELETE, json!({"id": 1})));
    assert!(!asks("write", LIST, json!({})));
    assert!(asks("always", LIST, json!({})));
    assert!(asks("first-use", LIST, json!({})));
    assert!(!asks("amount>100", EDIT, edit(100)) && asks("amount>100", EDIT, edit(101)));
    assert!(!asks("amount>=100", EDIT, edit(99)) && asks("amount>=100", EDIT, edit(100)));
    assert!(!asks("amount<0", EDIT, edit(0)) && asks("amount<0", EDIT, edit(-1)));
    assert!(!asks("amount<=0", EDIT, edit(1)) && asks("amount<=0", EDIT, edit(0)));
    // What the service would put in an absent amount's place is unknown.
    assert!(asks("amount>100", EDIT, json!({"id": 1, "text": "a"})));
    assert!(asks("amount>100", EDIT, json!({"id": 1, "amount": "101"})));
    assert!(asks("amount>100", EDIT, json!({"id": 1, "amount": [1, 101]})));
    assert!(!asks("amount>100", DELETE, json!({"id": 1})), "it has no amount");
}

#[test]
fn a_text_that_is_no_rule_is_refused() {
    for bad in ["", "sometimes", ">1", "amount>", "amount>x", "a b>1", "amount=1", "amount>>1"] {
        assert!(Ask::parse(&[bad], AskVia::Owner).is_err(), "{bad}");
    }
    assert_eq!(Ask::parse(&["never", "write"], AskVia::Owner), Err(approval::AskError::Never));
    assert!(Ask::parse(&["write"; 17], AskVia::Owner).is_err());
    for good in ["amount > 10000", "amount>1.5", "destructive"] {
        assert_eq!(Ask::parse(&[good], AskVia::Owner).unwrap().texts(), [good]);
    }
}

#[test]
fn an_approval_opens_one_exact_request_and_no_other() {
    let w = World::new(&["always"]);
    let (own, other) = (session(1), session(2));
    let given = |n| Consent::Given(w.approved(&own, DELETE, &Context::Direct, n));
    let call = |session: &Session, n, consent| {
        w.refusal_in(session, DELETE, json!({"id": 1}), digest(n), consent)
    };
    assert_eq!(call(&own, 1, given(1)), None);
    assert_eq!(call(&own, 2, given(1)), ASKED, "another request");
    assert_eq!(call(&other, 1, given(1)), ASKED, "another session of the same agent");
    let step = Context::Pipeline { run: "r".into(), step: "s".into() };
    let of_step = Consent::Given(w.approved(&own, DELETE, &step, 1));
    assert_eq!(call(&own, 1, of_step), ASKED, "another context");
    let late = given(1);
    w.clock.advance_ms(600_000);
    assert_eq!(call(&own, 1, late), ASKED, "after its time");
    let consent = given(1);
    w.install(&[(2, Ask::parse(&["always"], AskVia::Owner).unwrap())]);
    assert_eq!(call(&own, 1, consent), ASKED, "another grant");
}

#[test]
fn an_opening_says_on_which_approval_it_stands() {
    let w = World::new(&["always"]);
    let own = session(1);
    let approval = w.approved(&own, DELETE, &Context::Direct, 1);
    let approved = approval.approved();
    let lease = w.lease(&own, DELETE);
    let consent = Consent::Given(approval);
    let mint = w.engine.mint_with(&lease, &Context::Direct, &Map::new(), &digest(1), consent);
    let opening = w.engine.redeem(&mint.unwrap(), &own, &Context::Direct, &digest(1)).unwrap();
    assert_eq!(opening.approved(), Some(approved));
    assert_eq!((approved.number, approved.decided), (0, 1));
}

#[test]
fn a_token_of_two_steps_asks_at_the_second() {
    let w = World::new(&["always"]);
    let own = session(1);
    let lease = w.lease(&own, DELETE);
    let direct = Context::Direct;
    let token =
        w.engine.mint_with(&lease, &direct, &Map::new(), &digest(1), Consent::AtRedeem).unwrap();
    let refused = w.engine.redeem(&token, &own, &direct, &digest(1)).unwrap_err();
    assert_eq!(refused.refusal.code(), "approval_needed");
}

#[test]
fn a_grant_that_asks_nobody_goes_before_one_that_does() {
    let w = World::new(&["always"]);
    w.install(&[(1, Ask::parse(&["always"], AskVia::Owner).unwrap()), (2, Ask::never())]);
    assert_eq!(w.refusal(DELETE, json!({"id": 1}), Consent::None), None);
}

#[test]
fn the_first_use_of_each_operation_is_asked_once() {
    let w = World::new(&["first-use"]);
    let own = session(1);
    let approval = w.approved(&own, DELETE, &Context::Direct, 1);
    let one = json!({"id": 1});
    let first = w.refusal_in(&own, DELETE, one.clone(), digest(1), Consent::Given(approval));
    assert_eq!(first, None);
    assert_eq!(w.refusal(DELETE, json!({"id": 2}), Consent::None), None);
    assert_eq!(w.refusal(EDIT, one.clone(), Consent::None), ASKED, "another operation");
    w.engine.install(None);
    w.install(&[(1, Ask::parse(&["first-use"], AskVia::Owner).unwrap())]);
    assert_eq!(w.refusal(DELETE, one, Consent::None), ASKED, "a lock forgets");
}

#[test]
fn what_is_remembered_covers_the_same_shape_and_no_more() {
    let w = World::new(&["always"]);
    let remember = |tool: &str, arguments: Value, covers| {
        let approved = w.approved(&session(1), tool, &Context::Direct, 1).approved();
        let until_ns = w.clock.mono_ns() + 60_000_000_000;
        w.engine.remember(Remembered {
            approved,
            grant: 1,
            tool: tool.into(),
            rule: "always".into(),
            arguments: args(arguments),
            covers,
            until_ns,
        })
    };
    let asks = |tool: &str, arguments: Value| w.refusal(tool, arguments, Consent::None) == ASKED;
    assert!(remember(EDIT, json!({"id": 1, "amount": 10, "text": "a"}), Covers::Shape));
    assert!(!asks(EDIT, json!({"id": 1, "amount": 10, "text": "b"})));
    assert!(!asks(EDIT, json!({"id": 1, "amount": 9, "text": "b"})));
    assert!(asks(EDIT, json!({"id": 1, "amount": 11, "text": "a"})), "a larger number");
    assert!(asks(EDIT, json!({"id": 1, "amount": -1, "text": "a"})), "below nothing");
    assert!(asks(EDIT, json!({"id": 2, "amount": 10, "text": "a"})), "another path");
    assert!(asks(EDIT, json!({"id": 1, "amount": 10})), "a parameter less");
    assert!(asks(EDIT, json!({"id": 1, "amount": "1", "text": "a"})), "another type");
    assert!(asks(DELETE, json!({"id": 1})), "another operation");
    assert!(remember(DELETE, json!({"id": 1}), Covers::Any));
    assert!(!asks(DELETE, json!({"id": 2})));
    assert_eq!(w.engine.remembered().len(), 2);
    assert!(w.engine.forget(w.engine.remembered()[1].approved.number));
    assert!(asks(DELETE, json!({"id": 2})));
    w.clock.advance_ms(60_000);
    assert!(asks(EDIT, json!({"id": 1, "amount": 10, "text": "a"})), "its time is over");
    assert!(w.engine.remembered().is_empty());
}

#[test]
fn the_proof_of_another_entry_is_no_evidence() {
    let w = World::new(&["always"]);
    let own = session(1);
    let lease = w.lease(&own, DELETE);
    let need = Need { grant: 1, rule: approval::AskRule::Always, via: AskVia::Owner };
    let question =
        w.engine.question(&lease, &Context::Direct, &digest(1), need, Gates::default(), 600);
    let asked = question
        .record(|leaf| {
            let entry = AskEntry::parse(leaf).unwrap();
            assert_eq!((&*entry.agent, &*entry.tool, &*entry.rule), ("claude", DELETE, "always"));
            assert_ne!(entry.request, digest(1), "a reader of the log confirms no guess");
            w.log.append(leaf)
        })
        .unwrap();
    let recorded = asked
        .approve(approval::Via::Cli, 1, 0)
        .record(|leaf| {
            assert!(leaf.windows(20).any(|w| w == labels::APPROVAL.as_str().as_bytes()));
            w.log.append(leaf)
        })
        .unwrap();
    let other = w.log.append(b"another entry").unwrap();
    w.log.commit().unwrap();
    let of_another = w.log.durable(&other, Durability::Group).unwrap();
    assert!(recorded.approval(&of_another).is_err());
}
