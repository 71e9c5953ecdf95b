//! `watchbell users`: who there is, and a way back in for whoever forgot a password.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use watchbell_common::{
    settings::Settings,
    shared::Shared,
    store::{Store, tenants, users},
};

use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the users of all tenants.
    List,
    /// Print a link with which a user chooses a new password, once.
    ResetPassword {
        /// The user's e-mail address.
        email: String,
    },
}

pub(crate) async fn run(command: Command, settings: Settings) -> anyhow::Result<()> {
    let store = Store::open(&settings.database.url, &settings.data.dir).await.context("opening the store")?;
    let done = match command {
        Command::List => list(&store).await,
        Command::ResetPassword { email } => reset_password(settings, &store, &email).await,
    };
    store.close().await;
    done
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let mut tx = store.begin_read().await?;
    for tenant in tenants::list(&mut tx).await? {
        for user in users::list(&mut tx, tenant.id).await? {
            let admin = if user.platform_admin { "  platform admin" } else { "" };
            let disabled = if user.disabled || tenant.disabled { "  disabled" } else { "" };
            output::line(&format!("{:<32} {:<7} {}{admin}{disabled}", user.email, user.role.as_str(), tenant.name))?;
        }
    }
    Ok(())
}

async fn reset_password(settings: Settings, store: &Store, email: &str) -> anyhow::Result<()> {
    let here = format!("http://{}", settings.http.listen);
    let base = settings.http.public_url.clone().unwrap_or(here);
    let shared = Shared::open(settings).await?;
    match watchbell_api_server::reset_link(&shared, store, email, &base).await? {
        Some(link) => output::line(&link),
        None => bail!("there is no user {email} (`watchbell users list` shows all)"),
    }
}
