//! The configuration through the API: what is made is published, what is wrong is named, what is others' is not there.

use serde_json::{Value, json};
use watchbell_common::{identity::Role, ids::TenantId};

use crate::{
    client::{Client, add_tenant},
    house::{House, until},
};

/// A house with its API, and an editor of the default tenant.
async fn house(settings: &[(&str, &str)]) -> (House, String, Client) {
    let mut house = House::embedded(settings).await;
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    if settings.is_empty() {
        // What a first start begins with belongs to nobody's file, so it can go.
        editor.put("/api/v1/default-channels", json!({"channels": []})).await.expect(200);
        editor.delete("/api/v1/channels/1").await.expect(204);
    }
    (house, base, editor)
}

fn id(view: &Value) -> i64 {
    view["id"].as_i64().unwrap()
}

/// The message of an error that must have that status.
#[track_caller]
fn message(answer: crate::client::Answer, status: u16) -> String {
    answer.expect(status)["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_bot_a_template_a_channel_and_a_rule_are_made_changed_and_removed() {
    let (mut house, _, editor) = house(&[]).await;
    let bot = json!({"name": " ops ", "bot_token": "123456:ABCDEF-secret-token"});
    let bot = editor.post("/api/v1/bots", bot).await.expect(201);
    assert_eq!((&bot["name"], &bot["platform"], &bot["enabled"]), (&json!("ops"), &json!("telegram"), &json!(true)));
    assert_eq!((&bot["bot_token_set"], &bot["bot_token_last4"]), (&json!(true), &json!("oken")));
    assert!(bot["created_at"].as_str().unwrap().ends_with('Z') && bot["provisioned"] == json!(false));
    let template = json!({"name": "short", "body": "{{ .summary }}"});
    let template = editor.post("/api/v1/templates", template).await.expect(201);
    assert_eq!(template["parse_mode"], "MarkdownV2");

    let channel = json!({"name": "ops", "bot_id": id(&bot), "chat_id": "-100", "template_ids": [id(&template)]});
    let channel = editor.post("/api/v1/channels", channel).await.expect(201);
    assert_eq!((&channel["target"], &channel["chat_id"]), (&json!("-100"), &json!("-100")));
    assert_eq!(channel["templates"][0]["is_default"], true);
    let token = channel["push_token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 32);
    assert!(channel["curl"].as_str().unwrap().contains(&token));
    assert_eq!(house.published_channels().await, ["ops"], "published before the answer");

    let rule = json!({"name": "all", "match": {"from": "*"}, "channels": [id(&channel)], "ai_max_wait": "1500ms"});
    let rule = editor.post("/api/v1/rules", rule).await.expect(201);
    assert_eq!((&rule["ai_max_wait"], &rule["enabled"]), (&json!("1500ms"), &json!(true)));

    let path = |kind: &str, item: &Value| format!("/api/v1/{kind}/{}", id(item));
    let in_use = message(editor.delete(&path("bots", &bot)).await, 409);
    assert!(in_use.contains("the channel `ops`"), "{in_use}");
    assert!(message(editor.delete(&path("templates", &template)).await, 409).contains("the channel `ops`"));
    assert!(message(editor.delete(&path("channels", &channel)).await, 409).contains("the rule `all`"));

    let changed = editor.put(&path("bots", &bot), json!({"description": "of ops", "bot_token": ""})).await.expect(200);
    assert_eq!((&changed["description"], &changed["bot_token_last4"]), (&json!("of ops"), &json!("oken")));
    let off = editor.post(&format!("{}/disable", path("bots", &bot)), Value::Null).await.expect(200);
    assert_eq!(off["enabled"], false);
    let rotated = editor.post(&format!("{}/rotate-token", path("channels", &channel)), json!({})).await.expect(200);
    assert_ne!(rotated["push_token"], token);
    let renamed =
        editor.put(&path("channels", &channel), json!({"name": "on call", "rate_per_min": 5})).await.expect(200);
    assert_eq!((&renamed["rate_per_min"], &renamed["templates"]), (&json!(5), &channel["templates"]));

    for (kind, item) in [("rules", &rule), ("channels", &channel), ("templates", &template), ("bots", &bot)] {
        assert_eq!(editor.delete(&path(kind, item)).await.expect(204), Value::Null);
        assert_eq!(editor.get(&path(kind, item)).await.error(404), "NOT_FOUND");
    }
    assert!(house.published_channels().await.is_empty());
    house.stop().await;
}

#[tokio::test]
async fn what_is_wrong_names_its_field() {
    let (mut house, _, editor) = house(&[]).await;
    editor.post("/api/v1/channels", json!({"name": "c", "platform": "console"})).await.expect(201);
    for (path, body, said) in [
        ("bots", json!({"bot_token": "x"}), "name: is missing"),
        ("bots", json!({"name": "x".repeat(65), "bot_token": "1:a"}), "name: must have 1 to 64 characters"),
        ("bots", json!({"name": "b", "platform": "fax"}), "platform: there is no such platform; known are console"),
        ("bots", json!({"name": "b"}), "bot_token: is missing"),
        ("bots", json!({"name": "b", "bot_token": "nonsense"}), "bot_token: "),
        (
            "bots",
            json!({"name": "b", "bot_token": "1:a", "colour": "red"}),
            "colour: a bot of telegram has no such field",
        ),
        ("templates", json!({"name": "t"}), "body: is missing"),
        ("templates", json!({"name": "t", "body": "{{ if }}"}), "body: line 1"),
        (
            "templates",
            json!({"name": "t", "body": "x", "parse_mode": "html"}),
            "parse_mode: `html` is not a parse mode",
        ),
        ("templates", json!({"name": "t", "body": "x", "color": 1}), "unknown field `color`"),
        ("channels", json!({"name": "d"}), "bot_id: is missing"),
        ("channels", json!({"name": "d", "bot_id": 99}), "bot_id not found"),
        ("channels", json!({"name": "d", "platform": "telegram"}), "bot_id: is missing: Telegram needs a bot"),
        ("channels", json!({"name": "d", "platform": "webhook"}), "target: is missing"),
        ("channels", json!({"name": "d", "platform": "webhook", "target": "nowhere"}), "target: "),
        ("channels", json!({"name": "d", "platform": "console", "template_ids": [9]}), "template_id not found"),
        ("channels", json!({"name": "d", "platform": "console", "options": {"x": 1}}), "options.x: "),
        ("channels", json!({"name": "d", "platform": "console", "options": {"language": "tlh"}}), "options.language: "),
        ("channels", json!({"name": "d", "platform": "console", "push_token": "short"}), "push_token: must be 8"),
        ("rules", json!({"name": "r"}), "channels: names no channels"),
        ("rules", json!({"name": "r", "channels": [9]}), "channels[0]: there is no channel 9"),
        ("rules", json!({"name": "r", "channels": [2, 2]}), "channels[1]: is named twice"),
        (
            "rules",
            json!({"name": "r", "channels": [2], "match": {"from": "[a"}}),
            "match.from: `[a` is not a valid glob",
        ),
        ("rules", json!({"name": "r", "channels": [2], "ai_max_wait": "soon"}), "ai_max_wait: `soon`"),
        ("mutes", json!({"comment": "all"}), "needs `from` or `source`"),
        ("silences", json!({"match": {}}), "missing field `expires_at`"),
        ("silences", json!({"match": {}, "expires_at": "2001-01-01T00:00:00Z"}), "expires_at: is in the past"),
        ("silences", json!({"match": {}, "expires_at": "2999-01-01T00:00:00Z"}), "expires_at: is more than 365 days"),
        ("silences", json!({"match": {}, "expires_at": "soon"}), "expires_at: `soon` is not a time"),
        ("ai-providers", json!({"base_url": "nowhere", "model": "m"}), "base_url: must be a URL"),
        ("ai-providers", json!({"base_url": "http://a", "model": "m", "context_tokens": 1}), "context_tokens: "),
    ] {
        let answer = editor.post(&format!("/api/v1/{path}"), body.clone()).await;
        let told = message(answer, 400);
        assert!(told.contains(said), "{path} {body}: {told}");
    }
    let taken = editor.post("/api/v1/channels", json!({"name": "c", "platform": "console"})).await;
    assert_eq!(taken.error(409), "CONFLICT");
    assert_eq!(house.published_channels().await, ["c"], "and nothing of it was kept");
    house.stop().await;
}

#[tokio::test]
async fn a_tenant_neither_sees_nor_names_what_is_anothers() {
    let (mut house, base, editor) = house(&[]).await;
    let bot = editor.post("/api/v1/bots", json!({"name": "b", "bot_token": "1:a"})).await.expect(201);
    let channel = editor.post("/api/v1/channels", json!({"name": "c", "platform": "console"})).await.expect(201);
    let stranger = Client::with_role(&house, &base, add_tenant(&house, "other").await, Role::Owner).await;
    for (path, body) in [
        (format!("/api/v1/bots/{}", id(&bot)), json!({"description": "mine"})),
        (format!("/api/v1/channels/{}", id(&channel)), json!({"name": "mine"})),
    ] {
        assert_eq!(stranger.get(&path).await.error(404), "NOT_FOUND");
        assert_eq!(stranger.put(&path, body).await.error(404), "NOT_FOUND");
        assert_eq!(stranger.delete(&path).await.error(404), "NOT_FOUND");
    }
    let named = json!({"name": "mine", "bot_id": id(&bot), "target": "1"});
    assert_eq!(message(stranger.post("/api/v1/channels", named).await, 400), "bot_id not found");
    let named = json!({"name": "mine", "channels": [id(&channel)]});
    assert!(message(stranger.post("/api/v1/rules", named).await, 400).starts_with("channels[0]: there is no channel"));
    assert_eq!(stranger.get("/api/v1/channels").await.expect(200)["items"], json!([]));
    house.stop().await;
}

#[tokio::test]
async fn viewers_see_everything_but_push_tokens_and_change_nothing() {
    let (mut house, base, editor) = house(&[]).await;
    editor.post("/api/v1/channels", json!({"name": "c", "platform": "console"})).await.expect(201);
    let viewer = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Viewer).await;
    let channel = viewer.get("/api/v1/channels").await.expect(200)["items"][0].clone();
    assert_eq!((&channel["name"], &channel["push_token"], &channel["curl"]), (&json!("c"), &Value::Null, &Value::Null));
    assert_eq!(viewer.delete("/api/v1/channels/2").await.error(403), "FORBIDDEN");
    assert_eq!(viewer.post("/api/v1/mutes", json!({"from": "x"})).await.error(403), "FORBIDDEN");
    let owner = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Owner).await;
    let audit = owner.get("/api/v1/audit").await.expect(200).to_string();
    let token = editor.get("/api/v1/channels/2").await.expect(200)["push_token"].as_str().unwrap().to_owned();
    assert!(audit.contains("\"create\"") && !audit.contains(&token), "{audit}");
    house.stop().await;
}

