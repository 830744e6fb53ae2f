//! What passes between the wire and what judges: bytes, and who they came from.

use crate::peer::{Address, Peer};

/// What is thought of a message that spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is right: it is sent on.
    Accept,
    /// It is wrong: it is not sent on, and who sent it is at fault.
    Reject,
    /// It is not sent on, and nobody is at fault.
    Ignore,
}

/// What came from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A peer is there.
    Connected {
        /// Which.
        peer: Peer,
    },
    /// It is gone.
    Disconnected {
        /// Which.
        peer: Peer,
    },
    /// A message that spread. It goes nowhere before [`Order::Verdict`].
    Gossip {
        /// Who sent it on.
        peer: Peer,
        /// Under which topic.
        topic: String,
        /// At most [`MESSAGE_BYTES_MAX`](crate::MESSAGE_BYTES_MAX).
        bytes: Vec<u8>,
        /// For the verdict.
        token: u64,
    },
    /// A peer asks.
    Request {
        /// Which.
        peer: Peer,
        /// What.
        bytes: Vec<u8>,
        /// For the answer.
        token: u64,
    },
    /// A peer answered.
    Response {
        /// Which.
        peer: Peer,
        /// Of [`Order::Ask`].
        id: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// No answer will come.
    Failed {
        /// Of whom.
        peer: Peer,
        /// Of [`Order::Ask`].
        id: u64,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// On a message that spread.
    Verdict {
        /// Of [`Heard::Gossip`].
        token: u64,
        /// What is thought of it.
        verdict: Verdict,
    },
    /// A message of our own spreads.
    Publish {
        /// Under which topic: one of those that the wire was started with.
        topic: String,
        /// At most [`MESSAGE_BYTES_MAX`](crate::MESSAGE_BYTES_MAX).
        bytes: Vec<u8>,
    },
    /// A peer is asked.
    Ask {
        /// Which.
        peer: Peer,
        /// Comes back with what becomes of it.
        id: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A peer is answered.
    Answer {
        /// Of [`Heard::Request`].
        token: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// What is thought of a peer, in points: below -40 no message ids are exchanged with it, below -100 nothing is
    /// published to it, below -200 nothing that it sends is looked at; earlier where messages of it were refused.
    Score {
        /// Of whom.
        peer: Peer,
        /// Points.
        value: f64,
    },
    /// A peer is cut off until it is let in again.
    Cut {
        /// Which.
        peer: Peer,
    },
    /// A peer is let in again.
    Admit {
        /// Which.
        peer: Peer,
    },
    /// The node's owner chose a peer beyond this machine: from now on those are dialled too, where no proxy does it.
    Widen,
    /// An address is dialled, and dialled again whenever its peer is gone.
    Join(Address),
}
