//! A `PulseGuard` moves over: its people sign in, its senders push, and its templates write, all as before.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use axum::{Json, Router, extract::Path as Segments};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};
use watchbell_common::outbound;
use watchbell_harness::{Product, Service, eventually};

const SOON: Duration = Duration::from_secs(20);
const KEY: [u8; 32] = *b"the master key of the other one!";
const BOT: &str = "123456:ABC-def_0123456789";
const HOOK: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/1b2c3d4e-hunter2";
const TOKEN: &str = "pgTokenOfTheOpsChannel_0123456-x";
const LARK_TOKEN: &str = "pgTokenOfTheLarkChannel_012345-x";
const INVITE: &str = "pgInviteCode_0123456789_abcdef-x";
/// `correct horse`, by libxcrypt, with cost 4.
const BCRYPT: &str = "$2a$04$SzGPjLeVZJgJnJgZPGj/zOyqVAcKSIwZnyf1iP8gC7BUpELjgRYDO";
const PASSWORD: &str = "correct horse";
/// Later than any test runs: the year 2100.
const FAR: i64 = 4_102_444_800_000;

/// The tables that hold what moves, with all their columns.
const SCHEMA: &str = "
CREATE TABLE tenants (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL,
    display_name TEXT, role TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER, updated_at INTEGER);
CREATE TABLE invite_codes (code TEXT PRIMARY KEY, created_by INTEGER, used_by INTEGER, expires_at INTEGER,
    used_at INTEGER, created_at INTEGER);
CREATE TABLE bots (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id INTEGER, name TEXT, bot_token_enc BLOB,
    description TEXT, created_at INTEGER, updated_at INTEGER, platform TEXT, enabled INTEGER DEFAULT 1, bot_kind TEXT,
    app_id TEXT, app_secret_enc BLOB, verify_token TEXT, encrypt_key TEXT, smtp_host TEXT, smtp_port INTEGER DEFAULT 587,
    smtp_username TEXT, smtp_password_enc BLOB, smtp_from TEXT, smtp_use_tls INTEGER DEFAULT 1);
CREATE TABLE templates (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id INTEGER, name TEXT, parse_mode TEXT, body TEXT,
    created_at INTEGER, updated_at INTEGER);
CREATE TABLE channels (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id INTEGER, name TEXT, push_token TEXT UNIQUE,
    bot_id INTEGER, chat_id TEXT, rate_per_min INTEGER DEFAULT 60, dedup_window_s INTEGER DEFAULT 0,
    enabled INTEGER DEFAULT 1, created_at INTEGER, updated_at INTEGER);
CREATE TABLE channel_templates (channel_id INTEGER, template_id INTEGER, is_default INTEGER, sort_order INTEGER,
    condition TEXT, created_at INTEGER, PRIMARY KEY (channel_id, template_id));
CREATE TABLE push_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id INTEGER, tenant_id INTEGER, status TEXT);
CREATE TABLE push_logs (id INTEGER PRIMARY KEY AUTOINCREMENT, outbox_id INTEGER, channel_id INTEGER, tenant_id INTEGER,
    payload_json TEXT, rendered_text TEXT, tg_message_id INTEGER, status TEXT, error TEXT, attempts INTEGER,
    created_at INTEGER);
CREATE TABLE commands (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id INTEGER, bot_id INTEGER, name TEXT,
    description TEXT, code TEXT, enabled INTEGER, created_at INTEGER, updated_at INTEGER);
CREATE TABLE silences (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id INTEGER, pattern TEXT, created_by TEXT,
    expires_at INTEGER, created_at INTEGER);
";

/// What an import of [`CONTENT`] tells.
const TOLD: [&str; 13] = [
    "tenants            2              0         0",
    "invites            1              0         1",
    "bots               2              0         1",
    "templates          3              0         0",
    "channels           2              0         1",
    "commands           1              0         0",
    "silences           1              0         1",
    "logs               2              0         1",
    "bot `lark-app` of team@example.org: Lark apps are not supported",
    "channel `app` of team@example.org: its bot could not be brought",
    "bot `ops-bot` of admin@example.org: was switched off",
    "watchbell users reset-password team@example.org",
    "1 pushes wait in it",
];

/// What two accounts set up. Words in capitals are replaced by what they name; bots come apart, encrypted.
const CONTENT: &str = "
INSERT INTO tenants VALUES (1, 'Admin@example.org', 'BCRYPT', 'Root', 'admin', 'active', 1, 1),
    (2, 'team@example.org', 'not a hash', NULL, 'user', 'active', 1, 1);
