//! What the overview, the logs, dead letters, queues and services show.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    alert::{Severity, Status},
    clock::{Clock as _, SystemClock},
    heartbeat,
    identity::Role,
    ids::{EventId, JobId, TenantId},
    payload::{AttemptOutcome, DeliverPayload, Payload as _},
    queue::{Decision, NewJob, QueueName, Verdict, Want, WorkerId},
    store::users,
};

use crate::{
    alerts::open,
    client::{Client, add_tenant},
    house::{House, until},
    story::{CHANNEL, Story, tell},
};

/// Buries deliveries of a tenant, and says their jobs' ids.
pub(crate) async fn bury(house: &House, tenant: TenantId, numbers: std::ops::Range<u32>) -> Vec<JobId> {
    bury_because(house, tenant, numbers, |_| "chat not found".to_owned()).await
}

/// The same, each for a reason of its own.
async fn bury_because(
    house: &House,
    tenant: TenantId,
    numbers: std::ops::Range<u32>,
    reason: impl Fn(&str) -> String,
) -> Vec<JobId> {
    let queue = house.queue();
    let job = |number: u32| {
        let now = SystemClock.now_ms();
        let story = Story { tenant, subject: format!("dead {number}"), ..Story::at(now) };
        let (event, alert) = story.alert_of(EventId::at(now));
        let payload = DeliverPayload {
            delivery: story.delivery(event),
            channel: CHANNEL,
            alert,
            count: 1,
            since: None,
            update: false,
        };
        let (id, lane) = (JobId::derived(&[&number.to_be_bytes()]), DeliverPayload::lanes(CHANNEL)[0].clone());
        NewJob::new(id, tenant, Some(event), lane, payload.encode())
    };
    let jobs: Vec<_> = numbers.map(job).collect();
    let ids = jobs.iter().map(|job| job.id).collect();
    queue.push(QueueName::Deliver, jobs).await.unwrap();
    bury_all(house, reason).await;
    ids
}

/// Buries what is to be delivered; the reason may depend on the subject.
async fn bury_all(house: &House, reason: impl Fn(&str) -> String) {
    let (queue, worker) = (house.queue(), WorkerId("undertaker".into()));
    loop {
        let leases = queue.lease(QueueName::Deliver, &worker, Want::up_to(500)).await.unwrap();
        if leases.is_empty() {
            return;
        }
        let bury = |lease: watchbell_common::queue::Lease| {
            let subject = DeliverPayload::decode(&lease.payload).unwrap().alert.event.subject;
            Decision { lease: lease.token, verdict: Verdict::Bury { reason: reason(&subject) }, facts: Vec::new() }
        };
        for answer in queue.decide_all(leases.into_iter().map(bury).collect()).await {
            answer.unwrap();
        }
    }
}

async fn dead(client: &Client) -> usize {
    let mut seen = 0;
    let mut path = "/api/v1/dead-letters?limit=200".to_owned();
    loop {
        let page = client.get(&path).await.expect(200);
        seen += page["items"].as_array().unwrap().len();
        let Some(cursor) = page["next_cursor"].as_str() else { return seen };
        path = format!("/api/v1/dead-letters?limit=200&cursor={cursor}");
    }
}

