//! What the guide of a first run asks for: a destination that pretends to be down, sample alerts.

use serde_json::{Value, json};
use watchbell_common::{
    identity::Role,
    ids::{ChannelId, EventId, TenantId},
    payload::{AlertPayload, Content, Payload as _},
    queue::{QueueName, Want, WorkerId},
};

use crate::{
    client::Client,
    house::House,
    story::{Story, tell},
};

/// A house with its API, and an editor of the default tenant, whose first channel is there.
async fn house(settings: &[(&str, &str)]) -> (House, Client) {
    let mut house = House::embedded(settings).await;
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    (house, editor)
}

#[tokio::test]
async fn a_drill_is_published_shown_and_ends() {
    let settings = [("PROVISION_FILE", "{dir}/w.yaml")];
    let mut house = House::embedded(&settings).await;
    std::fs::write(house.file(), "channels: [{ name: sink, platform: console }]\n").unwrap();
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    let path = "/api/v1/channels/1/drill";
    for seconds in [0, 601] {
        assert_eq!(editor.post(path, json!({ "seconds": seconds })).await.error(400), "VALIDATION");
    }
    let channel = editor.post(path, json!({"seconds": 60})).await.expect(200);
    assert_eq!(channel["provisioned"], true, "a drill is no change of what the file keeps");
    let until = channel["drill_until"].as_str().unwrap().to_owned();
    let listed = editor.get("/api/v1/channels").await.expect(200);
    assert_eq!(listed["items"][0]["drill_until"], until);
    let in_drill = |house: &House| house.shared.config.load().in_drill(ChannelId(1), house.shared.clock.now_ms());
    assert!(in_drill(&house), "published before the answer");

    let channel = editor.delete(path).await.expect(200);
    assert_eq!(channel["drill_until"], Value::Null);
    assert!(!in_drill(&house));
    assert_eq!(editor.delete("/api/v1/channels/9/drill").await.error(404), "NOT_FOUND");
    house.stop().await;
}

#[tokio::test]
async fn samples_pass_the_doors_queue_marked_and_an_alert_ends_after_it_began() {
    let (mut house, editor) = house(&[]).await;
    let queued = editor.post("/api/v1/samples", Value::Null).await.expect(202)["queued"].clone();
    let worker = WorkerId("analyzer".into());
    let leases = house.queue().lease(QueueName::Intake, &worker, Want::up_to(100)).await.unwrap();
    assert_eq!(queued, leases.len());
    let mut ids = Vec::<EventId>::new();
    for lease in leases {
        let head = AlertPayload::decode(&lease.payload).unwrap().head;
        let Content::Item(item) = head.content else { panic!("samples are items") };
        assert_eq!((item.source.as_str(), item.labels["sample"].as_str()), ("sample", "true"));
        ids.push(head.event);
    }
    assert!(ids.is_sorted(), "{ids:?}");
    house.stop().await;
}

#[tokio::test]
async fn samples_are_removed_and_nothing_else_is() {
    let (mut house, editor) = house(&[]).await;
    let story = |fingerprint, source| Story { fingerprint, source, ..Story::at(house.shared.clock.now_ms()) };
    tell(&house, &[story("real", "mail"), story("one", "sample"), story("two", "sample")]).await;
    assert_eq!(editor.delete("/api/v1/samples").await.expect(200), json!({"alerts": 2}));
    for kind in ["alerts", "events", "deliveries"] {
        let left = editor.get(&format!("/api/v1/{kind}")).await.expect(200)["items"].clone();
        assert_eq!(left.as_array().unwrap().len(), 1, "{kind}: {left}");
    }
    assert_eq!(editor.delete("/api/v1/samples").await.expect(200), json!({"alerts": 0}));
    house.stop().await;
}
