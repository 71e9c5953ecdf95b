//! Telegram's markups, read into pieces: what is seen, and what opens and closes around it.
//!
//! Only as much of them as it takes to cut a text safely: whether a tag or a link is allowed is for Telegram to say.
//! The rules are those of <https://core.telegram.org/bots/api#formatting-options>.

use std::borrow::Cow;

use crate::Markup;

/// What a text in some markup consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// What must stay together, as it is written, and how long it is on the screen in units of UTF-16.
    Seen { source: &'t str, units: usize },
    /// Everything up to its [`Piece::Close`] is inside.
    Open { source: &'t str, frame: Frame<'t> },
    /// Closes the innermost that is open.
    Close { source: &'t str },
    /// Is not seen and holds nothing.
    Mark { source: &'t str },
}

/// How something that is open is closed for a while, and opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame<'t> {
    pub(super) reopen: &'t str,
    pub(super) close: Cow<'t, str>,
}

/// How long a plain text is for Telegram.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The pieces of a text; `None` when its markup is broken, so that it cannot be cut.
pub(super) fn read(text: &str, markup: Markup) -> Option<Vec<Piece<'_>>> {
    match markup {
        Markup::Plain => Some(text.split_inclusive(|_: char| true).map(seen).collect()),
        Markup::Html => html(text),
        Markup::Markdown => Markdown::read(text),
    }
}

fn seen(source: &str) -> Piece<'_> {
    Piece::Seen { source, units: units(source) }
}

fn html(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '<' => tag_length(rest)?,
            '&' => reference_length(rest),
            other => other.len_utf8(),
        };
        let (source, after) = rest.split_at(length);
        pieces.push(match (first, source.strip_prefix("</")) {
            ('<', Some(end)) => {
                let name = end.trim_end_matches('>').trim_end();
                // `</>` closes whatever is open.
                open.pop().filter(|innermost| name.is_empty() || *innermost == name)?;
                Piece::Close { source }
            }
            ('<', None) => {
                let name = source[1..].split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default();
                open.push(name);
                Piece::Open { source, frame: Frame { reopen: source, close: format!("</{name}>").into() } }
            }
            ('&', _) => Piece::Seen { source, units: reference_units(source) },
            _ => seen(source),
        });
        rest = after;
    }
    open.is_empty().then_some(pieces)
}

/// The bytes of the tag that the text begins with. A `>` between quotes does not end it.
fn tag_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// The bytes of the character reference that the text begins with; 1 when the `&` stands for itself.
fn reference_length(text: &str) -> usize {
    let name = text[1..].bytes().take_while(|&byte| byte.is_ascii_alphanumeric() || byte == b'#').count();
    // Telegram takes `&lt` for `&lt;`.
    match (name, text.as_bytes().get(1 + name)) {
        (0, _) => 1,
        (_, Some(b';')) => name + 2,
        (_, _) => name + 1,
    }
}

/// How long a reference is on the screen. Telegram shows those that it does not know as they are written.
fn reference_units(source: &str) -> usize {
    let name = source[1..].trim_end_matches(';');
    let number = name.strip_prefix("#x").map_or_else(
        || name.strip_prefix('#').and_then(|decimal| decimal.parse().ok()),
        |hex| u32::from_str_radix(hex, 16).ok(),
    );
    match (name, number.and_then(char::from_u32)) {
        (_, Some(c)) => c.len_utf16(),
        ("lt" | "gt" | "amp" | "quot", None) => 1,
        _ => units(source),
    }
}

/// Reads `MarkdownV2`.
struct Markdown<'t> {
    rest: &'t str,
    pieces: Vec<Piece<'t>>,
    /// How what is open will be closed, innermost last. A quotation is closed by nothing: it ends with its line.
    open: Vec<&'t str>,
    line_start: bool,
}

const QUOTATION: &str = "";

