//! The queue on Redis (7 or later). Every atomic step is one Lua script; Redis runs one at a time.
//! Pushes that wait at the same time share one call ([`gather`]), and a script writes what its jobs share (books,
//! lanes, the sequence) once per call: what a call costs is spread over its jobs.
//!
//! # Data structures
//! All keys begin with `watchbell:{<partition>}:`. The braces are a hash tag: a partition lives in one slot, so
//! that a script may touch all of its keys.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `job:<id>` | hash | a job's head, see below; exists as long as the job is anywhere |
//! | `body:<id>` | string | its payload |
//! | `ready:<queue>:<lane>` | list | ready jobs of a lane, first in, first out |
//! | `lanes:<queue>` | sorted set | the rotation: lanes with ready jobs that are not paused, by turn |
//! | `paused:<queue>` | sorted set | paused lanes, by the time the pause ends |
//! | `processing:<queue>:<worker>` | list | jobs a worker has leased, oldest lease first |
//! | `leased:<queue>` | hash | lane → how many of its jobs are leased |
//! | `retry:<queue>` | sorted set | waiting jobs, by the time they are due |
//! | `order:<queue>` | hash | order key → the job that moves |
//! | `held:<queue>` | sorted set | held jobs of all order keys, sorted by key, then age |
//! | `dead:<queue>` | list | dead jobs, oldest first |
//! | `wake:<queue>` | list | at most one token, when there may be something to lease; waiting workers block on it |
//! | `workers` | sorted set | workers by the time their leases lapse |
//! | `ttls` | hash | worker → its time to live |
//! | `tended` | string | when the queue was tended last; known to this Redis only, and not after its restart |
//! | `ledger:<tenant>` | hash | event → `live dead best` |
//! | `books` | hash | `<tenant>:received`, `<tenant>:<ending>` and `<tenant>:dead` |
//! | `dedup:<key>` | string | `until variant`; expires |
//! | `count:<name>` | string | a counter: `until count since closed`; expires |
//! | `note:<key>`, `sum:<key>` | string | what is remembered: `until value`; expires |
//! | `announced` | hash | name → `until value`, of what processes tell about themselves |
//! | `slot:<key>` | string | when the bucket of a rate limit is full again; expires |
//! | `config` | hash | the published configuration: `version`, `document` |
//! | `seq` | string | the last number given out: places and turns in lanes, ages, epochs |
//!
//! A head's fields have names of one letter, and small values, so that Redis keeps it compact: `q` queue,
//! `t` tenant, `e` event, `l` lane, `o` order key, `a` age (among its order key), `s` place in its lane,
//! `d` not before, `c` count, `f` counted from, `n` attempts, `x` lapses; only while leased `w` worker and `p` epoch; only when
//! dead `b` buried at and `r` reason.
//!
//! What holds between steps: a lane with ready jobs is in `lanes` or in `paused`; a worker with jobs in a
//! `processing` list is in `workers`; a ready list is sorted by `s`.
//!
//! # Time
//! Scripts use the time of Redis, so clocks of hosts may differ. Delays travel as durations.
//!
//! # Durability
//! Redis must run with `appendonly yes` and `appendfsync always`: it then answers after the fsync, one fsync
//! for all commands that arrived meanwhile. At `maxmemory` new jobs are refused, while those that are queued
//! still move and end.

mod checks;
mod gather;
mod inspect;
mod link;
mod scripts;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use deadpool_redis::{Manager, Pool, Runtime, Timeouts};
use redis::{AsyncConnectionConfig, Client, Cmd, Script, Value, cmd, from_redis_value};
use tokio::time::timeout;

use super::{
    Audit, Books, DeadFilter, DeadJob, Decision, Depth, Lease, LeaseToken, NOTE_TTL_MAX, NewJob, Published, Pushed,
    Queue, QueueError, QueueName, Slot, Tended, Verdict, Want, WorkerId,
    limits::{check_job, check_note, check_slots, check_worker},
};
use crate::{
    clock::{Clock, millis},
    ids::{EventId, JobId, TenantId},
};
use gather::{Gather, Push};
use link::Link;
use scripts::{Calls, Scripts, hex};

/// The partition of an installation that has one.
pub const PARTITION: &str = "0";

/// A lease stops growing once its payloads exceed this; what is left is given to the next lease. Mails may be
/// 25 MB, and Redis serves nobody else while it builds an answer.
const LEASE_BYTES: usize = 4 * 1024 * 1024;

/// Jobs that one call of `tend` or one step of `release` moves: some 10 ms during which Redis serves nobody else.
const MOVES_PER_STEP: u64 = 1_000;

/// Connections that can block on a `wake` list at a time; each waiting worker needs one.
const WAITERS_MAX: usize = 64;

