//! Our own doors, bound: a push token and an SMTP user work from where they were first used.

use std::time::Duration;

use tokio::net::TcpStream;
use watchbell_harness::{Product, Service, Sink, eventually, free_address};

use crate::{
    TOKEN,
    from::{log_in, push},
    one_channel,
};

const SOON: Duration = Duration::from_secs(20);

/// The user `ops` with the password `hunter2`, hashed with the smallest parameters.
const USERS: &str =
    "ops:$argon2id$v=19$m=8,t=1,p=1$gEO9V3t0mnoa6Z4GMAVKhA$2wX8K6oGlm0HIWsex92yCaoio1bYrhd9tG1mrobem84\n";

const UNUSED: &str = "product-test-unused-token-0123456789";

/// The settings of doors that bind, and the file of users, which goes when it is dropped.
fn bound(stance: &'static str) -> (tempfile::NamedTempFile, Vec<(&'static str, String)>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), USERS).unwrap();
    let settings = vec![
        ("WATCHBELL_SMTP_USERS_FILE", file.path().display().to_string()),
        ("WATCHBELL_SMTP_AUTH_WITHOUT_TLS", "true".to_owned()),
        ("WATCHBELL_BINDING_PUSH_TOKENS", stance.to_owned()),
        ("WATCHBELL_BINDING_SMTP_USERS", stance.to_owned()),
        ("WATCHBELL_GATEWAY_ALERT_THRESHOLD_COUNT", "2".to_owned()),
    ];
    (file, settings)
}

fn as_texts<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn provision(sink: &Sink) -> String {
    let unused = format!("  - {{ name: unused, platform: console, push_token: {UNUSED} }}\n");
    one_channel(sink).replace("default_channels", &format!("{unused}default_channels"))
}

/// The subjects that have arrived, once there are so many.
async fn subjects(sink: &Sink, many: usize) -> Vec<String> {
    let received = sink.wait_for(many, SOON).await;
    let mut subjects: Vec<_> = received.iter().map(|message| message.text("subject").to_owned()).collect();
    subjects.sort();
    subjects
}

/// The first use binds; elsewhere is refused and becomes an alert of the pipeline.
async fn both_doors_bind(product: &Product, sink: &Sink) {
    assert_eq!(push("127.0.0.2", product.http, TOKEN, "first").await.0, 202);
    for _ in 0..2 {
        let (status, answer) = push("127.0.0.3", product.http, TOKEN, "stolen").await;
        assert_eq!(status, 403, "{answer}");
        assert!(answer.contains("TOKEN_ELSEWHERE"), "{answer}");
    }
    assert_eq!(push("127.0.0.2", product.http, TOKEN, "second").await.0, 202);
    assert!(log_in("127.0.0.2", product.smtp).await.starts_with("235 2.7.0"));
    for _ in 0..2 {
        let answer = log_in("127.0.0.3", product.smtp).await;
        assert!(answer.starts_with("535 5.7.1"), "{answer}");
    }
    assert!(log_in("127.0.0.2", product.smtp).await.starts_with("235 2.7.0"));
    let subjects = subjects(sink, 4).await;
    assert_eq!(subjects[0], "Push token sink (produc…6789) is used from elsewhere");
    assert_eq!(subjects[1..], ["SMTP user ops is used from elsewhere", "first", "second"]);
    let alarms: Vec<_> = sink.received().into_iter().filter(|message| message.text("source") == "intake").collect();
    assert_eq!(alarms.len(), 2);
    assert!(alarms.iter().all(|alarm| alarm.body["labels"]["attempted"] == "127.0.0.3"));
    product.settled(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_token_and_a_user_are_bound_in_one_process() {
    let sink = Sink::start().await;
    let (_file, settings) = bound("enforce");
    let mut product = Product::embedded_with(&provision(&sink), &as_texts(&settings)).await;
    both_doors_bind(&product, &sink).await;
    let metrics = product.get("/metrics").await;
    for counter in ["watchbell_webhook_interceptions_total", "watchbell_smtp_interceptions_total"] {
        assert!(metrics.contains(&format!("{counter}{{reason=\"elsewhere\"}} 2")), "{metrics}");
    }
    assert!(product.serve().terminate(Duration::from_secs(30)).await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn observed_doors_take_everything_and_tell() {
    let sink = Sink::start().await;
    let (_file, settings) = bound("observe");
    let product = Product::embedded_with(&provision(&sink), &as_texts(&settings)).await;
    for source in ["127.0.0.2", "127.0.0.3", "127.0.0.4"] {
        assert_eq!(push(source, product.http, TOKEN, source).await.0, 202);
        assert!(log_in(source, product.smtp).await.starts_with("235 2.7.0"));
    }
    // A use that cannot be looked up in time goes unnoticed, so there are as many as it takes.
    let told = eventually("both doors tell", SOON, async || {
        for source in ["127.0.0.3", "127.0.0.4"] {
            push(source, product.http, TOKEN, source).await;
            log_in(source, product.smtp).await;
        }
        let alarms = sink.received().into_iter().filter(|message| message.text("source") == "intake");
        let mut subjects: Vec<_> = alarms.map(|alarm| alarm.text("subject").to_owned()).collect();
        subjects.sort();
        (subjects.len() == 2).then_some(subjects)
    })
    .await;
    let expected =
        ["Push token sink (produc…6789)", "SMTP user ops"].map(|who| format!("{who} is used from elsewhere"));
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn separate_processes_bind_together_and_known_sources_need_no_store() {
    let sink = Sink::start().await;
    let (_file, settings) = bound("enforce");
    let mut product = Product::distributed_with(&provision(&sink), &as_texts(&settings)).await;
    let closed = free_address();
    let own = [("WATCHBELL_HTTP_LISTEN", &*closed.to_string()), ("WATCHBELL_BINDING_FAIL_MODE", "closed")];
    product.start_with(Service::WebhookIngestor, &own);
    eventually("the other door listens", SOON, async || TcpStream::connect(closed).await.ok()).await;
    // A door that has not opened its store yet binds nothing.
    eventually("both doors bind", SOON, async || {
        let query = "SELECT COUNT(*) FROM bindings";
        push("127.0.0.2", product.http, TOKEN, "first").await;
        log_in("127.0.0.2", product.smtp).await;
        product.query(query).filter(|count| count == "2")
    })
    .await;
    eventually("the other process knows it", SOON, async || {
        (push("127.0.0.3", closed, TOKEN, "stolen").await.0 == 403).then_some(())
    })
    .await;
    product.postgres().stop();
    for door in [product.http, closed] {
        assert_eq!(push("127.0.0.2", door, TOKEN, "known").await.0, 202);
        assert_eq!(push("127.0.0.3", door, TOKEN, "stolen").await.0, 403);
    }
    assert!(log_in("127.0.0.2", product.smtp).await.starts_with("235 2.7.0"));
    assert!(log_in("127.0.0.3", product.smtp).await.starts_with("535 5.7.1"));
    assert_eq!(push("127.0.0.9", product.http, UNUSED, "open").await.0, 202, "an alert is worth more than its check");
    assert_eq!(push("127.0.0.9", closed, UNUSED, "closed").await.0, 503);
    product.postgres().start_again();
    eventually("the door binds again", SOON, async || {
        (push("127.0.0.9", closed, UNUSED, "closed").await.0 == 202).then_some(())
    })
    .await;
    product.settled(SOON).await;
}
