//! Telegram from door to chat, against a local Bot API: which message of an alert is sent, and which is edited.

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

use crate::TOKEN;

const SOON: Duration = Duration::from_secs(20);
const BOT: &str = "123456:ABC-def_0123456789";
const CHAT: i64 = -1_001_234_567_890;
/// Longer than two messages take, shorter than a test may.
const QUIET_GAP: Duration = Duration::from_secs(4);

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

struct Telegram {
    base: String,
    chat: Arc<Mutex<Chat>>,
    _tasks: JoinSet<()>,
}

impl Telegram {
    async fn start() -> Self {
        let chat = Arc::<Mutex<Chat>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/{bot}/{method}", axum::routing::post(answer)).with_state(chat.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, chat, _tasks: tasks }
    }

    /// The messages, oldest first, once they are like this.
    async fn shows(&self, what: &str, like_this: impl Fn(&[Shown]) -> bool) -> Vec<Shown> {
        eventually(what, SOON, || {
            let shown: Vec<_> = self.chat.lock().unwrap().messages.values().cloned().collect();
            std::future::ready(like_this(&shown).then_some(shown))
        })
        .await
    }
}

async fn answer(
    State(chat): State<Arc<Mutex<Chat>>>,
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
    if request["chat_id"] != json!(CHAT) {
        return refused(400, "Bad Request: chat not found");
    }
    let mut chat = chat.lock().unwrap();
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
    let sent = json!({ "message_id": id, "date": 1, "chat": { "id": CHAT, "type": "supergroup", "title": "Ops" } });
    Json(json!({ "ok": true, "result": sent })).into_response()
}

async fn ops(telegram: &Telegram) -> Product {
    let yaml = format!(
        "bots: [{{ name: bot, platform: telegram, bot_token: '{BOT}' }}]
channels:
  - name: ops
    bot: bot
    target: '{CHAT}'
    push_token: {TOKEN}
    options: {{ quiet_gap_s: {} }}
",
        QUIET_GAP.as_secs()
    );
    Product::embedded_with(&yaml, &[("WATCHBELL_TELEGRAM_API_BASE", telegram.base.as_str())]).await
}

/// An event of the alert of that name.
async fn event(product: &Product, name: &str, level: &str, status: &str) {
    let body = json!({ "title": format!("{name} is full"), "dedup_key": name, "level": level, "status": status });
    assert_eq!(product.push(TOKEN, &body).await.status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_one_message_until_it_is_worse_and_its_end_is_shown_on_it() {
    let telegram = Telegram::start().await;
    let product = ops(&telegram).await;
    event(&product, "disk", "warning", "firing").await;
    let first = telegram.shows("the first message", |shown| shown.len() == 1).await;
    assert!(first[0].text.contains("disk is full") && first[0].text.contains("WARNING"), "{first:?}");

    event(&product, "disk", "warning", "firing").await;
    let shown = telegram.shows("the repeat in its place", |shown| shown[0].edits == 1).await;
    assert!(shown.len() == 1 && shown[0].text.contains("seen 2 times"), "{shown:?}");

    event(&product, "disk", "critical", "firing").await;
    let shown = telegram.shows("a fresh message", |shown| shown.len() == 2).await;
    assert!(shown[1].text.contains("CRITICAL") && shown[1].answers.is_none(), "it is louder: {shown:?}");
    assert_eq!(shown[0].edits, 1);

    event(&product, "disk", "critical", "resolved").await;
    let shown = telegram.shows("the end", |shown| shown.len() == 3).await;
    assert!(shown[1].edits == 1 && shown[1].text.to_lowercase().contains("resolved"), "on the original: {shown:?}");
    assert_eq!(shown[2].answers, Some(2), "and said, since an edit notifies nobody");

    let books = product.settled(SOON).await;
    assert_eq!((&books["received"], &books["delivered"], &books["unaccounted"]), (&json!(4), &json!(4), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_or_long_quiet_is_sent_again() {
    let telegram = Telegram::start().await;
    let product = ops(&telegram).await;
    event(&product, "disk", "error", "firing").await;
    telegram.shows("the first message", |shown| shown.len() == 1).await;
    telegram.chat.lock().unwrap().messages.clear();
    event(&product, "disk", "error", "firing").await;
    let shown = telegram.shows("a fresh message", |shown| shown.len() == 1).await;
    assert!(shown[0].edits == 0 && shown[0].text.contains("seen 2 times"), "{shown:?}");

    // The gap is what is tested; there is nothing to wait for but the time.
    tokio::time::sleep(QUIET_GAP + Duration::from_millis(500)).await;
    event(&product, "disk", "error", "firing").await;
    let shown = telegram.shows("another", |shown| shown.len() == 2).await;
    assert_eq!(shown.iter().map(|shown| shown.edits).collect::<Vec<_>>(), [0, 0]);
    assert!(shown[1].text.contains("seen 3 times"), "{shown:?}");
    assert_eq!(product.settled(SOON).await["delivered"], 3);
}
