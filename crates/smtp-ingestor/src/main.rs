//! The `smtp-ingestor` service. Reads its settings, then hands over to the library.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use watchbell_common::{
    services::{Services, stop_on_signal},
    settings::Settings,
    shared::Shared,
    telemetry,
};

/// Takes alert mail in and puts it on the queue.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings file; config.example.toml describes every setting.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::load(Arguments::parse().config.as_deref(), &[]).context("reading the settings")?;
    let _metrics = telemetry::start("smtp-ingestor", &settings.log)?;
    let listeners = watchbell_smtp_ingestor::bind(&settings.smtp).await?;
    let shared = Shared::open(settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services);
    // Health and metrics on `http.health_listen` are spawned here, with `_metrics` as what they show.
    services.spawn("smtp-ingestor", |stop| watchbell_smtp_ingestor::run(shared, listeners, stop));
    services.wait().await
}
