//! Made-up alerts, to try rules, templates and channels with.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;
use watchbell_common::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    clock::UnixMillis,
    ids::{ChannelId, EventId, TenantId},
};

/// An alert that nobody sent. What is absent is empty, but for the severity `info` and the status `firing`.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SampleEvent, example = json!({"from": ["zabbix@corp.example"], "subject": "Disk full on db1", "source": "mail",
    "severity": "critical", "system": "db1", "category": "disk"}))]
pub(super) struct Sample {
    #[serde(default)]
    pub(super) from: Vec<String>,
    #[serde(default)]
    pub(super) to: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) text: Option<String>,
    /// `mail`, `push`, `alertmanager` …; `push` when absent.
    pub(super) source: Option<String>,
    /// The channel that it is addressed to.
    #[schema(value_type = Option<i64>)]
    pub(super) channel: Option<ChannelId>,
    pub(super) severity: Option<Severity>,
    pub(super) status: Option<Status>,
    pub(super) system: Option<String>,
    pub(super) category: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) action: Option<String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

impl Sample {
    /// As the analyzer would have passed it on.
    pub(super) fn alert(self, tenant: TenantId, id: EventId, now: UnixMillis) -> Alert {
        let lower = |texts: Vec<String>| texts.iter().map(|text| text.to_lowercase()).collect();
        let subject = self.subject.unwrap_or_default();
        let fingerprint = format!("{:032x}", id.uuid().as_u128());
        Alert {
            analysis: Analysis {
                severity: self.severity.unwrap_or(Severity::Info),
                status: self.status.unwrap_or(Status::Firing),
                category: self.category.unwrap_or_else(|| "other".to_owned()),
                system: self.system.unwrap_or_default(),
                summary: self.summary.unwrap_or_else(|| subject.clone()),
                action: self.action.unwrap_or_default(),
                origin: Origin::Rules,
                confidence: 1.0,
            },
            event: Event {
                id,
                tenant,
                received_at: now,
                source: self.source.unwrap_or_else(|| "push".to_owned()),
                channel: self.channel,
                peer: None,
                from: lower(self.from),
                to: lower(self.to),
                subject,
                text: self.text.unwrap_or_default(),
                labels: self.labels,
                attachments: Vec::new(),
            },
            id: Alert::id_of(tenant, &fingerprint),
            fingerprint,
        }
    }
}
