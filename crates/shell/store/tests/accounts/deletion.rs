use symbolon_account::oauth::OauthStore;
use symbolon_account::{
    AccountError, AccountStore, Challenge, Chunk, Handle, ShareTo, SignIn, Viewer,
};
use symbolon_codec::Digest32;

use crate::assistants::{grant, proof as code_proof};
use crate::base::{Base, Cell, Raw};
use crate::make::{
    NOW, challenge, commit, credential, event, person, revision, session, share, vault,
};
use crate::{authorship, keys, proofs};

/// A person with something in every table that is of accounts.
async fn furnished(base: &Base, n: u8) {
    let a = &base.accounts;
    a.sign_up(&person(n)).await.unwrap();
    a.add_credential(&credential(n, n + 100), &event("added")).await.unwrap();
    a.put_session(&session(n, n + 100), &event("signed-in")).await.unwrap();
    a.put_challenge(&Challenge { account: Some([n; 16].into()), ..challenge(n) }).await.unwrap();
    a.take_nonce([n; 16].into(), b"nonce", NOW + 100).await.unwrap();
    a.commit(commit(n, 0, vec![revision(n, 1, 20)])).await.unwrap();
    a.commit(commit(n, 1, vec![revision(n, 2, 20)])).await.unwrap();
    let chunk = Chunk { vault: vault(n), blob: [n; 16].into(), index: 0, sealed: vec![n; 30] };
    a.put_chunk(&chunk).await.unwrap();
    a.put_share(&share(n, n, ShareTo::Link), &event("shared")).await.unwrap();
    a.put_grant(&grant(n, n), &event("assistant-allowed")).await.unwrap();
    // Named by its grant alone, and by its hash: here the hash is made of the same bytes.
    let hashes = [Digest32([n; 32]), Digest32([n + 200; 32])];
    a.redeem_code(&Digest32([n; 32]), &code_proof(n), hashes, NOW).await.unwrap();
    keys::furnish(a, n).await;
    proofs::furnish(a, n).await;
    authorship::furnish(a, n).await;
}

