//! How often a password may be wrong, and how long whoever goes on is kept out: the same at every door that takes one.
//!
//! Three subjects are counted. An account from one address comes first and is what a guesser meets. An address is
//! stopped when it tries many accounts. An account is slowed, never for long, when it is tried from many addresses;
//! those from which its owner signed in before do not notice. An attempt is counted before the password is looked at
//! and taken back when it was right, so that many guesses at once are as few as one after the other. Where a door
//! counts is its own matter: the API in the store, where its users are, and SMTP on the queue, without which it takes
//! no mail anyway.

use std::{net::IpAddr, time::Duration};

/// When a subject is kept out, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Failures that cost nothing.
    free: u64,
    /// The first pause; each further failure doubles it.
    first: Duration,
    longest: Duration,
}

/// Of an account from one address.
const OF_PAIR: Policy = Policy { free: 5, first: Duration::from_secs(15), longest: Duration::from_mins(15) };

/// Of an address: an office behind one mistypes more often than a person.
const OF_ADDRESS: Policy = Policy { free: 30, first: Duration::from_secs(15), longest: Duration::from_mins(15) };

/// Of an account from anywhere. Short: a stranger can cause it.
const OF_ACCOUNT: Policy = Policy { free: 50, first: Duration::from_secs(5), longest: Duration::from_secs(30) };

/// How long an address from which an account signed in is known to be its owner's.
pub const TRUST_FOR: Duration = Duration::from_hours(30 * 24);

impl Policy {
    /// How long a subject is kept out after so many failures, the present one included; `None`: it is not.
    pub fn pause(&self, failures: u64) -> Option<Duration> {
        let beyond = u32::try_from(failures.checked_sub(self.free)?).unwrap_or(u32::MAX);
        Some(self.first.saturating_mul(2_u32.saturating_pow(beyond)).min(self.longest))
    }
}

/// What an attempt is counted against: at an account, or at a door that names none. `is_owner_s`: the account signed in
/// from there before. Then it is counted by the pair alone, whatever others do at that address and to that account.
pub fn subjects(account: Option<&str>, from: IpAddr, is_owner_s: bool) -> Vec<(String, Policy)> {
    let mut subjects = Vec::new();
    if let Some(account) = account {
        subjects.push((pair(account, from), OF_PAIR));
        if is_owner_s {
            return subjects;
        }
        subjects.push((format!("account {account}"), OF_ACCOUNT));
    }
    subjects.push((format!("address {}", network(from)), OF_ADDRESS));
    subjects
}

/// The name of an account as it is tried from one address.
pub fn pair(account: &str, from: IpAddr) -> String {
    format!("pair {} {account}", network(from))
}

/// What counts as one address: for IPv6 its /64, which is the least that one customer has.
fn network(address: IpAddr) -> String {
    let IpAddr::V6(address) = address.to_canonical() else { return address.to_canonical().to_string() };
    let [a, b, c, d, ..] = address.segments();
    format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pause = |failures| OF_PAIR.pause(failures).map(|pause| pause.as_secs());
        assert_eq!([4, 5, 6, 7].map(pause), [None, Some(15), Some(30), Some(60)]);
        assert_eq!([12, u64::MAX].map(pause), [Some(900), Some(900)]);
        let longest = OF_ACCOUNT.pause(u64::MAX);
        assert_eq!(longest, Some(Duration::from_secs(30)), "a stranger cannot lock anybody out for long");
    }

    #[test]
    fn an_address_is_one_customer_s() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.7"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1:2:3"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }
}