impl<'t> Markdown<'t> {
    fn read(text: &'t str) -> Option<Vec<Piece<'t>>> {
        let mut reader =
            Self { rest: text, pieces: Vec::with_capacity(text.len()), open: Vec::new(), line_start: true };
        while let Some(first) = reader.rest.chars().next() {
            let line_start = std::mem::replace(&mut reader.line_start, false);
            if line_start && reader.quotation() {
                continue;
            }
            if first == '\\' && reader.rest[1..].starts_with(|c: char| c.is_ascii()) {
                let source = reader.take(2);
                reader.pieces.push(Piece::Seen { source, units: 1 });
            } else if reader.in_code() {
                reader.code(first);
            } else {
                reader.text(first)?;
            }
        }
        reader.end_quotation();
        reader.open.is_empty().then_some(reader.pieces)
    }

    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn in_code(&self) -> bool {
        self.open.last().is_some_and(|close| close.starts_with('`'))
    }

    /// Begins a quotation if one stands at the start of this line. Each line of one counts as its own.
    fn quotation(&mut self) -> bool {
        let marker = [">", "**>"].into_iter().find(|marker| self.rest.starts_with(marker));
        let Some(marker) = marker.filter(|_| self.open.is_empty()) else { return false };
        let source = self.take(marker.len());
        self.begin(source, ">", QUOTATION);
        true
    }

    fn end_quotation(&mut self) {
        if self.open.last() == Some(&QUOTATION) {
            self.open.pop();
            self.pieces.push(Piece::Close { source: "" });
        }
    }

    fn begin(&mut self, source: &'t str, reopen: &'t str, close: &'t str) {
        self.open.push(close);
        self.pieces.push(Piece::Open { source, frame: Frame { reopen, close: close.into() } });
    }

    fn code(&mut self, first: char) {
        let close = self.open.last().copied().unwrap_or_default();
        if self.rest.starts_with(close) {
            let source = self.take(close.len());
            self.open.pop();
            self.pieces.push(Piece::Close { source });
        } else {
            let source = self.take(first.len_utf8());
            self.pieces.push(seen(source));
        }
    }

    /// Outside of code.
    fn text(&mut self, first: char) -> Option<()> {
        // The last line of a quotation ends in `||` when it is collapsed.
        let after = self.rest.strip_prefix("||");
        if self.open.last() == Some(&QUOTATION) && after.is_some_and(|rest| rest.is_empty() || rest.starts_with('\n')) {
            let source = self.take(2);
            self.pieces.push(Piece::Mark { source });
            return Some(());
        }
        match first {
            '`' => self.fence(),
            '*' | '_' | '~' | '|' => {
                let double = self.rest.starts_with("__") || self.rest.starts_with("||");
                let source = self.take(if double { 2 } else { 1 });
                return if source == "|" { None } else { self.toggle(source) };
            }
            '!' | '[' => return self.link(first == '!'),
            ']' => {
                let close = self.open.pop().filter(|close| close.starts_with("]("))?;
                let source = self.take(close.len());
                self.pieces.push(Piece::Close { source });
            }
            '(' | ')' | '>' | '#' | '+' | '-' | '=' | '{' | '}' | '.' => return None,
            other => {
                let source = self.take(other.len_utf8());
                self.pieces.push(seen(source));
                if other == '\n' {
                    self.end_quotation();
                    self.line_start = true;
                }
            }
        }
        Some(())
    }

    fn toggle(&mut self, marker: &'t str) -> Option<()> {
        if self.open.last() == Some(&marker) {
            self.open.pop();
            self.pieces.push(Piece::Close { source: marker });
            return Some(());
        }
        let crossed = self.open.contains(&marker);
        (!crossed).then(|| self.begin(marker, marker, marker))
    }

    /// Begins code: a block with the line that names its language, or a word.
    fn fence(&mut self) {
        let Some(block) = self.rest.strip_prefix("```") else {
            let source = self.take(1);
            return self.begin(source, source, source);
        };
        let language = block.find('\n').filter(|&end| !block[..end].contains([' ', '`']));
        let source = self.take(3 + language.map_or(0, |end| end + 1));
        self.begin(source, source, "```");
    }

    /// `[text](address)`, or `![emoji](address)`, which stays together.
    fn link(&mut self, emoji: bool) -> Option<()> {
        let start = if emoji { self.rest.strip_prefix("![")? } else { &self.rest[1..] };
        let close = find_unescaped(start, "](")?;
        let address = close + 2;
        let end = address + find_unescaped(&start[address..], ")")? + 1;
        if emoji {
            let source = self.take(2 + end);
            self.pieces.push(Piece::Seen { source, units: units(&start[..close]) });
        } else {
            let source = self.take(1);
            self.begin(source, source, &start[close..end]);
        }
        Some(())
    }
}

fn find_unescaped(text: &str, what: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if text[at..].starts_with(what) {
            return Some(at);
        }
        None
    })
}
