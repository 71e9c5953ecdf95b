//! The language model beside the rules.
//!
//! It is asked about an alert that the rules understood, and what it may change is bounded by [`merge`]: raise the
//! severity, add words; never the status, the fingerprint, or a lower severity.
//!
//! From the outside in: [`Roster`] knows the models of all tenants, [`Models`] asks one `provider` after the other,
//! `protocol` speaks to servers and `exchange` moves the bytes. [`merge`], `prompt`, `mask`, `answer` and `breaker`
//! are pure.

mod answer;
mod bounds;
mod breaker;
mod exchange;
mod mask;
mod models;
mod prompt;
mod protocol;
mod provider;
#[cfg(test)]
mod tests;
mod trial;

use std::{ops::AddAssign, sync::LazyLock};

pub use self::{
    answer::Answer,
    bounds::merge,
    exchange::Failure,
    models::{Models, Reply, Roster},
    prompt::PROMPT_VERSION,
    protocol::Format,
    trial::Trial,
};

/// Compiles the patterns of prompts and answers. The first call would do it otherwise, and some ten milliseconds long
/// the alerts beside it would have a processor less.
pub fn prepare() {
    LazyLock::force(&mask::COMPILED);
    LazyLock::force(&bounds::PRESSABLE);
}

/// Tokens of one or more calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
    }
}
