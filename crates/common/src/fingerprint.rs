//! Identity: which reports are about the same thing.
//!
//! A source that names its alerts is taken at its word. For the others, identity is what was said, without
//! what changes from one report to the next: times, counters, measurements, and the state itself (firing,
//! resolved, how severe). The rules lean to one side on purpose: taking two alerts for one can hide an
//! alert, taking one for two only repeats it. So whatever may name a thing stays: host names with digits
//! (`db01`), addresses, versions, `port 8080`, whole numbers in labels.

mod masking;

use aws_lc_rs::digest::{Context, SHA256};

pub use self::masking::masked;
use self::masking::{Kind, kind};
use crate::{
    alert::{Severity, Status},
    crypto::hex,
    payload::Item,
};

/// Labels that say when, how often or how much: numbers in them name nothing.
/// Compared in `snake_case`; the last part of a dotted name counts.
#[rustfmt::skip]
const CHANGING: [&str; 54] = [
    "age", "attempt", "attempts", "count", "counter", "created", "current", "current_value", "date", "datetime",
    "delay", "duration", "elapsed", "end", "ended", "epoch", "event_date", "event_time", "hits", "iteration",
    "last_seen", "latency", "load", "metric_value", "modified", "num", "occurrences", "offset", "opdata", "percent",
    "percentage", "pid", "ping", "ratio", "repeat", "retries", "retry", "sent", "seq", "sequence", "sequence_number",
    "start", "started", "time", "timestamp", "total", "ts", "updated", "uptime", "usage", "used", "value", "values",
    "when",
];

/// Labels that name the message, not what it is about.
#[rustfmt::skip]
const MESSAGE: [&str; 7] = [
    "correlation_id", "delivery_id", "message_id", "nonce", "request_id", "span_id", "trace_id",
];

/// Labels that say how the thing stands. They belong to the variant, not to the identity.
#[rustfmt::skip]
const STATE: [&str; 12] = [
    "alert_state", "level", "nseverity", "priority", "recovery", "resolved", "sev", "severity", "state", "status",
    "truncated_alerts", "urgency",
];

/// Endings of label names that mean the same as [`CHANGING`]: `startsAt`, `disk_used_percent`, `queue_length_bytes`.
#[rustfmt::skip]
const CHANGING_ENDINGS: [&str; 14] = [
    "_at", "_bytes", "_count", "_date", "_duration", "_ms", "_pct", "_percent", "_seconds", "_time", "_timestamp",
    "_total", "_ts", "_value",
];

/// The fingerprint of a webhook item: 32 hex digits.
///
/// With a key it depends on the source and the key only. Without one, on the source, the system, the category,
/// the sender, title and text as [`masked`], and the labels that identify; not on severity and status, so the
/// news that it is over finds its alert when nothing else was worded differently.
pub fn of_item(item: &Item) -> String {
    let mut hash = Parts::new("item 1");
    hash.part(&item.source);
    if let Some(key) = &item.key {
        hash.part("key");
        hash.part(key);
        return hash.finish();
    }
    hash.part("content");
    for text in [&item.system, &item.category, &item.from] {
        hash.part(text.as_deref().unwrap_or_default());
    }
    hash.part(&masked(&item.title));
    hash.part(&masked(&item.text));
    for (name, value) in &item.labels {
        if let Some(value) = identifying(name, value) {
            hash.part(name);
            hash.part(&value);
        }
    }
    hash.finish()
}

/// The state that an item reports, 32 hex digits: it changes with severity and status, known or in the source's
/// own words. What differs in this is not a repeat. Without a status the title speaks for it: `Problem: …` and
/// `Resolved: …` under one key are two reports.
pub fn variant_of_item(item: &Item) -> String {
    let mut hash = Parts::new("state 1");
    hash.part(item.status.map_or("", Status::as_str));
    hash.part(item.severity.map_or("", Severity::as_str));
    if item.status.is_none() {
        hash.part(&masked(&item.title));
    }
    for (name, value) in &item.labels {
        if STATE.binary_search(&snake_case(name).as_str()).is_ok() {
            hash.part(name);
            hash.part(value);
        }
    }
    hash.finish()
}

/// A fingerprint of texts, 32 hex digits; `["ab", ""]` and `["a", "b"]` differ.
pub fn of_parts(parts: &[&str]) -> String {
    let mut hash = Parts::new("parts 1");
    for part in parts {
        hash.part(part);
    }
    hash.finish()
}

/// SHA-256 over parts that do not run together.
struct Parts(Context);

impl Parts {
    fn new(purpose: &str) -> Self {
        let mut parts = Self(Context::new(&SHA256));
        parts.part(purpose);
        parts
    }

