//! What the page is told: calls as the log has them, the log's head, the catalogue; and a lock by hand.

mod broker_common;

use broker_common::*;
use symbolon_broker::{Context, Door, Method};
use symbolon_log::{Checkpoint, Durability, parse_vkey};

#[tokio::test]
async fn a_call_is_seen_as_it_began_and_as_it_ended() {
    let w = World::new(Durability::Group).await;
    w.grant("claude", &["shop.things.read"], &[]).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let before = w.broker.log_size();
    let reply = w.broker.call(&session, &Context::Direct, get(7)).await.unwrap();
    let since = w.broker.since(before).await.unwrap();
    let [began, ended] = &since.events[..] else { panic!("{since:?}") };
    assert_eq!((began.what.as_str(), began.began), ("began", Some(began.number)));
    assert_eq!((ended.what.as_str(), ended.began), ("allowed", Some(began.number)));
    assert_eq!((ended.number, ended.status), (reply.receipt, Some(200)));
    assert_eq!((ended.agent.as_str(), ended.tool.as_str()), ("claude", TOOL));
    assert_eq!((since.next, since.skipped), (w.broker.log_size(), 0));

    w.grant("other", &["shop.things.read"], &["id<=100"]).await;
    let session = w.broker.open_session("other", Door::McpStdio).unwrap();
    let refused = w.broker.call(&session, &Context::Direct, get(101)).await.unwrap_err();
    let after = w.broker.since(since.next).await.unwrap();
    let [one] = &after.events[..] else { panic!("{after:?}") };
    assert_eq!(
        (one.what.as_str(), one.began, Some(one.number)),
        ("refused", None, refused.receipt)
    );
    assert!(one.why.is_some(), "no gate is named");
    let nothing = w.broker.since(u64::MAX).await.unwrap();
    assert_eq!((nothing.events.len(), nothing.next), (0, w.broker.log_size()));
}

#[tokio::test]
async fn of_too_many_entries_the_latest_are_told_and_the_others_counted() {
    let w = World::new(Durability::Relaxed).await;
    w.grant("claude", &["shop.things.read"], &["id<=1"]).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let before = w.broker.log_size();
    let mut calls = 0;
    while w.broker.log_size() < before + 300 && calls < 400 {
        let id = calls % 2 + 1;
        // Rates refuse some of them, which is an entry as well.
        let _ = w.broker.call(&session, &Context::Direct, get(id)).await;
        calls += 1;
    }
    let size = w.broker.log_size();
    let since = w.broker.since(before).await.unwrap();
    assert_eq!(since.skipped, (size - before).saturating_sub(256));
    assert_eq!(since.events.last().map(|one| one.number), Some(size - 1));
}

#[tokio::test]
async fn the_head_of_the_log_is_signed_for_all_that_is_in_it() {
    let w = World::new(Durability::Group).await;
    w.grant("claude", &["shop.things.read"], &[]).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    w.broker.call(&session, &Context::Direct, get(1)).await.unwrap();
    let head = w.broker.log_head().await.unwrap();
    let (origin, key) = parse_vkey(&head.vkey).unwrap();
    let checkpoint = Checkpoint::open(&head.checkpoint, &key, &origin).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (head.size, head.root));
    assert_eq!((head.origin, head.size), (origin, w.broker.log_size()));
    w.broker.lock();
    assert_eq!(w.broker.log_head().await.unwrap_err().code, "locked");
}

#[tokio::test]
async fn the_catalogue_says_what_connecting_takes_and_what_a_scope_lets() {
    let w = World::new(Durability::Group).await;
    let rows = w.broker.services();
    let names: Vec<_> = rows.iter().map(|row| row.name.to_lowercase()).collect();
    assert!(names.is_sorted() && names.contains(&"github".to_owned()));
    let shop = w.broker.service("shop").unwrap();
    assert_eq!((shop.row.auth.as_str(), shop.self_hosted, shop.verifies), ("bearer", true, true));
    let of = |scope: &str| shop.scopes.iter().find(|one| one.scope == scope).unwrap();
    assert_eq!(of("shop.things.read").effect, "read");
    assert_eq!(of("shop.things.admin").effect, "destructive");
    assert!(of("shop.things.read").titles.contains(&"List things".to_owned()));
    assert_eq!(w.broker.service("nothing").unwrap_err().http_status, 404);
}

#[tokio::test]
async fn what_was_locked_by_hand_opens_by_hand_alone() {
    let w = World::new(Durability::Group).await;
    w.broker.lock_by_hand();
    assert_eq!(w.broker.unlock_unless_held(false).await.unwrap_err().code, "locked");
    assert!(!w.broker.status().unlocked);
    assert!(w.broker.unlock_unless_held(true).await.unwrap());
    w.broker.lock_by_hand();
    w.broker.unlock_by_hand(Method::Device, None).await.unwrap();
    w.broker.lock();
    assert!(w.broker.unlock_unless_held(false).await.unwrap(), "no hand locked this time");
}
