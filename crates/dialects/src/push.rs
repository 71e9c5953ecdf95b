//! Any JSON object. The members a person would look for are recognised by name, the rest become labels.
//!
//! Also the fall-back of the other dialects, for bodies of a shape they do not know.

use std::borrow::Cow;

use serde_json::value::RawValue;
use watchbell_common::{
    alert::{Severity, Status, TEXT_MAX_BYTES},
    fingerprint::{masked, of_parts},
    payload::Item,
};

use super::{ALL, Dialect, ParseError, Post, Reading};
use crate::read::{
    json::{self, Object, Value},
    labels::{Labels, cut},
    words,
};

pub(super) const DIALECT: Dialect = Dialect {
    id: "push",
    path: "/api/v1/push",
    parse,
    recognise: None,
    reply: super::reply_json,
    snippet: r#"
curl -sS http://WATCHBELL/api/v1/push/TOKEN \
  -H 'Content-Type: application/json' \
  -d '{"title": "Disk almost full", "message": "/var is at 91%", "severity": "warning", "host": "db01"}'
"#,
};

/// The longest title, and the longest key that is kept as it is. RFC 5322 §2.1.1 lets a subject line be 998 bytes.
const TITLE_MAX_BYTES: usize = 998;
const KEY_MAX_BYTES: usize = 256;

/// What a member can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Text,
    Severity,
    State,
    /// True or false: it is over.
    Over,
    System,
    From,
    Category,
    /// Names the alert.
    Key,
    /// An id of something; names the alert only together with the system or the title.
    Id,
}

const FIELDS: usize = 10;

/// Names in lower case without `_`, `-`, `.` and spaces → field and rank; of several, the lowest rank is taken.
#[rustfmt::skip]
const NAMES: [(&str, Field, u8); 88] = [
    ("alarm", Field::Title, 4), ("alarmname", Field::Title, 4), ("alert", Field::Title, 3), ("alertid", Field::Id, 1),
    ("alertlevel", Field::Severity, 3), ("alertname", Field::Title, 2), ("alertstate", Field::State, 2),
    ("alertuid", Field::Key, 5), ("alias", Field::Key, 4), ("application", Field::System, 14),
    ("body", Field::Text, 2), ("category", Field::Category, 0), ("class", Field::Category, 1),
    ("component", Field::System, 15), ("content", Field::Text, 8), ("dedupkey", Field::Key, 3),
    ("desc", Field::Text, 3), ("description", Field::Text, 3), ("details", Field::Text, 4),
    ("device", Field::System, 10), ("entity", Field::System, 16), ("entitydisplayname", Field::Title, 7),
    ("entityid", Field::Key, 6), ("event", Field::Title, 8), ("eventaction", Field::State, 4),
    ("eventid", Field::Id, 0), ("eventname", Field::Title, 7), ("fingerprint", Field::Key, 0),
    ("fqdn", Field::System, 2), ("from", Field::From, 0), ("headline", Field::Title, 5), ("host", Field::System, 0),
    ("hostname", Field::System, 1), ("id", Field::Id, 4), ("impact", Field::Severity, 6),
    ("incidentid", Field::Id, 3), ("incidentkey", Field::Key, 2), ("info", Field::Text, 7),
    ("instance", Field::System, 3), ("isresolved", Field::Over, 1), ("job", Field::System, 17),
    ("key", Field::Key, 1), ("level", Field::Severity, 1), ("loglevel", Field::Severity, 5),
    ("machine", Field::System, 6), ("message", Field::Text, 0), ("messagetype", Field::State, 5),
    ("monitor", Field::System, 12), ("monitorname", Field::System, 12), ("msg", Field::Text, 6),
    ("name", Field::Title, 10), ("node", Field::System, 5), ("nodename", Field::System, 5), ("note", Field::Text, 12),
    ("notificationtype", Field::State, 3), ("ok", Field::Over, 2), ("output", Field::Text, 9),
    ("priority", Field::Severity, 3), ("problem", Field::Title, 6), ("problemid", Field::Id, 2),
    ("reason", Field::Text, 10), ("recovered", Field::Over, 3), ("resolved", Field::Over, 0),
    ("rulename", Field::Title, 9), ("sender", Field::From, 1), ("server", Field::System, 4),
    ("servername", Field::System, 4), ("service", Field::System, 9), ("servicename", Field::System, 9),
    ("sev", Field::Severity, 2), ("severity", Field::Severity, 0), ("source", Field::From, 2),
    ("state", Field::State, 1), ("statemessage", Field::Text, 11), ("status", Field::State, 0),
    ("subject", Field::Title, 1), ("summary", Field::Title, 4), ("system", Field::System, 8),
    ("target", Field::System, 13), ("text", Field::Text, 1), ("title", Field::Title, 0), ("trigger", Field::Title, 9),
    ("triggername", Field::Title, 9), ("urgency", Field::Severity, 4), ("url", Field::System, 18),
    ("vm", Field::System, 11), ("vmname", Field::System, 11), ("website", Field::System, 18),
];

