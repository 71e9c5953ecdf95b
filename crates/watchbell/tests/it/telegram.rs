//! Telegram from the mail to the chat, against a local Bot API: which message of an alert is sent, and which is edited.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use watchbell_harness::{Product, eventually};

const SOON: Duration = Duration::from_secs(20);
const BOT: &str = "123456:ABC-def_0123456789";
/// Two groups. In the second each pause is a long one.
const OPS: i64 = -1_001_234_567_890;
const IMPATIENT: i64 = -1_009_876_543_210;

/// A message as people have it before them.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    text: String,
    edits: u32,
    answers: Option<i64>,
}

/// What stands in a chat.
#[derive(Debug, Default)]
struct Chat {
    messages: BTreeMap<i64, Shown>,
    /// Ids are never used again.
    last_id: i64,
}

type Chats = Arc<Mutex<BTreeMap<i64, Chat>>>;

struct Telegram {
    base: String,
    chats: Chats,
    _tasks: JoinSet<()>,
}

impl Telegram {
    async fn start() -> Self {
        let chats = Chats::new(Mutex::new([OPS, IMPATIENT].map(|chat| (chat, Chat::default())).into()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/{bot}/{method}", axum::routing::post(answer)).with_state(chats.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, chats, _tasks: tasks }
    }

    /// The messages of a chat, oldest first, once they are like this.
    async fn shows(&self, chat: i64, what: &str, like_this: impl Fn(&[Shown]) -> bool) -> Vec<Shown> {
        eventually(what, SOON, || {
            let shown: Vec<_> = self.chats.lock().unwrap()[&chat].messages.values().cloned().collect();
            std::future::ready(like_this(&shown).then_some(shown))
        })
        .await
    }
}

async fn answer(
    State(chats): State<Chats>,
    Path((bot, method)): Path<(String, String)>,
    Json(request): Json<Value>,
) -> Response {
    let refused = |code: u16, why: &str| {
        let body = json!({ "ok": false, "error_code": code, "description": why });
        (StatusCode::from_u16(code).unwrap(), Json(body)).into_response()
    };
    if bot != format!("bot{BOT}") {
        return refused(401, "Unauthorized");
    }
    let mut chats = chats.lock().unwrap();
    let chat_id = request["chat_id"].as_i64().unwrap();
    let Some(chat) = chats.get_mut(&chat_id) else { return refused(400, "Bad Request: chat not found") };
    let text = request["text"].as_str().unwrap().to_owned();
    let id = match method.to_ascii_lowercase().as_str() {
        "sendmessage" => {
            chat.last_id += 1;
            let (id, answers) = (chat.last_id, request["reply_parameters"]["message_id"].as_i64());
            chat.messages.insert(id, Shown { text, edits: 0, answers });
            id
        }
        "editmessagetext" => {
            let id = request["message_id"].as_i64().unwrap();
            let Some(shown) = chat.messages.get_mut(&id) else {
                return refused(400, "Bad Request: message to edit not found");
            };
            *shown = Shown { text, edits: shown.edits + 1, ..shown.clone() };
            id
        }
        _ => return refused(404, "Not Found"),
    };
    let sent = json!({ "message_id": id, "date": 1, "chat": { "id": chat_id, "type": "supergroup", "title": "Ops" } });
    Json(json!({ "ok": true, "result": sent })).into_response()
}

async fn product(telegram: &Telegram) -> Product {
    let yaml = format!(
        "bots: [{{ name: bot, platform: telegram, bot_token: '{BOT}' }}]
channels:
  - {{ name: ops, bot: bot, target: '{OPS}' }}
  - {{ name: impatient, bot: bot, target: '{IMPATIENT}', options: {{ quiet_gap_s: 0 }} }}
default_channels: [ops, impatient]
"
    );
    Product::embedded_with(&yaml, &[("WATCHBELL_TELEGRAM_API_BASE", telegram.base.as_str())]).await
}

/// A mail of Zabbix about a problem, or about its end.
async fn mail(product: &Product, subject: &str, severity: &str) {
    let mail = format!(
        "From: zabbix@corp.example\r\nTo: ops@corp.example\r\nSubject: {subject}: /var is full\r\n\r\n\
         Problem name: /var is full\r\nHost: db1\r\nSeverity: {severity}\r\nOriginal problem ID: 22\r\n"
    );
    product.mail("zabbix@corp.example", "ops@corp.example", &mail).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_one_message_until_it_is_worse_and_its_end_is_shown_on_it() {
    let telegram = Telegram::start().await;
    let product = product(&telegram).await;
    mail(&product, "Problem", "Warning").await;
    let first = telegram.shows(OPS, "the first message", |shown| shown.len() == 1).await;
    assert!(first[0].text.contains("/var is full") && first[0].text.contains("WARNING"), "{first:?}");

    mail(&product, "Problem", "Warning").await;
    let shown = telegram.shows(OPS, "the repeat in its place", |shown| shown[0].edits == 1).await;
    assert!(shown.len() == 1 && shown[0].text.contains("seen 2 times"), "{shown:?}");

    mail(&product, "Problem", "Disaster").await;
    let shown = telegram.shows(OPS, "a fresh message", |shown| shown.len() == 2).await;
    assert!(shown[1].text.contains("CRITICAL") && shown[1].answers.is_none(), "it is louder: {shown:?}");
    assert_eq!(shown[0].edits, 1);

    mail(&product, "Resolved in 2m 0s", "Disaster").await;
    let shown = telegram.shows(OPS, "the end", |shown| shown.len() == 3).await;
    assert!(shown[1].edits == 1 && shown[1].text.contains("RESOLVED"), "on the original: {shown:?}");
    assert_eq!(shown[2].answers, Some(2), "and said, since an edit notifies nobody");

    let books = product.settled(SOON).await;
    assert_eq!((&books["received"], &books["delivered"], &books["unaccounted"]), (&json!(4), &json!(4), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_or_long_quiet_is_sent_again() {
    let telegram = Telegram::start().await;
    let product = product(&telegram).await;
    mail(&product, "Problem", "High").await;
    for chat in [OPS, IMPATIENT] {
        telegram.shows(chat, "the first message", |shown| shown.len() == 1).await;
    }
    telegram.chats.lock().unwrap().get_mut(&OPS).unwrap().messages.clear();
    mail(&product, "Problem", "High").await;
    let shown = telegram.shows(OPS, "a fresh message", |shown| shown.len() == 1).await;
    assert!(shown[0].edits == 0 && shown[0].text.contains("seen 2 times"), "{shown:?}");

    let shown = telegram.shows(IMPATIENT, "another", |shown| shown.len() == 2).await;
    assert_eq!(shown.iter().map(|shown| shown.edits).collect::<Vec<_>>(), [0, 0]);
    assert!(shown[1].text.contains("seen 2 times"), "{shown:?}");
    assert_eq!(product.settled(SOON).await["delivered"], 2);
}
