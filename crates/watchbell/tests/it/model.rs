//! A model beside the rules: whatever its server does, every alert arrives, the books balance, and a late answer follows
//! the message that went out without it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse as _, Response},
    routing::post,
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use watchbell_harness::{Product, Received, Sink};

use crate::{TOKEN, one_channel};

const SOON: Duration = Duration::from_secs(20);

/// How many alerts each behaviour gets.
const ALERTS: usize = 12;

/// What the model says when it works.
const SUMMARY: &str = "The nightly job cannot write its files";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Behaviour {
    /// Nobody listens.
    Down,
    Right,
    Slow,
    Limited,
    LimitedFor,
    Fenced,
    WrongSchema,
    NullContent,
    CutOff,
    Endless,
    TenMegabytes,
    ErrorBody,
}

impl Behaviour {
    const ALL: [Self; 12] = [
        Self::Down,
        Self::Right,
        Self::Slow,
        Self::Limited,
        Self::LimitedFor,
        Self::Fenced,
        Self::WrongSchema,
        Self::NullContent,
        Self::CutOff,
        Self::Endless,
        Self::TenMegabytes,
        Self::ErrorBody,
    ];

    fn answer(self) -> Response {
        let status = |status: u16| Response::builder().status(status);
        match self {
            Self::Down => unreachable!("nobody can ask it"),
            Self::Right => said(good(), "stop"),
            Self::Slow => Response::new(Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())),
            Self::Limited => status(429).body(Body::empty()).unwrap(),
            Self::LimitedFor => status(429).header("retry-after", "30").body(Body::empty()).unwrap(),
            Self::Fenced => said(format!("```json\n{}\n```", good()), "stop"),
            Self::WrongSchema => said(json!({ "level": 5 }), "stop"),
            Self::NullContent => said(Value::Null, "stop"),
            Self::CutOff => said("{\"severity\":\"info\",\"summ", "length"),
            Self::Endless => {
                let chunk = || async { Some((Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1_024])), ())) };
                Response::new(Body::from_stream(stream::unfold((), move |()| chunk())))
            }
            Self::TenMegabytes => Response::new(Body::from(vec![b'x'; 10 * 1024 * 1024])),
            Self::ErrorBody => Json(json!({ "error": { "message": "overloaded" } })).into_response(),
        }
    }
}

fn good() -> String {
    let answer = json!({
        "severity": "info", "category": "job", "system": "", "summary": SUMMARY, "action": "Look at the free space",
        "confidence": 0.9,
    });
    answer.to_string()
}

fn said(content: impl Into<Value>, reason: &str) -> Response {
    let choice = json!({ "message": { "content": content.into() }, "finish_reason": reason });
    Json(json!({ "choices": [choice], "usage": { "prompt_tokens": 700, "completion_tokens": 90 } })).into_response()
}

/// A model's server whose behaviour can be changed.
struct Server {
    base: String,
    behaviour: Arc<Mutex<Behaviour>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let behaviour = Arc::new(Mutex::new(Behaviour::Right));
        let answer = |State(behaviour): State<Arc<Mutex<Behaviour>>>| async move {
            let now = *behaviour.lock().unwrap();
            now.answer()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(behaviour.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, behaviour, _tasks: tasks }
    }

