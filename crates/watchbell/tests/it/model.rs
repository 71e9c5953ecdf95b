//! A model beside the rules: whatever its server does, every alert arrives, the books balance, and a late answer follows
//! the message that went out without it.

use std::time::Duration;

use serde_json::{Value, json};
use watchbell_common::{
    alert::Origin,
    ids::TenantId,
    store::{Store, alerts, events},
};
use watchbell_harness::{Behaviour, Model, Product, Received, Sink, eventually};

use crate::{TOKEN, admin, one_channel};

const SOON: Duration = Duration::from_secs(20);

/// How many alerts each behaviour gets, and how many of them have a route that waits.
const ALERTS: usize = 12;
const PATIENT: usize = 3;

/// What the model says when it works.
const SUMMARY: &str = "The nightly job cannot write its files";

async fn model() -> Model {
    let good = |_: &str| {
        let answer = json!({
            "severity": "info", "category": "job", "system": "", "summary": SUMMARY, "action": "Look at the free space",
            "confidence": 0.9,
        });
        answer.to_string()
    };
    Model::saying(Duration::ZERO, good).await
}

/// The settings of a Watchbell that asks this model.
fn asking(base_url: &str) -> [(&'static str, &str); 3] {
    [("WATCHBELL_AI_BASE_URL", base_url), ("WATCHBELL_AI_MODEL", "m1"), ("WATCHBELL_AI_TIMEOUT", "1s")]
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

/// How long the route of the patient alerts waits.
const WAIT: Duration = Duration::from_millis(300);

/// How long the model may take: what waits for one that never answers cannot be mistaken for what a busy machine held up.
const TIMEOUT: &str = "15s";

/// What a delivery may take beyond the wait that its route asks for, on a machine with other tests to run: far less than
/// a model's time limit. How little it really is, the p99 within a tenth of that without a model, is a measurement and no
/// test: `watchbell-bench-model`, a part of `make bench`, makes it with nothing else running, and fails when it is more.
const ALLOWANCE: Duration = Duration::from_secs(5);

/// How long until nothing is pending: an event is, until its model has answered or its time is over.
const ANSWERED: Duration = Duration::from_mins(1);

/// Sends the alerts one by one, so that none waits for another, and checks that each arrived, none waited, and the books
/// balance.
async fn run(behaviour: Behaviour, model: &Model) {
    model.behave(behaviour);
    let sink = Sink::start().await;
    let yaml = format!(
        "channels: [{{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN} }}]
rules: [{{ name: patient, match: {{ subject: '*-patient*' }}, channels: [sink], ai_max_wait: {}ms }}]
default_channels: [sink]
",
        sink.url("alerts"),
        WAIT.as_millis()
    );
    let url = model.base_url();
    let settings = [asking(&url).as_slice(), &[("WATCHBELL_AI_TIMEOUT", TIMEOUT)]].concat();
    let product = Product::embedded_with(&yaml, &settings).await;
    for (number, word) in words().enumerate() {
        let word = if number < ALERTS - PATIENT { word } else { format!("patient-{word}") };
        assert_eq!(product.push(TOKEN, &alert(&format!("{behaviour:?}"), &word)).await.status(), 202);
        eventually("the message", SOON, || async { (first_messages(&sink).len() > number).then_some(()) }).await;
    }
    for message in first_messages(&sink) {
        // Only those whose route asks for it wait, and no longer than that.
        let wait = if message.text("subject").contains("-patient") { WAIT } else { Duration::ZERO };
        let (took, most) = (message.latency(), wait + ALLOWANCE);
        assert!(took <= most, "{behaviour:?}: {} took {took:?}, more than {most:?}", message.text("subject"));
    }
    let books = product.settled(ANSWERED).await;
    let counts = (&books["received"], &books["delivered"], &books["unaccounted"]);
    assert_eq!(counts, (&json!(ALERTS), &json!(ALERTS), &json!(0)), "{behaviour:?}");
    assert_eq!(first_messages(&sink).len(), ALERTS, "{behaviour:?}: each once");
}

/// Whether the p99 with a model is that without one, is measured by `watchbell-bench-model` (see [`ALLOWANCE`]).
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_does_every_alert_arrives_none_waits_for_it_and_the_books_balance() {
    let model = model().await;
    for behaviour in Behaviour::ALL {
        run(behaviour, &model).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_a_late_answer_follows_its_message_as_an_update() {
    let (sink, model) = (Sink::start().await, model().await);
    let product = Product::embedded_with(&one_channel(&sink), &asking(&model.base_url())).await;
    an_update_follows(&product, &sink).await;
    the_history_knows_the_answer(&product).await;
}

/// What the rules said first and the model afterwards stands in the store, and people are shown both.
async fn the_history_knows_the_answer(product: &Product) {
    let store = Store::open(&"sqlite".into(), &product.data_dir()).await.unwrap();
    let known = eventually("the late answer in the history", SOON, || async {
        let mut read = store.begin_read().await.unwrap();
        let all = events::list(&mut read, TenantId::DEFAULT, &events::Filter::default(), None, 10).await.unwrap();
        all.items.into_iter().find(|story| story.enrichment.is_some())
    })
    .await;
    let (rules, model) = (known.analysis.unwrap(), known.enrichment.unwrap().analysis);
    assert_eq!((rules.origin, model.origin, model.severity), (Origin::Rules, Origin::Model, rules.severity));
    assert_eq!((model.summary.as_str(), model.action.as_str()), (SUMMARY, "Look at the free space"));
    assert!((model.confidence - 0.9).abs() < f32::EPSILON, "{}", model.confidence);
    eventually("its words in the alert", SOON, || async {
        let mut read = store.begin_read().await.unwrap();
        let alert = alerts::get(&mut read, TenantId::DEFAULT, known.alert.unwrap()).await.unwrap().unwrap();
        (alert.analysis.summary == SUMMARY).then_some(())
    })
    .await;
    admin::editor(product).await;
    let event = admin::read(product, &format!("events/{}", known.event.id)).await;
    let shown = ["analysis", "rules_analysis"].map(|which| (&event[which]["origin"], &event[which]["summary"]));
    assert_eq!(shown[0], (&json!("model"), &json!(SUMMARY)));
    assert_eq!(shown[1], (&json!("rules"), &json!(rules.summary)));
}

#[tokio::test(flavor = "multi_thread")]
async fn distributed_a_late_answer_follows_its_message_as_an_update() {
    let (sink, model) = (Sink::start().await, model().await);
    let product = Product::distributed_with(&one_channel(&sink), &asking(&model.base_url())).await;
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
async fn embedded_a_channel_that_only_a_late_answer_names_gets_a_whole_message() {
    a_late_answer_adds_a_channel(async |yaml, settings| Product::embedded_with(yaml, settings).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn distributed_a_channel_that_only_a_late_answer_names_gets_a_whole_message() {
    a_late_answer_adds_a_channel(async |yaml, settings| Product::distributed_with(yaml, settings).await).await;
}

/// The rules see an error; that the phone should ring, only the model says, and too late.
async fn a_late_answer_adds_a_channel(start: impl AsyncFnOnce(&str, &[(&str, &str)]) -> Product) {
    let (sink, phone) = (Sink::start().await, Sink::start().await);
    let model = Model::saying(Duration::ZERO, |_| Model::answer("critical")).await;
    let yaml = format!(
        "channels:
  - {{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN} }}
  - {{ name: phone, platform: webhook, target: '{}', dedup_window_s: 300 }}
rules: [{{ name: all, channels: [sink], escalate: {{ severity_at_least: critical, channels: [phone] }} }}]
",
        sink.url("alerts"),
        phone.url("calls")
    );
    let product = start(&yaml, &asking(&model.base_url())).await;
    product.push(TOKEN, &alert("rings", "late")).await;
    let call = phone.wait_for(1, SOON).await.remove(0);
    assert_eq!((call.text("origin"), call.text("severity"), &call.body["update"]), ("model", "critical", &Value::Null));
    assert_eq!(call.text("subject"), "job rings-late failed", "the original stands beside the summary");
    let messages = sink.wait_for(2, SOON).await;
    assert_eq!((messages[0].text("severity"), messages[1].is_update()), ("error", true));
    let books = product.settled(SOON).await;
    let counts = (&books["received"], &books["delivered"], &books["unaccounted"]);
    assert_eq!(counts, (&json!(1), &json!(1), &json!(0)), "one event, whoever got it when");
    assert!(product.command(&["books", "--audit"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_asks_to_wait_has_the_answer_in_its_first_message_and_waits_no_longer_than_it_said() {
    let (sink, model) = (Sink::start().await, model().await);
    let url = model.base_url();
    let yaml = format!(
        "channels: [{{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN} }}]
rules: [{{ name: waits, channels: [sink], ai_max_wait: 2s }}]
default_channels: [sink]
",
        sink.url("alerts")
    );
    let product = Product::embedded_with(&yaml, &asking(&url)).await;
    product.push(TOKEN, &alert("wait", "one")).await;
    let messages = sink.wait_for(1, SOON).await;
    assert_eq!((messages[0].text("origin"), messages[0].text("summary")), ("model", SUMMARY));
    assert!(
        messages[0].latency() < Duration::from_secs(2),
        "it went when the answer came: {:?}",
        messages[0].latency()
    );

    let waits_less = [asking(&url).as_slice(), &[("WATCHBELL_AI_MAX_WAIT", "500ms")]].concat();
    model.behave(Behaviour::Slow);
    let product = Product::embedded_with(&yaml, &waits_less).await;
    product.push(TOKEN, &alert("wait", "two")).await;
    let messages = sink.wait_for(2, SOON).await;
    assert_eq!(messages[1].text("origin"), "rules");
    let waited = messages[1].latency();
    // The server never answers, and the default wait is 5 s.
    assert!((Duration::from_millis(250)..Duration::from_secs(3)).contains(&waited), "{waited:?}");
}
