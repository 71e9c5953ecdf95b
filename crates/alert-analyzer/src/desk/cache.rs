//! Answers that are used again: kept on the queue, where all processes find them, under the template of the alert.
//!
//! A template is what an alert says without numbers, times, ids, addresses and the name of the system that it is about:
//! the same trouble on two hundred hosts is one template. Whatever else an answer can depend on is part of the key: the
//! prompt's wording, the models, and what the rules understood.
//!
//! So an answer is kept without that name as well ([`general`]) and gets that of the alert at hand ([`specific`]); and
//! [`merge`](watchbell_analysis::model::merge) lets no words through that hold something which the alert does not say, so that `db2` never
//! gets the words about `db1`, nor a disk at 97 % those about one at 81 %.
//!
//! Many alerts of a template come at once. So a process looks for its answer once a second at most, and the others do not
//! wait for the queue.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use regex::Regex;
use watchbell_analysis::model::{Answer, PROMPT_VERSION};
use watchbell_common::{
    alert::Alert,
    fingerprint::{masked, of_parts},
    queue::Queue,
};

/// How much of a text takes part. What an answer is about stands further up.
const TEXT_MAX_BYTES: usize = 16 * 1024;

/// Stands for the system that an alert is about. No text holds it: control characters are taken out when it is decoded.
const SYSTEM: &str = "\u{1}";

/// A shorter name of a system also stands in other words.
const SYSTEM_MIN_BYTES: usize = 3;

/// Addresses of machines and mailboxes. Where it takes more than an address (a time of day), that is masked anyway.
pub(super) static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b\d{1,3}(?:\.\d{1,3}){3}\b|[\w.+-]+@[\w.-]+|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}")
        .expect("the pattern is a constant, and the tests compile it")
});

/// How long a template that no model could answer is left alone, so that nonsense is not paid for again and again.
const UNANSWERABLE_TTL: Duration = Duration::from_mins(5);

/// How long what the queue said is good. An answer of another process may be missed for as long: an alert then gets it as
/// an update.
const SEEN_TTL: Duration = Duration::from_secs(1);

/// How many templates that holds for: more than a second brings.
const SEEN_MAX: u64 = 1_024;

/// The shared cache.
pub(crate) struct Cache {
    queue: Arc<dyn Queue>,
    ttl: Duration,
    /// What the queue said within [`SEEN_TTL`].
    seen: moka::sync::Cache<String, Cached>,
}

/// What is known of a template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cached {
    Nothing,
    /// Models were asked and talked nonsense.
    Unanswerable,
    Answer(Arc<Answer>),
}

impl Cache {
    /// Answers are kept on `queue` for `ttl`.
    pub(crate) fn new(queue: Arc<dyn Queue>, ttl: Duration) -> Self {
        let seen = moka::sync::Cache::builder().max_capacity(SEEN_MAX).time_to_live(SEEN_TTL).build();
        Self { queue, ttl, seen }
    }

    /// What is known of a template, or was a moment ago.
    pub(crate) async fn find(&self, key: &str) -> Cached {
        match self.seen.get(key) {
            Some(cached) => cached,
            None => self.look_up(key).await,
        }
    }

    /// What all processes know of a template now. A queue that does not answer knows nothing: that is no reason to hold
    /// anything up.
    pub(crate) async fn look_up(&self, key: &str) -> Cached {
        let note = self.queue.recall(key).await.unwrap_or_else(|error| {
            tracing::debug!("cannot look up an answer: {error}");
            None
        });
        let cached = match note.as_deref().map(serde_json::from_slice::<Option<Answer>>) {
            Some(Ok(Some(answer))) => Cached::Answer(Arc::new(answer)),
            Some(Ok(None)) => Cached::Unanswerable,
            // What cannot be read was written by another version, and is no answer.
            Some(Err(_)) | None => Cached::Nothing,
        };
        self.seen.insert(key.to_owned(), cached.clone());
        cached
    }

    /// Keeps an answer, or for a short time that there is none.
    pub(crate) async fn keep(&self, key: &str, answer: Option<&Answer>) {
        let ttl = if answer.is_some() { self.ttl } else { UNANSWERABLE_TTL };
        let note = serde_json::to_vec(&answer).expect("an answer has string keys and finite numbers only");
        if let Err(error) = self.queue.remember(key, Bytes::from(note), ttl).await {
            tracing::debug!("cannot keep an answer: {error}");
        }
        self.seen.invalidate(key);
    }
}

/// Names the template of an alert.
pub(crate) fn key(models: &str, alert: &Alert) -> String {
    let (event, analysis) = (&alert.event, &alert.analysis);
    let text = &event.text[..event.text.floor_char_boundary(TEXT_MAX_BYTES)];
    let system = system_of(alert);
    let parts: [&str; 11] = [
        &PROMPT_VERSION.to_string(),
        models,
        &event.tenant.to_string(),
        &event.source,
        event.labels.get("program").map_or("", String::as_str),
        &event.from.first().map_or_else(String::new, |from| without(from, system).into_owned()),
        analysis.severity.as_str(),
        analysis.status.as_str(),
        if system.is_some() { SYSTEM } else { &analysis.system },
        &template(&event.subject, system),
        &template(text, system),
    ];
    format!("ai:cache:{}", of_parts(&parts))
}

