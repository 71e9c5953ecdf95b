//! `watchbell import`: what another program kept, taken over.

mod pulseguard;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{
    clock::{Clock as _, SystemClock},
    ids::TenantId,
    settings::Settings,
    store::{Store, sentinel},
};

use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The bindings of a Key-IP Sentinel. Its secret must be the gateway's, so that they match:
    /// docs/guide/key-gateway.md.
    KeyIpSentinel {
        /// Its database: <postgres://user:password@host/name>.
        url: SecretString,
    },
    #[command(
        about = "A PulseGuard: people, bots, templates, channels with their push tokens, and its history",
        after_help = pulseguard::HELP
    )]
    Pulseguard(pulseguard::Options),
}

pub(crate) async fn run(command: Command, settings: &Settings) -> anyhow::Result<()> {
    match command {
        Command::KeyIpSentinel { url } => key_ip_sentinel(&url, settings).await,
        Command::Pulseguard(options) => pulseguard::run(&options, settings).await,
    }
}

async fn key_ip_sentinel(url: &SecretString, settings: &Settings) -> anyhow::Result<()> {
    if settings.gateway.hmac_secret.expose_secret().is_empty() {
        bail!("gateway.hmac_secret is not set: it must be SENTINEL_HMAC_SECRET, or no binding matches its key");
    }
    let store = Store::open(&settings.database.url, &settings.data.dir).await.context("opening the store")?;
    let tenant = TenantId(settings.gateway.tenant);
    let imported = sentinel::import(&store, tenant, url, SystemClock.now_ms()).await;
    let imported = imported.context("reading the bindings of Key-IP Sentinel")?;
    store.close().await;
    for problem in &imported.problems {
        output::line(&format!("left out: {problem}"))?;
    }
    output::line(&format!(
        "{} bindings added, {} were there already, {} could not be read",
        imported.added, imported.present, imported.unreadable
    ))
}
