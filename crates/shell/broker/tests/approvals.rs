//! Calls that wait for a person, and every way to get around them that must not work.

mod broker_common;

use std::sync::Arc;
use std::time::Duration;

use broker_common::*;
use serde_json::{Value, json};
use symbolon_broker::{
    ApprovalOptions, Asking, Broker, CallError, CallReply, CallRequest, Called, Context, Door,
    Method, NewGrant, PendingCall, ReceiptFilter, Session, Via, Yes,
};
use symbolon_log::Durability;
use symbolon_receipt::{ApprovalOutcome, OperatorKey, Outcome, verify};
use symbolon_store::{Fault, Op};

const DIRECT: Context = Context::Direct;

/// A world whose agent `claude` may delete things, by these rules.
async fn world(ask: &[&str], via: &str) -> World {
    world_with(ask, via, ApprovalOptions::default()).await
}

async fn world_with(ask: &[&str], via: &str, approvals: ApprovalOptions) -> World {
    let folder = tempfile::tempdir().unwrap();
    let home = home_of(&folder);
    Broker::init(&home, Method::Device, None).await.unwrap();
    let witness = Witness::ok(&home);
    let w = World::open_with(folder, witness, Durability::Group, approvals).await;
    let grant = NewGrant {
        agent: "claude".into(),
        scopes: vec!["shop.things.admin".into()],
        for_seconds: 900,
        connection: None,
        limits: Vec::new(),
        ask: ask.iter().map(ToString::to_string).collect(),
        ask_via: Some(via.into()),
        ..NewGrant::default()
    };
    w.broker.grant(grant).await.unwrap();
    w
}

fn delete(id: u64) -> CallRequest {
    CallRequest { tool: "shop.things.delete".into(), ..get(id) }
}

fn claude(w: &World) -> Arc<Session> {
    w.broker.open_session("claude", Door::McpStdio).unwrap()
}

async fn try_call(
    w: &World,
    session: &Session,
    request: CallRequest,
    state: Option<&str>,
) -> Result<Called<CallReply>, CallError> {
    let asking = Asking { state: state.map(str::to_owned), ..Asking::default() };
    w.broker.call_asking(session, &DIRECT, request, asking).await
}

async fn asked(w: &World, session: &Session, id: u64) -> PendingCall {
    match try_call(w, session, delete(id), None).await.unwrap() {
        Called::Asked(pending) => *pending,
        Called::Done(_) => panic!("nobody was asked"),
    }
}

async fn code(called: impl Future<Output = Result<Called<CallReply>, CallError>>) -> String {
    match called.await {
        Ok(Called::Done(reply)) => reply.status.to_string(),
        Ok(Called::Asked(_)) => "asked".to_owned(),
        Err(error) => error.code,
    }
}

async fn predicate(w: &World, receipt: u64) -> symbolon_receipt::Predicate<'static> {
    let key = OperatorKey::parse(&w.broker.operator_vkey()).unwrap();
    let bundle = serde_json::to_vec(&w.broker.receipt(receipt).await.unwrap()).unwrap();
    verify(&bundle, &key).unwrap().statement().predicate.clone()
}

#[tokio::test]
async fn what_is_destructive_waits_and_runs_byte_for_byte_as_it_was_shown() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let pending = asked(&w, &session, 7).await;
    assert_eq!(w.released(), 0, "nothing is released before a yes");
    let shown = w.broker.approval(pending.number).unwrap();
    assert_eq!(
        shown.sentence,
        "claude asks to delete a thing (destructive) at Shop: DELETE shop.example through shop, \
         with id=7"
    );
    let request = shown.request.unwrap();
    assert_eq!((&*request.method, &*request.url), ("DELETE", "https://shop.example/things/7"));
    assert!(!format!("{request:?}").contains("credential-of"), "no credential is shown");
    assert_eq!(code(try_call(&w, &session, delete(7), Some(&pending.state))).await, "asked");

    yes(&w, pending.number).await;
    let done = try_call(&w, &session, delete(7), Some(&pending.state)).await.unwrap();
    let Called::Done(reply) = done else { panic!("it is approved") };
    assert_eq!((reply.status, w.released()), (200, 1));
    let p = predicate(&w, reply.receipt).await;
    let approval = p.approval.unwrap();
    assert_eq!((approval.number, approval.outcome), (pending.number, ApprovalOutcome::Approved));
    assert_eq!((approval.by.as_deref(), approval.via.as_deref()), (Some("owner"), Some("cli")));
    assert!(pending.number < approval.decided.unwrap());
    assert!(approval.decided.unwrap() < p.intent.unwrap().index, "durable before the call");
    assert!(p.decision.gates.last().unwrap().gate == "approval");
    // An approval is good for one call.
    assert_eq!(
        code(try_call(&w, &session, delete(7), Some(&pending.state))).await,
        "approval_used"
    );
    assert_eq!(w.released(), 1);
}

