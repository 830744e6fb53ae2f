//! Receipts: written when a call is over, however it ends; listed; handed over.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use symbolon_capability::engine::Refused;
use symbolon_capability::{Intent, Lease, MintedId, Release};
use symbolon_codec::Digest32;
use symbolon_codec::json::canonical;
use symbolon_connector::redact::{Counts, Form};
use symbolon_crypto::{hmac_sha256, labels, sha256};
use symbolon_log::{LogError, Ticket};
use symbolon_receipt::{
    Bundle, Decision, Door as ReceiptDoor, Minted, Outcome, Predicate, Redaction, RequestBody,
    Response, Salt, Searched, Statement, Time, Times, media_type,
};

use crate::Broker;
use crate::api::*;
use crate::approvals::stood_on;
use crate::call::Prepared;
use crate::echo;
use crate::errors;
use crate::policy::{decision_of, refused_decision, settlement};
use crate::retry::Tries;
use crate::upstream::{Answer, ToolOutcome, UpstreamError};

mod list;

/// A call that was released and must leave a receipt. Dropped without one (the caller went away,
/// a panic), it leaves a receipt that says so.
pub(crate) struct Completion<B: Deref<Target = Broker>> {
    broker: B,
    release: Arc<Release>,
    marks: Marks,
    released_ms: u64,
    tries: Tries,
    /// Credentials that the answer held, and that are kept.
    made: Vec<MintedId>,
    written: bool,
}

impl<B: Deref<Target = Broker>> Completion<B> {
    pub(crate) fn new(broker: B, release: Arc<Release>, marks: Marks) -> Self {
        let (released_ms, tries) = (broker.clock.unix_ms(), Tries::default());
        Self { released_ms, broker, release, marks, tries, made: Vec::new(), written: false }
    }

    /// These were sealed for the call.
    pub(crate) fn set_made(&mut self, ids: Vec<MintedId>) {
        self.made = ids;
    }

    /// What is written down of each try.
    pub(crate) fn tries(&self) -> &Tries {
        &self.tries
    }

    pub(crate) fn release(&self) -> &Arc<Release> {
        &self.release
    }

    /// Whether the receipt is out already.
    pub(crate) fn is_written(&self) -> bool {
        self.written
    }

    /// The upstream answered. Gives the receipt's number, once the system has it: as in
    /// [`Broker::append`], with whoever else has one.
    pub(crate) fn answered(
        mut self,
        answer: &Answer,
    ) -> impl Future<Output = Result<u64, CallError>> + use<B> {
        let response = Response {
            status: answer.status,
            bytes_in: answer.bytes_in,
            bytes_out: answer.body.len() as u64,
            redirects: answer.redirects,
            grpc_status: None,
            content_type: content_type(&answer.headers),
            searched: answer.searched,
            redactions: redactions(&answer.redactions),
        };
        let counters = &self.broker.counters;
        counters.answered.fetch_add(1, Relaxed);
        counters.redactions.fetch_add(u64::from(answer.redactions.total()), Relaxed);
        let error = answer.tool.and_then(ToolOutcome::code);
        let entered = self.enter(Some(response), None, error, true);
        async move {
            let ticket = entered?;
            self.broker.log.handed_over(ticket).await.map_err(errors::log_receipt)?;
            Ok(ticket.index())
        }
    }

    /// An answer that was handed on as it came is over: well, or with an error. Gives the
    /// receipt's number.
    pub(crate) fn relayed(
        &mut self,
        heard: Option<&Heard>,
        sent: Option<(u64, Option<Digest32>)>,
        error: Option<&str>,
        released: bool,
    ) -> Result<u64, CallError> {
        let counters = &self.broker.counters;
        let outcome = if error.is_none() { &counters.answered } else { &counters.failed };
        outcome.fetch_add(1, Relaxed);
        if heard.is_some_and(|h| h.redactions.total() > 0) {
            echo::forget_soon();
        }
        let response = heard.map(|h| {
            counters.redactions.fetch_add(u64::from(h.redactions.total()), Relaxed);
            Response {
                status: h.status,
                bytes_in: h.bytes_in,
                bytes_out: h.bytes_out,
                redirects: 0,
                grpc_status: h.grpc_status,
                content_type: Cow::Borrowed(&*h.content_type),
                searched: h.searched,
                redactions: redactions(&h.redactions),
            }
        });
        // A response is only there where the credential was out, and so is a body.
        let released = released || response.is_some();
        let body = sent.filter(|_| released).map(|(bytes, digest)| RequestBody {
            bytes,
            digest: digest.map(|d| self.marks.salt.body(&d)),
        });
        self.write(response, body, error, released)
    }

