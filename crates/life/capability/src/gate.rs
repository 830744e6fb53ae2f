//! The four gates, and every way to be refused.

use crate::approval::Need;
use symbolon_codec::time::rfc3339;

use crate::catalog::BindError;

/// One of the four gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The grant and the connection name the tool's scope.
    Scope,
    /// The scope's bucket has a call left.
    Rate,
    /// The grant and the token are still alive.
    Ttl,
    /// The connection is bound to this machine.
    Fingerprint,
}

impl Gate {
    /// All four, in the order that receipts name them.
    pub const ALL: [Self; 4] = [Self::Scope, Self::Rate, Self::Ttl, Self::Fingerprint];

    /// The word that receipts carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Rate => "rate",
            Self::Ttl => "ttl",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// Which gates held. Starts with none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gates(u8);

impl Gates {
    /// With this gate held too.
    #[must_use]
    pub const fn with(self, gate: Gate) -> Self {
        Self(self.0 | 1 << gate as u8)
    }

    /// Whether this gate held.
    pub const fn held(self, gate: Gate) -> bool {
        self.0 & (1 << gate as u8) != 0
    }

    /// All four as bits, scope lowest.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// Why a call may not be made. Names, never values.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The vault is locked.
    #[error("the vault is locked")]
    Locked,
    /// No such tool.
    #[error("there is no tool named {0}")]
    UnknownTool(String),
    /// The parameters do not fit the tool's schema.
    #[error(transparent)]
    Arguments(#[from] BindError),
    /// No connection of this service, or none of that name.
    #[error("there is no connection named {0}")]
    NoConnection(String),
    /// It is in the owner's vault, and the lease by which it was here is over.
    #[error(
        "the connection {0} is in the owner's vault, and no unlock lease for connections is live"
    )]
    NotLent(String),
    /// The agent was granted several connections of the service.
    #[error("{agent} was granted several connections of {service}: {names}")]
    WhichConnection {
        /// Who.
        agent: String,
        /// Of which service.
        service: String,
        /// Their names.
        names: String,
    },
    /// Scope gate: no grant names the scope.
    #[error("{agent} was not granted {scope}")]
    NoGrant {
        /// Who.
        agent: String,
        /// What is missing.
        scope: String,
        /// Where.
        connection: String,
    },
    /// Scope gate: the connection does not allow the scope, whatever was granted.
    #[error("the connection {connection} does not allow {scope}")]
    ConnectionScope {
        /// Which connection.
        connection: String,
        /// What it lacks.
        scope: String,
    },
    /// Rate gate.
    #[error("the rate of {scope} is used up; the next call is possible in {retry_ms} ms")]
    Rate {
        /// Whose bucket is empty.
        scope: String,
        /// Milliseconds until there is a call again.
        retry_ms: u64,
    },
    /// TTL gate: the grant has ended.
    #[error("the grant of {scope} to {agent} has ended")]
    GrantEnded {
        /// Who.
        agent: String,
        /// What for.
        scope: String,
        /// Where.
        connection: String,
    },
    /// Fingerprint gate.
    #[error("the connection {0} is bound to another machine")]
    Fingerprint(String),
    /// A parameter limit does not admit the call.
    #[error("the grant's limit does not admit this call: {0}")]
    Limit(String),
    /// A rule of the grant wants a person asked, and nobody said yes to this request.
    #[error("the owner is asked before this call (rule: {})", .0.rule)]
    Approval(Box<Need>),
    /// A budget has not enough left.
    #[error("{0}")]
    Budget(Box<BudgetShort>),
    /// A budget cannot tell what the call takes.
    #[error(
        "the budget {budget:?} of grant {grant} cannot count this call: give {parameter} as a plain amount"
    )]
    Uncounted {
        /// Of which grant.
        grant: u64,
        /// As its owner wrote it.
        budget: String,
        /// What it counts.
        parameter: String,
    },
    /// The scope's cooldown is not over.
    #[error("{scope} rests between calls; the next is possible in {} s", retry_ms.div_ceil(1000))]
    Cooldown {
        /// Of which grant.
        grant: u64,
        /// Which scope.
        scope: String,
        /// Milliseconds until it is over.
        retry_ms: u64,
    },
    /// No time window is open.
    #[error("the grant is good {hours} only{}", opens(*opens_unix_ms))]
    OutsideHours {
        /// Of which grant.
        grant: u64,
        /// Its windows.
        hours: String,
        /// When the next opens; `None` where its zone is not known here.
        opens_unix_ms: Option<u64>,
        /// Milliseconds until then.
        retry_ms: Option<u64>,
    },
    /// The grant has time windows, and the clock is not believed.
    #[error("the machine's clock jumped by {} s, so no time window is open until it has stood a while", by_ms / 1000)]
    ClockJumped {
        /// Of which grant.
        grant: u64,
        /// By how much.
        by_ms: i64,
        /// Milliseconds until it is believed.
        retry_ms: u64,
    },
    /// The token is unknown: never issued, or long expired.
    #[error("the token is not good: it was never issued, or expired long ago")]
    TokenUnknown,
    /// The token was used before; each is good once.
    #[error("the token was used already")]
    TokenUsed,
    /// The token's seconds are over.
    #[error("the token has expired")]
    TokenExpired,
    /// The token was asked for in another session, by whoever that was.
    #[error("the token belongs to another session")]
    TokenSession,
    /// The token was asked for in another execution context.
    #[error("the token belongs to another execution context")]
    TokenContext,
    /// The token is for another request.
    #[error("the token is for another request")]
    TokenRequest,
    /// The placeholder of a minted credential that this agent has not on this connection.
    #[error(
        "the placeholder stands for nothing that this agent minted through {connection}, or it was revoked"
    )]
    MintedUnknown {
        /// Which connection.
        connection: String,
    },
    /// The minted credential has ended.
    #[error("the minted credential {id} has ended")]
    MintedExpired {
        /// Its name.
        id: String,
    },
    /// Too many tokens are waiting to be redeemed.
    #[error("{0} tokens are waiting to be redeemed; redeem them or let them expire")]
    TooManyTokens(usize),
}

