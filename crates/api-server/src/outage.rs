//! One line when something stops working and one when it works again, instead of one per attempt.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Outage {
    what: &'static str,
    lasts: bool,
}

impl Outage {
    /// `what` is being tried, in the words of a log line: "opening the store".
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, lasts: false }
    }

    /// It failed, perhaps again.
    pub(crate) fn note(&mut self, error: &dyn fmt::Display) {
        if !self.lasts {
            self.lasts = true;
            tracing::warn!("{} does not work, trying again until it does: {error:#}", self.what);
        }
    }

    /// It worked.
    pub(crate) fn ended(&mut self) {
        if self.lasts {
            self.lasts = false;
            tracing::info!("{} works again", self.what);
        }
    }
}
