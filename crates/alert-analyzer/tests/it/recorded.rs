//! Mails as real programs sent them, and what a careful operator reads in them (`fixtures/mail/expected.tsv`).

use std::fmt::Write as _;

use super::{fixtures, recorded, shown, understood};

struct Expected {
    file: String,
    severity: Vec<String>,
    status: Vec<String>,
    system: Vec<String>,
}

fn expected() -> Vec<Expected> {
    let table = std::fs::read_to_string(fixtures().join("expected.tsv")).unwrap();
    let list = |text: &str| text.split('|').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    let read = |line: &str| {
        let columns: Vec<&str> = line.split('\t').chain([""; 4]).collect();
        let [file, severity, status, system, ..] = columns[..] else { unreachable!("padded to four") };
        Expected { file: file.to_owned(), severity: list(severity), status: list(status), system: list(system) }
    };
    table.lines().skip(1).filter(|line| !line.is_empty()).map(read).collect()
}

#[test]
fn every_recorded_mail_is_read_as_an_operator_reads_it() {
    let rows = expected();
    let mut right = 0;
    let mut table = String::new();
    for row in &rows {
        let alert = understood(&recorded(&row.file));
        let fits = row.severity.iter().any(|severity| severity == alert.analysis.severity.as_str())
            && row.status.iter().any(|status| status == alert.analysis.status.as_str())
            && (row.system.is_empty() || row.system.iter().any(|system| alert.analysis.system.contains(system)));
        right += usize::from(fits);
        let _ = writeln!(table, "{} {}\n       {}", if fits { "right" } else { "WRONG" }, row.file, shown(&alert));
    }
    assert_eq!(rows.len(), 27, "docs/guide/analysis.md gives the share of these");
    assert_eq!(right, rows.len(), "\n{table}");
}

#[test]
fn every_recorded_mail_is_in_the_table() {
    let listed: Vec<String> = expected().into_iter().map(|row| row.file).collect();
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(path.extension().is_none_or(|is| is != "eml") || listed.iter().any(|one| one == name), "{name}");
    }
}

#[test]
fn all_analyses_are_as_before() {
    let mut all = String::new();
    for row in expected() {
        let alert = understood(&recorded(&row.file));
        let program = alert.event.labels.get("program").map_or("-", String::as_str);
        let _ = writeln!(all, "{} [{program}]\n  {}", row.file, shown(&alert));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn whole_events_are_as_before() {
    for file in [
        "zabbix-html-problem-disaster.eml",
        "alertmanager-html-firing-instance-down.eml",
        "s-nail-critical-load-attachment.eml",
        "icinga-service-problem-raw-8bit-subject.eml",
        "cron-backup-failed-utf8-subject.eml",
        "swaks-null-sender.eml",
    ] {
        let alert = understood(&recorded(file));
        insta::assert_snapshot!(file, serde_json::to_string_pretty(&alert).unwrap());
    }
}

#[test]
fn problem_and_recovery_are_one_alert() {
    let same = |one: &str, other: &str| {
        let (one, other) = (understood(&recorded(one)), understood(&recorded(other)));
        assert_eq!(one.fingerprint.len(), 32);
        (one.fingerprint == other.fingerprint, one.id == other.id)
    };
    for (problem, recovery) in [
        ("zabbix-text-problem-high.eml", "zabbix-text-resolved-high.eml"),
        ("zabbix-html-problem-high.eml", "zabbix-html-resolved-high.eml"),
        // The same event, sent to other recipients in another format.
        ("zabbix-text-problem-high.eml", "zabbix-html-problem-high.eml"),
        ("icinga-service-problem-raw-8bit-subject.eml", "icinga-service-recovery-raw-8bit-subject.eml"),
        ("alertmanager-text-firing-disk-full.eml", "alertmanager-html-resolved-disk-full.eml"),
        ("alertmanager-text-firing-instance-down.eml", "alertmanager-html-firing-instance-down.eml"),
    ] {
        assert_eq!(same(problem, recovery), (true, true), "{problem} {recovery}");
    }
    for (one, other) in [
        ("zabbix-html-problem-high.eml", "zabbix-html-problem-disaster.eml"),
        ("icinga-host-down.eml", "icinga-service-problem-raw-8bit-subject.eml"),
        ("monit-instance-started.eml", "monit-process-not-running.eml"),
    ] {
        assert_eq!(same(one, other), (false, false), "{one} {other}");
    }
}

#[test]
fn a_truncated_mail_is_still_analysed() {
    for row in expected() {
        let mut payload = recorded(&row.file);
        let whole = payload.raw.clone();
        for length in (0..whole.len()).step_by(97) {
            payload.raw = whole.slice(..length);
            assert!(!understood(&payload).analysis.summary.is_empty(), "{} at {length}", row.file);
        }
    }
}
