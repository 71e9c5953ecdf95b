//! The SQLite queue keeps the promises of every queue, and those that only a file has.

use std::{os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use rusqlite::{Connection, ToSql};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{FILE, SqliteQueue};
use crate::{
    clock::{Clock as _, ManualClock, millis},
    ids::{EventId, JobId, TenantId},
    queue::{
        Counter, DeadFilter, Decision, NewJob, Pushed, Queue, QueueError, QueueName, Verdict, Want, WorkerId,
        conformance::{Harness, queue_conformance},
    },
};

const INTAKE: QueueName = QueueName::Intake;

queue_conformance!(SqliteHarness);

/// A queue in a folder of its own.
struct SqliteHarness {
    dir: TempDir,
    clock: ManualClock,
    queue: Arc<SqliteQueue>,
}

fn open(dir: &Path, clock: &ManualClock) -> Arc<SqliteQueue> {
    Arc::new(SqliteQueue::open(dir, Arc::new(clock.clone())).unwrap())
}

impl Harness for SqliteHarness {
    async fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_795_295_524_584);
        let queue = open(dir.path(), &clock);
        Self { dir, clock, queue }
    }

    fn queue(&self) -> Arc<dyn Queue> {
        self.queue.clone()
    }

    /// What `kill -9` leaves is the file and its log as they are while the queue is open: a copy of these two is
    /// opened. (The third file, the index of the log, is made anew.)
    async fn restart(&mut self) {
        let dir = tempfile::tempdir().unwrap();
        for name in [FILE.to_owned(), format!("{FILE}-wal")] {
            std::fs::copy(self.dir.path().join(&name), dir.path().join(&name)).unwrap();
        }
        self.queue = open(dir.path(), &self.clock);
        self.dir = dir;
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn rewind(&self, by: Duration) {
        self.clock.set(self.clock.now_ms() - millis(by));
    }

    async fn break_ledger(&self, event: EventId) {
        let broken =
            change(&self.queue, "UPDATE ledger SET pending = pending + 1 WHERE event = ?1", event.uuid()).await;
        assert_eq!(broken, 1);
    }

    /// The sums in `depths`, `lanes` and `books` are those of the rows they stand for.
    async fn assert_sound(&self) {
        let wrong = self.queue.writer.call(|desk| {
            let wrong: Vec<String> = desk.all(WRONG_SUMS, [], |row| row.get(0))?;
            Ok(wrong)
        });
        assert_eq!(wrong.await.unwrap(), [""; 0]);
    }
}

/// What differs between the sums that are kept and the rows that they count.
const WRONG_SUMS: &str = "
    WITH
        placed AS (SELECT queue, place, count(*) AS n FROM jobs GROUP BY queue, place),
        kept AS (SELECT queue, place, n FROM depths WHERE n <> 0),
        laned AS (
            SELECT queue, lane, sum(place = 'ready') AS ready, sum(place = 'leased') AS leased
            FROM jobs WHERE place IN ('ready', 'leased') GROUP BY queue, lane
        ),
        lined AS (SELECT tenant, sum(pending > 0) AS pending, sum(pending = 0) AS dead FROM ledger GROUP BY tenant)
    SELECT format('depth of %s %s', queue, place)
        FROM placed FULL JOIN kept USING (queue, place) WHERE placed.n IS NOT kept.n
    UNION ALL SELECT format('lane %s of %s', lane, queue)
        FROM laned FULL JOIN lanes USING (queue, lane)
        WHERE coalesce(laned.ready, 0) <> lanes.ready OR coalesce(laned.leased, 0) <> lanes.leased
            OR lanes.lane IS NULL OR (lanes.ready + lanes.leased + lanes.paused_until = 0)
    UNION ALL SELECT format('books of %d', tenant)
        FROM lined FULL JOIN books USING (tenant)
        WHERE coalesce(lined.pending, 0) IS NOT books.pending OR coalesce(lined.dead, 0) IS NOT books.dead
    UNION ALL SELECT format('payload %d', seq)
        FROM jobs FULL JOIN payloads USING (seq) WHERE jobs.id IS NULL OR payloads.bytes IS NULL";

/// Runs a statement on the queue's own connection.
async fn change(queue: &SqliteQueue, sql: &'static str, value: impl ToSql + Clone + Send + 'static) -> usize {
    queue.writer.call(move |desk| Ok(desk.run(sql, [&value])?)).await.unwrap()
}

fn job(n: u64, bytes: usize) -> NewJob {
    let event = EventId::derived(&[&n.to_be_bytes()]);
    let payload = Bytes::from(vec![b'x'; bytes]);
    NewJob::new(JobId::derived(&[&n.to_be_bytes()]), TenantId::DEFAULT, Some(event), "lane", payload)
}

