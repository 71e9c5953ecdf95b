//! One intake job: read the payload, analyse it, decide.

use std::{panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use watchbell_common::{
    alert::Alert,
    clock::UnixMillis,
    config::Snapshot,
    ids::{EventId, JobId, TenantId},
    payload::{AlertPayload, Fact, FactHead, Payload as _, RoutePayload, What},
    queue::{Ending, Lease, NewJob, QueueName, Verdict, worker::Outcome},
    shared::Shared,
};

use crate::stages::{Analysed, analyse};

/// Payloads from this size on are analysed beside the runtime's workers: base64 and HTML of some megabytes take
/// tens of milliseconds, during which a worker would serve nobody else.
const LARGE_BYTES: usize = 256 * 1024;

/// Handles a job.
pub(crate) async fn handle(shared: Arc<Shared>, lease: Lease) -> Outcome {
    let started = std::time::Instant::now();
    let outcome = if lease.payload.len() < LARGE_BYTES {
        decide(&shared, &lease)
    } else {
        let (shared, lease) = (shared.clone(), lease.clone());
        let decided = tokio::task::spawn_blocking(move || decide(&shared, &lease)).await;
        decided.expect("decide catches its panics, and nothing cancels it")
    };
    metrics::histogram!("watchbell_analysis_seconds").record(started.elapsed());
    outcome
}

fn decide(shared: &Shared, lease: &Lease) -> Outcome {
    let now = shared.clock.now_ms();
    let payload = match AlertPayload::decode(&lease.payload) {
        Ok(payload) => payload,
        Err(error) => return bury(lease, now, error.to_string()),
    };
    let config = shared.config.load();
    match guarded(&payload, &config, &shared.settings.smtp.channel_domain) {
        Some(analysed) => outcome(lease, &payload, analysed, now, shared.settings.history.raw_max_bytes),
        None => bury(lease, now, "the analysis failed; this is a defect, replay the job after an update".to_owned()),
    }
}

/// A mail that makes the analysis panic must not take the process with it, again and again.
fn guarded(payload: &AlertPayload, config: &Snapshot, channel_domain: &str) -> Option<Analysed> {
    std::panic::catch_unwind(AssertUnwindSafe(|| analyse(payload, config, channel_domain))).ok()
}

fn bury(lease: &Lease, now: UnixMillis, reason: String) -> Outcome {
    tracing::error!(job.id = %lease.token.job, event.id = lease.event.map(tracing::field::display), "burying an intake job: {reason}");
    metrics::counter!("watchbell_analyzed_total", "result" => "buried").increment(1);
    let facts = lease.event.map(|event| {
        let what = What::Buried { reason: reason.clone() };
        Fact { head: FactHead { tenant: lease.tenant, event, at: now, what }, raw: Bytes::new() }.encode()
    });
    Outcome { verdict: Verdict::Bury { reason }, facts: facts.into_iter().collect() }
}

fn outcome(
    lease: &Lease,
    payload: &AlertPayload,
    analysed: Analysed,
    now: UnixMillis,
    raw_max_bytes: usize,
) -> Outcome {
    let raw = payload.raw.slice(..payload.raw.len().min(raw_max_bytes));
    let (tenant, event) = (payload.head.tenant, payload.head.event);
    let (verdict, what) = match analysed {
        Analysed::Muted { event, reason } => {
            metrics::counter!("watchbell_analyzed_total", "result" => "muted").increment(1);
            let verdict = Verdict::Complete { follow_ups: Vec::new(), ending: Some(Ending::Muted) };
            (verdict, What::Dropped { event: Box::new(event), ending: Ending::Muted, reason })
        }
        Analysed::Understood(alert) => {
            metrics::counter!("watchbell_analyzed_total", "result" => "analysed").increment(1);
            tracing::debug!(event.id = %event, alert.id = %alert.id, severity = %alert.analysis.severity, "analysed");
            let follow_ups = vec![(QueueName::Route, route_job(tenant, event, &lease.lane, &alert))];
            let raw_truncated = raw.len() < payload.raw.len();
            (Verdict::Complete { follow_ups, ending: None }, What::Analysed { alert, raw_truncated })
        }
    };
    let fact = Fact { head: FactHead { tenant, event, at: now, what }, raw };
    Outcome { verdict, facts: vec![fact.encode()] }
}

/// The next job. Its id follows from the event's, so that a step that is repeated after a crash names it alike;
/// its order and counter are the alert, so that the repeats of one alert stay in order and are counted.
fn route_job(tenant: TenantId, event: EventId, lane: &str, alert: &Alert) -> NewJob {
    let id = JobId::derived(&[b"route", event.uuid().as_bytes()]);
    let payload = RoutePayload { alert: alert.clone() }.encode();
    let mut job = NewJob::new(id, tenant, Some(event), lane, payload);
    job.order = Some(alert.id.to_string());
    job.counter = Some(alert.id.to_string());
    job
}
