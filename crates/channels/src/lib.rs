//! Destinations, one file each, and how a message is rendered.
//!
//! A channel is described by a [`ChannelKind`] and sends through a [`Channel`]. What went wrong is one of the
//! three classes of [`SendError`], and whoever sends decides by the class alone. To add a destination: write
//! its file, add its `mod` line and its line in [`ALL`], both below. The contract suite in `contract.rs` then
//! runs for it, and `docs/guide/channels.md` wants its set-up snippet.

mod console;
mod discord;
mod draw;
mod email;
mod error;
mod gotify;
mod hook;
mod http;
mod lark;
mod markup;
mod mattermost;
mod message;
mod ntfy;
mod reached;
mod render;
mod secrets;
mod slack;
mod sms;
mod teams;
mod telegram;
mod template;
mod voice;
mod webhook;

#[cfg(test)]
mod contract;

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use watchbell_common::{
    clock::{Clock, SystemClock},
    config::OpenChannel,
    outbound::{Guard, Http},
    settings::Settings,
};

use self::render::Manner;

pub use self::{
    error::{ConfigureError, RATE_LIMIT_DEFAULT, SendError},
    message::{Body, Markup, Message},
    render::Layout,
    template::TemplateError,
    voice::{TemplateFailure, Voice},
};

/// Every kind of destination.
pub const ALL: &[&ChannelKind] = &[
    &console::KIND,
    &discord::KIND,
    &email::KIND,
    &gotify::KIND,
    &lark::KIND,
    &mattermost::KIND,
    &ntfy::KIND,
    &slack::KIND,
    &sms::KIND,
    &teams::KIND,
    &telegram::KIND,
    &webhook::KIND,
];

/// Options that channels of every kind have.
pub const COMMON: &[Field] = render::FIELDS;

/// Why one of [`COMMON`] cannot have that value.
pub fn check_option(name: &str, value: &serde_json::Value) -> Result<(), String> {
    render::check(name, value)
}

/// Why nothing can be sent through a channel as it stands: the field, and why. Shows no value.
pub fn check_channel(channel: &OpenChannel) -> Result<(), (String, String)> {
    /// What is made with these is thrown away, so nothing waits and nothing is called.
    static TOOLS: LazyLock<Result<Tools, String>> = LazyLock::new(|| {
        // What is guarded depends on the settings, and names are looked up when something is sent.
        let http = Http::open().map_err(|error| format!("{error:#}"))?;
        let clock = Arc::new(SystemClock);
        Ok(Tools { guarded: http.clone(), http, clock, timeout: Duration::ZERO, telegram_api: None, public_url: None })
    });
    let tools = TOOLS.as_ref().map_err(|why| ("platform".to_owned(), why.clone()))?;
    configure(channel, tools).map(drop).map_err(ConfigureError::into_parts)
}

/// Why a text is no template, in one line.
pub fn check_template(body: &str) -> Result<(), String> {
    template::Template::parse(body).map(drop).map_err(|error| error.to_string())
}

/// Why a text is no condition for using a template, in one line.
pub fn check_condition(when: &str) -> Result<(), String> {
    template::Condition::parse(when).map(drop).map_err(|error| error.to_string())
}

/// The kind of that id.
pub fn kind(platform: &str) -> Option<&'static ChannelKind> {
    ALL.iter().copied().find(|kind| kind.id == platform)
}

/// A sender, or why there cannot be one.
pub type Configured = Result<Arc<dyn Channel>, ConfigureError>;

/// Describes a kind of destination: enough to draw its form, check its configuration and document it.
#[derive(Debug)]
pub struct ChannelKind {
    /// The `platform` of bots and channels; also the name of its file here.
    pub id: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What a bot of this platform holds; empty when its channels need no bot.
    pub bot: &'static [Field],
    pub fields: &'static [Field],
    pub limits: Limits,
    /// What the platform's own rate limits are for this channel, the strictest first.
    pub paces: fn(&OpenChannel) -> Vec<Pace>,
    /// Whether a channel of this kind wants to know what it kept of an alert's last message ([`Receipt::keep`]).
    /// Asking for it costs a round trip to the queue for each message.
    pub remembers: bool,
    /// An example for the provisioning file, ready to copy.
    pub setup: &'static str,
    /// Checks the fields and makes the sender. Does no I/O. Call it through [`configure`].
    pub configure: fn(&OpenChannel, &Tools) -> Configured,
    /// How the contract suite sets one up.
    #[cfg(test)]
    example: contract::Example,
}

