//! Every limit, at its edge.

use std::{net::IpAddr, time::Duration};

use crate::support::{Client, Hub, eventually};

#[test]
fn a_line_may_have_its_limit_and_not_a_byte_more() {
    let hub = Hub::with(|smtp| smtp.line_max_bytes = 512);
    let mut client = hub.greeted();
    client.ask(&format!("NOOP {}", "x".repeat(505)), "250");
    client.ask(&format!("NOOP {}", "x".repeat(506)), "500 5.5.2");
    client.ask(&format!("NOOP {}", "x".repeat(60_000)), "500 5.5.2");
    client.expect_alive();
}

#[test]
fn a_line_without_end_is_cut_off() {
    let hub = Hub::start();
    let mut client = hub.client();
    client.send(vec![b'x'; 1_200_000]);
    client.expect("500 5.5.2");
    client.expect_close();
}

#[test]
fn a_message_may_have_its_limit_and_not_a_byte_more() {
    let hub = Hub::with(|smtp| smtp.message_max_bytes = 1_000);
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<a@b> SIZE=1001", "552 5.3.4");
    client.ask("MAIL FROM:<a@b> SIZE=1000", "250");
    client.ask("RCPT TO:<c@d>", "250");
    client.ask("DATA", "354");
    client.ask(&format!("{}\r\n.", "x".repeat(998)), "250 2.0.0 queued");
    client.envelope();
    client.ask("DATA", "354");
    let reply = client.ask(&format!("{}\r\n.", "x".repeat(999)), "552 5.3.4");
    assert!(reply.contains("1000 bytes"), "{reply}");
    client.expect_alive();
    assert_eq!(hub.only_mail().1.len(), 1_000);
}

#[test]
fn recipients_are_bounded_and_the_rest_can_come_in_another_message() {
    let hub = Hub::with(|smtp| smtp.recipients_max = 2);
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<a@b>", "250");
    client.ask("RCPT TO:<one@x>", "250");
    client.ask("RCPT TO:<two@x>", "250");
    client.ask("RCPT TO:<three@x>", "452 4.5.3");
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250");
    assert_eq!(hub.only_mail().0.rcpt_to.len(), 2);
}

#[test]
fn too_many_errors_close_the_connection() {
    let hub = Hub::with(|smtp| smtp.errors_max = 3);
    let mut client = hub.greeted();
    client.ask("X", "500");
    client.ask("X", "500");
    client.envelope();
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250");
    client.ask("X", "500");
    client.ask("X", "500");
    client.ask("X", "500");
    client.expect("421 4.7.0 too many errors");
    client.expect_close();
}

#[test]
fn a_silent_client_is_told_and_closed() {
    let hub = Hub::with(|smtp| smtp.idle_timeout = Duration::from_millis(200));
    let mut client = hub.client();
    client.expect("421 4.4.2");
    client.expect_close();
}

#[test]
fn a_client_that_drips_a_command_is_closed_like_a_silent_one() {
    let hub = Hub::with(|smtp| smtp.idle_timeout = Duration::from_millis(300));
    let mut client = hub.client();
    for _ in 0..8 {
        client.send("N");
        std::thread::sleep(Duration::from_millis(30));
    }
    client.expect("421 4.4.2");
    client.expect_close();
}

#[test]
fn a_client_that_drips_its_message_is_closed_when_the_data_timeout_is_over() {
    let hub = Hub::with(|smtp| smtp.data_timeout = Duration::from_millis(300));
    let mut client = hub.in_data();
    for _ in 0..8 {
        client.send("x\r\n");
        std::thread::sleep(Duration::from_millis(30));
    }
    client.expect("421 4.4.2 the message did not end in time");
    client.expect_close();
    let mut client = hub.greeted();
    client.envelope();
    client.send("BDAT 1\r\nx");
    client.expect("250 ");
    client.expect("421 4.4.2");
    client.expect_close();
    assert!(hub.mails().is_empty());
}

#[test]
fn connections_from_one_address_are_bounded_and_come_free() {
    let hub = Hub::with(|smtp| smtp.connections_per_address_max = 2);
    let first = hub.client();
    let _second = hub.client();
    let mut third = Client::connect(hub.address);
    third.expect("421 4.7.0 too many connections");
    third.expect_close();
    drop(first);
    eventually("a seat", || Client::connect(hub.address).reply().starts_with("220"));
}

#[test]
fn connections_in_all_are_bounded() {
    let hub = Hub::with(|smtp| smtp.connections_max = 1);
    let _only = hub.client();
    Client::connect(hub.address).expect("421 4.7.0 too many connections");
}

#[test]
fn memory_of_all_arriving_messages_is_bounded() {
    let hub = Hub::with(|smtp| {
        smtp.message_max_bytes = 60_000;
        smtp.memory_max_bytes = 100_000;
    });
    let large = "x".repeat(50_000);
    let mut first = hub.greeted();
    first.envelope();
    first.ask(&format!("BDAT 50002\r\n{large}"), "250 2.0.0 50002 octets");
    let mut second = hub.in_data();
    second.ask(&format!("{large}\r\n."), "451 4.3.1");
    first.ask("BDAT 0 LAST", "250 2.0.0 queued");
    second.envelope();
    second.ask("DATA", "354");
    second.ask(&format!("{large}\r\n."), "250 2.0.0 queued");
    hub.await_mails(2);
}

#[test]
fn memory_for_recipients_is_bounded_too() {
    let hub = Hub::with(|smtp| {
        smtp.message_max_bytes = 1_000;
        smtp.memory_max_bytes = 1_000;
    });
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<a@b>", "250");
    let recipient = "r".repeat(400);
    client.ask(&format!("RCPT TO:<{recipient}>"), "250");
    client.ask(&format!("RCPT TO:<{recipient}>"), "250");
    client.ask(&format!("RCPT TO:<{recipient}>"), "451 4.3.1");
    client.ask("RSET", "250");
    client.ask("MAIL FROM:<a@b>", "250");
    client.ask(&format!("RCPT TO:<{recipient}>"), "250");
}

#[test]
fn a_foreign_network_is_told_so_and_closed() {
    let hub = Hub::with(|smtp| smtp.allow_from = vec!["192.0.2.0/24".parse().unwrap()]);
    let mut client = Client::connect(hub.address);
    client.expect("554 5.7.1");
    client.expect_close();
}

#[test]
fn ipv4_clients_of_an_ipv6_socket_are_seen_as_ipv4() {
    let hub = Hub::with(|smtp| smtp.listen = "[::]:0".parse().unwrap());
    let mut client = Client::connect(([127, 0, 0, 1], hub.address.port()).into());
    client.expect("220 ");
    client.ask("HELO c", "250 ");
    client.envelope();
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250");
    assert_eq!(hub.mails()[0].head.peer, Some(IpAddr::from([127, 0, 0, 1])));
}

#[test]
fn a_client_that_reads_no_replies_is_given_up() {
    let hub = Hub::with(|smtp| smtp.idle_timeout = Duration::from_millis(300));
    let mut client = hub.client();
    client.send_until_refused(&b"EHLO c\r\n".repeat(1_000), 10_000);
    hub.greeted().expect_alive();
}

#[test]
fn a_long_pipeline_is_answered_to_its_end() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.send("NOOP\r\n".repeat(5_000));
    for _ in 0..5_000 {
        client.expect("250 2.0.0");
    }
    client.expect_alive();
}
