//! Tenancy and roles, proved: every route of the OpenAPI document is called by all who may not, and nothing changes.
//!
//! [`calls`] says how each route is called; a route without an entry, and an entry without a route, fail.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde_json::{Value, json};
use watchbell_common::{config::Document, identity::Role, queue::QueueName, store::dump, testing};

use crate::{
    client::{Client, add_tenant},
    doors::{ADMIN, PASSWORD, browser, log_in, settled},
    house::House,
    victim::{Call, MARK, Victim, calls, email},
};

/// Says when something was used, which is noted of whoever may use it.
const NOTED: [&str; 2] = ["last_seen_at", "last_used_at"];

/// Tables of the whole installation, which anybody's own changes and failures to sign in move.
const SHARED: [&str; 4] = ["config_state", "ids", "invite_days", "lockouts"];

/// Who may call each route of the document.
fn documented() -> BTreeMap<String, String> {
    let document: Value = serde_json::from_str(&watchbell_api_server::openapi()).unwrap();
    let of_path = |(path, operations): (&String, &Value)| {
        let route = |(method, operation): (&String, &Value)| {
            (format!("{} {path}", method.to_uppercase()), operation["x-role"].as_str().unwrap().to_owned())
        };
        operations.as_object().unwrap().iter().map(route).collect::<Vec<_>>()
    };
    document["paths"].as_object().unwrap().iter().flat_map(of_path).collect()
}

/// How much a caller of that word of the document must be.
fn rank(role: &str) -> usize {
    let ranks: [&[&str]; 5] = [&["public"], &["any", "viewer"], &["editor"], &["owner"], &["admin"]];
    ranks.iter().position(|words| words.contains(&role)).unwrap_or_else(|| panic!("there is no role {role}"))
}

/// An installation with a victim, and how it is called.
struct Walk {
    house: House,
    base: String,
    victim: Victim,
    calls: Vec<Call>,
    roles: BTreeMap<String, String>,
}

impl Walk {
    async fn prepare(database: &SecretString) -> Self {
        let (house, base) = settled(database, &[("TELEGRAM_API_BASE", "http://127.0.0.1:9")]).await;
        let victim = Victim::settle(&house, &base).await;
        let calls = calls(&victim);
        Self { house, base, victim, calls, roles: documented() }
    }

    fn rank(&self, call: &Call) -> usize {
        rank(&self.roles[call.route])
    }

    /// Everything that is stored, queued and published, or what of it is the victim's.
    async fn everything(&self, of_victim: bool) -> BTreeSet<String> {
        let tables = dump::rows(&self.house.store().await).await.unwrap();
        let id = self.victim.tenant.to_string();
        let its = |table: &str, row: &dump::Row| match row.get("tenant_id") {
            Some(tenant) => *tenant == id,
            None if table == "tenants" => row["id"] == id,
            None => !SHARED.contains(&table),
        };
        let mut lines = BTreeSet::new();
        for (table, rows) in tables {
            for mut row in rows.into_iter().filter(|row| !of_victim || its(&table, row)) {
                row.retain(|column, _| !NOTED.contains(&column.as_str()));
                lines.insert(format!("{table}: {row:?}"));
            }
        }
        let queue = self.house.queue();
        let (mut depths, mut books) = (queue.depths().await.unwrap(), queue.books().await.unwrap());
        // Anybody may send alerts of their own.
        depths.retain(|(queue, _)| !of_victim || *queue != QueueName::Intake);
        books.retain(|(tenant, _)| !of_victim || *tenant == self.victim.tenant);
        lines.insert(format!("queues: {depths:?}, books: {books:?}"));
        let published = queue.config_newer(0).await.unwrap().unwrap();
        let document: Document = serde_json::from_slice(&published.document).unwrap();
        let tenants = document.tenants.iter().filter(|tenant| !of_victim || tenant.id == self.victim.tenant);
        lines.insert(format!("published: {:?}", tenants.collect::<Vec<_>>()));
        lines
    }

    /// Sends those of the calls for which `expected` says a status, and looks whether they changed anything.
    async fn send(&self, who: &str, client: &Client, of_victim: bool, expected: impl Fn(&Call) -> Option<u16>) {
        let before = self.everything(of_victim).await;
        let mut wrong = Vec::new();
        let mut sent = 0;
        for call in &self.calls {
            let Some(status) = expected(call) else { continue };
            let (path, body) = (call.path(&self.victim), Some(call.body.clone()).filter(|body| !body.is_null()));
            let answer = client.send(call.method(), &path, body).await;
            let text = answer.body.to_string();
            if answer.status != status || (of_victim && text.contains(MARK)) {
                wrong.push(format!("{} {path}: {} instead of {status}: {text}", call.method(), answer.status));
            }
            sent += 1;
        }
        assert!(sent > 0, "{who}: nothing was sent");
        assert!(wrong.is_empty(), "{who}:\n{}", wrong.join("\n"));
        let after = self.everything(of_victim).await;
        let changed: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(changed.is_empty(), "{who} changed: {changed:#?}");
    }

