//! Routing rules, in the order in which they are tried. Trying them out lives in [`super::trial`].

use std::collections::HashMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::Severity,
    config::{Active, Channel, Escalate, Match, Rule, check, check::Wrong},
    http::ApiError,
    ids::{ChannelId, RuleId, TenantId},
    settings::parse_duration,
    store::{
        Connection, channels,
        config::{self, Kind, Owned, Times},
        rules,
    },
};

use super::{
    Shelf,
    body::{self, Id},
    caller::{Caller, Editor, Viewer},
    configured::{Stamp, find, find_to_change, invalid, name, wrong},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(list_rules, create_rule))
        .routes(routes!(order_rules))
        .routes(routes!(get_rule, update_rule, delete_rule))
        .routes(routes!(enable_rule))
        .routes(routes!(disable_rule))
}

/// A rule: what it matches, and what then happens.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "databases", "match": {"from": "*@db-servers.local", "severity_at_least": "warning"},
    "channels": [1], "continue": true}))]
pub(super) struct RuleBody {
    /// 1 to 64 characters, unique.
    pub(super) name: String,
    /// Everything that is given must hold; nothing given matches everything.
    #[serde(rename = "match", default)]
    matcher: Match,
    #[serde(default)]
    #[schema(value_type = Vec<i64>)]
    channels: Vec<ChannelId>,
    /// Also look at the rules after this one.
    #[serde(default)]
    r#continue: bool,
    /// The rule's own word on the severity, up or down.
    set_severity: Option<Severity>,
    escalate: Option<EscalateBody>,
    /// When the rule applies; always when absent.
    active: Option<Active>,
    /// How long its alerts may wait for the model's answer, for example `5s`; not at all when absent.
    ai_max_wait: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
}

const fn yes() -> bool {
    true
}

/// More channels for what is severe.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EscalateBody {
    severity_at_least: Severity,
    #[schema(value_type = Vec<i64>)]
    channels: Vec<ChannelId>,
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
struct RuleView {
    #[schema(value_type = i64)]
    id: RuleId,
    name: String,
    #[serde(rename = "match")]
    matcher: Match,
    #[schema(value_type = Vec<i64>)]
    channels: Vec<ChannelId>,
    r#continue: bool,
    set_severity: Option<Severity>,
    escalate: Option<EscalateBody>,
    active: Option<Active>,
    #[schema(example = "5s")]
    ai_max_wait: Option<String>,
    enabled: bool,
    #[serde(flatten)]
    stamp: Stamp,
}

/// The order in which rules are tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    /// Each rule that the provisioning file does not keep, once. Those of the file come first in any case.
    #[schema(value_type = Vec<i64>)]
    ids: Vec<RuleId>,
}

/// The rules, in the order in which they are tried
#[utoipa::path(
    get, path = "/api/v1/rules", tag = "rules", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<RuleView>), Common)
)]
async fn list_rules(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<RuleView>>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(all(&mut tx, caller.tenant).await?))
}

/// Makes a rule, the last to be tried
#[utoipa::path(
    post, path = "/api/v1/rules", tag = "rules", request_body = RuleBody, extensions(("x-role" = json!("editor"))),
    responses((status = 201, body = RuleView), ChangeErrors)
)]
async fn create_rule(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<RuleBody>,
) -> Result<(StatusCode, Json<RuleView>), ApiError> {
    let mut change = api.change(&caller).await?;
    let there = rules::list(change.tx(), caller.tenant).await?;
    let channels = channels::list(change.tx(), caller.tenant).await?;
    let id = RuleId(config::next_id(change.tx(), Kind::Rule).await?);
    let rule = body.named(id, &there)?.rule(id, &channels).map_err(|found| invalid(&found))?;
    rules::put(change.tx(), caller.tenant, 0, &Owned { item: rule, provisioned: false }).await?;
    let order: Vec<_> = by_hand(&there).chain([id]).collect();
    rules::reorder(change.tx(), caller.tenant, &order).await?;
    change.touch(Kind::Rule, id.0).await?;
    let view = one(change.tx(), caller.tenant, id).await?;
    change.audit("create", "rule", id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Puts the rules into another order
#[utoipa::path(
    put, path = "/api/v1/rules/order", tag = "rules", request_body = OrderBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = Items<RuleView>), ChangeErrors)
)]
async fn order_rules(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<OrderBody>,
) -> Result<Json<Items<RuleView>>, ApiError> {
    let mut change = api.change(&caller).await?;
    let there = rules::list(change.tx(), caller.tenant).await?;
    let sorted = |mut ids: Vec<RuleId>| {
        ids.sort_unstable();
        ids
    };
    let before: Vec<_> = by_hand(&there).collect();
    if sorted(body.ids.clone()) != sorted(before.clone()) {
        return Err(wrong("ids", "must name each rule that the provisioning file does not keep, once"));
    }
    rules::reorder(change.tx(), caller.tenant, &body.ids).await?;
    change.audit("reorder", "rules", "", (Some(&before), Some(&body.ids))).await?;
    let view = all(change.tx(), caller.tenant).await?;
    change.commit().await?;
    Ok(Json(view))
}

