//! What can be changed while the key gateway runs, and what then holds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Policy, Stance};
use crate::{clock::UnixMillis, settings};

/// The note on the queue that names the one private address from which every client seems to come.
pub const SINGLE_SOURCE_NOTE: &str = "gateway:single-source";

/// What happens to a key that nobody can look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailMode {
    /// Refused with 503.
    Closed,
    /// Let pass, unbound.
    Open,
}

/// What happens to requests without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutKey {
    Pass,
    Refuse,
}

/// What was set while running, for all processes; absent: as in the settings of each process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runtime {
    pub mode: Option<Stance>,
    pub learn_until: Option<UnixMillis>,
    pub fail_mode: Option<FailMode>,
    pub without_key: Option<WithoutKey>,
    pub alert_threshold_count: Option<u32>,
    pub alert_threshold_seconds: Option<u32>,
    pub archive_days: Option<u32>,
    pub first_binds_per_minute: Option<u32>,
}

/// What holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub policy: Policy,
    pub fail_mode: FailMode,
    pub without_key: WithoutKey,
    pub alert_threshold: u64,
    pub alert_window: Duration,
    /// 0: never.
    pub archive_days: u32,
    pub first_binds_per_minute: u32,
}

impl Rules {
    /// The settings, with what was set while running laid over them.
    pub fn new(settings: &settings::Gateway, runtime: &Runtime) -> Self {
        let seconds = runtime.alert_threshold_seconds.unwrap_or(settings.alert_threshold_seconds);
        let policy = Policy {
            stance: runtime.mode.unwrap_or(settings.mode),
            learn_until: runtime.learn_until.unwrap_or_else(|| settings.learn_until_ms()),
            ipv6_prefix: settings.ipv6_prefix,
        };
        Self {
            policy,
            fail_mode: runtime.fail_mode.unwrap_or(settings.fail_mode),
            without_key: runtime.without_key.unwrap_or(settings.without_key),
            alert_threshold: runtime.alert_threshold_count.unwrap_or(settings.alert_threshold_count).max(1).into(),
            alert_window: Duration::from_secs(seconds.max(1).into()),
            archive_days: runtime.archive_days.unwrap_or(settings.archive_days),
            first_binds_per_minute: runtime.first_binds_per_minute.unwrap_or(settings.first_binds_per_minute).max(1),
        }
    }
}