    fn settings(&self) -> [(&'static str, &str); 3] {
        // The port of the discard service, which no test starts.
        let down = *self.behaviour.lock().unwrap() == Behaviour::Down;
        let base = if down { "http://127.0.0.1:9/v1" } else { &self.base };
        [("WATCHBELL_AI_BASE_URL", base), ("WATCHBELL_AI_MODEL", "m1"), ("WATCHBELL_AI_TIMEOUT", "1s")]
    }
}

/// An alert of a template of its own, so that no cached answer helps.
fn alert(round: &str, word: &str) -> Value {
    json!({ "title": format!("job {round}-{word} failed"), "level": "error", "dedup_key": format!("{round} {word}") })
}

fn words() -> impl Iterator<Item = String> {
    ('a'..='z').take(ALERTS).map(|letter| letter.to_string().repeat(5))
}

fn first_messages(sink: &Sink) -> Vec<Received> {
    sink.received().into_iter().filter(|message| message.body["update"] != true).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_does_every_alert_arrives_and_the_books_balance() {
    const WAIT: Duration = Duration::from_millis(300);
    let (sink, server) = (Sink::start().await, Server::start().await);
    let yaml = format!(
        "channels: [{{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN} }}]
rules: [{{ name: patient, match: {{ subject: '*-a*' }}, channels: [sink], ai_max_wait: 300ms }}]
default_channels: [sink]
",
        sink.url("alerts")
    );
    for behaviour in Behaviour::ALL {
        *server.behaviour.lock().unwrap() = behaviour;
        let product = Product::embedded_with(&yaml, &server.settings()).await;
        let before = first_messages(&sink).len();
        for word in words() {
            assert_eq!(product.push(TOKEN, &alert(&format!("{behaviour:?}"), &word)).await.status(), 202);
        }
        let books = product.settled(SOON).await;
        let counts = (&books["received"], &books["delivered"], &books["unaccounted"]);
        assert_eq!(counts, (&json!(ALERTS), &json!(ALERTS), &json!(0)), "{behaviour:?}");
        let arrived = first_messages(&sink).split_off(before);
        assert_eq!(arrived.len(), ALERTS, "{behaviour:?}");
        // The model is asked while the alert is on its way. None waited for it but the one whose route asks for that,
        // and that one no longer than it asked for.
        for message in arrived {
            let patient = message.text("subject").contains("-a");
            let most = Duration::from_secs(1) + if patient { WAIT } else { Duration::ZERO };
            let latency = message.latency();
            assert!(latency < most, "{behaviour:?}: {} took {latency:?}", message.text("subject"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_a_late_answer_follows_its_message_as_an_update() {
    let (sink, server) = (Sink::start().await, Server::start().await);
    let product = Product::embedded_with(&one_channel(&sink), &server.settings()).await;
    an_update_follows(&product, &sink).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn distributed_a_late_answer_follows_its_message_as_an_update() {
    let (sink, server) = (Sink::start().await, Server::start().await);
    let product = Product::distributed_with(&one_channel(&sink), &server.settings()).await;
    an_update_follows(&product, &sink).await;
}

async fn an_update_follows(product: &Product, sink: &Sink) {
    product.push(TOKEN, &alert("late", "one")).await;
    let messages = sink.wait_for(2, SOON).await;
    let [first, update] = &messages[..] else { panic!("{messages:#?}") };
    assert_eq!((first.text("origin"), &first.body["update"]), ("rules", &Value::Null));
    assert_eq!((update.text("origin"), &update.body["update"]), ("model", &json!(true)));
    assert_eq!(update.text("alert_id"), first.text("alert_id"));
    assert_eq!((update.text("summary"), update.text("action")), (SUMMARY, "Look at the free space"));
    assert_eq!(update.text("severity"), "error", "the model said info, and cannot lower anything");
    assert_eq!(update.text("subject"), "job late-one failed", "the original stands beside the summary");
    assert_eq!(update.body["count"], 1);
    assert_eq!(product.settled(SOON).await["delivered"], 1, "an update is no delivery of its own");

    // The next of its kind has the words from the beginning.
    product.push(TOKEN, &alert("late", "one")).await;
    let messages = sink.wait_for(3, SOON).await;
    assert_eq!((messages[2].text("origin"), messages[2].text("summary")), ("cache", SUMMARY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_asks_to_wait_has_the_answer_in_its_first_message_and_waits_no_longer_than_it_said() {
    let (sink, server) = (Sink::start().await, Server::start().await);
    let yaml = format!(
        "channels: [{{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN} }}]
rules: [{{ name: waits, channels: [sink], ai_max_wait: 2s }}]
default_channels: [sink]
",
        sink.url("alerts")
    );
    let product = Product::embedded_with(&yaml, &server.settings()).await;
    product.push(TOKEN, &alert("wait", "one")).await;
    let messages = sink.wait_for(1, SOON).await;
    assert_eq!((messages[0].text("origin"), messages[0].text("summary")), ("model", SUMMARY));
    assert!(
        messages[0].latency() < Duration::from_secs(2),
        "it went when the answer came: {:?}",
        messages[0].latency()
    );

    let waits_less = [server.settings().as_slice(), &[("WATCHBELL_AI_MAX_WAIT", "500ms")]].concat();
    *server.behaviour.lock().unwrap() = Behaviour::Slow;
    let product = Product::embedded_with(&yaml, &waits_less).await;
    product.push(TOKEN, &alert("wait", "two")).await;
    let messages = sink.wait_for(2, SOON).await;
    assert_eq!(messages[1].text("origin"), "rules");
    let waited = messages[1].latency();
    assert!((Duration::from_millis(250)..Duration::from_secs(1)).contains(&waited), "{waited:?}");
}
