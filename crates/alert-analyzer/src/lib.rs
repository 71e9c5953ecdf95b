//! Mute, deduplicate, understand: from what was received to what is routed.
