//! Route, silence, deliver, retry, and keep what gave up.
//!
//! Three pools take jobs from the queue, each with one step that turns a job into a decision:
//! `route` names the channels of an event, `deliver` makes one attempt at one channel, `enrich` sends the
//! model's late answer after messages that already went out. A step keeps nothing: whatever it decides is
//! carried out by the queue in one atomic step, and a step that is repeated after a crash names its results alike.

mod deliver;
mod enrich;
mod holds;
mod jobs;
mod retry;
mod route;
mod senders;
#[cfg(test)]
mod testing;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use watchbell_channels::Tools;
use watchbell_common::{
    queue::{
        QueueName, Want,
        worker::{Pool, run_each},
    },
    shared::Shared,
};

pub use self::retry::RETRY_AFTER;
use self::{deliver::Deliver, holds::Holds, senders::Senders};

/// Late answers in hand at a time. None is urgent, and a crowd of them at once would stand in the way of what is.
const ENRICH_MAX: usize = 2;

/// Runs the three pools until `stop`.
///
/// # Errors
/// When a pool fails or ends unasked, or when TLS cannot be set up.
pub async fn run(shared: Shared, stop: CancellationToken) -> anyhow::Result<()> {
    describe_metrics();
    let limits = shared.settings.dispatcher.clone();
    let pool = |name, max, per_lane| Pool {
        queue: shared.queue.clone(),
        name,
        want: Want { per_lane, ..Want::up_to(max) },
        lease: shared.settings.queue.lease,
        linger: Duration::ZERO,
    };
    let mut pools = JoinSet::new();

    let (config, clock) = (shared.config.clone(), shared.clock.clone());
    let routing = move |lease| {
        let outcome = route::step(&config.load(), &lease, clock.now_ms());
        async move { outcome }
    };
    pools.spawn(run_each(pool(QueueName::Route, limits.concurrency, 0), routing, stop.clone()));

    let deliver = Arc::new(Deliver {
        queue: shared.queue.clone(),
        config: shared.config.clone(),
        clock: shared.clock.clone(),
        holds: Holds::new(shared.queue.clone(), shared.clock.clone()),
        senders: Senders::new(Tools::new(&shared.settings, shared.clock.clone())?),
        timeout: limits.attempt_timeout,
    });
    let delivering = move |lease| {
        let deliver = deliver.clone();
        async move { deliver.step(&lease).await }
    };
    pools.spawn(run_each(pool(QueueName::Deliver, limits.concurrency, limits.per_channel), delivering, stop.clone()));

    let (config, clock, queue) = (shared.config.clone(), shared.clock.clone(), shared.queue.clone());
    let enriching = move |lease| {
        let (config, queue, now_ms) = (config.load(), queue.clone(), clock.now_ms());
        async move { enrich::step(&*queue, &config, &lease, now_ms).await }
    };
    pools.spawn(run_each(pool(QueueName::Enrich, ENRICH_MAX, 0), enriching, stop.clone()));

    while let Some(ended) = pools.join_next().await {
        ended.context("a pool of the dispatcher panicked")??;
        if !stop.is_cancelled() {
            bail!("a pool of the dispatcher ended unasked");
        }
    }
    Ok(())
}

fn describe_metrics() {
    metrics::describe_counter!("watchbell_deliveries_total", "Attempts to deliver, by platform and outcome");
    metrics::describe_counter!(
        "watchbell_template_failures_total",
        "Templates that failed, by what they were to write"
    );
    metrics::describe_histogram!(
        "watchbell_attempt_seconds",
        metrics::Unit::Seconds,
        "How long an attempt took, by platform"
    );
    metrics::describe_histogram!(
        "watchbell_delivery_seconds",
        metrics::Unit::Seconds,
        "From the arrival of an event to its delivery, by platform"
    );
}
