//! The PROXY protocol, versions 1 and 2: how a proxy that does not speak HTTP says whose connection it passes on.
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest header that is read. Version 1 has at most 107 bytes; version 2 carries a few addresses and what
/// proxies add (names, certificates' subjects).
pub const HEADER_MAX_BYTES: usize = 4 * 1024;

const V1_MAX_BYTES: usize = 107;
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED_BYTES: usize = 16;

/// What the proxy said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whose connection it is; `None` for one of the proxy's own (health checks) or of an unknown kind.
    pub source: Option<IpAddr>,
    /// How many bytes the header has.
    pub bytes: usize,
}

/// The connection does not begin with a PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a PROXY header")]
pub struct Malformed;

/// Reads the header at the beginning of a connection; `None` while it is not complete.
///
/// # Errors
/// When it cannot become one any more.
pub fn parse(begun: &[u8]) -> Result<Option<Header>, Malformed> {
    let signature = begun.len().min(V2_SIGNATURE.len());
    if begun[..signature] == V2_SIGNATURE[..signature] {
        return if begun.len() < V2_FIXED_BYTES { Ok(None) } else { parse_v2(begun) };
    }
    parse_v1(begun)
}

fn parse_v1(begun: &[u8]) -> Result<Option<Header>, Malformed> {
    let prefix = begun.len().min(6);
    if begun[..prefix] != b"PROXY "[..prefix] {
        return Err(Malformed);
    }
    let Some(end) = begun.windows(2).take(V1_MAX_BYTES - 1).position(|pair| pair == b"\r\n") else {
        return if begun.len() < V1_MAX_BYTES { Ok(None) } else { Err(Malformed) };
    };
    let line = std::str::from_utf8(&begun[..end]).map_err(|_| Malformed)?;
    let mut words = line.split(' ').skip(1);
    let family = words.next().ok_or(Malformed)?;
    let bytes = end + 2;
    if family == "UNKNOWN" {
        return Ok(Some(Header { source: None, bytes }));
    }
    let [Some(source), Some(destination), Some(from), Some(to), None] = std::array::from_fn(|_| words.next()) else {
        return Err(Malformed);
    };
    let address = |text: &str| -> Result<IpAddr, Malformed> {
        match family {
            "TCP4" => text.parse().map(IpAddr::V4).map_err(|_| Malformed),
            "TCP6" => text.parse().map(IpAddr::V6).map_err(|_| Malformed),
            _ => Err(Malformed),
        }
    };
    let source = address(source)?;
    address(destination)?;
    for port in [from, to] {
        port.parse::<u16>().map_err(|_| Malformed)?;
    }
    Ok(Some(Header { source: Some(source.to_canonical()), bytes }))
}

fn parse_v2(begun: &[u8]) -> Result<Option<Header>, Malformed> {
    let length = usize::from(u16::from_be_bytes([begun[14], begun[15]]));
    let bytes = V2_FIXED_BYTES + length;
    if bytes > HEADER_MAX_BYTES {
        return Err(Malformed);
    }
    let Some(rest) = begun.get(V2_FIXED_BYTES..bytes) else { return Ok(None) };
    let source = match (begun[12], begun[13] >> 4) {
        // LOCAL: the proxy's own.
        (0x20, _) | (0x21, 0 | 3) => None,
        (0x21, 1) => {
            let octets: [u8; 4] = rest.get(..12).ok_or(Malformed)?[..4].try_into().map_err(|_| Malformed)?;
            Some(IpAddr::V4(Ipv4Addr::from(octets)))
        }
        (0x21, 2) => {
            let octets: [u8; 16] = rest.get(..36).ok_or(Malformed)?[..16].try_into().map_err(|_| Malformed)?;
            Some(IpAddr::V6(Ipv6Addr::from(octets)).to_canonical())
        }
        _ => return Err(Malformed),
    };
    Ok(Some(Header { source, bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut out = V2_SIGNATURE.to_vec();
        out.extend([command, family]);
        out.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        out.extend(body);
        out
    }

    #[test]
    fn version_1_names_the_source() {
        for (line, source) in [
            ("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n", Some("203.0.113.7")),
            ("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", Some("2001:db8::7")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
        ] {
            let header = parse(&[line.as_bytes(), b"GET / HTTP/1.1\r\n"].concat()).unwrap().unwrap();
            assert_eq!(header.source.map(|source| source.to_string()).as_deref(), source, "{line}");
            assert_eq!(header.bytes, line.len());
            for cut in 0..line.len() {
                assert_eq!(parse(&line.as_bytes()[..cut]), Ok(None), "{line:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn version_2_names_the_source() {
        let mut four = [203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 0x01, 0xbb].to_vec();
        // A TLV behind the addresses is passed over.
        four.extend([4, 0, 1, 0]);
        let header = parse(&v2(0x21, 0x11, &four)).unwrap().unwrap();
        assert_eq!(header, Header { source: Some("203.0.113.7".parse().unwrap()), bytes: 32 });
        let mut six = [0; 36];
        six[..16].copy_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
        let whole = v2(0x21, 0x21, &six);
        assert_eq!(parse(&whole).unwrap().unwrap().source, Some("2001:db8::7".parse().unwrap()));
        assert_eq!(parse(&v2(0x20, 0, b"")).unwrap().unwrap().source, None);
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let long = format!("PROXY TCP4 {}\r\n", "1".repeat(120));
        for line in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n",
            b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 99999\r\n",
            b"PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n",
            b"PROXY TCP5 203.0.113.7 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 203.0.113.7 192.0.2.1 1 2 3\r\n",
            b"PROXY \xff\xff\r\n",
            long.as_bytes(),
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 11]),
            &v2(0x21, 0x21, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 5_000]),
        ] {
            assert_eq!(parse(line), Err(Malformed), "{line:?}");
        }
    }
}
