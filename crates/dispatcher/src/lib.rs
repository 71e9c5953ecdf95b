//! Route, silence, deliver, retry, and keep what gave up.
