//! The first byte chooses: a capsule's receipt, a disclosure or a release as it is, or a place in a disclosure of our own
//! that is changed.

use std::sync::LazyLock;

use symbolon_ambient::SeededRng;
use symbolon_crypto::RecipientSecret;
use symbolon_receipt::capsule::{CapsuleReceipt, Disclosure, FieldName, Release, Terms};
use symbolon_secret::Secret;

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 4 {
        0 => receipt(rest),
        1 => disclosure(rest),
        2 => release(rest),
        _ => changed(rest),
    }
}

fn receipt(bytes: &[u8]) {
    let Ok(read) = CapsuleReceipt::parse(bytes) else { return };
    assert_eq!(CapsuleReceipt::parse(&read.to_json()).as_ref(), Ok(&read));
    // What is withheld is not in it any more, and what is withheld twice is withheld.
    let least = read.disclose(&[]);
    assert_eq!(least.disclose(&[]), least);
    assert!(least.dangerous_unverified(FieldName::Input).is_none());
    assert_eq!(CapsuleReceipt::parse(&least.to_json()), Ok(least));
}

fn disclosure(bytes: &[u8]) {
    let Ok(read) = Disclosure::parse(bytes) else { return };
    assert_eq!(Disclosure::parse(&read.to_json()).as_ref(), Ok(&read));
    assert!(read.open(&holder(9), u64::MAX).is_err(), "nobody sealed it for this one");
}

fn release(bytes: &[u8]) {
    let Ok(read) = Release::parse(bytes) else { return };
    assert_eq!(Release::parse(&read.to_json()).as_ref(), Ok(&read));
    assert!(OURS.1.open_released(&[read]).is_err(), "two are needed");
}

/// Two bytes for the place, one for the change; what is left is put in there.
fn changed(rest: &[u8]) {
    let [high, low, change, inserted @ ..] = rest else { return };
    let (whole, ours) = &*OURS;
    let mut bytes = ours.to_json();
    let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
    bytes[at] ^= change;
    bytes.splice(at..at, inserted.iter().copied());
    let Ok(read) = Disclosure::parse(&bytes) else { return };
    let releases = [1, 2].map(|seed| read.release(&holder(seed), LATER));
    let [Ok(one), Ok(two)] = releases else { return };
    let Ok(shown) = read.open_released(&[one, two]) else { return };
    assert_eq!(shown, whole.disclose(&SHOW), "it opens as it was sealed, or not at all");
}

const SHOW: [FieldName; 2] = [FieldName::Input, FieldName::Time];
const LATER: u64 = 1_000;

fn holder(seed: u8) -> RecipientSecret {
    RecipientSecret::derive(&Secret::<[u8; 32]>::make(|page| page.fill(seed)))
}

/// A receipt of a run, and what two of three may open of it later.
static OURS: LazyLock<(CapsuleReceipt, Disclosure)> = LazyLock::new(|| {
    let receipt = include_bytes!("../../corpus/disclosure/receipt_ours");
    let receipt = CapsuleReceipt::parse(&receipt[1..]).expect("our own receipt");
    let holders = [1, 2, 3].map(|seed| holder(seed).public()).to_vec();
    let terms = Terms { threshold: 2, not_before_ms: LATER, holders };
    let sealed = Disclosure::seal(&receipt, &SHOW, terms, &SeededRng::new(6));
    (receipt, sealed.expect("fields that it has"))
});
