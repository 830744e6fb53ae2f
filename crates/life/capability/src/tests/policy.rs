//! Budgets, cooldown, windows and shadow mode, through the engine.

use std::sync::Mutex;

use super::*;
use crate::budget::{GiveBack, Settlement, Settler};

/// A grant to list issues, under these rules.
struct Ruled<'a> {
    budgets: &'a [&'a str],
    cooldown: Option<u64>,
    hours: &'a [&'a str],
}

const NO_RULES: Ruled<'static> = Ruled { budgets: &[], cooldown: None, hours: &[] };

fn ruled(rules: Ruled) -> (World, Arc<Registration>, Arc<Session>) {
    let (w, r, s) = World::usual();
    install(&w, &r, 1, rules);
    (w, r, s)
}

fn install(w: &World, r: &Arc<Registration>, id: u64, rules: Ruled) {
    let mut grant =
        Arc::into_inner(w.grant(r, id, &["github.issues.read"], &[], 86_400 * 30)).unwrap();
    let hours = rules.hours.iter().map(|h| (Hours::parse(h).unwrap(), Some(Zone::Offset(0))));
    let budgets = rules.budgets.iter().map(|b| (Budget::parse(b).unwrap(), None));
    let ledger = w.engine.ledger();
    let rules = rules::Rules::new(id, hours.collect(), rules.cooldown, budgets.collect(), ledger);
    grant.rules = rules.into();
    w.install(std::slice::from_ref(r), vec![Arc::new(grant)]);
}

/// What a settler was told.
#[derive(Default)]
struct Told(Mutex<Vec<GiveBack>>);

impl Settler for Told {
    fn settle(&self, _: [u8; 16], give_back: GiveBack) {
        self.0.lock().unwrap().push(give_back);
    }
}

impl World {
    fn open(&self, s: &Session) -> Result<Opening, Refused> {
        self.redeem(&self.mint(&self.lease(s))?, s)
    }

    fn code(&self, s: &Session) -> &'static str {
        self.open(s).unwrap_err().refusal.code()
    }

    fn recorded(&self, opening: Opening) -> Result<Release, ReleaseError> {
        let recorded = opening.record(|leaf| self.log.append(leaf)).unwrap();
        self.log.commit().unwrap();
        let durable = self.log.durable(recorded.ticket(), Durability::Group).unwrap();
        recorded.release(durable)
    }

    fn released(&self, mut opening: Opening, told: &Arc<Told>) -> Release {
        let row = opening.reservation(0, false, told.clone()).unwrap();
        assert!(!row.lines.is_empty() || !row.cooled.is_empty());
        opening.reserved();
        self.recorded(opening).unwrap()
    }
}

#[test]
fn a_budget_lets_through_what_it_has_and_says_when_there_is_more() {
    let (w, _, s) = ruled(Ruled { budgets: &["3 calls/day"], ..NO_RULES });
    let told = Arc::new(Told::default());
    let all: Vec<_> = (0..3).map(|_| w.released(w.open(&s).unwrap(), &told)).collect();
    let refused = w.open(&s).unwrap_err().refusal;
    assert_eq!((refused.code(), refused.rule(), refused.gate()), ("budget", "budget", None));
    let left_of_day = 86_400_000 - 1_800_000_000_000 % 86_400_000;
    assert_eq!(refused.retry_ms(), Some(left_of_day));
    assert!(refused.to_string().contains("has 0 calls left"), "{refused}");
    // A call without a word on what came of it is spent.
    drop(all);
    assert_eq!(*told.0.lock().unwrap(), [GiveBack::Nothing; 3]);
    assert_eq!(w.code(&s), "budget");
    w.clock.advance_ms(left_of_day);
    assert!(w.open(&s).is_ok());
}

