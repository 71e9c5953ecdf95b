//! Globs: `*` any run of characters, `?` one character, `[abc]`, `[a-z]` and `[!…]` one character of a set or
//! not of it. The whole text must match; case does not matter, in any script.
//!
//! Thousands of rules look at the same field, so its patterns are searched together: one Aho-Corasick
//! automaton finds which of their longest literal parts occur in the text, and only the patterns whose part
//! occurs are tried. A text is read once, and what does not apply costs nothing. (One `regex::RegexSet` was
//! tried first: every new text builds new automaton states over all patterns, forty times slower at 5,000 patterns.)

use std::{borrow::Cow, collections::HashMap};

use aho_corasick::AhoCorasick;

use super::PatternError;

/// The longest pattern, in bytes. Longer than any address (RFC 5321 §4.5.3.1: 320) or sensible subject.
pub const PATTERN_MAX_BYTES: usize = 1024;

/// Collects the patterns of one field; equal ones are kept once.
#[derive(Debug, Default)]
pub(super) struct GlobsBuilder {
    numbers: HashMap<String, usize>,
    globs: Vec<Glob>,
}

impl GlobsBuilder {
    /// Checks a pattern and gives it its number in the set.
    pub(super) fn add(&mut self, pattern: &str) -> Result<usize, PatternError> {
        if let Some(&number) = self.numbers.get(pattern) {
            return Ok(number);
        }
        let glob = Glob::parse(pattern).map_err(|why| PatternError::Glob { pattern: pattern.to_owned(), why })?;
        let number = self.globs.len();
        self.globs.push(glob);
        self.numbers.insert(pattern.to_owned(), number);
        Ok(number)
    }

    /// Compiles the set.
    pub(super) fn build(self) -> Globs {
        let mut literals = HashMap::<String, Vec<usize>>::new();
        let mut without_literal = Vec::new();
        for (number, glob) in self.globs.iter().enumerate() {
            match glob.longest_literal() {
                literal if literal.is_empty() => without_literal.push(number),
                literal => literals.entry(literal).or_default().push(number),
            }
        }
        let (literals, by_literal): (Vec<_>, Vec<_>) = literals.into_iter().unzip();
        let finder = (!literals.is_empty()).then(|| {
            AhoCorasick::new(&literals).expect("it fits: documents are far smaller than the limit of 2^31 bytes")
        });
        Globs { all: self.globs, finder, by_literal, without_literal }
    }
}

/// The compiled patterns of one field.
#[derive(Debug, Default)]
pub(super) struct Globs {
    all: Vec<Glob>,
    /// Finds the literals; `by_literal` has the patterns that need each.
    finder: Option<AhoCorasick>,
    by_literal: Vec<Vec<usize>>,
    /// Patterns such as `*` or `[0-9]?`, which are always tried.
    without_literal: Vec<usize>,
}

impl Globs {
    /// Which patterns match at least one of the texts, by number.
    pub(super) fn matching<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Hits {
        let mut hits = Hits(vec![false; self.all.len()]);
        if self.all.is_empty() {
            return hits;
        }
        for text in texts {
            let text = fold(text);
            self.try_all(&self.without_literal, &text, &mut hits);
            let Some(finder) = &self.finder else { continue };
            let mut tried = vec![false; self.by_literal.len()];
            for found in finder.find_overlapping_iter(text.as_ref()) {
                let literal = found.pattern().as_usize();
                if !std::mem::replace(&mut tried[literal], true) {
                    self.try_all(&self.by_literal[literal], &text, &mut hits);
                }
            }
        }
        hits
    }

    fn try_all(&self, numbers: &[usize], text: &str, hits: &mut Hits) {
        for &number in numbers {
            hits.0[number] |= self.all[number].matches(text);
        }
    }
}

/// Which patterns of a field match.
#[derive(Debug)]
pub(super) struct Hits(Vec<bool>);

impl Hits {
    /// Whether the pattern of that number matches.
    pub(super) fn has(&self, number: usize) -> bool {
        self.0[number]
    }
}

/// Folds case, character by character: simple folding, so `?` counts the same characters as before.
fn fold(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold_char).collect())
}

/// Upper case first, because some letters have two lower cases (σ and ς); what has no single counterpart stays.
fn fold_char(c: char) -> char {
    let upper = upper(c);
    single(upper.to_lowercase(), upper)
}