/// How long `wait` pauses when Redis is gone, so that nobody spins.
const GONE_PAUSE: Duration = Duration::from_millis(250);

/// How much longer than asked for a blocked connection may stay silent before it is given up.
const WAIT_GRACE: Duration = Duration::from_secs(2);

/// The queue on Redis. See the module's documentation.
pub struct RedisQueue {
    link: Arc<Link>,
    pushes: Gather<Push>,
    decisions: Gather<Decision>,
    /// Connections for blocking calls: they have no response timeout.
    waiters: Pool,
    scripts: Scripts,
    calls: Calls,
}

impl RedisQueue {
    /// Connects to `redis://` or `rediss://`, and looks whether this Redis can keep the contract: one that is
    /// too old is an error, one that may forget what it acknowledged is a warning in the log.
    ///
    /// `partition` separates queues in one Redis ([`PARTITION`] in production); `clock` is for tests that move
    /// the time. No error shows the URL's password.
    pub async fn connect(url: &str, partition: &str, clock: Option<Arc<dyn Clock>>) -> Result<Self, QueueError> {
        let unusable = |error: redis::RedisError| QueueError::Unavailable(format!("queue.url: {error}"));
        let client = Client::open(url).map_err(unusable)?;
        let blocking =
            AsyncConnectionConfig::new().set_connection_timeout(Some(link::CONNECT_TIMEOUT)).set_response_timeout(None);
        let manager = Manager::new_with_config(client.get_connection_info().clone(), blocking).map_err(unusable)?;
        let limit = Some(link::CONNECT_TIMEOUT);
        let waiters = Pool::builder(manager)
            .max_size(WAITERS_MAX)
            .timeouts(Timeouts { wait: limit, create: limit, recycle: limit })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| QueueError::Unavailable(format!("setting up connections to Redis: {error}")))?;
        let link = Arc::new(Link::new(client));
        checks::check(&link).await?;
        let (scripts, calls) = (Scripts::new(), Calls::new(partition, clock));
        let pushes = Gather::start(&link, &scripts.push, &calls);
        let decisions = Gather::start(&link, &scripts.decide, &calls);
        Ok(Self { link, pushes, decisions, waiters, scripts, calls })
    }

    /// The full name of a key.
    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.calls.root())
    }

    fn call(&self, script: &Script) -> Cmd {
        self.calls.of(script)
    }

    /// Takes the token of a queue's `wake` list, or waits for one.
    async fn wait_for_token(&self, queue: QueueName, at_most: Duration) -> Result<(), WaitFailed> {
        let mut blocked = Blocked(Some(self.waiters.get().await.map_err(|_| WaitFailed)?));
        let mut pop = cmd("BLPOP");
        // Zero would mean for ever.
        pop.arg(self.key(&format!("wake:{queue}"))).arg(at_most.as_secs_f64().max(0.01));
        match timeout(at_most + WAIT_GRACE, pop.exec_async(blocked.connection())).await {
            Ok(Ok(())) => {
                drop(blocked.0.take());
                Ok(())
            }
            _ => Err(WaitFailed),
        }
    }
}

/// Waiting did not work; how is of no use to anyone.
struct WaitFailed;

/// A connection with a call in flight. When the caller stops waiting it is closed instead of going back to the
/// pool, where the next caller would wait behind that call. A token that it takes in its last moment is lost; the
/// others then look when their own time is up.
struct Blocked(Option<deadpool_redis::Connection>);

impl Blocked {
    fn connection(&mut self) -> &mut deadpool_redis::Connection {
        self.0.as_mut().expect("only taken out when the call is over")
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(deadpool_redis::Connection::take(connection));
        }
    }
}

#[async_trait]
impl Queue for RedisQueue {
    async fn push(&self, queue: QueueName, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, QueueError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        jobs.iter().try_for_each(check_job)?;
        let steps = jobs.into_iter().map(|job| Push(queue, job)).collect();
        Ok(self.pushes.take(steps).await?.into_iter().map(pushed).collect())
    }

    async fn lease(&self, queue: QueueName, worker: &WorkerId, want: Want) -> Result<Vec<Lease>, QueueError> {
        check_worker(&worker.0)?;
        if want.max == 0 {
            return Ok(Vec::new());
        }
        let mut call = self.call(&self.scripts.lease);
        call.arg(queue.as_str()).arg(&*worker.0).arg(want.max).arg(want.per_lane);
        call.arg(u8::from(want.whole_lanes)).arg(LEASE_BYTES);
        let mut answer: Vec<Vec<u8>> = self.link.run(&self.scripts.lease, &call).await?;
        let Some((epoch, jobs)) = answer.split_first_mut() else { return Ok(Vec::new()) };
        let epoch = number(epoch)?;
        jobs.chunks_exact_mut(9).map(|job| read_lease(queue, worker, epoch, job)).collect()
    }