/// The rank of `subject`, after which a title is a guess.
const SUBJECT_RANK: u8 = 1;
/// Behind every rank in [`NAMES`].
const LAST_RANK: u8 = u8::MAX;

/// The longest name in [`NAMES`].
const NAME_MAX_BYTES: usize = 17;

fn parse<'a>(post: &Post<'a>) -> Result<Vec<Reading<'a>>, ParseError> {
    let object = post.object()?;
    let recognised = ALL.iter().filter_map(|dialect| dialect.recognise).find_map(|recognise| recognise(&object));
    Ok(recognised.unwrap_or_else(|| vec![generic(&object)]))
}

/// Reads any object. Never fails: an object without anything known is an event with its members as labels.
pub(super) fn generic<'a>(object: &Object<'a>) -> Reading<'a> {
    let mut found = Found::default();
    for (index, (name, raw)) in object.members.iter().enumerate() {
        if let Some((field, rank)) = field_of(name) {
            found.offer(field, rank, index, json::read(raw));
        }
    }
    let title = found.take(Field::Title);
    let texts = found.take_texts();
    let mut item = Item {
        source: DIALECT.id.to_owned(),
        system: found.take(Field::System).map(Cow::into_owned),
        from: found.take(Field::From).map(Cow::into_owned),
        category: found.take(Field::Category).map(|category| category.to_lowercase()),
        ..Item::default()
    };
    item.labels = found.labels(object);
    (item.title, item.text) = readable(title, texts, &item);
    (item.severity, item.status) = found.state(&item.title);
    item.key = found.key(&item);
    Reading { item, part: "", dedup_key: dedup_key(object) }
}

/// The best member for each field.
#[derive(Default)]
struct Found<'a> {
    best: [Option<(u8, usize, Cow<'a, str>)>; FIELDS],
    /// Every text, because a message and its details belong together.
    texts: Vec<(u8, usize, Cow<'a, str>)>,
    /// Members that are in the item under their own name, so they need no label.
    placed: Vec<usize>,
}

impl<'a> Found<'a> {
    fn offer(&mut self, field: Field, rank: u8, index: usize, value: Value<'a>) {
        let Some(text) = value.into_text() else { return };
        // `"event": "resolved"` and `"level": "ok"` are states.
        let state = words::status(&text).is_some()
            && match field {
                Field::Title => rank > SUBJECT_RANK,
                Field::Severity => words::severity(&text).is_none(),
                _ => false,
            };
        let (field, rank) = if state { (Field::State, LAST_RANK) } else { (field, rank) };
        let usable = match field {
            Field::Severity => words::severity(&text).is_some(),
            Field::State => words::status(&text).is_some() || words::severity(&text).is_some(),
            Field::Over => matches!(&*text, "true" | "false"),
            _ => true,
        };
        if field == Field::Text {
            self.texts.push((rank, index, text));
            return;
        }
        let slot = &mut self.best[field as usize];
        if usable && slot.as_ref().is_none_or(|(known, ..)| rank <= *known) {
            *slot = Some((rank, index, text));
        }
    }

    fn get(&self, field: Field) -> Option<&str> {
        self.best[field as usize].as_ref().map(|(.., text)| text.trim())
    }

    fn take(&mut self, field: Field) -> Option<Cow<'a, str>> {
        let (_, index, text) = self.best[field as usize].take()?;
        self.placed.push(index);
        Some(text)
    }

    /// The texts in the order of their rank; of several with one rank, the last.
    fn take_texts(&mut self) -> Vec<Cow<'a, str>> {
        let mut texts = std::mem::take(&mut self.texts);
        texts.reverse();
        texts.sort_by_key(|(rank, ..)| *rank);
        texts.dedup_by_key(|(rank, ..)| *rank);
        self.placed.extend(texts.iter().map(|(_, index, _)| *index));
        texts.into_iter().map(|(.., text)| text).collect()
    }

    /// The severity and the status, each in its own words if there are any, else in those of the other: many
    /// senders say `"status": "WARNING"`. No status is made up from a severity: a sender that only says "High"
    /// may say so in its all-clear, too.
    fn state(&self, title: &str) -> (Option<Severity>, Option<Status>) {
        let (severity, state) = (self.get(Field::Severity), self.get(Field::State));
        let over = self.get(Field::Over).map(|over| if over == "true" { Status::Resolved } else { Status::Firing });
        let status = state.and_then(words::status).or(over).or_else(|| words::split_status(title).0);
        (severity.or(state).and_then(words::severity), status)
    }

    fn key(&self, item: &Item) -> Option<String> {
        if let Some(key) = self.get(Field::Key) {
            return Some(if key.len() > KEY_MAX_BYTES { of_parts(&[key]) } else { key.to_owned() });
        }
        // Ids count per sender, per host, per day …: alone, two senders' `"id": 1` would be one alert.
        let id = self.get(Field::Id)?;
        let whose = item.system.clone().unwrap_or_else(|| masked(words::split_status(&item.title).1));
        Some(of_parts(&[id, &whose]))
    }

    fn labels(&self, object: &Object<'a>) -> std::collections::BTreeMap<String, String> {
        let mut labels = Labels::default();
        for (name, raw) in &object.members {
            if !self.placed.iter().any(|placed| object.members[*placed].0 == *name) {
                labels.add_member(name, raw);
            }
        }
        labels.finish()
    }
}

