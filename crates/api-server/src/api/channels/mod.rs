//! Channels: where messages go. [`body`] is what requests say about one, [`test`] sends through one, [`drill`] keeps one
//! from sending, [`health`] says how it went lately.

mod body;
mod drill;
mod health;
mod test;

use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State, http::StatusCode};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::UnixMillis,
    config::Channel,
    http::ApiError,
    identity::Role,
    ids::{BotId, ChannelId, TemplateId},
    store::{
        Connection, bots, channels,
        config::{self, Kind, Owned, Times},
        rules, templates,
    },
};

use self::body::{ChannelBody, Surroundings};
use super::{
    Api, Shelf,
    body::{Id, Json as Given},
    caller::{Caller, Editor, Viewer},
    change::Change,
    configured::{Stamp, find, find_to_change, used_by},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
    secrets::{Safe, new_push_token},
    time::Time,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(list_channels, create_channel))
        .routes(routes!(get_channel, update_channel, delete_channel))
        .routes(routes!(rotate_push_token))
        .merge(test::routes())
        .merge(drill::routes())
        .merge(health::routes())
}

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelView {
    #[schema(value_type = i64)]
    id: ChannelId,
    name: String,
    #[schema(example = "telegram")]
    platform: String,
    #[schema(value_type = Option<i64>)]
    bot_id: Option<BotId>,
    /// Chat id, room id, mail address, phone number or URL.
    #[schema(example = "-1001234567890")]
    target: String,
    /// The same as `target`.
    chat_id: String,
    /// What else the platform understands. Of each secret option `x` there is `x_set` only.
    options: BTreeMap<String, Value>,
    /// Messages per minute; 0 for no limit.
    rate_per_min: u32,
    /// Repeats of an alert inside this window are dropped; 0 for none.
    dedup_window_s: u32,
    /// The first whose condition holds writes the message, else the default, else the built-in layout.
    templates: Vec<TemplateUseView>,
    enabled: bool,
    /// Until when it pretends to be down; absent when it does not.
    drill_until: Option<Time>,
    /// What senders post to. For editors only.
    push_token: Option<String>,
    /// A line to copy that sends an alert to this channel. For editors only.
    curl: Option<String>,
    #[serde(flatten)]
    stamp: Stamp,
}

/// One of a channel's templates.
#[derive(Debug, Serialize, ToSchema)]
struct TemplateUseView {
    #[schema(value_type = i64)]
    template_id: TemplateId,
    is_default: bool,
    sort_order: usize,
    #[schema(example = "severity eq critical")]
    condition: String,
}

/// The channels
#[utoipa::path(
    get, path = "/api/v1/channels", tag = "channels", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<ChannelView>), Common)
)]
async fn list_channels(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<ChannelView>>, ApiError> {
    let mut tx = api.read().await?;
    let there = channels::list(&mut tx, caller.tenant).await?;
    let times = config::times(&mut tx, caller.tenant, Kind::Channel).await?;
    let drills = channels::drills(&mut tx, caller.tenant).await?;
    let view = |channel| view(&api, &caller, channel, (&times, &drills));
    Ok(Json(Items { items: there.iter().map(view).collect::<Result<_, _>>()? }))
}

/// Makes a channel
#[utoipa::path(
    post, path = "/api/v1/channels", tag = "channels", request_body = ChannelBody,
    extensions(("x-role" = json!("editor"))), responses((status = 201, body = ChannelView), ChangeErrors)
)]
async fn create_channel(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Given(body): Given<ChannelBody>,
) -> Result<(StatusCode, Json<ChannelView>), ApiError> {
    let mut change = api.change(&caller).await?;
    let around = surroundings(&api, &caller, change.tx()).await?;
    let id = ChannelId(config::next_id(change.tx(), Kind::Channel).await?);
    let channel = body.channel(id, None, &around)?;
    put(&api, &caller, &mut change, channel).await?;
    let view = one(&api, &caller, change.tx(), id).await?;
    change.audit("create", "channel", id, (None, Some(&view.shown_to_all()))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// One channel
#[utoipa::path(
    get, path = "/api/v1/channels/{id}", tag = "channels", params(("id" = i64, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = ChannelView), ReadErrors)
)]
async fn get_channel(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(one(&api, &caller, &mut tx, id).await?))
}

