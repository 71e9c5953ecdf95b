//! One model and its server: what it is sent, what is taken from it, and what becomes of everything else.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde_json::{Value, json};
use watchbell_common::{
    ai::{Kind, Model, OpenProvider},
    clock::SystemClock,
    outbound,
};

use super::{Answer, Failure, exchange::ANSWER_MAX_BYTES, models::Models, provider::Provider};
use crate::testing::{Fake, alert, answer, completion, good, right, status};

const TIMEOUT: Duration = Duration::from_millis(500);
const KEY: &str = "sk-hunter2";

fn open(base_url: &str, kind: Kind) -> OpenProvider {
    let model = Model {
        kind,
        base_url: base_url.to_owned(),
        name: "m1".to_owned(),
        timeout_ms: u32::try_from(TIMEOUT.as_millis()).unwrap(),
        concurrency: 4,
        context_tokens: 8_192,
        prompt_price: 0.5,
        completion_price: 2.0,
    };
    OpenProvider { id: None, model, api_key: Some(KEY.into()), trusted: true }
}

fn models(bases: &[&str], kind: Kind) -> Models {
    let http = outbound::Http::open().unwrap();
    let make = |base: &&str| Arc::new(Provider::new(open(base, kind), http.clone(), Arc::new(SystemClock)).unwrap());
    Models::of(bases.iter().map(make))
}

async fn ask(models: &Models) -> Result<Answer, Failure> {
    models.ask(&alert("Disk full on db1", "Filesystem /var is full.")).await.result
}

#[tokio::test]
async fn a_right_answer_is_taken_with_its_tokens_and_its_cost() {
    let server = Fake::start(|_, _| right()).await;
    let reply = models(&[&server.base], Kind::Openai).ask(&alert("Disk full on db1", "x")).await;
    assert_eq!(reply.result, Ok(answer()));
    assert_eq!((reply.calls[0].prompt_tokens, reply.calls[0].completion_tokens), (700, 100));
    assert_eq!(reply.cost_micros(), 550, "700 at 0.5 and 100 at 2 for a million");
    let seen = &server.seen()[0];
    assert_eq!((&*seen.path, &*seen.authorization), ("/v1/chat/completions", "Bearer sk-hunter2"));
    assert_eq!((&seen.body["model"], &seen.body["temperature"]), (&json!("m1"), &json!(0)));
    assert_eq!(seen.body["response_format"]["json_schema"]["strict"], true);
    assert_eq!(seen.body["messages"][0]["role"], "system");
    assert!(seen.body["messages"][1]["content"].as_str().unwrap().contains("Disk full on db1"));
}

