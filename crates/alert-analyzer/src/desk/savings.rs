//! How many calls of models were saved. Alerts come faster than it is worth a write each, so this is counted here and
//! added to the sums of all processes now and then.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    ai::usage::{self, Saved},
    clock::Clock,
    ids::TenantId,
    queue::Queue,
};

/// How often the sums are added to. Figures for people: those of a process that is killed are lost.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// What was saved since the last time it was written.
pub(super) struct Savings {
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    noted: Mutex<HashMap<TenantId, Saved>>,
}

impl Savings {
    pub(super) fn new(queue: Arc<dyn Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, clock, noted: Mutex::default() }
    }

    pub(super) fn note(&self, tenant: TenantId, saved: Saved) {
        metrics::counter!("watchbell_ai_saved_calls_total").increment(saved.remembered + saved.shared);
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = noted.entry(tenant).or_default();
        noted.remembered += saved.remembered;
        noted.shared += saved.shared;
    }

    /// Writes until `stop`, and what is left then.
    pub(super) async fn write(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(WRITE_EVERY)).await.is_some() {
            self.write_now().await;
        }
        self.write_now().await;
    }

    async fn write_now(&self) {
        let noted = mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        for (tenant, saved) in noted {
            if let Err(error) = usage::save(&*self.queue, tenant, self.clock.now_ms(), saved).await {
                tracing::debug!(%tenant, "cannot count saved calls: {error}");
            }
        }
    }
}
