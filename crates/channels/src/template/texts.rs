//! Functions about texts. Each takes any scalar as a text, and what is absent as an empty one.

use std::{borrow::Cow, cell::RefCell, collections::HashMap};

use gtmpl_ng::{FuncError, Value};
use regex::{Regex, RegexBuilder};

use super::VALUE_MAX_BYTES;
use crate::markup;

/// The longest pattern, and the most memory that a compiled one may take. Matching takes linear time, whatever the
/// pattern; what a pattern can still do is to be large.
const PATTERN_MAX_BYTES: usize = 512;
const COMPILED_MAX_BYTES: usize = 256 * 1024;

/// How many compiled patterns a thread keeps: those of some dozens of templates.
const PATTERNS_MAX: usize = 32;

pub(super) type Answer = Result<Value, FuncError>;

/// A value as text.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::NoValue | Value::Nil => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

pub(super) fn failed<T>(why: impl Into<String>) -> Result<T, FuncError> {
    Err(FuncError::Generic(why.into()))
}

/// Exactly the arguments that a function takes.
pub(super) fn arguments<'a, const N: usize>(name: &str, all: &'a [Value]) -> Result<&'a [Value; N], FuncError> {
    all.try_into().map_err(|_| FuncError::ExactlyXArgs(name.to_owned(), N))
}

fn mapped(name: &str, all: &[Value], map: impl FnOnce(&str) -> String) -> Answer {
    let [value] = arguments(name, all)?;
    Ok(map(&text(value)).into())
}

pub(super) fn upper(all: &[Value]) -> Answer {
    mapped("toUpper", all, str::to_uppercase)
}

pub(super) fn lower(all: &[Value]) -> Answer {
    mapped("toLower", all, str::to_lowercase)
}

pub(super) fn trim_space(all: &[Value]) -> Answer {
    mapped("trimSpace", all, |text| text.trim().to_owned())
}

/// The first letter of each word becomes upper case, the others stay.
pub(super) fn title(all: &[Value]) -> Answer {
    mapped("title", all, |text| {
        let mut out = String::with_capacity(text.len());
        let mut inside = false;
        for letter in text.chars() {
            if inside {
                out.push(letter);
            } else {
                out.extend(letter.to_uppercase());
            }
            inside = letter.is_alphanumeric() || letter == '\'';
        }
        out
    })
}

pub(super) fn escape_markdown(all: &[Value]) -> Answer {
    mapped("escMD", all, markup::escape_markdown)
}

pub(super) fn escape_html(all: &[Value]) -> Answer {
    mapped("escHTML", all, markup::escape_html)
}

/// The first that is not empty, from the back: `default "n/a" .x` and `.x | default "n/a"`.
pub(super) fn default(all: &[Value]) -> Answer {
    let [fallback, value] = arguments("default", all)?;
    Ok(if text(value).is_empty() { fallback.clone() } else { value.clone() })
}

/// `join ", " .list`; what is no list is a list of one.
pub(super) fn join(all: &[Value]) -> Answer {
    let [separator, list] = arguments("join", all)?;
    let separator = text(separator);
    let items: Vec<_> = match list {
        Value::Array(items) => items.iter().map(text).collect(),
        other => vec![text(other)],
    };
    let length = items.iter().map(|item| item.len() + separator.len()).sum::<usize>();
    if length > VALUE_MAX_BYTES + separator.len() {
        return failed("join makes too long a text");
    }
    Ok(items.join(&*separator).into())
}

#[expect(clippy::unnecessary_wraps, reason = "functions of templates have one type")]
pub(super) fn string_slice(all: &[Value]) -> Answer {
    Ok(Value::Array(all.iter().map(|value| text(value).into_owned().into()).collect()))
}

/// The first letters of a text, and an ellipsis where more followed: `truncate 80 .x`.
pub(super) fn truncate(all: &[Value]) -> Answer {
    let [length, value] = arguments("truncate", all)?;
    let Ok(length) = text(length).parse::<usize>() else { return failed("truncate wants a whole number first") };
    let value = text(value);
    Ok(match value.char_indices().nth(length) {
        None => value.into_owned().into(),
        Some(_) if length == 0 => "".into(),
        Some(_) => {
            let kept: String = value.chars().take(length - 1).collect();
            format!("{kept}…").into()
        }
    })
}

/// A value as JSON, so that a body made by hand stays JSON whatever an alert says.
pub(super) fn to_json(all: &[Value]) -> Answer {
    let [value] = arguments("toJson", all)?;
    Ok(json(value).to_string().into())
}

fn json(value: &Value) -> serde_json::Value {
    use gtmpl_ng::NumberKind;
    match value {
        Value::NoValue | Value::Nil | Value::Function(_) => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => text.clone().into(),
        Value::Number(number) => match number.kind() {
            NumberKind::Unsigned(number) => number.into(),
            NumberKind::Signed(number) => number.into(),
            NumberKind::Float(number) => number.into(),
        },
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Map(members) | Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), json(value))).collect()
        }
    }
}

/// `match pattern text`: whether the pattern is found anywhere in the text.
pub(super) fn matches(all: &[Value]) -> Answer {
    let [pattern, value] = arguments("match", all)?;
    Ok(compiled(&text(pattern))?.is_match(&text(value)).into())
}

/// `reReplaceAll pattern replacement text`; `$1` and `${name}` stand for groups.
pub(super) fn replace_all(all: &[Value]) -> Answer {
    let [pattern, replacement, value] = arguments("reReplaceAll", all)?;
    let (pattern, replacement, value) = (compiled(&text(pattern))?, text(replacement), text(value));
    let mut out = String::with_capacity(value.len());
    let mut copied = 0;
    for found in pattern.captures_iter(&value) {
        let whole = found.get(0).expect("group 0 is the whole match");
        out.push_str(&value[copied..whole.start()]);
        found.expand(&replacement, &mut out);
        copied = whole.end();
        if out.len() > VALUE_MAX_BYTES {
            return failed("reReplaceAll makes too long a text");
        }
    }
    out.push_str(&value[copied..]);
    Ok(out.into())
}

/// The pattern, compiled once for each thread.
fn compiled(pattern: &str) -> Result<Regex, FuncError> {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    if let Some(known) = KNOWN.with_borrow(|known| known.get(pattern).cloned()) {
        return Ok(known);
    }
    if pattern.len() > PATTERN_MAX_BYTES {
        return failed(format!("a pattern is longer than {PATTERN_MAX_BYTES} bytes"));
    }
    let mut builder = RegexBuilder::new(pattern);
    let built = builder.size_limit(COMPILED_MAX_BYTES).dfa_size_limit(COMPILED_MAX_BYTES).build();
    let regex = match built {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(_)) => return failed("a pattern takes too much memory"),
        Err(_) => return failed(format!("`{pattern}` is not a pattern")),
    };
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= PATTERNS_MAX {
            known.clear();
        }
        known.insert(pattern.to_owned(), regex.clone());
    });
    Ok(regex)
}
