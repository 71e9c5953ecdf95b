//! Alerts and events through the API, as the recorder wrote them.

use secrecy::SecretString;
use serde_json::{Value, json};
use watchbell_common::{
    alert::{Severity, Status},
    clock::{Clock as _, SystemClock, show_time},
    identity::Role,
    ids::TenantId,
    queue::Ending,
};

use crate::{
    client::{Client, add_tenant},
    house::{House, on_both},
    story::{Story, tell},
};

/// An installation with an editor of the default tenant.
pub(crate) async fn open(database: &SecretString) -> (House, String, Client) {
    let mut house = House::build(database, &[]).await;
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    (house, base, editor)
}

fn subjects(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["subject"].as_str().unwrap()).collect()
}

async fn alerts_are_listed_by_filter(database: SecretString) {
    let (mut house, _, editor) = open(&database).await;
    let now = SystemClock.now_ms();
    let story = |fingerprint, subject: &str, at| Story { fingerprint, subject: subject.to_owned(), ..Story::at(at) };
    tell(
        &house,
        &[
            story("a", "oldest", now - 4_000),
            Story { severity: Severity::Critical, system: "db2", ..story("b", "critical", now - 3_000) },
            Story { status: Status::Resolved, ..story("c", "over 100% again", now - 2_000) },
            Story { ending: Some(Ending::Silenced), source: "push", ..story("d", "silenced", now - 1_000) },
        ],
    )
    .await;
    let list = async |query: &str| editor.get(&format!("/api/v1/alerts{query}")).await.expect(200);
    assert_eq!(subjects(&list("").await), ["silenced", "over 100% again", "critical", "oldest"]);
    for (query, expected) in [
        ("?status=firing", &["silenced", "critical", "oldest"][..]),
        ("?status=resolved,acknowledged", &["over 100% again"]),
        ("?severity=critical,info", &["critical"]),
        ("?severity=error&status=firing", &["silenced", "oldest"]),
        ("?source=push", &["silenced"]),
        ("?system=db2", &["critical"]),
        ("?category=disk&q=AGAIN+100%25", &["over 100% again"]),
        ("?q=_", &[]),
        ("?channel=3", &["over 100% again", "critical", "oldest"]),
        ("?rule=4&silenced=true", &["silenced"]),
        ("?rule=5", &[]),
        (&format!("?since={}", show_time(now - 2_500)), &["silenced", "over 100% again"]),
    ] {
        assert_eq!(subjects(&list(query).await), expected, "{query}");
    }
    for (query, parameter) in
        [("status=open", "status"), ("severity=fatal", "severity"), ("channel=x", "channel"), ("rule=-1", "rule")]
    {
        let answer = editor.get(&format!("/api/v1/alerts?{query}")).await.expect(400);
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(parameter), "{answer}");
    }

    let first = list("?limit=3").await;
    let second = list(&format!("?limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(subjects(&second), ["oldest"]);
    assert_eq!(second["next_cursor"], Value::Null);
    let firing = list("?limit=1&status=firing,resolved").await;
    let cursor = firing["next_cursor"].as_str().unwrap();
    let firing = list(&format!("?limit=1&status=firing,resolved&cursor={cursor}")).await;
    assert_eq!(subjects(&firing), ["over 100% again"]);

    let facets = editor.get("/api/v1/facets?status=firing").await.expect(200);
    assert_eq!(facets["severity"], json!([{"value": "error", "count": 2}, {"value": "critical", "count": 1}]));
    assert_eq!(facets["rule"], json!([{"value": "4", "count": 3}]));
    assert_eq!((&facets["counted"], &facets["more"]), (&json!(3), &json!(false)));
    assert_eq!(facets["silenced"], 1);
    house.stop().await;
}

async fn people_acknowledge_and_resolve_until_there_is_news(database: SecretString) {
    let (mut house, base, editor) = open(&database).await;
    let now = SystemClock.now_ms();
    let story = Story::at(now - 9_000);
    let path = format!("/api/v1/alerts/{}", story.alert());
    tell(&house, std::slice::from_ref(&story)).await;
    let act = async |verb: &str| {
        let answer = editor.post(&format!("{path}/{verb}"), json!({"comment": "on it"})).await.expect(200);
        answer["status"].as_str().unwrap().to_owned()
    };
    let status = async || editor.get(&path).await.expect(200)["status"].as_str().unwrap().to_owned();
    assert_eq!(act("acknowledge").await, "acknowledged");
    let shown = editor.get(&path).await.expect(200);
    assert_eq!(shown["mark"]["comment"], "on it");
    assert_eq!(shown["timeline"][0]["what"], "acknowledge");

    tell(&house, &[Story { at: now - 8_000, ..story.clone() }]).await;
    assert_eq!(status().await, "acknowledged", "it goes on firing");
    tell(&house, &[Story { at: now - 7_000, severity: Severity::Critical, ..story.clone() }]).await;
    assert_eq!(status().await, "firing", "it became worse");
    act("acknowledge").await;
    tell(&house, &[Story { at: now - 6_000, status: Status::Resolved, ..story.clone() }]).await;
    assert_eq!(status().await, "resolved");
    tell(&house, &[Story { at: now - 5_000, severity: Severity::Critical, ..story.clone() }]).await;
    assert_eq!(status().await, "firing", "it began anew");

    assert_eq!(act("resolve").await, "resolved");
    tell(&house, &[Story { at: now - 6_500, ..story.clone() }]).await;
    assert_eq!(status().await, "resolved", "an event that comes late is no news");
    tell(&house, &[Story { at: now - 4_000, ..story.clone() }]).await;
    assert_eq!(status().await, "firing");
    act("acknowledge").await;
    assert_eq!(act("unacknowledge").await, "firing");

    let label =
        editor.put(&format!("{path}/label"), json!({"severity": "info", "summary": "a test"})).await.expect(200);
    assert_eq!((&label["label"]["origin"], &label["label"]["label"]["severity"]), (&json!("human"), &json!("info")));
    assert_eq!(label["severity"], "error", "what was understood stays beside it");
    assert_eq!(editor.put(&format!("{path}/label"), json!({})).await.error(400), "VALIDATION");

    let owner = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Owner).await;
    let audit = owner.get("/api/v1/audit?limit=1").await.expect(200);
    assert_eq!((&audit["items"][0]["action"], &audit["items"][0]["kind"]), (&json!("label"), &json!("alert")));
    house.stop().await;
}

