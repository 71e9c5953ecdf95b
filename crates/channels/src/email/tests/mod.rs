//! The e-mail channel against a server that answers, encrypts and breaks off as relays do.

mod relays;
mod server;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::net::TcpListener;
use watchbell_common::{
    alert::Status,
    outbound::{Guard, Http},
};

use self::server::{CLOSE, GREETING, MAIL, STALL, Script, Server};
use super::*;
use crate::{Body, Markup, contract};

const ANN: &str = "ann@example.org";
const BOTH: &str = "ann@example.org, bob@example.org";

/// A channel to that server, without encryption or login; more fields of the bot may be set.
fn channel(server: &Server, target: &str, more: &[(&str, &str)]) -> OpenChannel {
    let mut channel = contract::channel("email", target);
    let port = server.address.port().to_string();
    let bot = [("host", "127.0.0.1"), ("port", &port), ("tls", "none"), ("from", "Wächter <watchbell@example.org>")];
    for (name, value) in bot.iter().chain(more) {
        channel.secrets.insert((*name).to_owned(), (*value).into());
    }
    channel
}

fn sender(channel: &OpenChannel) -> Arc<dyn Channel> {
    crate::configure(channel, &contract::tools()).unwrap()
}

async fn send(channel: &OpenChannel) -> Result<Receipt, SendError> {
    let sender = sender(channel);
    let result = sender.send(&contract::message(), None).await;
    let shown = format!("{sender:?} {result:?}");
    assert!(!shown.contains("hunter") && !shown.contains("aHVudGVy"), "{shown}");
    result
}

fn ambiguous(result: Result<Receipt, SendError>) -> (bool, String) {
    match result {
        Err(SendError::Transient { detail, ambiguous, .. }) => (ambiguous, detail),
        other => panic!("{other:?} is not transient"),
    }
}

/// A header of a mail, unfolded.
fn header(mail: &str, name: &str) -> String {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let mut values = head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let value = values.next().unwrap_or_else(|| panic!("no {name} in {head}")).to_owned();
    assert_eq!(values.next(), None, "{name} stands there twice");
    value
}

#[tokio::test]
async fn a_mail_is_this_text_and_this_html() {
    let server = Server::taking_everything().await;
    let mut channel = channel(&server, BOTH, &[]);
    channel.channel.options.insert("subject_prefix".into(), json!("[ops]"));
    let receipt = send(&channel).await.unwrap();
    assert_eq!(receipt.detail, "2 of 2 reached; 250 2.0.0 queued as 4F3A");
    assert_eq!(
        server.commands(),
        [
            "EHLO example.org",
            "MAIL FROM:<watchbell@example.org>",
            "RCPT TO:<ann@example.org>",
            "RCPT TO:<bob@example.org>",
            "DATA",
            "QUIT"
        ]
    );
    let mail = server.mail();
    let guide = include_str!("../../../../../docs/guide/rendered.md");
    assert!(guide.contains(&format!("The mail's subject is `{}`", header(&mail, "Subject"))));
    assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 76 + 2), "{mail}");
    insta::assert_snapshot!("email", mail.replace("\r\n", "\n"));
}

#[test]
fn the_html_is_drawn_like_this() {
    let mut payload = contract::payload();
    payload.alert.analysis.confidence = 0.4;
    payload.alert.event.text = "Filesystem <b>/var</b> is \"100 %\" full.\nUsed & gone: 40 GiB".to_owned();
    let message = Message::new(payload);
    let Body::Layout(layout) = &message.body else { panic!() };
    insta::assert_snapshot!("email_html", html::layout(&message, layout));
}

#[test]
fn in_persian_the_html_begins_on_the_right() {
    let mut channel = contract::channel("email", ANN);
    channel.channel.options.insert("language".into(), "fa".into());
    let (message, _) = crate::Voice::of(&channel, &contract::tools()).unwrap().message(contract::payload(), 0);
    let Body::Layout(layout) = &message.body else { panic!() };
    insta::assert_snapshot!("email_html_fa", html::layout(&message, layout));
}

#[tokio::test]
async fn a_mail_leads_to_the_alert_in_both_of_its_parts() {
    let server = Server::taking_everything().await;
    let (linked, link) = contract::message_at(contract::HOST);
    sender(&channel(&server, ANN, &[])).send(&linked, None).await.unwrap();
    // Quoted-printable.
    let mail = server.mail().replace("=\r\n", "").replace("=3D", "=");
    assert!(mail.contains(&format!("\r\n{link}\r\n")), "{mail}");
    let shown = format!("<a href=\"{link}\" style=\"");
    assert!(mail.contains(&shown) && mail.contains("\">Details</a>"), "{mail}");
}

