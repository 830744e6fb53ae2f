//! How a proof's bytes become points and scalars.
//!
//! Half of a check is that each point of the proof is in its group, and no point waits for another: they are read on
//! every processor before the transcript begins. The verifier's library reads its transcript in order and one by one, so
//! it is given the points in their long form, of which reading costs nothing: what it takes for a proof was made here,
//! of points that were checked.

use std::borrow::Cow;
use std::io::{self, Read};

use blake2b_simd::State;
use ff::PrimeField;
use group::prime::PrimeCurveAffine;
use group::{GroupEncoding, UncompressedEncoding};
use midnight_curves::{G1Affine, G1Projective};
use midnight_proofs::transcript::{Hashable, Sampleable, TranscriptHash};
#[cfg(feature = "prove")]
use rayon::prelude::*;

use crate::Fr;

/// In what order points (48 bytes) and scalars (32 bytes) stand in a proof: how many of the one, how many of the other,
/// and so on.
pub(crate) type Layout = &'static [usize];

const POINT: usize = 48;
const LONG_POINT: usize = 96;
const SCALAR: usize = 32;

/// Bytes of a proof of this layout.
pub(crate) const fn bytes(layout: Layout) -> usize {
    let (mut sum, mut at) = (0, 0);
    while at < layout.len() {
        sum += layout[at] * if at % 2 == 0 { POINT } else { SCALAR };
        at += 1;
    }
    sum
}

/// A proof with its points in their long form. None where one of them is no point of the group in its one spelling.
pub(crate) fn long(proof: &[u8], layout: Layout) -> Option<Vec<u8>> {
    let mut parts = Vec::new();
    let mut rest = proof;
    for (run, count) in layout.iter().enumerate() {
        let is_points = run % 2 == 0;
        let size = count * if is_points { POINT } else { SCALAR };
        let (these, behind) = rest.split_at_checked(size)?;
        if is_points {
            parts.extend(these.chunks_exact(POINT).map(Part::Point));
        } else {
            parts.push(Part::Scalars(these));
        }
        rest = behind;
    }
    if !rest.is_empty() {
        return None;
    }
    #[cfg(feature = "prove")]
    let parts = parts.par_iter();
    #[cfg(not(feature = "prove"))]
    let parts = parts.iter();
    let long: Option<Vec<Cow<'_, [u8]>>> = parts.map(Part::long).collect();
    Some(long?.concat())
}

/// What can be read without the rest.
enum Part<'a> {
    Point(&'a [u8]),
    Scalars(&'a [u8]),
}

impl<'a> Part<'a> {
    fn long(&self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Point(bytes) => long_point(bytes).map(|long| Cow::Owned(long.to_vec())),
            Self::Scalars(bytes) => Some(Cow::Borrowed(bytes)),
        }
    }
}

/// On the curve, in the group, canonical.
fn long_point(bytes: &[u8]) -> Option<[u8; LONG_POINT]> {
    let mut short = <G1Affine as GroupEncoding>::Repr::default();
    short.as_mut().copy_from_slice(bytes);
    let point: Option<G1Affine> = G1Affine::from_bytes(&short).into();
    let mut long = [0; LONG_POINT];
    long.copy_from_slice(point?.to_uncompressed().as_ref());
    Some(long)
}

/// The transcript's hash, that of the provers, of which points are read in their long form.
#[derive(Clone)]
pub(crate) struct Ahead(State);

/// What is hashed: bytes, as a type that tells this hash from the library's.
pub(crate) struct Absorbed(Vec<u8>);

impl TranscriptHash for Ahead {
    type Input = Absorbed;
    type Output = Vec<u8>;

    fn init() -> Self {
        Self(<State as TranscriptHash>::init())
    }

    fn absorb(&mut self, input: &Absorbed) {
        TranscriptHash::absorb(&mut self.0, &input.0);
    }

    fn squeeze(&mut self) -> Vec<u8> {
        TranscriptHash::squeeze(&mut self.0)
    }
}

impl Hashable<Ahead> for G1Projective {
    fn to_input(&self) -> Absorbed {
        Absorbed(Hashable::<State>::to_input(self))
    }

    fn to_bytes(&self) -> Vec<u8> {
        Hashable::<State>::to_bytes(self)
    }

    fn read(buffer: &mut impl Read) -> io::Result<Self> {
        let mut bytes = <G1Affine as UncompressedEncoding>::Uncompressed::default();
        buffer.read_exact(bytes.as_mut())?;
        let point: Option<G1Affine> = G1Affine::from_uncompressed_unchecked(&bytes).into();
        point.map(|point| point.to_curve()).ok_or_else(|| io::Error::other("no point"))
    }
}

impl Hashable<Ahead> for Fr {
    fn to_input(&self) -> Absorbed {
        Absorbed(self.to_repr().to_vec())
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.to_repr().to_vec()
    }

    fn read(buffer: &mut impl Read) -> io::Result<Self> {
        Hashable::<State>::read(buffer)
    }
}

impl Sampleable<Ahead> for Fr {
    fn sample(hash: Vec<u8>) -> Self {
        <Self as Sampleable<State>>::sample(hash)
    }
}

#[cfg(test)]
mod tests {
    use group::Group;

    use super::*;

    const LAYOUT: Layout = &[2, 1, 1];

    fn proof() -> Vec<u8> {
        let point = |n: u64| GroupEncoding::to_bytes(&(G1Projective::generator() * Fr::from(n)));
        let scalar = Fr::from(7).to_repr();
        [point(2).as_ref(), point(3).as_ref(), scalar.as_ref(), point(5).as_ref()].concat()
    }

    #[test]
    fn what_is_long_reads_as_what_was_short() {
        let long = long(&proof(), LAYOUT).unwrap();
        assert_eq!(long.len(), 3 * LONG_POINT + SCALAR);
        let mut buffer = &*long;
        for n in [2, 3] {
            let point = <G1Projective as Hashable<Ahead>>::read(&mut buffer).unwrap();
            assert_eq!(point, G1Projective::generator() * Fr::from(n));
            let hashed = Hashable::<Ahead>::to_input(&point).0;
            assert_eq!(hashed, Hashable::<State>::to_input(&point), "what is hashed stays short");
        }
        assert_eq!(<Fr as Hashable<Ahead>>::read(&mut buffer).unwrap(), Fr::from(7));
        let last = <G1Projective as Hashable<Ahead>>::read(&mut buffer).unwrap();
        assert_eq!(last, G1Projective::generator() * Fr::from(5));
        assert!(buffer.is_empty());
    }

    #[test]
    fn no_point_but_of_the_group_in_its_one_spelling() {
        assert_eq!(bytes(LAYOUT), proof().len());
        assert!(long(&proof()[1..], LAYOUT).is_none());
        assert!(long(&[proof(), vec![0]].concat(), LAYOUT).is_none());
        // Of order 3, on the curve: x = 0, y = 2.
        let mut small = [0; POINT];
        small[0] = 0x80;
        // Off the curve: no y for x = 1; above the field's modulus; without the bit of the short form.
        let mut off = small;
        off[POINT - 1] = 1;
        for wrong in [small, off, [0xff; POINT], [0; POINT]] {
            for at in [0, POINT, 2 * POINT + SCALAR] {
                let mut it = proof();
                it[at..at + POINT].copy_from_slice(&wrong);
                assert!(long(&it, LAYOUT).is_none(), "{wrong:?} at {at}");
            }
        }
    }
}