INSERT INTO invite_codes VALUES ('INVITE', 1, NULL, NULL, NULL, 1), ('used', 1, 2, NULL, 7, 1);
INSERT INTO templates VALUES (3, 1, 'default', 'HTML', '<b>{{ .title | escHTML }}</b> {{ .value }}', 1, 1),
    (7, 1, 'critical', 'HTML', 'CRITICAL {{ .title | upper }}', 1, 1),
    (8, 2, 'named', 'None', 'named {{ .title }}', 1, 1);
INSERT INTO channels VALUES (5, 1, 'ops', 'TOKEN', 1, '-1001234567890', 0, 0, 1, 1, 1),
    (6, 1, 'lark', 'LARK', 2, 'x', 0, 0, 1, 1, 1), (7, 2, 'app', 'pgTokenOfTheAppChannel', 3, 'x', 0, 0, 1, 1, 1);
INSERT INTO channel_templates VALUES (5, 3, 1, 0, '', 1), (5, 7, 0, 1, 'level eq critical', 1);
INSERT INTO commands VALUES (1, 1, 1, 'hello', '', 'def handle(args): return \"hi\"', 1, 1, 1);
INSERT INTO silences VALUES (1, 1, 'db-', '42', FAR, 1), (2, 1, 'old', '42', 2, 1);
INSERT INTO push_logs VALUES (1, 1, 5, 1, '{\"title\":\"an old one\",\"level\":\"critical\"}', 'x', 9, 'sent', NULL, 1, 1795000000000),
    (2, 2, 5, 1, '{\"title\":\"a dead one\"}', 'x', NULL, 'dead', 'Post https://api.telegram.org/botSECRET/sendMessage: EOF', 6, 1795000001000),
    (3, 3, 7, 2, '{\"title\":\"homeless\"}', 'x', NULL, 'sent', NULL, 1, 1795000002000);
INSERT INTO push_outbox VALUES (1, 5, 1, 'retry');
";

fn encrypted(secret: &str) -> Vec<u8> {
    let mut text = secret.as_bytes().to_vec();
    let key = RandomizedNonceKey::new(&AES_256_GCM, &KEY).unwrap();
    let nonce = key.seal_in_place_append_tag(Aad::empty(), &mut text).unwrap();
    [nonce.as_ref().as_slice(), &text].concat()
}

