//! Bindings in memory: bounded, and found without asking anybody.

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use crate::{
    binding::{Binding, token::KeyHash},
    ids::TenantId,
};

/// Requests for different keys seldom meet at the same lock.
const SHARDS: usize = 64;

/// A binding that is known, and how often it was used since that was last written down.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyHash,
    pub(crate) binding: Binding,
    pub(crate) allowed: AtomicU32,
}

/// Found by its key.
#[derive(Debug, Clone)]
struct ByKey(Arc<Known>);

impl Borrow<KeyHash> for ByKey {
    fn borrow(&self) -> &KeyHash {
        &self.0.key
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for ByKey {}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

/// Keys are the output of HMAC under a secret: their first bytes are as good as any hash of them.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

type Set = HashSet<ByKey, BuildHasherDefault<FirstBytes>>;

/// Two generations: what is used moves to the young one; when that is half of the capacity, the old one goes. So what
/// was used lately stays, however many keys are seen once, and nothing is sorted.
#[derive(Default)]
struct Shard {
    young: Set,
    old: Set,
}

pub(crate) struct Cache {
    shards: Vec<Mutex<Shard>>,
    /// Of one generation of one shard.
    half: usize,
}

impl Cache {
    /// Holds at most about `entries` bindings.
    pub(crate) fn new(entries: usize) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), half: (entries / SHARDS / 2).max(1) }
    }

    fn shard(&self, key: &KeyHash) -> MutexGuard<'_, Shard> {
        // Not the bytes that find the place in the set.
        self.shards[usize::from(key.0[31]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &KeyHash) -> Option<Arc<Known>> {
        let mut shard = self.shard(key);
        if let Some(known) = shard.young.get(key) {
            return Some(known.0.clone());
        }
        let known = shard.old.take(key)?;
        shard.put(known.clone(), self.half);
        Some(known.0)
    }

    pub(crate) fn put(&self, known: Arc<Known>) {
        let mut shard = self.shard(&known.key);
        shard.old.remove(&known.key);
        shard.put(ByKey(known), self.half);
    }

    pub(crate) fn forget(&self, key: &KeyHash) {
        let mut shard = self.shard(key);
        shard.young.remove(key);
        shard.old.remove(key);
    }

    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    pub(crate) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }
}

impl Shard {
    fn put(&mut self, known: ByKey, half: usize) {
        self.young.replace(known);
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

impl Known {
    pub(crate) fn new(tenant: TenantId, key: KeyHash, binding: Binding) -> Self {
        Self { tenant, key, binding, allowed: AtomicU32::new(0) }
    }

    /// Counts a use; `true` for the first since the last [`Known::take`].
    pub(crate) fn used(&self) -> bool {
        self.allowed.fetch_add(1, Relaxed) == 0
    }

    /// The uses that were counted, which begin anew.
    pub(crate) fn take(&self) -> u32 {
        self.allowed.swap(0, Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u64) -> Arc<Known> {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        key[31] = number.to_le_bytes()[0];
        Arc::new(Known::new(TenantId::DEFAULT, KeyHash(key), Binding::first_use("192.0.2.1/32".parse().unwrap())))
    }

    #[test]
    fn a_million_keys_seen_once_do_not_grow_it_and_do_not_drive_out_what_is_used() {
        let cache = Cache::new(10_000);
        let used = known(7);
        cache.put(used.clone());
        for number in 1_000..1_001_000 {
            cache.put(known(number));
            if number % 1_000 == 0 {
                assert!(cache.get(&used.key).is_some());
            }
        }
        assert!(cache.len() <= 10_000, "{}", cache.len());
    }

    #[test]
    fn what_is_forgotten_is_gone_and_what_is_put_again_is_new() {
        let cache = Cache::new(1_000);
        let first = known(1);
        cache.put(first.clone());
        let second = known(1);
        cache.put(second.clone());
        assert!(Arc::ptr_eq(&cache.get(&first.key).unwrap(), &second));
        cache.forget(&first.key);
        assert!(cache.get(&first.key).is_none());
        cache.put(first.clone());
        cache.clear();
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn uses_are_counted_until_they_are_taken() {
        let known = known(1);
        assert!(known.used());
        assert!(!known.used());
        assert_eq!((known.take(), known.take()), (2, 0));
    }
}
