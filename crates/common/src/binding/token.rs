//! The secret that a request carries: where it stands, its keyed hash, and the form that people may see.

use std::{borrow::Cow, fmt, str::FromStr};

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::crypto::hex;

/// Where keys stand beside `Authorization`. Services look at several of these, and each lets another one count (New API
/// the Midjourney one, `LiteLLM` the last two), so all are looked at.
static KEY_HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("mj-api-secret"),
    HeaderName::from_static("ocp-apim-subscription-key"),
    HeaderName::from_static("x-litellm-api-key"),
];
const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// What a browser, which can set no other header of a WebSocket, puts before its key among the subprotocols.
const SUBPROTOCOL: &[u8] = b"openai-insecure-api-key.";

const BEARER: &[u8] = b"bearer";

/// How the keys of most services begin.
const USUAL: &[u8] = b"sk-";

/// Where else to look for a secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct Places {
    /// Gemini's `x-goog-api-key` and `?key=`.
    pub google: bool,
}

/// Why it cannot be said which secret a request carries. The service behind may read it otherwise than we do, so that
/// a key of one's own, or another spelling, would open the door for a stolen one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("the request carries several keys that differ")]
    Differ,
    /// Blanks within, or bytes that one service trims or decodes and another does not.
    #[error("a key has only visible ASCII characters")]
    Odd,
}

/// The secret of a request: `Authorization: Bearer`, `x-api-key`, `api-key`, other headers in which services take keys,
/// then what `places` adds.
///
/// # Errors
/// When it carries several that are not the same, or one that services would spell differently.
pub fn find<'r>(
    headers: &'r HeaderMap,
    query: Option<&'r str>,
    places: Places,
) -> Result<Option<Cow<'r, [u8]>>, Unclear> {
    let mut found = None;
    for value in headers.get_all(header::AUTHORIZATION) {
        take_authorization(&mut found, value)?;
    }
    for name in KEY_HEADERS.iter().chain(places.google.then_some(&X_GOOG_API_KEY)) {
        for value in headers.get_all(name) {
            take(&mut found, Cow::Borrowed(behind_bearer(value.as_bytes())))?;
        }
    }
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        for protocol in value.as_bytes().split(|&byte| byte == b',') {
            if let Some(token) = protocol.trim_ascii().strip_prefix(SUBPROTOCOL) {
                take(&mut found, Cow::Borrowed(token))?;
            }
        }
    }
    if places.google {
        for (name, value) in query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
            if *decode(name) == *b"key" {
                take(&mut found, decode(value))?;
            }
        }
    }
    Ok(found)
}

fn take<'r>(found: &mut Option<Cow<'r, [u8]>>, token: Cow<'r, [u8]>) -> Result<(), Unclear> {
    if !token.iter().all(u8::is_ascii_graphic) {
        return Err(Unclear::Odd);
    }
    match found {
        _ if token.is_empty() => {}
        Some(earlier) if *earlier != token => return Err(Unclear::Differ),
        Some(_) => {}
        None => *found = Some(token),
    }
    Ok(())
}

/// `Authorization` names a scheme, but New API takes a key alone too. Behind other schemes than `Bearer`, each word counts
/// that looks like a key: `LiteLLM` takes `Basic sk-…`, and more.
fn take_authorization<'r>(found: &mut Option<Cow<'r, [u8]>>, value: &'r HeaderValue) -> Result<(), Unclear> {
    let value = value.as_bytes().trim_ascii();
    let token = behind_bearer(value);
    if token == value && value.contains(&b' ') {
        let mut words = value.split(|byte| b" \t,;/=\"".contains(byte)).filter(|word| word.starts_with(USUAL));
        return words.try_for_each(|word| take(found, Cow::Borrowed(word)));
    }
    take(found, Cow::Borrowed(token))
}

/// `LiteLLM` takes `Bearer` in every header.
fn behind_bearer(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let (scheme, token) = value.split_at(value.len().min(BEARER.len()));
    let ends = token.first().is_none_or(u8::is_ascii_whitespace);
    if ends && scheme.eq_ignore_ascii_case(BEARER) { token.trim_ascii() } else { value }
}

/// Decodes `%41`, and `+`, which is a blank in a query; what is no such triple stays as it is.
fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let decoded = (byte == b'%').then(|| after.get(..2)).flatten();
        let decoded = decoded.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        out.push(decoded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    Cow::Owned(out)
}

/// HMAC-SHA256 of a secret: what is stored instead of it, and what bindings are found by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 32]);

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a key's hash has 64 hexadecimal digits")]
pub struct BadKeyHash;

impl FromStr for KeyHash {
    type Err = BadKeyHash;

    fn from_str(text: &str) -> Result<Self, BadKeyHash> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BadKeyHash);
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| BadKeyHash)?;
        }
        Ok(Self(bytes))
    }
}

/// Hashes secrets under a secret of its own.
pub struct KeyHasher(hmac::Key);

impl KeyHasher {
    /// The secret is used as its bytes, as Key-IP Sentinel uses it, so that hashes of an import keep matching.
    pub fn new(secret: &SecretString) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()))
    }

    /// The keyed hash of a secret.
    pub fn hash(&self, token: &[u8]) -> KeyHash {
        let tag = hmac::sign(&self.0, token);
        KeyHash(tag.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher")
    }
}

