//! The engine: who may do what now, and tokens that let it happen once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Map, Value};
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::Digest32;

use crate::approval::{Consent, Memory};
use crate::budget::{Amount, Hold, Ledger};
use crate::calendar::{Calendar, Reading};
use crate::catalog::{Catalog, Operation, ScopeId, ScopeSet};
use crate::gate::{Gate, Gates, Refusal};
use crate::rate::Bucket;
use crate::rules::{Asked, Judged};
use crate::token::{Pending, TOKENS_MAX, Table, Taken};
use crate::{
    AgentName, Ask, ConnectionName, Context, GrantId, LiveGrant, Need, Opening, Registration,
    Session, Token,
};

use self::asking::{Asking, Stands};

pub(crate) mod asking;
mod standing;

/// Everything that is in force, replaced as a whole when anything changes.
#[derive(Debug, Default)]
pub struct Policy {
    /// Connections by name.
    pub connections: HashMap<ConnectionName, Arc<Registration>>,
    /// Grants by agent, ended ones left out.
    pub grants: HashMap<AgentName, Vec<Arc<LiveGrant>>>,
}

/// The engine. One a broker; every door goes through it.
pub struct Engine {
    pub(crate) clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    pub(crate) fingerprint: Digest32,
    calendar: Calendar,
    ledger: Arc<Ledger>,
    shadow: AtomicBool,
    catalog: Arc<Catalog>,
    policy: RwLock<Option<Arc<Policy>>>,
    generation: AtomicU64,
    tokens: Table,
    buckets: Mutex<HashMap<(ConnectionName, ScopeId), Arc<Bucket>>>,
    memory: Mutex<Memory>,
}

/// Seconds that a token lives.
pub const TOKEN_TTL_SECONDS: u64 = 30;

/// A tool, the connection it would use and the grants that may let it: resolved once for a session
/// and good until anything changes. [`Engine::mint`] tells when to resolve again.
#[derive(Debug)]
pub struct Lease {
    pub(crate) session: Session,
    /// What would be called.
    pub operation: Arc<Operation>,
    /// Through what.
    pub registration: Arc<Registration>,
    pub(crate) grants: Vec<Arc<LiveGrant>>,
    pub(crate) bucket: Arc<Bucket>,
    generation: u64,
}

impl Lease {
    /// Who calls.
    pub fn agent(&self) -> &str {
        self.session.agent().as_str()
    }

    /// In which session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Through which door.
    pub fn door(&self) -> &'static str {
        self.session.door().as_str()
    }

    fn names(&self) -> (String, String, String) {
        let connection = self.registration.connection.name.to_string();
        (self.agent().to_owned(), self.operation.scope().to_string(), connection)
    }

    pub(crate) fn no_grant(&self) -> Refusal {
        let (agent, scope, connection) = self.names();
        Refusal::NoGrant { agent, scope, connection }
    }

    pub(crate) fn ended(&self) -> Refusal {
        let (agent, scope, connection) = self.names();
        Refusal::GrantEnded { agent, scope, connection }
    }

    pub(crate) fn beyond(&self) -> Refusal {
        let (_, scope, connection) = self.names();
        Refusal::ConnectionScope { connection, scope }
    }

    pub(crate) fn too_often(&self, wait_ns: u64) -> Refusal {
        let retry_ms = wait_ns.div_ceil(1_000_000);
        Refusal::Rate { scope: self.operation.scope().to_string(), retry_ms }
    }
}

/// What the gates make of a call.
#[derive(Default)]
struct Passed {
    grant: GrantId,
    gates: Gates,
    costs: Vec<(u16, Amount)>,
    missed: Vec<Refusal>,
    stands: Stands,
    shadow: bool,
}

impl Passed {
    fn hold(&mut self, gate: Gate) {
        self.gates = self.gates.with(gate);
    }

    /// Refuses, or in shadow mode writes down what would have.
    fn miss(&mut self, refusal: Refusal) -> Result<(), Refused> {
        if !self.shadow {
            return Err(Refused { refusal, gates: self.gates });
        }
        self.missed.push(refusal);
        Ok(())
    }
}