/// Changes a channel: what is absent stays
#[utoipa::path(
    put, path = "/api/v1/channels/{id}", tag = "channels", params(("id" = i64, Path)), request_body = ChannelBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = ChannelView), ChangeErrors)
)]
async fn update_channel(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<ChannelId>,
    Given(body): Given<ChannelBody>,
) -> Result<Json<ChannelView>, ApiError> {
    edit(&api, &caller, id, "update", |channel, around| body.channel(id, Some(channel), around)).await
}

/// Deletes a channel that no rule and no default uses
#[utoipa::path(
    delete, path = "/api/v1/channels/{id}", tag = "channels", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_channel(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<ChannelId>,
) -> Result<StatusCode, ApiError> {
    let mut change = api.change(&caller).await?;
    let before = one(&api, &caller, change.tx(), id).await?;
    find_to_change(&channels::list(change.tx(), caller.tenant).await?, |channel| channel.id == id)?;
    used_by(&users(change.tx(), &caller, id).await?)?;
    channels::delete(change.tx(), caller.tenant, id).await?;
    change.audit("delete", "channel", id, (Some(&before.shown_to_all()), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a channel another push token; the old one is dead at once
#[utoipa::path(
    post, path = "/api/v1/channels/{id}/rotate-token", tag = "channels", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = ChannelView), ChangeErrors)
)]
async fn rotate_push_token(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelView>, ApiError> {
    edit(&api, &caller, id, "rotate-token", |channel, around| {
        let push_token = around.safe.seal_push_token(id, &new_push_token());
        Ok(Channel { push_token, ..channel })
    })
    .await
}

async fn edit(
    api: &Shelf,
    caller: &Caller,
    id: ChannelId,
    action: &str,
    changed: impl FnOnce(Channel, &Surroundings<'_>) -> Result<Channel, ApiError> + Send,
) -> Result<Json<ChannelView>, ApiError> {
    let mut change = api.change(caller).await?;
    let before = one(api, caller, change.tx(), id).await?;
    let around = surroundings(api, caller, change.tx()).await?;
    let channel = changed(find_to_change(&around.channels, |channel| channel.id == id)?, &around)?;
    put(api, caller, &mut change, channel).await?;
    let view = one(api, caller, change.tx(), id).await?;
    change.audit(action, "channel", id, (Some(&before.shown_to_all()), Some(&view.shown_to_all()))).await?;
    change.commit().await?;
    Ok(Json(view))
}

async fn put(api: &Api, caller: &Caller, change: &mut Change<'_>, channel: Channel) -> Result<(), ApiError> {
    let (id, safe) = (channel.id, safe(api, caller));
    let hash = safe.vault.hash(safe.push_token(&channel)?.expose_secret());
    channels::put(change.tx(), caller.tenant, &Owned { item: channel, provisioned: false }, &hash).await?;
    change.touch(Kind::Channel, id.0).await
}

async fn surroundings<'a>(
    api: &'a Api,
    caller: &Caller,
    connection: &mut Connection,
) -> Result<Surroundings<'a>, ApiError> {
    Ok(Surroundings {
        safe: safe(api, caller),
        bots: bots::list(connection, caller.tenant).await?,
        templates: templates::list(connection, caller.tenant).await?,
        channels: channels::list(connection, caller.tenant).await?,
    })
}

