//! Intrusion and integrity: fail2ban, sudo, rkhunter.

use watchbell_common::alert::Severity;

use super::{Finding, Seen, between};

/// `[Fail2Ban] sshd: banned 203.0.113.7 from vm` (or ` on vm`), `[Fail2Ban] sshd: started on vm`.
pub(super) fn fail2ban(seen: &Seen<'_>) -> Option<Finding> {
    let rest = seen.subject.strip_prefix("[Fail2Ban] ")?;
    let (jail, what) = rest.split_once(": ")?;
    if let Some(banned) = what.strip_prefix("banned ") {
        let (address, host) = banned.split_once(" from ").or_else(|| banned.split_once(" on ")).unwrap_or((banned, ""));
        let attempts = between(seen.text, "after\n", " attempts against")
            .map(|n| format!(" after {n} attempts"))
            .unwrap_or_default();
        // A ban is the defence at work: nobody has to get up for it.
        let summary = format!("{host}: {jail}: banned {address}{attempts}");
        return Some(Finding::new(Severity::Info, "security", host, summary).key(format!("{host}/{jail}/{address}")));
    }
    let (state, host) = what.split_once(" on ")?;
    let severity = if state == "stopped" { Severity::Warning } else { Severity::Info };
    Some(
        Finding::new(severity, "security", host, format!("{host}: fail2ban {state} {jail}"))
            .key(format!("{host}/{jail}/{state}")),
    )
}

/// sudo: `*** SECURITY information for web01 ***`.
pub(super) fn sudo(seen: &Seen<'_>) -> Option<Finding> {
    let host = between(seen.subject, "*** SECURITY information for ", " ***")?;
    // "web01 : Nov 21 21:12:10 : joe : user NOT in sudoers ; TTY=…"
    let what = seen.first_line().splitn(3, " : ").nth(2).unwrap_or_else(|| seen.first_line());
    let what = what.split(" ; ").next().unwrap_or(what);
    Some(
        Finding::new(Severity::Warning, "security", host, format!("{host}: sudo: {what}"))
            .key(format!("{host}/{what}"))
            .action("Ask whether that was them; if not, treat the account as taken over"),
    )
}

/// rkhunter: `[rkhunter] Warnings found for web01`; Debian's daily run, which mails only when there are some:
/// `[rkhunter] web01 - Daily report`.
pub(super) fn rkhunter(seen: &Seen<'_>) -> Option<Finding> {
    let rest = seen.subject.strip_prefix("[rkhunter] ")?;
    let host = rest.strip_prefix("Warnings found for ").or_else(|| rest.strip_suffix(" - Daily report"))?.trim();
    Some(
        Finding::new(Severity::Warning, "security", host, format!("{host}: rkhunter found warnings"))
            .key(host)
            .action("Read /var/log/rkhunter.log; after an update, rkhunter --propupd"),
    )
}