/// One thing to fill in. Those of a bot and secret ones are found among [`OpenChannel::secrets`], `target` is the
/// channel's target, everything else is an option.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub secret: bool,
    pub required: bool,
    pub input: Input,
    pub help: &'static str,
}

/// How a field is filled in. A bot's are kept as texts, whatever they are; options as the JSON that is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A text of one line.
    Line,
    /// A text of many lines.
    Lines,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An object of names and texts.
    Headers,
    /// Any other JSON.
    Json,
}

impl Input {
    /// Its word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "text",
            Self::Lines => "lines",
            Self::Number => "number",
            Self::Switch => "switch",
            Self::Choice(_) => "choice",
            Self::Headers => "headers",
            Self::Json => "json",
        }
    }

    /// What there is to choose from; empty where nothing is chosen.
    pub const fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Choice(choices) => choices,
            _ => &[],
        }
    }
}

/// What the platform can take.
#[derive(Debug)]
pub struct Limits {
    /// The longest text, in units of `unit`.
    pub text_max: usize,
    pub unit: Unit,
    pub beyond: Beyond,
    /// Where that number comes from.
    pub source: &'static str,
}

/// How a platform counts a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Of UTF-8.
    Bytes,
    /// Unicode scalar values.
    Characters,
    /// Units of UTF-16.
    Utf16,
}

/// What becomes of a longer text. No text is ever a reason not to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// It is cut on a character, and the cut is marked.
    Cut,
    /// It goes out in parts, or as an attachment.
    Split,
}

/// A rate limit of the platform, shared by everything that has the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Whose limit it is, for example a bot's or a chat's: at most 64 bytes, no secret (hash one).
    pub key: String,
    pub per_minute: u32,
    /// How many may go at once after a pause.
    pub burst: u32,
}

/// What a channel may need to send.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Makes the calls. [`configure`] gives each channel the right one of the two.
    pub http: Http,
    /// Makes the calls of channels that a tenant configured.
    pub guarded: Http,
    pub clock: Arc<dyn Clock>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Where Telegram's Bot API is, when it is not the public one.
    pub telegram_api: Option<reqwest::Url>,
    /// Where people reach the dashboard, for links.
    pub public_url: Option<String>,
}

impl Tools {
    /// Those that the settings describe. They hold connections and certificates: make them once.
    ///
    /// # Errors
    /// When no client can be made for HTTP.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let guard = Guard::new(settings.outbound.allow_private.clone());
        Ok(Self {
            http: Http::open()?,
            guarded: Http::guarded(guard)?,
            clock,
            timeout: settings.dispatcher.attempt_timeout,
            telegram_api: settings.telegram.api_base.clone(),
            public_url: settings.http.public_url.clone(),
        })
    }
}

/// What a channel keeps of a message, to edit or to answer it later: whatever it needs, as JSON of at most
/// [`KEEP_MAX_BYTES`]. Holds no secret.
pub type Kept = serde_json::Value;

/// The largest [`Kept`], as JSON.
pub const KEEP_MAX_BYTES: usize = 4 * 1024;

/// Sends messages to one place. Its `Debug` shows no secret.
#[async_trait]
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// Tries once. May be called from many tasks at a time, but never for the same alert at the same time.
    ///
    /// `last` is what this channel kept of the last message about the same alert. It may be absent at any time,
    /// and what it names may be gone: then the message is a fresh one.
    async fn send(&self, message: &Message, last: Option<&Kept>) -> Result<Receipt, SendError>;

    /// How many calls of the platform [`Channel::send`] will make with the same arguments, if all goes well: that many
    /// slots of [`ChannelKind::paces`] are taken before.
    fn calls(&self, _message: &Message, _last: Option<&Kept>) -> u32 {
        1
    }
}