#[test]
fn what_was_certainly_not_released_is_given_back_and_a_refused_call_still_counts() {
    let budgets = &["1 calls/total", "1000 widgets/total of per_page"];
    let (w, _, s) = ruled(Ruled { budgets, ..NO_RULES });
    let mut asked = arguments();
    asked.insert("per_page".into(), json!(600));
    let open = || {
        let token = w.engine.mint(&w.lease(&s), &Context::Direct, &asked, &REQUEST)?;
        w.redeem(&token, &s)
    };
    let told = Arc::new(Told::default());
    // Dropped before its release, as where the caller went away.
    drop(open().unwrap());
    let release = w.released(open().unwrap(), &told);
    assert_eq!(open().unwrap_err().refusal.code(), "budget");
    release.settle(Settlement::NotReleased);
    release.settle(Settlement::Made);
    assert_eq!(*told.0.lock().unwrap(), [GiveBack::All], "the first word counts");
    // The service said no: the widgets are still there, the call was made.
    let release = w.released(open().unwrap(), &told);
    release.settle(Settlement::RefusedByService);
    let refusal = open().unwrap_err().refusal.to_string();
    assert!(refusal.contains("1 calls/total"), "{refusal}");
    let policy = w.engine.policy().unwrap();
    let rules = policy.grants.values().flatten().next().unwrap().rules.each().next().unwrap();
    let spent: Vec<String> = rules.spending(0).map(|(s, _)| s.to_string()).collect();
    assert_eq!(spent, ["1", "0"]);
}

#[test]
fn nothing_is_released_before_its_reservation_is_on_disk() {
    let (w, _, s) = ruled(Ruled { budgets: &["9 calls/day"], ..NO_RULES });
    let opening = w.open(&s).unwrap();
    assert_eq!(w.recorded(opening).unwrap_err(), ReleaseError::NotReserved);
    // And it is given back.
    let policy = w.engine.policy().unwrap();
    let rules = policy.grants.values().flatten().next().unwrap().rules.each().next().unwrap();
    assert_eq!(rules.spending(1_800_000_000_000).next().unwrap().0.to_string(), "0");
}

#[test]
fn a_call_that_cannot_be_counted_is_refused() {
    let (w, _, s) = ruled(Ruled { budgets: &["100 widgets/day of per_page"], ..NO_RULES });
    assert_eq!(w.code(&s), "budget_uncounted");
}

