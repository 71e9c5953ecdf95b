//! What requests say about a channel, in either of two shapes, and whether it can be sent through.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use watchbell_channels::ChannelKind;
use watchbell_common::{
    config::{Bot, Channel, OpenChannel, Template, TemplateUse, check},
    http::ApiError,
    ids::{BotId, ChannelId, TemplateId},
    store::config::Owned,
};

use super::{
    super::{
        bots::set,
        configured::{name, wrong},
        platforms,
    },
    Safe, new_push_token,
};

/// What a channel is. In a change, what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "ops", "bot_id": 1, "target": "-1001234567890", "rate_per_min": 60,
    "dedup_window_s": 300, "templates": [{"template_id": 1, "is_default": true}]}))]
pub(super) struct ChannelBody {
    /// 1 to 64 characters, unique. Also the local part of its mail address.
    name: Option<String>,
    /// The bot's when absent. Fixed once the channel is made.
    platform: Option<String>,
    /// Absent or 0 for a platform that needs no credentials.
    #[schema(value_type = Option<i64>)]
    bot_id: Option<BotId>,
    /// Chat id, room id, mail address, phone number or URL.
    target: Option<String>,
    /// Another name for `target`.
    chat_id: Option<String>,
    /// What `GET /api/v1/platforms` lists for the platform. They replace those that are there, but a secret one that
    /// is absent or blank stays; `null` removes it.
    options: Option<BTreeMap<String, Value>>,
    /// Messages per minute; 0 for no limit.
    rate_per_min: Option<u32>,
    /// Repeats of an alert inside this window are dropped; 0 for none.
    dedup_window_s: Option<u32>,
    /// 8 to 128 of the characters `A-Z a-z 0-9 - _ . ~`; made when absent.
    push_token: Option<String>,
    enabled: Option<bool>,
    /// The templates, in the order in which their conditions are tried. One without a condition that is not the
    /// default would never be used and is left out.
    templates: Option<Vec<UseBody>>,
    /// The other shape: the templates' ids; `default_template_id` (the first when absent) and `conditions`, one for
    /// each id, belong to it.
    #[schema(value_type = Option<Vec<i64>>)]
    template_ids: Option<Vec<TemplateId>>,
    #[schema(value_type = Option<i64>)]
    default_template_id: Option<TemplateId>,
    conditions: Option<Vec<String>>,
}

/// One of a channel's templates.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UseBody {
    #[schema(value_type = i64)]
    template_id: TemplateId,
    /// Used when no condition holds. Without any default, that is the built-in layout.
    #[serde(default)]
    is_default: bool,
    /// `field op value`, for example `severity eq critical`.
    #[serde(default)]
    condition: String,
    /// Taken and not looked at: the place in the list counts.
    #[serde(default, rename = "sort_order")]
    _sort_order: i64,
}

/// What a channel can refer to.
pub(super) struct Surroundings<'a> {
    pub(super) safe: Safe<'a>,
    pub(super) bots: Vec<Owned<Bot>>,
    pub(super) templates: Vec<Owned<Template>>,
    pub(super) channels: Vec<Owned<Channel>>,
}

impl ChannelBody {
    /// The channel with what the body says: a new one, or a changed one.
    pub(super) fn channel(
        self,
        id: ChannelId,
        present: Option<Channel>,
        around: &Surroundings<'_>,
    ) -> Result<Channel, ApiError> {
        let others = around.channels.iter().map(|owned| &owned.item).filter(|other| other.id != id);
        let others = others.map(|other| other.name.as_str());
        let name = name(self.name.as_deref(), present.as_ref().map(|present| present.name.as_str()), others)?;
        let bot = self.bot(present.as_ref(), around)?;
        let kind = self.kind(present.as_ref(), bot)?;
        let uses = self.uses(&around.templates)?;
        let target = self.target.or(self.chat_id);
        let mut channel = match present {
            Some(present) => present,
            None => Channel {
                id,
                name: String::new(),
                platform: kind.id.to_owned(),
                bot: None,
                target: String::new(),
                options: BTreeMap::new(),
                secrets: BTreeMap::new(),
                rate_per_min: 0,
                dedup_window_s: 0,
                push_token: around.safe.seal_push_token(id, &new_push_token()),
                templates: Vec::new(),
                enabled: true,
            },
        };
        channel.name = name;
        channel.bot = bot.map(|bot| bot.id);
        channel.target = target.map_or(channel.target, |target| target.trim().to_owned());
        channel.rate_per_min = self.rate_per_min.unwrap_or(channel.rate_per_min);
        channel.dedup_window_s = self.dedup_window_s.unwrap_or(channel.dedup_window_s);
        channel.enabled = self.enabled.unwrap_or(channel.enabled);
        channel.templates = uses.unwrap_or(channel.templates);
        if let Some(token) = self.push_token {
            check::push_token(&token).map_err(|why| wrong("push_token", why))?;
            channel.push_token = around.safe.seal_push_token(id, &token.into());
        }
        if let Some(given) = self.options {
            set_options(&mut channel, kind, given, around.safe)?;
        }
        sendable(&channel, kind, bot, around.safe)?;
        Ok(channel)
    }

    fn bot<'b>(&self, present: Option<&Channel>, around: &'b Surroundings<'_>) -> Result<Option<&'b Bot>, ApiError> {
        let id = self.bot_id.or(present.and_then(|present| present.bot)).filter(|id| id.0 != 0);
        let find = |id: BotId| {
            let bot = around.bots.iter().map(|owned| &owned.item).find(|bot| bot.id == id);
            bot.ok_or_else(|| ApiError::validation("bot_id not found"))
        };
        id.map(find).transpose()
    }

