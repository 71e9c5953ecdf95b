//! Lanes take turns. A lane that becomes ready joins at the end of the round, and so does one that was served.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{
    tally::{LaneChange, Place},
    writer::{Desk, INTEGER_MAX, Work, errand},
};
use crate::{
    clock::UnixMillis,
    ids::{EventId, JobId, TenantId},
    queue::{Lease, LeaseToken, QueueName, Want, WorkerId},
};

/// The most jobs that one call leases.
const LEASE_MAX: usize = 1_000;

/// How long a worker is believed to live that leases without having said so.
const TTL_UNTOLD_MS: i64 = 60_000;

/// A lane that may be served, and how it is served in this call.
struct Served {
    lane: String,
    /// How many of its jobs may be leased.
    room: usize,
    /// How many are.
    share: usize,
    /// The place of its last job among all jobs of the call.
    last: usize,
    jobs: VecDeque<(i64, Lease)>,
}

impl Desk {
    /// See [`Queue::lease`](crate::queue::Queue::lease).
    pub(super) fn lease(&mut self, queue: QueueName, worker: &WorkerId, want: Want) -> rusqlite::Result<Vec<Lease>> {
        self.write_lanes()?;
        let max = want.max.min(LEASE_MAX);
        let mut lanes = self.lanes_next(queue, want, max)?;
        if lanes.is_empty() {
            return Ok(Vec::new());
        }
        let turns = take_turns(&mut lanes, max);
        let now = self.now();
        self.run(
            "INSERT INTO workers VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (&*worker.0, TTL_UNTOLD_MS, now.saturating_add(TTL_UNTOLD_MS)),
        )?;
        let epoch = self.first("UPDATE epoch SET last = last + 1 RETURNING last", [], |row| row.get(0))?;
        let epoch: u64 = epoch.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let turn: i64 = self.turn_next(queue)?;
        for served in &mut lanes {
            served.jobs = self.ready_jobs(queue, worker, epoch, served)?.into();
            let n = served.jobs.len();
            self.run(
                "UPDATE lanes SET ready = ready - ?3, leased = leased + ?3, turn = ?4 WHERE queue = ?1 AND lane = ?2",
                (queue, &served.lane, n, turn.saturating_add_unsigned(served.last as u64)),
            )?;
        }
        let mut leases = Vec::with_capacity(turns.len());
        for (seq, lease) in turns.into_iter().filter_map(|lane| lanes[lane].jobs.pop_front()) {
            self.run(
                "UPDATE jobs SET place = 'leased', worker = ?2, epoch = ?3 WHERE seq = ?1",
                (seq, &*worker.0, epoch),
            )?;
            self.tally.moved(queue, Some(Place::Ready), Some(Place::Leased));
            leases.push(lease);
        }
        Ok(leases)
    }