impl Engine {
    /// An engine with nothing in force: everything is refused as locked.
    pub fn new(
        catalog: Arc<Catalog>,
        fingerprint: Digest32,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self {
            calendar: Calendar::new(&*clock),
            ledger: Arc::default(),
            shadow: AtomicBool::new(false),
            clock,
            rng,
            fingerprint,
            catalog,
            policy: RwLock::new(None),
            generation: AtomicU64::new(0),
            tokens: Table::new(),
            buckets: Mutex::default(),
            memory: Mutex::default(),
        }
    }

    /// The tools it knows.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// What is counted: for the rules of grants that are put into force.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// What time it is, for rules that go by the calendar.
    pub fn reading(&self) -> Reading {
        self.calendar.read(&*self.clock)
    }

    /// Turns shadow mode on or off. A token that shadow mode let out does not outlive it.
    pub fn set_shadow(&self, on: bool) {
        self.shadow.store(on, Ordering::SeqCst);
    }

    /// Whether shadow mode is on.
    pub fn is_shadow(&self) -> bool {
        self.shadow.load(Ordering::SeqCst)
    }

    /// Puts a policy into force, or none (locked). Leases of before are resolved again at their
    /// next use, so what was taken away is gone at once; tokens that wait are judged anew when they
    /// are redeemed, and die with a lock.
    pub fn install(&self, policy: Option<Policy>) {
        let locked = policy.is_none();
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy.map(Arc::new);
        self.generation.fetch_add(1, Ordering::Release);
        if locked {
            self.tokens.clear();
            self.memory().clear();
        }
    }

    /// What is in force; `None` while locked.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts changes of policy.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Finds the tool, the connection and the grants of this session's agent.
    ///
    /// # Errors
    /// [`Refusal`]: no such tool or connection, or several connections and none named.
    pub fn lease(
        &self,
        session: &Session,
        tool: &str,
        connection: Option<&str>,
    ) -> Result<Arc<Lease>, Refusal> {
        // Read before the policy: a change in between makes the lease stale, never the reverse.
        let generation = self.generation();
        let policy = self.policy().ok_or(Refusal::Locked)?;
        let operation =
            self.catalog.operation(tool).ok_or_else(|| Refusal::UnknownTool(short(tool)))?.clone();
        let grants = policy.grants.get(session.agent()).map(Vec::as_slice).unwrap_or_default();
        let registration = choose(&policy, grants, session, &operation, connection)?;
        let grants = grants
            .iter()
            .filter(|g| {
                g.is_for(session)
                    && g.connection == registration.connection.name
                    && g.scopes.contains(operation.scope_id())
            })
            .cloned()
            .collect();
        let bucket = self.bucket(&registration, &operation);
        Ok(Arc::new(Lease {
            session: session.clone(),
            operation,
            registration,
            grants,
            bucket,
            generation,
        }))
    }

    /// A lease for the owner's own check of a connection that is not in force yet: the service's
    /// read-only check operation, once, for a minute, under grant number 0. The gates and the log
    /// see it as any other call. `None` where the service has no such operation.
    pub fn lease_check(
        &self,
        session: &Session,
        registration: &Arc<Registration>,
    ) -> Option<Arc<Lease>> {
        let operation = registration.service.verify()?.clone();
        let mut scopes = ScopeSet::default();
        scopes.insert(operation.scope_id());
        let grant = LiveGrant {
            id: 0,
            connection: registration.connection.name.clone(),
            scopes,
            limits: Vec::new(),
            ask: Ask::never(),
            until_ns: self.clock.mono_ns() + 60 * 1_000_000_000,
            session: None,
            rules: None,
        };
        Some(Arc::new(Lease {
            session: session.clone(),
            bucket: self.bucket(registration, &operation),
            operation,
            registration: registration.clone(),
            grants: vec![Arc::new(grant)],
            generation: self.generation(),
        }))
    }

    /// Checks the gates and limits, and gives a token for this exact request.
    ///
    /// # Errors
    /// [`Refusal`], with the gates that did hold. A stale lease is resolved again inside.
    pub fn mint(
        &self,
        lease: &Arc<Lease>,
        context: &Context,
        arguments: &Map<String, Value>,
        request: &Digest32,
    ) -> Result<Token, Refused> {
        self.mint_with(lease, context, arguments, request, Consent::None)
    }

