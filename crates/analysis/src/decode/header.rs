//! The header of a mail or of one of its parts: where it ends, its fields, and the texts and addresses in them.

use std::borrow::Cow;

use mail_parser::{
    Address, ContentType, HeaderValue,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode_char},
    parsers::MessageStream,
};

use super::{charset, text};

/// Fields of one header that are looked at. Real mails have fewer than a hundred.
const FIELDS_MAX: usize = 1_000;

/// How much of one field's raw value is read; RFC 5322 §2.1.1 allows 998 bytes a line.
const VALUE_MAX_BYTES: usize = 16 * 1024;

/// Addresses that are taken from one field.
const ADDRESSES_MAX: usize = 200;

/// Fields that make a block of lines a header, when something in it is no field.
const WELL_KNOWN: [&str; 14] = [
    "received",
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "return-path",
    "sender",
    "in-reply-to",
    "auto-submitted",
];

/// The fields of a header, raw, in order.
#[derive(Debug, Default, Clone)]
pub struct Headers<'a>(Vec<(&'a [u8], &'a [u8])>);

/// Splits a message into its header and its body.
///
/// A message whose first lines are no header is all body. A header may end without the empty line, and a
/// line in the middle that is no field is skipped as long as well-known fields follow.
pub(super) fn split(raw: &[u8]) -> (Headers<'_>, &[u8]) {
    let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
    let mut value_start = 0;
    let mut rest = raw;
    while let Some((line, after)) = next_line(rest) {
        let content = trim_line_end(line);
        if content.is_empty() && !fields.is_empty() {
            return headers_or_body(fields, raw, after);
        }
        let offset = raw.len() - rest.len();
        if matches!(content.first(), Some(b' ' | b'\t')) && !fields.is_empty() {
            fields.last_mut().expect("checked to be there").1 = &raw[value_start..offset + line.len()];
        } else if let Some(colon) = field_name_len(content) {
            let name = content[..colon].trim_ascii_end();
            value_start = offset + colon + 1;
            fields.push((name, &line[colon + 1..]));
        } else if content.is_empty() || (offset == 0 && content.starts_with(b"From ")) {
            // Empty lines before the header, or the line that mbox files start with.
        } else if !well_known_field_follows(after) {
            return headers_or_body(fields, raw, rest);
        }
        rest = after;
    }
    headers_or_body(fields, raw, rest)
}

fn headers_or_body<'a>(
    mut fields: Vec<(&'a [u8], &'a [u8])>,
    raw: &'a [u8],
    body: &'a [u8],
) -> (Headers<'a>, &'a [u8]) {
    let starts = |name: &[u8], with: &[u8]| name.get(..with.len()).is_some_and(|x| x.eq_ignore_ascii_case(with));
    let known = |name: &[u8]| {
        WELL_KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
            || starts(name, b"x-")
            || starts(name, b"content-")
    };
    if fields.iter().any(|(name, _)| known(name)) {
        fields.truncate(FIELDS_MAX);
        (Headers(fields), body)
    } else {
        (Headers::default(), raw)
    }
}

/// The header of a MIME part, which may be empty: then the part begins with an empty line.
pub(super) fn split_part(raw: &[u8]) -> (Headers<'_>, &[u8]) {
    match next_line(raw) {
        Some((line, body)) if trim_line_end(line).is_empty() => (Headers::default(), body),
        _ => split(raw),
    }
}

/// The first line with its end, and what follows; `None` at the end.
pub(super) fn next_line(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    if raw.is_empty() {
        return None;
    }
    let end = raw.iter().position(|&byte| byte == b'\n').map_or(raw.len(), |at| at + 1);
    Some(raw.split_at(end))
}

