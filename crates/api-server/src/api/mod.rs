//! The admin API under `/api/v1`: one module per resource, each with its routes, its views and its rules.
//!
//! A handler takes whoever may call it as an argument ([`caller::Viewer`], [`caller::Editor`], …), reads through
//! [`Api::read`] and changes through [`Api::change`], which audits and publishes. Every route says in its
//! OpenAPI description who may call it (`x-role`), and a test walks them all.

mod acknowledge;
mod alerts;
mod audit;
mod body;
mod caller;
mod change;
mod dead_letters;
mod deliveries;
mod errors;
mod events;
mod live;
mod logs;
mod overview;
mod paging;
mod services;
mod settings;
mod words;

use std::sync::Arc;

use axum::Router;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;
use watchbell_common::{
    http::ApiError,
    shared::Shared,
    store::{Store, Tx},
};

use crate::StoreSlot;

/// What every handler works with.
pub(crate) struct Api {
    pub(crate) shared: Shared,
    store: StoreSlot,
    feeds: live::Feeds,
}

/// Handlers take it as [`axum::extract::State`].
pub(crate) type Shelf = Arc<Api>;

impl Api {
    /// The store.
    ///
    /// # Errors
    /// 503 while it was not opened yet.
    pub(crate) fn store(&self) -> Result<&Store, ApiError> {
        self.store.get().ok_or_else(|| {
            let message = "the store is not open yet; alerts still flow, try again shortly";
            ApiError::unavailable(message, crate::STORE_PAUSE.1)
        })
    }

    /// A transaction that reads one state of the store.
    pub(crate) async fn read(&self) -> Result<Tx, ApiError> {
        Ok(self.store()?.begin_read().await?)
    }
}

/// The routes and the document that describes them.
pub(crate) fn router(shared: Shared, store: StoreSlot) -> (Router, utoipa::openapi::OpenApi) {
    let (router, document) = routes().split_for_parts();
    (router.with_state(Arc::new(Api { shared, store, feeds: live::Feeds::default() })), document)
}

/// The document as text, the same for the same program.
pub(crate) fn document() -> String {
    let (_, document) = routes().split_for_parts();
    let mut text = document.to_pretty_json().expect("the document is made of texts");
    text.push('\n');
    text
}

/// Every resource, in the order in which the documentation shows them.
fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(overview::routes())
        .merge(live::routes())
        .merge(alerts::routes())
        .merge(acknowledge::routes())
        .merge(events::routes())
        .merge(deliveries::routes())
        .merge(dead_letters::routes())
        .merge(logs::routes())
        .merge(services::routes())
        .merge(settings::routes())
        .merge(audit::routes())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Watchbell",
        description = "Everything that the dashboard and scripts can do. Errors have one envelope; lists of history are \
                       paged by cursor. Browsers send the session cookie and, with every change, `X-CSRF-Token`; \
                       scripts send `Authorization: Bearer`."
    ),
    modifiers(&Schemes),
    security(("bearer" = []), ("session" = []))
)]
struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let parts = document.components.get_or_insert_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("watchbell_session")));
        parts.add_security_scheme("bearer", bearer);
        parts.add_security_scheme("session", session);
    }
}
