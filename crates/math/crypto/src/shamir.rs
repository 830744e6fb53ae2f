//! A secret in shares, any `threshold` of which make it again and fewer say nothing of it (Shamir 1979), byte by byte
//! over GF(2^8) with the polynomial of AES. No branch and no address depends on a secret.

use symbolon_ambient::Rng;
use symbolon_secret::{MemoryError, Secret, on_stack};

/// Most shares of one secret.
pub const SHARES_MAX: u8 = 16;

/// Why there are no shares, or no secret of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// More wanted than there are, none, or too many.
    #[error("a secret has 1 to 16 shares, and needs 1 to all of them")]
    Threshold,
    /// A share's number is zero, or is there twice.
    #[error("each share has a number of its own, from 1 on")]
    Numbers,
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for ShareError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// Shares 1 to `count`, of which any `threshold` make the secret again.
///
/// # Errors
/// [`ShareError::Threshold`], [`ShareError::NoPage`].
pub fn split_shares(
    secret: &Secret<[u8; 32]>,
    threshold: u8,
    count: u8,
    rng: &dyn Rng,
) -> Result<Vec<Secret<[u8; 32]>>, ShareError> {
    if threshold == 0 || threshold > count || count > SHARES_MAX {
        return Err(ShareError::Threshold);
    }
    let random = |_| {
        Secret::<[u8; 32]>::try_make(|page| {
            rng.fill(page);
            Ok::<_, ShareError>(())
        })
    };
    let coefficients = (1..threshold).map(random).collect::<Result<Vec<_>, _>>()?;
    let share = |x| {
        Secret::<[u8; 32]>::try_make(|page| {
            on_stack(|| {
                // Horner's rule, from the highest power down.
                for coefficient in coefficients.iter().rev() {
                    // EXPOSE: added to a share in its secret page.
                    add_times(page, x, coefficient.expose());
                }
                // EXPOSE: as above; the secret is the polynomial's value at zero.
                add_times(page, x, secret.expose());
            });
            Ok::<_, ShareError>(())
        })
    };
    (1..=count).map(share).collect()
}

/// The secret of these shares, each with its number. Of too few, or of others, something else comes out.
///
/// # Errors
/// [`ShareError`].
pub fn combine_shares(shares: &[(u8, &Secret<[u8; 32]>)]) -> Result<Secret<[u8; 32]>, ShareError> {
    if shares.is_empty() || shares.len() > usize::from(SHARES_MAX) {
        return Err(ShareError::Threshold);
    }
    let is_twice = |at: usize| shares[..at].iter().any(|it| it.0 == shares[at].0);
    if (0..shares.len()).any(|at| shares[at].0 == 0 || is_twice(at)) {
        return Err(ShareError::Numbers);
    }
    Secret::<[u8; 32]>::try_make(|page| {
        on_stack(|| {
            for (x, share) in shares {
                // The Lagrange polynomial of this number, at zero. Numbers are no secrets.
                let others = shares.iter().map(|it| it.0).filter(|other| other != x);
                let weight = others
                    .fold(1, |product, other| times(product, times(other, inverse(other ^ x))));
                // EXPOSE: weighed into the secret's page.
                for (out, byte) in page.iter_mut().zip(share.expose()) {
                    *out ^= times(weight, *byte);
                }
            }
        });
        Ok::<_, ShareError>(())
    })
}

/// `page` = `page` · x + `add`, byte by byte.
fn add_times(page: &mut [u8; 32], x: u8, add: &[u8; 32]) {
    for (out, add) in page.iter_mut().zip(add) {
        *out = times(*out, x) ^ add;
    }
}

/// The product, in the same steps for all.
fn times(mut a: u8, b: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= a & (b >> bit & 1).wrapping_neg();
        a = a << 1 ^ (0x1b & (a >> 7).wrapping_neg());
    }
    product
}

/// The 254th power.
fn inverse(a: u8) -> u8 {
    let mut power = 1;
    for _ in 0..254 {
        power = times(power, a);
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    fn secret(seed: u8) -> Secret<[u8; 32]> {
        Secret::<[u8; 32]>::make(|page| page.iter_mut().zip(seed..).for_each(|(b, n)| *b = n))
    }

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197, section 4.2.
        assert_eq!((times(0x57, 0x83), times(0x57, 0x13)), (0xc1, 0xfe));
        assert!((1..=255).all(|a| times(a, inverse(a)) == 1));
    }

    #[test]
    fn any_so_many_shares_make_the_secret_and_fewer_do_not() {
        let rng = SeededRng::new(1);
        for (threshold, count) in [(1, 1), (1, 3), (2, 3), (3, 5), (5, 5)] {
            let shares = split_shares(&secret(9), threshold, count, &rng).unwrap();
            for chosen in 1u32..1 << count {
                let some: Vec<_> =
                    (1..=count).zip(&shares).filter(|(n, _)| chosen >> (n - 1) & 1 == 1).collect();
                let made = combine_shares(&some).unwrap();
                let is_enough = some.len() >= usize::from(threshold);
                assert_eq!(made.ct_eq(&secret(9)), is_enough, "{threshold}/{count} {chosen:b}");
            }
        }
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        let rng = SeededRng::new(1);
        for (threshold, count) in [(0, 1), (3, 2), (1, 17), (0, 0)] {
            let refused = split_shares(&secret(1), threshold, count, &rng).err();
            assert_eq!(refused, Some(ShareError::Threshold));
        }
        let one = secret(1);
        assert_eq!(combine_shares(&[]).err(), Some(ShareError::Threshold));
        assert_eq!(combine_shares(&[(0, &one)]).err(), Some(ShareError::Numbers));
        assert_eq!(combine_shares(&[(2, &one), (2, &one)]).err(), Some(ShareError::Numbers));
    }
}
