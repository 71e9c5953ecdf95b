//! What the dialects share: JSON as senders write it, labels within limits, the words for severity and status.

pub(crate) mod json;
pub(crate) mod labels;
pub(crate) mod words;
