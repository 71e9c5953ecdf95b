//! One look-up at a time for each key: a cold cache asks the store once, however many requests wait for the answer, and
//! a store that gives none lets all of them wait once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::Instant,
};

use crate::binding::token::KeyHash;

/// When a look-up of this key last failed.
type Failed = Option<Instant>;

#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<KeyHash, Arc<AsyncMutex<Failed>>>>);

/// The turn of one request. The next one gets it when this is dropped.
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    key: KeyHash,
    held: Option<OwnedMutexGuard<Failed>>,
}

impl Turns {
    /// Waits until it is this request's turn. Given up while waiting, it leaves nothing behind.
    pub(crate) async fn take(&self, key: KeyHash) -> Turn<'_> {
        let lock = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        let mut turn = Turn { turns: self, key, held: None };
        turn.held = Some(lock.lock_owned().await);
        turn
    }
}

impl Turn<'_> {
    /// The look-up failed: whoever waits for this key already is answered by that.
    pub(crate) fn failed(&mut self) {
        if let Some(held) = &mut self.held {
            **held = Some(Instant::now());
        }
    }

    /// Whether a look-up failed while this request waited for its turn.
    pub(crate) fn failed_since(&self, arrived: Instant) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_some_and(|failed| failed >= arrived))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut turns = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever else waits holds the lock as well; the last one removes it.
        if turns.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            turns.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left_behind() {
        let turns = Arc::new(Turns::default());
        let inside = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..100 {
            let (turns, inside) = (turns.clone(), inside.clone());
            tasks.spawn(async move {
                let turn = turns.take(KeyHash([1; 32])).await;
                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, SeqCst);
                drop(turn);
                number
            });
        }
        for _ in 0..10 {
            // Some give up while they wait.
            let mut impatient = Box::pin(turns.take(KeyHash([1; 32])));
            let _ = futures_util::poll!(impatient.as_mut());
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.join_all().await.len(), 100);
        assert!(turns.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn those_who_waited_share_a_failure_and_those_who_come_later_do_not() {
        let turns = Turns::default();
        let mut first = turns.take(KeyHash([1; 32])).await;
        let waited = Instant::now();
        let mut second = Box::pin(turns.take(KeyHash([1; 32])));
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        first.failed();
        drop(first);
        let second = second.await;
        assert!(second.failed_since(waited));
        assert!(!second.failed_since(Instant::now() + std::time::Duration::from_nanos(1)));
    }
}
