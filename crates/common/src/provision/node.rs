//! The YAML file as a tree in which every value knows its line and column, with `${NAME}` replaced.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Spanned};

use super::{FILE_MAX_BYTES, Position, fields::Problems};

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) at: Position,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Whole(i128),
    Decimal(f64),
    Text(Text),
    List(Vec<Node>),
    Map(Vec<(String, Position, Node)>),
}

/// A text as it stands in the file, and with the environment put in. Only the first may be shown to people.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) written: String,
    pub(super) value: String,
}

impl Value {
    /// What it is, for people.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Whole(_) => "a number",
            Self::Decimal(_) => "a decimal number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

fn position(location: Location) -> Position {
    Position { line: location.line().max(1), column: location.column().max(1) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(input)?;
        Ok(Self { value, at: position(referenced) })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        Value::deserialize(input)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_u128<E: serde::de::Error>(self, number: u128) -> Result<Value, E> {
        i128::try_from(number).map(Value::Whole).map_err(|_| E::custom("a number beyond all limits"))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Decimal(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(Text { written: text.to_owned(), value: text.to_owned() }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = input.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = input.next_key::<Node>()? {
            let name = match key.value {
                Value::Text(text) => text.written,
                Value::Whole(number) => number.to_string(),
                Value::Flag(flag) => flag.to_string(),
                _ => return Err(A::Error::custom("a key must be a text")),
            };
            map.push((name, key.at, input.next_value()?));
        }
        Ok(Value::Map(map))
    }
}

/// Reads the file. What YAML itself forbids is one problem, since nothing after it can be understood.
pub(super) fn read(text: &str, env: &dyn Fn(&str) -> Option<String>, problems: &mut Problems) -> Option<Node> {
    let start = Position { line: 1, column: 1 };
    if text.len() > FILE_MAX_BYTES {
        problems.add(start, "", format!("the file is larger than {FILE_MAX_BYTES} bytes"));
        return None;
    }
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let mut root: Node = match serde_saphyr::from_str_with_options(text, options) {
        Ok(root) => root,
        Err(error) => {
            let at = error.location().map_or(start, position);
            problems.add(at, "", format!("not valid YAML: {}", without_place(&error.to_string())));
            return None;
        }
    };
    // An editor or a copy may empty a file before it fills it; that must not remove everything.
    if matches!(root.value, Value::Null) {
        problems.add(start, "", "the file is empty: write {} if nothing is meant to be provisioned");
        return None;
    }
    put_environment_in(&mut root, "", env, problems);
    Some(root)
}

/// The YAML library puts the place before or behind its message; it is shown in our own way.
fn without_place(message: &str) -> &str {
    let first = message.lines().next().unwrap_or_default();
    let message = first.split_once(" at line ").map_or(first, |(message, _)| message);
    message.trim_start_matches("error: ")
}

fn put_environment_in(node: &mut Node, path: &str, env: &dyn Fn(&str) -> Option<String>, problems: &mut Problems) {
    match &mut node.value {
        Value::Text(text) => match expand(&text.written, env) {
            Ok(value) => text.value = value,
            Err(why) => problems.add(node.at, path, why),
        },
        Value::List(list) => {
            for (index, item) in list.iter_mut().enumerate() {
                put_environment_in(item, &format!("{path}[{index}]"), env, problems);
            }
        }
        Value::Map(map) => {
            for (name, _, value) in map {
                put_environment_in(value, &super::fields::join(path, name), env, problems);
            }
        }
        Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Decimal(_) => {}
    }
}

/// Replaces `${NAME}`; `$${` stands for `${` itself.
fn expand(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        if let Some(before) = rest[..dollar].strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &rest[dollar + 2..];
            continue;
        }
        out.push_str(&rest[..dollar]);
        let (name, after) =
            rest[dollar + 2..].split_once('}').ok_or("`${` without `}` (write `$${` for the characters themselves)")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!("`${{{name}}}` does not name an environment variable"));
        }
        out.push_str(&env(name).ok_or_else(|| format!("the environment variable {name} is not set"))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
