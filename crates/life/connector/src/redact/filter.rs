//! A response body on its way to the caller: decoded, searched, rewritten.

use std::sync::Arc;

use super::{Confirm, Counts, Pattern, RedactError, Redactor};
use crate::body::{Codings, Decoder, UndecodableBody};

/// Takes a body as it comes over the wire and gives it out decoded and without the credential.
///
/// What comes out is identity: the caller drops Content-Encoding and makes the framing anew. After
/// an error nothing more of the response may be given out.
pub struct Filter<C> {
    decoder: Decoder,
    redactor: Redactor<C>,
}

impl<C: Confirm> Filter<C> {
    /// For one body that may decode to `bytes_max` bytes.
    pub fn new(pattern: Arc<Pattern>, confirm: C, codings: &Codings, bytes_max: u64) -> Self {
        let decoder = Decoder::new(codings, bytes_max);
        Self { decoder, redactor: Redactor::new(pattern, confirm) }
    }

    /// Takes `input` and appends to `out` what is safe so far.
    ///
    /// # Errors
    /// [`FilterError`]: the body is to be refused, or cut off where some of it is out already.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), FilterError> {
        let redactor = &mut self.redactor;
        self.decoder.push(input, &mut |piece| {
            // Looked at often, so that an answer of echoes is cut off and not ground through.
            for block in piece.chunks(BLOCK_BYTES) {
                redactor.push(block, out)?;
                if redactor.counts().total() > ECHOES_MAX {
                    return Err(FilterError::Echoes);
                }
            }
            Ok(())
        })
    }

    /// The body is over: appends what was held back and says what was found.
    ///
    /// # Errors
    /// As [`Filter::push`], and where the body is cut short.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<Counts, FilterError> {
        self.decoder.finish()?;
        Ok(self.redactor.finish(out)?)
    }

    /// What was found so far.
    pub fn counts(&self) -> &Counts {
        self.redactor.counts()
    }
}

impl<C> std::fmt::Debug for Filter<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}

/// Why a body is not given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// It cannot be decoded, so not searched.
    #[error(transparent)]
    Undecodable(#[from] UndecodableBody),
    /// The search failed.
    #[error(transparent)]
    Redact(#[from] RedactError),
    /// An answer that is little but the credential: each echo costs an opening.
    #[error("the response repeats the credential more than {ECHOES_MAX} times")]
    Echoes,
}

/// More echoes in one body than any honest answer has.
pub const ECHOES_MAX: u32 = 1024;
const BLOCK_BYTES: usize = 16 * 1024;
