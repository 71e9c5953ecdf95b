//! HTML → readable text, in one pass and in linear time: lines where a browser would break them, cells side by
//! side, links with their address, no styles and scripts.
//!
//! Alert mails are often put together by hand, without escaping: what is not an HTML element (`<db01>`,
//! `a < b`, a lone `&`) is text here, not markup.

use mail_parser::decoders::html::add_html_token;

/// Elements whose content is not shown.
const HIDDEN: [&str; 6] = ["head", "style", "script", "template", "title", "noframes"];

/// Elements that start a new line.
#[rustfmt::skip]
const LINES: [&str; 30] = [
    "address", "article", "aside", "body", "br", "caption", "center", "dd", "div", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main", "nav", "option", "section", "summary",
    "tbody", "tfoot", "thead", "tr", "details",
];

/// Elements with an empty line around them.
const PARAGRAPHS: [&str; 14] =
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl", "pre", "blockquote", "hgroup"];

/// Elements that run along in a line and are dropped.
#[rustfmt::skip]
const INLINE: [&str; 52] = [
    "a", "abbr", "acronym", "area", "b", "base", "bdi", "bdo", "big", "button", "canvas", "cite", "code", "col",
    "colgroup", "del", "dfn", "em", "font", "i", "iframe", "img", "input", "ins", "kbd", "label", "link", "map", "mark",
    "meta", "meter", "noscript", "object", "param", "picture", "q", "s", "samp", "select", "small", "source", "span",
    "strike", "strong", "sub", "sup", "svg", "textarea", "time", "tt", "u", "var",
];

/// The longest link address that is shown; longer ones are for machines.
const LINK_MAX_BYTES: usize = 500;

/// Converts; stops when `max` bytes of text are there.
pub(super) fn to_text(html: &str, max: usize) -> String {
    let mut page = Page::default();
    // Without these, each `<` of a page that closes nothing would look for its end up to the end of the page.
    let last_tag_end = html.rfind('>').unwrap_or(0);
    let last_comment_end = html.rfind("-->").unwrap_or(0);
    let mut rest = html;
    while !rest.is_empty() && page.out.len() < max {
        let at = html.len() - rest.len();
        if rest.starts_with('<') {
            let open = at > last_tag_end || (at > last_comment_end && rest.starts_with("<!--"));
            rest = match if open { None } else { tag(rest) } {
                Some((tag, after)) => page.tag(&tag, after),
                None => page.literal(rest),
            };
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            page.text(&rest[..end]);
            rest = &rest[end..];
        }
    }
    page.out
}

/// What separates the next text from the last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Cell,
    Line,
    Paragraph,
}

#[derive(Debug, Default)]
struct Page {
    out: String,
    gap: Gap,
    preformatted: usize,
    /// The address of the open link, and where its text starts.
    link: Option<(String, usize)>,
    /// Hidden elements that turned out not to be closed: looked for once only.
    unclosed: Vec<&'static str>,
}

/// A tag as it is written.
struct Tag<'h> {
    name: &'h str,
    closing: bool,
    attributes: &'h str,
}

/// Reads the tag, comment or declaration at the start; `None` when it is none and the `<` is text.
fn tag(html: &str) -> Option<(Tag<'_>, &str)> {
    let inner = &html[1..];
    if inner.starts_with("!--") {
        let after = &inner[inner.find("-->")? + 3..];
        return Some((Tag { name: "!", closing: false, attributes: "" }, after));
    }
    let end = tag_end(inner)?;
    let after = &inner[end + 1..];
    if inner.starts_with(['!', '?']) {
        return Some((Tag { name: "!", closing: false, attributes: "" }, after));
    }
    let (closing, inner) = match inner[..end].strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, &inner[..end]),
    };
    let name_end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != ':').unwrap_or(inner.len());
    let (name, attributes) = inner.split_at(name_end);
    let well_formed = attributes.is_empty() || attributes.starts_with(|c: char| c.is_ascii_whitespace() || c == '/');
    (well_formed && is_element(name)).then_some((Tag { name, closing, attributes }, after))
}

/// The `>` that ends the tag: not one in a quoted value, unless the quote is never closed.
fn tag_end(inner: &str) -> Option<usize> {
    let mut quote = None;
    let mut first = None;
    let mut last = b' ';
    for (at, byte) in inner.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return Some(at),
            (b'>', Some(_)) => first = first.or(Some(at)),
            (b'<', _) => return first,
            (b'"' | b'\'', None) if last == b'=' => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
        last = byte;
    }
    first
}

