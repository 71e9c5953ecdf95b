//! The SMS channel against servers that answer as the providers document.

use std::sync::{Arc, Mutex};

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use self::providers::{kavenegar_says, not_for_kavenegar, not_for_twilio, provider, twilio_error, twilio_took_it};
use super::*;
use crate::contract::{self, Server};

mod providers;

pub(super) const EXAMPLE: contract::HttpExample = contract::HttpExample {
    channel: |base| {
        let mut channel = contract::channel("sms", "+4915112345678");
        let bot = [("provider", "generic"), ("api_key", "hunter21"), ("username", "user"), ("password", "hunter21")];
        set(&mut channel, &bot);
        let options = json!({
            "url": format!("{base}/send?user={{username}}"),
            "headers": { "Authorization": "Basic {basic}", "X-Key": "{api_key}" },
            "content_type": "application/json",
            "body": r#"{"to": "{to}", "text": "{text}", "ref": "{delivery_id}"}"#,
            "success": { "status": [200], "json": { "pointer": "/results/0/ok", "equals": true } },
        });
        channel.channel.options = serde_json::from_value(options).unwrap();
        channel
    },
    success: |_| axum::Json(json!({ "results": [{ "ok": true }] })).into_response(),
    provider_id: None,
    form_refused: None,
};

