//! The built-in plain-text layout: what a person needs at three in the morning, most important first.
//!
//! ```text
//! 🚨 CRITICAL · firing · db1
//! the disk is full
//! Action: free some space on /var
//! Subject: Disk FULL on db1
//! From: root@db1.example.org (mail)
//! Received: 2026-11-20 10:00:00 UTC, seen 3 times
//! ```
//! The text of an alert comes from strangers: whatever could move a cursor, reverse the reading direction or
//! start a line of its own is taken out.

use std::borrow::Cow;

use jiff::Timestamp;
use watchbell_common::{
    alert::{Severity, Status},
    payload::DeliverPayload,
};

/// The longest line of each kind, in bytes: a summary is a sentence, a system a name.
const SENTENCE_MAX_BYTES: usize = 600;
const NAME_MAX_BYTES: usize = 200;

/// How much of the original text is shown when the analysis had to guess.
const EXCERPT_LINES_MAX: usize = 6;
const EXCERPT_LINE_MAX_BYTES: usize = 160;

/// What stands where a text was cut.
const ELLIPSIS: &str = "…";

/// The parts of the built-in layout, most important first. Every text in it is one clean line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Differs in shape, not only in colour.
    pub symbol: &'static str,
    /// Severity and status in words, the system; parts are separated by ` · `.
    pub heading: String,
    pub summary: String,
    /// Labels and values; only those that say something.
    pub facts: Vec<(&'static str, String)>,
    /// The first lines of the original, when the analysis had to guess.
    pub excerpt: Vec<String>,
}

impl Layout {
    /// Lays a delivery out. At most some 4 kB.
    pub(crate) fn new(payload: &DeliverPayload) -> Self {
        let (event, analysis) = (&payload.alert.event, &payload.alert.analysis);
        let subject = line(&event.subject, SENTENCE_MAX_BYTES);
        let summary = match line(&analysis.summary, SENTENCE_MAX_BYTES) {
            summary if !summary.is_empty() => summary,
            _ if !subject.is_empty() => subject.clone(),
            _ => "(no subject)".to_owned(),
        };
        let mut facts = vec![("Action", line(&analysis.action, SENTENCE_MAX_BYTES))];
        if subject != summary {
            facts.push(("Subject", subject.clone()));
        }
        facts.push(("From", sender(&event.from, &event.source)));
        facts.push(("Received", format!("{}{}", time(event.received_at), seen(payload.count))));
        facts.retain(|(_, value)| !value.is_empty());
        let guessed = analysis.confidence < 1.0;
        let excerpt = if guessed { excerpt(&event.text, &[&summary, &subject]) } else { Vec::new() };
        let (symbol, heading) = heading(payload);
        Self { symbol, heading, summary, facts, excerpt }
    }

    /// As plain text.
    pub fn plain(&self) -> String {
        let mut lines = vec![format!("{} {}", self.symbol, self.heading), self.summary.clone()];
        lines.extend(self.facts.iter().map(|(label, value)| format!("{label}: {value}")));
        lines.extend(self.excerpt.iter().map(|line| format!("> {line}")));
        lines.join("\n")
    }
}

/// Severity and status in words as well as symbols; symbols differ in shape, not only in colour.
fn heading(payload: &DeliverPayload) -> (&'static str, String) {
    let analysis = &payload.alert.analysis;
    let severity = analysis.severity;
    let (symbol, mut parts) = match analysis.status {
        Status::Firing => (symbol(severity), vec![shout(severity.as_str()), "firing".to_owned()]),
        Status::Acknowledged => ("👀", vec!["ACKNOWLEDGED".to_owned(), severity.to_string()]),
        Status::Resolved => ("✅", vec!["RESOLVED".to_owned(), severity.to_string()]),
    };
    let system = line(&analysis.system, NAME_MAX_BYTES);
    if !system.is_empty() {
        parts.push(system);
    }
    if payload.update {
        parts.push("update".to_owned());
    }
    (symbol, parts.join(" · "))
}

const fn symbol(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🚨",
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Info => "ℹ️",
    }
}

fn shout(word: &str) -> String {
    word.to_ascii_uppercase()
}

/// The address in the header is the one people know; it stands last.
fn sender(from: &[String], source: &str) -> String {
    let source = line(source, NAME_MAX_BYTES);
    match from.last().map(|from| line(from, NAME_MAX_BYTES)) {
        Some(from) if !from.is_empty() => format!("{from} ({source})"),
        _ => source,
    }
}

fn time(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn seen(count: u64) -> String {
    if count > 1 { format!(", seen {count} times") } else { String::new() }
}

/// The first lines of the original that say something new.
fn excerpt(text: &str, known: &[&str]) -> Vec<String> {
    let lines = text.lines().map(|text| line(text, EXCERPT_LINE_MAX_BYTES));
    let mut kept: Vec<String> =
        lines.filter(|line| !line.is_empty() && !known.contains(&line.as_str())).take(EXCERPT_LINES_MAX + 1).collect();
    if kept.len() > EXCERPT_LINES_MAX {
        ELLIPSIS.clone_into(&mut kept[EXCERPT_LINES_MAX]);
    }
    kept
}

/// One clean line: control and direction characters taken out, white space made single, cut to a length.
pub(crate) fn line(text: &str, max_bytes: usize) -> String {
    // Cut first, generously, so that a text of megabytes costs nothing; marks and spaces rarely halve a line.
    let text = cut(text, max_bytes.saturating_mul(4));
    let mut out = String::with_capacity(text.len().min(max_bytes) + 4);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    for word in words {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|&c| !steers(c)));
    }
    match cut(&out, max_bytes) {
        Cow::Borrowed(_) => out,
        Cow::Owned(cut) => cut,
    }
}