#[tokio::test]
async fn dead_letters_are_shown_and_replayed_by_those_they_belong_to() {
    let (mut house, base, editor) = open(&"sqlite".into()).await;
    let ids = bury(&house, TenantId::DEFAULT, 0..4).await;
    let page = editor.get("/api/v1/dead-letters?channel=3&limit=1").await.expect(200);
    let first = &page["items"][0];
    assert_eq!((&first["subject"], &first["reason"]), (&json!("dead 0"), &json!("chat not found")));
    assert_eq!(dead(&editor).await, 4);
    assert_eq!(editor.get("/api/v1/dead-letters?channel=4").await.expect(200)["items"], json!([]));
    assert_eq!(editor.get("/api/v1/dead-letters?queue=mail").await.error(400), "VALIDATION");
    let books = editor.get("/api/v1/overview").await.expect(200)["books"].clone();
    assert_eq!((&books["received"], &books["dead"], &books["unaccounted"]), (&json!(4), &json!(4), &json!(0)));
    assert_eq!(editor.get("/api/v1/queues").await.expect(200), json!({"pending": 0, "dead": 4, "queues": []}));

    let tenant = add_tenant(&house, "other").await;
    let other = Client::with_role(&house, &base, tenant, Role::Owner).await;
    let viewer = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Viewer).await;
    let one = format!("/api/v1/dead-letters/{}", ids[0]);
    assert_eq!(other.get(&one).await.error(404), "NOT_FOUND");
    assert_eq!(other.post(&format!("{one}/replay"), json!({})).await.error(404), "NOT_FOUND");
    assert_eq!(viewer.post(&format!("{one}/replay"), json!({})).await.error(403), "FORBIDDEN");
    let many = json!({"ids": ids});
    let path = "/api/v1/dead-letters/replay-many";
    assert_eq!(other.post(path, many.clone()).await.expect(202)["replayed"], 0);
    assert_eq!(other.post("/api/v1/dead-letters/replay-all", json!({})).await.expect(202)["replayed"], 0);
    assert_eq!(dead(&editor).await, 4);

    assert_eq!(editor.post(&format!("{one}/replay"), json!({})).await.expect(202)["replayed"], 1);
    assert_eq!(editor.post(&format!("{one}/replay"), json!({})).await.error(404), "NOT_FOUND");
    let old = format!("/api/v1/deadletters/{}/replay", ids[1]);
    let replayed = editor.post(&old, json!({})).await.expect(202);
    assert_eq!(replayed, json!({"new_outbox_id": ids[1], "status": "queued"}));
    let some = editor.post(path, many).await.expect(202);
    assert_eq!((&some["replayed"], &some["skipped"]), (&json!(2), &json!(2)));
    assert_eq!(dead(&editor).await, 0);
    house.stop().await;
}

#[tokio::test]
async fn all_dead_letters_are_replayed_in_pieces_and_none_twice() {
    let (mut house, _, editor) = open(&"sqlite".into()).await;
    bury(&house, TenantId::DEFAULT, 0..1_203).await;
    let (mut body, mut replayed, mut requests) = (json!({"channel": 3}), 0, 0);
    loop {
        let answer = editor.post("/api/v1/dead-letters/replay-all", body).await.expect(202);
        replayed += answer["replayed"].as_u64().unwrap();
        requests += 1;
        // They die again, later than when it began.
        tokio::time::sleep(Duration::from_millis(2)).await;
        bury_all(&house, |_| "chat not found".to_owned()).await;
        let Some(cursor) = answer["next_cursor"].as_str() else { break };
        body = json!({"channel": 3, "cursor": cursor});
    }
    assert_eq!((replayed, requests), (1_203, 3));
    assert_eq!(dead(&editor).await, 1_203);
    house.stop().await;
}