/// What names a channel.
async fn users(connection: &mut Connection, caller: &Caller, id: ChannelId) -> Result<Vec<String>, ApiError> {
    let mut users = Vec::new();
    for Owned { item: rule, .. } in rules::list(connection, caller.tenant).await? {
        let escalated = rule.escalate.iter().flat_map(|escalate| &escalate.channels);
        if rule.channels.iter().chain(escalated).any(|used| *used == id) {
            users.push(format!("the rule `{}`", rule.name));
        }
    }
    if config::default_channels(connection, caller.tenant).await?.iter().any(|owned| owned.item == id) {
        users.push("the default channels".to_owned());
    }
    Ok(users)
}

fn safe<'a>(api: &'a Api, caller: &Caller) -> Safe<'a> {
    Safe { vault: &api.shared.vault, tenant: caller.tenant }
}

async fn one(api: &Api, caller: &Caller, connection: &mut Connection, id: ChannelId) -> Result<ChannelView, ApiError> {
    let channel = find(channels::list(connection, caller.tenant).await?, |channel| channel.id == id)?;
    let times = config::times(connection, caller.tenant, Kind::Channel).await?;
    view(api, caller, &channel, (&times, &channels::drills(connection, caller.tenant).await?))
}

fn view(
    api: &Api,
    caller: &Caller,
    owned: &Owned<Channel>,
    (times, drills): (&HashMap<i64, Times>, &BTreeMap<ChannelId, UnixMillis>),
) -> Result<ChannelView, ApiError> {
    let channel = owned.item.clone();
    let mut options = channel.options.clone();
    let secret = |field: &&watchbell_channels::Field| field.secret;
    for field in watchbell_channels::kind(&channel.platform).iter().flat_map(|kind| kind.fields).filter(secret) {
        options.insert(format!("{}_set", field.name), channel.secrets.contains_key(field.name).into());
    }
    let token = if caller.role >= Role::Editor { Some(safe(api, caller).push_token(&channel)?) } else { None };
    let push_token = token.map(|token| token.expose_secret().to_owned());
    let templates = channel.templates.iter().enumerate().map(|(sort_order, used)| TemplateUseView {
        template_id: used.template,
        is_default: used.when.is_none(),
        sort_order,
        condition: used.when.clone().unwrap_or_default(),
    });
    Ok(ChannelView {
        id: channel.id,
        name: channel.name,
        platform: channel.platform,
        bot_id: channel.bot,
        chat_id: channel.target.clone(),
        target: channel.target,
        options,
        rate_per_min: channel.rate_per_min,
        dedup_window_s: channel.dedup_window_s,
        templates: templates.collect(),
        enabled: channel.enabled,
        drill_until: drills.get(&channel.id).filter(|&&until| until > api.shared.clock.now_ms()).copied().map(Time),
        curl: push_token.as_deref().map(|token| curl(&base_url(api), token)),
        push_token,
        stamp: Stamp::new(owned, times.get(&channel.id.0)),
    })
}

impl ChannelView {
    /// As anybody may see it: the audit log is read by others than editors.
    fn shown_to_all(&self) -> Value {
        let mut view = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = view.as_object_mut() {
            members.retain(|name, _| name != "push_token" && name != "curl");
        }
        view
    }
}

/// 400: nothing can be sent through it. Shows no value.
fn wrong_channel(error: &watchbell_channels::ConfigureError) -> ApiError {
    ApiError::validation(format!("the channel is not configured rightly: {error}"))
}

/// Where senders reach this installation, without a slash at the end.
pub(super) fn base_url(api: &Api) -> String {
    let http = &api.shared.settings.http;
    let url = http.public_url.clone().unwrap_or_else(|| format!("http://{}", http.listen));
    url.trim_end_matches('/').to_owned()
}

/// A line that sends an alert.
fn curl(base_url: &str, token: &str) -> String {
    format!(
        "curl -sS {base_url}/api/v1/push/{token} -H 'Content-Type: application/json' \
         -d '{{\"title\": \"It works\", \"message\": \"Sent with curl\", \"severity\": \"info\"}}'"
    )
}
