//! A circuit breaker: a provider that fails is left alone for a while, so that alerts do not wait for it and it is
//! not hammered while it recovers. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row after which the circuit opens. One or two happen to every server.
const FAILURES_MAX: u32 = 3;

/// How long it stays open: doubles from the first to the second with each trial that fails.
const PAUSE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(5));

/// How long a rate limit that names no time is respected.
const LIMIT_PAUSE: Duration = Duration::from_secs(15);

/// The longest wait that a server can impose on us: a wrong `Retry-After` must not switch it off for a day.
const LIMIT_PAUSE_MAX: Duration = Duration::from_mins(30);

/// The state of one provider. Closed: calls pass. Open: none does. When the pause is over it is half open: one
/// call passes as a trial, the others only when a pause has gone by without its answer.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures: u32,
    pause: Duration,
    open_until: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 0, pause: PAUSE.0, open_until: None }
    }
}

impl Breaker {
    /// Whether no call would pass now. Unlike [`Breaker::admits`] it takes no trial.
    pub(crate) fn rests(&self, now: Instant) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }

    /// Whether a call may pass now.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        match self.open_until {
            Some(_) if self.rests(now) => false,
            Some(_) => {
                // A trial whose answer never comes (its caller was stopped) must not keep the circuit half open.
                self.open_until = Some(now + self.pause);
                true
            }
            None => true,
        }
    }

    /// The provider did what it should.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// It failed. True when the circuit has just opened.
    pub(crate) fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES_MAX {
            return false;
        }
        let first = self.failures == FAILURES_MAX;
        self.pause = if first { PAUSE.0 } else { (self.pause * 2).min(PAUSE.1) };
        self.open_until = Some(now + self.pause);
        first
    }

    /// It is limiting us, and said for how long or not.
    pub(crate) fn limited(&mut self, now: Instant, retry_after: Option<Duration>) {
        let pause = retry_after.unwrap_or(LIMIT_PAUSE).min(LIMIT_PAUSE_MAX);
        self.open_until = Some(now + pause).max(self.open_until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..10 {
            assert!(!breaker.failed(now));
            assert!(breaker.admits(now));
            breaker.succeeded();
        }
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.failed(now));
        assert!(!breaker.admits(now) && !breaker.admits(now + PAUSE.0 - Duration::from_millis(1)));
    }

    #[test]
    fn half_open_one_trial_passes_and_decides() {
        let (mut breaker, mut now) = (Breaker::default(), Instant::now());
        while !breaker.failed(now) {}
        now += PAUSE.0;
        assert!(breaker.admits(now));
        assert!(!breaker.admits(now), "one trial at a time");
        assert!(!breaker.failed(now), "it was open already");
        assert!(!breaker.admits(now + PAUSE.0), "the pause doubled");
        now += PAUSE.0 * 2;
        assert!(breaker.admits(now));
        breaker.succeeded();
        assert!(breaker.admits(now) && breaker.admits(now), "closed");
    }

    #[test]
    fn a_trial_without_an_answer_does_not_keep_it_half_open() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        while !breaker.failed(now) {}
        assert!(breaker.admits(now + PAUSE.0));
        assert!(breaker.admits(now + PAUSE.0 * 2));
    }

    #[test]
    fn a_rate_limit_opens_it_at_once_for_the_time_it_names() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        breaker.limited(now, Some(Duration::from_secs(40)));
        breaker.limited(now, None);
        assert!(!breaker.admits(now + Duration::from_secs(39)), "the longer wait stands");
        assert!(breaker.admits(now + Duration::from_secs(40)));
        breaker.succeeded();
        breaker.limited(now, None);
        assert!(!breaker.admits(now) && breaker.admits(now + LIMIT_PAUSE));
        breaker.succeeded();
        breaker.limited(now, Some(Duration::MAX));
        assert!(breaker.admits(now + LIMIT_PAUSE_MAX));
    }
}
