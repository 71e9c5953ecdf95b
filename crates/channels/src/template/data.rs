//! What a template sees of a message.
//!
//! The names of the webhook's JSON come first, then those that Alertmanager's templates use, then the labels, each
//! also as a field of its own. What came in through a push token keeps the names that its sender gave it: there,
//! the sender's own fields go first, so that templates made for that sender work as they are.

use std::collections::HashMap;

use gtmpl_ng::{Context, Number, Value};
use jiff::Timestamp;

use crate::{Message, render};

/// The source whose events are any JSON object of a sender's own.
const OWN_NAMES: &str = "push";

/// Names under which senders say what is the subject, the text or the system here. They come last, so they stand for
/// what was read out of a sender's field of that name, and let one template serve several senders.
const SUBJECTS: [&str; 5] = ["title", "alert", "alertname", "name", "headline"];
const TEXTS: [&str; 5] = ["message", "msg", "body", "description", "content"];
const SYSTEMS: [&str; 6] = ["host", "hostname", "server", "instance", "node", "service"];

/// The fields of a message by name.
#[derive(Debug)]
pub(crate) struct Data(pub(super) HashMap<String, Value>);

impl Data {
    /// With `lists`, also the lists and maps of Alertmanager's names: several copies of the labels, which are most of
    /// the work; see [`super::Template::wants_lists`].
    pub(crate) fn new(message: &Message, lists: bool) -> Self {
        let labels: HashMap<_, _> = message.labels.iter().map(|(name, value)| (name.clone(), label(value))).collect();
        let mut data = Self(ours(message));
        data.0.extend(alertmanager(message, &labels));
        if lists {
            data.add_lists(&message.summary, &message.details, &labels);
        }
        let own = message.source == OWN_NAMES;
        for (name, value) in &labels {
            if own {
                data.0.insert(name.clone(), value.clone());
            } else {
                data.or(name, || value.clone());
            }
        }
        for (name, value) in &labels {
            data.nest(name, value);
        }
        if own && !labels.contains_key("text") {
            data.0.insert("text".to_owned(), text(&message.details));
        }
        for (names, value) in
            [(&SUBJECTS[..], &message.subject), (&TEXTS, &message.details), (&SYSTEMS, &message.system)]
        {
            for name in names {
                data.or(name, || text(value));
            }
        }
        data.0.insert("labels".to_owned(), Value::Map(labels));
        data
    }

    /// The field of that name, taken as a whole.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// In the engine's form.
    pub(crate) fn context(self) -> Context {
        Context::from(Value::Map(self.0))
    }

    /// A message is about one alert, so the list of alerts holds one.
    fn add_lists(&mut self, summary: &str, details: &str, labels: &HashMap<String, Value>) {
        let mut annotations = labels.clone();
        for (name, value) in [("summary", summary), ("description", details)] {
            annotations.entry(name.to_owned()).or_insert_with(|| text(value));
        }
        for (map, names) in [(labels, ["Labels", "CommonLabels"]), (&annotations, ["Annotations", "CommonAnnotations"])]
        {
            self.0.extend(names.map(|name| (name.to_owned(), Value::Map(map.clone()))));
        }
        let members = ["Status", "Labels", "Annotations", "StartsAt", "EndsAt", "GeneratorURL", "Fingerprint"];
        let alert = members.map(|name| (name.to_owned(), self.0.get(name).cloned().unwrap_or(Value::NoValue)));
        self.0.insert("Alerts".to_owned(), Value::Array(vec![Value::Map(alert.into())]));
    }

    fn or(&mut self, name: &str, value: impl FnOnce() -> Value) {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), value());
        }
    }

    /// A sender's `{"host": {"name": …}}` is the label `host.name`; here it can be written as it was sent.
    fn nest(&mut self, name: &str, value: &Value) {
        let Some((outer, inner)) = name.split_once('.') else { return };
        self.or(outer, || Value::Map(HashMap::new()));
        if let Some(Value::Map(members)) = self.0.get_mut(outer) {
            members.entry(inner.to_owned()).or_insert_with(|| value.clone());
        }
    }
}

