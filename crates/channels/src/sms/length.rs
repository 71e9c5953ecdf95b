//! How many messages a text takes on the air, and how to make it take fewer.
//!
//! A message holds 140 bytes (3GPP TS 23.040 §9.2.3.16): 160 characters of the GSM 7-bit alphabet, or 70 units of
//! UCS-2, which is UTF-16 here as everywhere. One character outside the alphabet turns the whole text into UCS-2.
//! In a text of several messages each of them loses 6 bytes to a header (§9.2.3.24.1): 153 and 67 are left, and
//! neither an escaped character nor a surrogate pair is torn apart between two.

/// How a text is written on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gsm7,
    Ucs2,
}

/// The default alphabet (3GPP TS 23.038 §6.2.1), without the escape.
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Its extension (§6.2.1.1): each takes an escape and a code.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How far back a cut goes to end on a word, in bytes: a longer word is worth being seen in part.
const WORD_MAX_BYTES: usize = 20;

impl Coding {
    /// The coding in which the text can be sent.
    pub(super) fn of(text: &str) -> Self {
        if text.chars().all(|c| gsm7_units(c).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// As people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 => gsm7_units(c).expect("a text is GSM-7 only if each character is"),
            Self::Ucs2 => c.len_utf16(),
        }
    }

    /// What one message takes, of so many.
    const fn room(self, messages: usize) -> usize {
        match (self, messages) {
            (Self::Gsm7, 1) => 160,
            (Self::Gsm7, _) => 153,
            (Self::Ucs2, 1) => 70,
            (Self::Ucs2, _) => 67,
        }
    }

    /// What stands where a text was cut.
    const fn ellipsis(self) -> &'static str {
        match self {
            Self::Gsm7 => "...",
            Self::Ucs2 => "…",
        }
    }

    /// Packs the text into at most so many messages, the last of which keeps this much free: how far it gets, and
    /// how many messages that takes.
    fn pack(self, text: &str, messages_max: usize, free: usize) -> (usize, usize) {
        let room = self.room(messages_max);
        let (mut message, mut used) = (1, 0);
        for (at, c) in text.char_indices() {
            let units = self.units(c);
            if used + units > if message == messages_max { room - free } else { room } {
                if message == messages_max {
                    return (at, message);
                }
                (message, used) = (message + 1, 0);
            }
            used += units;
        }
        (text.len(), message)
    }
}

/// How many messages the text takes; an empty one takes one.
pub(super) fn messages(text: &str) -> usize {
    let coding = Coding::of(text);
    if coding.pack(text, 1, 0).0 == text.len() { 1 } else { coding.pack(text, usize::MAX, 0).1 }
}

/// The text in at most `messages_max` messages: typography that would make it UCS-2 is made plain, and what is
/// still too long is cut, on a word where that costs little.
pub(super) fn fit(text: &str, messages_max: usize) -> String {
    let text = plain(text);
    if messages(&text) <= messages_max {
        return text;
    }
    let coding = Coding::of(&text);
    let ellipsis = coding.ellipsis();
    let (end, _) = coding.pack(&text, messages_max, ellipsis.chars().count());
    let (head, tail) = text.split_at(end);
    let word = head.rfind(char::is_whitespace).filter(|space| end - space <= WORD_MAX_BYTES);
    let end = if tail.starts_with(char::is_whitespace) { end } else { word.unwrap_or(end) };
    // What made the text UCS-2 may just have been cut away.
    plain(&format!("{}{ellipsis}", text[..end].trim_end()))
}

/// The text in the GSM alphabet, if replacing typography is all it takes and saves something; otherwise as it was.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match plainer(c) {
            _ if gsm7_units(c).is_some() => out.push(c),
            Some(plainer) => out.push_str(plainer),
            None => return text.to_owned(),
        }
    }
    if messages(&out) <= messages(text) { out } else { text.to_owned() }
}