    /// As [`Engine::mint`], with what there is of a person's consent. An approval is used up, also
    /// where the call is refused.
    ///
    /// # Errors
    /// [`Refused`]; [`Refusal::Approval`] where a rule wants a person asked and `consent` is no
    /// evidence for this very request.
    pub fn mint_with(
        &self,
        lease: &Arc<Lease>,
        context: &Context,
        arguments: &Map<String, Value>,
        request: &Digest32,
        consent: Consent,
    ) -> Result<Token, Refused> {
        let fresh;
        let lease = if lease.generation == self.generation() {
            lease
        } else {
            let connection = lease.registration.connection.name.as_str();
            fresh =
                self.lease(&lease.session, lease.operation.name().as_str(), Some(connection))?;
            &fresh
        };
        let now = self.clock.mono_ns();
        let context = context.digest();
        let asked = Asking { context: &context, request, consent: &consent, now };
        let passed = self.gates(lease, arguments, &asked)?;
        let (approved, need) = match passed.stands {
            Stands::Alone => (None, None),
            Stands::On(approved) => {
                self.memory().note_use(passed.grant, lease.operation.name().as_str());
                (Some(approved), None)
            }
            Stands::Later(need) => (None, Some(need)),
        };
        let token = Token::make(&*self.rng);
        let pending = Pending {
            lease: lease.clone(),
            grant: passed.grant,
            context,
            request: *request,
            until_ns: now + TOKEN_TTL_SECONDS * 1_000_000_000,
            requested_unix_ms: self.clock.unix_ms(),
            costs: passed.costs,
            missed: passed.missed,
            gates: passed.gates,
            approved,
            need,
        };
        if self.tokens.insert(token.id(), pending, now) {
            Ok(token)
        } else {
            Err(Refusal::TooManyTokens(TOKENS_MAX).into())
        }
    }

    /// Takes a token, once. Whatever is wrong with it, it is gone: a token that was shown in the
    /// wrong place has leaked.
    ///
    /// # Errors
    /// [`Refusal`]: unknown, of another session, context or request, expired, or its grant is gone.
    pub fn redeem(
        &self,
        token: &Token,
        session: &Session,
        context: &Context,
        request: &Digest32,
    ) -> Result<Opening, Refused> {
        let id = token.id();
        let pending = match self.tokens.take(&id) {
            Taken::Now(pending) => pending,
            Taken::Before => return Err(Refusal::TokenUsed.into()),
            Taken::Unknown => return Err(Refusal::TokenUnknown.into()),
        };
        let now = self.clock.mono_ns();
        if pending.lease.session.id() != session.id() {
            return Err(Refusal::TokenSession.into());
        }
        if pending.context != context.digest() {
            return Err(Refusal::TokenContext.into());
        }
        if pending.request != *request {
            return Err(Refusal::TokenRequest.into());
        }
        if now >= pending.until_ns {
            return Err(Refusal::TokenExpired.into());
        }
        let mut missed = pending.missed;
        let shadow = self.is_shadow();
        if let Some(refusal) = missed.first().filter(|_| !shadow) {
            return Err(Refused { refusal: refusal.clone(), gates: pending.gates });
        }
        let lease = pending.lease;
        let grant = match self.still(&lease, pending.grant, now) {
            Ok(grant) => grant,
            // Refused for want of a grant when the token was asked for, too.
            Err(Refusal::GrantEnded { .. })
                if shadow && !missed.is_empty() && self.is_same(&lease) =>
            {
                None
            }
            Err(refusal @ Refusal::GrantEnded { .. }) if shadow && self.is_same(&lease) => {
                missed.push(refusal);
                None
            }
            Err(refusal) => return Err(refusal.into()),
        };
        if let Some(need) = pending.need {
            return Err(Refused { refusal: Refusal::Approval(need), gates: pending.gates });
        }
        let mut opening = Opening {
            session: *session.id(),
            token_id: id,
            context_kind: context.kind(),
            context: pending.context,
            request: pending.request,
            grant: pending.grant,
            gates: pending.gates,
            requested_unix_ms: pending.requested_unix_ms,
            approved: pending.approved,
            asked: Vec::new(),
            hold: Hold::default(),
            missed,
            lease,
        };
        if let Some(rules) = grant.as_ref().and_then(|g| g.rules.as_ref()) {
            let asked = Asked {
                operation: &opening.lease.operation,
                arguments: &Map::new(),
                now_ns: now,
                reading: self.reading(),
            };
            let taken = rules.take(&id, &pending.costs, asked, shadow, &mut opening.missed);
            opening.hold = taken.map_err(|refusal| Refused { refusal, gates: pending.gates })?;
            opening.asked = rules.names(&opening.lease.operation);
        }
        Ok(opening)
    }

