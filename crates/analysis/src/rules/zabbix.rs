//! Zabbix: the default messages of its mail media types, text and HTML (6.0; unchanged since 5.0).
//!
//! Problem, update and recovery of an event share an In-Reply-To of the form
//! `<eventid.recipient.media type.installation@zabbix.com>`.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, strip_prefix, with_system, words};

/// Zabbix's names for severities, with what its own webhooks send to `PagerDuty` for them.
const SEVERITIES: [(&str, Severity); 6] = [
    ("Not classified", Severity::Info),
    ("Information", Severity::Info),
    ("Warning", Severity::Warning),
    ("Average", Severity::Warning),
    ("High", Severity::Error),
    ("Disaster", Severity::Critical),
];

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Finding> {
    let thread = seen.header("in-reply-to").filter(|id| id.contains("@zabbix.com"));
    let id = seen.field("Original problem ID");
    if thread.is_none() && (id.is_none() || seen.field("Severity").is_none()) {
        return None;
    }
    let name = seen.field("Problem name").unwrap_or_else(|| without_state(seen.subject));
    let host = seen.field("Host").unwrap_or_default();
    let severity = seen.field("Severity").unwrap_or_default();
    let severity = SEVERITIES.iter().find(|(word, _)| word.eq_ignore_ascii_case(severity));
    let status = status(seen);
    let mut summary = with_system(host, name);
    if status == Status::Resolved {
        summary.push_str(": resolved");
        if let Some(duration) = seen.field("Problem duration") {
            summary.push_str(" after ");
            summary.push_str(duration);
        }
    }
    let finding = Finding::new(
        severity.map_or(Severity::Warning, |(_, known)| *known),
        words::category(&name.replace(host, " ")),
        host,
        summary,
    )
    .status(status)
    .key(thread.as_deref().and_then(event_key).or(id.map(str::to_owned)).unwrap_or_else(|| format!("{host} {name}")));
    // The media type's default message ends with the trigger's URL.
    let last = seen.text.lines().last().unwrap_or_default().trim();
    let runbook = status != Status::Resolved && last.starts_with("http");
    Some(if runbook { finding.action(format!("See {last}")) } else { finding })
}

fn status(seen: &Seen<'_>) -> Status {
    let (subject, text) = (seen.subject, seen.text);
    let now = text.split_once("Current problem status is ").map(|(_, now)| now);
    if strip_prefix(subject, "Resolved").is_some()
        || strip_prefix(text, "Problem has been resolved").is_some()
        || now.is_some_and(|now| now.starts_with("RESOLVED"))
    {
        Status::Resolved
    } else if now.is_some_and(|now| now.lines().next().is_some_and(|line| line.contains("acknowledged: Yes"))) {
        Status::Acknowledged
    } else {
        Status::Firing
    }
}

/// `Problem: x`, `Resolved in 58s: x`, `Updated problem in 5m: x` → `x`.
fn without_state(subject: &str) -> &str {
    let stated = ["Problem", "Resolved", "Updated problem"].iter().any(|state| strip_prefix(subject, state).is_some());
    subject.split_once(": ").filter(|_| stated).map_or(subject, |(_, name)| name)
}

/// The event's id and the installation's: the parts that do not change with the recipient.
fn event_key(thread: &str) -> Option<String> {
    let id = thread.trim_start_matches('<').split('@').next()?;
    let mut parts = id.split('.');
    let event = parts.next().filter(|event| event.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(format!("{event}@{}", parts.next_back().unwrap_or_default()))
}
