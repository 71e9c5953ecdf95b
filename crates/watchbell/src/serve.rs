//! `watchbell serve`: every service in one process.

use std::path::Path;

use metrics_exporter_prometheus::PrometheusHandle;
use watchbell_common::{
    binding::doors::Guarded,
    http,
    services::{Services, stop_on_signal},
    settings::Settings,
    shared::Shared,
};

use crate::{data_dir, output};

/// Starts everything and returns when it has stopped.
pub(crate) async fn run(settings: Settings, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let _lock = data_dir::lock(&settings.data.dir)?;
    data_dir::check_whole(&settings.data.dir)?;
    let stop = stop_on_signal()?;
    let shared = Shared::open(settings).await?;
    let prepared = watchbell_api_server::prepare(&shared).await?;
    let mail = watchbell_smtp_ingestor::bind(&shared.settings.smtp).await?;
    let web = http::bind(shared.settings.http.listen, "http.listen").await?;
    let gateway = match &shared.settings.gateway.upstream {
        Some(_) => Some(watchbell_key_gateway::bind(&shared.settings.gateway).await?),
        None => None,
    };
    let (mail_address, web_address) = (mail.address()?, web.local_addr()?);

    let set_up = prepared.set_up_link(&shared.settings, web_address);
    let set_up = set_up.map(|link| format!("\nSet it up, once, in a browser:\n\n  {link}\n")).unwrap_or_default();

    let mut services = Services::new(stop, shared.drain());
    shared.spawn_upkeep(&mut services, &metrics);
    let (store, slot) = (prepared.store(), watchbell_api_server::StoreSlot::default());
    let (guarded, beside) = Guarded::push_tokens(&shared)?.unzip();
    let router = watchbell_webhook_ingestor::router(shared.clone(), guarded)
        .merge(watchbell_api_server::router(&shared, &slot))
        .merge(shared.health_router(metrics));
    let settings = shared.settings.clone();
    services.spawn("http", |stop| async move { http::serve(web, router, &settings.http, stop).await });
    if let Some(beside) = beside {
        let store = Some(store.clone());
        services.spawn("bound push tokens", |stop| beside.run(store, stop.clone(), stop));
    }
    let of_mail = Some(store.clone());
    services.spawn("smtp-ingestor", |stop| watchbell_smtp_ingestor::run(shared.clone(), of_mail, mail, stop));
    services.spawn("alert-analyzer", |stop| watchbell_alert_analyzer::run(shared.clone(), stop));
    services.spawn("dispatcher", |stop| watchbell_dispatcher::run(shared.clone(), stop));
    let mut gateway_line = String::new();
    if let Some(listener) = gateway {
        gateway_line = format!("  gateway   http://{}\n", listener.local_addr()?);
        let (shared, store) = (shared.clone(), store.clone());
        services.spawn("key-gateway", |stop| watchbell_key_gateway::run(shared, Some(store), listener, stop));
    }
    services.spawn("api-server", |stop| watchbell_api_server::run(shared, Some(prepared), slot, stop));

    output::line(&format!(
        "watchbell is ready\n  mail      smtp://{mail_address}\n  webhooks  http://{web_address}/api/v1/push/<token>\n  health    http://{web_address}/readyz  metrics http://{web_address}/metrics\n{gateway_line}{set_up}\nSend it a sample alert from another terminal:\n\n  {} send-test --to {mail_address}\n",
        program(),
    ))?;
    let ended = services.wait().await;
    // After all of them: the last ones still write when others have stopped.
    store.close().await;
    ended
}

/// How this program can be called again from where it was started.
fn program() -> String {
    let path = std::env::current_exe().ok();
    let here = std::env::current_dir().ok();
    path.map_or_else(
        || "watchbell".to_owned(),
        |path| {
            here.and_then(|here| path.strip_prefix(here).map(Path::to_owned).ok()).unwrap_or(path).display().to_string()
        },
    )
}