async fn many_are_acknowledged_at_once(database: SecretString) {
    let (mut house, _, editor) = open(&database).await;
    let now = SystemClock.now_ms();
    let stories = ["a", "b", "c"].map(|fingerprint| Story { fingerprint, ..Story::at(now) });
    tell(&house, &stories).await;
    let path = "/api/v1/alerts/acknowledge";
    let ids = json!({"ids": [stories[0].alert(), "alr_00000000000000000000000000000000"]});
    let done = editor.post(path, ids).await.expect(200);
    assert_eq!(done, json!({"acknowledged": 1, "skipped": 1, "more": false}));
    for wrong in [
        json!({}),
        json!({"filter": {"sevrity": "error"}}),
        json!({"filter": {"status": "resolved"}}),
        json!({"ids": ["x"]}),
    ] {
        assert_eq!(editor.post(path, wrong.clone()).await.error(400), "VALIDATION", "{wrong}");
    }
    let done = editor.post(path, json!({"filter": {"severity": "error"}, "comment": "all"})).await.expect(200);
    assert_eq!(done, json!({"acknowledged": 2, "skipped": 0, "more": false}));
    let counts = editor.get("/api/v1/overview").await.expect(200)["alerts"].clone();
    assert_eq!(counts, json!({"firing": 0, "acknowledged": 3, "resolved": 0, "silenced": 0}));
    house.stop().await;
}

