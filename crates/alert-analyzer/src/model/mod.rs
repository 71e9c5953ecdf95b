//! Fifth stage: the language model beside the rules.
//!
//! The order of things is fixed by two promises: no alert waits for the model longer than its route asks, and the
//! model hides nothing. So the rules' analysis is always there first, and what the model may change is bounded by
//! [`merge`]: raise the severity, add words; never the status, the fingerprint, or a lower severity.
//!
//! From the outside in: `desk` decides whether an alert is asked about and what becomes of its answer, `cache` and
//! `budget` keep calls from being made, [`Models`] asks one `provider` after the other, `protocol` speaks to servers
//! and `exchange` moves the bytes. [`merge`], `prompt`, `mask`, `answer` and `breaker` are pure.

mod answer;
mod bounds;
mod breaker;
mod budget;
mod cache;
mod desk;
mod exchange;
mod mask;
mod models;
mod prompt;
mod protocol;
mod provider;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::ops::AddAssign;

pub(crate) use self::desk::{Attended, Desk};
pub use self::{
    answer::Answer,
    bounds::merge,
    exchange::Failure,
    models::{Models, Reply},
    prompt::PROMPT_VERSION,
};

/// Tokens of one or more calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

impl Usage {
    /// Both together.
    pub const fn total(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
    }
}