#[tokio::test]
async fn a_full_disk_refuses_what_needs_room_and_works_again_when_there_is_some() {
    let h = SqliteHarness::fresh().await;
    h.queue.push(INTAKE, vec![job(0, 2_000)]).await.unwrap();
    limit_pages(&h.queue, 60).await;
    let mut accepted = 1;
    let refused = loop {
        match h.queue.push(INTAKE, vec![job(accepted, 20_000)]).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&refused, QueueError::Unavailable(text) if text.contains("full")), "{refused:?}");
    // Beside one that needs no room, one that does fails alone.
    let (pushed, small, pinged) =
        tokio::join!(h.queue.push(INTAKE, vec![job(9_000, 1 << 20)]), h.queue.recall("n"), h.queue.ping());
    assert!(matches!(pushed, Err(QueueError::Unavailable(_))), "{pushed:?}");
    assert_eq!(small.unwrap(), None);
    pinged.unwrap();
    h.assert_sound().await;
    limit_pages(&h.queue, 1 << 30).await;
    h.queue.push(INTAKE, vec![job(9_000, 1 << 20)]).await.unwrap();
    let books = h.queue.books().await.unwrap();
    assert_eq!(books[0].1.received, accepted + 1);
    h.assert_sound().await;
}

/// Lets the file grow to so many pages, as a disk of that size would.
async fn limit_pages(queue: &SqliteQueue, pages: u32) {
    let limited = queue.writer.call(move |desk| {
        let sql = if pages == 60 { "PRAGMA max_page_count = 60" } else { "PRAGMA max_page_count = 1073741824" };
        Ok(desk.first(sql, [], |row| row.get::<_, u32>(0))?)
    });
    assert_eq!(limited.await.unwrap(), Some(pages));
}

#[tokio::test]
async fn concurrent_pushes_share_commits() {
    const PUSHES: u64 = 2_000;
    let h = SqliteHarness::fresh().await;
    let mut pushing = JoinSet::new();
    for n in 0..PUSHES {
        let queue = h.queue.clone();
        pushing.spawn(async move { queue.push(INTAKE, vec![job(n, 100)]).await.unwrap() });
    }
    pushing.join_all().await;
    assert!(h.queue.commits() < PUSHES / 10, "{} commits", h.queue.commits());
    assert_eq!(h.queue.books().await.unwrap()[0].1.pending, PUSHES);
}

#[tokio::test]
async fn a_refused_call_does_not_spoil_the_group_it_is_in() {
    let h = SqliteHarness::fresh().await;
    let bad = NewJob { lane: "x".repeat(65), ..job(2, 10) };
    let (one, two, three) = tokio::join!(
        h.queue.push(INTAKE, vec![job(1, 10)]),
        h.queue.push(INTAKE, vec![bad]),
        h.queue.push(INTAKE, vec![job(3, 10)]),
    );
    assert!(matches!(two, Err(QueueError::BadJob(_))), "{two:?}");
    assert_eq!((one.unwrap(), three.unwrap()), (vec![Pushed::Queued], vec![Pushed::Queued]));
}

#[tokio::test]
async fn two_processes_may_use_one_file() {
    let h = SqliteHarness::fresh().await;
    let other = open(h.dir.path(), &h.clock);
    let mut pushing = JoinSet::new();
    for n in 0..200 {
        let queue = if n % 2 == 0 { h.queue.clone() } else { other.clone() };
        pushing.spawn(async move { queue.push(INTAKE, vec![job(n, 100)]).await.unwrap() });
    }
    pushing.join_all().await;
    let worker = WorkerId("w".into());
    other.keep_alive(&worker, Duration::from_secs(30)).await.unwrap();
    let leases = other.lease(INTAKE, &worker, Want::up_to(500)).await.unwrap();
    assert_eq!(leases.len(), 200);
    for (n, lease) in leases.into_iter().enumerate() {
        let queue = if n % 2 == 0 { &h.queue } else { &other };
        queue.decide(Decision { lease: lease.token, verdict: bury(), facts: Vec::new() }).await.unwrap();
    }
    assert_eq!(other.replay(&DeadFilter::default(), 150).await.unwrap(), 150);
    assert_eq!(h.queue.dead(&DeadFilter::default(), 0, 100).await.unwrap().len(), 50);
    h.assert_sound().await;
}

fn bury() -> Verdict {
    Verdict::Bury { reason: "on purpose".to_owned() }
}

#[tokio::test]
async fn a_lease_whose_caller_went_away_is_given_back() {
    let h = SqliteHarness::fresh().await;
    let worker = WorkerId("w".into());
    h.queue.keep_alive(&worker, Duration::from_secs(30)).await.unwrap();
    h.queue.push(INTAKE, vec![job(1, 10)]).await.unwrap();
    let (go, gate) = std::sync::mpsc::channel();
    let busy = h.queue.writer.call(move |_| {
        gate.recv().unwrap();
        Ok(())
    });
    let leaving = async {
        let asked = h.queue.lease(INTAKE, &worker, Want::up_to(1));
        // Polled once, so that the busy thread has it next; then dropped.
        assert!(tokio::time::timeout(Duration::ZERO, asked).await.is_err());
        go.send(()).unwrap();
    };
    tokio::join!(busy, leaving).0.unwrap();
    let lease = loop {
        if let Some(lease) = h.queue.lease(INTAKE, &worker, Want::up_to(1)).await.unwrap().pop() {
            break lease;
        }
    };
    assert!(lease.token.epoch > 1, "it was leased before");
    assert_eq!(lease.attempts, 0);
    h.assert_sound().await;
}

