use symbolon_account::{AccountError, AccountState, AccountStore, Handle, SignIn};

use crate::base::Base;
use crate::make::{NOW, credential, event, person};

pub async fn a_sign_up_is_whole_or_nothing(base: Base) {
    let a = &base.accounts;
    let one = person(1);
    a.sign_up(&one).await.unwrap();
    let kept = a.account(one.account.id).await.unwrap();
    assert_eq!((kept.events, &kept.handle), (1, &one.account.handle));
    assert_eq!(a.account_of(&Handle::parse("P1").unwrap()).await.unwrap().unwrap(), kept);
    assert_eq!(a.account_of(&Handle::parse("p2").unwrap()).await.unwrap(), None);
    assert_eq!(a.vault_of(one.account.id).await.unwrap(), one.vault);
    assert_eq!(a.credentials(one.account.id).await.unwrap(), std::slice::from_ref(&one.credential));
    assert_eq!(a.session_of(&one.session.token_hash).await.unwrap(), Some(one.session.clone()));

    // Each part that is another's refuses the whole.
    let mut handle = person(2);
    handle.account.handle = one.account.handle.clone();
    let mut subject = person(2);
    subject.credential.subject = one.credential.subject.clone();
    let mut vault = person(2);
    vault.vault.id = one.vault.id;
    let mut session = person(2);
    session.session.token_hash = one.session.token_hash;
    for (new, what) in [
        (handle, "the handle"),
        (subject, "this way to sign in"),
        (vault, "the vault"),
        (session, "the session"),
    ] {
        let refused = a.sign_up(&new).await.unwrap_err();
        assert!(matches!(refused, AccountError::Exists(found) if found == what), "{refused}");
        let gone = a.account(new.account.id).await;
        assert!(matches!(gone, Err(AccountError::Missing(_))), "{what}");
        assert!(a.credentials(new.account.id).await.unwrap().is_empty());
    }
    a.sign_up(&person(2)).await.unwrap();
    let checked = a.check().await.unwrap();
    // Per person: account, credential, session, vault, its state, an event; and the key's row.
    assert_eq!((checked.accounts, checked.rows), (2, 2 * 6 + 1));
}

pub async fn credentials_are_found_used_and_removed_but_never_the_last(base: Base) {
    let a = &base.accounts;
    let one = person(1);
    a.sign_up(&one).await.unwrap();
    let (first, second) = (one.credential, credential(1, 9));
    let only = a.remove_credential(first.account, first.id, &event("removed")).await;
    assert!(matches!(only, Err(AccountError::Malformed(_))));
    a.add_credential(&second, &event("added")).await.unwrap();
    let found = a.credential_of(SignIn::Passkey, &second.subject).await.unwrap();
    assert_eq!(found, Some(second.clone()));
    assert_eq!(a.credential_of(SignIn::Solana, &second.subject).await.unwrap(), None);
    assert_eq!(a.credentials(first.account).await.unwrap(), [first.clone(), second.clone()]);

    a.use_credential(second.id, &second.state, b"counter 2", NOW).await.unwrap();
    let replayed = a.use_credential(second.id, &second.state, b"counter 3", NOW).await;
    assert!(matches!(replayed, Err(AccountError::Conflict(_))));
    let used = a.credential_of(SignIn::Passkey, &second.subject).await.unwrap().unwrap();
    assert_eq!((used.state, used.last_used_unix_ms), (b"counter 2".to_vec(), Some(NOW)));

    a.sign_up(&person(2)).await.unwrap();
    let others = a.remove_credential([2; 16].into(), second.id, &event("removed")).await;
    assert!(matches!(others, Err(AccountError::Missing(_))), "another's account");
    a.remove_credential(first.account, second.id, &event("removed")).await.unwrap();
    assert_eq!(a.credentials(first.account).await.unwrap(), [first]);
}

pub async fn a_suspended_account_has_no_session(base: Base) {
    let a = &base.accounts;
    let one = person(1);
    a.sign_up(&one).await.unwrap();
    a.set_account_state(one.account.id, AccountState::Suspended, &event("suspended"))
        .await
        .unwrap();
    assert_eq!(a.account(one.account.id).await.unwrap().state, AccountState::Suspended);
    let session = a.session_of(&one.session.token_hash).await.unwrap().unwrap();
    assert!(!session.is_live(NOW));
    let none = a.set_account_state([9; 16].into(), AccountState::Active, &event("x")).await;
    assert!(matches!(none, Err(AccountError::Missing(_))));
}

pub async fn bounds_are_kept(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let long = symbolon_account::Credential { name: "x".repeat(65), ..credential(1, 2) };
    let refused = a.add_credential(&long, &event("added")).await;
    assert!(matches!(refused, Err(AccountError::TooLong { what: "name", .. })));
    let short = symbolon_account::Credential { method: SignIn::Key, ..credential(1, 2) };
    let refused = a.add_credential(&short, &event("added")).await;
    assert!(matches!(refused, Err(AccountError::Malformed(_))), "20 bytes are no Ed25519 key");
    for n in 2..=32 {
        a.add_credential(&credential(1, n), &event("added")).await.unwrap();
    }
    let refused = a.add_credential(&credential(1, 33), &event("added")).await;
    assert!(matches!(refused, Err(AccountError::TooLong { found: 33, max: 32, .. })));
    let late =
        symbolon_account::Session { expires_unix_ms: u64::MAX, ..crate::make::session(1, 5) };
    let refused = a.put_session(&late, &event("x")).await;
    assert!(matches!(refused, Err(AccountError::Malformed(_))), "a time beyond 2^63");
}