#[test]
fn nothing_an_alert_says_becomes_a_tag() {
    let hostile = "</p><script>alert(1)</script><img src=x onerror=y>\"'&";
    let mut payload = contract::payload();
    let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
    (event.subject, event.text, event.source) = (hostile.to_owned(), hostile.to_owned(), hostile.to_owned());
    event.from = vec![hostile.to_owned()];
    (analysis.summary, analysis.action, analysis.system) = (hostile.into(), hostile.into(), hostile.into());
    analysis.confidence = 0.1;
    let message = Message::new(payload);
    let Body::Layout(layout) = &message.body else { panic!() };
    let drawn = html::layout(&message, layout);
    assert!(!drawn.contains("<script") && !drawn.contains("<img") && !drawn.contains("</p><s"), "{drawn}");
    assert!(drawn.contains("&lt;script&gt;"), "{drawn}");
}

#[tokio::test]
async fn mails_about_one_alert_are_one_thread() {
    let server = Server::taking_everything().await;
    let sender = sender(&channel(&server, ANN, &[]));
    let mut message = contract::message();
    let first = sender.send(&message, None).await.unwrap();
    sender.send(&message, first.keep.as_ref()).await.unwrap();
    message.update = true;
    message.summary = "/var on db1 is full because of the logs".to_owned();
    sender.send(&message, first.keep.as_ref()).await.unwrap();
    message.update = false;
    message.delivery_id = watchbell_common::ids::DeliveryId::derived(&[b"2"]);
    message.status = Status::Resolved;
    let last = sender.send(&message, first.keep.as_ref()).await.unwrap();
    assert_eq!(first.keep, last.keep);
    let [first, again, better, resolved] = server.mails().try_into().unwrap();
    for mail in [&again, &better, &resolved] {
        for name in ["References", "In-Reply-To"] {
            assert_eq!(header(mail, name), header(&first, name));
        }
    }
    insta::assert_snapshot!(
        [&first, &again, &better, &resolved]
            .map(|mail| ["Subject", "Message-ID", "References"].map(|name| header(mail, name)).join(" | "))
            .join("\n"),
        @r"
    [CRITICAL] /var on db1 is full | <dlv_80c91b3543f18182b0099505fa26029e@example.org> | <alr_977ebeda28b081759337455c8068bbc1@example.org>
    [CRITICAL] /var on db1 is full | <dlv_80c91b3543f18182b0099505fa26029e@example.org> | <alr_977ebeda28b081759337455c8068bbc1@example.org>
    [CRITICAL] /var on db1 is full | <dlv_80c91b3543f18182b0099505fa26029e.update@example.org> | <alr_977ebeda28b081759337455c8068bbc1@example.org>
    [RESOLVED] /var on db1 is full | <dlv_afa02328685f889e964b919c21e3dd2c@example.org> | <alr_977ebeda28b081759337455c8068bbc1@example.org>
    "
    );
    assert_eq!(header(&better, "X-Watchbell-Delivery"), header(&first, "X-Watchbell-Delivery"));
    assert_eq!(first, again, "another attempt is the same mail");
}

#[tokio::test]
async fn hostile_words_stay_in_their_header() {
    let hostile =
        "x\r\nBcc: evil@example.net\r\n\r\n<h1>body</h1>\u{85}\u{2028}Subject: y\0 =?utf-8?q?=0D=0ABcc:_z?= \u{202e}";
    let server = Server::taking_everything().await;
    let mut prefixed = channel(&server, ANN, &[]);
    prefixed.channel.options.insert("subject_prefix".into(), json!(hostile));
    let sender = sender(&prefixed);
    let mut message = contract::message();
    (message.subject, message.system, message.summary) = (hostile.into(), hostile.into(), hostile.into());
    for keep in [None, Some(json!({ "topic": hostile }))] {
        sender.send(&message, keep.as_ref()).await.unwrap();
        let mail = server.mail();
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> =
            head.lines().filter(|line| !line.starts_with(' ')).map(|line| line.split(':').next().unwrap()).collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(names.join(" "), @"Date From Subject Message-ID In-Reply-To References X-Watchbell-Delivery Auto-Submitted X-Auto-Response-Suppress To MIME-Version Content-Type");
        }
        assert!(body.starts_with("--dlv_"), "{mail}");
        assert!(!head.contains("\r\nBcc") && !head.contains("=?utf-8?q"), "{head}");
    }
}

#[tokio::test]
async fn a_template_says_how_the_mail_is_made() {
    let server = Server::taking_everything().await;
    let sender = sender(&channel(&server, ANN, &[]));
    let mut message = contract::message();
    message.text = "<b>disk</b> full\n<i>db1</i>".to_owned();
    message.body = Body::Written(Markup::Html);
    sender.send(&message, None).await.unwrap();
    let mail = server.mail();
    assert!(header(&mail, "Content-Type").starts_with("multipart/alternative;"), "{mail}");
    assert!(mail.contains("\r\n\r\ndisk full\r\ndb1\r\n"), "{mail}");
    let drawn = mail.replace("=\r\n", "");
    assert!(drawn.contains("pre-line") && drawn.contains("<b>disk</b> full"), "{mail}");
    for markup in [Markup::Plain, Markup::Markdown] {
        message.body = Body::Written(markup);
        sender.send(&message, None).await.unwrap();
        let mail = server.mail();
        assert!(header(&mail, "Content-Type").starts_with("text/plain"), "{mail}");
        assert!(mail.contains("<b>disk</b> full"), "{mail}");
    }
    message.text = "я".repeat(200_000);
    for markup in [Markup::Plain, Markup::Html] {
        message.body = Body::Written(markup);
        sender.send(&message, None).await.unwrap();
        let mail = server.mail();
        assert!(mail.len() < 2 * TEXT_MAX_BYTES && !mail.contains("text/html"), "{}", mail.len());
    }
}

