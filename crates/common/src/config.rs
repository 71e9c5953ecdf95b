//! What people configure (channels, templates, rules, mutes, silences), as one document and as the compiled snapshot.
//!
//! The store is the authority. Whoever changes it writes the whole [`Document`] to the queue
//! ([`crate::queue::Queue::publish_config`]); every service keeps a compiled [`Snapshot`] and swaps it when a
//! newer version appears. So the hot path asks no database, and services start and run while the store is away.
//! Secrets in a document are sealed ([`crate::crypto`]); only the snapshot in memory holds them open.

pub mod check;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::{
    ai::{Ai, OpenAi},
    alert::Severity,
    clock::UnixMillis,
    crypto::{Place, Sealed, Vault},
    ids::{BotId, ChannelId, MuteId, RuleId, SilenceId, TemplateId, TenantId},
    queue::{Published, Queue},
    routing::{CompiledTenant, PatternError},
};

/// Everything that people configured, of all tenants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub version: i64,
    pub tenants: Vec<Tenant>,
}

/// One tenant's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    /// The short name used in metrics and addresses.
    pub name: String,
    pub bots: Vec<Bot>,
    /// Absent in documents from before there were any.
    #[serde(default)]
    pub templates: Vec<Template>,
    pub channels: Vec<Channel>,
    /// In the order in which they are tried.
    pub rules: Vec<Rule>,
    pub default_channels: Vec<ChannelId>,
    pub mutes: Vec<Mute>,
    pub silences: Vec<Silence>,
    #[serde(default)]
    pub ai: Ai,
    /// Absent in documents from before tenants could configure anything themselves.
    #[serde(default)]
    pub operators: Operators,
    /// Channels that pretend to be down, and until when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drills: BTreeMap<ChannelId, UnixMillis>,
}

/// What of a tenant's configuration is the operator's own, from the provisioning file. It may call addresses inside;
/// everything else passes the guard ([`crate::outbound`]).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operators {
    /// Everything.
    #[default]
    All,
    Only {
        bots: BTreeSet<BotId>,
        channels: BTreeSet<ChannelId>,
    },
}

impl Operators {
    /// Whether a channel calls only where the operator said: it is the operator's, and so is its bot.
    fn own(&self, channel: &Channel) -> bool {
        match self {
            Self::All => true,
            Self::Only { bots, channels } => {
                channels.contains(&channel.id) && channel.bot.is_none_or(|bot| bots.contains(&bot))
            }
        }
    }
}

impl Tenant {
    /// A tenant that configured nothing.
    pub fn empty(id: TenantId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            bots: Vec::new(),
            templates: Vec::new(),
            channels: Vec::new(),
            rules: Vec::new(),
            default_channels: Vec::new(),
            mutes: Vec::new(),
            silences: Vec::new(),
            ai: Ai::default(),
            operators: Operators::default(),
            drills: BTreeMap::new(),
        }
    }
}

/// Credentials of a platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bot {
    pub id: BotId,
    pub name: String,
    pub platform: String,
    #[serde(default)]
    pub description: String,
    /// Field name → sealed value.
    pub credentials: BTreeMap<String, Sealed>,
    /// Nothing goes through the channels of a bot that is not.
    #[serde(default = "yes")]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

/// How messages are written: Go `text/template` syntax.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    pub id: TemplateId,
    pub name: String,
    pub body: String,
    pub parse_mode: ParseMode,
}

/// The markup that a template writes. The words are those of Telegram's API, which `PulseGuard` uses too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ParseMode {
    #[default]
    MarkdownV2,
    #[serde(rename = "HTML")]
    Html,
    /// Plain text.
    None,
}

impl ParseMode {
    /// The word used in the API, the database and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MarkdownV2 => "MarkdownV2",
            Self::Html => "HTML",
            Self::None => "None",
        }
    }
}

/// A word that names no parse mode.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a parse mode: use MarkdownV2, HTML or None")]
pub struct UnknownParseMode(String);

impl FromStr for ParseMode {
    type Err = UnknownParseMode;

    fn from_str(text: &str) -> Result<Self, UnknownParseMode> {
        [Self::MarkdownV2, Self::Html, Self::None]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| UnknownParseMode(text.to_owned()))
    }
}

/// When a channel uses a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateUse {
    pub template: TemplateId,
    /// A condition on the data that the template sees; absent: always.
    pub when: Option<String>,
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub id: ChannelId,
    pub name: String,
    pub platform: String,
    pub bot: Option<BotId>,
    /// Chat id, room id, mail address, phone number or URL.
    pub target: String,
    /// What else the platform understands, as its description lists it.
    pub options: BTreeMap<String, serde_json::Value>,
    /// Secret options (a webhook's signing secret), sealed.
    pub secrets: BTreeMap<String, Sealed>,
    /// Messages per minute; 0 for no limit.
    pub rate_per_min: u32,
    /// Repeats of an alert inside this window are dropped; 0 for none.
    pub dedup_window_s: u32,
    pub push_token: Sealed,
    /// The first whose condition holds writes the message; when none does, the built-in layout.
    #[serde(default)]
    pub templates: Vec<TemplateUse>,
    pub enabled: bool,
}

