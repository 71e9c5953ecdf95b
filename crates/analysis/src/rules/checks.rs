//! Host and service checks: Nagios and its relatives (Icinga 2, Naemon, Shinken, Centreon, OMD), Checkmk, Uptime Kuma
//! and Uptime Robot.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, words};

/// Notification types (Nagios' macro `$NOTIFICATIONTYPE$`, Icinga 2's `notification.type`).
const KINDS: [&str; 10] = [
    "PROBLEM",
    "RECOVERY",
    "ACKNOWLEDGEMENT",
    "FLAPPINGSTART",
    "FLAPPINGSTOP",
    "FLAPPINGEND",
    "DOWNTIMESTART",
    "DOWNTIMEEND",
    "DOWNTIMEREMOVED",
    "CUSTOM",
];

/// A check's states and what they mean to us. A check that was not run says nothing about the service.
fn severity_of(state: &str) -> Option<Severity> {
    Some(match state {
        "CRITICAL" | "CRIT" | "DOWN" => Severity::Critical,
        "UNREACHABLE" | "UNREACH" => Severity::Error,
        "WARNING" | "WARN" | "UNKNOWN" | "UNKN" => Severity::Warning,
        "OK" | "UP" => Severity::Info,
        _ => return None,
    })
}

/// Nagios: `** PROBLEM Service Alert: web01/HTTP is CRITICAL **`; OMD: `*** PROBLEM *** web01 / HTTP is CRITICAL`;
/// Icinga 2: `[PROBLEM] HTTP on web01 is CRITICAL!`, `[RECOVERY] Host web01 is UP!`; Icinga 1 and older scripts:
/// `PROBLEM - web01 - HTTP is CRITICAL`.
pub(super) fn nagios(seen: &Seen<'_>) -> Option<Finding> {
    let (kind, what, state) = nagios_subject(seen.subject)?;
    let severity = severity_of(state)?;
    let (host_said, service_said) = what;
    let host = seen.field("Host").unwrap_or(host_said);
    let service = seen.field("Service").or(service_said);
    let status = match kind {
        "RECOVERY" => Status::Resolved,
        "ACKNOWLEDGEMENT" => Status::Acknowledged,
        _ if severity == Severity::Info => Status::Resolved,
        _ => Status::Firing,
    };
    // What the state was before is not told: see the module's documentation on recoveries.
    let severity = match (status, kind) {
        (Status::Resolved, _) => Severity::Critical,
        (_, "PROBLEM" | "ACKNOWLEDGEMENT") => severity,
        _ => Severity::Info,
    };
    let shown =
        service_said.or(service).map_or_else(|| format!("Host {host}"), |service| format!("{service} on {host}"));
    let info = seen
        .field("Info")
        .or_else(|| seen.field("Additional Info"))
        .or_else(|| seen.field("Output"))
        .or_else(|| after_heading(seen, "Additional Info:"));
    let summary = match info {
        Some(info) => format!("{shown} is {state}: {info}"),
        None => format!("{shown} is {state}"),
    };
    let finding = Finding::new(severity, category(service, &summary), host, summary).status(status);
    let finding = finding.key(format!("{host}/{}", service.unwrap_or_default()));
    Some(match (status, seen.field("URL").or_else(|| seen.field("Action URL"))) {
        (Status::Firing, Some(url)) => finding.action(format!("See {url}")),
        _ => finding,
    })
}

/// What a service is about, by its name before its output; a host is there or not.
fn category(service: Option<&str>, summary: &str) -> &'static str {
    match service.map(words::category) {
        None => "availability",
        Some("other") => words::category(summary),
        Some(known) => known,
    }
}

type Told<'s> = (&'s str, (&'s str, Option<&'s str>), &'s str);

