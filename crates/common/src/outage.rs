//! One line when something stops working and one when it works again, instead of one per attempt.

use std::fmt;

use tokio::time::Instant;

/// What is tried again and again, and whether it works at present.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    since: Option<Instant>,
}

impl Outage {
    /// `what` is being tried, in the words of a log line: "opening the store".
    pub const fn new(what: &'static str) -> Self {
        Self { what, since: None }
    }

    /// Whether the last attempt failed.
    pub const fn lasts(&self) -> bool {
        self.since.is_some()
    }

    /// Takes note of what an attempt came to.
    pub fn note<T, E: fmt::Display>(&mut self, answer: &Result<T, E>) {
        match answer {
            Ok(_) => self.ended(),
            Err(error) => self.failed(error),
        }
    }

    /// It failed, perhaps again.
    pub fn failed(&mut self, error: &dyn fmt::Display) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!("{} does not work, trying again until it does: {error:#}", self.what);
        }
    }

    /// It worked.
    pub fn ended(&mut self) {
        if let Some(since) = self.since.take() {
            tracing::info!(outage.secs = since.elapsed().as_secs(), "{} works again", self.what);
        }
    }
}
