//! The conformance suite on a real Redis, and what is peculiar to Redis.

use std::{sync::Arc, time::Duration};

use redis::cmd;

use super::{RedisQueue, scripts::hex};
use crate::{
    clock::{Clock, ManualClock},
    ids::{EventId, TenantId},
    queue::{
        Queue,
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
}

queue_conformance!(OnRedis);
