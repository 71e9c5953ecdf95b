//! Drawing a message in a platform's own markup: what is shown of it, its tone, and texts escaped and cut to fit.

use std::borrow::Cow;

use reqwest::Url;
use watchbell_common::alert::{Severity, Status};

use crate::{Body, Layout, Message, Unit, render};

/// What stands where a text was cut.
const ELLIPSIS: &str = "…";

/// The longest line about a message of which a template wrote the text, in bytes.
const NOTICE_MAX_BYTES: usize = 200;

/// How a message is coloured. The words always say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Critical,
    Error,
    Warning,
    Info,
    Acknowledged,
    Resolved,
}

impl Tone {
    pub(crate) const fn of(message: &Message) -> Self {
        match (message.status, message.severity) {
            (Status::Resolved, _) => Self::Resolved,
            (Status::Acknowledged, _) => Self::Acknowledged,
            (Status::Firing, Severity::Critical) => Self::Critical,
            (Status::Firing, Severity::Error) => Self::Error,
            (Status::Firing, Severity::Warning) => Self::Warning,
            (Status::Firing, Severity::Info) => Self::Info,
        }
    }

    /// As red, green and blue.
    pub(crate) const fn rgb(self) -> u32 {
        match self {
            Self::Critical => 0x00b7_1c1c,
            Self::Error => 0x00e6_5100,
            Self::Warning => 0x00f9_a825,
            Self::Info => 0x0015_65c0,
            Self::Acknowledged => 0x0075_7575,
            Self::Resolved => 0x002e_7d32,
        }
    }

    /// As `#rrggbb`.
    pub(crate) fn hex(self) -> String {
        format!("#{:06x}", self.rgb())
    }
}

/// The facts and the excerpt that are shown. `short`: only what to do and the original subject, when all else stands in
/// the message that this one follows.
pub(crate) fn details(layout: &Layout, short: bool) -> (Vec<&(&'static str, String)>, &[String]) {
    let facts = layout.facts.iter().filter(|(label, _)| !short || layout.always.contains(label)).collect();
    (facts, if short { &[] } else { &layout.excerpt })
}

/// The layout without its heading, as plain lines.
pub(crate) fn lines(layout: &Layout, short: bool) -> Vec<String> {
    let (facts, excerpt) = details(layout, short);
    let mut lines = vec![layout.summary.clone()];
    lines.extend(facts.iter().map(|(label, value)| layout.labelled(label, value)));
    lines.extend(excerpt.iter().map(|line| format!("> {line}")));
    lines
}

/// The layout with its heading and its link, as a plain text.
pub(crate) fn plain(layout: &Layout, short: bool) -> String {
    let mut plain = vec![title(layout)];
    plain.extend(lines(layout, short));
    plain.extend(layout.link.clone());
    plain.join("\n")
}

/// What a message says as a plain text, for when a platform refuses it as it is drawn. Of a template's text the marks
/// stay, which is better than nothing.
pub(crate) fn bare(message: &Message) -> Cow<'_, str> {
    match &message.body {
        Body::Layout(layout) => Cow::Owned(plain(layout, message.update)),
        Body::Written(_) => Cow::Borrowed(&message.text),
    }
}

/// Where the layout leads, for platforms that refuse the whole message when they do not take its address: a host
/// without a dot leads nowhere for them (<https://github.com/go-gitea/gitea/issues/14379>; Telegram does the same).
pub(crate) fn link(layout: &Layout) -> Option<Url> {
    let url = Url::parse(layout.link.as_deref()?).ok()?;
    url.host_str().is_some_and(|host| host.contains('.')).then_some(url)
}

/// The layout without its heading, in the Markdown that most chats share: `**bold**` and `> quoted`.
pub(crate) fn markdown(layout: &Layout, short: bool, mut page: Page, escape: Escape) -> String {
    let (facts, excerpt) = details(layout, short);
    page.markup("**").escaped(&layout.summary, escape).markup("**");
    for (label, value) in facts {
        let (label, rest) = layout.label(label);
        page.markup(&format!("\n**{label}**{rest}")).escaped(value, escape);
    }
    for line in excerpt {
        page.markup("\n> ").escaped(line, escape);
    }
    page.into_text()
}

/// The first line of the layout.
pub(crate) fn title(layout: &Layout) -> String {
    format!("{} {}", layout.symbol, layout.heading)
}

