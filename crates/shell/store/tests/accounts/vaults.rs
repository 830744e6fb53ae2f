use symbolon_account::{
    AccountError, AccountStore, HISTORY_MAX, ItemState, KeyChange, REVISION_BYTES_MAX, SignedHead,
};

use crate::base::Base;
use crate::make::{commit, event, person, revision, vault};

pub async fn commits_follow_each_other(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.commit(commit(1, 0, vec![revision(1, 1, 20), revision(2, 1, 30)])).await.unwrap();
    a.commit(commit(1, 1, vec![revision(1, 2, 25)])).await.unwrap();
    let kept = a.vault_of([1; 16].into()).await.unwrap();
    assert_eq!((kept.head.counter, kept.used_bytes), (2, 75));
    assert_eq!(kept.head, commit(1, 1, vec![]).head);

    let current = a.revision(vault(1), [1; 16].into(), None).await.unwrap();
    assert_eq!((current.counter, current.info.revision, current.sealed.len()), (2, 2, 25));
    assert_eq!(current.sealed, revision(1, 2, 25).sealed);
    let first = a.revision(vault(1), [1; 16].into(), Some(1)).await.unwrap();
    assert_eq!((first.counter, first.info), (1, revision(1, 1, 20).info));
    let history = a.history(vault(1), [1; 16].into()).await.unwrap();
    assert_eq!(history, [revision(1, 2, 25).info, revision(1, 1, 20).info]);
    for missing in [
        a.revision(vault(1), [9; 16].into(), None).await.unwrap_err(),
        a.revision(vault(1), [1; 16].into(), Some(3)).await.unwrap_err(),
        a.revision(vault(2), [1; 16].into(), None).await.unwrap_err(),
        a.history(vault(2), [1; 16].into()).await.unwrap_err(),
    ] {
        assert!(matches!(missing, AccountError::Missing(_)), "{missing}");
    }
    a.check().await.unwrap();
}

pub async fn a_commit_that_fails_leaves_nothing(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.commit(commit(1, 0, vec![revision(1, 1, 20)])).await.unwrap();
    let before = a.check().await.unwrap();
    for (wrong, why) in [
        (commit(1, 0, vec![revision(2, 1, 20)]), "an older base"),
        (commit(1, 2, vec![revision(2, 1, 20)]), "a base that is not yet"),
        (commit(1, 1, vec![revision(2, 1, 20), revision(1, 1, 20)]), "a revision that is there"),
        (commit(1, 1, vec![revision(2, 1, 20), revision(1, 3, 20)]), "a revision left out"),
        (commit(1, 1, vec![revision(2, 2, 20)]), "a second of what has no first"),
    ] {
        let refused = a.commit(wrong).await;
        assert!(matches!(refused, Err(AccountError::Conflict(_))), "{why}: {refused:?}");
    }
    let none = a.commit(commit(2, 0, vec![revision(1, 1, 20)])).await;
    assert!(matches!(none, Err(AccountError::Missing(_))));
    let mut changed = commit(1, 1, vec![revision(2, 1, 20)]);
    changed.revisions[0].sealed[9] ^= 1;
    assert!(matches!(a.commit(changed).await, Err(AccountError::Malformed(_))));
    assert_eq!(a.check().await.unwrap(), before);
    let kept = a.vault_of([1; 16].into()).await.unwrap();
    assert_eq!((kept.head.counter, kept.used_bytes), (1, 20));
}

pub async fn changes_come_by_whole_commits_and_current(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let changes = a.changes(vault(1), 0, 10).await.unwrap();
    assert_eq!((changes.revisions.len(), changes.next, changes.more), (0, 0, false));
    a.commit(commit(1, 0, vec![revision(1, 1, 20), revision(2, 1, 20)])).await.unwrap();
    a.commit(commit(1, 1, vec![revision(3, 1, 20), revision(4, 1, 20)])).await.unwrap();
    a.commit(commit(1, 2, vec![revision(1, 2, 20)])).await.unwrap();

    let seen = |c: &symbolon_account::Changes| {
        let one = |r: &symbolon_account::Revision| {
            (r.counter, r.info.item.as_bytes()[0], r.info.revision)
        };
        c.revisions.iter().map(one).collect::<Vec<_>>()
    };
    let all = a.changes(vault(1), 0, 10).await.unwrap();
    assert_eq!(seen(&all), [(1, 2, 1), (2, 3, 1), (2, 4, 1), (3, 1, 2)], "no superseded one");
    assert_eq!((all.next, all.more), (3, false));
    assert_eq!(all.revisions[3].sealed, revision(1, 2, 20).sealed);

    let mut pages = Vec::new();
    let mut after = 0;
    loop {
        let page = a.changes(vault(1), after, 1).await.unwrap();
        pages.push(seen(&page).len());
        after = page.next;
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, [1, 2, 1], "whole commits");
    let none = a.changes(vault(1), 3, 10).await.unwrap();
    assert_eq!((none.revisions.len(), none.next, none.more), (0, 3, false));
    let ahead = a.changes(vault(1), 9, 10).await.unwrap();
    assert_eq!((ahead.revisions.len(), ahead.next), (0, 3), "the client is ahead of the server");
    assert!(matches!(a.changes(vault(2), 0, 1).await, Err(AccountError::Missing(_))));
}

