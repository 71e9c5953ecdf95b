//! Requests recorded from real programs, and what they are read as.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::support::{Server, TOKEN, TOKEN_DEDUP};

/// A recorded request.
#[derive(Deserialize)]
struct Recorded {
    body: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/http")
}

fn recorded(name: &str) -> String {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    serde_json::from_str::<Recorded>(&text).unwrap().body
}

/// Those with a JSON body, by name without extension.
fn all() -> BTreeMap<String, String> {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let bodies = names
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "json"))
        .map(|name| (name.trim_end_matches(".json").to_owned(), recorded(&name)));
    bodies.filter(|(_, body)| body.trim_start().starts_with('{')).collect()
}

#[tokio::test]
async fn every_recorded_body_is_read_as_its_snapshot_says() {
    let bodies = all();
    assert!(bodies.len() > 20, "the fixtures are there");
    for (name, body) in bodies {
        let server = Server::start().await;
        assert_eq!(server.push(TOKEN, &body).await.status, 202, "{name}");
        insta::assert_snapshot!(name, serde_json::to_string_pretty(&server.queue.items()).unwrap());
    }
}

#[tokio::test]
async fn alertmanager_is_read_alike_on_its_own_path_and_on_the_generic_one() {
    for (name, body) in all().into_iter().filter(|(name, _)| name.starts_with("alertmanager-webhook")) {
        let (own, generic) = (Server::start().await, Server::start().await);
        assert_eq!(own.post(&format!("/api/v1/in/alertmanager/{TOKEN}"), "", &body).await.status, 202, "{name}");
        assert_eq!(generic.push(TOKEN, &body).await.status, 202, "{name}");
        assert_eq!(own.queue.items(), generic.queue.items(), "{name}");
        assert!(own.queue.items().iter().all(|item| item.source == "alertmanager" && item.key.is_some()), "{name}");
    }
}

#[tokio::test]
async fn the_alerts_of_one_notification_are_one_push_and_share_its_raw_body() {
    let server = Server::start().await;
    let body = recorded("alertmanager-webhook-partly-resolved.json");
    let answer = server.push(TOKEN, &body).await;
    let pushes = server.queue.pushes();
    assert_eq!((pushes.len(), pushes[0].len()), (1, 2));
    assert_eq!(answer.job_id(), pushes[0][0].id);
    let payloads = server.queue.payloads();
    assert_eq!(payloads[0].raw, body);
    let part = String::from_utf8(payloads[1].raw.to_vec()).unwrap();
    assert!(part.starts_with("{\"status\":\"firing\"") && body.contains(&part), "{part}");
}

#[tokio::test]
async fn a_notification_is_dropped_only_when_all_of_its_alerts_are_repeats() {
    let server = Server::start().await;
    let firing = recorded("alertmanager-webhook-firing-2.json");
    let partly_resolved = recorded("alertmanager-webhook-partly-resolved.json");
    assert_eq!(server.push(TOKEN_DEDUP, &firing).await.status, 202);
    assert_eq!(server.push(TOKEN_DEDUP, &firing).await.status, 200);
    let answer = server.push(TOKEN_DEDUP, &partly_resolved).await;
    let last = server.queue.pushes().pop().unwrap();
    assert_eq!((last.len(), last[0].id), (1, answer.job_id()), "only what was resolved is news");
    assert_eq!(server.queue.facts().len(), 3);
}
