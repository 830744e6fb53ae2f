//! For peers alone, for later, and what is changed on the way.

use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_ambient::SeededRng;
use symbolon_codec::hex;
use symbolon_crypto::{HpkeError, OpenError, RecipientSecret};
use symbolon_secret::Secret;

use super::super::tests::{receipt, verify};
use super::super::{CapsuleReceipt, FieldName};
use super::*;

const SHOW: [FieldName; 2] = [FieldName::Input, FieldName::Output];
const LATER: u64 = 1_000;

fn holder(seed: u8) -> RecipientSecret {
    RecipientSecret::derive(&Secret::<[u8; 32]>::make(|page| page.fill(seed)))
}

fn terms(threshold: u8, not_before_ms: u64, holders: &[u8]) -> Terms {
    let holders = holders.iter().map(|it| holder(*it).public()).collect();
    Terms { threshold, not_before_ms, holders }
}

fn sealed(terms: Terms) -> Disclosure {
    Disclosure::seal(&receipt(), &SHOW, terms, &SeededRng::new(6)).unwrap()
}

/// Two of three, from `LATER` on.
fn delayed() -> Disclosure {
    sealed(terms(2, LATER, &[1, 2, 3]))
}

fn changed(disclosure: &Disclosure, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(&disclosure.to_json()).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

fn opened(bytes: &[u8], seed: u8) -> Result<CapsuleReceipt, DisclosureError> {
    Disclosure::parse(bytes).unwrap().open(&holder(seed), LATER)
}

#[test]
fn each_authorised_peer_opens_it_alone_and_nobody_else_does() {
    let it = sealed(terms(1, 0, &[1, 2]));
    let read = Disclosure::parse(&it.to_json()).unwrap();
    assert_eq!(read, it);
    // Nothing of what is sealed can be read in the file.
    let text = String::from_utf8(it.to_json()).unwrap();
    let value =
        receipt().dangerous_unverified(FieldName::Input).unwrap().as_str().unwrap().to_owned();
    assert!(!text.contains(&value));
    for seed in [1, 2] {
        let shown = read.open(&holder(seed), 0).unwrap();
        assert_eq!(shown, receipt().disclose(&SHOW));
        assert!(verify(&shown).is_ok());
    }
    assert_eq!(read.open(&holder(3), 0).err(), Some(DisclosureError::Holder));
}

#[test]
fn so_many_holders_release_it_when_its_time_has_come() {
    let it = delayed();
    let early = Some(DisclosureError::Early { not_before_ms: LATER });
    assert_eq!(it.release(&holder(1), LATER - 1).err(), early);
    assert_eq!(it.open(&holder(1), LATER - 1).err(), early);
    let too_few = Some(DisclosureError::TooFew { needed: 2, found: 1 });
    assert_eq!(it.open(&holder(1), LATER).err(), too_few);
    assert_eq!(it.release(&holder(9), LATER).err(), Some(DisclosureError::Holder));

    let release = |seed| {
        let bytes = it.release(&holder(seed), LATER).unwrap().to_json();
        Release::parse(&bytes).unwrap()
    };
    // One twice is one.
    assert_eq!(it.open_released(&[release(2), release(2)]).err(), too_few);
    for pair in [[1, 2], [3, 1], [2, 3]] {
        let shown = it.open_released(&pair.map(release)).unwrap();
        assert_eq!(shown, receipt().disclose(&SHOW));
    }
    assert!(it.open_released(&[release(1), release(2), release(3)]).is_ok());
}

#[test]
fn a_release_that_is_not_this_ones_is_named() {
    let (it, other) = (delayed(), sealed(terms(2, LATER + 1, &[1, 2, 3])));
    let good = it.release(&holder(1), LATER).unwrap();
    let of_other = other.release(&holder(2), LATER + 1).unwrap();
    let refused = |bad| it.open_released(&[good.clone(), bad]).err();
    assert_eq!(refused(of_other), Some(DisclosureError::OtherRelease { holder: 2 }));
    for holder in [0, 4, 255] {
        let nobody = Release { holder, ..good.clone() };
        assert_eq!(refused(nobody), Some(DisclosureError::NoHolder { holder }));
    }
    let moved = Release { holder: 2, ..good.clone() };
    assert_eq!(refused(moved), Some(DisclosureError::Release { holder: 2 }));
    // The same terms, sealed again: other shares.
    let again =
        Disclosure::seal(&receipt(), &SHOW, it.terms().clone(), &SeededRng::new(7)).unwrap();
    let again = again.release(&holder(2), LATER).unwrap();
    assert_eq!(refused(again), Some(DisclosureError::Release { holder: 2 }));
}

#[test]
fn nothing_opens_at_another_time_for_others_or_beside_another_receipt() {
    let it = sealed(terms(1, LATER, &[1, 2]));
    let not_opened = Err(DisclosureError::Seal(HpkeError::NotOpened));
    let sooner = changed(&it, |it| it["notBefore"] = json!(0));
    assert_eq!(opened(&sooner, 1), not_opened);
    let one_more = changed(&it, |it| {
        let mut stranger = it["holders"][0].clone();
        stranger["key"] = json!(holder(9).public().to_string());
        it["holders"].as_array_mut().unwrap().push(stranger);
    });
    assert_eq!(opened(&one_more, 1), not_opened);
    assert_eq!(opened(&one_more, 9), not_opened);
    let fewer = changed(&delayed(), |it| it["threshold"] = json!(1));
    assert_eq!(opened(&fewer, 1), not_opened);
    let of_another = changed(&it, |it| {
        let field = &mut it["receipt"]["fields"][8]["commitment"];
        *field = json!(Digest32([7; 32]));
    });
    assert_eq!(opened(&of_another, 1), not_opened);
    let swapped = changed(&it, |it| {
        let share = it["holders"][1]["share"].clone();
        it["holders"][0]["share"] = share;
    });
    assert_eq!(opened(&swapped, 1), not_opened);
    let committed = changed(&it, |it| it["holders"][0]["commitment"] = json!(Digest32([7; 32])));
    assert_eq!(opened(&committed, 1), Err(DisclosureError::Share));
}

#[test]
fn fields_that_were_changed_or_are_none_of_the_receipts_are_refused() {
    let it = sealed(terms(1, 0, &[1]));
    let mut cut = it.clone();
    *cut.fields.last_mut().unwrap() ^= 1;
    assert_eq!(cut.open(&holder(1), 0), Err(DisclosureError::Envelope(OpenError::Damaged)));
    cut.fields.pop();
    assert_eq!(cut.open(&holder(1), 0), Err(DisclosureError::Envelope(OpenError::Truncated)));

    let one = json!({ "name": "input", "salt": Digest32([1; 32]), "value": "a guess" });
    let shown = |value: &Value| it.open_list(&serde_json::to_vec(value).unwrap());
    assert_eq!(shown(&json!([one])), Err(DisclosureError::Field(FieldName::Input)));
    let whole: Value = serde_json::from_slice(&receipt().to_json()).unwrap();
    let mut real = whole["fields"][8].clone();
    real.as_object_mut().unwrap().remove("commitment");
    assert!(shown(&json!([real])).is_ok());
    for none in [
        json!([real, real]),
        json!({}),
        json!([{ "name": "colour", "salt": Digest32([1; 32]), "value": 1 }]),
        json!([{ "name": "identity", "salt": Digest32([1; 32]), "value": 1 }]),
        json!([{ "name": "input", "value": 1 }]),
    ] {
        assert_eq!(shown(&none), Err(DisclosureError::Fields), "{none}");
    }
}

#[test]
fn only_what_the_receipt_shows_is_sealed_and_for_holders_that_can_be() {
    let seal = |receipt: &CapsuleReceipt, terms| {
        Disclosure::seal(receipt, &SHOW, terms, &SeededRng::new(6)).err()
    };
    let withheld = receipt().disclose(&[FieldName::Input]);
    let missing = Some(SealError::Withheld(FieldName::Output));
    assert_eq!(seal(&withheld, terms(1, 0, &[1])), missing);
    let seventeen: Vec<u8> = (1..18).collect();
    for bad in [
        terms(0, 0, &[1]),
        terms(2, 0, &[1]),
        terms(1, 0, &[]),
        terms(1, 0, &[1, 1]),
        terms(1, 0, &seventeen),
    ] {
        assert_eq!(seal(&receipt(), bad), Some(SealError::Terms));
    }
}

#[test]
fn files_of_another_form_are_refused() {
    let it = sealed(terms(1, 0, &[1]));
    let parse = |change: fn(&mut Value)| Disclosure::parse(&changed(&it, change)).err().unwrap();
    type E = DisclosureFormError;
    assert!(matches!(parse(|it| it["mediaType"] = json!("x")), E::MediaType(_)));
    assert!(matches!(parse(|it| it["more"] = json!(1)), E::Form(_)));
    assert!(matches!(parse(|it| it["threshold"] = json!(300)), E::Form(_)));
    assert!(matches!(parse(|it| it["threshold"] = json!(2)), E::Terms));
    assert!(matches!(parse(|it| it["holders"] = json!([])), E::Terms));
    assert!(matches!(
        parse(|it| it["holders"][0]["key"] = json!(hex::encode([0; 32]))),
        E::Form(_)
    ));
    assert!(matches!(parse(|it| it["holders"][0]["share"] = json!("00")), E::Form(_)));
    assert!(matches!(parse(|it| it["fields"] = json!("a b")), E::Json(_)));
    assert!(matches!(parse(|it| it["receipt"] = json!({})), E::Receipt(_)));
    let whole = serde_json::from_slice::<Value>(&receipt().to_json()).unwrap();
    let shows = changed(&it, |it| it["receipt"] = whole);
    assert_eq!(Disclosure::parse(&shows), Err(E::Shown));
    let long = vec![b' '; DISCLOSURE_BYTES_MAX + 1];
    assert!(matches!(Disclosure::parse(&long), Err(E::Json(_))));
    assert!(matches!(Release::parse(b"{}"), Err(E::MediaType(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_file_with_any_byte_changed_gives_what_was_sealed_or_nothing(at: prop::sample::Index, to: u8) {
        let mut bytes = sealed(terms(1, 0, &[1])).to_json();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(shown) = Disclosure::parse(&bytes).map(|it| it.open(&holder(1), 0))
            && let Ok(shown) = shown
        {
            // What is not under the seal is under the receipt's own proof.
            prop_assert!(shown == receipt().disclose(&SHOW) || verify(&shown).is_err());
        }
    }
}
