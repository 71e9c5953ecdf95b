//! The `key-gateway` service. Reads its settings, then hands over to the library.

use watchbell_common::{
    boot,
    services::{Services, stop_on_signal},
    shared::Shared,
};

fn main() -> anyhow::Result<()> {
    boot::on_runtime(run())
}

async fn run() -> anyhow::Result<()> {
    let boot = boot::start("key-gateway", "Passes requests on to a model service and binds keys to addresses.")?;
    let listener = watchbell_key_gateway::bind(&boot.settings.gateway).await?;
    let shared = Shared::open(boot.settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services, &boot.metrics);
    shared.spawn_health(&mut services, boot.metrics).await?;
    services.spawn("key-gateway", |stop| watchbell_key_gateway::run(shared, None, listener, stop));
    services.wait().await
}
