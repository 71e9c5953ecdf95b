//! The enumerations of the API as its document describes them, and filters made of their words.

use std::fmt::Display;

use utoipa::ToSchema;
use watchbell_common::{
    alert::{Severity, Status},
    http::ApiError,
    queue::Ending,
    store::deliveries::State,
};

/// How many values a filter may list.
const VALUES_MAX: usize = 20;

/// Enumerations that only the document needs: the values are those of the types they describe.
macro_rules! described {
    ($($(#[$doc:meta])* $name:ident { $($word:ident),+ })+) => {$(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[schema(rename_all = "snake_case")]
        #[expect(dead_code, reason = "describes what the server writes, for the document")]
        pub(crate) enum $name { $($word),+ }
    )+};
}

described! {
    /// How bad it is.
    SeverityWord { Info, Warning, Error, Critical }
    /// Where an alert stands.
    StatusWord { Firing, Acknowledged, Resolved }
    /// Who understood it so.
    OriginWord { Rules, Cache, Model, Human }
    /// Where a delivery stands.
    StateWord { Pending, RateLimited, Failed, Dead, Deduplicated, Delivered }
    /// How a field is filled in: a line of text, lines, a whole number, yes or no, one of some texts, names with texts,
    /// or any JSON.
    InputWord { Text, Lines, Number, Switch, Choice, Headers, Json }
    /// How an event ended without a message.
    EndingWord { Delivered, Silenced, Deduplicated, Unrouted, Muted }
    /// A queue, in the order in which an event passes them.
    QueueWord { Intake, Route, Deliver, Enrich, History }
    /// How many addresses a binding has: one address or network, a list, or every one.
    BindingModeWord { Single, Multiple, All }
    /// What becomes of a use from elsewhere: refused; let pass and told; learned until a date, then refused.
    StanceWord { Enforce, Observe, Learn }
    /// What becomes of a secret that nobody can look up: refused, or let pass.
    FailModeWord { Closed, Open }
    /// What becomes of requests without a key.
    WithoutKeyWord { Pass, Refuse }
    /// Why a use was intercepted: the binding does not cover the address, or a person blocked it.
    ReasonWord { Elsewhere, Blocked }
}

/// The values of a filter, written with commas between them; `read` knows what one means.
///
/// # Errors
/// 400 that names the parameter and what it may be.
pub(crate) fn values<T>(
    name: &str,
    text: Option<&str>,
    may_be: impl Display,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, ApiError> {
    let words = text.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let values: Vec<T> = words
        .map(|word| read(word).ok_or_else(|| ApiError::validation(format!("{name}: `{word}` is not {may_be}"))))
        .collect::<Result<_, _>>()?;
    if values.len() > VALUES_MAX {
        return Err(ApiError::validation(format!("{name}: lists more than {VALUES_MAX} values")));
    }
    Ok(values)
}

/// Any texts.
pub(crate) fn texts(name: &str, text: Option<&str>) -> Result<Vec<String>, ApiError> {
    values(name, text, "a text", |word| Some(word.to_owned()))
}

/// How long a search may be.
const SEARCH_MAX_BYTES: usize = 200;

/// Words to search for.
pub(crate) fn search(name: &str, text: Option<&str>) -> Result<String, ApiError> {
    let text = text.unwrap_or_default();
    if text.len() > SEARCH_MAX_BYTES {
        return Err(ApiError::validation(format!("{name}: is longer than {SEARCH_MAX_BYTES} bytes")));
    }
    Ok(text.to_owned())
}

/// Ids of rows.
pub(crate) fn numbers<T>(name: &str, text: Option<&str>, id: impl Fn(i64) -> T) -> Result<Vec<T>, ApiError> {
    values(name, text, "an id", |word| word.parse().ok().filter(|number| *number > 0).map(&id))
}

pub(crate) fn severities(name: &str, text: Option<&str>) -> Result<Vec<Severity>, ApiError> {
    values(name, text, "a severity: use info, warning, error or critical", |word| word.parse().ok())
}

pub(crate) fn statuses(name: &str, text: Option<&str>) -> Result<Vec<Status>, ApiError> {
    const ALL: [Status; 3] = [Status::Firing, Status::Acknowledged, Status::Resolved];
    let read = |word: &str| ALL.into_iter().find(|status| status.as_str() == word);
    values(name, text, "a status: use firing, acknowledged or resolved", read)
}

pub(crate) fn endings(name: &str, text: Option<&str>) -> Result<Vec<Ending>, ApiError> {
    let known = Ending::ALL.map(Ending::as_str).join(", ");
    let read = |word: &str| Ending::ALL.into_iter().find(|ending| ending.as_str() == word);
    values(name, text, format_args!("an ending: use one of {known}"), read)
}

pub(crate) fn states(name: &str, text: Option<&str>) -> Result<Vec<State>, ApiError> {
    let known = State::ALL.map(State::as_str).join(", ");
    let read = |word: &str| State::ALL.into_iter().find(|state| state.as_str() == word);
    values(name, text, format_args!("a state: use one of {known}"), read)
}