#[tokio::test]
async fn an_approval_cannot_be_swapped_carried_or_forged() {
    let w = world(&[], "owner").await;
    let (session, other) = (claude(&w), claude(&w));
    let pending = asked(&w, &session, 7).await;
    let second = asked(&w, &session, 8).await;
    yes(&w, pending.number).await;
    let state = Some(&*pending.state);
    assert_eq!(code(try_call(&w, &session, delete(8), state)).await, "approval_state", "swap");
    assert_eq!(code(try_call(&w, &other, delete(7), state)).await, "approval_state", "session");
    let step = Context::Pipeline { run: "r".into(), step: "s".into() };
    let asking = Asking { state: Some(pending.state.clone()), ..Asking::default() };
    let carried = w.broker.call_asking(&session, &step, delete(7), asking);
    assert_eq!(code(carried).await, "approval_state", "context");
    for at in [0, 20, 60, pending.state.len() - 2] {
        let mut changed = pending.state.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(
            code(try_call(&w, &session, delete(7), Some(&changed))).await,
            "approval_state",
            "byte {at}"
        );
    }
    for bad in ["", "A", &"A".repeat(5000)] {
        assert_eq!(code(try_call(&w, &session, delete(7), Some(bad))).await, "approval_state");
    }
    assert_eq!(w.released(), 0);
    // The right one still opens its own, and a yes to one is none to the other.
    assert_eq!(code(try_call(&w, &session, delete(8), Some(&second.state))).await, "asked");
    assert_eq!(code(try_call(&w, &session, delete(7), state)).await, "200");
    assert_eq!(w.released(), 1);
}

#[tokio::test]
async fn a_caller_that_stays_gets_its_answer_on_the_line() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let call = tokio::spawn({
        let (broker, session) = (w.broker.clone(), session.clone());
        async move { broker.call(&session, &DIRECT, delete(7)).await }
    });
    yes(&w, waiting(&w.broker).await).await;
    assert_eq!(call.await.unwrap().unwrap().status, 200);

    let call = tokio::spawn({
        let (broker, session) = (w.broker.clone(), session.clone());
        async move { broker.call(&session, &DIRECT, delete(7)).await }
    });
    let number = waiting(&w.broker).await;
    let said = "not on a \u{202e}Friday\x1b[2J".to_owned();
    w.broker.deny(number, Via::Http, Some(said)).unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.code, "approval_denied");
    assert_eq!(error.message, "the owner denied this call: not on a \\u{202e}Friday\\u{1b}[2J");
    let p = predicate(&w, error.receipt.unwrap()).await;
    let approval = p.approval.unwrap();
    assert_eq!((p.decision.outcome, approval.outcome), (Outcome::Refused, ApprovalOutcome::Denied));
    assert_eq!((approval.by.as_deref(), approval.via.as_deref()), (Some("owner"), Some("http")));
    assert_eq!(w.released(), 1);
}

#[tokio::test]
async fn time_out_is_a_refusal_and_a_yes_after_it_too() {
    let short = ApprovalOptions { wait_seconds: 1, lives_seconds: 1 };
    let w = world_with(&[], "owner", short).await;
    let session = claude(&w);
    let error = w.broker.call(&session, &DIRECT, delete(7)).await.unwrap_err();
    assert_eq!(error.code, "approval_expired");
    let p = predicate(&w, error.receipt.unwrap()).await;
    assert_eq!(p.approval.unwrap().outcome, ApprovalOutcome::Expired);

    let pending = asked(&w, &session, 7).await;
    let other = asked(&w, &session, 8).await;
    yes(&w, other.number).await;
    tokio::time::sleep(Duration::from_millis(1300)).await;
    let late = w.broker.approve(pending.number, Via::Cli, Yes::default()).await.unwrap_err();
    assert_eq!(late.code, "approval_over");
    assert!(late.receipt.is_some(), "{late:?}");
    // A yes that nobody came for in time is over as well.
    assert_eq!(
        code(try_call(&w, &session, delete(8), Some(&other.state))).await,
        "approval_expired"
    );
    assert_eq!(w.released(), 0);
}