impl Refusal {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::UnknownTool(_) => "unknown_tool",
            Self::Arguments(_) => "invalid_arguments",
            Self::NoConnection(_) => "no_connection",
            Self::NotLent(_) => "not_lent",
            Self::WhichConnection { .. } => "which_connection",
            Self::NoGrant { .. } => "no_grant",
            Self::ConnectionScope { .. } => "connection_scope",
            Self::Rate { .. } => "rate_limited",
            Self::GrantEnded { .. } => "grant_ended",
            Self::Fingerprint(_) => "fingerprint",
            Self::Limit(_) => "limit",
            Self::Approval(_) => "approval_needed",
            Self::Budget(_) => "budget",
            Self::Uncounted { .. } => "budget_uncounted",
            Self::Cooldown { .. } => "cooldown",
            Self::OutsideHours { .. } => "outside_hours",
            Self::ClockJumped { .. } => "clock_jumped",
            Self::TokenUnknown => "token_unknown",
            Self::TokenUsed => "token_used",
            Self::TokenExpired => "token_expired",
            Self::TokenSession => "token_session",
            Self::TokenContext => "token_context",
            Self::TokenRequest => "token_request",
            Self::MintedUnknown { .. } => "minted_unknown",
            Self::MintedExpired { .. } => "minted_expired",
            Self::TooManyTokens(_) => "too_many_tokens",
        }
    }

    /// The rule that did not hold, as receipts name it: one of the gates, or a rule of the policy.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Limit(_) => "limit",
            Self::Approval(_) => "approval",
            Self::Budget(_) | Self::Uncounted { .. } => "budget",
            Self::Cooldown { .. } => "cooldown",
            Self::OutsideHours { .. } | Self::ClockJumped { .. } => "window",
            Self::MintedUnknown { .. } | Self::MintedExpired { .. } => "minted",
            other => match other.gate() {
                Some(gate) => gate.as_str(),
                None => "policy",
            },
        }
    }

    /// Milliseconds until the same call can succeed, where waiting helps.
    pub fn retry_ms(&self) -> Option<u64> {
        match self {
            Self::Rate { retry_ms, .. }
            | Self::Cooldown { retry_ms, .. }
            | Self::ClockJumped { retry_ms, .. } => Some(*retry_ms),
            Self::OutsideHours { retry_ms, .. } => *retry_ms,
            Self::Budget(short) => short.retry_ms,
            _ => None,
        }
    }

    /// The gate that did not hold, where one of the four is to blame.
    pub const fn gate(&self) -> Option<Gate> {
        match self {
            Self::NoGrant { .. } | Self::ConnectionScope { .. } => Some(Gate::Scope),
            Self::Rate { .. } => Some(Gate::Rate),
            Self::GrantEnded { .. } | Self::TokenExpired => Some(Gate::Ttl),
            Self::Fingerprint(_) => Some(Gate::Fingerprint),
            _ => None,
        }
    }
}

/// A budget that has not enough left.
#[derive(Debug, Clone)]
pub struct BudgetShort {
    /// Of which grant.
    pub grant: u64,
    /// As its owner wrote it.
    pub budget: String,
    /// What is left, with its unit.
    pub left: String,
    /// When there will be enough; `None` for never.
    pub enough_unix_ms: Option<u64>,
    /// Milliseconds until then.
    pub retry_ms: Option<u64>,
}

impl std::fmt::Display for BudgetShort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { grant, budget, left, .. } = self;
        write!(
            f,
            "the budget {budget:?} of grant {grant} has {left} left, and this call takes more"
        )?;
        match self.enough_unix_ms {
            Some(at) => write!(f, "; there is enough again at {}", rfc3339(at)),
            None => f.write_str("; waiting does not help"),
        }
    }
}

fn opens(at: Option<u64>) -> String {
    match at {
        Some(at) => format!("; it opens at {}", rfc3339(at)),
        None => ", in a time zone that this machine does not know".to_owned(),
    }
}
