//! Where alerts come from: who sent lately, and where senders reach this installation.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::DAY_MS,
    http::ApiError,
    store::senders::{self, Sender},
};

use super::{Shelf, body::Params, caller::Viewer, channels::base_url, errors::Common, paging::Items, time::Time};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_senders)).routes(routes!(doors))
}

/// How far back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Days {
    /// 1 to 30, 7 when absent.
    #[param(minimum = 1, maximum = 30)]
    days: Option<i64>,
}

/// Somebody who sent events.
#[derive(Debug, Serialize, ToSchema)]
struct SenderView {
    /// The intake: `mail`, `push`, `alertmanager` …
    #[schema(example = "mail")]
    source: String,
    /// The addresses that the events themselves name.
    from: Vec<String>,
    /// The network address.
    peer: Option<String>,
    count: i64,
    last_seen: Time,
}

impl From<Sender> for SenderView {
    fn from(sender: Sender) -> Self {
        let Sender { source, from, peer, count, last_at } = sender;
        Self { source, from, peer, count, last_seen: Time(last_at) }
    }
}

/// Who sent in the last days, most events first
///
/// At most 200, counted over the latest 10,000 events.
#[utoipa::path(
    get, path = "/api/v1/senders", tag = "events", params(Days), extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<SenderView>), Common)
)]
async fn list_senders(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(Days { days }): Params<Days>,
) -> Result<Json<Items<SenderView>>, ApiError> {
    let days = days.unwrap_or(7);
    if !(1..=30).contains(&days) {
        return Err(ApiError::validation("days: must be 1 to 30"));
    }
    let since = api.shared.clock.now_ms() - days * DAY_MS;
    let found = senders::list(&mut *api.read().await?, caller.tenant, since).await?;
    Ok(Json(Items { items: found.into_iter().map(SenderView::from).collect() }))
}

/// Where senders reach this installation.
#[derive(Debug, Serialize, ToSchema)]
struct DoorsView {
    /// What the paths of pushes and webhooks stand behind.
    #[schema(example = "https://watchbell.example.org")]
    http: String,
    mail: MailDoor,
}

/// Where mail goes.
#[derive(Debug, Serialize, ToSchema)]
struct MailDoor {
    /// Absent where mail is taken on every address of the machine.
    #[schema(example = "192.0.2.25")]
    host: Option<String>,
    #[schema(example = 2525)]
    port: u16,
    /// With TLS from the first byte, if there is one.
    tls_port: Option<u16>,
    /// Mail to `<channel>@<domain>` goes to that channel; absent when addresses pick no channel.
    channel_domain: Option<String>,
}

/// Where senders reach this installation
#[utoipa::path(
    get, path = "/api/v1/doors", tag = "events", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = DoorsView), Common)
)]
async fn doors(State(api): State<Shelf>, _: Viewer) -> Json<DoorsView> {
    let smtp = &api.shared.settings.smtp;
    let address = smtp.listen.ip();
    let mail = MailDoor {
        host: (!address.is_unspecified()).then(|| address.to_string()),
        port: smtp.listen.port(),
        tls_port: smtp.tls_listen.map(|listen| listen.port()),
        channel_domain: Some(smtp.channel_domain.clone()).filter(|domain| !domain.is_empty()),
    };
    Json(DoorsView { http: base_url(&api), mail })
}
