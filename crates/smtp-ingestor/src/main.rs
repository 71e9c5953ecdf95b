//! The `smtp-ingestor` service. Reads its settings, then hands over to the library.

use watchbell_common::{
    boot,
    services::{Services, stop_on_signal},
    shared::Shared,
};

fn main() -> anyhow::Result<()> {
    boot::on_runtime(run())
}

async fn run() -> anyhow::Result<()> {
    let boot = boot::start("smtp-ingestor", "Takes alert mail in and puts it on the queue.")?;
    let listeners = watchbell_smtp_ingestor::bind(&boot.settings.smtp).await?;
    let shared = Shared::open(boot.settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services, &boot.metrics);
    shared.spawn_health(&mut services, boot.metrics).await?;
    services.spawn("smtp-ingestor", |stop| watchbell_smtp_ingestor::run(shared, None, listeners, stop));
    services.wait().await
}
