//! Which alerts a model is asked about, and what becomes of its answer.
//!
//! What is remembered for an alert's template applies at once. Otherwise the alert goes its way and the call is made
//! beside it, one for all alerts of a template at a time. Where its route asks to wait, its route job is queued with
//! that delay, so waiting costs neither a worker nor a place in the order of the alert's events. The answer is put
//! into the route job if that still waits ([`Queue::amend`]), which lets it go; if not, it is left as a note, and the
//! dispatcher sends an update.

mod budget;
mod cache;
mod savings;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use watchbell_analysis::model::{self, Answer, Failure, Models, Roster, merge};
use watchbell_common::{
    ai::usage::Saved,
    alert::{Alert, Analysis, Origin},
    answers,
    clock::{Clock, UnixMillis, millis},
    config::Snapshot,
    ids::EventId,
    outbound::{Guard, Http},
    payload::{Payload as _, RoutePayload},
    queue::{Queue, QueueName},
    shared::Shared,
};

use self::{
    budget::Budget,
    cache::{Cache, Cached},
    savings::Savings,
};
use crate::job::route_job_id;

/// Calls that are made or wait for their turn. At 4 calls of 2 s at a time this is a backlog of two minutes; what
/// comes on top would be answered too late to be read.
const CALLS_MAX: usize = 256;

/// Alerts that an answer is handed to. Past it, alerts of a template that is being asked about leave without it.
const WAITING_MAX: usize = 1_024;

/// How many alerts of a template that wait for its answer are handed it at a time.
const HANDING_MAX: usize = 16;

/// How many alerts that went their way are told at a time, of all templates together: a server that fails ends many
/// calls at once, and hundreds of notes in one transaction would hold up the alerts behind it.
const TELLING_MAX: usize = 4;

/// How long to pause before looking again for a route job that is not there yet: the decision about its intake job is
/// on its way to the queue.
const NOT_YET: Duration = Duration::from_millis(20);

/// How long a note about a late answer stays: until after the last look that the dispatcher takes.
const NOTE_TTL: Duration = Duration::from_mins(15);

/// What is known about an alert when it leaves the analyzer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Attended {
    pub(crate) refined: Option<Analysis>,
    /// A model is asked; until then its answer may come.
    pub(crate) answer_by: Option<UnixMillis>,
    /// How long the alert waits for it.
    pub(crate) wait: Duration,
}

/// Attends to alerts. Dropping it ends the calls.
pub(crate) struct Desk {
    inner: Arc<Inner>,
    calls: Mutex<JoinSet<()>>,
}

struct Inner {
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    roster: Roster,
    cache: Cache,
    budget: Budget,
    savings: Savings,
    max_wait: Duration,
    open: Mutex<Open>,
    /// [`TELLING_MAX`].
    telling: Semaphore,
}

/// The calls in flight.
#[derive(Default)]
struct Open {
    /// The key of a template → the alerts that its answer is for.
    templates: HashMap<String, Vec<Waiting>>,
    waiting: usize,
}

/// An alert that is on its way while a model is asked about it.
struct Waiting {
    alert: Alert,
    /// Until then its route job waits.
    until: UnixMillis,
}

