//! A mail or the body of a webhook that somebody pasted, read by the code of the doors and the analyzer.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use watchbell_analysis::{Analysed, analyse, pasted};
use watchbell_common::{
    alert::{Alert, Event},
    config::{Document, Snapshot, Tenant},
    http::ApiError,
    ids::{ChannelId, EventId},
    payload::{AlertPayload, Content, IntakeHead},
};
use watchbell_dialects::{GENERIC, Post};

use super::{
    super::{Api, configured::wrong, events::AnalysisView},
    ChannelName, name_of,
};

/// Alerts of one body that are routed. Real notifications hold some dozens at most, and each answer is some kB.
const ALERTS_MAX: usize = 20;

/// What was read in a mail or a body.
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

/// Reads a mail as if it arrived now.
pub(super) async fn mail(api: &Api, tenant: &Tenant, raw: String) -> Result<Vec<Alert>, ApiError> {
    let now = api.shared.clock.now_ms();
    let payload = pasted::mail(EventId::at(now), tenant.id, now, raw);
    understood(api, tenant, "raw", vec![payload]).await
}

/// Reads a body as if it were posted now, to that channel. Answers the first [`ALERTS_MAX`] of its alerts, and how many
/// it holds.
pub(super) async fn body(
    api: &Api,
    tenant: &Tenant,
    body: &RawValue,
    channel: Option<ChannelId>,
) -> Result<(Vec<Alert>, usize), ApiError> {
    if let Some(id) = channel
        && !tenant.channels.iter().any(|channel| channel.id == id)
    {
        return Err(wrong("channel", format!("there is no channel {id}")));
    }
    let now = api.shared.clock.now_ms();
    let post = Post { body: body.get().as_bytes(), depth_max: api.shared.settings.http.json_depth_max };
    let readings = (GENERIC.parse)(&post).map_err(|error| ApiError::validation(error.to_string()))?;
    let count = readings.len();
    let payload = |item| {
        let (event, content) = (EventId::at(now), Content::Item(item));
        let head = IntakeHead { event, tenant: tenant.id, received_at: now, peer: None, channel, content };
        AlertPayload { head, raw: Bytes::new() }
    };
    let payloads = readings.into_iter().take(ALERTS_MAX).map(|reading| payload(reading.item)).collect();
    Ok((understood(api, tenant, "body", payloads).await?, count))
}

/// What the analyzer makes of payloads. Mutes are left out: whoever asks is told about them beside the routing.
async fn understood(
    api: &Api,
    tenant: &Tenant,
    field: &str,
    payloads: Vec<AlertPayload>,
) -> Result<Vec<Alert>, ApiError> {
    let unmuted = Tenant { mutes: Vec::new(), ..tenant.clone() };
    let config = Snapshot::compile(&Document { version: 0, tenants: vec![unmuted] }, &api.shared.vault);
    let config = config.map_err(|error| ApiError::internal().because(error.to_string()))?;
    let settings = api.shared.settings.clone();
    // A large one takes some milliseconds, and what makes it panic is no reason to cut the connection.
    let analyse_all = move || -> Vec<_> {
        payloads.iter().map(|payload| analyse(payload, &config, &settings.smtp.channel_domain)).collect()
    };
    let analysed = spawn_blocking(analyse_all).await;
    let analysed = analysed.map_err(|_| ApiError::internal().because("the analysis panicked: a defect"))?;
    let alert = |analysed| match analysed {
        Analysed::Understood(alert) => Ok(*alert),
        Analysed::Muted { reason, .. } => Err(wrong(field, format!("would be dropped at intake: {reason}"))),
    };
    analysed.into_iter().map(alert).collect()
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
