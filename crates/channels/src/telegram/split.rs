//! Cuts a text that is too long for one message. A part never ends inside a tag, a character reference, an escape
//! or a surrogate pair; what is open at a cut is closed there and opened again in the next part.

use super::markup::{Frame, Piece, read};
use crate::Markup;

/// The text in parts of at most `max` units of UTF-16 on the screen, blank ones left out. `None` when its markup is
/// broken.
pub(super) fn split(text: &str, markup: Markup, max: usize) -> Option<Vec<String>> {
    let pieces = read(text, markup)?;
    let mut parts = Vec::new();
    let mut open: Vec<&Frame<'_>> = Vec::new();
    let mut rest = pieces.as_slice();
    while !rest.is_empty() {
        let (part, after) = rest.split_at(cut(rest, max));
        let text = assemble(part, &mut open);
        if part.iter().any(shows) {
            parts.push(text);
        }
        rest = after;
    }
    Some(parts)
}

/// Writes a part out; `open` is what was open before it, and afterwards what is open behind it.
fn assemble<'p, 't>(part: &'p [Piece<'t>], open: &mut Vec<&'p Frame<'t>>) -> String {
    let mut text: String = open.iter().map(|frame| frame.reopen).collect();
    for piece in part {
        let source = match piece {
            Piece::Open { source, frame } => {
                open.push(frame);
                source
            }
            Piece::Close { source } => {
                open.pop();
                source
            }
            Piece::Seen { source, .. } | Piece::Mark { source } => source,
        };
        text.push_str(source);
    }
    text.extend(open.iter().rev().map(|frame| &*frame.close));
    text
}

fn shows(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Seen { source, .. } if !source.trim().is_empty())
}