/// The name of the system, where it is long enough to be found in texts.
fn system_of(alert: &Alert) -> Option<&str> {
    Some(alert.analysis.system.as_str()).filter(|system| system.len() >= SYSTEM_MIN_BYTES)
}

fn template(text: &str, system: Option<&str>) -> String {
    masked(&ADDRESS.replace_all(&without(text, system), "<address>"))
}

fn without<'t>(text: &'t str, system: Option<&str>) -> Cow<'t, str> {
    match system {
        Some(system) if text.contains(system) => Cow::Owned(text.replace(system, SYSTEM)),
        _ => Cow::Borrowed(text),
    }
}

/// The answer about one alert, for all of its template.
pub(crate) fn general(answer: &Answer, asked: &Alert) -> Answer {
    with_texts(answer, |text| without(text, system_of(asked)).into_owned())
}

/// The answer for all of a template, for one alert.
pub(crate) fn specific(answer: &Answer, alert: &Alert) -> Answer {
    with_texts(answer, |text| text.replace(SYSTEM, &alert.analysis.system))
}

fn with_texts(answer: &Answer, change: impl Fn(&str) -> String) -> Answer {
    Answer {
        system: change(&answer.system),
        summary: change(&answer.summary),
        action: change(&answer.action),
        category: answer.category.clone(),
        ..*answer
    }
}

#[cfg(test)]
mod tests {
    use watchbell_analysis::{
        model::merge,
        testing::{alert, answer},
    };
    use watchbell_common::{
        alert::{Origin, Severity},
        clock::SystemClock,
        queue::{KEY_MAX_BYTES, sqlite::SqliteQueue},
    };

    use super::*;

    #[tokio::test]
    async fn the_queue_is_asked_once_a_second_and_what_is_kept_here_is_known_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let queue: Arc<dyn Queue> = Arc::new(SqliteQueue::open(folder.path(), Arc::new(SystemClock)).unwrap());
        let cache = || Cache::new(queue.clone(), Duration::from_hours(1));
        let (here, elsewhere, began) = (cache(), cache(), std::time::Instant::now());
        assert_eq!(here.find("t").await, Cached::Nothing);
        elsewhere.keep("t", Some(&answer())).await;
        let again = here.find("t").await;
        assert!(again == Cached::Nothing || began.elapsed() >= SEEN_TTL, "{again:?}");
        assert_eq!(here.look_up("t").await, Cached::Answer(Arc::new(answer())));
        assert_eq!(here.find("t").await, Cached::Answer(Arc::new(answer())));
        here.keep("t", None).await;
        assert_eq!(here.find("t").await, Cached::Unanswerable);
    }

    #[test]
    fn alerts_that_differ_only_in_numbers_times_and_ids_share_a_template() {
        let key = |text: &str| key("m", &alert("Job 4711 failed at 10:15:00", text));
        let one = key("took 17.5 s on 2026-11-20, id 3f2504e0-4f89-11d3-9a0c-0305e82c3301");
        assert_eq!(one, key("took 99.1 s on 2026-11-21, id 00000000-4f89-11d3-9a0c-0305e82c3301"));
        assert!(one.len() <= KEY_MAX_BYTES);
        assert_ne!(one, key("did not start"));
    }

    #[test]
    fn whatever_an_answer_depends_on_is_part_of_the_key() {
        let alert = alert("Disk full", "on /var");
        let one = key("m", &alert);
        let other = |change: fn(&mut Alert)| {
            let mut other = alert.clone();
            change(&mut other);
            key("m", &other)
        };
        assert_ne!(one, key("another model", &alert));
        assert_ne!(one, other(|alert| alert.event.tenant.0 = 2));
        assert_ne!(one, other(|alert| alert.event.from = vec!["backup@db2".to_owned()]));
        assert_ne!(one, other(|alert| alert.analysis.severity = Severity::Critical));
    }

    #[test]
    fn the_same_trouble_of_two_systems_is_one_template_whose_answer_names_the_right_one() {
        let of = |system: &str, address: &str| {
            let mut alert = alert(&format!("Disk full on {system}"), &format!("{system} ({address}): /var is full"));
            alert.event.from = vec![format!("root@{system}.corp.example")];
            alert.analysis.system = system.to_owned();
            alert
        };
        let (one, other) = (of("alpha", "10.0.0.1"), of("beta", "2001:db8::17"));
        assert_eq!(key("m", &one), key("m", &other));
        assert_ne!(key("m", &one), key("m", &of("", "10.0.0.1")), "of no system that is known");
        let said = Answer {
            summary: "alpha has no room on /var".to_owned(),
            action: "Clean up alpha (10.0.0.1)".to_owned(),
            ..answer()
        };
        let kept = general(&said, &one);
        assert_eq!(specific(&kept, &one), said);
        let shown = merge(&other.analysis, &specific(&kept, &other), &other.event, Origin::Cache);
        assert_eq!(shown.summary, "beta has no room on /var");
        assert_eq!(shown.action, other.analysis.action, "the address is that of another");
    }
}
