//! The SQLite queue keeps the promises of every queue, and those that only a file has.

use std::{path::Path, sync::Arc, time::Duration};

use tempfile::TempDir;

use super::{FILE, SqliteQueue};
use crate::{
    clock::{Clock as _, ManualClock, millis},
    ids::EventId,
    queue::{
        Queue,
        conformance::{Harness, queue_conformance},
    },
};

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
        let broken = self
            .queue
            .writer
            .call(move |desk| Ok(desk.run("UPDATE ledger SET pending = pending + 1 WHERE event = ?1", [event.uuid()])?))
            .await;
        assert_eq!(broken.unwrap(), 1);
    }
}
