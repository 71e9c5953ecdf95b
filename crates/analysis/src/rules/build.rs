//! Builds: Jenkins.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen};

/// How the subjects of Jenkins' Mailer plugin begin (`MailSender` and its messages), and what they mean.
const JENKINS: [(&str, Severity, Status, &str); 6] = [
    ("Build failed in Jenkins", Severity::Error, Status::Firing, "failed"),
    ("Jenkins build became unstable", Severity::Warning, Status::Firing, "became unstable"),
    ("Jenkins build is unstable", Severity::Warning, Status::Firing, "is unstable"),
    ("Jenkins build is still unstable", Severity::Warning, Status::Firing, "is still unstable"),
    ("Jenkins build is back to stable", Severity::Error, Status::Resolved, "is back to stable"),
    ("Jenkins build is back to normal", Severity::Error, Status::Resolved, "is back to normal"),
];

/// `Build failed in Jenkins: deploy-shop #812`, `Jenkins build is back to normal : deploy-shop #813`.
pub(super) fn jenkins(seen: &Seen<'_>) -> Option<Finding> {
    let (said, rest) = seen.subject.split_once(": ")?;
    let (_, severity, status, what) = *JENKINS.iter().find(|(start, ..)| said.trim_end() == *start)?;
    let job = rest.rsplit_once(" #").map_or(rest, |(job, _)| job).trim();
    let finding = Finding::new(severity, "job", job, format!("{rest} {what}")).status(status).key(job);
    Some(if severity == Severity::Error && status == Status::Firing {
        finding.action("Read the build's console output")
    } else {
        finding
    })
}
