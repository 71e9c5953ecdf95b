//! What asking models came to: a tenant's sums of a day (UTC), to which all processes add. They stand on the queue,
//! which whoever asks can reach, also while the store is away, and are kept there for a month.

use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    clock::{DAY_MS, UnixMillis},
    ids::{AiProviderId, TenantId},
    queue::{NOTE_TTL_MAX, Queue, QueueError},
};

/// How long a sum is kept: as long as anything of its kind.
const KEPT: Duration = NOTE_TTL_MAX;

/// How many days are known, today included: a day less than they are kept, wherever clocks stand.
pub const DAYS_MAX: u16 = 30;

/// One call of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Absent: the model of the settings.
    pub provider: Option<AiProviderId>,
    /// Whether it gave an answer that could be used.
    pub answered: bool,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// In millionths of the currency in which the prices are set.
    pub cost_micros: u64,
}

/// The calls of one model on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    pub calls: u64,
    /// Those that gave no answer that could be used.
    pub unanswered: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub cost_micros: u64,
}

/// Calls that were not made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Saved {
    /// An answer was remembered.
    pub remembered: u64,
    /// An answer to the same question was on its way.
    pub shared: u64,
}

/// What asking all models of a tenant came to on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// When it began (UTC).
    pub at: UnixMillis,
    pub calls: u64,
    pub tokens: u64,
    pub cost_micros: u64,
    pub saved: Saved,
}

/// Counts calls, and answers how many tokens the tenant has spent today with them.
pub async fn add(queue: &dyn Queue, tenant: TenantId, now: UnixMillis, calls: &[Call]) -> Result<u64, QueueError> {
    let tokens = calls.iter().map(|call| call.prompt_tokens.saturating_add(call.completion_tokens)).sum();
    let of_calls = calls.iter().flat_map(|call| {
        let sums = [
            ("calls", 1),
            ("unanswered", u64::from(!call.answered)),
            ("prompt", call.prompt_tokens),
            ("completion", call.completion_tokens),
            ("cost", call.cost_micros),
        ];
        sums.map(|(what, by)| (of_provider(tenant, now, call.provider, what), by))
    });
    let mut sums = vec![(key(tenant, now, "spent"), tokens)];
    let cost = calls.iter().map(|call| call.cost_micros).sum();
    let of_all = [("calls", calls.len() as u64), ("cost", cost)];
    sums.extend(of_all.map(|(what, by)| (key(tenant, now, what), by)).into_iter().filter(|(_, by)| *by > 0));
    sums.extend(of_calls.filter(|(_, by)| *by > 0));
    Ok(add_all(queue, sums).await?[0])
}

/// How many tokens a tenant has spent today.
pub async fn spent(queue: &dyn Queue, tenant: TenantId, now: UnixMillis) -> Result<u64, QueueError> {
    add(queue, tenant, now, &[]).await
}

/// The calls of one model today; `None` is the model of the settings.
pub async fn calls(
    queue: &dyn Queue,
    tenant: TenantId,
    now: UnixMillis,
    provider: Option<AiProviderId>,
) -> Result<Calls, QueueError> {
    let names = ["calls", "unanswered", "prompt", "completion", "cost"];
    let sums = add_all(queue, names.map(|what| (of_provider(tenant, now, provider, what), 0))).await?;
    let [calls, unanswered, prompt_tokens, completion_tokens, cost_micros] = sums[..] else {
        unreachable!("there is a sum for each name")
    };
    Ok(Calls { calls, unanswered, prompt_tokens, completion_tokens, cost_micros })
}

/// Counts calls that were not made, and answers how many that are today.
pub async fn save(queue: &dyn Queue, tenant: TenantId, now: UnixMillis, more: Saved) -> Result<Saved, QueueError> {
    let sums = [(key(tenant, now, "remembered"), more.remembered), (key(tenant, now, "shared"), more.shared)];
    let sums = add_all(queue, sums).await?;
    Ok(Saved { remembered: sums[0], shared: sums[1] })
}

