//! The contract that every channel keeps, run for each entry of [`ALL`] against a local server that answers
//! as it is told. A new channel says in its `example` how to point it at that server; nothing else is needed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use tokio::{io::AsyncReadExt as _, net::TcpListener, task::JoinSet};
use watchbell_common::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    clock::ManualClock,
    config::{Channel as ChannelConfig, OpenChannel},
    crypto::{Place, Vault},
    ids::{ChannelId, DeliveryId, EventId, TenantId},
    outbound::{Guard, Http},
    payload::DeliverPayload,
};

use super::*;

mod languages;
mod paces;
pub(crate) mod tls;

/// How the suite sets a channel up.
#[derive(Debug)]
pub(crate) enum Example {
    /// It speaks HTTP.
    Http(HttpExample),
    /// It calls nobody; its own tests show what it does.
    Local,
}

/// A channel that makes one HTTP request for each message.
#[derive(Debug)]
pub(crate) struct HttpExample {
    /// Speaks to this base URL, and each of its secrets contains `hunter`.
    pub(crate) channel: fn(base: &str) -> OpenChannel,
    /// What the platform answers to this request: that it took the message, if it would have. …
    pub(crate) success: fn(request: &str) -> Response,
    /// … and how it then calls it.
    pub(crate) provider_id: Option<&'static str>,
}

/// 2026-11-20T10:00:00Z
pub(crate) const NOW: i64 = 1_795_168_800_000;

/// Long enough for a loaded machine to answer, short enough to wait for.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// What a delivery of an ordinary alert carries.
pub(crate) fn payload() -> DeliverPayload {
    let text = |text: &str| text.to_owned();
    let fingerprint = text("0123456789abcdef0123456789abcdef");
    DeliverPayload {
        delivery: DeliveryId::derived(&[b"1"]),
        channel: ChannelId(7),
        alert: Alert {
            event: Event {
                id: EventId::derived(&[b"1"]),
                tenant: TenantId::DEFAULT,
                received_at: NOW - 1_500,
                source: text("mail"),
                channel: None,
                peer: None,
                from: vec![text("bounce@relay.example.org"), text("root@db1.example.org")],
                to: vec![text("alerts@example.org")],
                subject: text("Disk FULL on db1"),
                text: text("Filesystem /var is 100 % full."),
                labels: [(text("team"), text("storage"))].into(),
                attachments: Vec::new(),
            },
            analysis: Analysis {
                severity: Severity::Critical,
                status: Status::Firing,
                category: text("disk"),
                system: text("db1"),
                summary: text("/var on db1 is full"),
                action: text("free some space on /var"),
                origin: Origin::Rules,
                confidence: 1.0,
            },
            id: Alert::id_of(TenantId::DEFAULT, &fingerprint),
            fingerprint,
        },
        count: 3,
        since: Some(NOW - 61_500),
        update: false,
    }
}

/// The rendered form of [`payload`].
pub(crate) fn message() -> Message {
    Message::new(payload())
}

/// The rendered form of [`payload`] where people reach the dashboard at `https://{host}`, and its link.
pub(crate) fn message_at(host: &str) -> (Message, String) {
    let manner = Manner { public_url: Some(format!("https://{host}")), ..Manner::default() };
    let message = Message::in_manner(payload(), &manner);
    let link = message.link.clone().unwrap();
    (message, link)
}

/// The rendered form of [`payload`] in Chinese.
pub(crate) fn message_in_chinese() -> Message {
    let mut channel = channel("console", "");
    channel.channel.options.insert("language".to_owned(), "zh".into());
    Message::in_manner(payload(), &Manner::of(&channel, None).unwrap())
}

/// Where people reach the dashboard: a name that platforms take, and one that some of them refuse.
pub(crate) const HOST: &str = "watchbell.example.org";
pub(crate) const BARE_HOST: &str = "watchbell:8080";

