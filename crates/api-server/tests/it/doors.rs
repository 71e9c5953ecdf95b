//! The doors: signing in with a browser and with a script, registering, the set-up link, and the lock-out.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::{Value, json};
use watchbell_common::{clock::ManualClock, store::users, testing};

use crate::{
    client::{Answer, Client},
    house::House,
};

pub(crate) const ADMIN: &str = "root@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// An installation with a platform admin.
pub(crate) async fn settled(database: &SecretString, settings: &[(&str, &str)]) -> (House, String) {
    let first = [("BOOTSTRAP_ADMIN_EMAIL", "Root@Example.org "), ("BOOTSTRAP_ADMIN_PASSWORD", PASSWORD)];
    let mut house = House::build(database, &[&first, settings].concat()).await;
    let base = format!("http://{}", house.start_api().await);
    Client::ready(&base).await;
    (house, base)
}

pub(crate) async fn log_in(base: &str, email: &str, password: &str) -> Answer {
    Client::anonymous(base).post("/api/v1/auth/login", json!({ "email": email, "password": password })).await
}

/// A signed-in browser.
pub(crate) async fn browser(base: &str, email: &str, password: &str) -> Client {
    let answer = log_in(base, email, password).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Client::browser(base, &answer)
}

/// Somebody new, who registers with an invite made by `by`, signed in.
pub(crate) async fn join(base: &str, by: &Client, email: &str, invite: Value) -> Client {
    let made = by.post("/api/v1/invites", invite).await.expect(201);
    let body = json!({ "email": email, "password": PASSWORD, "invite_code": made["items"][0]["code"] });
    let answer = Client::anonymous(base).post("/api/v1/auth/register", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    Client::browser(base, &answer)
}

fn sqlite() -> SecretString {
    "sqlite".into()
}

#[tokio::test]
async fn a_browser_signs_in_changes_with_its_token_and_signs_out() {
    let (mut house, base) = settled(&sqlite(), &[]).await;
    let answer = log_in(&base, "ROOT@example.org", PASSWORD).await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    assert!(cookies[0].starts_with("watchbell_session=") && cookies[0].contains("; HttpOnly"), "{cookies:?}");
    assert!(cookies.iter().all(|cookie| cookie.contains("; Path=/; SameSite=Lax; Max-Age=1209600")), "{cookies:?}");
    assert!(!cookies.iter().any(|cookie| cookie.contains("Secure")), "{cookies:?}");
    let client = Client::browser(&base, &answer);
    let body = answer.expect(200);
    assert_eq!(body["tenant"], json!({ "id": 1, "email": ADMIN, "role": "admin" }));
    assert!(body["session_expires_at"].as_str().unwrap().ends_with('Z'));

    let me = client.get("/api/v1/me").await.expect(200);
    assert_eq!(
        (&me["role"], &me["platform_admin"], &me["tenant_name"]),
        (&json!("owner"), &json!(true), &json!("default"))
    );
    let csrf = me["csrf_token"].as_str().unwrap().to_owned();
    let name = json!({ "display_name": "Root" });
    let other_site = client.with("x-csrf-token", "forged");
    assert_eq!(other_site.put("/api/v1/me", name.clone()).await.error(403), "FORBIDDEN");
    let client = other_site.with("x-csrf-token", &csrf);
    assert_eq!(client.put("/api/v1/me", name).await.expect(200)["display_name"], "Root");

    client.post("/api/v1/auth/logout", json!({})).await.expect(204);
    assert_eq!(client.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    house.stop().await;
}

#[tokio::test]
async fn over_https_only_the_guarded_cookie_counts() {
    let (mut house, base) = settled(&sqlite(), &[("HTTP_COOKIE_SECURE", "true")]).await;
    let answer = log_in(&base, ADMIN, PASSWORD).await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    assert!(cookies.iter().all(|cookie| cookie.starts_with("__Host-watchbell_") && cookie.contains("; Secure")));
    Client::browser(&base, &answer).get("/api/v1/me").await.expect(200);
    let secret = cookies[0].split(['=', ';']).nth(1).unwrap();
    let planted = Client::anonymous(&base).with("cookie", &format!("watchbell_session={secret}"));
    assert_eq!(planted.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    house.stop().await;
}

#[tokio::test]
async fn the_set_up_link_makes_the_first_user_once() {
    let mut house = House::embedded(&[]).await;
    let prepared = watchbell_api_server::prepare(&house.shared).await.unwrap();
    let link = prepared.set_up_link(&house.shared.settings, "127.0.0.1:8080".parse().unwrap()).unwrap();
    let (page, token) = link.split_once('#').unwrap();
    assert_eq!(page, "http://127.0.0.1:8080/setup");
    drop(prepared);
    let base = format!("http://{}", house.start_api().await);
    let somebody = Client::ready(&base).await;
    assert_eq!(somebody.get("/api/v1/setup").await.expect(200)["needed"], true);

    let with = |token: &str, email: &str| json!({ "token": token, "email": email, "password": PASSWORD });
    assert_eq!(somebody.post("/api/v1/setup", with("wbl_guessed", ADMIN)).await.error(400), "VALIDATION");
    let short = json!({ "token": token, "email": ADMIN, "password": "short" });
    assert_eq!(somebody.post("/api/v1/setup", short).await.error(400), "VALIDATION");
    let first = somebody.post("/api/v1/setup", with(token, ADMIN)).await;
    let me = Client::browser(&base, &first).get("/api/v1/me").await.expect(200);
    assert_eq!((&me["role"], &me["platform_admin"]), (&json!("owner"), &json!(true)));
    assert_eq!(somebody.post("/api/v1/setup", with(token, "b@example.org")).await.error(400), "VALIDATION");
    assert_eq!(somebody.get("/api/v1/setup").await.expect(200)["needed"], false);
    house.stop().await;
    assert!(
        watchbell_api_server::prepare(&house.shared)
            .await
            .unwrap()
            .set_up_link(&house.shared.settings, "127.0.0.1:1".parse().unwrap())
            .is_none()
    );
}

/// `correct horse`, by libxcrypt, with cost 4.
const BCRYPT: &str = "$2a$04$SzGPjLeVZJgJnJgZPGj/zOyqVAcKSIwZnyf1iP8gC7BUpELjgRYDO";

#[tokio::test]
async fn a_login_replaces_a_bcrypt_hash_and_a_wrong_password_does_not() {
    let (mut house, base) = settled(&sqlite(), &[]).await;
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    let mut user = users::by_email(&mut tx, ADMIN).await.unwrap().unwrap();
    user.password = BCRYPT.parse().unwrap();
    users::put(&mut tx, &user, 0).await.unwrap();
    tx.commit().await.unwrap();
    let kept = async || {
        let mut tx = store.begin_read().await.unwrap();
        users::by_email(&mut tx, ADMIN).await.unwrap().unwrap().password
    };

    assert_eq!(log_in(&base, ADMIN, "correct horsf").await.error(401), "UNAUTHORIZED");
    assert_eq!(kept().await.to_string(), BCRYPT);
    log_in(&base, ADMIN, "correct horse").await.expect(200);
    let upgraded = kept().await;
    assert!(upgraded.to_string().starts_with("$argon2id$") && !upgraded.needs_upgrade(), "{upgraded}");
    log_in(&base, ADMIN, "correct horse").await.expect(200);
    assert_eq!(kept().await, upgraded, "once is enough");
    store.close().await;
    house.stop().await;
}

#[tokio::test]
async fn an_unknown_account_is_answered_like_a_wrong_password() {
    let (mut house, base) = settled(&sqlite(), &[]).await;
    let wrong = log_in(&base, ADMIN, "not the password").await;
    let unknown = log_in(&base, "nobody@example.org", PASSWORD).await;
    for answer in [wrong, unknown] {
        assert_eq!(answer.expect(401)["error"]["message"], "invalid credentials");
    }
    house.stop().await;
}

#[tokio::test]
async fn another_site_cannot_sign_a_browser_in() {
    let (mut house, base) = settled(&sqlite(), &[]).await;
    let form = Client::anonymous(&base).with("sec-fetch-site", "cross-site");
    let answer = form.post("/api/v1/auth/login", json!({ "email": ADMIN, "password": PASSWORD })).await;
    assert_eq!(answer.error(403), "FORBIDDEN");
    house.stop().await;
}

/// Attempts at once through two processes: five are made, all others are told to wait, the right password too; a
/// restart forgets nothing, and time heals.
async fn guessing_is_stopped(database: SecretString) {
    let (mut house, first) = settled(&database, &[]).await;
    let second = format!("http://{}", house.start_another_api().await);
    Client::ready(&second).await;
    let guesses = (0..12).map(|n| {
        let base = if n % 2 == 0 { &first } else { &second };
        async move { log_in(base, ADMIN, "a wrong password").await }
    });
    let answers = join_all(guesses).await;
    let made = answers.iter().filter(|answer| answer.status == 401).count();
    let refused = answers.iter().filter(|answer| answer.status == 429 && answer.headers.contains_key("retry-after"));
    assert_eq!((made, refused.count()), (5, 7), "{answers:?}");
    assert_eq!(log_in(&second, ADMIN, PASSWORD).await.error(429), "RATE_LIMITED");
    let body = json!({ "email": ADMIN, "password": PASSWORD });
    assert_eq!(Client::anonymous(&first).post("/api/v1/auth/token", body).await.error(429), "RATE_LIMITED");
    house.stop().await;

    let base = format!("http://{}", house.start_another_api().await);
    Client::ready(&base).await;
    assert_eq!(log_in(&base, ADMIN, PASSWORD).await.error(429), "RATE_LIMITED");
    house.stop().await;

    let clock = ManualClock::at(house.shared.clock.now_ms());
    clock.advance(Duration::from_secs(16));
    house.shared.clock = Arc::new(clock);
    let base = format!("http://{}", house.start_another_api().await);
    Client::ready(&base).await;
    let owner = browser(&base, ADMIN, PASSWORD).await;
    let audit = owner.get("/api/v1/audit").await.expect(200);
    let actions: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["sign_in", "lock_out"]);
    house.stop().await;
}

#[tokio::test]
async fn guessing_is_stopped_on_sqlite() {
    guessing_is_stopped(sqlite()).await;
}

#[tokio::test]
async fn guessing_is_stopped_on_postgres() {
    guessing_is_stopped(testing::database()).await;
}

/// PostgreSQL keeps and compares no text with a zero byte.
#[tokio::test]
async fn a_zero_byte_is_a_mistake_of_whoever_sends_it() {
    let (mut house, base) = settled(&testing::database(), &[]).await;
    let admin = browser(&base, ADMIN, PASSWORD).await;
    for path in ["alerts?q=a%00b", "events?source=%00", "facets?system=%00", "gateway/bindings?q=%00", "users/1%00"] {
        assert_eq!(admin.get(&format!("/api/v1/{path}")).await.error(400), "VALIDATION", "{path}");
    }
    for door in ["login", "token"] {
        let body = json!({ "email": "a\0b@example.org", "password": PASSWORD });
        let answer = Client::anonymous(&base).post(&format!("/api/v1/auth/{door}"), body).await;
        assert_eq!(answer.error(400), "VALIDATION", "{door}");
    }
    house.stop().await;
}

#[tokio::test]
async fn a_stranger_elsewhere_locks_nobody_out() {
    let (mut house, base) = settled(&sqlite(), &[("HTTP_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let from = |address: &str| Client::anonymous(&base).with("x-forwarded-for", address);
    let body = |password: &str| json!({ "email": ADMIN, "password": password });
    for host in 1..=5 {
        // One customer's /64 is one address.
        let guess = from(&format!("2001:db8::{host}")).post("/api/v1/auth/login", body("a wrong password")).await;
        assert_eq!(guess.error(401), "UNAUTHORIZED");
    }
    let guess = from("2001:db8::6").post("/api/v1/auth/login", body(PASSWORD)).await;
    assert_eq!(guess.error(429), "RATE_LIMITED");
    from("192.0.2.7").post("/api/v1/auth/login", body(PASSWORD)).await.expect(200);
    house.stop().await;
}

/// Two who register with one code at the same moment.
async fn an_invite_makes_one_user(database: SecretString) {
    let (mut house, base) = settled(&database, &[]).await;
    let admin = browser(&base, ADMIN, PASSWORD).await;
    let made = admin.post("/api/v1/invites", json!({ "role": "editor" })).await.expect(201);
    let code = &made["items"][0]["code"];
    let register = ["a", "b", "c"].map(|name| {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD, "invite_code": code });
        let base = &base;
        async move { Client::anonymous(base).post("/api/v1/auth/register", body).await }
    });
    let mut answers: Vec<_> = join_all(register).await.into_iter().map(|answer| answer.status.as_u16()).collect();
    answers.sort_unstable();
    assert_eq!(answers, [201, 400, 400]);
    let users = admin.get("/api/v1/users").await.expect(200);
    assert_eq!(users["items"].as_array().unwrap().len(), 2, "{users}");
    assert_eq!(admin.get("/api/v1/invites").await.expect(200)["items"][0]["used"], true);
    let again = format!("/api/v1/invites/{}", code.as_str().unwrap());
    assert_eq!(admin.delete(&again).await.error(409), "CONFLICT");
    house.stop().await;
}

#[tokio::test]
async fn an_invite_makes_one_user_on_sqlite() {
    an_invite_makes_one_user(sqlite()).await;
}

#[tokio::test]
async fn an_invite_makes_one_user_on_postgres() {
    an_invite_makes_one_user(testing::database()).await;
}

/// A script's tokens: each refresh token works once, and a second use ends everything that came of the sign-in.
async fn a_stolen_refresh_token_ends_the_session(database: SecretString) {
    let (mut house, base) = settled(&database, &[]).await;
    let somebody = Client::anonymous(&base);
    let first = somebody.post("/api/v1/auth/token", json!({ "email": ADMIN, "password": PASSWORD })).await.expect(200);
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(600)));
    let script = Client::bearer(&base, first["access_token"].as_str().unwrap());
    assert!(script.get("/api/v1/me").await.expect(200).get("csrf_token").is_none());
    script.put("/api/v1/me", json!({ "display_name": "no CSRF token is needed" })).await.expect(200);

    let refresh = json!({ "refresh_token": first["refresh_token"] });
    let second = somebody.post("/api/v1/auth/token", refresh.clone()).await.expect(200);
    let script = Client::bearer(&base, second["access_token"].as_str().unwrap());
    script.get("/api/v1/me").await.expect(200);
    assert_eq!(somebody.post("/api/v1/auth/token", refresh).await.error(401), "UNAUTHORIZED");
    assert_eq!(script.get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    let refresh = json!({ "refresh_token": second["refresh_token"] });
    assert_eq!(somebody.post("/api/v1/auth/token", refresh).await.error(401), "UNAUTHORIZED");

    // Of several that use one at once, one at most goes on.
    let third = somebody.post("/api/v1/auth/token", json!({ "email": ADMIN, "password": PASSWORD })).await.expect(200);
    let refresh = json!({ "refresh_token": third["refresh_token"] });
    let answers = join_all((0..4).map(|_| somebody.post("/api/v1/auth/token", refresh.clone()))).await;
    assert!(answers.iter().filter(|answer| answer.status == 200).count() <= 1, "{answers:?}");
    house.stop().await;
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session_on_sqlite() {
    a_stolen_refresh_token_ends_the_session(sqlite()).await;
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session_on_postgres() {
    a_stolen_refresh_token_ends_the_session(testing::database()).await;
}

#[tokio::test]
async fn a_new_key_signs_every_day_and_what_the_old_one_signed_lasts_out() {
    let (mut house, _) = settled(&sqlite(), &[]).await;
    house.stop().await;
    let clock = Arc::new(ManualClock::at(house.shared.clock.now_ms()));
    house.shared.clock = clock.clone();
    let base = format!("http://{}", house.start_another_api().await);
    Client::ready(&base).await;
    let token = async || {
        let body = json!({ "email": ADMIN, "password": PASSWORD });
        let answer = Client::anonymous(&base).post("/api/v1/auth/token", body).await.expect(200);
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let asks = async |token: &str| Client::bearer(&base, token).get("/api/v1/me").await.status.as_u16();
    let header = |token: &str| token.split('.').next().unwrap().to_owned();
    let first = token().await;
    clock.advance(Duration::from_hours(24) - Duration::from_mins(5));
    let last = token().await;
    clock.advance(Duration::from_mins(6));
    let new = token().await;
    assert_eq!(header(&first), header(&last), "the same key");
    assert_ne!(header(&last), header(&new), "another key");
    assert_eq!([asks(&first).await, asks(&last).await, asks(&new).await], [401, 200, 200]);
    house.stop().await;
}

#[tokio::test]
async fn a_token_that_we_did_not_sign_is_nobody_s() {
    let (mut house, base) = settled(&sqlite(), &[]).await;
    // `alg: none`, and HS256 under a key of another name.
    for token in ["eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "eyJhbGciOiJIUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiIxIn0.AAAA"] {
        assert_eq!(Client::bearer(&base, token).get("/api/v1/me").await.error(401), "UNAUTHORIZED");
    }
    house.stop().await;
}
