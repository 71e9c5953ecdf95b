//! The desk on a real queue: who is asked about, once, within the budget, and how the answer finds its alert.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use watchbell_analysis::testing::{Fake, alert, completion, right, status};
use watchbell_common::{
    ai::{
        Ai,
        usage::{self, Saved},
    },
    alert::{Alert, Origin, Severity},
    answers::{self, Found},
    clock::{Clock as _, SystemClock},
    config::{Channel, Document, Match, Operators, Rule, Silence, Snapshot, Tenant},
    crypto::{Place, Vault},
    ids::{ChannelId, RuleId, SilenceId, TenantId},
    payload::{Payload as _, RoutePayload},
    queue::{NewJob, Queue, QueueName, Want, WorkerId, sqlite::SqliteQueue},
    settings::Settings,
    shared::Shared,
};

use super::{Attended, Desk};
use crate::job::route_job_id;

/// How long anything here may take.
const SOON: Duration = Duration::from_secs(10);

struct Bench {
    desk: Desk,
    queue: Arc<dyn Queue>,
    config: Snapshot,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(server: &Fake, more: &[(&str, &str)]) -> Self {
        Self::with(server, more, |_| {})
    }

    fn with(server: &Fake, more: &[(&str, &str)], change: impl FnOnce(&mut Tenant)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = [("WATCHBELL_AI_BASE_URL", server.base.as_str()), ("WATCHBELL_AI_MODEL", "m1")];
        let env: Vec<_> =
            own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let vault = Arc::new(Vault::from_data_dir(folder.path()).unwrap());
        let queue: Arc<dyn Queue> = Arc::new(SqliteQueue::open(folder.path(), Arc::new(SystemClock)).unwrap());
        let shared = Shared {
            settings: Arc::new(Settings::load_with(None, &env, &[]).unwrap()),
            clock: Arc::new(SystemClock),
            queue: queue.clone(),
            vault: vault.clone(),
            config: Arc::default(),
        };
        let mut tenant = tenant(&vault);
        change(&mut tenant);
        let config = Snapshot::compile(&Document { version: 1, tenants: vec![tenant] }, &vault).unwrap();
        Self { desk: Desk::new(&shared).unwrap(), queue, config, _folder: folder }
    }

    async fn attend(&self, alert: &Alert) -> Attended {
        self.desk.attend(alert, &self.config).await
    }

    /// Queues the route job as the analyzer does.
    async fn send(&self, alert: &Alert, attended: &Attended) {
        let payload =
            RoutePayload { alert: alert.clone(), refined: attended.refined.clone(), answer_by: attended.answer_by };
        let event = alert.event.id;
        let mut job = NewJob::new(route_job_id(event), TenantId::DEFAULT, Some(event), "lane", payload.encode());
        job.delay = attended.wait;
        self.queue.push(QueueName::Route, vec![job]).await.unwrap();
    }

    /// The next route job, when there is one.
    async fn routed(&self) -> RoutePayload {
        let worker = WorkerId("w".into());
        self.queue.keep_alive(&worker, SOON).await.unwrap();
        loop {
            self.queue.tend().await.unwrap();
            if let Some(lease) = self.queue.lease(QueueName::Route, &worker, Want::up_to(1)).await.unwrap().pop() {
                return RoutePayload::decode(&lease.payload).unwrap();
            }
            self.queue.wait(QueueName::Route, Duration::from_millis(20)).await;
        }
    }

    async fn note(&self, alert: &Alert) -> Found {
        loop {
            match answers::find(&*self.queue, alert.event.id).await.unwrap() {
                Found::Nothing => tokio::task::yield_now().await,
                found => return found,
            }
        }
    }
}

fn tenant(vault: &Vault) -> Tenant {
    let channel = Channel {
        id: ChannelId(1),
        name: "ops".to_owned(),
        platform: "console".to_owned(),
        bot: None,
        target: String::new(),
        options: [].into(),
        templates: Vec::new(),
        secrets: [].into(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: vault.seal(&Place::push_token(TenantId::DEFAULT, ChannelId(1)), &"token".into()),
        enabled: true,
    };
    Tenant {
        id: TenantId::DEFAULT,
        name: "default".to_owned(),
        bots: Vec::new(),
        templates: Vec::new(),
        channels: vec![channel],
        rules: Vec::new(),
        default_channels: vec![ChannelId(1)],
        mutes: Vec::new(),
        silences: Vec::new(),
        ai: Ai::default(),
        operators: Operators::All,
        drills: BTreeMap::new(),
    }
}

/// A rule for everything whose alerts wait.
fn waits(tenant: &mut Tenant) {
    tenant.rules.push(Rule {
        id: RuleId(1),
        name: "wait".to_owned(),
        matcher: Match::default(),
        channels: vec![ChannelId(1)],
        r#continue: false,
        set_severity: None,
        escalate: None,
        active: None,
        ai_max_wait_ms: Some(60_000),
        enabled: true,
    });
}

async fn soon<T>(doing: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, doing).await.expect("it takes no time")
}

