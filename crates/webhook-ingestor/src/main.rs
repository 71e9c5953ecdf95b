//! The `webhook-ingestor` service. Reads its settings, then hands over to the library.

use watchbell_common::{
    boot, http,
    services::{Services, stop_on_signal},
    shared::Shared,
};

fn main() -> anyhow::Result<()> {
    boot::on_runtime(run())
}

async fn run() -> anyhow::Result<()> {
    let boot = boot::start("webhook-ingestor", "Takes alerts over HTTP and puts them on the queue.")?;
    let listener = http::bind(boot.settings.http.listen, "http.listen").await?;
    let shared = Shared::open(boot.settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services, &boot.metrics);
    services.spawn("webhook-ingestor", |stop| watchbell_webhook_ingestor::run(shared, listener, boot.metrics, stop));
    services.wait().await
}
