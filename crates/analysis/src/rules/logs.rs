//! Log digests: logwatch.

use watchbell_common::alert::Severity;

use super::{Finding, Seen, between};

/// `Logwatch for vm (Linux)`.
pub(super) fn logwatch(seen: &Seen<'_>) -> Option<Finding> {
    let rest = seen.subject.strip_prefix("Logwatch for ")?;
    let host = rest.split(" (").next().unwrap_or(rest).trim();
    let sections = seen.text.matches(" Begin ---").count();
    let range = between(seen.text, "Date Range Processed:", "\n").unwrap_or("all");
    let summary = format!("{host}: log digest ({range}), {sections} sections");
    Some(Finding::new(Severity::Info, "report", host, summary).key(host))
}
