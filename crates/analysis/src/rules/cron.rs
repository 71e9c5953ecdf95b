//! Output of jobs: cron, anacron, at. They mail whatever a job prints, so the words decide.

use watchbell_common::alert::Severity;

use super::{Finding, Seen, between, generic, words};

/// Vixie cron and its heirs: `Cron <root@vm> command`.
pub(super) fn cron(seen: &Seen<'_>) -> Option<Finding> {
    let rest = seen.subject.strip_prefix("Cron <")?;
    let (who, command) = rest.split_once("> ")?;
    let host = who.split_once('@').map_or(who, |(_, host)| host);
    Some(job(seen, host, command, &format!("cron job of {who}")))
}

/// `Anacron job 'cron.daily' on web01`.
pub(super) fn anacron(seen: &Seen<'_>) -> Option<Finding> {
    let name = between(seen.subject, "Anacron job '", "'")?;
    let host = seen.subject.rsplit_once(" on ").map_or("", |(_, host)| host.trim());
    Some(job(seen, host, name, &format!("anacron job {name}")))
}

/// `Output from your job        1`. The number is another each time, so the text is the identity.
pub(super) fn at(seen: &Seen<'_>) -> Option<Finding> {
    seen.subject.strip_prefix("Output from your job")?;
    let host = generic::sender_host(seen);
    let mut finding = job(seen, &host, "", "at job");
    finding.key = None;
    Some(finding)
}

fn job(seen: &Seen<'_>, host: &str, command: &str, shown: &str) -> Finding {
    let scored = words::body(seen.text);
    let severity = scored.as_ref().map_or(Severity::Info, |(severity, _)| *severity);
    let line = scored.as_ref().map_or_else(|| seen.first_line(), |(_, line)| line.as_str());
    let category = match words::category(&format!("{command} {line}")) {
        "other" => "job",
        known => known,
    };
    let summary = if line.is_empty() { format!("{shown}: {command}") } else { format!("{shown}: {line}") };
    let mut finding = Finding::new(severity, category, host, super::with_system(host, &summary));
    // A job that failed and one that only spoke are two alerts: the second must not pass for the first.
    finding.key = Some(format!("{shown}/{command}/{severity}"));
    finding.confidence = if severity == Severity::Info { 0.6 } else { 0.8 };
    if severity >= Severity::Error {
        finding.action = "Run the job by hand and read its output".into();
    }
    finding
}