/// The latest days, today last; those of which nothing is known are empty.
pub async fn days(queue: &dyn Queue, tenant: TenantId, now: UnixMillis, days: u16) -> Result<Vec<Day>, QueueError> {
    let today = now.div_euclid(DAY_MS) * DAY_MS;
    let starts: Vec<_> = (0..i64::from(days.min(DAYS_MAX))).rev().map(|ago| today - ago * DAY_MS).collect();
    let names = ["calls", "spent", "cost", "remembered", "shared"];
    let asked = starts.iter().flat_map(|at| names.map(|what| (key(tenant, *at, what), 0)));
    let sums = add_all(queue, asked).await?;
    let day = |(at, sums): (&UnixMillis, &[u64])| {
        let [calls, tokens, cost_micros, remembered, shared] = *sums else {
            unreachable!("there is a sum for each name")
        };
        Day { at: *at, calls, tokens, cost_micros, saved: Saved { remembered, shared } }
    };
    Ok(starts.iter().zip(sums.chunks_exact(names.len())).map(day).collect())
}

/// Adds to sums, all at once, so that they share one write. Answers the new ones in the same order.
async fn add_all(queue: &dyn Queue, sums: impl IntoIterator<Item = (String, u64)>) -> Result<Vec<u64>, QueueError> {
    let add = async |(key, by): (String, u64)| queue.add_up(&key, i64::try_from(by).unwrap_or(i64::MAX), KEPT).await;
    try_join_all(sums.into_iter().map(add)).await
}

fn of_provider(tenant: TenantId, now: UnixMillis, provider: Option<AiProviderId>, what: &str) -> String {
    let provider = provider.map_or_else(|| "own".to_owned(), |provider| provider.to_string());
    key(tenant, now, &format!("{provider}:{what}"))
}

fn key(tenant: TenantId, now: UnixMillis, of: &str) -> String {
    let day = Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(TimeZone::UTC).date();
    format!("ai:used:{tenant}:{day}:{of}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{clock::SystemClock, queue::sqlite::SqliteQueue};

    #[tokio::test]
    async fn calls_add_up_per_tenant_model_and_day() {
        let three = Some(AiProviderId(3));
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(folder.path(), Arc::new(SystemClock)).unwrap();
        let (one, other) = (TenantId(1), TenantId(2));
        let call = |provider, answered, prompt_tokens| Call {
            provider,
            answered,
            prompt_tokens,
            completion_tokens: 10,
            cost_micros: 5,
        };
        assert_eq!(add(&queue, one, 0, &[call(None, false, 0), call(three, true, 100)]).await.unwrap(), 120);
        assert_eq!(add(&queue, one, 1, &[call(three, false, 200)]).await.unwrap(), 330);
        assert_eq!(spent(&queue, one, DAY_MS - 1).await.unwrap(), 330);
        let of_three = calls(&queue, one, 0, three).await.unwrap();
        let expected = Calls { calls: 2, unanswered: 1, prompt_tokens: 300, completion_tokens: 20, cost_micros: 10 };
        assert_eq!(of_three, expected);
        assert_eq!((spent(&queue, one, DAY_MS).await.unwrap(), spent(&queue, other, 0).await.unwrap()), (0, 0));
        let saved = Saved { remembered: 2, shared: 1 };
        save(&queue, one, 0, saved).await.unwrap();
        assert_eq!(save(&queue, one, 0, saved).await.unwrap(), Saved { remembered: 4, shared: 2 });
        add(&queue, one, 2 * DAY_MS, &[call(three, true, 1)]).await.unwrap();
        let first = Day { at: 0, calls: 3, tokens: 330, cost_micros: 15, saved: Saved { remembered: 4, shared: 2 } };
        let third = Day { at: 2 * DAY_MS, calls: 1, tokens: 11, cost_micros: 5, saved: Saved::default() };
        let second = Day { at: DAY_MS, ..Day::default() };
        assert_eq!(days(&queue, one, 3 * DAY_MS - 1, 3).await.unwrap(), [first, second, third]);
    }
}
