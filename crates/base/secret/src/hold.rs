//! A test hook: keep a secret in the clear, so that a dump or a scan surely falls inside.

/// With the feature `hold` and `SYMBOLON_HOLD=point:millis` in the environment, sleeps there when
/// `point` is the one named; without the feature compiled to nothing.
///
/// Points: `opened` (a credential is in its page) and `record` (a TLS record's plaintext is
/// complete). A duration of `0` or anything unreadable holds nothing.
#[inline(always)]
pub fn hold(point: &str) {
    #[cfg(feature = "hold")]
    held::hold(point);
    #[cfg(not(feature = "hold"))]
    let _ = point;
}

#[cfg(feature = "hold")]
mod held {
    use std::sync::OnceLock;
    use std::time::Duration;

    pub(super) fn hold(point: &str) {
        static HOLD: OnceLock<Option<(String, Duration)>> = OnceLock::new();
        let hold = HOLD.get_or_init(|| {
            let text = std::env::var("SYMBOLON_HOLD").ok()?;
            let (point, millis) = text.split_once(':')?;
            Some((point.to_owned(), Duration::from_millis(millis.parse().ok()?)))
        });
        if let Some((wanted, time)) = hold
            && wanted == point
        {
            std::thread::sleep(*time);
        }
    }
}
