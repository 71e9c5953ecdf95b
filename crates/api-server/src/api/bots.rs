//! Bots: credentials of platforms. Secrets go in and never come out.

use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State, http::StatusCode};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_channels::{ChannelKind, Field};
use watchbell_common::{
    config::{Bot, Channel, OpenChannel},
    crypto::Sealed,
    http::ApiError,
    ids::{BotId, ChannelId},
    store::{
        Connection, bots, channels,
        config::{self, Kind, Owned, Times},
    },
};

use super::{
    Shelf,
    body::{self, Id},
    caller::{Caller, Editor, Viewer},
    configured::{Stamp, find, find_to_change, name, used_by, wrong},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
    secrets::{Safe, last4},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(list_bots, create_bot))
        .routes(routes!(get_bot, update_bot, delete_bot))
        .routes(routes!(enable_bot))
        .routes(routes!(disable_bot))
}

/// What a bot is. Beside these fields it has those that `GET /api/v1/platforms` lists for its platform
/// (`bot_token`, `host`, `password` …).
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"name": "ops-telegram", "platform": "telegram", "bot_token": "123456:ABC-DEF"}))]
struct BotBody {
    /// 1 to 64 characters, unique.
    name: Option<String>,
    /// `telegram` when absent. Fixed while channels use the bot.
    platform: Option<String>,
    description: Option<String>,
    /// The platform's fields. A secret that is absent or blank stays as it is; `null`
    /// removes it. Another field that is blank goes.
    #[serde(flatten)]
    fields: BTreeMap<String, Value>,
}

/// A bot. Of each secret field `x` it shows `x_set` and `x_last4`; the platform's other fields as they are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "ops-telegram", "platform": "telegram", "description": "", "enabled": true,
    "bot_token_set": true, "bot_token_last4": "-DEF", "provisioned": false, "created_at": "2027-01-31T18:00:00Z",
    "updated_at": "2027-01-31T18:00:00Z", "created_by": "ada@example.org"}))]
struct BotView {
    #[schema(value_type = i64)]
    id: BotId,
    name: String,
    platform: String,
    description: String,
    /// Nothing goes through the channels of a bot that is not.
    enabled: bool,
    #[serde(flatten)]
    stamp: Stamp,
    #[serde(flatten)]
    fields: BTreeMap<String, Value>,
}

/// The bots
#[utoipa::path(
    get, path = "/api/v1/bots", tag = "bots", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<BotView>), Common)
)]
async fn list_bots(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<BotView>>, ApiError> {
    let mut tx = api.read().await?;
    let there = bots::list(&mut tx, caller.tenant).await?;
    let times = config::times(&mut tx, caller.tenant, Kind::Bot).await?;
    let safe = safe(&api, &caller);
    Ok(Json(Items { items: there.iter().map(|bot| view(bot, &times, safe)).collect::<Result<_, _>>()? }))
}

/// Makes a bot
#[utoipa::path(
    post, path = "/api/v1/bots", tag = "bots", request_body = BotBody, extensions(("x-role" = json!("editor"))),
    responses((status = 201, body = BotView), ChangeErrors)
)]
async fn create_bot(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<BotBody>,
) -> Result<(StatusCode, Json<BotView>), ApiError> {
    let mut change = api.change(&caller).await?;
    let there = bots::list(change.tx(), caller.tenant).await?;
    let id = BotId(config::next_id(change.tx(), Kind::Bot).await?);
    let platform = platform_word(body.platform.as_deref().unwrap_or("telegram"));
    let empty = BTreeMap::new;
    let bot = Bot {
        id,
        name: String::new(),
        platform: kind(platform)?.id.to_owned(),
        description: String::new(),
        credentials: empty(),
        enabled: true,
    };
    let bot = body.onto(bot, &there, safe(&api, &caller))?;
    bots::put(change.tx(), caller.tenant, &Owned { item: bot, provisioned: false }).await?;
    change.touch(Kind::Bot, id.0).await?;
    let view = one(change.tx(), id, safe(&api, &caller)).await?;
    change.audit("create", "bot", id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// One bot
#[utoipa::path(
    get, path = "/api/v1/bots/{id}", tag = "bots", params(("id" = i64, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = BotView), ReadErrors)
)]
async fn get_bot(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<BotId>,
) -> Result<Json<BotView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(one(&mut tx, id, safe(&api, &caller)).await?))
}

