//! The key gateway: how it stands, what can be changed while it runs, and its bindings, interceptions and figures.
//!
//! Bindings, interceptions and figures belong to a tenant: those of model keys to the tenant that the gateway guards
//! for, those of push tokens and SMTP users to whoever owns these. How the gateway behaves concerns the whole
//! installation, and so does changing it.

mod bindings;
mod csv;
mod interceptions;
mod usage;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    binding::{
        Stance,
        gateway::{FailMode, Rules, Runtime, SINGLE_SOURCE_NOTE, WithoutKey},
        token::KeyHash,
    },
    clock::{millis, parse_time, show_time},
    heartbeat,
    http::ApiError,
    ids::TenantId,
    store::{Place, bindings as store},
};

use super::{
    Api, Shelf, body,
    caller::{PlatformAdmin, Viewer},
    configured::wrong,
    errors::{ChangeErrors, Common},
    words::{FailModeWord, StanceWord, WithoutKeyWord},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(gateway))
        .routes(routes!(get_gateway_settings, update_gateway_settings))
        .merge(bindings::routes())
        .merge(interceptions::routes())
        .merge(usage::routes())
}

/// How the program calls itself whose whole work is the gateway.
const PROGRAM: &str = "key-gateway";

/// The longest time that can be set, and the largest count.
const DAYS_MAX: u32 = 36_500;
const SECONDS_MAX: u32 = 24 * 60 * 60;
const COUNT_MAX: u32 = 1_000_000;

/// How the gateway stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"running": true, "guards_for_us": true, "bindings": 12, "single_source": null,
    "effective": {"mode": "enforce", "learn_until": null, "fail_mode": "closed", "without_key": "pass",
        "alert_threshold_count": 5, "alert_threshold_seconds": 300, "archive_days": 90, "first_binds_per_minute": 60}}))]
pub(crate) struct GatewayView {
    /// There is one: `gateway.upstream` is set, or such a process has a heartbeat.
    running: bool,
    /// The model keys that it binds are the tenant's: bindings and interceptions of keys are found here.
    guards_for_us: bool,
    /// What the tenant has bound: keys, push tokens and SMTP users.
    bindings: i64,
    /// The one private address from which every client seems to come. Then most likely a bridge of Docker or a proxy
    /// stands between them and the gateway: all keys are bound to it, and a stolen one works from everywhere.
    #[schema(example = "172.17.0.1")]
    single_source: Option<String>,
    effective: GatewaySettings,
}

/// What can be changed while the gateway runs. `null`: as the settings file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"mode": "learn", "learn_until": "2027-01-31T18:00:00Z", "alert_threshold_count": 10}))]
pub(crate) struct GatewaySettings {
    /// What becomes of a key that is used from elsewhere.
    #[schema(value_type = Option<StanceWord>)]
    mode: Option<Stance>,
    /// RFC 3339: when `learn` ends and `enforce` begins.
    #[schema(example = "2027-01-31T18:00:00Z")]
    learn_until: Option<String>,
    /// What becomes of a key that nobody can look up: `closed` refuses, `open` lets pass.
    #[schema(value_type = Option<FailModeWord>)]
    fail_mode: Option<FailMode>,
    /// What becomes of requests without a key.
    #[schema(value_type = Option<WithoutKeyWord>)]
    without_key: Option<WithoutKey>,
    /// So many interceptions of one key …
    #[schema(minimum = 1, maximum = 1_000_000)]
    alert_threshold_count: Option<u32>,
    /// … within so many seconds raise an alert.
    #[schema(minimum = 1, maximum = 86_400)]
    alert_threshold_seconds: Option<u32>,
    /// Days without use after which a binding is archived; 0: never.
    #[schema(minimum = 0, maximum = 36_500)]
    archive_days: Option<u32>,
    /// New keys that one address may bind in a minute.
    #[schema(minimum = 1, maximum = 1_000_000)]
    first_binds_per_minute: Option<u32>,
}

/// What was set while running, and what holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewaySettingsView {
    settings: GatewaySettings,
    /// The above, or else the settings file.
    effective: GatewaySettings,
}

/// How the key gateway stands
#[utoipa::path(
    get, path = "/api/v1/gateway", operation_id = "get_gateway", tag = "gateway",
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = GatewayView), Common)
)]
async fn gateway(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<GatewayView>, ApiError> {
    let (queue, guarded) = (&*api.shared.queue, guarded(&api));
    let mut tx = api.read().await?;
    let runtime = store::runtime(&mut tx, guarded).await?;
    let bindings = store::count(&mut tx, caller.tenant).await?;
    drop(tx);
    let noted = queue.recall(SINGLE_SOURCE_NOTE).await?;
    Ok(Json(GatewayView {
        running: api.shared.settings.gateway.upstream.is_some() || has_heartbeat(&api).await?,
        guards_for_us: caller.tenant == guarded,
        bindings,
        single_source: noted.map(|address| String::from_utf8_lossy(&address).into_owned()),
        effective: effective(&api, &runtime),
    }))
}

async fn has_heartbeat(api: &Api) -> Result<bool, ApiError> {
    let now = api.shared.clock.now_ms();
    let beats = heartbeat::all(&*api.shared.queue).await?;
    Ok(beats.iter().any(|beat| beat.name.contains(PROGRAM) && beat.is_up(now)))
}

/// What can be changed while the gateway runs
#[utoipa::path(
    get, path = "/api/v1/gateway/settings", tag = "gateway", extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = GatewaySettingsView), Common)
)]
async fn get_gateway_settings(
    State(api): State<Shelf>,
    _admin: PlatformAdmin,
) -> Result<Json<GatewaySettingsView>, ApiError> {
    let runtime = store::runtime(&mut *api.read().await?, guarded(&api)).await?;
    Ok(Json(settings_view(&api, &runtime)))
}

