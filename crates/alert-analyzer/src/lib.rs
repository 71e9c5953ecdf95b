//! Mute, understand, identify: from what was received to what is routed.
//!
//! Stages, one file each, in the order in which an event passes them: [`decode`] (MIME, charsets, HTML; webhook
//! items), `mute`, `rules` (the deterministic analysis), `identity` (the fingerprint), `model`. Together they are
//! [`analyse`], a pure function. `job` turns its answer into the decision on the intake job.

pub mod decode;
mod identity;
mod job;
mod model;
mod mute;
mod rules;
mod stages;

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    queue::{
        Lease, QueueName, Want,
        worker::{Pool, run_batches},
    },
    shared::Shared,
};

pub use stages::{Analysed, analyse};

/// Takes jobs from [`QueueName::Intake`] and decides them until `stop`.
///
/// The events of one sender are taken by one worker at a time and passed on in the order in which they came: so the
/// repeats of an alert stay in order, however many analyzers there are.
pub async fn run(shared: Shared, stop: CancellationToken) -> anyhow::Result<()> {
    // Without a configuration there are no mutes, and what should be dropped would go through.
    if !shared.configured(&stop).await {
        return Ok(());
    }
    let pool = Pool {
        queue: shared.queue.clone(),
        name: QueueName::Intake,
        want: Want { whole_lanes: true, ..Want::up_to(shared.settings.analyzer.batch) },
        lease: shared.settings.queue.lease,
        linger: Duration::ZERO,
    };
    let shared = Arc::new(shared);
    let mut workers = JoinSet::new();
    for _ in 0..available_parallelism().map_or(1, usize::from) {
        let shared = shared.clone();
        let handle = move |leases: Vec<Lease>| job::handle(shared.clone(), leases);
        workers.spawn(run_batches(pool.clone(), handle, stop.clone()));
    }
    while let Some(ended) = workers.join_next().await {
        ended.context("a worker of the analyzer panicked")??;
        if !stop.is_cancelled() {
            bail!("a worker of the analyzer ended unasked");
        }
    }
    Ok(())
}