#[tokio::test]
async fn dead_letters_are_grouped_narrowed_and_replayed_by_their_cause() {
    let (mut house, base, editor) = open(&"sqlite".into()).await;
    // One of three was refused, with an id of its own.
    let reason = |subject: &str| match subject.strip_prefix("dead ").unwrap().parse::<u32>().unwrap() {
        number if number % 3 == 0 => format!("403 Forbidden: request 7f3a{number:08}"),
        _ => "404 Not Found".to_owned(),
    };
    bury_because(&house, TenantId::DEFAULT, 0..1_800, reason).await;
    let causes = editor.get("/api/v1/dead-letters/causes").await.expect(200);
    assert_eq!((&causes["counted"], &causes["more"]), (&json!(1_800), &json!(false)));
    let named = |cause: &Value| (cause["cause"].clone(), cause["count"].clone(), cause["channel"].clone());
    let items: Vec<_> = causes["items"].as_array().unwrap().iter().map(named).collect();
    let refused = "403 Forbidden: request …";
    assert_eq!(items, [(json!("404 Not Found"), json!(1_200), json!(3)), (json!(refused), json!(600), json!(3)),]);
    assert_eq!(causes["items"][1]["reason"], "403 Forbidden: request 7f3a00001797");
    assert!(causes["items"][1]["since"].as_str() <= causes["items"][1]["last_at"].as_str());
    assert_eq!(editor.get("/api/v1/dead-letters/causes?channel=4").await.expect(200)["items"], json!([]));
    let tenant = add_tenant(&house, "other").await;
    let other = Client::with_role(&house, &base, tenant, Role::Viewer).await;
    assert_eq!(other.get("/api/v1/dead-letters/causes").await.expect(200)["counted"], 0);

    let narrowed = "/api/v1/dead-letters?cause=403%20Forbidden:%20request%20%E2%80%A6&limit=200";
    let (mut path, mut pages) = (narrowed.to_owned(), Vec::new());
    loop {
        let page = editor.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["reason"].as_str().unwrap().starts_with("403")));
        pages.push(items.len());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{narrowed}&cursor={cursor}");
    }
    assert_eq!(pages, [200, 200, 200]);

    let (mut body, mut replayed) = (json!({"cause": refused}), Vec::new());
    loop {
        let answer = editor.post("/api/v1/dead-letters/replay-all", body).await.expect(202);
        replayed.push(answer["replayed"].as_u64().unwrap());
        let Some(cursor) = answer["next_cursor"].as_str() else { break };
        body = json!({"cause": refused, "cursor": cursor});
    }
    assert_eq!(replayed, [500, 100]);
    let causes = editor.get("/api/v1/dead-letters/causes").await.expect(200);
    assert_eq!((&causes["items"][0]["count"], &causes["items"][1]), (&json!(1_200), &Value::Null));
    let none = editor.post("/api/v1/dead-letters/replay-all", json!({"cause": refused})).await.expect(202);
    assert_eq!((&none["replayed"], &none["next_cursor"]), (&json!(0), &Value::Null));
    house.stop().await;
}

#[tokio::test]
async fn the_overview_counts_what_happened_and_names_what_is_in_trouble() {
    let (mut house, _, editor) = open(&"sqlite".into()).await;
    let now = SystemClock.now_ms();
    let story = Story { outcome: Some(AttemptOutcome::Failed), fingerprint: "b", ..Story::at(now - 1_000) };
    let resolved = Story { status: Status::Resolved, severity: Severity::Info, ..Story::at(now - 500) };
    tell(&house, &[Story::at(now - 2_000), story, resolved]).await;
    let overview = editor.get("/api/v1/overview").await.expect(200);
    assert_eq!(overview["alerts"], json!({"firing": 1, "acknowledged": 0, "resolved": 1, "silenced": 0}));
    let failing = &overview["failing"];
    assert_eq!(
        (&failing[0]["channel"], &failing[0]["waiting"], &failing[0]["dead"]),
        (&json!(3), &json!(1), &json!(0))
    );
    let health = editor.get("/api/v1/channels/health").await.expect(200)["items"].clone();
    assert_eq!((&health[0]["channel"], &health[0]["failing"]), (&json!(3), &json!(0)), "{health}");
    assert!(health[0]["delivered_at"].is_string() && health[0]["failing_since"].is_null(), "{health}");
    let sum = |points: &Value, name: &str| -> i64 {
        points.as_array().unwrap().iter().filter_map(|point| point[name].as_i64()).sum()
    };
    for points in [
        overview["series"].clone(),
        editor.get("/api/v1/metrics/series?hours=168&step_minutes=60").await.expect(200)["points"].clone(),
        editor.get("/api/v1/metrics/series").await.expect(200)["points"].clone(),
    ] {
        assert_eq!(sum(&points, "received"), 3);
        assert_eq!((sum(&points, "delivered"), sum(&points, "failed")), (2, 1));
        assert!(points.as_array().unwrap().iter().any(|point| point["latency_ms_max"] == 40), "{points}");
    }
    assert_eq!(editor.get("/api/v1/metrics/series?hours=0").await.error(400), "VALIDATION");
    assert_eq!(editor.get("/api/v1/metrics/series?hours=168&step_minutes=1").await.error(400), "VALIDATION");

    let logs = editor.get("/api/v1/logs?channel_id=3&page=2&per_page=2").await.expect(200);
    assert_eq!((&logs["total"], &logs["page"], &logs["per_page"]), (&json!(3), &json!(2), &json!(2)));
    assert_eq!((logs["items"].as_array().unwrap().len(), &logs["items"][0]["status"]), (1, &json!("sent")));
    let odd = editor.get("/api/v1/logs?page=x&per_page=-1").await.expect(200);
    assert_eq!((&odd["page"], &odd["per_page"]), (&json!(1), &json!(50)));
    house.stop().await;
}