    /// The grant that let a token out, if it still stands: the rate was taken at mint, the rest is
    /// asked again, from what is in force now.
    fn still(
        &self,
        lease: &Lease,
        grant: GrantId,
        now: u64,
    ) -> Result<Option<Arc<LiveGrant>>, Refusal> {
        let ended = || lease.ended();
        if lease.generation == self.generation() {
            let found = lease.grants.iter().find(|g| g.id == grant && now < g.until_ns);
            return found.cloned().map(Some).ok_or_else(ended);
        }
        let policy = self.policy().ok_or(Refusal::Locked)?;
        let grant = policy
            .grants
            .get(lease.session.agent())
            .and_then(|g| g.iter().find(|g| g.id == grant))
            .filter(|g| now < g.until_ns && g.scopes.contains(lease.operation.scope_id()));
        // Another credential or destination under the same name is another connection.
        if !self.is_same(lease) {
            return Err(ended());
        }
        grant.cloned().map(Some).ok_or_else(ended)
    }

    /// Whether a lease's connection is in force, and still the same.
    fn is_same(&self, lease: &Lease) -> bool {
        if lease.generation == self.generation() {
            return true;
        }
        let name = &lease.registration.connection.name;
        let policy = self.policy();
        let current = policy.as_ref().and_then(|p| p.connections.get(name));
        current.is_some_and(|c| Arc::ptr_eq(c, &lease.registration))
    }

    /// The four gates, the limits and the rules, in the order of [`Gate::ALL`] but for the rate,
    /// which is taken last so that a refused call costs nothing. In shadow mode what does not hold
    /// is written down and passed over, but for what the connection itself does not allow.
    fn gates(
        &self,
        lease: &Lease,
        arguments: &Map<String, Value>,
        asked: &Asking<'_>,
    ) -> Result<Passed, Refused> {
        let now = asked.now;
        let mut passed = Passed { shadow: self.is_shadow(), ..Passed::default() };
        let connection = &lease.registration.connection;
        if !lease.registration.scopes.contains(lease.operation.scope_id()) {
            return Err(lease.beyond().into());
        }
        let has_living = lease.grants.iter().any(|g| now < g.until_ns);
        if lease.grants.is_empty() {
            passed.miss(lease.no_grant())?;
        } else {
            passed.hold(Gate::Scope);
            if has_living {
                passed.hold(Gate::Ttl);
            } else {
                passed.miss(lease.ended())?;
            }
        }
        if connection.fingerprint != self.fingerprint {
            return Err(Refused {
                refusal: Refusal::Fingerprint(connection.name.to_string()),
                gates: passed.gates,
            });
        }
        passed.hold(Gate::Fingerprint);
        let stands = if has_living {
            let (grant, judged, stands) = self.choose_grant(lease, arguments, now, Some(asked));
            passed.grant = grant;
            passed.costs = judged.costs;
            for refusal in judged.missed {
                passed.miss(refusal)?;
            }
            stands
        } else {
            Self::stands_ungranted(lease, asked)
        };
        // A person is asked in shadow mode too.
        passed.stands = match (stands, asked.consent) {
            (Ok(stands), _) => stands,
            (Err(need), Consent::AtRedeem) => Stands::Later(need),
            (Err(need), _) => {
                let refusal = Refusal::Approval(need);
                return Err(Refused { refusal, gates: passed.gates });
            }
        };
        match lease.bucket.take(now) {
            Ok(()) => passed.hold(Gate::Rate),
            Err(wait_ns) => passed.miss(lease.too_often(wait_ns))?,
        }
        Ok(passed)
    }