#[tokio::test]
async fn what_the_file_keeps_is_shown_and_refuses_change() {
    let settings = [("PROVISION_FILE", "{dir}/w.yaml")];
    let mut house = House::embedded(&settings).await;
    let file = "channels: [{ name: sink, platform: console }]\ndefault_channels: [sink]\nmutes: [{ from: x@y }]\n\
                rules: [{ name: first, channels: [sink] }]\nai: { base_url: 'http://a/v1', model: m }\n";
    std::fs::write(house.file(), file).unwrap();
    let base = format!("http://{}", house.start_api().await);
    let editor = Client::with_role(&house, &base, TenantId::DEFAULT, Role::Editor).await;
    for kind in ["channels", "mutes", "rules", "ai-providers"] {
        let item = editor.get(&format!("/api/v1/{kind}")).await.expect(200)["items"][0].clone();
        assert_eq!(item["provisioned"], true, "{kind}");
        let kept = message(editor.delete(&format!("/api/v1/{kind}/{}", id(&item))).await, 409);
        assert!(kept.contains("kept by the provisioning file"), "{kept}");
    }
    assert_eq!(editor.put("/api/v1/default-channels", json!({"channels": []})).await.error(409), "CONFLICT");
    let by_hand = json!({"base_url": "http://b/v1", "model": "n", "api_key": "k3y-s3cret"});
    let by_hand = editor.post("/api/v1/ai-providers", by_hand).await.expect(201);
    assert_eq!((&by_hand["api_key_set"], &by_hand["provisioned"]), (&json!(true), &json!(false)));

    std::fs::write(house.file(), file.replace("model: m", "model: other")).unwrap();
    until("the file is applied", async || {
        let items = editor.get("/api/v1/ai-providers").await.expect(200)["items"].clone();
        items[0]["model"] == "other" && items[1] == by_hand
    })
    .await;
    house.stop().await;
}

