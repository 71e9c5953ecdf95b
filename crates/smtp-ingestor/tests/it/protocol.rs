//! RFC 5321 and its extensions, command by command.

use crate::support::{Hub, envelope};

#[test]
fn ehlo_lists_what_is_offered_and_helo_is_enough_to_send() {
    let hub = Hub::start();
    let mut client = hub.client();
    let offer = client.ask("EHLO client.example", "250-hub.example\r\n");
    for extension in ["PIPELINING", "SIZE 26214400", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"] {
        assert!(offer.lines().any(|line| line[4..] == *extension), "{extension} is not in {offer}");
    }
    assert!(!offer.contains("STARTTLS") && !offer.contains("AUTH"), "{offer}");
    assert_eq!(client.ask("HELO zabbix", "250 "), "250 hub.example\r\n");
    client.envelope();
    client.ask("DATA", "354 ");
    client.ask("Subject: x\r\n\r\nbody\r\n.", "250 2.0.0 queued as evt_");
    client.ask("QUIT", "221 2.0.0");
    client.expect_close();
    let (envelope, raw) = hub.only_mail();
    assert_eq!(envelope.helo, "zabbix");
    assert_eq!(raw, b"Subject: x\r\n\r\nbody\r\n");
}

#[test]
fn the_reply_names_the_event_that_was_queued() {
    let hub = Hub::start();
    let mut client = hub.in_data();
    let reply = client.ask(".", "250 2.0.0 queued as ");
    let mail = &hub.mails()[0];
    assert_eq!(reply.trim_end(), format!("250 2.0.0 queued as {}", mail.head.event));
    assert_eq!(mail.head.peer, Some("127.0.0.1".parse().unwrap()));
    assert_eq!(mail.head.channel, None);
}

#[test]
fn a_whole_session_in_one_write_is_answered_in_order() {
    let hub = Hub::start();
    let mut client = hub.client();
    client.send(
        "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\none\r\n.\r\n\
         MAIL FROM:<>\r\nRCPT TO:<c@x>\r\nBDAT 5 LAST\r\ntwo\r\nNOOP\r\nRSET\r\nVRFY b\r\nQUIT\r\n",
    );
    for start in ["250-", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0 queued"] {
        client.expect(start);
    }
    for start in ["250 2.1.0", "250 2.1.5", "250 2.0.0 queued", "250 2.0.0 ok", "250 2.0.0 ok", "252", "221"] {
        client.expect(start);
    }
    client.expect_close();
    let mails = hub.await_mails(2);
    assert_eq!((&mails[0].raw[..], &mails[1].raw[..]), (&b"one\r\n"[..], &b"two\r\n"[..]));
    assert_eq!(envelope(&mails[1]).mail_from, "");
}

#[test]
fn commands_out_of_order_are_refused_and_change_nothing() {
    let hub = Hub::start();
    let mut client = hub.client();
    client.ask("MAIL FROM:<a@b>", "503 5.5.1 say HELO");
    client.ask("HELO c", "250 ");
    client.ask("RCPT TO:<a@b>", "503 5.5.1 say MAIL");
    client.ask("DATA", "503 5.5.1 say MAIL");
    client.ask("MAIL FROM:<a@b>", "250 ");
    client.ask("MAIL FROM:<c@d>", "503 5.5.1");
    client.ask("DATA", "554 5.5.1 no valid recipients");
    client.ask("RCPT TO:<b@x>", "250 ");
    client.ask("RSET", "250 ");
    client.ask("DATA", "503 5.5.1");
    client.ask("MAIL FROM:<a@b>", "250 ");
    client.ask("EHLO again", "250-");
    client.ask("RCPT TO:<b@x>", "503 5.5.1");
    assert!(hub.mails().is_empty());
}

#[test]
fn the_small_commands_answer() {
    let hub = Hub::start();
    let mut client = hub.client();
    client.ask("HELP", "214 2.0.0");
    client.ask("NOOP with words", "250 2.0.0");
    client.ask("VRFY someone", "252 2.0.0");
    client.ask("EXPN list", "502 5.5.1");
    client.ask("STARTTLS", "502 5.5.1");
    client.ask("AUTH PLAIN", "502 5.5.1");
    client.ask("ETRN x", "502 5.5.1");
    client.ask("XYZZY", "500 5.5.1");
    client.ask("EHLO", "501 5.5.4");
    client.ask("HELO", "501 5.5.4");
    client.ask("quit", "221 2.0.0");
    client.expect_close();
}

#[test]
fn a_command_line_may_end_in_a_line_feed_alone() {
    let hub = Hub::start();
    let mut client = hub.client();
    client.send("HELO c\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx\r\n.\r\n");
    for start in ["250 ", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0 queued"] {
        client.expect(start);
    }
    assert_eq!(hub.only_mail().1, b"x\r\n");
}

#[test]
fn a_command_may_arrive_byte_by_byte() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    for byte in b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n..x\r\n.\r\n" {
        client.send([*byte]);
    }
    for start in ["250 2.1.0", "250 2.1.5", "354", "250 2.0.0 queued"] {
        client.expect(start);
    }
    assert_eq!(hub.only_mail().1, b".x\r\n");
}

#[test]
fn dot_stuffing_is_undone_and_nothing_else_changes() {
    let hub = Hub::start();
    let mut client = hub.in_data();
    client.ask("..\r\n...two\r\na..b\r\n .c\r\n\r\n..\r\n.", "250 ");
    assert_eq!(hub.only_mail().1, b".\r\n..two\r\na..b\r\n .c\r\n\r\n.\r\n");
}

#[test]
fn the_declared_size_is_only_an_estimate() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    for declared in ["SIZE=1383", "SIZE=1"] {
        client.ask(&format!("MAIL FROM:<a@b> {declared}"), "250 2.1.0");
        client.ask("RCPT TO:<c@d>", "250 2.1.5");
        client.ask("DATA", "354");
        client.ask(&format!("{}\r\n.", "x".repeat(360)), "250 2.0.0 queued");
    }
    hub.await_mails(2);
}

#[test]
fn a_push_that_fails_is_451_and_the_retry_succeeds() {
    let hub = Hub::start();
    hub.queue_fails(true);
    let mut client = hub.in_data();
    client.ask("x\r\n.", "451 4.3.0");
    assert!(hub.mails().is_empty());
    hub.queue_fails(false);
    client.envelope();
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250 2.0.0 queued");
    hub.only_mail();
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_message_queues_nothing() {
    let hub = Hub::start();
    let mut client = hub.in_data();
    client.send("Subject: half\r\n\r\nhalf a bo");
    drop(client);
    hub.greeted().expect_alive();
    assert!(hub.mails().is_empty());
}

#[test]
fn a_browser_that_was_led_to_the_port_smuggles_no_mail() {
    let hub = Hub::start();
    let mut client = hub.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\n\r\nHELO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n");
    client.expect("421 4.7.0");
    client.expect_close();
    assert!(hub.mails().is_empty());
}
