//! What the open transaction adds to the sums, kept in memory until it commits: how many jobs are where, the books,
//! facts for the recorder, and which queues have something new for sleeping workers. A rollback forgets it.

use bytes::BytesMut;
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use super::writer::Desk;
use crate::{
    clock::UnixMillis,
    ids::TenantId,
    queue::{
        Ending, QueueName,
        facts::{self, BUNDLE_BYTES},
    },
};

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Ready,
    Held,
    Leased,
    Waiting,
    Dead,
}

impl Place {
    pub(super) const ALL: [Self; 5] = [Self::Ready, Self::Held, Self::Leased, Self::Waiting, Self::Dead];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Held => "held",
            Self::Leased => "leased",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
        }
    }
}

impl ToSql for Place {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_str().to_sql()
    }
}

impl ToSql for QueueName {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_str().to_sql()
    }
}

impl FromSql for QueueName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_name(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl FromSql for Place {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|place| place.as_str() == name).ok_or(FromSqlError::InvalidType)
    }
}

/// A sum in a tenant's books.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sum {
    Received,
    Ended(Ending),
    Dead,
    Pending,
}

impl Sum {
    /// Its column in `books`, counted after the tenant.
    const fn column(self) -> usize {
        match self {
            Self::Received => 0,
            Self::Ended(Ending::Delivered) => 1,
            Self::Ended(Ending::Silenced) => 2,
            Self::Ended(Ending::Deduplicated) => 3,
            Self::Ended(Ending::Unrouted) => 4,
            Self::Ended(Ending::Muted) => 5,
            Self::Dead => 6,
            Self::Pending => 7,
        }
    }
}

/// How many jobs more of a lane are ready, and leased.
#[derive(Debug)]
pub(super) struct LaneChange {
    pub(super) queue: QueueName,
    pub(super) lane: String,
    pub(super) ready: i64,
    pub(super) leased: i64,
}

/// How many of the last lanes a change is looked for. Groups are mostly of few lanes; beyond, a lane has two changes.
const LANES_LOOKED_AT: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tally {
    depths: [[i64; Place::ALL.len()]; QueueName::ALL.len()],
    books: Vec<(TenantId, [i64; 8])>,
    woken: [u64; QueueName::ALL.len()],
    pub(super) lanes: Vec<LaneChange>,
    /// Bundles of facts; a tenant's last one may still grow.
    pub(super) facts: Vec<(TenantId, BytesMut)>,
    /// When it tended the queue.
    pub(super) tended_at: Option<UnixMillis>,
}

impl Tally {
    /// A job of `queue` changed its place; `None` is outside.
    pub(super) fn moved(&mut self, queue: QueueName, from: Option<Place>, to: Option<Place>) {
        let depths = &mut self.depths[queue as usize];
        if let Some(from) = from {
            depths[from as usize] -= 1;
        }
        if let Some(to) = to {
            depths[to as usize] += 1;
        }
        if to == Some(Place::Ready) {
            self.wake(queue);
        }
    }

    /// A worker that sleeps on `queue` has reason to look again.
    pub(super) fn wake(&mut self, queue: QueueName) {
        self.woken[queue as usize] += 1;
    }

    /// How many reasons to look there are per queue, in the order of [`QueueName::ALL`].
    pub(super) fn woken(&self) -> [u64; QueueName::ALL.len()] {
        self.woken
    }

    /// Jobs of a lane became ready, or leased.
    pub(super) fn lane(&mut self, queue: QueueName, lane: &str, ready: i64, leased: i64) {
        let recent = self.lanes.iter_mut().rev().take(LANES_LOOKED_AT);
        if let Some(change) = recent.into_iter().find(|change| change.queue == queue && change.lane == lane) {
            change.ready += ready;
            change.leased += leased;
            return;
        }
        self.lanes.push(LaneChange { queue, lane: lane.to_owned(), ready, leased });
    }

    /// A fact for the recorder.
    pub(super) fn fact(&mut self, tenant: TenantId, fact: &[u8]) {
        let open = self.facts.iter_mut().rev().find(|(of, _)| *of == tenant).map(|(_, bundle)| bundle);
        if let Some(bundle) = open.filter(|bundle| bundle.len() + fact.len() <= BUNDLE_BYTES) {
            return facts::add(bundle, fact);
        }
        let mut bundle = BytesMut::new();
        facts::add(&mut bundle, fact);
        self.facts.push((tenant, bundle));
    }

    /// Adds to a sum in the books of `tenant`.
    pub(super) fn book(&mut self, tenant: TenantId, sum: Sum, n: i64) {
        let known = self.books.iter().position(|(known, _)| *known == tenant);
        let index = known.unwrap_or_else(|| {
            self.books.push((tenant, [0; 8]));
            self.books.len() - 1
        });
        self.books[index].1[sum.column()] += n;
    }
}

impl Desk {
    /// Writes the tally into the open transaction.
    pub(super) fn write_tally(&self) -> rusqlite::Result<()> {
        for (queue, depths) in QueueName::ALL.iter().zip(&self.tally.depths) {
            for (place, n) in Place::ALL.iter().zip(depths).filter(|(_, n)| **n != 0) {
                self.run(
                    "INSERT INTO depths VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                    (queue, place, n),
                )?;
            }
        }
        for (tenant, sums) in &self.tally.books {
            let [received, delivered, silenced, deduplicated, unrouted, muted, dead, pending] = sums;
            self.run(
                "INSERT INTO books VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO UPDATE SET
                     received = received + excluded.received,
                     delivered = delivered + excluded.delivered,
                     silenced = silenced + excluded.silenced,
                     deduplicated = deduplicated + excluded.deduplicated,
                     unrouted = unrouted + excluded.unrouted,
                     muted = muted + excluded.muted,
                     dead = dead + excluded.dead,
                     pending = pending + excluded.pending",
                (tenant.0, received, delivered, silenced, deduplicated, unrouted, muted, dead, pending),
            )?;
        }
        Ok(())
    }
}
