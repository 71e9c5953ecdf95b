//! The `webhook-ingestor` service. Reads its settings, then hands over to the library.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use watchbell_common::{
    http,
    services::{Services, stop_on_signal},
    settings::Settings,
    shared::Shared,
    telemetry,
};

/// Takes alerts over HTTP and puts them on the queue.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// A settings file; config.example.toml lists what it may hold.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let settings = Settings::load(args.config.as_deref(), &[]).context("reading settings")?;
    let metrics = telemetry::start("webhook-ingestor", &settings.log)?;
    let listener = http::bind(settings.http.listen, "http.listen").await?;
    let shared = Shared::open(settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services);
    services.spawn("webhook-ingestor", |stop| watchbell_webhook_ingestor::run(shared, listener, metrics, stop));
    services.wait().await
}
