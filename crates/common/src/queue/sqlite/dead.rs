//! The dead and their replay, and how many jobs are where.

use bytes::Bytes;
use rusqlite::Row;

use super::{
    ledger::Changes,
    tally::Place,
    writer::{Desk, INTEGER_MAX},
};
use crate::{
    ids::{EventId, JobId, TenantId},
    queue::{DeadFilter, DeadJob, Depth, QueueName},
};

/// A dead job, as far as replaying it needs it.
struct Buried {
    seq: i64,
    queue: QueueName,
    lane: String,
    order: Option<String>,
    tenant: TenantId,
    event: Option<EventId>,
}

macro_rules! matching {
    ($from:literal) => {
        concat!(
            "SELECT * FROM ",
            $from,
            " WHERE place = 'dead'
                 AND (?1 IS NULL OR tenant = ?1)
                 AND (?2 IS NULL OR queue = ?2)
                 AND (?3 IS NULL OR lane IN (SELECT value FROM json_each(?3)))
                 AND (?4 IS NULL OR id IN (SELECT unhex(value) FROM json_each(?4)))
             ORDER BY buried_at, seq LIMIT ?5 OFFSET ?6"
        )
    };
}

const HEADS: &str = matching!("jobs");
const WHOLE: &str = matching!("jobs JOIN payloads USING (seq)");

fn read(row: &Row<'_>, payload: Bytes) -> rusqlite::Result<DeadJob> {
    Ok(DeadJob {
        id: JobId::from_uuid(row.get("id")?),
        queue: row.get("queue")?,
        tenant: TenantId(row.get("tenant")?),
        event: row.get::<_, Option<_>>("event")?.map(EventId::from_uuid),
        lane: row.get("lane")?,
        attempts: row.get("attempts")?,
        reason: row.get("reason")?,
        buried_at: row.get("buried_at")?,
        payload,
    })
}

impl Desk {
    /// See [`Queue::dead`](crate::queue::Queue::dead).
    pub(super) fn dead(&self, filter: &DeadFilter, skip: usize, limit: usize) -> rusqlite::Result<Vec<DeadJob>> {
        self.matching(WHOLE, filter, skip, limit, |row| {
            read(row, Bytes::copy_from_slice(row.get_ref("bytes")?.as_blob()?))
        })
    }

    /// See [`Queue::dead_heads`](crate::queue::Queue::dead_heads).
    pub(super) fn dead_heads(&self, filter: &DeadFilter, skip: usize, limit: usize) -> rusqlite::Result<Vec<DeadJob>> {
        self.matching(HEADS, filter, skip, limit, |row| read(row, Bytes::new()))
    }

    /// See [`Queue::replay`](crate::queue::Queue::replay). The jobs join at the end of their lanes: fresh alerts that
    /// wait there already come first.
    pub(super) fn replay(&mut self, filter: &DeadFilter, limit: usize) -> rusqlite::Result<u64> {
        let jobs = self.matching(HEADS, filter, 0, limit, |row| {
            Ok(Buried {
                seq: row.get("seq")?,
                queue: row.get("queue")?,
                lane: row.get("lane")?,
                order: row.get("order_key")?,
                tenant: TenantId(row.get("tenant")?),
                event: row.get::<_, Option<_>>("event")?.map(EventId::from_uuid),
            })
        })?;
        for job in &jobs {
            self.revive(job)?;
        }
        Ok(jobs.len() as u64)
    }

    fn revive(&mut self, job: &Buried) -> rusqlite::Result<()> {
        let taken = self.order_is_taken(job.queue, job.order.as_deref())?;
        let place = if taken { Place::Held } else { Place::Ready };
        let seq = self.first(
            "UPDATE jobs SET seq = (SELECT max(seq) + 1 FROM jobs), place = ?2, due = ?3, attempts = 0, lapses = 0,
                 reason = NULL, buried_at = NULL
             WHERE seq = ?1 RETURNING seq",
            (job.seq, place, self.now()),
            |row| row.get::<_, i64>(0),
        )?;
        self.run("UPDATE payloads SET seq = ?2 WHERE seq = ?1", (job.seq, seq))?;
        self.tally.moved(job.queue, Some(Place::Dead), Some(place));
        if place == Place::Ready {
            self.lane_gains(job.queue, &job.lane);
        }
        let mut changes = Changes::default();
        changes.dead(job.event, job.tenant, -1);
        changes.pending(job.event, job.tenant, 1);
        self.write_lines(changes)
    }

    /// The dead jobs that match, oldest first, as one of the statements reads them.
    fn matching<T>(
        &self,
        statement: &'static str,
        filter: &DeadFilter,
        skip: usize,
        limit: usize,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let ids: Vec<_> = filter.ids.iter().map(|id| id.uuid().simple().to_string()).collect();
        let lanes = (!filter.lanes.is_empty()).then(|| serde_json::json!(filter.lanes).to_string());
        let ids = (!ids.is_empty()).then(|| format!("[\"{}\"]", ids.join("\",\"")));
        self.all(
            statement,
            (
                filter.tenant.map(|tenant| tenant.0),
                filter.queue,
                lanes,
                ids,
                limit.min(INTEGER_MAX),
                skip.min(INTEGER_MAX),
            ),
            read,
        )
    }

    /// See [`Queue::depths`](crate::queue::Queue::depths). Reads sums that are kept, so it is cheap at any depth.
    pub(super) fn depths(&self) -> rusqlite::Result<Vec<(QueueName, Depth)>> {
        let mut depths = QueueName::ALL.map(|queue| (queue, Depth::default()));
        let rows: Vec<(QueueName, Place, u64)> =
            self.all("SELECT queue, place, n FROM depths", [], |row| row.try_into())?;
        for (queue, place, n) in rows {
            let depth = &mut depths[queue as usize].1;
            match place {
                Place::Ready => depth.ready = n,
                Place::Held => depth.held = n,
                Place::Leased => depth.leased = n,
                Place::Waiting => depth.waiting = n,
                Place::Dead => depth.dead = n,
            }
        }
        Ok(depths.into())
    }
}
