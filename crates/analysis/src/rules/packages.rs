//! Package updates: unattended-upgrades, apticron, dnf-automatic and the like.

use watchbell_common::alert::Severity;

use super::{Finding, Seen, between};

/// `[reboot required] unattended-upgrades result for vm: SUCCESS`; older versions say `… for 'vm': 'True'`, still
/// older ones `… for 'vm'`, with the result in the text.
pub(super) fn unattended_upgrades(seen: &Seen<'_>) -> Option<Finding> {
    let (flags, rest) = seen.subject.split_once("unattended-upgrades result for ")?;
    let (host, result) = rest.rsplit_once(": ").unwrap_or((rest, ""));
    let (host, result) = (host.trim_matches('\''), result.trim_matches('\''));
    let reboot = flags.contains("reboot required");
    let packages =
        between(seen.text, "Packages that were upgraded:\n", "\n").map_or(0, |list| list.split_whitespace().count());
    let failed = match result {
        "SUCCESS" | "True" => false,
        "" => seen.text.contains("Unattended upgrade returned: False"),
        _ => true,
    };
    let summary = match (failed, packages) {
        (true, _) => format!("{host}: automatic upgrade failed"),
        (false, 0) => format!("{host}: automatic upgrade succeeded"),
        (false, packages) => format!("{host}: {packages} packages upgraded"),
    };
    let summary = if reboot { format!("{summary}, reboot required") } else { summary };
    let severity = match (failed, reboot) {
        (true, _) => Severity::Error,
        (false, true) => Severity::Warning,
        (false, false) => Severity::Info,
    };
    let finding = Finding::new(severity, "update", host, summary).key(format!("{host}/{severity}"));
    Some(match severity {
        Severity::Error => finding.action("Read /var/log/unattended-upgrades/ and run the upgrade by hand"),
        Severity::Warning => finding.action("Plan a reboot"),
        _ => finding,
    })
}

/// apticron: `12 Debian package update(s) for web01`, `[apticron] web01: 12 package update(s)`;
/// dnf-automatic: `Updates available on 'web01'.`; Proxmox: `New software packages available (web01)`
pub(super) fn apticron(seen: &Seen<'_>) -> Option<Finding> {
    let subject = seen.subject;
    let (host, count) = if let Some((count, host)) = subject.split_once(" package update(s) for ") {
        (host, count.split(' ').next().unwrap_or_default())
    } else if let Some(rest) = subject.strip_prefix("[apticron] ") {
        let (host, rest) = rest.split_once(": ")?;
        (host, rest.split(' ').next().unwrap_or_default())
    } else {
        (
            between(subject, "Updates available on '", "'")
                .or_else(|| between(subject, "Updates applied on '", "'"))
                .or_else(|| between(subject, "New software packages available (", ")"))?,
            "",
        )
    };
    let host = host.trim();
    let summary = if count.is_empty() {
        format!("{host}: {subject}")
    } else {
        format!("{host}: {count} package updates are waiting")
    };
    Some(
        Finding::new(Severity::Info, "update", host, summary)
            .key(host)
            .action("Install the updates in the next window"),
    )
}
