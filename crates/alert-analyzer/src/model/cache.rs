//! Answers that are used again: kept on the queue, where all processes find them, under the template of the alert.
//!
//! A template is what an alert says without numbers, times and ids. Whatever else an answer can depend on is part of
//! the key: the prompt's wording, the models, and what the rules understood, so that `db2` never gets the words about
//! `db1`, nor a disk at 97 % the words about one at 81 %.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use watchbell_common::{
    alert::Alert,
    fingerprint::{masked, of_parts},
    queue::Queue,
};

use super::{Answer, PROMPT_VERSION};

/// How much of a text takes part. What an answer is about stands further up.
const TEXT_MAX_BYTES: usize = 16 * 1024;

/// How long a template that no model could answer is left alone, so that nonsense is not paid for again and again.
const UNANSWERABLE_TTL: Duration = Duration::from_mins(5);

/// The shared cache.
#[derive(Clone)]
pub(crate) struct Cache {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) ttl: Duration,
}

/// What is known of a template.
#[derive(Debug, PartialEq)]
pub(crate) enum Cached {
    Nothing,
    /// Models were asked and talked nonsense.
    Unanswerable,
    Answer(Box<Answer>),
}

impl Cache {
    /// Looks up a template. A queue that does not answer knows nothing: that is no reason to hold anything up.
    pub(crate) async fn find(&self, key: &str) -> Cached {
        let note = self.queue.recall(key).await.unwrap_or_else(|error| {
            tracing::debug!("cannot look up an answer: {error}");
            None
        });
        match note.as_deref().map(serde_json::from_slice::<Option<Answer>>) {
            Some(Ok(Some(answer))) => Cached::Answer(Box::new(answer)),
            Some(Ok(None)) => Cached::Unanswerable,
            // What cannot be read was written by another version, and is no answer.
            Some(Err(_)) | None => Cached::Nothing,
        }
    }

    /// Keeps an answer, or for a short time that there is none.
    pub(crate) async fn keep(&self, key: &str, answer: Option<&Answer>) {
        let ttl = if answer.is_some() { self.ttl } else { UNANSWERABLE_TTL };
        let note = serde_json::to_vec(&answer).expect("an answer has string keys and finite numbers only");
        if let Err(error) = self.queue.remember(key, Bytes::from(note), ttl).await {
            tracing::debug!("cannot keep an answer: {error}");
        }
    }
}

/// Names the template of an alert.
pub(crate) fn key(models: &str, alert: &Alert) -> String {
    let (event, analysis) = (&alert.event, &alert.analysis);
    let text = &event.text[..event.text.floor_char_boundary(TEXT_MAX_BYTES)];
    let parts: [&str; 11] = [
        &PROMPT_VERSION.to_string(),
        models,
        &event.tenant.to_string(),
        &event.source,
        event.labels.get("program").map_or("", String::as_str),
        event.from.first().map_or("", String::as_str),
        analysis.severity.as_str(),
        analysis.status.as_str(),
        &analysis.system,
        &masked(&event.subject),
        &masked(text),
    ];
    format!("ai:cache:{}", of_parts(&parts))
}

#[cfg(test)]
mod tests {
    use watchbell_common::{alert::Severity, queue::KEY_MAX_BYTES};

    use super::*;
    use crate::model::testing::alert;

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
        assert_ne!(one, other(|alert| alert.event.from = vec!["root@db2".to_owned()]));
        assert_ne!(one, other(|alert| alert.analysis.severity = Severity::Critical));
        assert_ne!(one, other(|alert| alert.analysis.system = "db2".to_owned()));
    }
}