impl Desk {
    /// A desk for all tenants.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(shared: &Shared) -> anyhow::Result<Self> {
        let (queue, clock, settings) = (shared.queue.clone(), shared.clock.clone(), &shared.settings.ai);
        describe_metrics();
        let provider = settings.provider();
        if provider.is_some() {
            model::prepare();
            LazyLock::force(&cache::ADDRESS);
        }
        let guard = Guard::new(shared.settings.outbound.allow_private.clone());
        let inner = Inner {
            roster: Roster::new(provider, Http::open()?, Http::guarded(guard)?, clock.clone()),
            cache: Cache::new(queue.clone(), settings.cache_ttl),
            budget: Budget::new(queue.clone(), clock.clone(), settings.daily_tokens),
            savings: Savings::new(queue.clone(), clock.clone()),
            max_wait: settings.max_wait,
            open: Mutex::default(),
            telling: Semaphore::new(TELLING_MAX),
            queue,
            clock,
        };
        Ok(Self { inner: Arc::new(inner), calls: Mutex::default() })
    }

    /// Says what a model made of an alert, or asks one. Takes one look at the queue at most, and never waits for a model.
    pub(crate) async fn attend(&self, alert: &Alert, config: &Snapshot) -> Attended {
        let inner = &self.inner;
        let tenant = alert.event.tenant;
        let Some(models) = inner.roster.models(config, tenant) else { return Attended::default() };
        let key = cache::key(&models.identity(), alert);
        match inner.cache.find(&key).await {
            Cached::Answer(answer) => {
                count("remembered");
                inner.savings.note(tenant, Saved { remembered: 1, shared: 0 });
                let answer = cache::specific(&answer, alert);
                let refined = merge(&alert.analysis, &answer, &alert.event, Origin::Cache);
                return Attended { refined: Some(refined), ..Attended::default() };
            }
            Cached::Unanswerable => return skipped("unanswerable"),
            Cached::Nothing => {}
        }
        if inner.budget.is_spent(tenant) {
            return skipped("over_budget");
        }
        if models.rest() {
            return skipped("resting");
        }
        let now = inner.clock.now_ms();
        let routing = config.tenants.get(&tenant).map(|tenant| tenant.route(alert, now));
        let Some(routing) = routing.filter(|routing| routing.ending.is_none()) else { return skipped("unread") };
        let max_wait = config.ai(tenant).and_then(|ai| ai.max_wait).unwrap_or(inner.max_wait);
        let wait = routing.ai_max_wait.unwrap_or_default().min(max_wait);
        let answer_by = now.saturating_add(millis(models.patience()));
        let waiting = Waiting { alert: alert.clone(), until: now.saturating_add(millis(wait)) };
        match self.enlist(key, models, waiting, now) {
            Ok(how) => {
                count(how);
                Attended { refined: None, answer_by: Some(answer_by), wait }
            }
            Err(why) => skipped(why),
        }
    }

    /// Writes down now and then which calls were saved, until `stop`.
    pub(crate) fn write_savings(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
        let inner = self.inner.clone();
        async move { inner.savings.write(stop).await }
    }

    /// Joins the call for a template, or starts one. Answers which, or why neither.
    fn enlist(
        &self,
        key: String,
        models: Models,
        waiting: Waiting,
        now: UnixMillis,
    ) -> Result<&'static str, &'static str> {
        let tenant = waiting.alert.event.tenant;
        let mut open = lock(&self.inner.open);
        let others = open.templates.get(&key).map(Vec::as_slice).unwrap_or_default();
        // The answer reaches the alert's message once, as an update of the first event that asked for it.
        if waiting.until <= now && others.iter().any(|other| other.alert.id == waiting.alert.id) {
            self.inner.savings.note(tenant, Saved { remembered: 0, shared: 1 });
            return Err("repeat");
        }
        if open.waiting >= WAITING_MAX {
            return Err("busy");
        }
        if let Some(others) = open.templates.get_mut(&key) {
            others.push(waiting);
            open.waiting += 1;
            self.inner.savings.note(tenant, Saved { remembered: 0, shared: 1 });
            return Ok("joined");
        }
        if open.templates.len() >= CALLS_MAX {
            return Err("busy");
        }
        let alert = waiting.alert.clone();
        open.templates.insert(key.clone(), vec![waiting]);
        open.waiting += 1;
        drop(open);
        let mut calls = lock(&self.calls);
        while calls.try_join_next().is_some() {}
        calls.spawn(self.inner.clone().call(key, models, alert));
        Ok("asked")
    }
}

