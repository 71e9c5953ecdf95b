//! Telegram's side of the two markups: what is shown, or the text with which Telegram refuses it. Made after the
//! tests of <https://github.com/tdlib/td/blob/master/test/message_entities.cpp>, and nothing of ours.

/// What people see, or why not.
pub(super) fn parse(text: &str, parse_mode: Option<&str>) -> Result<String, String> {
    match parse_mode {
        None => Ok(text.to_owned()),
        Some("HTML") => html(text),
        Some("MarkdownV2") => markdown(text),
        Some(_) => return Err("unsupported parse_mode".to_owned()),
    }
    .map_err(|why| format!("can't parse entities: {why}"))
}

const TAGS: [&str; 17] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
    "tg-time",
];

fn html(text: &str) -> Result<String, String> {
    let mut shown = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c == '&' {
            let (c, length) = reference(rest);
            shown.push(c);
            at += length;
        } else if let Some(tag) = rest.strip_prefix("</") {
            let innermost = open.pop().ok_or(format!("Unexpected end tag at byte offset {at}"))?;
            let end = tag.find('>').ok_or(format!("Unclosed end tag at byte offset {at}"))?;
            let name = tag[..end].trim_end();
            if !name.is_empty() && name != innermost {
                return Err(format!(
                    "Unmatched end tag at byte offset {at}, expected \"</{innermost}>\", found \"</{name}>\""
                ));
            }
            at += end + 3;
        } else if let Some(tag) = rest.strip_prefix('<') {
            let end = tag.find('>').ok_or(format!("Unclosed start tag at byte offset {at}"))?;
            let name = tag[..end].split(' ').next().unwrap();
            if !TAGS.contains(&name) {
                return Err(format!("Unsupported start tag \"{name}\" at byte offset {at}"));
            }
            open.push(name);
            at += end + 2;
        } else {
            shown.push(c);
            at += c.len_utf8();
        }
    }
    match open.last() {
        Some(name) => Err(format!("Can't find end tag corresponding to start tag \"{name}\"")),
        None => Ok(shown),
    }
}

fn reference(text: &str) -> (char, usize) {
    for (name, c) in [("&lt", '<'), ("&gt", '>'), ("&amp", '&'), ("&quot", '"')] {
        if let Some(rest) = text.strip_prefix(name) {
            return (c, name.len() + usize::from(rest.starts_with(';')));
        }
    }
    ('&', 1)
}

fn markdown(text: &str) -> Result<String, String> {
    let mut shown = String::new();
    // What ends it, what Telegram calls it, and where it began.
    let mut open: Vec<(&str, &str, usize)> = Vec::new();
    let mut quoted = false;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let line_start = at == 0 || text.as_bytes()[at - 1] == b'\n';
        let innermost = open.last().map(|(end, ..)| *end);
        let in_code = matches!(innermost, Some("`" | "```"));
        if c == '\\' && rest[1..].starts_with(|next: char| next.is_ascii()) {
            shown.push_str(&rest[1..2]);
            at += 2;
            continue;
        }
        if line_start && open.is_empty() {
            let quote = ["**>", ">"].into_iter().find(|quote| rest.starts_with(quote));
            quoted = quote.is_some();
            if let Some(quote) = quote {
                at += quote.len();
                continue;
            }
        }
        if innermost.is_some_and(|end| rest.starts_with(end)) {
            at += innermost.unwrap().len();
            if innermost == Some("]") && text[at..].starts_with('(') {
                let end = text[at..].find(')').ok_or(format!("Can't find end of a URL at byte offset {at}"))?;
                at += end + 1;
            }
            open.pop();
            continue;
        }
        if quoted && rest.starts_with("||") && (rest.len() == 2 || rest[2..].starts_with('\n')) {
            at += 2;
            continue;
        }
        if in_code || !"_*[]()~`>#+-=|{}.!".contains(c) {
            shown.push(c);
            at += c.len_utf8();
            continue;
        }
        let (end, name, length) =
            begin(rest).ok_or(format!("Character '{c}' is reserved and must be escaped with the preceding '\\'"))?;
        open.push((end, name, at));
        at += length;
    }
    match open.last() {
        Some((_, name, at)) => Err(format!("Can't find end of {name} entity at byte offset {at}")),
        None => Ok(shown),
    }
}

/// What begins here: how it ends, its name and how much of the text is its beginning.
fn begin(rest: &str) -> Option<(&'static str, &'static str, usize)> {
    if let Some(block) = rest.strip_prefix("```") {
        let language = block.find(['\n', ' ', '`']).filter(|&end| block[end..].starts_with('\n'));
        return Some(match language {
            Some(end) if end > 0 => ("```", "PreCode", 4 + end),
            Some(_) => ("```", "Pre", 4),
            None => ("```", "Pre", 3),
        });
    }
    let known = [
        ("__", "__", "Underline"),
        ("||", "||", "Spoiler"),
        ("_", "_", "Italic"),
        ("*", "*", "Bold"),
        ("~", "~", "Strikethrough"),
        ("`", "`", "Code"),
        ("![", "]", "CustomEmoji"),
        ("[", "]", "TextUrl"),
    ];
    let (start, end, name) = known.into_iter().find(|(start, ..)| rest.starts_with(start))?;
    Some((end, name, start.len()))
}

#[test]
fn the_fake_refuses_in_telegrams_words() {
    for (text, why) in [
        ("🏟 🏟&lt;<abacaba", "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;<abac aba>", "Unsupported start tag \"abac\" at byte offset 13"),
        ("🏟 🏟&lt;<i    aba>", "Can't find end tag corresponding to start tag \"i\""),
        ("🏟 🏟&lt;</", "Unexpected end tag at byte offset 13"),
        ("🏟 🏟&lt;<i>a</i   ", "Unclosed end tag at byte offset 17"),
        ("🏟 🏟&lt;<i>a</em   >", "Unmatched end tag at byte offset 17, expected \"</i>\", found \"</em>\""),
    ] {
        assert_eq!(html(text).unwrap_err(), why);
    }
    assert_eq!(html("🏟 🏟<i>🏟 &gt;<b aba   =   caba>&lt🏟</b></>").unwrap(), "🏟 🏟🏟 ><🏟");
    for (text, why) in [
        ("🏟 🏟_abacaba", "Can't find end of Italic entity at byte offset 9"),
        ("🏟 🏟_abac * asd ", "Can't find end of Bold entity at byte offset 15"),
        ("🏟 🏟_abac * asd _", "Can't find end of Italic entity at byte offset 21"),
        ("🏟 🏟`", "Can't find end of Code entity at byte offset 9"),
        ("🏟 🏟```a", "Can't find end of Pre entity at byte offset 9"),
        ("🏟 🏟__🏟 🏟_", "Can't find end of Italic entity at byte offset 20"),
        ("a.", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a>", "Character '>' is reserved and must be escaped with the preceding '\\'"),
    ] {
        assert_eq!(markdown(text).unwrap_err(), why);
    }
    assert_eq!(markdown("*a _b_* `c.` [d](e.f)\n>g||\n\\!").unwrap(), "a b c. d\ng\n!");
}