/// One rule
#[utoipa::path(
    get, path = "/api/v1/rules/{id}", tag = "rules", params(("id" = i64, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = RuleView), ReadErrors)
)]
async fn get_rule(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<RuleId>,
) -> Result<Json<RuleView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(one(&mut tx, caller.tenant, id).await?))
}

/// Replaces a rule, at its place
#[utoipa::path(
    put, path = "/api/v1/rules/{id}", tag = "rules", params(("id" = i64, Path)), request_body = RuleBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = RuleView), ChangeErrors)
)]
async fn update_rule(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<RuleId>,
    body::Json(body): body::Json<RuleBody>,
) -> Result<Json<RuleView>, ApiError> {
    edit(&api, &caller, id, "update", |_, there, channels| {
        body.named(id, there)?.rule(id, channels).map_err(|found| invalid(&found))
    })
    .await
}

/// Deletes a rule
#[utoipa::path(
    delete, path = "/api/v1/rules/{id}", tag = "rules", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_rule(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<RuleId>,
) -> Result<StatusCode, ApiError> {
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), caller.tenant, id).await?;
    find_to_change(&rules::list(change.tx(), caller.tenant).await?, |rule| rule.id == id)?;
    rules::delete(change.tx(), caller.tenant, id).await?;
    change.audit("delete", "rule", id, (Some(&before), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switches a rule on
#[utoipa::path(
    post, path = "/api/v1/rules/{id}/enable", tag = "rules", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = RuleView), ChangeErrors)
)]
async fn enable_rule(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<RuleId>,
) -> Result<Json<RuleView>, ApiError> {
    edit(&api, &caller, id, "enable", |rule, _, _| Ok(Rule { enabled: true, ..rule })).await
}

/// Switches a rule off
#[utoipa::path(
    post, path = "/api/v1/rules/{id}/disable", tag = "rules", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = RuleView), ChangeErrors)
)]
async fn disable_rule(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<RuleId>,
) -> Result<Json<RuleView>, ApiError> {
    edit(&api, &caller, id, "disable", |rule, _, _| Ok(Rule { enabled: false, ..rule })).await
}

async fn edit(
    api: &Shelf,
    caller: &Caller,
    id: RuleId,
    action: &str,
    changed: impl FnOnce(Rule, &[Owned<Rule>], &[Owned<Channel>]) -> Result<Rule, ApiError> + Send,
) -> Result<Json<RuleView>, ApiError> {
    let mut change = api.change(caller).await?;
    let before = one(change.tx(), caller.tenant, id).await?;
    let there = rules::list(change.tx(), caller.tenant).await?;
    let channels = channels::list(change.tx(), caller.tenant).await?;
    let rule = changed(find_to_change(&there, |rule| rule.id == id)?, &there, &channels)?;
    rules::put(change.tx(), caller.tenant, 0, &Owned { item: rule, provisioned: false }).await?;
    rules::reorder(change.tx(), caller.tenant, &by_hand(&there).collect::<Vec<_>>()).await?;
    change.touch(Kind::Rule, id.0).await?;
    let view = one(change.tx(), caller.tenant, id).await?;
    change.audit(action, "rule", id, (Some(&before), Some(&view))).await?;
    change.commit().await?;
    Ok(Json(view))
}

