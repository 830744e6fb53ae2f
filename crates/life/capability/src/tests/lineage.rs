//! Grants under grants: never more than any grant above, whatever they ask for.

use proptest::prelude::*;

use super::*;
use crate::attenuation::excess;
use crate::rules::Rules;

/// What a grant of a random tree says of itself, whatever its parents say.
#[derive(Debug, Clone)]
struct Terms {
    /// Its parent's place in the list, before its own; its own for a root.
    under: usize,
    scopes: Vec<&'static str>,
    limits: Vec<&'static str>,
    hours: Vec<&'static str>,
    ask: Vec<&'static str>,
    seconds: u64,
    revoked: bool,
}

/// One call that somebody tries.
#[derive(Debug, Clone)]
struct Call {
    tool: &'static str,
    arguments: Map<String, Value>,
    /// Seconds after the grants were made.
    after: u64,
}

const SCOPES: [&str; 5] =
    ["github.issues.read", "github.issues.*", "github.repos.read", "github.*.read", "github.*"];
const LIMITS: [&str; 6] = [
    "owner=acme",
    "owner in acme,example",
    "owner not in acme",
    "repo=widgets",
    "repo not in widgets",
    "owner in example,other",
];
/// The tests' clock stands on a Friday, at 08:00 UTC.
const HOURS: [&str; 4] =
    ["08:00-09:00", "08:10-12:00 UTC", "sat,sun 00:00-24:00", "fri 07:00-08:20"];
const ASKS: [&str; 3] = ["destructive", "write", "always"];
const TOOLS: [&str; 4] =
    ["github.issues.list", "github.issues.create", "github.repos.get", "github.issues.get"];

fn some(of: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(of), 0..=most)
}

fn terms() -> impl Strategy<Value = Terms> {
    let scopes = prop::collection::vec(prop::sample::select(&SCOPES[..]), 1..3);
    let ask = some(&ASKS, 1);
    let parts = (any::<prop::sample::Index>(), scopes, some(&LIMITS, 2), some(&HOURS, 2), ask);
    (parts, 600..3000u64, prop::bool::weighted(0.08)).prop_map(
        |((under, scopes, limits, hours, ask), seconds, revoked)| Terms {
            under: under.index(1 << 16),
            scopes,
            limits,
            hours,
            ask,
            seconds,
            revoked,
        },
    )
}

fn trees() -> impl Strategy<Value = Vec<Terms>> {
    prop::collection::vec(terms(), 1..12).prop_map(|mut all| {
        for (at, one) in all.iter_mut().enumerate() {
            // A root now and then; else under one that was made before, the latest more often, so
            // that lineages grow long.
            one.under = match (at, one.under % 4) {
                (0, _) | (_, 0) => at,
                (_, 1) => one.under / 4 % at,
                _ => at - 1,
            };
        }
        all
    })
}

fn calls() -> impl Strategy<Value = Call> {
    let words = |of: &'static [&'static str]| prop::sample::select(of);
    let owner = words(&["acme", "example", "other"]);
    (words(&TOOLS), owner, words(&["widgets", "gears"]), 0..3600u64).prop_map(
        |(tool, owner, repo, after)| Call {
            tool,
            arguments: Map::from_iter([
                ("owner".to_owned(), json!(owner)),
                ("repo".to_owned(), json!(repo)),
            ]),
            after,
        },
    )
}

impl Terms {
    fn grant(&self, w: &World, at: usize, all: &[Self]) -> Grant {
        let unix = symbolon_ambient::Clock::unix_ms(&*w.clock);
        let is_root = self.under == at;
        Grant {
            id: at as u64 + 1,
            agent: agent(at),
            connection: ConnectionName::parse("github").unwrap(),
            scopes: self.scopes.iter().map(ToString::to_string).collect(),
            limits: self.limits.iter().map(|l| Limit::parse(l).unwrap()).collect(),
            ask: match self.ask[..] {
                [] => Ask::never(),
                _ => Ask::parse(&self.ask, AskVia::Owner).unwrap(),
            },
            budgets: Vec::new(),
            cooldown_seconds: None,
            hours: self.hours.iter().map(|h| Hours::parse(h).unwrap()).collect(),
            created_unix_ms: unix,
            expires_unix_ms: unix + self.seconds * 1000,
            revoked: self.revoked,
            parent: (!is_root).then(|| all[at].under as u64 + 1),
            delegable: 0,
            by_agent: false,
        }
    }

