//! Mail that no one should send and someone does. Content is never a reason to refuse.

use crate::support::Hub;

fn arrives(content: &[u8]) {
    let hub = Hub::start();
    let mut client = hub.in_data();
    client.send(content);
    client.send(if content.is_empty() || content.ends_with(b"\r\n") { ".\r\n" } else { "\r\n.\r\n" });
    client.expect("250 2.0.0 queued");
    client.expect_alive();
    assert_eq!(hub.only_mail().1.trim_ascii_end(), content.trim_ascii_end());
}

#[test]
fn a_mail_without_headers() {
    arrives(b"just text\r\n");
}

#[test]
fn a_mail_without_a_body() {
    arrives(b"Subject: only a header\r\n");
}

#[test]
fn a_mail_without_anything() {
    arrives(b"");
}

#[test]
fn a_subject_of_a_megabyte() {
    arrives(&[b"Subject: ".as_slice(), &vec![b'x'; 1_000_000], b"\r\n\r\nbody\r\n"].concat());
}

#[test]
fn nul_bytes_everywhere() {
    arrives(b"Sub\0ject: \0\r\n\0\r\n\0\0\0\r\n");
}

#[test]
fn invalid_utf8_everywhere() {
    arrives(b"Subject: \xff\xfe\xc0\x80\r\n\r\n\xed\xa0\x80\xf5\r\n");
    let hub = Hub::start();
    let mut client = hub.client();
    client.send(b"EHLO \xff\xfe\r\n");
    client.expect("250-");
    client.send(b"MAIL FROM:<\xff@\xfe>\r\nRCPT TO:<alerts\xc3@x>\r\nDATA\r\n");
    client.expect("250 2.1.0");
    client.expect("250 2.1.5");
    client.expect("354");
    client.ask("x\r\n.", "250");
    assert_eq!(hub.only_mail().0.mail_from, "\u{fffd}@\u{fffd}");
}

#[test]
fn thirty_megabytes_are_refused_in_clear_text_and_the_connection_survives() {
    let hub = Hub::start();
    let mut client = hub.in_data();
    let line = [[b'x'; 998].as_slice(), b"\r\n"].concat();
    for _ in 0..300 {
        client.send(line.repeat(100));
    }
    let reply = client.ask(".", "552 5.3.4");
    assert!(reply.contains("larger than the limit of 26214400 bytes"), "{reply}");
    client.envelope();
    client.ask("DATA", "354");
    client.ask("Subject: small\r\n.", "250");
    hub.only_mail();
}

#[test]
fn a_flood_of_data_is_not_swallowed_for_ever() {
    let hub = Hub::with(|smtp| smtp.message_max_bytes = 1_000);
    let mut client = hub.in_data();
    client.send("x".repeat(8_001));
    client.expect("552 5.3.4");
    client.expect_close();
}

#[test]
fn command_lines_with_nul_and_eight_bit_bytes_are_refused_one_by_one() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    for line in [&b"\xff\xff\xff\r\n"[..], b"\r\n", b"QU\xc3IT\r\n"] {
        client.send(line);
        client.expect("500 5.5.1");
    }
    for line in [&b"MAIL\0FROM:<a@b>\r\n"[..], b"MAIL FROM:<a\0@b>\r\n", b"NO\0OP\r\n", b"\0\r\n", b"NO\rOP\r\n"] {
        client.send(line);
        client.expect("500 5.5.2");
    }
    client.send(b"MAIL FROM:<a\x01@b>\r\n");
    client.expect("501 5.1.7");
    client.expect_alive();
}
