//! What the guide of a first run asks for: a destination that pretends to be down, sample alerts.

use axum::{Router, extract::State, http::Uri};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use watchbell_common::{
    clock::show_time,
    identity::Role,
    ids::{ChannelId, EventId, TenantId},
    payload::{AlertPayload, Content, Payload as _},
    queue::{Ending, QueueName, Want, WorkerId},
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

/// A Bot API in which one person sent the bot /start.
async fn bot_api(State(token): State<&'static str>, uri: Uri) -> axum::Json<Value> {
    if uri.path() != format!("/bot{token}/getUpdates") {
        return axum::Json(json!({"ok": false, "error_code": 401, "description": "Unauthorized"}));
    }
    let chat = json!({"id": 7, "type": "private", "first_name": "Ada"});
    axum::Json(json!({"ok": true, "result": [{"update_id": 1, "message": {"chat": chat, "text": "/start"}}]}))
}

#[tokio::test]
async fn a_bot_says_who_spoke_to_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, Router::new().fallback(bot_api).with_state("1:known")).await });
    let (mut house, editor) = house(&[("TELEGRAM_API_BASE", &base), ("OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8")]).await;
    let chats = async |token: &str| {
        let bot = editor.post("/api/v1/bots", json!({"name": token, "bot_token": token})).await.expect(201);
        editor.get(&format!("/api/v1/bots/{}/chats", bot["id"])).await.expect(200)
    };
    let found = chats("1:known").await;
    assert_eq!((&found["items"][0]["id"], &found["items"][0]["title"]), (&json!("7"), &json!("Ada")), "{found}");
    let refused = chats("1:unknown").await;
    assert!(refused["problem"].as_str().unwrap().contains("does not know this bot token"), "{refused}");
    house.stop().await;
}

#[tokio::test]
async fn a_bot_api_inside_is_not_asked_for_a_tenant() {
    let (mut house, editor) = house(&[("TELEGRAM_API_BASE", "http://127.0.0.1:9")]).await;
    let bot = editor.post("/api/v1/bots", json!({"name": "b", "bot_token": "1:a"})).await.expect(201);
    let refused = editor.get(&format!("/api/v1/bots/{}/chats", bot["id"])).await.expect(200);
    assert!(refused["problem"].as_str().unwrap().contains("loopback"), "{refused}");
    house.stop().await;
}

#[tokio::test]
async fn who_sent_what_was_hidden_and_where_to_send_is_told() {
    let (mut house, editor) =
        house(&[("SMTP_LISTEN", "0.0.0.0:2526"), ("SMTP_CHANNEL_DOMAIN", "alerts.example")]).await;
    let story = Story::at(house.shared.clock.now_ms());
    tell(&house, &[story.clone(), Story { ending: Some(Ending::Silenced), ..story }]).await;
    let senders = editor.get("/api/v1/senders?days=1").await.expect(200)["items"].clone();
    assert_eq!((&senders[0]["source"], &senders[0]["count"]), (&json!("mail"), &json!(2)), "{senders}");
    assert_eq!((&senders[0]["from"], &senders[0]["peer"]), (&json!(["zabbix@example.com"]), &json!("192.0.2.7")));
    assert_eq!(editor.get("/api/v1/senders?days=31").await.error(400), "VALIDATION");

    let silence = json!({"match": {"system": "db1"}, "expires_at": show_time(house.shared.clock.now_ms() + 60_000)});
    let silence = editor.post("/api/v1/silences", silence).await.expect(201);
    let hidden = &silence["hidden"];
    assert_eq!((&silence["id"], &hidden["count"]), (&json!(1), &json!(1)), "{silence}");
    assert_eq!(hidden["parts"].as_array().unwrap().len(), 24, "{silence}");
    assert_eq!(hidden["from"], hidden["until"], "it was made just now: {silence}");
    let mute = editor.post("/api/v1/mutes", json!({"from": "a@b"})).await.expect(201);
    assert_eq!((&mute["hidden"]["count"], &mute["hidden"]["last_at"]), (&json!(0), &Value::Null));

    let doors = editor.get("/api/v1/doors").await.expect(200);
    let mail = json!({"host": null, "port": 2526, "tls_port": null, "channel_domain": "alerts.example"});
    assert_eq!(doors["mail"], mail);
    house.stop().await;
}