    fn part(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn finish(self) -> String {
        hex(&self.0.finish().as_ref()[..16])
    }
}

/// What a label contributes to the identity, if anything.
fn identifying(name: &str, value: &str) -> Option<String> {
    let name = snake_case(name);
    let last = name.rsplit('.').next().unwrap_or(&name);
    let known = |list: &[&str]| list.binary_search(&last).is_ok();
    if known(&MESSAGE) || known(&STATE) {
        return None;
    }
    let whole = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let changing = known(&CHANGING) || CHANGING_ENDINGS.iter().any(|ending| last.ends_with(ending));
    if changing || (whole && is_epoch(value)) {
        return Some(masked(value));
    }
    // A number or an id alone in a label was put there to identify; in running text it is one of many.
    if whole || kind(value) == Kind::Hex { Some(value.to_owned()) } else { Some(masked(value)) }
}

/// `startsAt` and `starts-at` become `starts_at`; dots stay.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(if matches!(c, '-' | ' ') { '_' } else { c.to_ascii_lowercase() });
    }
    out.trim_matches('_').to_owned()
}

/// Seconds, milli-, micro- or nanoseconds since 1970 of the years 2001 to 2096.
fn is_epoch(digits: &str) -> bool {
    matches!(digits.len(), 10 | 13 | 16 | 19) && matches!(digits.as_bytes()[0], b'1'..=b'3')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(title: &str, labels: &[(&str, &str)]) -> Item {
        Item {
            source: "push".to_owned(),
            title: title.to_owned(),
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Item::default()
        }
    }

    #[test]
    fn a_key_is_the_whole_identity() {
        let mut one = item("CPU high", &[("a", "1")]);
        let mut two = item("CPU fine", &[("a", "2")]);
        one.key = Some("cpu".to_owned());
        two.key = Some("cpu".to_owned());
        assert_eq!(of_item(&one), of_item(&two));
        two.source = "alertmanager".to_owned();
        assert_ne!(of_item(&one), of_item(&two), "keys of different sources have nothing to do with each other");
    }

    #[test]
    fn times_counters_and_states_are_not_identity() {
        let first = item("disk 91% full", &[("time", "10:00"), ("count", "1"), ("usage", "91.0"), ("status", "down")]);
        let later = item("disk 92% full", &[("time", "10:05"), ("count", "2"), ("usage", "92.5"), ("status", "up")]);
        assert_eq!(of_item(&first), of_item(&later));
        for (one, two) in [
            (("startsAt", "1"), ("startsAt", "22")),
            (("trace_id", "a"), ("trace_id", "b")),
            (("disk_used_percent", "91"), ("disk_used_percent", "92")),
            (("detail.event-time", "1"), ("detail.event-time", "2")),
            (("odd_name", "1795295524"), ("odd_name", "1795295999")),
            (("odd_name", "2026-11-21T20:59:15Z"), ("odd_name", "2026-11-21T21:00:00Z")),
            (("odd_name", "93.5"), ("odd_name", "94.25")),
        ] {
            assert_eq!(of_item(&item("x", &[one])), of_item(&item("x", &[two])), "{one:?} {two:?}");
        }
    }

    #[test]
    fn different_things_stay_different() {
        for (one, two) in [
            (("node_name", "db01"), ("node_name", "db02")),
            (("port", "8080"), ("port", "8081")),
            (("value", "table users"), ("value", "table orders")),
            (("volume", "3f2a9c01b7de"), ("volume", "3f2a9c01b7df")),
            (("instance", "10.0.0.7:9100"), ("instance", "10.0.0.8:9100")),
        ] {
            assert_ne!(of_item(&item("x", &[one])), of_item(&item("x", &[two])), "{one:?} {two:?}");
        }
        assert_ne!(of_item(&item("db01 down", &[])), of_item(&item("db02 down", &[])));
        assert_eq!(of_item(&item("x", &[])).len(), 32);
    }

    #[test]
    fn the_variant_follows_the_state_also_in_words_we_do_not_know() {
        let mut firing = item("x", &[]);
        firing.status = Some(Status::Firing);
        let mut resolved = firing.clone();
        resolved.status = Some(Status::Resolved);
        assert_ne!(variant_of_item(&firing), variant_of_item(&resolved));
        let worse = item("x", &[("severity", "page"), ("count", "2")]);
        assert_eq!(variant_of_item(&item("x", &[("severity", "page")])), variant_of_item(&worse));
        assert_ne!(variant_of_item(&item("x", &[("severity", "ticket")])), variant_of_item(&worse));
        assert_ne!(variant_of_item(&item("Problem: x", &[])), variant_of_item(&item("Resolved: x", &[])));
    }

    #[test]
    fn word_lists_are_sorted_for_the_binary_search() {
        for list in [&CHANGING[..], &MESSAGE, &STATE] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