/// The platform took the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The platform's own name for it, when it gave one.
    pub provider_id: Option<String>,
    /// What the platform said, for the history. Holds no secret.
    pub detail: String,
    /// Given to the next message about the same alert; `None` leaves what was kept before.
    pub keep: Option<Kept>,
}

/// Makes the sender of a channel, after checking what every kind has in common.
///
/// # Errors
/// Names the field that is missing, unknown or wrong. Never shows a value: it may be a secret.
pub fn configure(channel: &OpenChannel, tools: &Tools) -> Configured {
    let platform = &channel.channel.platform;
    let kind = kind(platform)
        .ok_or_else(|| ConfigureError::new("platform", format!("`{platform}` is none of {}", names())))?;
    let missing_in_bot = |field: &&Field| field.required && !channel.secrets.contains_key(field.name);
    if let Some(field) = kind.bot.iter().find(missing_in_bot) {
        return Err(ConfigureError::new(field.name, format!("is missing in the bot; {} needs one", kind.title)));
    }
    for field in kind.fields.iter().filter(|field| field.required) {
        let present = match field.name {
            "target" => !channel.channel.target.is_empty(),
            name if field.secret => channel.secrets.contains_key(name),
            name => channel.channel.options.contains_key(name),
        };
        if !present {
            return Err(ConfigureError::new(field.name, "is missing"));
        }
    }
    let known = |option: &str| kind.fields.iter().chain(COMMON).any(|field| field.name == option && !field.secret);
    if let Some(option) = channel.channel.options.keys().find(|option| !known(option)) {
        return Err(ConfigureError::new(option, format!("{} has no such option", kind.title)));
    }
    Manner::of(channel, None)?;
    let tools = allowed(channel, tools);
    check_addresses(kind, channel, &tools)?;
    (kind.configure)(channel, &tools)
}

/// A chat that a bot can send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundChat {
    /// What a channel's target has to be.
    pub id: i64,
    /// The platform's word: `private`, `group`, `supergroup` or `channel`.
    pub kind: String,
    /// The group's title or the person's name; may be empty.
    pub title: String,
    /// The topic in it, what `message_thread_id` has to be.
    pub topic: Option<i64>,
    /// The topic's name, where it was told.
    pub topic_name: Option<String>,
}

/// The chats in which a bot was spoken to or added, the latest first. Nothing is taken from whoever listens for them.
/// `bot` is any channel of it.
///
/// # Errors
/// The platform's refusal; or that it cannot say.
pub async fn chats(bot: &OpenChannel, tools: &Tools) -> Result<Vec<FoundChat>, SendError> {
    if bot.channel.platform != telegram::KIND.id {
        let detail = format!("{} does not tell where a bot was spoken to", bot.channel.platform);
        return Err(SendError::Rejected { detail });
    }
    telegram::chats(bot, &allowed(bot, tools)).await
}

/// The tools with which a channel may call out: a tenant's pass the guard.
fn allowed(channel: &OpenChannel, tools: &Tools) -> Tools {
    let http = if channel.trusted { &tools.http } else { &tools.guarded };
    Tools { http: http.clone(), ..tools.clone() }
}

/// Names the field of an address that must not be called. Where a field holds a name, its address is checked when
/// something is sent.
fn check_addresses(kind: &ChannelKind, channel: &OpenChannel, tools: &Tools) -> Result<(), ConfigureError> {
    let Some(guard) = tools.http.guard() else { return Ok(()) };
    for field in kind.bot.iter().chain(kind.fields) {
        let text = match field.name {
            "target" => Some(channel.channel.target.as_str()),
            name => channel.secrets.get(name).map(ExposeSecret::expose_secret),
        };
        let text = text.or_else(|| channel.channel.options.get(field.name)?.as_str()).unwrap_or_default();
        let refused = match reqwest::Url::parse(text) {
            Ok(url) if url.has_host() => guard.check(&url),
            _ => guard.check_host(text.trim()),
        };
        refused.map_err(|refused| ConfigureError::new(field.name, refused.to_string()))?;
    }
    Ok(())
}

fn names() -> String {
    ALL.iter().map(|kind| kind.id).collect::<Vec<_>>().join(", ")
}
