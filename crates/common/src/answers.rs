//! How a late answer of a model finds its event: the analyzer leaves it as a note on the queue and lets the job go that
//! looks for it, if it waits already. So neither service waits for the other, and a note that nobody fetches is
//! forgotten with its time.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    alert::Analysis,
    ids::{EventId, JobId},
    queue::{Queue, QueueError, QueueName},
};

/// What the dispatcher finds.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// No answer yet.
    Nothing,
    /// There will be none.
    NoAnswer,
    Answer(Box<Analysis>),
}

/// The job of [`QueueName::Enrich`] that looks for the answer about an event.
pub fn awaiting(event: EventId) -> JobId {
    JobId::derived(&[b"enrich", event.uuid().as_bytes()])
}

/// Leaves what a model made of an event, and tells whoever waits for it; `None` says that it has no answer.
pub async fn leave(
    queue: &dyn Queue,
    event: EventId,
    refined: Option<&Analysis>,
    ttl: Duration,
) -> Result<(), QueueError> {
    let note = serde_json::to_vec(&refined).expect("an analysis has string keys and finite numbers only");
    queue.remember(&key(event), Bytes::from(note), ttl).await?;
    // Where nobody waits yet, the note is there when it is looked for.
    queue.hurry(QueueName::Enrich, awaiting(event)).await.map(drop)
}

/// Looks for the note about an event. One that cannot be read counts as no answer.
pub async fn find(queue: &dyn Queue, event: EventId) -> Result<Found, QueueError> {
    let note = queue.recall(&key(event)).await?;
    let read = |note: Bytes| match serde_json::from_slice::<Option<Analysis>>(&note) {
        Ok(Some(analysis)) => Found::Answer(Box::new(analysis)),
        Ok(None) | Err(_) => Found::NoAnswer,
    };
    Ok(note.map_or(Found::Nothing, read))
}

fn key(event: EventId) -> String {
    format!("ai:answer:{}", event.uuid().as_simple())
}
