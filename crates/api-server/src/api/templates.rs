//! Templates: how messages are written. Previews live in [`super::preview`].

use std::collections::HashMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    config::{ParseMode, Template},
    http::ApiError,
    ids::{TemplateId, TenantId},
    store::{
        Connection, channels,
        config::{self, Kind, Owned, Times},
        templates,
    },
};

use super::{
    Shelf,
    body::{self, Id},
    caller::{Editor, Viewer},
    configured::{Stamp, find, find_to_change, name, used_by, wrong},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_templates, create_template)).routes(routes!(
        get_template,
        update_template,
        delete_template
    ))
}

/// What a template is. In a change, what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "short", "body": "{{ .severity | upper }} {{ .summary }}", "parse_mode": "None"}))]
struct TemplateBody {
    /// 1 to 64 characters, unique.
    name: Option<String>,
    /// Go `text/template` syntax, at most 32 KiB.
    body: Option<String>,
    /// `MarkdownV2` (the default), `HTML` or `None`.
    parse_mode: Option<String>,
}

/// A template.
#[derive(Debug, Serialize, ToSchema)]
struct TemplateView {
    #[schema(value_type = i64)]
    id: TemplateId,
    name: String,
    body: String,
    parse_mode: ParseMode,
    #[serde(flatten)]
    stamp: Stamp,
}

/// The templates
#[utoipa::path(
    get, path = "/api/v1/templates", tag = "templates", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<TemplateView>), Common)
)]
async fn list_templates(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
) -> Result<Json<Items<TemplateView>>, ApiError> {
    let mut tx = api.read().await?;
    let there = templates::list(&mut tx, caller.tenant).await?;
    let times = config::times(&mut tx, caller.tenant, Kind::Template).await?;
    Ok(Json(Items { items: there.iter().map(|template| view(template, &times)).collect() }))
}

/// Makes a template
#[utoipa::path(
    post, path = "/api/v1/templates", tag = "templates", request_body = TemplateBody,
    extensions(("x-role" = json!("editor"))), responses((status = 201, body = TemplateView), ChangeErrors)
)]
async fn create_template(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<TemplateBody>,
) -> Result<(StatusCode, Json<TemplateView>), ApiError> {
    let mut change = api.change(&caller).await?;
    let there = templates::list(change.tx(), caller.tenant).await?;
    let id = TemplateId(config::next_id(change.tx(), Kind::Template).await?);
    let template = body.onto(id, None, &there)?;
    templates::put(change.tx(), caller.tenant, &template).await?;
    change.touch(Kind::Template, id.0).await?;
    let view = one(change.tx(), caller.tenant, id).await?;
    change.audit("create", "template", id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// One template
#[utoipa::path(
    get, path = "/api/v1/templates/{id}", tag = "templates", params(("id" = i64, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = TemplateView), ReadErrors)
)]
async fn get_template(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<TemplateId>,
) -> Result<Json<TemplateView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(one(&mut tx, caller.tenant, id).await?))
}

/// Changes a template
#[utoipa::path(
    put, path = "/api/v1/templates/{id}", tag = "templates", params(("id" = i64, Path)), request_body = TemplateBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = TemplateView), ChangeErrors)
)]
async fn update_template(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<TemplateId>,
    body::Json(body): body::Json<TemplateBody>,
) -> Result<Json<TemplateView>, ApiError> {
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), caller.tenant, id).await?;
    let there = templates::list(change.tx(), caller.tenant).await?;
    let present = find_to_change(&there, |template| template.id == id)?;
    let template = body.onto(id, Some(&present), &there)?;
    templates::put(change.tx(), caller.tenant, &template).await?;
    change.touch(Kind::Template, id.0).await?;
    let view = one(change.tx(), caller.tenant, id).await?;
    change.audit("update", "template", id, (Some(&before), Some(&view))).await?;
    change.commit().await?;
    Ok(Json(view))
}

/// Deletes a template that no channel uses
#[utoipa::path(
    delete, path = "/api/v1/templates/{id}", tag = "templates", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_template(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<TemplateId>,
) -> Result<StatusCode, ApiError> {
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), caller.tenant, id).await?;
    find_to_change(&templates::list(change.tx(), caller.tenant).await?, |template| template.id == id)?;
    let channels = channels::list(change.tx(), caller.tenant).await?;
    let users = channels.iter().filter(|channel| channel.item.templates.iter().any(|used| used.template == id));
    used_by(&users.map(|channel| format!("the channel `{}`", channel.item.name)).collect::<Vec<_>>())?;
    templates::delete(change.tx(), caller.tenant, id).await?;
    change.audit("delete", "template", id, (Some(&before), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn one(connection: &mut Connection, tenant: TenantId, id: TemplateId) -> Result<TemplateView, ApiError> {
    let template = find(templates::list(connection, tenant).await?, |template| template.id == id)?;
    Ok(view(&template, &config::times(connection, tenant, Kind::Template).await?))
}

fn view(owned: &Owned<Template>, times: &HashMap<i64, Times>) -> TemplateView {
    let Template { id, name, body, parse_mode } = owned.item.clone();
    TemplateView { id, name, body, parse_mode, stamp: Stamp::new(owned, times.get(&id.0)) }
}

/// The word in a body, where an empty one stands for the default.
pub(super) fn parse_mode(word: Option<&str>) -> Result<Option<ParseMode>, ApiError> {
    let word = word.filter(|word| !word.is_empty());
    word.map(|word| word.parse().map_err(|error| wrong("parse_mode", error))).transpose()
}

impl TemplateBody {
    fn onto(
        self,
        id: TemplateId,
        present: Option<&Template>,
        there: &[Owned<Template>],
    ) -> Result<Owned<Template>, ApiError> {
        let others = there.iter().map(|owned| &owned.item).filter(|other| other.id != id);
        let given_mode = parse_mode(self.parse_mode.as_deref())?;
        let item = Template {
            id,
            name: name(
                self.name.as_deref(),
                present.map(|present| present.name.as_str()),
                others.map(|other| other.name.as_str()),
            )?,
            body: self
                .body
                .or_else(|| present.map(|present| present.body.clone()))
                .ok_or_else(|| wrong("body", "is missing"))?,
            parse_mode: given_mode.or(present.map(|present| present.parse_mode)).unwrap_or_default(),
        };
        watchbell_channels::check_template(&item.body).map_err(|why| wrong("body", why))?;
        Ok(Owned { item, provisioned: false })
    }
}
