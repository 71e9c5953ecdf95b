//! BDAT (RFC 3030).

use crate::support::{Client, Hub};

fn chunk(client: &mut Client, content: &str, last: &str, start: &str) {
    client.send(format!("BDAT {}{last}\r\n{content}", content.len()));
    client.expect(start);
}

#[test]
fn chunks_are_joined_and_nothing_in_them_is_a_line() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.envelope();
    chunk(&mut client, "Subject: x\r\n\r\n..two dots\n.\r\n", "", "250 2.0.0 28 octets");
    chunk(&mut client, "", "", "250 2.0.0 0 octets");
    chunk(&mut client, "\r\n.\r\nQUIT\r\n", " LAST", "250 2.0.0 queued as evt_");
    assert_eq!(hub.only_mail().1, b"Subject: x\r\n\r\n..two dots\n.\r\n\r\n.\r\nQUIT\r\n");
}

#[test]
fn an_empty_last_chunk_ends_the_message_and_data_may_follow_in_the_next() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.envelope();
    chunk(&mut client, "one", "", "250 ");
    chunk(&mut client, "", " LAST", "250 2.0.0 queued");
    client.envelope();
    client.ask("DATA", "354");
    client.ask("two\r\n.", "250 2.0.0 queued");
    let mails = hub.await_mails(2);
    assert_eq!((&mails[0].raw[..], &mails[1].raw[..]), (&b"one"[..], &b"two\r\n"[..]));
}

#[test]
fn data_cannot_go_on_what_chunks_began() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.envelope();
    chunk(&mut client, "one", "", "250 ");
    client.ask("DATA", "503 5.5.1 the message was begun with BDAT");
    client.ask("RCPT TO:<late@x>", "503 5.5.1");
    client.ask("RSET", "250");
    chunk(&mut client, "x", " LAST", "503 5.5.1 say MAIL first");
    client.ask("MAIL FROM:<a@b>", "250");
    chunk(&mut client, "x", " LAST", "554 5.5.1");
    assert!(hub.mails().is_empty());
}

#[test]
fn a_chunk_that_is_too_large_is_swallowed_and_spoils_its_message_only() {
    let hub = Hub::with(|smtp| smtp.message_max_bytes = 100);
    let mut client = hub.greeted();
    client.envelope();
    chunk(&mut client, &"x".repeat(100), "", "250 ");
    chunk(&mut client, "y", "", "552 5.3.4");
    chunk(&mut client, "z", "", "503 5.5.1");
    chunk(&mut client, "z", " LAST", "503 5.5.1");
    client.ask("RSET", "250");
    client.envelope();
    chunk(&mut client, &"x".repeat(101), " LAST", "552 5.3.4");
    client.envelope();
    chunk(&mut client, &"x".repeat(100), " LAST", "250 2.0.0 queued");
    assert_eq!(hub.only_mail().1.len(), 100);
}

#[test]
fn a_chunk_announced_far_beyond_the_limit_is_not_awaited() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.envelope();
    client.ask("BDAT 18446744073709551615 LAST", "552 5.3.4");
    client.expect_close();
}
