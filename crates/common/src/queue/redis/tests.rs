//! The conformance suite on a real Redis, and what is peculiar to Redis.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use redis::cmd;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{PARTITION, RedisQueue, scripts::hex};
use crate::{
    clock::{Clock, ManualClock},
    ids::{EventId, JobId, TenantId},
    queue::{
        Decision, Dedup, Depth, Ending, NewJob, Pushed, Queue, QueueError, QueueName, Verdict, Want, WorkerId,
        conformance::{Harness, queue_conformance},
    },
    testing::RedisServer,
};

/// A Redis of its own and a clock that the test moves.
struct OnRedis {
    server: RedisServer,
    clock: ManualClock,
    queue: Arc<RedisQueue>,
}

impl OnRedis {
    async fn open(server: &RedisServer, clock: &ManualClock) -> Arc<RedisQueue> {
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        Arc::new(RedisQueue::connect(&server.url(), "suite", Some(clock)).await.unwrap())
    }
}

impl Harness for OnRedis {
    async fn fresh() -> Self {
        let (server, clock) = (RedisServer::start(), ManualClock::at(1_800_000_000_000));
        let queue = Self::open(&server, &clock).await;
        Self { server, clock, queue }
    }

    fn queue(&self) -> Arc<dyn Queue> {
        self.queue.clone()
    }

