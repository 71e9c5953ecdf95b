//! The lock-out of [`watchbell_common::lockout`], counted on the queue, so that it survives restarts, holds for all
//! processes together, and asks nothing of the store.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use watchbell_common::{
    fingerprint::of_parts,
    lockout::{self, TRUST_FOR},
    queue::{Queue, QueueError},
};

/// Failures are counted for so long from the first one on. At the longest pause that is about as many guesses in a day
/// as where an hour without any is waited for.
const COUNT_FOR: Duration = Duration::from_hours(24);

/// Counts failed logins.
#[derive(Clone)]
pub struct Lockout(Arc<dyn Queue>);

impl Lockout {
    /// One that counts on this queue.
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self(queue)
    }

    /// Counts an attempt before it is made; `None` when user or address are locked out, and it is not to be made. Of
    /// attempts that come at once when no more are free, the first one locks the others out.
    pub(crate) async fn begin(&self, user: &str, peer: IpAddr) -> Result<Option<Attempt>, QueueError> {
        let pair = of_parts(&[&lockout::pair(user, peer)]);
        let is_owner_s = self.0.recall(&trusted(&pair)).await?.is_some();
        let mut attempt = Attempt { pair, is_owner_s, counted: Vec::new(), pause: None };
        for (subject, policy) in lockout::subjects(Some(user), peer, is_owner_s) {
            let subject = of_parts(&[&subject]);
            let failures = self.0.add_up(&failed(&subject), 1, COUNT_FOR).await?;
            let pause = policy.pause(failures);
            attempt.counted.push(Counted { subject, failures, locks: pause.is_some() });
            if let Some(pause) = pause {
                let subject = &attempt.counted[attempt.counted.len() - 1].subject;
                if self.0.add_up(&locked(subject), 1, pause).await? > 1 {
                    self.take_back(attempt).await?;
                    return Ok(None);
                }
                attempt.pause = attempt.pause.max(Some(pause));
            }
        }
        Ok(Some(attempt))
    }

    /// The password was right: the user's failures from here are forgotten, and what others do at this address or to
    /// this user does not concern its owner any more.
    pub(crate) async fn succeeded(&self, attempt: Attempt) -> Result<(), QueueError> {
        if !attempt.is_owner_s {
            self.0.remember(&trusted(&attempt.pair), Bytes::new(), TRUST_FOR).await?;
        }
        let forgotten = |counted: Counted| Counted {
            failures: if counted.subject == attempt.pair { counted.failures } else { 1 },
            ..counted
        };
        for counted in attempt.counted.into_iter().map(forgotten) {
            self.subtract(&counted).await?;
        }
        Ok(())
    }

    /// The attempt was not made after all.
    pub(crate) async fn take_back(&self, attempt: Attempt) -> Result<(), QueueError> {
        for counted in attempt.counted {
            self.subtract(&Counted { failures: 1, ..counted }).await?;
        }
        Ok(())
    }

    /// Takes back so many failures, and the lock that the last of them was. A sum whose time is over stays so.
    async fn subtract(&self, counted: &Counted) -> Result<(), QueueError> {
        let failures = i64::try_from(counted.failures).unwrap_or(i64::MAX);
        self.0.add_up(&failed(&counted.subject), -failures, Duration::ZERO).await?;
        if counted.locks {
            self.0.add_up(&locked(&counted.subject), -1, Duration::ZERO).await?;
        }
        Ok(())
    }
}

/// An attempt that was counted, before it is known how it ends.
#[derive(Debug)]
pub(crate) struct Attempt {
    pair: String,
    is_owner_s: bool,
    counted: Vec<Counted>,
    /// For how long it locks out if the password is wrong.
    pub(crate) pause: Option<Duration>,
}

#[derive(Debug)]
struct Counted {
    subject: String,
    /// With this one.
    failures: u64,
    locks: bool,
}

fn failed(subject: &str) -> String {
    format!("smtp:failed:{subject}")
}

fn locked(subject: &str) -> String {
    format!("smtp:locked:{subject}")
}

