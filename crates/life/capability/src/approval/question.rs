//! A question about one exact call, the answer, and the evidence of it.

use std::sync::Arc;

use symbolon_ambient::Rng;
use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::{labels, sha256_parts};
use symbolon_log::{Durable, Ticket};

use super::{AskRule, AskVia};
use crate::engine::Lease;
use crate::gate::Gates;
use crate::{Context, GrantId};

/// Why a call waits for a person: which grant's rule wants it.
#[derive(Debug, Clone)]
pub struct Need {
    /// The grant that would let the call through.
    pub grant: GrantId,
    /// Its rule.
    pub rule: AskRule,
    /// Who may answer.
    pub via: AskVia,
}

/// What a caller of the engine brings for a call that a rule wants asked about.
#[derive(Debug)]
pub enum Consent {
    /// Nothing: the call is refused where a rule wants a person asked.
    None,
    /// A token may be given now; at its redemption the rules hold.
    AtRedeem,
    /// Evidence of a yes to this exact request.
    Given(Approval),
}

/// One exact call that somebody is asked about, before the log knows of it.
#[derive(Debug)]
pub struct Question {
    lease: Arc<Lease>,
    session: [u8; 16],
    context: Digest32,
    context_kind: &'static str,
    request: Digest32,
    need: Need,
    gates: Gates,
    nonce: [u8; 32],
    asked_unix_ms: u64,
    until_unix_ms: u64,
    until_ns: u64,
}

impl Question {
    #[allow(clippy::too_many_arguments)] // every part of what an answer is bound to
    pub(crate) fn new(
        lease: Arc<Lease>,
        context: &Context,
        request: Digest32,
        need: Need,
        gates: Gates,
        (now_unix_ms, now_ns): (u64, u64),
        lives_seconds: u64,
        rng: &dyn Rng,
    ) -> Self {
        let mut nonce = [0; 32];
        rng.fill(&mut nonce);
        Self {
            session: *lease.session().id(),
            lease,
            context: context.digest(),
            context_kind: context.kind(),
            request,
            need,
            gates,
            nonce,
            asked_unix_ms: now_unix_ms,
            until_unix_ms: now_unix_ms + lives_seconds * 1000,
            until_ns: now_ns + lives_seconds * 1_000_000_000,
        }
    }

    /// What the log keeps of the question (`specs/log.md`).
    fn entry(&self) -> Vec<u8> {
        let registration = &self.lease.registration;
        Fields::new(labels::ASK.as_str())
            .u64(self.asked_unix_ms)
            .u64(self.until_unix_ms)
            .bytes(&self.session)
            .str(self.lease.agent())
            .str(self.lease.door())
            .bytes(&self.context.0)
            .str(self.lease.operation.name().as_str())
            .str(registration.connection.name.as_str())
            .str(&registration.origin)
            .u64(self.need.grant)
            .str(&self.need.rule.to_string())
            .bytes(sha256_parts(&[&self.nonce, self.request.as_bytes()]).as_bytes())
            .finish()
    }

    /// Puts the question into the log; its place there is its number for ever.
    ///
    /// # Errors
    /// The log's.
    pub fn record<E>(self, append: impl FnOnce(&[u8]) -> Result<Ticket, E>) -> Result<Asked, E> {
        let ticket = append(&self.entry())?;
        Ok(Asked { number: ticket.index(), question: self })
    }
}

/// A question that stands in the log.
#[derive(Debug)]
pub struct Asked {
    question: Question,
    number: u64,
}

impl Asked {
    /// Its number, by which people name it.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What would be called, through what, by whom.
    pub fn lease(&self) -> &Arc<Lease> {
        &self.question.lease
    }

    /// The exact request's digest.
    pub fn request(&self) -> &Digest32 {
        &self.question.request
    }

    /// The execution context's digest.
    pub fn context(&self) -> &Digest32 {
        &self.question.context
    }

    /// The execution context's kind.
    pub fn context_kind(&self) -> &'static str {
        self.question.context_kind
    }

    /// Why it is asked.
    pub fn need(&self) -> &Need {
        &self.question.need
    }

    /// The gates that held before it was asked.
    pub fn gates(&self) -> Gates {
        self.question.gates
    }

    /// Random bits that nobody is shown: they tell this question from any other.
    pub fn nonce(&self) -> &[u8; 32] {
        &self.question.nonce
    }

    /// When it was asked.
    pub fn asked_unix_ms(&self) -> u64 {
        self.question.asked_unix_ms
    }

    /// When it ends, by the calendar: to show.
    pub fn until_unix_ms(&self) -> u64 {
        self.question.until_unix_ms
    }

    /// When it ends, on the monotonic clock: what counts.
    pub fn until_ns(&self) -> u64 {
        self.question.until_ns
    }

    /// A yes, to be put into the log.
    pub fn approve(&self, via: Via, at_unix_ms: u64, remember_seconds: u64) -> Answered {
        let q = &self.question;
        let entry = Fields::new(labels::APPROVAL.as_str())
            .u64(self.number)
            .u64(at_unix_ms)
            .str(via.who())
            .str(via.as_str())
            .u64(remember_seconds)
            .bytes(sha256_parts(&[&q.nonce, q.request.as_bytes()]).as_bytes())
            .finish();
        let approval = Approval {
            approved: Approved {
                number: self.number,
                decided: 0,
                via,
                at_unix_ms,
                is_remembered: false,
            },
            session: q.session,
            context: q.context,
            request: q.request,
            grant: q.need.grant,
            until_ns: q.until_ns,
        };
        Answered { entry, approval }
    }
}

