//! What every Watchbell service shares.
//!
//! Reading order: [`alert`] (what an alert is), [`payload`] (what travels on the queue),
//! [`queue`] (the durable queue), [`config`] (channels, rules, mutes as a snapshot),
//! [`routing`] (the pure function), [`store`] (all SQL), [`settings`], then the small ones.

pub mod ai;
pub mod alert;
pub mod answers;
pub mod binding;
pub mod boot;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod fingerprint;
pub mod heartbeat;
pub mod http;
pub mod identity;
pub mod ids;
pub mod lockout;
pub mod outage;
pub mod outbound;
pub mod passwords;
pub mod payload;
pub mod provision;
pub mod queue;
pub mod routing;
pub mod services;
pub mod settings;
pub mod shared;
pub mod store;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