#[tokio::test]
async fn of_two_who_answer_one_is_heard_and_a_race_with_the_clock_has_one_outcome() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let pending = asked(&w, &session, 7).await;
    let answers = (0..8).map(|at| {
        let (broker, number) = (w.broker.clone(), pending.number);
        tokio::spawn(async move {
            match at % 2 {
                0 => broker.approve(number, Via::Cli, Yes::default()).await.map(|_| "yes"),
                _ => broker.deny(number, Via::Http, None).map(|_| "no"),
            }
        })
    });
    let mut heard = Vec::new();
    for answer in answers.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(said) => heard.push(said),
            Err(e) => assert_eq!(e.code, "approval_decided"),
        }
    }
    assert_eq!(heard.len(), 1, "{heard:?}");
    let expected = if heard[0] == "yes" { "200" } else { "approval_denied" };
    assert_eq!(code(try_call(&w, &session, delete(7), Some(&pending.state))).await, expected);

    // Many callers with one approval: one call.
    let pending = asked(&w, &session, 9).await;
    yes(&w, pending.number).await;
    let before = w.released();
    let calls = (0..50).map(|_| {
        let (broker, session, state) = (w.broker.clone(), session.clone(), pending.state.clone());
        tokio::spawn(async move {
            let asking = Asking { state: Some(state), ..Asking::default() };
            broker.call_asking(&session, &DIRECT, delete(9), asking).await
        })
    });
    let mut done = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(Called::Done(_)) => done += 1,
            Ok(Called::Asked(_)) => panic!("it is answered"),
            Err(e) => assert_eq!(e.code, "approval_used"),
        }
    }
    assert_eq!((done, w.released() - before), (1, 1));

    let short = ApprovalOptions { wait_seconds: 1, lives_seconds: 1 };
    let w = world_with(&[], "owner", short).await;
    let session = claude(&w);
    for _ in 0..3 {
        let call = tokio::spawn({
            let (broker, session) = (w.broker.clone(), session.clone());
            async move { broker.call(&session, &DIRECT, delete(7)).await }
        });
        let number = waiting(&w.broker).await;
        let left = w.broker.approval(number).unwrap().expires_in_seconds;
        tokio::time::sleep(Duration::from_millis(left * 1000 + 990)).await;
        let approved = w.broker.approve(number, Via::Cli, Yes::default()).await;
        let called = call.await.unwrap();
        match (&approved, &called) {
            (Err(e), Err(c)) => {
                assert_eq!((&*e.code, &*c.code), ("approval_over", "approval_expired"));
            }
            (Ok(_), Ok(_)) => {}
            // Said in time, and its time was over before the call could take it.
            (Ok(_), Err(c)) => assert!(c.code.starts_with("approval_"), "{}", c.code),
            (Err(e), Ok(_)) => panic!("it ran without a yes: {e}"),
        }
    }
}

#[tokio::test]
async fn a_lock_a_stop_and_a_caller_that_goes_end_what_waits() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let call = w.broker.call(&session, &DIRECT, delete(7));
    assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    let ended = w.broker.approvals().ended;
    assert_eq!((ended[0].state.as_str(), ended[0].receipt.is_some()), ("withdrawn", true));

    let pending = asked(&w, &session, 7).await;
    yes(&w, pending.number).await;
    w.broker.lock();
    assert!(w.broker.unlock_unattended().await.unwrap());
    assert_eq!(
        code(try_call(&w, &session, delete(7), Some(&pending.state))).await,
        "approval_locked"
    );
    let receipt = w.broker.approvals().ended[0].receipt.unwrap();
    assert_eq!(predicate(&w, receipt).await.approval.unwrap().outcome, ApprovalOutcome::Locked);

    let pending = asked(&w, &session, 7).await;
    let World { folder, broker, witness, .. } = w;
    broker.close().await;
    drop((broker, session));
    let w = World::open(folder, witness, Durability::Group).await;
    let rows = w.broker.receipts(ReceiptFilter::default()).await.unwrap();
    assert_eq!((&*rows[0].tool, &*rows[0].outcome), ("shop.things.delete", "refused"));
    let p = predicate(&w, rows[0].number).await;
    assert_eq!(p.approval.unwrap().outcome, ApprovalOutcome::Stopped);
    let session = claude(&w);
    let after = code(try_call(&w, &session, delete(7), Some(&pending.state))).await;
    assert_eq!(after, "approval_state", "another session after a restart");
    let late = w.broker.approve(pending.number, Via::Cli, Yes::default()).await.unwrap_err();
    assert_eq!((late.code.as_str(), w.released()), ("no_approval", 0));
}

