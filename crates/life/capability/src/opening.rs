//! Evidence: what only the engine and the log together can make.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::{Map, Value};
use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::{OpenError, labels, sha256, sha256_parts};
use symbolon_log::{Durable, Ticket};
use symbolon_secret::Secret;

use crate::approval::Approved;
use crate::budget::{Hold, Reservation, Settlement, Settler};
use crate::catalog::Operation;
use crate::connection::{CheckError, SealedCredential};
use crate::engine::Lease;
use crate::gate::{Gates, Refusal};
use crate::{GrantId, MintedId, Registration, Session};

/// The right to make one exact call, taken from a token. Not copyable: it moves on use.
#[derive(Debug)]
pub struct Opening {
    pub(crate) lease: Arc<Lease>,
    pub(crate) session: [u8; 16],
    pub(crate) token_id: Digest32,
    pub(crate) context: Digest32,
    pub(crate) context_kind: &'static str,
    pub(crate) request: Digest32,
    pub(crate) grant: u64,
    pub(crate) gates: Gates,
    pub(crate) requested_unix_ms: u64,
    pub(crate) approved: Option<Approved>,
    /// Rules of the grant that were asked beside the gates.
    pub(crate) asked: Vec<&'static str>,
    /// What shadow mode passed over.
    pub(crate) missed: Vec<Refusal>,
    pub(crate) hold: Hold,
    /// The grant and those above it, the root first; `None` where it stands alone.
    pub(crate) lineage: Option<Arc<[GrantId]>>,
}

impl Opening {
    /// Writes what is about to happen, as the log keeps it, in place of what `buffer` held.
    /// `specs/log.md`, intent.
    pub fn intent(&self, buffer: Vec<u8>) -> Vec<u8> {
        Fields::reuse(buffer, labels::INTENT.as_str())
            .u64(self.requested_unix_ms)
            .bytes(&self.id())
            .bytes(&self.session)
            .str(self.lease.agent())
            .str(self.lease.door())
            .bytes(&self.context.0)
            .str(self.lease.operation.name().as_str())
            .str(self.lease.registration.connection.name.as_str())
            .str(&self.lease.registration.origin)
            .u64(self.grant)
            .bytes(&[self.gates.bits()])
            .bytes(self.request_commitment().as_bytes())
            .finish()
    }

    /// 128 bits that name the intent.
    fn id(&self) -> [u8; 16] {
        std::array::from_fn(|at| self.token_id.0[at])
    }

    /// The request's digest, hidden under the half of the token's name that nobody is shown: the
    /// log may be read by others, and a request that can be guessed must not be confirmed by it.
    fn request_commitment(&self) -> Digest32 {
        sha256_parts(&[&self.token_id.0[16..], self.request.as_bytes()])
    }

    /// In which session.
    pub fn session(&self) -> &Session {
        self.lease.session()
    }

    /// The approval that it stands on, where a rule of the grant wanted one.
    pub fn approved(&self) -> Option<Approved> {
        self.approved
    }

    /// When the token was asked for.
    pub fn requested_unix_ms(&self) -> u64 {
        self.requested_unix_ms
    }

    /// What must be on disk before this is released: what the call takes of its grant's budgets.
    /// `None` where it takes nothing. `settler` hears what comes of it.
    pub fn reservation(
        &self,
        log_size: u64,
        relaxed: bool,
        settler: Arc<dyn Settler>,
    ) -> Option<Reservation> {
        self.hold.reservation(log_size, relaxed, settler)
    }

    /// The reservation is on disk.
    pub fn reserved(&mut self) {
        self.hold.set_durable();
    }

    /// What shadow mode passed over, in the order of asking; empty where everything held.
    pub fn missed(&self) -> &[Refusal] {
        &self.missed
    }

    /// What is called, through what, by whom.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Puts the intent into the log: `append` is the log's own. What comes back knows which entry
    /// it must see made durable.
    ///
    /// # Errors
    /// The log's.
    pub fn record<E>(self, append: impl FnOnce(&[u8]) -> Result<Ticket, E>) -> Result<Recorded, E> {
        let ticket = BUFFER.with_borrow_mut(|buffer| {
            *buffer = self.intent(std::mem::take(buffer));
            append(buffer)
        })?;
        Ok(Recorded { opening: self, ticket })
    }
}