/// A title and a text that a person can read, whatever was there. Without a title, a first text of one line is
/// one when there are more texts.
fn readable(title: Option<Cow<'_, str>>, mut texts: Vec<Cow<'_, str>>, item: &Item) -> (String, String) {
    let headed = title.is_none() && texts.len() > 1 && texts[0].trim().len() <= first_line(&texts[0]).len();
    let title = if headed { Some(texts.remove(0)) } else { title };
    let text = texts.iter().map(|text| text.trim()).collect::<Vec<_>>().join("\n\n");
    let text = cut(&text, TEXT_MAX_BYTES).to_owned();
    let mut title = first_line(title.as_deref().unwrap_or(&text)).to_owned();
    if title.is_empty() {
        let labels = item.labels.iter().map(|(name, value)| format!("{name}: {value}"));
        let members = item.system.clone().into_iter().chain(labels).take(3).collect::<Vec<_>>();
        title =
            if members.is_empty() { "an empty object".to_owned() } else { first_line(&members.join(", ")).to_owned() };
    }
    (title, text)
}

fn first_line(text: &str) -> &str {
    cut(text.trim().lines().next().unwrap_or_default().trim_end(), TITLE_MAX_BYTES)
}

/// `PulseGuard`'s reserved member: an identity for deduplication, verbatim. Other types than strings are ignored.
fn dedup_key(object: &Object<'_>) -> Option<String> {
    let raw: &RawValue = object.get("dedup_key")?;
    match json::read(raw) {
        Value::Text(key) if !key.is_empty() => Some(key.into_owned()),
        _ => None,
    }
}

