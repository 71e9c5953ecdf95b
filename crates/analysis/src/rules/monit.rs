//! Monit: `monit alert --  Does not exist nope`, with the service, the host and what Monit did in the body.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, strip_prefix, words};

/// How the subject of each kind of event ends when it is over, and what it says while it lasts
/// (`Event_Table` in Monit's event.c). `Exists` is the end of `Does not exist`.
const OVER: [&str; 10] = [
    " succeeded",
    " not changed",
    " recovery",
    "exists",
    "link up",
    " not match",
    " does not match",
    " up",
    " back",
    " restored",
];

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Finding> {
    let said = strip_prefix(seen.subject, "monit alert --");
    let mailer = seen.event.labels.get("mailer").is_some_and(|mailer| mailer.starts_with("Monit "));
    if said.is_none() && !mailer {
        return None;
    }
    // "Does not exist Service nope"
    let (event, service) =
        seen.first_line().split_once(" Service ").unwrap_or((said.unwrap_or(seen.subject).trim(), ""));
    let (event, service) = (event.trim(), service.trim());
    let host = seen.field("Host").unwrap_or_default();
    let description = seen.field("Description").unwrap_or_default();
    let lower = event.to_lowercase();
    let about_monit = lower.starts_with("monit instance") || lower == "action done";
    let resolved = OVER.iter().any(|over| lower.ends_with(over)) && !lower.ends_with("does not exist");
    let severity = if about_monit {
        Severity::Info
    } else if lower.contains("changed") && !resolved {
        Severity::Warning
    } else {
        Severity::Error
    };
    let shown = if service.is_empty() || service == host { String::new() } else { format!("{service} on ") };
    let what = if description.is_empty() { event } else { description };
    let category = if about_monit { "monitoring" } else { words::category(&format!("{event} {description}")) };
    let finding = Finding::new(severity, category, host, format!("{shown}{host}: {what}"))
        .status(if resolved { Status::Resolved } else { Status::Firing })
        .key(format!("{host}/{service}/{}", subject_of(&lower)));
    Some(match seen.field("Action") {
        Some("restart") if !resolved => finding.action("Monit restarts it; look again if this repeats"),
        Some("stop" | "unmonitor") if !resolved => finding.action("Monit has given up on it: start it by hand"),
        _ => finding,
    })
}

/// What the event is about, whichever way it went: `connection failed` and `connection succeeded` are one alert.
fn subject_of(event: &str) -> &str {
    if event.ends_with("exist") || event.ends_with("exists") {
        return "existence";
    }
    let cut = [" failed", " succeeded", " not changed", " changed", " recovery", " up", " down", " match", " limit"];
    cut.iter().find_map(|end| event.split_once(end)).map_or(event, |(about, _)| about)
}
