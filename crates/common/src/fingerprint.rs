//! Identity: which reports are about the same thing.
//!
//! A source that names its alerts is taken at its word. For the others, identity is what was said, without
//! what changes from one report to the next: times, counters, measurements, and the state itself (firing,
//! resolved, how severe). The rules lean to one side on purpose: taking two alerts for one can hide an
//! alert, taking one for two only repeats it. So whatever may name a thing stays: host names with digits
//! (`db01`), addresses, versions, `port 8080`, whole numbers in labels.

use aws_lc_rs::digest::{Context, SHA256};

use crate::{alert::Severity, alert::Status, crypto::hex, payload::Item};

/// Labels that say when, how often or how much: numbers in them name nothing.
/// Compared in `snake_case`; the last part of a dotted name counts.
#[rustfmt::skip]
const CHANGING: [&str; 54] = [
    "age", "attempt", "attempts", "count", "counter", "created", "current", "current_value", "date", "datetime",
    "delay", "duration", "elapsed", "end", "ended", "epoch", "event_date", "event_time", "hits", "iteration",
    "last_seen", "latency", "load", "metric_value", "modified", "num", "occurrences", "offset", "opdata", "percent",
    "percentage", "pid", "ping", "ratio", "repeat", "retries", "retry", "sent", "seq", "sequence", "sequence_number",
    "start", "started", "time", "timestamp", "total", "ts", "updated", "uptime", "usage", "used", "value", "values",
    "when",
];

/// Labels that name the message, not what it is about.
#[rustfmt::skip]
const MESSAGE: [&str; 7] = [
    "correlation_id", "delivery_id", "message_id", "nonce", "request_id", "span_id", "trace_id",
];

/// Labels that say how the thing stands. They belong to the variant, not to the identity.
#[rustfmt::skip]
const STATE: [&str; 12] = [
    "alert_state", "level", "nseverity", "priority", "recovery", "resolved", "sev", "severity", "state", "status",
    "truncated_alerts", "urgency",
];

/// Endings of label names that mean the same as [`CHANGING`]: `startsAt`, `disk_used_percent`, `queue_length_bytes`.
#[rustfmt::skip]
const CHANGING_ENDINGS: [&str; 14] = [
    "_at", "_bytes", "_count", "_date", "_duration", "_ms", "_pct", "_percent", "_seconds", "_time", "_timestamp",
    "_total", "_ts", "_value",
];

/// Words after which a whole number is a name: `port 8080`, `disk 3`, `error 1045`.
#[rustfmt::skip]
const NAMED_BY_NUMBER: [&str; 42] = [
    "account", "array", "bay", "channel", "check", "code", "core", "customer", "device", "disk", "drive", "enclosure",
    "errno", "error", "event", "fan", "group", "host", "http", "interface", "job", "line", "lun", "node", "order",
    "partition", "port", "psu", "queue", "rack", "raid", "replica", "rule", "sensor", "server", "shard", "site",
    "slot", "status", "tenant", "unit", "vlan",
];

/// What may follow a number at once and make it a measurement or a duration.
#[rustfmt::skip]
const UNITS: [&str; 47] = [
    "B", "G", "GB", "GHz", "Gbps", "Gi", "GiB", "Hz", "K", "KB", "KiB", "M", "MB", "MHz", "Mbps", "Mi", "MiB", "T",
    "TB", "Ti", "TiB", "V", "W", "bps", "d", "day", "days", "h", "hours", "hr", "hrs", "k", "kB", "kHz", "kbps", "m",
    "min", "mins", "ms", "ns", "rpm", "s", "sec", "secs", "us", "w", "µs",
];

#[rustfmt::skip]
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

#[rustfmt::skip]
const WEEKDAYS: [&str; 14] = [
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday",
];

/// The shortest run of hexadecimal digits that counts as an id. Shorter ones occur as words and names.
const HEX_ID_MIN: usize = 8;