impl Inner {
    /// Asks once for all alerts of a template, and hands them the answer.
    async fn call(self: Arc<Self>, key: String, models: Models, alert: Alert) {
        // A defect must not leave the template marked as being asked about.
        let answer = AssertUnwindSafe(self.answer(&key, &models, &alert)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(event.id = %alert.event.id, "asking a model panicked: a defect");
            None
        });
        let waiting = {
            let mut open = lock(&self.open);
            let waiting = open.templates.remove(&key).unwrap_or_default();
            open.waiting = open.waiting.saturating_sub(waiting.len());
            waiting
        };
        let asked = alert.event.id;
        let hand = |waiting| self.hand(waiting, asked, answer.as_ref());
        let now = self.clock.now_ms();
        let (waiting, gone): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|waiting| now < waiting.until);
        stream::iter(waiting).for_each_concurrent(HANDING_MAX, hand).await;
        let telling = &self.telling;
        let tell = |gone| async move {
            let _turn = telling.acquire().await;
            hand(gone).await;
        };
        stream::iter(gone).for_each_concurrent(TELLING_MAX, tell).await;
    }

    /// An answer for all alerts of the template.
    async fn answer(&self, key: &str, models: &Models, alert: &Alert) -> Option<(Answer, Origin)> {
        // Another process, or an earlier call here, may just have been answered.
        match self.cache.look_up(key).await {
            Cached::Answer(answer) => return Some((Answer::clone(&answer), Origin::Cache)),
            Cached::Unanswerable => return None,
            Cached::Nothing => {}
        }
        let tenant = alert.event.tenant;
        if !self.budget.allows(tenant).await {
            return None;
        }
        let reply = models.ask(alert).await;
        self.budget.spend(tenant, &reply.calls).await;
        match reply.result {
            Ok(answer) => {
                let answer = cache::general(&answer, alert);
                self.cache.keep(key, Some(&answer)).await;
                Some((answer, Origin::Model))
            }
            Err(failure) => {
                tracing::debug!(event.id = %alert.event.id, "no model answered: {failure}");
                if matches!(failure, Failure::Unusable(_)) {
                    self.cache.keep(key, None).await;
                }
                None
            }
        }
    }

    /// Gives an alert its answer, or the news that there is none, so that it does not wait any longer.
    /// `asked` is the event that the model saw.
    async fn hand(&self, waiting: Waiting, asked: EventId, answer: Option<&(Answer, Origin)>) {
        let Waiting { alert, until } = waiting;
        let event = alert.event.id;
        let refined = answer.map(|(answer, origin)| {
            let origin = if event == asked { *origin } else { Origin::Cache };
            merge(&alert.analysis, &cache::specific(answer, &alert), &alert.event, origin)
        });
        // That there is no answer is news only for an alert that waits.
        let is_news = refined.is_some() || self.clock.now_ms() < until;
        let payload = RoutePayload { alert, refined: refined.clone(), answer_by: None };
        if is_news && self.hand_in_time(event, &payload, until).await {
            return;
        }
        if let Err(error) = answers::leave(&*self.queue, event, refined.as_ref(), NOTE_TTL).await {
            tracing::warn!(event.id = %event, "a model's answer is lost: {error}");
        }
    }

    /// Puts an answer into the alert's route job. `false`: that does not wait any more.
    async fn hand_in_time(&self, event: EventId, payload: &RoutePayload, until: UnixMillis) -> bool {
        let payload = payload.encode();
        loop {
            match self.queue.amend(QueueName::Route, route_job_id(event), payload.clone()).await {
                Ok(true) => return true,
                Ok(false) | Err(_) if self.clock.now_ms() < until => sleep(NOT_YET).await,
                Ok(false) => return false,
                Err(error) => {
                    tracing::debug!(event.id = %event, "cannot hand over an answer in time: {error}");
                    return false;
                }
            }
        }
    }
}

fn skipped(why: &'static str) -> Attended {
    count(why);
    Attended::default()
}

fn count(result: &'static str) {
    metrics::counter!("watchbell_ai_alerts_total", "result" => result).increment(1);
}

fn describe_metrics() {
    metrics::describe_counter!("watchbell_ai_alerts_total", "Alerts by what the model's stage did about them");
    metrics::describe_counter!("watchbell_ai_calls_total", "Calls of models, by model and outcome");
    metrics::describe_counter!("watchbell_ai_tokens_total", "Tokens, by model and kind");
    metrics::describe_counter!("watchbell_ai_cost_micros_total", "Cost in millionths of the currency of the prices");
    metrics::describe_counter!(
        "watchbell_ai_saved_calls_total",
        "Calls that were not made because an answer was known or on its way"
    );
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
