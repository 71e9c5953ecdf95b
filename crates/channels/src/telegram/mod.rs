//! `telegram`: the Bot API. One message for each alert, edited while the alert repeats; `thread` decides which,
//! `draw` what it looks like, `split` how a long text is cut, `send` makes the calls, `begun` remembers which of them were
//! made when one fails, `api` reads the answers, `chats` finds where a bot can send.

mod api;
mod begun;
mod chats;
mod draw;
mod markup;
mod send;
mod split;
mod thread;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use teloxide::{
    net::TELEGRAM_API_URL,
    types::{ChatId, InlineKeyboardButton, MessageId, Recipient, ThreadId},
};
use watchbell_common::{alert::Severity, config::OpenChannel};

pub(crate) use self::chats::chats;
use self::{
    api::Api,
    begun::Begun,
    draw::TEXT_MAX_UNITS,
    send::Attempt,
    thread::{Plan, Thread},
};
use crate::{
    Beyond, Channel, ChannelKind, ConfigureError, Configured, Field, Input, Kept, Limits, Message, Pace, Receipt,
    SendError, Tools, Unit, http::Caller,
};

pub(crate) const KIND: ChannelKind = ChannelKind {
    id: "telegram",
    title: "Telegram",
    bot: BOT,
    fields: FIELDS,
    limits: Limits {
        text_max: TEXT_MAX_UNITS,
        unit: Unit::Utf16,
        beyond: Beyond::Split,
        source: "https://core.telegram.org/bots/api#sendmessage",
    },
    paces,
    remembers: true,
    setup: "\
bots:
  - name: ops-telegram
    platform: telegram
    bot_token: ${OPS_BOT_TOKEN}
channels:
  - name: ops
    bot: ops-telegram
    target: \"-1001234567890\"
    options: { message_thread_id: 7 }
",
    configure,
    #[cfg(test)]
    example: crate::contract::Example::Http(tests::EXAMPLE),
};

const BOT: &[Field] = &[
    Field {
        name: "bot_token",
        label: "Bot token",
        secret: true,
        required: true,
        input: Input::Line,
        help: "From @BotFather, for example `123456:ABC-…`.",
    },
    Field {
        name: "proxy",
        label: "Proxy",
        secret: true,
        required: false,
        input: Input::Line,
        help: "http://, socks5:// or socks5h:// (the proxy looks names up); may hold a user and password.",
    },
    Field {
        name: "api_base",
        label: "Bot API server",
        secret: false,
        required: false,
        input: Input::Line,
        help: "Where this bot's API is, when it is not where the settings say.",
    },
];

const FIELDS: &[Field] = &[
    Field {
        name: "target",
        label: "Chat",
        secret: false,
        required: true,
        input: Input::Line,
        help: "The chat's id, negative for groups and channels, or @name of a public one.",
    },
    Field {
        name: "message_thread_id",
        label: "Topic",
        secret: false,
        required: false,
        input: Input::Number,
        help: "The topic of a group with topics.",
    },
    Field {
        name: "silent_below",
        label: "Silent below",
        secret: false,
        required: false,
        input: Input::Choice(&["info", "warning", "error", "critical"]),
        help: "Milder alerts make no sound; `warning` when absent.",
    },
    Field {
        name: "edit",
        label: "Edit in place",
        secret: false,
        required: false,
        input: Input::Switch,
        help: "Show repeats in the message that is there; `true` when absent.",
    },
    Field {
        name: "quiet_gap_s",
        label: "Quiet gap (seconds)",
        secret: false,
        required: false,
        input: Input::Number,
        help: "A repeat after a longer pause is a fresh message; 3600 when absent.",
    },
    Field {
        name: "buttons",
        label: "Link buttons",
        secret: false,
        required: false,
        input: Input::Json,
        help: "A list of { text, url } under each message: the runbook, the graphs.",
    },
];

/// Shorter than the four hours after which Alertmanager by default repeats what still fires: that is meant to be
/// noticed. Longer than the pauses of what flaps.
const QUIET_GAP_DEFAULT: Duration = Duration::from_hours(1);

/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>: 30 messages per second of a
/// bot, one per second in a chat (more for a moment, so 60 per minute), 20 per minute in a group. What goes out at once
/// after a pause comes on top of what is refilled meanwhile: each burst and its rate together keep the limit.
const BOT_BURST: u32 = 6;
const BOT_PER_MINUTE: u32 = (30 - BOT_BURST) * 60;
/// The parts of one long message, and one more that is kept for what is critical.
const CHAT_BURST: u32 = 4;
const CHAT_PER_MINUTE: u32 = 60 - CHAT_BURST;
const GROUP_PER_MINUTE: u32 = 20 - CHAT_BURST;

