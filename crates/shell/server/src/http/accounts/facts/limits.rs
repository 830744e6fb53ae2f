//! How often is asked and answered: each check of a proof is milliseconds of work, each question a row.

use symbolon_account::rate::Buckets;
use symbolon_ambient::Clock;
use symbolon_broker::CallError;
use symbolon_possession::ServiceId;

use super::super::limits::{Address, KEYS_MAX, RateLimits, too_often};

/// The buckets.
#[derive(Debug)]
pub(super) struct FactLimits {
    answers: Buckets<Address>,
    questions: Buckets<Address>,
    sessions: Buckets<ServiceId>,
}

impl FactLimits {
    pub fn new(rates: &RateLimits) -> Self {
        Self {
            answers: Buckets::new(rates.proof_answers, KEYS_MAX),
            questions: Buckets::new(rates.proof_questions, KEYS_MAX),
            sessions: Buckets::new(rates.proof_sessions, KEYS_MAX),
        }
    }

    /// Before an answer is read.
    pub fn answer(&self, address: Address, clock: &dyn Clock) -> Result<(), CallError> {
        self.answers.take(address, clock).map_err(too_often)
    }

    /// Before the answers of a batch are read.
    pub fn answers(
        &self,
        address: Address,
        count: u32,
        clock: &dyn Clock,
    ) -> Result<(), CallError> {
        self.answers.take_many(address, count, clock).map_err(too_often)
    }

    /// Before this server asks for itself because somebody wants it to.
    pub fn question(&self, address: Address, clock: &dyn Clock) -> Result<(), CallError> {
        self.questions.take(address, clock).map_err(too_often)
    }

    /// Before a service begins a session.
    pub fn session(&self, service: ServiceId, clock: &dyn Clock) -> Result<(), CallError> {
        self.sessions.take(service, clock).map_err(too_often)
    }
}
