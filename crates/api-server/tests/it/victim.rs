//! A tenant with one of everything, and how each route of the API would reach it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use watchbell_common::{
    clock::{Clock as _, SystemClock},
    identity::Role,
    ids::TenantId,
};

use crate::{
    client::{Client, add_tenant},
    doors::{PASSWORD, log_in},
    gateway::bind,
    house::House,
    observing::bury,
    story::{Story, tell},
};

/// Stands in every name and text of the victim; nobody else may read it.
pub(crate) const MARK: &str = "of-the-victim";

/// A tenant with one of everything.
pub(crate) struct Victim {
    pub(crate) tenant: TenantId,
    pub(crate) owner: Client,
    /// The id of its thing of each kind.
    ids: BTreeMap<&'static str, String>,
    /// A time at which silences may end.
    later: String,
}

impl Victim {
    pub(crate) async fn settle(house: &House, base: &str) -> Self {
        let tenant = add_tenant(house, MARK).await;
        let owner = Client::with_role(house, base, tenant, Role::Owner).await;
        log_in(base, &email(Role::Owner, tenant), PASSWORD).await.expect(200);
        let user = owner.get("/api/v1/users").await.expect(200)["items"][0]["id"].clone();
        let sessions = owner.get(&format!("/api/v1/users/{user}/sessions")).await.expect(200);
        let later = sessions["items"][0]["expires_at"].as_str().unwrap().to_owned();
        let mut victim = Self { tenant, owner, ids: BTreeMap::new(), later };
        victim.ids.insert("tenant", tenant.to_string());
        victim.ids.insert("user", user.to_string());
        victim.ids.insert("session", sessions["items"][0]["id"].to_string());
        victim.configure().await;
        let story = Story { tenant, subject: MARK.to_owned(), ..Story::at(SystemClock.now_ms()) };
        let event = tell(house, std::slice::from_ref(&story)).await[0];
        victim.ids.insert("alert", story.alert().to_string());
        victim.ids.insert("event", event.to_string());
        victim.ids.insert("delivery", story.delivery(event).to_string());
        victim.ids.insert("dead letter", bury(house, tenant, 0..1).await[0].to_string());
        victim.ids.insert("binding", bind(house, tenant, 1, MARK).await.to_string());
        victim
    }

    async fn configure(&mut self) {
        self.make("bot", "bots", json!({"name": MARK, "bot_token": "1:a"})).await;
        self.make("template", "templates", json!({"name": MARK, "body": MARK})).await;
        self.make("channel", "channels", json!({"name": MARK, "platform": "console"})).await;
        self.make("rule", "rules", json!({"name": MARK, "channels": [self.number("channel")]})).await;
        self.make("mute", "mutes", json!({"source": "none", "comment": MARK})).await;
        let silence = json!({"match": {"system": "none"}, "expires_at": self.later, "comment": MARK});
        self.make("silence", "silences", silence).await;
        let provider = json!({"base_url": "http://127.0.0.1:9/v1", "model": MARK});
        self.make("model", "ai-providers", provider).await;
        self.make("token", "tokens", json!({"name": MARK, "role": "owner"})).await;
        let invites = self.owner.post("/api/v1/invites", json!({"role": "viewer"})).await.expect(201);
        self.ids.insert("invite", invites["items"][0]["code"].as_str().unwrap().to_owned());
    }

    async fn make(&mut self, kind: &'static str, path: &str, body: Value) {
        let made = self.owner.post(&format!("/api/v1/{path}"), body).await.expect(201);
        self.ids.insert(kind, made["id"].to_string());
    }

    fn number(&self, kind: &str) -> i64 {
        self.ids[kind].parse().unwrap()
    }
}

pub(crate) fn email(role: Role, tenant: TenantId) -> String {
    format!("{}-{tenant}@example.org", role.as_str())
}

/// How a route is called.
pub(crate) struct Call {
    /// `GET /api/v1/bots/{id}`, as the document has it.
    pub(crate) route: &'static str,
    /// The kind whose id stands in the path; or what follows the path.
    part: String,
    pub(crate) body: Value,
    /// What whoever may call it for another tenant is answered.
    pub(crate) stranger: u16,
}

impl Call {
    pub(crate) fn method(&self) -> Method {
        self.route.split_once(' ').unwrap().0.parse().unwrap()
    }

