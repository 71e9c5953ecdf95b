//! The product set up over its API alone.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use watchbell_common::{
    crypto::Vault,
    identity::Role,
    ids::{ApiTokenId, TenantId, UserId},
    outbound, passwords,
    store::{
        Store,
        api_tokens::{self, ApiToken},
        config::{self, Kind},
        users::{self, User},
    },
};
use watchbell_harness::{Product, Sink};

const SOON: Duration = Duration::from_secs(10);

const TOKEN: &str = "wbt_product_test";

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_and_a_rule_made_over_the_api_take_the_next_alert() {
    let sink = Sink::start().await;
    // What is made over the API may not call inside unless the settings say so.
    let product = Product::embedded_with("", &[("WATCHBELL_OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8")]).await;
    editor(&product).await;
    let channel = json!({"name": "ops", "platform": "webhook", "target": sink.url("alerts")});
    let channel = post(&product, "channels", &channel).await;
    let rule = json!({"name": "databases", "match": {"system": "db*"}, "channels": [channel["id"]],
        "set_severity": "critical"});
    post(&product, "rules", &rule).await;
    let source = post(&product, "channels", &json!({"name": "source", "platform": "console"})).await;

    let token = source["push_token"].as_str().unwrap();
    let answer = product.push(token, &json!({"title": "disk full", "host": "db1", "level": "warning"})).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let received = sink.wait_for(1, SOON).await;
    assert_eq!((received[0].text("subject"), received[0].text("severity")), ("disk full", "critical"));
    assert!(product.get("/docs/").await.contains("swagger-ui"));
}

/// Makes something over the API.
async fn post(product: &Product, kind: &str, body: &Value) -> Value {
    let url = format!("http://{}/api/v1/{kind}", product.http);
    let answer = outbound::client().unwrap().post(url).bearer_auth(TOKEN).json(body).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::CREATED, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Reads something over the API.
pub(crate) async fn read(product: &Product, path: &str) -> Value {
    let url = format!("http://{}/api/v1/{path}", product.http);
    let answer = outbound::client().unwrap().get(url).bearer_auth(TOKEN).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Somebody who may configure, with [`TOKEN`].
pub(crate) async fn editor(product: &Product) {
    let data = product.data_dir();
    let store = Store::open(&"sqlite".into(), &data).await.unwrap();
    let vault = Vault::from_data_dir(&data).unwrap();
    let mut tx = store.begin().await.unwrap();
    let user = UserId(config::next_id(&mut tx, Kind::User).await.unwrap());
    let person = User {
        id: user,
        tenant: TenantId::DEFAULT,
        email: "editor@example.org".to_owned(),
        display_name: String::new(),
        password: passwords::hash(&"correct horse battery".into()).unwrap(),
        role: Role::Editor,
        platform_admin: false,
        disabled: false,
        created_at: 0,
    };
    users::put(&mut tx, &person, 0).await.unwrap();
    let token = ApiToken {
        id: ApiTokenId(config::next_id(&mut tx, Kind::ApiToken).await.unwrap()),
        tenant: TenantId::DEFAULT,
        user,
        name: "test".to_owned(),
        last4: "test".to_owned(),
        role: Role::Editor,
        created_at: 0,
        expires_at: None,
        last_used_at: None,
    };
    api_tokens::add(&mut tx, &token, &vault.hash(TOKEN)).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
}
