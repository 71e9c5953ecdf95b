//! The key gateway's administration: bindings, interceptions, figures and settings, on both stores.

use std::str::FromStr as _;

use secrecy::SecretString;
use serde_json::{Value, json};
use watchbell_common::{
    binding::{
        Addresses, Binding, Mode, Reason, Stance,
        gateway::SINGLE_SOURCE_NOTE,
        token::{KeyHash, KeyHasher},
    },
    clock::{Clock as _, SystemClock},
    identity::Role,
    ids::{InterceptionId, TenantId},
    store::{
        bindings::{self, Bound, Change},
        interceptions::{self, Interception},
        usage::{self, Day},
    },
};

use crate::{
    client::Client,
    doors::{ADMIN, PASSWORD, browser, settled},
    house::{House, on_both},
};

/// A binding of `192.0.2.<number>`, with an interception and a day of use.
pub(crate) async fn bind(house: &House, tenant: TenantId, number: u8, masked: &str) -> KeyHash {
    let now = SystemClock.now_ms();
    let key = KeyHasher::new(&"tests".into()).hash(format!("{tenant} {number}").as_bytes());
    let net = format!("192.0.2.{number}/32").parse().unwrap();
    let bound = Bound {
        key,
        masked: masked.to_owned(),
        binding: Binding { mode: Mode::Single, addresses: Addresses::One(net), blocked: false },
        created_at: now + i64::from(number),
        last_used_at: now,
    };
    let line = Interception {
        id: InterceptionId::at(now + i64::from(number)),
        at: now + i64::from(number),
        key,
        masked: masked.to_owned(),
        bound: net.to_string(),
        attempted: "203.0.113.9".to_owned(),
        method: "POST".to_owned(),
        path: "=cmd,/v1".to_owned(),
        reason: Reason::Elsewhere,
        refused: true,
        uses: 2,
    };
    let day = Day { day: usage::day_of(now), key: Some(key), allowed: 3, intercepted: 2 };
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    bindings::insert(&mut tx, tenant, &[bound]).await.unwrap();
    interceptions::insert(&mut tx, tenant, &[line]).await.unwrap();
    usage::add(&mut tx, tenant, &[day]).await.unwrap();
    tx.commit().await.unwrap();
    key
}

async fn house(database: &SecretString) -> (House, String, Client) {
    let (house, base) = settled(database, &[("GATEWAY_UPSTREAM", "http://127.0.0.1:9")]).await;
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    (house, base, editor)
}

async fn changed_keys(house: &House) -> Vec<Change> {
    let store = house.store().await;
    let mut tx = store.begin_read().await.unwrap();
    let changes = bindings::changes(&mut tx, 0, 99).await.unwrap();
    changes.into_iter().map(|(_, _, change)| change).collect()
}

