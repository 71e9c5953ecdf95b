//! The e-mail channel against a server that answers, encrypts and breaks off as relays do.

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
async fn the_relay_of_a_tenant_is_not_inside() {
    let server = Server::taking_everything().await;
    let of_tenant = |host| OpenChannel { trusted: false, ..channel(&server, ANN, &[("host", host)]) };
    let refused = crate::configure(&of_tenant("127.0.0.1"), &contract::tools()).unwrap_err().to_string();
    assert!(refused.contains("`host`") && refused.contains("outbound.allow_private"), "{refused}");
    for host in ["localhost", "localhost."] {
        match send(&of_tenant(host)).await {
            Err(SendError::Rejected { detail }) => assert!(detail.contains("outbound.allow_private"), "{detail}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(server.commands().is_empty(), "{:?}", server.commands());
    let guarded = Http::guarded(Guard::new(vec!["127.0.0.0/8".parse().unwrap()])).unwrap();
    let tools = Tools { guarded, ..contract::tools() };
    crate::configure(&of_tenant("localhost"), &tools).unwrap().send(&contract::message(), None).await.unwrap();
    assert_eq!(server.mails().len(), 1);
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
async fn encryption_and_login_come_before_the_first_address() {
    for (script, tls, mechanism) in [
        (Script { starttls: true, auth: Some("PLAIN LOGIN"), ..Script::default() }, "starttls", "AUTH PLAIN "),
        (Script { implicit_tls: true, auth: Some("LOGIN"), ..Script::default() }, "implicit", "AUTH LOGIN"),
        (Script { auth: Some("PLAIN"), ..Script::default() }, "none", "AUTH PLAIN "),
    ] {
        let server = Server::with(script).await;
        let login = [("username", "user"), ("password", "hunter2"), ("tls", tls), ("ca", &server.certificate)];
        send(&channel(&server, ANN, &login)).await.unwrap();
        let commands = server.commands();
        let auth = commands.iter().position(|command| command.starts_with(mechanism)).unwrap();
        let mail = commands.iter().position(|command| command.starts_with("MAIL")).unwrap();
        assert!(auth < mail, "{commands:?}");
        let before = commands.iter().position(|command| command == "STARTTLS");
        assert_eq!(before.is_some_and(|before| before < auth), tls == "starttls", "{commands:?}");
    }
}

#[tokio::test]
async fn without_the_encryption_that_was_asked_for_nothing_is_said() {
    let server = Server::with(Script { auth: Some("PLAIN"), ..Script::default() }).await;
    let login = [("username", "user"), ("password", "hunter2"), ("tls", "starttls")];
    let (ambiguous_, detail) = ambiguous(send(&channel(&server, ANN, &login)).await);
    assert!(!ambiguous_ && detail == "the relay does not offer STARTTLS; nothing was sent", "{detail}");
    assert_eq!(server.commands(), ["EHLO example.org"]);

    let server = Server::with(Script { starttls: true, auth: Some("PLAIN"), ..Script::default() }).await;
    let (_, detail) = ambiguous(send(&channel(&server, ANN, &login)).await);
    assert!(detail.starts_with("TLS: invalid peer certificate"), "{detail}");
    assert_eq!(server.commands(), ["EHLO example.org", "STARTTLS"]);

    let server = Server::with(Script { implicit_tls: true, ..Script::default() }).await;
    let (_, detail) = ambiguous(send(&channel(&server, ANN, &[("tls", "implicit")])).await);
    assert!(detail.starts_with("connection: invalid peer certificate"), "{detail}");
    assert!(server.commands().is_empty());
}

#[tokio::test]
async fn a_refusal_has_the_class_of_its_code_at_every_step() {
    let mut details = Vec::new();
    for (command, answer, class) in [
        (GREETING, "421 4.3.2 too busy", "transient"),
        (GREETING, "554 5.7.1 no service for you", "rejected"),
        ("EHLO", "421 4.7.0 closing", "transient"),
        ("EHLO", "550 5.7.1 bad name", "rejected"),
        ("MAIL", "451 4.3.0 try later", "transient"),
        ("MAIL", "550 5.7.1 sender not allowed", "rejected"),
        ("RCPT", "421 4.7.0 closing", "transient"),
        ("RCPT", "450 4.2.0 greylisted", "transient"),
        ("RCPT", "452 4.2.2 mailbox full", "transient"),
        ("RCPT", "550 5.1.1 no such user", "rejected"),
        ("DATA", "451 4.3.0 try later", "transient"),
        ("DATA", "554 5.5.1 no valid recipients", "rejected"),
        (MAIL, "451 4.7.1 cannot scan", "transient"),
        (MAIL, "452 4.3.1 disk full", "transient"),
        (MAIL, "552 5.3.4 too large", "rejected"),
        (MAIL, "554 5.7.1 spam", "rejected"),
    ] {
        let server = Server::answering(&[(command, answer)]).await;
        let error = send(&channel(&server, ANN, &[])).await.unwrap_err();
        assert_eq!(error.class(), class, "{command}: {error}");
        assert!(!matches!(error, SendError::Transient { ambiguous: true, .. }), "{command}: {error:?}");
        details.push(error.to_string());
    }
    insta::assert_snapshot!(details.join("\n"), @r"
    connection refused: 421 4.3.2 too busy
    connection refused: 554 5.7.1 no service for you
    connection refused: 421 4.7.0 closing
    connection refused: 550 5.7.1 bad name
    sender refused: 451 4.3.0 try later
    sender refused: 550 5.7.1 sender not allowed
    recipient refused: 421 4.7.0 closing
    recipient refused: 450 4.2.0 greylisted
    recipient refused: 452 4.2.2 mailbox full
    recipient refused: 550 5.1.1 no such user
    mail refused: 451 4.3.0 try later
    mail refused: 554 5.5.1 no valid recipients
    mail refused: 451 4.7.1 cannot scan
    mail refused: 452 4.3.1 disk full
    mail refused: 552 5.3.4 too large
    mail refused: 554 5.7.1 spam
    ");
}

#[tokio::test]
async fn a_wrong_password_is_refused_by_the_relay_itself() {
    for (mechanism, password) in [("PLAIN", "hunter3"), ("LOGIN", "hunter3")] {
        let server = Server::with(Script { auth: Some(mechanism), ..Script::default() }).await;
        let login = [("username", "user"), ("password", password)];
        let error = send(&channel(&server, ANN, &login)).await.unwrap_err();
        assert_eq!(error.class(), "rejected");
        assert!(error.to_string().contains("535 5.7.8"), "{error}");
        assert!(server.mails().is_empty());
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
async fn a_refused_login_is_final_and_shows_no_password() {
    let mut details = Vec::new();
    for (offered, answer, class) in [
        (Some("PLAIN"), "535 5.7.8 wrong: AHVzZXIAaHVudGVyMg== hunter2 aHVudGVyMg==", "rejected"),
        (Some("PLAIN"), "534 5.7.9 use an application password", "rejected"),
        (Some("PLAIN"), "454 4.7.0 directory unavailable", "transient"),
        (Some("CRAM-MD5"), "", "rejected"),
        (None, "", "rejected"),
    ] {
        let answers = if answer.is_empty() { Vec::new() } else { vec![("AUTH", answer)] };
        let server = Server::with(Script { auth: offered, answers, ..Script::default() }).await;
        let error = send(&channel(&server, ANN, &[("username", "user"), ("password", "hunter2")])).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        assert!(!server.commands().iter().any(|command| command.starts_with("MAIL")));
        details.push(error.to_string());
    }
    insta::assert_snapshot!(details.join("\n"), @r"
    login refused: 535 5.7.8 wrong: *** *** ***
    login refused: 534 5.7.9 use an application password
    login refused: 454 4.7.0 directory unavailable
    the relay offers no login of ours (PLAIN, LOGIN): No compatible authentication mechanism was found
    the relay offers no login of ours (PLAIN, LOGIN): No compatible authentication mechanism was found
    ");
}

#[tokio::test]
async fn a_recipient_who_is_refused_does_not_keep_the_mail_from_the_others() {
    let server = Server::answering(&[("RCPT TO:<bob", "550 5.1.1 no such user")]).await;
    let receipt = send(&channel(&server, BOTH, &[])).await.unwrap();
    insta::assert_snapshot!(receipt.detail, @"1 of 2 reached; 250 2.0.0 queued as 4F3A; bob@example.org: recipient refused: 550 5.1.1 no such user");
    assert_eq!(server.mails().len(), 1);
    let refuse = [("RCPT", "550 5.1.1 no such user"), ("RCPT", "551 5.1.6 moved")];
    let server = Server::answering(&refuse).await;
    let error = send(&channel(&server, BOTH, &[])).await.unwrap_err();
    assert_eq!(error.class(), "rejected");
    insta::assert_snapshot!(error.to_string(), @"0 of 2 reached; ann@example.org: recipient refused: 550 5.1.1 no such user; bob@example.org: recipient refused: 551 5.1.6 moved");
    assert!(!server.commands().contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn who_has_the_mail_does_not_get_it_again_with_those_who_had_to_wait() {
    let server = Server::answering(&[("RCPT TO:<bob", "450 4.2.0 greylisted")]).await;
    let sender = sender(&channel(&server, BOTH, &[]));
    let (marked, detail) = ambiguous(sender.send(&contract::message(), None).await);
    assert!(marked, "{detail}");
    let first = server.mail();
    server.commands();
    sender.send(&contract::message(), None).await.unwrap();
    let recipients: Vec<_> = server.commands().into_iter().filter(|command| command.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<bob@example.org>"]);
    assert_eq!(server.mail(), first);
}

#[tokio::test]
async fn only_a_mail_without_an_answer_is_possibly_duplicated() {
    for (command, what, expected) in [
        (GREETING, CLOSE, false),
        ("MAIL", CLOSE, false),
        ("RCPT", CLOSE, false),
        ("DATA", CLOSE, false),
        ("RCPT", STALL, false),
        (MAIL, CLOSE, true),
        (MAIL, STALL, true),
    ] {
        let server = Server::answering(&[(command, what)]).await;
        let (marked, detail) = ambiguous(send(&channel(&server, ANN, &[])).await);
        assert_eq!(marked, expected, "{command} {what}: {detail}");
        assert_eq!(what == STALL, detail.contains("no answer within 1.5s"), "{detail}");
    }
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_worth_another_try() {
    let server = Server::taking_everything().await;
    let mut channel = channel(&server, ANN, &[]);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port().to_string();
    channel.secrets.insert("port".into(), free.into());
    let (marked, detail) = ambiguous(send(&channel).await);
    assert!(!marked && detail.contains("refused"), "{detail}");
    channel.secrets.insert("host".into(), "relay.invalid".into());
    let (marked, detail) = ambiguous(send(&channel).await);
    assert!(!marked && detail.starts_with("connection: "), "{detail}");
}

#[tokio::test]
async fn a_relay_that_is_slow_to_say_farewell_has_the_mail_all_the_same() {
    for what in [STALL, CLOSE, "500 what?"] {
        let server = Server::answering(&[("QUIT", what)]).await;
        let channel = channel(&server, ANN, &[]);
        tokio::time::timeout(Duration::from_secs(10), send(&channel))
            .await
            .expect("it waits for the farewell")
            .unwrap();
    }
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
