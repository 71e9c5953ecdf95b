//! What the server shares out: seats for connections, and bytes for messages that are arriving.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Bytes for all messages that are arriving.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    max: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Account { max, used: AtomicUsize::new(0) }))
    }

    /// A share of the budget, empty at first.
    pub(crate) fn reserve(&self) -> Reservation {
        Reservation { account: self.0.clone(), bytes: 0 }
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }
}

/// Some bytes of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    account: Arc<Account>,
    bytes: usize,
}

impl Reservation {
    /// Takes more, or nothing when the budget does not have it.
    pub(crate) fn grow(&mut self, by: usize) -> bool {
        let more = |used: usize| used.checked_add(by).filter(|&used| used <= self.account.max);
        let grown = self.account.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if grown {
            self.bytes += by;
        }
        grown
    }

    /// Gives all of it back.
    pub(crate) fn release(&mut self) {
        self.account.used.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release();
    }
}

/// Seats for connections: so many in all, so many for one address.
#[derive(Debug)]
pub(crate) struct Seats {
    max: usize,
    per_address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Seats {
    pub(crate) fn new(max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { max, per_address_max, taken: Mutex::default() })
    }

    /// A seat for a client, if there is one. A /64 of IPv6 counts as one address: it is one host or one site.
    pub(crate) fn take(self: &Arc<Self>, client: IpAddr) -> Option<Seat> {
        let address = match client {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        };
        let mut taken = self.lock();
        let of_address = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.total >= self.max || of_address >= self.per_address_max {
            return None;
        }
        taken.total += 1;
        taken.by_address.insert(address, of_address + 1);
        Some(Seat { seats: self.clone(), address })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's seat, free again when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.total -= 1;
        let left = taken.by_address.get(&self.address).map_or(0, |count| count - 1);
        if left == 0 {
            taken.by_address.remove(&self.address);
        } else {
            taken.by_address.insert(self.address, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn seats_are_bounded_in_all_and_per_address_and_come_free() {
        let seats = Seats::new(3, 2);
        let first = seats.take(ip("10.0.0.1")).unwrap();
        let _second = seats.take(ip("10.0.0.1")).unwrap();
        assert!(seats.take(ip("10.0.0.1")).is_none());
        let _third = seats.take(ip("10.0.0.2")).unwrap();
        assert!(seats.take(ip("10.0.0.3")).is_none());
        drop(first);
        assert!(seats.take(ip("10.0.0.1")).is_some());
    }

    #[test]
    fn a_network_of_one_ipv6_site_counts_as_one_address() {
        let seats = Seats::new(9, 1);
        let _seat = seats.take(ip("2001:db8::1")).unwrap();
        assert!(seats.take(ip("2001:db8::ffff:2")).is_none());
        assert!(seats.take(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_clients_that_left() {
        let seats = Seats::new(9, 9);
        drop(seats.take(ip("10.0.0.1")));
        assert!(seats.lock().by_address.is_empty());
    }
}