/// The fingerprint of a webhook item: 32 hex digits.
///
/// With a key it depends on the source and the key only. Without one, on the source, the system, the category,
/// the sender, title and text as [`masked`], and the labels that identify; not on severity and status, so the
/// news that it is over finds its alert when nothing else was worded differently.
pub fn of_item(item: &Item) -> String {
    let mut hash = Parts::new("item 1");
    hash.part(&item.source);
    if let Some(key) = &item.key {
        hash.part("key");
        hash.part(key);
        return hash.finish();
    }
    hash.part("content");
    for text in [&item.system, &item.category, &item.from] {
        hash.part(text.as_deref().unwrap_or_default());
    }
    hash.part(&masked(&item.title));
    hash.part(&masked(&item.text));
    for (name, value) in &item.labels {
        if let Some(value) = identifying(name, value) {
            hash.part(name);
            hash.part(&value);
        }
    }
    hash.finish()
}

/// The state that an item reports, 32 hex digits: it changes with severity and status, known or in the source's
/// own words. What differs in this is not a repeat.
pub fn variant_of_item(item: &Item) -> String {
    let mut hash = Parts::new("state 1");
    hash.part(item.status.map_or("", Status::as_str));
    hash.part(item.severity.map_or("", Severity::as_str));
    for (name, value) in &item.labels {
        if STATE.binary_search(&snake_case(name).as_str()).is_ok() {
            hash.part(name);
            hash.part(value);
        }
    }
    hash.finish()
}

/// A fingerprint of texts, 32 hex digits; `["ab", ""]` and `["a", "b"]` differ.
pub fn of_parts(parts: &[&str]) -> String {
    let mut hash = Parts::new("parts 1");
    parts.iter().for_each(|part| hash.part(part));
    hash.finish()
}

/// SHA-256 over parts that do not run together.
struct Parts(Context);

impl Parts {
    fn new(purpose: &str) -> Self {
        let mut parts = Self(Context::new(&SHA256));
        parts.part(purpose);
        parts
    }

    fn part(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn finish(self) -> String {
        hex(&self.0.finish().as_ref()[..16])
    }
}

/// What a label contributes to the identity, if anything.
fn identifying(name: &str, value: &str) -> Option<String> {
    let name = snake_case(name);
    let last = name.rsplit('.').next().unwrap_or(&name);
    let known = |list: &[&str]| list.binary_search(&last).is_ok();
    if known(&MESSAGE) || known(&STATE) {
        return None;
    }
    let whole = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let changing = known(&CHANGING) || CHANGING_ENDINGS.iter().any(|ending| last.ends_with(ending));
    if changing || (whole && is_epoch(value)) {
        return Some(masked(value));
    }
    // A number or an id alone in a label was put there to identify; in running text it is one of many.
    if whole || kind(value) == Kind::Hex { Some(value.to_owned()) } else { Some(masked(value)) }
}

/// `startsAt` and `starts-at` become `starts_at`; dots stay.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(if matches!(c, '-' | ' ') { '_' } else { c.to_ascii_lowercase() });
    }
    out.trim_matches('_').to_owned()
}

/// Seconds, milli-, micro- or nanoseconds since 1970 of the years 2001 to 2096.
fn is_epoch(digits: &str) -> bool {
    matches!(digits.len(), 10 | 13 | 16 | 19) && matches!(digits.as_bytes()[0], b'1'..=b'3')
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Time only beside a number: `Nov`, `PM`.
    TimeBesideNumber,
    Number,
    Time,
    Hex,
}

impl Kind {
    const fn mask(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::TimeBesideNumber => None,
            Self::Number => Some("<num>"),
            Self::Time => Some("<time>"),
            Self::Hex => Some("<hex>"),
        }
    }
}

/// The text with what changes between two reports of the same thing replaced: dates, times of day and weekdays
/// become `<time>`; numbers standing alone, percentages, quantities and durations `<num>`; UUIDs and hexadecimal
/// ids of 8 or more digits `<hex>`. White space becomes single spaces.
///
/// Words with digits in them (`db01`, `eth0`, `x86_64`), IP and MAC addresses, `host:port`, versions of three
/// parts, `#7`, and whole numbers after a word such as `port` or `disk` stay: they name things.
pub fn masked(text: &str) -> String {
    let words = words(text);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (index, word) in words.iter().enumerate() {
        push_between(&mut out, &text[end..word.start]);
        let token = &text[word.start..word.end];
        let before = index.checked_sub(1).map(|index| &words[index]);
        push_masked(&mut out, token, mask_in_context(text, word, before, words.get(index + 1)));
        end = word.end;
    }
    push_between(&mut out, &text[end..]);
    out.truncate(out.trim_end().len());
    out
}

