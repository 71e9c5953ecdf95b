//! E-mail out of one Watchbell and into the door of another: real mails, read by a real parser.

use std::time::Duration;

use watchbell_common::{
    ids::TenantId,
    store::{Store, events},
};
use watchbell_harness::{Product, Sink};

use crate::{mail, one_channel};

const SOON: Duration = Duration::from_secs(20);

/// Everything goes to that door by mail.
fn mailing_to(receiver: &Product) -> String {
    format!(
        "bots:
  - name: relay
    platform: email
    host: 127.0.0.1
    port: \"{}\"
    tls: none
    from: Wächter <watchbell@sender.example>
channels:
  - {{ name: mail, bot: relay, target: 'ops@corp.example, lead@corp.example' }}
default_channels: [mail]
",
        receiver.smtp.port()
    )
}

/// A mail as the receiver keeps it.
async fn raw(receiver: &Product, event: &str) -> String {
    let store = Store::open(&"sqlite".into(), &receiver.data_dir()).await.unwrap();
    let mut read = store.begin_read().await.unwrap();
    let (raw, cut) = events::raw(&mut read, TenantId::DEFAULT, event.parse().unwrap()).await.unwrap().unwrap();
    assert!(!cut);
    String::from_utf8(raw.into()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_about_one_alert_arrive_whole_and_in_one_thread() {
    let sink = Sink::start().await;
    let receiver = Product::embedded(&one_channel(&sink)).await;
    let sender = Product::embedded(&mailing_to(&receiver)).await;
    let hostile = "CRITICAL: Über db1 🚨 =?utf-8?q?=0D=0ABcc:_evil=40example.net?= <b>x</b>";
    for _ in 0..2 {
        sender.mail("probe@corp.example", "alerts@corp.example", &mail(hostile)).await;
    }
    let arrived = sink.wait_for(2, SOON).await;
    let books = sender.settled(SOON).await;
    assert_eq!((&books["delivered"], &books["unaccounted"]), (&2.into(), &0.into()));

    let [first, second] = arrived.try_into().unwrap();
    let label = |name: &str| [&first, &second].map(|message| message.body["labels"][name].as_str().unwrap().to_owned());
    let [root, again] = label("in_reply_to");
    assert!(root.contains("alr_") && root.contains("@sender.example"), "{root}");
    assert_eq!(root, again, "one alert, one thread");
    let [one, other] = label("message_id");
    assert!(one != other && one.contains("dlv_"), "{one} {other}");
    assert_eq!(label("auto_submitted"), ["auto-generated", "auto-generated"]);
    for message in [&first, &second] {
        assert!(message.text("subject").starts_with("[CRITICAL] "), "{}", message.text("subject"));
        assert_eq!(message.text("subject"), first.text("subject"));
        assert!(message.text("subject").contains("Über db1 🚨"), "{}", message.text("subject"));
        assert_eq!(message.body["from"][0], "watchbell@sender.example");
        let to: Vec<_> = message.body["to"].as_array().unwrap().iter().map(|to| to.as_str().unwrap()).collect();
        assert!(to.contains(&"ops@corp.example") && to.contains(&"lead@corp.example"), "{to:?}");
        assert!(!to.iter().any(|to| to.contains("evil")), "{to:?}");
    }

    receiver.settled(SOON).await;
    let raw = raw(&receiver, first.text("event_id")).await;
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    for line in ["References: <alr_", "X-Watchbell-Delivery: dlv_", "Auto-Submitted: auto-generated", "To: ops@corp"] {
        assert!(head.lines().any(|there| there.starts_with(line)), "no `{line}` in\n{head}");
    }
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(body.contains("Content-Type: text/plain") && body.contains("Content-Type: text/html"), "{body}");
    assert!(body.contains("&lt;b&gt;x&lt;/b&gt;") && raw.is_ascii(), "{body}");
}
