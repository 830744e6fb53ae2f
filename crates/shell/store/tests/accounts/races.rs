//! Many at once, and what must happen once.

use std::future::Future;

use symbolon_account::{AccountError, AccountStore, Purpose, ShareTo, Viewer};
use symbolon_store::Accounts;

use crate::base::Base;
use crate::make::{NOW, challenge, commit, credential, event, person, revision, share, vault};

/// Runs it so often at once; gives how often it succeeded. What failed did so as lost races do.
async fn race<T, F>(accounts: &Accounts, times: u8, go: impl Fn(Accounts, u8) -> F) -> usize
where
    T: Send + 'static,
    F: Future<Output = Result<T, AccountError>> + Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|n| tokio::spawn(go(accounts.clone(), n))).collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(
                AccountError::Conflict(_)
                | AccountError::Exists(_)
                | AccountError::Missing(_)
                | AccountError::Malformed(_),
            ) => {}
            Err(other) => panic!("{other}"),
        }
    }
    won
}

pub async fn of_many_takers_one_gets_it(base: Base) {
    let a = &base.accounts;
    let one = person(1);
    a.sign_up(&one).await.unwrap();
    a.put_challenge(&challenge(1)).await.unwrap();
    let took =
        race(
            a,
            16,
            |a, _| async move { a.take_challenge([1; 16].into(), Purpose::SignIn, NOW).await },
        );
    assert_eq!(took.await, 1, "a challenge");
    let took = race(a, 16, |a, _| async move { a.take_nonce([1; 16].into(), b"n", NOW + 1).await });
    assert_eq!(took.await, 1, "a nonce");
    let used = race(a, 16, |a, n| async move {
        a.use_credential([1; 16].into(), &[1; 8], &[100 + n; 8], NOW).await
    });
    assert_eq!(used.await, 1, "a counter");
    let made = race(a, 8, |a, n| async move {
        let kept = a.server_secret("opaque", &[n]).await?;
        let again = a.server_secret("opaque", &[99]).await?;
        if kept == again { Ok(()) } else { Err(AccountError::Damaged("two secrets".into())) }
    });
    assert_eq!(made.await, 8, "a secret of the server");
}

pub async fn of_many_commits_one_stands(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    for base in 0..5 {
        let stood = race(a, 16, move |a, n| async move {
            a.commit(commit(1, base, vec![revision(base as u8 * 16 + n, 1, 20)])).await
        });
        assert_eq!(stood.await, 1);
    }
    let kept = a.vault_of([1; 16].into()).await.unwrap();
    assert_eq!((kept.head.counter, kept.used_bytes), (5, 100));
    assert_eq!(a.changes(vault(1), 0, 100).await.unwrap().revisions.len(), 5);
    a.check().await.unwrap();
}

pub async fn commits_of_many_vaults_all_stand(base: Base) {
    let a = &base.accounts;
    for n in 1..=20 {
        a.sign_up(&person(n)).await.unwrap();
    }
    let stood = race(a, 20, |a, n| async move {
        for base in 0..10 {
            let items = vec![revision(n, base + 1, 20), revision(100 + base as u8, 1, 20)];
            a.commit(commit(n + 1, base, items)).await?;
        }
        Ok(())
    });
    assert_eq!(stood.await, 20);
    for n in 1..=20 {
        let kept = a.vault_of([n; 16].into()).await.unwrap();
        assert_eq!((kept.head.counter, kept.used_bytes), (10, 400));
    }
    a.check().await.unwrap();
}

pub async fn a_view_limit_holds(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.put_share(&share(1, 7, ShareTo::Link), &event("shared")).await.unwrap();
    let seen =
        race(a, 20, |a, _| async move { a.view_share([7; 16].into(), Viewer::Link, NOW).await });
    assert_eq!(seen.await, 3);
}

pub async fn one_way_to_sign_in_stays(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    for n in 2..=6 {
        a.add_credential(&credential(1, n), &event("added")).await.unwrap();
    }
    let removed = race(a, 6, |a, n| async move {
        a.remove_credential([1; 16].into(), [n + 1; 16].into(), &event("removed")).await
    });
    assert_eq!(removed.await, 5);
    assert_eq!(a.credentials([1; 16].into()).await.unwrap().len(), 1);
}

pub async fn a_chain_stays_whole(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let written = race(a, 40, |a, n| async move {
        a.append_event([1; 16].into(), &event(&format!("k{n}"))).await
    });
    assert_eq!(written.await, 40);
    assert_eq!(a.events([1; 16].into(), 0, 100).await.unwrap().len(), 41);
    a.check().await.unwrap();
}

pub async fn shares_to_each_other_all_stand(base: Base) {
    let a = &base.accounts;
    for n in 1..=2 {
        a.sign_up(&person(n)).await.unwrap();
    }
    let began = std::time::Instant::now();
    let stood = race(a, 40, |a, n| async move {
        let (from, to) = (n % 2 + 1, (n + 1) % 2 + 1);
        let share = share(from, 100 + n, ShareTo::Account([to; 16].into()));
        a.put_share(&share, &event("shared")).await
    });
    assert_eq!(stood.await, 40);
    assert!(began.elapsed().as_secs() < 20, "nobody waits until a deadlock is found");
    a.check().await.unwrap();
}