/// The tables in which a cell names somebody whose ids all begin, and are filled, with `n`.
async fn naming(raw: &Raw, n: u8) -> Vec<String> {
    let mut found = Vec::new();
    for (table, column, kind) in raw.columns().await {
        for tag in raw.tags(&table).await {
            let names = match raw.cell(&table, (&column, &kind), &tag).await {
                Cell::Bytes(Some(bytes)) => bytes.windows(16).any(|w| w == [n; 16]),
                Cell::Text(Some(text)) => text == format!("p{n}"),
                _ => false,
            };
            if names && found.last() != Some(&table) {
                found.push(table.clone());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

pub async fn a_deleted_account_leaves_a_retired_handle_alone(base: Base) {
    let a = &base.accounts;
    for n in [1, 2] {
        furnished(&base, n).await;
    }
    // What each gave the other, too.
    a.put_share(&share(1, 11, ShareTo::Account([2; 16].into())), &event("shared")).await.unwrap();
    a.put_share(&share(2, 22, ShareTo::Account([1; 16].into())), &event("shared")).await.unwrap();
    let raw = base.raw().await;
    let others = naming(&raw, 2).await;
    let all = "account api_key authorship_name challenge chunk credential event item key_device key_service nonce oauth_grant oauth_token proof_nullifier proof_session revision session share vault vault_state";
    assert_eq!(naming(&raw, 1).await.join(" "), all);

    a.delete_account([1; 16].into(), NOW).await.unwrap();
    assert_eq!(naming(&raw, 1).await, Vec::<String>::new());
    assert_eq!(naming(&raw, 2).await, others, "nobody else lost anything but what was shared");
    let (from, to) = (a.shares_from([2; 16].into()).await, a.shares_to([2; 16].into(), NOW).await);
    assert_eq!((from.unwrap().len(), to.unwrap().len()), (1, 0));
    assert!(matches!(a.account([1; 16].into()).await, Err(AccountError::Missing(_))));
    assert!(matches!(a.vault_of([1; 16].into()).await, Err(AccountError::Missing(_))));
    assert_eq!(a.session_of(&person(1).session.token_hash).await.unwrap(), None);
    assert_eq!(a.credential_of(SignIn::Passkey, &[1; 20]).await.unwrap(), None);
    assert_eq!(a.account_of(&Handle::parse("p1").unwrap()).await.unwrap(), None);
    let link = a.view_share([1; 16].into(), Viewer::Link, NOW).await;
    assert!(matches!(link, Err(AccountError::Missing(_))));
    assert_eq!(a.check().await.unwrap().accounts, 1);

    // The name is nobody's again; the way to sign in may make another account.
    let mut again = person(1);
    let refused = a.sign_up(&again).await;
    assert!(matches!(refused, Err(AccountError::Exists("the handle"))), "{refused:?}");
    again.account.handle = Some(Handle::parse("p1-again").unwrap());
    a.sign_up(&again).await.unwrap();
    assert_eq!(a.events([1; 16].into(), 0, 10).await.unwrap().len(), 1, "a chain of its own");
}

pub async fn who_deletes_what_is_not_there_changes_nothing(base: Base) {
    let a = &base.accounts;
    furnished(&base, 1).await;
    let whole = a.check().await.unwrap();
    let gone = a.delete_account([9; 16].into(), NOW).await;
    assert!(matches!(gone, Err(AccountError::Missing("the account"))));
    assert_eq!(a.check().await.unwrap(), whole);
    a.delete_account([1; 16].into(), NOW).await.unwrap();
    let twice = a.delete_account([1; 16].into(), NOW).await;
    assert!(matches!(twice, Err(AccountError::Missing("the account"))));
    // An account without a handle retires none.
    let mut nameless = person(2);
    nameless.account.handle = None;
    a.sign_up(&nameless).await.unwrap();
    let rows = a.check().await.unwrap().rows;
    a.delete_account([2; 16].into(), NOW).await.unwrap();
    assert_eq!(a.check().await.unwrap().rows, rows - 6);
}

/// Commits, uploads, shares and sessions that come at the same time: each is there and deleted, or
/// refused; and two that shared with each other may go at once.
pub async fn deletion_beside_other_changes_is_whole(base: Base) {
    let a = &base.accounts;
    for round in 0..6 {
        let (one, two) = (1 + 2 * round, 2 + 2 * round);
        furnished(&base, one).await;
        furnished(&base, two).await;
        let mut tasks = Vec::new();
        let spawn = |n: u8, other: u8, step: u8| {
            let a = a.clone();
            tokio::spawn(async move {
                let sealed = vec![step; 30];
                let index = u32::from(step) + 1;
                let chunk = Chunk { vault: vault(n), blob: [n; 16].into(), index, sealed };
                let to = ShareTo::Account([other; 16].into());
                let done = [
                    a.commit(commit(n, 2, vec![revision(step + 50, 1, 20)])).await,
                    a.put_chunk(&chunk).await,
                    a.put_share(&share(n, 100 + n * 8 + step, to), &event("shared")).await,
                    a.append_event([n; 16].into(), &event("seen")).await,
                ];
                for error in done.into_iter().filter_map(Result::err) {
                    let refused =
                        matches!(error, AccountError::Missing(_) | AccountError::Conflict(_));
                    assert!(refused, "{error}");
                }
            })
        };
        for step in 0..4 {
            tasks.push(spawn(one, two, step));
            tasks.push(spawn(two, one, step));
            if step == round % 4 {
                for n in [one, two] {
                    let a = a.clone();
                    tasks.push(tokio::spawn(async move {
                        a.delete_account([n; 16].into(), NOW).await.unwrap();
                    }));
                }
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(a.check().await.unwrap().accounts, 0);
        let raw = base.raw().await;
        for n in [one, two] {
            assert_eq!(naming(&raw, n).await, Vec::<String>::new());
        }
    }
}
