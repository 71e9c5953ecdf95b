//! The `dispatcher` service: opens what it needs, then hands over to the library.

use anyhow::Context as _;
use watchbell_common::{
    services::{Services, stop_on_signal},
    settings::Settings,
    shared::Shared,
    telemetry,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::load(None, &[]).context("reading the settings")?;
    telemetry::start("dispatcher", &settings.log)?;
    let shared = Shared::open(settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services);
    services.spawn("dispatcher", |stop| watchbell_dispatcher::run(shared, stop));
    services.wait().await
}
