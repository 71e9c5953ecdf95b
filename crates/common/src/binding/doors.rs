//! Our own doors: push tokens and SMTP users are bound to the address that first used them, as the gateway binds keys.
//!
//! Off unless `[binding]` says so. A known secret is decided in memory; the store is asked for others only.

use std::{net::IpAddr, sync::Arc};

use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;

use super::{
    gateway::Runtime,
    keeper::{Beside, Denied, Door, Follows, Keeper, Purpose, Secret},
    token::KeyHash,
};
use crate::{crypto::Vault, ids::TenantId, settings::Guarding, shared::Shared, store::Store};

/// The source of the alerts of both doors, in rules too.
pub const SOURCE: &str = "intake";

const PUSH_TOKENS: Door = Door {
    source: SOURCE,
    system: "webhook-ingestor",
    binds: "Push token",
    counter: "watchbell_webhook_interceptions_total",
};

const SMTP_USERS: Door =
    Door { source: SOURCE, system: "smtp-ingestor", binds: "SMTP user", counter: "watchbell_smtp_interceptions_total" };

/// Each process would bind in a file of its own.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("binding.push_tokens and binding.smtp_users need database.url where services share a queue")]
pub struct NoSharedStore;

/// A door whose secrets are bound.
pub struct Guarded {
    keeper: Arc<Keeper>,
    vault: Arc<Vault>,
    /// Sets its secrets apart from those of the other doors.
    kind: &'static str,
}

/// Runs what has to run beside a door, if it binds anything: see [`Beside::run`].
///
/// # Errors
/// As there.
pub async fn run(
    beside: Option<Beside>,
    store: Option<Store>,
    stop: CancellationToken,
    ended: CancellationToken,
) -> anyhow::Result<()> {
    match beside {
        Some(beside) => beside.run(store, stop, ended).await,
        None => Ok(()),
    }
}

/// What is used at a door.
pub struct Entry<'a> {
    pub tenant: TenantId,
    /// A push token, or the name of a user.
    pub secret: &'a str,
    /// As people may see it.
    pub masked: &'a (dyn Fn() -> String + Sync),
    pub purpose: Purpose<'a>,
}

impl Guarded {
    /// The door of push tokens and what has to run beside it, if they are bound.
    ///
    /// # Errors
    /// [`NoSharedStore`].
    pub fn push_tokens(shared: &Shared) -> Result<Option<(Self, Beside)>, NoSharedStore> {
        Self::new(shared, PUSH_TOKENS, "push", shared.settings.binding.push_tokens)
    }

    /// The door of SMTP users and what has to run beside it, if they are bound.
    ///
    /// # Errors
    /// [`NoSharedStore`].
    pub fn smtp_users(shared: &Shared) -> Result<Option<(Self, Beside)>, NoSharedStore> {
        Self::new(shared, SMTP_USERS, "smtp", shared.settings.binding.smtp_users)
    }

    fn new(
        shared: &Shared,
        door: Door,
        kind: &'static str,
        guarding: Guarding,
    ) -> Result<Option<(Self, Beside)>, NoSharedStore> {
        let Some(stance) = guarding.stance() else { return Ok(None) };
        if !shared.settings.embedded() && shared.settings.database.url.expose_secret() == "sqlite" {
            return Err(NoSharedStore);
        }
        let binding = &shared.settings.binding;
        let rules = Runtime {
            mode: Some(stance),
            learn_until: Some(binding.learn_until_ms()),
            fail_mode: Some(binding.fail_mode),
            ..Runtime::default()
        };
        let config = shared.config.clone();
        let tenants = move || config.load().tenants.keys().copied().collect();
        let (keeper, beside) = Keeper::new(shared, door, Follows::Only(rules), tenants);
        Ok(Some((Self { keeper, vault: shared.vault.clone(), kind }, beside)))
    }

    /// Whether this may be used from an address; its first use binds it.
    ///
    /// # Errors
    /// Why it may not.
    pub async fn check(&self, entry: &Entry<'_>, client: IpAddr) -> Result<(), Denied> {
        let secret = Secret { tenant: entry.tenant, key: self.key(entry.secret), masked: entry.masked };
        self.keeper.check(&secret, client, &entry.purpose).await
    }

    fn key(&self, secret: &str) -> KeyHash {
        let hash = self.vault.hash(&format!("{}:{secret}", self.kind));
        hash.parse().expect("a keyed hash has 64 hexadecimal digits")
    }
}
