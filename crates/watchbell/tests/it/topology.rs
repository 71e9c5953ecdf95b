//! The Compose topology as processes, from the same files: one per service, same variables, same first configuration.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use serde_json::json;
use watchbell_harness::{Product, Service, eventually, free_address};

use crate::{
    TOKEN,
    from::{model_service, use_key},
    mail,
};

const SOON: Duration = Duration::from_secs(20);

fn repository(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap()
}

/// The variables of `.env.example`.
fn example() -> BTreeMap<String, String> {
    let text = repository(".env.example");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("not NAME=VALUE: {line}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The programs that `docker-compose.yml` starts.
fn composed() -> BTreeSet<String> {
    let text = repository("docker-compose.yml");
    let programs = text.lines().filter_map(|line| line.trim().strip_prefix("entrypoint: [")?.strip_suffix(']'));
    programs.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compose_topology_delivers_with_the_settings_of_the_example() {
    let example = example();
    for (name, ends) in [
        ("WATCHBELL_SMTP_LISTEN", ":25"),
        ("WATCHBELL_HTTP_LISTEN", ":8080"),
        ("WATCHBELL_HTTP_API_LISTEN", ":8000"),
        ("WATCHBELL_GATEWAY_LISTEN", ":7000"),
    ] {
        assert!(example.get(name).is_some_and(|value| value.ends_with(ends)), "{name} in .env.example");
    }
    // Only addresses, secrets and folders of a container are replaced.
    let replaced = ["_LISTEN", "_URL", "_KEY", "_FILE", "_DIR", "_SECRET", "_UPSTREAM"];
    let kept: Vec<_> = example
        .iter()
        .filter(|(name, _)| name.starts_with("WATCHBELL_") && !replaced.iter().any(|end| name.ends_with(end)))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert!(!kept.is_empty());
    // The first configuration that Compose mounts, with a token that is known here.
    let provision = repository("deploy/provision.example.yaml");
    let console = "  - name: console\n    platform: console\n";
    assert!(provision.contains(console), "{provision}");
    let provision = provision.replacen(console, &format!("{console}    push_token: {TOKEN}\n"), 1);

    let mut product = Product::distributed_with(&provision, &kept).await;
    let (upstream, _tasks) = model_service().await;
    let gateway = free_address();
    product.start_with(
        Service::KeyGateway,
        &[
            ("WATCHBELL_GATEWAY_LISTEN", gateway.to_string().as_str()),
            ("WATCHBELL_GATEWAY_UPSTREAM", &upstream),
            ("WATCHBELL_GATEWAY_HMAC_SECRET", "a secret of 32 characters or more"),
        ],
    );
    let running: BTreeSet<_> = product.services().into_iter().map(|service| service.binary().to_owned()).collect();
    assert_eq!(running, composed());
    product.ready().await;

    product.mail("probe@corp.example", "ops@corp.example", &mail("through the mail door")).await;
    assert_eq!(product.push(TOKEN, &json!({ "title": "through the webhook door" })).await.status(), 202);
    eventually("both on the dispatcher's console", SOON, || {
        let console = product.process(Service::Dispatcher).output();
        let shown =
            ["through the mail door", "through the webhook door"].iter().all(|subject| console.contains(subject));
        std::future::ready(shown.then_some(()))
    })
    .await;
    assert_eq!(use_key("127.0.0.2", gateway, "sk-0123456789abcdefghij").await, 200);
    assert_eq!(use_key("127.0.0.3", gateway, "sk-0123456789abcdefghij").await, 403);
}
