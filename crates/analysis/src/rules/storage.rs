//! Disks and arrays: smartd, mdadm, the ZFS event daemon.

use watchbell_common::alert::{Severity, Status};

use super::{Finding, Seen, between, strip_prefix};

/// smartd's warning script: `SMART error (CurrentPendingSector) detected on host: vm`.
pub(super) fn smartd(seen: &Seen<'_>) -> Option<Finding> {
    let kind = between(seen.subject, "SMART error (", ")")?;
    let host = seen.subject.rsplit_once("host: ").map(|(_, host)| host.trim()).or_else(|| seen.field("host name"));
    let host = host.unwrap_or_default();
    // "Device: /dev/sda [SAT], 8 Currently unreadable (pending) sectors"
    let line = seen.field("Device").unwrap_or_default();
    let (device, what) = line.split_once(", ").unwrap_or((line, kind));
    let severity = match kind {
        "EmailTest" => Severity::Info,
        "Health" | "FailedHealthCheck" | "FailedReadSmartSelfTestLog" | "SelfTest" => Severity::Critical,
        _ => Severity::Error,
    };
    let short = device.split(' ').next().unwrap_or(device);
    let finding =
        Finding::new(severity, "disk", host, format!("{host}: {short}: {what}")).key(format!("{host}/{device}/{kind}"));
    Some(match severity {
        Severity::Info => finding,
        _ => finding.action(format!(
            "Check the disk (smartctl -a {short}), see that backups are current, plan its replacement"
        )),
    })
}

/// mdadm --monitor: `Fail event on /dev/md0:web01` (the events are those of mdadm(8)).
pub(super) fn mdadm(seen: &Seen<'_>) -> Option<Finding> {
    let (event, rest) = seen.subject.split_once(" event on ")?;
    let (device, host) = rest.split_once(':')?;
    if !device.starts_with("/dev/") {
        return None;
    }
    let (severity, status, what) = match event {
        "Fail" | "FailSpare" => (Severity::Critical, Status::Firing, "a disk failed"),
        "DegradedArray" => (Severity::Critical, Status::Firing, "the array is degraded"),
        "DeviceDisappeared" => (Severity::Critical, Status::Firing, "the array disappeared"),
        "SparesMissing" => (Severity::Warning, Status::Firing, "spare disks are missing"),
        "SpareActive" => (Severity::Critical, Status::Resolved, "a spare was rebuilt and is active"),
        "RebuildFinished" => (Severity::Info, Status::Firing, "a rebuild ended"),
        "TestMessage" => (Severity::Info, Status::Firing, "test message"),
        other if other.starts_with("Rebuild") => (Severity::Info, Status::Firing, "a rebuild is running"),
        _ => (Severity::Info, Status::Firing, event),
    };
    // Fail, DegradedArray and SpareActive are the life of one problem.
    let about = if severity == Severity::Critical { "redundancy" } else { event };
    let finding = Finding::new(severity, "disk", host, format!("{host}: {device}: {what}"))
        .status(status)
        .key(format!("{host}/{device}/{about}"));
    let act = severity == Severity::Critical && status == Status::Firing;
    Some(if act {
        finding.action(format!(
            "Look at the array (mdadm --detail {device}) and replace what failed before another disk does"
        ))
    } else {
        finding
    })
}

/// zed's mails: `ZFS device fault for pool tank on nas`, `ZFS scrub_finish event for tank on nas`.
pub(super) fn zed(seen: &Seen<'_>) -> Option<Finding> {
    let rest = seen.subject.strip_prefix("ZFS ")?;
    let host = seen.field("host").or_else(|| rest.rsplit_once(" on ").map(|(_, host)| host.trim()))?;
    let class = seen.field("class").unwrap_or_else(|| rest.split(" for ").next().unwrap_or(rest));
    let pool = seen.field("pool").map(|pool| pool.split(" (").next().unwrap_or(pool)).unwrap_or_default();
    let state = seen.field("state").unwrap_or_default();
    let errors = seen.field("errors").is_some_and(|errors| !errors.starts_with("No known data errors"));
    let severity = match state {
        "FAULTED" | "UNAVAIL" | "REMOVED" | "SUSPENDED" => Severity::Critical,
        _ if errors || class.contains("data") || class.contains("checksum") => Severity::Error,
        "DEGRADED" => Severity::Error,
        _ if rest.contains("fault") => Severity::Error,
        _ => Severity::Info,
    };
    let what = strip_prefix(seen.first_line(), "ZFS has ").unwrap_or(seen.first_line()).trim_end_matches([':', '.']);
    let device = seen.field("vpath").map(|path| format!(" {path}")).unwrap_or_default();
    let summary = format!(
        "{host}: pool {pool}{device}: {what}{}",
        if state.is_empty() { String::new() } else { format!(" ({state})") }
    );
    let finding = Finding::new(severity, "disk", host, summary).key(format!("{host}/{pool}{device}/{class}/{state}"));
    Some(if severity >= Severity::Error {
        finding.action(format!("Look at the pool (zpool status {pool}) and replace what failed"))
    } else {
        finding
    })
}
