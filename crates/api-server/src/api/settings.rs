//! Settings of the installation that change at run time, above those that the processes were started with.

use axum::{Json as Answer, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{http::ApiError, store::retention};

use super::{Shelf, body::Json, caller::PlatformAdmin, errors::ChangeErrors};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(get, put))
}

/// The longest history, in days: a hundred years.
const RETENTION_DAYS_MAX: u32 = 36_500;

/// Settings that change at run time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuntimeSettings {
    /// For how many days history is kept; 0 for ever; absent (`null`) as the settings file says.
    #[schema(minimum = 0, maximum = 36500)]
    history_retention_days: Option<u32>,
}

/// Settings that change at run time, and what holds now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingsView {
    settings: RuntimeSettings,
    /// What holds: the above, or else the settings file.
    effective: RuntimeSettings,
    version: &'static str,
}

/// Settings that change at run time
#[utoipa::path(
    get, path = "/api/v1/settings", operation_id = "get_settings", tag = "system",
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = SettingsView), super::errors::Common)
)]
async fn get(State(api): State<Shelf>, _admin: PlatformAdmin) -> Result<Answer<SettingsView>, ApiError> {
    let mut tx = api.read().await?;
    let history_retention_days = retention::days(&mut tx).await?;
    Ok(Answer(view(&api, history_retention_days)))
}

fn view(api: &Shelf, days: Option<u32>) -> SettingsView {
    let effective = days.unwrap_or(api.shared.settings.history.retention_days);
    SettingsView {
        settings: RuntimeSettings { history_retention_days: days },
        effective: RuntimeSettings { history_retention_days: Some(effective) },
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Change settings
#[utoipa::path(
    put, path = "/api/v1/settings", tag = "system", request_body = RuntimeSettings,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = SettingsView), ChangeErrors)
)]
async fn put(
    State(api): State<Shelf>,
    PlatformAdmin(caller): PlatformAdmin,
    Json(wanted): Json<RuntimeSettings>,
) -> Result<Answer<SettingsView>, ApiError> {
    if wanted.history_retention_days.is_some_and(|days| days > RETENTION_DAYS_MAX) {
        return Err(ApiError::validation(format!("history_retention_days: must be 0 to {RETENTION_DAYS_MAX}")));
    }
    let mut change = api.write(&caller).await?;
    let before = RuntimeSettings { history_retention_days: retention::days(change.tx()).await? };
    retention::set_days(change.tx(), wanted.history_retention_days).await?;
    change.audit("update", "settings", "installation", (Some(&before), Some(&wanted))).await?;
    change.commit().await?;
    Ok(Answer(view(&api, wanted.history_retention_days)))
}
