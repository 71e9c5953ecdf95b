//! Uninterruptible power supplies: apcupsd and NUT.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen};

/// What apcupsd's event scripts say (`$HOSTNAME UPS $1 …`, in its `platforms/etc`).
const APCUPSD: [(&str, Severity, Status, &str); 6] = [
    ("Power Failure", Severity::Critical, Status::Firing, "power"),
    ("on battery", Severity::Critical, Status::Firing, "power"),
    ("Power is back", Severity::Critical, Status::Resolved, "power"),
    ("battery needs changing", Severity::Error, Status::Firing, "battery"),
    ("lost", Severity::Error, Status::Firing, "communication"),
    ("restored", Severity::Error, Status::Resolved, "communication"),
];

/// What upsmon says about a UPS (`NOTIFYMSG` in upsmon.conf(5)).
const NUT: [(&str, Severity, Status, &str); 9] = [
    ("on line power", Severity::Critical, Status::Resolved, "power"),
    ("on battery", Severity::Critical, Status::Firing, "power"),
    ("battery is low", Severity::Critical, Status::Firing, "power"),
    ("forced shutdown in progress", Severity::Critical, Status::Firing, "shutdown"),
    ("auto logout and shutdown proceeding", Severity::Critical, Status::Firing, "shutdown"),
    ("battery needs to be replaced", Severity::Error, Status::Firing, "battery"),
    ("established", Severity::Error, Status::Resolved, "communication"),
    ("lost", Severity::Error, Status::Firing, "communication"),
    ("unavailable", Severity::Error, Status::Firing, "communication"),
];

pub(super) fn apcupsd(seen: &Seen<'_>) -> Option<Finding> {
    let subject = seen.subject;
    let (host, rest) = subject.split_once(" Communications with UPS ").or_else(|| subject.split_once(" UPS "))?;
    if host.contains(' ') {
        return None;
    }
    let (_, severity, status, about) = *APCUPSD.iter().find(|(said, ..)| rest.contains(said))?;
    let ups = rest.split(' ').next().unwrap_or(rest);
    Some(finding(
        severity,
        status,
        host,
        format!("{host}: UPS {}", rest.trim_end_matches([' ', '!'])),
        &format!("{host}/{ups}/{about}"),
    ))
}

/// NUT sends `UPS ups@localhost on battery` as the subject or as the only line.
pub(super) fn nut(seen: &Seen<'_>) -> Option<Finding> {
    let line = [seen.subject, seen.first_line()].into_iter().find(|line| {
        line.strip_prefix("UPS ").is_some_and(|rest| rest.split(' ').next().is_some_and(|ups| ups.contains('@')))
            || line.starts_with("Communications with UPS ")
            || line.starts_with("Auto logout and shutdown proceeding")
    })?;
    let lower = line.to_lowercase();
    let (_, severity, status, about) = *NUT.iter().find(|(said, ..)| lower.contains(said))?;
    let ups = line.split(' ').find(|word| word.contains('@')).unwrap_or_default();
    Some(finding(severity, status, ups, line.to_owned(), &format!("{ups}/{about}")))
}

fn finding(severity: Severity, status: Status, system: &str, summary: String, key: &str) -> Finding {
    let finding = Finding::new(severity, "power", system, summary).status(status).key(key);
    if status == Status::Firing && key.ends_with("/power") {
        finding.action("Find out how long the power stays away; shut down what the battery cannot carry")
    } else {
        finding
    }
}
