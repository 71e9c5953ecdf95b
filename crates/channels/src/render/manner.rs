//! How a channel wants to be spoken to: options that every kind of channel has.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use watchbell_common::{clock::UnixMillis, config::OpenChannel};

use super::words::Language;
use crate::{ConfigureError, Field, Input, template::Around};

/// Options that every channel has, whatever its kind.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "language",
        label: "Language",
        secret: false,
        required: false,
        input: Input::Choice(&["en", "zh", "fa"]),
        help: "Of the built-in layout: en (default), zh or fa.",
    },
    Field {
        name: "timezone",
        label: "Time zone",
        secret: false,
        required: false,
        input: Input::Line,
        help: "An IANA name such as Asia/Tehran, in which times are shown. UTC when absent.",
    },
];

/// A channel's language and time zone, and where the dashboard is.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
    pub(crate) public_url: Option<String>,
}

impl Default for Manner {
    fn default() -> Self {
        Self { language: Language::default(), zone: TimeZone::UTC, public_url: None }
    }
}

impl Manner {
    /// # Errors
    /// Names the option that is wrong.
    pub(crate) fn of(channel: &OpenChannel, public_url: Option<String>) -> Result<Self, ConfigureError> {
        let option = |name: &str| channel.channel.options.get(name);
        let wrong = |name: &'static str| move |why: String| ConfigureError::new(name, why);
        Ok(Self {
            language: option("language")
                .map_or_else(|| Ok(Language::default()), language)
                .map_err(wrong("language"))?,
            zone: option("timezone").map_or(Ok(TimeZone::UTC), timezone).map_err(wrong("timezone"))?,
            public_url,
        })
    }

    /// What a template's functions about time need.
    pub(crate) fn around(&self, now: UnixMillis) -> Around {
        Around { now: Timestamp::from_millisecond(now).unwrap_or_default(), zone: self.zone.clone() }
    }
}

/// Why one of [`FIELDS`] cannot have that value.
pub(crate) fn check(name: &str, value: &Value) -> Result<(), String> {
    match name {
        "language" => language(value).map(drop),
        "timezone" => timezone(value).map(drop),
        _ => Ok(()),
    }
}

fn language(value: &Value) -> Result<Language, String> {
    value.as_str().unwrap_or_default().parse().map_err(str::to_owned)
}

fn timezone(value: &Value) -> Result<TimeZone, String> {
    TimeZone::get(value.as_str().unwrap_or_default())
        .map_err(|_| "must be an IANA time zone such as Europe/Berlin".to_owned())
}
