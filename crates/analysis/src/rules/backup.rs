//! Backups: Bacula and Bareos, Proxmox vzdump, Veeam, and by their words borg, restic, duplicity, rsnapshot …
//!
//! A report of success is news, not the end of a problem: it is firing and `info`, with a key of its own.

use watchbell_common::alert::Severity;

use super::{Finding, Seen, between, generic, strip_prefix, words};

const RETRY: &str = "Run the backup again once the cause is gone; until then there is no fresh copy";

/// `Bacula: Backup Fatal Error of db01-fd Full`, `Bareos: Backup OK of …`, `Bacula: Intervention needed for …`.
pub(super) fn bacula(seen: &Seen<'_>) -> Option<Finding> {
    let rest = seen.subject.strip_prefix("Bacula: ").or_else(|| seen.subject.strip_prefix("Bareos: "))?;
    let (what, job) = rest.split_once(" of ").or_else(|| rest.split_once(" for ")).unwrap_or((rest, ""));
    let client = job.split(' ').next().unwrap_or_default();
    let lower = what.to_lowercase();
    let severity = if lower.contains("with warnings") || lower.contains("intervention") || lower.contains("cancel") {
        Severity::Warning
    } else if lower.ends_with(" ok") {
        Severity::Info
    } else {
        Severity::Error
    };
    let line = seen.first_line();
    let detail = if severity >= Severity::Error && !line.is_empty() { format!(": {line}") } else { String::new() };
    Some(outcome(
        severity,
        client,
        format!("{rest}{detail}"),
        &format!("{client}/{}", what.split(' ').next().unwrap_or_default()),
    ))
}

/// Proxmox VE: `vzdump backup status (pve1): backup failed`.
pub(super) fn vzdump(seen: &Seen<'_>) -> Option<Finding> {
    let node = between(seen.subject, "vzdump backup status (", ")")?;
    let result = seen.subject.rsplit_once(':')?.1.trim();
    let severity = if result.ends_with("successful") { Severity::Info } else { Severity::Error };
    let detail = words::body(seen.text).filter(|_| severity == Severity::Error).map(|(_, line)| format!(" ({line})"));
    Some(outcome(severity, node, format!("{node}: vzdump {result}{}", detail.unwrap_or_default()), node))
}

/// Veeam: `[Failed] Backup Job 1 (3 VMs) 1 failed`.
pub(super) fn veeam(seen: &Seen<'_>) -> Option<Finding> {
    let (state, rest) = seen.subject.strip_prefix('[')?.split_once("] ")?;
    let severity = match state {
        "Success" => Severity::Info,
        "Warning" => Severity::Warning,
        "Failed" => Severity::Error,
        _ => return None,
    };
    if !seen.text.contains("Veeam") {
        return None;
    }
    let job = rest.split(" (").next().unwrap_or(rest);
    Some(outcome(severity, job, rest.to_owned(), job))
}

/// Anything whose subject speaks of a backup and of how it went.
pub(super) fn by_words(seen: &Seen<'_>) -> Option<Finding> {
    const ABOUT: [&str; 14] = [
        "backup",
        "restic",
        "borg",
        "duplicity",
        "duply",
        "rsnapshot",
        "rsync",
        "sicherung",
        "sauvegarde",
        "amanda",
        "dump",
        "snapshot",
        "резервн",
        "备份",
    ];
    const DONE: [&str; 11] = [
        "success",
        "successful",
        "successfully",
        "completed",
        "finished",
        "done",
        "erfolgreich",
        "réussie",
        "успешно",
        "ok",
        "成功",
    ];
    let lower = seen.subject.to_lowercase();
    if !ABOUT.iter().any(|about| lower.contains(about)) || words::resolved(seen.subject) {
        return None;
    }
    let bad = words::line(seen.subject);
    let done = words::tokens(&lower).any(|(_, word)| DONE.contains(&word)) || lower.contains("成功");
    let severity = match bad {
        Some(Severity::Warning) => Severity::Warning,
        Some(Severity::Error | Severity::Critical) => Severity::Error,
        _ if done => Severity::Info,
        _ => return None,
    };
    let system = generic::system(seen);
    let tool = strip_prefix(&lower, "re: ").unwrap_or(&lower);
    let key = format!("{system}/{}", watchbell_common::fingerprint::masked(tool));
    let mut finding = outcome(severity, &system, super::with_system(&system, seen.subject), &key);
    finding.confidence = 0.7;
    Some(finding)
}

fn outcome(severity: Severity, system: &str, summary: String, key: &str) -> Finding {
    let finding = Finding::new(severity, "backup", system, summary).key(format!("{key}/{severity}"));
    if severity >= Severity::Error { finding.action(RETRY) } else { finding }
}
