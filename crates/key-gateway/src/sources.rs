//! Notices the trap of Docker's bridge: all clients seem to have the address of the gateway between them and us, so
//! that every key is bound to it and a stolen one works from everywhere.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    binding::{gateway::SINGLE_SOURCE_NOTE, keeper::Keeper},
    queue::Queue,
    settings,
};

/// So many different keys from one address are a trap rather than one client.
const KEYS_MIN: usize = 3;

/// How often it is judged.
const PAUSE: Duration = Duration::from_mins(1);

/// How long the dashboard shows it after it was last seen.
const NOTE_TTL: Duration = Duration::from_mins(10);

/// Who connected since it was last judged.
#[derive(Debug, Default)]
pub(crate) struct SourceWatch(Mutex<Seen>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Seen {
    #[default]
    Nobody,
    One(IpAddr),
    Several,
}

impl SourceWatch {
    /// A connection came from this address. Proxies that we trust are not to be told here; loopback is this machine
    /// itself, which looks how the gateway is.
    pub(crate) fn seen(&self, address: IpAddr) {
        if address.to_canonical().is_loopback() {
            return;
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = match *seen {
            Seen::Nobody => Seen::One(address.to_canonical()),
            Seen::One(one) if one == address.to_canonical() => return,
            Seen::One(_) | Seen::Several => Seen::Several,
        };
    }

    /// The one private address from which everybody came, if that is so.
    fn single(&self, keys: usize) -> Option<IpAddr> {
        match std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            Seen::One(address) if keys >= KEYS_MIN && is_private(address) => Some(address),
            _ => None,
        }
    }

    /// Looks every minute until `stop`, and says so loudly where people look: log, metric and dashboard.
    pub(crate) async fn watch(
        &self,
        keeper: &Keeper,
        settings: &settings::Gateway,
        queue: &dyn Queue,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            let known = keeper.known();
            metrics::gauge!("watchbell_gateway_bindings_cached").set(f64_of(known));
            let single = self.single(known).filter(|_| settings.trusted_proxies.is_empty());
            metrics::gauge!("watchbell_gateway_single_source").set(if single.is_some() { 1.0 } else { 0.0 });
            if let Some(address) = single {
                warn(address, queue).await;
            }
            if stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
                return Ok(());
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of some millions")]
fn f64_of(number: usize) -> f64 {
    number as f64
}

async fn warn(address: IpAddr, queue: &dyn Queue) {
    tracing::error!(
        "every connection comes from {address}, and no proxy is trusted: if that is Docker's bridge or a proxy, \
         all keys are bound to it and a stolen one works from everywhere. Use host networking, the PROXY protocol \
         or gateway.trusted_proxies (docs/guide/key-gateway.md)"
    );
    let note = queue.remember(SINGLE_SOURCE_NOTE, address.to_string().into(), NOTE_TTL).await;
    if let Err(error) = note {
        tracing::debug!("noting the single source: {error}");
    }
}

/// Behind such an address there may be others.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_keys_from_one_private_address_are_noticed_and_nothing_else() {
        let judged = |addresses: &[&str], keys| {
            let watch = SourceWatch::default();
            for address in addresses {
                watch.seen(address.parse().unwrap());
            }
            watch.single(keys).map(|address| address.to_string())
        };
        assert_eq!(judged(&["172.17.0.1", "::ffff:172.17.0.1"], 3).as_deref(), Some("172.17.0.1"));
        assert_eq!(judged(&["127.0.0.1", "172.17.0.1", "::1"], 3).as_deref(), Some("172.17.0.1"));
        assert_eq!(judged(&["172.17.0.1"], 2), None);
        assert_eq!(judged(&["172.17.0.1", "172.17.0.2"], 9), None);
        assert_eq!(judged(&["203.0.113.1"], 9), None);
        assert_eq!(judged(&["127.0.0.1"], 9), None);
        assert_eq!(judged(&[], 9), None);
    }
}
