//! Pushing: from outside, as a follow-up, and as a fact.

use bytes::Bytes;

use super::{
    ledger::Changes,
    tally::Place,
    writer::{Desk, Fault},
};
use crate::{
    clock::{UnixMillis, millis},
    ids::{JobId, TenantId},
    queue::{DELAY_MAX, Ending, KEY_MAX_BYTES, NewJob, Pushed, QueueError, QueueName},
};

/// Refuses what breaks a limit of the contract. Done before anything is written.
pub(super) fn check(job: &NewJob) -> Result<(), QueueError> {
    check_name(&job.lane, "the lane is longer than 64 bytes")?;
    check_name(job.order.as_deref().unwrap_or_default(), "the order key is longer than 64 bytes")?;
    check_name(job.counter.as_deref().unwrap_or_default(), "the counter is longer than 64 bytes")?;
    if let Some(dedup) = &job.dedup {
        check_name(&dedup.key, "the dedup key is longer than 64 bytes")?;
        check_name(&dedup.variant, "the dedup variant is longer than 64 bytes")?;
    }
    Ok(())
}

/// Refuses a name that is longer than [`KEY_MAX_BYTES`].
pub(super) fn check_name(name: &str, refusal: &'static str) -> Result<(), QueueError> {
    if name.len() > KEY_MAX_BYTES { Err(QueueError::BadJob(refusal)) } else { Ok(()) }
}

impl Desk {
    /// See [`Queue::push`](crate::queue::Queue::push).
    pub(super) fn push(&mut self, queue: QueueName, jobs: &[NewJob]) -> Result<Vec<Pushed>, Fault> {
        jobs.iter().try_for_each(check)?;
        let mut changes = Changes::default();
        let answers = jobs.iter().map(|job| self.enqueue(queue, job, &mut changes)).collect::<Result<_, _>>()?;
        self.write_lines(changes)?;
        Ok(answers)
    }

    /// Queues one job that was checked, unless it is already there or a repeat.
    pub(super) fn enqueue(
        &mut self,
        queue: QueueName,
        job: &NewJob,
        changes: &mut Changes,
    ) -> rusqlite::Result<Pushed> {
        if self.first("SELECT 1 FROM jobs WHERE id = ?1", [job.id.uuid()], |_| Ok(()))?.is_some() {
            return Ok(Pushed::Queued);
        }
        let now = self.now();
        if let Some(dedup) = &job.dedup
            && self.is_repeat(dedup, now)?
        {
            self.record(job.tenant, std::slice::from_ref(&dedup.fact), now)?;
            changes.ended(job.event, job.tenant, Ending::Deduplicated);
            return Ok(Pushed::Duplicate);
        }
        let count = job.counter.as_deref().map_or(Ok(0), |counter| self.count(counter, now))?;
        self.insert(queue, job, count, now)?;
        changes.pending(job.event, job.tenant, 1);
        Ok(Pushed::Queued)
    }

    /// Queues facts for the recorder.
    pub(super) fn record(&mut self, tenant: TenantId, facts: &[Bytes], now: UnixMillis) -> rusqlite::Result<()> {
        for fact in facts {
            let job = NewJob::new(JobId::at(now), tenant, None, tenant.to_string(), fact.clone());
            self.insert(QueueName::History, &job, 0, now)?;
        }
        Ok(())
    }

    fn insert(&mut self, queue: QueueName, job: &NewJob, count: u64, now: UnixMillis) -> rusqlite::Result<()> {
        let due = now.saturating_add(millis(job.delay.min(DELAY_MAX)));
        let place = if self.order_is_taken(queue, job.order.as_deref())? {
            Place::Held
        } else if due > now {
            Place::Waiting
        } else {
            Place::Ready
        };
        self.run(
            "INSERT INTO jobs (id, queue, place, lane, order_key, tenant, event, count, due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                job.id.uuid(),
                queue,
                place,
                &job.lane,
                &job.order,
                job.tenant.0,
                job.event.map(crate::ids::EventId::uuid),
                count,
                due,
            ),
        )?;
        self.run("INSERT INTO payloads VALUES (?1, ?2)", (self.inserted(), &job.payload[..]))?;
        self.tally.moved(queue, None, Some(place));
        if place == Place::Ready { self.lane_gains(queue, &job.lane) } else { Ok(()) }
    }

    /// Whether a job with this order key moves already, so that another must be held.
    pub(super) fn order_is_taken(&self, queue: QueueName, order: Option<&str>) -> rusqlite::Result<bool> {
        let Some(order) = order else { return Ok(false) };
        let moving = self.first(
            "SELECT 1 FROM jobs
             WHERE queue = ?1 AND order_key = ?2 AND order_key IS NOT NULL AND place IN ('ready', 'leased', 'waiting')",
            (queue, order),
            |_| Ok(()),
        )?;
        Ok(moving.is_some())
    }
}