/// Conditions on an event; all that are given must hold. Texts are globs (`*`, `?`, `[…]`), case-insensitive.
/// `from` and `to` hold when any of the event's addresses matches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    pub from: Option<String>,
    pub to: Option<String>,
    pub subject: Option<String>,
    pub source: Option<String>,
    pub system: Option<String>,
    pub category: Option<String>,
    pub severity_at_least: Option<Severity>,
    /// Label name → glob; an absent label counts as empty.
    pub labels: BTreeMap<String, String>,
}

/// Routing: matchers → channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub id: RuleId,
    pub name: String,
    #[serde(rename = "match")]
    pub matcher: Match,
    pub channels: Vec<ChannelId>,
    /// Also look at the rules after this one.
    pub r#continue: bool,
    /// The rule's own word on severity, up or down.
    pub set_severity: Option<Severity>,
    /// From this severity on, these channels get it as well.
    pub escalate: Option<Escalate>,
    /// When the rule applies; always when absent.
    pub active: Option<Active>,
    /// How long its alerts may wait for the model's answer; absent: not at all.
    #[serde(default)]
    pub ai_max_wait_ms: Option<u32>,
    pub enabled: bool,
}

/// More channels for what is severe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalate {
    pub severity_at_least: Severity,
    pub channels: Vec<ChannelId>,
}

/// A weekly time window in a time zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Active {
    /// `mon` … `sun`; empty for every day. A window over midnight belongs to the day on which it began.
    #[serde(default)]
    pub days: Vec<String>,
    /// `HH:MM`, included.
    pub from: String,
    /// `HH:MM`, excluded; not after `from` means over midnight.
    pub to: String,
    /// An IANA name such as `Europe/Berlin`; UTC when absent.
    #[serde(default)]
    pub timezone: Option<String>,
}

/// A sender or source that is dropped before anything is spent on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mute {
    pub id: MuteId,
    pub from: Option<String>,
    pub source: Option<String>,
    pub comment: String,
}

/// What is kept from the channels until it expires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    pub id: SilenceId,
    #[serde(rename = "match")]
    pub matcher: Match,
    pub expires_at: UnixMillis,
    pub comment: String,
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration document cannot be read")]
    Unreadable(#[from] serde_json::Error),
    #[error("{whose}: {source}")]
    Pattern { whose: String, source: PatternError },
    #[error("{whose}: {source}")]
    Secret { whose: String, source: crate::crypto::CryptoError },
}

/// The configuration in the form in which it is used: compiled, indexed, secrets open. Immutable.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub version: i64,
    pub tenants: HashMap<TenantId, CompiledTenant>,
    channels: HashMap<ChannelId, Arc<OpenChannel>>,
    ai: HashMap<TenantId, OpenAi>,
    drills: HashMap<ChannelId, UnixMillis>,
    /// SHA-256 of the push token → channel: a look-up by hash leaks nothing through its timing.
    tokens: HashMap<[u8; 32], ChannelId>,
    /// Tenant and channel name in lower case → channel.
    names: HashMap<(TenantId, String), ChannelId>,
}

/// A channel with its bot and its secrets open.
#[derive(Debug)]
pub struct OpenChannel {
    pub tenant: TenantId,
    pub channel: Channel,
    /// The bot's credentials and the channel's own secrets, by field name.
    pub secrets: BTreeMap<String, SecretString>,
    /// Whether it may call addresses inside.
    pub trusted: bool,
    /// The templates of [`Channel::templates`] and when each is used, in that order.
    pub templates: Vec<(Template, Option<String>)>,
}

impl Snapshot {
    /// Compiles a document. One broken pattern or secret refuses the whole: half a configuration is worse
    /// than the previous one.
    pub fn compile(document: &Document, vault: &Vault) -> Result<Self, ConfigError> {
        let mut snapshot = Self { version: document.version, ..Self::default() };
        for tenant in &document.tenants {
            snapshot.tenants.insert(tenant.id, CompiledTenant::compile(tenant)?);
            for channel in &tenant.channels {
                snapshot.add_channel(tenant, channel, vault)?;
            }
            snapshot.ai.insert(tenant.id, open_ai(tenant, vault)?);
            snapshot.drills.extend(&tenant.drills);
        }
        Ok(snapshot)
    }

