//! The api-server: the admin API, the dashboard, and what keeps the store and the queue in step.
//!
//! It answers the admin API ([`router`]), records history (facts from the queue become rows), applies the provisioning file, publishes the
//! configuration for the other services, and exports the books and the depths of queues as metrics. No alert waits
//! for any of it: with the store stopped, mail still reaches its channel, and history catches up.

mod api;
mod dashboard;
mod exporter;
mod janitor;
mod keeper;
mod provisioner;
mod publisher;
mod recorder;
mod seen;

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    outage::Outage,
    provision::{Platform, PlatformField, Vocabulary},
    settings::Settings,
    shared::Shared,
    store::{Store, StoreError},
};

use self::{provisioner::Provisioner, seen::Seen};

/// How long to wait before a store that is down is tried again, from the first to the longest pause.
const STORE_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// The store, with the configuration of this start applied and published.
pub struct Prepared {
    store: Store,
    provisioner: Provisioner,
    /// Makes the first user.
    set_up: Option<SecretString>,
}

impl Prepared {
    /// The link that makes the first user, as long as there is none: where people reach the dashboard, which is
    /// `http.public_url` or `address`.
    pub fn set_up_link(&self, settings: &Settings, address: SocketAddr) -> Option<String> {
        let here = || format!("http://{address}");
        let base = settings.http.public_url.clone().unwrap_or_else(here);
        // Behind `#`, where it reaches no server and so no log.
        self.set_up.as_ref().map(|token| format!("{}/setup#{}", base.trim_end_matches('/'), token.expose_secret()))
    }
}

/// Where the store will be. The API answers from the first moment, 503 while there is none.
#[derive(Debug, Clone, Default)]
pub struct StoreSlot(Arc<Slot>);

#[derive(Debug, Default)]
struct Slot {
    store: OnceLock<Store>,
    seen: Seen,
}

impl StoreSlot {
    /// The store, once it was opened.
    pub(crate) fn get(&self) -> Option<&Store> {
        self.0.store.get()
    }

    /// What requests note and [`janitor`] writes.
    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }

    fn fill(&self, store: &Store) {
        self.0.store.get_or_init(|| store.clone());
    }
}

/// The admin API and the dashboard, to be served by [`watchbell_common::http::serve`] and merged with whatever else the process answers.
pub fn router(shared: &Shared, store: &StoreSlot) -> axum::Router {
    api::router(shared.clone(), store.clone()).merge(dashboard::router())
}

/// A link with which the user of that address chooses a new password, once; `base` is where people reach the
/// dashboard. For whoever runs the machine. `None`: there is no such user.
///
/// # Errors
/// The store's.
pub async fn reset_link(shared: &Shared, store: &Store, email: &str, base: &str) -> Result<Option<String>, StoreError> {
    api::reset_link(shared, store, email, base).await
}

/// The OpenAPI document of [`router`], as it is committed.
pub fn openapi() -> String {
    api::document()
}

impl Prepared {
    /// The store, for others in this process: SQLite has one connection per process.
    pub fn store(&self) -> Store {
        self.store.clone()
    }
}

/// Opens the store, applies the provisioning file, publishes the configuration and takes it into `shared`, so that
/// a process that calls this first has its channels before it says that it is ready.
///
/// # Errors
/// The store's; or every problem of the provisioning file, when there is no earlier configuration to go on with.
pub async fn prepare(shared: &Shared) -> anyhow::Result<Prepared> {
    let settings = &shared.settings;
    let store = Store::open(&settings.database.url, &settings.data.dir).await.context("opening the store")?;
    let database = store.version().await.context("asking the store for its version")?;
    tracing::info!("the store is {database}");
    let mut provisioner = Provisioner::new(shared.clone(), store.clone());
    provisioner.start().await?;
    shared.config.refresh(&*shared.queue, &shared.vault).await.context("reading the published configuration")?;
    let set_up = api::prepare(shared, &store).await.context("making the first user")?;
    Ok(Prepared { store, provisioner, set_up })
}

/// Runs until `stop`. Without `prepared`, it waits for the store as long as it takes; everything that does not need
/// it goes on meanwhile. A store that came with `prepared` stays open: others in this process may still write.
pub async fn run(
    shared: Shared,
    prepared: Option<Prepared>,
    slot: StoreSlot,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let ours = prepared.is_none();
    let with_store = async {
        let prepared = if prepared.is_some() {
            prepared
        } else {
            let prepared = prepare_patiently(&shared, &stop).await?;
            announce(&shared, prepared.as_ref());
            prepared
        };
        let Some(Prepared { store, provisioner, .. }) = prepared else { return Ok(()) };
        slot.fill(&store);
        tokio::try_join!(
            recorder::run(shared.clone(), store.clone(), stop.clone()),
            janitor::run(shared.clone(), store.clone(), slot, stop.clone()),
            keeper::run(shared.clone(), store.clone(), stop.clone()),
            provisioner.run(stop.clone()),
        )?;
        if ours {
            store.close().await;
        }
        Ok(())
    };
    tokio::try_join!(exporter::run(shared.clone(), stop.clone()), with_store)?;
    Ok(())
}

/// Prints the link that makes the first user. Not into the log, which others read.
fn announce(shared: &Shared, prepared: Option<&Prepared>) {
    let settings = &shared.settings;
    let Some(link) = prepared.and_then(|prepared| prepared.set_up_link(settings, settings.http.api_listen)) else {
        return;
    };
    if let Err(error) = writeln!(io::stdout(), "set it up, once, in a browser: {link}") {
        tracing::warn!("the link to set it up could not be printed: {error}");
    }
}

/// Prepares as soon as store and queue are there; `None` when stopped before.
async fn prepare_patiently(shared: &Shared, stop: &CancellationToken) -> anyhow::Result<Option<Prepared>> {
    let mut outage = Outage::new("opening the store");
    let mut pause = STORE_PAUSE.0;
    loop {
        let Some(answer) = stop.run_until_cancelled(prepare(shared)).await else { return Ok(None) };
        match answer {
            Ok(prepared) => {
                outage.ended();
                return Ok(Some(prepared));
            }
            Err(error) if passes_by_itself(&error) => outage.failed(&error),
            Err(error) => return Err(error),
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return Ok(None);
        }
        pause = (pause * 2).min(STORE_PAUSE.1);
    }
}

fn passes_by_itself(error: &anyhow::Error) -> bool {
    let store = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>());
    let queue = error.chain().any(<dyn std::error::Error>::is::<watchbell_common::queue::QueueError>);
    store.is_some_and(StoreError::is_transient) || queue
}

/// What a provisioning file can say: the platforms that there are channels for, templates as they are
/// rendered, channels as they are sent through.
pub fn vocabulary() -> Vocabulary {
    let field = |field: &watchbell_channels::Field| PlatformField {
        name: field.name.to_owned(),
        required: field.required,
        secret: field.secret,
    };
    let platform = |kind: &&watchbell_channels::ChannelKind| {
        let (target, options): (Vec<_>, Vec<_>) = kind.fields.iter().partition(|field| field.name == "target");
        Platform {
            name: kind.id.to_owned(),
            credentials: kind.bot.iter().map(field).collect(),
            options: options.into_iter().chain(watchbell_channels::COMMON).map(field).collect(),
            needs_target: target.iter().any(|target| target.required),
        }
    };
    Vocabulary {
        platforms: watchbell_channels::ALL.iter().map(platform).collect(),
        option: watchbell_channels::check_option,
        template: watchbell_channels::check_template,
        condition: watchbell_channels::check_condition,
        channel: watchbell_channels::check_channel,
    }
}