    async fn wait(&self, queue: QueueName, at_most: Duration) {
        if self.wait_for_token(queue, at_most).await.is_err() {
            tokio::time::sleep(at_most.min(GONE_PAUSE)).await;
        }
    }

    async fn decide_all(&self, decisions: Vec<Decision>) -> Vec<Result<Vec<Pushed>, QueueError>> {
        let checked: Vec<_> = decisions.iter().map(check_decision).collect();
        let good = decisions.into_iter().zip(&checked).filter(|(_, checked)| checked.is_ok()).map(|(good, _)| good);
        let good: Vec<_> = good.collect();
        let answers = if good.is_empty() { Ok(Vec::new()) } else { self.decisions.take(good).await };
        let mut answers = answers.map(Vec::into_iter);
        let answer = |checked: Result<(), QueueError>| {
            checked?;
            let answers = answers.as_mut().map_err(|error| error.clone())?;
            decided(answers.next().ok_or_else(malformed)?)
        };
        checked.into_iter().map(answer).collect()
    }

    async fn amend(&self, queue: QueueName, job: JobId, payload: Bytes) -> Result<bool, QueueError> {
        let mut call = self.call(&self.scripts.amend);
        call.arg(queue.as_str()).arg(hex(job.uuid())).arg(&*payload);
        self.link.run(&self.scripts.amend, &call).await
    }

    async fn hurry(&self, queue: QueueName, job: JobId) -> Result<bool, QueueError> {
        let mut call = self.call(&self.scripts.amend);
        call.arg(queue.as_str()).arg(hex(job.uuid()));
        self.link.run(&self.scripts.amend, &call).await
    }

    async fn keep_alive(&self, worker: &WorkerId, ttl: Duration) -> Result<(), QueueError> {
        check_worker(&worker.0)?;
        let mut call = self.call(&self.scripts.keep_alive);
        call.arg(&*worker.0).arg(millis(ttl.min(super::DELAY_MAX)));
        self.link.run(&self.scripts.keep_alive, &call).await
    }

    async fn release(&self, worker: &WorkerId) -> Result<u64, QueueError> {
        let mut call = self.call(&self.scripts.release);
        call.arg(&*worker.0).arg(MOVES_PER_STEP);
        let mut released = 0;
        loop {
            let step: u64 = self.link.run(&self.scripts.release, &call).await?;
            released += step;
            if step < MOVES_PER_STEP {
                return Ok(released);
            }
        }
    }

    async fn tend(&self) -> Result<Tended, QueueError> {
        let mut call = self.call(&self.scripts.tend);
        call.arg(MOVES_PER_STEP);
        let (due, reclaimed, buried, more) = self.link.run(&self.scripts.tend, &call).await?;
        Ok(Tended { due, reclaimed, buried, more })
    }

    async fn take_slots(&self, slots: &[Slot]) -> Result<Duration, QueueError> {
        check_slots(slots)?;
        let mut call = self.call(&self.scripts.slots);
        for slot in slots {
            call.arg(&slot.key).arg(slot.per_minute).arg(slot.burst).arg(slot.reserve).arg(slot.count);
        }
        self.link.run(&self.scripts.slots, &call).await.map(Duration::from_millis)
    }

    async fn recall(&self, key: &str) -> Result<Option<Bytes>, QueueError> {
        let mut call = self.call(&self.scripts.recall);
        call.arg(key);
        self.link.run::<Option<Vec<u8>>>(&self.scripts.recall, &call).await.map(|note| note.map(Bytes::from))
    }