/// The file of a `PulseGuard`.
fn installation(dir: &Path) -> PathBuf {
    let file = dir.join("pulseguard.db");
    let database = Connection::open(&file).unwrap();
    database.execute_batch(SCHEMA).unwrap();
    let content = [("BCRYPT", BCRYPT), ("INVITE", INVITE), ("TOKEN", TOKEN), ("LARK", LARK_TOKEN), ("SECRET", BOT)];
    let content = content.into_iter().fold(CONTENT.to_owned(), |text, (name, value)| {
        text.replace(&format!("'{name}'"), &format!("'{value}'")).replace(&format!("bot{name}"), &format!("bot{value}"))
    });
    database.execute_batch(&content.replace("FAR", &FAR.to_string())).unwrap();
    for (id, tenant, name, platform, kind, token) in [
        (1, 1, "ops-bot", "telegram", "webhook", BOT),
        (2, 1, "lark-hook", "lark", "webhook", HOOK),
        (3, 2, "lark-app", "lark", "app", ""),
    ] {
        let statement = "INSERT INTO bots (id, tenant_id, name, platform, bot_kind, bot_token_enc, enabled)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        database.execute(statement, params![id, tenant, name, platform, kind, encrypted(token), id != 1]).unwrap();
    }
    file
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// Telegram's Bot API, as far as it takes messages.
async fn telegram(tasks: &mut JoinSet<()>) -> (String, Arc<Mutex<Vec<Value>>>) {
    let sent = Arc::<Mutex<Vec<Value>>>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let messages = sent.clone();
    let answer = async move |Segments((bot, _)): Segments<(String, String)>, Json(request): Json<Value>| {
        assert_eq!(bot, format!("bot{BOT}"));
        messages.lock().unwrap().push(request);
        Json(json!({ "ok": true, "result": { "message_id": 1, "date": 1, "chat": { "id": 1, "type": "group" } } }))
    };
    let router = Router::new().route("/{bot}/{method}", axum::routing::post(answer));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulseguard_moves_over_without_its_senders_noticing() {
    let mut tasks = JoinSet::new();
    let (base, sent) = telegram(&mut tasks).await;
    let settings =
        [("WATCHBELL_TELEGRAM_API_BASE", base.as_str()), ("WATCHBELL_OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8")];
    let mut product = Product::stopped_with("", &settings);
    let file = installation(product.dir());
    let key = product.dir().join("key");
    std::fs::write(&key, STANDARD.encode(KEY)).unwrap();
    let import = |more: &[&str]| {
        let args = ["import", "pulseguard", file.to_str().unwrap(), "--master-key-file", key.to_str().unwrap()];
        product.command(&[&args, more].concat())
    };

    let dry = import(&["--dry-run"]);
    assert!(dry.status.success() && said(&dry).contains("to bring"), "{}", said(&dry));
    let first = import(&[]);
    let told = said(&first);
    assert!(first.status.success(), "{told}");
    for line in TOLD {
        assert!(told.contains(line), "no `{line}` in:\n{told}");
    }
    assert_eq!(said(&dry).replace("to bring", " brought"), told, "a dry run says the same, and brings nothing");
    let again = said(&import(&[]));
    assert!(again.contains("logs               0              2         1"), "{again}");
    assert!(again.lines().skip(1).take(8).all(|line| line.split_whitespace().nth(1) == Some("0")), "{again}");
    assert!(!format!("{told}{again}").contains("hunter2") && !told.contains(BOT), "{told}");

    product.start(Service::Serve);
    product.ready().await;
    let running =
        product.command(&["import", "pulseguard", file.to_str().unwrap(), "--master-key", &STANDARD.encode(KEY)]);
    assert!(!running.status.success() && said(&running).contains("stop it first"), "{}", said(&running));

    let cookie = log_in(&product).await;
    for (body, text) in [
        (json!({ "title": "disk <full>", "value": 1_048_576, "level": "warning" }), "<b>disk &lt;full&gt;</b> 1048576"),
        (json!({ "title": "db down", "level": "Critical" }), "CRITICAL DB DOWN"),
        (json!({ "title": "cpu", "value": 1, "level": "critical", "_template_id": 3 }), "<b>cpu</b> 1"),
    ] {
        assert_eq!(product.push(TOKEN, &body).await.status(), StatusCode::ACCEPTED);
        let message = eventually("the message", SOON, || {
            let found = sent.lock().unwrap().iter().find(|message| message["text"] == text).cloned();
            std::future::ready(found)
        })
        .await;
        assert_eq!((&message["chat_id"], &message["parse_mode"]), (&json!(-1_001_234_567_890_i64), &json!("HTML")));
    }
    let count = sent.lock().unwrap().len();
    let silenced = json!({ "title": "quiet", "_fingerprint": "db-7" });
    assert_eq!(product.push(TOKEN, &silenced).await.status(), StatusCode::ACCEPTED);
    eventually("the silence to hold", SOON, || async {
        let alerts = get(&product, &cookie, "/api/v1/alerts").await;
        (alerts.contains("an old one") && alerts.contains("quiet")).then_some(())
    })
    .await;
    assert_eq!(sent.lock().unwrap().len(), count, "what is silenced is not sent");
    let history = get(&product, &cookie, "/api/v1/logs").await;
    assert!(history.contains("an old one") && history.contains("bot***/sendMessage: EOF"), "{history}");
    assert!(!history.contains(BOT), "{history}");
    assert!(get(&product, &cookie, "/api/v1/invites").await.contains(INVITE));
    assert!(get(&product, &cookie, "/api/v1/channels").await.contains(LARK_TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_it_moves_in_while_the_services_run() {
    let product = Product::distributed("").await;
    let file = installation(product.dir());
    let key = STANDARD.encode(KEY);
    assert_eq!(product.push(TOKEN, &json!({ "title": "early" })).await.status(), StatusCode::NOT_FOUND);
    for many in [2, 0] {
        let output = product.command(&["import", "pulseguard", file.to_str().unwrap(), "--master-key", &key]);
        assert!(
            output.status.success() && said(&output).contains(&format!("logs      {many:>10}")),
            "{}",
            said(&output)
        );
    }
    eventually("the push token to be known", SOON, || async {
        (product.push(TOKEN, &json!({ "title": "moved" })).await.status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
}

/// Signs in with the password of before; the session's cookie.
async fn log_in(product: &Product) -> String {
    let url = format!("http://{}/api/v1/auth/login", product.http);
    let body = json!({ "email": "admin@example.org", "password": PASSWORD });
    let answer = outbound::client().unwrap().post(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers().get_all("set-cookie").iter().next().unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn get(product: &Product, cookie: &str, path: &str) -> String {
    let url = format!("http://{}{path}", product.http);
    let answer = outbound::client().unwrap().get(url).header("cookie", cookie).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    text
}

/// Posts JSON with curl, as a script does. The status and the answer.
fn curl(url: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["-sS", "-X", "POST", url, "-H", "Content-Type: application/json", "-d", &body.to_string()]);
    command.args(["-w", "\n%{http_code}"]);
    if let Some(token) = token {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.output().expect("curl is installed");
    let (answer, status) = String::from_utf8(output.stdout).unwrap().rsplit_once('\n').map(own).unwrap();
    (status.parse().unwrap(), serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_that_its_manual_shows_set_a_channel_up_with_a_bearer_token() {
    let mut tasks = JoinSet::new();
    let (telegram, sent) = telegram(&mut tasks).await;
    let settings = [
        ("WATCHBELL_TELEGRAM_API_BASE", telegram.as_str()),
        ("WATCHBELL_OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8"),
        ("WATCHBELL_BOOTSTRAP_ADMIN_EMAIL", "admin@example.org"),
        ("WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD),
    ];
    let product = Product::embedded_with("", &settings).await;
    let url = |path: &str| format!("http://{}/api/v1/{path}", product.http);
    let login = json!({ "email": "admin@example.org", "password": PASSWORD });
    let (status, tokens) = curl(&url("auth/token"), None, &login);
    assert_eq!(status, 200, "{tokens}");
    let token = tokens["access_token"].as_str().unwrap();
    let make = |kind: &str, body: Value| {
        let (status, made) = curl(&url(kind), Some(token), &body);
        assert_eq!(status, 201, "{kind}: {made}");
        made
    };
    let bot = make("bots", json!({ "name": "ops-bot", "platform": "telegram", "bot_token": BOT }));
    assert!(!bot.to_string().contains(BOT), "{bot}");
    let body = "{{ if eq .level \"critical\" }}\u{1f6a8}{{ else }}\u{26a0}{{ end }} *{{ .title | escMD }}*\n\n\
                Host: `{{ .host | escMD }}`\nValue: *{{ .value | escMD }}*";
    let template = make("templates", json!({ "name": "alert-md", "parse_mode": "MarkdownV2", "body": body }));
    let channel = make(
        "channels",
        json!({ "name": "prod-cpu", "bot_id": bot["id"], "chat_id": "-1001234567890", "rate_per_min": 60,
            "dedup_window_s": 300, "templates": [{ "template_id": template["id"], "is_default": true }] }),
    );
    let push = url(&format!("push/{}", channel["push_token"].as_str().unwrap()));
    let alert = json!({ "title": "CPU High", "host": "db01.prod", "level": "critical", "value": "95%",
        "dedup_key": "cpu_db01" });
    let (status, queued) = curl(&push, None, &alert);
    assert!(status == 202 && queued["status"] == "queued" && queued["push_id"].is_string(), "{status} {queued}");
    let message = eventually("the message", SOON, || std::future::ready(sent.lock().unwrap().first().cloned())).await;
    assert_eq!(message["text"], "\u{1f6a8} *CPU High*\n\nHost: `db01\\.prod`\nValue: *95%*");
    assert_eq!((&message["chat_id"], &message["parse_mode"]), (&json!(-1_001_234_567_890_i64), &json!("MarkdownV2")));
    assert_eq!(curl(&push, None, &alert), (200, json!({ "dropped": true, "reason": "dedup" })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_pulseguard_or_another_ones_is_refused() {
    let product = Product::stopped_with("", &[]);
    let file = installation(product.dir());
    let other = product.dir().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE bots (id INTEGER)").unwrap();
    let text = product.dir().join("text");
    std::fs::write(&text, "x".repeat(5_000)).unwrap();
    for (file, key, why) in [
        (&file, STANDARD.encode([7; 32]), "opens none of the secrets"),
        (&file, "c2hvcnQ=".to_owned(), "not 32 bytes in base64"),
        (&other, STANDARD.encode(KEY), "has no table `channel_templates`"),
        (&text, STANDARD.encode(KEY), "not a database"),
        (&product.dir().join("nowhere"), STANDARD.encode(KEY), "nowhere"),
    ] {
        let output = product.command(&["import", "pulseguard", file.to_str().unwrap(), "--master-key", &key]);
        assert!(!output.status.success() && said(&output).contains(why), "{why}: {}", said(&output));
        assert!(!said(&output).contains(&key));
    }
}