fn upper(c: char) -> char {
    single(c.to_uppercase(), c)
}

fn single(mut all: impl Iterator<Item = char>, otherwise: char) -> char {
    all.next().filter(|_| all.next().is_none()).unwrap_or(otherwise)
}

/// One parsed pattern, for folded text.
#[derive(Debug)]
struct Glob(Vec<Token>);

#[derive(Debug)]
enum Token {
    /// `*`; never two in a row.
    Run,
    /// `?`
    Any,
    /// A folded character.
    One(char),
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Run => false,
            Self::Any => true,
            Self::One(one) => *one == c,
            Self::Set { negated, ranges } => {
                let within = |c| ranges.iter().any(|&(low, high)| low <= c && c <= high);
                (within(c) || within(upper(c))) != *negated
            }
        }
    }
}

impl Glob {
    /// Reads a pattern, or says what is wrong with it.
    fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.len() > PATTERN_MAX_BYTES {
            return Err(format!("it is longer than {PATTERN_MAX_BYTES} bytes"));
        }
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            match c {
                '*' if matches!(tokens.last(), Some(Token::Run)) => {}
                '*' => tokens.push(Token::Run),
                '?' => tokens.push(Token::Any),
                '[' => {
                    let (set, after) = parse_set(rest.as_str())?;
                    tokens.push(set);
                    rest = after.chars();
                }
                c => tokens.push(Token::One(fold_char(c))),
            }
        }
        Ok(Self(tokens))
    }

    /// The longest run of plain characters, which every matching text contains.
    fn longest_literal(&self) -> String {
        let runs = self.0.split(|token| !matches!(token, Token::One(_)));
        let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
        longest.iter().filter_map(|token| if let Token::One(c) = token { Some(*c) } else { None }).collect()
    }

    /// Takes each `*` as short as possible and lengthens only the last one on a mismatch, which suffices:
    /// an earlier one that took more would leave less for all that follows.
    fn matches(&self, text: &str) -> bool {
        let mut next = 0;
        let mut rest = text.chars();
        let mut last_run = None;
        loop {
            match self.0.get(next) {
                Some(Token::Run) => {
                    next += 1;
                    if next == self.0.len() {
                        return true;
                    }
                    last_run = Some((next, rest.clone()));
                    continue;
                }
                Some(token) => {
                    let mut ahead = rest.clone();
                    if ahead.next().is_some_and(|c| token.takes(c)) {
                        rest = ahead;
                        next += 1;
                        continue;
                    }
                }
                None if rest.as_str().is_empty() => return true,
                None => {}
            }
            let Some((after, from)) = &mut last_run else { return false };
            if from.next().is_none() {
                return false;
            }
            next = *after;
            rest = from.clone();
        }
    }
}

