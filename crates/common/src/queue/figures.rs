//! What the queue tells about itself: dead jobs, depths, books, and what upkeep and audit found.

use bytes::Bytes;
use serde::Serialize;

use super::QueueName;
use crate::{
    clock::UnixMillis,
    ids::{EventId, JobId, TenantId},
};

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
    /// Jobs buried for lapsing [`LAPSES_MAX`](super::LAPSES_MAX) times.
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
