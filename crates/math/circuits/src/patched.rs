//! What our patches of the provers' crates rest on (`xtask/patches`), tested with the unpatched functions: those that are
//! linked here. The page's module alone is built with the patches.

use ff::Field;
use group::{Curve, Group};
use midnight_circuits::ecc::curves::{CircuitCurve, EdwardsCurve};
use midnight_curves::{G1Projective, JubjubExtended, JubjubSubgroup};
use proptest::prelude::*;

use crate::Fr;

/// An element of the field, at an edge or anywhere.
fn arb_element() -> impl Strategy<Value = Fr> {
    prop_oneof![
        1 => Just(Fr::ZERO),
        1 => Just(Fr::ONE),
        1 => Just(-Fr::ONE),
        4 => any::<[u64; 4]>().prop_map(|limbs| {
            let [a, b, c, d] = limbs.map(Fr::from);
            let word = Fr::from(u64::MAX) + Fr::ONE;
            ((d * word + c) * word + b) * word + a
        }),
    ]
}

fn arb_points(count: usize) -> impl Strategy<Value = Vec<G1Projective>> {
    proptest::collection::vec(arb_element(), count)
        .prop_map(|scalars| scalars.iter().map(|it| G1Projective::generator() * it).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_sum_is_the_sum_of_its_tiles(
        (points, scalars) in (1_usize..80).prop_flat_map(|count| {
            (arb_points(count), proptest::collection::vec(arb_element(), count))
        }),
        tile in 1_usize..40,
    ) {
        let whole = G1Projective::multi_exp(&points, &scalars);
        let tiles = points.chunks(tile).zip(scalars.chunks(tile));
        let sum: G1Projective = tiles.map(|(p, s)| G1Projective::multi_exp(p, s)).sum();
        prop_assert_eq!(whole, sum);
    }
}

/// As the patch has it.
fn on_curve(x: Fr, y: Fr) -> bool {
    let (xx, yy) = (x * x, y * y);
    JubjubExtended::A * xx + yy == Fr::from(1) + JubjubExtended::D * xx * yy
}

proptest! {
    #[test]
    fn who_satisfies_the_equation_is_who_decompresses(times in any::<u64>(), x in arb_element(), y in arb_element()) {
        let times = <JubjubSubgroup as Group>::Scalar::from(times);
        let point = JubjubExtended::from(JubjubSubgroup::generator() * times);
        let (u, v) = point.coordinates().unwrap();
        // A point, those that differ from it by a sign, and what is on no curve but by chance.
        for (u, v) in [(u, v), (-u, v), (u, -v), (-u, -v), (u, y), (x, v), (x, y), (v, u)] {
            let found = JubjubExtended::from_xy(u, v);
            if on_curve(u, v) {
                let found = found.expect("it is on the curve").to_affine();
                prop_assert_eq!((found.get_u(), found.get_v()), (u, v));
            } else if let Some(found) = found {
                // The library looks at the sign of the first coordinate alone, and may give another point.
                prop_assert_ne!(found.to_affine().get_u(), u);
            }
        }
    }
}
