//! The channel against a local Bot API.

mod entities;
mod fake;

use std::sync::Arc;

use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use watchbell_common::{alert::Status, clock::ManualClock};

use self::fake::{Chat, Fake, GROUP, TOKEN, TOPIC};
use super::*;
use crate::{Body, configure, contract};

pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
    channel: |base| open(base, |_| {}),
    success: |_| {
        let result =
            json!({ "message_id": 42, "date": 1, "chat": { "id": GROUP, "type": "supergroup", "title": "Ops" } });
        axum::Json(json!({ "ok": true, "result": result })).into_response()
    },
    provider_id: Some("42"),
};

/// A channel to the group, by a bot whose API is at `base`.
fn open(base: &str, change: impl FnOnce(&mut OpenChannel)) -> OpenChannel {
    let mut channel = contract::channel("telegram", &GROUP.to_string());
    channel.secrets.insert("bot_token".into(), TOKEN.into());
    channel.secrets.insert("api_base".into(), base.into());
    change(&mut channel);
    channel
}

/// A channel, the API that it speaks to, its clock, and what the dispatcher would keep for it.
struct Ops {
    fake: Fake,
    clock: ManualClock,
    channel: Arc<dyn Channel>,
    kept: Option<Kept>,
}

impl Ops {
    async fn new() -> Self {
        Self::with(json!({})).await
    }

    async fn with(options: Value) -> Self {
        let fake = Fake::start().await;
        let clock = ManualClock::at(1_795_168_800_000);
        let channel = Self::configured(&fake, &clock, options, GROUP);
        Self { fake, clock, channel, kept: None }
    }

    fn configured(fake: &Fake, clock: &ManualClock, options: Value, target: i64) -> Arc<dyn Channel> {
        let channel = open(&fake.base, |channel| {
            channel.channel.target = target.to_string();
            channel.channel.options = serde_json::from_value(options).unwrap();
        });
        configure(&channel, &Tools { clock: Arc::new(clock.clone()), ..contract::tools() }).unwrap()
    }

    async fn try_send(&mut self, message: &Message) -> Result<Receipt, SendError> {
        let receipt = self.channel.send(message, self.kept.as_ref()).await?;
        self.kept = receipt.keep.clone().or_else(|| self.kept.take());
        Ok(receipt)
    }

    /// Sends, and gives what the receipt says.
    async fn send(&mut self, message: &Message) -> String {
        self.try_send(message).await.unwrap().detail
    }

    async fn refused(&mut self, message: &Message) -> SendError {
        self.try_send(message).await.unwrap_err()
    }
}

/// The event of an alert that was seen so often.
fn event(count: u64, change: impl FnOnce(&mut watchbell_common::payload::DeliverPayload)) -> Message {
    let mut payload = contract::payload();
    payload.count = count;
    change(&mut payload);
    Message::new(payload)
}

fn severe(severity: Severity) -> Message {
    event(1, |payload| payload.alert.analysis.severity = severity)
}

fn resolved(severity: Severity) -> Message {
    event(2, |payload| {
        payload.alert.analysis.severity = severity;
        payload.alert.analysis.status = Status::Resolved;
    })
}

fn written(text: &str, markup: Markup) -> Message {
    Message { text: text.to_owned(), body: Body::Written(markup), ..contract::message() }
}

#[tokio::test]
async fn a_message_goes_to_its_topic_with_its_buttons() {
    let buttons = json!([{ "text": "Runbook", "url": "https://wiki.example.org/disk" }]);
    let mut ops = Ops::with(json!({ "message_thread_id": TOPIC, "buttons": buttons })).await;
    assert_eq!(ops.send(&contract::message()).await, "sent");
    let shown = ops.fake.shown().remove(0);
    assert_eq!(shown.text, contract::message().text);
    assert_eq!((shown.topic, shown.silent, shown.parse_mode.as_deref()), (Some(TOPIC), false, Some("HTML")));
    assert_eq!(shown.buttons, json!([buttons]));
    // An edit that does not name them would take them away.
    assert_eq!(ops.send(&event(4, |_| {})).await, "edited");
    let shown = ops.fake.shown().remove(0);
    assert_eq!((shown.edits, shown.buttons), (1, json!([buttons])));
}

