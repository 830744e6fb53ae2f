//! SQLite's one writer: what waits goes into one transaction, so that one sync serves all.

use std::pin::Pin;

use symbolon_account::AccountError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::db::Db;
use super::engine::Work;
use super::fault::fault;

/// The way to the writer.
pub(super) struct Lane {
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Jobs that may wait before callers do.
const WAITING_MAX: usize = 1024;

/// Jobs of one transaction: a bound on how long the first of them waits for the last.
const TOGETHER_MAX: usize = 128;

impl Lane {
    pub fn new(db: Db) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let writer = tokio::spawn(run(db, waiting));
        Self { jobs: Mutex::new(Some(jobs)), writer: Mutex::new(Some(writer)) }
    }

    /// Does the work in a transaction, perhaps with others; one that errs takes none with it.
    pub async fn write<T: Send + 'static>(
        &self,
        work: Work<T>,
        size: Size,
    ) -> Result<T, AccountError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.lock().await.clone().ok_or_else(closed)?;
        jobs.send(Box::new(Pending { work, size, reply })).await.map_err(|_| closed())?;
        drop(jobs);
        answer.await.map_err(|_| closed())?
    }

    pub async fn close(&self) {
        self.jobs.lock().await.take();
        if let Some(writer) = self.writer.lock().await.take() {
            // A writer that panicked is gone too.
            let _ = writer.await;
        }
    }
}

fn closed() -> AccountError {
    AccountError::Unavailable("it was closed".into())
}

/// How many statements a work has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// One: where it is refused, SQLite undoes it alone.
    One,
    /// Any: where one is refused, those before it are undone with it.
    Many,
}

/// Work whose result only its caller knows.
trait Job: Send {
    fn size(&self) -> Size;
    fn run<'d>(self: Box<Self>, db: &'d mut Db) -> Pin<Box<dyn Future<Output = Done> + Send + 'd>>;
    fn fail(self: Box<Self>, error: AccountError);
}

/// Work that was done, before the transaction's end is known.
struct Done {
    keep: bool,
    /// Nothing is wrong but that there is one already: a statement that is refused for that leaves the transaction as it
    /// was. Any other error may have ended it.
    is_told: bool,
    settle: Box<dyn FnOnce(Result<(), AccountError>) + Send>,
}

struct Pending<T> {
    work: Work<T>,
    size: Size,
    reply: oneshot::Sender<Result<T, AccountError>>,
}

impl<T: Send + 'static> Job for Pending<T> {
    fn size(&self) -> Size {
        self.size
    }

    fn run<'d>(self: Box<Self>, db: &'d mut Db) -> Pin<Box<dyn Future<Output = Done> + Send + 'd>> {
        Box::pin(async move {
            let Self { work, reply, .. } = *self;
            let given = work(db).await;
            let keep = given.is_ok();
            let is_told = matches!(given, Ok(_) | Err(AccountError::Exists(_)));
            // A caller that went away is answered into nothing.
            let settle = Box::new(move |end: Result<(), AccountError>| {
                let _ = reply.send(given.and_then(|given| end.map(|()| given)));
            });
            Done { keep, is_told, settle }
        })
    }

    fn fail(self: Box<Self>, error: AccountError) {
        let _ = self.reply.send(Err(error));
    }
}

async fn run(mut db: Db, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = waiting.recv().await {
        if let Err(error) = say(&mut db, "BEGIN IMMEDIATE").await {
            first.fail(error);
            continue;
        }
        let mut done = Vec::new();
        let mut next = Some(first);
        let mut end = Ok(());
        while let Some(job) = next.take() {
            match one(&mut db, job).await {
                Ok(job) => done.push(job),
                Err((job, error)) => {
                    done.extend(job);
                    end = Err(error);
                    break;
                }
            }
            if done.len() < TOGETHER_MAX {
                next = waiting.try_recv().ok();
            }
        }
        if end.is_ok() {
            end = say(&mut db, "COMMIT").await;
        }
        if end.is_err() {
            // Where SQLite ended the transaction itself there is none to roll back.
            let _ = say(&mut db, "ROLLBACK").await;
        }
        for job in done {
            (job.settle)(match &end {
                Ok(()) => Ok(()),
                Err(AccountError::Full) => Err(AccountError::Full),
                Err(error) => Err(AccountError::Unavailable(error.to_string())),
            });
        }
    }
    // The last connection to close folds the write-ahead log into the file.
    let _ = db.commit().await;
}

/// One job within the transaction; what it wrote goes where it erred.
async fn one(db: &mut Db, job: Box<dyn Job>) -> Result<Done, (Option<Done>, AccountError)> {
    if job.size() == Size::One {
        let done = job.run(db).await;
        let broken = || AccountError::Unavailable("the transaction ended".into());
        return if done.is_told { Ok(done) } else { Err((Some(done), broken())) };
    }
    if let Err(error) = say(db, "SAVEPOINT job").await {
        let again = AccountError::Unavailable(error.to_string());
        job.fail(error);
        return Err((None, again));
    }
    let done = job.run(db).await;
    let undo = if done.keep { Ok(()) } else { say(db, "ROLLBACK TO job").await };
    match undo {
        Ok(()) => match say(db, "RELEASE job").await {
            Ok(()) => Ok(done),
            Err(error) => Err((Some(done), error)),
        },
        Err(error) => Err((Some(done), error)),
    }
}

async fn say(db: &mut Db, statement: &str) -> Result<(), AccountError> {
    db.run(statement.to_owned(), Vec::new()).await.map(drop).map_err(fault)
}
