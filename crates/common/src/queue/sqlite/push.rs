//! Pushing: from outside, as a follow-up, and as a fact.

use super::{ledger::Changes, tally::Place, writer::Desk};
use crate::{
    clock::{UnixMillis, millis},
    ids::JobId,
    queue::{DELAY_MAX, Ending, NewJob, Pushed, QueueName},
};

impl Desk {
    /// See [`Queue::push`](crate::queue::Queue::push).
    pub(super) fn push(&mut self, queue: QueueName, jobs: &[NewJob]) -> rusqlite::Result<Vec<Pushed>> {
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
        // The others are recognised when they are inserted.
        let leaves_traces = job.dedup.is_some() || job.counter.is_some();
        if leaves_traces && self.first("SELECT 1 FROM jobs WHERE id = ?1", [job.id.uuid()], |_| Ok(()))?.is_some() {
            return Ok(Pushed::Queued);
        }
        let now = self.now();
        if let Some(dedup) = &job.dedup
            && self.is_repeat(dedup, now)?
        {
            self.tally.fact(job.tenant, &dedup.fact);
            changes.ended(job.event, job.tenant, Ending::Deduplicated);
            return Ok(Pushed::Duplicate);
        }
        let counted = job.counter.as_ref().map_or(Ok((0, 0)), |counter| self.count(counter, now))?;
        if self.insert(queue, job, counted, now)? {
            changes.pending(job.event, job.tenant, 1);
        }
        Ok(Pushed::Queued)
    }

    /// Queues the facts of this transaction for the recorder.
    pub(super) fn write_facts(&mut self) -> rusqlite::Result<()> {
        let now = self.now();
        for (tenant, bundle) in std::mem::take(&mut self.tally.facts) {
            let job = NewJob::new(JobId::at(now), tenant, None, tenant.to_string(), bundle.freeze());
            self.insert(QueueName::History, &job, (0, 0), now)?;
        }
        Ok(())
    }

    /// `counted` is how many jobs its counter has, and since when. `false`: a job of this id is there already.
    fn insert(
        &mut self,
        queue: QueueName,
        job: &NewJob,
        counted: (u64, UnixMillis),
        now: UnixMillis,
    ) -> rusqlite::Result<bool> {
        let due = now.saturating_add(millis(job.delay.min(DELAY_MAX)));
        let place = if self.order_is_taken(queue, job.order.as_deref())? {
            Place::Held
        } else if due > now {
            Place::Waiting
        } else {
            Place::Ready
        };
        let inserted = self.run(
            "INSERT INTO jobs (id, queue, place, lane, order_key, tenant, event, count, since, due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (id) DO NOTHING",
            (
                job.id.uuid(),
                queue,
                place,
                &job.lane,
                &job.order,
                job.tenant.0,
                job.event.map(crate::ids::EventId::uuid),
                counted.0,
                counted.1,
                due,
            ),
        )?;
        if inserted == 0 {
            return Ok(false);
        }
        self.run("INSERT INTO payloads VALUES (?1, ?2)", (self.inserted(), &job.payload[..]))?;
        self.tally.moved(queue, None, Some(place));
        if place == Place::Ready {
            self.lane_gains(queue, &job.lane);
        }
        Ok(true)
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
