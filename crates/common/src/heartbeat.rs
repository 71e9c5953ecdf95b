//! Heartbeats: every process says on the queue that it is there, so that people see all of them in one place.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Clock, UnixMillis, millis},
    queue::Queue,
};

/// How often a process says so.
pub const EVERY: Duration = Duration::from_secs(10);

/// A process that was silent for so long is not there.
pub const MISSED: Duration = Duration::from_secs(35);

/// How long one that vanished is still shown, with the time when it was last seen.
const SHOWN: Duration = Duration::from_hours(6);

/// What a process says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The program: `watchbell`, `smtp-ingestor` …
    pub name: String,
    pub version: String,
    pub host: String,
    pub pid: u32,
    pub started_at: UnixMillis,
    pub last_seen: UnixMillis,
}

impl Heartbeat {
    /// Whether the process is there, as far as that can be known.
    pub fn is_up(&self, now_ms: UnixMillis) -> bool {
        now_ms - self.last_seen <= millis(MISSED)
    }
}

/// Says so until `stop`, and then takes it back.
///
/// # Errors
/// None: a queue that is away is a worry of others.
pub async fn run(queue: Arc<dyn Queue>, clock: Arc<dyn Clock>, stop: CancellationToken) -> anyhow::Result<()> {
    let program = std::env::current_exe().ok();
    let program = program.as_deref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    let started_at = clock.now_ms();
    let mut beat = Heartbeat {
        name: program.unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine_name(),
        pid: std::process::id(),
        started_at,
        last_seen: started_at,
    };
    let name = format!("{:032x}", rand::random::<u128>());
    loop {
        beat.last_seen = clock.now_ms();
        let text = serde_json::to_vec(&beat).expect("a heartbeat is made of texts and numbers");
        if let Err(error) = queue.announce(&name, text.into(), SHOWN).await {
            tracing::debug!("no heartbeat: {error}");
        }
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            break;
        }
    }
    if let Err(error) = queue.announce(&name, bytes::Bytes::new(), Duration::ZERO).await {
        tracing::debug!("the last heartbeat stays: {error}");
    }
    Ok(())
}

fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// The processes that are or were there lately, by name, host and age.
///
/// # Errors
/// The queue's.
pub async fn all(queue: &dyn Queue) -> Result<Vec<Heartbeat>, crate::queue::QueueError> {
    let announced = queue.announced().await?;
    // What a newer version announces otherwise is not shown by this one.
    let mut all: Vec<Heartbeat> =
        announced.into_iter().filter_map(|(_, value)| serde_json::from_slice(&value).ok()).collect();
    all.sort_by(|a, b| (&a.name, &a.host, a.started_at, a.pid).cmp(&(&b.name, &b.host, b.started_at, b.pid)));
    Ok(all)
}
