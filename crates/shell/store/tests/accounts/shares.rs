use symbolon_account::{AccountError, AccountStore, Share, ShareTo, Viewer};

use crate::base::Base;
use crate::make::{NOW, event, person, share};

fn missing<T>(r: Result<T, AccountError>) -> bool {
    matches!(r, Err(AccountError::Missing(_)))
}

pub async fn a_share_for_an_account_is_for_it_alone(base: Base) {
    let a = &base.accounts;
    for n in 1..=3 {
        a.sign_up(&person(n)).await.unwrap();
    }
    let (me, you, other) = ([1; 16].into(), [2; 16].into(), [3; 16].into());
    let one = share(1, 7, ShareTo::Account(you));
    a.put_share(&one, &event("shared")).await.unwrap();
    for viewer in [Viewer::Link, Viewer::Account(other), Viewer::Account(me)] {
        assert!(missing(a.view_share(one.id, viewer, NOW).await), "{viewer:?}");
    }
    let seen = a.view_share(one.id, Viewer::Account(you), NOW).await.unwrap();
    assert_eq!(seen, Share { views: 1, ..one.clone() });
    let listed = Share { sealed: Vec::new(), ..seen };
    assert_eq!(a.shares_to(you, NOW).await.unwrap(), std::slice::from_ref(&listed));
    assert_eq!(a.shares_from(me).await.unwrap(), [listed]);
    assert!(a.shares_to(other, NOW).await.unwrap().is_empty());
    assert!(a.shares_to(you, NOW + 1000).await.unwrap().is_empty(), "expired");
    let nobody = share(1, 8, ShareTo::Account([9; 16].into()));
    assert!(missing(a.put_share(&nobody, &event("shared")).await));
}

pub async fn a_link_is_seen_so_often(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    let one = share(1, 7, ShareTo::Link);
    a.put_share(&one, &event("shared")).await.unwrap();
    assert!(missing(a.view_share(one.id, Viewer::Link, NOW + 1000).await), "expired");
    for views in 1..=3 {
        let seen = a.view_share(one.id, Viewer::Link, NOW).await.unwrap();
        assert_eq!((seen.views, &seen.sealed), (views, &one.sealed));
    }
    assert!(missing(a.view_share(one.id, Viewer::Link, NOW).await));
    let used = Share { views: 1, ..share(1, 8, ShareTo::Link) };
    let refused = a.put_share(&used, &event("shared")).await;
    assert!(matches!(refused, Err(AccountError::Malformed(_))));
}

pub async fn what_was_taken_back_is_gone(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    a.sign_up(&person(2)).await.unwrap();
    let one = share(1, 7, ShareTo::Link);
    a.put_share(&one, &event("shared")).await.unwrap();
    assert!(missing(a.revoke_share([2; 16].into(), one.id, &event("unshared")).await));
    a.view_share(one.id, Viewer::Link, NOW).await.unwrap();
    a.revoke_share([1; 16].into(), one.id, &event("unshared")).await.unwrap();
    assert!(missing(a.view_share(one.id, Viewer::Link, NOW).await));
    assert!(missing(a.revoke_share([1; 16].into(), one.id, &event("unshared")).await));
    let listed = a.shares_from([1; 16].into()).await.unwrap();
    assert_eq!(listed[0].revoked_unix_ms, Some(NOW));
    a.check().await.unwrap();
}
