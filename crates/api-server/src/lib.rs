//! The api-server: keeps the store and the queue in step, and shows the books.
//!
//! It records history (facts from the queue become rows), applies the provisioning file, publishes the
//! configuration for the other services, and exports the books and the depths of queues as metrics. No alert waits
//! for any of it: with the store stopped, mail still reaches its channel, and history catches up.

pub mod dashboard;
mod exporter;
mod outage;
mod provisioner;
mod recorder;

use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    provision::{Platform, PlatformField, Vocabulary},
    shared::Shared,
    store::{Store, StoreError},
};

use self::{outage::Outage, provisioner::Provisioner};

/// How long to wait before a store that is down is tried again, from the first to the longest pause.
const STORE_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// The store, with the configuration of this start applied and published.
pub struct Prepared {
    store: Store,
    provisioner: Provisioner,
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
    Ok(Prepared { store, provisioner })
}

/// Runs until `stop`. Without `prepared`, it waits for the store as long as it takes; everything that does not need
/// it goes on meanwhile.
pub async fn run(shared: Shared, prepared: Option<Prepared>, stop: CancellationToken) -> anyhow::Result<()> {
    let with_store = async {
        let prepared = match prepared {
            Some(prepared) => Some(prepared),
            None => prepare_patiently(&shared, &stop).await?,
        };
        let Some(Prepared { store, provisioner }) = prepared else { return Ok(()) };
        tokio::try_join!(recorder::run(shared.clone(), store.clone(), stop.clone()), provisioner.run(stop.clone()),)?;
        store.close().await;
        Ok(())
    };
    tokio::try_join!(exporter::run(shared.clone(), stop.clone()), with_store)?;
    Ok(())
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
            Err(error) if passes_by_itself(&error) => outage.note(&error),
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