/// The rules that can be put into an order here, as they stand.
fn by_hand(there: &[Owned<Rule>]) -> impl Iterator<Item = RuleId> {
    there.iter().filter(|owned| !owned.provisioned).map(|owned| owned.item.id)
}

async fn all(connection: &mut Connection, tenant: TenantId) -> Result<Items<RuleView>, ApiError> {
    let there = rules::list(connection, tenant).await?;
    let times = config::times(connection, tenant, Kind::Rule).await?;
    Ok(Items { items: there.iter().map(|rule| view(rule, &times)).collect() })
}

async fn one(connection: &mut Connection, tenant: TenantId, id: RuleId) -> Result<RuleView, ApiError> {
    let rule = find(rules::list(connection, tenant).await?, |rule| rule.id == id)?;
    Ok(view(&rule, &config::times(connection, tenant, Kind::Rule).await?))
}

fn view(owned: &Owned<Rule>, times: &HashMap<i64, Times>) -> RuleView {
    let rule = owned.item.clone();
    RuleView {
        id: rule.id,
        name: rule.name,
        matcher: rule.matcher,
        channels: rule.channels,
        r#continue: rule.r#continue,
        set_severity: rule.set_severity,
        escalate: rule
            .escalate
            .map(|Escalate { severity_at_least, channels }| EscalateBody { severity_at_least, channels }),
        active: rule.active,
        ai_max_wait: rule.ai_max_wait_ms.map(duration),
        enabled: rule.enabled,
        stamp: Stamp::new(owned, times.get(&rule.id.0)),
    }
}

/// A duration as the settings write it.
pub(super) fn duration(ms: u32) -> String {
    if ms.is_multiple_of(1_000) { format!("{}s", ms / 1_000) } else { format!("{ms}ms") }
}

/// Reads a duration as the settings write it.
pub(super) fn duration_ms(text: &str) -> Result<u32, String> {
    let duration = parse_duration(text)?;
    u32::try_from(duration.as_millis()).map_err(|_| format!("`{text}` is too long"))
}

/// 400 for a channel that the tenant does not have, and for one that is named twice.
pub(super) fn known_channels(field: &str, ids: &[ChannelId], channels: &[Owned<Channel>]) -> Result<(), ApiError> {
    each_known(field, ids, channels).map_err(|found| invalid(&found))
}

fn each_known(field: &str, ids: &[ChannelId], channels: &[Owned<Channel>]) -> Result<(), Wrong> {
    for (index, id) in ids.iter().enumerate() {
        let place = || format!("{field}[{index}]");
        if !channels.iter().any(|channel| channel.item.id == *id) {
            return Err(Wrong::new(place(), format!("there is no channel {id}")));
        }
        if ids[..index].contains(id) {
            return Err(Wrong::new(place(), "is named twice"));
        }
    }
    Ok(())
}

impl RuleBody {
    /// The body with a name that no other rule has.
    fn named(self, id: RuleId, there: &[Owned<Rule>]) -> Result<Self, ApiError> {
        let others = there.iter().map(|owned| &owned.item).filter(|other| other.id != id);
        let name = name(Some(&self.name), None, others.map(|other| other.name.as_str()))?;
        Ok(Self { name, ..self })
    }

    /// The rule, its name aside sound.
    pub(super) fn rule(self, id: RuleId, channels: &[Owned<Channel>]) -> Result<Rule, Wrong> {
        each_known("channels", &self.channels, channels)?;
        if let Some(escalate) = &self.escalate {
            each_known("escalate.channels", &escalate.channels, channels)?;
        }
        let wait = self.ai_max_wait.as_deref().map(duration_ms).transpose();
        let rule = Rule {
            id,
            name: self.name,
            matcher: self.matcher,
            channels: self.channels,
            r#continue: self.r#continue,
            set_severity: self.set_severity,
            escalate: self
                .escalate
                .map(|EscalateBody { severity_at_least, channels }| Escalate { severity_at_least, channels }),
            active: self.active,
            ai_max_wait_ms: wait.map_err(|why| Wrong::new("ai_max_wait", why))?,
            enabled: self.enabled,
        };
        check::rule(&rule)?;
        Ok(rule)
    }
}
