//! Content of mails: which text is read, which addresses match, which attachments are named; mutes and addressed
//! channels.

use std::collections::BTreeMap;

use secrecy::SecretString;
use watchbell_analysis::{Analysed, analyse};
use watchbell_common::{
    ai::Ai,
    config::{Channel, Document, Mute, Operators, Snapshot, Tenant},
    crypto::{Place, Vault},
    ids::{ChannelId, MuteId, TenantId},
    payload::{Content, Envelope},
};

use super::{envelope, mail, payload};

#[test]
fn plain_text_is_preferred_and_html_is_readable() {
    let both = mail(
        "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nplain words\n--b\n\
         Content-Type: text/html\n\n<p>html words\n--b--\n",
    );
    assert_eq!(both.event.text, "plain words");
    let blank = mail(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: multipart/related; boundary=c\n\n\
         --c\nContent-Type: text/html\n\n<p>html words\n--c\nContent-Type: image/png\nContent-ID: <x>\n\nPNG\n--c--\n--b--\n",
    );
    assert_eq!(blank.event.text, "html words");
    assert_eq!(blank.event.attachments, ["image/png"]);
    let html =
        mail("Content-Type: text/html; charset=koi8-r\n\n<style>p{}</style><p>\u{1}<table><tr><td>a<td>b</table>");
    assert_eq!(html.event.text, "a | b");
}

#[test]
fn bodies_without_mime_headers_are_guessed() {
    assert_eq!(mail(&b"Subject: x\n\nGr\xc3\xb6\xc3\x9fe"[..]).event.text, "Größe");
    assert_eq!(mail(&b"Subject: x\n\nGr\xf6\xdfe"[..]).event.text, "Größe");
    assert_eq!(mail(&b"Subject: Gr\xf6\xdfe\n\n"[..]).event.subject, "Größe");
    let netdata = &b"Subject: x\nContent-Type: text/plain; encoding=ANSI_X3.4-1968\n\n\xe7\xa3\x81"[..];
    assert_eq!(mail(netdata).event.text, "磁");
    let encoded =
        "Subject: x\nContent-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: base64\n\ntMXFzA==\n";
    assert_eq!(mail(encoded).event.text, "磁盘");
    let quoted = "Subject: x\nContent-Type: text/plain; charset=iso-8859-2\nContent-Transfer-Encoding: quoted-printable\n\n=B1=\n=E6";
    assert_eq!(mail(quoted).event.text, "ąć");
}

#[test]
fn attachments_are_named_and_left_behind() {
    let alert = mail(
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=body.txt\n\nthe body\n--b\n\
         Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf\n\nPDF\n--b\n\
         Content-Type: text/plain; name=\"=?utf-8?Q?gr=C3=B6=C3=9Fe.log?=\"\n\na log\n--b\n\
         Content-Disposition: attachment\n\nunnamed\n--b--\n",
    );
    assert_eq!(alert.event.text, "the body");
    assert_eq!(alert.event.attachments, ["Größe.pdf", "größe.log", "text/plain"]);
}

#[test]
fn a_forwarded_message_is_read() {
    let alert = mail(
        "Subject: Fwd\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\nContent-Type: message/rfc822\n\n\
         Subject: =?utf-8?Q?inner_=C3=BC?=\nContent-Type: text/html\n\n<p>disk full\n--b--\n",
    );
    assert_eq!(alert.event.text, "see below\n\n--- inner ü ---\ndisk full");
}

#[test]
fn flowed_text_is_joined() {
    let alert = mail("Subject: x\nContent-Type: text/plain; format=flowed; delsp=yes\n\none lo \nng line\nnext\n");
    assert_eq!(alert.event.text, "one long line\nnext");
}

#[test]
fn all_addresses_are_there_once_in_lower_case() {
    let raw = "From: =?utf-8?Q?=C3=9C?= <Zabbix@Corp.example>\nSender: root@vm\nReply-To: help@corp.example\n\
               To: <OPS@corp.example>, \"Lead, On\" <lead@corp.example>\nCc: boss@corp.example\n\nx";
    let alert = mail(raw);
    assert_eq!(alert.event.from, ["root@web01.corp.example", "zabbix@corp.example", "root@vm", "help@corp.example"]);
    assert_eq!(alert.event.to, ["ops@corp.example", "lead@corp.example", "boss@corp.example"]);
}