#[tokio::test]
async fn every_process_is_seen_while_it_is_there() {
    let (mut house, _, editor) = open(&"sqlite".into()).await;
    assert_eq!(editor.get("/api/v1/services").await.expect(200)["items"], json!([]));
    let stop = CancellationToken::new();
    let beat = heartbeat::run(house.shared.queue.clone(), house.shared.clock.clone(), stop.clone());
    let watched = async {
        until("the process is seen", async || {
            let services = editor.get("/api/v1/services").await.expect(200);
            services["items"][0]["up"] == true && services["items"][0]["host"].is_null()
        })
        .await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(beat, watched);
    ended.unwrap();
    assert_eq!(editor.get("/api/v1/services").await.expect(200)["items"], json!([]));
    house.queue().announce("newer", Bytes::from_static(b"another shape"), Duration::from_mins(1)).await.unwrap();
    assert_eq!(editor.get("/api/v1/services").await.expect(200)["items"], json!([]));
    house.stop().await;
}

#[tokio::test]
async fn settings_are_for_those_who_run_the_installation() {
    let (mut house, base, editor) = open(&"sqlite".into()).await;
    let owner = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Owner).await;
    assert_eq!(owner.get("/api/v1/settings").await.error(403), "FORBIDDEN");
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    let all = users::list(&mut tx, TenantId::DEFAULT).await.unwrap();
    let user = all.into_iter().find(|user| user.role == Role::Owner).unwrap();
    users::put(&mut tx, &users::User { platform_admin: true, ..user }, 0).await.unwrap();
    tx.commit().await.unwrap();
    let shown = owner.get("/api/v1/settings").await.expect(200);
    assert_eq!(shown["settings"], json!({"history_retention_days": null}));
    let days = |days: Value| json!({"history_retention_days": days});
    let set = owner.put("/api/v1/settings", days(json!(30))).await.expect(200);
    assert_eq!(set["effective"], days(json!(30)));
    assert_eq!(owner.put("/api/v1/settings", days(json!(40_000))).await.error(400), "VALIDATION");
    assert_eq!(owner.put("/api/v1/settings", json!({"retention": 1})).await.error(400), "VALIDATION");
    assert_eq!(editor.put("/api/v1/settings", days(Value::Null)).await.error(403), "FORBIDDEN");
    let reset = owner.put("/api/v1/settings", days(Value::Null)).await.expect(200);
    assert_eq!((&reset["settings"], &reset["effective"]), (&days(Value::Null), &days(json!(0))));
    let queues = owner.get("/api/v1/queues").await.expect(200)["queues"].clone();
    assert_eq!(queues.as_array().unwrap().len(), QueueName::ALL.len());
    house.stop().await;
}
