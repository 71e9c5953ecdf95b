//! Whose request it is: the peer of the connection, unless that is a proxy we trust.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use serde::Deserialize;

use crate::http::client_addr;

const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// In which header a trusted proxy names its client. Only this one is read: a proxy passes on what a client wrote
/// into the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressHeader {
    /// `X-Forwarded-For`, or `Forwarded` without it: the right-most address that is no trusted proxy.
    XForwardedFor,
    /// `X-Real-IP`: one address, written by the last proxy.
    XRealIp,
}

/// Who is believed about addresses.
#[derive(Debug, Clone)]
pub struct Sources {
    pub trusted_proxies: Vec<IpNet>,
    pub header: AddressHeader,
}

impl Sources {
    /// Whether the peer is a proxy of ours.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&peer))
    }

    /// The address of the client: never what a client merely claims. A trusted proxy that names nobody is the client.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        match self.header {
            AddressHeader::XForwardedFor => client_addr(peer, headers, &self.trusted_proxies),
            AddressHeader::XRealIp if self.trusts(peer) => {
                // Twice means that somebody else wrote one of them.
                let mut named = headers.get_all(X_REAL_IP).into_iter();
                let only = named.next().filter(|_| named.next().is_none());
                let address = only.and_then(|value| value.to_str().ok()?.trim().parse::<IpAddr>().ok());
                address.unwrap_or(peer).to_canonical()
            }
            AddressHeader::XRealIp => peer.to_canonical(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_a_client_and_only_in_its_header() {
        let mut headers = HeaderMap::new();
        headers.insert("x-real-ip", "203.0.113.1".parse().unwrap());
        headers.insert("x-forwarded-for", "203.0.113.9, 203.0.113.2".parse().unwrap());
        for (peer, header, expected) in [
            ("10.0.0.1", AddressHeader::XRealIp, "203.0.113.1"),
            ("10.0.0.1", AddressHeader::XForwardedFor, "203.0.113.2"),
            ("192.0.2.7", AddressHeader::XRealIp, "192.0.2.7"),
            ("192.0.2.7", AddressHeader::XForwardedFor, "192.0.2.7"),
            ("::ffff:10.0.0.1", AddressHeader::XRealIp, "203.0.113.1"),
        ] {
            let sources = Sources { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], header };
            assert_eq!(sources.client(peer.parse().unwrap(), &headers).to_string(), expected, "{peer} {header:?}");
        }
    }

    #[test]
    fn a_real_ip_that_stands_twice_or_is_none_leaves_the_proxy() {
        let header = AddressHeader::XRealIp;
        let sources = Sources { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], header };
        for values in [&["203.0.113.1", "203.0.113.2"][..], &["unknown"], &[]] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-real-ip", value.parse().unwrap());
            }
            assert_eq!(sources.client("10.0.0.1".parse().unwrap(), &headers).to_string(), "10.0.0.1", "{values:?}");
        }
    }
}
