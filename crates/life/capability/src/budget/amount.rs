//! Amounts: fixed-point decimals in millionths, never floating point.

use std::fmt;

use serde_json::Value;

/// An amount of money or units, in millionths. Nothing here is ever negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Amount(u64);

/// Millionths in one.
const ONE: u64 = 1_000_000;
/// The most that one amount can be: a million million.
const MICROS_MAX: u64 = 1_000_000_000_000 * ONE;
/// Digits after the point.
const PLACES: i32 = 6;
/// Longest decimal that is read from an argument.
const DIGITS_MAX: usize = 24;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole, as a call counts.
    pub const ONE: Self = Self(ONE);

    /// From millionths, as they are stored.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Millionths.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Reads `500` or `12.5`: digits, at most six of them after the point. No sign, no exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || whole.len() > 12 || part.len() > PLACES as usize {
            return None;
        }
        let part = part.parse::<u64>().ok()? * 10u64.pow(PLACES as u32 - part.len() as u32);
        whole.parse::<u64>().ok()?.checked_mul(ONE)?.checked_add(part).map(Self)
    }

    /// The sum, as far as numbers go.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of `self` without `other`.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / ONE, self.0 % ONE);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:06}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

/// What one of a parameter is worth: `/100` or `*0.002`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    times: u64,
    by: u64,
}

impl Scale {
    /// One for one.
    pub const ONE: Self = Self { times: 1, by: 1 };

    /// `/N`: N of the parameter make one. `None` for zero.
    pub fn per(n: Amount) -> Option<Self> {
        (n.0 > 0).then_some(Self { times: ONE, by: n.0 })
    }

    /// `*N`: each counts as N. `None` for zero.
    pub fn times(n: Amount) -> Option<Self> {
        (n.0 > 0).then_some(Self { times: n.0, by: ONE })
    }

    /// What an argument comes to, rounded up to a millionth. A number, or a decimal in a string as
    /// services that mind their cents take it. The text that is read is the text that is sent.
    /// `None` for anything else: negative, not a plain number, too long.
    pub fn apply(self, value: &Value) -> Option<Amount> {
        let (digits, exponent) = match value {
            Value::Number(n) => decimal(&n.to_string(), true)?,
            Value::String(s) => decimal(s, false)?,
            _ => return None,
        };
        let mut over = digits.checked_mul(u128::from(self.times))?;
        let mut under = u128::from(self.by);
        let power = exponent + PLACES;
        let ten = 10u128.checked_pow(power.unsigned_abs());
        match (power >= 0, ten) {
            (true, Some(ten)) => over = over.checked_mul(ten)?,
            (true, None) if over == 0 => {}
            (true, None) => return None,
            // So small that it is the smallest there is, or nothing.
            (false, None) => return Some(Amount(u64::from(over > 0))),
            (false, Some(ten)) => match under.checked_mul(ten) {
                Some(all) => under = all,
                None => return Some(Amount(u64::from(over > 0))),
            },
        }
        let micros = u64::try_from(over.div_ceil(under)).ok()?;
        (micros <= MICROS_MAX).then_some(Amount(micros))
    }
}

/// A decimal's digits and the power of ten that they stand for. `exponents`: as JSON writes numbers.
fn decimal(text: &str, exponents: bool) -> Option<(u128, i32)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) if exponents => (m, e.parse::<i32>().ok().filter(|e| e.abs() <= 400)?),
        Some(_) => return None,
        None => (text, 0),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(both) => both,
        None => (mantissa, ""),
    };
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) || whole.len() + part.len() > DIGITS_MAX {
        return None;
    }
    let digits = [whole, part].concat().parse::<u128>().ok()?;
    Some((digits, exponent - part.len() as i32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(value: Value, scale: Scale) -> Option<String> {
        scale.apply(&value).map(|a| a.to_string())
    }

    #[test]
    fn amounts_are_written_as_they_are_read() {
        for text in ["0", "500", "12.5", "0.000001", "999999999999.999999"] {
            assert_eq!(Amount::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Amount::parse("1.50").unwrap().to_string(), "1.5");
        for bad in
            ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", "0.0000001", "9999999999999", " 1"]
        {
            assert_eq!(Amount::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_argument_is_counted_as_it_is_sent_and_never_too_low() {
        let cents = Scale::per(Amount::parse("100").unwrap()).unwrap();
        assert_eq!(read(json!(5000), cents).unwrap(), "50");
        assert_eq!(read(json!(1), cents).unwrap(), "0.01");
        assert_eq!(read(json!("12.34"), Scale::ONE).unwrap(), "12.34");
        // 0.1 + 0.2 is a matter of floats; a decimal is not.
        assert_eq!(read(json!(0.3), Scale::ONE).unwrap(), "0.3");
        assert_eq!(read(json!(1e3), Scale::ONE).unwrap(), "1000");
        let thirds = Scale::per(Amount::parse("3").unwrap()).unwrap();
        assert_eq!(read(json!(1), thirds).unwrap(), "0.333334", "rounded up");
        assert_eq!(read(json!(1e-300), Scale::ONE).unwrap(), "0.000001", "rounded up");
        assert_eq!(read(json!(0), cents).unwrap(), "0");
        let price = Scale::times(Amount::parse("0.00001").unwrap()).unwrap();
        assert_eq!(read(json!(4096), price).unwrap(), "0.04096");
    }

    #[test]
    fn what_is_no_amount_is_not_counted() {
        let odd = [
            json!(-1),
            json!(-0.5),
            json!(null),
            json!(true),
            json!([1]),
            json!({"value": 1}),
            json!(1e300),
            json!("1e3"),
            json!("-1"),
            json!(""),
            json!("1."),
            json!(".1"),
            json!("0x10"),
            json!("1 "),
            json!("٣"),
            json!("1_000"),
            json!("1234567890123456789012345"),
            json!(u64::MAX),
        ];
        for value in odd {
            assert_eq!(Scale::ONE.apply(&value), None, "{value}");
        }
        assert_eq!(Scale::per(Amount::ZERO), None);
    }

    proptest! {
        #[test]
        fn cents_are_exact(cents in 0u64..1_000_000_000_000) {
            let scale = Scale::per(Amount::parse("100").unwrap()).unwrap();
            prop_assert_eq!(scale.apply(&json!(cents)).unwrap().micros(), cents * 10_000);
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}", n in any::<f64>()) {
            let _ = (Amount::parse(&text), Scale::ONE.apply(&json!(text)), Scale::ONE.apply(&json!(n)));
        }
    }
}
