//! What was asked of the owner's browsers and not answered yet.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon_ambient::Rng;
use symbolon_capability::catalog::Rate;
use symbolon_capability::rate::Bucket;
use symbolon_codec::Digest32;
use symbolon_crypto::RecipientSecret;
use symbolon_custody::{Act, NONCE_BYTES, SALT_BYTES};
use symbolon_secret::{MemoryError, Secret};

/// The process's key for taps, and its questions. Nothing of it outlives the process.
pub(crate) struct Taps {
    pub(super) own: RecipientSecret,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The oldest first.
    asked: VecDeque<Question>,
    rates: HashMap<Digest32, Rates>,
}

struct Rates {
    questions: Bucket,
    answers: Bucket,
}

/// A nonce that was given out.
#[derive(Clone)]
pub(super) struct Question {
    pub act: Act,
    pub nonce: [u8; NONCE_BYTES],
    /// For a wrap that is to be made.
    pub salt: [u8; SALT_BYTES],
    /// Of the browser that asked.
    pub session: Digest32,
    pub expires_unix_ms: u64,
    until_ns: u64,
}

/// Why a nonce was not taken or given.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TapRefused {
    /// Nobody was given it, or somebody else, for something else, or too long ago.
    Nonce,
    /// Whole seconds to wait.
    Rate(u64),
}

/// What the time is: on the clock that only runs forward, and on the wall.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub mono_ns: u64,
    pub unix_ms: u64,
}

impl Taps {
    /// With a key of its own, made now.
    ///
    /// # Errors
    /// [`MemoryError`]: no secret page was left.
    pub(crate) fn new(rng: &dyn Rng) -> Result<Self, MemoryError> {
        let seed = Secret::<[u8; 32]>::try_make(|page| {
            rng.fill(page);
            Ok::<_, MemoryError>(())
        })?;
        Ok(Self { own: RecipientSecret::derive(&seed), state: Mutex::default() })
    }

    /// A question to a browser. Of too many of one browser the oldest gives way, and beyond
    /// [`ASKED_MAX`] the oldest of all.
    pub(super) fn ask(
        &self,
        act: Act,
        session: Digest32,
        rng: &dyn Rng,
        now: Now,
    ) -> Result<Question, TapRefused> {
        let mut state = self.state();
        state.rates(session, now)?.questions.take(now.mono_ns).map_err(wait)?;
        let (mut nonce, mut salt) = ([0; NONCE_BYTES], [0; SALT_BYTES]);
        rng.fill(&mut nonce);
        rng.fill(&mut salt);
        let question = Question {
            act,
            nonce,
            salt,
            session,
            expires_unix_ms: now.unix_ms + ASKED_SECONDS * 1000,
            until_ns: now.mono_ns + ASKED_SECONDS * 1_000_000_000,
        };
        let asked = &mut state.asked;
        asked.retain(|one| now.mono_ns < one.until_ns);
        let of_session = asked.iter().filter(|one| one.session == session).count();
        if of_session >= ASKED_OF_SESSION_MAX {
            let oldest = asked.iter().position(|one| one.session == session);
            oldest.and_then(|at| asked.remove(at));
        } else if asked.len() >= ASKED_MAX {
            asked.pop_front();
        }
        asked.push_back(question.clone());
        Ok(question)
    }

    /// The question with this nonce. It is gone, whatever comes of it.
    pub(super) fn take(
        &self,
        act: Act,
        session: Digest32,
        nonce: &[u8; NONCE_BYTES],
        now: Now,
    ) -> Result<Question, TapRefused> {
        let mut state = self.state();
        let at = state.asked.iter().position(|one| one.nonce == *nonce);
        let found = at.and_then(|at| state.asked.remove(at));
        state.rates(session, now)?.answers.take(now.mono_ns).map_err(wait)?;
        let is_ours =
            |one: &Question| one.session == session && one.act == act && now.mono_ns < one.until_ns;
        found.filter(is_ours).ok_or(TapRefused::Nonce)
    }