    /// The lanes that may be served, the next first.
    fn lanes_next(&self, queue: QueueName, want: Want, max: usize) -> rusqlite::Result<Vec<Served>> {
        let bound = if want.per_lane == 0 { INTEGER_MAX } else { want.per_lane.min(INTEGER_MAX) };
        let leased_below = if want.whole_lanes { 1 } else { bound };
        self.all(
            "SELECT lane, ready, leased FROM lanes
             WHERE queue = ?1 AND ready > 0 AND paused_until = 0 AND leased < ?2 ORDER BY turn LIMIT ?3",
            (queue, leased_below, max),
            |row| {
                let (lane, ready, leased): (_, usize, usize) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Served { lane, room: ready.min(bound - leased), share: 0, last: 0, jobs: VecDeque::new() })
            },
        )
    }

    /// The first jobs of a lane, as they will be leased.
    fn ready_jobs(
        &self,
        queue: QueueName,
        worker: &WorkerId,
        epoch: u64,
        served: &Served,
    ) -> rusqlite::Result<Vec<(i64, Lease)>> {
        self.all(
            "SELECT seq, id, tenant, event, attempts, lapses, count, since, bytes FROM jobs JOIN payloads USING (seq)
             WHERE queue = ?1 AND lane = ?2 AND place = 'ready' ORDER BY seq LIMIT ?3",
            (queue, &served.lane, served.share),
            |row| {
                let job = JobId::from_uuid(row.get(1)?);
                let lease = Lease {
                    token: LeaseToken { queue, job, worker: worker.clone(), epoch },
                    tenant: TenantId(row.get(2)?),
                    event: row.get::<_, Option<_>>(3)?.map(EventId::from_uuid),
                    lane: served.lane.clone(),
                    attempts: row.get(4)?,
                    lapses: row.get(5)?,
                    count: row.get(6)?,
                    since: row.get(7)?,
                    payload: Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?),
                };
                Ok((row.get(0)?, lease))
            },
        )
    }

    /// The turn after those of all lanes that wait for theirs.
    fn turn_next(&self, queue: QueueName) -> rusqlite::Result<i64> {
        let turn = self.first(
            "SELECT coalesce(max(turn), 0) + 1 FROM lanes WHERE queue = ?1 AND ready > 0 AND paused_until = 0",
            [queue],
            |row| row.get(0),
        )?;
        Ok(turn.unwrap_or(1))
    }

    /// Writes down what this transaction did to lanes. Many jobs of one lane cost one statement; so whoever reads
    /// `lanes` calls this first.
    pub(super) fn write_lanes(&mut self) -> rusqlite::Result<()> {
        for LaneChange { queue, lane, ready, leased } in std::mem::take(&mut self.tally.lanes) {
            let now = self.first(
                "INSERT INTO lanes VALUES (
                     ?1, ?2, ?3, ?4,
                     (SELECT coalesce(max(turn), 0) + 1 FROM lanes WHERE queue = ?1 AND ready > 0 AND paused_until = 0), 0
                 ) ON CONFLICT DO UPDATE SET
                     ready = ready + ?3, leased = leased + ?4, turn = iif(ready = 0, excluded.turn, turn)
                 RETURNING ready, leased, paused_until",
                (queue, &lane, ready, leased),
                |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?, row.get::<_, UnixMillis>(2)?)),
            )?;
            match now {
                Some((0, 0, 0)) => self.forget_lane(queue, &lane)?,
                // A worker may sleep because the lane was at its bound.
                Some((1.., _, 0)) if leased < 0 => self.tally.wake(queue),
                _ => {}
            }
        }
        Ok(())
    }

    /// A job of the lane became ready that was not leased before.
    pub(super) fn lane_gains(&mut self, queue: QueueName, lane: &str) {
        self.tally.lane(queue, lane, 1, 0);
    }

    /// A leased job of the lane is not leased any more, and not ready either.
    pub(super) fn lane_frees(&mut self, queue: QueueName, lane: &str) {
        self.tally.lane(queue, lane, 0, -1);
    }

    /// A leased job of the lane is ready again.
    pub(super) fn lane_regains(&mut self, queue: QueueName, lane: &str) {
        self.tally.lane(queue, lane, 1, -1);
    }

    /// Nothing of the lane is leased until then.
    pub(super) fn pause_lane(&mut self, queue: QueueName, lane: &str, until: UnixMillis) -> rusqlite::Result<()> {
        self.write_lanes()?;
        self.run(
            "UPDATE lanes SET paused_until = max(paused_until, ?3) WHERE queue = ?1 AND lane = ?2",
            (queue, lane, until),
        )?;
        Ok(())
    }

    /// Ends up to `max` pauses that are over. Returns how many.
    pub(super) fn end_pauses(&mut self, now: UnixMillis, max: usize) -> rusqlite::Result<usize> {
        let over: Vec<(QueueName, String, u64, u64)> = self.all(
            "SELECT queue, lane, ready, leased FROM lanes
             WHERE paused_until > 0 AND paused_until <= ?1 ORDER BY paused_until LIMIT ?2",
            (now, max),
            |row| row.try_into(),
        )?;
        for (queue, lane, ready, leased) in &over {
            self.run("UPDATE lanes SET paused_until = 0 WHERE queue = ?1 AND lane = ?2", (queue, lane))?;
            match (ready, leased) {
                (0, 0) => self.forget_lane(*queue, lane)?,
                (0, _) => {}
                _ => self.tally.wake(*queue),
            }
        }
        Ok(over.len())
    }

    fn forget_lane(&self, queue: QueueName, lane: &str) -> rusqlite::Result<()> {
        self.run("DELETE FROM lanes WHERE queue = ?1 AND lane = ?2", (queue, lane))?;
        Ok(())
    }
}

/// Leases that nobody received go back.
pub(super) fn unclaimed(leases: Vec<Lease>) -> Option<Box<dyn Work>> {
    (!leases.is_empty())
        .then(|| errand(move |desk| leases.iter().try_for_each(|lease| desk.give_back_unclaimed(&lease.token))))
}

/// Serves the lanes in turn until `max` jobs are taken or no lane has room; says which lane each turn goes to.
fn take_turns(lanes: &mut [Served], max: usize) -> Vec<usize> {
    let mut round: VecDeque<usize> = (0..lanes.len()).collect();
    let mut turns = Vec::new();
    while turns.len() < max
        && let Some(next) = round.pop_front()
    {
        let lane = &mut lanes[next];
        lane.share += 1;
        lane.last = turns.len();
        if lane.share < lane.room {
            round.push_back(next);
        }
        turns.push(next);
    }
    turns
}
