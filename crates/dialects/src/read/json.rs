//! JSON as senders write it: one pass, values kept as their literal text, nothing recursive.
//!
//! Numbers are never read as floating point, so 2^53 + 1 stays what it is. Of several members with one name the
//! last one counts, as in most parsers (RFC 8259 §4 leaves it open).

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Why a body is not the JSON object that was expected. The positions are the sender's lines and columns.
#[derive(Debug, thiserror::Error)]
pub enum BadJson {
    #[error("the body is empty: send a JSON object")]
    Empty,
    #[error("body must be a JSON object, not {0}")]
    NotAnObject(&'static str),
    #[error("body must be a JSON object: nested deeper than {max} at line {line} column {column}")]
    TooDeep { max: usize, line: usize, column: usize },
    #[error("body must be a JSON object: {0}")]
    Syntax(serde_json::Error),
}

/// An object whose values are still text, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Object<'a> {
    pub members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// A member's value. Only strings are decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// The number as it was written.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// An object or array as it was written.
    Nested(&'a str),
}

/// Reads a body. `null` counts as `{}`, as `PulseGuard`'s senders know it, and a byte order mark is skipped.
///
/// `depth_max` is checked before anything else, byte by byte, so a body of a million brackets costs one pass.
pub(crate) fn parse(body: &[u8], depth_max: usize) -> Result<Object<'_>, BadJson> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace()).ok_or(BadJson::Empty)?;
    check_depth(body, depth_max)?;
    if *first == b'{' {
        return serde_json::from_slice(body).map_err(BadJson::Syntax);
    }
    let other = serde_json::from_slice::<&RawValue>(body).map_err(BadJson::Syntax)?;
    match other.get().as_bytes()[0] {
        b'n' => Ok(Object::default()),
        b'[' => Err(BadJson::NotAnObject("an array")),
        b'"' => Err(BadJson::NotAnObject("a string")),
        b't' | b'f' => Err(BadJson::NotAnObject("a boolean")),
        _ => Err(BadJson::NotAnObject("a number")),
    }
}

fn check_depth(body: &[u8], max: usize) -> Result<(), BadJson> {
    // A body cannot be deeper than it has brackets, and most alerts have few.
    if body.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= max {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > max {
                    let lines = || body[..at].split(|&byte| byte == b'\n');
                    let column = 1 + lines().next_back().map_or(0, <[u8]>::len);
                    return Err(BadJson::TooDeep { max, line: lines().count(), column });
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

impl<'a> Object<'a> {
    /// The value of a member, the last one of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

/// What a value is.
pub(crate) fn read(raw: &RawValue) -> Value<'_> {
    let text = raw.get();
    match text.as_bytes()[0] {
        b'"' => Value::Text(decode(text)),
        b'{' | b'[' => Value::Nested(text),
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'n' => Value::Null,
        _ => Value::Number(text),
    }
}

impl<'a> Value<'a> {
    /// A scalar as text; `None` for null, nested values and blank strings.
    pub(crate) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null | Self::Nested(_) => None,
            Self::Bool(value) => Some(if value { "true" } else { "false" }.into()),
            Self::Number(text) => Some(text.into()),
            Self::Text(text) => (!text.trim().is_empty()).then_some(text),
        }
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A string literal's content. A lone surrogate cannot be decoded; then the literal itself is better than nothing.
fn decode(literal: &str) -> Cow<'_, str> {
    serde_json::from_str::<Text<'_>>(literal).map_or_else(|_| literal.trim_matches('"').into(), |text| text.0)
}

/// The text of a nested value without white space between its tokens.
pub(crate) fn compact(nested: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    nested
        .chars()
        .filter(|&c| {
            let inside = in_string;
            match c {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => in_string = !in_string,
                _ => {}
            }
            inside || !c.is_ascii_whitespace()
        })
        .collect()
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Object { members })
            }
        }

        input.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_bodies_are_named_with_their_position() {
        let table = [
            ("", "the body is empty: send a JSON object"),
            (" \n", "the body is empty: send a JSON object"),
            ("[1]", "body must be a JSON object, not an array"),
            ("\"x\"", "body must be a JSON object, not a string"),
            ("12", "body must be a JSON object, not a number"),
            ("true", "body must be a JSON object, not a boolean"),
            ("{\"a\":1}x", "body must be a JSON object: trailing characters at line 1 column 8"),
            ("{\"a\":1}}", "body must be a JSON object: trailing characters at line 1 column 8"),
            ("{\"a\":\n01}", "body must be a JSON object: invalid number at line 2 column 2"),
            ("{\"a\":1", "body must be a JSON object: EOF while parsing an object at line 1 column 6"),
            ("{\n [[[", "body must be a JSON object: nested deeper than 3 at line 2 column 4"),
        ];
        for (body, expected) in table {
            assert_eq!(parse(body.as_bytes(), 3).unwrap_err().to_string(), expected, "{body}");
        }
        let invalid = parse(b"{\"a\":\"\xff\xfe\"}", 3).unwrap_err().to_string();
        assert!(invalid.contains("invalid unicode code point at line 1"), "{invalid}");
    }

    #[test]
    fn depth_is_counted_outside_strings_only() {
        assert!(parse(br#"{"a":"[[[[\"[[[[","b":[[1],[2]]}"#, 3).is_ok());
        assert!(matches!(parse(&b"[".repeat(1_000_000), 64), Err(BadJson::TooDeep { column: 65, .. })));
        assert!(matches!(parse(&br#"{"a":"#.repeat(10_000), 64), Err(BadJson::TooDeep { .. })));
    }

    #[test]
    fn values_keep_their_literal_text() {
        let body = br#"{"n":9007199254740993,"f":1.50,"s":"\u00e9\n","o":{"x": [1, "a b"]},"u":"\ud800","n":null}"#;
        let object = parse(body, 8).unwrap();
        assert_eq!(object.members.len(), 6);
        assert_eq!(read(object.members[0].1), Value::Number("9007199254740993"));
        assert_eq!(read(object.get("f").unwrap()), Value::Number("1.50"));
        assert_eq!(read(object.get("s").unwrap()), Value::Text("é\n".into()));
        assert_eq!(read(object.get("u").unwrap()), Value::Text("\\ud800".into()));
        assert_eq!(read(object.get("n").unwrap()), Value::Null, "the last of a name counts");
        let Value::Nested(nested) = read(object.get("o").unwrap()) else { panic!("an object is nested") };
        assert_eq!(compact(nested), r#"{"x":[1,"a b"]}"#);
    }

    #[test]
    fn null_and_a_byte_order_mark_are_accepted() {
        assert!(parse(b" null\n", 3).unwrap().members.is_empty());
        assert_eq!(parse(b"\xef\xbb\xbf{\"a\":1}", 3).unwrap().members.len(), 1);
    }
}
