//! The key gateway in the whole product: a stolen key becomes a message, people decide, processes share what they know.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use watchbell_common::{
    clock::{Clock as _, SystemClock},
    ids::TenantId,
    outbound,
    store::{Store, usage},
};
use watchbell_harness::{Product, Service, Sink, eventually, free_address};

use crate::{
    from::{model_service, use_key},
    one_channel,
};

const SOON: Duration = Duration::from_secs(20);

const KEY: &str = "sk-0123456789abcdefghij";

/// `watchbell serve` with a key gateway, and where that is.
async fn guarded(provision: &str, upstream: &str, more: &[(&str, &str)]) -> (Product, SocketAddr) {
    let gateway = free_address();
    let listen = gateway.to_string();
    let own = [("WATCHBELL_GATEWAY_UPSTREAM", upstream), ("WATCHBELL_GATEWAY_LISTEN", listen.as_str())];
    (Product::embedded_with(provision, &[&own, more].concat()).await, gateway)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_used_from_elsewhere_becomes_a_message() {
    let (upstream, _tasks) = model_service().await;
    let sink = Sink::start().await;
    let (mut product, gateway) =
        guarded(&one_channel(&sink), &upstream, &[("WATCHBELL_GATEWAY_ALERT_THRESHOLD_COUNT", "3")]).await;
    assert_eq!(use_key("127.0.0.2", gateway, KEY).await, 200);
    for _ in 0..3 {
        assert_eq!(use_key("127.0.0.3", gateway, KEY).await, 403);
    }
    sink.wait_for(1, SOON).await;
    eventually("the books balance", Duration::from_secs(10), || {
        let balanced = product.command(&["books", "--audit"]).status.success();
        std::future::ready(balanced.then_some(()))
    })
    .await;
    let metrics = product.get("/metrics").await;
    assert!(metrics.contains("watchbell_gateway_interceptions_total{reason=\"elsewhere\"} 3"), "{metrics}");
    product.serve().terminate(Duration::from_secs(30)).await;
}

/// The API, as the user that the product was started with.
struct Admin<'p> {
    product: &'p Product,
    token: String,
}

const ADMIN: (&str, &str) = ("root@example.org", "correct horse battery");

