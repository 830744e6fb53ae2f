//! Each constraint broken alone, forged signatures, what two receipts have in common, and circuit against twin.

use ff::Field;
use proptest::prelude::*;
use symbolon_ambient::SeededRng;

use super::witness::Opened;
use super::{Capsule, Description, Witness, native};
use crate::Fr;
use crate::issuer::{IssuerKey, coordinates};
use crate::statements::relation::Circuit;
use crate::testing::{all_broken, breaks, holds, off, taken};
use crate::value::{Element, Hidden};

const POLICY: &[u8] = br#"{"landlock_abi":1}"#;

fn publisher(seed: u64) -> IssuerKey {
    IssuerKey::make(&SeededRng::new(seed))
}

fn description(component: u8, capsule: &str, policy: &[u8]) -> Description {
    Description::new(&[component; 64], capsule, policy)
}

fn of(description: &Description, salt: u64, receipt: u8) -> (Vec<Fr>, Opened) {
    let (key, salt) = (publisher(1), Hidden::make(&SeededRng::new(salt)));
    let signature = description.sign(&key, &SeededRng::new(2));
    let statement = Capsule {
        receipt: Capsule::receipt(&[receipt; 32]),
        policy: description.policy(),
        publisher: key.public(),
        commitment: description.commit(&salt),
    };
    let witness = Witness { description, salt: &salt, signature: &signature };
    (statement.publics(), statement.open(witness).unwrap())
}

fn made() -> (Vec<Fr>, Opened) {
    of(&description(7, "hello/1.0.0", POLICY), 3, 4)
}

/// A publisher signs what the witness was changed to.
fn sign(key: &IssuerKey, publics: &[Fr], opened: &mut Opened) {
    let signed = native::description(opened.component, opened.capsule, publics[2]);
    let signature = key.sign_element(Element(signed), &SeededRng::new(8));
    (opened.s, opened.e) = (signature.s, signature.e);
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let (publics, opened) = made();
    holds::<Capsule>(&publics, &opened);
    let mut numbers = Vec::new();
    let mut case = |number: u8, change: &dyn Fn(&mut Vec<Fr>, &mut Opened)| {
        let (mut p, mut o) = (publics.clone(), opened.clone());
        change(&mut p, &mut o);
        breaks::<Capsule>(number, &p, &o);
        numbers.push(number);
    };
    case(1, &|p, _| p[0] = off(p[0]));

    // 2: a signature by nobody, by another publisher, over another name, policy or component; the key of another, and
    // coordinates that are no key's.
    case(2, &|_, o| o.s += midnight_curves::Fr::ONE);
    case(2, &|_, o| o.e = off(o.e));
    case(2, &|p, o| sign(&publisher(77), p, o));
    case(2, &|p, _| (p[3], p[4]) = coordinates(&publisher(77).public().0));
    case(2, &|_, o| o.capsule = off(o.capsule));
    case(2, &|p, _| p[2] = off(p[2]));
    for at in 0..3 {
        case(2, &|p, o| {
            o.component[at] = off(o.component[at]);
            p[5] = native::commitment(o.component, o.salt);
        });
    }

    // 3: another salt, another commitment, and another component that the publisher signed too.
    case(3, &|_, o| o.salt = off(o.salt));
    case(3, &|p, _| p[5] = off(p[5]));
    for at in 0..3 {
        case(3, &|p, o| {
            o.component[at] = off(o.component[at]);
            sign(&publisher(1), p, o);
        });
    }
    all_broken(&numbers, 3);
}

/// The other end of the key is a key, and not the publisher's. What is no point of the subgroup never becomes a cell: the
/// library's witness generator refuses it, and the twin does first.
#[test]
fn coordinates_that_are_no_keys_are_refused() {
    let (publics, opened) = made();
    let (u, v) = (publics[3], publics[4]);
    let at = |u, v| {
        let mut changed = publics.clone();
        (changed[3], changed[4]) = (u, v);
        changed
    };
    breaks::<Capsule>(2, &at(-u, v), &opened);
    for (u, v) in [(off(u), v), (u, -v), (Fr::ZERO, -Fr::ONE), (v, u)] {
        assert_eq!(Capsule::broken(&at(u, v), &opened), [2]);
    }
}

/// The identity is a key under which `e` alone decides: nobody's, so it is none.
#[test]
fn a_signature_under_the_identity_is_refused() {
    let (mut publics, mut opened) = made();
    (publics[3], publics[4]) = (Fr::ZERO, Fr::ONE);
    let signed = native::description(opened.component, opened.capsule, publics[2]);
    let nobody = crate::issuer::IssuerPublicKey(group::Group::identity());
    let point = <midnight_curves::JubjubSubgroup as group::Group>::generator() * opened.s;
    opened.e = crate::issuer::challenge(&nobody, &point, signed);
    assert_eq!(Capsule::broken(&publics, &opened), [2]);
}

#[test]
fn two_capsules_of_one_publisher_have_publisher_and_policy_in_common() {
    let (a, _) = of(&description(7, "hello/1.0.0", POLICY), 3, 4);
    let (b, _) = of(&description(9, "other/2.0.0", POLICY), 5, 6);
    let same: Vec<usize> = (0..a.len()).filter(|at| a[*at] == b[*at]).collect();
    assert_eq!(same, [0, 2, 3, 4]);
    // Nor are two runs of one capsule known by anything else.
    let (again, _) = of(&description(7, "hello/1.0.0", POLICY), 5, 6);
    assert_ne!(a[5], again[5]);
    // Each of the 64 bytes counts, and the border between name and version does.
    let of = |at: usize| {
        let mut component = [7; 64];
        component[at] ^= 1;
        Description::new(&component, "hello/1.0.0", POLICY).element()
    };
    let plain = description(7, "hello/1.0.0", POLICY).element();
    assert!((0..64).all(|at| of(at) != plain));
    assert_ne!(description(7, "hello/1.0.01", POLICY).element(), plain);
}

#[test]
fn a_signature_is_over_its_description_alone() {
    let key = publisher(1);
    let plain = description(7, "hello/1.0.0", POLICY);
    let signature = plain.sign(&key, &SeededRng::new(2));
    assert!(plain.verify(&key.public(), &signature).is_ok());
    for other in [
        description(8, "hello/1.0.0", POLICY),
        description(7, "hello/1.0.1", POLICY),
        description(7, "hello/1.0.0", b"{}"),
    ] {
        assert!(other.verify(&key.public(), &signature).is_err());
    }
    assert!(plain.verify(&publisher(2).public(), &signature).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn circuit_and_twin_agree(component: u8, salt: u64, forged: bool, moved: bool) {
        let (mut publics, mut opened) = of(&description(component, "a/0.0.1", POLICY), salt, 1);
        if forged {
            opened.e = off(opened.e);
        }
        if moved {
            publics[5] = off(publics[5]);
        }
        let good = Capsule::broken(&publics, &opened).is_empty();
        prop_assert_eq!(good, !forged && !moved);
        prop_assert_eq!(taken::<Capsule>(&publics, &opened), good);
    }
}
