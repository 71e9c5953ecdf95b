//! A model beside the rules: whatever its server does, every alert arrives, the books balance, and a late answer follows
//! the message that went out without it.

use std::time::Duration;

use serde_json::{Value, json};
use watchbell_common::{
    alert::Origin,
    ids::TenantId,
    store::{Store, alerts, events},
};
use watchbell_harness::{Behaviour, Model, Product, Received, Sink, eventually, load::Latencies};

use crate::{TOKEN, one_channel};

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

/// What a run may take longer than one without a model: ten per cent, or, since that is less than a millisecond here, a
/// few turns of a scheduler that has other tests to run. The median and not the p99: of twelve alerts the p99 is
/// whichever the machine held up. `watchbell-bench-model` measures the p99, with nothing else running.
const SLACK: Duration = Duration::from_millis(100);

/// Sends the alerts one by one, so that none waits for another, and gives the median latencies of those in a hurry and
/// of the patient ones.
async fn run(round: &str, settings: &[(&str, &str)]) -> [Duration; 2] {
    let sink = Sink::start().await;
    let yaml = format!(
        "channels: [{{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN} }}]
rules: [{{ name: patient, match: {{ subject: '*-patient*' }}, channels: [sink], ai_max_wait: {}ms }}]
default_channels: [sink]
",
        sink.url("alerts"),
        WAIT.as_millis()
    );
    let product = Product::embedded_with(&yaml, settings).await;
    for (number, word) in words().enumerate() {
        let word = if number < ALERTS - PATIENT { word } else { format!("patient-{word}") };
        assert_eq!(product.push(TOKEN, &alert(round, &word)).await.status(), 202);
        eventually("the message", SOON, || async { (first_messages(&sink).len() > number).then_some(()) }).await;
    }
    let books = product.settled(SOON).await;
    let counts = (&books["received"], &books["delivered"], &books["unaccounted"]);
    assert_eq!(counts, (&json!(ALERTS), &json!(ALERTS), &json!(0)), "{round}");
    let (patient, hasty): (Vec<_>, Vec<_>) =
        first_messages(&sink).into_iter().partition(|message| message.text("subject").contains("-patient"));
    assert_eq!((hasty.len(), patient.len()), (ALERTS - PATIENT, PATIENT), "{round}");
    [hasty, patient].map(|messages| Latencies::of(&messages).percentile(50))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_does_every_alert_arrives_as_soon_as_without_it_and_the_books_balance() {
    let model = model().await;
    for behaviour in Behaviour::ALL {
        model.behave(behaviour);
        let url = model.base_url();
        // In turns, so that both have the same machine.
        let [without, _] = run("without", &[]).await;
        let [with, patient] = run(&format!("{behaviour:?}"), &asking(&url)).await;
        let most = without + (without / 10).max(SLACK);
        assert!(with <= most, "{behaviour:?}: half took {with:?} or more, without a model {without:?}");
        // Only those whose route asks for it waited, and no longer than that.
        let most = most + WAIT;
        assert!(
            patient <= most,
            "{behaviour:?}: half of the patient ones took {patient:?} or more, without {without:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_a_late_answer_follows_its_message_as_an_update() {
    let (sink, model) = (Sink::start().await, model().await);
    let product = Product::embedded_with(&one_channel(&sink), &asking(&model.base_url())).await;
    an_update_follows(&product, &sink).await;
    the_history_knows_the_answer(&product).await;
}

/// What the rules said first and the model afterwards stands in the store.
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
    assert!((Duration::from_millis(250)..Duration::from_secs(1)).contains(&waited), "{waited:?}");
}