    pub(crate) fn path(&self, victim: &Victim) -> String {
        let path = self.route.split_once(' ').unwrap().1;
        let Some((before, rest)) = path.split_once('{') else { return format!("{path}{}", self.part) };
        let (_, after) = rest.split_once('}').unwrap();
        format!("{before}{}{after}", victim.ids[self.part.as_str()])
    }
}

/// Every route, with bodies that would change something of the victim's, were they let through.
pub(crate) fn calls(victim: &Victim) -> Vec<Call> {
    [observed(victim), guarded(victim), sending(victim), deciding(victim), people(victim)]
        .into_iter()
        .flatten()
        .collect()
}

/// `route` with the id of the victim's thing of that kind in the path, or that query behind it.
fn call(route: &'static str, part: &str, body: Value, stranger: u16) -> Call {
    Call { route, part: part.to_owned(), body, stranger }
}

/// What happened, and how it goes.
fn observed(victim: &Victim) -> Vec<Call> {
    let none = || Value::Null;
    let (alert, dead) = (&victim.ids["alert"], &victim.ids["dead letter"]);
    let of_channel = format!("?channel={}", victim.number("channel"));
    vec![
        call("GET /api/v1/alerts", &of_channel, none(), 200),
        call("POST /api/v1/alerts/acknowledge", "", json!({"ids": [alert]}), 200),
        call("GET /api/v1/alerts/{id}", "alert", none(), 404),
        call("POST /api/v1/alerts/{id}/acknowledge", "alert", json!({}), 404),
        call("PUT /api/v1/alerts/{id}/label", "alert", json!({"severity": "info"}), 404),
        call("POST /api/v1/alerts/{id}/resolve", "alert", json!({}), 404),
        call("POST /api/v1/alerts/{id}/unacknowledge", "alert", json!({}), 404),
        call("GET /api/v1/audit", "", none(), 200),
        call("GET /api/v1/dead-letters", &of_channel, none(), 200),
        call("GET /api/v1/dead-letters/causes", &of_channel, none(), 200),
        call("POST /api/v1/dead-letters/replay-all", "", json!({}), 202),
        call("POST /api/v1/dead-letters/replay-many", "", json!({"ids": [dead]}), 202),
        call("GET /api/v1/dead-letters/{id}", "dead letter", none(), 404),
        call("POST /api/v1/dead-letters/{id}/replay", "dead letter", none(), 404),
        call("GET /api/v1/deadletters", "", none(), 200),
        call("POST /api/v1/deadletters/{id}/replay", "dead letter", none(), 404),
        call("GET /api/v1/deliveries", &of_channel, none(), 200),
        call("GET /api/v1/deliveries/{id}", "delivery", none(), 404),
        call("GET /api/v1/events", &format!("?alert={alert}"), none(), 200),
        call("GET /api/v1/events/{id}", "event", none(), 404),
        call("GET /api/v1/events/{id}/raw", "event", none(), 404),
        call("GET /api/v1/facets", &of_channel, none(), 200),
        call("GET /api/v1/live", "", none(), 200),
        call("GET /api/v1/logs", &format!("?channel_id={}", victim.number("channel")), none(), 200),
        call("GET /api/v1/metrics/series", "", none(), 200),
        call("GET /api/v1/overview", "", none(), 200),
        call("GET /api/v1/queues", "", none(), 200),
        call("GET /api/v1/doors", "", none(), 200),
        call("GET /api/v1/senders", "", none(), 200),
        call("POST /api/v1/samples", "", none(), 202),
        call("DELETE /api/v1/samples", "", none(), 200),
        call("GET /api/v1/services", "", none(), 200),
        call("GET /api/v1/settings", "", none(), 403),
        call("PUT /api/v1/settings", "", json!({"history_retention_days": 1}), 403),
    ]
}

