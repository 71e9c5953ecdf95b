//! Upkeep: due jobs, ended pauses, vanished workers, forgotten keys, and a clock that jumped back.

use super::{
    decide::Leased,
    tally::Place,
    writer::{Desk, INTEGER_MAX},
};
use crate::{
    clock::{UnixMillis, millis},
    queue::{COUNTER_TTL, DELAY_MAX, LAPSES_MAX, QueueName, SILENCE_MAX, Tended, WorkerId},
};

/// How many rows one call moves of each kind. It keeps the other callers waiting for some ten milliseconds at most.
const TEND_MAX: usize = 1_000;

impl Desk {
    /// See [`Queue::keep_alive`](crate::queue::Queue::keep_alive).
    pub(super) fn keep_alive(&self, worker: &WorkerId, ttl_ms: i64) -> rusqlite::Result<()> {
        self.run(
            "INSERT INTO workers VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET ttl = excluded.ttl, deadline = excluded.deadline",
            (&*worker.0, ttl_ms, self.now().saturating_add(ttl_ms)),
        )?;
        Ok(())
    }

    /// See [`Queue::release`](crate::queue::Queue::release).
    pub(super) fn release(&mut self, worker: &WorkerId) -> rusqlite::Result<u64> {
        let jobs = self.jobs_of(&worker.0, INTEGER_MAX)?;
        for job in &jobs {
            self.give_back(job)?;
        }
        self.forget_worker(&worker.0)?;
        Ok(jobs.len() as u64)
    }

    /// See [`Queue::tend`](crate::queue::Queue::tend).
    pub(super) fn tend(&mut self) -> rusqlite::Result<Tended> {
        self.write_lanes()?;
        let now = self.now();
        self.listen(now)?;
        let mut tended = Tended { more: self.clamp(now)? == TEND_MAX, ..Tended::default() };
        self.wake_due(now, &mut tended)?;
        self.write_lanes()?;
        tended.more |= self.end_pauses(now, TEND_MAX)? == TEND_MAX;
        self.reclaim(now, &mut tended)?;
        tended.more |= self.forget(now)?;
        Ok(tended)
    }

    /// Takes from the workers' silence the time in which nobody listened. And after a clock jumped back, a worker is
    /// believed no longer than its time to live from now on.
    fn listen(&mut self, now: UnixMillis) -> rusqlite::Result<()> {
        let unheard = now.saturating_sub(self.tended_at).saturating_sub(millis(SILENCE_MAX)).max(0);
        self.tally.tended_at = Some(now);
        self.run(
            "UPDATE workers SET deadline = min(deadline + ?2, ?1 + ttl) WHERE deadline <> min(deadline + ?2, ?1 + ttl)",
            (now, unheard),
        )?;
        Ok(())
    }

    /// No wait may outlast its limit because the clock jumped back. Returns how many jobs' waits were cut.
    fn clamp(&self, now: UnixMillis) -> rusqlite::Result<usize> {
        let latest = now.saturating_add(millis(DELAY_MAX));
        self.run("UPDATE lanes SET paused_until = ?1 WHERE paused_until > 0 AND paused_until > ?1", [latest])?;
        self.run(
            "UPDATE jobs SET due = ?1
             WHERE seq IN (SELECT seq FROM jobs WHERE place = 'waiting' AND due > ?1 LIMIT ?2)",
            (latest, TEND_MAX),
        )
    }

    fn wake_due(&mut self, now: UnixMillis, tended: &mut Tended) -> rusqlite::Result<()> {
        let due: Vec<(i64, QueueName, String)> = self.all(
            "SELECT seq, queue, lane FROM jobs WHERE place = 'waiting' AND due <= ?1 ORDER BY due LIMIT ?2",
            (now, TEND_MAX),
            |row| row.try_into(),
        )?;
        for (seq, queue, lane) in &due {
            self.run("UPDATE jobs SET place = 'ready' WHERE seq = ?1", [seq])?;
            self.tally.moved(*queue, Some(Place::Waiting), Some(Place::Ready));
            self.lane_gains(*queue, lane);
        }
        tended.due = due.len() as u64;
        tended.more |= due.len() == TEND_MAX;
        Ok(())
    }

    fn reclaim(&mut self, now: UnixMillis, tended: &mut Tended) -> rusqlite::Result<()> {
        let mut left = TEND_MAX;
        let vanished: Vec<String> =
            self.all("SELECT worker FROM workers WHERE deadline <= ?1 LIMIT ?2", (now, TEND_MAX), |row| row.get(0))?;
        for worker in vanished {
            let jobs = self.jobs_of(&worker, left)?;
            left -= jobs.len();
            for job in &jobs {
                self.take_back(job, now, tended)?;
            }
            if left == 0 {
                tended.more = true;
                break;
            }
            self.forget_worker(&worker)?;
        }
        Ok(())
    }

    /// Takes a job back from a worker that vanished.
    fn take_back(&mut self, job: &Leased, now: UnixMillis, tended: &mut Tended) -> rusqlite::Result<()> {
        self.run("UPDATE jobs SET lapses = lapses + 1 WHERE seq = ?1", [job.seq])?;
        if job.lapses + 1 < LAPSES_MAX {
            tended.reclaimed += 1;
            return self.give_back(job);
        }
        tended.buried += 1;
        self.bury(job, &format!("its workers vanished {LAPSES_MAX} times: it may be what ends them"), now)
    }

    fn jobs_of(&self, worker: &str, max: usize) -> rusqlite::Result<Vec<Leased>> {
        self.all(
            "SELECT seq, queue, lane, order_key, tenant, event, lapses FROM jobs
             WHERE worker = ?1 AND place = 'leased' ORDER BY seq LIMIT ?2",
            (worker, max),
            Leased::read,
        )
    }

    fn forget_worker(&self, worker: &str) -> rusqlite::Result<usize> {
        self.run("DELETE FROM workers WHERE worker = ?1", [worker])
    }

    /// Forgets keys whose time is over. Says whether there may be more.
    fn forget(&self, now: UnixMillis) -> rusqlite::Result<bool> {
        let dedup = self
            .run("DELETE FROM dedup WHERE key IN (SELECT key FROM dedup WHERE ends <= ?1 LIMIT ?2)", (now, TEND_MAX))?;
        let counters = self.run(
            "DELETE FROM counters WHERE name IN (SELECT name FROM counters WHERE used < ?1 LIMIT ?2)",
            (now.saturating_sub(millis(COUNTER_TTL)), TEND_MAX),
        )?;
        let slots = self.run(
            "DELETE FROM slots WHERE key IN (SELECT key FROM slots WHERE \"full\" <= ?1 LIMIT ?2)",
            (now.saturating_mul(1_000), TEND_MAX),
        )?;
        let notes = self
            .run("DELETE FROM notes WHERE key IN (SELECT key FROM notes WHERE ends <= ?1 LIMIT ?2)", (now, TEND_MAX))?;
        let sums = self
            .run("DELETE FROM sums WHERE key IN (SELECT key FROM sums WHERE ends <= ?1 LIMIT ?2)", (now, TEND_MAX))?;
        Ok([dedup, counters, slots, notes, sums].contains(&TEND_MAX))
    }
}
