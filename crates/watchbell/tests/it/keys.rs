//! Master keys are changed while the services run, and nobody notices.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::json;
use watchbell_common::store::{Store, config};
use watchbell_harness::{Product, Sink, eventually};

use crate::TOKEN;

const SOON: Duration = Duration::from_secs(30);

const AUTHORIZATION: &str = "Bearer of-the-receiver";

/// A channel whose every delivery needs a secret.
fn authorized(sink: &Sink) -> String {
    format!(
        "channels:\n  - {{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN}, \
         options: {{ authorization: '{AUTHORIZATION}' }} }}\ndefault_channels: [sink]\n",
        sink.url("alerts")
    )
}

fn run(product: &Product, args: &[&str]) -> String {
    let output = tokio::task::block_in_place(|| product.command(args));
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_under_load_without_a_restart() {
    let sink = Sink::start().await;
    let mut product = Product::embedded(&authorized(&sink)).await;
    let first = run(&product, &["keys", "list"]);
    let sent = AtomicUsize::new(0);
    let load = async {
        for number in 0..200 {
            let pushed = product.push(TOKEN, &json!({ "title": format!("number {number}") })).await;
            assert_eq!(pushed.status(), 202);
            sent.fetch_add(1, Ordering::Relaxed);
        }
    };
    let rotating = async {
        for round in 1..=2 {
            let seen = sink.count();
            eventually("some load", SOON, || async { (sink.count() > seen + 10).then_some(()) }).await;
            let done = run(&product, &["keys", "rotate"]);
            assert!(done.contains("made a new key") && done.contains("sealed 2 secrets anew"), "{round}: {done}");
        }
    };
    tokio::join!(load, rotating);
    sink.wait_for(200, SOON).await;
    assert!(sink.received().iter().all(|received| received.headers["authorization"] == AUTHORIZATION));

    let list = run(&product, &["keys", "list"]);
    let states: Vec<_> =
        list.lines().map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(states, ["active seals 2", "old seals 0", "old seals 0"]);
    let old = first.split_whitespace().next().unwrap();
    assert!(list.lines().last().unwrap().starts_with(old), "{list}");

    // What the old keys sealed is nowhere needed any more: without them, but with the hash key, all goes on.
    let store = Store::open(&"sqlite".into(), &product.data_dir()).await.unwrap();
    let version = config::version(&mut store.begin_read().await.unwrap()).await.unwrap();
    store.close().await;
    eventually("the services to have the new configuration", SOON, || {
        std::future::ready(product.serve().log().contains(&version.to_string()).then_some(()))
    })
    .await;
    let ended = product.serve().terminate(SOON).await;
    assert!(ended.success(), "{ended}");
    let file = product.data_dir().join("master.key");
    let text = fs::read_to_string(&file).unwrap();
    let keys: Vec<_> = text.lines().filter(|line| !line.starts_with("hash ") && !line.starts_with('#')).collect();
    assert_eq!(keys.len(), 3);
    fs::write(&file, text.replace(keys[1], "").replace(keys[2], "")).unwrap();
    product.serve().restart();
    product.ready().await;
    assert_eq!(product.push(TOKEN, &json!({ "title": "after" })).await.status(), 202);
    sink.wait_for(201, SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_settings_hold_the_key_rotation_says_how_to_change_them() {
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let product = Product::embedded_with("", &[("WATCHBELL_SECURITY_MASTER_KEY", key)]).await;
    let said = run(&product, &["keys", "rotate"]);
    for word in ["security.master_key", "security.old_keys", "security.hash_key", "keys rotate"] {
        assert!(said.contains(word), "{said}");
    }
    assert!(!said.contains(key) && !product.data_dir().join("master.key").exists());
    let hash = run(&product, &["keys", "hash-key"]);
    assert_eq!(hash.trim().len(), 44, "32 bytes in base64");
}
