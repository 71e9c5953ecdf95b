//! What callers hand to the queue and get from it: jobs, leases, decisions.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::QueueName;
use crate::{
    clock::UnixMillis,
    ids::{EventId, JobId, TenantId},
};

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
    /// How long the job waits before it is ready; at most [`DELAY_MAX`](super::DELAY_MAX).
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

/// Names a worker: unique among all processes, at most [`KEY_MAX_BYTES`](super::KEY_MAX_BYTES).
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
    /// How many workers vanished with it. Any of them may have done the work before it could say so.
    pub lapses: u32,
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