    /// Whether this grant by itself lets the call through: written down once more, in the plainest
    /// way there is.
    fn would_admit(&self, w: &World, call: &Call) -> bool {
        let catalog = w.engine.catalog();
        let operation = catalog.operation(call.tool).unwrap();
        let scope = operation.scope().as_str();
        let part = |at: usize, text: &str| text.split('.').nth(at).unwrap_or_default().to_owned();
        let names = |pattern: &&str| match *pattern {
            "github.*" => true,
            "github.*.read" => part(2, scope) == "read",
            "github.issues.*" => part(1, scope) == "issues",
            whole => whole == scope,
        };
        let owner = call.arguments["owner"].as_str().unwrap();
        let repo = call.arguments["repo"].as_str().unwrap();
        let is_within = |limit: &&str| match *limit {
            "owner=acme" => owner == "acme",
            "owner in acme,example" => owner != "other",
            "owner not in acme" => owner != "acme",
            "repo=widgets" => repo == "widgets",
            "repo not in widgets" => repo != "widgets",
            "owner in example,other" => owner != "acme",
            other => panic!("{other}"),
        };
        // 08:00 and so many minutes, on a Friday.
        let minute = call.after / 60;
        let is_open = |window: &&str| match *window {
            "08:00-09:00" => minute < 60,
            "08:10-12:00 UTC" => minute >= 10,
            "sat,sun 00:00-24:00" => false,
            "fri 07:00-08:20" => minute < 20,
            other => panic!("{other}"),
        };
        let is_read = part(2, scope) == "read";
        let asks = |rule: &&str| *rule == "always" || *rule == "write" && !is_read;
        !self.revoked
            && call.after < self.seconds
            && self.scopes.iter().any(names)
            && self.limits.iter().all(is_within)
            && (self.hours.is_empty() || self.hours.iter().any(is_open))
            && !self.ask.iter().any(asks)
    }
}

fn agent(at: usize) -> AgentName {
    AgentName::parse(&format!("a{at}")).unwrap()
}

/// Puts stored grants into force, as the broker does.
fn live(w: &World, r: &Registration, grants: &[Grant]) -> HashMap<u64, Arc<LiveGrant>> {
    let (unix, mono) =
        (symbolon_ambient::Clock::unix_ms(&*w.clock), symbolon_ambient::Clock::mono_ns(&*w.clock));
    let mut found: HashMap<u64, Arc<LiveGrant>> = HashMap::new();
    for g in grants {
        let given = g.scopes.iter().map(|s| w.engine.catalog().scopes().expand(s).unwrap());
        let given = given.reduce(|a, b| a.union(&b)).unwrap();
        let hours = g.hours.iter().map(|h| (h.clone(), Some(Zone::Offset(0)))).collect();
        let budgets = g.budgets.iter().map(|b| (b.clone(), None)).collect();
        let ledger = w.engine.ledger();
        let rules = Rules::new(g.id, hours, g.cooldown_seconds, budgets, ledger);
        let own = LiveGrant::new(g, &r.scopes, &given, unix, mono, None, rules.into());
        let own = own.and_then(|own| match g.parent {
            None => Some(own),
            Some(parent) => own.under(found.get(&parent)?),
        });
        if let Some(own) = own {
            found.insert(g.id, Arc::new(own));
        }
    }
    found
}

fn install(w: &World, r: &Arc<Registration>, grants: &[Grant]) {
    let live = live(w, r, grants);
    let mut policy = Policy::default();
    policy.connections.insert(r.connection.name.clone(), r.clone());
    for g in grants {
        let own = live.get(&g.id).cloned();
        policy.grants.entry(g.agent.clone()).or_default().extend(own);
    }
    w.engine.install(Some(policy));
}

fn try_call(w: &World, who: &str, call: &Call) -> Result<Opening, Refusal> {
    let s = session(who);
    let lease = w.engine.lease(&s, call.tool, Some("github"))?;
    let token = w.engine.mint(&lease, &Context::Direct, &call.arguments, &REQUEST);
    let token = token.map_err(|r| r.refusal)?;
    w.redeem(&token, &s).map_err(|r| r.refusal)
}

