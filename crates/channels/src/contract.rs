//! The contract that every channel keeps, run for each entry of [`ALL`] against a local server that answers
//! as it is told. A new channel says in its `example` how to point it at that server; nothing else is needed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use tokio::{io::AsyncReadExt as _, net::TcpListener, task::JoinSet};
use watchbell_common::{
    clock::ManualClock,
    config::OpenChannel,
    outbound::{Guard, Http},
};

use super::*;

mod connections;
mod languages;
mod paces;
mod samples;
mod server;
pub(crate) mod tls;

pub(crate) use self::{
    samples::{BARE_HOST, HOST, channel, hook, message, message_at, message_in_chinese, message_saying, payload},
    server::{Server, body_bytes, header, json_body},
};

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
    /// What it answers when it does not accept the form of a message, if it then takes one without.
    pub(crate) form_refused: Option<fn() -> Response>,
}

/// 2026-11-20T10:00:00Z
pub(crate) const NOW: i64 = 1_795_168_800_000;

/// Long enough for a loaded machine to answer, short enough to wait for.
const TIMEOUT: Duration = Duration::from_millis(1_500);

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
async fn a_form_that_is_refused_costs_no_alert() {
    for (kind, example) in http_kinds() {
        let Some(form_refused) = example.form_refused else { continue };
        let success = example.success;
        let calls = Arc::new(Mutex::new(0));
        let counted = calls.clone();
        let answer = move |request: &str| {
            *counted.lock().unwrap() += 1;
            if *counted.lock().unwrap() == 1 { form_refused() } else { success(request) }
        };
        let server = Server::answering_with(Arc::new(answer)).await;
        let look = |result: Result<Receipt, SendError>| {
            let detail = result.unwrap().detail;
            assert!(detail.contains("sent as plain text: "), "{}: {detail}", kind.id);
        };
        send_one(kind, example, &server.base, |_| {}, look).await;
        let plain = server.requests().pop().unwrap();
        for said in ["CRITICAL", "free some space on", "Disk FULL on db1"] {
            assert!(plain.contains(said), "{} leaves `{said}` out: {plain}", kind.id);
        }
        assert_eq!(*calls.lock().unwrap(), 2, "{}", kind.id);
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