/// The first line and the summary, as one line.
pub(crate) fn headline(layout: &Layout) -> String {
    layout.labelled(&title(layout), &layout.summary)
}

/// One line about a message of which a template wrote the text: for where a platform wants a plain title beside it.
pub(crate) fn notice(message: &Message) -> String {
    let Message { severity, status, system, .. } = message;
    let separator = if system.is_empty() { "" } else { " · " };
    render::line(
        &format!("{} · {}{separator}{system}", severity.as_str().to_uppercase(), status.as_str()),
        NOTICE_MAX_BYTES,
    )
}

/// How many units a text takes.
fn length(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::Bytes => text.len(),
        Unit::Characters => text.chars().count(),
        Unit::Utf16 => text.chars().map(char::len_utf16).sum(),
    }
}

/// The text within `max` units, cut between two characters and marked with an ellipsis when it is longer.
pub(crate) fn fit(text: &str, max: usize, unit: Unit) -> Cow<'_, str> {
    if length(text, unit) <= max {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(escaped(text, max, unit, |_, c, out| out.push(c)))
    }
}

/// Writes a character so that it stands for itself, given the one before it.
pub(crate) type Escape = fn(Option<char>, char, &mut String);

/// The text escaped within `max` units; a cut falls between two characters, never inside an escape.
pub(crate) fn escaped(text: &str, max: usize, unit: Unit, escape: Escape) -> String {
    let mut page = Page::new(max, unit);
    page.escaped(text, escape);
    page.into_text()
}

/// A text that grows up to a limit. Past it, it ends in an ellipsis and takes nothing more.
pub(crate) struct Page {
    text: String,
    unit: Unit,
    max: usize,
    used: usize,
    /// How much of `text` leaves room for the ellipsis.
    cut: usize,
    full: bool,
}

impl Page {
    /// `max` has room for an ellipsis.
    pub(crate) const fn new(max: usize, unit: Unit) -> Self {
        Self { text: String::new(), unit, max, used: 0, cut: 0, full: false }
    }

    /// Adds markup: all of it or nothing.
    pub(crate) fn markup(&mut self, markup: &str) -> &mut Self {
        if self.full {
            return self;
        }
        self.used += length(markup, self.unit);
        if self.used > self.max {
            self.full = true;
            self.text.truncate(self.cut);
            self.text.push_str(ELLIPSIS);
            return self;
        }
        self.text.push_str(markup);
        if self.used + length(ELLIPSIS, self.unit) <= self.max {
            self.cut = self.text.len();
        }
        self
    }

    /// Adds text that must stand for itself.
    pub(crate) fn escaped(&mut self, text: &str, escape: Escape) -> &mut Self {
        let (mut piece, mut before) = (String::new(), None);
        for c in text.chars() {
            if self.full {
                break;
            }
            piece.clear();
            escape(before, c, &mut piece);
            self.markup(&piece);
            before = Some(c);
        }
        self
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Doubles each letter.
    fn twice(_before: Option<char>, c: char, out: &mut String) {
        out.extend([c, c]);
    }

    #[test]
    fn a_text_is_cut_in_the_units_of_its_platform() {
        for (unit, whole) in [(Unit::Bytes, 8), (Unit::Characters, 4), (Unit::Utf16, 4)] {
            assert_eq!(fit("яяяя", whole, unit), "яяяя", "{unit:?}");
            assert_eq!(fit("яяяя", whole - 1, unit), "яя…", "{unit:?}");
        }
        assert_eq!(fit("🚨🚨", 4, Unit::Utf16), "🚨🚨");
        assert_eq!(fit("🚨🚨", 3, Unit::Utf16), "🚨…");
    }

    #[test]
    fn a_cut_never_falls_inside_an_escape() {
        assert_eq!(escaped("abc", 6, Unit::Characters, twice), "aabbcc");
        assert_eq!(escaped("abc", 5, Unit::Characters, twice), "aabb…");
        assert_eq!(escaped("abc", 4, Unit::Characters, twice), "aa…");
    }

    #[test]
    fn a_full_page_takes_nothing_more() {
        let mut page = Page::new(6, Unit::Characters);
        page.markup("**").escaped("abcde", twice).markup("**").escaped("f", twice);
        assert_eq!(page.into_text(), "**aa…");
    }
}