fn paces(channel: &OpenChannel) -> Vec<Pace> {
    let token = channel.secrets.get("bot_token").map(SecretString::expose_secret).unwrap_or_default();
    let target = &channel.channel.target;
    let (bot, chat) = (short_hash(token), short_hash(&format!("{token} {target}")));
    let pace = |key, per_minute, burst| Pace { key, per_minute, burst };
    let mut paces = vec![
        pace(format!("telegram-chat-{chat}"), CHAT_PER_MINUTE, CHAT_BURST),
        pace(format!("telegram-bot-{bot}"), BOT_PER_MINUTE, BOT_BURST),
    ];
    // Only people have positive ids, and no @name.
    if target.starts_with(['-', '@']) {
        paces.insert(0, pace(format!("telegram-group-{chat}"), GROUP_PER_MINUTE, CHAT_BURST));
    }
    paces
}

/// Nine bytes: enough to tell bots apart, and nothing to find a token by.
fn short_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..9])
}

fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let bot = bot_id(token(channel)?)?;
    let options = Options::read(channel)?;
    let target = target(&channel.channel.target)?;
    let topic = options.topic.map(|topic| topic.to_string()).unwrap_or_default();
    Ok(Arc::new(Telegram {
        api: api(channel, tools)?,
        place: format!("{bot}/{}/{topic}", channel.channel.target),
        target,
        options,
        moved: OnceLock::new(),
        begun: Begun::default(),
    }))
}

fn token(channel: &OpenChannel) -> Result<&SecretString, ConfigureError> {
    channel.secrets.get("bot_token").ok_or_else(|| ConfigureError::new("bot_token", "is missing in the bot"))
}

/// The Bot API as the channel's bot reaches it.
fn api(channel: &OpenChannel, tools: &Tools) -> Result<Api, ConfigureError> {
    let secret = |name: &str| channel.secrets.get(name);
    let token = token(channel)?;
    bot_id(token)?;
    let mut secrets = vec![token.clone()];
    secrets.extend(token.expose_secret().split_once(':').map(|(_, secret)| SecretString::from(secret)));
    let client = match secret("proxy") {
        Some(proxy) => {
            let url = proxy_url(proxy)?;
            secrets.push(proxy.clone());
            secrets.extend(url.password().map(SecretString::from));
            tools.http.through(&url).map_err(|error| ConfigureError::new("proxy", error.to_string()))?
        }
        None => tools.http.clone(),
    };
    let base = match (secret("api_base"), &tools.telegram_api) {
        (Some(base), _) => api_base(base.expose_secret())?,
        (None, Some(base)) => api_base(base.as_str())?,
        (None, None) => api_base(TELEGRAM_API_URL)?,
    };
    let caller = Caller::new(&Tools { http: client.clone(), ..tools.clone() }, secrets);
    Ok(Api::new(client, caller, &base, token, secret("proxy").is_some()))
}

/// A token is the bot's id, a colon and the secret.
fn bot_id(token: &SecretString) -> Result<u64, ConfigureError> {
    let parts = token.expose_secret().split_once(':').filter(|(_, secret)| {
        !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    });
    let id = parts.and_then(|(id, _)| id.parse().ok());
    id.ok_or_else(|| ConfigureError::new("bot_token", "does not look like one of @BotFather's, `123456:ABC-…`"))
}

fn proxy_url(proxy: &SecretString) -> Result<Url, ConfigureError> {
    let known = |url: &Url| ["http", "https", "socks5", "socks5h"].contains(&url.scheme()) && url.has_host();
    let url = Url::parse(proxy.expose_secret()).ok().filter(known);
    url.ok_or_else(|| ConfigureError::new("proxy", "must be an http://, socks5:// or socks5h:// URL"))
}

fn api_base(text: &str) -> Result<Url, ConfigureError> {
    let bare = |url: &Url| url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && bare(url));
    url.ok_or_else(|| ConfigureError::new("api_base", "must be an http:// or https:// URL without user and query"))
}

