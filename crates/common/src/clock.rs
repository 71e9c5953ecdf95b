//! The only reader of the time. Everything that needs the hour takes a [`Clock`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Milliseconds since 1970-01-01T00:00:00Z, as they are kept on the queue and in the store.
pub type UnixMillis = i64;

/// A day without its leap seconds, which Unix time has none of.
pub const DAY_MS: UnixMillis = 24 * 60 * 60 * 1000;

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The wall clock. It may jump in either direction; whoever stores a time must survive that.
    fn now_ms(&self) -> UnixMillis;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
    fn now_ms(&self) -> UnixMillis {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// A clock that moves when a test says so.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Starts at `now_ms`.
    pub fn at(now_ms: UnixMillis) -> Self {
        Self(Arc::new(AtomicI64::new(now_ms)))
    }

    /// Moves forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Jumps to any time, also backwards.
    pub fn set(&self, now_ms: UnixMillis) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> UnixMillis {
        self.0.load(Ordering::SeqCst)
    }
}

/// Reads a time like `2027-01-31T18:00:00Z`, in any zone (RFC 3339).
///
/// # Errors
/// How to write it.
pub fn parse_time(text: &str) -> Result<UnixMillis, String> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| format!("`{text}` is not a time: write it like 2027-01-31T18:00:00Z"))
}

/// A time as RFC 3339 in UTC, with milliseconds. One that no calendar holds is shown as the first.
pub fn show_time(time: UnixMillis) -> String {
    let time = jiff::Timestamp::from_millisecond(time).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A duration in whole milliseconds; what does not fit (292 million years) becomes the largest value.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
