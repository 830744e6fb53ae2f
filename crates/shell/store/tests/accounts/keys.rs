//! Keys that are proven: services, points, devices, nonces, tokens.

use symbolon_account::{AccountError, AccountStore};
use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::schnorr::Point;
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_possession::token::Scopes;
use symbolon_possession::{
    Act, ApiKey, Audience, Device, Domain, Enrolled, Enrolling, KeyAccount, KeyStore, PossessedKey,
    PossessionKeys, Purpose, Rotated, Service, Statement, StrongKey, TimelyNonce, verify_rotation,
};
use symbolon_secret::Secret;
use symbolon_store::Accounts;

use crate::base::Base;
use crate::make::{NOW, event, person};

pub fn server() -> PossessionKeys {
    let secret = Secret::<[u8; 32]>::make(|b| b.fill(1));
    PossessionKeys::from_secret(secret, "https://keys.example")
}

pub fn service(n: u8) -> Service {
    Service {
        id: [n; 16].into(),
        account: [n; 16].into(),
        audience: Audience::parse("https://api.example").unwrap(),
        name: "API".into(),
        scopes: Scopes::of("read write").unwrap(),
        token_seconds: 300,
        secret_hash: Digest32([n; 32]),
        created_unix_ms: NOW,
    }
}

fn domain(n: u8) -> Domain {
    Domain {
        issuer: "https://keys.example".into(),
        service: [n; 16].into(),
        audience: service(n).audience,
        account: KeyAccount::default(),
    }
}

/// One of 100 keys.
fn possessed(service: u8, key: u8) -> PossessedKey {
    let text = format!("c3b1f09ad7e2486b5f1d0a9e7c43b8d{key:02x}");
    let text = text.as_bytes();
    let secret = Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text));
    let strong = StrongKey::of(secret).unwrap();
    let enrolling = Enrolling::start(&strong, &SeededRng::new(1)).unwrap();
    let evaluated = server().evaluate([service; 16].into(), enrolling.element()).unwrap();
    enrolling.finish(&strong, &evaluated, &domain(service)).unwrap()
}

fn point(service: u8, key: u8) -> Point {
    possessed(service, key).point()
}

pub fn key(service: u8, n: u8) -> ApiKey {
    ApiKey {
        id: [n; 16].into(),
        service: [service; 16].into(),
        account: KeyAccount::default(),
        name: format!("key {n}"),
        scopes: Scopes::of("read").unwrap(),
        point: point(service, n),
        created_unix_ms: NOW,
        rotated_unix_ms: None,
        revoked_unix_ms: None,
    }
}

fn public(n: u8) -> VerifyingKey {
    SigningKey::from_seed(Secret::<[u8; 32]>::make(|b| b.fill(n))).verifying_key()
}

pub fn device(key: u8, n: u8) -> Device {
    Device {
        id: [n; 16].into(),
        key: [key; 16].into(),
        public: public(n),
        name: format!("device {n}"),
        created_unix_ms: NOW + u64::from(n),
        used_unix_ms: None,
        revoked_unix_ms: None,
    }
}

/// A nonce for a device of a service; another for each `seed`.
pub fn nonce(of: u8, device: u8, seed: u64) -> TimelyNonce {
    let (server, public) = (server(), public(device));
    let made = server.nonces.make([of; 16].into(), &public, NOW, &SeededRng::new(seed));
    server.nonces.judge(&made, [of; 16].into(), &public, NOW).unwrap()
}

fn rotated(service: u8, old: u8, new: u8) -> Rotated {
    let (old, new) = (possessed(service, old), possessed(service, new));
    let device = SigningKey::from_seed(Secret::<[u8; 32]>::make(|b| b.fill(1)));
    let rotate = Statement {
        purpose: Purpose::Rotate,
        domain: domain(service),
        nonce: *nonce(service, 1, 1).as_bytes(),
        device: device.verifying_key(),
        scopes: Scopes::default(),
        channel: None,
        act: Act::Point(*new.point().as_bytes()),
    };
    let act = Act::Point(*old.point().as_bytes());
    let replace = Statement { purpose: Purpose::Replace, act, ..rotate.clone() };
    let proof = old.prove_rotation(&new, &rotate, &replace, &device, &SeededRng::new(2));
    verify_rotation(&rotate, &replace, &old.point(), &new.point(), &proof).unwrap()
}

