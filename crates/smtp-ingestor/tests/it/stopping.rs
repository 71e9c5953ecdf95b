//! What a stopping server does with its clients.

use std::time::Duration;

use crate::support::Hub;

#[test]
fn idle_clients_are_told_to_come_back() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    let mut begun = hub.greeted();
    begun.envelope();
    hub.stop.cancel();
    client.expect("421 4.3.2");
    begun.expect("421 4.3.2");
    client.expect_close();
    hub.ended().unwrap();
}

#[test]
fn a_message_that_is_arriving_is_finished_and_queued() {
    let hub = Hub::start();
    let mut data = hub.in_data();
    data.send("Subject: x\r\n");
    let mut chunks = hub.greeted();
    chunks.envelope();
    chunks.send("BDAT 3\r\none");
    chunks.expect("250 ");
    hub.stop.cancel();
    data.ask("\r\nbody\r\n.", "250 2.0.0 queued");
    data.expect("421 4.3.2");
    chunks.send("BDAT 3 LAST\r\ntwo");
    chunks.expect("250 2.0.0 queued");
    hub.await_mails(2);
    hub.ended().unwrap();
}

#[test]
fn a_message_that_does_not_end_within_the_drain_limit_is_cut_off_unacknowledged() {
    let hub = Hub::draining_within(Duration::from_millis(300));
    let mut client = hub.in_data();
    client.send("Subject: x\r\n");
    hub.ended().unwrap();
    client.expect_close();
}
