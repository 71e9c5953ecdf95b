//! Which message an alert's repeats, answers and end are shown in.

use super::*;

#[tokio::test]
async fn repeats_are_counted_in_the_message_that_is_there() {
    let mut ops = Ops::new().await;
    for count in 1..=3 {
        ops.send(&event(count, |_| {})).await;
    }
    let texts = ops.fake.texts();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains("seen 3 times"), "{}", texts[0]);
    // The same once more changes nothing, and is no failure.
    assert_eq!(ops.send(&event(3, |_| {})).await, "edited");
    assert_eq!(ops.fake.shown()[0].edits, 2);
}

#[tokio::test]
async fn without_editing_each_repeat_is_a_message() {
    let mut ops = Ops::with(json!({ "edit": false })).await;
    for count in 1..=3 {
        ops.send(&event(count, |_| {})).await;
    }
    assert_eq!(ops.fake.methods(), ["sendmessage"; 3]);
}

#[tokio::test]
async fn a_repeat_after_a_quiet_gap_is_a_fresh_message() {
    let mut ops = Ops::with(json!({ "quiet_gap_s": 60 })).await;
    for (after, messages) in [(0, 1), (60, 1), (60, 1), (61, 2), (60, 2)] {
        ops.clock.advance(Duration::from_secs(after));
        ops.send(&event(2, |_| {})).await;
        assert_eq!(ops.fake.shown().len(), messages, "after {after} s");
    }
}

#[tokio::test]
async fn a_rising_severity_is_a_fresh_message_and_a_falling_one_is_not() {
    let mut ops = Ops::new().await;
    for (severity, messages) in
        [(Severity::Info, 1), (Severity::Error, 2), (Severity::Warning, 2), (Severity::Critical, 3)]
    {
        ops.send(&severe(severity)).await;
        assert_eq!(ops.fake.shown().len(), messages, "{severity}");
    }
}

#[tokio::test]
async fn a_resolution_is_shown_on_the_original_and_said_in_an_answer() {
    let mut ops = Ops::new().await;
    ops.send(&severe(Severity::Critical)).await;
    let original = *ops.fake.world().chats[&GROUP].messages.keys().next().unwrap();
    for _ in 0..2 {
        assert_eq!(ops.send(&resolved(Severity::Info)).await, "edited");
    }
    let shown = ops.fake.shown();
    assert_eq!(shown.len(), 2, "it is said once");
    assert!(shown[0].text.starts_with("✅ RESOLVED"), "{}", shown[0].text);
    assert_eq!(
        (shown[1].text.as_str(), shown[1].answers),
        ("✅ RESOLVED · info · db1\n/var on db1 is full", Some(original))
    );
    assert!(!shown[1].silent, "what rang when it began rings when it ends");
    // When it comes back, that is news.
    assert_eq!(ops.send(&severe(Severity::Info)).await, "sent");
    ops.send(&resolved(Severity::Info)).await;
    assert!(ops.fake.shown().last().unwrap().silent);
}

#[tokio::test]
async fn a_late_answer_of_the_model_is_edited_in_and_said_when_it_is_worse() {
    let mut ops = Ops::new().await;
    ops.send(&severe(Severity::Warning)).await;
    ops.clock.advance(QUIET_GAP_DEFAULT * 2);
    let update = |severity, summary: &str| {
        let mut message = event(1, |payload| {
            payload.update = true;
            payload.alert.analysis.severity = severity;
            payload.alert.analysis.summary = summary.to_owned();
        });
        message.update = true;
        message
    };
    ops.send(&update(Severity::Warning, "better words")).await;
    assert_eq!(ops.fake.texts().len(), 1);
    assert!(ops.fake.texts()[0].contains("better words"));
    ops.send(&update(Severity::Critical, "worse news")).await;
    let texts = ops.fake.texts();
    assert!(texts.len() == 2 && texts[0].contains("worse news"), "{texts:?}");
    assert!(texts[1].starts_with("🚨 CRITICAL"), "{texts:?}");
}

#[tokio::test]
async fn an_answer_to_what_is_no_longer_shown_changes_nothing() {
    let mut ops = Ops::new().await;
    ops.send(&event(2, |_| {})).await;
    let late = event(1, |payload| payload.alert.event.received_at -= 1_000);
    let calls = ops.fake.methods().len();
    assert_eq!(ops.send(&late).await, "something newer is shown already");
    assert_eq!(ops.fake.methods().len(), calls);
}

#[tokio::test]
async fn a_deleted_message_means_a_fresh_one() {
    let mut ops = Ops::new().await;
    ops.send(&event(1, |_| {})).await;
    ops.fake.world().chats.get_mut(&GROUP).unwrap().messages.clear();
    assert_eq!(ops.send(&event(2, |_| {})).await, "sent");
    assert_eq!(ops.send(&event(3, |_| {})).await, "edited");
    assert_eq!(ops.fake.texts().len(), 1);
}

#[tokio::test]
async fn another_chat_or_topic_means_a_fresh_message() {
    let mut ops = Ops::new().await;
    ops.fake.world().chats.insert(-5, Chat::default());
    ops.send(&event(1, |_| {})).await;
    ops.channel = Ops::configured(&ops.fake, &ops.clock, json!({}), -5);
    assert_eq!(ops.send(&event(2, |_| {})).await, "sent");
    assert_eq!(ops.fake.world().chats[&-5].messages.len(), 1);
    ops.channel = Ops::configured(&ops.fake, &ops.clock, json!({ "message_thread_id": TOPIC }), GROUP);
    assert_eq!(ops.send(&event(3, |_| {})).await, "sent");
}
