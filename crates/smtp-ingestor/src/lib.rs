//! Port 25 to the queue: an SMTP server that only receives.
//!
//! It answers 250 after the mail is durable and never before, refuses nothing for its content, relays nothing,
//! and puts a limit on everything a client can make it hold or wait for.
//!
//! Reading order: `server` (who gets in), `session` (the conversation, a file per group of verbs), `command` and
//! `path` (what the client says), `reply` (what we say), `content` (where a message ends), `wire` (reading and
//! writing), `publish` (where the mail goes).

mod command;
mod content;
mod limits;
mod lockout;
mod meters;
mod path;
mod publish;
mod recipients;
mod reply;
mod server;
mod session;
mod tls;
mod users;
mod wire;

use tokio_util::sync::CancellationToken;
use watchbell_common::{
    binding::doors::{self, Guarded},
    shared::Shared,
    store::Store,
};

pub use crate::{
    lockout::Lockout,
    publish::Publish,
    server::{Listeners, bind, serve},
};

/// Takes mail to the intake queue until `stop`. Where users are bound to addresses, that is kept in `store`, or in one
/// that is opened for it.
pub async fn run(
    shared: Shared,
    store: Option<Store>,
    listeners: Listeners,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let drain = shared.drain();
    let lockout = Lockout::new(shared.queue.clone());
    let (guarded, beside) = Guarded::smtp_users(&shared)?.unzip();
    let ended = CancellationToken::new();
    let serving = async {
        let _ended = ended.clone().drop_guard();
        serve(publish::Intake(shared.queue), lockout, shared.clock, guarded, listeners, drain, stop.clone()).await
    };
    tokio::try_join!(serving, doors::run(beside, store, stop.clone(), ended.clone()))?;
    Ok(())
}
