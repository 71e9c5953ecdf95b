//! What the model may do to an analysis: raise the severity and add words. Pure, and the only way from an answer to
//! an analysis.
//!
//! Status and fingerprint are the rules' alone, and so are the system and category that matchers see; routing keeps
//! the deliveries a superset of those without the model ([`CompiledTenant::route_with`]).
//!
//! [`CompiledTenant::route_with`]: watchbell_common::routing::CompiledTenant::route_with

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};
use watchbell_common::alert::{Analysis, Event, Origin};

use super::Answer;
use crate::{
    decode::{cut, one_line},
    rules::{ACTION_MAX_BYTES, SUMMARY_MAX_BYTES, SYSTEM_MAX_BYTES},
};

/// The longest category: those of the rules are one word.
const CATEGORY_MAX_BYTES: usize = 40;

/// The category of what the rules do not know.
const UNKNOWN_CATEGORY: &str = "other";

/// Digits from which on a number is compared: smaller ones ("2 of 3 nodes") say little and are often written out.
const NUMBER_MIN_DIGITS: usize = 2;

/// The analysis of the rules with what the model adds. `origin` says whether the answer is fresh or remembered.
pub fn merge(rules: &Analysis, answer: &Answer, event: &Event, origin: Origin) -> Analysis {
    let words = |text: &str, max| cut(plain(text, rules, event), max);
    let about = |words: &String| is_about(words, rules, event, origin);
    let summary = Some(words(&answer.summary, SUMMARY_MAX_BYTES)).filter(|words| !words.is_empty() && about(words));
    // Fresh advice may have numbers of its own ("try again in 15 minutes").
    let advice = |words: &String| origin == Origin::Model || about(words);
    let or_else = |given: &str, text: &str, max| match given {
        "" => Some(words(text, max)).filter(advice).unwrap_or_default(),
        given => given.to_owned(),
    };
    let category = match rules.category.as_str() {
        "" | UNKNOWN_CATEGORY => category(&answer.category).unwrap_or_else(|| rules.category.clone()),
        known => known.to_owned(),
    };
    Analysis {
        severity: rules.severity.max(answer.severity),
        status: rules.status,
        category,
        system: or_else(&rules.system, &answer.system, SYSTEM_MAX_BYTES),
        summary: summary.unwrap_or_else(|| rules.summary.clone()),
        action: or_else(&rules.action, &answer.action, ACTION_MAX_BYTES),
        origin,
        confidence: answer.confidence,
    }
}

/// One lower-case word, or nothing.
fn category(text: &str) -> Option<String> {
    let word = text.trim().to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (!word.is_empty() && word.len() <= CATEGORY_MAX_BYTES && word.bytes().all(plain)).then_some(word)
}

/// Whether words can stand with this alert: they hold nothing that tells it from others and that it does not say
/// itself. Of a fresh answer that are numbers. A remembered one was given about another alert of the template, so it
/// also is every word with a digit in it (`db1`, `10.0.0.7`, `/dev/sda1`) and every address.
fn is_about(words: &str, rules: &Analysis, event: &Event, origin: Origin) -> bool {
    let known = |said: &str| {
        let texts = [&event.subject, &event.text, &rules.system].into_iter();
        texts.chain(&event.from).chain(event.labels.values()).any(|text| text.contains(said))
    };
    let mut numbers = words.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= NUMBER_MIN_DIGITS);
    let mut names = words.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let telling = |name: &&str| name.len() >= NUMBER_MIN_DIGITS && name.contains(|c: char| c.is_numeric() || c == '@');
    numbers.all(known) && (origin != Origin::Cache || names.all(|name| !telling(&name) || known(name)))
}

/// Everything that a platform would turn into something to press, in the order in which it is taken out.
pub(super) struct Pressable {
    other_dot: Regex,
    markdown: Regex,
    tag: Regex,
    scheme: Regex,
    path: Regex,
    host: Regex,
}

pub(super) static PRESSABLE: LazyLock<Pressable> = LazyLock::new(|| {
    let compile = |pattern| Regex::new(pattern).expect("the patterns are constants, and the tests compile them");
    Pressable {
        // Domains may be written with these (UTS #46 §4), and some programs then open them.
        other_dot: compile(r"([A-Za-z0-9-])[。．｡]([A-Za-z0-9])"),
        // `[text](anything)` and `![alt](anything)`, and links by reference.
        markdown: compile(r"!?\[([^\[\]]*)\]\s*(?:\([^)]*\)|\[[^\]]*\])"),
        // HTML, and what Slack writes as `<!here>`, `<@U1>` and `<https://x|text>`.
        tag: compile(r"<[^<>]*>"),
        scheme: compile(
            r"(?i)\b(?:[a-z][a-z0-9+.-]*://|(?:mailto|javascript|data|tel|tg|sms|file|vbscript|xmpp|matrix|magnet|geo|intent):)\S*|\bwww\.\S+",
        ),
        path: compile(r"(?i)\b(?:[\p{L}\p{N}-]+\.)+[\p{L}]{2,}(?::\d+)?[/?#]\S*"),
        host: compile(r"\b(?:[\p{L}\p{N}_-]+\.)+[\p{L}]{2,}\b"),
    }
});

impl Pressable {
    /// The text without markup and links; `None` when it has none.
    fn taken_out(&self, text: &str) -> Option<String> {
        let without_markup = self.markdown.replace_all(text, "$1").into_owned();
        let links = [&self.tag, &self.scheme, &self.path];
        let next = links.into_iter().fold(without_markup, |text, link| link.replace_all(&text, "").into_owned());
        (next != text).then_some(next)
    }
}