#[tokio::test]
async fn the_first_button_leads_to_the_alert_and_stays_through_edits() {
    let (linked, link) = contract::message_at(contract::HOST);
    let own = json!({ "text": "Runbook", "url": "https://wiki.example.org/disk" });
    let buttons = json!([[{ "text": "Details", "url": link }, own]]);
    let mut ops = Ops::with(json!({ "buttons": [own] })).await;
    for (count, done) in [(1, "sent"), (2, "edited")] {
        assert_eq!(ops.send(&Message { count, text: format!("{count}"), ..linked.clone() }).await, done);
        assert_eq!(ops.fake.shown().remove(0).buttons, buttons);
    }
}

#[tokio::test]
async fn an_address_that_telegram_refuses_is_no_button_and_a_template_places_its_link_itself() {
    let mut ops = Ops::new().await;
    assert_eq!(ops.send(&contract::message_at(contract::BARE_HOST).0).await, "sent");
    let linked = contract::message_at(contract::HOST).0;
    assert_eq!(ops.send(&Message { body: Body::Written(Markup::Plain), ..linked }).await, "edited");
    assert_eq!(ops.fake.shown().remove(0).buttons, json!(null));
}

#[tokio::test]
async fn refused_buttons_do_not_cost_the_message() {
    let mut ops = Ops::with(json!({ "buttons": [{ "text": "Graphs", "url": "http://grafana/d/1" }] })).await;
    for (count, done) in [(1, "sent"), (2, "edited")] {
        let said = ops.send(&event(count, |_| {})).await;
        assert!(
            said.starts_with(&format!("{done}; without its buttons: Bad Request: inline keyboard button")),
            "{said}"
        );
    }
    assert_eq!(ops.fake.texts().len(), 1);
}

#[tokio::test]
async fn only_what_matters_makes_a_sound() {
    for (options, wanted) in [
        (json!({}), [true, false, false, false]),
        (json!({ "silent_below": "critical" }), [true, true, true, false]),
        (json!({ "silent_below": "info" }), [false; 4]),
    ] {
        let mut ops = Ops::with(options).await;
        for severity in Severity::ALL {
            ops.send(&severe(severity)).await;
        }
        assert_eq!(ops.fake.shown().iter().map(|shown| shown.silent).collect::<Vec<_>>(), wanted);
    }
}

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