/// Reads a set behind its `[`; answers with it and what follows the `]`.
fn parse_set(text: &str) -> Result<(Token, &str), String> {
    let (negated, body) = text.strip_prefix('!').map_or((false, text), |body| (true, body));
    // A `]` that comes first stands for itself (POSIX 2.13.1), so a set is never empty.
    let first = body.chars().next().ok_or("`[` is never closed")?;
    let end = first.len_utf8() + body[first.len_utf8()..].find(']').ok_or("`[` is never closed")?;
    let (members, after) = (&body[..end], &body[end + 1..]);
    let mut ranges = Vec::new();
    let mut members = members.chars();
    while let Some(low) = members.next() {
        let mut ahead = members.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(high)) => {
                members = ahead;
                high
            }
            _ => low,
        };
        if high < low {
            return Err(format!("the range {low}-{high} runs backwards"));
        }
        ranges.push((low, high));
    }
    // One by one, members are compared folded; in a range, a character counts in either case.
    let folded = ranges.iter().filter(|(low, high)| low == high).map(|&(c, _)| (fold_char(c), fold_char(c)));
    let folded = folded.collect::<Vec<_>>();
    ranges.extend(folded);
    Ok((Token::Set { negated, ranges }, after))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let mut builder = GlobsBuilder::default();
        let number = builder.add(pattern).unwrap();
        builder.build().matching([text]).has(number)
    }

    #[test]
    fn globs_match_as_a_shell_would() {
        let table = [
            ("*", "", true),
            ("*", "anything\nat all", true),
            ("", "", true),
            ("", "a", false),
            ("**", "a", true),
            ("*@db-servers.local", "root@db-servers.local", true),
            ("*@db-servers.local", "root@db-servers.local.evil", false),
            ("root@*", "root@a", true),
            ("root@*", "toor@a", false),
            ("*disk*", "Disk full", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("a**c", "ac", true),
            ("a?c", "abc", true),
            ("a?c", "aяc", true),
            ("a?c", "ac", false),
            ("a?c", "a\nc", true),
            ("web[0-9]", "web7", true),
            ("web[0-9]", "webx", false),
            ("web[!0-9]", "webx", true),
            ("web[!0-9]", "web", false),
            ("[]]", "]", true),
            ("[!]]", "x", true),
            ("[!]]", "]", false),
            ("[a-]", "-", true),
            ("[*]", "*", true),
            ("[*]", "x", false),
            ("a.c", "abc", false),
            (r"a\b", r"a\b", true),
            ("ПРОБЛЕМА*", "проблема: диск", true),
            ("*ΟΔΟΣ*", "οδος 1", true),
            ("[а-я]", "Я", true),
            ("[A-Z]", "q", true),
            ("stra?e", "STRAßE", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "`{pattern}` on `{text}`");
        }
    }

    #[test]
    fn a_broken_glob_says_what_is_wrong() {
        let mut builder = GlobsBuilder::default();
        assert!(builder.add("web[0-9").unwrap_err().to_string().contains("`web[0-9` is not a valid glob"));
        assert!(builder.add("[").unwrap_err().to_string().contains("never closed"));
        assert!(builder.add("[]").unwrap_err().to_string().contains("never closed"));
        assert!(builder.add("[z-a]").unwrap_err().to_string().contains("backwards"));
        assert!(builder.add(&"x".repeat(PATTERN_MAX_BYTES + 1)).is_err());
    }

    /// The definition, written down as plainly as possible.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', more)), _) => {
                naive(more, text) || text.split_first().is_some_and(|(_, rest)| naive(pattern, rest))
            }
            (Some(('?', more)), Some((_, rest))) => naive(more, rest),
            (Some(('[', more)), Some((c, rest))) => {
                let negated = more[0] == '!';
                let body = &more[usize::from(negated)..];
                let end = 1 + body[1..].iter().position(|&c| c == ']').unwrap();
                let mut found = false;
                let mut i = 0;
                while i < end {
                    let range = i + 2 < end && body[i + 1] == '-';
                    let high = if range { body[i + 2] } else { body[i] };
                    let cases = c.to_lowercase().chain(c.to_uppercase()).chain([*c]).collect::<Vec<_>>();
                    found |= cases.iter().any(|c| (body[i]..=high).contains(c));
                    i += if range { 3 } else { 1 };
                }
                found != negated && naive(&body[end + 1..], rest)
            }
            (Some((p, more)), Some((c, rest))) => fold_char(*p) == fold_char(*c) && naive(more, rest),
            _ => false,
        }
    }

    #[test]
    fn the_set_agrees_with_the_definition_on_random_patterns() {
        const PIECES: [&str; 16] =
            ["*", "*", "?", "a", "B", "я", "Я", ".", "@", "\n", "[ab]", "[!a-c]", "[a-я]", "[!Я]", "[]-]", "ς"];
        const TEXT: [char; 12] = ['a', 'A', 'b', 'c', 'я', 'Я', '.', '@', '\n', ']', 'Σ', 'ß'];
        let mut rng = StdRng::seed_from_u64(0x5eed);
        for _ in 0..40 {
            let patterns: Vec<String> = (0..20)
                .map(|_| (0..rng.random_range(0..6)).map(|_| PIECES[rng.random_range(0..PIECES.len())]).collect())
                .collect();
            let mut builder = GlobsBuilder::default();
            let numbers: Vec<usize> = patterns.iter().map(|pattern| builder.add(pattern).unwrap()).collect();
            let globs = builder.build();
            for _ in 0..40 {
                let text: String = (0..rng.random_range(0..7)).map(|_| TEXT[rng.random_range(0..TEXT.len())]).collect();
                let hits = globs.matching([text.as_str()]);
                let chars: Vec<char> = text.chars().collect();
                for (pattern, &number) in patterns.iter().zip(&numbers) {
                    let expected = naive(&pattern.chars().collect::<Vec<_>>(), &chars);
                    assert_eq!(hits.has(number), expected, "`{pattern}` on {text:?}");
                }
            }
        }
    }
}
