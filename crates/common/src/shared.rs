//! What every service gets: settings, clock, queue, vault and the configuration snapshot.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Clock, SystemClock},
    config::ConfigCell,
    crypto::Vault,
    heartbeat, http,
    queue::{self, Queue, worker::run_tender},
    services::Services,
    settings::Settings,
};

/// How often a starting service looks whether the first configuration has arrived.
const CONFIGURED_POLL: Duration = Duration::from_millis(20);

/// Cheap to clone; every service of a process holds one.
#[derive(Clone)]
pub struct Shared {
    pub settings: Arc<Settings>,
    pub clock: Arc<dyn Clock>,
    pub queue: Arc<dyn Queue>,
    pub vault: Arc<Vault>,
    pub config: Arc<ConfigCell>,
}

impl Shared {
    /// Opens the key and the queue, and takes the configuration that is published there, if any.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let vault = Arc::new(open_vault(&settings)?);
        let queue = queue::connect(&settings, clock.clone()).await.context("opening the queue")?;
        let config = Arc::new(ConfigCell::default());
        config.refresh(&*queue, &vault).await.context("reading the published configuration")?;
        Ok(Self { settings: Arc::new(settings), clock, queue, vault, config })
    }

    /// Starts what every process needs beside its services: it follows the configuration, tends the queue, says that it
    /// is there, and keeps the memory of its metrics bounded.
    pub fn spawn_upkeep(&self, services: &mut Services, metrics: &PrometheusHandle) {
        let shared = self.clone();
        services.spawn("configuration", |stop| shared.config.follow(shared.queue, shared.vault, stop));
        let queue = self.queue.clone();
        services.spawn("queue tender", |stop| run_tender(queue, stop));
        let (queue, clock) = (self.queue.clone(), self.clock.clone());
        services.spawn("heartbeat", |stop| heartbeat::run(queue, clock, stop));
        let metrics = metrics.clone();
        services.spawn("metrics", |stop| http::upkeep(metrics, stop));
    }

    /// Answers health checks on `http.health_listen`, if it is set: for the services that have no HTTP of their own.
    pub async fn spawn_health(&self, services: &mut Services, metrics: PrometheusHandle) -> anyhow::Result<()> {
        let Some(address) = self.settings.http.health_listen else { return Ok(()) };
        let listener = http::bind(address, "http.health_listen").await?;
        let router = self.health_router(metrics);
        let settings = self.settings.clone();
        services.spawn("health", |stop| async move { http::serve(listener, router, &settings.http, stop).await });
        Ok(())
    }

    /// `/healthz`, `/readyz` and `/metrics` of this process.
    pub fn health_router(&self, metrics: PrometheusHandle) -> axum::Router {
        let shared = self.clone();
        http::health_router(move || shared.clone().ready(), metrics)
    }

    /// Whether this process can take work, or why not: it has a configuration, and the queue answers.
    pub async fn ready(self) -> Result<(), String> {
        if !self.config.published() {
            return Err("no configuration was published yet: is the api-server running?".to_owned());
        }
        self.queue.ping().await.map_err(|error| error.to_string())
    }

    /// Waits until a configuration was published, or `stop`: true when there is one. Whoever reads channels or rules
    /// waits for this first; a service that starts before the first configuration must not call its alerts unrouted.
    pub async fn configured(&self, stop: &CancellationToken) -> bool {
        while !self.config.published() {
            if stop.run_until_cancelled(tokio::time::sleep(CONFIGURED_POLL)).await.is_none() {
                return false;
            }
        }
        true
    }

    /// The drain limit, for [`Services::new`].
    pub fn drain(&self) -> Duration {
        self.settings.stop.drain
    }
}

/// The keys of an installation: those of the settings, or those of the key file in the data folder.
///
/// # Errors
/// Name the setting or the file.
pub fn open_vault(settings: &Settings) -> anyhow::Result<Vault> {
    let security = &settings.security;
    if !security.master_key.expose_secret().is_empty() {
        return Vault::from_keys(&security.master_key, &security.old_keys, &security.hash_key)
            .context("security.master_key, old_keys and hash_key");
    }
    if !settings.embedded() {
        bail!("security.master_key must be set where services share a queue (`openssl rand -base64 32` makes one)");
    }
    Vault::from_data_dir(&settings.data.dir)
}