/// What secrets are tied to.
fn guarded(victim: &Victim) -> Vec<Call> {
    let none = || Value::Null;
    let of_key = format!("?key={}", victim.ids["binding"]);
    vec![
        call("GET /api/v1/gateway", "", none(), 200),
        call("GET /api/v1/gateway/bindings", "", none(), 200),
        call("GET /api/v1/gateway/bindings/{id}", "binding", none(), 404),
        call("PUT /api/v1/gateway/bindings/{id}", "binding", json!({"mode": "all"}), 404),
        call("DELETE /api/v1/gateway/bindings/{id}", "binding", none(), 404),
        call("POST /api/v1/gateway/bindings/{id}/block", "binding", none(), 404),
        call("POST /api/v1/gateway/bindings/{id}/unblock", "binding", none(), 404),
        call("GET /api/v1/gateway/interceptions", &of_key, none(), 200),
        call("GET /api/v1/gateway/interceptions.csv", &of_key, none(), 200),
        call("GET /api/v1/gateway/settings", "", none(), 403),
        call("PUT /api/v1/gateway/settings", "", json!({"mode": "observe"}), 403),
        call("GET /api/v1/gateway/usage", &of_key, none(), 200),
    ]
}

/// What alerts are sent through.
fn sending(victim: &Victim) -> Vec<Call> {
    let none = || Value::Null;
    let event = &victim.ids["event"];
    vec![
        call("GET /api/v1/bots", "", none(), 200),
        call("POST /api/v1/bots", "", json!({"name": "mine", "bot_token": "1:a"}), 201),
        call("GET /api/v1/bots/{id}", "bot", none(), 404),
        call("PUT /api/v1/bots/{id}", "bot", json!({"description": "mine"}), 404),
        call("DELETE /api/v1/bots/{id}", "bot", none(), 404),
        call("GET /api/v1/bots/{id}/chats", "bot", none(), 404),
        call("POST /api/v1/bots/{id}/disable", "bot", none(), 404),
        call("POST /api/v1/bots/{id}/enable", "bot", none(), 404),
        call("GET /api/v1/channels", "", none(), 200),
        call("GET /api/v1/channels/health", "", none(), 200),
        call("POST /api/v1/channels", "", json!({"name": "mine", "bot_id": victim.number("bot"), "target": "1"}), 400),
        call("GET /api/v1/channels/{id}", "channel", none(), 404),
        call("PUT /api/v1/channels/{id}", "channel", json!({"name": "mine"}), 404),
        call("DELETE /api/v1/channels/{id}", "channel", none(), 404),
        call("POST /api/v1/channels/{id}/drill", "channel", json!({"seconds": 60}), 404),
        call("DELETE /api/v1/channels/{id}/drill", "channel", none(), 404),
        call("POST /api/v1/channels/{id}/rotate-token", "channel", none(), 404),
        call("POST /api/v1/channels/{id}/test", "channel", none(), 404),
        call("GET /api/v1/platforms", "", none(), 200),
        call("GET /api/v1/templates", "", none(), 200),
        call("POST /api/v1/templates", "", json!({"name": "mine", "body": "mine"}), 201),
        call("POST /api/v1/templates/preview", "", json!({"body": "mine", "event_id": event}), 400),
        call("GET /api/v1/templates/{id}", "template", none(), 404),
        call("PUT /api/v1/templates/{id}", "template", json!({"name": "mine", "body": "mine"}), 404),
        call("DELETE /api/v1/templates/{id}", "template", none(), 404),
    ]
}