/// A word of a text.
struct Word {
    start: usize,
    end: usize,
    kind: Kind,
}

fn mask_in_context(text: &str, word: &Word, before: Option<&Word>, after: Option<&Word>) -> Option<&'static str> {
    let numeric = |other: Option<&Word>| other.is_some_and(|other| matches!(other.kind, Kind::Number | Kind::Time));
    match word.kind {
        Kind::TimeBesideNumber if numeric(before) || numeric(after) => Kind::Time.mask(),
        Kind::Number if text[word.start..word.end].bytes().all(|byte| byte.is_ascii_digit()) => {
            let named = text[..word.start].ends_with('#')
                || before.is_some_and(|before| {
                    let close = text[before.end..word.start].trim_matches([' ', ':', '=', '#', '-']).is_empty();
                    let name = text[before.start..before.end].to_ascii_lowercase();
                    close && NAMED_BY_NUMBER.binary_search(&name.as_str()).is_ok()
                });
            if named { None } else { word.kind.mask() }
        }
        kind => kind.mask(),
    }
}

fn push_masked(out: &mut String, token: &str, mask: Option<&'static str>) {
    if let Some(mask) = mask {
        out.push_str(mask);
        return;
    }
    // `load:9.5` is a measurement, `web:8080` is an address.
    if let Some((head, tail)) = token.split_once(':')
        && head.chars().all(char::is_alphabetic)
        && !tail.bytes().all(|byte| byte.is_ascii_digit())
        && let Some(mask) = kind(tail).mask()
    {
        out.push_str(head);
        out.push(':');
        out.push_str(mask);
    } else {
        out.push_str(token);
    }
}

fn push_between(out: &mut String, between: &str) {
    for c in between.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

/// Splits into words: letters and digits with the signs that hold dates, numbers, names and addresses together.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::with_capacity(text.len() / 6);
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        let mut end = start + first.len_utf8();
        let mut last = first;
        while let Some(&(at, c)) = chars.peek() {
            let next = text[at + c.len_utf8()..].chars().next();
            if !(c.is_alphanumeric() || joins(last, c, next)) {
                break;
            }
            (end, last) = (at + c.len_utf8(), c);
            chars.next();
        }
        words.push(Word { start, end, kind: kind(&text[start..end]) });
    }
    words
}

fn joins(last: char, c: char, next: Option<char>) -> bool {
    let next_joins = next.is_some_and(char::is_alphanumeric);
    match c {
        '.' | '-' | '_' | '/' | '+' | '@' => next_joins,
        ':' => next_joins || next == Some(':'),
        ',' => last.is_ascii_digit() && next.is_some_and(|next| next.is_ascii_digit()),
        '%' => last.is_ascii_digit(),
        _ => false,
    }
}

fn kind(token: &str) -> Kind {
    if !token.bytes().any(|byte| byte.is_ascii_digit()) {
        return if WEEKDAYS.contains(&token) {
            Kind::Time
        } else if is_month(token) || matches!(token, "AM" | "PM" | "am" | "pm") {
            Kind::TimeBesideNumber
        } else {
            Kind::Plain
        };
    }
    if is_time(token) {
        Kind::Time
    } else if is_number(token.strip_suffix('%').unwrap_or(token)) || is_pair(token) || is_quantity(token) {
        Kind::Number
    } else if is_hex(token) {
        Kind::Hex
    } else {
        Kind::Plain
    }
}

fn is_month(word: &str) -> bool {
    #[rustfmt::skip]
    const LONG: [&str; 12] = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ];
    word.len() <= 9 && {
        let word = word.to_ascii_lowercase();
        MONTHS.contains(&word.as_str()) || LONG.contains(&word.as_str())
    }
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_time(token: &str) -> bool {
    let both = |at: char| token.split_once(at).is_some_and(|(date, clock)| is_date(date) && is_clock(clock));
    (token.contains(':') && is_clock(token)) || is_date(token) || both('T') || both('_') || both(':') || both('-')
}

