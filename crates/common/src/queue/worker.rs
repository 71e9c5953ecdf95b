//! The one loop that takes jobs from a queue, hands them to a handler and carries out what it decided.
//!
//! A worker works in *shifts*, each under a name of its own. A shift ends when the worker is asked to stop, or
//! when the answer to a lease got lost: the name may then own jobs that nobody knows of. It finishes what it
//! has in hand and gives back whatever the queue still counts as its own, while the next shift already works.
//!
//! A decision is never given up: it is repeated until the queue carries it out or says that the lease is stale.
//! So an outage of the queue delays decisions, and doubles no work: the leases last as long as nobody tends the queue.
//!
//! Metrics: `watchbell_jobs_total{queue, verdict}` counts decisions (`completed`, `retried`, `deferred`, `buried`,
//! `stale`, `refused`), `watchbell_job_seconds{queue}` how long handlers took (per batch where there are batches),
//! `watchbell_jobs_reclaimed_total` jobs of vanished workers.

#[cfg(test)]
mod tests;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    Decision, LAPSES_MAX, Lease, LeaseToken, Pushed, Queue, QueueError, QueueName, Scope, Verdict, Want, WorkerId,
};
use crate::outage::Outage;

/// How long a worker sleeps at most when nothing wakes it: a wake-up dies with the process that took it.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Pauses between attempts while the queue is gone; doubles from the first to the second.
const GONE_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// How long a job whose handler panicked waits.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// How long a batch waits after its handler failed; doubles from the first to the second.
const BATCH_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// How long the next shift waits after the answer to a lease was lost.
const LOST_PAUSE: Duration = Duration::from_millis(250);

/// How often giving jobs back is tried when stopping. What is not given back returns when the lease lapses.
const RELEASES_MAX: u32 = 5;

/// How often the queue is tended: a job that waits for its time leaves up to this much later.
pub const TEND_EVERY: Duration = Duration::from_millis(250);

/// What a handler decided about one job.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub verdict: Verdict,
    pub facts: Vec<Bytes>,
}

/// Where the jobs come from and how many are in hand at a time.
#[derive(Clone)]
pub struct Pool {
    pub queue: Arc<dyn Queue>,
    pub name: QueueName,
    pub want: Want,
    /// How long this worker's jobs are kept for it after it fell silent.
    pub lease: Duration,
    /// How long a batch may fill up after its first job came; zero where every millisecond counts.
    pub linger: Duration,
}

/// Runs `handle` for each job, up to `want.max` at a time, until `stop`; then finishes what is in hand and
/// gives back the rest.
///
/// A handler that panics costs its job an attempt; after [`LAPSES_MAX`] attempts the job is buried.
pub async fn run_each<H, F>(pool: Pool, handle: H, stop: CancellationToken) -> anyhow::Result<()>
where
    H: Fn(Lease) -> F + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let handle = Arc::new(handle);
    let hands = Arc::new(Semaphore::new(pool.want.max));
    let mut ending = JoinSet::new();
    while let Some(mut shift) = Shift::begin(&pool, &stop).await {
        shift.work(&handle, &hands, &stop).await;
        ending.spawn(shift.end(stop.clone()));
        while ending.try_join_next().is_some() {}
        stop.run_until_cancelled(sleep(LOST_PAUSE)).await;
    }
    ending.join_all().await;
    Ok(())
}

/// Runs `handle` for batches of up to `want.max` jobs, one batch at a time, until `stop`. It answers with one
/// outcome per job, in order; when it fails, the batch is given back and tried again after a pause. The outcomes are
/// carried out in the order of the jobs.
pub async fn run_batches<H, F>(pool: Pool, handle: H, stop: CancellationToken) -> anyhow::Result<()>
where
    H: Fn(Vec<Lease>) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<Vec<Outcome>>> + Send + 'static,
{
    while let Some(mut shift) = Shift::begin(&pool, &stop).await {
        shift.work_in_batches(&handle, &stop).await;
        shift.end(stop.clone()).await;
        stop.run_until_cancelled(sleep(LOST_PAUSE)).await;
    }
    Ok(())
}

