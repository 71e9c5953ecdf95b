//! Prometheus Alertmanager: its default mail (HTML only), the usual plain template, and anything else that
//! prints Go's `map[label:value …]` or `label = value` lines under a `[FIRING:2]` heading.

use std::collections::BTreeMap;

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, words};

/// Labels that say where, the most precise first.
const PLACES: [&str; 11] =
    ["instance", "node", "host", "hostname", "pod", "device", "service", "namespace", "job", "cluster", "name"];

/// Places that are named in a system.
const PLACES_MAX: usize = 3;

/// Alerts of a group that are read.
const ALERTS_MAX: usize = 100;

/// Labels that are kept.
const LABELS_MAX: usize = 50;

type Labels = BTreeMap<String, String>;

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Finding> {
    let heading = [seen.first_line(), seen.subject].into_iter().find_map(heading);
    let default_mail = seen.text.contains("View in Alertmanager") || seen.text.contains("View In AlertManager");
    let alerts = if default_mail { from_lines(seen.text) } else { from_maps(seen.text) };
    if !default_mail && (heading.is_none() || alerts.is_empty()) {
        return None;
    }
    let firing = heading.map_or_else(|| seen.text.contains("] Firing"), |(firing, _)| firing);
    let group = group_line(seen.first_line()).filter(|_| default_mail).map(values_of_group);
    let group = group.filter(|group| !group.is_empty()).or(heading.map(|(_, rest)| without_common(rest).to_owned()));
    let first = alerts.first().cloned().unwrap_or_default();
    let get = |name: &str| first.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let name = get("alertname").or(group.as_deref()).unwrap_or(seen.subject);
    let system = system(&alerts);
    let mut summary = match get("summary").or(get("message")).or(get("description")) {
        Some(said) if said.contains(name) => said.to_owned(),
        Some(said) => format!("{name}: {said}"),
        None => name.to_owned(),
    };
    if !system.is_empty() && !summary.contains(&system) {
        summary = format!("{summary} ({system})");
    } else if alerts.len() > 1 {
        summary = format!("{summary} (and {} more)", alerts.len() - 1);
    }
    let severities = alerts.iter().filter_map(|alert| words::severity_label(alert.get("severity")?));
    let severity = severities.max().or_else(|| words::severity_label(get("priority")?)).unwrap_or(Severity::Warning);
    let category = words::category(&format!("{name} {}", get("summary").unwrap_or_default()));
    let mut finding = Finding::new(severity, category, system, summary)
        .status(if firing { Status::Firing } else { Status::Resolved })
        .key(group.clone().unwrap_or_else(|| name.to_owned()));
    if let Some(runbook) = get("runbook_url").or(get("runbook")).filter(|_| firing) {
        finding = finding.action(format!("Follow the runbook: {runbook}"));
    }
    finding.labels = common(&alerts);
    Some(finding)
}

/// What all alerts of the group have in common.
fn common(alerts: &[Labels]) -> Labels {
    let Some((first, others)) = alerts.split_first() else { return Labels::new() };
    let shared = first.iter().filter(|(name, value)| others.iter().all(|other| other.get(*name) == Some(value)));
    shared.take(LABELS_MAX).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// `[FIRING:2] rest` or `[RESOLVED] rest`: whether it fires, and the rest.
fn heading(line: &str) -> Option<(bool, &str)> {
    let (state, rest) = line.strip_prefix('[')?.split_once(']')?;
    let state = state.split([':', ',']).next().unwrap_or_default();
    match state {
        "FIRING" => Some((true, rest.trim())),
        "RESOLVED" => Some((false, rest.trim())),
        _ => None,
    }
}

/// The group's labels end where the common ones begin: they change when alerts join or leave.
fn without_common(heading: &str) -> &str {
    heading.split(" (").next().unwrap_or(heading).trim()
}

/// `2 alerts for alertname=DiskFull cluster=prod-us`, the default mail's first line; it ends early without a group.
fn group_line(first_line: &str) -> Option<&str> {
    first_line.split_once(" for ").map(|(_, group)| group)
}

/// `alertname=DiskFull cluster=prod-us` → `DiskFull prod-us`, as in the heading of the plain template.
fn values_of_group(group: &str) -> String {
    let values = group.split_whitespace().map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    values.collect::<Vec<_>>().join(" ")
}

fn system(alerts: &[Labels]) -> String {
    let place =
        |alert: &Labels| PLACES.iter().find_map(|place| alert.get(*place).filter(|found| !found.is_empty()).cloned());
    let mut places: Vec<String> = Vec::new();
    for place in alerts.iter().filter_map(place) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let more = places.len().saturating_sub(PLACES_MAX);
    places.truncate(PLACES_MAX);
    let mut system = places.join(", ");
    if more > 0 {
        system = format!("{system} and {more} more");
    }
    system
}

/// The alerts of the default mail: after each `Labels` line, `name = value` lines.
fn from_lines(text: &str) -> Vec<Labels> {
    let mut alerts: Vec<Labels> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line == "Labels" {
            if alerts.len() == ALERTS_MAX {
                break;
            }
            alerts.push(Labels::new());
        } else if let Some((name, value)) = line.split_once(" = ")
            && is_name(name)
            && let Some(alert) = alerts.last_mut()
        {
            alert.insert(name.to_owned(), value.trim().to_owned());
        }
    }
    alerts
}

/// The alerts in Go's notation, one a line: labels, then annotations.
fn from_maps(text: &str) -> Vec<Labels> {
    let mut alerts = Vec::new();
    for line in text.lines().filter(|line| line.contains("map[")).take(ALERTS_MAX) {
        let mut labels = Labels::new();
        for map in line.split("map[").skip(1) {
            read_map(map.rsplit_once(']').map_or(map, |(inner, _)| inner), &mut labels);
        }
        if labels.contains_key("alertname") {
            alerts.push(labels);
        }
    }
    alerts
}

/// `a:1 b:two words c:3`; a word with a colon starts the next pair when what is before it is a name.
fn read_map(map: &str, labels: &mut Labels) {
    let mut open: Option<&str> = None;
    for word in map.split(' ') {
        match word.split_once(':').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => {
                labels.insert(name.to_owned(), value.to_owned());
                open = Some(name);
            }
            None => {
                if let Some(value) = open.and_then(|name| labels.get_mut(name)) {
                    value.push(' ');
                    value.push_str(word);
                }
            }
        }
    }
}

/// A label's name (Prometheus data model): letters, digits and underscores, not starting with a digit.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