/// A chat's id, or the @name of a public one: <https://core.telegram.org/bots/api#sendmessage>, `chat_id`.
fn target(text: &str) -> Result<Recipient, ConfigureError> {
    let name = text.strip_prefix('@');
    let named =
        name.is_some_and(|name| name.len() >= 4 && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
    match text.parse() {
        Ok(id) if id != 0 => Ok(ChatId(id).into()),
        _ if named => Ok(Recipient::ChannelUsername(text.to_owned())),
        _ => Err(ConfigureError::new("target", "must be a chat's id, such as -1001234567890, or @name")),
    }
}

#[derive(Debug)]
struct Options {
    topic: Option<ThreadId>,
    silent_below: Severity,
    edit: bool,
    quiet_gap: Duration,
    buttons: Vec<InlineKeyboardButton>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    text: String,
    url: Url,
}

impl Options {
    fn read(channel: &OpenChannel) -> Result<Self, ConfigureError> {
        let topic = option(channel, "message_thread_id", "must be the number of a topic")?;
        let silent_below = option(channel, "silent_below", "must be info, warning, error or critical")?;
        let quiet_gap = option::<u32>(channel, "quiet_gap_s", "must be a number of seconds")?;
        let buttons = option::<Vec<Button>>(channel, "buttons", "must be a list of { text, url }")?.unwrap_or_default();
        let button = |button: Button| InlineKeyboardButton::url(button.text, button.url);
        Ok(Self {
            topic: topic.map(|topic| ThreadId(MessageId(topic))),
            silent_below: silent_below.unwrap_or(Severity::Warning),
            edit: option(channel, "edit", "must be true or false")?.unwrap_or(true),
            quiet_gap: quiet_gap.map_or(QUIET_GAP_DEFAULT, |seconds| Duration::from_secs(seconds.into())),
            buttons: buttons.into_iter().map(button).collect(),
        })
    }
}

fn option<T: DeserializeOwned>(channel: &OpenChannel, name: &str, wanted: &str) -> Result<Option<T>, ConfigureError> {
    let value = channel.channel.options.get(name).cloned();
    value.map(serde_json::from_value).transpose().map_err(|_| ConfigureError::new(name, wanted))
}

struct Telegram {
    api: Api,
    target: Recipient,
    /// Bot, target and topic: messages elsewhere are not ours to edit.
    place: String,
    options: Options,
    /// The supergroup that the target has become.
    moved: OnceLock<ChatId>,
    begun: Begun,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Telegram({:?}, {})", self.api, self.target)
    }
}

#[async_trait]
impl Channel for Telegram {
    async fn send(&self, message: &Message, last: Option<&Kept>) -> Result<Receipt, SendError> {
        let (plan, there) = self.plan(message, last);
        if plan == Plan::Leave {
            return Ok(Receipt { detail: "something newer is shown already".to_owned(), ..Receipt::default() });
        }
        let mut attempt = Attempt::new(self, message);
        if let Some(there) = there.filter(|_| !attempt.goes_on())
            && let Some(thread) = attempt.edit(&there).await?
        {
            if plan == Plan::EditAndTell {
                attempt.tell(&there).await?;
            }
            return Ok(receipt("edited", &thread, attempt.remarks));
        }
        let thread = attempt.send().await?;
        Ok(receipt("sent", &thread, attempt.remarks))
    }

    fn calls(&self, message: &Message, last: Option<&Kept>) -> u32 {
        let (plan, there) = self.plan(message, last);
        let attempt = Attempt::new(self, message);
        let parts = match there {
            _ if plan == Plan::Leave => 0,
            Some(there) if !attempt.goes_on() && attempt.fits(&there) => {
                there.messages.len() + usize::from(plan == Plan::EditAndTell)
            }
            _ => attempt.messages(),
        };
        u32::try_from(parts).unwrap_or(u32::MAX)
    }
}

impl Telegram {
    /// What to do with a message, and the messages that it is to be shown in.
    fn plan(&self, message: &Message, last: Option<&Kept>) -> (Plan, Option<Thread>) {
        let there = last.filter(|_| self.options.edit).and_then(|kept| Thread::of(kept, &self.place));
        let Some(there) = there else { return (Plan::Fresh, None) };
        let plan = there.plan(message, self.api.now_ms(), self.options.quiet_gap);
        (plan, (plan != Plan::Fresh).then_some(there))
    }
}

fn receipt(done: &str, thread: &Thread, remarks: Vec<String>) -> Receipt {
    let head = match thread.messages.len() {
        1 => done.to_owned(),
        parts => format!("{done} in {parts} parts"),
    };
    let detail = std::iter::once(head).chain(remarks).collect::<Vec<_>>().join("; ");
    let provider_id = thread.messages.first().map(ToString::to_string);
    Receipt { provider_id, detail, keep: Some(thread.keep()) }
}