    /// Nothing usable came back. Gives the error to show, with the receipt's number.
    pub(crate) fn failed(mut self, error: &UpstreamError) -> CallError {
        self.broker.counters.failed.fetch_add(1, Relaxed);
        let released = error.released() || self.tries.released();
        let shown = errors::upstream_of(error, &self.release, released);
        match self.write(None, None, Some(&shown.code), released) {
            Ok(number) => shown.receipt(Some(number)),
            Err(log) => log,
        }
    }

    fn write(
        &mut self,
        response: Option<Response<'_>>,
        body: Option<RequestBody>,
        error: Option<&str>,
        released: bool,
    ) -> Result<u64, CallError> {
        let ticket = self.enter(response, body, error, released)?;
        self.broker.hand_over(ticket, errors::log_receipt)
    }

    /// The receipt is in the log's batch.
    fn enter(
        &mut self,
        response: Option<Response<'_>>,
        body: Option<RequestBody>,
        error: Option<&str>,
        released: bool,
    ) -> Result<Ticket, CallError> {
        self.written = true;
        let r = &self.release;
        let approval = r.approved().map(stood_on);
        let retries = self.tries.retries();
        r.settle(settlement(response.as_ref(), error.is_some(), released, retries));
        let statement = Statement {
            request: self.marks.request,
            predicate: Predicate {
                parameters: self.marks.parameters,
                decision: decision_of(r),
                lineage: Cow::Borrowed(r.lineage()),
                approval,
                intent: Some(r.intent().into()),
                retries,
                idempotency_key: self.tries.key().map(|key| Cow::Owned(key.to_string())),
                minted: self.minted(),
                request_body: body,
                response,
                error: error.map(Cow::Borrowed),
                times: Times {
                    requested: Time::from_unix_ms(r.requested_unix_ms()),
                    released: released.then(|| Time::from_unix_ms(self.released_ms)),
                    completed: Time::from_unix_ms(self.broker.clock.unix_ms()),
                },
                durability: r.intent().durability(),
                ..about(r.lease(), r.context_kind())
            },
        };
        let ticket = self.broker.enter(&statement, errors::log_receipt);
        self.broker.open_intents.fetch_sub(1, Relaxed);
        ticket
    }
}

impl<B: Deref<Target = Broker>> Completion<B> {
    fn minted(&self) -> Option<Minted<'static>> {
        let text = |id: &MintedId| Cow::Owned(id.to_string());
        let made: Vec<_> = self.made.iter().map(text).collect();
        let used = self.marks.used.as_ref().map(text);
        (used.is_some() || !made.is_empty()).then_some(Minted { made, used })
    }
}

impl<B: Deref<Target = Broker>> Drop for Completion<B> {
    fn drop(&mut self) {
        if !self.written {
            self.broker.counters.failed.fetch_add(1, Relaxed);
            if let Err(e) = self.write(None, None, Some("abandoned"), true) {
                tracing::error!("a receipt could not be written; its intent stands alone: {e}");
            }
        }
    }
}

/// What was heard of an answer that is handed on as it comes.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    /// As [`content_type`] gives it.
    pub(crate) content_type: String,
    /// Set where a coding was left on the body.
    pub(crate) searched: Option<Searched>,
    /// Of a gRPC call.
    pub(crate) grpc_status: Option<u8>,
    /// Body bytes as they came over the wire.
    pub(crate) bytes_in: u64,
    /// Body bytes handed on.
    pub(crate) bytes_out: u64,
    pub(crate) redactions: Counts,
}

/// The media type that a receipt may name.
pub(crate) fn content_type(headers: &HeaderMap) -> Cow<'_, str> {
    media_type(headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default())
}

fn redactions(counts: &Counts) -> Vec<Redaction<'static>> {
    let one = |(form, count): (Form, u32)| Redaction {
        form: Cow::Borrowed(form.name()),
        count: u64::from(count),
    };
    counts.iter().map(one).collect()
}