impl<'p> Admin<'p> {
    async fn of(product: &'p Product) -> Self {
        let mut admin = Self { product, token: String::new() };
        let body = json!({"email": ADMIN.0, "password": ADMIN.1});
        let answer = admin.ask(Method::POST, "auth/token", &body).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).clone_into(&mut admin.token);
        admin
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("http://{}/api/v1/{path}", self.product.http);
        let request = outbound::client().unwrap().request(method, url).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_over_the_api_holds_in_the_gateway_within_a_second() {
    let (upstream, _tasks) = model_service().await;
    let first = [("WATCHBELL_BOOTSTRAP_ADMIN_EMAIL", ADMIN.0), ("WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD", ADMIN.1)];
    let (product, gateway) = guarded("", &upstream, &first).await;
    let admin = Admin::of(&product).await;
    let holds = async |what: &str, source: &str, status: u16| {
        let since = Instant::now();
        eventually(what, SOON, async || (use_key(source, gateway, KEY).await == status).then_some(())).await;
        // A second, and some for a busy machine.
        assert!(since.elapsed() < Duration::from_secs(3), "{what} after {:?}", since.elapsed());
    };
    assert_eq!(use_key("127.0.0.2", gateway, KEY).await, 200);
    assert_eq!(use_key("127.0.0.3", gateway, KEY).await, 403);
    let found = admin.ask(Method::GET, "gateway/bindings?q=127.0.0.2", &Value::Null).await;
    let binding = format!("gateway/bindings/{}", found["items"][0]["id"].as_str().unwrap());
    admin.ask(Method::PUT, &binding, &json!({"mode": "multiple", "addresses": ["127.0.0.2", "127.0.0.3"]})).await;
    holds("another address", "127.0.0.3", 200).await;
    admin.ask(Method::POST, &format!("{binding}/block"), &Value::Null).await;
    holds("blocked", "127.0.0.2", 403).await;
    admin.ask(Method::POST, &format!("{binding}/unblock"), &Value::Null).await;
    holds("unblocked", "127.0.0.2", 200).await;
    admin.ask(Method::PUT, "gateway/settings", &json!({"mode": "observe"})).await;
    holds("observed", "127.0.0.9", 200).await;
    admin.ask(Method::PUT, "gateway/settings", &json!({})).await;
    holds("enforced", "127.0.0.9", 403).await;
    admin.ask(Method::DELETE, &binding, &Value::Null).await;
    holds("bound anew", "127.0.0.9", 200).await;
    let log = eventually("the interceptions in the log", SOON, async || {
        let log = admin.ask(Method::GET, "gateway/interceptions?q=127.0.0.9", &Value::Null).await;
        log["items"].as_array().filter(|lines| lines.len() > 1).cloned()
    })
    .await;
    assert!(log.iter().any(|line| line["refused"] == false) && log.iter().any(|line| line["refused"] == true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_cache_asks_the_store_once_and_the_last_uses_survive_a_stop() {
    let (upstream, _tasks) = model_service().await;
    let (mut product, gateway) = guarded("", &upstream, &[]).await;
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        asking.spawn(use_key("127.0.0.2", gateway, KEY));
    }
    assert!(asking.join_all().await.iter().all(|status| *status == 200));
    let metrics = product.get("/metrics").await;
    let lookups = metrics.lines().find(|line| line.starts_with("watchbell_gateway_store_lookups_total"));
    assert_eq!(lookups, Some("watchbell_gateway_store_lookups_total 1"));

    assert_eq!(use_key("127.0.0.3", gateway, KEY).await, 403);
    assert_eq!(use_key("127.0.0.2", gateway, KEY).await, 200);
    assert!(product.serve().terminate(Duration::from_secs(30)).await.success());
    let store = Store::open(&"sqlite".into(), &product.data_dir()).await.unwrap();
    let today = usage::day_of(SystemClock.now_ms());
    let mut tx = store.begin_read().await.unwrap();
    let days = usage::days(&mut tx, TenantId::DEFAULT, None, today - 1).await.unwrap();
    let sum = |of: fn(&usage::Day) -> i64| days.iter().map(of).sum::<i64>();
    assert_eq!((sum(|day| day.allowed), sum(|day| day.intercepted)), (101, 1));
    let busiest = usage::busiest(&mut tx, TenantId::DEFAULT, today - 1, 9).await.unwrap();
    assert_eq!((busiest[0].allowed, busiest[0].intercepted), (101, 1));
}

/// Gateways of their own processes, on Redis and PostgreSQL.
async fn distributed(upstream: &str) -> Product {
    let secret = "a secret of the tests";
    let more = [("WATCHBELL_GATEWAY_UPSTREAM", upstream), ("WATCHBELL_GATEWAY_HMAC_SECRET", secret)];
    Product::distributed_with("", &more).await
}

async fn start_gateway(product: &mut Product) -> SocketAddr {
    let address = free_address();
    product.start_with(Service::KeyGateway, &[("WATCHBELL_GATEWAY_LISTEN", &address.to_string())]);
    product.ready().await;
    // Ready to take work, and with its store: until then, what is not known is refused with 503.
    let probe = format!("sk-probe-{address}");
    eventually("its store", SOON, async || (use_key("127.0.0.1", address, &probe).await == 200).then_some(())).await;
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_ask_their_memory_then_redis_then_the_store() {
    let (upstream, _tasks) = model_service().await;
    let mut product = distributed(&upstream).await;
    let first = start_gateway(&mut product).await;
    let second = start_gateway(&mut product).await;
    assert_eq!(use_key("127.0.0.2", first, "sk-in-both").await, 200);
    assert_eq!(use_key("127.0.0.3", second, "sk-in-both").await, 403, "bound by the first");
    assert_eq!(use_key("127.0.0.2", first, "sk-in-redis").await, 200);
    product.postgres().stop();
    for (address, source, key, status) in [
        (first, "127.0.0.2", "sk-in-redis", 200),
        (second, "127.0.0.2", "sk-in-redis", 200),
        (second, "127.0.0.3", "sk-in-redis", 403),
        (second, "127.0.0.2", "sk-nowhere", 503),
    ] {
        assert_eq!(use_key(source, address, key).await, status, "{key} without the store");
    }
    product.redis().kill9();
    assert_eq!(use_key("127.0.0.2", first, "sk-in-both").await, 200, "from memory alone");
    assert_eq!(use_key("127.0.0.2", second, "sk-in-both").await, 200, "from memory alone");
    product.redis().restart();
    product.postgres().start_again();
    eventually("the store is used again", SOON, async || {
        (use_key("127.0.0.2", second, "sk-nowhere").await == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_gateway_at_a_time_archives_and_another_takes_over() {
    let (upstream, _tasks) = model_service().await;
    let mut product = distributed(&upstream).await;
    let leader = async |product: &Product| {
        let query = "SELECT owner FROM leases WHERE name = 'bindings:1'";
        eventually("a leader", SOON, async || product.query(query).filter(|owner| !owner.is_empty())).await
    };
    let first = start_gateway(&mut product).await;
    let of_first = leader(&product).await;
    assert_eq!(use_key("127.0.0.2", first, "sk-idle").await, 200);
    eventually("the use is written down", SOON, async || {
        product.query("SELECT COUNT(*) FROM binding_days WHERE key_hash <> ''").filter(|count| count != "0")
    })
    .await;
    product.query("UPDATE bindings SET last_used_at = 1").unwrap();
    let count = async |product: &Product, table: &str| {
        product.query(&format!("SELECT COUNT(*) FROM {table}")).unwrap().parse::<i64>().unwrap()
    };
    let idle = count(&product, "bindings").await;
    start_gateway(&mut product).await;
    assert_eq!(leader(&product).await, of_first, "the second leaves it to the first");
    assert_eq!(count(&product, "bindings_archive").await, 0);
    // As if the first had been gone for long.
    product.query("UPDATE leases SET until = 0").unwrap();
    start_gateway(&mut product).await;
    eventually("the third archives", SOON, async || (count(&product, "bindings_archive").await == idle).then_some(()))
        .await;
    assert_ne!(leader(&product).await, of_first);
    eventually("the next use binds anew, everywhere", SOON, async || {
        (use_key("127.0.0.3", first, "sk-idle").await == 200).then_some(())
    })
    .await;
}
