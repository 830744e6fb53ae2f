//! Brotli, RFC 7932, windows of at most 16 MiB.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::UndecodableBody;

pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    is_over: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let of = StandardAlloc::default;
        Self { state: BrotliState::new_strict(of(), of(), of()), is_over: false }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.is_over
    }

    pub(super) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), UndecodableBody> {
        if self.is_over {
            return if input.is_empty() { Ok((0, 0)) } else { Err(UndecodableBody::Trailing) };
        }
        let (mut left, mut used, mut room, mut made) = (input.len(), 0, out.len(), 0);
        let mut total = 0;
        let result = BrotliDecompressStream(
            &mut left,
            &mut used,
            input,
            &mut room,
            &mut made,
            out,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(UndecodableBody::Damaged),
            BrotliResult::ResultSuccess => self.is_over = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok((used, made))
    }
}
