//! What a tenant may spend in a day (UTC), counted in tokens by all processes together. Past it there are no calls
//! until midnight, and the rules read alone.
//!
//! A call is counted when it is done, since only then is it known what it took: the limit can be exceeded by the calls
//! that are in flight at that moment, never by more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use watchbell_common::{
    ai::usage::{self, Call},
    clock::Clock,
    ids::TenantId,
    queue::Queue,
};

/// The budgets of all tenants.
pub(crate) struct Budget {
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    /// 0: no limit.
    daily_tokens: u64,
    /// The day on which a tenant was last found to have spent everything.
    spent: Mutex<HashMap<TenantId, Date>>,
}

impl Budget {
    pub(crate) fn new(queue: Arc<dyn Queue>, clock: Arc<dyn Clock>, daily_tokens: u64) -> Self {
        Self { queue, clock, daily_tokens, spent: Mutex::default() }
    }

    /// Whether it is known here, without asking, that nothing is left today.
    pub(crate) fn is_spent(&self, tenant: TenantId) -> bool {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant) == Some(&self.today())
    }

    /// Whether a call may be made. Without an answer from the queue none is: nobody would count it.
    pub(crate) async fn allows(&self, tenant: TenantId) -> bool {
        self.daily_tokens == 0 || (!self.is_spent(tenant) && self.add(tenant, &[]).await)
    }

    /// Counts calls that were made.
    pub(crate) async fn spend(&self, tenant: TenantId, calls: &[Call]) {
        self.add(tenant, calls).await;
    }

    /// Adds, and answers whether anything is left.
    async fn add(&self, tenant: TenantId, calls: &[Call]) -> bool {
        let day = self.today();
        match usage::add(&*self.queue, tenant, self.clock.now_ms(), calls).await {
            Ok(spent) if self.daily_tokens == 0 || spent < self.daily_tokens => true,
            Ok(_) => {
                let before = self.spent.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, day);
                if before != Some(day) {
                    let limit = self.daily_tokens;
                    tracing::warn!(%tenant, "the {limit} tokens of ai.daily_tokens are spent: the rules read alone until midnight UTC");
                    metrics::counter!("watchbell_ai_budget_spent_total").increment(1);
                }
                false
            }
            Err(error) => {
                tracing::debug!(%tenant, "cannot count tokens: {error}");
                false
            }
        }
    }

    fn today(&self) -> Date {
        Timestamp::from_millisecond(self.clock.now_ms()).unwrap_or_default().to_zoned(TimeZone::UTC).date()
    }
}
