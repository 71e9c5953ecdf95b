//! The queue in one SQLite file, `queue.db` in the data folder: the embedded backend.
//!
//! [`writer`] is the heart: one thread owns the connection that writes and runs what callers want in groups, one
//! transaction each. Everything that matters is in the tables ([`SCHEMA`]), so another process (the command line) may
//! open the same file at the same time. Only the bells that wake sleeping workers are in memory; what another process
//! pushes is found when [`Queue::wait`] returns.
//!
//! By verb: [`push`], [`lanes`] (leasing), [`decide`], [`tend`], [`dead`]; beside them [`ledger`], [`keys`] and
//! [`tally`], the sums of a transaction.

mod dead;
mod decide;
mod keys;
mod lanes;
mod ledger;
mod push;
mod tally;
mod tend;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};

use self::writer::{Bells, Desk, Reader, Writer};
use super::{
    Audit, Books, DeadFilter, DeadJob, Decision, Depth, Lease, NewJob, Published, Pushed, Queue, QueueError, QueueName,
    Slot, Tended, Want, WorkerId,
    limits::{check_job, check_note, check_slots, check_worker},
};
use crate::{
    clock::{Clock, millis},
    ids::{JobId, TenantId},
};

/// The file in the data folder.
pub const FILE: &str = "queue.db";

/// The tables, in steps that are never changed. `PRAGMA user_version` says how many of them a file has.
const SCHEMA: [&str; 2] = [include_str!("schema.sql"), include_str!("schema_2.sql")];

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A queue in a file.
#[derive(Debug)]
pub struct SqliteQueue {
    reader: Reader,
    writer: Writer,
    bells: Arc<Bells>,
    commits: Arc<AtomicU64>,
}

impl SqliteQueue {
    /// Opens `queue.db` in `dir`; makes both when they are absent. Blocks the thread while it does.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a queue, or is that of a newer version.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let path = dir.join(FILE);
        let explain = |error: &dyn std::fmt::Display| QueueError::Unavailable(format!("{}: {error}", path.display()));
        create(&path).map_err(|error| explain(&error))?;
        let conn = prepare(&path).map_err(|error| explain(&error))?;
        let readable = open_for_reading(&path).map_err(|error| explain(&error))?;
        tracing::info!(file = %path.display(), sqlite = rusqlite::version(), "the queue is open");
        let bells = Arc::new(Bells::default());
        let commits = Arc::new(AtomicU64::new(0));
        let reader = Reader::start(readable, clock.clone()).map_err(|error| explain(&error))?;
        let writer = Writer::start(conn, clock, bells.clone(), commits.clone()).map_err(|error| explain(&error))?;
        Ok(Self { reader, writer, bells, commits })
    }

    /// How many transactions this process has committed: with many callers, far fewer than calls.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

/// Makes the file if it is absent, and not SQLite, so that only its owner reads the alerts in it. SQLite gives its log
/// the same rights.
fn create(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// What holds for each connection.
fn set_up(conn: Connection) -> rusqlite::Result<Connection> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(128);
    // Statements keep their plan; else many would be planned anew for each set of values.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(conn)
}

