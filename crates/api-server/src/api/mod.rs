//! The admin API under `/api/v1`: one module per resource, each with its routes, its views and its rules.
//!
//! A handler takes whoever may call it as an argument ([`caller::Viewer`], [`caller::Editor`], …), reads through
//! [`Api::read`] and changes through [`Api::change`], which audits and publishes. Every route says in its
//! OpenAPI description who may call it (`x-role`), and a test walks them all.

mod acknowledge;
mod ai_providers;
mod alerts;
mod audit;
mod auth;
mod body;
mod bots;
mod caller;
mod change;
mod channels;
mod chats;
mod configured;
mod dead_letters;
mod default_channels;
mod deliveries;
mod errors;
mod events;
mod gateway;
mod invites;
mod live;
mod logs;
mod me;
mod mutes;
mod overview;
mod paging;
mod platforms;
mod preview;
mod rules;
mod sample;
mod samples;
mod secrets;
mod senders;
mod services;
mod session;
mod settings;
mod setup;
mod silences;
mod templates;
mod tenants;
mod time;
mod tokens;
mod trial;
mod users;
mod visits;
mod words;

use std::sync::{Arc, LazyLock, OnceLock};

use axum::{
    Router,
    body::Bytes,
    http::header,
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};
use watchbell_channels::Tools;
use watchbell_common::{
    http::ApiError,
    shared::Shared,
    store::{
        Store, StoreError, Tx,
        config::{self, Kind},
    },
};

use self::{auth::passwords::Passwords, visits::Visits};
pub(crate) use self::{setup::prepare, users::reset_link};
use crate::{StoreSlot, dashboard::CONTENT_SECURITY_POLICY, seen::Credential};

/// Where the document of the API is served.
const DOCUMENT_PATH: &str = "/api/openapi.json";

/// What every handler works with.
pub(crate) struct Api {
    pub(crate) shared: Shared,
    store: StoreSlot,
    passwords: Passwords,
    visits: Visits,
    feeds: live::Feeds,
    tools: OnceLock<Tools>,
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

    /// Notes that a session or token was used.
    fn seen(&self, credential: Credential) {
        self.store.seen().note(credential, self.shared.clock.now_ms());
    }

    /// A new id, for what is not made yet.
    async fn next_id(&self, kind: Kind) -> Result<i64, ApiError> {
        let mut tx = self.store()?.begin().await?;
        let id = config::next_id(&mut tx, kind).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(id)
    }

    /// What channels and models are called with, as the dispatcher and the analyzer do it.
    fn tools(&self) -> Result<&Tools, ApiError> {
        if self.tools.get().is_none() {
            let made = Tools::new(&self.shared.settings, self.shared.clock.clone());
            let made = made.map_err(|error| ApiError::internal().because(format!("{error:#}")))?;
            // Of two that were made at once, one is used.
            let _ = self.tools.set(made);
        }
        Ok(self.tools.get().expect("it was set"))
    }

    /// A transaction that reads one state of the store.
    pub(crate) async fn read(&self) -> Result<Tx, ApiError> {
        Ok(self.store()?.begin_read().await?)
    }
}

/// The routes, and the pages of their documentation.
pub(crate) fn router(shared: Shared, store: StoreSlot) -> Router {
    // The document that comes with the routes takes more memory than the rest of an idle process: it is made anew when
    // somebody asks for it.
    let (router, _) = routes().split_for_parts();
    // Its pages load files of this server only, and no script stands in them: the policy `script-src 'self'` holds.
    let pages = Router::from(SwaggerUi::new("/docs").config(Config::from(DOCUMENT_PATH)));
    let pages = pages.layer(map_response(async |response: Response| {
        ([(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)], response)
    }));
    let api = Api {
        shared,
        store,
        passwords: Passwords::default(),
        visits: Visits::default(),
        feeds: live::Feeds::default(),
        tools: OnceLock::new(),
    };
    router.with_state(Arc::new(api)).merge(pages).route(DOCUMENT_PATH, get(served_document))
}

/// The document, made for the first who asks and kept as text.
async fn served_document() -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().into());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.clone())
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
        .merge(samples::routes())
        .merge(events::routes())
        .merge(senders::routes())
        .merge(deliveries::routes())
        .merge(dead_letters::routes())
        .merge(logs::routes())
        .merge(services::routes())
        .merge(settings::routes())
        .merge(bots::routes())
        .merge(chats::routes())
        .merge(channels::routes())
        .merge(platforms::routes())
        .merge(templates::routes())
        .merge(preview::routes())
        .merge(rules::routes())
        .merge(trial::routes())
        .merge(default_channels::routes())
        .merge(mutes::routes())
        .merge(silences::routes())
        .merge(ai_providers::routes())
        .merge(gateway::routes())
        .merge(setup::routes())
        .merge(session::routes())
        .merge(me::routes())
        .merge(users::routes())
        .merge(invites::routes())
        .merge(tokens::routes())
        .merge(tenants::routes())
        .merge(audit::routes())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Watchbell",
        description = "Everything that the dashboard and scripts can do. Errors have one envelope; lists of history are \
                       paged by cursor; times are RFC 3339, in answers in UTC. Browsers send the session cookie and, with every change, `X-CSRF-Token`; \
                       scripts send `Authorization: Bearer`."
    ),
    modifiers(&Schemes),
    components(schemas(errors::ErrorBody, errors::ErrorText)),
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