/// Changes a bot: what is absent stays
#[utoipa::path(
    put, path = "/api/v1/bots/{id}", tag = "bots", params(("id" = i64, Path)), request_body = BotBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = BotView), ChangeErrors)
)]
async fn update_bot(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<BotId>,
    body::Json(body): body::Json<BotBody>,
) -> Result<Json<BotView>, ApiError> {
    let safe = safe(&api, &caller);
    edit(&api, &caller, id, "update", |bot, there, channels| {
        let mut bot = bot;
        if let Some(platform) = body.platform.as_deref().map(platform_word).filter(|&new| new != bot.platform) {
            if channels.iter().any(|channel| channel.bot == Some(id)) {
                return Err(ApiError::conflict("platform: is fixed while channels use the bot"));
            }
            bot = Bot { platform: kind(platform)?.id.to_owned(), credentials: BTreeMap::new(), ..bot };
        }
        let bot = body.onto(bot, there, safe)?;
        let secrets = safe.credentials(&bot)?;
        for channel in channels.iter().filter(|channel| channel.bot == Some(id)) {
            let secrets = secrets.clone().into_iter().chain(safe.options(channel)?).collect();
            usable(
                &bot,
                &OpenChannel {
                    tenant: safe.tenant,
                    channel: channel.clone(),
                    secrets,
                    templates: Vec::new(),
                    trusted: false,
                },
            )?;
        }
        Ok(bot)
    })
    .await
}

/// Deletes a bot that no channel uses
#[utoipa::path(
    delete, path = "/api/v1/bots/{id}", tag = "bots", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_bot(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<BotId>,
) -> Result<StatusCode, ApiError> {
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), id, safe(&api, &caller)).await?;
    find_to_change(&bots::list(change.tx(), caller.tenant).await?, |bot| bot.id == id)?;
    let channels = channels::list(change.tx(), caller.tenant).await?;
    let users = channels.iter().filter(|channel| channel.item.bot == Some(id));
    used_by(&users.map(|channel| format!("the channel `{}`", channel.item.name)).collect::<Vec<_>>())?;
    bots::delete(change.tx(), caller.tenant, id).await?;
    change.audit("delete", "bot", id, (Some(&before), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets messages through the bot's channels again
#[utoipa::path(
    post, path = "/api/v1/bots/{id}/enable", tag = "bots", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = BotView), ChangeErrors)
)]
async fn enable_bot(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<BotId>,
) -> Result<Json<BotView>, ApiError> {
    edit(&api, &caller, id, "enable", |bot, _, _| Ok(Bot { enabled: true, ..bot })).await
}

/// Keeps messages from the bot's channels: routing leaves them out
#[utoipa::path(
    post, path = "/api/v1/bots/{id}/disable", tag = "bots", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = BotView), ChangeErrors)
)]
async fn disable_bot(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<BotId>,
) -> Result<Json<BotView>, ApiError> {
    edit(&api, &caller, id, "disable", |bot, _, _| Ok(Bot { enabled: false, ..bot })).await
}

fn safe<'a>(api: &'a Shelf, caller: &Caller) -> Safe<'a> {
    Safe { vault: &api.shared.vault, tenant: caller.tenant }
}

/// Changes one bot, seeing the others and the channels.
async fn edit(
    api: &Shelf,
    caller: &Caller,
    id: BotId,
    action: &str,
    changed: impl FnOnce(Bot, &[Owned<Bot>], &[Channel]) -> Result<Bot, ApiError> + Send,
) -> Result<Json<BotView>, ApiError> {
    let mut change = api.change(caller).await?;
    let before = one(change.tx(), id, safe(api, caller)).await?;
    let there = bots::list(change.tx(), caller.tenant).await?;
    let channels: Vec<_> =
        channels::list(change.tx(), caller.tenant).await?.into_iter().map(|owned| owned.item).collect();
    let bot = changed(find_to_change(&there, |bot| bot.id == id)?, &there, &channels)?;
    bots::put(change.tx(), caller.tenant, &Owned { item: bot, provisioned: false }).await?;
    change.touch(Kind::Bot, id.0).await?;
    let view = one(change.tx(), id, safe(api, caller)).await?;
    change.audit(action, "bot", id, (Some(&before), Some(&view))).await?;
    change.commit().await?;
    Ok(Json(view))
}

async fn one(connection: &mut Connection, id: BotId, safe: Safe<'_>) -> Result<BotView, ApiError> {
    let bot = find(bots::list(connection, safe.tenant).await?, |bot| bot.id == id)?;
    view(&bot, &config::times(connection, safe.tenant, Kind::Bot).await?, safe)
}

