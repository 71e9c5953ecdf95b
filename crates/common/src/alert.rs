//! What an alert is: severity, status, the event that was received and what was understood of it.

use std::{collections::BTreeMap, fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::UnixMillis,
    ids::{AlertId, ChannelId, EventId, TenantId},
};

/// How bad it is. Ordered: `Info < Warning < Error < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

impl Severity {
    /// All of them, mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word used in the API, the database and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no severity.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a severity: use info, warning, error or critical")]
pub struct UnknownSeverity(String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text).ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Firing,
    Acknowledged,
    Resolved,
}

impl Status {
    /// The word used in the API, the database and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The deterministic analysis; always there first.
    Rules,
    /// An earlier answer of the model for the same template of alert.
    Cache,
    Model,
    Human,
}

impl Origin {
    /// The word used in the API, the database and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Cache => "cache",
            Self::Model => "model",
            Self::Human => "human",
        }
    }
}

/// What was understood of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    pub severity: Severity,
    pub status: Status,
    /// What kind of thing it is about: `availability`, `disk`, `backup`, `security` …; `other` when unknown.
    pub category: String,
    /// The host, service or job it is about; empty when the event does not say.
    pub system: String,
    /// One line for a person.
    pub summary: String,
    /// What to do about it; empty when nothing useful can be said.
    pub action: String,
    pub origin: Origin,
    /// 0 to 1. The rules give 1 when they know the sender's format, less when they guess.
    pub confidence: f32,
}

/// One thing received, as the stages after intake see it: decoded text, no raw bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub tenant: TenantId,
    pub received_at: UnixMillis,
    /// The intake it came through: `mail`, `push`, `alertmanager` …
    pub source: String,
    /// The channel whose push token or address was used; it gets the event whatever the rules say.
    pub channel: Option<ChannelId>,
    pub peer: Option<IpAddr>,
    /// Every sender address, envelope first, then headers; matchers look at all of them. Lower case.
    pub from: Vec<String>,
    /// Every recipient address, envelope first, then headers. Lower case.
    pub to: Vec<String>,
    /// The subject or title, as it was sent.
    pub subject: String,
    /// The readable text, at most [`TEXT_MAX_BYTES`].
    pub text: String,
    pub labels: BTreeMap<String, String>,
    /// The names of attachments that were left behind in the raw bytes.
    pub attachments: Vec<String>,
}

/// The readable text that is carried along: enough for every message format we deliver to.
/// The raw bytes keep the rest.
pub const TEXT_MAX_BYTES: usize = 64 * 1024;

/// An event with its analysis and identity: what is routed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub event: Event,
    pub analysis: Analysis,
    /// Events with the same fingerprint in a tenant are the same alert. 32 hex digits.
    pub fingerprint: String,
    pub id: AlertId,
}

impl Alert {
    /// Names the alert of a fingerprint in a tenant.
    pub fn id_of(tenant: TenantId, fingerprint: &str) -> AlertId {
        AlertId::derived(&[&tenant.0.to_be_bytes(), fingerprint.as_bytes()])
    }
}