    /// Forgets every question.
    pub(crate) fn clear(&self) {
        self.state().asked.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rates(&mut self, session: Digest32, now: Now) -> Result<&mut Rates, TapRefused> {
        let rate = Rate::new(BURST, PER_SECOND).ok_or(TapRefused::Rate(u64::MAX))?;
        if self.rates.len() >= RATES_MAX && !self.rates.contains_key(&session) {
            self.rates.clear();
        }
        let bucket = || Bucket::new(rate, now.mono_ns);
        let new = || Rates { questions: bucket(), answers: bucket() };
        Ok(self.rates.entry(session).or_insert_with(new))
    }
}

fn wait(ns: u64) -> TapRefused {
    TapRefused::Rate(ns.div_ceil(1_000_000_000).max(1))
}

/// As long as somebody looks for their key.
const ASKED_SECONDS: u64 = 120;
const ASKED_OF_SESSION_MAX: usize = 4;
const ASKED_MAX: usize = 64;
const BURST: u32 = 10;
const PER_SECOND: f64 = 10.0 / 60.0;
/// Twice as many as there are sessions of the owner.
const RATES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const ONE: Digest32 = Digest32([1; 32]);
    const OTHER: Digest32 = Digest32([2; 32]);

    fn at(mono_ns: u64) -> Now {
        Now { mono_ns, unix_ms: 1_700_000_000_000 + mono_ns / 1_000_000 }
    }

    fn taps() -> (Taps, SeededRng) {
        let rng = SeededRng::new(1);
        (Taps::new(&rng).unwrap(), rng)
    }

    #[test]
    fn a_nonce_is_good_once_for_who_asked_and_what_for_and_two_minutes() {
        let (taps, rng) = taps();
        let ask = |now| taps.ask(Act::Unlock, ONE, &rng, at(now)).unwrap();
        let take = |question: &Question, session, act, now| {
            taps.take(act, session, &question.nonce, at(now)).map(|taken| taken.nonce)
        };
        let question = ask(0);
        assert_eq!(question.expires_unix_ms, 1_700_000_120_000);
        assert_eq!(take(&question, ONE, Act::Unlock, 120 * SECOND - 1), Ok(question.nonce));
        let again = take(&question, ONE, Act::Unlock, 120 * SECOND - 1);
        assert_eq!(again, Err(TapRefused::Nonce), "twice");
        let question = ask(200 * SECOND);
        assert_eq!(take(&question, ONE, Act::Unlock, 320 * SECOND), Err(TapRefused::Nonce));
        for (session, act) in [(OTHER, Act::Unlock), (ONE, Act::Add)] {
            let question = ask(400 * SECOND);
            assert_eq!(take(&question, session, act, 400 * SECOND), Err(TapRefused::Nonce));
            let again = take(&question, ONE, Act::Unlock, 400 * SECOND);
            assert_eq!(again, Err(TapRefused::Nonce), "it was taken");
        }
        let question = ask(600 * SECOND);
        taps.clear();
        assert_eq!(take(&question, ONE, Act::Unlock, 600 * SECOND), Err(TapRefused::Nonce));
    }

    #[test]
    fn questions_and_answers_are_bounded_for_each_browser_apart() {
        let (taps, rng) = taps();
        let asked: Vec<_> =
            (0..BURST).map(|_| taps.ask(Act::Unlock, ONE, &rng, at(0)).unwrap()).collect();
        assert_eq!(taps.state().asked.len(), ASKED_OF_SESSION_MAX);
        assert_eq!(taps.ask(Act::Unlock, ONE, &rng, at(0)).err(), Some(TapRefused::Rate(6)));
        assert!(taps.ask(Act::Unlock, OTHER, &rng, at(0)).is_ok(), "another browser's own");
        assert!(taps.ask(Act::Unlock, ONE, &rng, at(6 * SECOND)).is_ok());
        for _ in 0..BURST {
            let refused = taps.take(Act::Unlock, ONE, &[0; NONCE_BYTES], at(0)).err();
            assert_eq!(refused, Some(TapRefused::Nonce));
        }
        let last = &asked[asked.len() - 1].nonce;
        let refused = taps.take(Act::Unlock, ONE, last, at(0)).err();
        assert_eq!(refused, Some(TapRefused::Rate(6)));
    }

    #[test]
    fn all_browsers_together_are_asked_no_more_than_the_bound() {
        let (taps, rng) = taps();
        for session in 0..=ASKED_MAX as u8 {
            taps.ask(Act::Unlock, Digest32([session; 32]), &rng, at(0)).unwrap();
        }
        let state = taps.state();
        assert_eq!(state.asked.len(), ASKED_MAX);
        assert_eq!(state.asked.front().map(|one| one.session), Some(ONE), "the oldest went");
        assert!(state.rates.len() <= RATES_MAX);
    }
}
