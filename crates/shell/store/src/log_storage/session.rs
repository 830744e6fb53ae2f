//! A connection with a thread of its own: those who ask wait as for a disk, whatever runtime they are on.

use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, query_scalar};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use super::error::LogDatabaseError;
use crate::DatabaseAddress;

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that holds the log's lock. Lost with its connection, for good.
    Writer,
    /// Any number, beside a writer or without one. Connects again where the connection is lost.
    Reader,
}

/// The thread.
pub(super) struct Line {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    place: String,
}

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// What work is done on.
pub(super) struct Session {
    runtime: Runtime,
    connection: Option<PgConnection>,
    options: PgConnectOptions,
    role: Role,
    place: String,
}

/// Told to the server of each connection: work ends, an abandoned one is noticed (its lock would keep
/// the next writer out), and an idle one stays.
const SETTINGS: [(&str, &str); 7] = [
    ("statement_timeout", "15s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("idle_session_timeout", "0"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];
/// A server that says nothing for so long is gone.
const ANSWER: Duration = Duration::from_secs(20);
/// The lock of a process that was killed is freed a moment after it.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

impl Line {
    /// Connects, and takes the log's lock where a writer asks.
    ///
    /// # Errors
    /// [`LogDatabaseError::Unreachable`], `Refused`, `Held` or `NotDurable`.
    pub fn open(
        address: &DatabaseAddress,
        role: Role,
        lock: i64,
    ) -> Result<Self, LogDatabaseError> {
        let options = address.options().application_name("symbolon-log").options(SETTINGS);
        // A writer's commits reach the disk when it says so; a reader changes nothing by mistake.
        let options = match role {
            Role::Writer => options.options([("synchronous_commit", "off")]),
            Role::Reader => options.options([("default_transaction_read_only", "on")]),
        };
        // When which statement was made is a trace of use.
        let options = options.disable_statement_logging();
        let place = address.to_string();
        let (jobs, asked) = channel::<Job>();
        let at = place.clone();
        let run = move || {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
            let mut session = Session { runtime, connection: None, options, role, place: at };
            while let Ok(job) = asked.recv() {
                job(&mut session);
            }
            session.close(lock);
        };
        let thread = thread::Builder::new().name("log-database".to_owned()).spawn(run);
        let thread = thread.map_err(LogDatabaseError::Io)?;
        let line = Self { jobs: Some(jobs), thread: Some(thread), place };
        line.ask(move |session| session.begin(lock))?;
        Ok(line)
    }

    /// Has work done and waits for it. A reader whose connection was lost connects and tries once more.
    ///
    /// # Errors
    /// What the work gives.
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Session) -> Result<T, LogDatabaseError> + Send + 'static,
    ) -> Result<T, LogDatabaseError> {
        let (tell, told) = sync_channel(1);
        let job: Job = Box::new(move |session| {
            let mut done = work(session);
            if session.role == Role::Reader
                && matches!(done, Err(LogDatabaseError::Unreachable { .. }))
            {
                done = work(session);
            }
            // Who asked has waited for nothing else.
            let _ = tell.send(done);
        });
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        let done = if sent { told.recv().ok() } else { None };
        done.unwrap_or_else(|| {
            let said = "the connection's thread has ended".to_owned();
            Err(LogDatabaseError::Unreachable { place: self.place.clone(), said })
        })
    }
}

impl Drop for Line {
    /// The lock is free when this returns.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has lost its connection, and the lock with it.
            let _ = thread.join();
        }
    }
}

impl Session {
    /// Does statements, with a bound on how long they take. A connection that failed is never used again.
    pub fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, LogDatabaseError> {
        if self.connection.is_none() {
            if self.role == Role::Writer {
                let said = "the connection that held the log's lock was lost".to_owned();
                return Err(self.unreachable(said));
            }
            self.connect()?;
        }
        let Some(mut connection) = self.connection.take() else {
            return Err(self.unreachable("no connection".to_owned()));
        };
        let done = self.runtime.block_on(async { timeout(ANSWER, work(&mut connection)).await });
        match done {
            Ok(Ok(done)) => {
                self.connection = Some(connection);
                Ok(done)
            }
            Ok(Err(error)) => {
                let fault = self.fault(&error);
                // A statement that was refused leaves the connection as it was.
                if !matches!(fault, LogDatabaseError::Unreachable { .. }) {
                    self.connection = Some(connection);
                }
                Err(fault)
            }
            Err(_) => Err(self.unreachable("it does not answer".to_owned())),
        }
    }

    /// Which database.
    pub fn place(&self) -> String {
        self.place.clone()
    }

    pub fn damaged(&self, said: impl Into<String>) -> LogDatabaseError {
        LogDatabaseError::Damaged { place: self.place(), said: said.into() }
    }

    fn begin(&mut self, lock: i64) -> Result<(), LogDatabaseError> {
        self.connect()?;
        let fsync: String = self.run(async |connection| {
            query_scalar("SELECT current_setting('fsync')").fetch_one(connection).await
        })?;
        if fsync != "on" {
            return Err(LogDatabaseError::NotDurable { place: self.place() });
        }
        if self.role == Role::Reader {
            return Ok(());
        }
        let held = self.run(async |connection| {
            for _ in 0..LOCK_TRIES {
                let got = query_scalar("SELECT pg_try_advisory_lock($1)").bind(lock);
                if got.fetch_one(&mut *connection).await? {
                    return Ok(true);
                }
                sleep(LOCK_PAUSE).await;
            }
            Ok(false)
        })?;
        if held { Ok(()) } else { Err(LogDatabaseError::Held { place: self.place() }) }
    }

    fn connect(&mut self) -> Result<(), LogDatabaseError> {
        let options = &self.options;
        let made = self.runtime.block_on(async { timeout(ANSWER, options.connect()).await });
        match made {
            Ok(Ok(connection)) => {
                self.connection = Some(connection);
                Ok(())
            }
            Ok(Err(error)) => Err(self.unreachable(said(&error))),
            Err(_) => Err(self.unreachable("it does not answer".to_owned())),
        }
    }

    fn close(&mut self, lock: i64) {
        if self.role == Role::Writer {
            // The server frees the lock with the connection too, a moment later.
            let _ = self.run(async |connection| {
                let free = query_scalar::<_, bool>("SELECT pg_advisory_unlock($1)").bind(lock);
                free.fetch_one(connection).await
            });
        }
        if let Some(connection) = self.connection.take() {
            let _ = self.runtime.block_on(async { timeout(ANSWER, connection.close()).await });
        }
    }

    fn unreachable(&self, said: String) -> LogDatabaseError {
        LogDatabaseError::Unreachable { place: self.place(), said }
    }

    fn fault(&self, error: &sqlx::Error) -> LogDatabaseError {
        let (place, text) = (self.place(), said(error));
        match error {
            sqlx::Error::Database(e) => match e.code().unwrap_or_default() {
                // `data_corrupted` and `index_corrupted`.
                code if code.starts_with("XX00") => LogDatabaseError::Damaged { place, said: text },
                // Connections, and a server that shuts down or has crashed.
                code if code.starts_with("08") || code.starts_with("57P") => {
                    LogDatabaseError::Unreachable { place, said: text }
                }
                _ => LogDatabaseError::Refused { place, said: text },
            },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound => {
                LogDatabaseError::Damaged { place, said: text }
            }
            _ => LogDatabaseError::Unreachable { place, said: text },
        }
    }
}

fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(e) => e.message().to_owned(),
        other => other.to_string(),
    }
}