#[tokio::test]
async fn ollama_is_asked_in_its_own_way_with_its_context_set() {
    let server = Fake::start(move |_, _| ollama(good(), "stop")).await;
    let reply = models(&[&server.base], Kind::Ollama).ask(&alert("Disk full on db1", "x")).await;
    assert_eq!((&reply.result, reply.tokens()), (&Ok(answer()), 12));
    let seen = &server.seen()[0];
    assert_eq!(seen.path, "/api/chat", "not its /v1, which shortens prompts");
    assert_eq!((&seen.body["options"]["num_ctx"], &seen.body["stream"]), (&json!(8_192), &json!(false)));
    assert_eq!(seen.body["format"]["required"].as_array().unwrap().len(), 6);

    let cut = Fake::start(|_, _| ollama("{", "length")).await;
    assert_eq!(ask(&models(&[&cut.base], Kind::Ollama)).await, Err(Failure::Unusable("it was cut off".to_owned())));
    let refused = Fake::start(|_, _| status(404, r#"{"error":"model 'm1' not found"}"#)).await;
    let failure = ask(&models(&[&refused.base], Kind::Ollama)).await.unwrap_err();
    assert_eq!(failure, Failure::Refused { status: 404, detail: "model 'm1' not found".to_owned() });
}

/// A reply of Ollama's with this content and reason for its end.
fn ollama(content: impl Into<Value>, reason: &str) -> Response {
    let message = json!({ "role": "assistant", "content": content.into() });
    let counts =
        json!({ "message": message, "done": true, "done_reason": reason, "prompt_eval_count": 9, "eval_count": 3 });
    Json(counts).into_response()
}

type Behave = Box<dyn Fn() -> Response + Send + Sync>;

/// A server's reply in its protocol.
type Say = fn(Value, &str) -> Response;

fn endless() -> Response {
    let chunks = stream::unfold((), |()| async {
        tokio::task::yield_now().await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
    });
    Response::new(Body::from_stream(chunks))
}

/// What a server can do instead of answering, what that is called, and how often it is asked.
fn behaviours(kind: Kind) -> [(&'static str, Behave, &'static str, usize); 14] {
    let say: Say = match kind {
        Kind::Openai => completion,
        Kind::Ollama => ollama,
    };
    let silent = || Response::new(Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()));
    let ten_megabytes = Bytes::from(vec![b'x'; 10 * 1024 * 1024]);
    let big = move || Response::new(Body::from(ten_megabytes.clone()));
    let error_body = move || match kind {
        Kind::Openai => status(200, r#"{"error":{"message":"overloaded","param":null}}"#),
        Kind::Ollama => status(200, r#"{"error":"model runner has unexpectedly stopped"}"#),
    };
    [
        ("slow", Box::new(silent), "timed_out", 1),
        ("endless", Box::new(endless), "too_long timed_out", 1),
        ("10 MB", Box::new(big), "too_long", 1),
        ("429", Box::new(|| status(429, "")), "limited", 1),
        ("500", Box::new(|| status(500, "oops")), "broken", 1),
        ("200 with an error", Box::new(error_body), "broken", 1),
        ("no JSON", Box::new(|| status(200, "<html>")), "broken", 1),
        ("an empty object", Box::new(|| status(200, "{}")), "unusable", 2),
        ("wrong key", Box::new(|| status(401, "no")), "refused", 1),
        ("null content", Box::new(move || say(Value::Null, "stop")), "unusable", 2),
        ("cut off", Box::new(move || say("{\"severity\":".into(), "length")), "unusable", 2),
        ("ended oddly", Box::new(move || say(Value::Null, "content_filter")), "unusable", 2),
        ("wrong schema", Box::new(move || say("{\"level\":5}".into(), "stop")), "unusable", 2),
        ("prose", Box::new(move || say("The disk is full.".into(), "stop")), "unusable", 2),
    ]
}

#[tokio::test]
async fn whatever_a_server_does_there_is_an_end_and_a_reason() {
    for kind in [Kind::Openai, Kind::Ollama] {
        for (name, behave, outcomes, requests) in behaviours(kind) {
            let server = Fake::start(move |_, _| behave()).await;
            let reply = models(&[&server.base], kind).ask(&alert("Disk full on db1", "x")).await;
            let failure = reply.result.unwrap_err();
            let expected = outcomes.split(' ').any(|outcome| outcome == failure.as_str());
            assert!(expected, "{kind:?}, {name}: {failure}");
            assert_eq!(server.seen().len(), requests, "{kind:?}, {name}: {failure}");
            assert!(reply.latency < TIMEOUT * 4, "{kind:?}, {name}: {:?}", reply.latency);
        }
        let down = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failure = ask(&models(&[&format!("http://{down}/v1")], kind)).await.unwrap_err();
        assert_eq!(failure.as_str(), "unreachable");
    }
}

#[tokio::test]
async fn fences_are_stripped_and_one_wrong_answer_is_repaired() {
    let server = Fake::start(|number, _| match number {
        0 => completion("{\"severity\":\"catastrophic\"}", "stop"),
        _ => completion(format!("```json\n{}\n```", good()), "stop"),
    });
    let server = server.await;
    let reply = models(&[&server.base], Kind::Openai).ask(&alert("Disk full on db1", "x")).await;
    assert_eq!(reply.result, Ok(answer()));
    assert_eq!(reply.tokens(), 1_600, "both are paid for");
    let repair = &server.seen()[1].body["messages"];
    assert!(repair[2]["content"].as_str().unwrap().contains("catastrophic"));
    assert!(repair[3]["content"].as_str().unwrap().contains("unknown variant"));
}

#[tokio::test]
async fn what_a_server_refuses_is_left_out_and_that_is_remembered() {
    let server = Fake::start(|_, body| {
        let refuse =
            |what: &str| status(400, &json!({ "error": { "message": format!("unsupported: {what}") } }).to_string());
        match body["response_format"]["type"].as_str() {
            _ if body.get("max_tokens").is_some() => refuse("'max_tokens', use 'max_completion_tokens'"),
            _ if body.get("temperature").is_some() => refuse("temperature"),
            Some(format) => refuse(format),
            None => right(),
        }
    });
    let server = server.await;
    let models = models(&[&server.base], Kind::Openai);
    assert_eq!(ask(&models).await, Ok(answer()));
    assert_eq!(server.seen().len(), 5, "max_tokens, temperature, json_schema, json_object, and then right");
    assert_eq!(ask(&models).await, Ok(answer()));
    assert_eq!(server.seen().len(), 6, "it was remembered");
}

#[tokio::test]
async fn a_refusal_for_another_reason_costs_one_call_and_teaches_nothing() {
    for complaint in [
        "The model `m1` does not exist",
        "unknown model: m1",
        "This model's maximum context length is 8192 tokens",
        "the prompt is too long",
        "Incorrect API key provided",
        "You exceeded your current quota",
        "The prompt was filtered by the content management policy",
    ] {
        let body = json!({ "error": { "message": complaint } }).to_string();
        let server = Fake::start(move |number, _| if number == 0 { status(400, &body) } else { right() }).await;
        let models = models(&[&server.base], Kind::Openai);
        assert_eq!(ask(&models).await.unwrap_err().as_str(), "refused");
        assert_eq!(server.seen().len(), 1, "{complaint}");
        assert_eq!(ask(&models).await, Ok(answer()));
        assert_eq!(server.seen()[1].body["response_format"]["type"], "json_schema");
    }
}

#[tokio::test]
async fn a_refusal_that_says_little_or_speaks_of_the_form_lowers_the_form() {
    for complaint in ["Bad Request", "model `m1` does not support response_format json_schema"] {
        let body = json!({ "error": { "message": complaint } }).to_string();
        let server = Fake::start(move |number, _| if number == 0 { status(400, &body) } else { right() }).await;
        assert_eq!(ask(&models(&[&server.base], Kind::Openai)).await, Ok(answer()));
        assert_eq!(server.seen()[1].body["response_format"]["type"], "json_object", "{complaint}");
    }
}

#[tokio::test]
async fn ollama_is_asked_without_a_form_that_it_refuses_and_that_is_remembered() {
    let server = Fake::start(|_, body| match &body["format"] {
        Value::Object(_) => status(400, r#"{"error":"invalid format: expected \"json\""}"#),
        Value::String(_) => status(501, r#"{"error":"this runner has no grammar"}"#),
        _ => ollama(good(), "stop"),
    });
    let server = server.await;
    let models = models(&[&server.base], Kind::Ollama);
    assert_eq!(ask(&models).await, Ok(answer()));
    let formats: Vec<_> = server.seen().iter().map(|seen| seen.body["format"]["type"].clone()).collect();
    assert_eq!(formats, [json!("object"), Value::Null, Value::Null]);
    assert_eq!((&server.seen()[1].body["format"], server.seen()[2].body.get("format")), (&json!("json"), None));
    assert_eq!(ask(&models).await, Ok(answer()));
    assert_eq!(server.seen().len(), 4, "it was remembered");
}

#[tokio::test]
async fn a_rate_limit_keeps_calls_away() {
    for retry_after in [None, Some("40")] {
        let server = Fake::start(move |_, _| {
            let mut response = status(429, "");
            if let Some(seconds) = retry_after {
                response.headers_mut().insert("retry-after", seconds.parse().unwrap());
            }
            response
        });
        let server = server.await;
        let models = models(&[&server.base], Kind::Openai);
        let wait = retry_after.map(|_| Duration::from_secs(40));
        assert_eq!(ask(&models).await, Err(Failure::Limited { retry_after: wait }));
        assert!(models.rest());
        assert_eq!(ask(&models).await, Err(Failure::Resting));
        assert_eq!(server.seen().len(), 1, "{retry_after:?}");
    }
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_and_the_next_model_is_asked() {
    let (broken, good) = (Fake::start(|_, _| status(503, "")).await, Fake::start(|_, _| right()).await);
    let models = models(&[&broken.base, &good.base], Kind::Openai);
    for _ in 0..10 {
        assert_eq!(ask(&models).await, Ok(answer()));
    }
    assert_eq!((broken.seen().len(), good.seen().len()), (3, 10));
    assert!(!models.rest());
}

#[tokio::test]
async fn no_failure_shows_the_key() {
    let body = format!("{{\"error\":{{\"message\":\"Incorrect API key provided: {KEY}\"}}}}");
    for code in [401, 400, 500, 200] {
        let body = body.clone();
        let server = Fake::start(move |_, _| status(code, &body)).await;
        let models = models(&[&server.base], Kind::Openai);
        let failure = ask(&models).await.unwrap_err();
        let shown = format!("{failure} {failure:?} {models:?}");
        assert!(shown.contains("Incorrect API key") && !shown.contains("hunter2"), "{shown}");
    }
    let mut odd = open("http://127.0.0.1:1/v1", Kind::Openai);
    odd.api_key = Some("hunter2\n".into());
    let why = Provider::new(odd, outbound::Http::open().unwrap(), Arc::new(SystemClock)).err().unwrap();
    assert!(why.contains("api_key") && !why.contains("hunter2"), "{why}");
}

#[tokio::test]
async fn no_more_calls_at_a_time_than_the_model_allows() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (now.clone(), most.clone());
    let server = Fake::start(move |_, _| {
        highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let counted = counted.clone();
        let body = stream::once(async move {
            tokio::task::yield_now().await;
            counted.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(axum::body::to_bytes(right().into_body(), ANSWER_MAX_BYTES).await.unwrap())
        });
        Response::new(Body::from_stream(body))
    });
    let server = server.await;
    let models = models(&[&server.base], Kind::Openai);
    let answers = futures_util::future::join_all((0..40).map(|_| ask(&models))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(most.load(Ordering::SeqCst) <= 4, "{most:?}");
    assert_eq!(now.load(Ordering::SeqCst), 0);
}