fn view(owned: &Owned<Bot>, times: &HashMap<i64, Times>, safe: Safe<'_>) -> Result<BotView, ApiError> {
    let bot = &owned.item;
    let credentials = safe.credentials(bot)?;
    let mut fields = BTreeMap::new();
    for field in watchbell_channels::kind(&bot.platform).iter().flat_map(|kind| kind.bot) {
        let value = credentials.get(field.name);
        if field.secret {
            fields.insert(format!("{}_set", field.name), value.is_some().into());
            fields.insert(format!("{}_last4", field.name), value.map(last4).unwrap_or_default().into());
        } else if let Some(value) = value {
            fields.insert(field.name.to_owned(), value.expose_secret().into());
        }
    }
    Ok(BotView {
        id: bot.id,
        name: bot.name.clone(),
        platform: bot.platform.clone(),
        description: bot.description.clone(),
        enabled: bot.enabled,
        stamp: Stamp::new(owned, times.get(&bot.id.0)),
        fields,
    })
}

/// `PulseGuard` calls e-mail by its protocol.
fn platform_word(word: &str) -> &str {
    match word {
        "" => "telegram",
        "smtp" => "email",
        word => word,
    }
}

fn kind(platform: &str) -> Result<&'static ChannelKind, ApiError> {
    watchbell_channels::kind(platform).ok_or_else(|| super::platforms::unknown("platform"))
}

/// The names that `PulseGuard` gives the fields of a relay, and what its other fields say here.
fn translated(platform: &str, field: String, value: Value) -> Option<(String, Value)> {
    match (platform, field.as_str(), &value) {
        (_, "bot_kind", Value::String(kind)) if matches!(kind.as_str(), "" | "webhook") => None,
        ("email", "smtp_use_tls", Value::Bool(tls)) => {
            Some(("tls".to_owned(), if *tls { "starttls" } else { "none" }.into()))
        }
        ("email", "smtp_port", Value::Number(port)) if port.as_i64() == Some(0) => None,
        ("email", name, _) => Some((name.strip_prefix("smtp_").unwrap_or(name).to_owned(), value)),
        _ => Some((field, value)),
    }
}

impl BotBody {
    /// The bot with what the body says.
    fn onto(self, mut bot: Bot, there: &[Owned<Bot>], safe: Safe<'_>) -> Result<Bot, ApiError> {
        let others = there.iter().map(|owned| &owned.item).filter(|other| other.id != bot.id);
        let present = Some(bot.name.as_str()).filter(|name| !name.is_empty());
        bot.name = name(self.name.as_deref(), present, others.map(|other| other.name.as_str()))?;
        bot.description = self.description.unwrap_or(bot.description);
        let known = kind(&bot.platform)?.bot;
        for (field, value) in self.fields {
            let Some((field, value)) = translated(&bot.platform, field, value) else { continue };
            let of_platform = known.iter().find(|known| known.name == field).ok_or_else(|| {
                let names: Vec<_> = known.iter().map(|known| known.name).collect();
                wrong(&field, format!("a bot of {} has no such field; it has {}", bot.platform, names.join(", ")))
            })?;
            set(&mut bot.credentials, of_platform, &value, |text| safe.seal_credential(bot.id, &field, &text.into()))?;
        }
        if let Some(field) = known.iter().find(|field| field.required && !bot.credentials.contains_key(field.name)) {
            return Err(wrong(field.name, format!("is missing; {} needs one", bot.platform)));
        }
        let secrets = safe.credentials(&bot)?;
        usable(
            &bot,
            &OpenChannel {
                tenant: safe.tenant,
                channel: example(&bot),
                secrets,
                templates: Vec::new(),
                trusted: false,
            },
        )?;
        Ok(bot)
    }
}

/// Puts one field among the sealed ones: `null` removes it, blank keeps a secret and removes anything else.
pub(super) fn set(
    sealed: &mut BTreeMap<String, Sealed>,
    field: &Field,
    value: &Value,
    seal: impl FnOnce(String) -> Sealed,
) -> Result<(), ApiError> {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(wrong(field.name, "must be a text")),
    };
    if !text.is_empty() {
        sealed.insert(field.name.to_owned(), seal(text));
    } else if !field.secret || value.is_null() {
        sealed.remove(field.name);
    }
    Ok(())
}

/// Whether a channel of the bot can be sent through, as far as the bot is concerned.
fn usable(bot: &Bot, channel: &OpenChannel) -> Result<(), ApiError> {
    match watchbell_channels::check_channel(channel) {
        Err((field, why)) if bot.credentials.contains_key(&field) => Err(wrong(&field, why)),
        _ => Ok(()),
    }
}

/// A channel to try a bot with.
pub(super) fn example(bot: &Bot) -> Channel {
    Channel {
        id: ChannelId(0),
        name: bot.name.clone(),
        platform: bot.platform.clone(),
        bot: Some(bot.id),
        target: "1".to_owned(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: Sealed::default(),
        templates: Vec::new(),
        enabled: true,
    }
}
