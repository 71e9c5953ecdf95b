//! Messages of which some parts are in the chat and the rest is not: the next attempt goes on where the last one ended,
//! so that a rate limit in the middle costs neither an attempt nor a repetition.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use watchbell_common::ids::DeliveryId;

use super::{api::Sent, draw::Draft};
use crate::Message;

/// For how many unfinished deliveries this is known: few texts have parts, and few of those fail in the middle. When
/// one is forgotten, its first parts are sent again.
const DELIVERIES_MAX: usize = 256;

/// How far a message got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// What goes out: kept, because a template may write another text by now.
    pub(super) draft: Draft,
    /// How many of the draft's parts are in the chat.
    pub(super) next: usize,
    /// All that is in the chat, also of drafts before this one.
    pub(super) sent: Vec<Sent>,
    /// What people should know, for the receipt.
    pub(super) remarks: Vec<String>,
}

/// The progress of one channel's deliveries, oldest first. Kept in memory: after a restart, or when another process
/// takes over, an attempt starts afresh, which is why one that failed in the middle is marked as possibly duplicated.
#[derive(Debug, Default)]
pub(super) struct Begun(Mutex<VecDeque<(Key, Progress)>>);

/// An enrichment is a message of its own.
type Key = (DeliveryId, bool);

impl Begun {
    /// How far an earlier attempt got.
    pub(super) fn of(&self, message: &Message) -> Option<Progress> {
        let deliveries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries.iter().find(|(key, _)| *key == key_of(message)).map(|(_, progress)| progress.clone())
    }

    /// Keeps how far this attempt got; with `None` there is nothing to go on from.
    pub(super) fn keep(&self, message: &Message, progress: Option<Progress>) {
        let mut deliveries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries.retain(|(key, _)| *key != key_of(message));
        let Some(progress) = progress else { return };
        if deliveries.len() == DELIVERIES_MAX {
            deliveries.pop_front();
        }
        deliveries.push_back((key_of(message), progress));
    }
}

fn key_of(message: &Message) -> Key {
    (message.delivery_id, message.update)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let (begun, mut message) = (Begun::default(), contract::message());
        let draft = Draft::of(&message).unwrap();
        let progress = Progress { draft, next: 1, sent: Vec::new(), remarks: Vec::new() };
        let name = |number: usize| DeliveryId::derived(&[&number.to_be_bytes()]);
        for number in 0..=DELIVERIES_MAX {
            message.delivery_id = name(number);
            begun.keep(&message, Some(progress.clone()));
        }
        assert_eq!(begun.of(&message), Some(progress));
        message.update = true;
        assert_eq!(begun.of(&message), None, "an update is another message");
        (message.update, message.delivery_id) = (false, name(0));
        assert_eq!(begun.of(&message), None);
        message.delivery_id = name(1);
        begun.keep(&message, None);
        assert_eq!((begun.of(&message), begun.0.lock().unwrap().len()), (None, DELIVERIES_MAX - 1));
    }
}
