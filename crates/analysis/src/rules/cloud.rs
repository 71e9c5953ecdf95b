//! Clouds: alarms of Amazon's `CloudWatch`, as its SNS mails them.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, words};

/// `ALARM: "api-5xx" in EU (Frankfurt)`, `OK: "api-5xx" in …`, `INSUFFICIENT_DATA: "api-5xx" in …`. An alarm has no
/// severity of its own.
pub(super) fn cloudwatch(seen: &Seen<'_>) -> Option<Finding> {
    let (state, rest) = seen.subject.split_once(": \"")?;
    let (name, _) = rest.split_once("\" in ")?;
    let (severity, status) = match state {
        "ALARM" => (Severity::Error, Status::Firing),
        "OK" => (Severity::Error, Status::Resolved),
        "INSUFFICIENT_DATA" => (Severity::Warning, Status::Firing),
        _ => return None,
    };
    let description = seen.field("Description").unwrap_or_default();
    let summary = match description {
        "" => format!("{name} is {state}"),
        description => format!("{name} is {state}: {description}"),
    };
    let category = words::category(&format!("{name} {description}"));
    Some(Finding::new(severity, category, name, summary).status(status).key(name))
}
