use symbolon_account::{AccountError, AccountStore};

use crate::base::Base;
use crate::make::{credential, event, person};

pub async fn each_event_is_chained_to_the_one_before(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let me = [1; 16].into();
    for n in 0..6 {
        a.append_event(me, &event(&format!("kind-{n}"))).await.unwrap();
    }
    let all = a.events(me, 0, 100).await.unwrap();
    assert_eq!(all.iter().map(|e| e.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    for pair in all.windows(2) {
        assert_eq!(pair[1].prev, pair[0].digest());
    }
    assert_eq!(a.account(me).await.unwrap().events_head, all[6].digest());
    assert_eq!(a.events(me, 3, 2).await.unwrap(), all[3..5]);
    assert!(a.events(me, 7, 10).await.unwrap().is_empty());
    let none = a.append_event([9; 16].into(), &event("x")).await;
    assert!(matches!(none, Err(AccountError::Missing(_))));
    let odd = a.append_event(me, &event("Not A Word")).await;
    assert!(matches!(odd, Err(AccountError::Malformed(_))));

    // Neither the middle nor the end of a chain goes unnoticed.
    let raw = base.raw().await;
    raw.run("DELETE FROM event WHERE number = 7", vec![]).await;
    assert!(matches!(a.events(me, 0, 100).await, Err(AccountError::Damaged(_))), "the end");
    assert!(a.events(me, 0, 6).await.is_ok(), "what is before it is whole");
    raw.run("DELETE FROM event WHERE number = 3", vec![]).await;
    assert!(matches!(a.events(me, 0, 4).await, Err(AccountError::Damaged(_))), "the middle");
    assert!(matches!(a.check().await, Err(AccountError::Damaged(_))));
}

pub async fn a_change_that_fails_leaves_no_event(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let again = a.add_credential(&credential(1, 1), &event("added")).await;
    assert!(matches!(again, Err(AccountError::Exists(_))));
    assert_eq!(a.events([1; 16].into(), 0, 10).await.unwrap().len(), 1);
}
