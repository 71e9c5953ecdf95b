//! The Compose topology as processes, from the same `.env.example`: one per service, same variables.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use watchbell_harness::{Product, Service, Sink};

use crate::{mail, one_channel};

/// The repository's own file; only addresses, secrets and folders of a container are replaced.
fn example() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.env.example");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("not NAME=VALUE: {line}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compose_topology_delivers_with_the_settings_of_the_example() {
    let example = example();
    let ours: Vec<_> = example.iter().filter(|(name, _)| name.starts_with("WATCHBELL_")).collect();
    assert!(!ours.is_empty());
    for (name, ends) in
        [("WATCHBELL_SMTP_LISTEN", ":25"), ("WATCHBELL_HTTP_LISTEN", ":8080"), ("WATCHBELL_HTTP_API_LISTEN", ":8000")]
    {
        assert!(example.get(name).is_some_and(|value| value.ends_with(ends)), "{name} in .env.example");
    }
    let replaced = ["_LISTEN", "_URL", "_KEY", "_FILE", "_DIR"];
    let kept: Vec<_> = ours
        .into_iter()
        .filter(|(name, _)| !replaced.iter().any(|end| name.ends_with(end)))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let sink = Sink::start().await;
    let product = Product::distributed_with(&one_channel(&sink), &kept).await;
    assert_eq!(product.services(), Service::DISTRIBUTED);
    product.mail("probe@corp.example", "ops@corp.example", &mail("through the topology")).await;
    sink.wait_for(1, Duration::from_secs(20)).await;
}
