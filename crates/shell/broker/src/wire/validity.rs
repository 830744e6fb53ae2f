//! When a certificate is valid (RFC 5280, section 4.1.2.5): the one field of it that is ours to read.

use std::cmp::Ordering;

use symbolon_codec::time::rfc3339;

/// From when to when, both included, to the second: `YYYYMMDDhhmmss`, so that text orders as time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Validity {
    from: [u8; DIGITS],
    until: [u8; DIGITS],
}

impl Validity {
    /// Of a certificate in DER; `None` where it is not one.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (whole, _) = take(certificate, SEQUENCE)?;
        let (mut tbs, _) = take(whole, SEQUENCE)?;
        // A certificate of version 1 names none.
        if let Some((_, rest)) = take(tbs, VERSION) {
            tbs = rest;
        }
        // Serial number, signature algorithm, issuer.
        for tag in [INTEGER, SEQUENCE, SEQUENCE] {
            tbs = take(tbs, tag)?.1;
        }
        let (validity, _) = take(tbs, SEQUENCE)?;
        let (from, rest) = time(validity)?;
        let (until, _) = time(rest)?;
        Some(Self { from, until })
    }

    /// Whether this moment is before it, in it, or after it.
    pub(super) fn at(&self, unix_ms: u64) -> Ordering {
        let mut now = rfc3339(unix_ms).into_bytes();
        now.retain(u8::is_ascii_digit);
        now.truncate(DIGITS);
        if *now < self.from[..] {
            Ordering::Less
        } else if *now > self.until[..] {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }
}

/// The content of the element at the start of `der`, and what follows it. Only lengths that DER
/// has, up to 65,535.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (len, rest) = match der {
        [found, len @ 0..=0x7f, rest @ ..] if *found == tag => (usize::from(*len), rest),
        [found, 0x81, len @ 0x80..=0xff, rest @ ..] if *found == tag => (usize::from(*len), rest),
        [found, 0x82, high @ 1..=0xff, low, rest @ ..] if *found == tag => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// A UTCTime or a GeneralizedTime in the one form of each that RFC 5280 allows.
fn time(der: &[u8]) -> Option<([u8; DIGITS], &[u8])> {
    let (century, text, rest) = match take(der, UTC_TIME) {
        // RFC 5280, section 4.1.2.5.1: 50 to 99 are of the twentieth century.
        Some((text, rest)) => {
            let century: &[u8] = if *text.first()? >= b'5' { b"19" } else { b"20" };
            (century, text, rest)
        }
        None => take(der, GENERALIZED_TIME).map(|(text, rest)| (&b""[..], text, rest))?,
    };
    let digits = [century, text.strip_suffix(b"Z")?].concat();
    let digits = <[u8; DIGITS]>::try_from(digits).ok()?;
    digits.iter().all(u8::is_ascii_digit).then_some((digits, rest))
}

const DIGITS: usize = 14;
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn certificate(version: &[u8], from: &[u8], until: &[u8]) -> Vec<u8> {
        let validity = der(SEQUENCE, &[from, until].concat());
        let before = [der(INTEGER, &[7]), der(SEQUENCE, &[]), der(SEQUENCE, b"issuer")].concat();
        let tbs = der(SEQUENCE, &[version, &before, &validity, b"more"].concat());
        der(SEQUENCE, &[&tbs[..], b"signature"].concat())
    }

    #[test]
    fn both_times_and_both_versions_are_read() {
        let (early, late) = (der(UTC_TIME, b"991231235959Z"), der(UTC_TIME, b"491231235959Z"));
        let long = der(GENERALIZED_TIME, b"20500101000000Z");
        let v3 = der(VERSION, &der(INTEGER, &[2]));
        for version in [&b""[..], &v3] {
            let found = Validity::of(&certificate(version, &early, &late)).unwrap();
            assert_eq!((&found.from, &found.until), (b"19991231235959", b"20491231235959"));
            let found = Validity::of(&certificate(version, &early, &long)).unwrap();
            assert_eq!(&found.until, b"20500101000000");
        }
        for bad in [&b"991231235959"[..], b"9912312359Z", b"99123123595xZ", b"", b"Z"] {
            assert_eq!(
                Validity::of(&certificate(b"", &der(UTC_TIME, bad), &late)),
                None,
                "{bad:?}"
            );
        }
    }

    #[test]
    fn both_ends_belong_to_it() {
        // 946684799 is the last second of 1999; 946684801 the first but one of 2000.
        let ends = (der(UTC_TIME, b"991231235959Z"), der(UTC_TIME, b"000101000001Z"));
        let validity = Validity::of(&certificate(b"", &ends.0, &ends.1)).unwrap();
        for (second, at) in [
            (946_684_798, Ordering::Less),
            (946_684_799, Ordering::Equal),
            (946_684_801, Ordering::Equal),
            (946_684_802, Ordering::Greater),
        ] {
            assert_eq!(validity.at(second * 1000), at, "{second}");
        }
    }

    #[test]
    fn what_is_cut_off_is_no_certificate() {
        let end = der(UTC_TIME, b"491231235959Z");
        let whole = certificate(b"", &end, &end);
        assert!(Validity::of(&whole).is_some());
        for cut in 0..whole.len() {
            assert_eq!(Validity::of(&whole[..cut]), None, "{cut}");
        }
    }
}