thread_local! {
    /// Intents are written here, so that the hot path does not allocate.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An opening whose intent stands in the log, and may not be durable yet.
#[derive(Debug)]
pub struct Recorded {
    opening: Opening,
    ticket: Ticket,
}

impl Recorded {
    /// The intent's place in the log.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Turns the right into the power to open the credential, given proof that this very intent is
    /// durable.
    ///
    /// # Errors
    /// [`ReleaseError`] where the proof is of another entry.
    pub fn release(self, durable: Durable) -> Result<Release, ReleaseError> {
        let same = durable.index() == self.ticket.index()
            && durable.leaf_hash() == self.ticket.leaf_hash();
        let mut opening = self.opening;
        if !same {
            return Err(ReleaseError::OtherEntry);
        }
        if !opening.hold.is_durable() {
            return Err(ReleaseError::NotReserved);
        }
        opening.hold.set_released();
        Ok(Release { opening, durable })
    }
}

/// Why nothing is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The log's proof is of another entry than this call's intent.
    #[error("the log's proof is not of this call's intent")]
    OtherEntry,
    /// The grant's budgets are counted, and the reservation is not on disk.
    #[error("what the call takes of its budgets is not on disk")]
    NotReserved,
}

/// The power to open one credential for one call, made from an [`Opening`] and a [`Durable`]. No
/// other way leads a credential into a request; the redactor's two looks at one
/// ([`SealedCredential::learn`], [`SealedCredential::check`]) keep nothing of it.
#[derive(Debug)]
pub struct Release {
    opening: Opening,
    durable: Durable,
}

impl Release {
    /// Opens the credential, in wire form, into `out`: secret memory, on the secret stack.
    /// Returns its length.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
        self.credential().open_into(out)
    }

    /// As [`Release::open_into`], of what was issued for the connection's credential and goes out in
    /// its place: an access token.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_issued_into(
        &self,
        issued: &SealedCredential,
        out: &mut [u8],
    ) -> Result<usize, OpenError> {
        issued.open_into(out)
    }

    /// Opens what the connection holds, into a page of its own: to be presented where its tokens are
    /// issued, and nowhere else.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn present(&self, held: &SealedCredential) -> Result<Secret<[u8]>, OpenError> {
        held.open()
    }

    /// Lets `sign` see the credential, in secret memory on the secret stack: for schemes that send
    /// a signature in its place. The result must not hold what was seen.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn sign<R>(&self, sign: impl FnOnce(&[u8]) -> R) -> Result<R, CheckError> {
        self.credential().check(0, |wire, _| sign(wire))
    }

    /// Bytes of the credential in wire form.
    pub fn wire_len(&self) -> usize {
        self.credential().wire_len()
    }

    fn credential(&self) -> &SealedCredential {
        &self.opening.lease.registration.credential
    }

    /// The connection.
    pub fn registration(&self) -> &Arc<Registration> {
        &self.opening.lease.registration
    }

    /// What is called.
    pub fn operation(&self) -> &Arc<Operation> {
        &self.opening.lease.operation
    }

    /// What was leased: operation, registration, session.
    pub fn lease(&self) -> &Lease {
        &self.opening.lease
    }

    /// In which kind of execution.
    pub fn context_kind(&self) -> &'static str {
        self.opening.context_kind
    }

    /// Who calls.
    pub fn session(&self) -> &Session {
        &self.opening.lease.session
    }

    /// Whether the grant that let this call through would let this operation with these arguments
    /// through too, on the same scope: for a redirect, which is a call that nobody asked about.
    pub fn admits(&self, operation: &Operation, arguments: &Map<String, Value>) -> bool {
        let grants = &self.opening.lease.grants;
        operation.scope_id() == self.operation().scope_id()
            && (self.opening.grant == 0 && !self.missed().is_empty()
                || grants.iter().find(|g| g.id == self.opening.grant).is_some_and(|g| {
                    // An approval was of the request that was shown, not of where it leads.
                    g.limits.iter().all(|l| l.admits(arguments))
                        && g.ask.wants(operation, arguments, || true).is_none()
                }))
    }

    /// The approval that it stands on, where a rule of the grant wanted one.
    pub fn approved(&self) -> Option<Approved> {
        self.opening.approved
    }

    /// Rules of the grant that were asked beside the gates, and held where [`Self::missed`] has
    /// none of them.
    pub fn asked(&self) -> &[&'static str] {
        &self.opening.asked
    }

    /// What shadow mode passed over; empty where everything held.
    pub fn missed(&self) -> &[Refusal] {
        &self.opening.missed
    }

    /// Says what came of the call, for its budgets. The first word counts; without one, what the
    /// call took is spent.
    pub fn settle(&self, settlement: Settlement) {
        self.opening.hold.settle(settlement);
    }

    /// The grant that let it through.
    pub fn grant(&self) -> u64 {
        self.opening.grant
    }

    /// That grant and those above it, the root first; empty where it stands alone.
    pub fn lineage(&self) -> &[GrantId] {
        self.opening.lineage.as_deref().unwrap_or_default()
    }

    /// When the grant ends, on the monotonic clock; `None` where shadow mode let it through without.
    pub fn until_ns(&self) -> Option<u64> {
        let mut grants = self.opening.lease.grants.iter();
        grants.find(|g| g.id == self.opening.grant).map(|g| g.until_ns)
    }

    /// The four gates: all held, or there would be no opening; but for shadow mode.
    pub fn gates(&self) -> Gates {
        self.opening.gates
    }

    /// The exact request's digest.
    pub fn request(&self) -> &Digest32 {
        &self.opening.request
    }

    /// When the token was asked for.
    pub fn requested_unix_ms(&self) -> u64 {
        self.opening.requested_unix_ms
    }

    /// 128 bits that name the intent.
    pub(crate) fn intent_id(&self) -> [u8; 16] {
        self.opening.id()
    }

    /// Where the intent stands in the log.
    pub fn intent(&self) -> &Durable {
        &self.durable
    }
}

