//! Marked secrets: everything that holds one is made to fail, and then they are looked for everywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use watchbell_channels::ALL;
use watchbell_common::{
    crypto::hex,
    outbound,
    store::{Store, dump},
};
use watchbell_harness::{Product, eventually, free_address};

use crate::mail;

const SOON: Duration = Duration::from_mins(1);

/// Everything a secret is called here begins so. Letters and digits only, so that no platform refuses it.
const MARK: &str = "mArKeDs3cr3t";

/// What answers without a sign-in. Every other route that reads is found in the OpenAPI document.
const OPEN_ANSWERS: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// The route that never ends.
const STREAM: &str = "/api/v1/live";

/// How many of the things of one kind are asked for one by one.
const EACH_MAX: usize = 200;

/// Some of the destinations say nothing for as long as they are let.
const TESTS_AT_ONCE: usize = 16;

const ADMIN: &str = "admin@example.org";

/// How a destination fails.
#[derive(Debug, Clone, Copy)]
enum Failing {
    /// It repeats the whole request, in the body and in headers, with this status.
    Echo(u16),
    /// It says what is not HTTP (nor SMTP).
    Garbage,
    /// It takes the request and says nothing.
    Silent,
    /// Nobody listens.
    Absent,
}

const FAILURES: [Failing; 6] =
    [Failing::Echo(200), Failing::Echo(401), Failing::Echo(503), Failing::Garbage, Failing::Silent, Failing::Absent];

impl Failing {
    /// The port of such a destination on loopback, for HTTP or SMTP.
    async fn serve(self, smtp: bool, tasks: &mut JoinSet<()>) -> u16 {
        if matches!(self, Self::Absent) {
            return free_address().port();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(async move {
                    // A client that goes away is none of our business.
                    let _ = if smtp { self.converse(stream).await } else { self.answer(stream).await };
                });
            }
        });
        port
    }

    async fn answer(self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = vec![0; 128 * 1024];
        let mut length = 0;
        // The whole request: what comes until there is a pause.
        while let Ok(read) = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut request[length..])).await
        {
            match read? {
                0 => break,
                more => length += more,
            }
        }
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        match self {
            Self::Echo(status) => {
                let line: String = request.chars().filter(char::is_ascii_graphic).take(400).collect();
                let head = format!(
                    "HTTP/1.1 {status} {line}\r\nx-echo: {line}\r\nlocation: http://127.0.0.1:1/{line}\r\nconnection: close\r\n"
                );
                stream.write_all(format!("{head}content-length: {}\r\n\r\n{request}", request.len()).as_bytes()).await
            }
            Self::Garbage => stream.write_all(format!("\0\u{1}{request}").as_bytes()).await,
            Self::Silent | Self::Absent => stream.read_exact(&mut [0]).await.map(drop),
        }
    }

    async fn converse(self, mut stream: TcpStream) -> std::io::Result<()> {
        match self {
            Self::Echo(status) => {
                let code = if status == 503 { "451" } else { "535" };
                stream.write_all(b"220 echo\r\n").await?;
                let mut buffer = vec![0; 16 * 1024];
                loop {
                    let read = stream.read(&mut buffer).await?;
                    let said = String::from_utf8_lossy(&buffer[..read]).trim().replace(['\r', '\n'], " ");
                    let answer = match said.split(' ').next().unwrap_or_default() {
                        "" => return Ok(()),
                        "EHLO" => "250-echo\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
                        _ => format!("{code} {said}\r\n"),
                    };
                    stream.write_all(answer.as_bytes()).await?;
                }
            }
            Self::Garbage => stream.write_all(b"\0\x01\x02 no greeting\r\n").await,
            Self::Silent | Self::Absent => stream.read_exact(&mut [0]).await.map(drop),
        }
    }
}

