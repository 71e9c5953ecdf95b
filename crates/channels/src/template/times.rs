//! Functions about time. A time is a text as RFC 3339 or RFC 9557 writes it, as the data of messages has it, or a
//! number of milliseconds since 1970. Layouts are Go's (`2006-01-02 15:04:05`).

use std::fmt::Write as _;

use gtmpl_ng::{FuncError, Value};
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::{
    around, compare,
    texts::{Answer, arguments, failed, text},
};

/// The parts of Go's layouts, those that begin alike with the longest first, and how `strftime` calls them.
const PARTS: [(&str, &str); 34] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("2006", "%Y"),
    ("Z07:00", "%:z"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    (".000000000", ".%9f"),
    (".000000", ".%6f"),
    (".000", ".%3f"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("_2", "%e"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("%", "%%"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("DateTime", "%Y-%m-%d %H:%M:%S"),
    ("DateOnly", "%Y-%m-%d"),
    ("TimeOnly", "%H:%M:%S"),
    ("RFC3339", "%Y-%m-%dT%H:%M:%S%:z"),
    ("Kitchen", "%-I:%M%p"),
];

/// The longest layout in bytes.
const LAYOUT_MAX_BYTES: usize = 256;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The present time.
pub(super) fn now(all: &[Value]) -> Answer {
    let [] = arguments("now", all)?;
    Ok(around(|around| around.now).to_string().into())
}

/// `date "2006-01-02 15:04" .StartsAt`, in the channel's time zone or the one that `tz` gave. No time is empty.
pub(super) fn date(all: &[Value]) -> Answer {
    let [layout, time] = arguments("date", all)?;
    let layout = text(layout);
    if layout.len() > LAYOUT_MAX_BYTES {
        return failed("a layout is too long");
    }
    let Some(time) = zoned(time)? else { return Ok("".into()) };
    let mut out = String::new();
    write!(out, "{}", time.strftime(&strftime(&layout)))
        .map_err(|_| FuncError::Generic(format!("`{layout}` is not a layout")))?;
    Ok(out.into())
}

/// `tz "Europe/Berlin" .StartsAt`: the same time in another zone.
pub(super) fn tz(all: &[Value]) -> Answer {
    let [name, time] = arguments("tz", all)?;
    let name = text(name);
    let Ok(zone) = TimeZone::get(&name) else { return failed(format!("`{name}` is not a time zone")) };
    let time = zoned(time)?;
    Ok(time.map(|time| time.with_time_zone(zone).to_string()).unwrap_or_default().into())
}

/// How many seconds have passed since a time.
pub(super) fn since(all: &[Value]) -> Answer {
    let [time] = arguments("since", all)?;
    let Some(time) = zoned(time)? else { return Ok("".into()) };
    Ok(around(|around| around.now).duration_since(time.timestamp()).as_secs().into())
}

/// `2h 5m 3s` of a number of seconds; whatever is no number stays as it is.
pub(super) fn humanize_duration(all: &[Value]) -> Answer {
    let [seconds] = arguments("humanizeDuration", all)?;
    let Some(number) = compare::number(seconds) else { return Ok(text(seconds).into_owned().into()) };
    let sign = if number < 0.0 { "-" } else { "" };
    let number = number.abs();
    if number < 1.0 && number > 0.0 {
        return Ok(format!("{sign}{}ms", (number * 1_000.0).round()).into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; the cast saturates")]
    let mut left = number as u64;
    let mut parts = Vec::new();
    for (unit, name) in [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (1, "s")] {
        if left >= unit || !parts.is_empty() || unit == 1 {
            parts.push(format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    Ok(format!("{sign}{}", parts.join(" ")).into())
}

/// Reads a time; nothing is no time, and a text that is none is an error.
fn zoned(value: &Value) -> Result<Option<Zoned>, FuncError> {
    let text = text(value);
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(Some(zoned));
    }
    let timestamp = match text.parse::<Timestamp>() {
        Ok(timestamp) => Some(timestamp),
        Err(_) => text.parse().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok()),
    };
    let Some(timestamp) = timestamp else { return failed(format!("`{text}` is not a time")) };
    Ok(Some(timestamp.to_zoned(around(|around| around.zone.clone()))))
}

/// A layout of Go in the words of `strftime`.
fn strftime(layout: &str) -> String {
    let mut out = String::with_capacity(layout.len() * 2);
    let mut rest = layout;
    while let Some(letter) = rest.chars().next() {
        let taken = if let Some((part, named)) = PARTS.iter().find(|(part, _)| rest.starts_with(part)) {
            out.push_str(named);
            part.len()
        } else {
            out.push(letter);
            letter.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}