#[tokio::test]
async fn an_answer_is_put_into_the_route_job_that_waits_and_lets_it_go() {
    let server = Fake::start(|_, _| right()).await;
    let bench = Bench::with(&server, &[], waits);
    let alert = alert("Disk full on db1", "Filesystem /var is full.");
    let attended = bench.attend(&alert).await;
    assert_eq!((attended.wait, &attended.refined), (Duration::from_secs(5), &None), "ai.max_wait caps the rule's wish");
    bench.send(&alert, &attended).await;
    let payload = soon(bench.routed()).await;
    let refined = payload.refined.expect("the answer");
    assert_eq!((refined.origin, refined.severity), (Origin::Model, Severity::Critical));
    assert_eq!((payload.alert, payload.answer_by), (alert, None), "the rules' analysis is untouched beside it");
}

#[tokio::test]
async fn without_an_answer_a_waiting_alert_goes_at_once() {
    let server = Fake::start(|_, _| status(500, "")).await;
    let bench = Bench::with(&server, &[("WATCHBELL_AI_MAX_WAIT", "30s")], waits);
    let alert = alert("Disk full on db1", "Filesystem /var is full.");
    let attended = bench.attend(&alert).await;
    assert_eq!(attended.wait, Duration::from_secs(30));
    bench.send(&alert, &attended).await;
    let payload = soon(bench.routed()).await;
    assert_eq!((payload.refined, payload.answer_by), (None, None));
}

#[tokio::test]
async fn an_alert_that_does_not_wait_finds_its_answer_as_a_note_and_the_next_like_it_in_the_cache() {
    let server = Fake::start(|_, _| right()).await;
    let bench = Bench::new(&server, &[]);
    let first = alert("Disk full on db1", "Filesystem /var is 91 % full.");
    let attended = bench.attend(&first).await;
    assert_eq!((attended.wait, attended.answer_by.is_some()), (Duration::ZERO, true));
    let Found::Answer(refined) = soon(bench.note(&first)).await else { panic!("no answer") };
    assert_eq!((&*refined.summary, refined.origin), ("The disk of db1 is full", Origin::Model));

    let second = alert("Disk full on db1", "Filesystem /var is 92 % full.");
    let attended = bench.attend(&second).await;
    let refined = attended.refined.expect("remembered");
    assert_eq!((refined.origin, attended.answer_by, attended.wait), (Origin::Cache, None, Duration::ZERO));
    assert_eq!(server.seen().len(), 1);

    // What it came to is known to all processes.
    let stopped = CancellationToken::new();
    stopped.cancel();
    bench.desk.write_savings(stopped).await;
    let (queue, now) = (&*bench.queue, SystemClock.now_ms());
    let saved = usage::save(queue, TenantId::DEFAULT, now, Saved::default()).await.unwrap();
    assert_eq!(saved, Saved { remembered: 1, shared: 0 });
    let calls = usage::calls(queue, TenantId::DEFAULT, now, None).await.unwrap();
    assert_eq!((calls.calls, calls.prompt_tokens, calls.completion_tokens), (1, 700, 100));
}

#[tokio::test]
async fn alerts_of_one_template_at_the_same_time_ask_once_and_repeats_of_one_alert_are_told_once() {
    let server = Fake::start(|_, _| right()).await;
    let bench = Bench::new(&server, &[]);
    let alerts: Vec<_> =
        (10..60).map(|n| alert("Disk full on db1", &format!("Filesystem /var is {n} % full."))).collect();
    let attended = futures_util::future::join_all(alerts.iter().map(|alert| bench.attend(alert))).await;
    // Whichever looked first.
    let asked = alerts.iter().zip(&attended).filter(|(_, attended)| attended.answer_by.is_some());
    let [(asked, _)] = asked.collect::<Vec<_>>()[..] else { panic!("{attended:?}") };
    soon(bench.note(asked)).await;
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn nonsense_is_not_paid_for_again_at_once() {
    let server = Fake::start(|_, _| completion("I cannot help with that.", "stop")).await;
    let bench = Bench::new(&server, &[]);
    let first = alert("Disk full on db1", "Filesystem /var is 91 % full.");
    bench.attend(&first).await;
    assert_eq!(soon(bench.note(&first)).await, Found::NoAnswer);
    let second = alert("Disk full on db1", "Filesystem /var is 92 % full.");
    assert_eq!(bench.attend(&second).await, Attended::default());
    assert_eq!(server.seen().len(), 2, "a question and its repair");
}

#[tokio::test]
async fn past_the_budget_the_rules_read_alone() {
    let server = Fake::start(|_, _| right()).await;
    let bench = Bench::new(&server, &[("WATCHBELL_AI_DAILY_TOKENS", "800")]);
    let first = alert("Disk full on db1", "one");
    bench.attend(&first).await;
    soon(bench.note(&first)).await;
    let second = alert("Disk full on db2", "two");
    // The first call took the 800 tokens; whoever notices it first says so.
    if bench.attend(&second).await != Attended::default() {
        assert_eq!(soon(bench.note(&second)).await, Found::NoAnswer);
    }
    assert_eq!(bench.attend(&alert("Disk full on db3", "three")).await, Attended::default());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn nothing_is_spent_on_what_nobody_gets() {
    let server = Fake::start(|_, _| right()).await;
    let silence = Silence { id: SilenceId(1), matcher: Match::default(), expires_at: i64::MAX, comment: String::new() };
    let silenced = Bench::with(&server, &[], |tenant| tenant.silences.push(silence));
    let unrouted = Bench::with(&server, &[], |tenant| tenant.default_channels.clear());
    for bench in [silenced, unrouted] {
        assert_eq!(bench.attend(&alert("Disk full on db1", "x")).await, Attended::default());
    }
    assert!(server.seen().is_empty());
}
