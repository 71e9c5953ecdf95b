//! What every Watchbell service shares.
//!
//! Reading order: [`alert`] (what an alert is), [`payload`] (what travels on the queue),
//! [`queue`] (the durable queue), [`config`] (channels, rules, mutes as a snapshot),
//! [`routing`] (the pure function), [`store`] (all SQL), [`settings`], then the small ones.

pub mod alert;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod fingerprint;
pub mod ids;
pub mod outbound;
pub mod payload;
pub mod queue;
pub mod routing;
pub mod services;
pub mod settings;
pub mod shared;
pub mod telemetry;