/// What a receipt says of a request's contents: salted digests. Made before anything is released,
/// so that the receipt cannot fail for want of them.
pub(crate) struct Marks {
    request: Digest32,
    parameters: Digest32,
    /// For what is known only when the call is over.
    salt: Salt,
    /// The minted credential that goes out in place of the connection's.
    used: Option<MintedId>,
}

impl Marks {
    /// The subject's digest.
    pub(crate) fn request(&self) -> Digest32 {
        self.request
    }

    /// The parameters' digest.
    pub(crate) fn parameters(&self) -> Digest32 {
        self.parameters
    }

    pub(crate) fn new(
        broker: &Broker,
        prepared: &Prepared,
        session: &Session,
        at_ms: u64,
    ) -> Result<Self, CallError> {
        let salt = broker.salt(&prepared.digest, session, at_ms)?;
        let arguments = canonical(&Value::Object(prepared.arguments.clone()));
        Ok(Self {
            request: salt.request(&prepared.digest),
            parameters: salt.parameters(&arguments),
            salt,
            used: prepared.minted.as_ref().map(|shown| shown.held.id),
        })
    }
}

impl Broker {
    /// A receipt of what a gate, a limit or a token refused; nothing was released. `None` where
    /// the log does not take it: the refusal stands all the same.
    pub(crate) fn write_refusal(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        refused: &Refused,
    ) -> Option<u64> {
        let now = self.clock.unix_ms();
        let marks = Marks::new(self, prepared, session, now).ok()?;
        let statement = Statement {
            request: marks.request,
            predicate: Predicate {
                parameters: marks.parameters,
                decision: refused_decision(refused),
                approval: None,
                intent: None,
                retries: 0,
                idempotency_key: None,
                minted: None,
                request_body: None,
                response: None,
                error: None,
                times: Times {
                    requested: Time::from_unix_ms(now),
                    released: None,
                    completed: Time::from_unix_ms(now),
                },
                durability: self.durability,
                // Who showed it, which need not be who asked for the token.
                agent: Cow::Borrowed(session.agent().as_str()),
                session: sha256(session.id()),
                door: door(session.door()),
                ..about(&prepared.lease, context.kind())
            },
        };
        self.append(&statement, errors::log_receipt).ok()
    }

