//! What a worker decided about its job, in one step.

use std::time::Duration;

use rusqlite::Row;

use super::{
    ledger::Changes,
    tally::Place,
    writer::{Desk, Fault},
};
use crate::{
    clock::{UnixMillis, millis},
    ids::{EventId, JobId, TenantId},
    queue::{
        DELAY_MAX, Decision, Ending, LeaseToken, NewJob, Pushed, QueueError, QueueName, Scope, Verdict,
        limits::check_job,
    },
};

/// A leased job, as far as moving it needs it.
pub(super) struct Leased {
    pub(super) seq: i64,
    pub(super) queue: QueueName,
    pub(super) lane: String,
    order: Option<String>,
    tenant: TenantId,
    event: Option<EventId>,
    pub(super) lapses: u32,
}

impl Leased {
    /// Reads `seq, queue, lane, order_key, tenant, event, lapses`.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            queue: row.get(1)?,
            lane: row.get(2)?,
            order: row.get(3)?,
            tenant: TenantId(row.get(4)?),
            event: row.get::<_, Option<_>>(5)?.map(EventId::from_uuid),
            lapses: row.get(6)?,
        })
    }
}

impl Desk {
    /// See [`Queue::decide_all`](crate::queue::Queue::decide_all).
    pub(super) fn decide_all(
        &mut self,
        decisions: &[Decision],
    ) -> rusqlite::Result<Vec<Result<Vec<Pushed>, QueueError>>> {
        let mut answers = Vec::with_capacity(decisions.len());
        for decision in decisions {
            match self.decide(decision) {
                Ok(pushed) => answers.push(Ok(pushed)),
                Err(Fault::Refused(error)) => answers.push(Err(error)),
                Err(Fault::Database(error)) => return Err(error),
            }
        }
        Ok(answers)
    }

    /// Refuses before it writes, or not at all.
    fn decide(&mut self, decision: &Decision) -> Result<Vec<Pushed>, Fault> {
        let job = self.leased(&decision.lease)?.ok_or(QueueError::StaleLease)?;
        let now = self.now();
        let mut answers = Vec::new();
        match &decision.verdict {
            Verdict::Complete { follow_ups, ending } => {
                check_completion(&job, follow_ups, *ending)?;
                answers = self.complete(&job, follow_ups, *ending)?;
            }
            Verdict::Retry { after, error } => self.put_off(&job, until(now, *after), Some(error))?,
            Verdict::Defer { after, scope: Scope::Job } => self.put_off(&job, until(now, *after), None)?,
            Verdict::Defer { after, scope: Scope::Lane } => {
                self.give_back(&job)?;
                self.pause_lane(job.queue, &job.lane, until(now, *after))?;
            }
            Verdict::Bury { reason } => self.bury(&job, reason, now)?,
        }
        decision.facts.iter().for_each(|fact| self.tally.fact(job.tenant, fact));
        Ok(answers)
    }

    /// The job that this lease still entitles to decide.
    fn leased(&self, lease: &LeaseToken) -> rusqlite::Result<Option<Leased>> {
        self.first(
            "SELECT seq, queue, lane, order_key, tenant, event, lapses FROM jobs
             WHERE id = ?1 AND queue = ?2 AND place = 'leased' AND worker = ?3 AND epoch = ?4",
            (lease.job.uuid(), lease.queue, &*lease.worker.0, lease.epoch),
            Leased::read,
        )
    }

    fn complete(
        &mut self,
        job: &Leased,
        follow_ups: &[(QueueName, NewJob)],
        ending: Option<Ending>,
    ) -> rusqlite::Result<Vec<Pushed>> {
        self.run("DELETE FROM jobs WHERE seq = ?1", [job.seq])?;
        self.run("DELETE FROM payloads WHERE seq = ?1", [job.seq])?;
        self.tally.moved(job.queue, Some(Place::Leased), None);
        self.lane_frees(job.queue, &job.lane);
        self.free_next(job.queue, job.order.as_deref())?;
        let mut changes = Changes::default();
        changes.pending(job.event, job.tenant, -1);
        if let Some(ending) = ending {
            changes.ended(job.event, job.tenant, ending);
        }
        let answers = follow_ups
            .iter()
            .map(|(queue, follow_up)| self.enqueue(*queue, follow_up, &mut changes))
            .collect::<Result<_, _>>()?;
        self.write_lines(changes)?;
        Ok(answers)
    }

    /// The job waits until `due`; with an `error` that is an attempt.
    fn put_off(&mut self, job: &Leased, due: UnixMillis, error: Option<&str>) -> rusqlite::Result<()> {
        self.run(
            "UPDATE jobs SET place = 'waiting', worker = NULL, due = ?2,
                 attempts = attempts + (?3 IS NOT NULL), reason = coalesce(?3, reason)
             WHERE seq = ?1",
            (job.seq, due, error),
        )?;
        self.tally.moved(job.queue, Some(Place::Leased), Some(Place::Waiting));
        self.lane_frees(job.queue, &job.lane);
        Ok(())
    }