/// A person with a service, a key and a device of it.
pub async fn furnish(a: &Accounts, n: u8) {
    a.put_service(&service(n), &event("service-added")).await.unwrap();
    a.put_key(&service(n), &key(n, n), &event("key-registered")).await.unwrap();
    let (device, nonce) = (device(n, n), nonce(n, n, u64::from(n)));
    a.enrol(&service(n), &device, &nonce, &event("key-device-enrolled")).await.unwrap();
}

pub async fn a_service_is_its_accounts_alone(base: Base) {
    let a = &base.accounts;
    for n in [1, 2] {
        a.sign_up(&person(n)).await.unwrap();
        furnish(a, n).await;
    }
    assert_eq!(a.service([1; 16].into()).await.unwrap(), Some(service(1)));
    assert_eq!(a.service_of(&Digest32([1; 32])).await.unwrap(), Some(service(1)));
    assert_eq!(a.services_of([1; 16].into()).await.unwrap(), [service(1)]);
    let (one, two) = ([1; 16].into(), [2; 16].into());
    let hash = Digest32([9; 32]);
    let refused = a.set_service_secret(one, [2; 16].into(), hash, &event("x")).await;
    assert!(matches!(refused, Err(AccountError::Missing("the service"))));
    assert!(a.remove_service(one, [2; 16].into(), &event("x")).await.is_err());
    a.set_service_secret(two, [2; 16].into(), hash, &event("x")).await.unwrap();
    assert_eq!(a.service_of(&Digest32([2; 32])).await.unwrap(), None, "the old one is gone");
    assert!(a.service_of(&hash).await.unwrap().is_some());
    a.remove_service(two, [2; 16].into(), &event("x")).await.unwrap();
    assert!(a.known([2; 16].into()).await.unwrap().is_none(), "with its keys and devices");
    assert!(a.known([1; 16].into()).await.unwrap().unwrap().is_live());
    let long = Service { token_seconds: 901, ..service(3) };
    assert!(matches!(a.put_service(&long, &event("x")).await, Err(AccountError::Malformed(_))));
    a.check().await.unwrap();
}

pub async fn a_key_is_found_by_its_point_in_its_service(base: Base) {
    let a = &base.accounts;
    for n in [1, 2] {
        a.sign_up(&person(n)).await.unwrap();
        furnish(a, n).await;
    }
    let none = KeyAccount::default();
    let found = a.key_at([1; 16].into(), &none, &point(1, 1)).await.unwrap();
    assert_eq!(found, Some(key(1, 1)));
    assert_eq!(a.key_at([2; 16].into(), &none, &point(1, 1)).await.unwrap(), None);
    let other = KeyAccount::parse("other").unwrap();
    assert_eq!(a.key_at([1; 16].into(), &other, &point(1, 1)).await.unwrap(), None);
    let twice = ApiKey { id: [9; 16].into(), ..key(1, 1) };
    let refused = a.put_key(&service(1), &twice, &event("x")).await;
    assert!(matches!(refused, Err(AccountError::Exists(_))), "{refused:?}");
    let wide = ApiKey { scopes: Scopes::of("admin").unwrap(), ..key(1, 8) };
    assert!(a.put_key(&service(1), &wide, &event("x")).await.is_err());
    a.put_key(&service(1), &key(1, 5), &event("x")).await.unwrap();
    let ids = async |after| {
        let all = a.keys_of([1; 16].into(), after, 1).await.unwrap();
        all.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None).await, [[1; 16].into()]);
    assert_eq!(ids(Some([1; 16].into())).await, [[5; 16].into()]);
    assert_eq!(ids(Some([5; 16].into())).await, []);
}

