//! The thread that owns the connection.
//!
//! Making a change durable costs a flush of the disk, whose time does not depend on
//! how much there is to flush. So the thread takes all calls that wait, runs them in
//! one transaction, each in a savepoint of its own, and answers after the commit: many
//! uploads at once cost no more flushes than one.

use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::RegistryError;

/// How many calls share a transaction at most.
const BATCH: usize = 256;

/// A handle to the thread; dropping it waits until the thread has ended.
#[derive(Debug)]
pub(super) struct Worker {
    calls: Option<mpsc::Sender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub fn new(connection: Connection) -> std::io::Result<Self> {
        let (calls, waiting) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("registry".into())
            .spawn(move || run(&connection, &waiting))?;
        Ok(Self {
            calls: Some(calls),
            thread: Some(thread),
        })
    }

    /// Runs `work` in a transaction; what it did is durable when this returns.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let stopped = || RegistryError::Database("its thread has stopped".into());
        let (answer, answered) = oneshot::channel();
        let call = Box::new(Call {
            work: Some(work),
            done: None,
            answer,
        });
        let calls = self.calls.as_ref().ok_or_else(stopped)?;
        calls.send(call).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.calls = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// A call whose type is forgotten.
trait Work: Send {
    /// Does it; whether what it did shall stay.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Says what came of it, after the end of the transaction.
    fn answer(self: Box<Self>, committed: Result<(), &rusqlite::Error>);
}

struct Call<F, T> {
    work: Option<F>,
    done: Option<Result<T, RegistryError>>,
    answer: oneshot::Sender<Result<T, RegistryError>>,
}

impl<F, T> Work for Call<F, T>
where
    F: FnOnce(&Connection) -> Result<T, RegistryError> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let done = self.work.take().map(|work| work(connection));
        let keep = matches!(done, Some(Ok(_)));
        self.done = done;
        keep
    }

    fn answer(self: Box<Self>, committed: Result<(), &rusqlite::Error>) {
        use RegistryError::{Database, Full};
        let result = match (self.done, committed) {
            // Its own fault says more than that of the transaction it ended.
            (Some(Err(e @ (Database(_) | Full))), _) => Err(e),
            (_, Err(e)) => Err(e.into()),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => return,
        };
        self.answer.send(result).ok();
    }
}

fn run(connection: &Connection, waiting: &mpsc::Receiver<Box<dyn Work>>) {
    while let Ok(first) = waiting.recv() {
        let mut calls = vec![first];
        calls.extend(waiting.try_iter().take(BATCH - 1));
        let committed = transaction(connection, &mut calls);
        if committed.is_err() && !connection.is_autocommit() {
            execute(connection, "ROLLBACK").ok();
        }
        for call in calls {
            call.answer(committed.as_ref().map(|_| ()));
        }
    }
}

fn transaction(connection: &Connection, calls: &mut [Box<dyn Work>]) -> rusqlite::Result<()> {
    execute(connection, "BEGIN IMMEDIATE")?;
    for call in calls {
        execute(connection, "SAVEPOINT call")?;
        if !call.run(connection) {
            // This fails if the fault has ended the whole transaction, as it should.
            execute(connection, "ROLLBACK TO call")?;
        }
        execute(connection, "RELEASE call")?;
    }
    execute(connection, "COMMIT")
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
