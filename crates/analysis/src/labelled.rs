//! Labelled mails: a folder of `*.eml` with an `expected.tsv`, which says what a careful operator reads in each.
//! The tests and `watchbell eval` measure by them; no service reads them.
//!
//! The table's columns are file, severity, status, system, category; a column may hold several accepted values
//! with `|` between them, and an empty one is not judged. Beside `x.eml`, `x.envelope.json` may give its SMTP
//! envelope (`helo`, `mail_from`, `rcpt_tos`); without it the sender is that of `Return-Path`, else of `From`.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use serde::{
    Deserialize,
    de::{self, IntoDeserializer as _},
};
use watchbell_common::{
    alert::{Analysis, Severity, Status},
    ids::{EventId, TenantId},
    payload::{AlertPayload, Content, Envelope},
};

use crate::pasted;

/// The table's name in the folder.
pub const TABLE: &str = "expected.tsv";

/// A mail, and what is to be read in it.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// Its file's name, for people only: no analysis sees it.
    pub file: String,
    pub payload: AlertPayload,
    pub expected: Expected,
}

/// What is accepted. An empty list is not judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    pub severity: Vec<Severity>,
    pub status: Vec<Status>,
    /// The system must contain one of these.
    pub system: Vec<String>,
    pub category: Vec<String>,
}

/// Which parts of an analysis are as expected; `None` for what is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub severity: Option<bool>,
    pub status: Option<bool>,
    pub system: Option<bool>,
    pub category: Option<bool>,
}

impl Expected {
    /// Compares an analysis with what is expected.
    pub fn judge(&self, analysis: &Analysis) -> Verdict {
        Verdict {
            severity: any(&self.severity, |severity| *severity == analysis.severity),
            status: any(&self.status, |status| *status == analysis.status),
            system: any(&self.system, |system| analysis.system.contains(system)),
            category: any(&self.category, |category| *category == analysis.category),
        }
    }

    /// The verdict when there is no analysis: wrong in all that is judged.
    pub fn unanswered(&self) -> Verdict {
        Verdict {
            severity: any(&self.severity, |_| false),
            status: any(&self.status, |_| false),
            system: any(&self.system, |_| false),
            category: any(&self.category, |_| false),
        }
    }
}

fn any<T>(accepted: &[T], fits: impl Fn(&T) -> bool) -> Option<bool> {
    (!accepted.is_empty()).then(|| accepted.iter().any(fits))
}

impl Verdict {
    /// Whether severity, status and system are right. The category is a matter of taste and judged by itself.
    pub fn right(&self) -> bool {
        [self.severity, self.status, self.system].into_iter().flatten().all(|right| right)
    }
}

/// Reads a folder, in the order of its table.
///
/// # Errors
/// When the folder, the table or a mail cannot be read, a line of the table is wrong, or a mail has no line.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Labelled>> {
    let mut without_line = mails(folder)?;
    let table = folder.join(TABLE);
    let text = fs::read_to_string(&table).with_context(|| format!("reading {}", table.display()))?;
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        let at = || format!("{}:{}", table.display(), number + 1);
        let (file, expected) = row(line).with_context(at)?;
        let payload = mail(&folder.join(file)).with_context(at)?;
        ensure!(without_line.remove(file), "{}: {file} is not a .eml file of the folder, or has two lines", at());
        all.push(Labelled { file: file.to_owned(), payload, expected });
    }
    if let Some(file) = without_line.first() {
        bail!("{}: no line for {file}", table.display());
    }
    ensure!(!all.is_empty(), "{}: no line but the heading", table.display());
    Ok(all)
}

/// The names of the mails in a folder.
fn mails(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading the folder {}", folder.display()))? {
        let name = PathBuf::from(entry?.file_name());
        if name.extension().is_some_and(|is| is == "eml") {
            names.insert(name.display().to_string());
        }
    }
    Ok(names)
}

fn row(line: &str) -> anyhow::Result<(&str, Expected)> {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap_or_default().trim();
    let file = next();
    ensure!(!file.is_empty(), "the first column names no file");
    let expected = Expected {
        severity: values(next()).context("severity")?,
        status: values(next()).context("status")?,
        system: values(next()).context("system")?,
        category: values(next()).context("category")?,
    };
    ensure!(!expected.severity.is_empty(), "no severity is given for {file}; tabs separate the columns");
    ensure!(columns.next().is_none(), "more columns than file, severity, status, system and category");
    Ok((file, expected))
}

/// The values of a column, in the words of the API.
fn values<'a, T: Deserialize<'a>>(column: &'a str) -> Result<Vec<T>, de::value::Error> {
    let words = column.split('|').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| T::deserialize(word.into_deserializer())).collect()
}

/// The recorded envelope of a mail.
#[derive(Deserialize)]
struct Recorded {
    #[serde(default)]
    helo: String,
    mail_from: String,
    #[serde(default)]
    rcpt_tos: Vec<String>,
}

/// A mail with its envelope, as intake would put it on the queue.
fn mail(path: &Path) -> anyhow::Result<AlertPayload> {
    let raw = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let event = EventId::derived(&[b"a labelled mail", &raw]);
    let mut payload = pasted::mail(event, TenantId::DEFAULT, 0, raw);
    if let Some(envelope) = recorded(&path.with_extension("envelope.json"))? {
        payload.head.content = Content::Mail(envelope);
    }
    Ok(payload)
}

fn recorded(path: &Path) -> anyhow::Result<Option<Envelope>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("reading {}", path.display()))?,
    };
    let recorded: Recorded = serde_json::from_slice(&bytes).with_context(|| format!("reading {}", path.display()))?;
    let bare = |address: String| address.trim_matches(['<', '>']).to_owned();
    Ok(Some(Envelope {
        helo: recorded.helo,
        mail_from: bare(recorded.mail_from),
        rcpt_to: recorded.rcpt_tos.into_iter().map(bare).collect(),
        user: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_accept_several_values_and_leave_out_columns() {
        let (file, expected) = row("a.eml\tinfo|critical\tresolved\tdb1|prod").unwrap();
        assert_eq!(file, "a.eml");
        let system = ["db1", "prod"].map(str::to_owned).to_vec();
        let severity = vec![Severity::Info, Severity::Critical];
        assert_eq!(expected, Expected { severity, status: vec![Status::Resolved], system, category: Vec::new() });
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        for (line, why) in [
            ("a.eml\tbad\tfiring", "severity: unknown variant `bad`, expected one of `info`"),
            ("a.eml\tinfo\tover", "status: unknown variant `over`"),
            ("a.eml info firing", "no severity is given for a.eml info firing; tabs separate"),
            ("\tinfo", "names no file"),
            ("a.eml\tinfo\t\t\t\tx", "more columns than"),
        ] {
            let error = format!("{:#}", row(line).unwrap_err());
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