#[test]
fn useful_headers_are_labels() {
    let raw = "Message-ID: <1@x>\nIn-Reply-To: <0@x>\nUser-Agent: mail (GNU Mailutils 3.15)\nAuto-Submitted: auto-generated\n\
               List-Id: <ops.lists>\nSubject: s\n\nx";
    let expected = [
        ("auto_submitted", "auto-generated"),
        ("in_reply_to", "<0@x>"),
        ("list_id", "<ops.lists>"),
        ("mailer", "mail (GNU Mailutils 3.15)"),
        ("message_id", "<1@x>"),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(mail(raw).event.labels, expected);
}

fn snapshot(channel: &str, mutes: Vec<Mute>) -> Snapshot {
    let vault = Vault::from_base64(&SecretString::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")).unwrap();
    let channel = Channel {
        id: ChannelId(7),
        name: channel.to_owned(),
        platform: "console".to_owned(),
        bot: None,
        target: String::new(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: vault.seal(&Place::push_token(TenantId::DEFAULT, ChannelId(7)), &SecretString::from("token")),
        templates: Vec::new(),
        enabled: true,
    };
    let tenant = Tenant {
        id: TenantId::DEFAULT,
        name: "default".to_owned(),
        bots: Vec::new(),
        templates: Vec::new(),
        channels: vec![channel],
        rules: Vec::new(),
        default_channels: Vec::new(),
        mutes,
        silences: Vec::new(),
        ai: Ai::default(),
        operators: Operators::All,
        drills: BTreeMap::new(),
    };
    Snapshot::compile(&Document { version: 1, tenants: vec![tenant] }, &vault).unwrap()
}

fn channel_of(recipient: &str, channel: &str, domain: &str) -> Option<ChannelId> {
    let envelope =
        Envelope { rcpt_to: vec!["other@x.example".to_owned(), recipient.to_owned()], ..envelope("a@b.example") };
    match analyse(&payload(Content::Mail(envelope), "Subject: x\n\ny"), &snapshot(channel, Vec::new()), domain) {
        Analysed::Understood(alert) => alert.event.channel,
        Analysed::Muted { .. } => None,
    }
}

#[test]
fn a_recipient_can_address_a_channel() {
    assert_eq!(channel_of("ops@alerts.example", "Ops", "alerts.example"), Some(ChannelId(7)));
    assert_eq!(channel_of("<OPS+db@Alerts.Example>", "ops", "alerts.example"), Some(ChannelId(7)));
    assert_eq!(channel_of("ops+db@alerts.example", "ops+db", "alerts.example"), Some(ChannelId(7)));
    assert_eq!(channel_of("dev@alerts.example", "ops", "alerts.example"), None);
    assert_eq!(channel_of("ops@elsewhere.example", "ops", "alerts.example"), None);
    assert_eq!(channel_of("ops@", "ops", ""), None);
}

#[test]
fn a_muted_sender_is_dropped_with_the_comment() {
    let mute = |from: Option<&str>, source: Option<&str>| Mute {
        id: MuteId(1),
        from: from.map(str::to_owned),
        source: source.map(str::to_owned),
        comment: "newsletter".to_owned(),
    };
    let reason = |mute: Mute| {
        let mail =
            payload(Content::Mail(envelope("bounce@x.example")), "From: NoReply@News.example\nSubject: buy\n\nnow");
        match analyse(&mail, &snapshot("ops", vec![mute]), "") {
            Analysed::Muted { reason, event, .. } => Some((reason, event.subject)),
            Analysed::Understood(_) => None,
        }
    };
    let dropped = Some(("muted: newsletter".to_owned(), "buy".to_owned()));
    assert_eq!(reason(mute(Some("noreply@*"), None)), dropped, "the header's address matches");
    assert_eq!(reason(mute(Some("*@x.example"), None)), dropped, "the envelope's address matches");
    assert_eq!(reason(mute(None, Some("mail"))), dropped);
    assert_eq!(reason(mute(Some("noreply@*"), Some("push"))), None);
    assert_eq!(reason(mute(Some("boss@*"), None)), None);
}

#[test]
fn a_mail_that_we_sent_ourselves_is_dropped_however_it_comes_back() {
    let reason = |mail: &str| {
        let mail = payload(Content::Mail(envelope("list@x.example")), mail);
        match analyse(&mail, &snapshot("ops", Vec::new()), "") {
            Analysed::Muted { reason, .. } => Some(reason),
            Analysed::Understood(_) => None,
        }
    };
    let id = "dlv_80c91b3543f18182b0099505fa26029e";
    let own = Some(format!("a mail that Watchbell itself sent, as {id}"));
    assert_eq!(reason(&format!("Subject: [CRITICAL] db1\nX-Watchbell-Delivery: {id}\n\ndown")), own);
    assert_eq!(reason(&format!("Received: from list\nx-watchbell-delivery:\n {id} \nSubject: x\n\ndown")), own);
    for other in [
        "Subject: x\nX-Watchbell-Delivery: yes\n\ndown".to_owned(),
        format!("Subject: x\n\nX-Watchbell-Delivery: {id}\n"),
    ] {
        assert_eq!(reason(&other), None, "what is no delivery of ours is an alert: {other}");
    }
}

/// Postfix's report about a mail with these header fields.
fn report(returned_as: &str, fields: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: watchbell@corp.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"

--b
Content-Type: text/plain

<lead@corp.example>: host mx.corp.example said: 550 5.1.1 user unknown

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; lead@corp.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b
Content-Type: {returned_as}

From: watchbell@corp.example
Subject: [CRITICAL] db1 is down
{fields}

db1 is down
--b--
"
    )
}

#[test]
fn a_report_about_a_mail_of_ours_is_dropped_and_says_whom_it_did_not_reach() {
    const ID: &str = "dlv_80c91b3543f18182b0099505fa26029e";
    let reason = |from: &str, mail: &str| {
        let mail = payload(Content::Mail(envelope(from)), mail);
        match analyse(&mail, &snapshot("ops", Vec::new()), "") {
            Analysed::Muted { reason, .. } => Some(reason),
            Analysed::Understood(_) => None,
        }
    };
    let ours = format!("X-Watchbell-Delivery: {ID}");
    let dropped = Some(format!(
        "a report about a mail that Watchbell itself sent, as {ID}: Mail to lead@corp.example was not delivered: \
         550 5.1.1 user unknown"
    ));
    for returned_as in ["message/rfc822", "text/rfc822-headers", "text/rfc822-headers; charset=us-ascii"] {
        assert_eq!(reason("", &report(returned_as, &ours)), dropped, "{returned_as}");
    }
    let qmail = format!(
        "From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\nHi. This is the qmail-send program at mx.example.\n\n\
         <lead@corp.example>:\nNo such user.\n\n--- Below this line is a copy of the message.\n\n\
         Return-Path: <watchbell@corp.example>\nSubject: [CRITICAL] db1\n{ours}\n\ndown\n"
    );
    let summary = "Mail to lead@corp.example was not delivered";
    let prose = Some(format!("a report about a mail that Watchbell itself sent, as {ID}: {summary}"));
    assert_eq!(reason("", &qmail), prose);

    let quoting = report("message/rfc822", &format!("X-Mailer: other\n\n{ours}"));
    for (from, mail, why) in [
        ("", report("message/rfc822", "X-Mailer: other"), "another program's mail did not arrive"),
        ("", report("message/rfc822", "X-Watchbell-Delivery: yes"), "this is no id of ours"),
        ("", quoting, "the mail that did not arrive only quotes one of ours"),
        ("lead@corp.example", report("message/rfc822", &ours), "somebody sends a report on"),
        ("", qmail.replace("failure notice", "Have a look"), "this is no report"),
    ] {
        assert_eq!(reason(from, &mail), None, "{why}");
    }
}
