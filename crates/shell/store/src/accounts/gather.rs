//! Questions that wait while one is answered are answered together, in one statement: of a way to the database and back
//! each has its part alone.

use std::sync::Arc;

use symbolon_account::AccountError;
use tokio::sync::{mpsc, oneshot};

use super::engine::{Doing, Engine};
use super::fault::same;
use super::sql::ROWS_MAX;

/// The way to one task that answers what waits.
pub(super) struct Gather<Q, A>(mpsc::Sender<Waiting<Q, A>>);

struct Waiting<Q, A> {
    question: Q,
    reply: oneshot::Sender<Result<A, AccountError>>,
}

/// Answers of so many questions, as many and in their order.
pub(super) type Answering<Q, A> =
    for<'e> fn(&'e Engine, Vec<Q>) -> Doing<'e, Vec<Result<A, AccountError>>>;

/// Questions that may wait before callers do.
const WAITING_MAX: usize = 1024;

impl<Q: Send + 'static, A: Send + 'static> Gather<Q, A> {
    /// Begins the task, which ends with this. Needs a running runtime.
    pub fn new(engine: Arc<Engine>, answering: Answering<Q, A>) -> Self {
        let (questions, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(engine, waiting, answering));
        Self(questions)
    }

    /// The answer, of a state of the database that is no older than the question.
    pub async fn ask(&self, question: Q) -> Result<A, AccountError> {
        let closed = || AccountError::Unavailable("it was closed".into());
        let (reply, answer) = oneshot::channel();
        self.0.send(Waiting { question, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

async fn run<Q, A>(
    engine: Arc<Engine>,
    mut waiting: mpsc::Receiver<Waiting<Q, A>>,
    answering: Answering<Q, A>,
) {
    let mut together = Vec::new();
    while waiting.recv_many(&mut together, ROWS_MAX).await > 0 {
        let (questions, replies): (Vec<_>, Vec<_>) =
            together.drain(..).map(|w| (w.question, w.reply)).unzip();
        // A caller that went away is answered into nothing.
        match answering(&engine, questions).await {
            Ok(each) => replies.into_iter().zip(each).for_each(|(to, one)| drop(to.send(one))),
            Err(error) => replies.into_iter().for_each(|to| drop(to.send(Err(same(&error))))),
        }
    }
}
