//! Third stage: the deterministic analysis. One file per family of senders; the first that knows a mail decides,
//! [`generic`] reads what none of them knows. Whether something is firing or resolved is decided here and only
//! here: it never depends on a model.
//!
//! A recovery keeps the severity of its problem where the source tells it, and takes the worst that the source
//! has where it does not, so that it passes the same rules on its way to the same people.

mod alertmanager;
mod backup;
mod bounce;
mod build;
mod checks;
mod cloud;
mod cron;
mod generic;
mod grafana;
mod logs;
mod monit;
mod netdata;
mod packages;
mod power;
mod security;
mod storage;
mod words;
mod zabbix;

use std::{borrow::Cow, collections::BTreeMap};

use watchbell_common::alert::{Analysis, Event, Origin, Severity, Status};

use crate::decode::{Clues, cut};

/// The longest summary, system and action, in bytes.
pub(crate) const SUMMARY_MAX_BYTES: usize = 300;
pub(crate) const SYSTEM_MAX_BYTES: usize = 200;
pub(crate) const ACTION_MAX_BYTES: usize = 500;

/// How many lines of a body [`Seen::field`] looks at.
const FIELD_LINES_MAX: usize = 200;

/// A family of senders.
pub(crate) struct Family {
    /// Becomes the label `program`.
    pub name: &'static str,
    recognise: fn(&Seen<'_>) -> Option<Finding>,
}

/// All families, in the order in which they are asked. The specific markers come first.
pub(crate) const ALL: &[Family] = &[
    Family { name: "zabbix", recognise: zabbix::recognise },
    Family { name: "netdata", recognise: netdata::recognise },
    Family { name: "monit", recognise: monit::recognise },
    Family { name: "grafana", recognise: grafana::recognise },
    Family { name: "alertmanager", recognise: alertmanager::recognise },
    Family { name: "nagios", recognise: checks::nagios },
    Family { name: "checkmk", recognise: checks::checkmk },
    Family { name: "uptime-kuma", recognise: checks::uptime_kuma },
    Family { name: "uptime-robot", recognise: checks::uptime_robot },
    Family { name: "cloudwatch", recognise: cloud::cloudwatch },
    Family { name: "jenkins", recognise: build::jenkins },
    Family { name: "smartd", recognise: storage::smartd },
    Family { name: "mdadm", recognise: storage::mdadm },
    Family { name: "zed", recognise: storage::zed },
    Family { name: "fail2ban", recognise: security::fail2ban },
    Family { name: "sudo", recognise: security::sudo },
    Family { name: "rkhunter", recognise: security::rkhunter },
    Family { name: "logwatch", recognise: logs::logwatch },
    Family { name: "bacula", recognise: backup::bacula },
    Family { name: "vzdump", recognise: backup::vzdump },
    Family { name: "veeam", recognise: backup::veeam },
    Family { name: "unattended-upgrades", recognise: packages::unattended_upgrades },
    Family { name: "apticron", recognise: packages::apticron },
    Family { name: "apcupsd", recognise: power::apcupsd },
    Family { name: "nut", recognise: power::nut },
    Family { name: "bounce", recognise: bounce::recognise },
    Family { name: "cron", recognise: cron::cron },
    Family { name: "anacron", recognise: cron::anacron },
    Family { name: "at", recognise: cron::at },
    Family { name: "backup", recognise: backup::by_words },
];

/// What the rules look at.
pub(crate) struct Seen<'a> {
    pub event: &'a Event,
    pub clues: &'a Clues<'a>,
    /// The subject without the `Re:` and `[EXTERNAL]` that mail systems put before it.
    pub subject: &'a str,
    pub text: &'a str,
}

/// What a family read in an event.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub severity: Severity,
    pub status: Status,
    pub category: &'static str,
    pub system: String,
    pub summary: String,
    pub action: Cow<'static, str>,
    pub confidence: f32,
    /// What the source calls its alert; the same when it is firing and when it is resolved.
    pub key: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// What a report of a mail system says became of a mail; `None` for everything else.
pub(crate) fn bounce(seen: &Seen<'_>) -> Option<String> {
    bounce::recognise(seen).map(|finding| finding.summary)
}

