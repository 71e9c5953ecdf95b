//! Labels within limits. What does not fit is still in the raw body.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

use super::json::{self, Object, Value};

/// How many labels an item carries. Kubernetes alerts have 10 to 20, Zabbix with all its macros some 40.
pub(crate) const LABELS_MAX: usize = 64;
/// The longest label name and value in bytes. Annotations are sentences, some are paragraphs.
pub(crate) const NAME_MAX_BYTES: usize = 128;
pub(crate) const VALUE_MAX_BYTES: usize = 1_024;

/// Members whose value is a secret by its name. Labels are shown to people and sent to chats.
#[rustfmt::skip]
const SECRETS: [&str; 11] = [
    "api_key", "apikey", "authorization", "integration_key", "password", "passwd", "private_key", "routing_key",
    "secret", "service_key", "token",
];

/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Labels that are being collected.
#[derive(Debug, Default)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Adds a label; a later value of the same name replaces an earlier one. Blank values are no labels.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        let name = cut(name.trim(), NAME_MAX_BYTES);
        let full = self.0.len() >= LABELS_MAX && !self.0.contains_key(name);
        if full || name.is_empty() || value.trim().is_empty() {
            return;
        }
        let lower = name.to_ascii_lowercase();
        let value = if SECRETS.iter().any(|secret| lower.ends_with(secret)) { REDACTED } else { value };
        self.0.insert(name.to_owned(), cut(value, VALUE_MAX_BYTES).to_owned());
    }

    /// Adds a member. The members of an object become `name.member`, one level deep; what lies deeper, and
    /// arrays, stay compact JSON text.
    pub(crate) fn add_member(&mut self, name: &str, raw: &RawValue) {
        match json::read(raw) {
            Value::Nested(text) if text.starts_with('{') => {
                let object = serde_json::from_str::<Object<'_>>(text).unwrap_or_default();
                for (child, raw) in &object.members {
                    self.add_flat(&format!("{name}.{child}"), raw);
                }
            }
            _ => self.add_flat(name, raw),
        }
    }

    fn add_flat(&mut self, name: &str, raw: &RawValue) {
        match json::read(raw) {
            Value::Nested("{}" | "[]") => {}
            Value::Nested(text) => self.add(name, &json::compact(text)),
            value => self.add(name, &value.into_text().unwrap_or(Cow::Borrowed(""))),
        }
    }

    /// The labels.
    pub(crate) fn finish(self) -> BTreeMap<String, String> {
        self.0
    }
}

/// The longest start of a text that is at most `max` bytes.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> BTreeMap<String, String> {
        let mut labels = Labels::default();
        for (name, raw) in &json::parse(text.as_bytes(), 64).unwrap().members {
            labels.add_member(name, raw);
        }
        labels.finish()
    }

    #[test]
    fn members_become_labels_one_level_deep() {
        let labels = labels(r#"{"a":1.0,"b":{"c":true,"d":{"e": [1]},"f":[]},"g":["x", 2],"h":null,"i":"  ","a":2}"#);
        let shown = labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(shown, ["a=2", "b.c=true", r#"b.d={"e":[1]}"#, r#"g=["x",2]"#]);
    }

    #[test]
    fn labels_are_bounded_in_number_and_size() {
        let many = (0..1_000).map(|n| format!(r#""k{n}":{n}"#)).collect::<Vec<_>>().join(",");
        assert_eq!(labels(&format!("{{{many}}}")).len(), LABELS_MAX);
        let long = labels(&format!(r#"{{"{}":"{}"}}"#, "n".repeat(500), "ü".repeat(2_000)));
        let (name, value) = long.iter().next().unwrap();
        assert_eq!((name.len(), value.len()), (NAME_MAX_BYTES, VALUE_MAX_BYTES));
    }

    #[test]
    fn secrets_do_not_become_labels() {
        let labels = labels(r#"{"token":"s3","auth":{"Password":"s3"},"x_api_key":"s3","tokens_left":5}"#);
        assert!(!labels.values().any(|value| value.contains("s3")), "{labels:?}");
        assert_eq!(labels["tokens_left"], "5");
    }
}