pub(super) fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where the colon is, when the line is a field (RFC 5322 §2.2, and white space before the colon as in §4.5).
fn field_name_len(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(256).position(|&byte| byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(colon)
}

/// Looks a few lines ahead, up to the empty line.
fn well_known_field_follows(mut rest: &[u8]) -> bool {
    for _ in 0..50 {
        let Some((line, after)) = next_line(rest) else { return false };
        let content = trim_line_end(line);
        if content.is_empty() {
            return false;
        }
        if let Some(colon) = field_name_len(content)
            && WELL_KNOWN.iter().any(|known| content[..colon].trim_ascii_end().eq_ignore_ascii_case(known.as_bytes()))
        {
            return true;
        }
        rest = after;
    }
    false
}

impl<'a> Headers<'a> {
    /// The raw values of all fields of that name, each up to [`VALUE_MAX_BYTES`].
    fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let matching = self.0.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
        matching.map(|(_, value)| &value[..value.len().min(VALUE_MAX_BYTES)])
    }

    /// The text of the first field of that name: unfolded, decoded, clean; `None` when absent or empty.
    pub fn text(&self, name: &str) -> Option<String> {
        self.all(name).next().map(unstructured).filter(|text| !text.is_empty())
    }

    /// The addresses in all fields of that name, as they are written there.
    pub(super) fn addresses(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        for value in self.all(name) {
            let value = charset::guess(value);
            if let HeaderValue::Address(addresses) = MessageStream::new(value.as_bytes()).parse_address() {
                let list: Vec<_> = match addresses {
                    Address::List(list) => list,
                    Address::Group(groups) => groups.into_iter().flat_map(|group| group.addresses).collect(),
                };
                found.extend(list.into_iter().filter_map(|one| one.address).map(Cow::into_owned).take(ADDRESSES_MAX));
            }
        }
        found
    }

    /// A field of the form `type/subtype; name=value` (RFC 2045, RFC 2231).
    pub(super) fn structured(&self, name: &str) -> Option<ContentType<'a>> {
        match MessageStream::new(self.all(name).next()?).parse_content_type() {
            HeaderValue::ContentType(value) => Some(value),
            _ => None,
        }
    }
}

/// An unstructured field: folding undone (RFC 5322 §2.2.3), encoded words decoded (RFC 2047), 8-bit guessed.
pub(super) fn unstructured(raw: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = raw;
    // Adjacent words of one charset are joined before decoding: senders cut characters in two.
    let mut open: Option<EncodedWord> = None;
    while let Some(at) = find(rest, b"=?") {
        let Some((word, after)) = encoded_word(&rest[at..]) else {
            flush(&mut out, &mut open);
            out.push_str(&charset::guess(&rest[..at + 2]));
            rest = &rest[at + 2..];
            continue;
        };
        let between = &rest[..at];
        let adjacent = open.is_some() && between.iter().all(u8::is_ascii_whitespace);
        match &mut open {
            Some((charset, bytes)) if adjacent && charset.eq_ignore_ascii_case(&word.0) => bytes.extend(word.1),
            _ => {
                flush(&mut out, &mut open);
                if !adjacent {
                    out.push_str(&charset::guess(between));
                }
                open = Some(word);
            }
        }
        rest = after;
    }
    flush(&mut out, &mut open);
    out.push_str(&charset::guess(rest));
    text::one_line(&out)
}

fn flush(out: &mut String, open: &mut Option<EncodedWord>) {
    if let Some((charset, bytes)) = open.take() {
        out.push_str(&charset::decode(&bytes, Some(&charset)));
    }
}

/// Its charset, and its bytes before that is applied.
type EncodedWord = (String, Vec<u8>);

/// `=?charset?B?…?=` at the start: charset and bytes, and what follows.
fn encoded_word(raw: &[u8]) -> Option<(EncodedWord, &[u8])> {
    let inner = raw.strip_prefix(b"=?")?;
    let charset_end = inner.iter().take(80).position(|&byte| byte == b'?')?;
    // RFC 2231 §5: a language may follow the charset.
    let charset = inner[..charset_end].split(|&byte| byte == b'*').next()?;
    let [encoding, b'?', data @ ..] = &inner[charset_end + 1..] else { return None };
    let end = find(data, b"?=")?;
    let bytes = match encoding.to_ascii_uppercase() {
        b'B' => base64(&data[..end]),
        b'Q' => q_decoded(&data[..end]),
        _ => return None,
    };
    Some(((String::from_utf8_lossy(charset).into_owned(), bytes), &data[end + 2..]))
}

/// Base64 as far as it can be read: what is not of its alphabet is skipped (RFC 2045 §6.8).
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    base64_decode(bytes).unwrap_or_else(|| {
        let of_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        base64_decode(&bytes.iter().copied().filter(of_alphabet).collect::<Vec<_>>()).unwrap_or_default()
    })
}

