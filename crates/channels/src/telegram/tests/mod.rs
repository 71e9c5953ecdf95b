//! The channel against a local Bot API.

mod entities;
mod fake;
mod proxies;
mod refusals;
mod setup;
mod texts;
mod threads;

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
use crate::{Body, Markup, configure, contract};

pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
    channel: |base| open(base, |_| {}),
    success: |_| {
        let result =
            json!({ "message_id": 42, "date": 1, "chat": { "id": GROUP, "type": "supergroup", "title": "Ops" } });
        axum::Json(json!({ "ok": true, "result": result })).into_response()
    },
    provider_id: Some("42"),
    form_refused: Some(|| {
        let description = "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0";
        let refusal = json!({ "ok": false, "error_code": 400, "description": description });
        (axum::http::StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response()
    }),
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
