//! Fourth stage: which events are the same alert.
//!
//! A source that names its alerts is taken at its word, per sender. For the others it is what they say, without
//! times, counters and measurements.

use watchbell_common::{
    alert::Event,
    fingerprint::{masked, of_parts},
};

/// How much of a text takes part: what tells two alerts apart stands at the top, and tables below it change.
const TEXT_MAX_BYTES: usize = 4 * 1024;

/// The fingerprint of a mail, 32 hex digits. `family` and `key` are those of the rule that knew it.
pub(crate) fn of_mail(event: &Event, family: &str, key: Option<&str>) -> String {
    let sender = event.from.first().map_or("", String::as_str);
    if let Some(key) = key {
        return of_parts(&["mail 1", sender, family, key]);
    }
    let text = &event.text[..event.text.floor_char_boundary(TEXT_MAX_BYTES)];
    of_parts(&["mail 1", sender, "", &masked(&event.subject), &masked(text)])
}