/// The Q encoding of RFC 2047 §4.2; what is not well-formed stays as it is.
fn q_decoded(bytes: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = bytes.iter().map(|&byte| if byte == b'_' { b' ' } else { byte }).collect();
    quoted_printable(&spaced)
}

/// Quoted-printable (RFC 2045 §6.7); what is not well-formed stays as it is.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == b'=') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let line_end = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r')).unwrap_or(rest.len());
        match rest {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.extend(quoted_printable_decode_char(*high, *low));
                rest = after;
            }
            _ if rest.get(line_end).is_none_or(|&byte| byte == b'\n') => {
                rest = rest.get(line_end + 1..).unwrap_or_default();
            }
            _ => out.push(b'='),
        }
    }
    out.extend_from_slice(rest);
    out
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_decoded_with_all_their_sins() {
        for (raw, expected) in [
            (&b" plain \r\n"[..], "plain"),
            (b" folded\r\n\tover lines\r\n", "folded over lines"),
            (b" =?utf-8?q?=D0=A2_/?= =?utf-8?q?_=E7=A3=81?=", "Т / 磁"),
            (b" =?UTF-8?B?w6Q=?=\r\n =?UTF-8?B?w7Y=?= and =?iso-8859-1?Q?=FC?=", "äö and ü"),
            // one character cut in two words
            (b"=?utf-8?B?w6TD?= =?utf-8?B?tg==?=", "äö"),
            (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
            (b"=?gb2312?B?tMXFzA==?=", "磁盘".trim()),
            (b"=?x-unknown?Q?caf=E9?=", "café"),
            (b"=?utf-8*en?Q?a_b?=", "a b"),
            (b"raw \xc3\xa4 utf-8", "raw ä utf-8"),
            (b"raw \xe4 latin", "raw ä latin"),
            (b"no word =?utf-8?X?abc?= =? =?utf-8?Q?open", "no word =?utf-8?X?abc?= =? =?utf-8?Q?open"),
            (b"nul\0 and bell\x07", "nul\u{fffd} and bell"),
            (b"", ""),
        ] {
            assert_eq!(unstructured(raw), expected);
        }
    }

    #[test]
    fn a_message_without_a_header_is_all_body() {
        let raw = b"disk full\nError: really\n\nmore";
        assert_eq!(split(raw).1, raw);
        let (headers, body) = split(b"Error: disk full\nsee log\n");
        assert!(headers.0.is_empty());
        assert_eq!(body, b"Error: disk full\nsee log\n");
    }

    #[test]
    fn a_header_may_be_broken() {
        let (headers, body) = split(b"From x@y Sat Nov 21\r\nTo: a@b\r\nwrapped badly\r\nSubject : s\r\n\r\nbody");
        assert_eq!(headers.text("subject").unwrap(), "s");
        assert_eq!(body, b"body");
        let (headers, body) = split(b"Subject: s\nno empty line before the body\n");
        assert_eq!(headers.text("Subject").unwrap(), "s");
        assert_eq!(body, b"no empty line before the body\n");
        let (headers, body) = split(b"Subject: s");
        assert_eq!((headers.text("Subject").unwrap().as_str(), body), ("s", &b""[..]));
    }

    #[test]
    fn addresses_are_found() {
        let (headers, _) = split(
            b"From: =?UTF-8?B?w5w=?=<zabbix@corp.example>\nSender: root@vm (Cron Daemon)\n\
              To: \"a, b\" <A@x.example>, undisclosed: c@x.example, d@x.example;\nCc: \n\n",
        );
        assert_eq!(headers.addresses("from"), ["zabbix@corp.example"]);
        assert_eq!(headers.addresses("sender"), ["root@vm"]);
        assert_eq!(headers.addresses("to"), ["A@x.example", "c@x.example", "d@x.example"]);
        assert!(headers.addresses("cc").is_empty());
    }

    #[test]
    fn broken_transfer_encodings_are_read_as_far_as_possible() {
        assert_eq!(quoted_printable(b"a=3Db=\r\nc= \nd=ZZ=4=e4="), b"a=bcd=ZZ=4\xe4");
        assert_eq!(base64(b"YWJj\r\n*ZGVm!"), b"abcdef");
        assert_eq!(base64(b"YWJjZA"), b"abcd");
    }
}