/// An intent read back from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// When the token was asked for.
    pub requested_unix_ms: u64,
    /// 128 bits that name this intent.
    pub id: [u8; 16],
    /// The session.
    pub session: [u8; 16],
    /// Who.
    pub agent: String,
    /// Through which door.
    pub door: String,
    /// The execution context's digest.
    pub context: Digest32,
    /// What.
    pub tool: String,
    /// Through which connection.
    pub connection: String,
    /// Where to.
    pub origin: String,
    /// By which grant.
    pub grant: u64,
    /// Which gates held.
    pub gates: u8,
    /// A commitment to the exact request's digest; see [`Opening::intent`].
    pub request: Digest32,
}

impl Intent {
    /// Reads a log entry.
    ///
    /// # Errors
    /// [`CodecError`] where the entry is something else, or damaged.
    pub fn parse(entry: &[u8]) -> Result<Self, CodecError> {
        let mut r = FieldsReader::new(labels::INTENT.as_str(), entry)?;
        let intent = Self {
            requested_unix_ms: r.u64()?,
            id: r.array()?,
            session: r.array()?,
            agent: r.str(64)?.to_owned(),
            door: r.str(16)?.to_owned(),
            context: Digest32(r.array()?),
            tool: r.str(64)?.to_owned(),
            connection: r.str(64)?.to_owned(),
            origin: r.str(512)?.to_owned(),
            grant: r.u64()?,
            gates: r.array::<1>()?[0],
            request: Digest32(r.array()?),
        };
        r.end()?;
        Ok(intent)
    }

    /// Whether a log entry is an intent, without reading it.
    pub fn is(entry: &[u8]) -> bool {
        FieldsReader::new(labels::INTENT.as_str(), entry).is_ok()
    }
}

/// What a token is bound to: every part of a request that an upstream can see, but the credential.
/// `specs/capability.md`.
pub fn request_digest(
    method: &str,
    base_url: &str,
    path: &str,
    query: &str,
    content_type: &str,
    body: &[u8],
) -> Digest32 {
    digest(method, base_url, path, query, content_type, &sha256(body))
}

/// As [`request_digest`], of a request whose body is sent on as it comes: nothing is known of it.
pub fn streamed_request_digest(
    method: &str,
    base_url: &str,
    path: &str,
    query: &str,
    content_type: &str,
) -> Digest32 {
    digest(method, base_url, path, query, content_type, &Digest32([0; 32]))
}

/// The digest of the same request with a minted credential in the place of the connection's: what is
/// good for one is not good for the other. `specs/minted.md`.
pub fn minted_request_digest(request: &Digest32, minted: &MintedId) -> Digest32 {
    let fields = Fields::new(labels::MINTED_REQUEST.as_str());
    sha256(&fields.bytes(request.as_bytes()).bytes(minted.as_bytes()).finish())
}

fn digest(
    method: &str,
    base_url: &str,
    path: &str,
    query: &str,
    content_type: &str,
    body: &Digest32,
) -> Digest32 {
    let mut h = symbolon_crypto::Sha256::new();
    for part in [
        labels::REQUEST.as_str().as_bytes(),
        method.as_bytes(),
        base_url.as_bytes(),
        path.as_bytes(),
        query.as_bytes(),
        content_type.as_bytes(),
        body.as_bytes(),
    ] {
        h.update(&(part.len() as u32).to_be_bytes());
        h.update(part);
    }
    h.finish()
}