/// Change how the gateway behaves
///
/// It holds in every gateway within a second. Replaces what was set before: a field that is absent or `null` is as the
/// settings file says.
#[utoipa::path(
    put, path = "/api/v1/gateway/settings", tag = "gateway", request_body = GatewaySettings,
    extensions(("x-role" = json!("admin"))), responses((status = 200, body = GatewaySettingsView), ChangeErrors)
)]
async fn update_gateway_settings(
    State(api): State<Shelf>,
    PlatformAdmin(caller): PlatformAdmin,
    body::Json(wanted): body::Json<GatewaySettings>,
) -> Result<Json<GatewaySettingsView>, ApiError> {
    let wanted = wanted.runtime()?;
    let learns = Rules::new(&api.shared.settings.gateway, &wanted).policy;
    if learns.stance == Stance::Learn && learns.learn_until == 0 {
        return Err(wrong("learn_until", "is missing: the mode is learn"));
    }
    let mut change = api.write(&caller).await?;
    let before = GatewaySettings::of(&store::runtime(change.tx(), guarded(&api)).await?);
    store::set_runtime(change.tx(), guarded(&api), &wanted, api.shared.clock.now_ms()).await?;
    let after = GatewaySettings::of(&wanted);
    change.audit("update", "gateway", "settings", (Some(&before), Some(&after))).await?;
    change.commit().await?;
    Ok(Json(settings_view(&api, &wanted)))
}

/// The tenant whose model keys the gateway binds.
fn guarded(api: &Api) -> TenantId {
    TenantId(api.shared.settings.gateway.tenant)
}

fn settings_view(api: &Api, runtime: &Runtime) -> GatewaySettingsView {
    GatewaySettingsView { settings: GatewaySettings::of(runtime), effective: effective(api, runtime) }
}

/// What holds, with nothing left open but the end of learning.
fn effective(api: &Api, runtime: &Runtime) -> GatewaySettings {
    let rules = Rules::new(&api.shared.settings.gateway, runtime);
    let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    GatewaySettings::of(&Runtime {
        mode: Some(rules.policy.stance),
        learn_until: Some(rules.policy.learn_until).filter(|until| *until > 0),
        fail_mode: Some(rules.fail_mode),
        without_key: Some(rules.without_key),
        alert_threshold_count: Some(u32::try_from(rules.alert_threshold).unwrap_or(u32::MAX)),
        alert_threshold_seconds: Some(small(millis(rules.alert_window) / 1000)),
        archive_days: Some(rules.archive_days),
        first_binds_per_minute: Some(rules.first_binds_per_minute),
    })
}

impl GatewaySettings {
    fn of(runtime: &Runtime) -> Self {
        Self {
            mode: runtime.mode,
            learn_until: runtime.learn_until.map(show_time),
            fail_mode: runtime.fail_mode,
            without_key: runtime.without_key,
            alert_threshold_count: runtime.alert_threshold_count,
            alert_threshold_seconds: runtime.alert_threshold_seconds,
            archive_days: runtime.archive_days,
            first_binds_per_minute: runtime.first_binds_per_minute,
        }
    }

    fn runtime(self) -> Result<Runtime, ApiError> {
        for (field, given, least, most) in [
            ("alert_threshold_count", self.alert_threshold_count, 1, COUNT_MAX),
            ("alert_threshold_seconds", self.alert_threshold_seconds, 1, SECONDS_MAX),
            ("archive_days", self.archive_days, 0, DAYS_MAX),
            ("first_binds_per_minute", self.first_binds_per_minute, 1, COUNT_MAX),
        ] {
            if given.is_some_and(|number| number < least || number > most) {
                return Err(wrong(field, format!("must be {least} to {most}")));
            }
        }
        let learn_until = self.learn_until.as_deref().map(parse_time).transpose();
        Ok(Runtime {
            mode: self.mode,
            learn_until: learn_until.map_err(|why| wrong("learn_until", why))?,
            fail_mode: self.fail_mode,
            without_key: self.without_key,
            alert_threshold_count: self.alert_threshold_count,
            alert_threshold_seconds: self.alert_threshold_seconds,
            archive_days: self.archive_days,
            first_binds_per_minute: self.first_binds_per_minute,
        })
    }
}

/// The place behind a cursor, of a list whose ids are of this kind.
fn after<T: std::str::FromStr>(place: Option<Place>) -> Result<Option<(i64, T)>, ApiError> {
    let read = |place: Place| place.id.parse().ok().map(|id| (place.at, id));
    let wrong = || ApiError::validation("cursor: is not one of this list; leave it out for the first page");
    place.map(|place| read(place).ok_or_else(wrong)).transpose()
}

/// A filter by key.
fn key_of(text: Option<&str>) -> Result<Option<KeyHash>, ApiError> {
    let given = text.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|why| wrong("key", why))).transpose()
}