    /// The first living grant that admits the call as a whole and asks nobody; then the first that
    /// asks; else the one with the least against it, and what that is. Without `asked` nobody is.
    pub(crate) fn choose_grant(
        &self,
        lease: &Lease,
        arguments: &Map<String, Value>,
        now: u64,
        asked: Option<&Asking<'_>>,
    ) -> (GrantId, Judged, Result<Stands, Box<Need>>) {
        let mut nearest: Option<(GrantId, Judged, Result<Stands, Box<Need>>)> = None;
        for grant in lease.grants.iter().filter(|g| now < g.until_ns) {
            let judged = self.judge(grant, lease, arguments, now);
            let stands =
                asked.map_or(Ok(Stands::Alone), |a| self.stands(lease, grant, arguments, a));
            if judged.missed.is_empty() && stands.is_ok() {
                return (grant.id, judged, stands);
            }
            let is_nearer = |(_, n, _): &(GrantId, Judged, _)| match judged.missed.len() {
                0 => !n.missed.is_empty(),
                missed => missed <= n.missed.len(),
            };
            if nearest.as_ref().is_none_or(is_nearer) {
                nearest = Some((grant.id, judged, stands));
            }
        }
        nearest.unwrap_or((0, Judged::default(), Ok(Stands::Alone)))
    }

    fn judge(
        &self,
        grant: &LiveGrant,
        lease: &Lease,
        arguments: &Map<String, Value>,
        now_ns: u64,
    ) -> Judged {
        let limit = grant.limits.iter().find(|l| !l.admits(arguments));
        let mut judged = match &grant.rules {
            None => Judged::default(),
            Some(rules) => {
                let (operation, reading) = (&*lease.operation, self.reading());
                rules.judge(Asked { operation, arguments, now_ns, reading })
            }
        };
        if let Some(limit) = limit {
            judged.missed.insert(0, Refusal::Limit(limit.to_string()));
        }
        judged
    }

    fn bucket(&self, registration: &Registration, operation: &Operation) -> Arc<Bucket> {
        let key = (registration.connection.name.clone(), operation.scope_id());
        let rate = registration.service.rate();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket =
            buckets.entry(key).or_insert_with(|| Arc::new(Bucket::new(rate, self.clock.mono_ns())));
        bucket.set_rate(rate);
        bucket.clone()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

/// A refusal, and the gates that held before it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{refusal}")]
pub struct Refused {
    /// Why.
    #[source]
    pub refusal: Refusal,
    /// Which gates held.
    pub gates: Gates,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, gates: Gates::default() }
    }
}

/// The connection that is named; else the only granted one of the service; else the one that
/// carries the service's name.
fn choose(
    policy: &Policy,
    grants: &[Arc<LiveGrant>],
    session: &Session,
    operation: &Operation,
    named: Option<&str>,
) -> Result<Arc<Registration>, Refusal> {
    let of_service = |r: &&Arc<Registration>| r.connection.service == operation.name().service();
    if let Some(name) = named {
        let missing = || Refusal::NoConnection(short(name));
        let name = ConnectionName::parse(name).map_err(|_| missing())?;
        return policy.connections.get(&name).filter(of_service).cloned().ok_or_else(missing);
    }
    let mut names: Vec<&ConnectionName> = grants
        .iter()
        .filter(|g| g.is_for(session) && g.scopes.contains(operation.scope_id()))
        .map(|g| &g.connection)
        .collect();
    names.sort_unstable();
    names.dedup();
    let granted: Vec<_> =
        names.iter().filter_map(|n| policy.connections.get(*n)).filter(of_service).collect();
    match granted[..] {
        [one] => Ok(one.clone()),
        [] => {
            let missing = || Refusal::NoConnection(operation.name().service().to_owned());
            let name = ConnectionName::parse(operation.name().service()).map_err(|_| missing())?;
            let own = policy.connections.get(&name).filter(of_service);
            own.or_else(|| policy.connections.values().find(of_service))
                .cloned()
                .ok_or_else(missing)
        }
        _ => Err(Refusal::WhichConnection {
            agent: session.agent().to_string(),
            service: operation.name().service().to_owned(),
            names: names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Names from outside are cut before they go into an error.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