/// What decides where alerts go.
fn deciding(victim: &Victim) -> Vec<Call> {
    let none = || Value::Null;
    let channel = victim.number("channel");
    let rule = json!({"name": "mine", "channels": [channel]});
    let silence = json!({"match": {"system": "mine"}, "expires_at": victim.later});
    let provider = json!({"base_url": "http://127.0.0.1:9/v1", "model": "mine"});
    vec![
        call("GET /api/v1/ai-providers", "", none(), 200),
        call("POST /api/v1/ai-providers", "", provider.clone(), 201),
        call("PUT /api/v1/ai-providers/order", "", json!({"ids": [victim.number("model")]}), 400),
        call("GET /api/v1/ai-providers/usage", "", none(), 200),
        call("GET /api/v1/ai-providers/usage/days", "", none(), 200),
        call("GET /api/v1/ai-providers/{id}", "model", none(), 404),
        call("PUT /api/v1/ai-providers/{id}", "model", provider, 404),
        call("DELETE /api/v1/ai-providers/{id}", "model", none(), 404),
        call("POST /api/v1/ai-providers/{id}/test", "model", json!({"event_id": victim.ids["event"]}), 404),
        call("GET /api/v1/default-channels", "", none(), 200),
        call("PUT /api/v1/default-channels", "", json!({"channels": [channel]}), 400),
        call("GET /api/v1/mutes", "", none(), 200),
        call("POST /api/v1/mutes", "", json!({"source": "mine"}), 201),
        call("GET /api/v1/mutes/{id}", "mute", none(), 404),
        call("PUT /api/v1/mutes/{id}", "mute", json!({"source": "mine"}), 404),
        call("DELETE /api/v1/mutes/{id}", "mute", none(), 404),
        call("GET /api/v1/rules", "", none(), 200),
        call("POST /api/v1/rules", "", rule.clone(), 400),
        call("POST /api/v1/rules/dry-run", "", json!({"rules": [rule]}), 400),
        call("PUT /api/v1/rules/order", "", json!({"ids": [victim.number("rule")]}), 400),
        call("POST /api/v1/rules/test", "", json!({"event_id": victim.ids["event"]}), 400),
        call("GET /api/v1/rules/{id}", "rule", none(), 404),
        call("PUT /api/v1/rules/{id}", "rule", rule, 404),
        call("DELETE /api/v1/rules/{id}", "rule", none(), 404),
        call("POST /api/v1/rules/{id}/disable", "rule", none(), 404),
        call("POST /api/v1/rules/{id}/enable", "rule", none(), 404),
        call("GET /api/v1/silences", "", none(), 200),
        call("POST /api/v1/silences", "", silence.clone(), 201),
        call("POST /api/v1/silences/preview", "", json!({"match": {}}), 200),
        call("GET /api/v1/silences/{id}", "silence", none(), 404),
        call("PUT /api/v1/silences/{id}", "silence", silence, 404),
        call("DELETE /api/v1/silences/{id}", "silence", none(), 404),
    ]
}

/// Who is let in.
fn people(victim: &Victim) -> Vec<Call> {
    let none = || Value::Null;
    let sign_in = json!({"email": email(Role::Owner, victim.tenant), "password": "a wrong password"});
    vec![
        call("POST /api/v1/auth/login", "", sign_in.clone(), 401),
        call("POST /api/v1/auth/logout", "", none(), 204),
        call(
            "POST /api/v1/auth/register",
            "",
            json!({"email": "new@example.org", "password": PASSWORD, "invite_code": "unknown"}),
            400,
        ),
        call("POST /api/v1/auth/reset-password", "", json!({"token": "unknown", "password": PASSWORD}), 400),
        call("POST /api/v1/auth/token", "", sign_in, 401),
        call("GET /api/v1/invites", "", none(), 200),
        call("POST /api/v1/invites", "", json!({"role": "viewer"}), 201),
        call("DELETE /api/v1/invites/{code}", "invite", none(), 404),
        call("GET /api/v1/me", "", none(), 200),
        call("PUT /api/v1/me", "", json!({"display_name": "mine"}), 200),
        call(
            "POST /api/v1/me/password",
            "",
            json!({"current_password": "a wrong password", "new_password": "another password"}),
            403,
        ),
        call("GET /api/v1/me/sessions", "", none(), 200),
        call("DELETE /api/v1/me/sessions", "", none(), 204),
        call("DELETE /api/v1/me/sessions/{id}", "session", none(), 404),
        call("GET /api/v1/setup", "", none(), 200),
        call(
            "POST /api/v1/setup",
            "",
            json!({"token": "unknown", "email": "new@example.org", "password": PASSWORD}),
            400,
        ),
        call("GET /api/v1/tenants", "", none(), 403),
        call("POST /api/v1/tenants", "", json!({"name": "mine"}), 403),
        call("GET /api/v1/tenants/{id}", "tenant", none(), 403),
        call("PUT /api/v1/tenants/{id}", "tenant", json!({"name": "mine", "disabled": true}), 403),
        call("GET /api/v1/tokens", "", none(), 200),
        call("POST /api/v1/tokens", "", json!({"name": "mine", "role": "viewer"}), 201),
        call("DELETE /api/v1/tokens/{id}", "token", none(), 404),
        call("GET /api/v1/users", "", none(), 200),
        call("GET /api/v1/users/{id}", "user", none(), 404),
        call("PUT /api/v1/users/{id}", "user", json!({"disabled": true}), 404),
        call("DELETE /api/v1/users/{id}", "user", none(), 404),
        call("POST /api/v1/users/{id}/reset-password", "user", none(), 404),
        call("GET /api/v1/users/{id}/sessions", "user", none(), 404),
        call("DELETE /api/v1/users/{id}/sessions", "user", none(), 404),
    ]
}