async fn bindings_are_found_changed_blocked_and_removed(database: SecretString) {
    let (mut house, _, editor) = house(&database).await;
    for number in 1..=3 {
        bind(&house, TenantId::DEFAULT, number, &format!("sk-{number}…end")).await;
    }
    let first = editor.get("/api/v1/gateway/bindings?limit=2").await.expect(200);
    assert_eq!(names(&first), ["sk-3…end", "sk-2…end"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = editor.get(&format!("/api/v1/gateway/bindings?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((names(&rest), &rest["next_cursor"]), (vec!["sk-1…end"], &Value::Null));
    for (query, found) in [
        ("q=SK-2", vec!["sk-2…end"]),
        ("q=192.0.2.3", vec!["sk-3…end"]),
        ("mode=all", vec![]),
        ("blocked=true", vec![]),
    ] {
        let page = editor.get(&format!("/api/v1/gateway/bindings?{query}")).await.expect(200);
        assert_eq!(names(&page), found, "{query}");
    }
    let path = format!("/api/v1/gateway/bindings/{}", rest["items"][0]["id"].as_str().unwrap());
    let key = KeyHash::from_str(rest["items"][0]["id"].as_str().unwrap()).unwrap();
    let wanted = json!({"mode": "multiple", "addresses": ["198.51.100.77/24", "2001:db8::1", " 203.0.113.7 "]});
    let changed = editor.put(&path, wanted).await.expect(200);
    assert_eq!(changed["addresses"], json!(["198.51.100.0/24", "2001:db8::1/128", "203.0.113.7/32"]));
    assert_eq!(editor.post(&format!("{path}/block"), Value::Null).await.expect(200)["blocked"], true);
    let blocked = editor.get("/api/v1/gateway/bindings?blocked=true&mode=multiple").await.expect(200);
    assert_eq!(names(&blocked), ["sk-1…end"]);
    assert_eq!(editor.post(&format!("{path}/unblock"), Value::Null).await.expect(200)["blocked"], false);
    assert_eq!(editor.get(&path).await.expect(200)["mode"], "multiple");
    editor.delete(&path).await.expect(204);
    assert_eq!(editor.delete(&path).await.error(404), "NOT_FOUND");
    assert_eq!(changed_keys(&house).await, [Change::Binding(key); 4], "every gateway hears of each change");
    let owner = Client::with_role(&house, editor.base(), TenantId::DEFAULT, Role::Owner).await;
    let audit = owner.get("/api/v1/audit").await.expect(200);
    let actions: Vec<_> = audit["items"].as_array().unwrap().iter().filter(|line| line["kind"] == "binding").collect();
    let actions: Vec<_> = actions.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["delete", "unblock", "block", "update"]);
    house.stop().await;
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["masked"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_no_binding_is_named() {
    let (mut house, _, editor) = house(&"sqlite".into()).await;
    let key = bind(&house, TenantId::DEFAULT, 1, "sk").await;
    for (body, told) in [
        (json!({"mode": "single", "addresses": []}), "addresses: `single` takes exactly one"),
        (json!({"mode": "multiple"}), "addresses: `multiple` takes 1 to 64"),
        (json!({"mode": "single", "addresses": ["everywhere"]}), "addresses: `everywhere` is no address"),
        (json!({"mode": "some"}), "unknown variant `some`"),
    ] {
        let answer = editor.put(&format!("/api/v1/gateway/bindings/{key}"), body).await.expect(400);
        assert!(answer["error"]["message"].as_str().unwrap().contains(told), "{answer}");
    }
    assert_eq!(editor.get("/api/v1/gateway/bindings/unknown").await.error(400), "VALIDATION");
    for query in
        ["interceptions?since=yesterday", "interceptions?key=x", "bindings?cursor=MS54", "interceptions.csv?key=x"]
    {
        assert_eq!(editor.get(&format!("/api/v1/gateway/{query}")).await.error(400), "VALIDATION", "{query}");
    }
    house.stop().await;
}

async fn interceptions_are_filtered_paged_and_exported(database: SecretString) {
    let (mut house, _, editor) = house(&database).await;
    let mut keys = Vec::new();
    for number in 1..=3 {
        keys.push(bind(&house, TenantId::DEFAULT, number, &format!("=sk-{number}")).await);
    }
    let page = editor.get("/api/v1/gateway/interceptions?limit=2").await.expect(200);
    assert_eq!(names(&page), ["=sk-3", "=sk-2"]);
    assert_eq!((&page["items"][0]["reason"], &page["items"][0]["uses"]), (&json!("elsewhere"), &json!(2)));
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = editor.get(&format!("/api/v1/gateway/interceptions?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(names(&rest), ["=sk-1"]);
    let of_key = format!("key={}", keys[1]);
    for (query, found) in
        [(of_key.as_str(), vec!["=sk-2"]), ("q=SK-1", vec!["=sk-1"]), ("until=2001-01-01T00:00:00Z", vec![])]
    {
        let page = editor.get(&format!("/api/v1/gateway/interceptions?{query}")).await.expect(200);
        assert_eq!(names(&page), found, "{query}");
    }
    let export = editor.get("/api/v1/gateway/interceptions.csv?q=sk-3").await;
    assert_eq!(export.headers["content-type"], "text/csv; charset=utf-8");
    assert!(export.headers["content-disposition"].to_str().unwrap().contains("interceptions.csv"));
    let text = export.expect(200);
    let lines: Vec<_> = text.as_str().unwrap().split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], "at,key,masked,bound,attempted,method,path,reason,refused,uses");
    let cells = format!("{},'=sk-3,192.0.2.3/32,203.0.113.9,POST,\"'=cmd,/v1\",elsewhere,true,2", keys[2]);
    assert!(lines[1].ends_with(&cells), "{text}");
    house.stop().await;
}

/// More lines than are read at a time.
async fn an_export_has_every_line_once(database: SecretString) {
    let (mut house, _, editor) = house(&database).await;
    let key = bind(&house, TenantId::DEFAULT, 1, "sk").await;
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    let mut line =
        interceptions::list(&mut tx, TenantId::DEFAULT, &interceptions::Filter::default(), 1).await.unwrap().remove(0);
    let mut lines = Vec::new();
    for number in 0..1_200 {
        // Several of one moment, so that the cursor's second part counts.
        line.at = number / 7;
        line.id = InterceptionId::at(line.at);
        line.path = format!("/{number}");
        lines.push(line.clone());
    }
    interceptions::insert(&mut tx, TenantId::DEFAULT, &lines).await.unwrap();
    tx.commit().await.unwrap();
    let text = editor.get(&format!("/api/v1/gateway/interceptions.csv?key={key}")).await.expect(200);
    let mut paths: Vec<_> = text.as_str().unwrap().lines().map(|line| line.split(',').nth(6).unwrap()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!((text.as_str().unwrap().lines().count(), paths.len()), (1_202, 1_202));
    house.stop().await;
}

async fn figures_are_of_days_and_of_keys(database: SecretString) {
    let (mut house, _, editor) = house(&database).await;
    let key = bind(&house, TenantId::DEFAULT, 1, "sk-1…end").await;
    let today = usage::day_of(SystemClock.now_ms());
    let days = [
        Day { day: today, key: None, allowed: 10, intercepted: 4 },
        Day { day: today - 2, key: None, allowed: 5, intercepted: 0 },
    ];
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    usage::add(&mut tx, TenantId::DEFAULT, &days).await.unwrap();
    tx.commit().await.unwrap();
    let all = editor.get("/api/v1/gateway/usage?days=3").await.expect(200);
    let counts: Vec<_> = all["days"].as_array().unwrap().iter().map(|day| day["allowed"].as_i64().unwrap()).collect();
    assert_eq!(counts, [5, 0, 10]);
    assert_eq!(all["days"][2]["at"], usage::start_of(today));
    let busy = json!([{"key": key.to_string(), "masked": "sk-1…end", "allowed": 3, "intercepted": 2}]);
    assert_eq!(all["busiest"], busy);
    let of_key = editor.get(&format!("/api/v1/gateway/usage?days=1&key={key}")).await.expect(200);
    assert_eq!(of_key["days"], json!([{"at": usage::start_of(today), "allowed": 3, "intercepted": 2}]));
    house.stop().await;
}

async fn settings_change_for_all_gateways_and_wrong_ones_are_named(database: SecretString) {
    let (mut house, base, editor) = house(&database).await;
    let admin = browser(&base, ADMIN, PASSWORD).await;
    let view = admin.get("/api/v1/gateway/settings").await.expect(200);
    assert_eq!((&view["settings"]["mode"], &view["effective"]["mode"]), (&Value::Null, &json!("enforce")));
    assert_eq!((&view["effective"]["archive_days"], &view["effective"]["learn_until"]), (&json!(90), &Value::Null));
    for (body, told) in [
        (json!({"mode": "learn"}), "learn_until: is missing"),
        (json!({"learn_until": "tomorrow"}), "learn_until: `tomorrow` is not a time"),
        (json!({"alert_threshold_count": 0}), "alert_threshold_count: must be 1 to"),
        (json!({"archive_days": 40_000}), "archive_days: must be 0 to"),
        (json!({"moed": "learn"}), "unknown field `moed`"),
    ] {
        let answer = admin.put("/api/v1/gateway/settings", body).await.expect(400);
        assert!(answer["error"]["message"].as_str().unwrap().contains(told), "{answer}");
    }
    let wanted = json!({"mode": "learn", "learn_until": "2100-01-31T18:00:00Z", "alert_threshold_count": 9});
    let set = admin.put("/api/v1/gateway/settings", wanted).await.expect(200);
    assert_eq!((&set["settings"]["archive_days"], &set["effective"]["archive_days"]), (&Value::Null, &json!(90)));
    let store = house.store().await;
    let runtime = bindings::runtime(&mut store.begin_read().await.unwrap(), TenantId::DEFAULT).await.unwrap();
    assert_eq!((runtime.mode, runtime.alert_threshold_count), (Some(Stance::Learn), Some(9)));
    assert_eq!(changed_keys(&house).await, [Change::Settings]);
    let seen = editor.get("/api/v1/gateway").await.expect(200);
    assert_eq!((&seen["running"], &seen["guards_for_us"]), (&json!(true), &json!(true)));
    assert_eq!((&seen["effective"]["mode"], &seen["single_source"]), (&json!("learn"), &Value::Null));
    let minute = std::time::Duration::from_mins(1);
    house.queue().remember(SINGLE_SOURCE_NOTE, "172.17.0.1".into(), minute).await.unwrap();
    assert_eq!(editor.get("/api/v1/gateway").await.expect(200)["single_source"], "172.17.0.1");
    house.stop().await;
}

on_both!(
    bindings_are_found_changed_blocked_and_removed,
    interceptions_are_filtered_paged_and_exported,
    an_export_has_every_line_once,
    figures_are_of_days_and_of_keys,
    settings_change_for_all_gateways_and_wrong_ones_are_named,
);