#[tokio::test]
async fn a_public_chat_is_reached_by_its_name_and_edited_by_its_id() {
    let fake = Fake::start().await;
    fake.world().chats.insert(-6, Chat { name: Some("@ops_alerts"), ..Chat::default() });
    let channel = open(&fake.base, |channel| channel.channel.target = "@ops_alerts".into());
    let channel = configure(&channel, &contract::tools()).unwrap();
    let kept = channel.send(&event(1, |_| {}), None).await.unwrap().keep;
    assert_eq!(channel.send(&event(2, |_| {}), kept.as_ref()).await.unwrap().detail, "edited");
    // The name now belongs to another chat, and the bot is no longer in the first.
    let chat = fake.world().chats.remove(&-6).unwrap();
    fake.world().chats.insert(-8, Chat { messages: std::collections::BTreeMap::new(), ..chat });
    assert_eq!(channel.send(&event(3, |_| {}), kept.as_ref()).await.unwrap().detail, "sent");
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed() {
    let mut ops = Ops::new().await;
    ops.send(&event(1, |_| {})).await;
    ops.fake.world().chats.get_mut(&GROUP).unwrap().moved_to = Some(-100_777);
    ops.fake.world().chats.insert(-100_777, Chat::default());
    let said = ops.send(&event(2, |_| {})).await;
    assert_eq!(said, "sent; the group has become a supergroup: make -100777 the target");
    ops.kept = None;
    let calls = ops.fake.methods().len();
    assert_eq!(ops.send(&event(3, |_| {})).await, "sent", "the way is known");
    assert_eq!(ops.fake.methods().len(), calls + 1);
    assert_eq!(ops.fake.world().chats[&-100_777].messages.len(), 2);
}

#[tokio::test]
async fn a_message_to_a_topic_that_is_gone_goes_to_the_group() {
    let mut ops = Ops::with(json!({ "message_thread_id": 8 })).await;
    let said = ops.send(&contract::message()).await;
    assert_eq!(said, "sent; sent outside of its topic: Bad Request: message thread not found");
    assert_eq!(ops.fake.shown()[0].topic, None);
}

#[tokio::test]
async fn refused_markup_goes_out_as_plain_text_in_the_same_attempt() {
    for (text, markup, why) in [
        ("<b>50% <used", Markup::Html, "Unclosed start tag at byte offset 7"),
        ("/var is full.", Markup::Markdown, "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("<b></b>", Markup::Html, "message text is empty"),
    ] {
        let mut ops = Ops::new().await;
        let said = ops.send(&written(text, markup)).await;
        assert!(said.starts_with("sent; sent as plain text: Bad Request: ") && said.ends_with(why), "{said}");
        let shown = ops.fake.shown().remove(0);
        assert_eq!((shown.text.as_str(), shown.parse_mode), (text, None));
        // An edit meets the same.
        let said = ops.send(&written(&format!("{text} "), markup)).await;
        assert!(said.starts_with("edited; sent as plain text"), "{said}");
    }
}

#[tokio::test]
async fn templates_are_read_in_the_markup_that_the_channel_names() {
    for (name, wanted) in [("MarkdownV2", Some("MarkdownV2")), ("HTML", Some("HTML")), ("None", None)] {
        let mut ops = Ops::with(json!({ "parse_mode": name })).await;
        ops.send(&written("words", Markup::Html)).await;
        assert_eq!(ops.fake.shown()[0].parse_mode.as_deref(), wanted);
    }
}

#[tokio::test]
async fn a_long_text_goes_out_in_parts_of_which_only_the_first_makes_a_sound() {
    let mut ops = Ops::new().await;
    let long = |last: &str| written(&format!("<b>{}</b>{last}", "🚨 alert ".repeat(1_000)), Markup::Html);
    assert_eq!(ops.send(&long("")).await, "sent in 3 parts");
    let shown = ops.fake.shown();
    assert_eq!(shown.iter().map(|part| part.silent).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(shown.iter().map(|part| part.text.matches("alert").count()).sum::<usize>(), 1_000);
    assert!(shown.iter().all(|part| part.parse_mode.is_some()));
    assert_eq!(ops.send(&long("more")).await, "edited in 3 parts");
    assert!(ops.fake.texts()[2].contains("more"));
    assert_eq!(ops.send(&written("short again", Markup::Html)).await, "sent");
}

#[test]
fn wherever_a_text_is_cut_telegram_takes_the_parts_and_nothing_is_missing() {
    let html = "<b>one <i>two &lt;three&gt; <a href=\"https://e.org/?a=1&amp;b\">four 🚨🚨</a></i></b>\n<pre><code \
                class=\"language-c\">five &amp;&amp; six\n\tseven</code></pre>\n<blockquote expandable>eight \
                <tg-spoiler>nine</tg-spoiler>\nten</blockquote> <u>eleven</u> twelve";
    let markdown = "*one _two ~three~ ||four 🚨🚨||_*\n```c\nfive \\`\\` six\n\tseven```\n__eight__ `ni.ne` \
                    [ten \\[\\]](https://e.org/a_b.c) \\(eleven\\)\n>twelve *thirteen*\n>fourteen||\n\\!";
    for (text, markup, name) in [(html, Markup::Html, "HTML"), (markdown, Markup::Markdown, "MarkdownV2")] {
        let seen = |text: &str| entities::parse(text, Some(name)).unwrap_or_else(|why| panic!("{why}: {text}"));
        let words = |text: &str| text.replace(char::is_whitespace, "");
        for max in 2..150 {
            let parts = split::split(text, markup, max).unwrap();
            assert!(parts.iter().all(|part| seen(part).encode_utf16().count() <= max), "{max}");
            assert_eq!(words(&parts.iter().map(|part| seen(part)).collect::<String>()), words(&seen(text)), "{max}");
        }
    }
}

#[tokio::test]
async fn a_refused_part_and_what_follows_go_out_plain_and_nothing_twice() {
    let mut ops = Ops::new().await;
    let text = format!("{}<wrong>{}</wrong>", "first ".repeat(700), "second ".repeat(100));
    let said = ops.send(&written(&text, Markup::Html)).await;
    assert!(said.starts_with("sent in 2 parts; sent as plain text: "), "{said}");
    let texts = ops.fake.texts().concat();
    assert_eq!((texts.matches("first").count(), texts.matches("second").count()), (700, 100));
}

#[tokio::test]
async fn a_long_text_whose_markup_is_broken_goes_out_plain() {
    let mut ops = Ops::new().await;
    let said = ops.send(&written(&"<b>word ".repeat(700), Markup::Html)).await;
    assert_eq!(said, "sent in 2 parts; sent as plain text: its markup is broken, and it must be cut");
}

#[tokio::test]
async fn a_longer_text_is_attached_whole_and_its_beginning_edited() {
    let mut ops = Ops::new().await;
    let long = |words| "word ".repeat(words);
    assert_eq!(ops.send(&written(&long(9_000), Markup::Plain)).await, "sent");
    let file = ops.fake.world().chats[&GROUP].files.clone();
    assert_eq!(file, [(format!("{}.txt", contract::message().alert_id), long(9_000))]);
    assert!(ops.fake.texts()[0].ends_with("… full text attached"));
    assert_eq!(ops.send(&written(&long(9_001), Markup::Plain)).await, "edited");
    assert_eq!(ops.fake.world().chats[&GROUP].files.len(), 1);
}

#[tokio::test]
async fn a_chat_that_takes_no_files_gets_the_beginning() {
    let mut ops = Ops::new().await;
    ops.fake.world().chats.get_mut(&GROUP).unwrap().takes_no_files = true;
    let said = ops.send(&written(&"word ".repeat(9_000), Markup::Plain)).await;
    assert!(said.starts_with("sent; without the full text: Bad Request: not enough rights"), "{said}");
    assert_eq!(ops.fake.texts().len(), 1);
}

#[tokio::test]
async fn telegram_says_how_long_to_wait() {
    let mut ops = Ops::new().await;
    ops.fake.answer_next(429, "Too Many Requests: retry after 17", &json!({ "retry_after": 17 }));
    let detail = "Too Many Requests: retry after 17".to_owned();
    let wanted = SendError::RateLimited { detail, retry_after: Duration::from_secs(17) };
    assert_eq!(ops.refused(&contract::message()).await, wanted);
    ops.send(&contract::message()).await;
    ops.fake.answer_next(429, "Too Many Requests: retry after 17", &json!({ "retry_after": 17 }));
    assert_eq!(ops.refused(&contract::message()).await, wanted, "an edit is no different");
}

#[tokio::test]
async fn what_fails_after_a_part_went_out_is_marked() {
    for (code, description, parameters, wait) in [
        (429, "Too Many Requests: retry after 3", json!({ "retry_after": 3 }), Some(Duration::from_secs(3))),
        (502, "Bad Gateway", Value::Null, None),
    ] {
        let mut ops = Ops::new().await;
        let answers = [(200, EXAMPLE_ANSWER.to_owned())];
        ops.fake.world().answers.extend(answers);
        ops.fake.answer_next(code, description, &parameters);
        match ops.refused(&written(&"word ".repeat(1_000), Markup::Plain)).await {
            SendError::Transient { retry_after, ambiguous: true, .. } => assert_eq!(retry_after, wait),
            other => panic!("{other:?}"),
        }
    }
}

const EXAMPLE_ANSWER: &str = r#"{"ok":true,"result":{"message_id":1,"chat":{"id":-1}}}"#;

#[tokio::test]
async fn an_edit_that_may_have_arrived_is_no_duplicate() {
    let mut ops = Ops::new().await;
    ops.send(&event(1, |_| {})).await;
    ops.fake.world().answers.push_back((200, "<html>Log in to the airport's network</html>".to_owned()));
    let SendError::Transient { ambiguous: false, .. } = ops.refused(&event(2, |_| {})).await else { panic!() };
}

#[tokio::test]
async fn an_answer_that_is_not_the_bot_apis_is_no_success() {
    let mut ops = Ops::new().await;
    for body in ["<html>Log in to the airport's network</html>", "", r#"{"ok":true}"#, r#"{"ok":true,"result":true}"#] {
        ops.fake.world().answers.push_back((200, body.to_owned()));
        match ops.refused(&contract::message()).await {
            SendError::Transient { detail, ambiguous: true, .. } => {
                assert_eq!(detail, "200 OK: this is not how the Bot API answers");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let mut ops = Ops::new().await;
    let mut told = Vec::new();
    for (code, description) in [
        (401, "Unauthorized"),
        (404, "Not Found"),
        (400, "Bad Request: chat not found"),
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: bot is not a member of the channel chat"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot can't initiate conversation with a user"),
        (400, "Bad Request: not enough rights to send text messages to the chat"),
        (400, "Bad Request: need administrator rights in the channel chat"),
        (400, "Bad Request: something new"),
    ] {
        ops.fake.answer_next(code, description, &Value::Null);
        match ops.refused(&contract::message()).await {
            SendError::Rejected { detail } => told.push(detail),
            other => panic!("{other:?}"),
        }
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    Unauthorized (Telegram does not know this bot token; copy it again from @BotFather)
    Not Found (check the bot token, and api_base if the bot has one)
    Bad Request: chat not found (check the target, and that the bot was added to the chat or sent /start)
    Forbidden: bot was blocked by the user (the person blocked the bot; they have to unblock it and send it /start)
    Forbidden: bot was kicked from the supergroup chat (the bot was removed from the chat; add it again)
    Forbidden: bot is not a member of the channel chat (add the bot to the chat)
    Forbidden: user is deactivated (this account is gone; choose another target)
    Forbidden: bot can't initiate conversation with a user (the person has to send the bot /start first)
    Bad Request: not enough rights to send text messages to the chat (let the bot send messages in this chat)
    Bad Request: need administrator rights in the channel chat (make the bot an administrator that may post messages)
    Bad Request: something new
    ");
}

/// Sends through a proxy, and gives what the receipt says.
async fn through(proxy: &str, base: &str) -> Result<String, SendError> {
    let channel = open(base, |channel| drop(channel.secrets.insert("proxy".into(), proxy.into())));
    let channel = configure(&channel, &contract::tools()).unwrap();
    channel.send(&contract::message(), None).await.map(|receipt| receipt.detail)
}

#[tokio::test]
async fn calls_go_through_an_http_proxy() {
    let fake = Fake::start().await;
    assert_eq!(through(&fake.base, "http://telegram.invalid").await.unwrap(), "sent");
    let asked = fake.world().calls[0].1.clone();
    assert!(asked.starts_with("http://telegram.invalid/bot"), "a proxy is asked by the whole address: {asked}");
}

#[tokio::test]
async fn calls_go_through_a_socks_proxy() {
    let fake = Fake::start().await;
    let upstream = fake.base.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("socks5h://ops:hunter3@{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { socks(listener.accept().await.unwrap().0, &upstream).await });
    assert_eq!(through(&proxy, "http://telegram.invalid:81").await.unwrap(), "sent");
    assert_eq!(fake.texts().len(), 1);
}

/// One connection of a SOCKS5 proxy that wants a password (RFC 1928, RFC 1929); the name that it is asked for is
/// always the same.
async fn socks(mut client: TcpStream, upstream: &str) {
    let mut byte = async |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).await.unwrap();
        bytes
    };
    let methods = byte(2).await[1];
    assert!(byte(methods.into()).await.contains(&2));
    client.write_all(&[5, 2]).await.unwrap();
    let login = b"\x01\x03ops\x07hunter3";
    let mut given = vec![0; login.len()];
    client.read_exact(&mut given).await.unwrap();
    assert_eq!(given, login);
    client.write_all(&[1, 0]).await.unwrap();
    let wanted = b"\x05\x01\x00\x03\x10telegram.invalid\x00\x51";
    let mut given = vec![0; wanted.len()];
    client.read_exact(&mut given).await.unwrap();
    assert_eq!(given, wanted);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let mut server = TcpStream::connect(upstream).await.unwrap();
    copy_bidirectional(&mut client, &mut server).await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_is_away_is_worth_another_try_and_shows_no_secret() {
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["http", "socks5"] {
        let proxy = format!("{scheme}://ops:hunter3@{away}");
        match through(&proxy, "http://telegram.invalid").await.unwrap_err() {
            SendError::Transient { detail, ambiguous: false, .. } => assert!(!detail.contains("hunter"), "{detail}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_settings_name_the_api_when_the_bot_does_not() {
    let fake = Fake::start().await;
    let channel = open("", |channel| drop(channel.secrets.remove("api_base")));
    let tools = Tools { telegram_api: Some(format!("{}/", fake.base).parse().unwrap()), ..contract::tools() };
    configure(&channel, &tools).unwrap().send(&contract::message(), None).await.unwrap();
    assert_eq!(fake.texts().len(), 1);
    let public = configure(&channel, &contract::tools()).unwrap();
    assert_eq!(format!("{public:?}"), "Telegram(Api(api.telegram.org), -1001234567890)");
}

fn option(channel: &mut OpenChannel, name: &str, value: Value) {
    channel.channel.options.insert(name.into(), value);
}

fn secret(channel: &mut OpenChannel, name: &str, value: &str) {
    channel.secrets.insert(name.into(), value.into());
}

#[test]
fn a_wrong_field_is_named_and_its_value_is_not_shown() {
    let refused = |change: fn(&mut OpenChannel)| {
        configure(&open("http://127.0.0.1:9", change), &contract::tools()).unwrap_err().to_string()
    };
    let texts = [
        refused(|channel| drop(channel.secrets.remove("bot_token"))),
        refused(|channel| secret(channel, "bot_token", "hunter2")),
        refused(|channel| secret(channel, "bot_token", "123:hunter2/getMe?")),
        refused(|channel| secret(channel, "proxy", "hunter2")),
        refused(|channel| secret(channel, "proxy", "ftp://hunter2")),
        refused(|channel| secret(channel, "api_base", "http://me:hunter2@example.org")),
        refused(|channel| channel.channel.target = "hunter2".into()),
        refused(|channel| channel.channel.target = "0".into()),
        refused(|channel| channel.channel.target = "@no/name".into()),
        refused(|channel| option(channel, "message_thread_id", json!("seven"))),
        refused(|channel| option(channel, "parse_mode", json!("Markdown"))),
        refused(|channel| option(channel, "silent_below", json!("never"))),
        refused(|channel| option(channel, "edit", json!("yes"))),
        refused(|channel| option(channel, "quiet_gap_s", json!(-1))),
        refused(|channel| option(channel, "buttons", json!([{ "text": "x", "url": "nowhere" }]))),
        refused(|channel| option(channel, "thread", json!(7))),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    `bot_token`: is missing in the bot; Telegram needs one
    `bot_token`: does not look like one of @BotFather's, `123456:ABC-…`
    `bot_token`: does not look like one of @BotFather's, `123456:ABC-…`
    `proxy`: must be an http://, socks5:// or socks5h:// URL
    `proxy`: must be an http://, socks5:// or socks5h:// URL
    `api_base`: must be an http:// or https:// URL without user and query
    `target`: must be a chat's id, such as -1001234567890, or @name
    `target`: must be a chat's id, such as -1001234567890, or @name
    `target`: must be a chat's id, such as -1001234567890, or @name
    `message_thread_id`: must be the number of a topic
    `parse_mode`: must be MarkdownV2, HTML or None
    `silent_below`: must be info, warning, error or critical
    `edit`: must be true or false
    `quiet_gap_s`: must be a number of seconds
    `buttons`: must be a list of { text, url }
    `thread`: Telegram has no such option
    ");
}

#[test]
fn the_paces_are_telegrams_and_shared_by_bot_and_chat() {
    let paces = |token: &str, target: &str| {
        let paces = (KIND.paces)(&open("", |channel| {
            channel.secrets.insert("bot_token".into(), token.into());
            channel.channel.target = target.into();
        }));
        for pace in &paces {
            assert!(pace.key.len() <= 64 && !pace.key.contains("hunter"), "{pace:?}");
        }
        paces
    };
    let rates = |paces: &[Pace]| paces.iter().map(|pace| pace.per_minute).collect::<Vec<_>>();
    let group = paces(TOKEN, "-5");
    assert_eq!(rates(&group), [20, 60, 1_800]);
    assert_eq!(rates(&paces(TOKEN, "@ops_alerts")), [20, 60, 1_800]);
    let person = paces(TOKEN, "5");
    assert_eq!(rates(&person), [60, 1_800]);
    assert_eq!(group.last(), person.last(), "the bot is the same");
    assert_ne!(group[1].key, person[0].key);
    assert_ne!(paces("1:other", "5"), person);
    assert_eq!(paces(TOKEN, "-5"), group);
}