fn gsm7_units(c: char) -> Option<usize> {
    if ALPHABET.contains(c) {
        Some(1)
    } else if EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// What means the same in the GSM alphabet. Letters are left alone: a name without its accents is another name.
const fn plainer(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '·' | '•' => "-",
        '…' => "...",
        '→' => "->",
        '←' => "<-",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '≈' => "~",
        '×' => "x",
        '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => " ",
        '\u{ad}' | '\u{200b}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_the_codes_of_the_standard() {
        assert_eq!(ALPHABET.chars().count(), 127, "128 codes and the escape among them");
        assert_eq!(EXTENSION.chars().count(), 10);
        assert_eq!(EXTENSION.chars().filter(|&c| ALPHABET.contains(c)).count(), 0);
    }

    #[test]
    fn lengths_change_where_the_standard_says() {
        let table = [
            ("", 0, 1),
            ("a", 160, 1),
            ("a", 161, 2),
            ("a", 306, 2),
            ("a", 307, 3),
            ("a", 459, 3),
            ("a", 460, 4),
            // Two septets each.
            ("€", 80, 1),
            ("€", 81, 2),
            // 153 is odd: the escaped character moves to the next message whole, so each message takes 76.
            ("€", 152, 2),
            ("€", 153, 3),
            ("я", 70, 1),
            ("я", 71, 2),
            ("я", 134, 2),
            ("я", 135, 3),
            // Two units each, 33 in each of several messages.
            ("🚨", 35, 1),
            ("🚨", 36, 2),
            ("🚨", 66, 2),
            ("🚨", 67, 3),
        ];
        for (c, count, expected) in table {
            assert_eq!(messages(&c.repeat(count)), expected, "{count} × {c}");
        }
        assert_eq!(messages(&format!("{}я", "a".repeat(69))), 1);
        assert_eq!(messages(&format!("{}я", "a".repeat(70))), 2, "one letter makes the whole text UCS-2");
    }

    #[test]
    fn typography_is_made_plain_only_when_that_saves_the_alphabet() {
        assert_eq!(fit("“/var” is full – 100 % … now", 2), "\"/var\" is full - 100 % ... now");
        assert_eq!(fit("“/var” ist voll – я", 2), "“/var” ist voll – я");
        assert_eq!(fit("Störung in Zürich: 5 × 10³", 2), "Störung in Zürich: 5 × 10³");
        assert_eq!(Coding::of(&fit("a · b · c", 2)), Coding::Gsm7);
        assert_eq!(Coding::of("ç"), Coding::Ucs2, "only the capital is in the alphabet");
    }

    #[test]
    fn what_is_too_long_is_cut_on_a_word_and_still_fits() {
        let long = "the filesystem is full ".repeat(30);
        let two = fit(&long, 2);
        assert_eq!(messages(&two), 2);
        assert!(two.len() > 306 - WORD_MAX_BYTES, "{two}");
        let whole = |text: &str| text.split(' ').all(|word| long.contains(&format!("{word} ")));
        assert!(whole(two.trim_end_matches("...")), "{two}");
        assert_eq!(messages(&fit(&long, 1)), 1);
        let russian = fit(&"диск переполнен ".repeat(30), 2);
        assert_eq!(messages(&russian), 2);
        assert!(russian.ends_with("диск…") || russian.ends_with("переполнен…"), "{russian}");
    }

    #[test]
    fn a_word_without_end_is_cut_on_a_character() {
        assert_eq!(fit(&"a".repeat(1_000), 2), format!("{}...", "a".repeat(303)));
        assert_eq!(fit(&"a".repeat(1_000), 1), format!("{}...", "a".repeat(157)));
        assert_eq!(fit(&"я".repeat(1_000), 2), format!("{}…", "я".repeat(133)));
        assert_eq!(fit(&"🚨".repeat(1_000), 1), format!("{}…", "🚨".repeat(34)));
        assert_eq!(fit(&"€".repeat(1_000), 2), format!("{}...", "€".repeat(76 + 75)));
    }

    #[test]
    fn a_plain_form_that_takes_more_messages_is_not_used() {
        let dots = "…".repeat(134);
        assert_eq!((messages(&dots), fit(&dots, 2)), (2, dots));
    }

    #[test]
    fn a_cut_that_removes_the_last_foreign_character_leaves_plain_text() {
        let text = format!("{} я", "abc ".repeat(100));
        let cut = fit(&text, 2);
        assert_eq!(Coding::of(&cut), Coding::Gsm7);
        assert!(cut.ends_with("..."), "{cut}");
    }

    #[test]
    fn whatever_comes_the_result_fits_and_loses_nothing_that_would_have_fitted() {
        // Every mixture of two kinds of character that matter, at every length around the limits.
        let kinds = ['a', ' ', '€', 'я', '🚨', '…', '\n'];
        for (one, other) in kinds.iter().flat_map(|one| kinds.iter().map(move |other| (one, other))) {
            for length in [0, 1, 66, 67, 70, 71, 134, 135, 152, 153, 160, 161, 306, 307, 400] {
                let text: String = (0..length).map(|at| if at % 3 == 0 { *other } else { *one }).collect();
                for max in 1..=3 {
                    let fitted = fit(&text, max);
                    assert!(messages(&fitted) <= max, "{text:?} in {max} became {fitted:?}");
                    if messages(&text) <= max {
                        assert_eq!(fitted, plain(&text));
                    }
                }
            }
        }
    }
}
