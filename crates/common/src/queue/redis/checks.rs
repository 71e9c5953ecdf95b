//! Whether this Redis can keep the contract: looked at once, when connecting.

use std::collections::HashMap;

use redis::cmd;

use super::link::Link;
use crate::queue::QueueError;

/// The oldest Redis whose scripts can say what they may do at `maxmemory`.
const MAJOR_VERSION_MIN: u32 = 7;

/// Refuses a Redis that is too old or not to be reached; warns of one that may forget what it acknowledged.
pub(super) async fn check(link: &Link) -> Result<(), QueueError> {
    let info: String = link.query(cmd("INFO").arg("server")).await?;
    check_version(&info).map_err(|why| QueueError::Unavailable(format!("Redis at {}: {why}", link.address())))?;
    match link.query::<HashMap<String, String>>(cmd("CONFIG").arg(&["GET", "append*", "maxmemory*"])).await {
        Ok(config) => {
            for weakness in weaknesses(&config) {
                tracing::warn!(redis.address = %link.address(), "alerts can be lost: {weakness}");
            }
        }
        Err(error) => tracing::warn!(
            redis.address = %link.address(),
            "could not check whether Redis keeps what it acknowledges; \
             it must run with appendonly yes, appendfsync always and maxmemory-policy noeviction: {error}"
        ),
    }
    Ok(())
}

fn check_version(info: &str) -> Result<(), String> {
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or_default().trim_end();
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < MAJOR_VERSION_MIN) {
        return Err(format!("version {MAJOR_VERSION_MIN} or later is needed, this is `{version}`"));
    }
    Ok(())
}

fn weaknesses(config: &HashMap<String, String>) -> Vec<&'static str> {
    let is = |name: &str, value: &str| config.get(name).is_some_and(|actual| actual == value);
    let mut weaknesses = Vec::new();
    if !is("appendonly", "yes") {
        weaknesses.push("Redis runs without `appendonly yes`; a restart loses everything since its last snapshot");
    } else if !is("appendfsync", "always") {
        weaknesses.push("Redis runs without `appendfsync always`; a crash of its machine loses about a second");
    }
    if !is("maxmemory", "0") && !is("maxmemory-policy", "noeviction") {
        weaknesses.push("Redis may evict queued jobs when its memory is full; set `maxmemory-policy noeviction`");
    }
    weaknesses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_or_unknown_version_is_refused() {
        assert!(check_version("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n").is_ok());
        assert!(check_version("redis_version:10.1.0\r\n").is_ok());
        assert!(check_version("redis_version:6.2.14\r\n").unwrap_err().contains("6.2.14"));
        assert!(check_version("").is_err());
    }

    #[test]
    fn every_setting_that_can_lose_alerts_is_named() {
        let config = |appendonly: &str, appendfsync: &str, maxmemory: &str, policy: &str| {
            let pairs = [
                ("appendonly", appendonly),
                ("appendfsync", appendfsync),
                ("maxmemory", maxmemory),
                ("maxmemory-policy", policy),
            ];
            weaknesses(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()).join("; ")
        };
        assert_eq!(config("yes", "always", "0", "allkeys-lru"), "");
        assert_eq!(config("yes", "always", "1000000", "noeviction"), "");
        assert!(config("no", "always", "0", "noeviction").contains("appendonly yes"));
        assert!(config("yes", "everysec", "0", "noeviction").contains("appendfsync always"));
        assert!(config("yes", "always", "1000000", "allkeys-lru").contains("noeviction"));
    }
}
