//! How many new keys one address may bind in a minute.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use ipnet::IpNet;

use crate::clock::UnixMillis;

/// Addresses that are counted in one minute; in the next, all begin anew. More than these bind nothing in this minute:
/// then somebody tries out keys from a whole network.
const ADDRESSES_MAX: usize = 100_000;

const MINUTE_MS: i64 = 60_000;

#[derive(Default)]
pub(crate) struct Limiter(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    number: i64,
    counts: HashMap<IpNet, u32>,
}

impl Limiter {
    /// Whether this address may bind another key now.
    pub(crate) fn allows(&self, net: IpNet, per_minute: u32, now: UnixMillis) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.div_euclid(MINUTE_MS);
        if minute.number != number {
            *minute = Minute { number, counts: HashMap::new() };
        }
        if minute.counts.len() >= ADDRESSES_MAX && !minute.counts.contains_key(&net) {
            return false;
        }
        let count = minute.counts.entry(net).or_default();
        let allowed = *count < per_minute;
        *count += u32::from(allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_share_of_a_minute_and_the_count_is_bounded() {
        let limiter = Limiter::default();
        let net = |number: u32| IpNet::from(std::net::IpAddr::from(number.to_be_bytes()));
        assert!(limiter.allows(net(1), 2, 0) && limiter.allows(net(1), 2, 59_999));
        assert!(!limiter.allows(net(1), 2, 59_999));
        assert!(limiter.allows(net(2), 2, 59_999));
        assert!(limiter.allows(net(1), 2, 60_000));
        let allowed = (10..200_010).filter(|&number| limiter.allows(net(number), 1, 60_000)).count();
        assert_eq!(allowed, ADDRESSES_MAX - 1);
    }
}
