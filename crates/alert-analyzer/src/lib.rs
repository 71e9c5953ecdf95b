//! Mute, understand, identify: from what was received to what is routed.
//!
//! Stages, one file each, in the order in which an event passes them: [`decode`] (MIME, charsets, HTML; webhook
//! items), `mute`, `rules` (the deterministic analysis), `identity` (the fingerprint). Together they are [`analyse`],
//! a pure function. Then [`model`] adds what a language model knows, and `job` makes the decision on the intake job.

pub mod decode;
mod identity;
mod job;
pub mod model;
mod mute;
mod rules;
mod stages;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use watchbell_common::{
    queue::{
        QueueName, Want,
        worker::{Pool, run_each},
    },
    shared::Shared,
};

pub use stages::{Analysed, analyse};

/// Takes jobs from [`QueueName::Intake`] and decides them until `stop`.
pub async fn run(shared: Shared, stop: CancellationToken) -> anyhow::Result<()> {
    // Without a configuration there are no mutes, and what should be dropped would go through.
    if !shared.configured(&stop).await {
        return Ok(());
    }
    let pool = Pool {
        queue: shared.queue.clone(),
        name: QueueName::Intake,
        want: Want { max: shared.settings.analyzer.concurrency, per_lane: 0 },
        lease: shared.settings.queue.lease,
    };
    let analyzer = Arc::new(job::Analyzer { desk: model::Desk::new(&shared)?, shared });
    run_each(pool, move |lease| job::handle(analyzer.clone(), lease), stop).await
}
