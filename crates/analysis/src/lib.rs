//! What an alert says: from a payload to an alert with its analysis, and what a language model adds to it.
//!
//! Stages, one file each, in the order in which an event passes them: [`decode`] (MIME, charsets, HTML; webhook
//! items), `mute`, `rules` (the deterministic analysis), `identity` (the fingerprint). Together they are [`analyse`],
//! a pure function. [`model`] asks a language model and bounds what its answer may change. Nothing here knows a queue
//! or a store: the analyzer runs it on what comes in, the API on what somebody wants to try out.

pub mod decode;
mod identity;
pub mod labelled;
pub mod model;
mod mute;
pub mod pasted;
mod rules;
mod stages;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use stages::{Analysed, analyse};
