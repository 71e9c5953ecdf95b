//! Users, passwords, sessions, tokens, invites and tenants through the API.

use serde_json::{Value, json};
use watchbell_common::identity::Role;

use crate::{
    client::{Client, add_tenant},
    doors::{ADMIN, PASSWORD, browser, join, log_in, settled},
    house::House,
};

async fn house() -> (House, String, Client) {
    let (house, base) = settled(&"sqlite".into(), &[]).await;
    let admin = browser(&base, ADMIN, PASSWORD).await;
    (house, base, admin)
}

async fn id_of(owner: &Client, email: &str) -> i64 {
    let users = owner.get("/api/v1/users").await.expect(200);
    let found = users["items"].as_array().unwrap().iter().find(|user| user["email"] == email);
    found.unwrap_or_else(|| panic!("{email} in {users}"))["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_comes_back_signed_out() {
    let (mut house, base, admin) = house().await;
    let editor = join(&base, &admin, "ed@example.org", json!({ "role": "editor" })).await;
    let made = editor.post("/api/v1/tokens", json!({ "name": "script", "role": "viewer" })).await.expect(201);
    let script = Client::bearer(&base, made["token"].as_str().unwrap());
    script.get("/api/v1/me").await.expect(200);
    let path = format!("/api/v1/users/{}", id_of(&admin, "ed@example.org").await);

    admin.put(&path, json!({ "disabled": true })).await.expect(200);
    assert_eq!(editor.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    assert_eq!(script.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    assert_eq!(log_in(&base, "ed@example.org", PASSWORD).await.error(401), "UNAUTHORIZED");

    admin.put(&path, json!({ "disabled": false })).await.expect(200);
    assert_eq!(editor.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    script.get("/api/v1/me").await.expect(200);

    admin.delete(&path).await.expect(204);
    assert_eq!(script.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    assert_eq!(admin.get(&path).await.error(404), "NOT_FOUND");
    house.stop().await;
}

#[tokio::test]
async fn somebody_always_decides() {
    let (mut house, base, admin) = house().await;
    let own = format!("/api/v1/users/{}", id_of(&admin, ADMIN).await);
    for change in [json!({ "role": "editor" }), json!({ "disabled": true }), json!({ "platform_admin": false })] {
        assert_eq!(admin.put(&own, change).await.error(409), "CONFLICT");
    }
    assert_eq!(admin.delete(&own).await.error(409), "CONFLICT");

    let owner = join(&base, &admin, "owner@example.org", json!({ "role": "owner" })).await;
    // An owner of the tenant does not decide about who runs the installation.
    for answer in [
        owner.put(&own, json!({ "role": "viewer" })).await,
        owner.delete(&own).await,
        owner.post(&format!("{own}/reset-password"), Value::Null).await,
        owner.delete(&format!("{own}/sessions")).await,
        owner
            .put(
                &format!("/api/v1/users/{}", id_of(&owner, "owner@example.org").await),
                json!({ "platform_admin": true }),
            )
            .await,
        owner.get("/api/v1/tenants").await,
        owner.post("/api/v1/invites", json!({ "new_tenant": true })).await,
        owner.with("x-watchbell-tenant", "2").get("/api/v1/users").await,
    ] {
        assert_eq!(answer.error(403), "FORBIDDEN");
    }
    assert_eq!(admin.put(&own, json!({ "role": "editor" })).await.expect(200)["role"], "editor");
    house.stop().await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let (mut house, base, admin) = house().await;
    let other = browser(&base, ADMIN, PASSWORD).await;
    let sessions = admin.get("/api/v1/me/sessions").await.expect(200);
    let current = |session: &Value| session["current"].as_bool().unwrap();
    assert_eq!(sessions["items"].as_array().unwrap().iter().map(current).collect::<Vec<_>>(), [false, true]);

    let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let path = "/api/v1/me/password";
    assert_eq!(admin.post(path, change("a wrong password", "another password")).await.error(403), "FORBIDDEN");
    assert_eq!(admin.post(path, change(PASSWORD, "short")).await.error(400), "VALIDATION");
    admin.post(path, change(PASSWORD, "another password")).await.expect(204);
    assert_eq!(other.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    admin.get("/api/v1/me").await.expect(200);
    assert_eq!(log_in(&base, ADMIN, PASSWORD).await.error(401), "UNAUTHORIZED");

    let third = browser(&base, ADMIN, "another password").await;
    let mine = third.get("/api/v1/me/sessions").await.expect(200)["items"][1]["id"].as_i64().unwrap();
    third.delete(&format!("/api/v1/me/sessions/{mine}")).await.expect(204);
    assert_eq!(admin.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    assert_eq!(third.delete(&format!("/api/v1/me/sessions/{mine}")).await.error(404), "NOT_FOUND");
    house.stop().await;
}

#[tokio::test]
async fn a_link_gives_a_new_password_once() {
    let (mut house, base, admin) = house().await;
    let viewer = join(&base, &admin, "v@example.org", json!({ "role": "viewer" })).await;
    let path = format!("/api/v1/users/{}/reset-password", id_of(&admin, "v@example.org").await);
    let earlier = admin.post(&path, Value::Null).await.expect(201);
    let link = admin.post(&path, Value::Null).await.expect(201);
    viewer.get("/api/v1/me").await.expect(200);
    let somebody = Client::anonymous(&base);
    let reset = |link: &Value| json!({ "token": link["token"], "password": "another password" });
    let door = "/api/v1/auth/reset-password";
    assert_eq!(somebody.post(door, reset(&earlier)).await.error(400), "VALIDATION");
    somebody.post(door, reset(&link)).await.expect(204);
    assert_eq!(somebody.post(door, reset(&link)).await.error(400), "VALIDATION");
    assert_eq!(viewer.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    browser(&base, "v@example.org", "another password").await;
    house.stop().await;
}

#[tokio::test]
async fn a_token_can_do_no_more_than_whoever_made_it() {
    let (mut house, base, admin) = house().await;
    let editor = join(&base, &admin, "ed@example.org", json!({ "role": "editor" })).await;
    assert_eq!(editor.post("/api/v1/tokens", json!({ "name": "x", "role": "owner" })).await.error(403), "FORBIDDEN");
    let ask = json!({ "name": "script", "role": "editor", "expires_in_s": 3600 });
    let made = editor.post("/api/v1/tokens", ask).await.expect(201);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("wbt_") && token.len() == 36 && token.ends_with(made["last4"].as_str().unwrap()));
    let script = Client::bearer(&base, token);
    assert_eq!(script.get("/api/v1/me").await.expect(200)["role"], "editor");
    let child = script.post("/api/v1/tokens", json!({ "name": "child", "role": "viewer" })).await.expect(201);
    assert_eq!(child["expires_at"], made["expires_at"], "no token outlives the one that made it");

    let user = format!("/api/v1/users/{}", id_of(&admin, "ed@example.org").await);
    admin.put(&user, json!({ "role": "viewer" })).await.expect(200);
    assert_eq!(script.get("/api/v1/me").await.expect(200)["role"], "viewer");

    let own = admin.post("/api/v1/tokens", json!({ "name": "mine", "role": "viewer" })).await.expect(201);
    let tokens = script.get("/api/v1/tokens").await.expect(200);
    assert_eq!(tokens["items"].as_array().unwrap().len(), 2, "a viewer sees only its own: {tokens}");
    assert!(!tokens.to_string().contains(token));
    assert_eq!(script.delete(&format!("/api/v1/tokens/{}", own["id"])).await.error(404), "NOT_FOUND");
    assert_eq!(admin.get("/api/v1/tokens").await.expect(200)["items"].as_array().unwrap().len(), 3);
    let path = format!("/api/v1/tokens/{}", made["id"]);
    // The last use is written with the batch, at the latest when the process stops.
    house.stop().await;
    let base = format!("http://{}", house.start_another_api().await);
    Client::ready(&base).await;
    let admin = browser(&base, ADMIN, PASSWORD).await;
    let tokens = admin.get("/api/v1/tokens").await.expect(200);
    let shown = tokens["items"].as_array().unwrap().iter().find(|token| token["id"] == made["id"]).unwrap();
    assert!(shown["last_used_at"].is_string(), "{tokens}");
    admin.delete(&path).await.expect(204);
    assert_eq!(Client::bearer(&base, token).get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    house.stop().await;
}

#[tokio::test]
async fn invites_are_capped_per_day_and_can_be_revoked() {
    let (mut house, base, admin) = house().await;
    for _ in 0..4 {
        admin.post("/api/v1/invites", json!({ "count": 100, "ttl_seconds": 60 })).await.expect(201);
    }
    admin.post("/api/v1/invites", json!({ "count": 99 })).await.expect(201);
    let refused = admin.post("/api/v1/invites", json!({ "count": 2 })).await;
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.error(429), "RATE_LIMITED");
    let last = admin.post("/api/v1/invites", json!({})).await.expect(201);
    let invite = &last["items"][0];
    assert_eq!(
        (&invite["used"], &invite["expires_at"], &invite["role"]),
        (&json!(false), &Value::Null, &json!("owner"))
    );
    let code = invite["code"].as_str().unwrap();
    admin.delete(&format!("/api/v1/invites/{code}")).await.expect(204);
    assert_eq!(admin.delete(&format!("/api/v1/invites/{code}")).await.error(404), "NOT_FOUND");
    let body = json!({ "email": "x@example.org", "password": PASSWORD, "invite_code": code });
    assert_eq!(Client::anonymous(&base).post("/api/v1/auth/register", body).await.error(400), "VALIDATION");
    house.stop().await;
}

#[tokio::test]
async fn a_registered_tenant_is_a_house_of_its_own() {
    let (mut house, base, admin) = house().await;
    let owner = join(&base, &admin, "alice@example.org", json!({ "count": 0, "ttl_seconds": 0 })).await;
    let me = owner.get("/api/v1/me").await.expect(200);
    assert_eq!(
        (&me["role"], &me["tenant_name"], &me["tenant"]["role"]),
        (&json!("owner"), &json!("alice-2"), &json!("user"))
    );
    assert_eq!(owner.get("/api/v1/users").await.expect(200)["items"].as_array().unwrap().len(), 1);
    let stranger = format!("/api/v1/users/{}", id_of(&admin, ADMIN).await);
    for answer in [owner.get(&stranger).await, owner.delete(&stranger).await, owner.put(&stranger, json!({})).await] {
        assert_eq!(answer.error(404), "NOT_FOUND");
    }
    let taken = admin.post("/api/v1/invites", json!({})).await.expect(201);
    let code = &taken["items"][0]["code"];
    let body = json!({ "email": "Alice@example.org", "password": PASSWORD, "invite_code": code });
    assert_eq!(Client::anonymous(&base).post("/api/v1/auth/register", body).await.error(409), "CONFLICT");
    assert_eq!(admin.get("/api/v1/invites").await.expect(200)["items"][0]["used"], false, "the code is still good");
    house.stop().await;
}

#[tokio::test]
async fn a_platform_admin_acts_for_a_tenant_and_its_owners_read_so() {
    let (mut house, base, admin) = house().await;
    let made = admin.post("/api/v1/tenants", json!({ "name": "databases" })).await.expect(201);
    assert_eq!(admin.post("/api/v1/tenants", json!({ "name": "databases" })).await.error(409), "CONFLICT");
    assert_eq!(admin.post("/api/v1/tenants", json!({ "name": "Data bases" })).await.error(400), "VALIDATION");
    let id = made["id"].as_i64().unwrap();
    let visitor = browser(&base, ADMIN, PASSWORD).await.with("x-watchbell-tenant", &id.to_string());
    let owner = join(&base, &visitor, "dba@example.org", json!({ "role": "owner" })).await;
    assert_eq!(owner.get("/api/v1/me").await.expect(200)["tenant"]["id"], id);
    visitor.get("/api/v1/users").await.expect(200);
    let audit = owner.get("/api/v1/audit").await.expect(200);
    let entries = audit["items"].as_array().unwrap();
    let acts: Vec<_> = entries.iter().filter(|entry| entry["action"] == "act_for").collect();
    assert_eq!(acts.len(), 1, "{audit}");
    assert_eq!(acts[0]["actor"], format!("{ADMIN} (platform admin)"));
    let visitor = visitor.with("x-watchbell-tenant", "99");
    assert_eq!(visitor.get("/api/v1/users").await.error(404), "NOT_FOUND");
    house.stop().await;
}

#[tokio::test]
async fn a_disabled_tenant_is_out_at_once_and_its_channels_are_closed() {
    let (mut house, base, admin) = house().await;
    let tenant = add_tenant(&house, "databases").await;
    let viewer = Client::with_role(&house, &base, tenant, Role::Viewer).await;
    viewer.get("/api/v1/me").await.expect(200);
    let path = format!("/api/v1/tenants/{tenant}");
    admin.put(&path, json!({ "disabled": true })).await.expect(200);
    assert_eq!(viewer.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    assert_eq!(admin.put("/api/v1/tenants/1", json!({ "disabled": true })).await.error(409), "CONFLICT");
    admin.put(&path, json!({ "disabled": false, "name": "db" })).await.expect(200);
    viewer.get("/api/v1/me").await.expect(200);
    house.stop().await;
}