/// How many pieces the next part takes: up to the end of a line, or else of a word, if that fills at least half of
/// it. At least one.
fn cut(pieces: &[Piece<'_>], max: usize) -> usize {
    let mut length = 0;
    let (mut line, mut word) = (None, None);
    for (index, piece) in pieces.iter().enumerate() {
        let Piece::Seen { source, units } = piece else { continue };
        if length + units > max {
            return tidy(pieces, line.or(word).unwrap_or(index).max(1));
        }
        length += units;
        if length * 2 >= max {
            match *source {
                "\n" => line = Some(index + 1),
                " " => word = Some(index + 1),
                _ => {}
            }
        }
    }
    pieces.len()
}

/// Moves a cut so that nothing is closed right after it, or opened right before it: `_` and `_` would become `__`.
fn tidy(pieces: &[Piece<'_>], cut: usize) -> usize {
    let closing = pieces[cut..].iter().take_while(|piece| matches!(piece, Piece::Close { .. })).count();
    if closing > 0 {
        return cut + closing;
    }
    let opening = pieces[1..cut].iter().rev().take_while(|piece| matches!(piece, Piece::Open { .. })).count();
    cut - opening
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 20;

    fn parts(text: &str, markup: Markup) -> Vec<String> {
        split(text, markup, MAX).expect("the markup is sound")
    }

    #[test]
    fn a_text_that_fits_stays_as_it_is() {
        for (text, markup) in [
            ("0123456789 123456789", Markup::Plain),
            ("<b>0123456789</b><i class=\"x>y\">123456789</i>&amp;", Markup::Html),
            (r"*0123456789* \.[123](https://example.org/a_b.c)", Markup::Markdown),
        ] {
            assert_eq!(parts(text, markup), [text]);
        }
    }

    #[test]
    fn a_cut_falls_after_a_line_or_else_a_word_or_else_a_character() {
        assert_eq!(parts("one two three\nfour five six", Markup::Plain), ["one two three\n", "four five six"]);
        assert_eq!(parts("one two three four five six", Markup::Plain), ["one two three four ", "five six"]);
        assert_eq!(parts("a\nbbbbbbbbbbbbbbbbbbbbbbbb", Markup::Plain), ["a\nbbbbbbbbbbbbbbbbbb", "bbbbbb"]);
    }

    #[test]
    fn length_is_counted_in_utf16_and_no_pair_is_torn() {
        assert_eq!(parts(&"🚨".repeat(11), Markup::Plain), ["🚨".repeat(10), "🚨".to_owned()]);
        assert_eq!(
            parts(&format!("a{}", "🚨".repeat(10)), Markup::Plain),
            [format!("a{}", "🚨".repeat(9)), "🚨".into()]
        );
        assert_eq!(parts(&"я".repeat(21), Markup::Plain), ["я".repeat(20), "я".to_owned()]);
    }

    #[test]
    fn what_is_open_at_a_cut_is_closed_and_opened_again() {
        assert_eq!(
            parts(r#"<a href="x">one <b>two three four five</b></a> six"#, Markup::Html),
            [r#"<a href="x">one <b>two three four </b></a>"#, r#"<a href="x"><b>five</b></a> six"#]
        );
        assert_eq!(
            parts(r"*one _two three four five_* six", Markup::Markdown),
            ["*one _two three four _*", "*_five_* six"]
        );
        assert_eq!(
            parts("```rust\none two three four five```", Markup::Markdown),
            ["```rust\none two three four ```", "```rust\nfive```"]
        );
        assert_eq!(
            parts("[one two three four five](https://example.org/\\))", Markup::Markdown),
            ["[one two three four ](https://example.org/\\))", "[five](https://example.org/\\))"]
        );
        assert_eq!(
            parts(">one two three four five\n>six seven||\neight nine", Markup::Markdown),
            [">one two three four ", ">five\n>six seven||\n", "eight nine"]
        );
    }

    #[test]
    fn references_and_escapes_count_as_what_they_show_and_stay_whole() {
        assert_eq!(parts(&"&amp;".repeat(21), Markup::Html), ["&amp;".repeat(20), "&amp;".to_owned()]);
        assert_eq!(parts(&"&#128680;".repeat(11), Markup::Html), ["&#128680;".repeat(10), "&#128680;".to_owned()]);
        assert_eq!(parts(&"&hearts;".repeat(3), Markup::Html), ["&hearts;&hearts;", "&hearts;"]);
        assert_eq!(parts(&r"\.".repeat(21), Markup::Markdown), [r"\.".repeat(20), r"\.".to_owned()]);
        let emoji = "![👍](tg://emoji?id=1)";
        assert_eq!(parts(&emoji.repeat(11), Markup::Markdown), [emoji.repeat(10), emoji.to_owned()]);
    }

    #[test]
    fn nothing_is_opened_right_before_a_cut_or_closed_right_after_it() {
        let twenty = "x".repeat(20);
        assert_eq!(parts(&format!("_{twenty}_y"), Markup::Markdown), [format!("_{twenty}_"), "y".to_owned()]);
        assert_eq!(parts(&format!("{twenty}_y_"), Markup::Markdown), [twenty, "_y_".to_owned()]);
    }

    #[test]
    fn broken_markup_is_not_cut() {
        let html = ["<b>x", "x</b>", "<b>x</i>", "<b x", "<b><i>x</b></i>"];
        let markdown = ["*x", "x_", "x.", "*_x*_", "[x](y", "[x]", "x]", "`x", "|x", "![x]"];
        for (text, markup) in
            html.map(|text| (text, Markup::Html)).into_iter().chain(markdown.map(|text| (text, Markup::Markdown)))
        {
            assert_eq!(split(text, markup, MAX), None, "{text}");
        }
    }

    #[test]
    fn blank_parts_are_left_out_and_nothing_else_is_lost() {
        let text = format!("one{}two", "\n".repeat(50));
        assert_eq!(parts(&text, Markup::Plain).concat().replace('\n', ""), "onetwo");
        assert!(parts(&text, Markup::Plain).iter().all(|part| !part.trim().is_empty()));
        assert_eq!(parts(&"\n".repeat(50), Markup::Plain), [""; 0]);
    }
}
