//! `watchbell eval`: its figures, and what it says about a folder that it cannot use.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use serde_json::{Value, json};
use watchbell_harness::Model;

fn eval(folder: &Path, more: &[&str]) -> Output {
    eval_with(folder, more, &[])
}

fn eval_with(folder: &Path, more: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchbell"));
    command.arg("eval").arg(folder).args(more).env_clear().envs(settings.iter().copied()).output().unwrap()
}

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn report(output: &Output) -> Value {
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
    let report = report(&output);
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
    assert_eq!(report(&output)["wrong"][0]["file"], "calm.eml", "the figures are there all the same");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("50.0 % of the mails are right, and at least 50.1 % were asked for"), "{text}");
}

/// Raises what is about tapes, talks nonsense about comets, and agrees with the rules on the rest.
fn says(told: &str) -> String {
    match told {
        told if told.contains("comet") => "I would rather talk about the weather".to_owned(),
        told if told.contains("tape") => Model::answer("error"),
        _ => Model::answer("info"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_provider_the_rules_analysis_and_what_the_model_adds_is_judged() {
    let model = Model::saying(Duration::ZERO, says).await;
    let url = model.base_url();
    let settings = [
        ("WATCHBELL_AI_BASE_URL", url.as_str()),
        ("WATCHBELL_AI_MODEL", "m1"),
        ("WATCHBELL_AI_PROMPT_PRICE", "0.5"),
        ("WATCHBELL_AI_COMPLETION_PRICE", "2"),
    ];
    let tape = "From: root@db01\nSubject: hello\n\nthe tape asks for you\n";
    let comets = ["one", "two", "six"].map(|word| format!("From: root@db01\nSubject: hello {word}\n\na comet\n"));
    // Three answers in a row that cannot be used open a circuit breaker, and those behind them are asked all the same.
    let mails = [("c1.eml", &*comets[0]), ("c2.eml", &comets[1]), ("c3.eml", &comets[2])];
    let dir = folder(
        &[&mails[..], &[("tape.eml", tape), ("down.eml", DOWN)]].concat(),
        "c1.eml\tinfo\nc2.eml\tcritical\nc3.eml\tinfo\tfiring\tdb01\ntape.eml\terror\ndown.eml\tcritical\tfiring\tweb01\n",
    );
    let output = eval_with(dir.path(), &["--provider", "--json", "--at-least", "40"], &settings);
    assert!(output.status.success(), "{output:?}");
    let report = report(&output);
    assert_eq!(report["by"], "model m1");
    let share = |right: usize, of: usize| json!({ "right": right, "of": of });
    for (what, expected) in [
        ("right", share(2, 5)),
        ("valid", share(2, 5)),
        ("critical", share(1, 2)),
        ("status", share(1, 2)),
        ("system", share(1, 2)),
    ] {
        assert_eq!(report[what], expected, "{what}");
    }
    assert_eq!(report["matrix"], json!({ "error": { "error": 1 }, "critical": { "critical": 1 } }));
    let unanswered: Vec<_> = report["unanswered"].as_array().unwrap().iter().map(|mail| &mail["file"]).collect();
    assert_eq!(unanswered, ["c1.eml", "c2.eml", "c3.eml"]);
    assert_eq!(model.calls(), 8, "the three are asked to mend their answers, once");
    assert_eq!((&report["tokens"], &report["cost_micros"]), (&json!(8 * 460), &json!(8 * (200 + 120))));

    let output = eval_with(dir.path(), &["--provider"], &settings);
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "the model m1 on ",
        "valid         2 of 5      40.0 %",
        "tokens    3680",
        "cost      0.002560",
        "3 mails without an answer that could be used\n  c1.eml: unusable: ",
        "0.3  tape.eml (by its words)",
    ] {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }
}

#[test]
fn a_provider_that_is_not_set_is_an_error_that_says_how() {
    let output = eval(&fixtures("mail"), &["--provider"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(text.contains("no model is set") && text.contains("WATCHBELL_AI_BASE_URL"), "{text}");
}

#[test]
fn a_provider_that_is_away_answers_nothing_and_the_report_says_why() {
    let dir = folder(&[("down.eml", DOWN)], "down.eml\tcritical\n");
    let url = format!("http://{}/v1", watchbell_harness::free_address());
    let output = eval_with(
        dir.path(),
        &["--provider", "--json"],
        &[("WATCHBELL_AI_BASE_URL", &url), ("WATCHBELL_AI_MODEL", "m1")],
    );
    let report = report(&output);
    assert_eq!(report["valid"], json!({ "right": 0, "of": 1 }));
    let why = report["unanswered"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("not reachable: "), "{why}");
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
    for word in ["expected.tsv", "--at-least", "--json", "--provider", "separated by", "fixtures/mail"] {
        assert!(text.contains(word), "{text}");
    }
}