/// The provisioning file of one failing destination: a channel of every kind, with a secret in every secret field.
struct Marked {
    yaml_bots: String,
    yaml_channels: String,
    names: Vec<String>,
    /// Every secret, in each form in which it is sent.
    marks: Vec<String>,
    /// `kind.field` of every secret field that was filled.
    fields: BTreeSet<String>,
}

impl Marked {
    fn mark(&mut self, kind: &str, field: &str) -> String {
        let mark = format!("{MARK}{kind}{}", field.replace('_', ""));
        self.fields.insert(format!("{kind}.{field}"));
        self.marks.push(mark.clone());
        mark
    }

    fn channel(&mut self, name: &str, kind: &str, rest: &str) {
        let token = format!("{MARK}pushtoken{name}");
        let line = format!("  - {{ name: {name}, platform: {kind}, push_token: {token}, {rest} }}\n");
        self.yaml_channels.push_str(&line);
        self.marks.push(token);
        self.names.push(name.to_owned());
    }

    fn bot(&mut self, name: &str, kind: &str, rest: &str) {
        let line = format!("  - {{ name: {name}, platform: {kind}, {rest} }}\n");
        self.yaml_bots.push_str(&line);
    }

    /// A channel of that kind at a port. `n` tells the destinations apart.
    fn add(&mut self, kind: &'static str, n: usize, port: u16, smtp_port: u16) {
        let base = format!("http://127.0.0.1:{port}");
        let name = format!("{kind}{n}");
        match kind {
            "console" => {}
            "discord" | "slack" | "teams" | "mattermost" | "lark" => {
                let mark = self.mark(kind, "webhook_url");
                let path = match kind {
                    "discord" => "api/webhooks/1/",
                    "slack" => "services/T0/B0/",
                    "mattermost" => "hooks/",
                    "lark" => "open-apis/bot/v2/hook/",
                    _ => "workflows/0/invoke?sig=",
                };
                let sign = if kind == "lark" {
                    format!(", sign_secret: {}", self.mark(kind, "sign_secret"))
                } else {
                    String::new()
                };
                self.channel(&name, kind, &format!("options: {{ webhook_url: '{base}/{path}{mark}'{sign} }}"));
            }
            "gotify" => {
                let token = self.mark(kind, "token");
                self.channel(&name, kind, &format!("target: '{base}', options: {{ token: {token} }}"));
            }
            "ntfy" => {
                let token = self.mark(kind, "token");
                self.channel(&name, kind, &format!("target: '{base}/topic', options: {{ token: {token} }}"));
                let password = self.mark(kind, "password");
                self.marks.push(STANDARD.encode(format!("me:{password}")));
                let options = format!("options: {{ username: me, password: {password} }}");
                self.channel(&format!("{name}p"), kind, &format!("target: '{base}/topic', {options}"));
            }
            "webhook" => {
                let authorization = self.mark(kind, "authorization");
                let signing = STANDARD.encode(self.mark(kind, "signing_secret"));
                let options = format!("authorization: 'Bearer {authorization}', signing_secret: 'whsec_{signing}'");
                self.marks.push(signing);
                self.channel(&name, kind, &format!("target: '{base}/in', options: {{ {options} }}"));
            }
            "telegram" => {
                let token = self.mark(kind, "bot_token");
                self.bot(&name, kind, &format!("bot_token: '{n}:{token}', api_base: '{base}'"));
                self.channel(&name, kind, &format!("bot: {name}, target: '-100{n}'"));
                let proxy = self.mark(kind, "proxy");
                self.marks.push(STANDARD.encode(format!("me:{proxy}")));
                let through = format!("proxy: 'http://me:{proxy}@127.0.0.1:{port}'");
                self.bot(&format!("{name}p"), kind, &format!("bot_token: '9{n}:{token}', {through}"));
                self.channel(&format!("{name}p"), kind, &format!("bot: {name}p, target: '-200{n}'"));
            }
            "email" => {
                let password = self.mark(kind, "password");
                self.marks.push(STANDARD.encode(&password));
                self.marks.push(STANDARD.encode(format!("\0me\0{password}")));
                let relay = format!("host: 127.0.0.1, port: '{smtp_port}', tls: none, from: w@example.org");
                self.bot(&name, kind, &format!("{relay}, username: me, password: {password}"));
                self.channel(&name, kind, &format!("bot: {name}, target: ops@example.org"));
            }
            "sms" => self.add_sms(n, &base),
            other => panic!("{other} needs marked secrets here"),
        }
    }

