//! A local Bot API that behaves as the documented one: it reads markup before it looks at the chat, knows what it
//! has sent, and refuses in Telegram's words.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use super::entities::parse;

/// The only token that it knows.
pub(super) const TOKEN: &str = "123456:hunter2-hunter2";

/// A supergroup with the topic [`TOPIC`].
pub(super) const GROUP: i64 = -1_001_234_567_890;
pub(super) const TOPIC: i64 = 7;

/// <https://core.telegram.org/bots/api#sendmessage>
const TEXT_MAX_UNITS: usize = 4_096;

pub(super) struct Fake {
    pub(super) base: String,
    world: Arc<Mutex<World>>,
    _tasks: JoinSet<()>,
}

/// Everything that it knows.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) chats: BTreeMap<i64, Chat>,
    /// Every call: the method, and the path or address it was asked by.
    pub(super) calls: Vec<(String, String)>,
    /// What nobody took yet.
    pub(super) updates: Vec<Value>,
    /// What the next calls are answered instead; `None`: what they are always answered.
    pub(super) answers: VecDeque<Option<(u16, String)>>,
    last_id: i64,
}

#[derive(Debug, Default)]
pub(super) struct Chat {
    pub(super) name: Option<&'static str>,
    pub(super) topics: BTreeSet<i64>,
    pub(super) moved_to: Option<i64>,
    pub(super) takes_no_files: bool,
    pub(super) messages: BTreeMap<i64, Shown>,
    /// Names and contents.
    pub(super) files: Vec<(String, String)>,
}

/// A message as people have it before them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) parse_mode: Option<String>,
    pub(super) silent: bool,
    pub(super) topic: Option<i64>,
    pub(super) answers: Option<i64>,
    pub(super) buttons: Value,
    pub(super) edits: u32,
}

/// A refusal: the code and Telegram's text.
type Refused = (u16, String, Value);

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let group = Chat { topics: [TOPIC].into(), ..Chat::default() };
        let world = Arc::new(Mutex::new(World { chats: [(GROUP, group)].into(), ..World::default() }));
        let router = Router::new().fallback(answer).with_state(world.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, world, _tasks: tasks }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The next call is answered so, whatever it asks.
    pub(super) fn answer_next(&self, code: u16, description: &str, parameters: &Value) {
        let body = envelope(code, description, parameters).to_string();
        self.world().answers.push_back(Some((code, body)));
    }

    /// The next call is answered as ever, before those that [`Fake::answer_next`] told.
    pub(super) fn pass_next(&self) {
        self.world().answers.push_back(None);
    }

    /// What stands in the group, in the order in which it was sent.
    pub(super) fn shown(&self) -> Vec<Shown> {
        self.world().chats[&GROUP].messages.values().cloned().collect()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.shown().into_iter().map(|shown| shown.text).collect()
    }

    pub(super) fn methods(&self) -> Vec<String> {
        self.world().calls.iter().map(|(method, _)| method.clone()).collect()
    }
}

fn envelope(code: u16, description: &str, parameters: &Value) -> Value {
    let mut reply = json!({ "ok": false, "error_code": code, "description": description });
    if !parameters.is_null() {
        reply["parameters"] = parameters.clone();
    }
    reply
}

async fn answer(State(world): State<Arc<Mutex<World>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = world.lock().unwrap();
    let (bot, method) = uri.path().trim_start_matches('/').split_once('/').unwrap_or_default();
    // Methods have no case.
    let method = method.to_ascii_lowercase();
    world.calls.push((method.clone(), uri.to_string()));
    if let Some((code, body)) = world.answers.pop_front().flatten() {
        return (StatusCode::from_u16(code).unwrap(), body).into_response();
    }
    let kind = headers[CONTENT_TYPE].to_str().unwrap();
    let request = match kind.split_once("boundary=") {
        Some((_, boundary)) => multipart(&String::from_utf8_lossy(&body), boundary),
        None => serde_json::from_slice(&body).unwrap(),
    };
    let result = match method.as_str() {
        _ if bot != format!("bot{TOKEN}") => Err((401, "Unauthorized".to_owned(), Value::Null)),
        "sendmessage" => world.send(&request),
        "editmessagetext" => world.edit(&request),
        "senddocument" => world.document(&request),
        "getupdates" => {
            assert_eq!(request, json!({}), "an offset takes updates, and what is allowed is remembered");
            Ok(json!(world.updates))
        }
        _ => Err((404, "Not Found".to_owned(), Value::Null)),
    };
    match result {
        Ok(result) => axum::Json(json!({ "ok": true, "result": result })).into_response(),
        Err((code, description, parameters)) => {
            let body = envelope(code, &description, &parameters).to_string();
            (StatusCode::from_u16(code).unwrap(), body).into_response()
        }
    }
}