    fn add_channel(&mut self, tenant: &Tenant, channel: &Channel, vault: &Vault) -> Result<(), ConfigError> {
        let secret = |source| ConfigError::Secret { whose: format!("channel `{}`", channel.name), source };
        let bot = tenant.bots.iter().find(|bot| Some(bot.id) == channel.bot);
        let of_bot = bot.iter().flat_map(|bot| {
            bot.credentials.iter().map(|(field, sealed)| (field, sealed, Place::bot(tenant.id, bot.id, field)))
        });
        let own = channel.secrets.iter();
        let own = own.map(|(field, sealed)| (field, sealed, Place::channel(tenant.id, channel.id, field)));
        let secrets = of_bot
            .chain(own)
            .map(|(field, sealed, place)| Ok((field.clone(), vault.open(sealed, &place)?)))
            .collect::<Result<_, _>>()
            .map_err(secret)?;
        let token = vault.open(&channel.push_token, &Place::push_token(tenant.id, channel.id)).map_err(secret)?;
        self.tokens.insert(token_hash(token.expose_secret()), channel.id);
        self.names.insert((tenant.id, channel.name.to_lowercase()), channel.id);
        let used = |used: &TemplateUse| {
            let template = tenant.templates.iter().find(|template| template.id == used.template)?;
            Some((template.clone(), used.when.clone()))
        };
        let templates = channel.templates.iter().filter_map(used).collect();
        let open = OpenChannel {
            tenant: tenant.id,
            channel: channel.clone(),
            secrets,
            trusted: tenant.operators.own(channel),
            templates,
        };
        self.channels.insert(channel.id, Arc::new(open));
        Ok(())
    }

    /// The models that a tenant's configuration names.
    pub fn ai(&self, tenant: TenantId) -> Option<&OpenAi> {
        self.ai.get(&tenant)
    }

    /// Whether the channel pretends to be down at that time.
    pub fn in_drill(&self, channel: ChannelId, now: UnixMillis) -> bool {
        self.drills.get(&channel).is_some_and(|&until| until > now)
    }

    /// The channel of that id, if the tenant has it.
    pub fn channel(&self, tenant: TenantId, id: ChannelId) -> Option<&Arc<OpenChannel>> {
        self.channels.get(&id).filter(|channel| channel.tenant == tenant)
    }

    /// The tenant's channel of that name, in any case. Mail systems do not keep the case of an address.
    pub fn channel_by_name(&self, tenant: TenantId, name: &str) -> Option<&Arc<OpenChannel>> {
        self.channels.get(self.names.get(&(tenant, name.to_lowercase()))?)
    }

    /// The channel that a push token belongs to, enabled or not.
    pub fn channel_by_token(&self, token: &str) -> Option<&Arc<OpenChannel>> {
        self.channels.get(self.tokens.get(&token_hash(token))?)
    }
}

fn open_ai(tenant: &Tenant, vault: &Vault) -> Result<OpenAi, ConfigError> {
    let ai = &tenant.ai;
    let open = |provider: &crate::ai::Provider| {
        let secret = |source| ConfigError::Secret { whose: format!("model `{}`", provider.model.name), source };
        provider.open(tenant.id, vault).map_err(secret)
    };
    let providers = ai.providers.iter().map(open).collect::<Result<_, ConfigError>>()?;
    Ok(OpenAi { providers, max_wait: ai.max_wait_ms.map(|wait| Duration::from_millis(wait.into())) })
}

fn token_hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// How often a service looks whether a newer configuration was published. One small read each time.
pub const CONFIG_POLL: Duration = Duration::from_millis(500);

/// The present snapshot, shared by everything in a process.
#[derive(Debug, Default)]
pub struct ConfigCell(ArcSwap<Snapshot>);

impl ConfigCell {
    /// The snapshot as it is now. Hold it for one job, not longer.
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Whether any configuration was taken yet. Published versions start at 1.
    pub fn published(&self) -> bool {
        self.0.load().version > 0
    }

    /// Takes a published document, if it can be compiled.
    pub fn accept(&self, published: &Published, vault: &Vault) -> Result<(), ConfigError> {
        let document: Document = serde_json::from_slice(&published.document)?;
        self.0.store(Arc::new(Snapshot::compile(&document, vault)?));
        Ok(())
    }

    /// Asks the queue once and takes what is newer.
    ///
    /// # Errors
    /// The queue's, or the document's; the present snapshot stays.
    pub async fn refresh(&self, queue: &dyn Queue, vault: &Vault) -> anyhow::Result<()> {
        if let Some(published) = queue.config_newer(self.0.load().version).await? {
            self.accept(&published, vault)?;
            tracing::info!(config.version = published.version, "using a newer configuration");
        }
        Ok(())
    }

    /// Keeps the snapshot up to date until `stop`.
    pub async fn follow(
        self: Arc<Self>,
        queue: Arc<dyn Queue>,
        vault: Arc<Vault>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut failing = false;
        while stop.run_until_cancelled(tokio::time::sleep(CONFIG_POLL)).await.is_some() {
            match self.refresh(&*queue, &vault).await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!("keeping the present configuration: {error:#}");
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}

impl Document {
    /// The bytes to publish.
    pub fn publish(&self) -> Published {
        let document = serde_json::to_vec(self).expect("a document has string keys and finite numbers only");
        Published { version: self.version, document: Bytes::from(document) }
    }
}
