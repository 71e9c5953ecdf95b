//! The `api-server` service. Reads its settings, then hands over to the library.

use watchbell_common::{
    boot, http,
    services::{Services, stop_on_signal},
    shared::Shared,
};

fn main() -> anyhow::Result<()> {
    boot::on_runtime(run())
}

async fn run() -> anyhow::Result<()> {
    let boot = boot::start("api-server", "Publishes the configuration, records history and shows the figures.")?;
    let listener = http::bind(boot.settings.http.api_listen, "http.api_listen").await?;
    let shared = Shared::open(boot.settings).await?;
    let mut services = Services::new(stop_on_signal()?, shared.drain());
    shared.spawn_upkeep(&mut services, &boot.metrics);
    let store = watchbell_api_server::StoreSlot::default();
    let router = watchbell_api_server::router(&shared, &store).merge(shared.health_router(boot.metrics));
    let settings = shared.settings.clone();
    services.spawn("http", |stop| async move { http::serve(listener, router, &settings.http, stop).await });
    services.spawn("api-server", |stop| watchbell_api_server::run(shared, None, store, stop));
    services.wait().await
}
