//! Prometheus Alertmanager, webhook version 4
//! (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>).
//!
//! Each alert of a notification is an item of its own. Its identity is Alertmanager's fingerprint, the same when
//! it fires and when it is resolved. Alertmanager repeats a notification only after 5xx, so nothing that is
//! readable at all is refused: a body that was templated into another shape is read as a generic push.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;
use watchbell_common::{
    alert::{Severity, Status, TEXT_MAX_BYTES},
    payload::Item,
};

use super::{Dialect, ParseError, Post, Reading, push};
use crate::read::{
    json::{self, Object},
    labels::{Labels, cut},
    words,
};

pub(super) const DIALECT: Dialect = Dialect {
    id: "alertmanager",
    path: "/api/v1/in/alertmanager",
    parse,
    recognise: Some(recognise),
    reply: super::reply_json,
    snippet: r"
receivers:
  - name: watchbell
    webhook_configs:
      - url: http://WATCHBELL/api/v1/in/alertmanager
        http_config:
          authorization: { credentials: TOKEN }
        send_resolved: true
",
};

/// More alerts than this in one notification are kept as one event. A megabyte holds some 1,700 real ones.
const ALERTS_MAX: usize = 4_096;

/// What `endsAt` says while an alert fires: Go's zero time.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// Labels that say what an alert is about, the closest first.
const SYSTEM: [&str; 9] = ["instance", "host", "hostname", "node", "pod", "device", "service", "job", "cluster"];

/// Annotations that are the title and the text; the first one found is taken.
const TITLE: [&str; 2] = ["summary", "title"];
const TEXT: [&str; 3] = ["description", "message", "summary"];

/// The `severity` labels of widely used rule sets that mean something else there than elsewhere. `page` and
/// `ticket` are Google's SRE words; `none` is the Watchdog alert of kube-prometheus.
const SEVERITIES: [(&str, Severity); 3] =
    [("none", Severity::Info), ("page", Severity::Critical), ("ticket", Severity::Warning)];

/// An alert as version 4 writes it. Other members are ignored; they are in the raw body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
    #[serde(default)]
    fingerprint: String,
}

/// What all alerts of a notification share.
struct Notification {
    receiver: String,
    external_url: String,
    /// How many alerts Alertmanager left out (`max_alerts`).
    truncated: String,
}

fn parse<'a>(post: &Post<'a>) -> Result<Vec<Reading<'a>>, ParseError> {
    let object = post.object()?;
    Ok(read(&object).unwrap_or_else(|| {
        let mut reading = push::generic(&object);
        DIALECT.id.clone_into(&mut reading.item.source);
        vec![reading]
    }))
}

fn recognise<'a>(object: &Object<'a>) -> Option<Vec<Reading<'a>>> {
    let version = object.get("version")?.get();
    if version == "\"4\"" && object.get("groupKey").is_some() { read(object) } else { None }
}

/// Reads a notification; `None` when it is not one.
fn read<'a>(object: &Object<'a>) -> Option<Vec<Reading<'a>>> {
    let alerts: Vec<&RawValue> = serde_json::from_str(object.get("alerts")?.get()).ok()?;
    if alerts.is_empty() || alerts.len() > ALERTS_MAX {
        return None;
    }
    let member = |name| object.get(name).and_then(|raw| json::read(raw).into_text()).unwrap_or_default().into_owned();
    let truncated = member("truncatedAlerts");
    let notification = Notification {
        receiver: member("receiver"),
        external_url: member("externalURL"),
        truncated: if truncated == "0" { String::new() } else { truncated },
    };
    alerts
        .into_iter()
        .map(|raw| {
            let alert = serde_json::from_str::<Alert<'_>>(raw.get()).ok()?;
            Some(Reading { item: item(&alert, &notification), part: raw.get(), dedup_key: None })
        })
        .collect()
}

fn item(alert: &Alert<'_>, notification: &Notification) -> Item {
    let label = |name: &str| alert.labels.get(name).filter(|value| !value.is_empty());
    let name = label("alertname").map_or("alert", String::as_str);
    let title = match first_of(&TITLE, &alert.annotations) {
        Some((_, summary)) if summary.contains(name) => summary.to_owned(),
        Some((_, summary)) => format!("{name}: {summary}"),
        None => name.to_owned(),
    };
    Item {
        source: DIALECT.id.to_owned(),
        key: Some(alert.fingerprint.clone()).filter(|key| !key.is_empty()),
        text: text(alert, notification),
        severity: label("severity").and_then(|word| severity(word)),
        status: status(&alert.status),
        system: SYSTEM.iter().find_map(|name| label(name)).cloned(),
        category: None,
        from: None,
        title,
        labels: labels(alert, notification),
    }
}

