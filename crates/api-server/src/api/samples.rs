//! A set of made-up alerts for those who look around: they pass the real pipeline, and can be removed again.

use axum::{Json, extract::State, http::StatusCode};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::{Severity, Status},
    clock::UnixMillis,
    http::ApiError,
    ids::{EventId, JobId, TenantId},
    payload::{AlertPayload, Content, IntakeHead, Item, Payload as _},
    queue::{NewJob, QueueName},
    store::retention,
};

use super::{Shelf, caller::Editor, errors::Common};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(send_samples, remove_samples))
}

/// The source of sample events, by which they are found again. No door gives it to anything else.
const SOURCE: &str = "sample";

/// One of the set, as a monitoring system would say it.
struct Story {
    /// The same for an alert and its end.
    key: &'static str,
    from: &'static str,
    system: &'static str,
    category: &'static str,
    severity: Severity,
    status: Status,
    title: &'static str,
    text: &'static str,
}

const STORIES: [Story; 9] = [
    Story {
        key: "disk",
        from: "zabbix@monitoring.example",
        system: "db1",
        category: "disk",
        severity: Severity::Critical,
        status: Status::Firing,
        title: "Free disk space is less than 3% on /var/lib/postgresql",
        text: "Trigger: Free disk space is less than 3% on volume /var/lib/postgresql\nHost: db1\n\
               Used: 487.2 GB of 500 GB (97.44 %)\nGrowth: 1.8 GB per hour, full in about 7 hours",
    },
    Story {
        key: "cpu",
        from: "zabbix@monitoring.example",
        system: "app2",
        category: "cpu",
        severity: Severity::Warning,
        status: Status::Firing,
        title: "Load average is too high on app2 (per CPU load over 1.5 for 5m)",
        text: "Load averages (1m 5m 15m): 14.2 12.9 8.1, number of CPUs: 8\nHost: app2",
    },
    Story {
        key: "shop",
        from: "blackbox@prometheus.example",
        system: "shop.example.org",
        category: "http",
        severity: Severity::Error,
        status: Status::Firing,
        title: "shop.example.org answers 502 Bad Gateway",
        text: "GET https://shop.example.org/cart answered 502 in 41 ms, 6 times in a row.\n\
               The balancer found no healthy backend in pool shop-web.",
    },
    Story {
        key: "certificate",
        from: "certwatch@monitoring.example",
        system: "mail.example.org",
        category: "certificate",
        severity: Severity::Warning,
        status: Status::Firing,
        title: "The certificate of mail.example.org expires in 6 days",
        text: "Subject: CN=mail.example.org\nIssuer: CN=R11, O=Let's Encrypt\n\
               The last renewal failed: connection refused on port 80.",
    },
    Story {
        key: "switch",
        from: "nms@network.example",
        system: "switch-3",
        category: "network",
        severity: Severity::Critical,
        status: Status::Firing,
        title: "switch-3 is down: no answer to ping for 180 s",
        text: "Device: switch-3 (10.20.0.13)\nUplink: core-1, port ge-0/0/24, link down\nBehind it: 14 devices",
    },
    Story {
        key: "replication",
        from: "pgmonitor@db2.example",
        system: "db2",
        category: "database",
        severity: Severity::Error,
        status: Status::Firing,
        title: "Replication lag of db2 is 412 s",
        text: "Standby db2 is 412 s (3.1 GB) behind its primary db1.\nwal_receiver: streaming, last message 2 s ago",
    },
    Story {
        key: "backup",
        from: "backup@files1.example",
        system: "files1",
        category: "backup",
        severity: Severity::Error,
        status: Status::Firing,
        title: "Backup of files1 failed after 2 h 14 min",
        text: "Job: nightly-files1\nError: the repository is locked by another process since 3 days\nSaved: 0 of 212 GB",
    },
    Story {
        key: "updates",
        from: "root@web4.example",
        system: "web4",
        category: "update",
        severity: Severity::Info,
        status: Status::Firing,
        title: "12 packages can be updated on web4",
        text: "4 of them are security updates: openssl, libssl3, curl, libcurl4",
    },
    Story {
        key: "cpu",
        from: "zabbix@monitoring.example",
        system: "app2",
        category: "cpu",
        severity: Severity::Warning,
        status: Status::Resolved,
        title: "Load average is too high on app2 (per CPU load over 1.5 for 5m)",
        text: "Load averages (1m 5m 15m): 3.4 7.7 8.9, number of CPUs: 8\nHost: app2",
    },
];

impl Story {
    fn job(&self, tenant: TenantId, at: UnixMillis) -> NewJob {
        let text = |text: &str| Some(text.to_owned());
        let item = Item {
            source: SOURCE.to_owned(),
            key: text(self.key),
            title: self.title.to_owned(),
            text: self.text.to_owned(),
            severity: Some(self.severity),
            status: Some(self.status),
            system: text(self.system),
            category: text(self.category),
            from: text(self.from),
            labels: [(SOURCE.to_owned(), "true".to_owned())].into(),
        };
        let raw = Bytes::from(serde_json::to_vec(&item).expect("an item is made of texts"));
        let event = EventId::at(at);
        let content = Content::Item(item);
        let head = IntakeHead { event, tenant, received_at: at, peer: None, channel: None, content };
        let payload = AlertPayload { head, raw }.encode();
        NewJob::new(JobId::from_uuid(event.uuid()), tenant, Some(event), SOURCE, payload)
    }
}

/// How many events were queued.
#[derive(Debug, Serialize, ToSchema)]
struct SamplesQueued {
    queued: usize,
}

/// How many rows of the history went.
#[derive(Debug, Serialize, ToSchema)]
struct SamplesRemoved {
    alerts: u64,
}

/// Sends a set of sample alerts
///
/// They pass the pipeline like any other: rules, silences, channels. Their source is `sample`, and they have the label
/// `sample`.
#[utoipa::path(
    post, path = "/api/v1/samples", tag = "alerts", extensions(("x-role" = json!("editor"))),
    responses((status = 202, body = SamplesQueued), Common)
)]
async fn send_samples(
    State(api): State<Shelf>,
    Editor(caller): Editor,
) -> Result<(StatusCode, Json<SamplesQueued>), ApiError> {
    // A millisecond apart, so that an alert's end comes after it.
    let times = api.shared.clock.now_ms()..;
    let jobs: Vec<_> = STORIES.iter().zip(times).map(|(story, at)| story.job(caller.tenant, at)).collect();
    let queued = jobs.len();
    api.shared.queue.push(QueueName::Intake, jobs).await?;
    Ok((StatusCode::ACCEPTED, Json(SamplesQueued { queued })))
}

/// Removes the sample alerts from the history
///
/// With their events and deliveries. The books go on counting them: they were received.
#[utoipa::path(
    delete, path = "/api/v1/samples", tag = "alerts", extensions(("x-role" = json!("editor"))),
    responses((status = 200, body = SamplesRemoved), Common)
)]
async fn remove_samples(State(api): State<Shelf>, Editor(caller): Editor) -> Result<Json<SamplesRemoved>, ApiError> {
    let mut change = api.write(&caller).await?;
    let alerts = retention::remove_source(change.tx(), caller.tenant, SOURCE, api.shared.clock.now_ms()).await?;
    change.audit::<()>("remove", "samples", alerts, (None, None)).await?;
    change.commit().await?;
    Ok(Json(SamplesRemoved { alerts }))
}