fn trusted(pair: &str) -> String {
    format!("smtp:trusted:{pair}")
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;
    use watchbell_common::{
        clock::ManualClock,
        queue::{
            redis::{PARTITION, RedisQueue},
            sqlite::SqliteQueue,
        },
        testing::RedisServer,
    };

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Guesses that are wrong. Answers how many were let through, and how long the last of them locks out.
    async fn guess(lockout: &Lockout, user: &str, peer: &str, times: u32) -> (u32, Option<Duration>) {
        let (mut made, mut pause) = (0, None);
        for _ in 0..times {
            if let Some(attempt) = lockout.begin(user, ip(peer)).await.unwrap() {
                (made, pause) = (made + 1, attempt.pause);
            }
        }
        (made, pause)
    }

    /// Whether somebody who tries would be let through; it is taken back.
    async fn may(lockout: &Lockout, user: &str, peer: &str) -> bool {
        let attempt = lockout.begin(user, ip(peer)).await.unwrap();
        let may = attempt.is_some();
        if let Some(attempt) = attempt {
            lockout.take_back(attempt).await.unwrap();
        }
        may
    }

    #[tokio::test]
    async fn the_fifth_failure_locks_out_for_a_while_and_across_a_restart() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(1_000)));
        let open = || Lockout::new(Arc::new(SqliteQueue::open(folder.path(), clock.clone()).unwrap()));
        let lockout = open();
        assert_eq!(guess(&lockout, "ops", "2001:db8::1", 4).await, (4, None));
        assert!(may(&lockout, "ops", "2001:db8::1").await);
        assert_eq!(guess(&lockout, "ops", "2001:db8::1", 9).await, (1, Some(Duration::from_secs(15))));
        drop(lockout);
        let lockout = open();
        assert!(!may(&lockout, "ops", "2001:db8::2").await, "the same network");
        assert!(may(&lockout, "ops", "192.0.2.1").await);
        assert!(may(&lockout, "zabbix", "2001:db8::1").await);
        clock.advance(Duration::from_secs(15));
        assert_eq!(guess(&lockout, "ops", "2001:db8::1", 9).await, (1, Some(Duration::from_secs(30))));
    }

    #[tokio::test]
    async fn guesses_at_once_are_as_few_as_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = SqliteQueue::open(folder.path(), Arc::new(ManualClock::at(1_000))).unwrap();
        let server = RedisServer::start();
        let redis = RedisQueue::connect(&server.url(), PARTITION, None).await.unwrap();
        for queue in [Arc::new(sqlite) as Arc<dyn Queue>, Arc::new(redis)] {
            let lockout = Lockout::new(queue);
            let mut guesses = JoinSet::new();
            for _ in 0..100 {
                let lockout = lockout.clone();
                guesses.spawn(async move { lockout.begin("ops", ip("192.0.2.1")).await.unwrap().is_some() });
            }
            let made = guesses.join_all().await.into_iter().filter(|made| *made).count();
            assert_eq!(made, 5);
        }
    }

    #[tokio::test]
    async fn a_right_password_is_no_failure_however_often_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(folder.path(), Arc::new(ManualClock::at(1_000))).unwrap();
        let (lockout, here) = (Lockout::new(Arc::new(queue)), ip("192.0.2.1"));
        for _ in 0..100 {
            guess(&lockout, "zabbix", "192.0.2.1", 4).await;
            let attempt = lockout.begin("zabbix", here).await.unwrap().expect("it is the fifth");
            lockout.succeeded(attempt).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_guesser_at_the_same_address_does_not_stop_who_logged_in_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(folder.path(), Arc::new(ManualClock::at(1_000))).unwrap();
        let lockout = Lockout::new(Arc::new(queue));
        let attempt = lockout.begin("zabbix", ip("192.0.2.1")).await.unwrap().unwrap();
        lockout.succeeded(attempt).await.unwrap();
        for user in ["a", "b", "c", "d", "e", "f", "g"] {
            guess(&lockout, user, "192.0.2.1", 4).await;
        }
        assert!(may(&lockout, "ops", "192.0.2.1").await);
        guess(&lockout, "h", "192.0.2.1", 2).await;
        assert!(!may(&lockout, "ops", "192.0.2.1").await, "the address is stopped");
        assert!(may(&lockout, "zabbix", "192.0.2.1").await);
        for host in 2..15 {
            guess(&lockout, "zabbix", &format!("192.0.2.{host}"), 4).await;
        }
        assert!(!may(&lockout, "zabbix", "198.51.100.1").await, "the account is slowed elsewhere");
        assert!(may(&lockout, "zabbix", "192.0.2.1").await);
    }
}
