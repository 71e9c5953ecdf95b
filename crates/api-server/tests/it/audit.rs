//! The audit log through the API.

use serde_json::json;
use watchbell_common::{identity::Role, ids::TenantId};

use crate::{client::Client, house::House};

#[tokio::test]
async fn only_owners_read_the_audit_log() {
    let mut house = House::embedded(&[]).await;
    let base = format!("http://{}", house.start_api().await);
    let owner = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Owner).await;
    assert!(owner.get("/api/v1/audit").await.expect(200)["items"].is_array());
    assert_eq!(owner.get("/api/v1/audit?cursor=x").await.error(400), "VALIDATION");
    let viewer = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Viewer).await;
    assert_eq!(viewer.get("/api/v1/audit").await.error(403), "FORBIDDEN");
    assert_eq!(Client::anonymous(&base).get("/api/v1/audit").await.error(401), "UNAUTHORIZED");
    house.stop().await;
}

#[tokio::test]
async fn the_audit_log_is_narrowed_by_person_kind_and_time() {
    let mut house = House::embedded(&[]).await;
    let base = format!("http://{}", house.start_api().await);
    let owner = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Owner).await;
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    owner.post("/api/v1/mutes", json!({"source": "none"})).await.expect(201);
    editor.post("/api/v1/mutes", json!({"source": "none"})).await.expect(201);
    editor.post("/api/v1/channels", json!({"name": "c", "platform": "console"})).await.expect(201);
    let count = async |query: &str| {
        let page = owner.get(&format!("/api/v1/audit?{query}")).await.expect(200);
        page["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "create").count()
    };
    let all = owner.get("/api/v1/audit?kind=channel").await.expect(200);
    let (user, at) = (all["items"][0]["user"].as_i64().unwrap(), all["items"][0]["at"].as_str().unwrap().to_owned());
    assert_eq!(all["items"][0]["actor"].as_str().unwrap().split('-').next(), Some("editor"));
    assert_eq!(count("kind=mute").await, 2);
    assert_eq!(count(&format!("user={user}")).await, 2);
    assert_eq!(count(&format!("user={user}&kind=mute")).await, 1);
    assert_eq!(count(&format!("kind=channel&since={at}")).await, 1);
    assert_eq!(count(&format!("kind=channel&before={at}")).await, 0);
    assert_eq!(owner.get("/api/v1/audit?since=yesterday").await.error(400), "VALIDATION");
    assert_eq!(owner.get("/api/v1/audit?user=me").await.error(400), "VALIDATION");
    house.stop().await;
}