#[tokio::test]
async fn each_language_arrives_in_both_parts() {
    let server = Server::taking_everything().await;
    for (language, heading) in [("en", "CRITICAL"), ("zh", "严重"), ("fa", "بحرانی")] {
        let mut channel = channel(&server, ANN, &[]);
        channel.channel.options.insert("language".into(), language.into());
        let (message, _) = crate::Voice::of(&channel, &contract::tools()).unwrap().message(contract::payload(), 0);
        sender(&channel).send(&message, None).await.unwrap();
        let parts = parts(&server.mail());
        assert!(parts.len() == 2 && parts.iter().all(|part| part.contains(heading)), "{language}: {parts:?}");
    }
}

/// The texts of a mail's parts, decoded.
fn parts(mail: &str) -> Vec<String> {
    let part = |part: &str| {
        let (encoding, rest) = part.split_once("\r\n\r\n").unwrap();
        let body = rest.split("--dlv_").next().unwrap();
        let bytes = match encoding {
            "base64" => STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            _ => unquoted(&body.replace("=\r\n", "")),
        };
        String::from_utf8(bytes).unwrap()
    };
    mail.split("Content-Transfer-Encoding: ").skip(1).map(part).collect()
}

/// Quoted-printable undone.
fn unquoted(text: &str) -> Vec<u8> {
    let mut pieces = text.split('=');
    let first = pieces.next().unwrap().as_bytes().to_vec();
    pieces.fold(first, |mut bytes, piece| {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(&piece.as_bytes()[2..]);
        bytes
    })
}

#[tokio::test]
async fn a_wrong_field_is_named_and_its_value_is_not_shown() {
    let server = Server::taking_everything().await;
    let refused = |target: &str, bot: &[(&str, &str)], prefix: serde_json::Value| {
        let mut channel = channel(&server, target, bot);
        channel.channel.options.insert("subject_prefix".into(), prefix);
        let error = crate::configure(&channel, &contract::tools()).expect_err(&format!("{target} {bot:?}")).to_string();
        assert!(!error.contains("hunter"), "{error}");
        error
    };
    let many = (0..101).map(|number| format!("a{number}@example.org")).collect::<Vec<_>>().join(",");
    let bot = |bot: &[(&str, &str)]| refused(ANN, bot, json!(""));
    let texts = [
        refused("", &[], json!("")),
        refused("hunter", &[], json!("")),
        refused("ann@example.org,,bob@example.org", &[], json!("")),
        refused("ann@example.org\r\nRCPT TO:<hunter@example.org>", &[], json!("")),
        refused("ann@bücher.example", &[], json!("")),
        refused(&many, &[], json!("")),
        refused(ANN, &[], json!(7)),
        bot(&[("host", " ")]),
        bot(&[("port", "hunter")]),
        bot(&[("port", "70000")]),
        bot(&[("tls", "hunter")]),
        bot(&[("tls", "starttls"), ("ca", "hunter")]),
        bot(&[("tls", "starttls"), ("ca", "-----BEGIN CERTIFICATE-----\naHVudGVy\n-----END CERTIFICATE-----\n")]),
        bot(&[("from", "hunter")]),
        bot(&[("from", "a@b.example\r\nBcc: hunter@example.org")]),
        bot(&[("username", "hunter")]),
        bot(&[("password", "hunter2")]),
        bot(&[("username", "user"), ("password", "hunter2"), ("host", "relay.example")]),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    `target`: is missing
    `target`: entry 1 is not a mail address in ASCII (an international domain: xn--…)
    `target`: entry 2 is not a mail address in ASCII (an international domain: xn--…)
    `target`: entry 1 is not a mail address in ASCII (an international domain: xn--…)
    `target`: entry 1 is not a mail address in ASCII (an international domain: xn--…)
    `target`: has more than 100 addresses
    `subject_prefix`: must be a text
    `host`: is empty
    `port`: must be a number up to 65535
    `port`: must be a number up to 65535
    `tls`: must be starttls, implicit or none
    `ca`: is not a certificate in PEM
    `ca`: cannot be used to check certificates
    `from`: is not a mail address in ASCII, with or without a name before it
    `from`: is not a mail address in ASCII, with or without a name before it
    `password`: is missing beside the user name
    `username`: is missing beside the password
    `tls`: must not be none where a password is sent to another machine
    ");
}

#[test]
fn the_port_follows_the_encryption() {
    assert_eq!(Security::None.port(), 25);
    let parameters = || session::tls("relay.example", None).unwrap();
    assert_eq!((Security::StartTls(parameters()).port(), Security::Implicit(parameters()).port()), (587, 465));
}
