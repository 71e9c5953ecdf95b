//! The one thread that owns the connection that writes, and group commit; and the one beside it that looks things up.
//!
//! Callers hand their work over and wait. The thread lets those come who are about to, takes what is waiting, up to
//! [`GROUP_MAX`] pieces, runs all of it in one transaction, commits, and only then answers: so 500 concurrent pushes
//! cost one fsync. Work checks before it writes; when the database itself fails in the middle, the whole group is rolled
//! back and each piece is run again in a transaction of its own, so that one that cannot succeed does not fail the
//! others.
//!
//! A look-up in that line would wait for the fsync of a group that it is no part of. So the [`Reader`] has a connection
//! of its own, which sees what was committed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row};
use tokio::sync::{Notify, mpsc, oneshot};

use super::tally::Tally;
use crate::{
    clock::{Clock, UnixMillis},
    queue::{QueueError, QueueName},
};

/// How many pieces of work share a transaction. More would only make the first of them wait longer.
const GROUP_MAX: usize = 512;

/// How much work may wait for the thread; callers beyond it wait to hand theirs over.
const WAITING_MAX: usize = 4_096;

/// How many sleeping workers one transaction wakes per queue. The others find the rest when these come back for more.
const WAKE_MAX: u64 = 32;

/// A number that every column holds, for "no bound".
pub(super) const INTEGER_MAX: usize = usize::MAX / 2;

/// One bell per queue, rung when it has ready jobs.
pub(super) type Bells = [Notify; QueueName::ALL.len()];

/// Why a piece of work did not succeed.
pub(super) enum Fault {
    /// Said before anything was written; the rest of the group goes on.
    Refused(QueueError),
    /// The database failed: the transaction is lost.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<QueueError> for Fault {
    fn from(error: QueueError) -> Self {
        Self::Refused(error)
    }
}

/// A connection and what its open transaction has changed so far. Only its thread has it.
pub(super) struct Desk {
    conn: Connection,
    clock: Arc<dyn Clock>,
    bells: Arc<Bells>,
    commits: Arc<AtomicU64>,
    /// When this process tended the queue last; at first, when it opened it.
    pub(super) tended_at: UnixMillis,
    pub(super) tally: Tally,
}

impl Desk {
    fn new(conn: Connection, clock: Arc<dyn Clock>, bells: Arc<Bells>, commits: Arc<AtomicU64>) -> Self {
        let tended_at = clock.now_ms();
        Self { conn, clock, bells, commits, tended_at, tally: Tally::default() }
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.clock.now_ms()
    }

    /// Runs a statement and returns how many rows it changed.
    pub(super) fn run(&self, sql: &'static str, params: impl Params) -> rusqlite::Result<usize> {
        self.conn.prepare_cached(sql)?.execute(params)
    }

    /// The first row, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.conn.prepare_cached(sql)?.query_row(params, read).optional()
    }

    /// All rows.
    pub(super) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.conn.prepare_cached(sql)?.query_map(params, read)?.collect()
    }

    /// A statement, for those who read row by row.
    pub(super) fn prepare(&self, sql: &'static str) -> rusqlite::Result<CachedStatement<'_>> {
        self.conn.prepare_cached(sql)
    }

    /// The key of the row that was inserted last.
    pub(super) fn inserted(&self) -> i64 {
        self.conn.last_insert_rowid()
    }

    /// Runs a group and leaves in each piece what it is to be answered.
    fn settle(&mut self, group: &mut [Box<dyn Work>]) {
        let Err(Lost { began, mut error }) = self.transact(group) else { return };
        tracing::warn!(%error, size = group.len(), "a queue transaction failed");
        // When not even its begin succeeded (a locked file), trying the parts would only take longer.
        let mut try_parts = began && group.len() > 1;
        for work in group {
            if try_parts {
                match self.transact(std::slice::from_mut(work)) {
                    Ok(()) => continue,
                    Err(lost) => (try_parts, error) = (lost.began, lost.error),
                }
            }
            work.fail(QueueError::Unavailable(error.to_string()));
        }
    }

    /// One transaction: all of the group, or nothing.
    fn transact(&mut self, group: &mut [Box<dyn Work>]) -> Result<(), Lost> {
        let done = self.begin().map_err(|error| Lost { began: false, error }).and_then(|()| {
            let all = group.iter_mut().try_for_each(|work| work.run(self));
            all.and_then(|()| self.commit()).map_err(|error| Lost { began: true, error })
        });
        let tally = std::mem::take(&mut self.tally);
        match done {
            Ok(()) => {
                self.tended_at = tally.tended_at.unwrap_or(self.tended_at);
                for (bell, ready) in self.bells.iter().zip(tally.woken()) {
                    (0..ready.min(WAKE_MAX)).for_each(|_| bell.notify_one());
                }
                Ok(())
            }
            Err(lost) => {
                // SQLite has already rolled back after some errors (a full disk); then there is nothing to do.
                if !self.conn.is_autocommit()
                    && let Err(error) = self.conn.execute_batch("ROLLBACK")
                {
                    tracing::error!(%error, "rolling back a queue transaction");
                }
                Err(lost)
            }
        }
    }

    fn begin(&mut self) -> rusqlite::Result<()> {
        // IMMEDIATE: another process (the command line) may write between our first read and our first write.
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(|_| ())
    }

    fn commit(&mut self) -> rusqlite::Result<()> {
        self.write_facts()?;
        self.write_lanes()?;
        self.write_tally()?;
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("watchbell_queue_commits_total").increment(1);
        Ok(())
    }
}

/// A transaction that did not happen.
struct Lost {
    began: bool,
    error: rusqlite::Error,
}

