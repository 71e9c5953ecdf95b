//! A batch of intake jobs: read each payload, analyse it, decide.

use std::{panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::future::join_all;
use watchbell_analysis::{Analysed, analyse};
use watchbell_common::{
    alert::{Alert, Status},
    clock::UnixMillis,
    config::Snapshot,
    ids::{EventId, JobId, TenantId},
    payload::{AlertPayload, Fact, FactHead, Payload as _, RoutePayload, What},
    queue::{
        Counter, Ending, Lease, NewJob, QueueName, Verdict,
        worker::{Outcome, TEND_EVERY},
    },
    shared::Shared,
};

use crate::desk::{Attended, Desk};

/// Payloads from this size on are analysed beside the runtime's workers: base64 and HTML of some megabytes take
/// tens of milliseconds, during which a worker would serve nobody else.
const LARGE_BYTES: usize = 256 * 1024;

/// What a decision depends on beside the job.
struct Ground {
    raw_max_bytes: usize,
    now: UnixMillis,
}

/// What handling a batch needs.
pub(crate) struct Analyzer {
    pub(crate) shared: Shared,
    pub(crate) desk: Desk,
}

/// What was read in a payload, or why nothing could be.
type Read = Result<(AlertPayload, Analysed), String>;

/// Handles the jobs of a batch. Fails never: a job that cannot be analysed is buried.
pub(crate) async fn handle(analyzer: Arc<Analyzer>, leases: Vec<Lease>) -> anyhow::Result<Vec<Outcome>> {
    let config = analyzer.shared.config.load();
    let mut reads = Vec::with_capacity(leases.len());
    for lease in &leases {
        let started = std::time::Instant::now();
        reads.push(read_anywhere(&analyzer, &config, &lease.payload).await);
        metrics::histogram!("watchbell_analysis_seconds").record(started.elapsed());
        // A batch may take milliseconds; the runtime's other tasks need not wait for the whole of it.
        tokio::task::yield_now().await;
    }
    // Together, since each takes a look at the queue.
    let attending = reads.iter().map(|read| attend(&analyzer.desk, &config, read));
    let attended = join_all(attending).await;
    let shared = &analyzer.shared;
    let ground = Ground { raw_max_bytes: shared.settings.history.raw_max_bytes, now: shared.clock.now_ms() };
    let all = leases.iter().zip(reads).zip(attended);
    Ok(all.map(|((lease, read), attended)| decide(lease, read, attended, &ground)).collect())
}

async fn attend(desk: &Desk, config: &Snapshot, read: &Read) -> Attended {
    match read {
        Ok((_, Analysed::Understood(alert))) => desk.attend(alert, config).await,
        _ => Attended::default(),
    }
}

async fn read_anywhere(analyzer: &Arc<Analyzer>, config: &Arc<Snapshot>, payload: &Bytes) -> Read {
    if payload.len() < LARGE_BYTES {
        return read(payload, config, &analyzer.shared.settings.smtp.channel_domain);
    }
    let (analyzer, config, payload) = (analyzer.clone(), config.clone(), payload.clone());
    let reading = move || read(&payload, &config, &analyzer.shared.settings.smtp.channel_domain);
    tokio::task::spawn_blocking(reading).await.expect("the analysis catches its panics, and nothing cancels it")
}

fn read(payload: &Bytes, config: &Snapshot, channel_domain: &str) -> Read {
    let payload = AlertPayload::decode(payload).map_err(|error| error.to_string())?;
    // A mail that makes the analysis panic must not take the process with it, again and again.
    let analysed = std::panic::catch_unwind(AssertUnwindSafe(|| analyse(&payload, config, channel_domain)));
    let analysed = analysed.map_err(|_| "the analysis failed: a defect, replay the job after an update".to_owned())?;
    Ok((payload, analysed))
}

fn decide(lease: &Lease, read: Read, attended: Attended, ground: &Ground) -> Outcome {
    match read {
        Ok((payload, analysed)) => outcome(lease, &payload, analysed, attended, ground),
        Err(reason) => bury(lease, ground.now, reason),
    }
}

fn bury(lease: &Lease, now: UnixMillis, reason: String) -> Outcome {
    let event_id = lease.event.map(tracing::field::display);
    tracing::error!(job.id = %lease.token.job, event.id = event_id, "burying an intake job: {reason}");
    metrics::counter!("watchbell_analyzed_total", "result" => "buried").increment(1);
    let facts = lease.event.map(|event| {
        let what = What::Buried { reason: reason.clone() };
        Fact { head: FactHead { tenant: lease.tenant, event, at: now, what }, raw: Bytes::new() }.encode()
    });
    Outcome { verdict: Verdict::Bury { reason }, facts: facts.into_iter().collect() }
}

fn outcome(lease: &Lease, payload: &AlertPayload, analysed: Analysed, attended: Attended, ground: &Ground) -> Outcome {
    let raw = payload.raw.slice(..payload.raw.len().min(ground.raw_max_bytes));
    let (tenant, event) = (payload.head.tenant, payload.head.event);
    let (verdict, what) = match analysed {
        Analysed::Muted { event, reason, mute } => {
            metrics::counter!("watchbell_analyzed_total", "result" => "muted").increment(1);
            let verdict = Verdict::Complete { follow_ups: Vec::new(), ending: Some(Ending::Muted) };
            (verdict, What::Dropped { event, ending: Ending::Muted, reason, mute })
        }
        Analysed::Understood(alert) => {
            metrics::counter!("watchbell_analyzed_total", "result" => "analysed").increment(1);
            tracing::debug!(event.id = %event, alert.id = %alert.id, severity = %alert.analysis.severity, "analysed");
            let follow_ups = vec![(QueueName::Route, route_job(tenant, event, &lease.lane, &alert, attended))];
            let raw_truncated = raw.len() < payload.raw.len();
            (Verdict::Complete { follow_ups, ending: None }, What::Analysed { alert, raw_truncated })
        }
    };
    let fact = Fact { head: FactHead { tenant, event, at: ground.now, what }, raw };
    Outcome { verdict, facts: vec![fact.encode()] }
}

/// Names the job that routes an event. It follows from the event's id, so that a step that is repeated after a crash
/// names it alike.
pub(crate) fn route_job_id(event: EventId) -> JobId {
    JobId::derived(&[b"route", event.uuid().as_bytes()])
}

/// The next job. Its order and counter are the alert, so that the repeats of one alert stay in order and are counted.
fn route_job(tenant: TenantId, event: EventId, lane: &str, alert: &Alert, attended: Attended) -> NewJob {
    let Attended { refined, answer_by, wait } = attended;
    let payload = RoutePayload { alert: alert.clone(), refined, answer_by }.encode();
    let mut job = NewJob::new(route_job_id(event), tenant, Some(event), lane, payload);
    // So that it leaves within the wait and not just after it.
    job.delay = wait.saturating_sub(TEND_EVERY);
    job.order = Some(alert.id.to_string());
    let closes = alert.analysis.status == Status::Resolved;
    job.counter = Some(Counter { name: alert.id.to_string(), closes });
    job
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        alert::Status,
        payload::{Content, Envelope, IntakeHead},
        queue::{LeaseToken, WorkerId},
    };

    use super::*;

    fn lease(payload: Bytes) -> Lease {
        let event = EventId::derived(&[b"event"]);
        let token = LeaseToken {
            queue: QueueName::Intake,
            job: JobId::derived(&[b"intake"]),
            worker: WorkerId("w".into()),
            epoch: 1,
        };
        Lease {
            token,
            tenant: TenantId::DEFAULT,
            event: Some(event),
            lane: "lane".to_owned(),
            attempts: 0,
            lapses: 0,
            count: 0,
            since: 0,
            payload,
        }
    }

    fn mail(raw: &'static str) -> Bytes {
        let head = IntakeHead {
            event: EventId::derived(&[b"event"]),
            tenant: TenantId::DEFAULT,
            received_at: 5,
            peer: None,
            channel: None,
            content: Content::Mail(Envelope { mail_from: "root@vm".to_owned(), ..Envelope::default() }),
        };
        AlertPayload { head, raw: Bytes::from_static(raw.as_bytes()) }.encode()
    }

    fn decided(payload: Bytes, raw_max_bytes: usize) -> (Verdict, Vec<Fact>) {
        let read = read(&payload, &Snapshot::default(), "");
        let outcome = decide(&lease(payload), read, Attended::default(), &Ground { raw_max_bytes, now: 9 });
        let facts = outcome.facts.iter().map(|fact| Fact::decode(fact).unwrap()).collect();
        (outcome.verdict, facts)
    }

    #[test]
    fn an_analysed_event_goes_to_routing_in_the_same_lane() {
        let (verdict, facts) = decided(mail("Subject: web01 is down\n\nbody"), 10);
        let Verdict::Complete { follow_ups, ending: None } = verdict else { panic!("{verdict:?}") };
        let [(QueueName::Route, job)] = &follow_ups[..] else { panic!("{follow_ups:?}") };
        let alert = RoutePayload::decode(&job.payload).unwrap().alert;
        assert_eq!(job.lane, "lane");
        assert_eq!(job.event, Some(alert.event.id));
        assert_eq!(job.order, Some(alert.id.to_string()));
        assert_eq!(job.counter, Some(Counter { name: alert.id.to_string(), closes: false }));
        assert_eq!(alert.analysis.status, Status::Firing);
        let mut resolved = alert.clone();
        resolved.analysis.status = Status::Resolved;
        let job = route_job(alert.event.tenant, alert.event.id, "lane", &resolved, Attended::default());
        assert!(job.counter.is_some_and(|counter| counter.closes), "the next one is a new episode");
        let [fact] = &facts[..] else { panic!("{facts:?}") };
        assert_eq!(fact.head.at, 9);
        assert_eq!(fact.head.what, What::Analysed { alert: Box::new(alert), raw_truncated: true });
        assert_eq!(&fact.raw[..], b"Subject: w");
    }

    #[test]
    fn the_repeat_of_a_crashed_step_names_its_job_alike() {
        let id = |verdict| match verdict {
            Verdict::Complete { follow_ups, .. } => follow_ups[0].1.id,
            other => panic!("{other:?}"),
        };
        assert_eq!(id(decided(mail("x"), 10).0), id(decided(mail("x"), 10).0));
    }

    #[test]
    fn an_unreadable_payload_is_buried() {
        for bytes in ["", "no line feed", "{}\n", "{\"v\":\"99\"}\nraw"] {
            let (verdict, facts) = decided(Bytes::from_static(bytes.as_bytes()), 10);
            let Verdict::Bury { reason } = verdict else { panic!("{verdict:?}") };
            assert!(reason.starts_with("unreadable payload"), "{reason}");
            assert_eq!(facts[0].head.what, What::Buried { reason });
        }
    }
}
