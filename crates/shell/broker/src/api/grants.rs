//! Grants: what was given, handed on, spent and taken back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A grant to make.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// To whom.
    pub agent: String,
    /// Scope patterns, such as `github.issues.read` or `github.issues.*`.
    pub scopes: Vec<String>,
    /// How long it lives; 0 for as long as the grant that it is under.
    #[serde(default)]
    pub for_seconds: u64,
    /// On which connection; the one named as the service, or the parent's, where absent.
    #[serde(default)]
    pub connection: Option<String>,
    /// Parameter limits, such as `owner=acme`, `owner in acme,example`, `per_page<=50`.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Which calls wait for a person: `destructive`, `write`, `first-use`, `always`, `never`, or a
    /// parameter and a bound such as `amount>10000`; `destructive` where none is named.
    #[serde(default)]
    pub ask: Vec<String>,
    /// Who may answer: `owner` (where absent), or `client` for the person at the MCP client too.
    #[serde(default)]
    pub ask_via: Option<String>,
    /// What it may use up, such as `20 calls/hour` or `stripe.refunds: 500 usd/day of amount/100`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<String>,
    /// Seconds between two calls of a scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// When it is good, such as `mon-fri 09:00-17:00 +02:00`; always where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<String>,
    /// The grant that it is part of: it gives nothing that this one does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u64>,
    /// How many levels of grants its agent may make under it.
    #[serde(default)]
    pub delegable: u8,
}

/// A grant as anyone may see it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GrantView {
    /// Its number: `symbolon revoke N`.
    pub id: u64,
    /// To whom.
    pub agent: String,
    /// On which connection.
    pub connection: String,
    /// The scopes it gives.
    pub scopes: Vec<String>,
    /// Its parameter limits.
    pub limits: Vec<String>,
    /// Which calls wait for a person.
    pub ask: Vec<String>,
    /// Who may answer: `owner`, or `client` too.
    pub ask_via: String,
    /// Its budgets, and what was spent of them.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
    /// Seconds between two calls of a scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// When it is good; always where there are none.
    #[serde(default)]
    pub hours: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it ends, RFC 3339.
    pub expires: String,
    /// `active`, `expired` or `revoked`: it, or a grant above it.
    pub state: String,
    /// The grants that it is part of, the root first; empty where it stands alone.
    #[serde(default)]
    pub above: Vec<u64>,
    /// What those say beside its own terms, a sentence for each.
    #[serde(default)]
    pub inherited: Vec<String>,
    /// How many levels of grants its agent may make under it.
    #[serde(default)]
    pub delegable: u8,
    /// Made by the agent of the grant above it.
    #[serde(default)]
    pub by_agent: bool,
    /// One sentence, such as "claude may read issues through github until 14:05".
    pub sentence: String,
}

/// A grant that was taken back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokedView {
    /// As it is now.
    #[serde(flatten)]
    pub grant: GrantView,
    /// Numbers of the grants under it that were active and fell with it.
    pub fell: Vec<u64>,
}

/// What an agent hands on of what it was granted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDelegation {
    /// To whom: a name within the agent's own, `tests` for `claude.tests`.
    pub to: String,
    /// Scope patterns, all of them within one grant of the agent's.
    pub scopes: Vec<String>,
    /// How long, such as `15m`; as long as the grant that it comes of where absent, and never longer.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// The grant that it comes of; the first that has all of it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u64>,
    /// Parameter limits, beside those that hold already.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Rules of asking the owner, beside those that hold already.
    #[serde(default)]
    pub ask: Vec<String>,
    /// What it may use up at most of what there is.
    #[serde(default)]
    pub budgets: Vec<String>,
    /// Seconds between two calls of a scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// Time windows.
    #[serde(default)]
    pub hours: Vec<String>,
    /// How many levels may come under it.
    #[serde(default)]
    pub depth: u8,
    /// Make a key also where the sub-agent has one; that one ends.
    #[serde(default)]
    pub new_key: bool,
}

/// What was handed on.
#[derive(Debug)]
pub struct Delegated {
    /// The grant that was made.
    pub grant: GrantView,
    /// The sub-agent's bearer key for HTTP, shown once; absent where it has one.
    pub key: Option<symbolon_secret::Secret<[u8]>>,
}

impl Delegated {
    /// As its maker is handed it. The key stands in it: to hand it over is what it is for, and it
    /// opens no more than its maker may do.
    pub fn to_json(&self) -> Value {
        let mut json = serde_json::json!({ "agent": self.grant.agent, "grant": self.grant });
        if let Some(key) = &self.key {
            // EXPOSE: shown once to the agent that asked for it; `sym_` and base64url.
            json["key"] = String::from_utf8_lossy(key.expose()).into_owned().into();
        }
        json
    }
}

/// A budget and what was spent of it. Amounts are decimals in text, never floats.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BudgetView {
    /// As its owner wrote it.
    pub budget: String,
    /// What is counted: `calls`, `usd`.
    pub unit: String,
    /// What counts as spent now, calls on their way included.
    pub spent: String,
    /// What is left now.
    pub left: String,
    /// When some of what is spent counts no longer, RFC 3339; absent where nothing is spent, or it
    /// counts for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<String>,
}
