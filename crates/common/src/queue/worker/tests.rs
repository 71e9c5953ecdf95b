//! The loops on a real Redis, some of them behind a queue that fails when told to.

use std::{
    collections::BTreeMap,
    future::ready,
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::{
    ids::{JobId, TenantId},
    queue::{
        Audit, Books, DeadFilter, DeadJob, Depth, NewJob, Published, Slot, Tended,
        redis::{PARTITION, RedisQueue},
    },
    testing::RedisServer,
};

const INTAKE: QueueName = QueueName::Intake;

/// Longer than any test: what returns before it does was given back, or found by its own means.
const LONG_LEASE: Duration = Duration::from_mins(1);

/// A real queue in front of which failures can be put.
struct Scripted {
    queue: Arc<RedisQueue>,
    /// So many decisions fail before they reach the queue.
    lost_decisions: AtomicU32,
    /// So many decisions are carried out, but the answer is lost.
    lost_decision_answers: AtomicU32,
    /// So many leases are given, but the answer is lost.
    lost_lease_answers: AtomicU32,
    /// Cancelled when a lease was given, before the worker hears of it.
    stop_at_lease: Option<CancellationToken>,
}

impl Scripted {
    async fn on(server: &RedisServer) -> Self {
        let queue = Arc::new(RedisQueue::connect(&server.url(), PARTITION, None).await.unwrap());
        Self {
            queue,
            lost_decisions: AtomicU32::new(0),
            lost_decision_answers: AtomicU32::new(0),
            lost_lease_answers: AtomicU32::new(0),
            stop_at_lease: None,
        }
    }
}

fn lose(count: &AtomicU32) -> Result<(), QueueError> {
    let left = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if left.is_ok() { Err(QueueError::Unavailable("scripted".to_owned())) } else { Ok(()) }
}

#[async_trait]
impl Queue for Scripted {
    async fn push(&self, queue: QueueName, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, QueueError> {
        self.queue.push(queue, jobs).await
    }

    async fn lease(&self, queue: QueueName, worker: &WorkerId, want: Want) -> Result<Vec<Lease>, QueueError> {
        let leases = self.queue.lease(queue, worker, want).await?;
        if !leases.is_empty() {
            lose(&self.lost_lease_answers)?;
            if let Some(stop) = &self.stop_at_lease {
                stop.cancel();
            }
        }
        Ok(leases)
    }

    async fn wait(&self, queue: QueueName, at_most: Duration) {
        self.queue.wait(queue, at_most).await;
    }

    async fn decide_all(&self, decisions: Vec<Decision>) -> Vec<Result<Vec<Pushed>, QueueError>> {
        let mut answers = Vec::new();
        for decision in decisions {
            answers.push(match lose(&self.lost_decisions) {
                Ok(()) => self.queue.decide(decision).await.and_then(|answer| {
                    lose(&self.lost_decision_answers)?;
                    Ok(answer)
                }),
                Err(lost) => Err(lost),
            });
        }
        answers
    }

    async fn amend(&self, queue: QueueName, job: JobId, payload: Bytes) -> Result<bool, QueueError> {
        self.queue.amend(queue, job, payload).await
    }

    async fn hurry(&self, queue: QueueName, job: JobId) -> Result<bool, QueueError> {
        self.queue.hurry(queue, job).await
    }

    async fn keep_alive(&self, worker: &WorkerId, ttl: Duration) -> Result<(), QueueError> {
        self.queue.keep_alive(worker, ttl).await
    }

    async fn release(&self, worker: &WorkerId) -> Result<u64, QueueError> {
        self.queue.release(worker).await
    }

    async fn tend(&self) -> Result<Tended, QueueError> {
        self.queue.tend().await
    }

    async fn take_slots(&self, slots: &[Slot]) -> Result<Duration, QueueError> {
        self.queue.take_slots(slots).await
    }

    async fn recall(&self, key: &str) -> Result<Option<Bytes>, QueueError> {
        self.queue.recall(key).await
    }

    async fn remember(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError> {
        self.queue.remember(key, value, ttl).await
    }

    async fn add_up(&self, key: &str, by: i64, ttl: Duration) -> Result<u64, QueueError> {
        self.queue.add_up(key, by, ttl).await
    }

    async fn announce(&self, name: &str, value: Bytes, ttl: Duration) -> Result<(), QueueError> {
        self.queue.announce(name, value, ttl).await
    }

    async fn announced(&self) -> Result<Vec<(String, Bytes)>, QueueError> {
        self.queue.announced().await
    }

    async fn dead(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError> {
        self.queue.dead(filter, skip, limit).await
    }

    async fn dead_heads(&self, filter: &DeadFilter, skip: usize, limit: usize) -> Result<Vec<DeadJob>, QueueError> {
        self.queue.dead_heads(filter, skip, limit).await
    }

    async fn replay(&self, filter: &DeadFilter, limit: usize) -> Result<u64, QueueError> {
        self.queue.replay(filter, limit).await
    }

    async fn depths(&self) -> Result<Vec<(QueueName, Depth)>, QueueError> {
        self.queue.depths().await
    }

    async fn books(&self) -> Result<Vec<(TenantId, Books)>, QueueError> {
        self.queue.books().await
    }

    async fn audit(&self) -> Result<Audit, QueueError> {
        self.queue.audit().await
    }

    async fn publish_config(&self, config: Published) -> Result<(), QueueError> {
        self.queue.publish_config(config).await
    }

    async fn config_newer(&self, than: i64) -> Result<Option<Published>, QueueError> {
        self.queue.config_newer(than).await
    }

    async fn ping(&self) -> Result<(), QueueError> {
        self.queue.ping().await
    }
}

fn job(n: u64) -> NewJob {
    let payload = Bytes::from(n.to_string());
    NewJob::new(JobId::derived(&[&n.to_be_bytes()]), TenantId::DEFAULT, None, "lane", payload)
}

async fn push(queue: &dyn Queue, jobs: std::ops::Range<u64>) {
    queue.push(INTAKE, jobs.map(job).collect()).await.unwrap();
}

fn number(lease: &Lease) -> u64 {
    std::str::from_utf8(&lease.payload).unwrap().parse().unwrap()
}

fn done() -> Outcome {
    Outcome { verdict: Verdict::Complete { follow_ups: Vec::new(), ending: None }, facts: Vec::new() }
}

fn pool(queue: Arc<dyn Queue>, max: usize) -> Pool {
    Pool { queue, name: INTAKE, want: Want::up_to(max), lease: LONG_LEASE, linger: Duration::ZERO }
}

async fn depth(queue: &dyn Queue) -> Depth {
    let depths = queue.depths().await.unwrap();
    depths.into_iter().find(|(name, _)| *name == INTAKE).unwrap().1
}

/// How often each job was handled.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<u64, u32>>>);

impl Seen {
    fn note(&self, lease: &Lease) {
        *self.0.lock().unwrap().entry(number(lease)).or_default() += 1;
    }

    fn each_once(&self, jobs: std::ops::Range<u64>) {
        assert_eq!(*self.0.lock().unwrap(), jobs.map(|n| (n, 1)).collect::<BTreeMap<_, _>>());
    }
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn until_empty(queue: &dyn Queue) {
    until("the queue is empty", async || depth(queue).await == Depth::default()).await;
}

#[tokio::test]
async fn every_job_is_handled_once_and_no_more_than_wanted_are_in_hand() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..500).await;
    let (seen, in_hand, most) = (Seen::default(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let handle = {
        let (seen, most) = (seen.clone(), most.clone());
        move |lease: Lease| {
            let (seen, in_hand, most) = (seen.clone(), in_hand.clone(), most.clone());
            async move {
                most.fetch_max(in_hand.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                seen.note(&lease);
                in_hand.fetch_sub(1, Ordering::SeqCst);
                done()
            }
        }
    };
    tasks.spawn(run_each(pool(queue.clone(), 8), handle, stop.clone()));
    until_empty(&*queue).await;
    // What comes while it is idle wakes it.
    let began = Instant::now();
    push(&*queue, 500..510).await;
    until_empty(&*queue).await;
    assert!(began.elapsed() < WAIT_MAX, "woke after {:?}", began.elapsed());
    stop.cancel();
    tasks.join_all().await;
    seen.each_once(0..510);
    assert!((2..=8).contains(&most.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn a_panicking_handler_costs_an_attempt_and_not_the_worker() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..3).await;
    let (stop, mut tasks, seen) = (CancellationToken::new(), JoinSet::new(), Seen::default());
    let noted = seen.clone();
    let handle = move |lease: Lease| {
        assert!(number(&lease) != 1 || lease.attempts > 0, "cannot read number 1");
        noted.note(&lease);
        ready(done())
    };
    tasks.spawn(run_each(pool(queue.clone(), 2), handle, stop.clone()));
    tasks.spawn(run_tender(queue.clone(), stop.clone()));
    until_empty(&*queue).await;
    stop.cancel();
    tasks.join_all().await;
    seen.each_once(0..3);
}

#[tokio::test]
async fn a_job_whose_handler_always_panics_is_buried_with_the_message() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..1).await;
    let worker = WorkerId("w".into());
    for _ in 1..LAPSES_MAX {
        let lease = queue.lease(INTAKE, &worker, Want::up_to(1)).await.unwrap().pop().unwrap();
        let verdict = Verdict::Retry { after: Duration::ZERO, error: String::new() };
        queue.decide(Decision { lease: lease.token, verdict, facts: Vec::new() }).await.unwrap();
    }
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let handle = |lease: Lease| async move { panic!("cannot read number {}", number(&lease)) };
    tasks.spawn(run_each(pool(queue.clone(), 2), handle, stop.clone()));
    until("it is dead", async || depth(&*queue).await.dead == 1).await;
    stop.cancel();
    tasks.join_all().await;
    let dead = queue.dead(&DeadFilter::default(), 0, 1).await.unwrap();
    assert_eq!(dead[0].reason, "the handler panicked: cannot read number 0");
}

#[tokio::test]
async fn a_decision_is_repeated_until_the_queue_takes_it() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    queue.lost_decisions.store(6, Ordering::SeqCst);
    queue.lost_decision_answers.store(2, Ordering::SeqCst);
    push(&*queue, 0..10).await;
    let (stop, mut tasks, seen) = (CancellationToken::new(), JoinSet::new(), Seen::default());
    let noted = seen.clone();
    let handle = move |lease: Lease| {
        noted.note(&lease);
        ready(done())
    };
    tasks.spawn(run_each(pool(queue.clone(), 4), handle, stop.clone()));
    until_empty(&*queue).await;
    stop.cancel();
    tasks.join_all().await;
    seen.each_once(0..10);
}

#[tokio::test]
async fn jobs_of_a_lease_whose_answer_was_lost_come_back_at_once() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    queue.lost_lease_answers.store(3, Ordering::SeqCst);
    push(&*queue, 0..20).await;
    let (stop, mut tasks, seen) = (CancellationToken::new(), JoinSet::new(), Seen::default());
    let noted = seen.clone();
    let handle = move |lease: Lease| {
        noted.note(&lease);
        ready(done())
    };
    tasks.spawn(run_each(pool(queue.clone(), 4), handle, stop.clone()));
    until_empty(&*queue).await;
    stop.cancel();
    tasks.join_all().await;
    seen.each_once(0..20);
}

#[tokio::test]
async fn a_decision_under_a_stale_lease_changes_nothing() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..1).await;
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let (times, inner) = (Arc::new(AtomicU32::new(0)), queue.clone());
    let counted = times.clone();
    let handle = move |lease: Lease| {
        let (queue, first) = (inner.clone(), counted.fetch_add(1, Ordering::SeqCst) == 0);
        async move {
            if first {
                // As if the worker had been silent for too long.
                queue.release(&lease.token.worker).await.unwrap();
                return Outcome { verdict: Verdict::Bury { reason: "stale".to_owned() }, facts: Vec::new() };
            }
            done()
        }
    };
    tasks.spawn(run_each(pool(queue.clone(), 1), handle, stop.clone()));
    until_empty(&*queue).await;
    stop.cancel();
    tasks.join_all().await;
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_decision_that_the_queue_refuses_buries_the_job() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..1).await;
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let handle = |_| {
        let bad = NewJob { lane: "x".repeat(65), ..job(1) };
        let verdict = Verdict::Complete { follow_ups: vec![(INTAKE, bad)], ending: None };
        ready(Outcome { verdict, facts: Vec::new() })
    };
    tasks.spawn(run_each(pool(queue.clone(), 1), handle, stop.clone()));
    until("it is dead", async || depth(&*queue).await.dead == 1).await;
    stop.cancel();
    tasks.join_all().await;
    let dead = queue.dead(&DeadFilter::default(), 0, 1).await.unwrap();
    assert!(dead[0].reason.contains("64 bytes"), "{}", dead[0].reason);
}