#[tokio::test]
async fn when_the_writer_is_gone_everything_says_so() {
    let h = SqliteHarness::fresh().await;
    let died = h.queue.writer.call(|_| -> Result<(), _> { panic!("on purpose") }).await;
    assert!(matches!(died, Err(QueueError::Unavailable(_))), "{died:?}");
    let refused = h.queue.push(INTAKE, vec![job(1, 10)]).await;
    assert!(matches!(&refused, Err(QueueError::Unavailable(text)) if text.contains("stopped")), "{refused:?}");
    assert!(matches!(h.queue.ping().await, Err(QueueError::Unavailable(_))));
}

#[tokio::test]
async fn only_its_owner_reads_the_file_and_its_log() {
    let h = SqliteHarness::fresh().await;
    h.queue.push(INTAKE, vec![job(1, 10)]).await.unwrap();
    for name in [FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
        let mode = std::fs::metadata(h.dir.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_file_that_is_no_queue_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), "not a database, but long enough to look like one\n".repeat(100)).unwrap();
    let text = refusal(dir.path());
    assert!(text.contains(FILE) && text.contains("not a database"), "{text}");
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date_and_keeps_its_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join(FILE)).unwrap();
    old.execute_batch(super::SCHEMA[0]).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(
        "INSERT INTO jobs (seq, id, queue, place, lane, tenant, count, due)
         VALUES (1, randomblob(16), 'intake', 'ready', 'a', 1, 4, 0);
         INSERT INTO payloads VALUES (1, x'00');
         INSERT INTO lanes VALUES ('intake', 'a', 1, 0, 1, 0);
         INSERT INTO depths VALUES ('intake', 'ready', 1);
         INSERT INTO counters VALUES ('c', 7, 0);",
    )
    .unwrap();
    drop(old);
    let clock = ManualClock::at(1_000);
    for _ in 0..2 {
        drop(open(dir.path(), &clock));
    }
    let queue = open(dir.path(), &clock);
    let worker = WorkerId("w".into());
    let counter = Counter { name: "c".to_owned(), closes: false };
    queue.push(INTAKE, vec![NewJob { counter: Some(counter), ..job(2, 3) }]).await.unwrap();
    let leases = queue.lease(INTAKE, &worker, Want::up_to(9)).await.unwrap();
    let seen: Vec<_> = leases.iter().map(|lease| (lease.count, lease.since)).collect();
    assert_eq!(seen, [(4, 0), (8, 0)]);
    assert_eq!(queue.recall("note").await.unwrap(), None);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    Connection::open(dir.path().join(FILE)).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let text = refusal(dir.path());
    assert!(text.contains("version is 99"), "{text}");
}

fn refusal(dir: &Path) -> String {
    SqliteQueue::open(dir, Arc::new(ManualClock::at(0))).unwrap_err().to_string()
}

/// No statement on the hot path reads a whole table: each plan uses an index for what it looks for.
#[tokio::test]
async fn a_lease_is_found_through_its_index_however_many_jobs_wait() {
    let h = SqliteHarness::fresh().await;
    let plan = async |sql: &'static str| -> Vec<String> {
        h.queue.writer.call(move |desk| Ok(desk.all(sql, [], |row| row.get("detail"))?)).await.unwrap()
    };
    let decided = plan(
        "EXPLAIN QUERY PLAN SELECT seq FROM jobs
         WHERE id = x'00' AND queue = 'intake' AND place = 'leased' AND worker = 'w' AND epoch = 1",
    );
    assert!(decided.await[0].contains("sqlite_autoindex_jobs_1 (id=?)"));
    let next = plan(
        "EXPLAIN QUERY PLAN SELECT seq, bytes FROM jobs JOIN payloads USING (seq)
         WHERE queue = 'intake' AND lane = 'a' AND place = 'ready' ORDER BY seq LIMIT 10",
    );
    let next = next.await;
    assert!(next[0].contains("jobs_ready (queue=? AND lane=?)"), "{next:?}");
    assert!(!next.iter().any(|step| step.contains("TEMP B-TREE")), "{next:?}");
    let lanes = plan(
        "EXPLAIN QUERY PLAN SELECT lane FROM lanes
         WHERE queue = 'intake' AND ready > 0 AND paused_until = 0 AND leased < 9 ORDER BY turn LIMIT 10",
    );
    let lanes = lanes.await;
    assert!(lanes[0].contains("lanes_turn (queue=?)") && lanes.len() == 1, "{lanes:?}");
}
