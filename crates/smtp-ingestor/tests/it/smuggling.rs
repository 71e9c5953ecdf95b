//! SMTP smuggling: whatever stands between two messages in the data of one, it stays one message.

use crate::support::Hub;

const SECOND: &[u8] = b"MAIL FROM:<evil@x>\r\nRCPT TO:<victim@x>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n";

/// What a relay would pass on, with `end` in the middle of it, and what must arrive.
fn message(end: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let sent = [b"Subject: one\r\n\r\na", end, SECOND, b"..dot\r\n"].concat();
    let mut wanted = Vec::new();
    let mut rest = &sent[..];
    // Dot-unstuffing in its plainest form: a dot right after <CR><LF> goes away.
    while let Some(at) = rest.windows(3).position(|window| window == b"\r\n.") {
        wanted.extend_from_slice(&rest[..at + 2]);
        rest = &rest[at + 3..];
    }
    wanted.extend_from_slice(rest);
    (sent, wanted)
}

fn in_one_packet(end: &[u8]) {
    let hub = Hub::start();
    let mut client = hub.in_data();
    let (sent, wanted) = message(end);
    client.send([&sent[..], b".\r\nQUIT\r\n"].concat());
    client.expect("250 2.0.0 queued");
    client.expect("221");
    client.expect_close();
    assert_eq!(hub.only_mail().1, wanted);
}

fn cut_over_packets(end: &[u8]) {
    let hub = Hub::start();
    let mut client = hub.in_data();
    let (sent, wanted) = message(end);
    let middle = b"Subject: one\r\n\r\na".len();
    for piece in [&sent[..middle], &sent[middle..=middle], &sent[middle + 1..middle + 2], &sent[middle + 2..]] {
        client.send(piece);
    }
    for byte in b".\r\n" {
        client.send([*byte]);
    }
    client.expect("250 2.0.0 queued");
    client.ask("QUIT", "221");
    assert_eq!(hub.only_mail().1, wanted);
}

/// Two tests for each sequence that some server, somewhere, took for the end of the data.
macro_rules! never_a_second_message {
    ($($name:ident: $end:expr;)*) => {$(
        mod $name {
            #[test]
            fn in_one_packet() {
                super::in_one_packet($end);
            }

            #[test]
            fn cut_over_packets() {
                super::cut_over_packets($end);
            }
        }
    )*};
}

never_a_second_message! {
    lf_dot_lf: b"\n.\n";
    lf_dot_crlf: b"\n.\r\n";
    crlf_dot_lf: b"\r\n.\n";
    cr_dot_cr: b"\r.\r";
    crlf_dot_cr: b"\r\n.\r";
    crlf_dot_cr_crlf: b"\r\n.\r\r\n";
    lf_dot_cr: b"\n.\r";
    cr_dot_crlf: b"\r.\r\n";
    cr_dot_lf: b"\r.\n";
    crlf_dot_nul_crlf: b"\r\n.\0\r\n";
    crlf_nul_dot_crlf: b"\r\n\0.\r\n";
    cr_crlf_dot_lf: b"\r\r\n.\n";
}

#[test]
fn data_that_ends_in_bare_line_feeds_is_told_what_ends_it() {
    let hub = Hub::with(|smtp| smtp.idle_timeout = std::time::Duration::from_millis(300));
    let mut client = hub.in_data();
    client.send("Subject: x\n\nbody\n.\nQUIT\n");
    let reply = client.expect("421 4.4.2");
    assert!(reply.contains("only <CR><LF>.<CR><LF> ends the data"), "{reply}");
    client.expect_close();
    assert!(hub.mails().is_empty());
}

#[test]
fn the_content_of_chunks_that_are_refused_is_never_taken_for_commands() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.send(format!("BDAT {} LAST\r\n", SECOND.len()));
    client.send(SECOND);
    client.expect("503 5.5.1 say MAIL first");
    client.expect_alive();
    client.send("BDAT 99999999999999999999999999 LAST\r\n");
    client.send(SECOND);
    client.expect("501 5.5.4");
    client.expect_close();
    assert!(hub.mails().is_empty());
}
