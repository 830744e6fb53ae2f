//! What goes into the state machine, and what comes out.

use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;

use crate::evidence::Evidence;
use crate::fault::Fault;
use crate::name::LogId;

/// A node, by the public key that it answers with (Ed25519).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer(pub [u8; 32]);

/// What is spread under which name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Entries, as many as follow each other in one message.
    Entries,
    /// Checkpoints.
    Checkpoints,
    /// Evidence against operators.
    Evidence,
}

impl Topic {
    /// All.
    pub const ALL: [Self; 3] = [Self::Entries, Self::Checkpoints, Self::Evidence];

    /// Its name for gossipsub.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entries => "symbolon/mesh/entries/v1",
            Self::Checkpoints => "symbolon/mesh/checkpoints/v1",
            Self::Evidence => "symbolon/mesh/evidence/v1",
        }
    }

    /// Longest message.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Entries => crate::entry::ENTRY_BYTES_MAX + 2048,
            Self::Checkpoints => crate::checkpoint::NOTE_BYTES_MAX + 1024,
            Self::Evidence => crate::evidence::EVIDENCE_BYTES_MAX,
        }
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// A connection to a node is there, its key proven by the transport.
    Connected {
        /// Who.
        peer: Peer,
    },
    /// The last connection to a node is gone.
    Disconnected {
        /// Who.
        peer: Peer,
    },
    /// A node showed a certificate by other means than the request.
    Introduced {
        /// Who.
        peer: Peer,
        /// Its bytes.
        certificate: Vec<u8>,
    },
    /// A message came; it waits for its verdict and is not forwarded before.
    Gossip {
        /// Who forwarded it to us, who need not be its author.
        peer: Peer,
        /// Where.
        topic: Topic,
        /// The message.
        bytes: Vec<u8>,
        /// Names it in the verdict.
        token: u64,
    },
    /// A node asks.
    Request {
        /// Who.
        peer: Peer,
        /// The request.
        bytes: Vec<u8>,
        /// Names it in the answer.
        token: u64,
    },
    /// An answer to what we asked.
    Response {
        /// Who.
        peer: Peer,
        /// As in [`Output::Ask`].
        id: u64,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// What we asked got no answer.
    Failed {
        /// Who.
        peer: Peer,
        /// As in [`Output::Ask`].
        id: u64,
    },
    /// Our own log has more: entries that are durable, and the newest checkpoint if there is one.
    Grown {
        /// The log.
        log: LogId,
        /// Place of the first of them.
        from: u64,
        /// The entries.
        entries: Vec<Vec<u8>>,
        /// The note.
        note: Option<String>,
    },
    /// Witnesses signed a checkpoint of our own log that was spread before.
    Cosigned {
        /// The log.
        log: LogId,
        /// The note with their lines.
        note: String,
    },
    /// Somebody here asks others whether an entry stands in a log.
    Verify {
        /// Names the question in [`Output::Verified`].
        id: u64,
        /// The log.
        log: LogId,
        /// The entry's place.
        index: u64,
        /// Its hash.
        leaf: Digest32,
        /// How many operators, other than the log's and ours, have to say so.
        quorum: usize,
        /// Operators whose word counts nothing.
        excluded: Vec<VerifyingKey>,
    },
    /// Time has passed: at least every 500 ms.
    Tick,
}

/// What to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is good: forward it.
    Accept,
    /// It is nobody's fault, and not forwarded.
    Ignore,
    /// Whoever forwarded it did not check it, or made it.
    Reject,
}

/// How a question to others ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// That many operators showed the entry there, under checkpoints of the log.
    Confirmed {
        /// Who.
        by: Vec<VerifyingKey>,
    },
    /// The log has another entry there, under this checkpoint.
    Contradicted {
        /// The checkpoint.
        note: String,
        /// What stands there.
        leaf: Digest32,
        /// The path that shows it.
        path: Vec<Digest32>,
    },
    /// Too few answered.
    Unknown {
        /// Who did, and confirmed it.
        by: Vec<VerifyingKey>,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// The end of a message's wait.
    Verdict {
        /// Who forwarded the message.
        peer: Peer,
        /// Which message.
        token: u64,
        /// What to do with it.
        verdict: Verdict,
    },
    /// Spread this.
    Publish {
        /// Where.
        topic: Topic,
        /// What.
        bytes: Vec<u8>,
    },
    /// Ask a node.
    Ask {
        /// Whom.
        peer: Peer,
        /// Names the question in the response.
        id: u64,
        /// The request.
        bytes: Vec<u8>,
    },
    /// Answer a request.
    Answer {
        /// Which request.
        token: u64,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// Application score of a node for gossipsub: 0 at best.
    Score {
        /// Who.
        peer: Peer,
        /// Below zero for what it did.
        value: f64,
    },
    /// A node did what none does that checks.
    Faulty {
        /// Who.
        peer: Peer,
        /// Whose node it is, if it said.
        operator: Option<VerifyingKey>,
        /// What.
        fault: Fault,
    },
    /// Cut a node off, and take nothing of it until then (ms, by this node's clock).
    Cut {
        /// Who.
        peer: Peer,
        /// Until when.
        until_ms: u64,
    },
    /// A node showed whose it is.
    Introduced {
        /// Who.
        peer: Peer,
        /// Its operator.
        operator: VerifyingKey,
    },
    /// An entry came whose claim holds; no checkpoint that is checked covers it yet.
    Arrived {
        /// Its log.
        log: LogId,
        /// Its place.
        index: u64,
        /// Its hash.
        leaf: Digest32,
    },
    /// Entries are in our copy, durable, under a checkpoint.
    Advanced {
        /// The log.
        log: LogId,
        /// Entries before.
        from: u64,
        /// Entries now.
        to: u64,
    },
    /// Witnesses that are believed signed a checkpoint that is reached, or one more of them did.
    Cosigned {
        /// The log.
        log: LogId,
        /// The checkpoint with their lines, and no other lines than the log's.
        note: String,
    },
    /// An operator contradicted itself.
    Evidence(Box<Evidence>),
    /// A log that nobody here follows is spoken of: it can be followed by [`Mesh::follow`](crate::Mesh::follow).
    Unfollowed {
        /// Text of its key.
        log: String,
    },
    /// A question is answered.
    Verified {
        /// As in [`Input::Verify`].
        id: u64,
        /// How it ended.
        outcome: Verified,
    },
    /// Our copy of a log takes no more: its storage failed, or it is not what it was. It can be followed anew.
    Stopped {
        /// The log.
        log: LogId,
        /// Why.
        reason: String,
    },
}
