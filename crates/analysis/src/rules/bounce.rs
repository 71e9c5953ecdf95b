//! Reports that a mail was not delivered (RFC 3464, and the prose of exim, qmail and Exchange).
//! A bounced alert is an alert that somebody did not get.

use watchbell_common::alert::Severity;

use super::{Finding, Seen};

const SUBJECTS: [&str; 8] = [
    "Undelivered Mail Returned to Sender",
    "Delivery Status Notification",
    "Mail delivery failed",
    "Undeliverable:",
    "Undeliverable mail",
    "failure notice",
    "Returned mail:",
    "Warning: message",
];

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Finding> {
    let clues = seen.clues;
    let by_mail_system = ["mailer-daemon", "postmaster"].iter().any(|local| seen.sent_by(local));
    let by_subject =
        SUBJECTS.iter().any(|start| seen.subject.starts_with(start)) || seen.subject.starts_with("Delayed Mail");
    if clues.delivery_status.is_empty() && !(by_subject && (clues.null_sender || by_mail_system)) {
        return None;
    }
    let status = |name: &str| {
        let mut lines = clues.delivery_status.lines();
        lines.find_map(|line| Some(super::strip_prefix(line, name)?.strip_prefix(':')?.trim()))
    };
    let recipient = status("Final-Recipient").or_else(|| status("Original-Recipient"));
    let recipient =
        recipient.map(|found| found.rsplit(';').next().unwrap_or(found).trim()).or_else(|| address_in(seen.text));
    let recipient = recipient.unwrap_or("an unnamed recipient");
    let delayed = status("Action").is_some_and(|action| action.eq_ignore_ascii_case("delayed"))
        || seen.subject.starts_with("Delayed Mail")
        || seen.subject.starts_with("Warning: message");
    let delivered = status("Action").is_some_and(|action| ["delivered", "relayed", "expanded"].contains(&action));
    let reason = status("Diagnostic-Code").map(|code| code.split_once(';').map_or(code, |(_, text)| text).trim());
    let (severity, what) = match (delayed, delivered) {
        (_, true) => (Severity::Info, "was delivered"),
        (true, _) => (Severity::Info, "is delayed"),
        _ => (Severity::Warning, "was not delivered"),
    };
    let summary = match reason {
        Some(reason) => format!("Mail to {recipient} {what}: {reason}"),
        None => format!("Mail to {recipient} {what}"),
    };
    let finding = Finding::new(severity, "mail", recipient, summary).key(format!("{recipient}/{what}"));
    Some(if severity == Severity::Warning {
        finding.action("Correct the address where the alert is configured")
    } else {
        finding
    })
}

/// The first address in angle brackets, or alone on a line.
fn address_in(text: &str) -> Option<&str> {
    text.lines().take(60).map(str::trim).find_map(|line| {
        let inner = line.strip_prefix('<').and_then(|rest| rest.split('>').next()).unwrap_or(line);
        let plain = inner.split(' ').count() == 1
            && inner.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
        plain.then_some(inner.trim_end_matches(':'))
    })
}
