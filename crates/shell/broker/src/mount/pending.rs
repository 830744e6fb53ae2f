//! The requests to a program that have no answer yet, and how far each of them came.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::error::{MountError, MountFault};
use super::process::Answered;

/// What comes of a request.
pub(super) type Outcome = Result<Answered, MountError>;

/// Requests without an answer.
#[derive(Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Default)]
struct State {
    by_id: HashMap<u64, Request>,
    /// Why there will be no answer any more.
    ended: Option<MountFault>,
}

struct Request {
    told: oneshot::Sender<Outcome>,
    stage: Stage,
}

/// How far a request came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing of it is written.
    Queued,
    /// It is being written: only who writes knows whether all of it will be.
    Writing,
    /// The program may have read it.
    Written,
}

impl Pending {
    /// A request that is to be written.
    pub(super) fn add(&self, id: u64) -> Result<oneshot::Receiver<Outcome>, MountError> {
        let mut state = self.state();
        if let Some(fault) = &state.ended {
            return Err(fault.clone().unsent());
        }
        if state.by_id.len() >= WAITING_MAX {
            return Err(MountFault::Busy.unsent());
        }
        let (told, answer) = oneshot::channel();
        state.by_id.insert(id, Request { told, stage: Stage::Queued });
        Ok(answer)
    }

    /// Nobody waits for it any more.
    pub(super) fn forget(&self, id: u64) {
        self.state().by_id.remove(&id);
    }

    /// Its answer came. One that nobody waits for any more is dropped.
    pub(super) fn answer(&self, id: u64, answered: Answered) {
        self.tell(id, Ok(answered));
    }

    /// Whether it is to be written still, which is then under way.
    pub(super) fn begin_write(&self, id: u64) -> bool {
        match self.state().by_id.get_mut(&id) {
            Some(request) => {
                request.stage = Stage::Writing;
                true
            }
            None => false,
        }
    }

    /// All of it is written.
    pub(super) fn written(&self, id: u64) {
        let mut state = self.state();
        let ended = state.ended.clone();
        let Some(request) = state.by_id.get_mut(&id) else { return };
        request.stage = Stage::Written;
        if let Some(fault) = ended {
            drop(state);
            self.tell(id, Err(fault.sent()));
        }
    }

    /// It cannot be written whole, so the program has no message of it.
    pub(super) fn unwritten(&self, id: u64) {
        let fault = self.state().ended.clone().unwrap_or(MountFault::Ended);
        self.tell(id, Err(fault.unsent()));
    }

    /// Nothing will be answered any more. The first reason stands.
    pub(super) fn end(&self, fault: MountFault) {
        let mut state = self.state();
        let fault = state.ended.get_or_insert(fault).clone();
        let over = state.by_id.extract_if(|_, request| request.stage != Stage::Writing);
        for (_, request) in over {
            let error = match request.stage {
                Stage::Queued | Stage::Writing => fault.clone().unsent(),
                Stage::Written => fault.clone().sent(),
            };
            // Whoever does not wait any more does not hear it.
            let _ = request.told.send(Err(error));
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended.is_some()
    }

    fn tell(&self, id: u64, outcome: Outcome) {
        if let Some(request) = self.state().by_id.remove(&id) {
            // Whoever does not wait any more does not hear it.
            let _ = request.told.send(outcome);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const WAITING_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(answer: &mut oneshot::Receiver<Outcome>) -> Option<MountError> {
        answer.try_recv().ok().and_then(Result::err)
    }

    #[test]
    fn what_the_end_of_a_program_says_of_a_request_is_how_far_it_came() {
        let pending = Pending::default();
        let [mut queued, mut cut, mut whole, mut written] =
            [1, 2, 3, 4].map(|id| pending.add(id).unwrap());
        for id in [2, 3, 4] {
            assert!(pending.begin_write(id));
        }
        pending.written(4);
        pending.end(MountFault::Ended);
        assert_eq!(outcome(&mut queued), Some(MountFault::Ended.unsent()));
        assert_eq!(outcome(&mut written), Some(MountFault::Ended.sent()));
        // Who writes has the last word on what it writes.
        assert_eq!((outcome(&mut cut), outcome(&mut whole)), (None, None));
        pending.unwritten(2);
        pending.written(3);
        assert_eq!(outcome(&mut cut), Some(MountFault::Ended.unsent()));
        assert_eq!(outcome(&mut whole), Some(MountFault::Ended.sent()));
        assert!(!pending.begin_write(1), "it was told that it was not sent");
        assert_eq!(pending.add(5).err(), Some(MountFault::Ended.unsent()));
    }

    #[test]
    fn the_first_reason_stands() {
        let pending = Pending::default();
        let mut answer = pending.add(1).unwrap();
        assert!(pending.begin_write(1));
        pending.end(MountFault::Stopped);
        pending.end(MountFault::Ended);
        pending.unwritten(1);
        assert_eq!(outcome(&mut answer), Some(MountFault::Stopped.unsent()));
    }

    #[test]
    fn more_than_is_waited_for_is_refused() {
        let pending = Pending::default();
        let waiting: Vec<_> = (0..WAITING_MAX as u64).map(|id| pending.add(id).unwrap()).collect();
        assert_eq!(pending.add(1000).err(), Some(MountFault::Busy.unsent()));
        pending.forget(0);
        assert!(pending.add(1000).is_ok());
        drop(waiting);
    }
}
