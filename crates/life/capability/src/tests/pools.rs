//! Tokens that are made ahead.

use std::collections::HashSet;

use symbolon_ambient::{BatchedRng, Clock};

use super::*;
use crate::pool::{BATCH, HOT, HOT_NS, Pools};

/// As many as make the scope hot: the last of them has a batch made.
fn heat(w: &World, lease: &Lease) -> Token {
    let now = w.clock.mono_ns();
    let take = || lease.bucket.pools.take(&BatchedRng, now, || w.engine.policy().is_some());
    (1..HOT).for_each(|_| drop(take()));
    take()
}

#[test]
fn no_two_of_eight_threads_get_the_same_token() {
    let pools = Pools::new();
    let begin = std::sync::Barrier::new(8);
    let work = || {
        begin.wait();
        let one = |at: u64| {
            if at.is_multiple_of(40) {
                pools.restock(&BatchedRng, || at, || true);
            }
            pools.take(&BatchedRng, at, || true)
        };
        (0..5000).map(one).collect::<Vec<Token>>()
    };
    let all: Vec<Token> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(pools.count() > 0, "some came out of pools");
    let names: HashSet<Digest32> = all.iter().map(Token::id).collect();
    let texts: HashSet<String> = all.iter().map(Token::to_text).collect();
    assert_eq!((names.len(), texts.len()), (40_000, 40_000));
    for token in &all {
        assert_eq!(Token::parse(&token.to_text()).unwrap().id(), token.id(), "its own name");
    }
}

#[test]
fn a_pool_is_made_for_a_hot_scope_alone_and_not_for_long() {
    let (w, _, s) = World::usual();
    let lease = w.lease(&s);
    let pools = &lease.bucket.pools;
    let take = |now| drop(pools.take(&BatchedRng, now, || true));
    (1..HOT).for_each(|_| take(1));
    assert_eq!(pools.count(), 0);
    take(1);
    assert_eq!(pools.count(), BATCH - 1);
    let restock = |now| pools.restock(&BatchedRng, || now, || true);
    restock(1);
    assert_eq!(pools.count(), BATCH - 1, "enough are left");
    (0..BATCH / 2).for_each(|_| take(1));
    restock(1 + HOT_NS);
    assert_eq!(pools.count(), BATCH / 2 - 1, "too late");
    restock(2);
    assert_eq!(pools.count(), BATCH);
    take(2 + HOT_NS);
    assert_eq!(pools.count(), 0, "the scope has cooled");
    restock(2 + HOT_NS);
    assert_eq!(pools.count(), 0);
    let other = w.engine.lease(&s, "github.issues.create", None).unwrap();
    assert_eq!(other.bucket.pools.count(), 0, "each scope has its own");
}

#[test]
fn a_token_of_a_pool_is_good_for_nothing_until_it_is_minted() {
    let (w, _, s) = World::usual();
    let lease = w.lease(&s);
    let code = |r: Result<Opening, Refused>| r.unwrap_err().refusal.code();
    let ahead = heat(&w, &lease);
    assert_eq!(code(w.redeem(&ahead, &s)), "token_unknown");
    let left = lease.bucket.pools.count();
    let minted = w.mint(&lease).unwrap();
    assert_eq!(lease.bucket.pools.count(), left - 1, "out of the pool");
    assert_eq!(code(w.redeem(&minted, &session("claude2"))), "token_session");
    assert_eq!(code(w.redeem(&minted, &s)), "token_used");
    let minted = w.mint(&lease).unwrap();
    assert!(w.redeem(&minted, &s).is_ok());
    assert_eq!(code(w.redeem(&minted, &s)), "token_used");
}

#[test]
fn a_change_of_policy_and_a_lock_empty_every_pool() {
    let (w, r, s) = World::usual();
    let grants = || vec![w.grant(&r, 1, &["github.issues.read"], &[], 900)];
    let lease = w.lease(&s);
    let pools = &lease.bucket.pools;
    drop(heat(&w, &lease));
    assert!(pools.count() > 0);
    // A grant is revoked, another stands.
    w.install(std::slice::from_ref(&r), Vec::new());
    assert_eq!(pools.count(), 0);
    w.install(std::slice::from_ref(&r), grants());
    drop(heat(&w, &lease));
    assert!(pools.count() > 0);
    w.engine.install(None);
    assert_eq!(pools.count(), 0);
    // Whoever comes with a lease of before fills none while it is locked.
    (0..3).for_each(|_| drop(heat(&w, &lease)));
    w.engine.restock(&lease);
    assert_eq!(pools.count(), 0);
    assert!(matches!(w.mint(&lease).unwrap_err().refusal, Refusal::Locked));
}
