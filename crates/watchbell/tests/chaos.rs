#![cfg(test)]
//! `make chaos`: 20,000 events while every service is killed again and again. Takes minutes, so it is not part
//! of `make test`; it stops by itself.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use watchbell_harness::{Mood, Product, Sink, mail};

/// Events sent, half of them mails, half pushes.
const EVENTS: usize = 20_000;
const SENDERS: usize = 8;
/// The destination refuses one request in five.
const FAILS_EACH: u64 = 5;
/// How long everything may take, with the killing and the retries that it causes.
const AT_MOST: Duration = Duration::from_mins(20);
const BETWEEN_KILLS: Duration = Duration::from_millis(1_000);
/// What a process that delivers may have in hand (`deliver.concurrency`): so many are repeated at most when it is killed.
const IN_HAND: usize = 256;

fn provision(sink: &Sink) -> String {
    format!(
        "channels:\n  - {{ name: sink, platform: webhook, target: '{}', push_token: chaos-push-token-0123456789 }}\ndefault_channels: [sink]\n",
        sink.url("alerts")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_nothing_acknowledged_is_lost() {
    let sink = Sink::start().await;
    let product = Product::embedded(&provision(&sink)).await;
    chaos("embedded", product, &sink).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn distributed_nothing_acknowledged_is_lost() {
    let sink = Sink::start().await;
    let product = Product::distributed(&provision(&sink)).await;
    chaos("distributed", product, &sink).await;
}

/// What the senders were promised.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<HashSet<String>>,
    next: AtomicUsize,
    /// Sends whose answer never came: they may or may not have been kept.
    unanswered: AtomicUsize,
}

async fn chaos(name: &str, mut product: Product, sink: &Sink) {
    sink.mood(Mood::FailsEach(FAILS_EACH));
    let started = Instant::now();
    let ledger = Arc::new(Ledger::default());
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..SENDERS {
        senders.spawn(send_all(
            ledger.clone(),
            product.smtp,
            format!("http://{}/api/v1/push/chaos-push-token-0123456789", product.http),
        ));
    }
    let done = Arc::new(AtomicBool::new(false));
    let all_sent = {
        let done = done.clone();
        async move {
            while senders.join_next().await.is_some() {}
            done.store(true, Ordering::SeqCst);
        }
    };
    let killing = async {
        let services = product.services();
        let mut kills = 0;
        while !done.load(Ordering::SeqCst) {
            tokio::time::sleep(BETWEEN_KILLS).await;
            product.process(services[kills % services.len()]).restart();
            kills += 1;
            assert!(
                started.elapsed() < AT_MOST,
                "the senders did not finish: {} acknowledged",
                lock(&ledger.acknowledged).len()
            );
        }
        kills
    };
    let ((), kills) = tokio::join!(all_sent, killing);
    product.ready().await;
    let sent_after = started.elapsed();
    let books = product.settled(AT_MOST).await;

    let acknowledged = lock(&ledger.acknowledged).clone();
    let received = sink.received();
    let arrived: HashSet<_> = received.iter().map(|message| message.text("subject").to_owned()).collect();
    let missing: Vec<_> = acknowledged.difference(&arrived).take(5).collect();
    let deliveries = sink.deliveries();
    let repeated: u64 = deliveries.values().map(|times| times - 1).sum();
    println!(
        "{name}: {} acknowledged, {} unanswered, {kills} kills, sent in {sent_after:?}, settled after {:?}\n{books:#}\n\
         sink: {} requests, {} accepted, {} different deliveries; {repeated} repeats with a known delivery id \
         (answered 200, killed before that was written down)",
        acknowledged.len(),
        ledger.unanswered.load(Ordering::SeqCst),
        started.elapsed(),
        sink.requests(),
        received.len(),
        deliveries.len(),
    );
    assert_eq!(acknowledged.len(), EVENTS);
    let unanswered = ledger.unanswered.load(Ordering::SeqCst);
    assert!(books["received"].as_u64() <= Some((EVENTS + unanswered) as u64), "more events than were sent");
    // Every service is killed in turn, so one kill in so many met the one that delivers.
    let of_deliverers = kills.div_ceil(product.services().len());
    assert!(
        repeated <= (of_deliverers * IN_HAND) as u64,
        "{repeated} repeats are more than {of_deliverers} kills of a deliverer explain"
    );
    assert!(missing.is_empty(), "acknowledged but never delivered, for example {missing:?}");
    assert_eq!(books["unaccounted"], 0);
    assert_eq!(books["dead"], 0);
    assert_eq!(books["delivered"], books["received"]);
    assert_eq!(
        u64::try_from(deliveries.len()).unwrap(),
        books["delivered"].as_u64().unwrap(),
        "one delivery id per event"
    );
    let audit = product.command(&["books", "--audit"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// Sends until all events are acknowledged; what gets no clear answer is sent again, as a mail server would.
async fn send_all(ledger: Arc<Ledger>, smtp: std::net::SocketAddr, push: String) {
    let http = reqwest::Client::default();
    let mut connection = None;
    loop {
        let number = ledger.next.fetch_add(1, Ordering::SeqCst);
        if number >= EVENTS {
            return;
        }
        let subject = format!("chaos event {number} of host{:02}", number % 40);
        loop {
            let kept = if number % 2 == 0 {
                by_mail(&mut connection, smtp, &subject).await
            } else {
                let body = json!({ "title": subject, "level": "error", "host": "h" }).to_string();
                http.post(&push).body(body).send().await.is_ok_and(|answer| answer.status().as_u16() == 202)
            };
            if kept {
                break;
            }
            ledger.unanswered.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        lock(&ledger.acknowledged).insert(subject);
    }
}

async fn by_mail(connection: &mut Option<mail::Client>, smtp: std::net::SocketAddr, subject: &str) -> bool {
    let mut client = match connection.take() {
        Some(client) => client,
        None => match mail::Client::connect(smtp).await {
            Ok(client) => client,
            Err(_) => return false,
        },
    };
    let message = format!("Subject: {subject}\r\nFrom: chaos@corp.example\r\n\r\nSomething failed.\r\n");
    let kept = client.send("chaos@corp.example", "ops@corp.example", &message).await.is_ok();
    if kept {
        *connection = Some(client);
    }
    kept
}
