//! A mail that somebody pasted, read by the code of the analyzer.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use watchbell_analysis::{Analysed, analyse, pasted};
use watchbell_common::{
    alert::{Alert, Event},
    config::{Document, Snapshot, Tenant},
    http::ApiError,
    ids::EventId,
};

use super::{
    super::{Api, configured::wrong, events::AnalysisView},
    ChannelName, name_of,
};

/// What was read in a mail.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadView {
    from: Vec<String>,
    to: Vec<String>,
    subject: String,
    text: String,
    labels: BTreeMap<String, String>,
    /// Names of attachments.
    attachments: Vec<String>,
    /// The channel that it is addressed to.
    channel: Option<ChannelName>,
    /// The same for mails about the same alert.
    fingerprint: String,
    /// What the rules understood.
    analysis: AnalysisView,
}

/// Reads a mail as if it arrived now. Mutes are left out: whoever asks is told about them beside the routing.
pub(super) async fn read(api: &Api, tenant: &Tenant, raw: String) -> Result<Alert, ApiError> {
    let now = api.shared.clock.now_ms();
    let payload = pasted::mail(EventId::at(now), tenant.id, now, raw);
    let unmuted = Tenant { mutes: Vec::new(), ..tenant.clone() };
    let config = Snapshot::compile(&Document { version: 0, tenants: vec![unmuted] }, &api.shared.vault);
    let config = config.map_err(|error| ApiError::internal().because(error.to_string()))?;
    let settings = api.shared.settings.clone();
    // A large one takes some milliseconds, and what makes it panic is no reason to cut the connection.
    let analysis = spawn_blocking(move || analyse(&payload, &config, &settings.smtp.channel_domain));
    match analysis.await.map_err(|_| ApiError::internal().because("the analysis panicked: a defect"))? {
        Analysed::Understood(alert) => Ok(*alert),
        Analysed::Muted { reason, .. } => Err(wrong("raw", format!("would be dropped at intake: {reason}"))),
    }
}

pub(super) fn view(alert: &Alert, tenant: &Tenant) -> ReadView {
    let Alert { event, analysis, fingerprint, .. } = alert.clone();
    let Event { from, to, subject, text, labels, attachments, channel, .. } = event;
    ReadView {
        from,
        to,
        subject,
        text,
        labels,
        attachments,
        channel: channel.map(|id| ChannelName { id, name: name_of(tenant, id) }),
        fingerprint,
        analysis: analysis.into(),
    }
}