/// `2026-11-21`, `2026.11.21`, `21/11/2026`, `21/Nov/2026`, `20261121` before a time of day.
fn is_date(text: &str) -> bool {
    let Some(separator) = text.chars().find(|c| matches!(c, '-' | '/' | '.')) else {
        return is_digits(text, 8..=8) && text.starts_with("20");
    };
    let mut parts = text.split(separator);
    let (Some(first), Some(middle), Some(last), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let middle_fits = is_digits(middle, 1..=2) || is_month(middle);
    middle_fits
        && ((is_digits(first, 4..=4) && is_digits(last, 1..=2)) || (is_digits(first, 1..=2) && is_digits(last, 4..=4)))
}

/// `20:59`, `20:59:15`, `20:59:15.045Z`, `20:59:15+01:00`, `205915Z`.
fn is_clock(text: &str) -> bool {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let text = match text.split_once(['+', '-']) {
        Some((clock, offset)) if offset.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') => clock,
        _ => text,
    };
    let (text, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if !is_digits(fraction, 1..=9) {
        return false;
    }
    let compact = is_digits(text, 6..=6);
    compact || (matches!(text.split(':').count(), 2 | 3) && text.split(':').all(|part| is_digits(part, 1..=2)))
}

/// `5`, `9.5`, `1,234,567`, `1.5e+06`.
fn is_number(text: &str) -> bool {
    let (text, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    if !is_digits(exponent.trim_start_matches(['+', '-']), 1..=3) {
        return false;
    }
    let mut groups = text.split(['.', ',']);
    let whole = groups.next().unwrap_or_default();
    let thousands = text.contains(',') && groups.clone().count() > 1;
    is_digits(whole, 1..=usize::MAX)
        && if thousands {
            groups.all(|group| is_digits(group, 1..=3))
        } else {
            groups.next().is_none_or(|group| is_digits(group, 1..=usize::MAX)) && groups.next().is_none()
        }
}

/// `5/10`, `10-20`.
fn is_pair(text: &str) -> bool {
    text.split_once(['/', '-']).is_some_and(|(left, right)| is_number(left) && is_number(right))
}

/// `35ms`, `1.5GB`, `2h30m`.
fn is_quantity(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
        let number = &rest[..rest.len() - unit.len()];
        rest = unit.trim_start_matches(char::is_alphabetic);
        let unit = &unit[..unit.len() - rest.len()];
        if !is_number(number) || UNITS.binary_search(&unit).is_err() {
            return false;
        }
    }
    true
}

fn is_hex(text: &str) -> bool {
    let all_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = text.strip_prefix("0x") {
        return all_hex(digits);
    }
    let uuid = || text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let hex = if uuid() { all_hex(&text.replace('-', "")) } else { text.len() >= HEX_ID_MIN && all_hex(text) };
    hex && text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_hides_what_changes_and_keeps_what_names() {
        let table = [
            // times
            ("at 2026-11-21T20:59:15.045Z it broke", "at <time> it broke"),
            ("2026-11-21 20:59:15 UTC", "<time> <time> UTC"),
            ("started at 21:04:10 on 2026.11.21", "started at <time> on <time>"),
            ("Sat, 21 Nov 2026 20:59:15 +0000", "<time>, <num> <time> <num> <time> +<num>"),
            ("Nov  1 04:05:06 db01 kernel", "<time> <num> <time> db01 kernel"),
            ("[21/Nov/2026:20:59:15 +0100] GET", "[<time> +<num>] GET"),
            ("9:05 PM", "<time> <time>"),
            ("20261121T205915Z and 205915 and 2026", "<time> and <num> and <num>"),
            ("you may retry", "you may retry"),
            // measurements
            ("disk 98% full, was 97.5%", "disk <num> full, was <num>"),
            ("load 9.5 for 35ms, 2h30m, 1.5GB", "load <num> for <num>, <num>, <num>"),
            ("1,234,567 of 2,000,000 (5/10)", "<num> of <num> (<num>)"),
            ("value 1.5e+06", "value <num>"),
            ("load:9.5 up:2h", "load:<num> up:<num>"),
            ("pid=4711", "pid=<num>"),
            // ids
            ("container 3f2a9c01b7de died", "container <hex> died"),
            ("6f9619ff-8b86-d011-b42d-00cf4fc964ff", "<hex>"),
            ("segfault at 0x7ffe", "segfault at <hex>"),
            // names
            ("db01 and db02.prod on eth0", "db01 and db02.prod on eth0"),
            ("10.0.0.7 and 127.0.0.1:9191 and 10.0.0.0/8", "10.0.0.7 and 127.0.0.1:9191 and 10.0.0.0/8"),
            ("fe80::1 and 00:1a:2b:3c:4d:5e", "fe80::1 and 00:1a:2b:3c:4d:5e"),
            ("web:8080 at http://web:8080/x", "web:8080 at http://web:8080/x"),
            ("port 8080, disk 3, slot: 4, error=1045", "port 8080, disk 3, slot: 4, error=1045"),
            ("ticket #17", "ticket #17"),
            ("openssl 3.0.15 on x86_64", "openssl 3.0.15 on x86_64"),
            ("deadbeef facade", "deadbeef facade"),
            ("磁盘 98% on Datenbank Ü1", "磁盘 <num> on Datenbank Ü1"),
            // white space
            ("  a \r\n\t b  ", "a b"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    fn item(title: &str, labels: &[(&str, &str)]) -> Item {
        Item {
            source: "push".to_owned(),
            title: title.to_owned(),
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Item::default()
        }
    }

    #[test]
    fn a_key_is_the_whole_identity() {
        let mut one = item("CPU high", &[("a", "1")]);
        let mut two = item("CPU fine", &[("a", "2")]);
        one.key = Some("cpu".to_owned());
        two.key = Some("cpu".to_owned());
        assert_eq!(of_item(&one), of_item(&two));
        two.source = "alertmanager".to_owned();
        assert_ne!(of_item(&one), of_item(&two), "keys of different sources have nothing to do with each other");
    }

    #[test]
    fn times_counters_and_states_are_not_identity() {
        let first = item("disk 91% full", &[("time", "10:00"), ("count", "1"), ("usage", "91.0"), ("status", "down")]);
        let later = item("disk 92% full", &[("time", "10:05"), ("count", "2"), ("usage", "92.5"), ("status", "up")]);
        assert_eq!(of_item(&first), of_item(&later));
        for (one, two) in [
            (("startsAt", "1"), ("startsAt", "22")),
            (("trace_id", "a"), ("trace_id", "b")),
            (("disk_used_percent", "91"), ("disk_used_percent", "92")),
            (("detail.event-time", "1"), ("detail.event-time", "2")),
            (("odd_name", "1795295524"), ("odd_name", "1795295999")),
            (("odd_name", "2026-11-21T20:59:15Z"), ("odd_name", "2026-11-21T21:00:00Z")),
            (("odd_name", "93.5"), ("odd_name", "94.25")),
        ] {
            assert_eq!(of_item(&item("x", &[one])), of_item(&item("x", &[two])), "{one:?} {two:?}");
        }
    }

    #[test]
    fn different_things_stay_different() {
        for (one, two) in [
            (("node_name", "db01"), ("node_name", "db02")),
            (("port", "8080"), ("port", "8081")),
            (("value", "table users"), ("value", "table orders")),
            (("volume", "3f2a9c01b7de"), ("volume", "3f2a9c01b7df")),
            (("instance", "10.0.0.7:9100"), ("instance", "10.0.0.8:9100")),
        ] {
            assert_ne!(of_item(&item("x", &[one])), of_item(&item("x", &[two])), "{one:?} {two:?}");
        }
        assert_ne!(of_item(&item("db01 down", &[])), of_item(&item("db02 down", &[])));
        assert_eq!(of_item(&item("x", &[])).len(), 32);
    }

    #[test]
    fn the_variant_follows_the_state_also_in_words_we_do_not_know() {
        let mut firing = item("x", &[]);
        firing.status = Some(Status::Firing);
        let mut resolved = firing.clone();
        resolved.status = Some(Status::Resolved);
        assert_ne!(variant_of_item(&firing), variant_of_item(&resolved));
        let worse = item("x", &[("severity", "page"), ("count", "2")]);
        assert_eq!(variant_of_item(&item("x", &[("severity", "page")])), variant_of_item(&worse));
        assert_ne!(variant_of_item(&item("x", &[("severity", "ticket")])), variant_of_item(&worse));
    }

    #[test]
    fn word_lists_are_sorted_for_the_binary_search() {
        for list in [&CHANGING[..], &MESSAGE, &STATE, &NAMED_BY_NUMBER, &UNITS] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