fn is_one_of(name: &str, list: &[&'static str]) -> Option<&'static str> {
    list.iter().copied().find(|known| name.eq_ignore_ascii_case(known))
}

fn is_element(name: &str) -> bool {
    // Names with a colon are Microsoft's: `<o:p>`.
    (name.contains(':') && !name.starts_with(':'))
        || name.eq_ignore_ascii_case("td")
        || name.eq_ignore_ascii_case("th")
        || [&INLINE[..], &LINES, &PARAGRAPHS, &HIDDEN].iter().any(|list| is_one_of(name, list).is_some())
}

impl Page {
    /// Handles a tag; returns what follows it, without the content of a hidden element.
    fn tag<'h>(&mut self, tag: &Tag<'_>, after: &'h str) -> &'h str {
        let name = tag.name;
        if let Some(hidden) = is_one_of(name, &HIDDEN).filter(|_| !tag.closing) {
            return self.hidden(hidden, after);
        }
        if name.eq_ignore_ascii_case("pre") {
            self.preformatted =
                if tag.closing { self.preformatted.saturating_sub(1) } else { self.preformatted.saturating_add(1) };
        }
        if is_one_of(name, &["td", "th"]).is_some() {
            self.widen(Gap::Cell);
        } else if name.eq_ignore_ascii_case("br") {
            self.line_break();
        } else if is_one_of(name, &PARAGRAPHS).is_some() {
            self.widen(Gap::Paragraph);
        } else if is_one_of(name, &LINES).is_some() {
            self.widen(Gap::Line);
            if name.eq_ignore_ascii_case("li") && !tag.closing {
                self.fill_gap();
                self.out.push_str("- ");
            }
        } else if name.eq_ignore_ascii_case("a") {
            self.anchor(tag);
        } else if name.eq_ignore_ascii_case("img")
            && let Some(alt) = attribute(tag.attributes, "alt")
        {
            self.text(alt);
        }
        after
    }

    fn hidden<'h>(&mut self, name: &'static str, after: &'h str) -> &'h str {
        if self.unclosed.contains(&name) {
            return after;
        }
        let mut rest = after;
        while let Some(at) = rest.find("</") {
            rest = &rest[at + 2..];
            if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
                return rest.find('>').map_or("", |end| &rest[end + 1..]);
            }
        }
        self.unclosed.push(name);
        after
    }

    fn anchor(&mut self, tag: &Tag<'_>) {
        if !tag.closing {
            self.link = attribute(tag.attributes, "href").map(|href| (decoded(href), self.out.len()));
            return;
        }
        let Some((href, start)) = self.link.take() else { return };
        let shown = self.out.get(start..).unwrap_or_default().trim();
        let web = href.starts_with("http://") || href.starts_with("https://");
        if web && !shown.is_empty() && !shown.contains(&href) && href.len() <= LINK_MAX_BYTES {
            self.out.push_str(" <");
            self.out.push_str(&href);
            self.out.push('>');
        }
    }

    fn widen(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// Two in a row make an empty line.
    fn line_break(&mut self) {
        if self.gap >= Gap::Line {
            self.gap = Gap::Paragraph;
        } else {
            self.gap = Gap::Line;
        }
    }

    fn fill_gap(&mut self) {
        let gap = if self.out.is_empty() { Gap::None } else { self.gap };
        self.gap = Gap::None;
        let text = match gap {
            Gap::None => "",
            Gap::Space if self.out.ends_with(char::is_whitespace) => "",
            Gap::Space => " ",
            Gap::Cell if self.out.ends_with([':', ' ']) => " ",
            Gap::Cell => " | ",
            Gap::Line => "\n",
            Gap::Paragraph => "\n\n",
        };
        self.out.push_str(text);
    }

    fn text(&mut self, raw: &str) {
        if self.preformatted > 0 {
            if !raw.trim().is_empty() || self.gap == Gap::None {
                self.fill_gap();
                push_decoded(&mut self.out, raw);
            }
            return;
        }
        let mut words = raw.split(is_html_space).peekable();
        while let Some(word) = words.next() {
            if !word.is_empty() {
                self.fill_gap();
                push_decoded(&mut self.out, word);
            }
            if words.peek().is_some() {
                self.widen(Gap::Space);
            }
        }
    }

    /// The first character as text.
    fn literal<'h>(&mut self, html: &'h str) -> &'h str {
        self.fill_gap();
        self.out.push('<');
        &html[1..]
    }
}

