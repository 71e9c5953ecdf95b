//! Between HTML and plain text: for channels whose people read only one of the two.

/// Text as it stands in HTML, in content and in attributes. Uses only references that Telegram knows as well: four
/// names and all numbers (<https://core.telegram.org/bots/api#html-style>).
pub(crate) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// What `MarkdownV2` wants escaped anywhere in a text (Telegram Bot API, section "Formatting options").
const MARKDOWN: &str = "_*[]()~`>#+-=|{}.!\\";

/// Text as it stands in Telegram's `MarkdownV2`.
pub(crate) fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if MARKDOWN.contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// What a person reads of the small HTML that templates write: tags gone, blocks on lines of their own,
/// references resolved. What is no tag stays.
pub(crate) fn html_to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (read, len) = tag(rest).or_else(|| reference(rest)).unwrap_or((rest[..1].into(), 1));
        match read {
            Read::Text(c) => out.push_str(c),
            Read::Char(c) => out.push(c),
            Read::Break if out.ends_with('\n') || out.is_empty() => {}
            Read::Break => out.push('\n'),
            Read::Nothing => {}
        }
        rest = &rest[len..];
    }
    out.push_str(rest);
    out.truncate(out.trim_end().len());
    out
}

/// What a piece of HTML stands for.
enum Read<'h> {
    Text(&'h str),
    Char(char),
    Break,
    Nothing,
}

impl<'h> From<&'h str> for Read<'h> {
    fn from(text: &'h str) -> Self {
        Self::Text(text)
    }
}

/// Elements that begin or end a line.
const BLOCKS: [&str; 16] =
    ["blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "tr", "ul"];

/// A tag at the start of the text, and its length.
fn tag(text: &str) -> Option<(Read<'_>, usize)> {
    let inner = text.strip_prefix('<')?;
    let name = inner.strip_prefix('/').unwrap_or(inner);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
        return None;
    }
    let end = text.find('>')?;
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
    let read = if BLOCKS.contains(&name.as_str()) { Read::Break } else { Read::Nothing };
    Some((read, end + 1))
}

/// The longest reference that is looked for, in bytes.
const REFERENCE_MAX_BYTES: usize = 10;

/// A character reference at the start of the text, and its length.
fn reference(text: &str) -> Option<(Read<'_>, usize)> {
    let end = text.bytes().take(REFERENCE_MAX_BYTES).position(|byte| byte == b';')?;
    let c = match text.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        numeric => {
            let digits = numeric.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((Read::Char(c), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_reads_as_it_was_and_holds_no_tag() {
        let hostile = "<script>alert('1' & \"2\")</script>";
        let escaped = escape_html(hostile);
        assert!(!escaped.contains(['<', '>', '"', '\'']), "{escaped}");
        assert_eq!(html_to_text(&escaped), hostile);
    }

    #[test]
    fn tags_go_and_blocks_become_lines() {
        let html = "<b>CRITICAL</b><br/><p class=\"x\">disk <a href='http://x/'>full</a></p><ul><li>one<li>two</ul>";
        assert_eq!(html_to_text(html), "CRITICAL\ndisk full\none\ntwo");
        assert_eq!(html_to_text("a\nb<!-- no -->c"), "a\nbc");
    }

    #[test]
    fn what_is_no_tag_and_no_reference_stays() {
        let text = "load < 5 && x>3 & <3; 5 <= 6 &unknown; &#xD800; &#; &toolongreference; <b unfinished";
        assert_eq!(html_to_text(text), text);
        assert_eq!(html_to_text("&#65;&#x42;&nbsp;&lt;я&gt;&"), "AB <я>&");
    }
}