    fn add_sms(&mut self, n: usize, base: &str) {
        let sid = "AC0123456789abcdef0123456789abcdef";
        let token = self.mark("sms", "auth_token");
        self.marks.push(STANDARD.encode(format!("{sid}:{token}")));
        let from = "from: '+15005550006'";
        let (twilio, kavenegar, generic) = (format!("twilio{n}"), format!("kavenegar{n}"), format!("generic{n}"));
        self.bot(
            &twilio,
            "sms",
            &format!("provider: twilio, account_sid: {sid}, auth_token: {token}, {from}, base_url: '{base}'"),
        );
        let key = self.mark("sms", "api_key");
        self.bot(&kavenegar, "sms", &format!("provider: kavenegar, api_key: {key}, base_url: '{base}'"));
        let password = self.mark("sms", "password");
        self.marks.push(STANDARD.encode(format!("me:{password}")));
        let given = format!("username: me, password: {password}, api_key: {key}");
        self.bot(&generic, "sms", &format!("provider: generic, {given}"));
        for bot in [twilio, kavenegar] {
            self.channel(&bot, "sms", &format!("bot: {bot}, target: '+4915112345678'"));
        }
        let url = format!("'{base}/send?to={{to}}&key={{api_key}}'");
        let body = "'pw={password}&text={text}'";
        self.channel(
            &generic,
            "sms",
            &format!("bot: {generic}, target: '+4915112345678', options: {{ url: {url}, body: {body} }}"),
        );
    }
}

async fn marked(tasks: &mut JoinSet<()>) -> Marked {
    let mut marked = Marked {
        yaml_bots: String::new(),
        yaml_channels: String::new(),
        names: Vec::new(),
        marks: Vec::new(),
        fields: BTreeSet::new(),
    };
    for (n, failing) in (1..).zip(FAILURES) {
        let (port, smtp_port) = (failing.serve(false, tasks).await, failing.serve(true, tasks).await);
        for kind in ALL {
            marked.add(kind.id, n, port, smtp_port);
        }
    }
    marked
}

