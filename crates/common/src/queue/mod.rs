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
//!    the head of their lanes. [`Queue::release`] gives them back at once. A job whose workers vanished
//!    [`LAPSES_MAX`] times is buried: it probably kills them.
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
mod limits;
pub mod redis;
pub mod sqlite;
pub mod worker;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::{
    clock::UnixMillis,
    ids::{EventId, JobId, TenantId},
};

/// The longest delay a job or a lane can be given; longer ones are cut to it.
pub const DELAY_MAX: Duration = Duration::from_hours(1);

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

/// A job to push.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub id: JobId,
    pub tenant: TenantId,
    /// The event whose ledger line this job belongs to; `None` keeps it out of the books (facts, updates).
    pub event: Option<EventId>,
    /// Who shares a turn: a sender at intake, a channel when delivering.
    pub lane: String,
    /// Jobs of a queue with the same key move one after the other.
    pub order: Option<String>,
    pub dedup: Option<Dedup>,
    /// Counts the jobs pushed with this name; the count comes back in [`Lease::count`].
    pub counter: Option<Counter>,
    /// How long the job waits before it is ready; at most [`DELAY_MAX`].
    pub delay: Duration,
    pub payload: Bytes,
}

impl NewJob {
    /// A job that is ready at once, with no order, deduplication or counting.
    pub fn new(id: JobId, tenant: TenantId, event: Option<EventId>, lane: impl Into<String>, payload: Bytes) -> Self {
        Self {
            id,
            tenant,
            event,
            lane: lane.into(),
            order: None,
            dedup: None,
            counter: None,
            delay: Duration::ZERO,
            payload,
        }
    }
}

/// Counts jobs, in episodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    pub name: String,
    /// This job ends the episode; the next one that does not begins another, at 1.
    pub closes: bool,
}

/// Drop the job if its like was queued a short while ago.
#[derive(Debug, Clone)]
pub struct Dedup {
    /// What it is a repeat of, for example channel and fingerprint.
    pub key: String,
    /// The state it reports. A key whose last variant was another is not a repeat: it starts the window anew.
    pub variant: String,
    /// Counted from the first sighting; repeats do not extend it.
    pub window: Duration,
    /// Queued to [`QueueName::History`] instead, when the job is dropped.
    pub fact: Bytes,
}

/// What became of a pushed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    Queued,
    /// Dropped by [`Dedup`]. Its event, when this push received it, ended as deduplicated.
    Duplicate,
}

/// How an event can end. The ledger keeps the best (the first in this list) of an event's several jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    Delivered,
    Silenced,
    Deduplicated,
    Unrouted,
    Muted,
}

impl Ending {
    /// All of them, best first.
    pub const ALL: [Self; 5] = [Self::Delivered, Self::Silenced, Self::Deduplicated, Self::Unrouted, Self::Muted];

    /// The name used in keys, rows, metrics and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Silenced => "silenced",
            Self::Deduplicated => "deduplicated",
            Self::Unrouted => "unrouted",
            Self::Muted => "muted",
        }
    }
}

/// Names a worker: unique among all processes, at most [`KEY_MAX_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkerId(pub Arc<str>);

/// What entitles a worker to decide a job.
#[derive(Debug, Clone)]
pub struct LeaseToken {
    pub queue: QueueName,
    pub job: JobId,
    pub worker: WorkerId,
    /// Goes up each time the job is leased.
    pub epoch: u64,
}

/// A job in a worker's hands.
#[derive(Debug, Clone)]
pub struct Lease {
    pub token: LeaseToken,
    pub tenant: TenantId,
    pub event: Option<EventId>,
    pub lane: String,
    /// How many times it was retried before.
    pub attempts: u32,
    /// The value of its counter when it was pushed; 0 without one.
    pub count: u64,
    /// When the counter's present episode began; 0 without one.
    pub since: UnixMillis,
    pub payload: Bytes,
}

/// How many jobs a worker wants.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    pub max: usize,
    /// How many jobs of one lane may be leased at a time, over all workers; 0 for no bound.
    pub per_lane: usize,
    /// Only jobs of lanes of which no worker has any; then as many of them as fit.
    pub whole_lanes: bool,
}