/// A channel without options or secrets.
pub(crate) fn channel(platform: &str, target: &str) -> OpenChannel {
    let vault = Vault::from_base64(&"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()).unwrap();
    let channel = ChannelConfig {
        id: ChannelId(7),
        name: "it".to_owned(),
        platform: platform.to_owned(),
        bot: None,
        target: target.to_owned(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: vault.seal(&Place::push_token(TenantId::DEFAULT, ChannelId(7)), &"x".into()),
        templates: Vec::new(),
        enabled: true,
    };
    OpenChannel { tenant: TenantId::DEFAULT, channel, secrets: BTreeMap::new(), trusted: true, templates: Vec::new() }
}

/// A channel whose URL is its secret.
pub(crate) fn hook(platform: &str, url: &str) -> OpenChannel {
    let mut channel = channel(platform, "");
    channel.secrets.insert("webhook_url".into(), url.into());
    channel
}

/// The rendered form of an alert in which every text of the sender's is this one, and of which the analysis is a
/// guess.
pub(crate) fn message_saying(text: &str) -> Message {
    let mut payload = payload();
    let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
    let excerpt = [text; 9].map(|line| format!("excerpt {line}")).join("\n");
    (event.subject, event.text, event.from) = (format!("subject {text}"), excerpt, vec![text.to_owned()]);
    for field in [&mut analysis.summary, &mut analysis.action, &mut analysis.system] {
        text.clone_into(field);
    }
    analysis.confidence = 0.4;
    Message::new(payload)
}

/// The JSON that a [`Server`] was sent.
pub(crate) fn json_body(request: &str) -> Option<serde_json::Value> {
    serde_json::from_str(request.split_once("\n\n")?.1).ok()
}

/// A header that a [`Server`] was sent.
pub(crate) fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// How long the body was that a [`Server`] was sent.
pub(crate) fn body_bytes(request: &str) -> usize {
    header(request, "content-length").unwrap().parse().unwrap()
}

/// What comes of sending to a platform that answers like this: the class of the error and its text.
pub(crate) async fn refusal(example: fn(base: &str) -> OpenChannel, answer: fn(&str) -> Response) -> String {
    let server = Server::answering(answer).await;
    let channel = configure(&example(&server.base), &tools()).unwrap();
    let error = channel.send(&message(), None).await.unwrap_err();
    let wait = match &error {
        SendError::RateLimited { retry_after, .. } => format!(" {retry_after:?}"),
        _ => String::new(),
    };
    format!("{}{wait}: {error}", error.class())
}

/// With a clock that stands still.
pub(crate) fn tools() -> Tools {
    let http = Http::open().unwrap();
    let guarded = Http::guarded(Guard::new(Vec::new())).unwrap();
    Tools {
        http,
        guarded,
        clock: Arc::new(ManualClock::at(NOW)),
        timeout: TIMEOUT,
        telegram_api: None,
        public_url: None,
    }
}

/// A server that keeps what it was sent and answers as it is told.
pub(crate) struct Server {
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Told {
    requests: Arc<Mutex<Vec<String>>>,
    answer: Arc<dyn Fn(&str) -> Response + Send + Sync>,
}

impl Server {
    pub(crate) async fn answering(answer: fn(&str) -> Response) -> Self {
        Self::answering_with(Arc::new(answer)).await
    }

    pub(crate) async fn answering_with(answer: Arc<dyn Fn(&str) -> Response + Send + Sync>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::default();
        let router = Router::new().fallback(keep).with_state(Told { requests: Arc::clone(&requests), answer });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, requests, _tasks: tasks }
    }

    /// What it was sent since this was last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    fn request(&self) -> String {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "one message, one request");
        requests.remove(0)
    }
}

async fn keep(State(told): State<Told>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut lines =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect::<Vec<_>>();
    lines.sort();
    let body = serde_json::from_slice(&body).map_or_else(
        |_| String::from_utf8_lossy(&body).into_owned(),
        |json: serde_json::Value| serde_json::to_string_pretty(&json).unwrap(),
    );
    let request = format!("{method} {uri}\n{}\n\n{body}", lines.join("\n"));
    let response = (told.answer)(&request);
    told.requests.lock().unwrap().push(request);
    if response.status() == StatusCode::IM_A_TEAPOT {
        std::future::pending::<()>().await;
    }
    response
}

fn http_kinds() -> impl Iterator<Item = (&'static ChannelKind, &'static HttpExample)> {
    ALL.iter().filter_map(|&kind| match &kind.example {
        Example::Http(example) => Some((kind, example)),
        Example::Local => None,
    })
}

/// Sends one message through a channel; looks at the outcome, and for secrets.
async fn send_one(
    kind: &'static ChannelKind,
    example: &HttpExample,
    base: &str,
    change: impl Fn(&mut Message),
    look: impl Fn(Result<Receipt, SendError>),
) {
    let channel = configure(&(example.channel)(base), &tools()).unwrap();
    let mut message = message();
    change(&mut message);
    let result = channel.send(&message, None).await;
    let shown =
        format!("{channel:?} {result:?} {}", result.as_ref().err().map(ToString::to_string).unwrap_or_default());
    // Neither as it is nor as basic authentication sends `user:hunter2…`.
    for secret in ["hunter", "dXNlcjpodW50ZXIy"] {
        assert!(!shown.contains(secret), "{} shows a secret: {shown}", kind.id);
    }
    look(result);
}

/// Sends one message through each kind that speaks HTTP.
async fn each_http(
    base: &str,
    change: impl Fn(&mut Message),
    look: impl Fn(&'static ChannelKind, Result<Receipt, SendError>),
) {
    for (kind, example) in http_kinds() {
        send_one(kind, example, base, &change, |result| look(kind, result)).await;
    }
}

fn transient(kind: &ChannelKind, result: Result<Receipt, SendError>) -> (String, Option<Duration>, bool) {
    match result {
        Err(SendError::Transient { detail, retry_after, ambiguous }) => (detail, retry_after, ambiguous),
        other => panic!("{}: {other:?} is not transient", kind.id),
    }
}

#[test]
fn the_list_and_the_folder_agree() {
    const OTHERS: [&str; 13] = [
        "contract", "draw", "error", "hook", "http", "lib", "markup", "message", "reached", "render", "secrets",
        "template", "voice",
    ];
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let mut files: Vec<String> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") || path.join("mod.rs").exists())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .collect();
    files.sort();
    assert_eq!(ALL.iter().map(|kind| kind.id).collect::<Vec<_>>(), files);
}

#[test]
fn each_kind_is_in_the_guide_with_its_snippet_fields_and_limit() {
    let guide = include_str!("../../../docs/guide/channels.md");
    for kind in ALL {
        assert!(guide.contains(kind.setup), "the guide lacks the snippet of {}:\n{}", kind.id, kind.setup);
        for field in kind.bot.iter().chain(kind.fields).chain(COMMON) {
            assert!(guide.contains(&format!("`{}`", field.name)), "{} lacks `{}`", kind.id, field.name);
        }
        let limit = match kind.limits.unit {
            Unit::Bytes if kind.limits.text_max % 1024 == 0 => format!("{} KiB", kind.limits.text_max / 1024),
            Unit::Bytes => format!("{} bytes", kind.limits.text_max),
            Unit::Characters => format!("{} characters", kind.limits.text_max),
            Unit::Utf16 => format!("{} UTF-16 units", kind.limits.text_max),
        };
        assert!(guide.contains(&limit), "{} lacks its limit, {limit}", kind.id);
    }
}

#[tokio::test]
async fn a_late_answer_says_that_it_is_one_wherever_it_is_sent() {
    let mut payload = payload();
    payload.update = true;
    let late = Message::new(payload);
    for (kind, example) in http_kinds() {
        let server = Server::answering_with(Arc::new(example.success)).await;
        let look = |result: Result<Receipt, SendError>| drop(result.unwrap());
        send_one(kind, example, &server.base, |message| *message = late.clone(), look).await;
        for request in server.requests() {
            assert!(request.contains("update"), "{}: {request}", kind.id);
            assert!(request.contains(&late.subject), "{} leaves the original subject out: {request}", kind.id);
            assert!(request.contains(&late.action), "{} leaves out what to do: {request}", kind.id);
        }
    }
}

#[tokio::test]
async fn what_a_tenant_configured_does_not_reach_inside() {
    for (kind, example) in http_kinds() {
        let server = Server::answering_with(Arc::new(example.success)).await;
        let of_tenant = |base: &str| OpenChannel { trusted: false, ..(example.channel)(base) };
        let refused = configure(&of_tenant(&server.base), &tools()).unwrap_err().to_string();
        assert!(refused.starts_with('`') && refused.contains("outbound.allow_private"), "{}: {refused}", kind.id);
        assert!(!refused.contains("hunter"), "{}: {refused}", kind.id);

        // A name is looked up when something is sent.
        let named = of_tenant(&server.base.replace("127.0.0.1", "localhost"));
        match configure(&named, &tools()).unwrap().send(&message(), None).await {
            Err(SendError::Rejected { detail }) => {
                assert!(detail.contains("outbound.allow_private") && !detail.contains("hunter"), "{detail}");
            }
            other => panic!("{}: {other:?}", kind.id),
        }
        assert!(server.requests().is_empty(), "{} was called", kind.id);

        let allowed = Http::guarded(Guard::new(vec!["127.0.0.0/8".parse().unwrap()])).unwrap();
        let tools = Tools { guarded: allowed, ..tools() };
        configure(&named, &tools).unwrap().send(&message(), None).await.unwrap();
        assert!(!server.requests().is_empty(), "{} was not called", kind.id);
    }
}

#[tokio::test]
async fn too_many_requests_is_a_rate_limit_with_its_wait() {
    let answer = |_: &str| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "17")], "slow down").into_response();
    let server = Server::answering(answer).await;
    each_http(
        &server.base,
        |_| {},
        |kind, result| {
            let Err(SendError::RateLimited { retry_after, .. }) = result else { panic!("{}: {result:?}", kind.id) };
            assert_eq!(retry_after, Duration::from_secs(17));
        },
    )
    .await;
}

