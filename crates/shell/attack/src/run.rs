//! The runner: case by case, door by door.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;
use symbolon_ambient::{Rng, SystemRng};
use tokio::task::JoinSet;

use crate::canary::Canary;
use crate::case::{Case, Certificate, Need, Step, To, Where};
use crate::door::Door;
use crate::judge::{Observed, judge};
use crate::reply::Reply;
use crate::target::Target;
use crate::text::Words;
use crate::upstream::{Upstream, tally};

/// What came of one case.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The case's id.
    pub case: String,
    /// Its class.
    pub class: String,
    /// What had to come of it.
    pub expected: &'static str,
    /// What came of it, at each door.
    pub observed: String,
    /// Whether that is the same; none where it was not tried.
    pub held: Option<bool>,
    /// Why it was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// Runs cases against a target, and gives each row as it comes.
#[derive(Debug)]
pub struct Runner<'a> {
    /// What is attacked.
    pub target: &'a Target,
    /// Where its connection leads.
    pub upstream: &'a Upstream,
    /// Its credential.
    pub canary: &'a Canary,
    /// It did not answer the last honest request.
    is_silent: AtomicBool,
}

impl<'a> Runner<'a> {
    /// Of a target that is taken to answer.
    pub fn new(target: &'a Target, upstream: &'a Upstream, canary: &'a Canary) -> Self {
        Self { target, upstream, canary, is_silent: AtomicBool::new(false) }
    }

    /// Whether an honest request gets its answer at each door: whoever is not reached holds nothing.
    pub async fn is_reached(&self) -> bool {
        for door in &self.target.doors() {
            if !self.is_alive(door).await {
                return false;
            }
        }
        true
    }

    /// One case, at each door where it can be tried.
    pub async fn run(&self, case: &Case) -> Row {
        let row = |observed: String, held, skipped| Row {
            case: case.id.clone(),
            class: case.class.clone(),
            expected: case.expected.as_str(),
            observed,
            held,
            skipped,
        };
        let doors: Vec<_> = self.target.doors().into_iter().filter(|d| fits(case, d)).collect();
        let missing = case.needs.iter().find_map(|need| self.misses(*need));
        if doors.is_empty() || missing.is_some() {
            let why = missing.unwrap_or(match case.door {
                Where::Proxy => "the target has no proxy",
                _ => "the target has no gateway",
            });
            return row(String::new(), None, Some(why.to_owned()));
        }
        // Whatever ended the target did not hold; what was not tried because of it says nothing.
        if self.is_silent.load(Relaxed) && !self.is_reached().await {
            let why = "the target no longer answers an honest request";
            return row(String::new(), None, Some(why.to_owned()));
        }
        let (mut told, mut held) = (Vec::new(), true);
        for door in &doors {
            let (observed, is_held) = self.at(case, door).await;
            held &= is_held;
            let name = if case.door == Where::Mcp { "mcp" } else { door.name() };
            told.push(format!("{name}: {observed}"));
        }
        row(told.join("; "), Some(held), None)
    }

