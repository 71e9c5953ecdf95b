//! What is remembered beside the jobs: deduplication, counters, slots, notes, sums and the published configuration.

use std::time::Duration;

use bytes::Bytes;

use super::writer::Desk;
use crate::{
    clock::{UnixMillis, millis},
    queue::{COUNTER_TTL, Counter, Dedup, NOTE_TTL_MAX, Published, Slot},
};

/// A minute in the microseconds in which slots are counted: 60,000 slots a minute are one per millisecond.
const MINUTE_US: i64 = 60_000_000;

/// Announcements are notes whose names begin so; no other note of ours does.
const ANNOUNCED: &str = "announced:";

impl Desk {
    /// Whether the same variant was seen inside its window. If not, the window begins now.
    pub(super) fn is_repeat(&self, dedup: &Dedup, now: UnixMillis) -> rusqlite::Result<bool> {
        // A window that began in the future was opened before the clock jumped back: it begins anew.
        let seen = self.first(
            "SELECT 1 FROM dedup WHERE key = ?1 AND variant = ?2 AND began <= ?3 AND ends > ?3",
            (&dedup.key, &dedup.variant, now),
            |_| Ok(()),
        )?;
        if seen.is_none() {
            self.run(
                "INSERT INTO dedup VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE
                 SET variant = excluded.variant, began = excluded.began, ends = excluded.ends",
                (&dedup.key, &dedup.variant, now, now.saturating_add(millis(dedup.window))),
            )?;
        }
        Ok(seen.is_some())
    }

    /// Counts one more job: how many there are in this episode, and when it began.
    pub(super) fn count(&self, counter: &Counter, now: UnixMillis) -> rusqlite::Result<(u64, UnixMillis)> {
        let episode = self.first(
            "INSERT INTO counters VALUES (?1, 1, ?2, ?2, ?4) ON CONFLICT DO UPDATE
             SET n = iif(used < ?3 OR (closed AND NOT ?4), 1, n + 1),
                 since = iif(used < ?3 OR (closed AND NOT ?4), ?2, since),
                 used = excluded.used,
                 closed = ?4
             RETURNING n, since",
            (&counter.name, now, now.saturating_sub(millis(COUNTER_TTL)), counter.closes),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        episode.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// See [`Queue::take_slots`](crate::queue::Queue::take_slots).
    ///
    /// The generic cell rate algorithm: one number per key, the time when all its slots will be free again. Each taken
    /// slot moves it by one interval; it may be at most `burst` intervals ahead.
    pub(super) fn take_slots(&self, slots: &[Slot]) -> rusqlite::Result<Duration> {
        let now = self.now().saturating_mul(1_000);
        let mut longest = 0;
        let mut taken = Vec::with_capacity(slots.len());
        for slot in slots {
            let interval = MINUTE_US / i64::from(slot.per_minute);
            let ahead_max = interval * i64::from(slot.burst);
            let full = self.first("SELECT \"full\" FROM slots WHERE key = ?1", [&slot.key], |row| row.get(0))?;
            let told = full.map_or(0, |full: i64| full.saturating_sub(now).max(0));
            // Further ahead than the burst allows: the clock jumped back. The key is as good as just used up.
            let ahead = told.min(ahead_max);
            let taking = interval * i64::from(slot.count);
            longest = longest.max(ahead + taking + interval * i64::from(slot.reserve) - ahead_max);
            taken.push((&slot.key, told, ahead, taking));
        }
        for (key, told, ahead, taking) in taken {
            let ahead = if longest <= 0 { ahead + taking } else { ahead };
            if ahead != told {
                self.run(
                    "INSERT INTO slots VALUES (?1, ?2) ON CONFLICT DO UPDATE SET \"full\" = excluded.\"full\"",
                    (key, now.saturating_add(ahead)),
                )?;
            }
        }
        Ok(Duration::from_micros(longest.max(0).unsigned_abs()))
    }

    /// See [`Queue::recall`](crate::queue::Queue::recall).
    pub(super) fn recall(&self, key: &str) -> rusqlite::Result<Option<Bytes>> {
        self.first("SELECT value FROM notes WHERE key = ?1 AND ends > ?2", (key, self.now()), |row| {
            Ok(Bytes::copy_from_slice(row.get_ref(0)?.as_blob()?))
        })
    }

    /// See [`Queue::remember`](crate::queue::Queue::remember).
    pub(super) fn remember(&self, key: &str, value: &[u8], ttl: Duration) -> rusqlite::Result<()> {
        self.run(
            "INSERT INTO notes VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value, ends = excluded.ends",
            (key, value, self.note_ends(ttl)),
        )?;
        Ok(())
    }

    /// See [`Queue::announce`](crate::queue::Queue::announce).
    pub(super) fn announce(&self, name: &str, value: &[u8], ttl: Duration) -> rusqlite::Result<()> {
        self.remember(&format!("{ANNOUNCED}{name}"), value, ttl)
    }

    /// See [`Queue::announced`](crate::queue::Queue::announced).
    pub(super) fn announced(&self) -> rusqlite::Result<Vec<(String, Bytes)>> {
        self.all(
            "SELECT substr(key, 1 + length(?1)), value FROM notes
             WHERE key >= ?1 AND key < ?1 || char(0x10ffff) AND ends > ?2 ORDER BY key",
            (ANNOUNCED, self.now()),
            |row| Ok((row.get(0)?, Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?))),
        )
    }

    /// See [`Queue::add_up`](crate::queue::Queue::add_up).
    pub(super) fn add_up(&self, key: &str, by: i64, ttl: Duration) -> rusqlite::Result<u64> {
        let sum = if by > 0 {
            self.first(
                "INSERT INTO sums VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE
                 SET n = iif(ends <= ?4, 0, n) + ?2, ends = iif(ends <= ?4, excluded.ends, ends) RETURNING n",
                (key, by, self.note_ends(ttl), self.now()),
                |row| row.get(0),
            )?
        } else {
            self.first(
                "UPDATE sums SET n = max(n + ?2, 0) WHERE key = ?1 AND ends > ?3 RETURNING n",
                (key, by, self.now()),
                |row| row.get(0),
            )?
        };
        Ok(sum.unwrap_or(0))
    }

    fn note_ends(&self, ttl: Duration) -> UnixMillis {
        self.now().saturating_add(millis(ttl.min(NOTE_TTL_MAX)))
    }

    /// See [`Queue::publish_config`](crate::queue::Queue::publish_config).
    pub(super) fn publish_config(&self, config: &Published) -> rusqlite::Result<()> {
        self.run(
            "INSERT INTO config VALUES (1, ?1, ?2) ON CONFLICT DO UPDATE
             SET version = excluded.version, document = excluded.document WHERE excluded.version >= version",
            (config.version, &config.document[..]),
        )?;
        Ok(())
    }

    /// See [`Queue::config_newer`](crate::queue::Queue::config_newer).
    pub(super) fn config_newer(&self, than: i64) -> rusqlite::Result<Option<Published>> {
        self.first("SELECT version, document FROM config WHERE version > ?1", [than], |row| {
            Ok(Published { version: row.get(0)?, document: Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?) })
        })
    }
}