/// Kind of notification, host and service, state.
fn nagios_subject(subject: &str) -> Option<Told<'_>> {
    if let Some(inner) = subject.strip_prefix("** ") {
        let inner = inner.strip_suffix("**").unwrap_or(inner).trim();
        let (kind, rest) = inner.split_once(' ')?;
        let (what, state) = rest.split_once(" Alert: ")?.1.rsplit_once(" is ")?;
        return Some((kind, host_and_service(what, "/"), state.trim()));
    }
    if let Some((kind, rest)) = subject.strip_prefix("*** ").and_then(|rest| rest.split_once(" *** ")) {
        let (what, state) = rest.rsplit_once(" is ")?;
        return Some((kind, host_and_service(what, " / "), state.trim()));
    }
    if let Some((kind, rest)) = subject.split_once(" - ").filter(|(kind, _)| KINDS.contains(kind)) {
        let (what, state) = rest.rsplit_once(" is ")?;
        return Some((kind, host_and_service(what, " - "), state.trim()));
    }
    let (kind, rest) = subject.strip_prefix('[')?.split_once("] ")?;
    let (what, state) = rest.strip_suffix('!')?.rsplit_once(" is ")?;
    let what = match what.rsplit_once(" on ") {
        Some((service, host)) => (host, Some(service)),
        None => (what.strip_prefix("Host ").unwrap_or(what), None),
    };
    Some((kind, what, state))
}

fn host_and_service<'s>(what: &'s str, between: &str) -> (&'s str, Option<&'s str>) {
    what.split_once(between).map_or((what, None), |(host, service)| (host, Some(service)))
}

/// The first line after a heading that stands alone.
fn after_heading<'a>(seen: &Seen<'a>, heading: &str) -> Option<&'a str> {
    let mut lines = seen.text.lines().map(str::trim).skip_while(|line| *line != heading).skip(1);
    lines.find(|line| !line.is_empty())
}

/// Checkmk: `Check_MK: web01/CPU load OK -> CRIT`, `Check_MK: web01 - UP -> DOWN`,
/// `Check_MK: web01/CPU load Acknowledged (CRIT)`.
pub(super) fn checkmk(seen: &Seen<'_>) -> Option<Finding> {
    let rest = seen.subject.strip_prefix("Check_MK: ").or_else(|| seen.subject.strip_prefix("Checkmk: "))?;
    let change = rest.rsplit_once(" -> ").and_then(|(before, state)| {
        let (what, was) = before.rsplit_once(' ')?;
        Some((what, was, state.trim()))
    });
    let acknowledged = || {
        let (what, state) = rest.strip_suffix(')')?.split_once(" Acknowledged (")?;
        Some((what, state, state))
    };
    let (what, was, state) = change.or_else(acknowledged)?;
    let what = what.strip_suffix(" -").unwrap_or(what);
    let (host, service) = host_and_service(what, "/");
    let severity = severity_of(state)?;
    let status = match severity {
        _ if change.is_none() => Status::Acknowledged,
        Severity::Info => Status::Resolved,
        _ => Status::Firing,
    };
    let shown = service.map_or_else(|| format!("Host {host}"), |service| format!("{service} on {host}"));
    let detail = seen.field("Summary").or_else(|| seen.field("Output"));
    let summary =
        detail.map_or_else(|| format!("{shown} is {state}"), |detail| format!("{shown} is {state}: {detail}"));
    let severity = if status == Status::Resolved { severity_of(was).unwrap_or(Severity::Critical) } else { severity };
    Some(Finding::new(severity, category(service, &summary), host, summary).status(status).key(what))
}

/// Uptime Kuma: `[shop] [🔴 Down] connect ECONNREFUSED`, `[shop] [✅ Up] 200 - OK`.
pub(super) fn uptime_kuma(seen: &Seen<'_>) -> Option<Finding> {
    let (name, rest) = seen.subject.strip_prefix('[')?.split_once("] [")?;
    let (state, said) = rest.split_once(']')?;
    let resolved = match state {
        "🔴 Down" => false,
        "✅ Up" => true,
        _ => return None,
    };
    let finding = Finding::new(Severity::Critical, "availability", name, format!("{name}: {state}:{said}"));
    Some(finding.status(if resolved { Status::Resolved } else { Status::Firing }).key(name))
}

/// Uptime Robot: `Monitor is DOWN: shop`, `Monitor is UP: shop ( https://shop.example )`.
pub(super) fn uptime_robot(seen: &Seen<'_>) -> Option<Finding> {
    let (state, name) = seen.subject.strip_prefix("Monitor is ")?.split_once(": ")?;
    let status = match state {
        "DOWN" => Status::Firing,
        "UP" => Status::Resolved,
        _ => return None,
    };
    let name = name.split(" ( ").next().unwrap_or(name).trim();
    let finding = Finding::new(Severity::Critical, "availability", name, format!("{name} is {state}"));
    Some(finding.status(status).key(name))
}
