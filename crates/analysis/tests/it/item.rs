//! Webhook items: what they say about themselves is taken at its word, the rest is read in their words.

use watchbell_common::{
    alert::{Severity, Status, TEXT_MAX_BYTES},
    fingerprint::of_item,
    payload::Item,
};

use super::{item, shown};

#[test]
fn claims_go_before_words() {
    let alert = item(Item {
        source: "push".to_owned(),
        title: "CRITICAL: everything is down".to_owned(),
        severity: Some(Severity::Warning),
        status: Some(Status::Resolved),
        system: Some("billing".to_owned()),
        category: Some("payments".to_owned()),
        from: Some("Cron@Billing".to_owned()),
        ..Item::default()
    });
    insta::assert_snapshot!(shown(&alert), @"warning resolved payments | billing | billing: CRITICAL: everything is down |");
    assert_eq!(alert.event.from, ["cron@billing"]);
    assert!((alert.analysis.confidence - 1.0).abs() < f32::EPSILON);
}

#[test]
fn without_claims_the_words_decide() {
    let read = |title: &str, text: &str| {
        shown(&item(Item {
            source: "push".to_owned(),
            title: title.to_owned(),
            text: text.to_owned(),
            ..Item::default()
        }))
    };
    insta::assert_snapshot!(read("Disk on db01 at 97%", ""), @"error firing disk | db01 | Disk on db01 at 97% |");
    insta::assert_snapshot!(read("", "db02 recovered"), @"info resolved other |  | db02 recovered |");
    insta::assert_snapshot!(read("hello", "no errors"), @"info firing other |  | hello |");
    insta::assert_snapshot!(read("", ""), @"info firing other |  | (an empty message) |");
}

#[test]
fn the_fingerprint_is_that_of_the_item() {
    let one = Item { source: "push".to_owned(), title: "cpu 91%".to_owned(), ..Item::default() };
    assert_eq!(item(one.clone()).fingerprint, of_item(&one));
    let keyed = Item { key: Some("cpu".to_owned()), ..one };
    assert_eq!(item(keyed.clone()).fingerprint, of_item(&keyed));
}

#[test]
fn items_are_cleaned_and_cut() {
    let alert = item(Item {
        source: "push".to_owned(),
        title: "a\0b\nc".to_owned(),
        text: "x".repeat(1_000_000),
        labels: (0..1_000).map(|n| (format!("l{n:04}"), "v\0".to_owned())).collect(),
        ..Item::default()
    });
    assert_eq!(alert.event.subject, "a\u{fffd}b c");
    assert!(alert.event.text.len() <= TEXT_MAX_BYTES && alert.event.text.ends_with("64 kB of text]"));
    assert_eq!(alert.event.labels.len(), 200);
    assert!(!serde_json::to_string(&alert).unwrap().contains("\\u0000"));
}
