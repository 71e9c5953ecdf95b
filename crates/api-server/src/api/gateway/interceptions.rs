//! The log of uses from elsewhere, read in pages and exported whole.

use std::{collections::VecDeque, io};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    binding::Reason,
    clock::{parse_time, show_time},
    http::ApiError,
    ids::{InterceptionId, TenantId},
    store::{
        Place,
        interceptions::{self, Filter, Interception},
    },
};

use super::{after, csv, key_of};
use crate::api::{
    Shelf,
    body::Params,
    caller::Viewer,
    configured::wrong,
    errors::Common,
    paging::{Page, Paging},
    words::{self, ReasonWord},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_interceptions)).routes(routes!(export_interceptions))
}

/// Lines that an export reads at a time.
const EXPORT_PAGE: i64 = 500;

/// Which interceptions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InterceptionFilter {
    /// A part of the masked secret, of the attempted address or of the path.
    q: Option<String>,
    /// The id of a binding.
    key: Option<String>,
    /// RFC 3339: this or later.
    since: Option<String>,
    /// RFC 3339: before this.
    until: Option<String>,
}

impl InterceptionFilter {
    fn read(&self) -> Result<Filter, ApiError> {
        let time = |field: &str, text: &Option<String>| {
            let given = text.as_deref().filter(|text| !text.is_empty());
            given.map(parse_time).transpose().map_err(|why| wrong(field, why))
        };
        Ok(Filter {
            key: key_of(self.key.as_deref())?,
            search: Some(words::search("q", self.q.as_deref())?),
            since: time("since", &self.since)?,
            until: time("until", &self.until)?,
            after: None,
        })
    }
}

/// A use of a secret from elsewhere, or several within a second that differ only in time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InterceptionView {
    #[schema(value_type = String, example = "int_0195f3f0c0de7d2a8b3c4d5e6f708192")]
    id: InterceptionId,
    /// Unix milliseconds, of the first use.
    at: i64,
    /// The id of the binding.
    key: String,
    /// The secret as people may see it.
    #[schema(example = "sk-012…ghij")]
    masked: String,
    /// What the secret was bound to.
    #[schema(example = "203.0.113.7/32")]
    bound: String,
    #[schema(example = "198.51.100.9")]
    attempted: String,
    #[schema(example = "POST")]
    method: String,
    /// Without the query.
    #[schema(example = "/v1/chat/completions")]
    path: String,
    #[schema(value_type = ReasonWord)]
    reason: Reason,
    /// `false`: it was only observed.
    refused: bool,
    /// How many uses this stands for.
    uses: i64,
}

impl From<Interception> for InterceptionView {
    fn from(line: Interception) -> Self {
        let Interception { id, at, key, masked, bound, attempted, method, path, reason, refused, uses } = line;
        Self { id, at, key: key.to_string(), masked, bound, attempted, method, path, reason, refused, uses }
    }
}

/// Uses from elsewhere, latest first
#[utoipa::path(
    get, path = "/api/v1/gateway/interceptions", tag = "gateway", params(InterceptionFilter, Paging),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Page<InterceptionView>), Common)
)]
async fn list_interceptions(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<InterceptionFilter>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<InterceptionView>>, ApiError> {
    let filter = Filter { after: after(paging.after()?)?, ..filter.read()? };
    let mut tx = api.read().await?;
    let found = interceptions::list(&mut tx, caller.tenant, &filter, i64::from(paging.limit()) + 1).await?;
    let place = |line: &Interception| Place { at: line.at, id: line.id.to_string() };
    Ok(Json(Page::new(found, paging.limit(), place).map(InterceptionView::from)))
}

/// Uses from elsewhere as CSV, latest first
///
/// All that match, streamed. A cell that a spreadsheet would take for a formula begins with an apostrophe.
#[utoipa::path(
    get, path = "/api/v1/gateway/interceptions.csv", tag = "gateway", params(InterceptionFilter),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, content_type = "text/csv", body = String), Common)
)]
async fn export_interceptions(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<InterceptionFilter>,
) -> Result<Response, ApiError> {
    let mut export =
        Export { api, tenant: caller.tenant, filter: filter.read()?, ready: VecDeque::new(), ended: false };
    // What cannot be read at all is an error rather than an empty file.
    export.fill().await?;
    export.ready.push_front(csv::line(COLUMNS));
    let lines = stream::try_unfold(export, async |mut export| {
        // Broken off, so that nobody takes it for whole.
        let lines = export.next().await.map_err(|_| io::Error::other("the store went away in the middle of an export"));
        Ok::<_, io::Error>(lines?.map(|lines| (lines, export)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"interceptions.csv\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

const COLUMNS: [&str; 10] =
    ["at", "key", "masked", "bound", "attempted", "method", "path", "reason", "refused", "uses"];

/// An export under way: it reads a page when the one before was taken, so a slow reader holds no more than one.
struct Export {
    api: Shelf,
    tenant: TenantId,
    filter: Filter,
    ready: VecDeque<String>,
    ended: bool,
}

impl Export {
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        if self.ready.is_empty() && !self.ended {
            self.fill().await?;
        }
        let lines: String = self.ready.drain(..).collect();
        Ok(Some(lines).filter(|lines| !lines.is_empty()).map(Bytes::from))
    }

    async fn fill(&mut self) -> Result<(), ApiError> {
        let mut tx = self.api.read().await?;
        let page = interceptions::list(&mut tx, self.tenant, &self.filter, EXPORT_PAGE).await?;
        self.filter.after = page.last().map(|last| (last.at, last.id));
        self.ended = page.is_empty();
        self.ready.extend(page.into_iter().map(row));
        Ok(())
    }
}

fn row(line: Interception) -> String {
    let (at, key, uses) = (show_time(line.at), line.key.to_string(), line.uses.to_string());
    let refused = if line.refused { "true" } else { "false" };
    let Interception { masked, bound, attempted, method, path, reason, .. } = line;
    csv::line([&at, &key, &masked, &bound, &attempted, &method, &path, reason.as_str(), refused, &uses])
}
