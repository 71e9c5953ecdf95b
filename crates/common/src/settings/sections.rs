//! The sections that are nothing but fields. `config.example.toml` says what each is for.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

use super::{duration, optional};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub dir: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub listen: SocketAddr,
    pub api_listen: SocketAddr,
    #[serde(deserialize_with = "optional")]
    pub health_listen: Option<SocketAddr>,
    pub trusted_proxies: Vec<IpNet>,
    #[serde(deserialize_with = "optional")]
    pub public_url: Option<String>,
    pub body_max_bytes: usize,
    pub json_depth_max: usize,
    #[serde(deserialize_with = "duration")]
    pub head_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub body_timeout: Duration,
    pub connections_max: usize,
    pub cookie_secure: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    pub listen: SocketAddr,
    #[serde(deserialize_with = "optional")]
    pub tls_listen: Option<SocketAddr>,
    #[serde(deserialize_with = "optional")]
    pub tls_cert: Option<PathBuf>,
    #[serde(deserialize_with = "optional")]
    pub tls_key: Option<PathBuf>,
    pub hostname: String,
    pub allow_from: Vec<IpNet>,
    pub recipients: Vec<String>,
    pub channel_domain: String,
    #[serde(deserialize_with = "optional")]
    pub users_file: Option<PathBuf>,
    pub auth_required: bool,
    pub auth_without_tls: bool,
    pub message_max_bytes: usize,
    pub line_max_bytes: usize,
    pub recipients_max: usize,
    pub errors_max: usize,
    #[serde(deserialize_with = "duration")]
    pub idle_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub data_timeout: Duration,
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub memory_max_bytes: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// May hold a password, so it is a secret.
    pub url: SecretString,
    #[serde(deserialize_with = "duration")]
    pub lease: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// May hold a password, so it is a secret.
    pub url: SecretString,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    pub master_key: SecretString,
    /// Newest first.
    pub old_keys: Vec<SecretString>,
    pub hash_key: SecretString,
    #[serde(deserialize_with = "duration")]
    pub session_ttl: Duration,
    #[serde(deserialize_with = "duration")]
    pub refresh_ttl: Duration,
    #[serde(deserialize_with = "duration")]
    pub link_ttl: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    pub admin_email: String,
    pub admin_password: SecretString,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    pub allow_private: Vec<IpNet>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    #[serde(deserialize_with = "optional")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analyzer {
    pub batch: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispatcher {
    pub concurrency: usize,
    pub per_channel: usize,
    #[serde(deserialize_with = "duration")]
    pub attempt_timeout: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telegram {
    #[serde(deserialize_with = "optional")]
    pub api_base: Option<Url>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    pub raw_max_bytes: usize,
    pub batch: usize,
    /// 0: for ever.
    pub retention_days: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
}