/// Tends the queue until `stop`. Every process may run one.
pub async fn run_tender(queue: Arc<dyn Queue>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut outage = Outage::new("tending the queue");
    let mut pause = Duration::ZERO;
    while stop.run_until_cancelled(sleep(pause)).await.is_some() {
        let answer = queue.tend().await;
        outage.note(&answer);
        let Ok(tended) = answer else {
            pause = GONE_PAUSE.1;
            continue;
        };
        pause = if tended.more { Duration::ZERO } else { TEND_EVERY };
        if tended.reclaimed > 0 {
            metrics::counter!("watchbell_jobs_reclaimed_total").increment(tended.reclaimed);
            tracing::warn!(jobs = tended.reclaimed, "took jobs back from workers that vanished");
        }
        if tended.buried > 0 {
            tracing::error!(jobs = tended.buried, "buried jobs whose workers vanished {LAPSES_MAX} times");
        }
    }
    Ok(())
}

/// The work done under one name.
struct Shift {
    pool: Pool,
    worker: WorkerId,
    jobs: JoinSet<()>,
    /// Reports that the worker lives.
    pulse: JoinSet<()>,
}

impl Shift {
    /// Announces a new worker, as soon as the queue is there; `None` when stopped.
    async fn begin(pool: &Pool, stop: &CancellationToken) -> Option<Self> {
        let worker = new_worker();
        let mut outage = Outage::new("announcing a worker");
        let mut pauses = Pauses::new(GONE_PAUSE);
        while !stop.is_cancelled() {
            let answer = pool.queue.keep_alive(&worker, pool.lease).await;
            outage.note(&answer);
            if answer.is_ok() {
                let mut pulse = JoinSet::new();
                pulse.spawn(keep_alive(pool.clone(), worker.clone()));
                return Some(Self { pool: pool.clone(), worker, jobs: JoinSet::new(), pulse });
            }
            stop.run_until_cancelled(sleep(pauses.next())).await;
        }
        None
    }