    /// With the victim's ids, whoever belongs elsewhere finds nothing and changes nothing of the victim's.
    async fn strangers(&self) {
        let tenant = add_tenant(&self.house, "strangers").await;
        let stranger = Client::with_role(&self.house, &self.base, tenant, Role::Owner).await;
        self.send("a stranger", &stranger, true, |call| Some(call.stranger)).await;
        // Whoever runs the installation is one too, until it says for which tenant it acts.
        let admin = browser(&self.base, ADMIN, PASSWORD).await;
        let made = admin.post("/api/v1/tokens", json!({"name": "script", "role": "owner"})).await.expect(201);
        let admin = Client::bearer(&self.base, made["token"].as_str().unwrap());
        let others = |call: &Call| (self.roles[call.route] != "admin").then_some(call.stranger);
        self.send("a platform admin", &admin, true, others).await;
    }

    /// Who is less than a route asks for is refused, in the same tenant; who is enough finds what it reads.
    async fn lesser_roles(&self) {
        for role in [Role::Viewer, Role::Editor, Role::Owner] {
            let (who, own) = (role.as_str(), rank(role.as_str()));
            let made = match role {
                Role::Owner => None,
                role => Some(Client::with_role(&self.house, &self.base, self.victim.tenant, role).await),
            };
            let person = made.as_ref().unwrap_or(&self.victim.owner);
            let expected = |call: &Call| match self.rank(call) {
                needed if needed > own => Some(403),
                0 => None,
                _ if call.method().is_safe() => Some(200),
                // What is one's own, by the id of somebody else's.
                _ => (self.roles[call.route] == "any" && call.stranger == 404 && role != Role::Owner).then_some(404),
            };
            self.send(who, person, false, expected).await;
        }
    }

    /// Who does not prove who it is, or cannot any more, is refused at every door but the public ones.
    async fn without_credentials(&self) {
        let signed_in = log_in(&self.base, &email(Role::Owner, self.victim.tenant), PASSWORD).await;
        let browser = Client::browser(&self.base, &signed_in);
        browser.post("/api/v1/auth/logout", Value::Null).await.expect(204);
        let made =
            self.victim.owner.post("/api/v1/tokens", json!({"name": "brief", "role": "owner"})).await.expect(201);
        self.victim.owner.delete(&format!("/api/v1/tokens/{}", made["id"])).await.expect(204);
        let script = Client::bearer(&self.base, made["token"].as_str().unwrap());
        let nobody = Client::anonymous(&self.base);
        for (who, client) in [("nobody", nobody), ("a revoked session", browser), ("a revoked token", script)] {
            self.send(who, &client, false, |call| (self.rank(call) > 0).then_some(401)).await;
        }
    }

    /// A page of another site has the cookie sent, and knows no CSRF token.
    async fn another_site(&self) {
        let signed_in = log_in(&self.base, &email(Role::Owner, self.victim.tenant), PASSWORD).await;
        let browser = Client::browser(&self.base, &signed_in).without("x-csrf-token");
        let unsafe_ones = |call: &Call| (self.rank(call) > 0 && !call.method().is_safe()).then_some(403);
        self.send("another site", &browser, false, unsafe_ones).await;
    }
}

async fn nobody_passes_who_may_not(database: SecretString) {
    let mut walk = Walk::prepare(&database).await;
    walk.strangers().await;
    walk.lesser_roles().await;
    walk.without_credentials().await;
    walk.another_site().await;
    walk.house.stop().await;
}

#[tokio::test]
async fn nobody_passes_who_may_not_with_sqlite() {
    nobody_passes_who_may_not("sqlite".into()).await;
}

#[tokio::test]
async fn nobody_passes_who_may_not_with_postgres() {
    nobody_passes_who_may_not(testing::database()).await;
}

#[tokio::test]
async fn every_route_of_the_document_is_walked() {
    let mut walk = Walk::prepare(&"sqlite".into()).await;
    let walked: BTreeSet<_> = walk.calls.iter().map(|call| call.route.to_owned()).collect();
    assert_eq!(walked.len(), walk.calls.len(), "an entry is there twice");
    let there: BTreeSet<_> = walk.roles.keys().cloned().collect();
    let missing: Vec<_> = there.difference(&walked).collect();
    assert!(missing.is_empty(), "these routes have no entry in `calls`: {missing:#?}");
    let stale: Vec<_> = walked.difference(&there).collect();
    assert!(stale.is_empty(), "these entries of `calls` have no route: {stale:#?}");
    walk.house.stop().await;
}