#[tokio::test]
async fn stopping_finishes_what_is_in_hand_and_leaves_the_rest() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..10).await;
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let (begun, go_on) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
    let handle = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        move |_| {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                go_on.notified().await;
                done()
            }
        }
    };
    tasks.spawn(run_each(pool(queue.clone(), 3), handle, stop.clone()));
    until("three are in hand", async || begun.load(Ordering::SeqCst) == 3).await;
    stop.cancel();
    for _ in 0..3 {
        go_on.notify_one();
    }
    tasks.join_all().await;
    assert_eq!(begun.load(Ordering::SeqCst), 3);
    assert_eq!(depth(&*queue).await, Depth { ready: 7, ..Depth::default() });
}

#[tokio::test]
async fn jobs_that_were_leased_but_never_started_are_given_back_at_once() {
    for batches in [false, true] {
        let server = RedisServer::start();
        let stop = CancellationToken::new();
        let queue = Arc::new(Scripted { stop_at_lease: Some(stop.clone()), ..Scripted::on(&server).await });
        push(&*queue, 0..10).await;
        if batches {
            run_batches(pool(queue.clone(), 4), |_| ready(Err(anyhow::anyhow!("not to be called"))), stop).await
        } else {
            run_each(pool(queue.clone(), 4), |_| ready(done()), stop).await
        }
        .unwrap();
        assert_eq!(depth(&*queue).await, Depth { ready: 10, ..Depth::default() });
    }
}

