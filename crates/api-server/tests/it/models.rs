//! Trying a language model out through the API, and what the API says was spent.

use axum::response::Response;
use serde_json::{Value, json};
use watchbell_analysis::testing::{Fake, completion, good, right, status};
use watchbell_common::{identity::Role, ids::TenantId};

use crate::{client::Client, house::House};

const KEY: &str = "sk-hunter2";

type Behave = Box<dyn Fn() -> Response + Send + Sync>;

async fn house(settings: &[(&str, &str)]) -> (House, Client) {
    let mut house = House::embedded(settings).await;
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    (house, editor)
}

const INSIDE: (&str, &str) = ("OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8");

/// Sets the model of that server up, and asks it with that body.
async fn test(editor: &Client, base_url: &str, body: Value) -> Value {
    let provider = json!({"base_url": base_url, "model": "m1", "api_key": KEY, "prompt_price": 0.5,
        "completion_price": 2.0, "timeout": "2s"});
    let made = editor.post("/api/v1/ai-providers", provider).await.expect(201);
    let answer = editor.post(&format!("/api/v1/ai-providers/{}/test", made["id"]), body).await.expect(200);
    assert!(!answer.to_string().contains("hunter2"), "{answer}");
    answer
}

#[tokio::test]
async fn a_model_is_asked_about_the_built_in_alert_and_the_call_is_counted() {
    let server = Fake::start(|_, body| match body["response_format"]["type"].as_str() {
        Some("json_schema") => status(400, r#"{"error":{"message":"unsupported: json_schema"}}"#),
        _ => right(),
    });
    let (server, (mut house, editor)) = tokio::join!(server, house(&[INSIDE]));
    let tested = test(&editor, &server.base, json!({})).await;
    assert_eq!((&tested["failure"], &tested["form"]), (&Value::Null, &json!("json_object")), "{tested}");
    assert_eq!(tested["answer"]["summary"], "The disk of db1 is full");
    assert_eq!((&tested["analysis"]["severity"], &tested["analysis"]["origin"]), (&json!("critical"), &json!("model")));
    let spent = (&tested["prompt_tokens"], &tested["completion_tokens"], &tested["cost"]);
    assert_eq!(spent, (&json!(700), &json!(100), &json!(0.00055)));
    let asked = &server.seen()[1];
    assert_eq!(asked.authorization, format!("Bearer {KEY}"));
    assert!(asked.body["messages"][1]["content"].as_str().unwrap().contains("db1"));

    let usage = editor.get("/api/v1/ai-providers/usage").await.expect(200);
    let limits = (&usage["daily_tokens"], &usage["left_tokens"], &usage["spent_tokens"]);
    assert_eq!(limits, (&json!(2_000_000), &json!(1_999_200), &json!(800)));
    let of_model = &usage["providers"][0];
    assert_eq!((&of_model["model"], &of_model["calls"], &of_model["unanswered"]), (&json!("m1"), &json!(1), &json!(0)));
    assert_eq!((&usage["cost"], &usage["remembered"]), (&json!(0.00055), &json!(0)));
    let days = editor.get("/api/v1/ai-providers/usage/days?days=90").await.expect(200)["items"].clone();
    assert_eq!(days.as_array().unwrap().len(), 30);
    let (before, today) = (&days[28], &days[29]);
    assert_eq!((&today["calls"], &today["tokens"], &today["cost"]), (&json!(1), &json!(800), &json!(0.00055)));
    assert_eq!((&before["calls"], &before["saved_calls"]), (&json!(0), &json!(0)));
    house.stop().await;
}

#[tokio::test]
async fn an_event_or_an_alert_is_asked_about_as_it_was_received() {
    let server = Fake::start(|_, _| right()).await;
    let (mut house, editor) = house(&[INSIDE]).await;
    let story = crate::story::Story { subject: "Tape 17 is jammed".to_owned(), ..crate::story::Story::at(1) };
    let event = crate::story::tell(&house, std::slice::from_ref(&story)).await[0];
    let (event, alert) = (event.to_string(), story.alert().to_string());
    for body in
        [json!({"event_id": event}), json!({"alert_id": alert}), json!({"event": {"subject": "Tape 17 is jammed"}})]
    {
        assert_eq!(test(&editor, &server.base, body).await["failure"], Value::Null);
        let asked = server.seen().pop().unwrap();
        assert!(asked.body["messages"][1]["content"].as_str().unwrap().contains("Tape 17 is jammed"));
    }
    let id = editor.get("/api/v1/ai-providers").await.expect(200)["items"][0]["id"].clone();
    let both = json!({"event_id": event, "alert_id": alert});
    assert_eq!(editor.post(&format!("/api/v1/ai-providers/{id}/test"), both).await.error(400), "VALIDATION");
    house.stop().await;
}

#[tokio::test]
async fn each_failure_has_its_class_and_shows_no_key() {
    let (mut house, editor) = house(&[INSIDE]).await;
    let repeats_the_key = format!("{{\"error\":{{\"message\":\"Incorrect API key provided: {KEY}\"}}}}");
    let table: [(&str, Behave); 6] = [
        ("key_refused", Box::new(move || status(401, &repeats_the_key))),
        ("rate_limited", Box::new(|| status(429, ""))),
        ("refused", Box::new(|| status(404, r#"{"error":"model 'm1' not found"}"#))),
        ("broken", Box::new(|| status(500, "oops"))),
        ("wrong_answer", Box::new(|| completion("The disk is full.", "stop"))),
        ("wrong_answer", Box::new(|| completion(good(), "length"))),
    ];
    for (class, behave) in table {
        let server = Fake::start(move |_, _| behave()).await;
        let tested = test(&editor, &server.base, json!({})).await;
        assert_eq!((&tested["failure"]["class"], &tested["answer"]), (&json!(class), &Value::Null), "{tested}");
    }
    let nobody = test(&editor, "http://127.0.0.1:1/v1", json!({})).await;
    assert_eq!(nobody["failure"]["class"], "unreachable", "{nobody}");
    assert_eq!(editor.get("/api/v1/ai-providers/usage").await.expect(200)["providers"][6]["unanswered"], 1);
    house.stop().await;
}

#[tokio::test]
async fn a_model_inside_is_not_called_for_a_tenant() {
    let server = Fake::start(|_, _| right()).await;
    let (mut house, editor) = house(&[]).await;
    let tested = test(&editor, &server.base, json!({})).await;
    assert_eq!(tested["failure"]["class"], "unreachable", "{tested}");
    assert!(server.seen().is_empty());
    house.stop().await;
}

#[tokio::test]
async fn past_the_budget_nobody_is_called() {
    let server = Fake::start(|_, _| right()).await;
    let (mut house, editor) = house(&[INSIDE, ("AI_DAILY_TOKENS", "800")]).await;
    assert_eq!(test(&editor, &server.base, json!({})).await["failure"], Value::Null);
    let tested = test(&editor, &server.base, json!({})).await;
    assert_eq!(tested["failure"]["class"], "over_budget", "{tested}");
    assert_eq!(server.seen().len(), 1);
    assert_eq!(editor.get("/api/v1/ai-providers/usage").await.expect(200)["left_tokens"], 0);
    house.stop().await;
}
