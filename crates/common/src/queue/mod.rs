//! The durable queue: the contract, in prose and as a trait. [`redis`] and [`sqlite`] keep it,
//! [`conformance`] proves it, [`worker`] is the one loop that takes jobs and decides them.
//!
//! # Jobs
//! A job is opaque bytes with a head: its id, its tenant, the event it belongs to, a *lane* and perhaps an
//! *order key*. A job is in exactly one place: **ready** (can be leased), **held** (an earlier job with the
//! same order key is not done), **leased**, **waiting** (until its time), or **dead** (gave up; kept).
//!
//! # Promises
//! 1. [`Queue::push`] returns only when the jobs are durable. All jobs of one call are queued, or none.
//!    Concurrent pushes share one fsync. Pushing a job id that is still queued changes nothing.
//! 2. [`Queue::lease`] gives up to N jobs to a worker, each to one worker only. A lease carries an epoch;
//!    once the job was given back, the old lease decides nothing ([`QueueError::StaleLease`]).
//! 3. A decision is one atomic step: the job leaves, its successors and its facts are queued, the books are
//!    written, or none of it. [`Queue::decide_all`] carries out many, in their order, each its own step.
//! 4. The jobs of a worker that stopped calling [`Queue::keep_alive`] come back after its time to live, at
//!    the head of their lanes. Its silence counts only while somebody listens: of the time between two calls of
//!    [`Queue::tend`] no more than [`SILENCE_MAX`]. So a disk or a machine that stood still, or a clock that jumped
//!    forward, costs no living worker its jobs. [`Queue::release`] gives them back at once. A job whose workers
//!    vanished [`LAPSES_MAX`] times is buried: it probably kills them.
//! 5. `Retry` counts an attempt; `Defer` does not. `Bury` keeps the job, with its bytes and the reason, until
//!    it is replayed.
//! 6. Fairness: lanes take turns, so a full lane delays another only by its share; `per_lane` bounds how many
//!    jobs of one lane are leased at a time, so a slow lane does not take every worker. Within a lane, jobs
//!    are leased first in, first out.
//! 7. Order: of the ready, leased and waiting jobs of one queue with the same order key only the oldest moves.
//!    And a worker that wants `whole_lanes` gets jobs only of lanes of which nothing is leased: when it decides
//!    them in their order, their successors are in that order too.
//! 8. Deduplication and counting happen in the same atomic step as the push they belong to.
//! 9. A clock that jumps loses nothing: forward, some things happen early; backward, nothing waits longer
//!    than [`DELAY_MAX`] (it is clamped when the queue is tended).
//! 10. What is remembered beside the jobs (notes, sums, rate limits) is shared by all processes, survives a
//!     restart and ends with its time.
//!
//! # Facts
//! Facts are many and small, so those of one step that go to the same tenant share a job of [`QueueName::History`]
//! ([`facts`] is its format).
//!
//! # Books
//! Each event has one line in the ledger from its first push until it ended. The line counts the event's live
//! jobs (`pending`), its dead ones, and the best ending so far. When no job is live or dead any more, the line
//! is closed and the tenant's count for that [`Ending`] goes up by one. So at every moment and per tenant:
//! received = closed endings + lines with a live job (pending) + lines with only dead jobs (dead).
//! [`Queue::audit`] checks the ledger against the jobs that are really there.

#[cfg(test)]
pub(crate) mod conformance;
pub mod facts;
mod figures;
mod jobs;
mod limits;
pub mod redis;
pub mod sqlite;
pub mod worker;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

pub use self::{
    figures::{AUDIT_EXAMPLES_MAX, Audit, Books, DeadFilter, DeadJob, Depth, Published, Tended},
    jobs::{Counter, Decision, Dedup, Ending, Lease, LeaseToken, NewJob, Pushed, Scope, Slot, Verdict, Want, WorkerId},
};
use crate::ids::{JobId, TenantId};