    fn kind(&self, present: Option<&Channel>, bot: Option<&Bot>) -> Result<&'static ChannelKind, ApiError> {
        let given = self.platform.as_deref().filter(|platform| !platform.is_empty());
        let platform = present.map(|present| present.platform.as_str()).or(given).or(bot.map(|bot| &*bot.platform));
        let platform = platform.ok_or_else(|| wrong("bot_id", "is missing; or name a platform that needs no bot"))?;
        if given.is_some_and(|given| given != platform) {
            return Err(wrong("platform", format!("is fixed; this is a channel of {platform}")));
        }
        if let Some(bot) = bot.filter(|bot| bot.platform != platform) {
            return Err(wrong("bot_id", format!("is a bot of {}, and the channel is of {platform}", bot.platform)));
        }
        let kind = watchbell_channels::kind(platform).ok_or_else(|| platforms::unknown("platform"))?;
        if bot.is_none() && !kind.bot.is_empty() {
            return Err(wrong("bot_id", format!("is missing: {} needs a bot", kind.title)));
        }
        Ok(kind)
    }

    /// The templates that the body names, in either shape; `None` when it names none.
    fn uses(&self, known: &[Owned<Template>]) -> Result<Option<Vec<TemplateUse>>, ApiError> {
        let (given, field): (Vec<UseBody>, fn(usize) -> String) = match (&self.templates, &self.template_ids) {
            (Some(_), Some(_)) => return Err(wrong("template_ids", "says the same as `templates`; give one of them")),
            (Some(templates), None) => (templates.clone(), |index| format!("templates[{index}].condition")),
            (None, Some(ids)) => (self.paired(ids)?, |index| format!("conditions[{index}]")),
            (None, None) => return Ok(None),
        };
        if given.iter().filter(|used| used.is_default).count() > 1 {
            return Err(wrong("templates", "has more than one default"));
        }
        let mut uses = Vec::new();
        for (index, used) in given.iter().enumerate() {
            if !known.iter().any(|template| template.item.id == used.template_id) {
                return Err(ApiError::validation("template_id not found"));
            }
            let condition = used.condition.trim();
            if !condition.is_empty() {
                watchbell_channels::check_condition(condition).map_err(|why| wrong(&field(index), why))?;
                uses.push(TemplateUse { template: used.template_id, when: Some(condition.to_owned()) });
            }
        }
        let default = given.iter().find(|used| used.is_default);
        uses.extend(default.map(|used| TemplateUse { template: used.template_id, when: None }));
        Ok(Some(uses))
    }

    fn paired(&self, ids: &[TemplateId]) -> Result<Vec<UseBody>, ApiError> {
        let default = self.default_template_id.filter(|id| id.0 != 0).or_else(|| ids.first().copied());
        if default.is_some_and(|default| !ids.contains(&default)) {
            return Err(wrong("default_template_id", "is none of `template_ids`"));
        }
        let conditions = self.conditions.as_deref().unwrap_or_default();
        let mut uses: Vec<UseBody> = Vec::new();
        for (index, &template_id) in ids.iter().enumerate() {
            if uses.iter().all(|used| used.template_id != template_id) {
                let condition = conditions.get(index).cloned().unwrap_or_default();
                let is_default = Some(template_id) == default;
                uses.push(UseBody { template_id, is_default, condition, _sort_order: 0 });
            }
        }
        Ok(uses)
    }
}

/// Replaces the options. Secret ones that are not given stay, and `null` removes them.
fn set_options(
    channel: &mut Channel,
    kind: &ChannelKind,
    given: BTreeMap<String, Value>,
    safe: Safe<'_>,
) -> Result<(), ApiError> {
    channel.options.clear();
    let known = || kind.fields.iter().chain(watchbell_channels::COMMON).filter(|field| field.name != "target");
    for (option, value) in given {
        let field = format!("options.{option}");
        // What a view says of secrets may come back as it was shown.
        if known().any(|known| known.secret && option.strip_suffix("_set") == Some(known.name)) {
            continue;
        }
        let Some(of_platform) = known().find(|known| known.name == option) else {
            let names: Vec<_> = known().map(|known| known.name).collect();
            return Err(wrong(&field, format!("{} has no such option; it has {}", kind.title, names.join(", "))));
        };
        if of_platform.secret {
            set(&mut channel.secrets, of_platform, &value, |text| {
                safe.seal_option(channel.id, of_platform.name, &text.into())
            })?;
        } else if !value.is_null() {
            watchbell_channels::check_option(&option, &value).map_err(|why| wrong(&field, why))?;
            channel.options.insert(option, value);
        }
    }
    Ok(())
}

/// Whether the channel can be sent through as it stands.
fn sendable(channel: &Channel, kind: &ChannelKind, bot: Option<&Bot>, safe: Safe<'_>) -> Result<(), ApiError> {
    let mut secrets = safe.options(channel)?;
    if let Some(bot) = bot {
        secrets.extend(safe.credentials(bot)?);
    }
    let open =
        OpenChannel { tenant: safe.tenant, channel: channel.clone(), secrets, templates: Vec::new(), trusted: false };
    watchbell_channels::check_channel(&open).map_err(|(field, why)| {
        let of_bot = kind.bot.iter().any(|known| known.name == field);
        let option = kind.fields.iter().any(|known| known.name == field) && field != "target";
        match (of_bot, option) {
            (true, false) => wrong("bot_id", format!("its `{field}` {why}")),
            (_, true) => wrong(&format!("options.{field}"), why),
            _ => wrong(&field, why),
        }
    })
}