fn set(channel: &mut OpenChannel, bot: &[(&str, &str)]) {
    channel.secrets.extend(bot.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
}

fn twilio(base: &str, target: &str) -> OpenChannel {
    let mut channel = contract::channel("sms", target);
    let account = [("account_sid", "AC0123"), ("auth_token", "hunter22"), ("from", "+15005550006")];
    set(&mut channel, &[("provider", "twilio"), ("base_url", base)]);
    set(&mut channel, &account);
    channel
}

fn kavenegar(base: &str) -> OpenChannel {
    let mut channel = contract::channel("sms", "+989123456789");
    let account = [("api_key", "hunter/23"), ("from", "10004346")];
    set(&mut channel, &[("provider", "kavenegar"), ("base_url", base)]);
    set(&mut channel, &account);
    channel
}

async fn send(channel: &OpenChannel, message: &Message) -> Result<Receipt, SendError> {
    let channel = crate::configure(channel, &contract::tools()).unwrap();
    let result = channel.send(message, None).await;
    let shown = format!("{channel:?} {result:?}");
    assert!(!shown.contains("hunter"), "{shown}");
    result
}

fn refused(channel: &OpenChannel) -> String {
    let error = crate::configure(channel, &contract::tools()).unwrap_err().to_string();
    assert!(!error.contains("hunter"), "{error}");
    error
}

/// A server that gives these answers, one after the other, whatever it is asked.
async fn answering(answers: impl IntoIterator<Item = (u16, String)>) -> Server {
    let answers: Vec<_> = answers.into_iter().collect();
    let answers = Mutex::new(answers.into_iter());
    let next = move |_: &str| -> Response {
        let (status, body) = answers.lock().unwrap().next().expect("a request more than there are answers");
        (StatusCode::from_u16(status).unwrap(), body).into_response()
    };
    Server::answering_with(Arc::new(next)).await
}

#[tokio::test]
async fn twilio_is_asked_as_it_documents() {
    let server = provider(not_for_twilio, [twilio_took_it("SM1")]).await;
    let receipt = send(&twilio(&server.base, "+4915112345678"), &contract::message()).await.unwrap();
    assert_eq!(receipt.provider_id.as_deref(), Some("SM1"));
    assert_eq!(receipt.detail, "201 Created, 1 message in GSM-7");
    let request = server.requests().remove(0).replace(server.base.trim_start_matches("http://"), "HOST");
    insta::assert_snapshot!(request.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r"
    POST /2010-04-01/Accounts/AC0123/Messages.json
    accept: */*
    authorization: Basic QUMwMTIzOmh1bnRlcjIy
    content-length: 97
    content-type: application/x-www-form-urlencoded
    host: HOST
    user-agent: Watchbell/VERSION

    To=%2B4915112345678&From=%2B15005550006&Body=CRITICAL%20firing%3A%20%2Fvar%20on%20db1%20is%20full
    ");
    let mut service = twilio(&server.base, "+4915112345678");
    service.secrets.remove("from");
    set(&mut service, &[("messaging_service_sid", "MG77")]);
    let server = provider(not_for_twilio, [twilio_took_it("SM1")]).await;
    set(&mut service, &[("base_url", &server.base)]);
    send(&service, &contract::message()).await.unwrap();
    assert!(server.requests()[0].contains("&MessagingServiceSid=MG77&"));
}

#[tokio::test]
async fn every_error_of_twilio_has_its_class() {
    let table = [
        (twilio_error(400, 21211, "The 'To' number is not a valid phone number."), "rejected", None),
        (twilio_error(400, 21610, "Attempt to send to unsubscribed recipient"), "rejected", None),
        (twilio_error(401, 20003, "Authenticate"), "rejected", None),
        (twilio_error(429, 20429, "Too Many Requests"), "rate_limited", Some(5)),
        (twilio_error(400, 14107, "Message rate exceeded"), "rate_limited", Some(30)),
        (twilio_error(429, 21611, "Queue full"), "rate_limited", Some(5)),
        (twilio_error(500, 20500, "Internal error, token hunter22"), "transient", None),
        ((503, "<html>busy</html>".to_owned()), "transient", None),
        ((201, json!({ "sid": "SM2", "status": "failed", "error_message": "blocked" }).to_string()), "rejected", None),
    ];
    let mut details = Vec::new();
    for (answer, class, wait) in table {
        let server = provider(not_for_twilio, [answer]).await;
        let error = send(&twilio(&server.base, "+4915112345678"), &contract::message()).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        if let SendError::RateLimited { retry_after, .. } = &error {
            assert_eq!(Some(retry_after.as_secs()), wait, "{error}");
        }
        details.push(error.to_string());
    }
    insta::assert_snapshot!(details.join("\n"), @r"
    21211: The 'To' number is not a valid phone number. (the number does not exist)
    21610: Attempt to send to unsubscribed recipient (the receiver has unsubscribed by answering STOP)
    20003: Authenticate (`account_sid` or `auth_token` is wrong)
    20429: Too Many Requests
    14107: Message rate exceeded
    21611: Queue full
    20500: Internal error, token ***
    503 Service Unavailable: <html>busy</html>
    failed: blocked
    ");
}

#[tokio::test]
async fn kavenegar_is_asked_as_it_documents_and_recognises_a_second_attempt() {
    let server = provider(not_for_kavenegar, [kavenegar_says(200, 200), kavenegar_says(200, 200)]).await;
    let channel = kavenegar(&server.base);
    let receipt = send(&channel, &contract::message()).await.unwrap();
    assert_eq!(receipt.provider_id.as_deref(), Some("8792343"));
    send(&channel, &contract::message()).await.unwrap();
    let [first, second] = server.requests().try_into().unwrap();
    assert_eq!(first, second, "the same `localid`");
    let request = first.replace(server.base.trim_start_matches("http://"), "HOST");
    insta::assert_snapshot!(request.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r"
    POST /v1/hunter%2F23/sms/send.json
    accept: */*
    content-length: 125
    content-type: application/x-www-form-urlencoded
    host: HOST
    user-agent: Watchbell/VERSION

    receptor=09123456789&message=CRITICAL%20firing%3A%20%2Fvar%20on%20db1%20is%20full&localid=6160604102814362931&sender=10004346
    ");
}

#[tokio::test]
async fn every_status_of_kavenegar_has_its_class_whatever_http_says() {
    let mut details = Vec::new();
    for (http, status, class) in [
        (200, 401, "rejected"),
        (411, 411, "rejected"),
        (200, 412, "rejected"),
        (200, 418, "rejected"),
        (200, 409, "transient"),
        (500, 500, "transient"),
        (200, 999, "rejected"),
        (429, 429, "rate_limited"),
        (200, 451, "rate_limited"),
    ] {
        let server = provider(not_for_kavenegar, [kavenegar_says(http, status)]).await;
        let error = send(&kavenegar(&server.base), &contract::message()).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        details.push(error.to_string());
    }
    let answers = [(503, "busy: hunter/23 hunter%2F23".to_owned()), (200, "hello".to_owned())];
    let server = provider(not_for_kavenegar, answers).await;
    for _ in 0..2 {
        let error = send(&kavenegar(&server.base), &contract::message()).await.unwrap_err();
        assert_eq!(error.class(), "transient");
        details.push(error.to_string());
    }
    insta::assert_snapshot!(details.join("\n"), @r"
    401 the account is disabled or the API key is wrong: پیام
    411 the receiver's number is not valid: پیام
    412 `from` is not a line of this account: پیام
    418 the account's credit is used up: پیام
    409 the server cannot answer: پیام
    500 پیام
    999 پیام
    429 this address is limited; ask Kavenegar: پیام
    451 too many calls from this address: پیام
    503 Service Unavailable: busy: *** ***
    an answer that is not Kavenegar's: hello
    ");
}

#[tokio::test]
async fn each_number_is_asked_for_itself_and_no_text_is_sent_twice() {
    let answers = [
        twilio_took_it("SM1"),
        twilio_error(503, 20503, "unavailable"),
        twilio_error(400, 21211, "no such number"),
        twilio_took_it("SM2"),
        twilio_error(400, 21211, "no such number"),
    ];
    let server = provider(not_for_twilio, answers).await;
    let channel = twilio(&server.base, "+4915112345678, +49 151 8765-4321, +4915112345678,+4915100000000");
    let sender = crate::configure(&channel, &contract::tools()).unwrap();
    let error = sender.send(&contract::message(), None).await.unwrap_err();
    assert!(matches!(error, SendError::Transient { ambiguous: true, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 3);
    let receipt = sender.send(&contract::message(), None).await.unwrap();
    let requests = server.requests();
    assert!(requests.len() == 2 && requests[0].contains("To=%2B4915187654321"), "{requests:?}");
    insta::assert_snapshot!(
        receipt.detail,
        @"2 of 3 reached; 201 Created, 1 message in GSM-7; +4915100000000: 21211: no such number (the number does not exist)"
    );
}

#[tokio::test]
async fn a_number_that_no_time_was_left_for_is_tried_again() {
    let server = Server::answering(|_| StatusCode::IM_A_TEAPOT.into_response()).await;
    let channel = twilio(&server.base, "+4915112345678,+4915187654321");
    let error = send(&channel, &contract::message()).await.unwrap_err();
    assert!(matches!(error, SendError::Transient { ambiguous: true, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 1, "the first took all the time there was");
}

#[tokio::test]
async fn better_words_about_the_same_alert_cost_nothing() {
    let server = answering([]).await;
    let mut message = contract::message();
    message.update = true;
    let receipt = send(&twilio(&server.base, "+4915112345678"), &message).await.unwrap();
    assert!(receipt.detail.starts_with("not sent"), "{}", receipt.detail);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_wrong_account_and_a_wrong_line_are_refused_by_the_providers_themselves() {
    let server = provider(not_for_twilio, []).await;
    let mut stranger = twilio(&server.base, "+4915112345678");
    set(&mut stranger, &[("auth_token", "hunter99")]);
    let twilio_says = send(&stranger, &contract::message()).await.unwrap_err();
    let server = provider(not_for_kavenegar, []).await;
    let (mut stranger, mut lineless) = (kavenegar(&server.base), kavenegar(&server.base));
    set(&mut stranger, &[("api_key", "hunter99")]);
    set(&mut lineless, &[("from", "30001")]);
    let [key, line] = [send(&stranger, &contract::message()).await, send(&lineless, &contract::message()).await];
    let said = [twilio_says, key.unwrap_err(), line.unwrap_err()].map(|error| format!("{}: {error}", error.class()));
    insta::assert_snapshot!(said.join("\n"), @r"
    rejected: 20003: Authenticate (`account_sid` or `auth_token` is wrong)
    rejected: 403 the API key is not valid: پیام
    rejected: 412 `from` is not a line of this account: پیام
    ");
}

#[tokio::test]
async fn the_longest_text_in_any_language_is_taken_by_both_providers() {
    for (twilio_base, text) in [(true, "я"), (true, "x"), (false, "я"), (false, "x")] {
        let (refuse, answer): (fn(&str) -> _, _) = if twilio_base {
            (not_for_twilio, twilio_took_it("SM1"))
        } else {
            (not_for_kavenegar, kavenegar_says(200, 200))
        };
        let server = provider(refuse, [answer]).await;
        let mut channel = if twilio_base { twilio(&server.base, "+4915112345678") } else { kavenegar(&server.base) };
        channel.channel.options.insert("parts_max".into(), json!(PARTS_MAX));
        let message = Message { text: text.repeat(3_000), body: Body::Written(Markup::Plain), ..contract::message() };
        let receipt = send(&channel, &message).await.unwrap();
        assert!(receipt.detail.contains("5 messages"), "{}", receipt.detail);
    }
}

#[test]
fn no_mark_of_direction_is_paid_for() {
    let mut channel = contract::channel("sms", "");
    channel.channel.options.insert("language".to_owned(), "fa".into());
    let voice = crate::Voice::of(&channel, &contract::tools()).unwrap();
    let mut payload = contract::payload();
    payload.alert.analysis.summary = "the disk is full".to_owned();
    let (message, _) = voice.message(payload, contract::NOW);
    let Body::Layout(layout) = &message.body else { panic!() };
    assert!(layout.heading.contains('\u{2068}'), "{:?}", layout.heading);
    assert_eq!(text(&message), "بحرانی فعال db1: the disk is full");
}

#[tokio::test]
async fn only_what_was_agreed_on_is_a_success() {
    let success =
        |value| move |channel: &mut OpenChannel| drop(channel.channel.options.insert("success".into(), value));
    let table = [
        (success(json!({})), 204, "", None),
        (success(json!({ "contains": "OK" })), 200, "OK: 17", None),
        (success(json!({ "contains": "OK" })), 200, "ERR credit, hunter21", Some("rejected")),
        (success(json!({ "status": [409] })), 409, "already sent", None),
        (success(json!({ "status": [201] })), 200, "queued", Some("rejected")),
        (success(json!({ "status": [201] })), 503, "busy", Some("transient")),
        (success(json!({ "json": { "pointer": "/code", "equals": 0 } })), 200, r#"{"code": 0}"#, None),
        (success(json!({ "json": { "pointer": "/code", "equals": 0 } })), 200, r#"{"code": 7}"#, Some("rejected")),
        (success(json!({ "json": { "pointer": "/code", "equals": 0 } })), 200, "<html>", Some("rejected")),
    ];
    let mut details = Vec::new();
    for (change, status, body, class) in table {
        let server = answering([(status, body.to_owned())]).await;
        let mut channel = (EXAMPLE.channel)(&server.base);
        change(&mut channel);
        let result = send(&channel, &contract::message()).await;
        assert_eq!(result.as_ref().err().map(SendError::class), class, "{result:?}");
        details.extend(result.err().map(|error| error.to_string()));
    }
    insta::assert_snapshot!(details.join("\n"), @r#"
    200 OK, but the answer does not contain `success.contains`: ERR credit, ***
    200 OK, but the status is none of `success.status`: queued
    503 Service Unavailable: busy
    200 OK, but `success.json` does not hold: {"code": 7}
    200 OK, but `success.json` does not hold: <html>
    "#);
}

#[tokio::test]
async fn hostile_words_stay_values_in_every_kind_of_request() {
    let hostile = "x\"&to=+1900,</text><to>\r\nX-Evil: 1\\";
    let mut message = contract::message();
    message.text = hostile.to_owned();
    message.system = hostile.to_owned();
    message.body = Body::Written(Markup::Plain);
    for (content_type, body) in [
        ("application/json", r#"{"text": "{text}", "system": "{system}"}"#),
        ("application/x-www-form-urlencoded", "text={text}&system={system}"),
        ("text/xml", "<sms><text>{text}</text><system>{system}</system></sms>"),
    ] {
        let server = answering([(200, String::new())]).await;
        let mut channel = (EXAMPLE.channel)(&server.base);
        let url = format!("{}/send/{{system}}?text={{text}}", server.base);
        let options = json!({ "url": url, "content_type": content_type, "body": body });
        channel.channel.options = serde_json::from_value(options).unwrap();
        send(&channel, &message).await.unwrap();
        let request = server.requests().remove(0);
        let (head, body) = request.split_once("\n\n").unwrap();
        assert!(!head.to_lowercase().contains("x-evil:"), "{head}");
        assert!(head.starts_with("POST /send/x%22%26to%3D"), "{head}");
        match content_type {
            "application/json" => {
                let body: serde_json::Value = serde_json::from_str(body).unwrap();
                assert_eq!((body["system"].as_str(), body.as_object().unwrap().len()), (Some(hostile), 2));
            }
            "text/xml" => assert_eq!(body.matches('<').count(), 6, "{body}"),
            _ => assert_eq!(body.matches('&').count(), 1, "{body}"),
        }
    }
}

#[test]
fn the_text_says_what_matters_and_nothing_else() {
    let mut payload = contract::payload();
    payload.alert.analysis.confidence = 0.3;
    assert_eq!(text(&Message::new(payload.clone())), "CRITICAL firing: /var on db1 is full");
    payload.alert.analysis.summary = "the disk is full".to_owned();
    assert_eq!(text(&Message::new(payload)), "CRITICAL firing db1: the disk is full");
    let mut message = contract::message();
    message.text = "<b>disk</b> full<br>on&nbsp;db1\n\n\u{1b}[2Jx \u{202e}y".to_owned();
    message.body = Body::Written(Markup::Html);
    assert_eq!(text(&message), "disk full\non db1\n[2Jx y");
    message.body = Body::Written(Markup::Plain);
    assert_eq!(text(&message), "<b>disk</b> full<br>on&nbsp;db1\n[2Jx y");
}

#[tokio::test]
async fn a_text_takes_as_many_messages_as_it_may() {
    for (parts_max, expected) in [(json!(1), 70), (json!(3), 201)] {
        let server = answering([(200, r#"{"results": [{"ok": true}]}"#.to_owned())]).await;
        let mut channel = (EXAMPLE.channel)(&server.base);
        channel.channel.options.insert("parts_max".into(), parts_max);
        let mut message = contract::message();
        message.text = "я".repeat(500);
        message.body = Body::Written(Markup::Plain);
        let receipt = send(&channel, &message).await.unwrap();
        let request = server.requests().remove(0);
        assert_eq!(request.matches('я').count() + request.matches('…').count(), expected, "{}", receipt.detail);
    }
}

#[test]
fn a_wrong_number_or_account_is_named_and_not_shown() {
    let base = "http://127.0.0.1:9";
    let of_twilio = |bot: &[(&str, &str)]| {
        let mut channel = twilio(base, "+4915112345678");
        set(&mut channel, bot);
        refused(&channel)
    };
    let mut not_generic = twilio(base, "+4915112345678");
    not_generic.channel.options.insert("url".into(), json!("http://x/"));
    let numbers = ["015112345678", "+49", "+1234567890123456", "+0912345678", "+49151a2345678", "+4915112345678,"];
    let many = (0..11).map(|n| format!("+49151123456{n:02}")).collect::<Vec<_>>().join(",");
    let mut texts: Vec<_> = numbers.iter().map(|number| refused(&twilio(base, number))).collect();
    texts.extend([
        refused(&twilio(base, &many)),
        refused(&not_generic),
        of_twilio(&[("provider", "hunter")]),
        of_twilio(&[("auth_token", " ")]),
        of_twilio(&[("messaging_service_sid", "MG1")]),
        of_twilio(&[("base_url", "ftp://hunter/")]),
    ]);
    insta::assert_snapshot!(texts.join("\n"), @r"
    `target`: number 1 is not in the international form, +4915112345678
    `target`: number 1 is not in the international form, +4915112345678
    `target`: number 1 is not in the international form, +4915112345678
    `target`: number 1 is not in the international form, +4915112345678
    `target`: number 1 is not in the international form, +4915112345678
    `target`: number 2 is not in the international form, +4915112345678
    `target`: has more than 10 numbers; make another channel
    `url`: is for the provider `generic` only
    `provider`: must be twilio, kavenegar or generic
    `auth_token`: is missing in the bot; twilio needs one
    `from`: twilio needs it or `messaging_service_sid`, and not both
    `base_url`: must be a URL that starts with http:// or https://
    ");
}

#[test]
fn a_wrong_request_is_named_and_its_values_are_not_shown() {
    let generic = |name: &'static str, value: serde_json::Value| {
        let mut channel = (EXAMPLE.channel)("http://127.0.0.1:9");
        channel.channel.options.insert(name.into(), value);
        refused(&channel)
    };
    let mut no_body = (EXAMPLE.channel)("http://127.0.0.1:9");
    no_body.channel.options.remove("body");
    let texts = [
        refused(&no_body),
        generic("parts_max", json!(6)),
        generic("parts_max", json!("2")),
        generic("method", json!("DELETE")),
        generic("content_type", json!("image/png")),
        generic("url", json!("hunter")),
        generic("url", json!("ftp://x/{to}")),
        generic("url", json!("https://{system}.example/")),
        generic("url", json!("https://user:{password}@x.example/")),
        generic("body", json!(7)),
        generic("body", json!("{\"to\": {text}")),
        generic("body", json!("{\"to\": \"{too}\"}")),
        generic("body", json!("{\"from\": \"{from}\"}")),
        generic("headers", json!({ "X-System": "{system}" })),
        generic("headers", json!({ "Host": "hunter" })),
        generic("headers", json!({ "X-A": "hunter\n" })),
        generic("success", json!({ "statuses": [200] })),
        generic("success", json!({ "json": { "pointer": "ok", "equals": 1 } })),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    `body`: is missing; POST needs one
    `parts_max`: must be a number from 1 to 5
    `parts_max`: must be a number from 1 to 5
    `method`: must be GET, POST or PUT
    `content_type`: must be a form, JSON, XML or text/plain: values are escaped for it
    `url`: is not a URL
    `url`: must start with http:// or https://
    `url`: must have no placeholder before its path
    `url`: must have no placeholder before its path
    `body`: must be a text
    `body`: is not JSON: line 1, column 8
    `body`: `{too}` is none of to, to_digits, text, severity, status, system, summary, delivery_id, api_key, username, password, from, basic
    `body`: `{from}` is missing in the bot
    `headers`: `{system}` is none of api_key, username, password, from, basic
    `headers`: `Host` cannot be set here
    `headers`: the value of `X-A` is not a header value
    `success`: must be a table of `status`, `json` and `contains`
    `success`: `pointer` must start with `/`, as RFC 6901 says
    ");
}