#[tokio::test]
async fn a_failing_server_is_worth_another_try_when_it_says() {
    let answer = |_: &str| (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "30")]).into_response();
    let server = Server::answering(answer).await;
    each_http(
        &server.base,
        |_| {},
        |kind, result| {
            let (_, retry_after, ambiguous) = transient(kind, result);
            assert_eq!((retry_after, ambiguous), (Some(Duration::from_secs(30)), false));
        },
    )
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_leaves_it_open_whether_it_arrived() {
    let server = Server::answering(|_| StatusCode::IM_A_TEAPOT.into_response()).await;
    each_http(
        &server.base,
        |_| {},
        |kind, result| {
            let (detail, _, ambiguous) = transient(kind, result);
            assert!(ambiguous && detail.contains("no answer within"), "{detail}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_leaves_it_open_whether_it_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 1024]).await;
        }
    });
    each_http(&base, |_| {}, |kind, result| assert!(transient(kind, result).2)).await;
}

#[tokio::test]
async fn a_refused_connection_is_worth_another_try_and_nothing_arrived() {
    let base = format!("http://{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap());
    each_http(
        &base,
        |_| {},
        |kind, result| {
            let (detail, _, ambiguous) = transient(kind, result);
            assert!(!ambiguous && detail.contains("refused"), "{detail}");
        },
    )
    .await;
}

#[tokio::test]
async fn any_other_refusal_is_final_and_repeats_no_secret() {
    // The server repeats everything it was sent, as careless ones do.
    let server = Server::answering(|request| (StatusCode::BAD_REQUEST, request.to_owned()).into_response()).await;
    each_http(
        &server.base,
        |_| {},
        |kind, result| {
            let Err(SendError::Rejected { detail }) = result else { panic!("{}: {result:?}", kind.id) };
            assert!(detail.starts_with("400 Bad Request: POST "), "{detail}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_redirect_is_refused_with_a_hint() {
    let answer = |_: &str| (StatusCode::FOUND, [("location", "http://127.0.0.1/?token=hunter2")]).into_response();
    let server = Server::answering(answer).await;
    each_http(
        &server.base,
        |_| {},
        |kind, result| {
            let Err(SendError::Rejected { detail }) = result else { panic!("{}: {result:?}", kind.id) };
            assert!(detail.contains("redirects are not followed"), "{detail}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_text_over_the_limit_is_cut_on_a_character() {
    for (kind, example) in http_kinds().filter(|(kind, _)| kind.limits.beyond == Beyond::Cut) {
        let server = Server::answering_with(Arc::new(example.success)).await;
        let look = |result: Result<Receipt, SendError>| {
            result.unwrap();
            let request = server.request();
            let letters = request.matches('я').count();
            let sent = match kind.limits.unit {
                Unit::Bytes => letters * 'я'.len_utf8(),
                Unit::Characters | Unit::Utf16 => letters,
            };
            let limit = kind.limits.text_max;
            assert!(sent <= limit && sent > limit - 8, "{}: {sent} of {limit}", kind.id);
            assert!(request.contains("я…"), "{}", kind.id);
        };
        let long = |message: &mut Message| {
            message.text = "я".repeat(200_000);
            message.body = Body::Written(Markup::Plain);
        };
        send_one(kind, example, &server.base, long, look).await;
    }
}
