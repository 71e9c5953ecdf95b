//! The built-in layout: what a person reads, in each language.

use super::*;
use crate::contract::payload;

fn plain(payload: &DeliverPayload) -> String {
    Layout::new(payload, &Manner::default()).plain()
}

#[test]
fn a_firing_alert_reads_at_a_glance() {
    insta::assert_snapshot!(plain(&payload()), @r"
    🚨 CRITICAL · firing · db1
    /var on db1 is full
    Action: free some space on /var
    Subject: Disk FULL on db1
    From: root@db1.example.org (mail)
    Since: 2026-11-20 09:58:58 UTC (1 min)
    Received: 2026-11-20 09:59:58 UTC, seen 3 times
    ");
}

#[test]
fn a_resolved_alert_cannot_be_taken_for_a_firing_one() {
    let mut payload = payload();
    payload.alert.analysis.status = Status::Resolved;
    payload.count = 1;
    payload.alert.analysis.action.clear();
    insta::assert_snapshot!(plain(&payload), @r"
    ✅ RESOLVED · critical · db1
    /var on db1 is full
    Subject: Disk FULL on db1
    From: root@db1.example.org (mail)
    Since: 2026-11-20 09:58:58 UTC (1 min)
    Received: 2026-11-20 09:59:58 UTC
    ");
}

#[test]
fn a_guess_shows_the_first_lines_of_the_original() {
    let mut payload = payload();
    let event = &mut payload.alert.event;
    event.text = format!("{}\n\n  /var is \x1b[31mfull\n{}", event.subject, "more\n".repeat(9));
    payload.alert.analysis.summary = event.subject.clone();
    payload.alert.analysis.confidence = 0.4;
    payload.update = true;
    insta::assert_snapshot!(plain(&payload), @r"
    🚨 CRITICAL · firing · db1 · update
    Disk FULL on db1
    Action: free some space on /var
    From: root@db1.example.org (mail)
    Since: 2026-11-20 09:58:58 UTC (1 min)
    Received: 2026-11-20 09:59:58 UTC, seen 3 times
    > /var is [31mfull
    > more
    > more
    > more
    > more
    > more
    > …
    ");
}

#[test]
fn every_severity_has_a_symbol_and_a_word_of_its_own() {
    let heads = Severity::ALL.map(|severity| {
        let mut payload = payload();
        payload.alert.analysis.severity = severity;
        plain(&payload).lines().next().unwrap().to_owned()
    });
    insta::assert_snapshot!(heads.join("\n"), @r"
    ℹ️ INFO · db1
    ⚠️ WARNING · firing · db1
    ❌ ERROR · firing · db1
    🚨 CRITICAL · firing · db1
    ");
}

#[test]
fn nothing_that_steers_a_terminal_or_starts_a_line_gets_through() {
    let mut payload = payload();
    let hostile = "a\u{1b}[2J\r\nSubject: forged\0\u{9b}\u{2028}x \u{202e}gnp.exe\u{7f}";
    let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
    for field in [&mut event.subject, &mut event.text, &mut event.source] {
        hostile.clone_into(field);
    }
    for field in [&mut analysis.summary, &mut analysis.action, &mut analysis.system] {
        hostile.clone_into(field);
    }
    event.from = vec![hostile.to_owned()];
    analysis.confidence = 0.1;
    let text = plain(&payload);
    assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || steers(c) || c == '\u{2028}')), "{text:?}");
    assert_eq!(text.lines().filter(|line| line.starts_with("Subject:")).count(), 0, "{text}");
}

#[test]
fn an_event_that_says_nothing_still_makes_a_message() {
    let mut payload = payload();
    let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
    (event.subject, event.from) = (String::new(), Vec::new());
    (analysis.summary, analysis.system, analysis.action) = (String::new(), String::new(), String::new());
    payload.alert.event.received_at = i64::MAX;
    payload.since = None;
    payload.count = 0;
    insta::assert_snapshot!(plain(&payload), @r"
    🚨 CRITICAL · firing
    (no subject)
    From: mail
    Received: 1970-01-01 00:00:00 UTC
    ");
}

#[test]
fn whatever_comes_in_the_message_stays_short() {
    let mut payload = payload();
    let huge = "я ".repeat(500_000);
    let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
    for field in [&mut event.subject, &mut event.text, &mut analysis.summary, &mut analysis.action] {
        huge.clone_into(field);
    }
    analysis.system = huge;
    analysis.confidence = 0.1;
    assert!(plain(&payload).len() < 4_096);
}

#[test]
fn a_cut_falls_between_two_characters() {
    assert_eq!(cut("яяяя", 8), "яяяя");
    assert_eq!(cut("яяяя", 7), "яя…");
    assert_eq!(cut("яяяя", 6), "я…");
    assert_eq!(cut("яяяя", 2), "я");
    assert_eq!(cut("яяяя", 1), "");
}

fn in_language(language: &str) -> Manner {
    let mut channel = crate::contract::channel("console", "");
    channel.channel.options = [
        ("language".to_owned(), language.into()),
        ("timezone".to_owned(), if language == "fa" { "Asia/Tehran" } else { "Asia/Shanghai" }.into()),
    ]
    .into();
    Manner::of(&channel, Some("https://watchbell.example.org/".to_owned())).unwrap()
}

/// A message with everything in it, isolates made visible.
fn whole(language: &str) -> String {
    let mut payload = payload();
    payload.since = Some(payload.alert.event.received_at - 5_405_000);
    payload.alert.analysis.confidence = 0.5;
    payload.update = true;
    let mut layout = Layout::new(&payload, &in_language(language));
    layout.say_that_a_template_failed("brief", "line 1 column 4: it broke", &in_language(language));
    layout.plain().replace('\u{2068}', "⟨").replace('\u{2069}', "⟩")
}

#[test]
fn each_language_says_everything() {
    insta::assert_snapshot!("whole_en", whole("en"));
    insta::assert_snapshot!("whole_zh", whole("zh"));
    insta::assert_snapshot!("whole_fa", whole("fa"));
}

#[test]
fn status_and_severity_are_seen_at_a_glance_in_each_language() {
    for language in ["en", "zh", "fa"] {
        let manner = in_language(language);
        let mut heads = Vec::new();
        for status in [Status::Firing, Status::Acknowledged, Status::Resolved] {
            for severity in Severity::ALL {
                let mut payload = payload();
                (payload.alert.analysis.status, payload.alert.analysis.severity) = (status, severity);
                let layout = Layout::new(&payload, &manner);
                heads.push(format!("{} {}", layout.symbol, layout.heading));
            }
        }
        let mut different = heads.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), heads.len());
        insta::assert_snapshot!(format!("heads_{language}"), heads.join("\n"));
    }
}

#[test]
fn values_among_persian_words_are_isolated_and_balanced() {
    let mut payload = payload();
    payload.alert.event.subject = "\u{2068}\u{2069}\u{2069} (db1) \u{202e}x".to_owned();
    let layout = Layout::new(&payload, &in_language("fa"));
    assert!(layout.rtl);
    for (label, value) in &layout.facts {
        let (opened, closed) = (value.matches('\u{2068}').count(), value.matches('\u{2069}').count());
        assert!(opened == 1 && closed == 1 && value.starts_with('\u{2068}'), "{label}: {value:?}");
    }
    assert!(!Layout::new(&payload, &in_language("zh")).rtl);
}

#[test]
fn what_reads_from_right_to_left_is_isolated_in_every_language() {
    let mut payload = payload();
    payload.alert.event.subject = "سرور db1 (اصلی) از کار افتاد.".to_owned();
    payload.alert.analysis.system = "سرور".to_owned();
    for language in ["en", "zh", "fa"] {
        let layout = Layout::new(&payload, &in_language(language));
        let subject = layout.facts.iter().find(|(_, value)| value.contains("db1 (")).unwrap();
        assert_eq!(subject.1, "\u{2068}سرور db1 (اصلی) از کار افتاد.\u{2069}");
        assert!(layout.heading.ends_with("\u{2068}سرور\u{2069}"), "{}", layout.heading);
    }
}

#[test]
fn a_first_event_has_no_since_and_a_clock_that_went_back_neither() {
    let mut payload = payload();
    for since in [payload.alert.event.received_at, payload.alert.event.received_at + 1] {
        payload.since = Some(since);
        assert!(!plain(&payload).contains("Since"));
    }
}

#[test]
fn durations_say_their_two_largest_units() {
    let words = Language::En.words();
    let table = [(0, "0 s"), (59, "59 s"), (3_600, "1 h"), (3_725, "1 h 2 min"), (90_000, "1 d 1 h"), (86_460, "1 d")];
    for (seconds, expected) in table {
        assert_eq!(words.duration(Duration::from_secs(seconds)), expected);
    }
}
