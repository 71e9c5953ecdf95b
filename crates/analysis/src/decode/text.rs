//! Cleaning and cutting text, so that nothing after this stage meets a NUL, an escape sequence or a surprise
//! in size.

use std::fmt::Write as _;

/// Whether a character is dropped: control characters, and those that reorder what follows on a screen.
fn unwanted(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text with LF line ends, without control characters and terminal escape sequences, NULs as U+FFFD, and
/// without white space at the ends of lines and of the text.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(may_be_unwanted) {
        out.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        let c = chars.next().expect("there is a byte, and it starts a character");
        rest = chars.as_str();
        match c {
            '\r' if rest.starts_with('\n') => {}
            '\r' | '\n' | '\u{c}' => end_line(&mut out),
            '\0' => out.push('\u{fffd}'),
            '\u{1b}' => rest = after_escape(rest),
            c if unwanted(c) => {}
            c => out.push(c),
        }
    }
    out.push_str(rest);
    out.truncate(out.trim_end().len());
    let start = out.len() - out.trim_start_matches('\n').len();
    out.drain(..start);
    out
}

/// The bytes at which [`clean`] looks closer: ASCII control characters, and the first bytes of the others that
/// are [`unwanted`]. What is between them is copied at once.
const fn may_be_unwanted(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xef)
}

fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches([' ', '\t']).len());
    out.push('\n');
}

/// What follows an ANSI control sequence (ECMA-48 §5.4): `[`, parameters, one final byte.
fn after_escape(rest: &str) -> &str {
    let Some(sequence) = rest.strip_prefix('[') else { return rest };
    let sequence = sequence.trim_start_matches(|c| matches!(c, ' '..='?'));
    sequence.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(sequence)
}

/// Clean, in one line, white space collapsed.
pub(crate) fn one_line(text: &str) -> String {
    let clean = clean(text);
    let mut out = String::with_capacity(clean.len());
    for word in clean.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// At most `max` bytes, cut at a character, with `…` where something is missing.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max.saturating_sub('…'.len_utf8())));
        text.truncate(text.trim_end().len());
        text.push('…');
    }
    text
}

/// At most `max` bytes, cut at a character, with a line that says so. `more` tells that something was already
/// left out before.
pub(super) fn cut_with_note(mut text: String, max: usize, more: bool) -> String {
    if text.len() <= max && !more {
        return text;
    }
    let mut note = String::from("\n[cut here: ");
    let _ = write!(note, "more than {} kB of text]", max / 1024);
    text.truncate(text.floor_char_boundary(max.saturating_sub(note.len())));
    text.push_str(&note);
    text
}

/// Undoes `format=flowed` (RFC 3676 §4): joins the lines that end with a space.
pub(super) fn unflowed(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut joining: Option<usize> = None;
    for line in text.lines() {
        let quoted = line.len() - line.trim_start_matches('>').len();
        let (depth, content) = line.split_at(quoted);
        let content = content.strip_prefix(' ').unwrap_or(content);
        if joining != Some(quoted) {
            if joining.is_some() {
                out.push('\n');
            }
            out.push_str(depth);
            if quoted > 0 {
                out.push(' ');
            }
        }
        // The signature separator "-- " is fixed (§4.3).
        let flowed = content.ends_with(' ') && content != "-- ";
        out.push_str(if flowed && delete_space { &content[..content.len() - 1] } else { content });
        if flowed {
            joining = Some(quoted);
        } else {
            joining = None;
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_pass() {
        let dirty = "\n\na\0b\x07 \x1b[31;1mred\x1b[0m\r\nc\rd  \n\u{202e}e\u{feff}\u{85}\tf\n\n";
        assert_eq!(clean(dirty), "a\u{fffd}b red\nc\nd\ne\tf");
        assert_eq!(one_line("a\n\tb  c "), "a b c");
    }

    #[test]
    fn cuts_fall_between_characters() {
        assert_eq!(cut("磁盘磁盘".to_owned(), 10), "磁盘…");
        assert_eq!(cut("short".to_owned(), 10), "short");
        let long = cut_with_note("磁".repeat(1_000), 1_024, false);
        assert!(long.len() <= 1_024 && long.ends_with("磁\n[cut here: more than 1 kB of text]"), "{long}");
    }

    #[test]
    fn flowed_lines_are_joined() {
        let text = "one \ntwo\n> quoted \n> still\nnew \n-- \nme\n space-stuffed\n";
        assert_eq!(
            unflowed(text, false),
            "one two\n> quoted still\nnew \n-- \nme\nspace-stuffed\n".replace("new \n-- ", "new -- ")
        );
        assert_eq!(unflowed("日 \n本\n", true), "日本\n");
    }
}