const fn is_html_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// The value of an attribute, as it is written.
fn attribute<'h>(attributes: &'h str, name: &str) -> Option<&'h str> {
    let mut rest = attributes;
    while let Some(equals) = rest.find('=') {
        let found = rest[..equals].trim().rsplit(is_html_space).next().unwrap_or_default();
        let value = rest[equals + 1..].trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(is_html_space).unwrap_or(value.len())),
        };
        if found.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after;
    }
    None
}

fn decoded(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    push_decoded(&mut out, raw);
    out
}

/// Appends text with its character references decoded; what is no reference stays.
fn push_decoded(out: &mut String, raw: &str) {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest name, CounterClockwiseContourIntegral, has 31 letters.
        let end = rest.bytes().take(34).position(|byte| byte == b';');
        let reference = end
            .map(|end| &rest[..=end])
            .filter(|found| found[1..found.len() - 1].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#'));
        if let Some(reference) = reference {
            let start = out.len();
            add_html_token(out, reference.as_bytes(), false);
            if &out[start..] == "\u{a0}" {
                out.truncate(start);
                out.push(' ');
            }
            rest = &rest[reference.len()..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn text(html: &str) -> String {
        to_text(html, usize::MAX)
    }

    #[test]
    fn structure_becomes_lines() {
        for (html, expected) in [
            ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
            ("a<br><br>b<br/>c", "a\n\nb\nc"),
            ("<ul><li>x</li><li>y</li></ul>z", "- x\n- y\n\nz"),
            (
                "<table><tr><td>Host</td><td>web01</td></tr><tr><th>State:</th><td> DOWN</td></tr></table>",
                "Host | web01\nState: DOWN",
            ),
            ("<b>Host:</b> web01", "Host: web01"),
            ("a <i>b</i>c", "a bc"),
            ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
            ("<head><title>t</title></head><style>x{}</style><body>b<script>if (a<b) {}</script></body>", "b"),
            ("x<!-- <p>no</p> -->y", "xy"),
            ("<DIV>a</DIV><Div>b</dIV>", "a\nb"),
            ("<o:p>&nbsp;</o:p>w", " w"),
            ("<img src=x alt='the graph'>", "the graph"),
        ] {
            assert_eq!(text(html), expected, "{html}");
        }
    }

    #[test]
    fn links_keep_their_address() {
        assert_eq!(text(r#"<a href="http://x/?a=1&amp;b=2">Source</a>."#), "Source <http://x/?a=1&b=2>.");
        assert_eq!(text(r#"<a href="http://x/">http://x/</a>"#), "http://x/");
        assert_eq!(text(r#"<a href="javascript:x()">go</a><a href="http://y"><img></a>"#), "go");
    }

    #[test]
    fn what_is_no_markup_is_text() {
        for (html, expected) in [
            ("3 \"quoted\" <b>&<br><b>Host:</b> db01", "3 \"quoted\" &\nHost: db01"),
            ("load < 5 and > 3", "load < 5 and > 3"),
            ("host <db01> is down", "host <db01> is down"),
            ("mail <root@vm>", "mail <root@vm>"),
            ("<b unclosed", "<b unclosed"),
            ("AT&T &copy; &#169; &#x1F600; &nosuch; &", "AT&T © © 😀 &nosuch; &"),
            ("&lt;b&gt;&amp;amp;", "<b>&amp;"),
            ("<style>never closed", "never closed"),
            ("<a title=\"x > y\">z</a><a title=\"broken>w</a>", "zw"),
        ] {
            assert_eq!(text(html), expected, "{html}");
        }
    }

    #[test]
    fn hostile_pages_take_linear_time() {
        for html in [
            "<div>".repeat(200_000),
            "<style>".repeat(100_000),
            "<b ".repeat(300_000),
            "<a \"".repeat(200_000),
            "<!--".repeat(200_000),
            "&".repeat(500_000),
            "<a href=\"".repeat(100_000),
            "<".repeat(500_000),
        ] {
            let start = Instant::now();
            text(&html);
            assert!(start.elapsed().as_secs() < 5, "{} took {:?}", &html[..8], start.elapsed());
        }
    }
}
