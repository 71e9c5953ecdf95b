//! Netdata's `alarm-notify.sh`. Its headers say everything (1.37): `X-Netdata-Host`, `-Severity`, `-Alert-Name` …

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, words};

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Finding> {
    let severity = seen.header("x-netdata-severity")?;
    let host = seen.header("x-netdata-host").unwrap_or_default();
    let alarm = seen.header("x-netdata-alert-name").unwrap_or_default();
    let chart = seen.header("x-netdata-chart").unwrap_or_default();
    let (severity, status) = match severity.to_ascii_lowercase().as_str() {
        "critical" => (Severity::Critical, Status::Firing),
        "warning" => (Severity::Warning, Status::Firing),
        "clear" => (Severity::Critical, Status::Resolved),
        _ => (Severity::Info, Status::Firing),
    };
    let summary = super::with_system(&host, seen.subject);
    let category = words::category(&format!("{alarm} {chart}"));
    Some(Finding::new(severity, category, host.as_str(), summary).status(status).key(format!("{host}/{chart}/{alarm}")))
}
