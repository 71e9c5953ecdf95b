//! A client of the API, and people who use it.

use bytes::Bytes;
use reqwest::{Method, StatusCode, header};
use serde_json::Value;
use watchbell_common::{
    identity::Role,
    ids::{ApiTokenId, TenantId, UserId},
    outbound, passwords,
    store::{
        api_tokens::{self, ApiToken},
        config::{self, Kind},
        users::{self, User},
    },
};

use crate::house::{House, until};

/// Sends requests as one person of one tenant.
pub(crate) struct Client {
    base: String,
    token: Option<String>,
    headers: header::HeaderMap,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    /// `null` when there was no body.
    pub(crate) body: Value,
}

impl Answer {
    /// The body of an answer that must have that status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The code of an error that must have that status.
    #[track_caller]
    pub(crate) fn error(self, status: u16) -> String {
        self.expect(status)["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    /// Somebody with that role in that tenant, with a token.
    pub(crate) async fn with_role(house: &House, base: &str, tenant: TenantId, role: Role) -> Self {
        let stranger = Self { token: Some("unknown".to_owned()), ..Self::anonymous(base) };
        until("the store is open", async || stranger.get("/api/v1/audit").await.status != 503).await;
        let token = format!("wbt_{}_{}_test", tenant, role.as_str());
        add_person(house, tenant, role, &token).await;
        Self { token: Some(token), ..Self::anonymous(base) }
    }

    pub(crate) fn anonymous(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            token: None,
            headers: header::HeaderMap::new(),
            http: outbound::client().unwrap(),
        }
    }

    /// The same, who also sends this header with every request.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// The same, who does not send this header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// A script with that token.
    pub(crate) fn bearer(base: &str, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::anonymous(base) }
    }

    /// Where it sends them.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A browser that got these cookies.
    pub(crate) fn browser(base: &str, answer: &Answer) -> Self {
        let cookies = answer.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        let pairs: Vec<_> = cookies.map(|line| line.split(';').next().unwrap()).collect();
        let csrf = pairs[1].split_once('=').unwrap().1;
        Self::anonymous(base).with("cookie", &pairs.join("; ")).with("x-csrf-token", csrf)
    }

    /// Waits until the API answers.
    pub(crate) async fn ready(base: &str) -> Self {
        let somebody = Self::anonymous(base);
        until("the store is open", async || somebody.get("/api/v1/setup").await.status == 200).await;
        somebody
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Begins to follow live updates, from an id on.
    pub(crate) async fn follow(&self, last_event_id: Option<&str>) -> reqwest::Response {
        let mut request = self.http.get(format!("{}/api/v1/live", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request = request.headers(self.headers.clone());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        // A stream of live updates does not end.
        let endless = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let bytes = if endless { Bytes::new() } else { response.bytes().await.unwrap() };
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
        Answer { status, headers, body: if bytes.is_empty() { Value::Null } else { body } }
    }
}

/// Another tenant.
pub(crate) async fn add_tenant(house: &House, name: &str) -> TenantId {
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    let id = TenantId(config::next_id(&mut tx, Kind::Tenant).await.unwrap());
    config::add_tenant(&mut tx, id, name, 0).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn add_person(house: &House, tenant: TenantId, role: Role, token: &str) {
    let store = house.store().await;
    let mut tx = store.begin().await.unwrap();
    let user = User {
        id: UserId(config::next_id(&mut tx, Kind::User).await.unwrap()),
        tenant,
        email: format!("{}-{tenant}@example.org", role.as_str()),
        display_name: String::new(),
        password: passwords::hash(&"correct horse battery".into()).unwrap(),
        role,
        platform_admin: false,
        disabled: false,
        created_at: 0,
    };
    users::put(&mut tx, &user, 0).await.unwrap();
    let id = ApiTokenId(config::next_id(&mut tx, Kind::ApiToken).await.unwrap());
    let (name, last4) = ("test".to_owned(), "test".to_owned());
    let (expires_at, last_used_at, created_at) = (None, None, 0);
    let token_row = ApiToken { id, tenant, user: user.id, name, last4, role, created_at, expires_at, last_used_at };
    api_tokens::add(&mut tx, &token_row, &house.shared.vault.hash(token)).await.unwrap();
    tx.commit().await.unwrap();
}
