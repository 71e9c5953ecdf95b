//! The text of a template before the engine (1.0.0) reads it: what it cannot bound or reads wrongly.

/// The longest action (`{{ … }}`). All its arguments are in memory at once, each as large as a text can be, so
/// this bounds what one action can take: some hundred arguments of 64 KiB.
const ACTION_MAX_BYTES: usize = 1_024;

/// How deeply parentheses may be nested, and how often a template may say `else`. The engine bounds everything else
/// that nests, but some hundred of these exhaust the stack, and with it the process.
const PARENTHESES_MAX: usize = 16;
const ELSES_MAX: usize = 64;

/// The source as the engine should read it.
///
/// Of its texts, it takes the second backslash of `"\\\\"` for the beginning of another escape, and knows escapes in
/// backquotes, where Go has none. So each text is written as it reads it rightly, and it thereby agrees with us on where
/// a text and an action end.
///
/// # Errors
/// What it refuses, and the line.
pub(super) fn prepared(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len());
    let (mut rest, mut elses) = (source, 0);
    while let Some(start) = rest.find("{{") {
        let (text, action) = rest.split_at(start);
        out.push_str(text);
        let body = action[2..].trim_start_matches(['-', ' ', '\t', '\n', '\r']);
        let copied =
            if body.starts_with("/*") { Ok(copy_comment(action, &mut out)) } else { copy_action(action, &mut out) };
        elses += usize::from(body.starts_with("else"));
        let copied = copied
            .and_then(|end| if elses > ELSES_MAX { Err(format!("more than {ELSES_MAX} `else`")) } else { Ok(end) });
        let line = || source[..source.len() - action.len()].matches('\n').count() + 1;
        rest = &action[copied.map_err(|reason| format!("line {}: {reason}", line()))?..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Copies the words of a comment, which make no value. What follows them is looked at as text.
fn copy_comment(action: &str, out: &mut String) -> usize {
    let end = action.find("*/").map_or(action.len(), |end| end + 2);
    out.push_str(&action[..end]);
    end
}

/// Copies an action and says how long it is. Texts in it may hold braces.
fn copy_action(action: &str, out: &mut String) -> Result<usize, String> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(letter) = action[at..].chars().next() {
        if at >= ACTION_MAX_BYTES {
            return Err(format!("an action is longer than {ACTION_MAX_BYTES} bytes"));
        }
        let rest = &action[at..];
        match letter {
            '"' | '\'' | '`' => {
                at += copy_text(rest, letter, out)?;
                continue;
            }
            '}' if rest.starts_with("}}") => {
                out.push_str("}}");
                return Ok(at + 2);
            }
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > PARENTHESES_MAX {
            return Err(format!("more than {PARENTHESES_MAX} parentheses in each other"));
        }
        out.push(letter);
        at += letter.len_utf8();
    }
    Ok(action.len())
}

/// Copies a text with its quotes, as the engine reads it rightly, and says how long it was.
fn copy_text(rest: &str, quote: char, out: &mut String) -> Result<usize, String> {
    let mut meant = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            let end = at + quote.len_utf8();
            match quote {
                '\'' => out.push_str(&rest[..end]),
                '`' => out.extend(["`", &meant.replace('\\', r"\\"), "`"]),
                // A backslash before the closing quote would hide it.
                _ if !meant.ends_with('\\') => quoted(&meant, out),
                _ if !meant.contains('`') => out.extend(["`", &meant.replace('\\', r"\\"), "`"]),
                _ => return Err("a text cannot hold a backquote and end in a backslash".to_owned()),
            }
            return Ok(end);
        }
        if letter != '\\' || quote == '`' {
            meant.push(letter);
            continue;
        }
        let wrong = || "there is no such escape in a text".to_owned();
        let (at, escape) = letters.next().ok_or_else(wrong)?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                meant.push(escaped(escape).ok_or_else(wrong)?);
                continue;
            }
        };
        let code = rest.get(at + 1..at + 1 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        meant.push(code.and_then(char::from_u32).ok_or_else(wrong)?);
        letters.nth(digits - 1);
    }
    // The engine says where a text that has no end begins.
    out.push_str(rest);
    Ok(rest.len())
}

/// What a letter behind a backslash means in Go.
const fn escaped(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '"' | '\'' => letter,
        _ => return None,
    })
}

fn quoted(meant: &str, out: &mut String) {
    out.push('"');
    for letter in meant.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str(r"\n"),
            _ => out.push(letter),
        }
    }
    out.push('"');
}