/// The fields of the webhook's JSON, and what else there is to say.
fn ours(message: &Message) -> HashMap<String, Value> {
    let texts = |texts: &[String]| Value::Array(texts.iter().map(|one| text(one)).collect());
    let fields = [
        ("event_id", message.event_id.to_string().into()),
        ("alert_id", message.alert_id.to_string().into()),
        ("delivery_id", message.delivery_id.to_string().into()),
        ("fingerprint", text(&message.fingerprint)),
        ("status", message.status.as_str().into()),
        ("severity", message.severity.as_str().into()),
        ("category", text(&message.category)),
        ("system", text(&message.system)),
        ("summary", text(&message.summary)),
        ("action", text(&message.action)),
        ("origin", message.origin.as_str().into()),
        ("subject", text(&message.subject)),
        ("from", texts(&message.from)),
        ("to", texts(&message.to)),
        ("source", text(&message.source)),
        ("count", message.count.into()),
        ("received_at", message.received_at.to_string().into()),
        ("since", since(message)),
        ("text", message.text.as_str().into()),
        ("details", text(&message.details)),
        ("link", message.link.clone().into()),
        ("update", message.update.into()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The names of single values that Alertmanager's templates use, and ours in the same manner.
fn alertmanager(message: &Message, labels: &HashMap<String, Value>) -> HashMap<String, Value> {
    let label = |name: &str| labels.get(name).cloned();
    let fields = [
        ("Status", message.status.as_str().into()),
        ("StartsAt", label("starts_at").unwrap_or_else(|| since(message))),
        ("EndsAt", label("ends_at").unwrap_or(Value::NoValue)),
        ("GeneratorURL", label("generator_url").unwrap_or(Value::NoValue)),
        ("Fingerprint", text(&message.fingerprint)),
        ("Receiver", label("receiver").unwrap_or(Value::NoValue)),
        ("ExternalURL", label("external_url").unwrap_or_else(|| message.link.clone().into())),
        ("Severity", message.severity.as_str().into()),
        ("System", text(&message.system)),
        ("Summary", text(&message.summary)),
        ("Action", text(&message.action)),
        ("Subject", text(&message.subject)),
        ("Text", text(&message.details)),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The first event of this episode; when that is not known, this one.
fn since(message: &Message) -> Value {
    let since: Timestamp = message.since.unwrap_or(message.received_at);
    since.to_string().into()
}

/// A text of a stranger's: what steers a terminal or turns the reading direction is left out.
fn text(text: &str) -> Value {
    let bad = |c: char| render::steers(c) || (c.is_control() && !matches!(c, '\n' | '\t'));
    if text.contains(bad) { text.replace(bad, "").into() } else { text.into() }
}

/// A label as what it was when it was sent: labels keep numbers, flags, lists and objects as texts. A number
/// remains a text if it would not print as it was sent.
fn label(label: &str) -> Value {
    match label.as_bytes() {
        b"true" => true.into(),
        b"false" => false.into(),
        [b'{' | b'[', ..] => serde_json::from_str(label).map_or_else(|_| text(label), |json| from_json(&json)),
        [b'-' | b'0'..=b'9', ..] => number(label).unwrap_or_else(|| text(label)),
        _ => text(label),
    }
}

fn number(text: &str) -> Option<Value> {
    let number = match text.parse::<i64>() {
        Ok(whole) => Number::from(whole),
        Err(_) => Number::from(text.parse::<f64>().ok()?),
    };
    (number.to_string() == text).then_some(Value::Number(number))
}

fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::NoValue,
        serde_json::Value::Bool(flag) => (*flag).into(),
        serde_json::Value::Number(number) => label(&number.to_string()),
        serde_json::Value::String(one) => text(one),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(from_json).collect()),
        serde_json::Value::Object(members) => {
            Value::Map(members.iter().map(|(name, value)| (name.clone(), from_json(value))).collect())
        }
    }
}
