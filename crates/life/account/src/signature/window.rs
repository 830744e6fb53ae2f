//! How old a signed request may be.

use super::{SignatureError, SignatureInput};

/// How far a signature's time may be from the server's, in seconds, in both directions.
pub const WINDOW_SECONDS: u64 = 60;

impl SignatureInput {
    /// Checks that it was made within the window, and has not ended by its own word. Gives the Unix
    /// millisecond until which its nonce must be remembered: then it is too old for the window.
    ///
    /// # Errors
    /// [`SignatureError::Stale`].
    pub fn timely(&self, now_unix_ms: u64) -> Result<u64, SignatureError> {
        let now = now_unix_ms / 1000;
        let is_over = self.expires().is_some_and(|expires| now >= expires);
        if is_over || self.created().abs_diff(now) > WINDOW_SECONDS {
            return Err(SignatureError::Stale);
        }
        // A second for the rounding of both.
        Ok((self.created() + WINDOW_SECONDS + 1) * 1000)
    }
}
