//! What the configured resources share: finding one, refusing those of the provisioning file, names, times.

use std::{fmt::Display, ops::Range, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;
use watchbell_common::{
    clock::{UnixMillis, millis},
    config::check::Wrong,
    http::ApiError,
    store::{
        config::{Owned, Times},
        hidden::Hidden,
    },
};

use super::time::Time;

/// The longest name, in characters: it stands in tables and in messages.
const NAME_MAX: usize = 64;

/// Who keeps an item, and since when.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stamp {
    /// Kept by the provisioning file: it changes there and not here.
    provisioned: bool,
    created_at: Time,
    updated_at: Time,
    /// Empty for the provisioning file.
    created_by: String,
}

impl Stamp {
    pub(super) fn new<T>(owned: &Owned<T>, times: Option<&Times>) -> Self {
        let times = times.cloned().unwrap_or_default();
        Self {
            provisioned: owned.provisioned,
            created_at: Time(times.created_at),
            updated_at: Time(times.updated_at),
            created_by: times.created_by,
        }
    }
}

/// The time over which it is shown when something was hidden.
const LATELY: Duration = Duration::from_hours(7 * 24);

/// How much a mute or a silence kept from people, as far as the history goes back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HiddenView {
    /// Events; 10,000 means that many or more.
    count: i64,
    /// When the last one came.
    last_at: Option<Time>,
    /// Where the parts begin: a week before they end, or when it was made.
    from: Time,
    /// Where the parts end: now, or when it expired.
    until: Time,
    /// How many came in each of 24 equal parts of that time.
    #[schema(min_items = 24, max_items = 24)]
    parts: Vec<i64>,
}

impl HiddenView {
    pub(super) fn new(hidden: &Hidden, time: &Range<UnixMillis>) -> Self {
        Self {
            count: hidden.count,
            last_at: hidden.last_at.map(Time),
            from: Time(time.start),
            until: Time(time.end),
            parts: hidden.parts.to_vec(),
        }
    }
}

/// The last week before `until`, or as much of it as there was of what has these times.
pub(super) fn lately(times: Option<&Times>, until: UnixMillis) -> Range<UnixMillis> {
    let week_before = until.saturating_sub(millis(LATELY));
    times.map_or(week_before, |times| times.created_at.clamp(week_before, until))..until
}

/// 400 that names a field.
pub(super) fn wrong(field: &str, why: impl Display) -> ApiError {
    ApiError::validation(Wrong::new(field, why.to_string()).to_string())
}

/// 400 for what a check found.
pub(super) fn invalid(wrong: &Wrong) -> ApiError {
    ApiError::validation(wrong.to_string())
}

/// The one that an id in a path names.
pub(super) fn find<T>(all: Vec<Owned<T>>, is: impl Fn(&T) -> bool) -> Result<Owned<T>, ApiError> {
    all.into_iter().find(|owned| is(&owned.item)).ok_or_else(|| ApiError::not_found("not found"))
}

/// [`find`], for a change: 409 for what the provisioning file keeps.
pub(super) fn find_to_change<T>(all: &[Owned<T>], is: impl Fn(&T) -> bool) -> Result<T, ApiError>
where
    T: Clone,
{
    let owned = all.iter().find(|owned| is(&owned.item)).ok_or_else(|| ApiError::not_found("not found"))?;
    if owned.provisioned { Err(kept_by_the_file()) } else { Ok(owned.item.clone()) }
}

/// 409: the file is the authority.
pub(super) fn kept_by_the_file() -> ApiError {
    ApiError::conflict("it is kept by the provisioning file; change it there")
}

/// 409: something still needs it.
pub(super) fn used_by(users: &[String]) -> Result<(), ApiError> {
    if users.is_empty() {
        return Ok(());
    }
    Err(ApiError::conflict(format!("it is used by {}", users.join(", "))))
}

/// A name that may be given: `given`, or the one it has, if no other of its kind has it.
pub(super) fn name<'n>(
    given: Option<&str>,
    present: Option<&str>,
    mut others: impl Iterator<Item = &'n str>,
) -> Result<String, ApiError> {
    let name = given.or(present).ok_or_else(|| wrong("name", "is missing"))?.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Err(wrong("name", format!("must have 1 to {NAME_MAX} characters")));
    }
    if others.any(|other| other == name) {
        return Err(ApiError::conflict(format!("name: `{name}` is taken")));
    }
    Ok(name.to_owned())
}