/// What people see of a secret: enough to recognise their own, at most half of it, and nothing of a short one.
pub fn masked(token: &[u8]) -> String {
    let (head, tail) = match token.len() {
        20.. => (6, 4),
        12..20 => (3, 3),
        _ => (0, 0),
    };
    let show = |bytes: &[u8]| -> String {
        bytes.iter().map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '?' }).collect()
    };
    format!("{}…{}", show(&token[..head]), show(&token[token.len() - tail..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(headers: &[(&'static str, &[u8])], query: Option<&str>, google: bool) -> Result<Option<String>, Unclear> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let found = find(&map, query, Places { google })?;
        Ok(found.map(|token| String::from_utf8_lossy(&token).into_owned()))
    }

    #[test]
    fn the_places_of_a_token_and_what_is_none() {
        for (headers, expected) in [
            (&[("authorization", &b"Bearer sk-1"[..])][..], Some("sk-1")),
            (&[("authorization", b"bearer   sk-1  ")], Some("sk-1")),
            (&[("authorization", b"BEARER\tsk-1")], Some("sk-1")),
            (&[("authorization", b"Basic dTpw")], None),
            (&[("authorization", b"Bearer")], None),
            (&[("authorization", b"Bearer  ")], None),
            (&[("x-api-key", b" sk-2 ")], Some("sk-2")),
            (&[("api-key", b"sk-3")], Some("sk-3")),
            (&[("x-api-key", b""), ("api-key", b"sk-3")], Some("sk-3")),
            (&[("authorization", b"Basic dTpw"), ("x-api-key", b"sk-2")], Some("sk-2")),
            (&[("x-goog-api-key", b"g")], None),
            (&[("authorization", b"sk-4")], Some("sk-4")),
            (&[("authorization", b"Basic sk-5")], Some("sk-5")),
            (&[("authorization", b"AWS4-HMAC-SHA256 Credential=Bearer sk-6/2027/eu, SignedHeaders=x")], Some("sk-6")),
            (&[("x-api-key", b"bearer sk-2")], Some("sk-2")),
            (&[("mj-api-secret", b"sk-7")], Some("sk-7")),
            (&[("x-litellm-api-key", b"Bearer sk-8")], Some("sk-8")),
            (&[("ocp-apim-subscription-key", b"sk-9")], Some("sk-9")),
            (&[("sec-websocket-protocol", b"realtime, openai-insecure-api-key.sk-10, v1")], Some("sk-10")),
            (&[("sec-websocket-protocol", b"graphql-ws")], None),
        ] {
            assert_eq!(token(headers, Some("key=q"), false), Ok(expected.map(str::to_owned)), "{headers:?}");
        }
    }

    #[test]
    fn googles_places_count_when_asked_for() {
        assert_eq!(token(&[("x-goog-api-key", b"g")], None, true), Ok(Some("g".to_owned())));
        assert_eq!(token(&[], Some("alt=sse&key=AI%2Dza%zz"), true), Ok(Some("AI-za%zz".to_owned())));
        assert_eq!(token(&[("x-goog-api-key", b"g")], Some("key=g"), true), Ok(Some("g".to_owned())));
        assert_eq!(token(&[("x-goog-api-key", b"g")], Some("key=h"), true), Err(Unclear::Differ));
        assert_eq!(token(&[], Some("%6Bey=g"), true), Ok(Some("g".to_owned())));
        assert_eq!(token(&[], Some("key=g+"), true), Err(Unclear::Odd), "some services trim it");
    }

    #[test]
    fn a_key_that_services_would_spell_differently_is_refused() {
        for value in
            [&b"Bearer sk-1 2"[..], b"Bearer Bearer sk-1", b"sk-1\xc2\xa0", b"Bearer k\xff\xfey", b"Basic sk-\xa0"]
        {
            assert_eq!(token(&[("authorization", value)], None, false), Err(Unclear::Odd), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn the_same_token_twice_is_one_and_two_that_differ_are_refused() {
        let same = [("authorization", &b"Bearer sk-1"[..]), ("x-api-key", b"sk-1")];
        assert_eq!(token(&same, None, false), Ok(Some("sk-1".to_owned())));
        let differ = [("authorization", &b"Bearer sk-1"[..]), ("x-api-key", b"sk-2")];
        assert_eq!(token(&differ, None, false), Err(Unclear::Differ));
        let twice = [("authorization", &b"Bearer sk-1"[..]), ("authorization", b"Bearer sk-2")];
        let hidden =
            [("authorization", &b"Bearer sk-1"[..]), ("sec-websocket-protocol", b"openai-insecure-api-key.sk-2")];
        assert_eq!(token(&hidden, None, false), Err(Unclear::Differ));
        assert_eq!(token(&twice, None, false), Err(Unclear::Differ));
    }

    #[test]
    fn a_hash_is_hmac_sha256_and_reads_back() {
        // RFC 4231 §4.3, test case 2.
        let hash = KeyHasher::new(&"Jefe".into()).hash(b"what do ya want for nothing?");
        let text = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hash.to_string(), text);
        assert_eq!(text.parse::<KeyHash>().unwrap(), hash);
        for bad in ["", "5b", &"g".repeat(64), &"+1".repeat(32)] {
            assert!(bad.parse::<KeyHash>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_masked_form_shows_little_and_never_breaks() {
        assert_eq!(masked(b"sk-proj-0123456789abcdef"), "sk-pro…cdef");
        assert_eq!(masked(b"sk-012345678"), "sk-…678");
        assert_eq!(masked(b"short"), "…");
        assert_eq!(masked(b""), "…");
        assert_eq!(masked(b"\xff\x00k-proj-0123456789ab\xc3\xa9"), "??k-pr…ab??");
    }
}