pub async fn what_is_revoked_is_not_live_and_stays_so(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    furnish(a, 1).await;
    let (service, key_id) = (service(1), [1; 16].into());
    a.enrol(&service, &device(1, 2), &nonce(1, 2, 50), &event("x")).await.unwrap();
    let live = async |n: u8| a.known([n; 16].into()).await.unwrap().unwrap().is_live();
    assert!(live(1).await && live(2).await);
    let remove = async |n: u8, seed| {
        let nonce = nonce(1, 1, seed);
        a.remove_device(&service, key_id, [n; 16].into(), Some(&nonce), &event("x")).await
    };
    remove(2, 51).await.unwrap();
    assert!(live(1).await && !live(2).await);
    assert!(matches!(remove(2, 52).await, Err(AccountError::Missing(_))), "once");
    assert!(matches!(remove(9, 53).await, Err(AccountError::Missing(_))));
    let back = a.enrol(&service, &device(1, 2), &nonce(1, 2, 54), &event("x")).await;
    assert!(matches!(back, Err(AccountError::Missing(_))), "{back:?}");
    let seen = a.log_in(&device(1, 2), &nonce(1, 2, 55), NOW).await;
    assert!(matches!(seen, Err(AccountError::Missing(_))), "also between look and login");
    // Again under another name: the same device.
    let named = Device { id: [7; 16].into(), name: "again".into(), ..device(1, 1) };
    let again = a.enrol(&service, &named, &nonce(1, 1, 56), &event("x")).await.unwrap();
    assert_eq!(again, Enrolled::Again([1; 16].into()));
    let names: Vec<_> = a.devices_of(key_id).await.unwrap();
    assert_eq!(names.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["again", "device 2"]);
    a.revoke_key(&service, key_id, None, &event("x")).await.unwrap();
    assert!(!live(1).await);
    assert!(a.revoke_key(&service, key_id, None, &event("x")).await.is_err(), "once");
    let late = a.enrol(&service, &device(1, 3), &nonce(1, 3, 57), &event("x")).await;
    assert!(matches!(late, Err(AccountError::Missing("the key"))), "{late:?}");
    a.check().await.unwrap();
}

pub async fn a_rotation_puts_the_proven_point_in_place_of_the_proven_one(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    furnish(a, 1).await;
    let (service, id) = (service(1), [1; 16].into());
    let first = rotated(1, 1, 20);
    a.rotate_key(&service, id, &first, &nonce(1, 1, 60), &event("x")).await.unwrap();
    let none = KeyAccount::default();
    assert_eq!(a.key_at(service.id, &none, &point(1, 1)).await.unwrap(), None);
    let now = a.key_at(service.id, &none, &point(1, 20)).await.unwrap().unwrap();
    assert_eq!((now.id, now.rotated_unix_ms), (id, Some(NOW)));
    assert!(a.known([1; 16].into()).await.unwrap().unwrap().is_live(), "the device stays");
    let stale = a.rotate_key(&service, id, &first, &nonce(1, 1, 61), &event("x")).await;
    assert!(matches!(stale, Err(AccountError::Conflict(_))), "{stale:?}");
    a.put_key(&service, &key(1, 21), &event("x")).await.unwrap();
    let taken = rotated(1, 20, 21);
    let taken = a.rotate_key(&service, id, &taken, &nonce(1, 1, 62), &event("x")).await;
    assert!(matches!(taken, Err(AccountError::Exists(_))), "{taken:?}");
    a.check().await.unwrap();
}

