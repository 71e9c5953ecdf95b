//! Mute, understand, identify: from what was received to what is routed.
//!
//! What an event says is [`watchbell_analysis`]'s to find out. Here are the steps around it: `desk` decides whether a
//! language model is asked about an alert and what becomes of its answer, and `job` makes the decision on the intake
//! job. The order of things is fixed by two promises: no alert waits for the model longer than its route asks, and the
//! model hides nothing. So the rules' analysis is always there first.

mod desk;
mod job;

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
    let analyzer = Arc::new(job::Analyzer { desk: desk::Desk::new(&shared)?, shared });
    let mut workers = JoinSet::new();
    for _ in 0..available_parallelism().map_or(1, usize::from) {
        let analyzer = analyzer.clone();
        let handle = move |leases: Vec<Lease>| job::handle(analyzer.clone(), leases);
        workers.spawn(run_batches(pool.clone(), handle, stop.clone()));
    }
    let savings = analyzer.desk.write_savings(stop.clone());
    workers.spawn(async move {
        savings.await;
        Ok(())
    });
    while let Some(ended) = workers.join_next().await {
        ended.context("a worker of the analyzer panicked")??;
        if !stop.is_cancelled() {
            bail!("a worker of the analyzer ended unasked");
        }
    }
    Ok(())
}
