//! The `alert-analyzer` service. Reads its settings, then hands over to the library.

use watchbell_common::{
    boot,
    services::{Services, stop_on_signal},
    shared::Shared,
};

fn main() -> anyhow::Result<()> {
    boot::on_runtime(run())
}

async fn run() -> anyhow::Result<()> {
    let boot = boot::start("alert-analyzer", "Mutes, decodes and understands what was received.")?;
    let shared = Shared::open(boot.settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services, &boot.metrics);
    shared.spawn_health(&mut services, boot.metrics).await?;
    services.spawn("alert-analyzer", |stop| watchbell_alert_analyzer::run(shared, stop));
    services.wait().await
}