#[tokio::test]
async fn the_client_answers_only_where_the_grant_lets_it() {
    let says = |w: &World, session: &Arc<Session>, pending: PendingCall, client: bool| {
        let (broker, session) = (w.broker.clone(), session.clone());
        async move {
            let asking = Asking { state: Some(pending.state), stays: false, client: Some(client) };
            code(broker.call_asking(&session, &DIRECT, delete(7), asking)).await
        }
    };
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let pending = asked(&w, &session, 7).await;
    assert!(!pending.client_answers);
    assert_eq!(says(&w, &session, pending, true).await, "asked", "an agent answers itself");
    assert_eq!(w.released(), 0);

    let w = world(&[], "client").await;
    let session = claude(&w);
    let pending = asked(&w, &session, 7).await;
    assert!(pending.client_answers);
    assert_eq!(says(&w, &session, pending, true).await, "200");
    let rows = w.broker.receipts(ReceiptFilter::default()).await.unwrap();
    let approval = predicate(&w, rows[0].number).await.approval.unwrap();
    assert_eq!((approval.by.as_deref(), approval.via.as_deref()), (Some("client"), Some("mcp")));
    let pending = asked(&w, &session, 7).await;
    assert_eq!(says(&w, &session, pending, false).await, "approval_denied");
    assert_eq!(w.released(), 1);
}

#[tokio::test]
async fn a_remembered_yes_does_not_ask_again_until_it_ends() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let pending = asked(&w, &session, 7).await;
    let remember = |seconds| Yes { remember_seconds: Some(seconds), any_arguments: false };
    let refused = w.broker.approve(pending.number, Via::Cli, remember(30_000)).await;
    assert_eq!(refused.unwrap_err().code, "remember");
    w.broker.approve(pending.number, Via::Cli, remember(900)).await.unwrap();
    assert_eq!(code(try_call(&w, &session, delete(7), Some(&pending.state))).await, "200");
    let Called::Done(reply) = try_call(&w, &session, delete(7), None).await.unwrap() else {
        panic!("it is remembered")
    };
    let approval = predicate(&w, reply.receipt).await.approval.unwrap();
    assert_eq!(approval.outcome, ApprovalOutcome::Remembered);
    assert_eq!(approval.number, pending.number);
    assert_eq!(code(try_call(&w, &session, delete(8), None)).await, "asked", "another thing");
    let standing = w.broker.approvals().remembered;
    assert_eq!((standing.len(), standing[0].number), (1, pending.number));
    w.broker.forget_approval(pending.number).unwrap();
    assert_eq!(code(try_call(&w, &session, delete(7), None)).await, "asked");
}

#[tokio::test]
async fn two_steps_ask_at_the_second() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let token = w.broker.request(&session, &DIRECT, delete(7)).unwrap();
    let redeemed = tokio::spawn({
        let (broker, session) = (w.broker.clone(), session.clone());
        async move { broker.redeem(&session, &DIRECT, &token.token).await }
    });
    yes(&w, waiting(&w.broker).await).await;
    assert_eq!(redeemed.await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn an_agent_cannot_flood_the_owner_with_questions() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    for id in 0..16 {
        asked(&w, &session, id).await;
    }
    let e = try_call(&w, &session, delete(99), None).await.unwrap_err();
    assert_eq!((e.code.as_str(), e.http_status), ("too_many_approvals", 429));
    w.broker.deny(w.broker.approvals().pending[0].number, Via::Cli, None).unwrap();
    asked(&w, &session, 99).await;
}

#[tokio::test]
async fn a_yes_that_the_log_does_not_take_is_none() {
    let w = world(&[], "owner").await;
    let session = claude(&w);
    let pending = asked(&w, &session, 7).await;
    w.faults.fail(Op::Sync, 0, Fault::Io);
    let e = w.broker.approve(pending.number, Via::Cli, Yes::default()).await.unwrap_err();
    assert_eq!(e.code, "log");
    assert_eq!(w.broker.approval(pending.number).unwrap().state, "pending");
    assert_eq!(w.released(), 0);
}

#[tokio::test]
async fn nothing_in_the_arguments_hides_from_the_reader() {
    let w = world(&["always"], "owner").await;
    let session = claude(&w);
    let pending = asked(&w, &session, 7).await;
    let view: Value = serde_json::to_value(w.broker.approval(pending.number).unwrap()).unwrap();
    assert_eq!(view["state"], "pending");
    assert_eq!(view["request"]["body_encoding"], "none");
    assert_eq!(view["request"]["credential"], "bearer");
    assert_eq!(view["rule"], json!("always"));
}
