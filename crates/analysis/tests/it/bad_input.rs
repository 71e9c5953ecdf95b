//! Mails that no program should send, and some do. Each gets an answer, and soon.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use watchbell_common::alert::{Severity, TEXT_MAX_BYTES};

use super::{mail, simple};

/// The tests run unoptimised and beside each other; a release build is some twenty times faster.
const SOON: Duration = Duration::from_secs(5);

fn soon<T>(what: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = what();
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    answer
}

#[test]
fn a_mail_without_headers_is_all_text() {
    let alert = mail("disk full on web01\nsecond line\n");
    assert_eq!(alert.event.subject, "");
    assert_eq!(alert.event.text, "disk full on web01\nsecond line");
    assert_eq!(alert.analysis.severity, Severity::Error);
    assert_eq!(alert.analysis.summary, "disk full on web01");
}

#[test]
fn a_mail_without_a_body_is_its_subject() {
    for raw in ["Subject: web01 is down\r\n\r\n", "Subject: web01 is down\r\n", "Subject: web01 is down"] {
        let alert = mail(raw);
        assert_eq!((alert.analysis.summary.as_str(), alert.event.text.as_str()), ("web01 is down", ""));
        assert_eq!(alert.analysis.severity, Severity::Critical);
    }
}

#[test]
fn an_empty_mail_is_an_event_too() {
    for raw in ["", "\r\n", "\r\n\r\n\r\n", " ", "\0", "Subject:\r\n\r\n"] {
        let alert = mail(raw);
        assert!(!alert.analysis.summary.is_empty(), "{raw:?}");
        assert_eq!(alert.fingerprint.len(), 32);
    }
}

#[test]
fn two_hundred_nested_parts_are_read() {
    let mut raw = String::from("Subject: deep\n");
    for level in 0..200 {
        let _ = write!(raw, "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    }
    raw.push_str("\nthe bottom\n");
    for level in (0..200).rev() {
        let _ = writeln!(raw, "--b{level}--");
    }
    let start = Instant::now();
    assert_eq!(mail(raw).event.text, "the bottom");
    assert!(start.elapsed() < Duration::from_secs(1), "took {:?}", start.elapsed());
}

#[test]
fn a_hundred_thousand_nested_messages_are_survived() {
    let raw = "Content-Type: message/rfc822\n\n".repeat(100_000) + "Subject: bottom\n\ntext";
    soon(|| mail(raw));
    let raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(50_000);
    soon(|| mail(raw));
}

#[test]
fn invalid_utf8_everywhere_becomes_text() {
    let mut raw = Vec::new();
    for name in ["From", "To", "Subject", "Message-ID", "Content-Type", "X-Mailer", "In-Reply-To"] {
        raw.extend_from_slice(name.as_bytes());
        raw.extend_from_slice(b": \xff\xfe\x80 <\xc3(@\xe2\x82> \xf0\x28\x8c\r\n");
    }
    raw.extend_from_slice(b"\r\nweb01 \xff\xfe is \xc3( down\r\n\xed\xa0\x80");
    let alert = mail(raw);
    assert!(alert.event.text.contains("web01") && alert.event.text.contains("down"));
}

#[test]
fn a_megabyte_of_subject_is_cut() {
    let alert = soon(|| simple(&format!("CRITICAL {}", "x".repeat(1 << 20)), "body"));
    assert!(alert.event.subject.len() <= 4_096 && alert.event.subject.ends_with('…'));
    assert!(alert.analysis.summary.len() <= 300);
    assert_eq!(alert.analysis.severity, Severity::Critical);
    let folded = format!("Subject: a\r\n{}\r\nbody", " b\r\n".repeat(1 << 18));
    assert!(soon(|| mail(folded)).event.subject.len() <= 4_096);
    let words = format!("Subject: {}\r\n\r\nbody", "=?utf-8?Q?a?= ".repeat(1 << 16));
    assert!(soon(|| mail(words)).event.subject.starts_with("aaaa"));
}

#[test]
fn nul_and_control_characters_do_not_pass() {
    let alert = mail("Subject: a\0b\x07\r\nX-Mailer: m\0\r\nFrom: <r\0t@vm>\r\n\r\n\x1b[31mred\x1b[0m\0 \x08end");
    assert_eq!(alert.event.subject, "a\u{fffd}b");
    assert_eq!(alert.event.text, "red\u{fffd} end");
    let all = serde_json::to_string(&alert).unwrap();
    assert!(!all.contains("\\u00") && !all.contains('\0'), "{all}");
}

#[test]
fn a_large_attachment_costs_little() {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let raw = format!(
        "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee attached\r\n--b\r\n\
         Content-Type: application/zip; name=big.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        line.repeat(25 * 1024 * 1024 / line.len())
    );
    let alert = soon(|| mail(raw));
    assert_eq!(alert.event.text, "see attached");
    assert_eq!(alert.event.attachments, ["big.zip"]);
}

#[test]
fn a_long_text_is_cut_with_a_note() {
    let alert = soon(|| simple("long", &"磁盘 log line\n".repeat(500_000)));
    assert!(alert.event.text.len() <= TEXT_MAX_BYTES);
    assert!(alert.event.text.ends_with("\n[cut here: more than 64 kB of text]"));
    let html = format!("Content-Type: text/html\n\n{}", "<div><b>x</b><td>".repeat(500_000));
    assert!(soon(|| mail(html)).event.text.len() <= TEXT_MAX_BYTES);
}

#[test]
fn headers_without_end_are_bounded() {
    let many: String = (0..50_000).fold(String::new(), |mut all, n| {
        let _ = writeln!(all, "X-{n}: {n}");
        all
    });
    assert_eq!(soon(|| mail(format!("Subject: s\n{many}\nbody"))).event.text, "body");
    let addresses = format!("To: {}\nSubject: s\n\nbody", "a@b.example, ".repeat(100_000));
    assert!(soon(|| mail(addresses)).event.to.len() <= 1_000);
    let broken = format!("Subject: s\n{}\n\nbody", "no field here\nTo: x@y\n".repeat(20_000));
    soon(|| mail(broken));
}

#[test]
fn a_small_mail_is_analysed_at_once() {
    let body = "2026-11-21 20:59:15 web01 nginx[4711]: upstream timed out while reading\n".repeat(26);
    let raw = format!("From: root@web01\nSubject: nginx on web01\n\n{body}");
    let rounds = 200;
    mail(raw.clone());
    let start = Instant::now();
    (0..rounds).for_each(|_| drop(mail(raw.clone())));
    // A release build takes well under 100 µs; this bound is for an unoptimised one on a busy machine.
    assert!(start.elapsed() / rounds < Duration::from_millis(20), "{:?} a mail", start.elapsed() / rounds);
}
