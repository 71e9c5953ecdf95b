//! Which addresses are public: the registries of special addresses, as far as they matter to whom we call.
//!
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(start: [u16; 3], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(start[0], start[1], start[2], 0, 0, 0, 0, 0), length)
}

/// What is not public of IPv4.
const SPECIAL_V4: [(Ipv4Net, &str); 18] = [
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 0, 10), "an address of a carrier's network"),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    // Not in the registry: where Azure's machines find their platform.
    (v4(168, 63, 129, 16, 32), "a cloud's metadata service"),
    (v4(169, 254, 169, 254, 32), "a cloud's metadata service"),
    (v4(169, 254, 0, 0, 16), "a link-local address"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 0, 0, 0, 24), "a reserved address"),
    (v4(192, 0, 2, 0, 24), "an address for documentation"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(198, 18, 0, 0, 15), "an address for benchmarks"),
    (v4(198, 51, 100, 0, 24), "an address for documentation"),
    (v4(203, 0, 113, 0, 24), "an address for documentation"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(255, 255, 255, 255, 32), "the broadcast address"),
    (v4(240, 0, 0, 0, 4), "a reserved address"),
];

/// What is public of IPv6, but for [`SPECIAL_V6`]: nothing else has been given out.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// What is not public of IPv6. The tunnels carry an address of IPv4 to whoever ends them.
const SPECIAL_V6: [(Ipv6Net, &str); 12] = [
    (v6([0xfd00, 0xec2, 0], 32), "a cloud's metadata service"),
    (v6([0xfc00, 0, 0], 7), "a private address"),
    (v6([0xfe80, 0, 0], 10), "a link-local address"),
    (v6([0xfec0, 0, 0], 10), "a site-local address"),
    (v6([0xff00, 0, 0], 8), "a multicast address"),
    (v6([0x64, 0xff9b, 1], 48), "a NAT64 address of a local network"),
    (v6([0x100, 0, 0], 64), "a discarded address"),
    (v6([0x2001, 0, 0], 32), "a Teredo tunnel"),
    (v6([0x2001, 0, 0], 23), "a reserved address"),
    (v6([0x2001, 0xdb8, 0], 32), "an address for documentation"),
    (v6([0x2002, 0, 0], 16), "a 6to4 tunnel"),
    (v6([0x3fff, 0, 0], 20), "an address for documentation"),
];

/// The prefix behind which a translator reaches all of IPv4 (RFC 6052 §2.1). DNS64 makes such addresses for public
/// servers, so what counts is the address in them.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

/// The address that is reached in the end.
pub(super) fn reached(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        other => other.to_canonical(),
    }
}

/// What an address is that is not public. Ask for the one that is [`reached`].
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => SPECIAL_V4.iter().find(|(net, _)| net.contains(&v4)).map(|(_, what)| *what),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some("a loopback address"),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some("an unspecified address"),
        IpAddr::V6(v6) => {
            let known = SPECIAL_V6.iter().find(|(net, _)| net.contains(&v6)).map(|(_, what)| *what);
            known.or_else(|| (!GLOBAL_V6.contains(&v6)).then_some("no public address"))
        }
    }
}