/// Starts the product, makes everything fail, and looks everywhere.
async fn nothing_leaks(start: impl AsyncFnOnce(&str, &[(&str, &str)]) -> Product) {
    let mut tasks = JoinSet::new();
    let mut marked = marked(&mut tasks).await;
    let secret = |kind: &&watchbell_channels::ChannelKind| {
        let fields = kind.bot.iter().chain(kind.fields).filter(|field| field.secret);
        fields.map(|field| format!("{}.{}", kind.id, field.name)).collect::<Vec<_>>()
    };
    assert_eq!(marked.fields, ALL.iter().flat_map(secret).collect(), "every secret field has a marked secret");

    let model = Failing::Echo(401).serve(false, &mut tasks).await;
    let (model_key, password) = (format!("{MARK}modelkey"), format!("{MARK}password"));
    let master_key = STANDARD.encode("mArKeDs3cr3t master key, 32 byte");
    let yaml = format!(
        "bots:\n{}channels:\n{}default_channels: [{}]\nai: {{ base_url: 'http://127.0.0.1:{model}/v1', model: m, api_key: {model_key} }}\n",
        marked.yaml_bots,
        marked.yaml_channels,
        marked.names.join(", ")
    );
    let settings = [
        ("WATCHBELL_LOG_FILTER", "trace"),
        ("WATCHBELL_DISPATCHER_ATTEMPT_TIMEOUT", "1s"),
        ("WATCHBELL_SECURITY_MASTER_KEY", &master_key),
        ("WATCHBELL_BOOTSTRAP_ADMIN_EMAIL", ADMIN),
        ("WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD", &password),
    ];
    let product = start(&yaml, &settings).await;
    marked.marks.extend([model_key, master_key.clone(), password.clone()]);
    fail(&product, &mut marked).await;

    let mut places = product.words();
    assert!(places.iter().map(|(_, text)| text.len()).sum::<usize>() > 100_000, "the log is not at trace");
    places.extend(answers(&product, &password).await);
    places.extend(kept(&product).await);
    let known = |(_, text): &(String, String)| text.contains("gotify1");
    assert!(places.iter().any(|place| place.0.contains("store") && known(place)), "the store was not looked at");
    // As the tests' dump of a store shows bytes.
    marked.marks.extend(marked.marks.clone().iter().map(|mark| hex(mark.as_bytes())));
    let search = AhoCorasick::new(&marked.marks).unwrap();
    let (mut found, mut shown) = (BTreeSet::new(), 0);
    for (name, text) in &places {
        for hit in search.find_iter(text) {
            let mark = &text[hit.range()];
            if may_show(name, mark) {
                shown += 1;
            } else {
                found.insert(format!("{name} holds {mark}: {}", around(text, mark)));
            }
        }
    }
    assert!(shown > marked.names.len(), "not even the push tokens were found, which editors see");
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Editors see push tokens, which they give to senders.
fn may_show(place: &str, mark: &str) -> bool {
    place.starts_with("GET /api/v1/channels") && mark.starts_with(&format!("{MARK}pushtoken"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_marked_secret_is_found_anywhere_after_everything_failed() {
    nothing_leaks(Product::embedded_with).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_marked_secret_is_found_anywhere_in_the_distributed_product() {
    nothing_leaks(Product::distributed_with).await;
}

/// Sends something to every channel and waits until each has failed.
async fn fail(product: &Product, marked: &mut Marked) {
    let unknown = format!("{MARK}unknowntoken00");
    assert_eq!(product.push(&unknown, &json!({ "title": "x" })).await.status(), 404);
    marked.marks.push(unknown);
    product.mail("probe@corp.example", "ops@corp.example", &mail("something to deliver")).await;
    let pushed = product.push(&format!("{MARK}pushtokengotify1"), &json!({ "title": "x" })).await;
    assert_eq!(pushed.status(), 202);

    // Each channel has tried, and those that were told to try again have done so once more.
    let wanted = u64::try_from(marked.names.len()).unwrap() + 5;
    let kinds: BTreeSet<_> = marked.fields.iter().filter_map(|field| field.split('.').next()).collect();
    eventually("every channel to have tried", SOON, || async {
        let metrics = product.metrics().await;
        let every_kind = kinds.iter().all(|kind| metrics.contains(&format!("platform=\"{kind}\"")));
        (every_kind && attempts(&metrics) >= wanted).then_some(())
    })
    .await;
    eventually("the history to have it", SOON, || async {
        let recorded = product.metrics().await.lines().any(|line| {
            line.starts_with("watchbell_jobs{")
                && line.contains("history")
                && line.contains("ready")
                && line.ends_with(" 0")
        });
        (product.books()["received"] == 2 && recorded).then_some(())
    })
    .await;
}

/// What is answered: over HTTP by every route that reads, and on the command line.
async fn answers(product: &Product, password: &str) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for path in OPEN_ANSWERS {
        places.push((path.to_owned(), product.get(path).await));
    }
    places.push(("all metrics".to_owned(), product.metrics().await));
    let openapi = product.command(&["openapi"]).stdout;
    let document: Value = serde_json::from_slice(&openapi).unwrap();
    let admin = Admin::sign_in(product, password).await;
    let mut made: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let paths = document["paths"].as_object().unwrap().iter();
    let mut reading: Vec<_> = paths.filter(|(_, methods)| methods["get"].is_object()).map(|(path, _)| path).collect();
    // Lists before what needs their ids.
    reading.sort_by_key(|path| path.contains('{'));
    for path in reading.into_iter().filter(|path| *path != STREAM) {
        let Some((list, rest)) = path.split_once("/{") else {
            let answer = admin.call(Method::GET, path).await;
            made.insert(path.clone(), ids(&answer.1));
            places.push(answer);
            continue;
        };
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        for id in made.get(list).into_iter().flatten().take(EACH_MAX) {
            places.push(admin.call(Method::GET, &format!("{list}/{id}{after}")).await);
        }
    }
    for list in ["/api/v1/channels", "/api/v1/ai-providers"] {
        assert!(!made[list].is_empty(), "{list}");
        let tests = made[list].iter().map(|id| format!("{list}/{id}/test"));
        let calls = stream::iter(tests).map(|path| admin.call(Method::POST, path));
        places.extend(calls.buffer_unordered(TESTS_AT_ONCE).collect::<Vec<_>>().await);
    }
    for args in [&["dead", "list", "--json", "--limit", "1000"][..], &["books", "--json"], &["keys", "list"]] {
        let output = product.command(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        places.push((args.join(" "), String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    places
}

/// The ids that a list shows.
fn ids(list: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(list).unwrap_or_default();
    let items = list["items"].as_array().into_iter().flatten();
    items.map(|item| item["id"].as_str().map_or_else(|| item["id"].to_string(), str::to_owned)).collect()
}

/// Who runs the installation, signed in as a script.
struct Admin {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Admin {
    async fn sign_in(product: &Product, password: &str) -> Self {
        let (base, http) = (product.api_base(), outbound::client().unwrap());
        let body = json!({"email": ADMIN, "password": password});
        let answer = http.post(format!("{base}/api/v1/auth/token")).json(&body).send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        Self { base, token: answer["access_token"].as_str().unwrap().to_owned(), http }
    }

    /// What a route answers, under the name of the call.
    async fn call(&self, method: Method, path: impl AsRef<str>) -> (String, String) {
        let path = path.as_ref();
        let request = self.http.request(method.clone(), format!("{}{path}", self.base)).bearer_auth(&self.token);
        let answer = request.body("{}").send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success() || status == StatusCode::NOT_FOUND, "{method} {path}: {status} {text}");
        (format!("{method} {path}"), text)
    }
}

/// What is kept: the store, the queue, and whatever else lies in the folders.
async fn kept(product: &Product) -> Vec<(String, String)> {
    let mut places = files(&product.data_dir());
    if let Some(redis) = product.redis_dir() {
        places.extend(files(redis));
        places.extend(files(&redis.join("appendonlydir")));
    }
    let store = Store::open(&product.database(), &product.data_dir()).await.unwrap();
    for (table, rows) in dump::rows(&store).await.unwrap() {
        places.push((format!("the store's {table}"), format!("{rows:?}")));
    }
    store.close().await;
    places
}

/// How many attempts to deliver the figures know.
fn attempts(metrics: &str) -> u64 {
    let counted = metrics.lines().filter(|line| line.starts_with("watchbell_deliveries_total{"));
    counted.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// The files of a folder, as far as they are text: databases, their logs, every command that Redis wrote down.
fn files(dir: &Path) -> Vec<(String, String)> {
    let paths = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    let read =
        |path: PathBuf| (path.display().to_string(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
    paths.filter(|path| path.is_file()).map(read).collect()
}

/// The text before and after a find, for the eye.
fn around(text: &str, mark: &str) -> String {
    let at = text.find(mark).unwrap_or_default();
    let start = text.floor_char_boundary(at.saturating_sub(200));
    let end = text.ceil_char_boundary((at + mark.len() + 50).min(text.len()));
    text[start..end].escape_debug().to_string()
}