/// The longest delay a job or a lane can be given; longer ones are cut to it.
pub const DELAY_MAX: Duration = Duration::from_hours(1);

/// How much of the time between two calls of [`Queue::tend`] counts as silence of the workers: twice as long as one
/// that tends pauses.
pub const SILENCE_MAX: Duration = Duration::from_millis(500);

/// A job that was leased this often by workers that then vanished is buried.
pub const LAPSES_MAX: u32 = 16;

/// How long a counter ([`NewJob::counter`]) is remembered after its last use.
pub const COUNTER_TTL: Duration = Duration::from_hours(7 * 24);

/// The longest lane, order key, dedup key, variant, counter, note, announcement or worker name, in bytes. Callers hash longer ones.
pub const KEY_MAX_BYTES: usize = 64;

/// The largest note, in bytes: notes are for what is small and short-lived.
pub const NOTE_MAX_BYTES: usize = 64 * 1024;

/// The longest that a note or a sum is kept; longer wishes are cut to it.
pub const NOTE_TTL_MAX: Duration = Duration::from_hours(31 * 24);

/// The queues, in the order in which an event passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueName {
    /// From the doors to the analyzer.
    Intake,
    /// From the analyzer to the dispatcher.
    Route,
    /// From routing to the channels.
    Deliver,
    /// Late answers of the model.
    Enrich,
    /// Facts for the recorder. Not part of the books.
    History,
}

impl QueueName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Intake, Self::Route, Self::Deliver, Self::Enrich, Self::History];

    /// The name used in keys, rows, metrics and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Route => "route",
            Self::Deliver => "deliver",
            Self::Enrich => "enrich",
            Self::History => "history",
        }
    }

    /// The queue of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why the queue did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// Nothing is known to be queued; the caller may try again.
    #[error("the queue is unavailable: {0}")]
    Unavailable(String),
    /// The job was given back meanwhile, or is done: this worker decides nothing.
    #[error("the lease is stale")]
    StaleLease,
    /// The caller broke a limit of the contract.
    #[error("bad job: {0}")]
    BadJob(&'static str),
}

