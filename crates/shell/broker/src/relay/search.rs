//! How an answer's body is searched on its way: as bytes, or as the messages of gRPC.

use symbolon_connector::redact::Counts;

use super::clean::{Cleaner, Echo};
use super::grpc::Messages;
use crate::upstream::UpstreamError;

/// The search of one answer.
pub(super) enum Search {
    /// Any body; echoes are replaced.
    Bytes(Cleaner),
    /// gRPC; an echo ends the call.
    Messages(Messages),
}

impl Search {
    pub(super) fn echo(&self) -> &Echo {
        self.cleaner().echo()
    }

    pub(super) fn total(&self) -> Counts {
        self.cleaner().total()
    }

    fn cleaner(&self) -> &Cleaner {
        match self {
            Self::Bytes(cleaner) => cleaner,
            Self::Messages(messages) => messages.cleaner(),
        }
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        match self {
            Self::Bytes(cleaner) => cleaner.counts(),
            Self::Messages(messages) => messages.counts(),
        }
    }

    /// Takes `data` and appends to `out` what may pass.
    pub(super) fn push(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        match self {
            Self::Bytes(cleaner) => cleaner.push(data, out),
            Self::Messages(messages) => messages.push(data, out),
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        match self {
            Self::Bytes(cleaner) => cleaner.finish(out),
            Self::Messages(messages) => messages.finish(),
        }
    }

    /// Whether the answer is gRPC.
    pub(super) fn is_grpc(&self) -> bool {
        matches!(self, Self::Messages(_))
    }
}
