//! What people do with alerts: acknowledge, take that back, resolve, correct the analysis.

use axum::{Json as Answer, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::Status,
    http::ApiError,
    ids::{ActionId, AlertId},
    store::{
        alerts::{self, StoredAlert},
        changes,
        marks::{self, Action, Label, What},
    },
};

use super::{
    Api, Shelf,
    alerts::{AlertDetail, AlertFilter, LabelBody, detail},
    body::{Id, Json},
    caller::{Caller, Editor},
    change::Change,
    errors::ChangeErrors,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(acknowledge))
        .routes(routes!(unacknowledge))
        .routes(routes!(resolve))
        .routes(routes!(label))
        .routes(routes!(acknowledge_many))
}

/// How long a comment or a corrected text may be.
const TEXT_MAX_BYTES: usize = 2_000;

/// How many alerts one request acknowledges.
const BULK_MAX: u32 = 500;

/// What somebody says about it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comment {
    /// For the timeline; may be absent. At most 2,000 bytes.
    #[serde(default)]
    #[schema(example = "replacing the disk")]
    comment: String,
}

/// Acknowledge an alert
///
/// It stays acknowledged while it goes on firing, until an event resolves it or is more severe.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id")), request_body = Comment,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = AlertDetail), ChangeErrors)
)]
async fn acknowledge(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<AlertId>,
    Json(body): Json<Comment>,
) -> Result<Answer<AlertDetail>, ApiError> {
    act_on_one(&api, &caller, id, What::Acknowledge, (body.comment, None)).await
}

/// Take an acknowledgement or a resolution back
///
/// The alert's status is then again what its events say.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/unacknowledge", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id")), request_body = Comment,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = AlertDetail), ChangeErrors)
)]
async fn unacknowledge(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<AlertId>,
    Json(body): Json<Comment>,
) -> Result<Answer<AlertDetail>, ApiError> {
    act_on_one(&api, &caller, id, What::Unacknowledge, (body.comment, None)).await
}

/// Resolve an alert
///
/// It stays resolved until an event fires again.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/resolve", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id")), request_body = Comment,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = AlertDetail), ChangeErrors)
)]
async fn resolve(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<AlertId>,
    Json(body): Json<Comment>,
) -> Result<Answer<AlertDetail>, ApiError> {
    act_on_one(&api, &caller, id, What::Resolve, (body.comment, None)).await
}

/// Correct the analysis of an alert
///
/// The correction is kept as a label of the last event; what was understood of it stays beside it.
#[utoipa::path(
    put, path = "/api/v1/alerts/{id}/label", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id")), request_body = LabelBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = AlertDetail), ChangeErrors)
)]
async fn label(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<AlertId>,
    Json(body): Json<LabelBody>,
) -> Result<Answer<AlertDetail>, ApiError> {
    let LabelBody { severity, category, system, summary, action } = body;
    let label = Label { severity, category, system, summary, action };
    if label == Label::default() {
        return Err(ApiError::validation("a label says at least one of severity, category, system, summary, action"));
    }
    for (name, text) in [
        ("category", &label.category),
        ("system", &label.system),
        ("summary", &label.summary),
        ("action", &label.action),
    ] {
        check_text(name, text.as_deref().unwrap_or_default())?;
    }
    act_on_one(&api, &caller, id, What::Label, (String::new(), Some(label))).await
}

async fn act_on_one(
    api: &Api,
    caller: &Caller,
    id: AlertId,
    what: What,
    (comment, label): (String, Option<Label>),
) -> Result<Answer<AlertDetail>, ApiError> {
    check_text("comment", &comment)?;
    let mut change = api.write(caller).await?;
    let alert = alerts::get(change.tx(), caller.tenant, id).await?.ok_or_else(|| ApiError::not_found("not found"))?;
    act(api, caller, &mut change, &alert, (what, comment, label)).await?;
    note_change(api, caller, &mut change, &[id]).await?;
    let shown = detail(change.tx(), caller.tenant, id).await?;
    change.commit().await?;
    Ok(Answer(shown))
}

