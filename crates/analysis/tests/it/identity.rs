//! Fingerprints: what changes between reports of one thing, and what tells two things apart.

use super::{mail, simple};

#[test]
fn times_and_counters_do_not_change_the_fingerprint() {
    let first = simple("Disk usage 91% on web01", "2026-11-21 20:59:15 /var is 91% full (pid 4711)\n");
    let later = simple("Disk usage 93% on web01", "2026-11-22 06:01:00 /var is 93% full (pid 99)\n");
    assert_eq!(first.fingerprint, later.fingerprint);
    assert_eq!(first.id, later.id);
}

#[test]
fn another_host_is_another_alert() {
    let one = simple("Disk usage 91% on web01", "full\n");
    let other = simple("Disk usage 91% on web02", "full\n");
    assert_ne!(one.fingerprint, other.fingerprint);
    let from = |sender: &str| mail(format!("From: {sender}\nSubject: disk full\n\nfull\n"));
    // The envelope's sender comes first and is the same; what the subject says decides.
    assert_eq!(from("a@x.example").fingerprint, from("b@x.example").fingerprint);
}

#[test]
fn a_job_that_failed_is_not_the_one_that_only_spoke() {
    let spoke = simple("Cron <root@web01> /usr/bin/backup", "copied 12 files\n");
    let failed = simple("Cron <root@web01> /usr/bin/backup", "ERROR: no space left on device\n");
    assert_ne!(spoke.fingerprint, failed.fingerprint);
    let again = simple("Cron <root@web01> /usr/bin/backup", "error: 7 files vanished\n");
    assert_eq!(failed.fingerprint, again.fingerprint);
}

#[test]
fn the_end_of_a_long_text_is_not_identity() {
    let text = |end: &str| simple("report", &format!("{}{end}", "line of the report\n".repeat(400)));
    assert_eq!(text("a").fingerprint, text("b").fingerprint);
}