fn world() -> (World, Arc<Registration>) {
    let w = World::new();
    let r = w.register(w.connection("github"));
    (w, r)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// A grant admits what it and every grant above it admit by themselves: no more, and no less.
    #[test]
    fn a_grant_admits_what_all_of_its_lineage_admit(tree in trees(), tried in prop::collection::vec(calls(), 1..12)) {
        let (w, r) = world();
        let made = symbolon_ambient::Clock::unix_ms(&*w.clock);
        prop_assert_eq!(made % 86_400_000, 8 * 3_600_000, "the tests' clock stands at 08:00");
        let grants: Vec<Grant> =
            tree.iter().enumerate().map(|(at, t)| t.grant(&w, at, &tree)).collect();
        let mut tried = tried;
        tried.sort_by_key(|c| c.after);
        install(&w, &r, &grants);
        let mut passed = 0;
        for call in &tried {
            w.clock.advance_ms(call.after * 1000 - passed);
            passed = call.after * 1000;
            for (at, terms) in tree.iter().enumerate() {
                let mut lineage = vec![at];
                while let Some(up) = lineage.last().map(|l| tree[*l].under).filter(|u| lineage.last() != Some(u)) {
                    lineage.push(up);
                }
                let expected = lineage.len() <= LINEAGE_MAX
                    && lineage.iter().all(|at| tree[*at].would_admit(&w, call));
                let found = try_call(&w, &format!("a{at}"), call);
                if let Err(Refusal::Rate { .. }) = found {
                    continue;
                }
                prop_assert_eq!(found.is_ok(), expected, "{}: {:?}: {:?}", at, terms, found);
                if let Ok(opening) = found {
                    let numbers: Vec<u64> = lineage.iter().rev().map(|at| *at as u64 + 1).collect();
                    let alone = numbers.len() == 1;
                    prop_assert_eq!(opening.lineage.is_none(), alone);
                    prop_assert!(alone || opening.lineage.as_deref() == Some(&*numbers));
                }
            }
        }
    }
}

fn plain(id: u64, parent: Option<u64>) -> Grant {
    let (w, _) = world();
    let terms = Terms {
        under: 0,
        scopes: vec!["github.issues.read"],
        limits: Vec::new(),
        hours: Vec::new(),
        ask: Vec::new(),
        seconds: 3000,
        revoked: false,
    };
    let grant = terms.grant(&w, 0, std::slice::from_ref(&terms));
    Grant { id, agent: agent(id as usize), parent, ..grant }
}

fn list() -> Call {
    Call { tool: "github.issues.list", arguments: arguments(), after: 0 }
}

#[test]
fn siblings_share_what_their_root_may_use_up() {
    let (w, r) = world();
    let budgets = vec![Budget::parse("3 calls/day").unwrap()];
    let root = Grant { budgets, ..plain(1, None) };
    let own = vec![Budget::parse("2 calls/day").unwrap()];
    let grants =
        [root, Grant { budgets: own, ..plain(2, Some(1)) }, plain(3, Some(1)), plain(4, Some(3))];
    install(&w, &r, &grants);
    let mut kept = Vec::new();
    let mut call = |who: &str| match try_call(&w, who, &list()) {
        Ok(opening) => {
            kept.push(opening);
            "ok".to_owned()
        }
        Err(refusal) => refusal.to_string(),
    };
    assert_eq!([call("a2"), call("a2")], ["ok", "ok"]);
    assert!(call("a2").contains("grant 2 has 0 calls left"), "its own");
    assert_eq!(call("a4"), "ok");
    for who in ["a3", "a4", "a1"] {
        assert!(call(who).contains("grant 1 has 0 calls left"), "{who}: the root's");
    }
    // What is given back is given back to every level.
    kept.clear();
    assert!(try_call(&w, "a2", &list()).is_ok());
}

#[test]
fn a_call_that_one_level_refuses_takes_nothing_of_another() {
    let (w, r) = world();
    let budget = |text: &str| vec![Budget::parse(text).unwrap()];
    let root = Grant { budgets: budget("1 calls/total"), ..plain(1, None) };
    let child = Grant { cooldown_seconds: Some(60), ..plain(2, Some(1)) };
    install(&w, &r, &[root, child]);
    let lease = w.engine.lease(&session("a2"), "github.issues.list", None).unwrap();
    // Two tokens are let out, as looking takes nothing; the second is refused when it is shown.
    let [first, second] = [0, 1].map(|_| w.mint(&lease).unwrap());
    let held = w.redeem(&first, &session("a2")).unwrap();
    assert_eq!(w.redeem(&second, &session("a2")).unwrap_err().refusal.code(), "budget");
    drop(held);
    assert!(try_call(&w, "a2", &list()).is_ok(), "neither the budget nor the pause was kept");
}

