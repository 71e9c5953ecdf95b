//! Whose request it is, behind proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer's, unless the peer is a trusted proxy; then the right-most address in
/// `X-Forwarded-For` (or, without it, in `Forwarded`, RFC 7239) that is not a trusted proxy itself.
///
/// Each proxy appends on the right, so what stands left of the first untrusted address is hearsay. An entry
/// that is no address ends the search at the proxy that reported it. A proxy has to remove the one of the two
/// headers that it does not write.
pub fn client_addr(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> IpAddr {
    let trusted = |addr: IpAddr| trusted_proxies.iter().any(|net| net.contains(&addr));
    let mut client = peer.to_canonical();
    if trusted_proxies.is_empty() || !trusted(client) {
        return client;
    }
    let lines = |name: HeaderName| headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let mut hops = lines(X_FORWARDED_FOR).flat_map(|line| line.split(',')).map(addr_of).collect::<Vec<_>>();
    if hops.is_empty() {
        hops = lines(header::FORWARDED).flat_map(|line| line.split(',')).map(forwarded_for).collect();
    }
    for hop in hops.into_iter().rev() {
        let Some(hop) = hop else { break };
        client = hop;
        if !trusted(client) {
            break;
        }
    }
    client
}

/// The `for` of one element of `Forwarded`: `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    addr_of(values.next()?.1.trim().trim_matches('"'))
}

/// An address with or without a port, IPv6 with or without brackets.
fn addr_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let addr = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|addr| addr.ip()));
    addr.map(|addr| addr.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client_addr(peer.parse().unwrap(), &map, &proxies).to_string()
    }

    #[test]
    fn the_right_most_untrusted_address_is_the_client() {
        const XFF: &str = "x-forwarded-for";
        for (peer, headers, expected) in [
            // Nobody is trusted for saying so.
            ("192.0.2.1", &[(XFF, "203.0.113.9")][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[(XFF, "203.0.113.9")], "203.0.113.9"),
            ("10.0.0.1", &[(XFF, "1.1.1.1, 203.0.113.9, 10.0.0.2")], "203.0.113.9"),
            ("10.0.0.1", &[(XFF, "1.1.1.1"), (XFF, "203.0.113.9")], "203.0.113.9"),
            ("10.0.0.1", &[(XFF, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[(XFF, "203.0.113.9:4711")], "203.0.113.9"),
            ("10.0.0.1", &[(XFF, "203.0.113.9, unknown, 10.0.0.2")], "10.0.0.2"),
            ("::ffff:10.0.0.1", &[(XFF, "[2001:db8::7]:80")], "2001:db8::7"),
            ("fd00::1", &[("forwarded", "for=1.1.1.1, For=\"[2001:db8::7]:4711\";proto=https")], "2001:db8::7"),
            ("10.0.0.1", &[("forwarded", "for=1.1.1.1"), (XFF, "203.0.113.9")], "203.0.113.9"),
        ] {
            assert_eq!(client(peer, headers), expected, "{peer} {headers:?}");
        }
    }
}
