//! Trying rules, silences, templates and channels out through the API.

use serde_json::{Value, json};
use watchbell_common::{identity::Role, ids::TenantId, store::events};

use crate::{
    client::Client,
    house::{House, until},
    recording::push,
};

async fn house() -> (House, Client) {
    let mut house = House::embedded(&[("OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8")]).await;
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    (house, editor)
}

fn names(channels: &Value) -> Vec<&str> {
    channels.as_array().unwrap().iter().map(|channel| channel["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_rules_say_where_an_alert_would_go_and_a_draft_says_otherwise() {
    let (mut house, editor) = house().await;
    editor.post("/api/v1/channels", json!({"name": "ops", "platform": "console"})).await.expect(201);
    let rule = json!({"name": "dbs", "match": {"system": "db*"}, "channels": [2], "set_severity": "error"});
    editor.post("/api/v1/rules", rule).await.expect(201);
    let event = json!({"system": "db1", "severity": "critical", "from": ["Root@db1.example.org"]});
    let tested = editor.post("/api/v1/rules/test", json!({"event": event})).await.expect(200);
    assert_eq!((names(&tested["channels"]), &tested["severity"]), (vec!["ops"], &json!("error")));
    assert!(tested["reasons"][0].as_str().unwrap().contains("rule `dbs` matched"), "{tested}");
    let draft = json!({"event": event, "rules": [{"name": "none", "match": {"system": "x"}, "channels": [2]}]});
    let tested = editor.post("/api/v1/rules/test", draft).await.expect(200);
    assert_eq!(names(&tested["channels"]), ["console"], "the default");
    let wrong = json!({"event": event, "rules": [{"name": "a", "channels": [2]}, {"name": "b", "channels": [2], "match": {"from": "["}}]});
    let told = editor.post("/api/v1/rules/test", wrong).await.expect(400)["error"]["message"].clone();
    assert!(told.as_str().unwrap().starts_with("rules[1].match.from: "), "{told}");
    assert_eq!(editor.post("/api/v1/rules/test", json!({})).await.error(400), "VALIDATION");
    house.stop().await;
}

#[tokio::test]
async fn a_pasted_mail_is_read_and_routed_as_if_it_had_arrived() {
    let mut house =
        House::embedded(&[("OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8"), ("SMTP_CHANNEL_DOMAIN", "in.example.org")]).await;
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    editor.post("/api/v1/channels", json!({"name": "ops", "platform": "console"})).await.expect(201);
    editor.post("/api/v1/channels", json!({"name": "dba", "platform": "console"})).await.expect(201);
    let rule = json!({"name": "backups", "match": {"subject": "*backup*"}, "channels": [3]});
    editor.post("/api/v1/rules", rule).await.expect(201);
    editor.post("/api/v1/mutes", json!({"from": "cron@*", "comment": "known"})).await.expect(201);
    let test = async |raw: &str| editor.post("/api/v1/rules/test", json!({"raw": raw})).await;
    let mail = "Return-Path: <cron@db1.example.org>\r\nFrom: Cron <root@db1.example.org>\r\nTo: ops@example.org\r\n\
                Subject: =?utf-8?q?backup_of_db1_failed_=E2=9C=97?=\r\nX-Mailer: cron\r\n\r\nexit status 2\r\n";
    let tested = test(mail).await.expect(200);
    assert_eq!((names(&tested["channels"]), &tested["muted"]), (vec!["dba"], &json!("known")));
    assert!(tested["reasons"][0].as_str().unwrap().contains("rule `backups` matched"), "{tested}");
    let read = &tested["read"];
    assert_eq!(read["from"], json!(["cron@db1.example.org", "root@db1.example.org"]));
    assert_eq!((&read["subject"], &read["text"]), (&json!("backup of db1 failed ✗"), &json!("exit status 2")));
    assert_eq!((&read["labels"]["mailer"], &read["channel"]), (&json!("cron"), &Value::Null));
    assert_eq!((&read["analysis"]["severity"], &read["analysis"]["status"]), (&json!("error"), &json!("firing")));
    let addressed = test("From: a@b\r\nTo: OPS+tag@in.example.org\r\n\r\nx").await.expect(200);
    assert_eq!((&addressed["read"]["channel"]["name"], names(&addressed["channels"])), (&json!("ops"), vec!["ops"]));
    assert_eq!(names(&test("no mail at all").await.expect(200)["channels"]), ["console"], "nothing is refused");
    let ours = "From: w@b\r\nX-Watchbell-Delivery: dlv_0195f3f0c0de7d2a8b3c4d5e6f708192\r\n\r\nx";
    let told = test(ours).await.expect(400)["error"]["message"].clone();
    assert!(told.as_str().unwrap().starts_with("raw: would be dropped at intake: a mail that Watchbell"), "{told}");
    let both = json!({"raw": "x", "event": {"subject": "x"}});
    assert_eq!(editor.post("/api/v1/rules/test", both).await.error(400), "VALIDATION");
    house.stop().await;
}

#[tokio::test]
async fn the_body_of_a_push_is_read_and_routed_as_if_it_had_been_posted() {
    let (mut house, editor) = house().await;
    editor.post("/api/v1/channels", json!({"name": "ops", "platform": "console"})).await.expect(201);
    let rule = json!({"name": "dbs", "match": {"system": "db*"}, "channels": [2]});
    editor.post("/api/v1/rules", rule).await.expect(201);
    let test = async |body: Value| editor.post("/api/v1/rules/test", body).await;
    let disk =
        json!({"title": "Disk almost full", "level": "WARN", "host": "db1", "ticket": 9_007_199_254_740_993_i64});
    let tested = test(json!({"body": disk})).await.expect(200);
    let read = &tested["read"];
    assert_eq!((names(&tested["channels"]), &tested["alerts"]), (vec!["ops"], &json!(1)));
    assert_eq!((&read["subject"], &read["analysis"]["severity"]), (&json!("Disk almost full"), &json!("warning")));
    assert_eq!((&read["labels"]["ticket"], &read["channel"]), (&json!("9007199254740993"), &Value::Null));
    assert_eq!(tested["others"], Value::Null);
    let posted = test(json!({"body": disk, "channel": 1})).await.expect(200);
    assert_eq!((names(&posted["channels"]), &posted["read"]["channel"]["id"]), (vec!["console", "ops"], &json!(1)));

    let alert = |status, instance| {
        let labels = json!({"alertname": "InstanceDown", "severity": "critical", "instance": instance});
        json!({"status": status, "labels": labels, "fingerprint": format!("{instance}-1")})
    };
    let alerts: Vec<_> = (0..30).map(|n| alert("firing", format!("db{n}"))).collect();
    let tested = test(json!({"body": {"version": "4", "groupKey": "{}", "alerts": alerts}})).await.expect(200);
    assert_eq!((&tested["alerts"], tested["others"].as_array().unwrap().len()), (&json!(30), 19));
    let two = json!({"version": "4", "groupKey": "{}", "alerts": [alert("firing", "db1".into()), alert("resolved", "web1".into())]});
    let tested = test(json!({"body": two})).await.expect(200);
    let other = &tested["others"][0];
    assert_eq!((names(&tested["channels"]), names(&other["channels"])), (vec!["ops"], vec!["console"]));
    assert_eq!(
        (&tested["read"]["analysis"]["status"], &other["read"]["analysis"]["status"]),
        (&json!("firing"), &json!("resolved"))
    );
    for (wrong, told) in [
        (json!({"body": [1]}), "body must be a JSON object, not an array"),
        (json!({"body": disk, "channel": 9}), "channel: there is no channel 9"),
        (json!({"raw": "x", "channel": 1}), "channel: only goes with `body`"),
        (json!({"body": disk, "raw": "x"}), "give one of `event_id`, `event`, `raw` and `body`"),
    ] {
        assert_eq!(test(wrong).await.expect(400)["error"]["message"], told);
    }
    house.stop().await;
}

/// Ten events about db1, at the first ten milliseconds of 1970.
async fn with_history() -> (House, Client) {
    let (house, editor) = house().await;
    push(&house, 0..10).await;
    let store = house.store().await;
    until("the events are stored", async || {
        let mut tx = store.begin_read().await.unwrap();
        events::list(&mut tx, TenantId::DEFAULT, &events::Filter::default(), None, 20).await.unwrap().items.len() == 10
    })
    .await;
    (house, editor)
}

#[tokio::test]
async fn a_dry_run_counts_what_a_draft_would_have_moved_and_lost() {
    let (mut house, editor) = with_history().await;
    editor.post("/api/v1/channels", json!({"name": "ops", "platform": "console"})).await.expect(201);
    let moving =
        json!({"name": "odd", "match": {"subject": "disk full [13579]"}, "channels": [2], "set_severity": "info"});
    let run = editor.post("/api/v1/rules/dry-run", json!({"rules": [moving]})).await.expect(200);
    assert_eq!((&run["events"], &run["moved"], &run["severity_changed"]), (&json!(10), &json!(5), &json!(5)));
    assert_eq!((&run["lost"], &run["found"], &run["complete"]), (&json!(0), &json!(0), &json!(true)));
    let channels = run["channels"].as_array().unwrap();
    assert_eq!(
        (&channels[0]["name"], &channels[0]["now"], &channels[0]["draft"]),
        (&json!("console"), &json!(10), &json!(5))
    );
    let newest = &run["examples"][0];
    assert_eq!(
        (&newest["event"]["subject"], &newest["now"], &newest["draft"]),
        (&json!("disk full 9"), &json!(["console"]), &json!(["ops"]))
    );

    let some = json!({"rules": [moving], "since": "1970-01-01T00:00:00.003Z", "until": "1970-01-01T00:00:00.006Z"});
    let run = editor.post("/api/v1/rules/dry-run", some).await.expect(200);
    assert_eq!((&run["events"], &run["moved"], &run["complete"]), (&json!(3), &json!(2), &json!(true)));
    let few = editor.post("/api/v1/rules/dry-run", json!({"rules": [], "limit": 4})).await.expect(200);
    assert_eq!((&few["events"], &few["moved"], &few["complete"]), (&json!(4), &json!(0), &json!(false)));
    assert_eq!(few["reached"], "1970-01-01T00:00:00.006Z");
    let rest = json!({"rules": [], "cursor": few["next_cursor"], "since": "1970-01-01T00:00:00.002Z"});
    let rest = editor.post("/api/v1/rules/dry-run", rest).await.expect(200);
    assert_eq!((&rest["events"], &rest["complete"], &rest["next_cursor"]), (&json!(4), &json!(true), &Value::Null));
    assert_eq!(rest["reached"], "1970-01-01T00:00:00.002Z");
    editor.put("/api/v1/default-channels", json!({"channels": []})).await.expect(200);
    let found = editor.post("/api/v1/rules/dry-run", json!({"rules": [moving]})).await.expect(200);
    assert_eq!((&found["found"], &found["lost"]), (&json!(5), &json!(0)));
    house.stop().await;
}

#[tokio::test]
async fn a_silence_is_tried_on_the_newest_events() {
    let (mut house, editor) = with_history().await;
    let preview = async |body: Value| editor.post("/api/v1/silences/preview", body).await;
    let hits = preview(json!({"match": {"system": "db*"}, "limit": 4})).await.expect(200);
    assert_eq!((&hits["events"], &hits["hits"]), (&json!(4), &json!(4)));
    assert_eq!(hits["examples"][0]["subject"], "disk full 9");
    let none = preview(json!({"match": {"system": "web*"}})).await.expect(200);
    assert_eq!((&none["events"], &none["hits"]), (&json!(10), &json!(0)));
    assert_eq!(preview(json!({"match": {"system": "["}})).await.error(400), "VALIDATION");
    let event = json!({"event_id": hits["examples"][0]["id"]});
    let tested = editor.post("/api/v1/rules/test", event).await.expect(200);
    assert_eq!(names(&tested["channels"]), ["console"]);
    house.stop().await;
}

#[tokio::test]
async fn a_preview_is_written_by_the_engine_and_within_its_limits() {
    let (mut house, editor) = house().await;
    let preview = async |body: Value| editor.post("/api/v1/templates/preview", body).await;
    let sample = json!({"severity": "critical", "host": {"name": "db1"}, "value": 1_048_576, "url": null});
    let body = "{{ .severity | upper }} {{ .host.name }} {{ .value }}{{ if .url }} {{ .url }}{{ end }}";
    let written = preview(json!({"body": body, "parse_mode": "None", "sample": sample})).await.expect(200);
    assert_eq!((&written["rendered"], &written["length"]), (&json!("CRITICAL db1 1048576"), &json!(20)));
    assert_eq!((&written["limits"]["unit"], &written["fits"]), (&json!("utf16"), &json!(true)));
    let wrong = preview(json!({"body": "{{ range 100000 }}x{{ end }}"})).await.expect(400);
    assert!(wrong["error"]["message"].as_str().unwrap().starts_with("body: line 1 column"), "{wrong}");
    assert_eq!(preview(json!({"body": "x", "platform": "fax"})).await.error(400), "VALIDATION");
    house.stop().await;
}

#[tokio::test]
async fn a_test_message_goes_through_the_channel_and_its_answer_is_told() {
    let (mut house, editor) = house().await;
    let sent = editor.post("/api/v1/channels/1/test", Value::Null).await.expect(200);
    assert_eq!((&sent["delivered"], &sent["class"]), (&json!(true), &Value::Null), "{sent}");
    let nobody = json!({"name": "gone", "platform": "webhook", "target": "http://127.0.0.1:1/x"});
    editor.post("/api/v1/channels", nobody).await.expect(201);
    let failed = editor.post("/api/v1/channels/2/test", Value::Null).await.expect(200);
    assert!(failed["delivered"] == json!(false) && !failed["detail"].as_str().unwrap().is_empty(), "{failed}");
    assert_eq!(editor.post("/api/v1/channels/3/test", Value::Null).await.error(404), "NOT_FOUND");
    house.stop().await;
}

#[tokio::test]
async fn a_crowd_of_test_messages_waits_its_turn() {
    let (mut house, editor) = house().await;
    let tests = (0..120).map(|_| editor.post("/api/v1/channels/1/test", Value::Null));
    for sent in futures_util::future::join_all(tests).await {
        assert_eq!(sent.expect(200)["delivered"], json!(true));
    }
    house.stop().await;
}