/// Opens a file that is up to date. The connection neither writes nor writes the log back.
fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    set_up(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// Opens the file and brings its tables up to date.
fn prepare(path: &Path) -> anyhow::Result<Connection> {
    let mut conn = set_up(Connection::open(path)?)?;
    // Three payloads of an ordinary alert to a page: measured, a tenth less work per push than with 4 KB.
    conn.pragma_update(None, "page_size", 8_192)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    // FULL: the commit is on the disk before it is answered.
    conn.pragma_update(None, "synchronous", "full")?;
    // The log is written back by whoever commits, which is this connection, every 64 MB: pages that changed many times
    // are then written back once, and those of jobs that are done by then hardly at all …
    conn.pragma_update(None, "wal_autocheckpoint", 8_192)?;
    // … and after a long reader it is cut back to 128 MB.
    conn.pragma_update(None, "journal_size_limit", 128 << 20)?;
    conn.pragma_update(None, "cache_size", -16_384)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    let change = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let steps = usize::try_from(version).ok().and_then(|version| SCHEMA.get(version..));
    let Some(steps) = steps else {
        anyhow::bail!("its version is {version}, this program knows {}", SCHEMA.len());
    };
    for step in steps {
        change.execute_batch(step)?;
    }
    if !steps.is_empty() {
        change.pragma_update(None, "user_version", i64::try_from(SCHEMA.len())?)?;
    }
    change.commit()?;
    Ok(conn)
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn push(&self, queue: QueueName, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, QueueError> {
        jobs.iter().try_for_each(check_job)?;
        self.writer.call(move |desk| Ok(desk.push(queue, &jobs)?)).await
    }

    async fn lease(&self, queue: QueueName, worker: &WorkerId, want: Want) -> Result<Vec<Lease>, QueueError> {
        check_worker(&worker.0)?;
        let worker = worker.clone();
        self.writer.claim(move |desk| Ok(desk.lease(queue, &worker, want)?), lanes::unclaimed).await
    }

    async fn wait(&self, queue: QueueName, at_most: Duration) {
        // Elapsed or rung: the worker looks either way.
        let _ = tokio::time::timeout(at_most, self.bells[queue as usize].notified()).await;
    }

    async fn decide_all(&self, decisions: Vec<Decision>) -> Vec<Result<Vec<Pushed>, QueueError>> {
        let all = decisions.len();
        match self.writer.call(move |desk| Ok(desk.decide_all(&decisions)?)).await {
            Ok(answers) => answers,
            Err(error) => std::iter::repeat_with(|| Err(error.clone())).take(all).collect(),
        }
    }

    async fn amend(&self, queue: QueueName, job: JobId, payload: Bytes) -> Result<bool, QueueError> {
        self.writer.call(move |desk| Ok(desk.let_go(queue, job, Some(&payload[..]))?)).await
    }

    async fn hurry(&self, queue: QueueName, job: JobId) -> Result<bool, QueueError> {
        self.writer.call(move |desk| Ok(desk.let_go(queue, job, None)?)).await
    }

    async fn keep_alive(&self, worker: &WorkerId, ttl: Duration) -> Result<(), QueueError> {
        check_worker(&worker.0)?;
        let worker = worker.clone();
        self.writer.call(move |desk| Ok(desk.keep_alive(&worker, millis(ttl))?)).await
    }

    async fn release(&self, worker: &WorkerId) -> Result<u64, QueueError> {
        let worker = worker.clone();
        self.writer.call(move |desk| Ok(desk.release(&worker)?)).await
    }

    async fn tend(&self) -> Result<Tended, QueueError> {
        self.writer.call(|desk| Ok(desk.tend()?)).await
    }

    async fn take_slots(&self, slots: &[Slot]) -> Result<Duration, QueueError> {
        check_slots(slots)?;
        let slots = slots.to_vec();
        self.writer.call(move |desk| Ok(desk.take_slots(&slots)?)).await
    }

    async fn recall(&self, key: &str) -> Result<Option<Bytes>, QueueError> {
        let key = key.to_owned();
        self.reader.call(move |desk| desk.recall(&key)).await
    }

    async fn remember(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError> {
        check_note(key, value.len())?;
        let key = key.to_owned();
        self.writer.call(move |desk| Ok(desk.remember(&key, &value, ttl)?)).await
    }

    async fn add_up(&self, key: &str, by: i64, ttl: Duration) -> Result<u64, QueueError> {
        check_note(key, 0)?;
        let key = key.to_owned();
        self.writer.call(move |desk| Ok(desk.add_up(&key, by, ttl)?)).await
    }

    async fn announce(&self, name: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError> {
        check_note(name, value.len())?;
        let name = name.to_owned();
        self.writer.call(move |desk| Ok(desk.announce(&name, &value, ttl)?)).await
    }

    async fn announced(&self) -> Result<Vec<(String, Bytes)>, QueueError> {
        self.reader.call(Desk::announced).await
    }

    async fn dead(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError> {
        let filter = filter.clone();
        self.reader.call(move |desk| desk.dead(&filter, skip, limit)).await
    }

    async fn dead_heads(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError> {
        let filter = filter.clone();
        self.reader.call(move |desk| desk.dead_heads(&filter, skip, limit)).await
    }

    async fn replay(&self, filter: &DeadFilter, limit: usize) -> Result<u64, QueueError> {
        let filter = filter.clone();
        self.writer.call(move |desk| Ok(desk.replay(&filter, limit)?)).await
    }

    async fn depths(&self) -> Result<Vec<(QueueName, Depth)>, QueueError> {
        self.writer.call(|desk| Ok(desk.depths()?)).await
    }

    async fn books(&self) -> Result<Vec<(TenantId, Books)>, QueueError> {
        self.writer.call(|desk| Ok(desk.books()?)).await
    }

    async fn audit(&self) -> Result<Audit, QueueError> {
        self.writer.call(|desk| Ok(desk.audit()?)).await
    }

    async fn publish_config(&self, config: Published) -> Result<(), QueueError> {
        self.writer.call(move |desk| Ok(desk.publish_config(&config)?)).await
    }

    async fn config_newer(&self, than: i64) -> Result<Option<Published>, QueueError> {
        self.reader.call(move |desk| desk.config_newer(than)).await
    }

    async fn ping(&self) -> Result<(), QueueError> {
        self.writer.call(|_| Ok(())).await
    }
}