#[test]
fn of_many_at_once_as_many_go_as_the_budget_has() {
    let (w, _, s) = ruled(Ruled { budgets: &["7 calls/day"], ..NO_RULES });
    let told = Arc::new(Told::default());
    // Tokens first, so that all of them pass the look at mint.
    let tokens: Vec<_> = (0..40).map(|_| w.mint(&w.lease(&s)).unwrap()).collect();
    let won: Vec<Opening> = std::thread::scope(|scope| {
        let threads: Vec<_> = tokens.iter().map(|t| scope.spawn(|| w.redeem(t, &s).ok())).collect();
        threads.into_iter().filter_map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(won.len(), 7);
    won.into_iter().for_each(|o| drop(w.released(o, &told)));
}

#[test]
fn a_budget_outlives_a_change_of_policy() {
    let (w, r, s) = ruled(Ruled { budgets: &["1 calls/day"], ..NO_RULES });
    drop(w.released(w.open(&s).unwrap(), &Arc::default()));
    install(&w, &r, 1, Ruled { budgets: &["1 calls/day"], ..NO_RULES });
    assert_eq!(w.code(&s), "budget");
    install(&w, &r, 2, Ruled { budgets: &["1 calls/day"], ..NO_RULES });
    assert!(w.open(&s).is_ok(), "another grant has its own");
}

#[test]
fn a_scope_rests_between_calls() {
    let (w, _, s) = ruled(Ruled { cooldown: Some(30), ..NO_RULES });
    drop(w.open(&s).unwrap());
    let release = w.released(w.open(&s).unwrap(), &Arc::default());
    let refused = w.open(&s).unwrap_err().refusal;
    assert_eq!((refused.code(), refused.retry_ms()), ("cooldown", Some(30_000)));
    // Setting the calendar does not shorten it.
    w.clock.set_unix_ms(1_900_000_000_000);
    assert_eq!(w.code(&s), "cooldown");
    w.clock.advance_ms(30_000);
    assert!(w.open(&s).is_ok());
    drop(release);
}

#[test]
fn a_grant_is_good_in_its_hours_and_a_jump_of_the_clock_opens_nothing() {
    // 1,800,000,000 is a Friday, 08:00 UTC.
    let (w, _, s) = ruled(Ruled { hours: &["mon-fri 09:00-17:00"], ..NO_RULES });
    let refused = w.open(&s).unwrap_err().refusal;
    assert_eq!((refused.code(), refused.rule()), ("outside_hours", "window"));
    assert_eq!(refused.retry_ms(), Some(3_600_000), "{refused}");
    w.clock.set_unix_ms(1_800_003_700_000);
    let refused = w.open(&s).unwrap_err().refusal;
    assert_eq!((refused.code(), refused.retry_ms()), ("clock_jumped", Some(900_000)));
    w.clock.set_unix_ms(1_800_000_000_000);
    w.clock.advance_ms(3_600_000);
    assert!(w.open(&s).is_ok());
}

#[test]
fn a_zone_that_nobody_knows_opens_nothing() {
    let (w, r, s) = World::usual();
    let mut grant = Arc::into_inner(w.grant(&r, 1, &["github.issues.read"], &[], 900)).unwrap();
    let hours = vec![(Hours::parse("00:00-24:00 Mars/Olympus").unwrap(), None)];
    grant.rules = rules::Rules::new(1, hours, None, Vec::new(), w.engine.ledger()).into();
    w.install(std::slice::from_ref(&r), vec![Arc::new(grant)]);
    assert_eq!(w.code(&s), "outside_hours");
}

#[test]
fn shadow_mode_lets_through_and_says_what_it_passed_over() {
    let missed = |o: &Opening| o.missed().iter().map(Refusal::code).collect::<Vec<_>>();
    // No grant at all.
    let (w, r, s) = World::usual();
    w.install(std::slice::from_ref(&r), vec![]);
    w.engine.set_shadow(true);
    let opening = w.open(&s).unwrap();
    assert_eq!((missed(&opening), opening.grant), (vec!["no_grant"], 0));
    assert!(!opening.gates.held(Gate::Scope) && opening.gates.held(Gate::Fingerprint));

    // Limit, cooldown and budget at once: all are told, and the money is counted.
    let (w, r, s) = ruled(NO_RULES);
    let mut grant =
        Arc::into_inner(w.grant(&r, 1, &["github.issues.read"], &["owner=other"], 900)).unwrap();
    let budget = vec![(Budget::parse("1 calls/day").unwrap(), None)];
    grant.rules = rules::Rules::new(1, Vec::new(), Some(60), budget, w.engine.ledger()).into();
    w.install(std::slice::from_ref(&r), vec![Arc::new(grant)]);
    w.engine.set_shadow(true);
    let first = w.released(w.open(&s).unwrap(), &Arc::default());
    assert_eq!(first.missed().iter().map(Refusal::code).collect::<Vec<_>>(), ["limit"]);
    let second = w.open(&s).unwrap();
    assert!(["limit", "cooldown", "budget"].iter().all(|c| missed(&second).contains(c)));
    assert_eq!(second.asked, ["cooldown", "budget"]);
    w.engine.set_shadow(false);
    assert_eq!(w.code(&s), "limit");

    // Rate and an ended grant.
    let (w, _, s) = World::usual();
    w.engine.set_shadow(true);
    let dry = (0..500).find_map(|_| Some(w.open(&s).unwrap()).filter(|o| !o.missed().is_empty()));
    assert_eq!(missed(&dry.unwrap()), ["rate_limited"]);
    w.clock.advance_ms(900_000);
    assert_eq!(missed(&w.open(&s).unwrap()), ["grant_ended"]);
}

#[test]
fn shadow_mode_asks_before_what_cannot_be_taken_back_also_without_a_grant() {
    let (w, r, s) = World::usual();
    w.engine.set_shadow(true);
    let (arguments, digest) = (arguments(), Digest32([7; 32]));
    for grants in [vec![], vec![w.grant(&r, 1, &["github.*"], &[], 1)]] {
        w.install(std::slice::from_ref(&r), grants);
        w.clock.advance_ms(2_000);
        let lease = w.engine.lease(&s, "github.repos.delete", None).unwrap();
        let mint =
            |consent| w.engine.mint_with(&lease, &Context::Direct, &arguments, &digest, consent);
        let Refusal::Approval(need) = mint(Consent::None).unwrap_err().refusal else {
            panic!("nobody is asked");
        };
        assert_eq!((need.grant, need.rule), (0, crate::approval::AskRule::Destructive));
        // A token may be asked for; at its redemption a person is asked all the same.
        let token = mint(Consent::AtRedeem).unwrap();
        let refused = w.engine.redeem(&token, &s, &Context::Direct, &digest).unwrap_err();
        assert!(matches!(refused.refusal, Refusal::Approval(_)), "{refused}");
        // What only looks passes as before.
        assert!(w.open(&s).is_ok());
    }
}

#[test]
fn shadow_mode_passes_over_no_hard_rule() {
    let refused = |w: &World, s: &Session| w.mint(&w.lease(s)).unwrap_err().refusal.code();
    let (w, r, s) = World::usual();
    w.engine.set_shadow(true);
    let moved = w.register(Connection { fingerprint: Digest32([8; 32]), ..w.connection("github") });
    w.install(&[moved], vec![]);
    assert_eq!(refused(&w, &s), "fingerprint");
    let narrow =
        w.register(Connection { scopes: vec!["github.pulls.*".into()], ..w.connection("github") });
    w.install(&[narrow], vec![]);
    assert_eq!(refused(&w, &s), "connection_scope");

    // A token is bound to its request, session and time as ever, and to its connection.
    w.install(std::slice::from_ref(&r), vec![]);
    let t = w.mint(&w.lease(&s)).unwrap();
    let other = w.engine.redeem(&t, &s, &Context::Direct, &Digest32([2; 32]));
    assert_eq!(other.unwrap_err().refusal.code(), "token_request");
    let t = w.mint(&w.lease(&s)).unwrap();
    w.install(&[w.register(w.connection("github"))], vec![]);
    assert_eq!(w.redeem(&t, &s).unwrap_err().refusal.code(), "grant_ended");

    // And one that shadow mode let out dies with it.
    let t = w.mint(&w.lease(&s)).unwrap();
    w.engine.set_shadow(false);
    assert_eq!(w.redeem(&t, &s).unwrap_err().refusal.code(), "no_grant");
    w.engine.install(None);
    w.engine.set_shadow(true);
    assert_eq!(w.engine.lease(&s, "github.issues.list", None).unwrap_err().code(), "locked");
}

#[test]
fn an_explanation_asks_all_and_takes_nothing() {
    let rules = Ruled { budgets: &["1 calls/day"], cooldown: Some(60), hours: &["00:00-24:00"] };
    let (w, r, s) = ruled(rules);
    for _ in 0..3 {
        let told = w.engine.explain(&w.lease(&s), &arguments());
        let rows: Vec<_> = told.checks.iter().map(|c| (c.rule, c.held)).collect();
        let names = ["scope", "ttl", "fingerprint", "window", "cooldown", "budget", "rate"];
        assert_eq!(rows, names.map(|n| (n, Some(true))));
        assert_eq!(told.grant, Some(1));
    }
    let held = w.released(w.open(&s).unwrap(), &Arc::default());
    let told = w.engine.explain(&w.lease(&s), &arguments());
    let not: Vec<_> =
        told.checks.iter().filter(|c| c.held == Some(false)).map(|c| c.rule).collect();
    assert_eq!(not, ["cooldown", "budget"]);
    drop(held);
    w.install(std::slice::from_ref(&r), vec![]);
    let told = w.engine.explain(&w.lease(&s), &arguments());
    assert_eq!(told.checks[0].refusal.as_ref().unwrap().code(), "no_grant");
    assert_eq!((told.checks[1].held, told.grant), (None, None));
}
