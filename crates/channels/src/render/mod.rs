//! The built-in layout: what a person needs at three in the morning, most important first, in the channel's language.
//!
//! ```text
//! 🚨 CRITICAL · firing · db1
//! the disk is full
//! Action: free some space on /var
//! Subject: Disk FULL on db1
//! From: root@db1.example.org (mail)
//! Since: 2026-11-20 08:30:00 UTC (1 h 30 min)
//! Received: 2026-11-20 10:00:00 UTC, seen 3 times
//! https://watchbell.example.org/alerts/view/?id=alr_…
//! ```
//! The text of an alert comes from strangers: whatever could move a cursor, reverse the reading direction or
//! start a line of its own is taken out.

mod manner;
#[cfg(test)]
mod tests;
mod words;

use std::{borrow::Cow, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use watchbell_common::{
    alert::{Alert, Severity, Status},
    clock::UnixMillis,
    payload::DeliverPayload,
};

pub(crate) use self::manner::{FIELDS, Manner, check};
use self::words::Words;
pub(crate) use self::words::{Language, SEPARATOR};

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
    /// The heading without the system.
    pub(crate) state: String,
    pub summary: String,
    /// Labels and values; only those that say something.
    pub facts: Vec<(&'static str, String)>,
    /// The first lines of the original, when the analysis had to guess.
    pub excerpt: Vec<String>,
    /// The alert in the dashboard.
    pub link: Option<String>,
    /// What to call the link, for platforms that have buttons or named links.
    pub link_label: &'static str,
    /// The language reads from right to left. Values that may not are isolated already (Unicode TR9 §2.4).
    pub rtl: bool,
    /// The labels of the facts that also stand in what follows a message: what to do, the original beside the summary,
    /// and whether something is wrong with the message itself.
    pub(crate) always: [&'static str; 3],
    /// What stands between a label and its value, in the language's own punctuation.
    colon: &'static str,
}

impl Layout {
    /// Lays a delivery out. At most some 4 kB.
    pub(crate) fn new(payload: &DeliverPayload, manner: &Manner) -> Self {
        let (event, analysis) = (&payload.alert.event, &payload.alert.analysis);
        let words = manner.language.words();
        let subject = line(&event.subject, SENTENCE_MAX_BYTES);
        let summary = match line(&analysis.summary, SENTENCE_MAX_BYTES) {
            summary if !summary.is_empty() => summary,
            _ if !subject.is_empty() => subject.clone(),
            _ => words.no_subject.to_owned(),
        };
        let mut facts = vec![(words.action, line(&analysis.action, SENTENCE_MAX_BYTES))];
        if subject != summary {
            facts.push((words.subject, subject.clone()));
        }
        facts.push((words.from, sender(&event.from, &event.source)));
        facts.retain(|(_, value)| !value.is_empty());
        for (_, value) in &mut facts {
            *value = words.isolated(std::mem::take(value));
        }
        let time = |at| words.isolated(time(at, &manner.zone));
        facts.extend(
            lasted(payload)
                .map(|(began, lasted)| (words.since, format!("{} ({})", time(began), words.duration(lasted)))),
        );
        facts.push((words.received, format!("{}{}", time(event.received_at), words.seen(payload.count))));
        let guessed = analysis.confidence < 1.0;
        let excerpt = if guessed { excerpt(&event.text, &[&summary, &subject]) } else { Vec::new() };
        Self {
            symbol: symbol(analysis.status, analysis.severity),
            heading: heading(payload, words),
            state: words.state(analysis.status, analysis.severity),
            summary,
            facts,
            excerpt,
            link: manner.public_url.as_deref().map(|url| link(url, &payload.alert)),
            link_label: words.details,
            rtl: manner.language == Language::Fa,
            always: [words.action, words.subject, words.template_failed],
            colon: words.colon,
        }
    }

    /// Adds that a template failed, and why, where every platform shows it.
    pub(crate) fn say_that_a_template_failed(&mut self, name: &str, reason: &str, manner: &Manner) {
        self.facts.push(failure(name, reason, manner));
    }

    /// A label with what stands between it and its value: what is emphasised with the label, and the rest. Markdown
    /// ends no emphasis between a punctuation mark and a letter, so a colon without a space after it is of the rest.
    /// <https://spec.commonmark.org/0.31.2/#right-flanking-delimiter-run>
    pub(crate) fn label(&self, label: &str) -> (String, &'static str) {
        match self.colon.strip_suffix(' ') {
            Some(colon) => (format!("{label}{colon}"), " "),
            None => (label.to_owned(), self.colon),
        }
    }

    /// A label and its value as plain text.
    pub(crate) fn labelled(&self, label: &str, value: &str) -> String {
        let (label, rest) = self.label(label);
        format!("{label}{rest}{value}")
    }

    /// As plain text.
    pub fn plain(&self) -> String {
        let mut lines = vec![format!("{} {}", self.symbol, self.heading), self.summary.clone()];
        lines.extend(self.facts.iter().map(|(label, value)| self.labelled(label, value)));
        lines.extend(self.excerpt.iter().map(|line| format!("> {line}")));
        lines.extend(self.link.clone());
        lines.join("\n")
    }
}

/// That a template failed: a label and which and why.
fn failure(name: &str, reason: &str, manner: &Manner) -> (&'static str, String) {
    let words = manner.language.words();
    (words.template_failed, words.isolated(line(&format!("{name}: {reason}"), SENTENCE_MAX_BYTES)))
}

/// [`Layout::say_that_a_template_failed`] for a text that has no layout.
pub(crate) fn failure_line(name: &str, reason: &str, manner: &Manner) -> String {
    let (label, what) = failure(name, reason, manner);
    format!("{label}{}{what}", manner.language.words().colon)
}

/// Severity and status in words as well as symbols.
fn heading(payload: &DeliverPayload, words: &Words) -> String {
    let analysis = &payload.alert.analysis;
    let mut parts = vec![words.state(analysis.status, analysis.severity)];
    let system = line(&analysis.system, NAME_MAX_BYTES);
    if !system.is_empty() {
        parts.push(words.isolated(system));
    }
    if payload.update {
        parts.push(words.update.to_owned());
    }
    parts.join(SEPARATOR)
}

const fn symbol(status: Status, severity: Severity) -> &'static str {
    match (status, severity) {
        (Status::Acknowledged, _) => "👀",
        (Status::Resolved, _) => "✅",
        (Status::Firing, Severity::Critical) => "🚨",
        (Status::Firing, Severity::Error) => "❌",
        (Status::Firing, Severity::Warning) => "⚠️",
        (Status::Firing, Severity::Info) => "ℹ️",
    }
}

/// Where the dashboard shows an alert.
pub(crate) fn link(public_url: &str, alert: &Alert) -> String {
    format!("{}/alerts/view/?id={}", public_url.trim_end_matches('/'), alert.id)
}

/// The address in the header is the one people know; it stands last.
fn sender(from: &[String], source: &str) -> String {
    let source = line(source, NAME_MAX_BYTES);
    match from.last().map(|from| line(from, NAME_MAX_BYTES)) {
        Some(from) if !from.is_empty() => format!("{from} ({source})"),
        _ => source,
    }
}

/// When this episode began and how long ago that is; `None` when this is its first event.
fn lasted(payload: &DeliverPayload) -> Option<(UnixMillis, Duration)> {
    let received_at = payload.alert.event.received_at;
    let began = payload.since.filter(|&began| began < received_at)?;
    Some((began, Duration::from_millis(u64::try_from(received_at.saturating_sub(began)).unwrap_or_default())))
}

fn time(unix_ms: UnixMillis, zone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_zoned(zone.clone());
    time.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
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
pub(crate) const fn steers(c: char) -> bool {
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
