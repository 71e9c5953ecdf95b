//! The lock-out of [`watchbell_common::lockout`], counted on the queue, so that it survives restarts, holds for all
//! processes together, and asks nothing of the store.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use watchbell_common::{
    fingerprint::of_parts,
    lockout::{OF_ACCOUNT, OF_ADDRESS, OF_PAIR, Policy, TRUST_FOR, network},
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

    /// Whether no password of that user is looked at from there now.
    pub(crate) async fn holds(&self, user: &str, peer: IpAddr) -> Result<bool, QueueError> {
        for (subject, _) in self.subjects(user, peer).await? {
            if self.0.recall(&locked(&subject)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Counts a wrong password. Answers for how long that locks out, if it does.
    pub(crate) async fn failed(&self, user: &str, peer: IpAddr) -> Result<Option<Duration>, QueueError> {
        let mut longest = None;
        for (subject, policy) in self.subjects(user, peer).await? {
            let failures = self.0.add_up(&format!("smtp:failed:{subject}"), 1, COUNT_FOR).await?;
            if let Some(pause) = policy.pause(failures) {
                self.0.remember(&locked(&subject), Bytes::new(), pause).await?;
                longest = longest.max(Some(pause));
            }
        }
        Ok(longest)
    }

    /// Notes a right password: what others do at this address or to this user does not concern its owner.
    pub(crate) async fn succeeded(&self, user: &str, peer: IpAddr) -> Result<(), QueueError> {
        let trusted = trusted(&pair(user, peer));
        if self.0.recall(&trusted).await?.is_none() {
            self.0.remember(&trusted, Bytes::new(), TRUST_FOR).await?;
        }
        Ok(())
    }

    async fn subjects(&self, user: &str, peer: IpAddr) -> Result<Vec<(String, Policy)>, QueueError> {
        let pair = pair(user, peer);
        let owner = self.0.recall(&trusted(&pair)).await?.is_some();
        let mut subjects = vec![(pair, OF_PAIR)];
        if !owner {
            subjects.push((of_parts(&["address", &network(peer)]), OF_ADDRESS));
            subjects.push((of_parts(&["account", user]), OF_ACCOUNT));
        }
        Ok(subjects)
    }
}

fn pair(user: &str, peer: IpAddr) -> String {
    of_parts(&["pair", &network(peer), user])
}

fn locked(subject: &str) -> String {
    format!("smtp:locked:{subject}")
}

fn trusted(pair: &str) -> String {
    format!("smtp:trusted:{pair}")
}

#[cfg(test)]
mod tests {
    use watchbell_common::{clock::ManualClock, queue::sqlite::SqliteQueue};

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    async fn fail(lockout: &Lockout, user: &str, peer: &str, times: u32) {
        for _ in 0..times {
            lockout.failed(user, ip(peer)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_fifth_failure_locks_out_for_a_while_and_across_a_restart() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(1_000)));
        let open = || Lockout::new(Arc::new(SqliteQueue::open(folder.path(), clock.clone()).unwrap()));
        let (lockout, here) = (open(), ip("2001:db8::1"));
        fail(&lockout, "ops", "2001:db8::1", 4).await;
        assert!(!lockout.holds("ops", here).await.unwrap());
        assert_eq!(lockout.failed("ops", here).await.unwrap(), Some(Duration::from_secs(15)));
        drop(lockout);
        let lockout = open();
        assert!(lockout.holds("ops", ip("2001:db8::2")).await.unwrap(), "the same network");
        assert!(!lockout.holds("ops", ip("192.0.2.1")).await.unwrap());
        assert!(!lockout.holds("zabbix", here).await.unwrap());
        clock.advance(Duration::from_secs(15));
        assert!(!lockout.holds("ops", here).await.unwrap());
        assert_eq!(lockout.failed("ops", here).await.unwrap(), Some(Duration::from_secs(30)));
    }

    #[tokio::test]
    async fn a_guesser_at_the_same_address_does_not_stop_who_logged_in_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(folder.path(), Arc::new(ManualClock::at(1_000))).unwrap();
        let (lockout, here) = (Lockout::new(Arc::new(queue)), ip("192.0.2.1"));
        lockout.succeeded("zabbix", here).await.unwrap();
        for user in ["a", "b", "c", "d", "e", "f", "g"] {
            fail(&lockout, user, "192.0.2.1", 4).await;
        }
        assert!(!lockout.holds("ops", here).await.unwrap());
        fail(&lockout, "h", "192.0.2.1", 2).await;
        assert!(lockout.holds("ops", here).await.unwrap(), "the address is stopped");
        assert!(!lockout.holds("zabbix", here).await.unwrap());
        for host in 2..15 {
            fail(&lockout, "zabbix", &format!("192.0.2.{host}"), 4).await;
        }
        assert!(lockout.holds("zabbix", ip("198.51.100.1")).await.unwrap(), "the account is slowed elsewhere");
        assert!(!lockout.holds("zabbix", here).await.unwrap());
    }
}