    /// See [`Queue::amend`](crate::queue::Queue::amend), and without a payload
    /// [`Queue::hurry`](crate::queue::Queue::hurry).
    pub(super) fn let_go(&mut self, queue: QueueName, job: JobId, payload: Option<&[u8]>) -> rusqlite::Result<bool> {
        let waiting: Option<(i64, Place, String)> = self.first(
            "SELECT seq, place, lane FROM jobs
             WHERE id = ?1 AND queue = ?2 AND place IN ('waiting', 'held')",
            (job.uuid(), queue),
            |row| row.try_into(),
        )?;
        let Some((seq, place, lane)) = waiting else { return Ok(false) };
        if let Some(payload) = payload {
            self.run("UPDATE payloads SET bytes = ?2 WHERE seq = ?1", (seq, payload))?;
        }
        self.run(
            "UPDATE jobs SET due = ?2, place = iif(place = 'held', 'held', 'ready') WHERE seq = ?1",
            (seq, self.now()),
        )?;
        if place == Place::Waiting {
            self.tally.moved(queue, Some(Place::Waiting), Some(Place::Ready));
            self.lane_gains(queue, &lane);
        }
        Ok(true)
    }

    /// The job is ready again, in its old place.
    pub(super) fn give_back(&mut self, job: &Leased) -> rusqlite::Result<()> {
        self.run("UPDATE jobs SET place = 'ready', worker = NULL WHERE seq = ?1", [job.seq])?;
        self.tally.moved(job.queue, Some(Place::Leased), Some(Place::Ready));
        self.lane_regains(job.queue, &job.lane);
        Ok(())
    }

    /// Gives back a job that nobody received, if it is still leased.
    pub(super) fn give_back_unclaimed(&mut self, lease: &LeaseToken) -> Result<(), Fault> {
        if let Some(job) = self.leased(lease)? {
            self.give_back(&job)?;
        }
        Ok(())
    }

    /// The job is dead.
    pub(super) fn bury(&mut self, job: &Leased, reason: &str, now: UnixMillis) -> rusqlite::Result<()> {
        self.run(
            "UPDATE jobs SET place = 'dead', worker = NULL, reason = ?2, buried_at = ?3 WHERE seq = ?1",
            (job.seq, reason, now),
        )?;
        self.tally.moved(job.queue, Some(Place::Leased), Some(Place::Dead));
        self.lane_frees(job.queue, &job.lane);
        self.free_next(job.queue, job.order.as_deref())?;
        let mut changes = Changes::default();
        changes.pending(job.event, job.tenant, -1);
        changes.dead(job.event, job.tenant, 1);
        self.write_lines(changes)
    }

    /// The job that moved for an order key is gone: the oldest that is held moves now.
    fn free_next(&mut self, queue: QueueName, order: Option<&str>) -> rusqlite::Result<()> {
        let Some(order) = order else { return Ok(()) };
        let next: Option<(i64, String, UnixMillis)> = self.first(
            "SELECT seq, lane, due FROM jobs
             WHERE queue = ?1 AND order_key = ?2 AND place = 'held' ORDER BY seq LIMIT 1",
            (queue, order),
            |row| row.try_into(),
        )?;
        let Some((seq, lane, due)) = next else { return Ok(()) };
        let now = self.now();
        let place = if due > now { Place::Waiting } else { Place::Ready };
        // The clock may have jumped back since the job was pushed.
        let due = due.min(until(now, DELAY_MAX));
        self.run("UPDATE jobs SET place = ?2, due = ?3 WHERE seq = ?1", (seq, place, due))?;
        self.tally.moved(queue, Some(Place::Held), Some(place));
        if place == Place::Ready {
            self.lane_gains(queue, &lane);
        }
        Ok(())
    }
}

/// Refuses what breaks a limit of the contract. Done before anything is written.
fn check_completion(
    job: &Leased,
    follow_ups: &[(QueueName, NewJob)],
    ending: Option<Ending>,
) -> Result<(), QueueError> {
    follow_ups.iter().try_for_each(|(_, follow_up)| check_job(follow_up))?;
    let goes_on = follow_ups.iter().any(|(_, follow_up)| follow_up.event == job.event);
    if job.event.is_some() && ending.is_none() && !goes_on {
        return Err(QueueError::BadJob("a job of an event needs an ending or a successor of the same event"));
    }
    Ok(())
}

/// `after` from now, or the longest delay.
fn until(now: UnixMillis, after: Duration) -> UnixMillis {
    now.saturating_add(millis(after.min(DELAY_MAX)))
}
