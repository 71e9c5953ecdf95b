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

/// A duration in whole milliseconds; what does not fit (292 million years) becomes the largest value.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A time as `YYYY-MM-DDTHH:MM:SSZ`, in whole seconds.
pub fn rfc3339(at: UnixMillis) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
