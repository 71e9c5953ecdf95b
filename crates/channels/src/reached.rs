//! Channels with several recipients: whoever can be reached is reached at once, whoever cannot be for now is tried
//! again, and nobody gets the message twice because of the others.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use watchbell_common::ids::DeliveryId;

use crate::{Message, Receipt, SendError, render};

/// For how many unfinished deliveries a channel remembers whom they reached: more than ever wait for another try
/// at a time while some recipients work. When it forgets one, those who had the message get it again.
const DELIVERIES_MAX: usize = 1_024;

/// The longest account of all recipients, in bytes.
const DETAIL_MAX_BYTES: usize = 600;

/// An enrichment is a message of its own.
type Key = (DeliveryId, bool);

/// Whom the unfinished deliveries of one channel have reached, by the recipients' positions in its target.
/// Kept in memory: after a restart an attempt may reach somebody again, which is why it is marked so.
#[derive(Debug, Default)]
pub(crate) struct Reached(Mutex<VecDeque<(Key, BTreeSet<usize>)>>);

/// What became of one recipient in this attempt.
#[derive(Debug)]
pub(crate) struct Outcome<'r> {
    pub(crate) position: usize,
    pub(crate) name: &'r str,
    /// What the other side said, and its name for the message.
    pub(crate) result: Result<(String, Option<String>), SendError>,
}

impl Reached {
    /// Those whom earlier attempts reached.
    pub(crate) fn before(&self, message: &Message) -> BTreeSet<usize> {
        let deliveries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries
            .iter()
            .find(|(key, _)| *key == key_of(message))
            .map(|(_, reached)| reached.clone())
            .unwrap_or_default()
    }

    /// The outcome of the attempt as a whole, from the outcomes of all who had not been reached before.
    ///
    /// As long as somebody is worth another try, so is the delivery. Who is refused for good is named in the
    /// receipt when others were reached, and only when nobody was is the delivery rejected.
    pub(crate) fn conclude(&self, message: &Message, mut outcomes: Vec<Outcome<'_>>) -> Result<Receipt, SendError> {
        let mut reached = self.before(message);
        let total = reached.len() + outcomes.len();
        let alike = reached.is_empty() && outcomes.windows(2).all(|pair| pair[0].result == pair[1].result);
        if alike && outcomes.first().is_some_and(|outcome| outcome.result.is_err()) {
            // What went wrong for all alike is said once.
            outcomes.truncate(1);
        }
        let name = |outcome: &Outcome<'_>| if alike { String::new() } else { format!("{}: ", outcome.name) };
        let (mut provider_id, mut said, mut refused, mut open) = (None, None, Vec::new(), Vec::new());
        for outcome in outcomes {
            let name = name(&outcome);
            match outcome.result {
                Ok((detail, id)) => {
                    reached.insert(outcome.position);
                    said.get_or_insert(detail);
                    provider_id = provider_id.or(id);
                }
                Err(SendError::Rejected { detail }) => refused.push(format!("{name}{detail}")),
                Err(error) => open.push(error.reworded(|detail| format!("{name}{detail}"))),
            }
        }
        let others = !reached.is_empty();
        let account = |first: Option<String>| {
            let count = (total > 1).then(|| format!("{} of {total} reached", reached.len()));
            let parts: Vec<_> = count.into_iter().chain(first).chain(refused.iter().cloned()).collect();
            render::line(&parts.join("; "), DETAIL_MAX_BYTES)
        };
        match open.into_iter().reduce(more_pressing) {
            Some(error) => {
                let error = error.reworded(|detail| account(Some(detail)));
                self.note(message, reached);
                Err(if others { possibly_repeated(error) } else { error })
            }
            None if others => {
                self.forget(message);
                Ok(Receipt { provider_id, detail: account(said), keep: None })
            }
            None => Err(SendError::Rejected { detail: account(None) }),
        }
    }

    fn note(&self, message: &Message, reached: BTreeSet<usize>) {
        self.forget(message);
        if reached.is_empty() {
            return;
        }
        let mut deliveries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if deliveries.len() == DELIVERIES_MAX {
            deliveries.pop_front();
        }
        deliveries.push_back((key_of(message), reached));
    }

    fn forget(&self, message: &Message) {
        let mut deliveries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries.retain(|(key, _)| *key != key_of(message));
    }
}

fn key_of(message: &Message) -> Key {
    (message.delivery_id, message.update)
}

/// Of two reasons to try again the one that counts as an attempt, with the longer wait.
fn more_pressing(one: SendError, other: SendError) -> SendError {
    use SendError::{RateLimited, Transient};
    match (one, other) {
        (
            Transient { detail, retry_after, ambiguous },
            Transient { detail: and, retry_after: also, ambiguous: either },
        ) => Transient {
            detail: format!("{detail}; {and}"),
            retry_after: retry_after.max(also),
            ambiguous: ambiguous || either,
        },
        (RateLimited { detail, retry_after }, RateLimited { retry_after: also, .. }) => {
            RateLimited { detail, retry_after: retry_after.max(also) }
        }
        (transient @ Transient { .. }, _) | (_, transient) => transient,
    }
}