/// The text in one line without anything that can be pressed or that calls somebody.
fn plain(text: &str, rules: &Analysis, event: &Event) -> String {
    let shapes = &*PRESSABLE;
    let mut text = one_line(text).replace(invisible, "");
    text = shapes.other_dot.replace_all(&text, "$1.$2").into_owned();
    // Taking one thing out can put the halves of another together.
    while let Some(next) = shapes.taken_out(&text) {
        text = next;
    }
    // A host that the rules or the sender's address name is the system it is about. Chats make links of all others.
    let known =
        |host: &str| rules.system.contains(host) || event.from.iter().any(|from| from.rsplit('@').next() == Some(host));
    let text = shapes.host.replace_all(&text, |found: &Captures<'_>| match &found[0] {
        host if known(host) => Cow::Owned(host.to_owned()),
        host => Cow::Owned(host.replace('.', "[.]")),
    });
    let text: String = text.chars().map(|c| if matches!(c, '<' | '>' | '`' | '|') { ' ' } else { c }).collect();
    one_line(&text.replace("](", "] (").replace(['@', '＠', '﹫'], " at "))
}

/// Characters without a width, which can hide in the middle of a word.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use watchbell_common::alert::{Severity, Status};

    use super::*;
    use crate::testing::{alert, answer};

    fn merged(change: impl FnOnce(&mut Analysis, &mut Answer)) -> Analysis {
        let (mut alert, mut answer) = (alert("Disk full on db1", "/var is 97 % full on db1"), answer());
        change(&mut alert.analysis, &mut answer);
        merge(&alert.analysis, &answer, &alert.event, Origin::Model)
    }

    #[test]
    fn severity_goes_up_and_never_down() {
        for by_rules in Severity::ALL {
            for by_model in Severity::ALL {
                let merged = merged(|rules, answer| (rules.severity, answer.severity) = (by_rules, by_model));
                assert_eq!(merged.severity, by_rules.max(by_model));
            }
        }
    }

    #[test]
    fn the_status_is_the_rules_and_so_is_what_they_knew() {
        let merged = merged(|rules, answer| {
            (rules.status, rules.system, rules.category) = (Status::Resolved, "db1".to_owned(), "disk".to_owned());
            rules.action = "see the runbook".to_owned();
            (answer.system, answer.category, answer.action) = ("x".to_owned(), "y".to_owned(), "z".to_owned());
        });
        let shown = (merged.status, &*merged.system, &*merged.category, &*merged.action);
        assert_eq!(shown, (Status::Resolved, "db1", "disk", "see the runbook"));
        assert_eq!(merged.origin, Origin::Model);
    }

    #[test]
    fn what_the_rules_did_not_know_the_model_may_say() {
        let merged = merged(|rules, answer| {
            (rules.system, rules.category) = (String::new(), "other".to_owned());
            (answer.system, answer.category) = ("db1".to_owned(), "Disk".to_owned());
        });
        assert_eq!((&*merged.system, &*merged.category, &*merged.action), ("db1", "disk", "Free some space"));
        let odd = self::merged(|rules, answer| {
            rules.category = "other".to_owned();
            answer.category = "look at https://x".to_owned();
        });
        assert_eq!(odd.category, "other");
    }

    #[test]
    fn numbers_that_the_alert_does_not_hold_do_not_get_into_the_summary() {
        let said = |summary: &str| merged(|_, answer| answer.summary = summary.to_owned()).summary;
        assert_eq!(said("/var is 97 % full"), "/var is 97 % full");
        assert_eq!(said("/var is 93 % full"), "Disk full on db1", "the number of an earlier alert");
        assert_eq!(said(" \u{200b} "), "Disk full on db1");
    }

    #[test]
    fn nothing_can_be_pressed_and_nobody_is_called() {
        let table = [
            ("see https://evil.example/login now", "see now"),
            ("see [the runbook](https://evil.example) now", "see the runbook now"),
            ("![x](tg://resolve?domain=evil) y", "x y"),
            ("[a][1] b", "a b"),
            ("<https://evil.example|click> <!here> <@U123> ok", "ok"),
            ("<a href='x'>press</a>", "press"),
            ("ht<b>tps://evil.example", ""),
            ("hello @channel @everyone", "hello at channel at everyone"),
            ("ask ＠here", "ask at here"),
            ("write to admin@evil.example", "write to admin at evil[.]example"),
            ("go to evil.example/login", "go to"),
            ("go to www.evil.example", "go to"),
            ("go to evil.example", "go to evil[.]example"),
            ("go to evil。example/x", "go to"),
            ("磁盘满了。请检查/var", "磁盘满了。请检查/var"),
            ("mailto:x@y and javascript:alert(1)", "and"),
            ("t.me/evil", ""),
            ("tg://user?id=1", ""),
            ("ev\u{200b}il.exa\u{2060}mple/x", ""),
            ("\u{1b}[31mred\u{202e}", "red"),
            ("two\nlines", "two lines"),
            ("call +49 30 1234", "call +49 30 1234"),
            ("restart nginx on db1.corp.example, port 80", "restart nginx on db1.corp.example, port 80"),
            ("10.0.0.1 does not answer", "10.0.0.1 does not answer"),
        ];
        for (text, expected) in table {
            let mut alert = alert("x", "y");
            alert.event.from = vec!["root@db1.corp.example".to_owned()];
            assert_eq!(plain(text, &alert.analysis, &alert.event), expected, "{text}");
        }
    }
}
