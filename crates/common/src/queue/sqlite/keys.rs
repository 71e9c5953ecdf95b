//! What is remembered beside the jobs: deduplication, counters, slots and the published configuration.

use std::time::Duration;

use bytes::Bytes;

use super::{
    push::check_name,
    writer::{Desk, Fault},
};
use crate::{
    clock::{UnixMillis, millis},
    queue::{COUNTER_TTL, Dedup, Published, QueueError},
};

/// A minute in the microseconds in which slots are counted: 60,000 slots a minute are one per millisecond.
const MINUTE_US: i64 = 60_000_000;

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

    /// Counts one more of this name.
    pub(super) fn count(&self, counter: &str, now: UnixMillis) -> rusqlite::Result<u64> {
        let n = self.first(
            "INSERT INTO counters VALUES (?1, 1, ?2) ON CONFLICT DO UPDATE
             SET n = iif(used < ?3, 1, n + 1), used = excluded.used
             RETURNING n",
            (counter, now, now.saturating_sub(millis(COUNTER_TTL))),
            |row| row.get(0),
        )?;
        n.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// See [`Queue::take_slot`](crate::queue::Queue::take_slot).
    ///
    /// The generic cell rate algorithm: one number per key, the time when all its slots will be free again. Each taken
    /// slot moves it by one interval; it may be at most `per_minute` intervals ahead.
    pub(super) fn take_slot(&self, key: &str, per_minute: u32) -> Result<Duration, Fault> {
        check_name(key, "the slot's key is longer than 64 bytes")?;
        let interval = MINUTE_US
            .checked_div(i64::from(per_minute))
            .ok_or(QueueError::BadJob("a rate of no slots per minute never has one"))?;
        let now = self.now().saturating_mul(1_000);
        let ahead_max = interval * i64::from(per_minute);
        let full = self.first("SELECT \"full\" FROM slots WHERE key = ?1", [key], |row| row.get(0))?;
        let told = full.map_or(0, |full: i64| full.saturating_sub(now).max(0));
        // Further ahead than the burst allows: the clock jumped back. The key is as good as just used up.
        let ahead = told.min(ahead_max);
        let wait = (ahead + interval - ahead_max).max(0);
        let taken = if wait == 0 { interval } else { 0 };
        if ahead + taken != told {
            self.run(
                "INSERT INTO slots VALUES (?1, ?2) ON CONFLICT DO UPDATE SET \"full\" = excluded.\"full\"",
                (key, now.saturating_add(ahead + taken)),
            )?;
        }
        Ok(Duration::from_micros(wait.unsigned_abs()))
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