/// A piece of work and the way back to its caller.
pub(super) trait Work: Send {
    fn run(&mut self, desk: &mut Desk) -> rusqlite::Result<()>;
    fn fail(&mut self, error: QueueError);
    /// Answers. Returns what is to be done because the caller went away meanwhile.
    fn answer(self: Box<Self>) -> Option<Box<dyn Work>>;
}

struct Call<F, T> {
    run: F,
    outcome: Option<Result<T, QueueError>>,
    reply: Option<oneshot::Sender<Result<T, QueueError>>>,
    unclaimed: fn(T) -> Option<Box<dyn Work>>,
}

impl<F, T> Work for Call<F, T>
where
    F: FnMut(&mut Desk) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, desk: &mut Desk) -> rusqlite::Result<()> {
        let changes = desk.conn.total_changes();
        self.outcome = Some(match (self.run)(desk) {
            Ok(value) => Ok(value),
            Err(Fault::Refused(error)) => {
                debug_assert_eq!(desk.conn.total_changes(), changes, "refused after it wrote: {error}");
                Err(error)
            }
            Err(Fault::Database(error)) => return Err(error),
        });
        Ok(())
    }

    fn fail(&mut self, error: QueueError) {
        self.outcome = Some(Err(error));
    }

    fn answer(self: Box<Self>) -> Option<Box<dyn Work>> {
        let Self { outcome, reply, unclaimed, .. } = *self;
        match reply?.send(outcome?) {
            Err(Ok(value)) => unclaimed(value),
            _ => None,
        }
    }
}

/// Work for which nobody waits.
pub(super) fn errand<F>(run: F) -> Box<dyn Work>
where
    F: FnMut(&mut Desk) -> Result<(), Fault> + Send + 'static,
{
    Box::new(Call { run, outcome: None, reply: None, unclaimed: |()| None })
}

/// The way to the thread. The thread ends, and closes the file, when the last one is dropped.
#[derive(Debug, Clone)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Work>>);

impl Writer {
    /// Starts the thread that owns `conn` from now on.
    pub(super) fn start(
        conn: Connection,
        clock: Arc<dyn Clock>,
        bells: Arc<Bells>,
        commits: Arc<AtomicU64>,
    ) -> std::io::Result<Self> {
        let (send, receive) = mpsc::channel(WAITING_MAX);
        let desk = Desk::new(conn, clock, bells, commits);
        thread::Builder::new().name("queue-writer".to_owned()).spawn(move || serve(desk, receive))?;
        Ok(Self(send))
    }

    /// Runs `run` on the thread, in a transaction that it may share, and answers when that is committed. `run` refuses
    /// only before it writes, and may be run again after a rollback. It also runs when the caller goes away.
    pub(super) async fn call<T, F>(&self, run: F) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk) -> Result<T, Fault> + Send + 'static,
    {
        self.claim(run, |_| None).await
    }

    /// As [`Writer::call`]; `unclaimed` says what is to be done with an answer whose caller went away.
    pub(super) async fn claim<T, F>(&self, run: F, unclaimed: fn(T) -> Option<Box<dyn Work>>) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk) -> Result<T, Fault> + Send + 'static,
    {
        ask(&self.0, run, unclaimed).await
    }
}

/// The way to the thread that looks things up. It ends, and closes its connection, when this is dropped.
#[derive(Debug)]
pub(super) struct Reader(mpsc::Sender<Box<dyn Work>>);

impl Reader {
    /// Starts the thread that owns `conn`, which cannot write.
    pub(super) fn start(conn: Connection, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let (send, mut receive) = mpsc::channel::<Box<dyn Work>>(WAITING_MAX);
        let mut desk = Desk::new(conn, clock, Arc::default(), Arc::default());
        let serve = move || {
            while let Some(mut look) = receive.blocking_recv() {
                if let Err(error) = look.run(&mut desk) {
                    look.fail(QueueError::Unavailable(error.to_string()));
                }
                look.answer();
            }
        };
        thread::Builder::new().name("queue-reader".to_owned()).spawn(serve)?;
        Ok(Self(send))
    }

    /// Runs `look` on the thread, outside of transactions: it is one statement.
    pub(super) async fn call<T, F>(&self, look: F) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: Fn(&Desk) -> rusqlite::Result<T> + Send + 'static,
    {
        ask(&self.0, move |desk| Ok(look(desk)?), |_| None).await
    }
}

async fn ask<T, F>(
    line: &mpsc::Sender<Box<dyn Work>>,
    run: F,
    unclaimed: fn(T) -> Option<Box<dyn Work>>,
) -> Result<T, QueueError>
where
    T: Send + 'static,
    F: FnMut(&mut Desk) -> Result<T, Fault> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let call = Box::new(Call { run, outcome: None, reply: Some(reply), unclaimed });
    let stopped = || QueueError::Unavailable("a thread of the queue has stopped".to_owned());
    line.send(call).await.map_err(|_| stopped())?;
    answer.await.map_err(|_| stopped())?
}

/// Lets those run who are about to hand work over, as long as that brings any: what comes together shares a transaction
/// and its fsync. Where a core is idle, nobody is waited for.
fn await_company(receive: &mpsc::Receiver<Box<dyn Work>>) {
    let mut before = 0;
    loop {
        thread::yield_now();
        let waiting = receive.len();
        if waiting == before || waiting >= GROUP_MAX {
            return;
        }
        before = waiting;
    }
}

fn serve(mut desk: Desk, mut receive: mpsc::Receiver<Box<dyn Work>>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while let Some(first) = receive.blocking_recv() {
        await_company(&receive);
        group.push(first);
        group.extend(std::iter::from_fn(|| receive.try_recv().ok()).take(GROUP_MAX - 1));
        while !group.is_empty() {
            desk.settle(&mut group);
            group = group.into_iter().filter_map(Work::answer).collect();
        }
    }
}
