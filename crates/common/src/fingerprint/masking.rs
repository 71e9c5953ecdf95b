//! Running text without what changes from one report to the next.

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
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
];

#[rustfmt::skip]
const WEEKDAYS: [&str; 14] = [
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday",
];

/// The shortest run of hexadecimal digits that counts as an id. Shorter ones occur as words and names.
const HEX_ID_MIN: usize = 8;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

pub(super) fn kind(token: &str) -> Kind {
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

/// A month's name or the first three letters of it.
fn is_month(word: &str) -> bool {
    MONTHS.iter().any(|month| word.eq_ignore_ascii_case(month) || word.eq_ignore_ascii_case(&month[..3]))
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

    #[test]
    fn word_lists_are_sorted_for_the_binary_search() {
        for list in [&NAMED_BY_NUMBER[..], &UNITS] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