/// One alert, its timeline, the audit log.
async fn act(
    api: &Api,
    caller: &Caller,
    change: &mut Change<'_>,
    alert: &StoredAlert,
    (what, comment, label): (What, String, Option<Label>),
) -> Result<(), ApiError> {
    #[derive(Serialize)]
    struct Audited<'a> {
        status: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        comment: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<&'a Label>,
    }
    let at = api.shared.clock.now_ms();
    let action = Action {
        id: ActionId::at(at),
        alert: alert.id,
        at,
        event: alert.last_event,
        what,
        actor: caller.actor.clone(),
        comment,
        label,
    };
    marks::act(change.tx(), caller.tenant, alert, &action).await?;
    let after = alerts::get(change.tx(), caller.tenant, alert.id).await?;
    let after = after.map_or(alert.analysis.status, |after| after.analysis.status);
    let before = Audited { status: alert.analysis.status.as_str(), comment: "", label: None };
    let after = Audited { status: after.as_str(), comment: &action.comment, label: action.label.as_ref() };
    change.audit(what.as_str(), "alert", alert.id, (Some(&before), Some(&after))).await
}

/// Tells live updates.
async fn note_change(api: &Api, caller: &Caller, change: &mut Change<'_>, alerts: &[AlertId]) -> Result<(), ApiError> {
    let changed = alerts.iter().copied().collect();
    let now = api.shared.clock.now_ms();
    Ok(changes::add(change.tx(), caller.tenant, &changed, 0, now).await?)
}

fn check_text(name: &str, text: &str) -> Result<(), ApiError> {
    if text.len() <= TEXT_MAX_BYTES {
        return Ok(());
    }
    Err(ApiError::validation(format!("{name}: is longer than {TEXT_MAX_BYTES} bytes")))
}

/// Which alerts to acknowledge: those with these ids, or those that pass the filter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeMany {
    /// At most 500.
    #[schema(value_type = Option<Vec<String>>)]
    ids: Option<Vec<AlertId>>,
    /// As in the list. Only firing alerts are acknowledged, the latest 500.
    #[serde(default, deserialize_with = "strict")]
    filter: Option<AlertFilter>,
    #[serde(default)]
    comment: String,
}

/// A filter of which every field is known: one that is misspelt would acknowledge everything.
fn strict<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<AlertFilter>, D::Error> {
    use serde::de::Error as _;
    let Some(value) = Option::<serde_json::Value>::deserialize(input)? else { return Ok(None) };
    let known = serde_json::to_value(AlertFilter::default()).map_err(D::Error::custom)?;
    let fields = value.as_object().into_iter().flatten().map(|(name, _)| name);
    if let Some(unknown) = fields.into_iter().find(|name| known.get(name.as_str()).is_none()) {
        return Err(D::Error::custom(format!("unknown field `{unknown}` of the filter")));
    }
    serde_json::from_value(value).map(Some).map_err(D::Error::custom)
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkOutcome {
    /// How many were acknowledged now.
    acknowledged: usize,
    /// How many were not firing, or are not there.
    skipped: usize,
    /// More firing alerts pass the filter: ask again.
    more: bool,
}

/// Acknowledge many alerts
#[utoipa::path(
    post, path = "/api/v1/alerts/acknowledge", tag = "alerts", request_body = AcknowledgeMany,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = BulkOutcome), ChangeErrors)
)]
async fn acknowledge_many(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Json(body): Json<AcknowledgeMany>,
) -> Result<Answer<BulkOutcome>, ApiError> {
    check_text("comment", &body.comment)?;
    let mut change = api.write(&caller).await?;
    let (found, asked, more) = match (body.ids, body.filter) {
        (Some(ids), None) if ids.len() <= BULK_MAX as usize => {
            (alerts::of_ids(change.tx(), caller.tenant, &ids).await?, ids.len(), false)
        }
        (Some(_), None) => return Err(ApiError::validation(format!("ids: lists more than {BULK_MAX}"))),
        (None, Some(filter)) => {
            let mut filter = filter.read()?;
            if !filter.statuses.is_empty() && !filter.statuses.contains(&Status::Firing) {
                return Err(ApiError::validation("status: only firing alerts are acknowledged"));
            }
            filter.statuses = vec![Status::Firing];
            let found = alerts::list(change.tx(), caller.tenant, &filter, None, BULK_MAX).await?.items;
            let asked = found.len();
            (found, asked, asked == BULK_MAX as usize)
        }
        _ => return Err(ApiError::validation("give either ids or filter")),
    };
    let firing: Vec<_> = found.into_iter().filter(|alert| alert.analysis.status == Status::Firing).collect();
    for alert in &firing {
        act(&api, &caller, &mut change, alert, (What::Acknowledge, body.comment.clone(), None)).await?;
    }
    let ids: Vec<_> = firing.iter().map(|alert| alert.id).collect();
    note_change(&api, &caller, &mut change, &ids).await?;
    change.commit().await?;
    let acknowledged = firing.len();
    Ok(Answer(BulkOutcome { acknowledged, skipped: asked.saturating_sub(acknowledged), more }))
}
