//! What the parameters give, by the library's own calculators, over the largest trace.

use p3_air::symbolic::AirLayout;
use p3_field::PrimeCharacteristicRing;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_uni_stark::{ConjecturedSecurity, OpeningShape, ProvenSecurity, StarkSecurityParams};

use crate::BLOCKS_MAX;
use crate::air::{COLUMNS, Sponge, height_log2};
use crate::config::{Challenge, RANDOM_COLUMNS, Value, parameters};
use crate::sponge::DIGEST_LIMBS;

/// Bits of a challenge: the field has 2^31 - 2^24 + 1 elements, and the extension is of degree 5.
const MODULUS_BITS: usize = 154;
/// Finding two inputs of BLAKE3 with one output.
const COLLISION_BITS: usize = 128;

#[test]
fn a_false_statement_costs_more_than_2_to_the_100() {
    let height = height_log2(BLOCKS_MAX);
    let domain = TwoAdicMultiplicativeCoset::new(Value::ONE, height).unwrap();
    let layout = AirLayout {
        main_width: COLUMNS,
        num_public_values: 1 + DIGEST_LIMBS,
        ..AirLayout::default()
    };
    let parameters = parameters(());
    let security = StarkSecurityParams::from_air::<Value, Challenge, _>(
        parameters.security_regime(),
        &Sponge::default(),
        layout,
        domain,
        MODULUS_BITS,
        COLLISION_BITS,
        2,
        OpeningShape::hiding(RANDOM_COLUMNS),
        parameters.grinding_sites(),
    );
    let conjectured = ConjecturedSecurity::compute_from_params(&security, height + 1);
    let proven = ProvenSecurity::compute_from_proof(height + 1, &security);
    assert_eq!(conjectured.security_bits, 121);
    assert_eq!((proven.list_decoding_bits, proven.unique_decoding_bits), (108, 83));
}
