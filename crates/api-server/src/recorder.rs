//! The recorder: facts from the queue become rows of the store, a batch per transaction.
//!
//! While the store is away, the batch is given back and the facts wait on the queue. A fact that cannot be read,
//! or that the database refuses for its content, is buried with its bytes and holds up no other.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    clock::Clock,
    payload::{Fact, Payload as _},
    queue::{
        Lease, QueueName, Verdict, Want,
        worker::{Outcome, Pool, run_batches},
    },
    shared::Shared,
    store::{Store, StoreError, history},
};

/// How long one batch may take. A server that no longer answers would hold it for ever.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) async fn run(shared: Shared, store: Store, stop: CancellationToken) -> anyhow::Result<()> {
    let settings = &shared.settings;
    let pool = Pool {
        queue: shared.queue.clone(),
        name: QueueName::History,
        want: Want { max: settings.history.batch, per_lane: 0 },
        lease: settings.queue.lease,
    };
    let recorder = Arc::new(Recorder { store, clock: shared.clock.clone() });
    let handle = move |leases: Vec<Lease>| {
        let recorder = recorder.clone();
        async move { recorder.record(&leases).await }
    };
    run_batches(pool, handle, stop).await
}

struct Recorder {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Recorder {
    /// What to do with each lease. An error gives the whole batch back: facts that were written are written again,
    /// which changes nothing.
    async fn record(&self, leases: &[Lease]) -> anyhow::Result<Vec<Outcome>> {
        let started = tokio::time::Instant::now();
        let read: Vec<_> = leases.iter().map(|lease| Fact::decode(&lease.payload)).collect();
        let facts: Vec<_> = read.iter().filter_map(|fact| fact.as_ref().ok()).cloned().collect();
        let mut outcomes = Vec::with_capacity(leases.len());
        match self.write(&facts).await {
            Ok(()) => outcomes.extend(read.iter().map(|fact| fact.as_ref().map_or_else(bury, |_| done()))),
            Err(error) if error.is_transient() => return Err(error).context("writing history"),
            Err(_) => {
                for fact in &read {
                    outcomes.push(match fact {
                        Ok(fact) => self.record_alone(fact).await?,
                        Err(unreadable) => bury(unreadable),
                    });
                }
            }
        }
        metrics::histogram!("watchbell_recorder_batch_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("watchbell_recorder_facts_total").increment(facts.len() as u64);
        if let Some(oldest) = facts.iter().map(|fact| fact.head.at).min() {
            let behind = Duration::from_millis(u64::try_from(self.clock.now_ms() - oldest).unwrap_or_default());
            metrics::gauge!("watchbell_recorder_behind_seconds").set(behind.as_secs_f64());
        }
        Ok(outcomes)
    }

    /// One of the batch's facts is refused; find out which.
    async fn record_alone(&self, fact: &Fact) -> anyhow::Result<Outcome> {
        match self.write(std::slice::from_ref(fact)).await {
            Ok(()) => Ok(done()),
            Err(error) if error.is_transient() => Err(error).context("writing history"),
            Err(error) => {
                tracing::error!(event.id = %fact.head.event, "a fact is buried: {error}");
                Ok(bury(&error))
            }
        }
    }

    async fn write(&self, facts: &[Fact]) -> Result<(), StoreError> {
        let write = async {
            let mut tx = self.store.begin().await?;
            history::record(&mut tx, facts).await?;
            Ok(tx.commit().await?)
        };
        tokio::time::timeout(WRITE_TIMEOUT, write)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable(format!("no answer within {WRITE_TIMEOUT:?}"))))
    }
}

fn done() -> Outcome {
    Outcome { verdict: Verdict::Complete { follow_ups: Vec::new(), ending: None }, facts: Vec::new() }
}

fn bury(why: &impl std::fmt::Display) -> Outcome {
    Outcome { verdict: Verdict::Bury { reason: why.to_string() }, facts: Vec::new() }
}
