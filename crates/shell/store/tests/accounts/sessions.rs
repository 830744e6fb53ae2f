use symbolon_account::{AccountError, AccountStore, Purged, Purpose, ShareTo};

use crate::base::Base;
use crate::make::{NOW, challenge, event, person, session, share};

pub async fn a_challenge_is_taken_once_for_its_purpose_in_its_time(base: Base) {
    let a = &base.accounts;
    let one = challenge(1);
    a.put_challenge(&one).await.unwrap();
    assert!(matches!(a.put_challenge(&one).await, Err(AccountError::Exists(_))));
    assert_eq!(a.take_challenge(one.id, Purpose::SignIn, NOW).await.unwrap(), one);
    let missing = |r: Result<_, AccountError>| matches!(r, Err(AccountError::Missing(_)));
    assert!(missing(a.take_challenge(one.id, Purpose::SignIn, NOW).await), "taken");

    a.put_challenge(&challenge(2)).await.unwrap();
    assert!(missing(a.take_challenge([2; 16].into(), Purpose::Confirm, NOW).await));
    assert!(missing(a.take_challenge([2; 16].into(), Purpose::SignIn, NOW).await), "gone too");

    a.put_challenge(&challenge(3)).await.unwrap();
    assert!(missing(a.take_challenge([3; 16].into(), Purpose::SignIn, NOW + 100).await));
    assert!(missing(a.take_challenge([3; 16].into(), Purpose::SignIn, NOW).await), "gone too");
}

pub async fn a_nonce_is_seen_once(base: Base) {
    let a = &base.accounts;
    let (one, two) = ([1; 16].into(), [2; 16].into());
    a.take_nonce(one, b"n", NOW + 100).await.unwrap();
    assert!(matches!(a.take_nonce(one, b"n", NOW + 100).await, Err(AccountError::Exists(_))));
    a.take_nonce(two, b"n", NOW + 100).await.unwrap();
    a.take_nonce(one, b"m", NOW + 100).await.unwrap();
    let long = a.take_nonce(one, &[0; 65], NOW).await;
    assert!(matches!(long, Err(AccountError::TooLong { max: 64, .. })));
}

pub async fn a_session_lives_until_it_is_ended(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.sign_up(&person(2)).await.unwrap();
    let (me, third) = ([1; 16].into(), session(1, 3));
    a.put_session(&third, &event("signed-in")).await.unwrap();
    let ids = |all: Vec<symbolon_account::Session>| all.iter().map(|s| s.id).collect::<Vec<_>>();
    assert_eq!(ids(a.sessions(me, NOW).await.unwrap()), [third.id, [1; 16].into()]);
    assert!(a.sessions(me, NOW + 1000).await.unwrap().is_empty(), "expired");

    a.touch_session(third.id, NOW + 10, NOW + 2000).await.unwrap();
    a.confirm_session(third.id, NOW + 500, &event("confirmed")).await.unwrap();
    let kept = a.session_of(&third.token_hash).await.unwrap().unwrap();
    assert_eq!((kept.seen_unix_ms, kept.expires_unix_ms), (NOW + 10, NOW + 2000));
    assert!(kept.is_confirmed(NOW + 499) && !kept.is_confirmed(NOW + 500));

    let others = a.revoke_session([2; 16].into(), third.id, &event("ended")).await;
    assert!(matches!(others, Err(AccountError::Missing(_))), "another's");
    a.revoke_session(me, third.id, &event("ended")).await.unwrap();
    assert!(!a.session_of(&third.token_hash).await.unwrap().unwrap().is_live(NOW));
    let missing = |r: Result<(), AccountError>| matches!(r, Err(AccountError::Missing(_)));
    assert!(missing(a.touch_session(third.id, NOW, NOW + 9999).await), "ended stays ended");
    assert!(missing(a.confirm_session(third.id, NOW, &event("confirmed")).await));
    assert!(missing(a.revoke_session(me, third.id, &event("ended")).await));

    a.put_session(&session(1, 4), &event("signed-in")).await.unwrap();
    a.put_session(&session(1, 5), &event("signed-in")).await.unwrap();
    let ended = a.revoke_sessions(me, Some([4; 16].into()), &event("ended")).await.unwrap();
    assert_eq!(ended, 2, "the first and the fifth");
    assert_eq!(ids(a.sessions(me, NOW).await.unwrap()), [[4; 16].into()]);
    assert_eq!(a.sessions([2; 16].into(), NOW).await.unwrap().len(), 1, "another's stays");
}

pub async fn what_expired_is_purged(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.put_challenge(&challenge(1)).await.unwrap();
    a.take_nonce([1; 16].into(), b"n", NOW + 100).await.unwrap();
    a.put_share(&share(1, 1, ShareTo::Link), &event("shared")).await.unwrap();
    assert_eq!(a.purge(NOW + 99).await.unwrap(), Purged::default());
    let some = a.purge(NOW + 100).await.unwrap();
    assert_eq!(some, Purged { challenges: 1, nonces: 1, ..Purged::default() });
    let rest = a.purge(NOW + 1000).await.unwrap();
    assert_eq!(rest, Purged { sessions: 1, shares: 1, ..Purged::default() });
    a.check().await.unwrap();
}

pub async fn a_servers_secret_is_kept_once(base: Base) {
    let a = &base.accounts;
    assert_eq!(a.server_secret("opaque", b"one").await.unwrap(), b"one");
    assert_eq!(a.server_secret("opaque", b"two").await.unwrap(), b"one");
    assert_eq!(a.server_secret("other", b"two").await.unwrap(), b"two");
}