pub async fn a_nonce_is_used_once_whatever_for(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    furnish(a, 1).await;
    let (service, id) = (service(1), [1; 16].into());
    a.log_in(&device(1, 1), &nonce(1, 1, 70), NOW).await.unwrap();
    let used = |done: Result<(), AccountError>| matches!(done, Err(AccountError::Exists(_)));
    let recent = Device { used_unix_ms: Some(NOW), ..device(1, 1) };
    let again = || nonce(1, 1, 70);
    assert!(used(a.log_in(&device(1, 1), &again(), NOW).await), "with a touch");
    assert!(used(a.log_in(&recent, &again(), NOW).await), "and without");
    assert!(used(a.spend(&again()).await));
    assert!(used(a.revoke_key(&service, id, Some(&again()), &event("x")).await));
    let first = rotated(1, 1, 20);
    assert!(used(a.rotate_key(&service, id, &first, &again(), &event("x")).await));
    let device_id = [1; 16].into();
    assert!(used(a.remove_device(&service, id, device_id, Some(&again()), &event("x")).await));
    let enrolled = a.enrol(&service, &device(1, 1), &again(), &event("x")).await;
    assert!(used(enrolled.map(drop)));
    assert!(a.known(device_id).await.unwrap().unwrap().is_live(), "nothing was changed by any");
    let seen = a.known(device_id).await.unwrap().unwrap().device.used_unix_ms;
    assert_eq!(seen, Some(NOW));

    let until = again().until_unix_ms();
    assert_eq!(a.purge_keys(until - 1).await.unwrap().nonces, 0);
    assert_eq!(a.purge_keys(until).await.unwrap().nonces, 2, "this one and the enrolment's");
}

pub async fn of_many_logins_with_one_nonce_one_stands(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    furnish(a, 1).await;
    for seed in 80..84 {
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let a = a.clone();
                // With and without the device's own row in the change.
                let used_unix_ms = (n % 2 == 0).then_some(NOW);
                let device = Device { used_unix_ms, ..device(1, 1) };
                tokio::spawn(async move { a.log_in(&device, &nonce(1, 1, seed), NOW).await })
            })
            .collect();
        let mut stood = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => stood += 1,
                Err(AccountError::Exists(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(stood, 1);
    }
}

pub async fn who_asks_beside_others_is_answered_of_its_own(base: Base) {
    let a = &base.accounts;
    for n in 1..=5 {
        a.sign_up(&person(n)).await.unwrap();
        furnish(a, n).await;
    }
    // More than go into one statement; of a sixth device nothing is there.
    let asked: Vec<_> = (0..200_u8)
        .map(|ask| {
            let (a, n) = (a.clone(), ask % 6 + 1);
            let nonce = nonce(n, n, 100 + u64::from(ask / 2));
            let recent = Device { used_unix_ms: Some(NOW), ..device(n, n) };
            tokio::spawn(async move {
                let spent = a.log_in(&recent, &nonce, NOW).await;
                (ask, n, a.known([n; 16].into()).await.unwrap(), spent)
            })
        })
        .collect();
    let mut spent = [0; 100];
    for task in asked {
        let (ask, n, known, done) = task.await.unwrap();
        assert_eq!(known.is_some(), n < 6, "{n}");
        let own = known.is_none_or(|it| {
            (it.device.id, it.key.id, it.service.id)
                == ([n; 16].into(), [n; 16].into(), [n; 16].into())
        });
        assert!(own, "another's answer");
        match done {
            Ok(()) => spent[usize::from(ask / 2)] += 1,
            Err(AccountError::Exists(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(spent, [1; 100], "each nonce once");
}

pub async fn a_token_that_was_taken_back_is_known_until_its_end(base: Base) {
    let a = &base.accounts;
    let id = [5; 16].into();
    assert!(!a.is_token_revoked(id).await.unwrap());
    a.revoke_token(id, NOW + 100).await.unwrap();
    a.revoke_token(id, NOW + 100).await.unwrap();
    assert!(a.is_token_revoked(id).await.unwrap());
    assert_eq!(a.purge_keys(NOW + 99).await.unwrap().tokens, 0);
    assert_eq!(a.purge_keys(NOW + 100).await.unwrap().tokens, 1);
    assert!(!a.is_token_revoked(id).await.unwrap());
}