/// The contract. See the module's documentation for the promises.
#[async_trait]
pub trait Queue: Send + Sync + 'static {
    /// Pushes all jobs, or none. A first job of an event opens its ledger line and counts it as received.
    async fn push(&self, queue: QueueName, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, QueueError>;

    /// Takes up to `want.max` ready jobs, fairly. Empty when there are none.
    async fn lease(&self, queue: QueueName, worker: &WorkerId, want: Want) -> Result<Vec<Lease>, QueueError>;

    /// Returns when `queue` may have ready jobs, or after `at_most`. May return early for no reason.
    async fn wait(&self, queue: QueueName, at_most: Duration);

    /// Carries out decisions, one after the other, each atomically. One that cannot be carried out stops none of
    /// the others. The answers to each are those of its follow-ups, in order.
    async fn decide_all(&self, decisions: Vec<Decision>) -> Vec<Result<Vec<Pushed>, QueueError>>;

    /// Carries out one decision.
    async fn decide(&self, decision: Decision) -> Result<Vec<Pushed>, QueueError> {
        let answer = self.decide_all(vec![decision]).await.pop();
        answer.unwrap_or_else(|| Err(QueueError::Unavailable("no answer to a decision".to_owned())))
    }

    /// Gives a job that waits (for its time or for its order) another payload, and lets it go as soon as its order
    /// does. `false`: it does not wait any more, or there is no such job; nothing changed.
    async fn amend(&self, queue: QueueName, job: JobId, payload: Bytes) -> Result<bool, QueueError>;

    /// Lets a job that waits for its time go as soon as its order does. `false`: it does not wait any more, or there is
    /// no such job; nothing changed.
    async fn hurry(&self, queue: QueueName, job: JobId) -> Result<bool, QueueError>;

    /// Tells that a worker lives for another `ttl`. Call it before the first lease and then every third of `ttl`.
    async fn keep_alive(&self, worker: &WorkerId, ttl: Duration) -> Result<(), QueueError>;

    /// Gives a worker's jobs back to the heads of their lanes and forgets the worker. Counts no lapse.
    async fn release(&self, worker: &WorkerId) -> Result<u64, QueueError>;

    /// Makes due jobs ready, ends lane pauses, takes jobs back from vanished workers, forgets old keys.
    /// Bounded work per call. Any process may call it, several at once too.
    async fn tend(&self) -> Result<Tended, QueueError>;

    /// Takes the slots that are wanted of each of these rate limits, or none. Zero: go; else: how long until all are free.
    async fn take_slots(&self, slots: &[Slot]) -> Result<Duration, QueueError>;

    /// What was remembered under this name, unless its time is over.
    async fn recall(&self, key: &str) -> Result<Option<Bytes>, QueueError>;

    /// Remembers at most [`NOTE_MAX_BYTES`] under a name for `ttl`, instead of what was there.
    async fn remember(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError>;

    /// Adds to a sum and answers the new one. It begins anew when `ttl` since its first addition is over. What is
    /// negative takes back, down to 0, and zero only asks: neither begins one.
    async fn add_up(&self, key: &str, by: i64, ttl: Duration) -> Result<u64, QueueError>;

    /// Tells all processes about this one for `ttl`, in at most [`NOTE_MAX_BYTES`], instead of what it told before;
    /// zero takes it back.
    async fn announce(&self, name: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError>;

    /// What is announced at present, by name.
    async fn announced(&self) -> Result<Vec<(String, Bytes)>, QueueError>;

    /// Dead jobs, oldest first, starting after the first `skip` that match.
    async fn dead(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError>;

    /// The same without their payloads, which are empty: for whoever looks at thousands.
    async fn dead_heads(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError>;

    /// Makes up to `limit` matching dead jobs ready again, attempts and lapses at 0. Safe to repeat.
    async fn replay(&self, filter: &DeadFilter, limit: usize) -> Result<u64, QueueError>;

    /// How many jobs are where, per queue.
    async fn depths(&self) -> Result<Vec<(QueueName, Depth)>, QueueError>;

    /// The books of every tenant that ever received something.
    async fn books(&self) -> Result<Vec<(TenantId, Books)>, QueueError>;

    /// Compares the ledger with the jobs that are really there. Walks everything: for people and tests.
    /// On a queue that is busy meanwhile, lines in motion may show up as wrong.
    async fn audit(&self) -> Result<Audit, QueueError>;

    /// Publishes the configuration document for every service; an older version than the present one is ignored.
    async fn publish_config(&self, config: Published) -> Result<(), QueueError>;

    /// The published configuration, if it is newer than `than`.
    async fn config_newer(&self, than: i64) -> Result<Option<Published>, QueueError>;

    /// Whether the queue can take work now: a cheap round trip.
    async fn ping(&self) -> Result<(), QueueError>;
}

/// Opens the queue that the settings name.
pub async fn connect(
    settings: &crate::settings::Settings,
    clock: Arc<dyn crate::clock::Clock>,
) -> Result<Arc<dyn Queue>, QueueError> {
    let url = settings.queue.url.expose_secret();
    match url.split_once("://") {
        None if url == "sqlite" => {
            let dir = settings.data.dir.clone();
            let opening = tokio::task::spawn_blocking(move || sqlite::SqliteQueue::open(&dir, clock));
            let opened = opening.await.map_err(|panicked| QueueError::Unavailable(panicked.to_string()))?;
            Ok(Arc::new(opened?))
        }
        // Redis has a clock of its own.
        Some(("redis" | "rediss", _)) => Ok(Arc::new(redis::RedisQueue::connect(url, redis::PARTITION, None).await?)),
        _ => Err(QueueError::Unavailable("queue.url is neither `sqlite` nor a redis:// or rediss:// URL".to_owned())),
    }
}
