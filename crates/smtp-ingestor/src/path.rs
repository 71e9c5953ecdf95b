//! The paths of MAIL and RCPT: `FROM:<address> …`, `TO:<address> …`.
//!
//! The protocol parser this crate uses for everything else cannot tell `<postmaster>` from `<>` and refuses
//! address literals (`root@[192.0.2.1]`), a MUST of RFC 5321 §4.1.3. This reader is also lenient where cheap
//! senders err: spaces after the colon, no angle brackets, no domain.

/// The longest address in bytes. RFC 5321 §4.5.3.1 asks for 64 + 1 + 255; rewritten senders (SRS, VERP) exceed that.
pub(crate) const ADDRESS_MAX_BYTES: usize = 512;

/// Reads `KEYWORD:<address>` and gives the address (empty for `<>`) and what follows it on the line.
///
/// Quotes are undone (`"a b"@x` is `a b@x`), source routes are dropped (RFC 5321 appendix C), and bytes that are
/// not UTF-8 are replaced. `None` when there is no such path.
pub(crate) fn read<'l>(line: &'l [u8], keyword: &str) -> Option<(String, &'l [u8])> {
    let line = line.trim_ascii_start();
    let (word, line) = line.split_at_checked(keyword.len())?;
    if !word.eq_ignore_ascii_case(keyword.as_bytes()) {
        return None;
    }
    let line = line.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let (address, rest) = match line.strip_prefix(b"<") {
        Some(line) => bracketed(line)?,
        None => bare(line)?,
    };
    let well_formed = address.len() <= ADDRESS_MAX_BYTES && !address.starts_with(b"@") && !address.ends_with(b"@");
    let separated = rest.first().is_none_or(u8::is_ascii_whitespace);
    (well_formed && separated).then(|| (String::from_utf8_lossy(&address).into_owned(), rest))
}

fn bracketed(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut address = Vec::with_capacity(32);
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if byte.is_ascii_control() => return None,
            _ if escaped => {
                address.push(byte);
                escaped = false;
            }
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some((address, &line[at + 1..])),
            b'<' | b' ' if !quoted => return None,
            b':' if !quoted && address.starts_with(b"@") => address.clear(),
            _ => address.push(byte),
        }
    }
    None
}

fn bare(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (address, rest) = line.split_at(end);
    let plain = !address.is_empty() && !address.iter().any(|byte| byte.is_ascii_control() || b"<>\"".contains(byte));
    plain.then(|| (address.to_vec(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(line: &str) -> Option<String> {
        read(line.as_bytes(), "FROM").map(|(address, _)| address)
    }

    #[test]
    fn every_form_of_address_is_read() {
        let cases = [
            (" FROM:<ops@example.org>\r\n", "ops@example.org"),
            (" FROM: <ops@example.org> SIZE=1\r\n", "ops@example.org"),
            (" from : <ops+db@example.org>\r\n", "ops+db@example.org"),
            (" FROM:<>\r\n", ""),
            (" FROM:<postmaster>\r\n", "postmaster"),
            (" FROM:root@host\r\n", "root@host"),
            (" FROM:<root@[192.0.2.1]>\r\n", "root@[192.0.2.1]"),
            (" FROM:<root@[IPv6:2001:db8::1]>\r\n", "root@[IPv6:2001:db8::1]"),
            (" FROM:<\"a b\"@x>\r\n", "a b@x"),
            (" FROM:<\"a\\\"> b\"@x>\r\n", "a\"> b@x"),
            (" FROM:<@relay.one,@relay.two:ops@x>\r\n", "ops@x"),
            (" FROM:<жук@пример.рф>\r\n", "жук@пример.рф"),
        ];
        for (line, wanted) in cases {
            assert_eq!(address(line).as_deref(), Some(wanted), "{line}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for line in [
            " FROM:\r\n",
            " FROM:<a@b\r\n",
            " FROM:<a b@c>\r\n",
            " FROM:<a@>\r\n",
            " FROM:<@b>\r\n",
            " FROM:<a@b>x\r\n",
            " FROM:<a\0@b>\r\n",
            " FROM:<\"a@b>\r\n",
            " FROM <a@b>\r\n",
            " TO:<a@b>\r\n",
            "",
        ] {
            assert_eq!(address(line), None, "{line:?}");
        }
        assert_eq!(address(&format!(" FROM:<{}@b>\r\n", "a".repeat(ADDRESS_MAX_BYTES))), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(read(b" FROM:<\xffa@b>\r\n", "FROM").unwrap().0, "\u{fffd}a@b");
    }

    #[test]
    fn parameters_are_left_to_the_caller() {
        assert_eq!(read(b" FROM:<a@b> SIZE=7\r\n", "FROM").unwrap().1, b" SIZE=7\r\n");
        assert_eq!(read(b" FROM:a@b SIZE=7\r\n", "FROM").unwrap().1, b" SIZE=7\r\n");
    }
}