    /// Leases and starts jobs until stopped, or until the answer to a lease is lost.
    async fn work<H, F>(&mut self, handle: &Arc<H>, hands: &Arc<Semaphore>, stop: &CancellationToken)
    where
        H: Fn(Lease) -> F + Send + Sync + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut more = true;
        loop {
            while self.jobs.try_join_next().is_some() {}
            let Some(Ok(mut free)) = stop.run_until_cancelled(hands.clone().acquire_owned()).await else { return };
            if !more {
                stop.run_until_cancelled(self.pool.queue.wait(self.pool.name, WAIT_MAX)).await;
            }
            let others = u32::try_from(hands.available_permits()).unwrap_or(u32::MAX);
            if let Ok(others) = hands.clone().try_acquire_many_owned(others) {
                free.merge(others);
            }
            let Some(leases) = self.lease(free.num_permits(), stop).await else { return };
            more = leases.len() == free.num_permits();
            for lease in leases {
                self.jobs.spawn(carry_out(self.pool.clone(), handle.clone(), lease, free.split(1)));
            }
        }
    }

    async fn work_in_batches<H, F>(&mut self, handle: &H, stop: &CancellationToken)
    where
        H: Fn(Vec<Lease>) -> F,
        F: Future<Output = anyhow::Result<Vec<Outcome>>>,
    {
        let mut pauses = Pauses::new(BATCH_PAUSE);
        let mut more = true;
        loop {
            if !more {
                stop.run_until_cancelled(self.pool.queue.wait(self.pool.name, WAIT_MAX)).await;
                if !self.pool.linger.is_zero() {
                    stop.run_until_cancelled(sleep(self.pool.linger)).await;
                }
            }
            let Some(leases) = self.lease(self.pool.want.max, stop).await else { return };
            more = leases.len() == self.pool.want.max;
            if leases.is_empty() {
                continue;
            }
            let tokens: Vec<LeaseToken> = leases.iter().map(|lease| lease.token.clone()).collect();
            let began = Instant::now();
            let outcomes = batch(handle, leases).await;
            metrics::histogram!("watchbell_job_seconds", "queue" => self.pool.name.as_str()).record(began.elapsed());
            let pause = outcomes.is_err().then(|| pauses.next());
            let outcomes = match outcomes {
                Ok(outcomes) => {
                    pauses = Pauses::new(BATCH_PAUSE);
                    outcomes
                }
                Err(error) => {
                    if pause == Some(BATCH_PAUSE.0) {
                        tracing::warn!(queue = %self.pool.name, "a batch failed and will be tried until it works: {error:#}");
                    }
                    let after = pause.unwrap_or_default();
                    let later = Outcome { verdict: Verdict::Defer { after, scope: Scope::Job }, facts: Vec::new() };
                    vec![later; tokens.len()]
                }
            };
            let decisions = tokens.into_iter().zip(outcomes).map(|(token, outcome)| decision(token, outcome)).collect();
            decide(self.pool.clone(), decisions).await;
            if let Some(pause) = pause {
                stop.run_until_cancelled(sleep(pause)).await;
            }
        }
    }

    /// Leases up to `max` jobs. `None` ends the shift: stopped, and what was leased is given back unseen; or the
    /// answer is lost, and what was leased is given back unknown.
    async fn lease(&self, max: usize, stop: &CancellationToken) -> Option<Vec<Lease>> {
        if stop.is_cancelled() {
            return None;
        }
        let want = Want { max, ..self.pool.want };
        match self.pool.queue.lease(self.pool.name, &self.worker, want).await {
            Ok(leases) => (!stop.is_cancelled()).then_some(leases),
            Err(error) => {
                tracing::warn!(queue = %self.pool.name, worker = %self.worker.0, "could not lease jobs: {error}");
                None
            }
        }
    }

    /// Finishes what is in hand and gives back the rest: for as long as the lease may last, when stopping only a
    /// few times.
    async fn end(mut self, stop: CancellationToken) {
        while self.jobs.join_next().await.is_some() {}
        // Before the release: a pulse after it would announce the worker again.
        self.pulse.shutdown().await;
        let (ended, lease) = (Instant::now(), self.pool.lease);
        let mut pauses = Pauses::new(GONE_PAUSE);
        for attempt in 1.. {
            match self.pool.queue.release(&self.worker).await {
                Ok(0) => return,
                Ok(jobs) => return tracing::info!(queue = %self.pool.name, jobs, "gave jobs back"),
                Err(error) if ended.elapsed() > lease || (stop.is_cancelled() && attempt >= RELEASES_MAX) => {
                    return tracing::warn!(
                        queue = %self.pool.name,
                        "could not give jobs back, they return when the lease lapses: {error}"
                    );
                }
                Err(_) => sleep(pauses.next()).await,
            }
        }
    }
}

/// Reports every third of the lease that a worker lives, and sooner when a report failed.
async fn keep_alive(pool: Pool, worker: WorkerId) {
    let mut outage = Outage::new("keeping leases alive");
    loop {
        let third = pool.lease / 3;
        sleep(if outage.lasts() { third.min(GONE_PAUSE.1 / 2) } else { third }).await;
        outage.note(&pool.queue.keep_alive(&worker, pool.lease).await);
    }
}