pub async fn history_is_bounded_and_erasing_ends_it(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    for n in 0..HISTORY_MAX + 5 {
        a.commit(commit(1, n, vec![revision(1, n + 1, 10)])).await.unwrap();
    }
    let history = a.history(vault(1), [1; 16].into()).await.unwrap();
    let (newest, oldest) = (history.first().unwrap(), history.last().unwrap());
    assert_eq!(history.len() as u64, HISTORY_MAX);
    assert_eq!((newest.revision, oldest.revision), (HISTORY_MAX + 5, 6));
    let used = a.vault_of([1; 16].into()).await.unwrap().used_bytes;
    assert_eq!(used, HISTORY_MAX * 10, "what went is not counted");

    let counter = HISTORY_MAX + 5;
    let mut erased = revision(1, counter + 1, 10);
    erased.info.state = ItemState::Erased;
    a.commit(commit(1, counter, vec![erased])).await.unwrap();
    assert_eq!(a.history(vault(1), [1; 16].into()).await.unwrap().len(), 1);
    assert_eq!(a.vault_of([1; 16].into()).await.unwrap().used_bytes, 10);
    // An item does not begin again where its past is gone.
    let again = a.commit(commit(1, counter + 1, vec![revision(1, 1, 10)])).await;
    assert!(matches!(again, Err(AccountError::Conflict(_))));
    a.check().await.unwrap();
}

pub async fn keys_change_by_compare_and_set(base: Base) {
    let a = &base.accounts;
    let one = person(1);
    a.sign_up(&one).await.unwrap();
    let mut keys = one.vault.keys.clone();
    keys.wraps = r#"[{"id":"second"}]"#.into();
    let change = KeyChange { base_version: 1, keys: keys.clone(), head: None };
    assert_eq!(a.change_keys(vault(1), &change, &event("wraps")).await.unwrap(), 2);
    let stale = a.change_keys(vault(1), &change, &event("wraps")).await;
    assert!(matches!(stale, Err(AccountError::Conflict(_))));

    // Another data key: the head is signed anew, in the same step.
    keys.head_key = [77; 32];
    keys.epoch = 2;
    let headless = KeyChange { base_version: 2, keys: keys.clone(), head: None };
    let refused = a.change_keys(vault(1), &headless, &event("rotated")).await;
    assert!(matches!(refused, Err(AccountError::Malformed(_))));
    let head = SignedHead { counter: 1, bytes: vec![5; 90] };
    let rotated = KeyChange { head: Some(head.clone()), ..headless };
    assert_eq!(a.change_keys(vault(1), &rotated, &event("rotated")).await.unwrap(), 3);
    let kept = a.vault_of([1; 16].into()).await.unwrap();
    assert_eq!((kept.head, kept.keys.clone(), kept.keys_version), (head, keys.clone(), 3));
    // A commit on the head of before is too late.
    let late = a.commit(commit(1, 0, vec![revision(1, 1, 20)])).await;
    assert!(matches!(late, Err(AccountError::Conflict(_))));
    keys.epoch = 1;
    let back = KeyChange { base_version: 3, keys, head: None };
    let refused = a.change_keys(vault(1), &back, &event("rotated")).await;
    assert!(matches!(refused, Err(AccountError::Malformed(_))), "an epoch does not come back");
    assert_eq!(a.account([1; 16].into()).await.unwrap().events, 3, "of the changes that stand");
    let none = a.change_keys(vault(2), &change, &event("wraps")).await;
    assert!(matches!(none, Err(AccountError::Missing(_))));
}

pub async fn a_vault_has_its_quota(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.commit(commit(1, 0, vec![revision(1, 1, 9_990)])).await.unwrap();
    let over = a.commit(commit(1, 1, vec![revision(2, 1, 11)])).await;
    assert!(matches!(over, Err(AccountError::Quota { needed: 10_001, max: 10_000 })));
    let mut erased = revision(1, 2, 11);
    erased.info.state = ItemState::Erased;
    a.commit(commit(1, 1, vec![erased])).await.unwrap();
    assert_eq!(a.vault_of([1; 16].into()).await.unwrap().used_bytes, 11, "erasing makes room");
    a.commit(commit(1, 2, vec![revision(2, 1, 9_000)])).await.unwrap();
}

/// What a vault may seal its server takes: one bound for both.
pub async fn the_longest_revision_of_a_vault_is_kept(base: Base) {
    let a = &base.accounts;
    let mut one = person(1);
    one.vault.quota_bytes = 10 << 20;
    a.sign_up(&one).await.unwrap();
    a.commit(commit(1, 0, vec![revision(1, 1, REVISION_BYTES_MAX)])).await.unwrap();
    let kept = a.revision(vault(1), [1; 16].into(), None).await.unwrap();
    assert_eq!(kept.sealed.len(), REVISION_BYTES_MAX);
    let longer = a.commit(commit(1, 1, vec![revision(1, 2, REVISION_BYTES_MAX + 1)])).await;
    assert!(matches!(longer, Err(AccountError::TooLong { what: "revision", .. })), "{longer:?}");
}
