//! The `alert-analyzer` service. Reads its settings, then hands over to the library.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use watchbell_common::{
    services::{self, Services},
    settings::Settings,
    shared::Shared,
    telemetry,
};

/// Understands alerts: takes them from the intake queue, mutes or analyses them, and passes them to routing.
#[derive(Parser)]
#[command(name = "alert-analyzer", version)]
struct Flags {
    /// A settings file; `config.example.toml` lists what can stand in it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::load(Flags::parse().config.as_deref(), &[]).context("reading the settings")?;
    let _metrics = telemetry::start("alert-analyzer", &settings.log)?;
    let shared = Shared::open(settings).await?;
    let mut services = Services::new(services::stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services);
    services.spawn("alert-analyzer", |stop| watchbell_alert_analyzer::run(shared, stop));
    services.wait().await
}