/// Which way an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The owner's command.
    Cli,
    /// The JSON API, with an owner's token.
    Http,
    /// The person at the agent's client, where the grant lets them.
    Mcp,
}

impl Via {
    /// The word that receipts carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Http => "http",
            Self::Mcp => "mcp",
        }
    }

    /// Who answers that way.
    pub const fn who(self) -> &'static str {
        match self {
            Self::Cli | Self::Http => "owner",
            Self::Mcp => "client",
        }
    }
}

/// A yes that the log does not know of yet.
#[derive(Debug)]
pub struct Answered {
    entry: Vec<u8>,
    approval: Approval,
}

impl Answered {
    /// Puts the answer into the log.
    ///
    /// # Errors
    /// The log's.
    pub fn record<E>(
        mut self,
        append: impl FnOnce(&[u8]) -> Result<Ticket, E>,
    ) -> Result<RecordedAnswer, E> {
        let ticket = append(&self.entry)?;
        self.approval.approved.decided = ticket.index();
        Ok(RecordedAnswer { approval: self.approval, ticket })
    }
}

/// A yes that stands in the log, and may not be durable yet.
#[derive(Debug)]
pub struct RecordedAnswer {
    approval: Approval,
    ticket: Ticket,
}

impl RecordedAnswer {
    /// The answer's place in the log.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Evidence of a yes, given proof that this very answer is durable.
    ///
    /// # Errors
    /// [`ApprovalError`] where the proof is of another entry.
    pub fn approval(self, durable: &Durable) -> Result<Approval, ApprovalError> {
        let same = durable.index() == self.ticket.index()
            && durable.leaf_hash() == self.ticket.leaf_hash();
        if same { Ok(self.approval) } else { Err(ApprovalError) }
    }
}

/// The log's proof is of another entry than this answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log's proof is not of this approval")]
pub struct ApprovalError;

/// Evidence that one exact request of one session was approved, durably. It moves on use: one
/// approval, one call.
#[derive(Debug)]
pub struct Approval {
    approved: Approved,
    session: [u8; 16],
    context: Digest32,
    request: Digest32,
    grant: GrantId,
    until_ns: u64,
}

impl Approval {
    /// What receipts say of it.
    pub fn approved(&self) -> Approved {
        self.approved
    }

    /// Whether it is evidence for this very call, now.
    pub(crate) fn is_for(
        &self,
        lease: &Lease,
        context: &Digest32,
        request: &Digest32,
        grant: GrantId,
        now_ns: u64,
    ) -> bool {
        self.session == *lease.session().id()
            && self.context == *context
            && self.request == *request
            && self.grant == grant
            && now_ns < self.until_ns
    }
}

/// What receipts say of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    /// The question's place in the log: its number.
    pub number: u64,
    /// The answer's place in the log.
    pub decided: u64,
    /// Which way the answer came.
    pub via: Via,
    /// When, in Unix milliseconds.
    pub at_unix_ms: u64,
    /// Given for an earlier call, and remembered.
    pub is_remembered: bool,
}

/// A question read back from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskEntry {
    /// When it was asked.
    pub asked_unix_ms: u64,
    /// Who asked.
    pub agent: String,
    /// What.
    pub tool: String,
    /// Which rule wanted it.
    pub rule: String,
    /// A commitment to the request's digest.
    pub request: Digest32,
}

impl AskEntry {
    /// Reads a log entry.
    ///
    /// # Errors
    /// [`CodecError`] where the entry is something else, or damaged.
    pub fn parse(entry: &[u8]) -> Result<Self, CodecError> {
        let mut r = FieldsReader::new(labels::ASK.as_str(), entry)?;
        let asked_unix_ms = r.u64()?;
        r.u64()?;
        r.array::<16>()?;
        let agent = r.str(64)?.to_owned();
        r.str(16)?;
        r.array::<32>()?;
        let tool = r.str(64)?.to_owned();
        r.str(64)?;
        r.str(512)?;
        r.u64()?;
        let rule = r.str(256)?.to_owned();
        let request = Digest32(r.array()?);
        r.end()?;
        Ok(Self { asked_unix_ms, agent, tool, rule, request })
    }
}