fn field_of(name: &str) -> Option<(Field, u8)> {
    let mut plain = [0; NAME_MAX_BYTES];
    let mut length = 0;
    for byte in name.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b'.' | b' ')) {
        *plain.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    let plain = str::from_utf8(&plain[..length]).ok()?;
    NAMES.binary_search_by_key(&plain, |(known, ..)| known).ok().map(|index| (NAMES[index].1, NAMES[index].2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(body: &str) -> Item {
        let post = Post { body: body.as_bytes(), depth_max: 64 };
        parse(&post).unwrap().remove(0).item
    }

    #[test]
    fn the_name_table_is_sorted_and_its_names_fit() {
        assert!(NAMES.is_sorted_by_key(|(name, ..)| *name));
        assert!(NAMES.iter().all(|(name, ..)| name.len() <= NAME_MAX_BYTES));
    }

    #[test]
    fn the_fields_a_person_would_look_for_are_found_in_any_spelling() {
        let item = item(
            r#"{"Title":"Disk","MESSAGE":"/var at 91%","Log-Level":"WARN","hostName":"db01","From":"cron@db01",
                "Category":"Disk","_fingerprint":" disk-var ","mount":"/var"}"#,
        );
        assert_eq!((item.title.as_str(), item.text.as_str()), ("Disk", "/var at 91%"));
        assert_eq!((item.severity, item.status), (Some(Severity::Warning), None));
        assert_eq!((item.system.as_deref(), item.from.as_deref()), (Some("db01"), Some("cron@db01")));
        assert_eq!((item.category.as_deref(), item.key.as_deref()), (Some("disk"), Some("disk-var")));
        assert_eq!(item.labels["mount"], "/var");
        assert!(!item.labels.contains_key("Title"));
    }

    #[test]
    fn severity_and_status_are_read_from_each_other_but_never_guessed() {
        use {Severity as S, Status as T};
        for (body, severity, status) in [
            (r#"{"status":"WARNING"}"#, Some(S::Warning), Some(T::Firing)),
            (r#"{"status":"CLEAR"}"#, None, Some(T::Resolved)),
            (r#"{"severity":"High","status":"resolved"}"#, Some(S::Error), Some(T::Resolved)),
            (r#"{"severity":"spicy","level":"critical"}"#, Some(S::Critical), None),
            (r#"{"severity":"spicy"}"#, None, None),
            (r#"{"priority":3}"#, None, None),
            (r#"{"priority":"P1"}"#, Some(S::Critical), None),
            (r#"{"level":"ok"}"#, None, Some(T::Resolved)),
            (r#"{"level":"info"}"#, Some(S::Info), None),
            (r#"{"title":"Resolved: x","severity":"High"}"#, Some(S::Error), Some(T::Resolved)),
            (r#"{"event":"resolved","message":"x"}"#, None, Some(T::Resolved)),
            (r#"{"type":"alert","title":"x"}"#, None, None),
            (r#"{"title":"x","resolved":true}"#, None, Some(T::Resolved)),
            (r#"{"title":"x","resolved":false,"severity":"high"}"#, Some(S::Error), Some(T::Firing)),
        ] {
            let item = item(body);
            assert_eq!((item.severity, item.status), (severity, status), "{body}");
        }
    }

    #[test]
    fn an_object_without_anything_known_is_still_an_event_a_person_can_read() {
        for (body, title) in [
            ("{}", "an empty object"),
            ("null", "an empty object"),
            (r#"{"foo":1,"bar":{"x":2}}"#, "bar.x: 2, foo: 1"),
            (r#"{"message":"one\ntwo"}"#, "one"),
            (r#"{"message":"head","description":"one\ntwo"}"#, "head"),
            (r#"{"message":"one\ntwo","description":"x"}"#, "one"),
            (r#"{"title":null,"name":"n"}"#, "n"),
            (r#"{"title":{"en":"x"},"subject":"s"}"#, "s"),
        ] {
            assert_eq!(item(body).title, title, "{body}");
        }
    }

    #[test]
    fn a_message_and_its_details_are_both_text() {
        assert_eq!(item(r#"{"details":"b","title":"t","message":"a"}"#).text, "a\n\nb");
        assert_eq!(item(r#"{"description":"b","message":"a"}"#).text, "b");
    }

    #[test]
    fn duplicate_names_let_the_last_one_win() {
        let item = item(r#"{"title":"a","title":"b","x":1,"x":2}"#);
        assert_eq!((item.title.as_str(), item.labels["x"].as_str(), item.labels.len()), ("b", "2", 1));
    }

    #[test]
    fn an_id_alone_does_not_make_two_systems_one_alert() {
        let key = |body| item(body).key;
        assert_eq!(key(r#"{"id":1,"host":"a","title":"x"}"#), key(r#"{"id":1,"host":"a","title":"y"}"#));
        assert_ne!(key(r#"{"id":1,"host":"a"}"#), key(r#"{"id":1,"host":"b"}"#));
        assert_ne!(key(r#"{"id":1,"title":"a"}"#), key(r#"{"id":1,"title":"b"}"#));
        assert_eq!(key(r#"{"id":1,"key":"k"}"#).as_deref(), Some("k"));
    }

    #[test]
    fn a_dedup_key_is_taken_verbatim_and_only_as_text() {
        let dedup_key = |body: &str| generic(&json::parse(body.as_bytes(), 9).unwrap()).dedup_key;
        assert_eq!(dedup_key(r#"{"dedup_key":" a "}"#).as_deref(), Some(" a "));
        assert_eq!(dedup_key(r#"{"dedup_key":""}"#), None);
        assert_eq!(dedup_key(r#"{"dedup_key":7}"#), None);
    }

    #[test]
    fn a_text_is_cut_on_a_character_and_a_long_key_is_hashed() {
        let item = item(&format!(r#"{{"text":"{}","key":"{}"}}"#, "ü".repeat(TEXT_MAX_BYTES), "k".repeat(500)));
        assert_eq!(item.text.len(), TEXT_MAX_BYTES);
        assert_eq!(item.key.unwrap().len(), 32);
    }
}
