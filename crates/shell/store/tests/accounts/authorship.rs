//! Registered texts: once each, the first index first, and no account in what stays.

use symbolon_account::{AccountError, AccountStore};
use symbolon_authorship::{AuthorshipStore, Naming, Registration};
use symbolon_codec::Digest32;
use symbolon_store::Accounts;

use crate::base::Base;
use crate::make::{NOW, person};

const LOG: &str = "example.test/log";

/// Not sixteen bytes of one kind in a row, which is what names a person in these tests.
fn hash(n: u8) -> Digest32 {
    Digest32(std::array::from_fn(|i| if i % 2 == 0 { n } else { 255 - n }))
}

fn registered(n: u8, index: u64) -> Registration {
    Registration { commitment: hash(n), log: LOG.to_owned(), digest: None, indices: vec![index] }
}

fn revealed(of: Registration, digest: u8, index: u64) -> Registration {
    let indices = [&of.indices[..], &[index]].concat();
    Registration { digest: Some(hash(digest)), indices, ..of }
}

/// A registration that was revealed, with the name of person `n`.
pub async fn furnish(a: &Accounts, n: u8) {
    let begun = registered(n, n.into());
    a.put_registration(&begun).await.unwrap();
    let shown = revealed(begun, n, 100 + u64::from(n));
    a.change_registration(&shown, Naming::By([n; 16].into())).await.unwrap();
}

pub async fn a_commitment_is_registered_once(base: Base) {
    let a = &base.accounts;
    let first = registered(1, 7);
    assert_eq!(a.registration(&first.commitment).await.unwrap(), None);
    a.put_registration(&first).await.unwrap();
    let again = a.put_registration(&registered(1, 9)).await.unwrap_err();
    assert!(matches!(again, AccountError::Exists(_)));
    assert_eq!(a.registration(&first.commitment).await.unwrap(), Some(first));
}

pub async fn of_those_who_revealed_a_digest_the_first_registered_is_first(base: Base) {
    let a = &base.accounts;
    let digest = hash(50);
    for (n, index) in [(1, 7), (2, 5), (3, 3)] {
        a.put_registration(&registered(n, index)).await.unwrap();
    }
    assert_eq!(a.first_of(LOG, &digest).await.unwrap(), None);
    for (n, index, at) in [(1, 7, 10), (2, 5, 11)] {
        let shown = revealed(registered(n, index), 50, at);
        a.change_registration(&shown, Naming::Kept).await.unwrap();
        assert_eq!(a.first_of(LOG, &digest).await.unwrap(), Some(shown), "{n} is the first now");
    }
    let other = Registration { log: "other.test/log".to_owned(), ..registered(4, 1) };
    a.put_registration(&other).await.unwrap();
    a.change_registration(&revealed(other, 50, 2), Naming::Kept).await.unwrap();
    let first = a.first_of(LOG, &digest).await.unwrap().unwrap();
    assert_eq!(first.indices[0], 5, "what another log has is not before it");
}

pub async fn entries_come_one_behind_the_other(base: Base) {
    let a = &base.accounts;
    let begun = registered(1, 7);
    let shown = revealed(begun.clone(), 1, 9);
    let missing = a.change_registration(&shown, Naming::Kept).await.unwrap_err();
    assert!(matches!(missing, AccountError::Missing(_)));
    a.put_registration(&begun).await.unwrap();
    a.change_registration(&shown, Naming::Kept).await.unwrap();
    for late in [revealed(begun.clone(), 2, 11), begun] {
        let said = a.change_registration(&late, Naming::Kept).await.unwrap_err();
        assert!(matches!(said, AccountError::Conflict(_)), "{late:?}");
    }
    assert_eq!(a.registration(&shown.commitment).await.unwrap(), Some(shown));
}

pub async fn a_name_goes_with_its_account_and_the_registration_stays(base: Base) {
    let a = &base.accounts;
    for n in [1, 2] {
        a.sign_up(&person(n)).await.unwrap();
        furnish(a, n).await;
        assert_eq!(a.named(&hash(n)).await.unwrap(), Some([n; 16].into()));
    }
    let shown = a.registration(&hash(1)).await.unwrap().unwrap();
    a.delete_account([1; 16].into(), NOW).await.unwrap();
    assert_eq!(a.named(&shown.commitment).await.unwrap(), None);
    assert_eq!(a.registration(&shown.commitment).await.unwrap(), Some(shown));

    // Handed over by who is there yet: named, and then nobody.
    let next = revealed(a.registration(&hash(2)).await.unwrap().unwrap(), 2, 200);
    a.change_registration(&next, Naming::Kept).await.unwrap();
    assert_eq!(a.named(&next.commitment).await.unwrap(), Some([2; 16].into()));
    let next = revealed(next, 2, 201);
    a.change_registration(&next, Naming::Nobody).await.unwrap();
    assert_eq!(a.named(&next.commitment).await.unwrap(), None);
    a.check().await.unwrap();
}