#[tokio::test]
async fn a_killed_worker_costs_its_lease_and_no_job() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..6).await;
    let (stop, mut tasks, seen) = (CancellationToken::new(), JoinSet::new(), Seen::default());
    let lease = Duration::from_millis(900);
    let mut killed = JoinSet::new();
    let first = Pool { lease, ..pool(queue.clone(), 4) };
    killed.spawn(run_each(first, |_| std::future::pending(), stop.clone()));
    until("four are in hand", async || depth(&*queue).await.leased == 4).await;
    // It is kept alive for as long as it lives.
    sleep(lease * 2).await;
    assert_eq!(queue.tend().await.unwrap().reclaimed, 0);
    killed.shutdown().await;
    let noted = seen.clone();
    let handle = move |lease: Lease| {
        noted.note(&lease);
        ready(done())
    };
    tasks.spawn(run_each(Pool { lease, ..pool(queue.clone(), 4) }, handle, stop.clone()));
    tasks.spawn(run_tender(queue.clone(), stop.clone()));
    until_empty(&*queue).await;
    stop.cancel();
    tasks.join_all().await;
    seen.each_once(0..6);
}

#[tokio::test]
async fn a_batch_whose_handler_fails_is_given_back_and_tried_again() {
    let server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..100).await;
    let (stop, mut tasks, seen) = (CancellationToken::new(), JoinSet::new(), Seen::default());
    let (calls, noted) = (AtomicU32::new(0), seen.clone());
    let handle = move |leases: Vec<Lease>| {
        assert!(leases.len() <= 40 && leases.iter().all(|lease| lease.attempts == 0));
        ready(match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Err(anyhow::anyhow!("the database is gone")),
            1 => Ok(vec![done()]),
            2 => panic!("out of cheese"),
            _ => {
                for lease in &leases {
                    noted.note(lease);
                }
                Ok(vec![done(); leases.len()])
            }
        })
    };
    tasks.spawn(run_batches(pool(queue.clone(), 40), handle, stop.clone()));
    tasks.spawn(run_tender(queue.clone(), stop.clone()));
    until_empty(&*queue).await;
    stop.cancel();
    tasks.join_all().await;
    seen.each_once(0..100);
}

#[tokio::test]
async fn the_loops_go_on_by_themselves_after_redis_was_gone() {
    let mut server = RedisServer::start();
    let queue = Arc::new(Scripted::on(&server).await);
    push(&*queue, 0..200).await;
    let (stop, mut tasks, seen) = (CancellationToken::new(), JoinSet::new(), Seen::default());
    let noted = seen.clone();
    let handle = move |lease: Lease| {
        let noted = noted.clone();
        async move {
            noted.note(&lease);
            sleep(Duration::from_millis(20)).await;
            done()
        }
    };
    tasks.spawn(run_each(pool(queue.clone(), 8), handle, stop.clone()));
    tasks.spawn(run_tender(queue.clone(), stop.clone()));
    until("some are done", async || depth(&*queue).await.ready < 150).await;
    server.kill9();
    sleep(Duration::from_millis(300)).await;
    server.restart();
    until("the queue is empty", async || queue.depths().await.is_ok_and(|depths| depths[0].1 == Depth::default()))
        .await;
    stop.cancel();
    tasks.join_all().await;
    seen.each_once(0..200);
}
