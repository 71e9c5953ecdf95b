//! Mails as real programs sent them, and what a careful operator reads in them (`fixtures/mail/expected.tsv`).

use std::fmt::Write as _;

use watchbell_analysis::labelled::{self, Labelled};

use super::{fixtures, recorded, shown, understood};

fn all() -> Vec<Labelled> {
    labelled::read(&fixtures()).unwrap()
}

/// How many are right, and a table of the others.
fn right(mails: &[Labelled]) -> (usize, String) {
    let mut right = 0;
    let mut table = String::new();
    for mail in mails {
        let alert = understood(&mail.payload);
        let verdict = mail.expected.judge(&alert.analysis);
        if verdict.right() {
            right += 1;
        } else {
            let _ = writeln!(table, "{}: {verdict:?}\n  {}", mail.file, shown(&alert));
        }
    }
    (right, table)
}

// docs/guide/analysis.md gives these figures.
#[test]
fn every_recorded_mail_is_read_as_an_operator_reads_it() {
    let mails = all();
    let (right, wrong) = right(&mails);
    assert_eq!((mails.len(), right), (27, 27), "\n{wrong}");
}

#[test]
fn mails_written_after_other_versions_are_read_as_well_as_we_say() {
    let mails = labelled::read(&fixtures().join("../mail-variations")).unwrap();
    let first_unknown = mails.iter().position(|mail| mail.file == "azure-monitor-fired.eml").unwrap();
    let (known, unknown) = mails.split_at(first_unknown);
    let (right_known, wrong) = right(known);
    assert_eq!((known.len(), right_known), (60, 60), "\n{wrong}");
    let (right_unknown, wrong) = right(unknown);
    assert_eq!(unknown.len(), 20);
    assert!(right_unknown >= 9, "{right_unknown}\n{wrong}");
}

#[test]
fn all_analyses_are_as_before() {
    let mut analyses = String::new();
    for mail in all() {
        let alert = understood(&mail.payload);
        let program = alert.event.labels.get("program").map_or("-", String::as_str);
        let _ = writeln!(analyses, "{} [{program}]\n  {}", mail.file, shown(&alert));
    }
    insta::assert_snapshot!(analyses);
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
    for Labelled { file, mut payload, .. } in all() {
        let whole = payload.raw.clone();
        for length in (0..whole.len()).step_by(97) {
            payload.raw = whole.slice(..length);
            assert!(!understood(&payload).analysis.summary.is_empty(), "{file} at {length}");
        }
    }
}