    /// The bundle to hand over: DSSE envelope, inclusion proof, checkpoint.
    ///
    /// # Errors
    /// [`CallError`]: locked, no such entry, an intent without a receipt.
    pub async fn receipt(&self, number: u64) -> Result<Value, CallError> {
        let open = self.opened()?;
        let (log, catalog) = (self.log.clone(), self.engine.catalog());
        let witnessed = self.witnessed.clone();
        let work = move || {
            if number >= log.size() {
                return Err(CallError::caller(
                    "no_receipt",
                    format!("there is no receipt {number}"),
                )
                .status(404)
                .next("symbolon receipts"));
            }
            let entry = log.entry(number).map_err(errors::log_read)?;
            if is_of_a_question(&entry) {
                let message = format!("entry {number} is a question, or the answer to one");
                return Err(CallError::caller("no_receipt", message)
                    .status(404)
                    .next("symbolon receipts"));
            }
            if symbolon_authorship::Entry::is(&entry) {
                let message = format!("entry {number} is of a text's author, and no call");
                return Err(CallError::caller("no_receipt", message)
                    .status(404)
                    .next("symbolon receipts"));
            }
            if symbolon_trust::is_capsule_entry(&entry) {
                let message = format!("entry {number} is of a capsule's receipt, and no call");
                return Err(CallError::caller("no_receipt", message)
                    .status(404)
                    .next("symbolon verify FILE, with the receipt that the run wrote"));
            }
            if let Ok(intent) = Intent::parse(&entry) {
                let mut message = format!(
                    "entry {number} is the intent of a call; its receipt has a number of its own"
                );
                let operation = catalog.operation(&intent.tool);
                if operation.is_some_and(|o| o.idempotency_key().is_some()) {
                    let key = intent.idempotency_key();
                    message.push_str(&format!(
                        "; without one, the service can be asked what became of the idempotency \
                         key {key}, if the caller gave none"
                    ));
                }
                if operation.is_some_and(|o| !o.mints().is_empty()) {
                    message.push_str(
                        "; without one, the service may have made a credential that nobody here \
                         has, unless symbolon minted names this entry: look there, and revoke it",
                    );
                }
                return Err(CallError::caller("intent", message)
                    .status(404)
                    .next("symbolon receipts"));
            }
            // What witnesses signed is of more use than what is newer.
            let cosigned = witnessed.covering(number);
            let cosigned = cosigned.and_then(|note| log.log().prove_against(number, &note).ok());
            let proof = match cosigned {
                Some(proof) => proof,
                None => log.proof(number).map_err(errors::log_read)?,
            };
            let origin = log.log().origin().to_owned();
            let bundle = Bundle::make(entry, proof, &origin, &open.operator)
                .map_err(|e| CallError::bug(e.to_string()))?;
            serde_json::from_slice(&bundle.to_json()).map_err(|e| CallError::bug(e.to_string()))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }

    pub(crate) fn append(
        &self,
        statement: &Statement<'_>,
        failed: fn(LogError) -> CallError,
    ) -> Result<u64, CallError> {
        let ticket = self.enter(statement, failed)?;
        self.hand_over(ticket, failed)
    }

    fn enter(
        &self,
        statement: &Statement<'_>,
        failed: fn(LogError) -> CallError,
    ) -> Result<Ticket, CallError> {
        BUFFER.with_borrow_mut(|buffer| {
            statement.write(buffer).map_err(|e| CallError::bug(e.to_string()))?;
            self.log.append(buffer).map_err(failed)
        })
    }

    /// Who was given a number finds it after a `kill -9` too: the system has the entry.
    fn hand_over(
        &self,
        ticket: Ticket,
        failed: fn(LogError) -> CallError,
    ) -> Result<u64, CallError> {
        self.log.log().hand_over().map_err(failed)?;
        Ok(ticket.index())
    }

    /// A salt that the vault makes of the request and of what the receipt says (session, time): who
    /// has the vault can make it again to confirm a request, and nobody else can.
    fn salt(&self, request: &Digest32, session: &Session, at_ms: u64) -> Result<Salt, CallError> {
        let open = self.opened()?;
        let session = sha256(session.id());
        let parts: [&[u8]; 3] = [request.as_bytes(), session.as_bytes(), &at_ms.to_be_bytes()];
        Ok(Salt::from_bytes(hmac_sha256(&open.receipt_salt, &parts).0))
    }
}

thread_local! {
    /// Statements are written here, so that a call does not allocate for them.
    static BUFFER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// What every receipt says of a call, whatever came of it.
pub(crate) fn about<'a>(lease: &'a Lease, context: &'static str) -> Predicate<'a> {
    let zero = Digest32([0; 32]);
    let (operation, registration) = (&lease.operation, &lease.registration);
    let host = registration.origin.split_once("://").map_or("", |(_, host)| host);
    Predicate {
        agent: Cow::Borrowed(lease.agent()),
        session: sha256(lease.session().id()),
        door: door(lease.session().door()),
        context: Cow::Borrowed(context),
        tool: Cow::Borrowed(operation.name().as_str()),
        service: Cow::Borrowed(&registration.connection.service),
        connection: Cow::Borrowed(registration.connection.name.as_str()),
        method: Cow::Borrowed(operation.method().as_str()),
        host: Cow::Borrowed(host),
        path_template: Cow::Borrowed(operation.path().as_str()),
        parameters: zero,
        decision: Decision { outcome: Outcome::Refused, gates: Vec::new() },
        lineage: Cow::Borrowed(&[]),
        approval: None,
        intent: None,
        retries: 0,
        idempotency_key: None,
        minted: None,
        request_body: None,
        response: None,
        error: None,
        times: Times {
            requested: Time::from_unix_ms(0),
            released: None,
            completed: Time::from_unix_ms(0),
        },
        durability: symbolon_log::Durability::Group,
    }
}

/// Whether a log entry is a question or an approval.
fn is_of_a_question(entry: &[u8]) -> bool {
    [labels::ASK, labels::APPROVAL]
        .iter()
        .any(|label| symbolon_codec::FieldsReader::new(label.as_str(), entry).is_ok())
}

fn no_receipt(number: u64) -> CallError {
    CallError::caller("no_receipt", format!("there is no receipt {number}"))
        .status(404)
        .next("symbolon receipts")
}

fn door(door: Door) -> ReceiptDoor {
    match door {
        Door::McpStdio | Door::McpHttp => ReceiptDoor::Mcp,
        Door::Http => ReceiptDoor::Http,
        Door::Cli => ReceiptDoor::Cli,
        Door::Proxy => ReceiptDoor::Proxy,
    }
}
