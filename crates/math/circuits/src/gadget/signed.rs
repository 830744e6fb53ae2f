//! A signature, checked inside a circuit.

use group::Group;
use midnight_circuits::ecc::native::AssignedScalarOfNativeCurve;
use midnight_circuits::instructions::{
    AssignmentInstructions, ConversionInstructions, EccInstructions,
};
use midnight_circuits::types::AssignedNativePoint;
use midnight_curves::{Fr as Order, JubjubExtended, JubjubSubgroup};
use midnight_proofs::circuit::{Layouter, Value};

use super::board::{Board, Cell, Drawn};
use crate::Fr;
use crate::value::Domain;

/// `e = Poseidon(domain, pk, s * G + e * pk, message)`. The coordinates of `pk` are the next two
/// public inputs, and held to the subgroup.
pub(crate) fn signed<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    message: &Cell,
    s: Value<Order>,
    e: Value<Fr>,
) -> Drawn<()> {
    type Scalar = AssignedScalarOfNativeCurve<JubjubExtended>;
    type Point = AssignedNativePoint<JubjubExtended>;

    let (key_u, key_v) = (board.public()?, board.public()?);
    let jubjub = board.std.jubjub();
    let key: Point = jubjub.point_from_coordinates(board.layouter, &key_u, &key_v)?;
    let s: Scalar = jubjub.assign(board.layouter, s)?;
    let e = board.private(e)?;
    // The element's bits, and only those of the integer below the field's order.
    let bits: Scalar = jubjub.convert(board.layouter, &e)?;
    let generator: Point = jubjub.assign_fixed(board.layouter, JubjubSubgroup::generator())?;
    let point = jubjub.msm(board.layouter, &[s, bits], &[generator, key])?;
    let (u, v) = (jubjub.x(board.layouter, &point)?, jubjub.y(board.layouter, &point)?);
    let domain = board.tag(Domain::Signature, 0)?;
    let challenge = board.hash(&[&domain, &key_u, &key_v, &u, &v, message])?;
    board.equal(&challenge, &e)
}