fn possibly_repeated(error: SendError) -> SendError {
    match error {
        SendError::Transient { detail, retry_after, ambiguous: _ } => {
            SendError::Transient { detail, retry_after, ambiguous: true }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::message;

    fn ok(position: usize) -> Outcome<'static> {
        Outcome { position, name: NAMES[position], result: Ok(("250 ok".to_owned(), Some(format!("id-{position}")))) }
    }

    fn failed(position: usize, error: SendError) -> Outcome<'static> {
        Outcome { position, name: NAMES[position], result: Err(error) }
    }

    const NAMES: [&str; 3] = ["ann", "bob", "cyd"];

    fn rejected() -> SendError {
        SendError::Rejected { detail: "550 unknown".to_owned() }
    }

    fn transient() -> SendError {
        SendError::Transient { detail: "450 later".to_owned(), retry_after: None, ambiguous: false }
    }

    fn limited(seconds: u64) -> SendError {
        SendError::RateLimited { detail: "slow down".to_owned(), retry_after: Duration::from_secs(seconds) }
    }

    #[test]
    fn a_single_recipient_speaks_for_itself() {
        let (reached, message) = (Reached::default(), message());
        let receipt = reached.conclude(&message, vec![ok(0)]).unwrap();
        assert_eq!((receipt.detail.as_str(), receipt.provider_id.as_deref()), ("250 ok", Some("id-0")));
        assert_eq!(reached.conclude(&message, vec![failed(0, rejected())]), Err(rejected()));
        assert_eq!(reached.conclude(&message, vec![failed(0, transient())]), Err(transient()));
    }

    #[test]
    fn who_was_reached_is_left_out_of_the_next_attempt_of_the_same_message() {
        let (reached, mut message) = (Reached::default(), message());
        let error = reached.conclude(&message, vec![ok(0), failed(1, transient()), failed(2, rejected())]).unwrap_err();
        insta::assert_snapshot!(error.to_string(), @"1 of 3 reached; bob: 450 later; cyd: 550 unknown");
        assert!(matches!(error, SendError::Transient { ambiguous: true, .. }), "{error:?}");
        assert_eq!(reached.before(&message), [0].into());
        message.update = true;
        assert_eq!(reached.before(&message), [].into(), "an enrichment is another message");
        message.update = false;
        let receipt = reached.conclude(&message, vec![ok(1), failed(2, rejected())]).unwrap();
        insta::assert_snapshot!(receipt.detail, @"2 of 3 reached; 250 ok; cyd: 550 unknown");
        assert_eq!(reached.before(&message), [].into(), "it is done");
    }

    #[test]
    fn nobody_reached_is_a_rejection_only_when_nobody_is_worth_another_try() {
        let (reached, message) = (Reached::default(), message());
        let refused = reached.conclude(&message, vec![failed(0, rejected()), failed(1, rejected())]).unwrap_err();
        insta::assert_snapshot!(refused.to_string(), @"0 of 2 reached; 550 unknown");
        assert_eq!(refused.class(), "rejected");
        let mixed = reached.conclude(&message, vec![failed(0, rejected()), failed(1, transient())]).unwrap_err();
        assert!(matches!(mixed, SendError::Transient { ambiguous: false, .. }), "{mixed:?}");
    }

    #[test]
    fn rate_limits_are_waited_for_unless_something_worse_happened() {
        let (reached, message) = (Reached::default(), message());
        let both = reached.conclude(&message, vec![failed(0, limited(3)), failed(1, limited(9))]).unwrap_err();
        assert!(matches!(both, SendError::RateLimited { retry_after, .. } if retry_after.as_secs() == 9), "{both:?}");
        for outcomes in [[limited(3), transient()], [transient(), limited(3)]] {
            let [first, second] = outcomes;
            let error = reached.conclude(&message, vec![failed(0, first), failed(1, second)]).unwrap_err();
            assert_eq!(error.class(), "transient");
        }
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let (reached, mut message) = (Reached::default(), message());
        for number in 0..=DELIVERIES_MAX {
            message.delivery_id = DeliveryId::derived(&[&number.to_be_bytes()]);
            reached.conclude(&message, vec![ok(0), failed(1, transient())]).unwrap_err();
        }
        assert_eq!(reached.before(&message), [0].into());
        message.delivery_id = DeliveryId::derived(&[&0_usize.to_be_bytes()]);
        assert_eq!(reached.before(&message), [].into());
        assert_eq!(reached.0.lock().unwrap().len(), DELIVERIES_MAX);
    }
}