#[test]
fn what_ends_above_ends_below_also_for_a_token_that_waits() {
    type Change = fn(&mut Vec<Grant>);
    let revoke: Change = |g| g[0].revoked = true;
    let narrow: Change = |g| g[0].scopes = vec!["github.repos.read".into()];
    let expire: Change = |g| g[1].expires_unix_ms = 1;
    let remove: Change = |g| drop(g.remove(1));
    for change in [revoke, narrow, expire, remove] {
        let (w, r) = world();
        let mut grants = vec![plain(1, None), plain(2, Some(1)), plain(3, Some(2))];
        install(&w, &r, &grants);
        let lease = w.engine.lease(&session("a3"), "github.issues.list", None).unwrap();
        let [used, waits] = [0, 1].map(|_| w.mint(&lease).unwrap());
        assert!(w.redeem(&used, &session("a3")).is_ok());
        change(&mut grants);
        install(&w, &r, &grants);
        assert_eq!(w.redeem(&waits, &session("a3")).unwrap_err().refusal.code(), "grant_ended");
        assert_eq!(w.mint(&lease).unwrap_err().refusal.code(), "no_grant");
    }
}

#[test]
fn a_lineage_has_an_end_and_no_circle() {
    let (w, r) = world();
    let long: Vec<Grant> = (1..=12).map(|id| plain(id, (id > 1).then(|| id - 1))).collect();
    assert_eq!(live(&w, &r, &long).len(), LINEAGE_MAX);
    let circle = [plain(1, Some(2)), plain(2, Some(1)), plain(3, Some(3))];
    assert!(live(&w, &r, &circle).is_empty(), "a changed database gives nothing");
    let other = Grant { connection: ConnectionName::parse("work").unwrap(), ..plain(1, None) };
    assert_eq!(live(&w, &r, &[other, plain(2, Some(1))]).len(), 1, "of another connection");
}

#[test]
fn an_inherited_question_is_answered_by_whom_the_owner_trusts() {
    let parse = |rules: &[&str], via| Ask::parse(rules, via).unwrap();
    let root = parse(&["write"], AskVia::Owner);
    let child = parse(&["always", "write"], AskVia::Client).under(&root);
    assert_eq!(
        (child.texts(), child.via()),
        (vec!["write".into(), "always".into()], AskVia::Owner)
    );
    assert_eq!(Ask::never().under(&root).texts(), ["write"], "what is above still asks");
    let client = parse(&["write"], AskVia::Client);
    assert_eq!(Ask::never().under(&client).via(), AskVia::Owner, "not its parent's client");
}

#[test]
fn what_exceeds_is_named() {
    let parent = Grant {
        limits: vec![Limit::parse("owner=acme").unwrap()],
        budgets: vec![Budget::parse("20 calls/day").unwrap()],
        cooldown_seconds: Some(30),
        hours: vec![Hours::parse("mon-fri 09:00-17:00").unwrap()],
        ..plain(7, None)
    };
    let own = Grant {
        limits: vec![Limit::parse("owner in acme,evil").unwrap()],
        budgets: vec![Budget::parse("21 calls/day").unwrap()],
        cooldown_seconds: Some(5),
        hours: vec![Hours::parse("mon-fri 09:00-17:01").unwrap()],
        ..plain(8, Some(7))
    };
    let utc = |_: &Hours| Some(Zone::Offset(0));
    let now = 1_800_000_000_000;
    assert_eq!(
        excess(&own, std::slice::from_ref(&parent), now, utc),
        [
            "the limit owner in acme,evil (grant 7 has owner=acme)",
            "the budget 21 calls/day (grant 7 has 20 calls/day)",
            "a cooldown of 5 s (grant 7 has 30 s)",
            "the hours mon-fri 09:00-17:01 (grant 7 has mon-fri 09:00-17:00)",
        ]
    );
    let within =
        Grant { hours: vec![Hours::parse("tue 10:00-12:00").unwrap()], ..plain(8, Some(7)) };
    assert!(excess(&within, &[parent], now, utc).is_empty());
}