fn status(word: &str) -> Option<Status> {
    match word {
        "firing" => Some(Status::Firing),
        "resolved" => Some(Status::Resolved),
        _ => None,
    }
}

fn severity(word: &str) -> Option<Severity> {
    let own = SEVERITIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, severity)| *severity);
    own.or_else(|| words::severity(word))
}

fn text(alert: &Alert<'_>, notification: &Notification) -> String {
    let text = first_of(&TEXT, &alert.annotations).map_or("", |(_, text)| text.trim());
    let mut text = cut(text, TEXT_MAX_BYTES - 256).to_owned();
    if !notification.truncated.is_empty() {
        text.push_str("\n\nAlertmanager left out more alerts of this group: ");
        text.push_str(cut(&notification.truncated, 32));
    }
    text
}

fn first_of<'a>(names: &[&'a str], annotations: &'a BTreeMap<String, String>) -> Option<(&'a str, &'a str)> {
    names.iter().find_map(|name| annotations.get(*name).map(|value| (*name, value.as_str())))
}

/// The alert's labels as they are, then what is worth showing of the rest and hides no label.
fn labels(alert: &Alert<'_>, notification: &Notification) -> BTreeMap<String, String> {
    let mut labels = Labels::default();
    for (name, value) in &alert.labels {
        labels.add(name, value);
    }
    let mut add = |name: &str, value: &str| {
        if !alert.labels.contains_key(name) {
            labels.add(name, value);
        }
    };
    let shown = [first_of(&TITLE, &alert.annotations), first_of(&TEXT, &alert.annotations)];
    for (name, value) in &alert.annotations {
        if !shown.iter().flatten().any(|(shown, _)| shown == name) {
            add(name, value);
        }
    }
    add("starts_at", &alert.starts_at);
    add("ends_at", if alert.ends_at == NO_TIME { "" } else { &alert.ends_at });
    add("generator_url", &alert.generator_url);
    add("receiver", &notification.receiver);
    add("external_url", &notification.external_url);
    add("truncated_alerts", &notification.truncated);
    labels.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(body: &str) -> Vec<Item> {
        let post = Post { body: body.as_bytes(), depth_max: 64 };
        parse(&post).unwrap().into_iter().map(|reading| reading.item).collect()
    }

    #[test]
    fn a_body_that_was_templated_into_another_shape_is_read_as_a_generic_push() {
        for body in [
            r#"{"title":"x","severity":"high"}"#,
            r#"{"title":"x","severity":"high","alerts":"two"}"#,
            r#"{"title":"x","severity":"high","alerts":[]}"#,
            r#"{"title":"x","severity":"high","alerts":[{"labels":{"a":1},"status":"firing"}]}"#,
        ] {
            let items = items(body);
            assert_eq!(items.len(), 1, "{body}");
            assert_eq!((items[0].source.as_str(), items[0].title.as_str()), ("alertmanager", "x"), "{body}");
            assert_eq!(items[0].severity, Some(Severity::Error), "{body}");
        }
    }

    #[test]
    fn more_alerts_than_the_limit_are_kept_as_one_event() {
        let alerts = vec![r#"{"status":"firing","labels":{}}"#; ALERTS_MAX + 1].join(",");
        assert_eq!(items(&format!(r#"{{"alerts":[{alerts}]}}"#)).len(), 1);
    }

    #[test]
    fn an_unknown_severity_is_left_open() {
        let body = |severity| {
            format!(r#"{{"alerts":[{{"status":"firing","labels":{{"alertname":"A","severity":"{severity}"}}}}]}}"#)
        };
        assert_eq!(items(&body("page"))[0].severity, Some(Severity::Critical));
        assert_eq!(items(&body("Warning"))[0].severity, Some(Severity::Warning));
        let unknown = &items(&body("purple"))[0];
        assert_eq!((unknown.severity, unknown.labels["severity"].as_str()), (None, "purple"));
    }

    #[test]
    fn an_annotation_never_hides_a_label() {
        let item = &items(
            r#"{"alerts":[{"status":"firing","labels":{"team":"db"},"annotations":{"team":"web","summary":"s"}}]}"#,
        )[0];
        assert_eq!(item.labels["team"], "db");
        assert_eq!(item.title, "alert: s");
        assert_eq!(item.key, None);
    }
}