async fn an_event_shows_everything_that_came_of_it(database: SecretString) {
    let (mut house, _, editor) = open(&database).await;
    let now = SystemClock.now_ms();
    let events = tell(&house, &[Story::at(now - 1_000), Story::at(now)]).await;
    let event = editor.get(&format!("/api/v1/events/{}", events[1])).await.expect(200);
    assert_eq!(event["reasons"], json!(["rule `disks` matched"]));
    assert_eq!(event["analysis"]["severity"], "error");
    assert_eq!(event["deliveries"][0]["tries"][0]["detail"], "the provider's answer");
    assert_eq!(event["siblings"][0]["id"], json!(events[0]));
    let delivery = event["deliveries"][0]["id"].as_str().unwrap();
    let delivery = editor.get(&format!("/api/v1/deliveries/{delivery}")).await.expect(200);
    assert_eq!((&delivery["state"], &delivery["channel"]), (&json!("delivered"), &json!(3)));

    let raw = async |part: &str| editor.get(&format!("/api/v1/events/{}/raw{part}", events[0])).await;
    let source = raw("").await;
    assert_eq!(source.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(source.headers["x-truncated"], "false");
    assert!(source.expect(200).as_str().unwrap().starts_with("From: a@b\r\n"));
    assert_eq!(raw("?part=headers").await.expect(200), "From: a@b\r\nSubject: disk\r\n\r\n");
    assert_eq!(raw("?part=text").await.expect(200), "92 % of /var\r\n");
    assert_eq!(raw("?part=html").await.error(404), "NOT_FOUND");
    assert_eq!(raw("?part=x").await.error(400), "VALIDATION");

    let list = editor.get(&format!("/api/v1/events?alert={}&q=full", Story::at(0).alert())).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(editor.get("/api/v1/events?ending=muted").await.expect(200)["items"], json!([]));
    assert_eq!(editor.get("/api/v1/events?ending=lost").await.error(400), "VALIDATION");
    let list = editor.get("/api/v1/deliveries?state=delivered&channel=3").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let named = &list["items"][0];
    assert!(named["subject"].as_str().unwrap().starts_with("disk full at "), "{named}");
    assert!(named["severity"].is_string(), "{named}");
    assert_eq!(editor.get("/api/v1/deliveries?state=failed,dead").await.expect(200)["items"], json!([]));
    house.stop().await;
}

async fn another_tenant_and_a_viewer_change_nothing(database: SecretString) {
    let (mut house, base, editor) = open(&database).await;
    let events = tell(&house, &[Story::at(SystemClock.now_ms())]).await;
    let tenant = add_tenant(&house, "other").await;
    let other = Client::with_role(&house, &base, tenant, Role::Owner).await;
    let alert = format!("/api/v1/alerts/{}", Story::at(0).alert());
    let event = format!("/api/v1/events/{}", events[0]);
    for path in [&alert, &event, &format!("{event}/raw")] {
        assert_eq!(other.get(path).await.error(404), "NOT_FOUND", "{path}");
    }
    for list in ["alerts", "events", "deliveries", "logs", "dead-letters", "deadletters"] {
        assert_eq!(other.get(&format!("/api/v1/{list}")).await.expect(200)["items"], json!([]), "{list}");
    }
    let viewer = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Viewer).await;
    for verb in ["acknowledge", "unacknowledge", "resolve"] {
        let path = format!("{alert}/{verb}");
        assert_eq!(other.post(&path, json!({})).await.error(404), "NOT_FOUND");
        assert_eq!(viewer.post(&path, json!({})).await.error(403), "FORBIDDEN");
    }
    let label = format!("{alert}/label");
    assert_eq!(other.put(&label, json!({"severity": "info"})).await.error(404), "NOT_FOUND");
    let many = json!({"ids": [Story::at(0).alert()]});
    assert_eq!(other.post("/api/v1/alerts/acknowledge", many).await.expect(200)["acknowledged"], 0);
    let shown = editor.get(&alert).await.expect(200);
    assert_eq!((&shown["status"], shown["timeline"].as_array().unwrap().len()), (&json!("firing"), 1));
    house.stop().await;
}

on_both!(
    alerts_are_listed_by_filter,
    people_acknowledge_and_resolve_until_there_is_news,
    many_are_acknowledged_at_once,
    an_event_shows_everything_that_came_of_it,
    another_tenant_and_a_viewer_change_nothing,
);
