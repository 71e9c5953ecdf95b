//! The one loop that takes jobs from a queue, hands them to a handler and carries out what it decided.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{Lease, Queue, QueueName, Verdict, Want};

/// What a handler decided about one job.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub verdict: Verdict,
    pub facts: Vec<Bytes>,
}

/// Where the jobs come from and how many are in hand at a time.
#[derive(Clone)]
pub struct Pool {
    pub queue: Arc<dyn Queue>,
    pub name: QueueName,
    pub want: Want,
    /// How long this worker's jobs are kept for it after it fell silent.
    pub lease: Duration,
}

/// Runs `handle` for each job, up to `want.max` at a time, until `stop`; then finishes what is in hand and
/// gives back the rest.
pub async fn run_each<H, F>(pool: Pool, handle: H, stop: CancellationToken) -> anyhow::Result<()>
where
    H: Fn(Lease) -> F + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let _ = (pool, handle, stop);
    anyhow::bail!("not built yet")
}

/// Runs `handle` for batches of up to `want.max` jobs, one batch at a time, until `stop`. It answers with one
/// outcome per job, in order; when it fails, the batch is given back and tried again after a pause.
pub async fn run_batches<H, F>(pool: Pool, handle: H, stop: CancellationToken) -> anyhow::Result<()>
where
    H: Fn(Vec<Lease>) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<Vec<Outcome>>> + Send + 'static,
{
    let _ = (pool, handle, stop);
    anyhow::bail!("not built yet")
}