    async fn remember(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError> {
        check_note(key, value.len())?;
        let mut call = self.call(&self.scripts.remember);
        call.arg(key).arg(&*value).arg(millis(ttl.min(NOTE_TTL_MAX)));
        self.link.run(&self.scripts.remember, &call).await
    }

    async fn add_up(&self, key: &str, by: i64, ttl: Duration) -> Result<u64, QueueError> {
        check_note(key, 0)?;
        let mut call = self.call(&self.scripts.add_up);
        call.arg(key).arg(by).arg(millis(ttl.min(NOTE_TTL_MAX)));
        self.link.run(&self.scripts.add_up, &call).await
    }

    async fn announce(&self, name: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError> {
        check_note(name, value.len())?;
        let mut call = self.call(&self.scripts.announce);
        call.arg(name).arg(&*value).arg(millis(ttl.min(NOTE_TTL_MAX)));
        self.link.run(&self.scripts.announce, &call).await
    }

    async fn announced(&self) -> Result<Vec<(String, Bytes)>, QueueError> {
        let call = self.call(&self.scripts.announced);
        let mut all: Vec<(String, Vec<u8>)> = self.link.run(&self.scripts.announced, &call).await?;
        all.sort();
        Ok(all.into_iter().map(|(name, value)| (name, value.into())).collect())
    }

    async fn dead(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError> {
        self.list_dead(filter, skip, limit).await
    }

    async fn dead_heads(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError> {
        let heads = self.find_dead(filter, skip, limit).await?;
        Ok(heads.into_iter().map(|head| head.with(None)).collect())
    }

    async fn replay(&self, filter: &DeadFilter, limit: usize) -> Result<u64, QueueError> {
        self.replay_dead(filter, limit).await
    }

    async fn depths(&self) -> Result<Vec<(QueueName, Depth)>, QueueError> {
        self.count_jobs().await
    }

    async fn books(&self) -> Result<Vec<(TenantId, Books)>, QueueError> {
        self.read_books().await
    }

    async fn audit(&self) -> Result<Audit, QueueError> {
        self.audit_ledger().await
    }

    async fn publish_config(&self, config: Published) -> Result<(), QueueError> {
        let mut call = self.call(&self.scripts.publish);
        call.arg(config.version).arg(&*config.document);
        self.link.run(&self.scripts.publish, &call).await
    }

    async fn config_newer(&self, than: i64) -> Result<Option<Published>, QueueError> {
        let key = self.key("config");
        // Asked twice a second by every process, so the document is only read when it changed.
        let version: Option<i64> = self.link.query(cmd("HGET").arg(&key).arg("version")).await?;
        if version.is_none_or(|version| version <= than) {
            return Ok(None);
        }
        let (version, document): (i64, Vec<u8>) =
            self.link.query(cmd("HMGET").arg(&key).arg("version").arg("document")).await?;
        Ok(Some(Published { version, document: document.into() }))
    }

    async fn ping(&self) -> Result<(), QueueError> {
        self.link.query(&cmd("PING")).await
    }
}

fn check_decision(decision: &Decision) -> Result<(), QueueError> {
    match &decision.verdict {
        Verdict::Complete { follow_ups, .. } => follow_ups.iter().try_for_each(|(_, job)| check_job(job)),
        _ => Ok(()),
    }
}

/// What `decide.lua` answers instead of a list when it refuses to end an event silently, and when the lease is stale.
const SILENT: i64 = 2;
const STALE: i64 = 3;

fn decided(answer: Value) -> Result<Vec<Pushed>, QueueError> {
    match answer {
        Value::Int(STALE) => Err(QueueError::StaleLease),
        Value::Int(SILENT) => Err(QueueError::BadJob("the last job of an event must say how it ended")),
        answers => {
            let answers: Vec<u8> = from_redis_value(answers).map_err(|_| malformed())?;
            Ok(answers.into_iter().map(pushed).collect())
        }
    }
}

fn pushed(answer: u8) -> Pushed {
    if answer == 0 { Pushed::Queued } else { Pushed::Duplicate }
}

fn malformed() -> QueueError {
    QueueError::Unavailable("Redis holds something under our keys that is not ours".to_owned())
}

fn number<T: std::str::FromStr>(field: &[u8]) -> Result<T, QueueError> {
    std::str::from_utf8(field).ok().and_then(|text| text.parse().ok()).ok_or_else(malformed)
}

fn job_id(field: &[u8]) -> Result<JobId, QueueError> {
    uuid::Uuid::try_parse_ascii(field).map(JobId::from_uuid).map_err(|_| malformed())
}

/// Reads an event's id; empty is none.
fn event_id(field: &[u8]) -> Result<Option<EventId>, QueueError> {
    if field.is_empty() {
        return Ok(None);
    }
    uuid::Uuid::try_parse_ascii(field).map(|id| Some(EventId::from_uuid(id))).map_err(|_| malformed())
}

fn text(field: &mut Vec<u8>) -> Result<String, QueueError> {
    String::from_utf8(std::mem::take(field)).map_err(|_| malformed())
}

/// Reads the 9 fields that `lease.lua` answers for a job.
fn read_lease(queue: QueueName, worker: &WorkerId, epoch: u64, fields: &mut [Vec<u8>]) -> Result<Lease, QueueError> {
    let [id, tenant, event, lane, attempts, lapses, count, since, payload] = fields else { return Err(malformed()) };
    Ok(Lease {
        token: LeaseToken { queue, job: job_id(id)?, worker: worker.clone(), epoch },
        tenant: TenantId(number(tenant)?),
        event: event_id(event)?,
        lane: text(lane)?,
        attempts: number(attempts)?,
        lapses: number(lapses)?,
        count: number(count)?,
        since: number(since)?,
        payload: Bytes::from(std::mem::take(payload)),
    })
}
