//! `watchbell keys`: which master keys there are, and changing them while the services run.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use secrecy::ExposeSecret as _;
use watchbell_common::{
    clock::{Clock as _, SystemClock},
    crypto::Vault,
    settings::Settings,
    shared::open_vault,
    store::{Store, sealed},
};

use crate::output;

/// What to do where people hold the keys. `watchbell keys rotate` prints it when there is nothing to seal anew.
const IN_SETTINGS: &str = "\
Everything is sealed with the active key. The settings hold it, so a new one is made there:
  1. make one:                 openssl rand -base64 32
  2. of every service, set     security.old_keys    to the present security.master_key and what old_keys holds
                               security.master_key  to the new one
  3. restart the services, one after the other
  4. run                       watchbell keys rotate
  5. to remove an old key: set security.hash_key    to what `watchbell keys hash-key` prints, then empty old_keys";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the keys, the active one first, and how many stored secrets each of them seals.
    List,
    /// Seal every stored secret with a new key. Services need no restart; when it is cut off, run it again.
    #[command(after_help = "Where security.master_key is set, it says how to change the settings, and then seals anew.
Old keys stay and open what they sealed, backups among it.")]
    Rotate,
    /// Print the key of hashes, for the setting that holds it. It is a secret.
    HashKey,
}

pub(crate) async fn run(command: Command, settings: Settings) -> anyhow::Result<()> {
    let vault = open_vault(&settings)?;
    match command {
        Command::HashKey => output::line(vault.hash_key().expose_secret()),
        Command::List => list(&vault, &open_store(&settings).await?).await,
        Command::Rotate => rotate(&vault, &open_store(&settings).await?).await,
    }
}

async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    Store::open(&settings.database.url, &settings.data.dir).await.context("opening the store")
}

async fn list(vault: &Vault, store: &Store) -> anyhow::Result<()> {
    let mut uses = sealed::keys_in_use(store).await?;
    for (position, id) in vault.key_ids().iter().enumerate() {
        let state = if position == 0 { "active" } else { "old" };
        output::line(&format!("{id}  {state:<8} seals {}", uses.remove(id).unwrap_or_default()))?;
    }
    for (id, count) in uses {
        output::line(&format!("{id}  missing  seals {count}"))?;
    }
    Ok(())
}

async fn rotate(vault: &Vault, store: &Store) -> anyhow::Result<()> {
    let active = vault.key_ids().swap_remove(0);
    let uses = sealed::keys_in_use(store).await?;
    if uses.keys().any(|key| *key != active) {
        output::line(&format!("sealing with {active} what other keys still seal"))?;
    } else if vault.has_file() {
        vault.add_key()?;
        output::line(&format!("made a new key, {}", vault.key_ids().swap_remove(0)))?;
    } else {
        return output::line(IN_SETTINGS);
    }
    let done = sealed::reseal(store, vault, SystemClock.now_ms()).await?;
    output::line(&format!("sealed {} secrets anew", done.values))?;
    if !done.unreadable.is_empty() {
        bail!("{} secrets were left as they are:\n{}", done.unreadable.len(), done.unreadable.join("\n"));
    }
    Ok(())
}