impl Finding {
    /// A firing alert that is known for sure.
    fn new(severity: Severity, category: &'static str, system: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            severity,
            status: Status::Firing,
            category,
            system: system.into(),
            summary: summary.into(),
            action: Cow::Borrowed(""),
            confidence: 1.0,
            key: None,
            labels: BTreeMap::new(),
        }
    }

    fn status(self, status: Status) -> Self {
        Self { status, ..self }
    }

    fn action(self, action: impl Into<Cow<'static, str>>) -> Self {
        Self { action: action.into(), ..self }
    }

    fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

impl<'a> Seen<'a> {
    pub(crate) fn new(event: &'a Event, clues: &'a Clues<'a>) -> Self {
        Self { event, clues, subject: without_prefixes(&event.subject), text: &event.text }
    }

    fn is_mail(&self) -> bool {
        self.event.source == "mail"
    }

    fn header(&self, name: &str) -> Option<String> {
        self.clues.headers.text(name)
    }

    /// The value of a line `name: value` (also `name = value` and the cells of a table row), wherever it is
    /// among the first lines.
    fn field(&self, name: &str) -> Option<&'a str> {
        self.text.lines().take(FIELD_LINES_MAX).find_map(|line| {
            let line = line.trim_start_matches([' ', '\t', '*', '>', '|', '-']);
            let value = strip_prefix(line, name)?.trim_start_matches([' ', '\t', '*']);
            let value = value.strip_prefix([':', '|', '='])?.trim().trim_end_matches(" |");
            (!value.is_empty()).then_some(value)
        })
    }

    /// Whether one of the senders' addresses has this local part.
    fn sent_by(&self, local: &str) -> bool {
        self.event.from.iter().any(|from| from.split('@').next() == Some(local))
    }

    fn first_line(&self) -> &'a str {
        self.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }
}

/// Analyses an event. Also names the family, and the key by which the source knows its alert.
pub(crate) fn analyse(seen: &Seen<'_>) -> (&'static str, Finding) {
    let known = if seen.is_mail() {
        ALL.iter().find_map(|family| Some((family.name, (family.recognise)(seen)?)))
    } else {
        None
    };
    known.unwrap_or_else(|| ("", generic::read(seen)))
}

/// The finding in the form in which it travels, with what must fit in a line cut to it. There is always a summary.
pub(crate) fn analysis(seen: &Seen<'_>, finding: &Finding) -> Analysis {
    let mut summaries = [&finding.summary, seen.subject, seen.first_line()].into_iter().map(one_line);
    let summary = summaries.find(|summary| !summary.is_empty()).unwrap_or_else(|| "(an empty message)".to_owned());
    Analysis {
        severity: finding.severity,
        status: finding.status,
        category: finding.category.to_owned(),
        system: cut(one_line(&finding.system), SYSTEM_MAX_BYTES),
        summary: cut(summary, SUMMARY_MAX_BYTES),
        action: cut(one_line(&finding.action), ACTION_MAX_BYTES),
        origin: Origin::Rules,
        confidence: finding.confidence,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` after `prefix`, which is ASCII and may be in either case.
fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// What is between the first `from` and the next `to`.
fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(from)?;
    let (found, _) = rest.split_once(to)?;
    Some(found.trim())
}

fn without_prefixes(subject: &str) -> &str {
    let mut subject = subject.trim();
    while let Some(rest) = ["re:", "fw:", "fwd:", "aw:", "wg:", "[external]", "[ext]", "***spam***"]
        .iter()
        .find_map(|prefix| strip_prefix(subject, prefix))
    {
        subject = rest.trim_start();
    }
    subject
}

/// The summary with the system in front, unless it is already there.
fn with_system(system: &str, summary: &str) -> String {
    if system.is_empty() || summary.contains(system) { summary.to_owned() } else { format!("{system}: {summary}") }
}

/// [`with_system`], cut to the length of a summary.
pub(crate) fn headline(system: &str, title: &str) -> String {
    cut(one_line(&with_system(system, title)), SUMMARY_MAX_BYTES)
}
