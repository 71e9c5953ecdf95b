//! The recorder: facts from the queue become rows of the store, a batch per transaction.
//!
//! While the store is away, the batch is given back and the facts wait on the queue. A job with a fact that cannot be
//! read, or that the database refuses for its content, is buried with its bytes, after its other facts were written.

use std::{ops::Range, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    clock::Clock,
    payload::{Fact, Payload as _},
    queue::{
        Lease, QueueName, Verdict, Want, facts,
        worker::{Outcome, Pool, run_batches},
    },
    shared::Shared,
    store::{Store, StoreError, history},
};

/// How long one batch may take. A server that no longer answers would hold it for ever.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a batch may fill up after its first job came: one transaction for many facts is worth it.
const LINGER: Duration = Duration::from_millis(25);

pub(crate) async fn run(shared: Shared, store: Store, stop: CancellationToken) -> anyhow::Result<()> {
    let settings = &shared.settings;
    let pool = Pool {
        queue: shared.queue.clone(),
        name: QueueName::History,
        want: Want::up_to(settings.history.batch),
        lease: settings.queue.lease,
        linger: LINGER,
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
        let mut facts = Vec::new();
        let read: Vec<Read> = leases.iter().map(|lease| Read::of(&lease.payload, &mut facts)).collect();
        let mut refused = vec![None; leases.len()];
        match self.write(&facts).await {
            Ok(()) => {}
            Err(error) if error.is_transient() => return Err(error).context("writing history"),
            Err(_) => {
                for (read, refused) in read.iter().zip(&mut refused) {
                    *refused = self.record_one_by_one(&facts[read.facts.clone()]).await?;
                }
            }
        }
        metrics::histogram!("watchbell_recorder_batch_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("watchbell_recorder_facts_total").increment(facts.len() as u64);
        if let Some(oldest) = facts.iter().map(|fact| fact.head.at).min() {
            let behind = Duration::from_millis(u64::try_from(self.clock.now_ms() - oldest).unwrap_or_default());
            metrics::gauge!("watchbell_recorder_behind_seconds").set(behind.as_secs_f64());
        }
        Ok(read.into_iter().zip(refused).map(|(read, refused)| outcome(read.unreadable.or(refused))).collect())
    }

    /// One of the batch's facts is refused; find out whether one of these is, and why.
    async fn record_one_by_one(&self, facts: &[Fact]) -> anyhow::Result<Option<String>> {
        let mut why = None;
        for fact in facts {
            match self.write(std::slice::from_ref(fact)).await {
                Ok(()) => {}
                Err(error) if error.is_transient() => return Err(error).context("writing history"),
                Err(error) => {
                    tracing::error!(event.id = %fact.head.event, "a fact is buried: {error}");
                    why = Some(error.to_string());
                }
            }
        }
        Ok(why)
    }

    async fn write(&self, facts: &[Fact]) -> Result<(), StoreError> {
        let write = async {
            let mut tx = self.store.begin().await?;
            history::record(&mut tx, facts, self.clock.now_ms()).await?;
            Ok(tx.commit().await?)
        };
        tokio::time::timeout(WRITE_TIMEOUT, write)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable(format!("no answer within {WRITE_TIMEOUT:?}"))))
    }
}

/// What a job of the history holds.
struct Read {
    /// Which of the batch's.
    facts: Range<usize>,
    /// Why some of it could not be read.
    unreadable: Option<String>,
}

impl Read {
    /// Adds what can be read to the batch.
    fn of(payload: &Bytes, batch: &mut Vec<Fact>) -> Self {
        let (first, mut unreadable) = (batch.len(), None);
        match facts::read(payload) {
            Ok(parts) => {
                for part in &parts {
                    match Fact::decode(part) {
                        Ok(fact) => batch.push(fact),
                        Err(error) => unreadable = Some(error.to_string()),
                    }
                }
            }
            Err(error) => unreadable = Some(error.to_string()),
        }
        Self { facts: first..batch.len(), unreadable }
    }
}

fn outcome(buried_for: Option<String>) -> Outcome {
    let verdict = match buried_for {
        None => Verdict::Complete { follow_ups: Vec::new(), ending: None },
        Some(reason) => Verdict::Bury { reason },
    };
    Outcome { verdict, facts: Vec::new() }
}
