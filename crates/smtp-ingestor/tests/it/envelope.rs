//! Senders and recipients in every form that real programs use.

use crate::support::{Client, Hub, envelope};

fn sent(client: &mut Client, mail: &str, rcpt: &str) {
    client.ask(mail, "250 2.1.0");
    client.ask(rcpt, "250 2.1.5");
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250 2.0.0");
}

#[test]
fn addresses_arrive_as_they_were_meant() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    let cases = [
        ("MAIL FROM:<>", "RCPT TO:<alerts+db@example.org>", "", "alerts+db@example.org"),
        ("MAIL FROM: <a@b> BODY=8BITMIME SIZE=5", "RCPT TO: <c@d> NOTIFY=NEVER", "a@b", "c@d"),
        ("mail from:<Ops@Example.ORG>", "rcpt to:<\"on call\"@x>", "Ops@Example.ORG", "on call@x"),
        ("MAIL FROM:<@old,@route:a@b>", "RCPT TO:<@old:c@d>", "a@b", "c@d"),
        ("MAIL FROM:<жук@пример.рф> SMTPUTF8", "RCPT TO:<警报@例え.jp>", "жук@пример.рф", "警报@例え.jp"),
        ("MAIL FROM:root", "RCPT TO:postmaster", "root", "postmaster"),
        ("MAIL FROM:<root@[127.0.0.1]>", "RCPT TO:<a@[IPv6:::1]>", "root@[127.0.0.1]", "a@[IPv6:::1]"),
    ];
    for (mail, rcpt, from, to) in cases {
        sent(&mut client, mail, rcpt);
        let last = envelope(hub.mails().last().unwrap());
        assert_eq!((last.mail_from.as_str(), last.rcpt_to.as_slice()), (from, &[to.to_owned()][..]));
    }
}

#[test]
fn one_mail_to_many_recipients_is_one_event() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<a@b>", "250");
    for number in 0..100 {
        client.ask(&format!("RCPT TO:<r{number}@x>"), "250 2.1.5");
    }
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250 2.0.0");
    assert_eq!(hub.only_mail().0.rcpt_to.len(), 100);
}

#[test]
fn broken_addresses_and_parameters_are_refused_without_ending_the_transaction() {
    let hub = Hub::start();
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<a b@c>", "501 5.1.7");
    client.ask("MAIL FROM:<a@b> SIZE=many", "501 5.5.4");
    client.ask("MAIL FROM:<a@b> BODY=BINARYMIME", "555 5.5.4");
    client.ask("MAIL FROM:<a@b> XFUTURE=1", "555 5.5.4");
    client.ask("MAIL FROM:<a@b>", "250");
    client.ask("RCPT TO:<>", "501 5.1.3");
    client.ask("RCPT TO:<@>", "501 5.1.3");
    client.ask("RCPT TO:<c@d> XFUTURE=1", "555 5.5.4");
    client.ask("RCPT TO:<c@d>", "250");
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250 2.0.0");
    assert_eq!(hub.only_mail().0.rcpt_to, ["c@d"]);
}

#[test]
fn unknown_recipients_are_refused_when_recipients_are_restricted() {
    let hub = Hub::with(|smtp| smtp.recipients = vec!["alerts@*".into(), "*+test@Example.org".into()]);
    let mut client = hub.greeted();
    client.ask("MAIL FROM:<a@b>", "250");
    client.ask("RCPT TO:<someone@elsewhere>", "550 5.1.1");
    client.ask("DATA", "554 5.5.1");
    client.ask("RCPT TO:<ALERTS@hub>", "250");
    client.ask("RCPT TO:<ops+test@example.ORG>", "250");
    client.ask("RCPT TO:<postmaster>", "250");
    client.ask("DATA", "354");
    client.ask("x\r\n.", "250 2.0.0");
    assert_eq!(hub.only_mail().0.rcpt_to, ["ALERTS@hub", "ops+test@example.ORG", "postmaster"]);
}
