//! What relays want, refuse and leave open.

use super::*;

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
async fn without_a_login_each_encryption_carries_the_mail_and_nobody_is_asked_for_one() {
    for (script, tls) in [
        (Script { starttls: true, ..Script::default() }, "starttls"),
        (Script { implicit_tls: true, ..Script::default() }, "implicit"),
        (Script::default(), "none"),
    ] {
        let server = Server::with(script).await;
        send(&channel(&server, ANN, &[("tls", tls), ("ca", &server.certificate)])).await.unwrap();
        assert_eq!(server.mails().len(), 1, "{tls}");
        let commands = server.commands();
        assert!(!commands.iter().any(|command| command.starts_with("AUTH")), "{tls}: {commands:?}");
        assert_eq!(commands.contains(&"STARTTLS".to_owned()), tls == "starttls", "{commands:?}");
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
    sender refused: 550 5.7.1 sender not allowed; check the bot's `from`, and whether the relay wants a login
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
    login refused: 535 5.7.8 wrong: *** *** ***; check the bot's `username` and `password`
    login refused: 534 5.7.9 use an application password; check the bot's `username` and `password`
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