/// Field names and values; a file is its name and content.
fn multipart(body: &str, boundary: &str) -> Value {
    let quoted = |head: &str, what: &str| {
        let value = head.split_once(&format!("; {what}=\""))?.1;
        Some(value.split('"').next()?.to_owned())
    };
    let mut request = json!({});
    for part in body.split(&format!("--{boundary}")) {
        let Some((head, value)) = part.split_once("\r\n\r\n") else { continue };
        let value = value.strip_suffix("\r\n").unwrap();
        let name = quoted(head, "name").unwrap();
        request[name] = match quoted(head, "filename") {
            Some(file) => json!([file, value]),
            None => serde_json::from_str(value).unwrap_or(json!(value)),
        };
    }
    request
}

fn bad(description: &str) -> Refused {
    (400, format!("Bad Request: {description}"), Value::Null)
}

/// The text as it will be shown, and its markup.
fn text(request: &Value) -> Result<(String, Option<String>), Refused> {
    let parse_mode = request["parse_mode"].as_str();
    let shown = parse(request["text"].as_str().unwrap(), parse_mode).map_err(|why| bad(&why))?;
    let shown = shown.trim();
    if shown.is_empty() {
        return Err(bad("message text is empty"));
    }
    if shown.encode_utf16().count() > TEXT_MAX_UNITS {
        return Err(bad("message is too long"));
    }
    Ok((shown.to_owned(), parse_mode.map(ToOwned::to_owned)))
}

/// The buttons, if their links lead anywhere: a host without a dot is none.
fn buttons(request: &Value) -> Result<Value, Refused> {
    let rows = &request["reply_markup"]["inline_keyboard"];
    for button in rows.as_array().into_iter().flatten().flat_map(|row| row.as_array().unwrap()) {
        let url = button["url"].as_str().unwrap();
        if !Url::parse(url).unwrap().host_str().unwrap().contains('.') {
            return Err(bad(&format!("inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")));
        }
    }
    Ok(rows.clone())
}

impl World {
    fn chat(&mut self, request: &Value) -> Result<(i64, &mut Chat), Refused> {
        let asked = &request["chat_id"];
        let found =
            self.chats.iter_mut().find(|(id, chat)| asked == *id || chat.name.is_some_and(|name| asked == name));
        let (id, chat) = found.ok_or_else(|| bad("chat not found"))?;
        if let Some(new) = chat.moved_to {
            let text = "Bad Request: group chat was upgraded to a supergroup chat";
            return Err((400, text.to_owned(), json!({ "migrate_to_chat_id": new })));
        }
        if let Some(topic) = request["message_thread_id"].as_i64().filter(|topic| !chat.topics.contains(topic)) {
            assert_ne!(topic, 0, "0 is no topic");
            return Err(bad("message thread not found"));
        }
        Ok((*id, chat))
    }

    fn send(&mut self, request: &Value) -> Result<Value, Refused> {
        let (text, parse_mode) = text(request)?;
        let buttons = buttons(request)?;
        let id = self.last_id + 1;
        let (chat_id, chat) = self.chat(request)?;
        let reply = &request["reply_parameters"];
        let answers = reply["message_id"].as_i64().filter(|id| chat.messages.contains_key(id));
        if !reply.is_null() && answers.is_none() && reply["allow_sending_without_reply"] != json!(true) {
            return Err(bad("message to be replied not found"));
        }
        let shown = Shown {
            text,
            parse_mode,
            silent: request["disable_notification"] == json!(true),
            topic: request["message_thread_id"].as_i64(),
            answers,
            buttons,
            edits: 0,
        };
        assert_eq!(request["link_preview_options"], json!({ "is_disabled": true }), "strangers' links are not fetched");
        chat.messages.insert(id, shown);
        self.last_id = id;
        Ok(sent(id, chat_id))
    }

    fn edit(&mut self, request: &Value) -> Result<Value, Refused> {
        let (text, parse_mode) = text(request)?;
        let buttons = buttons(request)?;
        let (chat_id, chat) = self.chat(request)?;
        let id = request["message_id"].as_i64().unwrap();
        let shown = chat.messages.get_mut(&id).ok_or_else(|| bad("message to edit not found"))?;
        if (&shown.text, &shown.parse_mode, &shown.buttons) == (&text, &parse_mode, &buttons) {
            return Err(bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message",
            ));
        }
        *shown = Shown { text, parse_mode, buttons, edits: shown.edits + 1, ..shown.clone() };
        Ok(sent(id, chat_id))
    }

    fn document(&mut self, request: &Value) -> Result<Value, Refused> {
        let id = self.last_id + 1;
        let (chat_id, chat) = self.chat(request)?;
        if chat.takes_no_files {
            return Err(bad("not enough rights to send documents to the chat"));
        }
        let file = |index: usize| request["document"][index].as_str().unwrap().to_owned();
        chat.files.push((file(0), file(1)));
        self.last_id = id;
        Ok(sent(id, chat_id))
    }
}

fn sent(id: i64, chat: i64) -> Value {
    json!({ "message_id": id, "date": 1_795_168_800, "chat": { "id": chat, "type": "supergroup", "title": "Ops" } })
}
