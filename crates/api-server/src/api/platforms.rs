//! The kinds of channels that there are, described well enough to draw their forms.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_channels::{Beyond, ChannelKind, Field, Unit};
use watchbell_common::http::ApiError;

use super::{Shelf, caller::Viewer, configured::wrong, errors::Common, paging::Items, words::InputWord};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_platforms))
}

/// One kind of channel.
#[derive(Debug, Serialize, ToSchema)]
struct PlatformView {
    /// The `platform` of bots and channels.
    #[schema(example = "telegram")]
    id: &'static str,
    #[schema(example = "Telegram")]
    title: &'static str,
    /// What a bot holds; empty when channels of this kind need none.
    bot: Vec<FieldView>,
    /// What a channel is told: `target`, and its options.
    fields: Vec<FieldView>,
    limits: LimitsView,
    /// An example for the provisioning file.
    setup: &'static str,
}

/// One thing to fill in.
#[derive(Debug, Serialize, ToSchema)]
struct FieldView {
    #[schema(example = "bot_token")]
    name: &'static str,
    label: &'static str,
    help: &'static str,
    required: bool,
    /// Goes in and never comes out.
    secret: bool,
    /// How it is filled in.
    #[schema(value_type = InputWord)]
    input: &'static str,
    /// What a `choice` can be.
    choices: &'static [&'static str],
}

/// What the platform can take.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LimitsView {
    text_max: usize,
    /// What is counted: `bytes` of UTF-8, `characters`, or units of `utf16`.
    unit: &'static str,
    /// What becomes of a longer text: `cut` or `split`.
    beyond: &'static str,
    /// Where the number comes from.
    source: &'static str,
}

/// The kinds of channels and their forms
#[utoipa::path(
    get, path = "/api/v1/platforms", tag = "channels", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<PlatformView>), Common)
)]
async fn list_platforms(_caller: Viewer) -> Json<Items<PlatformView>> {
    Json(Items { items: watchbell_channels::ALL.iter().map(|kind| view(kind)).collect() })
}

fn view(kind: &'static ChannelKind) -> PlatformView {
    PlatformView {
        id: kind.id,
        title: kind.title,
        bot: kind.bot.iter().map(field).collect(),
        fields: kind.fields.iter().chain(watchbell_channels::COMMON).map(field).collect(),
        limits: limits(kind),
        setup: kind.setup,
    }
}

fn field(field: &'static Field) -> FieldView {
    let Field { name, label, secret, required, input, help } = *field;
    FieldView { name, label, help, required, secret, input: input.as_str(), choices: input.choices() }
}

pub(super) fn limits(kind: &ChannelKind) -> LimitsView {
    LimitsView {
        text_max: kind.limits.text_max,
        unit: match kind.limits.unit {
            Unit::Bytes => "bytes",
            Unit::Characters => "characters",
            Unit::Utf16 => "utf16",
        },
        beyond: match kind.limits.beyond {
            Beyond::Cut => "cut",
            Beyond::Split => "split",
        },
        source: kind.limits.source,
    }
}

/// 400: there is no such kind.
pub(super) fn unknown(field: &str) -> ApiError {
    let names: Vec<_> = watchbell_channels::ALL.iter().map(|kind| kind.id).collect();
    wrong(field, format!("there is no such platform; known are {}", names.join(", ")))
}