/// Invisible characters that change how others are read: directions (Unicode TR9 §2), the byte-order mark.
const fn steers(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text within `max_bytes`, cut between two characters and marked with an ellipsis when it is longer.
pub(crate) fn cut(text: &str, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes {
        return Cow::Borrowed(text);
    }
    match max_bytes.checked_sub(ELLIPSIS.len()) {
        Some(room) => Cow::Owned(format!("{}{ELLIPSIS}", &text[..text.floor_char_boundary(room)])),
        None => Cow::Borrowed(&text[..text.floor_char_boundary(max_bytes)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::payload;

    fn plain(payload: &DeliverPayload) -> String {
        Layout::new(payload).plain()
    }

    #[test]
    fn a_firing_alert_reads_at_a_glance() {
        insta::assert_snapshot!(plain(&payload()), @r"
        🚨 CRITICAL · firing · db1
        /var on db1 is full
        Action: free some space on /var
        Subject: Disk FULL on db1
        From: root@db1.example.org (mail)
        Received: 2026-11-20 09:59:58 UTC, seen 3 times
        ");
    }

    #[test]
    fn a_resolved_alert_cannot_be_taken_for_a_firing_one() {
        let mut payload = payload();
        payload.alert.analysis.status = Status::Resolved;
        payload.count = 1;
        payload.alert.analysis.action.clear();
        insta::assert_snapshot!(plain(&payload), @r"
        ✅ RESOLVED · critical · db1
        /var on db1 is full
        Subject: Disk FULL on db1
        From: root@db1.example.org (mail)
        Received: 2026-11-20 09:59:58 UTC
        ");
    }

    #[test]
    fn a_guess_shows_the_first_lines_of_the_original() {
        let mut payload = payload();
        let event = &mut payload.alert.event;
        event.text = format!("{}\n\n  /var is \x1b[31mfull\n{}", event.subject, "more\n".repeat(9));
        payload.alert.analysis.summary = event.subject.clone();
        payload.alert.analysis.confidence = 0.4;
        payload.update = true;
        insta::assert_snapshot!(plain(&payload), @r"
        🚨 CRITICAL · firing · db1 · update
        Disk FULL on db1
        Action: free some space on /var
        From: root@db1.example.org (mail)
        Received: 2026-11-20 09:59:58 UTC, seen 3 times
        > /var is [31mfull
        > more
        > more
        > more
        > more
        > more
        > …
        ");
    }

    #[test]
    fn every_severity_has_a_symbol_and_a_word_of_its_own() {
        let heads = Severity::ALL.map(|severity| {
            let mut payload = payload();
            payload.alert.analysis.severity = severity;
            plain(&payload).lines().next().unwrap().to_owned()
        });
        insta::assert_snapshot!(heads.join("\n"), @r"
        ℹ️ INFO · firing · db1
        ⚠️ WARNING · firing · db1
        ❌ ERROR · firing · db1
        🚨 CRITICAL · firing · db1
        ");
    }

    #[test]
    fn nothing_that_steers_a_terminal_or_starts_a_line_gets_through() {
        let mut payload = payload();
        let hostile = "a\u{1b}[2J\r\nSubject: forged\0\u{9b}\u{2028}x \u{202e}gnp.exe\u{7f}";
        let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
        for field in [&mut event.subject, &mut event.text, &mut event.source] {
            hostile.clone_into(field);
        }
        for field in [&mut analysis.summary, &mut analysis.action, &mut analysis.system] {
            hostile.clone_into(field);
        }
        event.from = vec![hostile.to_owned()];
        analysis.confidence = 0.1;
        let text = plain(&payload);
        assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || steers(c) || c == '\u{2028}')), "{text:?}");
        assert_eq!(text.lines().filter(|line| line.starts_with("Subject:")).count(), 0, "{text}");
    }

    #[test]
    fn an_event_that_says_nothing_still_makes_a_message() {
        let mut payload = payload();
        let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
        (event.subject, event.from) = (String::new(), Vec::new());
        (analysis.summary, analysis.system, analysis.action) = (String::new(), String::new(), String::new());
        payload.alert.event.received_at = i64::MAX;
        payload.count = 0;
        insta::assert_snapshot!(plain(&payload), @r"
        🚨 CRITICAL · firing
        (no subject)
        From: mail
        Received: 1970-01-01 00:00:00 UTC
        ");
    }

    #[test]
    fn whatever_comes_in_the_message_stays_short() {
        let mut payload = payload();
        let huge = "я ".repeat(500_000);
        let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
        for field in [&mut event.subject, &mut event.text, &mut analysis.summary, &mut analysis.action] {
            huge.clone_into(field);
        }
        analysis.system = huge;
        analysis.confidence = 0.1;
        assert!(plain(&payload).len() < 4_096);
    }

    #[test]
    fn a_cut_falls_between_two_characters() {
        assert_eq!(cut("яяяя", 8), "яяяя");
        assert_eq!(cut("яяяя", 7), "яя…");
        assert_eq!(cut("яяяя", 6), "я…");
        assert_eq!(cut("яяяя", 2), "я");
        assert_eq!(cut("яяяя", 1), "");
    }
}