/// Runs the handler for one job and carries out its verdict. `_hand` is free again when both are done.
async fn carry_out<H, F>(pool: Pool, handle: Arc<H>, lease: Lease, _hand: Option<OwnedSemaphorePermit>)
where
    H: Fn(Lease) -> F + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let (token, attempts) = (lease.token.clone(), lease.attempts);
    let began = Instant::now();
    let outcome = match AssertUnwindSafe(async { handle(lease).await }).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => {
            let error = format!("the handler panicked: {}", panic_message(&*panic));
            tracing::error!(queue = %pool.name, job = %token.job, "{error}");
            let verdict = if attempts + 1 < LAPSES_MAX {
                Verdict::Retry { after: PANIC_PAUSE, error }
            } else {
                Verdict::Bury { reason: error }
            };
            Outcome { verdict, facts: Vec::new() }
        }
    };
    metrics::histogram!("watchbell_job_seconds", "queue" => pool.name.as_str()).record(began.elapsed());
    decide(pool, vec![decision(token, outcome)]).await;
}

fn decision(lease: LeaseToken, Outcome { verdict, facts }: Outcome) -> Decision {
    Decision { lease, verdict, facts }
}

/// Runs the handler for a batch; a panic or a wrong number of outcomes is a failure like any other.
async fn batch<H, F>(handle: &H, leases: Vec<Lease>) -> anyhow::Result<Vec<Outcome>>
where
    H: Fn(Vec<Lease>) -> F,
    F: Future<Output = anyhow::Result<Vec<Outcome>>>,
{
    let jobs = leases.len();
    let outcomes = match AssertUnwindSafe(async { handle(leases).await }).catch_unwind().await {
        Ok(outcomes) => outcomes?,
        Err(panic) => anyhow::bail!("the handler panicked: {}", panic_message(&*panic)),
    };
    anyhow::ensure!(outcomes.len() == jobs, "the handler answered {} outcomes for {jobs} jobs", outcomes.len());
    Ok(outcomes)
}

/// Carries out decisions in their order, however long the queue is gone.
async fn decide(pool: Pool, mut decisions: Vec<Decision>) {
    let mut pauses = Pauses::new(GONE_PAUSE);
    loop {
        let answers = pool.queue.decide_all(decisions.clone()).await;
        let again =
            decisions.into_iter().zip(answers).filter_map(|(decision, answer)| settle(pool.name, decision, answer));
        decisions = again.collect();
        if decisions.is_empty() {
            return;
        }
        sleep(pauses.next()).await;
    }
}

/// Notes what became of a decision. Returns what is to be decided again.
fn settle(queue: QueueName, decision: Decision, answer: Result<Vec<Pushed>, QueueError>) -> Option<Decision> {
    let job = decision.lease.job;
    let verdict = match answer {
        Ok(_) => verdict_name(&decision.verdict),
        Err(QueueError::StaleLease) => {
            tracing::warn!(%queue, %job, "decided too late, or twice: the job is not ours any more");
            "stale"
        }
        // The outage is in the log already, from the pulse.
        Err(QueueError::Unavailable(error)) => {
            tracing::debug!(%queue, %job, "will decide again: {error}");
            return Some(decision);
        }
        Err(QueueError::BadJob(why)) => {
            tracing::error!(%queue, %job, "a decision that breaks the contract: {why}");
            if !matches!(decision.verdict, Verdict::Bury { .. }) {
                let verdict = Verdict::Bury { reason: format!("its decision was refused: {why}") };
                return Some(Decision { verdict, ..decision });
            }
            "refused"
        }
    };
    metrics::counter!("watchbell_jobs_total", "queue" => queue.as_str(), "verdict" => verdict).increment(1);
    None
}

const fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Complete { .. } => "completed",
        Verdict::Retry { .. } => "retried",
        Verdict::Defer { .. } => "deferred",
        Verdict::Bury { .. } => "buried",
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// A name that no other worker has: readable host and process, and chance.
fn new_worker() -> WorkerId {
    // Linux; elsewhere chance has to do.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let (pid, chance) = (std::process::id(), rand::random::<u64>());
    WorkerId(format!("{}-{pid}-{chance:016x}", &host[..host.floor_char_boundary(24)]).into())
}

/// Pauses that double from the first to the longest.
struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    const fn new((first, longest): (Duration, Duration)) -> Self {
        Self { next: first, longest }
    }

    fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }
}