impl Want {
    /// Up to `max` jobs, without a bound per lane.
    pub const fn up_to(max: usize) -> Self {
        Self { max, per_lane: 0, whole_lanes: false }
    }
}

/// Slots of a rate limit that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub key: String,
    /// How many slots are refilled per minute, evenly.
    pub per_minute: u32,
    /// How many may be taken at once after a pause.
    pub burst: u32,
    /// How many of these must be left over for others.
    pub reserve: u32,
    /// How many are taken. With `reserve`, no more than `burst`.
    pub count: u32,
}

/// What a worker decided about its lease.
#[derive(Debug, Clone)]
pub struct Decision {
    pub lease: LeaseToken,
    pub verdict: Verdict,
    /// For [`QueueName::History`], queued in the same step.
    pub facts: Vec<Bytes>,
}

/// The decision itself.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The job is done. Its successors are pushed; a successor of the same event keeps the line open.
    Complete {
        follow_ups: Vec<(QueueName, NewJob)>,
        /// How this job ended for its event; `None` when the successors carry it on.
        ending: Option<Ending>,
    },
    /// Try again after this long; counts an attempt.
    Retry { after: Duration, error: String },
    /// Not now; no attempt.
    Defer { after: Duration, scope: Scope },
    /// Give up and keep it.
    Bury { reason: String },
}

/// What waits when a job is deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This job only.
    Job,
    /// The job goes back to the head of its lane, and the whole lane pauses: for a rate limit.
    Lane,
}

/// A job that gave up.
#[derive(Debug, Clone, Serialize)]
pub struct DeadJob {
    pub id: JobId,
    pub queue: QueueName,
    pub tenant: TenantId,
    pub event: Option<EventId>,
    pub lane: String,
    pub attempts: u32,
    pub reason: String,
    pub buried_at: UnixMillis,
    #[serde(skip)]
    pub payload: Bytes,
}

/// Which dead jobs to list or replay. Empty fields match everything.
#[derive(Debug, Clone, Default)]
pub struct DeadFilter {
    pub tenant: Option<TenantId>,
    pub queue: Option<QueueName>,
    pub lanes: Vec<String>,
    pub ids: Vec<JobId>,
}

/// How many jobs are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Depth {
    pub ready: u64,
    pub held: u64,
    pub leased: u64,
    pub waiting: u64,
    pub dead: u64,
}

/// A tenant's books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    pub received: u64,
    pub delivered: u64,
    pub silenced: u64,
    pub deduplicated: u64,
    pub unrouted: u64,
    pub muted: u64,
    /// Events whose only remaining jobs are dead.
    pub dead: u64,
    /// Events with a live job.
    pub pending: u64,
}

impl Books {
    /// What is missing: 0 unless something was lost (positive) or counted twice (negative).
    pub fn unaccounted(&self) -> i64 {
        let ended = self.delivered + self.silenced + self.deduplicated + self.unrouted + self.muted;
        i64::try_from(self.received).unwrap_or(i64::MAX)
            - i64::try_from(ended + self.dead + self.pending).unwrap_or(i64::MAX)
    }
}

/// What [`Queue::audit`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Ledger lines that were open.
    pub lines: u64,
    /// Jobs that belong to an event.
    pub jobs: u64,
    /// Open lines whose counts differ from the jobs that are really there, at most [`AUDIT_EXAMPLES_MAX`].
    pub wrong: Vec<EventId>,
    /// How many such lines there are.
    pub wrong_total: u64,
}

/// How many events an [`Audit`] names.
pub const AUDIT_EXAMPLES_MAX: usize = 20;

/// What [`Queue::tend`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tended {
    /// Waiting jobs whose time had come.
    pub due: u64,
    /// Leases taken back from workers that vanished.
    pub reclaimed: u64,
    /// Jobs buried for lapsing [`LAPSES_MAX`] times.
    pub buried: u64,
    /// More is due than one call moves; call again.
    pub more: bool,
}

/// The configuration document as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub version: i64,
    pub document: Bytes,
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
