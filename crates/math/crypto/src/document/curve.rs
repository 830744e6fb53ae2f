//! Elliptic curves by their name, or by their parameters written out (RFC 3279, section 2.3.5).

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Sequence, Tag, Tagged};
use ecdsa::VerifyingKey;
use symbolon_codec::hex;

use super::{DocumentKeyError, Inner};

const PRIME_FIELD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.1.1");

/// A curve that is verified on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
    Bp256,
    Bp384,
}

/// What defines a curve (SEC 1, section 3.1.1), big-endian in hexadecimal. The generator is `x || y`.
struct Domain {
    curve: Curve,
    oid: &'static str,
    p: &'static str,
    a: &'static str,
    b: &'static str,
    g: &'static str,
    n: &'static str,
}

impl Curve {
    /// By the parameters of an `id-ecPublicKey`.
    pub fn of(parameters: AnyRef<'_>) -> Result<Self, DocumentKeyError> {
        if parameters.tag() == Tag::ObjectIdentifier {
            let oid = parameters
                .decode_as::<ObjectIdentifier>()
                .map_err(|_| DocumentKeyError::Malformed)?;
            let oid = oid.to_string();
            let known = DOMAINS.iter().find(|domain| domain.oid == oid);
            return known.map(|domain| domain.curve).ok_or(DocumentKeyError::Unknown(oid));
        }
        let written =
            parameters.decode_as::<Written<'_>>().map_err(|_| DocumentKeyError::Malformed)?;
        let known = DOMAINS.iter().find(|domain| written.is(domain));
        known.map(|domain| domain.curve).ok_or(DocumentKeyError::Curve)
    }

    /// A point of it, compressed or not. It is on the curve, and not at infinity; the curves are of
    /// prime order, so nothing else is to be looked at.
    pub fn key(self, point: &[u8]) -> Result<Inner, DocumentKeyError> {
        let key = match self {
            Self::P256 => VerifyingKey::from_sec1_bytes(point).map(Inner::P256),
            Self::P384 => VerifyingKey::from_sec1_bytes(point).map(Inner::P384),
            Self::P521 => VerifyingKey::from_sec1_bytes(point).map(Inner::P521),
            Self::Bp256 => VerifyingKey::from_sec1_bytes(point).map(Inner::Bp256),
            Self::Bp384 => VerifyingKey::from_sec1_bytes(point).map(Inner::Bp384),
        };
        key.map_err(|_| DocumentKeyError::Key)
    }
}

/// `ECParameters`: all of it is compared, or a generator of one's own would make any signature hold
/// (CVE-2020-0601).
#[derive(Sequence)]
struct Written<'a> {
    version: u8,
    field: Field<'a>,
    curve: Coefficients<'a>,
    base: &'a OctetStringRef,
    order: UintRef<'a>,
    #[asn1(optional = "true")]
    cofactor: Option<u8>,
}

#[derive(Sequence)]
struct Field<'a> {
    kind: ObjectIdentifier,
    prime: UintRef<'a>,
}

/// The seed says where the coefficients come from, and is nothing that is computed with.
#[derive(Sequence)]
struct Coefficients<'a> {
    a: &'a OctetStringRef,
    b: &'a OctetStringRef,
    #[asn1(optional = "true")]
    seed: Option<BitStringRef<'a>>,
}

impl Written<'_> {
    fn is(&self, domain: &Domain) -> bool {
        (1..=3).contains(&self.version)
            && self.field.kind == PRIME_FIELD
            && is_number(self.field.prime.as_bytes(), domain.p)
            && is_number(self.curve.a.as_bytes(), domain.a)
            && is_number(self.curve.b.as_bytes(), domain.b)
            && is_generator(self.base.as_bytes(), domain.g)
            && is_number(self.order.as_bytes(), domain.n)
            && self.cofactor.is_none_or(|cofactor| cofactor == 1)
    }
}

fn is_number(given: &[u8], known: &str) -> bool {
    let significant = given.iter().position(|byte| *byte != 0).unwrap_or(given.len());
    hex::encode(&given[significant..]) == known
}

/// SEC 1, section 2.3.3: `04 || x || y`, or `02` or `03` and x, where y is even or odd.
fn is_generator(given: &[u8], known: &str) -> bool {
    let (x, y) = known.split_at(known.len() / 2);
    let is_odd = |y: &str| {
        matches!(y.as_bytes().last(), Some(b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f'))
    };
    match given.split_first() {
        Some((4, both)) => hex::encode(both) == known,
        Some((2, given)) => hex::encode(given) == x && !is_odd(y),
        Some((3, given)) => hex::encode(given) == x && is_odd(y),
        _ => false,
    }
}

/// FIPS 186-4, appendix D.1.2, and RFC 5639, sections 3.4 and 3.6.
const DOMAINS: [Domain; 5] = [
    Domain {
        curve: Curve::P256,
        oid: "1.2.840.10045.3.1.7",
        p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        a: "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        g: concat!(
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7",
            "eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        n: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    },
    Domain {
        curve: Curve::P384,
        oid: "1.3.132.0.34",
        p: concat!(
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff000000000000",
            "0000ffffffff",
        ),
        a: concat!(
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff000000000000",
            "0000fffffffc",
        ),
        b: concat!(
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85",
            "c8edd3ec2aef",
        ),
        g: concat!(
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a54",
            "5e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce",
            "1d7e819d7a431d7c90ea0e5f",
        ),
        n: concat!(
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec",
            "196accc52973",
        ),
    },
    Domain {
        curve: Curve::P521,
        oid: "1.3.132.0.35",
        p: concat!(
            "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "ffffffffffffffffffffffffffffffffffffffffffffffff",
        ),
        a: concat!(
            "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "fffffffffffffffffffffffffffffffffffffffffffffffc",
        ),
        b: concat!(
            "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b16",
            "52c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
        ),
        g: concat!(
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928",
            "fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66011839296a789a3bc0045c8a5fb42c7d1bd9",
            "98f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be",
            "94769fd16650",
        ),
        n: concat!(
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b",
            "7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
    },
    Domain {
        curve: Curve::Bp256,
        oid: "1.3.36.3.3.2.8.1.1.7",
        p: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
        a: "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
        b: "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
        g: concat!(
            "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262547ef835c3dac4fd97f8",
            "461a14611dc9c27745132ded8e545c1d54c72f046997",
        ),
        n: "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
    },
    Domain {
        curve: Curve::Bp384,
        oid: "1.3.36.3.3.2.8.1.1.11",
        p: concat!(
            "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a718747",
            "00133107ec53",
        ),
        a: concat!(
            "7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8",
            "c7dd22ce2826",
        ),
        b: concat!(
            "04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab7",
            "8696fa504c11",
        ),
        g: concat!(
            "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87",
            "b2e247d4af1e8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e464621",
            "7791811142820341263c5315",
        ),
        n: concat!(
            "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b88",
            "3202e9046565",
        ),
    },
];
