//! `watchbell eval`: its figures, and what it says about a folder that it cannot use.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn eval(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchbell"));
    command.arg("eval").arg(folder).args(more).env_clear().output().unwrap()
}

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// A folder of mails with these rows in its table.
fn folder(mails: &[(&str, &str)], rows: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in mails {
        fs::write(dir.path().join(name), text).unwrap();
    }
    fs::write(dir.path().join("expected.tsv"), format!("file\tseverity\tstatus\tsystem\tcategory\n{rows}")).unwrap();
    dir
}

const DOWN: &str = "From: mon@corp.example\nSubject: web01 is down\n\nno answer\n";

#[test]
fn the_rules_alone_read_the_recorded_mails() {
    let output = eval(&fixtures("mail"), &["--json", "--at-least", "95"]);
    assert!(output.status.success(), "{output:?}");
    let report = json(&output);
    assert_eq!(report["by"], "rules");
    assert_eq!(report["right"]["of"], 27);
    for all in ["valid", "critical"] {
        assert_eq!(report[all]["right"], report[all]["of"], "{all}");
    }
    assert_eq!((&report["tokens"], &report["cost_micros"]), (&Value::from(0), &Value::from(0)));
    assert!(report["latency_micros"]["p99"].as_u64() >= report["latency_micros"]["p50"].as_u64());
    let unsure: Vec<&str> =
        report["unsure"].as_array().unwrap().iter().filter_map(|mail| mail["file"].as_str()).collect();
    assert!(unsure.contains(&"swaks-null-sender.eml") && !unsure.contains(&"icinga-host-down.eml"), "{unsure:?}");
}

#[test]
fn names_of_files_tell_the_rules_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let table = fs::read_to_string(fixtures("mail/expected.tsv")).unwrap();
    let mut renamed = String::from("file\tseverity\tstatus\tsystem\tcategory\n");
    for (number, row) in table.lines().skip(1).enumerate() {
        let (file, rest) = row.split_once('\t').unwrap();
        let _ = writeln!(renamed, "{number}.eml\t{rest}");
        let envelope = |name: &str| name.replace(".eml", ".envelope.json");
        let to = format!("{number}.eml");
        fs::copy(fixtures("mail").join(file), dir.path().join(&to)).unwrap();
        fs::copy(fixtures("mail").join(envelope(file)), dir.path().join(envelope(&to))).unwrap();
    }
    fs::write(dir.path().join("expected.tsv"), renamed).unwrap();
    assert!(eval(dir.path(), &["--at-least", "100"]).status.success());
}

#[test]
fn the_table_shows_what_is_wrong_and_fails_below_the_share_asked_for() {
    let calm = "From: root@db01\nSubject: hello\n\nall is well\n";
    let dir = folder(
        &[("down.eml", DOWN), ("calm.eml", calm)],
        "down.eml\tcritical\tfiring\tweb01\tavailability\ncalm.eml\tcritical|error\tresolved\tdb02\t\n",
    );
    let output = eval(dir.path(), &["--at-least", "50"]);
    assert!(output.status.success(), "half of them are right: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "right         1 of 2      50.0 %",
        "critical      1 of 1     100.0 %",
        "category      1 of 1     100.0 %",
        "accepted \\ answered      info  warning    error critical",
        "  error                       1        0        0        0",
        "  critical                    0        0        0        1",
        "severity: `info` instead of `critical` or `error`",
        "status: `firing` instead of `resolved`",
        "system: `db01` instead of `db02`",
        "0.3  calm.eml (by its words)",
    ] {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }
    let output = eval(dir.path(), &["--at-least", "50.1", "--json"]);
    assert!(!output.status.success());
    assert_eq!(json(&output)["wrong"][0]["file"], "calm.eml", "the figures are there all the same");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("50.0 % of the mails are right, and at least 50.1 % were asked for"), "{text}");
}

#[test]
fn a_folder_that_cannot_be_used_is_refused_with_file_and_line() {
    let says = |folder: &Path, expected: &str| {
        let output = eval(folder, &[]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    };
    says(Path::new("no/such/folder"), "reading the folder no/such/folder");
    let empty = tempfile::tempdir().unwrap();
    says(empty.path(), "expected.tsv");
    for (rows, expected) in [
        ("down.eml\tbad\tfiring\n", "expected.tsv:2"),
        ("down.eml\tbad\tfiring\n", "unknown variant `bad`, expected one of `info`"),
        ("\ndown.eml\tinfo\tover\n", "expected.tsv:3"),
        ("down.eml\tinfo\nother.eml\tinfo\n", "other.eml\n"),
        (
            "down.eml\tinfo\ndown.eml\tinfo\n",
            "expected.tsv:3: down.eml is not a .eml file of the folder, or has two lines",
        ),
        ("", "no line for down.eml"),
    ] {
        says(folder(&[("down.eml", DOWN)], rows).path(), expected);
    }
    let envelope = folder(&[("down.eml", DOWN), ("down.envelope.json", "{")], "down.eml\tinfo\n");
    says(envelope.path(), "down.envelope.json");
    says(folder(&[], "").path(), "no line but the heading");
}

#[test]
fn a_share_is_a_number_of_per_cent() {
    for wrong in ["101", "all", "NaN"] {
        let output = eval(&fixtures("mail"), &["--at-least", wrong]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("0 to 100"), "{wrong}");
        assert!(!output.status.success(), "{wrong}");
    }
    let help = Command::new(env!("CARGO_BIN_EXE_watchbell")).args(["eval", "--help"]).output().unwrap();
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for word in ["expected.tsv", "--at-least", "--json", "separated by", "fixtures/mail"] {
        assert!(text.contains(word), "{text}");
    }
}