    fn misses(&self, need: Need) -> Option<&'static str> {
        let target = self.target;
        let has_two = |d: &Door<'_>| match d {
            Door::Gateway(door) => door.trudy.is_some(),
            Door::Proxy(door) => door.trudy.is_some(),
        };
        let are_distinct = target.proxy.as_ref().is_some_and(|door| {
            let [main, named, shut] = &door.placeholders;
            main != named && named != shut && shut != main
        });
        let has_owner = target.gateway.as_ref().is_some_and(|door| door.owner.is_some());
        match need {
            Need::Resolver if target.inside.is_none() => Some("the target resolves names itself"),
            Need::Agents if !target.doors().iter().any(has_two) => Some("the target has one agent"),
            Need::Api if !target.api => Some("the target has no JSON API"),
            Need::H2 if !target.h2 => Some("the target has no HTTP/2"),
            Need::Owner if !has_owner => Some("the target has no owner who answers"),
            Need::Delegable if target.inside.is_none() => Some("the target may grant nothing on"),
            Need::Placeholders if !are_distinct => Some("the target has one placeholder"),
            _ => None,
        }
    }

    async fn at(&self, case: &Case, door: &Door<'_>) -> (String, bool) {
        let nonce = nonce();
        let mut words = self.words().with("nonce", &nonce);
        if let Some(inside) = &self.target.inside {
            inside.resolve(&case.resolver);
        }
        self.upstream.set(&case.answer, case.certificate, &words);
        let before = self.target.inside.as_ref().map(|i| i.ledger());
        let mut seen = Observed::default();
        let time = Duration::from_secs(case.seconds);
        for step in &case.step {
            let replies = self.step(step, door, &words, time).await;
            for (name, from, until) in &step.save {
                let text: Vec<u8> = replies.iter().flat_map(|r| r.bytes.clone()).collect();
                match between(&String::from_utf8_lossy(&text), &words.text(from), until) {
                    Some(found) => words.set(name, found),
                    None => seen.unprepared = Some(format!("no {name} came back")),
                }
            }
            if step.setup {
                if !replies.iter().all(Reply::passed) {
                    let told = replies.last().map(Reply::told).unwrap_or_default();
                    seen.unprepared = Some(format!("a preparation got {told}"));
                }
                self.upstream.forget();
                continue;
            }
            let successes = replies.iter().filter(|r| r.passed()).count();
            seen.too_many = step.successes_max.filter(|max| successes > *max).map(|_| successes);
            seen.replies.extend(replies);
        }
        // What the target sends on behind the attacker's back comes late.
        tokio::time::sleep(SETTLE).await;
        seen.tally = tally(&self.upstream.heard(), self.canary);
        let recorded = async {
            let (before, inside) = (before?, self.target.inside.as_ref()?);
            for _ in 0..100 {
                if inside.ledger().1 <= before.1 {
                    let written = inside.ledger().0 - before.0;
                    // Redirects that were followed are in the receipt of their call.
                    let calls = seen.tally.released.min(seen.replies.len());
                    let wanted = 2 * calls as u64;
                    return (written < wanted)
                        .then(|| format!("{} releases, {written} entries", seen.tally.released));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Some("an intent without a receipt".to_owned())
        };
        seen.unrecorded = recorded.await;
        seen.alive = self.is_alive(door).await;
        self.is_silent.store(!seen.alive, Relaxed);
        judge(case, &nonce, &seen, self.canary)
    }

    async fn step(
        &self,
        step: &Step,
        door: &Door<'_>,
        words: &Words,
        time: Duration,
    ) -> Vec<Reply> {
        if step.times < 2 {
            return vec![door.send(step, words, time).await];
        }
        let mut copies = JoinSet::new();
        for _ in 0..step.times {
            let (step, words) = (step.clone(), words.clone());
            match door {
                Door::Gateway(door) => {
                    let door = (*door).clone();
                    copies
                        .spawn(async move { Door::Gateway(&door).send(&step, &words, time).await });
                }
                Door::Proxy(door) => {
                    let door = (*door).clone();
                    copies.spawn(async move { Door::Proxy(&door).send(&step, &words, time).await });
                }
            }
        }
        copies.join_all().await
    }

    /// Whether an honest request still gets its answer.
    async fn is_alive(&self, door: &Door<'_>) -> bool {
        let nonce = nonce();
        let words = self.words().with("nonce", &nonce);
        if let Some(inside) = &self.target.inside {
            inside.resolve(&[]);
        }
        self.upstream.set(&[crate::case::Answer::default()], Certificate::Good, &words);
        let honest = Step { path: Some("/ping".to_owned()), to: To::Main, ..Step::default() };
        let reply = door.send(&honest, &words, Duration::from_secs(10)).await;
        let answer = reply.responses().pop();
        answer.is_some_and(|r| r.status == 200 && r.body == format!("hello {nonce}").into_bytes())
    }

    fn words(&self) -> Words {
        let port = self.upstream.port();
        Words::default()
            .with("port", port.to_string())
            .with("main", format!("localhost:{port}"))
            .with("named", format!("{}:{port}", crate::NAMED_HOST))
            .with("shut", format!("{}:{port}", crate::SHUT_HOST))
            .with("decoy", self.upstream.decoy().to_string())
    }
}

fn fits(case: &Case, door: &Door<'_>) -> bool {
    matches!(
        (case.door, door),
        (Where::Any, _)
            | (Where::Gateway | Where::Mcp, Door::Gateway(_))
            | (Where::Proxy, Door::Proxy(_))
    )
}

fn between(text: &str, from: &str, until: &str) -> Option<String> {
    let rest = &text[text.find(from)? + from.len()..];
    Some(rest[..rest.find(until)?].to_owned())
}

fn nonce() -> String {
    let mut bytes = [0; 8];
    SystemRng.fill(&mut bytes);
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

const SETTLE: Duration = Duration::from_millis(20);
