//! Grafana: unified alerting (`[FIRING:1] name …`, since 9) and the older dashboard alerts (`[Alerting] …`).

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, words};

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Finding> {
    let (state, rest) = seen.subject.strip_prefix('[')?.split_once(']')?;
    let (severity, status) = match state.split(':').next()? {
        "FIRING" => (None, Status::Firing),
        "RESOLVED" => (None, Status::Resolved),
        "Alerting" => (Some(Severity::Error), Status::Firing),
        "OK" => (Some(Severity::Error), Status::Resolved),
        "No Data" | "Error" => (Some(Severity::Warning), Status::Firing),
        _ => return None,
    };
    // Unified alerting sets the label on every alert, whoever sends the mail and whatever its template says.
    let marked = ["Grafana", "grafana_folder"].iter().any(|mark| seen.text.contains(mark));
    if !marked && !seen.event.from.iter().any(|from| from.contains("grafana")) {
        return None;
    }
    let rest = rest.trim();
    let name = rest.split(" (").next().unwrap_or(rest);
    let label = |name: &str| seen.field(name).map(str::to_owned);
    let system =
        ["instance", "host", "hostname", "node", "pod", "service"].into_iter().find_map(label).unwrap_or_default();
    let severity = severity
        .or_else(|| words::severity_label(seen.field("severity")?))
        .or_else(|| words::severity_label(between_brackets(rest)?.split_whitespace().last()?))
        .unwrap_or(Severity::Error);
    let said = seen.field("summary").or_else(|| seen.field("description"));
    let summary = said.map_or_else(|| name.to_owned(), |said| format!("{name}: {said}"));
    let finding = Finding::new(severity, words::category(rest), system, summary).status(status).key(name);
    Some(match seen.field("runbook_url").filter(|_| status == Status::Firing) {
        Some(runbook) => finding.action(format!("Follow the runbook: {runbook}")),
        None => finding,
    })
}

fn between_brackets(heading: &str) -> Option<&str> {
    super::between(heading, "(", ")")
}
