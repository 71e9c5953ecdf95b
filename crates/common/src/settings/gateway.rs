//! The section of the key gateway.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{SettingsError, bad, duration, optional};
use crate::{
    binding::{
        Stance,
        gateway::{FailMode, WithoutKey},
        source::{AddressHeader, Sources},
    },
    clock::UnixMillis,
};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub listen: SocketAddr,
    #[serde(deserialize_with = "optional")]
    pub upstream: Option<Url>,
    pub tenant: i64,
    pub hmac_secret: SecretString,
    pub mode: Stance,
    #[serde(deserialize_with = "optional")]
    pub learn_until: Option<jiff::Timestamp>,
    pub ipv6_prefix: u8,
    pub fail_mode: FailMode,
    pub without_key: WithoutKey,
    pub google_keys: bool,
    pub key_prefix: String,
    pub trusted_proxies: Vec<IpNet>,
    pub address_header: AddressHeader,
    pub proxy_protocol: bool,
    pub alert_threshold_count: u32,
    pub alert_threshold_seconds: u32,
    pub alert_webhook: SecretString,
    pub archive_days: u32,
    pub interception_days: u32,
    pub interceptions_max: u32,
    pub first_binds_per_minute: u32,
    pub bindings_max: u32,
    pub cache_entries: usize,
    pub connections_max: usize,
    pub upstream_idle_max: usize,
    pub head_max_bytes: usize,
    #[serde(deserialize_with = "duration")]
    pub head_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub keep_alive: Duration,
    #[serde(deserialize_with = "duration")]
    pub idle_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub connect_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub response_timeout: Duration,
}

impl Gateway {
    /// When learning ends; never begun without a date.
    pub fn learn_until_ms(&self) -> UnixMillis {
        self.learn_until.map_or(0, jiff::Timestamp::as_millisecond)
    }

    /// Who is believed about addresses.
    pub fn sources(&self) -> Sources {
        Sources { trusted_proxies: self.trusted_proxies.clone(), header: self.address_header }
    }

    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        if let Some(upstream) = &self.upstream {
            let plain = upstream.query().is_none() && upstream.fragment().is_none() && upstream.username().is_empty();
            if !matches!(upstream.scheme(), "http" | "https") || !upstream.has_host() || !plain {
                return Err(bad(
                    "gateway.upstream",
                    "must be http:// or https://, a host, and perhaps a port and a path",
                ));
            }
        }
        if self.mode == Stance::Learn && self.learn_until.is_none() {
            return Err(bad("gateway.learn_until", "is missing: gateway.mode is learn"));
        }
        if self.ipv6_prefix > 128 {
            return Err(bad("gateway.ipv6_prefix", "must be at most 128"));
        }
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            return Err(bad("gateway.proxy_protocol", "whose header is to be believed? Set gateway.trusted_proxies"));
        }
        let webhook = self.alert_webhook.expose_secret();
        if !webhook.is_empty() && webhook.parse::<Url>().is_err() {
            return Err(bad("gateway.alert_webhook", "is not a URL"));
        }
        // What hyper needs to read anything at all.
        if self.head_max_bytes < 8 * 1024 {
            return Err(bad("gateway.head_max_bytes", "must be at least 8192"));
        }
        let positive = [
            ("gateway.tenant", self.tenant > 0),
            ("gateway.alert_threshold_count", self.alert_threshold_count > 0),
            ("gateway.alert_threshold_seconds", self.alert_threshold_seconds > 0),
            ("gateway.interceptions_max", self.interceptions_max > 0),
            ("gateway.first_binds_per_minute", self.first_binds_per_minute > 0),
            ("gateway.bindings_max", self.bindings_max > 0),
            ("gateway.cache_entries", self.cache_entries > 0),
            ("gateway.connections_max", self.connections_max > 0),
        ];
        let zero = positive.into_iter().find(|(_, holds)| !holds);
        zero.map_or(Ok(()), |(name, _)| Err(bad(name, "must be at least 1")))
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    fn error(pairs: &[(&str, &str)]) -> String {
        let env: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::load_with(None, &env, &[]).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_name_of_its_field() {
        for (pairs, field) in [
            (&[("WATCHBELL_GATEWAY_UPSTREAM", "ftp://h/")][..], "gateway.upstream"),
            (&[("WATCHBELL_GATEWAY_UPSTREAM", "http://u:p@h/")], "gateway.upstream"),
            (&[("WATCHBELL_GATEWAY_UPSTREAM", "http://h/?a")], "gateway.upstream"),
            (&[("WATCHBELL_GATEWAY_MODE", "learn")], "gateway.learn_until"),
            (&[("WATCHBELL_GATEWAY_IPV6_PREFIX", "129")], "gateway.ipv6_prefix"),
            (&[("WATCHBELL_GATEWAY_PROXY_PROTOCOL", "true")], "gateway.trusted_proxies"),
            (&[("WATCHBELL_GATEWAY_ALERT_WEBHOOK", "nowhere")], "gateway.alert_webhook"),
            (&[("WATCHBELL_GATEWAY_HEAD_MAX_BYTES", "100")], "gateway.head_max_bytes"),
            (&[("WATCHBELL_GATEWAY_BINDINGS_MAX", "0")], "gateway.bindings_max"),
        ] {
            assert!(error(pairs).contains(field), "{pairs:?}: {}", error(pairs));
        }
    }
}