#[tokio::test]
async fn rules_and_models_stand_in_the_order_they_are_given() {
    let (mut house, _, editor) = house(&[]).await;
    editor.post("/api/v1/channels", json!({"name": "c", "platform": "console"})).await.expect(201);
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(id(&editor.post("/api/v1/rules", json!({"name": name, "channels": [2]})).await.expect(201)));
    }
    let order = [ids[2], ids[0], ids[1]];
    let rules = editor.put("/api/v1/rules/order", json!({"ids": order})).await.expect(200);
    assert_eq!(rules["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>(), order);
    for wrong in [&order[..2], &[ids[0], ids[0], ids[1]], &[ids[0], ids[1], 99]] {
        let told = message(editor.put("/api/v1/rules/order", json!({"ids": wrong})).await, 400);
        assert!(told.starts_with("ids: must name each rule"), "{told}");
    }
    let path = format!("/api/v1/rules/{}", ids[0]);
    editor.put(&path, json!({"name": "a2", "channels": [2], "enabled": false})).await.expect(200);
    let rules = editor.get("/api/v1/rules").await.expect(200);
    assert_eq!(
        rules["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>(),
        order,
        "a change keeps its place"
    );
    let enabled = editor.post(&format!("{path}/enable"), json!({})).await.expect(200);
    assert_eq!((&enabled["name"], &enabled["enabled"]), (&json!("a2"), &json!(true)));
    for model in ["m", "n"] {
        editor.post("/api/v1/ai-providers", json!({"base_url": "http://a/v1", "model": model})).await.expect(201);
    }
    let models = editor.put("/api/v1/ai-providers/order", json!({"ids": [2, 1]})).await.expect(200);
    assert_eq!(models["items"][0]["model"], "n");
    assert_eq!(editor.put("/api/v1/ai-providers/order", json!({"ids": [2]})).await.error(400), "VALIDATION");
    house.stop().await;
}

#[tokio::test]
async fn both_shapes_of_a_channels_templates_say_the_same() {
    let (mut house, _, editor) = house(&[]).await;
    for name in ["one", "two"] {
        editor.post("/api/v1/templates", json!({"name": name, "body": "x"})).await.expect(201);
    }
    let lists = json!({"name": "a", "platform": "console", "template_ids": [1, 2, 1], "default_template_id": 2,
        "conditions": ["severity eq info"]});
    let objects = json!({"name": "b", "platform": "console", "templates": [
        {"template_id": 1, "is_default": false, "condition": "severity eq info"},
        {"template_id": 2, "is_default": true, "sort_order": 1, "condition": ""}]});
    let a = editor.post("/api/v1/channels", lists).await.expect(201);
    let b = editor.post("/api/v1/channels", objects).await.expect(201);
    assert_eq!(a["templates"], b["templates"]);
    assert_eq!(a["templates"][0]["condition"], "severity eq info");
    assert_eq!((&a["templates"][1]["template_id"], &a["templates"][1]["is_default"]), (&json!(2), &json!(true)));
    let path = format!("/api/v1/channels/{}", id(&a));
    let told = message(editor.put(&path, json!({"template_ids": [1], "conditions": ["nonsense"]})).await, 400);
    assert!(told.starts_with("conditions[0]: "), "{told}");
    assert_eq!(editor.put(&path, json!({"template_ids": []})).await.expect(200)["templates"], json!([]));
    let back = editor.get(&path).await.expect(200);
    let mut again = json!({});
    for field in ["name", "platform", "bot_id", "target", "options", "templates", "rate_per_min", "enabled"] {
        again[field] = back[field].clone();
    }
    assert_eq!(
        editor.put(&path, again).await.expect(200)["options"],
        back["options"],
        "what is shown can be sent back"
    );
    house.stop().await;
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let (mut house, _, editor) = house(&[]).await;
    let relay = json!({"name": "relay", "platform": "smtp", "smtp_host": "mail.example.org", "smtp_port": 587,
        "smtp_username": "w", "smtp_password": "s3cret-password", "smtp_from": "w@example.org", "smtp_use_tls": true});
    let relay = editor.post("/api/v1/bots", relay).await.expect(201);
    assert_eq!(
        (&relay["platform"], &relay["host"], &relay["tls"]),
        (&json!("email"), &json!("mail.example.org"), &json!("starttls"))
    );
    assert_eq!(relay["password_set"], true);
    let hook = json!({"name": "hook", "platform": "webhook", "target": "https://example.org/x",
        "options": {"authorization": "Bearer s3cret"}});
    let hook = editor.post("/api/v1/channels", hook).await.expect(201);
    assert_eq!(hook["options"], json!({"authorization_set": true, "signing_secret_set": false}));
    let path = format!("/api/v1/channels/{}", id(&hook));
    let kept = editor.put(&path, json!({"options": {"content_type": "text/plain", "authorization": ""}})).await;
    assert!(message(kept, 400).starts_with("options.content_type: "), "it belongs to a body");
    let kept = editor.put(&path, json!({"options": {"timezone": "Asia/Tehran"}})).await.expect(200);
    assert_eq!(
        (&kept["options"]["authorization_set"], &kept["options"]["timezone"]),
        (&json!(true), &json!("Asia/Tehran"))
    );
    let cleared = editor.put(&path, json!({"options": {"authorization": null}})).await.expect(200);
    assert_eq!(cleared["options"], json!({"authorization_set": false, "signing_secret_set": false}));
    let bot = format!("/api/v1/bots/{}", id(&relay));
    let without = json!({"username": "", "password": null});
    assert_eq!(editor.put(&bot, without).await.expect(200)["password_set"], false);
    let needed = editor.post("/api/v1/bots", json!({"name": "b", "bot_token": "1:a"})).await.expect(201);
    let path = format!("/api/v1/bots/{}", id(&needed));
    let kept = editor.put(&path, json!({"bot_token": null})).await;
    assert!(message(kept, 400).starts_with("bot_token: is missing"), "what is needed cannot go");
    for path in ["/api/v1/bots", "/api/v1/channels"] {
        assert!(!editor.get(path).await.expect(200).to_string().contains("s3cret"));
    }
    house.stop().await;
}
