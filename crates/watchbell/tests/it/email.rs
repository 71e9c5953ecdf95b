//! E-mail out of one Watchbell and into the door of another: real mails, read by a real parser.

use std::time::Duration;

use watchbell_common::{
    alert::Event,
    ids::TenantId,
    queue::Ending,
    store::{
        Store,
        events::{self, StoredEvent},
    },
};
use watchbell_harness::{Product, Sink, eventually};

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

/// The mails that the receiver keeps, as they came and as they were read: each is muted, since a Watchbell sent it.
async fn kept(receiver: &Product) -> Vec<(Event, String)> {
    let store = Store::open(&"sqlite".into(), &receiver.data_dir()).await.unwrap();
    let mut read = store.begin_read().await.unwrap();
    let mut kept = Vec::new();
    for StoredEvent { event, dropped, .. } in
        events::list(&mut read, TenantId::DEFAULT, &events::Filter::default(), None, 10).await.unwrap().items
    {
        let (ending, reason) = dropped.unwrap();
        assert_eq!(ending, Ending::Muted);
        assert!(reason.starts_with("a mail that Watchbell itself sent, as dlv_"), "{reason}");
        let (raw, cut) = events::raw(&mut read, TenantId::DEFAULT, event.id).await.unwrap().unwrap();
        assert!(!cut);
        kept.push((event, String::from_utf8(raw.into()).unwrap()));
    }
    kept
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
    let books = sender.settled(SOON).await;
    assert_eq!((&books["delivered"], &books["unaccounted"]), (&2.into(), &0.into()));
    let books = receiver.settled(SOON).await;
    assert_eq!((&books["received"], &books["muted"]), (&2.into(), &2.into()), "a mail of ours goes nowhere from there");
    assert_eq!(sink.requests(), 0);
    let arrived = eventually("both mails in the history", SOON, || async {
        Some(kept(&receiver).await).filter(|kept| kept.len() == 2)
    });

    let [(first, raw), (second, _)] = arrived.await.try_into().unwrap();
    let label = |name: &str| [&first, &second].map(|event| event.labels[name].clone());
    let [root, again] = label("in_reply_to");
    assert!(root.contains("alr_") && root.contains("@sender.example"), "{root}");
    assert_eq!(root, again, "one alert, one thread");
    let [one, other] = label("message_id");
    assert!(one != other && one.contains("dlv_"), "{one} {other}");
    assert_eq!(label("auto_submitted"), ["auto-generated", "auto-generated"]);
    for event in [&first, &second] {
        assert!(event.subject.starts_with("[CRITICAL] ") && event.subject.contains("Über db1 🚨"), "{}", event.subject);
        assert_eq!(event.subject, first.subject);
        assert_eq!(event.from[0], "watchbell@sender.example");
        let named = |to: &str| event.to.iter().any(|there| there.contains(to));
        assert!(named("ops@corp.example") && named("lead@corp.example") && !named("evil"), "{:?}", event.to);
    }

    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    for line in ["References: <alr_", "X-Watchbell-Delivery: dlv_", "Auto-Submitted: auto-generated", "To: ops@corp"] {
        assert!(head.lines().any(|there| there.starts_with(line)), "no `{line}` in\n{head}");
    }
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(body.contains("Content-Type: text/plain") && body.contains("Content-Type: text/html"), "{body}");
    assert!(body.contains("&lt;b&gt;x&lt;/b&gt;") && raw.is_ascii(), "{body}");
}
