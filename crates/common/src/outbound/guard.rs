//! What stands between a tenant's configuration and the network: a name is looked up once, each of its addresses is
//! checked, and the client connects to those and to nothing else.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

use hickory_resolver::{
    TokioResolver,
    config::{LookupIpStrategy, ResolveHosts, ResolverConfig, ResolverOpts},
    net::runtime::TokioRuntimeProvider,
};
use ipnet::IpNet;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use super::ranges;

/// A call that is not made for a tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is {what}, which must not be called from here; outbound.allow_private can list its network")]
pub struct Refused {
    /// The host as it was written, and the address when it is another text.
    host: String,
    what: &'static str,
}

/// Why a host has no address to connect to.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("looking up {host}: {why}")]
    Unknown { host: String, why: String },
}

/// Lets pass what is public and what is on its list. Cheap to clone.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    allowed: Vec<IpNet>,
    /// Made when first needed, since it belongs to the runtime.
    names: OnceLock<TokioResolver>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard(allows {:?})", self.0.allowed)
    }
}

impl Guard {
    /// `allowed` is `outbound.allow_private`. Names are looked up as the machine is set up: its hosts file, then its
    /// name servers.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self(Arc::new(Inner { allowed, names: OnceLock::new() }))
    }

    /// One that asks this name server.
    #[cfg(test)]
    pub(super) fn asking(allowed: Vec<IpNet>, server: SocketAddr) -> Self {
        use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
        let mut connection = ConnectionConfig::udp();
        connection.port = server.port();
        let server = NameServerConfig::new(server.ip(), true, vec![connection]);
        let guard = Self::new(allowed);
        let names = resolver(ResolverConfig::from_name_servers(vec![server]), ResolverOpts::default());
        assert!(guard.0.names.set(names).is_ok());
        guard
    }

    /// Whether a URL may be called, as far as it names an address. Names are checked when they are looked up.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        match url.host_str() {
            Some(host) => self.check_host(host),
            None => Ok(()),
        }
    }

    /// [`Guard::check`] for a host by itself; IPv6 with or without brackets.
    pub fn check_host(&self, host: &str) -> Result<(), Refused> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse() {
            Ok(address) => self.judge(bare, address),
            Err(_) => Ok(()),
        }
    }

    /// The addresses of a host that may be connected to.
    ///
    /// # Errors
    /// When it has none, or only such as must not be called.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, LookupError> {
        let unknown = |why: String| LookupError::Unknown { host: host.to_owned(), why };
        let names = self.0.names.get_or_init(of_the_machine);
        let found = names.lookup_ip(host).await.map_err(|error| unknown(error.to_string()))?;
        let mut refused = None;
        let mut good = Vec::new();
        for address in found.iter() {
            match self.judge(host, address) {
                Ok(()) => good.push(address),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(refused) if good.is_empty() => Err(refused.into()),
            _ if good.is_empty() => Err(unknown("it has no address".to_owned())),
            _ => Ok(good),
        }
    }

    fn judge(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let reached = ranges::reached(address);
        let allowed = |address| self.0.allowed.iter().any(|net| net.contains(address));
        match ranges::special(reached) {
            Some(what) if !allowed(&reached) && !allowed(&address) => {
                let text = address.to_string();
                let host = if text == host { text } else { format!("{host} ({text})") };
                Err(Refused { host, what })
            }
            _ => Ok(()),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = match guard.addresses(name.as_str()).await {
                Ok(addresses) => addresses,
                // Bare, so that the caller finds it among the causes.
                Err(LookupError::Refused(refused)) => return Err(refused.into()),
                Err(error) => return Err(error.into()),
            };
            // The client puts the URL's port in place of 0.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

fn of_the_machine() -> TokioResolver {
    let (config, options) = hickory_resolver::system_conf::read_system_conf().unwrap_or_else(|error| {
        tracing::warn!("only the hosts file is used to look up names for tenants: {error}");
        (ResolverConfig::from_name_servers(Vec::new()), ResolverOpts::default())
    });
    resolver(config, options)
}

fn resolver(config: ResolverConfig, options: ResolverOpts) -> TokioResolver {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder.options_mut().use_hosts_file = ResolveHosts::Always;
    builder.build().expect("a resolver without TLS has nothing to fail on")
}