    async fn restart(&mut self) {
        self.server.restart();
        self.queue = Self::open(&self.server, &self.clock).await;
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn rewind(&self, by: Duration) {
        self.clock.set(self.clock.now_ms() - crate::clock::millis(by));
    }

    async fn break_ledger(&self, event: EventId) {
        let ledger = self.queue.key(&format!("ledger:{}", TenantId::DEFAULT));
        let line = cmd("HSET").arg(ledger).arg(hex(event.uuid())).arg("2 0 0").take();
        self.queue.link.query::<()>(&line).await.unwrap();
    }

    /// The lines that mod.rs promises between steps.
    async fn assert_sound(&self) {
        let check = redis::Script::new(include_str!("sound.lua"));
        let mut call = cmd("EVALSHA");
        call.arg(check.get_hash()).arg(1).arg(self.queue.calls.root());
        let broken: Vec<String> = self.queue.link.run(&check, &call).await.unwrap();
        assert_eq!(broken, [""; 0]);
    }
}

queue_conformance!(OnRedis);

const INTAKE: QueueName = QueueName::Intake;

async fn connect(url: &str) -> Result<RedisQueue, QueueError> {
    RedisQueue::connect(url, PARTITION, None).await
}

/// Why a connection is refused.
async fn refusal(url: &str) -> String {
    connect(url).await.err().expect("this must not work").to_string()
}

/// Job number `n` of event number `n`.
fn job(n: u64) -> NewJob {
    let (id, event) = (JobId::derived(&[&n.to_be_bytes()]), EventId::derived(&[&n.to_be_bytes()]));
    NewJob::new(id, TenantId::DEFAULT, Some(event), "lane", Bytes::from(vec![b'x'; 2_000]))
}

async fn intake(queue: &RedisQueue) -> Depth {
    queue.depths().await.unwrap()[0].1
}

async fn take(queue: &RedisQueue, worker: &WorkerId, max: usize) -> Vec<crate::queue::Lease> {
    queue.lease(INTAKE, worker, Want::up_to(max)).await.unwrap()
}

fn delivered(lease: crate::queue::Lease) -> Decision {
    let verdict = Verdict::Complete { follow_ups: Vec::new(), ending: Some(Ending::Delivered) };
    Decision { lease: lease.token, verdict, facts: Vec::new() }
}

/// Waits until the queue found its Redis again.
async fn until_back(queue: &RedisQueue) {
    let began = Instant::now();
    while queue.ping().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a command past the queue.
async fn tamper(queue: &RedisQueue, words: &[&str]) {
    queue.link.query::<redis::Value>(cmd(words[0]).arg(&words[1..])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_redis_is_killed_under_eight_pushers() {
    const PUSHERS: u64 = 8;
    let mut server = RedisServer::start();
    let queue = Arc::new(connect(&server.url()).await.unwrap());
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let (stop, mut pushers) = (CancellationToken::new(), JoinSet::new());
    for pusher in 0..PUSHERS {
        let (queue, acknowledged, stop) = (queue.clone(), acknowledged.clone(), stop.clone());
        pushers.spawn(async move {
            for n in (0..).map(|n| n * PUSHERS + pusher) {
                if stop.is_cancelled() {
                    return;
                }
                let job = job(n);
                let id = job.id;
                match queue.push(INTAKE, vec![job]).await {
                    Ok(_) => drop(acknowledged.lock().unwrap().insert(id)),
                    // A sender would wait longer.
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        });
    }
    for _ in 0..3 {
        let before = acknowledged.lock().unwrap().len();
        while acknowledged.lock().unwrap().len() < before + 400 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.restart();
    }
    stop.cancel();
    pushers.join_all().await;
    until_back(&queue).await;
    let (worker, mut there) = (WorkerId("w".into()), BTreeSet::new());
    loop {
        let leases = take(&queue, &worker, 500).await;
        if leases.is_empty() {
            break;
        }
        assert!(leases.iter().all(|lease| lease.payload.len() == 2_000));
        there.extend(leases.into_iter().map(|lease| lease.token.job));
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() >= 1_200);
    assert_eq!(acknowledged.difference(&there).count(), 0);
    let (audit, books) = (queue.audit().await.unwrap(), queue.books().await.unwrap());
    assert_eq!((audit.wrong_total, books[0].1.unaccounted(), books[0].1.received), (0, 0, there.len() as u64));
}

#[tokio::test]
async fn while_redis_is_gone_calls_fail_quickly_and_then_work_again() {
    let mut server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    queue.push(INTAKE, vec![job(1)]).await.unwrap();
    server.kill9();
    let began = Instant::now();
    for _ in 0..100 {
        assert!(matches!(queue.push(INTAKE, vec![job(2)]).await, Err(QueueError::Unavailable(_))));
        assert!(matches!(queue.ping().await, Err(QueueError::Unavailable(_))));
    }
    queue.wait(INTAKE, Duration::from_secs(10)).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    server.restart();
    until_back(&queue).await;
    queue.push(INTAKE, vec![job(2)]).await.unwrap();
    assert_eq!(intake(&queue).await.ready, 2);
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_says_why_and_never_shows_the_password() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let at = format!("127.0.0.1:{}", server.port());
    let missing = refusal(&server.url()).await;
    assert!(missing.contains("NOAUTH") && missing.contains(&at), "{missing}");
    let wrong = refusal(&format!("redis://:hunter2@{at}/0")).await;
    assert!(wrong.contains("WRONGPASS") || wrong.contains("uthentication"), "{wrong}");
    connect(&format!("redis://:right@{at}/0")).await.unwrap().ping().await.unwrap();
    let nobody = refusal("redis://:hunter2@127.0.0.1:1/0").await;
    assert!(nobody.contains("127.0.0.1:1") && nobody.contains("refused"), "{nobody}");
    let nonsense = refusal("redis://:hunter2@host:port/zero").await;
    for text in [wrong, nobody, nonsense] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_a_clear_error() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    tamper(&queue, &["SET", "watchbell:{0}:workers", "someone else's"]).await;
    let error = queue.keep_alive(&WorkerId("w".into()), Duration::from_secs(1)).await.unwrap_err().to_string();
    assert!(error.contains("WRONGTYPE"), "{error}");
}

#[tokio::test]
async fn a_full_redis_refuses_new_jobs_and_lets_the_queued_ones_end() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    queue.push(INTAKE, vec![job(1)]).await.unwrap();
    tamper(&queue, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let refused = queue.push(INTAKE, vec![job(2), job(3)]).await;
    assert!(matches!(&refused, Err(QueueError::Unavailable(why)) if why.contains("OOM")), "{refused:?}");
    let lease = take(&queue, &WorkerId("w".into()), 10).await.pop().unwrap();
    queue.decide(delivered(lease)).await.unwrap();
    let books = queue.books().await.unwrap()[0].1;
    assert_eq!((books.received, books.delivered), (1, 1));
    assert_eq!(intake(&queue).await, Depth::default());
    tamper(&queue, &["CONFIG", "SET", "maxmemory", "0"]).await;
    queue.push(INTAKE, vec![job(2)]).await.unwrap();
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    for n in 0..3 {
        tamper(&queue, &["SCRIPT", "FLUSH"]).await;
        queue.push(INTAKE, vec![job(n)]).await.unwrap();
    }
    assert_eq!(intake(&queue).await.ready, 3);
}

/// How often a command ran, those inside scripts included.
async fn calls_of(queue: &RedisQueue, command: &str) -> u64 {
    let stats: String = queue.link.query(cmd("INFO").arg("commandstats")).await.unwrap();
    let prefix = format!("cmdstat_{command}:calls=");
    let count = stats.lines().find_map(|line| line.strip_prefix(&prefix)?.split(',').next()?.parse().ok());
    count.unwrap_or_default()
}

#[tokio::test]
async fn pushes_that_wait_together_share_a_call_and_each_gets_its_own_answers() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    let window = Duration::from_mins(1);
    let dedup = |n: u64| Dedup { key: (n % 10).to_string(), variant: String::new(), window, fact: Bytes::new() };
    let pushes = (0..100_u64).map(|n| {
        // As many jobs as the last digit says, then one that is a repeat of all but one of ten.
        let mut jobs: Vec<NewJob> = (0..n % 10).map(|i| job(1_000 * (n + 1) + i)).collect();
        jobs.push(NewJob { dedup: Some(dedup(n)), ..job(n) });
        queue.push(INTAKE, jobs)
    });
    let mut last = [0; 10];
    for (n, answers) in futures_util::future::join_all(pushes).await.into_iter().enumerate() {
        let answers = answers.unwrap();
        assert_eq!(answers[..answers.len() - 1], vec![Pushed::Queued; n % 10]);
        last[n % 10] += usize::from(answers[answers.len() - 1] == Pushed::Queued);
    }
    assert_eq!(last, [1; 10], "of pushes at the same time one is the first, whichever");
    assert_eq!(intake(&queue).await.ready, 450 + 10);
    assert!(calls_of(&queue, "evalsha").await < 20);
}

#[tokio::test]
async fn a_caller_that_goes_away_fails_nobody_else() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    tamper(&queue, &["CLIENT", "PAUSE", "300", "WRITE"]).await;
    let impatient = |n| tokio::time::timeout(Duration::from_millis(50), queue.push(INTAKE, vec![job(n)]));
    let patient = |n| queue.push(INTAKE, vec![job(n)]);
    let (gone, stayed) = tokio::join!(
        futures_util::future::join_all((0..20).map(impatient)),
        futures_util::future::join_all((20..40).map(patient))
    );
    assert!(gone.iter().all(Result::is_err));
    assert!(stayed.iter().all(Result::is_ok));
    assert_eq!(intake(&queue).await.ready, 40);
}

#[tokio::test]
async fn every_waiting_process_is_woken_when_there_is_work_for_all() {
    const PROCESSES: usize = 4;
    let server = RedisServer::start();
    let mut waiting = JoinSet::new();
    for n in 0..PROCESSES {
        let queue = connect(&server.url()).await.unwrap();
        waiting.spawn(async move {
            let worker = WorkerId(format!("worker {n}").into());
            loop {
                queue.wait(INTAKE, Duration::from_mins(1)).await;
                // One each, and nobody comes back for more: so each must have been woken.
                if !take(&queue, &worker, 1).await.is_empty() {
                    return;
                }
            }
        });
    }
    let queue = connect(&server.url()).await.unwrap();
    let began = Instant::now();
    queue.push(INTAKE, (0..PROCESSES as u64).map(job).collect()).await.unwrap();
    waiting.join_all().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_waiter_that_gives_up_leaves_no_blocked_connection_to_the_next() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    for n in 0..10 {
        let gave_up = tokio::time::timeout(Duration::from_millis(20), queue.wait(INTAKE, Duration::from_mins(1)));
        assert!(gave_up.await.is_err());
        let began = Instant::now();
        let looking = async {
            loop {
                // It may have taken one wake-up with it, so nobody waits without a bound.
                queue.wait(INTAKE, Duration::from_millis(500)).await;
                if let Some(lease) = take(&queue, &WorkerId("w".into()), 1).await.pop() {
                    return lease;
                }
            }
        };
        let (lease, pushed) = tokio::join!(looking, queue.push(INTAKE, vec![job(n)]));
        pushed.unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        queue.decide(delivered(lease)).await.unwrap();
    }
}

#[tokio::test]
async fn a_lease_of_large_payloads_stays_small() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    let large = Bytes::from(vec![b'x'; 3 << 20]);
    for n in 0..6 {
        queue.push(INTAKE, vec![NewJob { payload: large.clone(), ..job(n) }]).await.unwrap();
    }
    let worker = WorkerId("w".into());
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 6 {
        sizes.push(take(&queue, &worker, 100).await.len());
    }
    assert_eq!(sizes, [2, 2, 2]);
}

#[tokio::test]
async fn a_queue_that_was_emptied_leaves_nothing_behind() {
    let server = RedisServer::start();
    let queue = connect(&server.url()).await.unwrap();
    let worker = WorkerId("w".into());
    for n in 0..50 {
        let order = (n % 2 == 0).then(|| format!("order {}", n % 6));
        queue.push(INTAKE, vec![NewJob { order, lane: format!("lane {n}"), ..job(n) }]).await.unwrap();
    }
    loop {
        let leases = take(&queue, &worker, 10).await;
        if leases.is_empty() {
            break;
        }
        for lease in leases {
            queue.decide(delivered(lease)).await.unwrap();
        }
    }
    queue.release(&worker).await.unwrap();
    let mut keys: Vec<String> = queue.link.query(cmd("KEYS").arg("*")).await.unwrap();
    keys.retain(|key| key != "watchbell:{0}:wake:intake");
    keys.sort();
    assert_eq!(keys, ["watchbell:{0}:books", "watchbell:{0}:seq"]);
}
