//! The `api-server` service. Reads its settings, then hands over to the library.

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
    let _metrics = telemetry::start("api-server", &settings.log)?;
    let shared = Shared::open(settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services);
    services.spawn("api-server", |stop| watchbell_api_server::run(shared, None, stop));
    services.wait().await
}
