//! The figures of `watchbell eval`, and how they are printed.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    path::Path,
    time::Duration,
};

use serde::Serialize;
use watchbell_analysis::labelled::{Expected, Labelled, Verdict};
use watchbell_common::alert::{Analysis, Severity, Status};

use super::Answer;

/// How many of some mails are right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Share {
    right: usize,
    of: usize,
}

/// Accepted severity → answered severity → mails.
type Matrix = BTreeMap<Severity, BTreeMap<Severity, usize>>;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Who answered.
    by: String,
    folder: String,
    pub(crate) right: Share,
    /// Answers that could be used.
    valid: Share,
    severity: Share,
    /// Of the mails that may be nothing but critical.
    critical: Share,
    status: Share,
    system: Share,
    category: Share,
    matrix: Matrix,
    latency_micros: Latency,
    tokens: u64,
    cost_micros: u64,
    unanswered: Vec<Unanswered>,
    wrong: Vec<Wrong>,
    /// Mails that the rules read by their words, or without being sure.
    unsure: Vec<Unsure>,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: u64,
    p99: u64,
}

/// A mail whose answer could not be used.
#[derive(Debug, Serialize)]
struct Unanswered {
    file: String,
    why: String,
}

/// A mail of which something was read wrong.
#[derive(Debug, Serialize)]
struct Wrong {
    file: String,
    parts: Vec<WrongPart>,
}

#[derive(Debug, Serialize)]
struct WrongPart {
    what: &'static str,
    expected: Vec<String>,
    answered: String,
}

#[derive(Debug, Serialize)]
struct Unsure {
    file: String,
    /// The family of rules that knew it; absent when none did.
    program: Option<String>,
    confidence: f32,
}

impl Share {
    fn count(&mut self, judged: Option<bool>) {
        if let Some(right) = judged {
            self.of += 1;
            self.right += usize::from(right);
        }
    }

    /// All of nothing is all.
    #[expect(clippy::cast_precision_loss, reason = "numbers of mails in a folder")]
    pub(crate) fn per_cent(self) -> f64 {
        if self.of == 0 { 100.0 } else { 100.0 * self.right as f64 / self.of as f64 }
    }
}

impl Report {
    /// Counts. There is at least one mail.
    pub(crate) fn of(by: String, folder: &Path, answered: &[(Labelled, Answer)]) -> Self {
        let mut took: Vec<Duration> = answered.iter().map(|(_, answer)| answer.took).collect();
        took.sort_unstable();
        // The nearest rank: of fewer than a hundred mails, p99 is the slowest.
        let percentile = |share: usize| {
            let took = took[(took.len() * share).div_ceil(100) - 1];
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
        };
        let mut report = Self {
            by,
            folder: folder.display().to_string(),
            right: Share::default(),
            valid: Share::default(),
            severity: Share::default(),
            critical: Share::default(),
            status: Share::default(),
            system: Share::default(),
            category: Share::default(),
            matrix: Matrix::new(),
            latency_micros: Latency { p50: percentile(50), p99: percentile(99) },
            tokens: answered.iter().map(|(_, answer)| answer.tokens).sum(),
            cost_micros: answered.iter().map(|(_, answer)| answer.cost_micros).sum(),
            unanswered: Vec::new(),
            wrong: Vec::new(),
            unsure: Vec::new(),
        };
        for (mail, answer) in answered {
            report.count(mail, answer);
        }
        report
    }

    fn count(&mut self, mail: &Labelled, answer: &Answer) {
        if answer.program.is_none() || answer.confidence < 1.0 {
            let program = answer.program.clone();
            self.unsure.push(Unsure { file: mail.file.clone(), program, confidence: answer.confidence });
        }
        self.valid.count(Some(answer.analysis.is_ok()));
        let verdict = match &answer.analysis {
            Ok(analysis) => mail.expected.judge(analysis),
            Err(_) => mail.expected.unanswered(),
        };
        self.right.count(Some(verdict.right()));
        self.severity.count(verdict.severity);
        self.status.count(verdict.status);
        self.system.count(verdict.system);
        self.category.count(verdict.category);
        if mail.expected.severity == [Severity::Critical] {
            self.critical.count(verdict.severity);
        }
        let file = mail.file.clone();
        let analysis = match &answer.analysis {
            Ok(analysis) => analysis,
            Err(why) => return self.unanswered.push(Unanswered { file, why: why.clone() }),
        };
        if let Some(accepted) = nearest(&mail.expected.severity, analysis.severity) {
            *self.matrix.entry(accepted).or_default().entry(analysis.severity).or_default() += 1;
        }
        let parts = wrong_parts(&mail.expected, verdict, analysis);
        if !parts.is_empty() {
            self.wrong.push(Wrong { file, parts });
        }
    }
}

/// The accepted severity that is nearest to the answered one.
fn nearest(accepted: &[Severity], answered: Severity) -> Option<Severity> {
    accepted.iter().copied().min_by_key(|severity| (*severity as i8 - answered as i8).abs())
}

fn wrong_parts(expected: &Expected, verdict: Verdict, analysis: &Analysis) -> Vec<WrongPart> {
    fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<String> {
        all.iter().map(|one| word(*one).to_owned()).collect()
    }
    let parts = [
        ("severity", verdict.severity, words(&expected.severity, Severity::as_str), analysis.severity.as_str()),
        ("status", verdict.status, words(&expected.status, Status::as_str), analysis.status.as_str()),
        ("system", verdict.system, expected.system.clone(), &analysis.system),
        ("category", verdict.category, expected.category.clone(), &analysis.category),
    ];
    let wrong = parts.into_iter().filter(|(_, right, ..)| *right == Some(false));
    wrong.map(|(what, _, expected, answered)| WrongPart { what, expected, answered: answered.to_owned() }).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the {} on {}: {} mails\n", self.by, self.folder, self.right.of)?;
        for (what, share, note) in [
            ("right", self.right, "severity, status and system"),
            ("valid", self.valid, "answers that could be used"),
            ("severity", self.severity, ""),
            ("critical", self.critical, "of those that may be nothing else"),
            ("status", self.status, ""),
            ("system", self.system, ""),
            ("category", self.category, ""),
        ] {
            let Share { right, of } = share;
            let figures = match of {
                0 => "not judged".to_owned(),
                _ => format!("{right:>5} of {of:<5}{:>6.1} %   {note}", share.per_cent()),
            };
            writeln!(f, "  {what:<10}{}", figures.trim_end())?;
        }
        let [p50, p99] = [self.latency_micros.p50, self.latency_micros.p99].map(Duration::from_micros);
        writeln!(f, "  {:<10}p50 {p50:.1?}, p99 {p99:.1?}", "latency")?;
        writeln!(f, "  {:<10}{}", "tokens", self.tokens)?;
        writeln!(f, "  {:<10}{}.{:06}", "cost", self.cost_micros / 1_000_000, self.cost_micros % 1_000_000)?;
        f.write_char('\n')?;
        self.write_matrix(f)?;
        self.write_unanswered(f)?;
        self.write_wrong(f)?;
        self.write_unsure(f)
    }
}

impl Report {
    fn write_matrix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<20}", "accepted \\ answered")?;
        for answered in Severity::ALL {
            write!(f, "{answered:>9}")?;
        }
        for accepted in Severity::ALL {
            write!(f, "\n  {accepted:<20}")?;
            for answered in Severity::ALL {
                let mails = self.matrix.get(&accepted).and_then(|row| row.get(&answered)).unwrap_or(&0);
                write!(f, "{mails:>9}")?;
            }
        }
        Ok(())
    }

    /// The rules always answer, so there is nothing to say about them.
    fn write_unanswered(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.unanswered.is_empty() {
            write!(f, "\n\n{} mails without an answer that could be used", self.unanswered.len())?;
        }
        for Unanswered { file, why } in &self.unanswered {
            write!(f, "\n  {file}: {why}")?;
        }
        Ok(())
    }

    fn write_wrong(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n\n{} mails with something wrong", self.wrong.len())?;
        for Wrong { file, parts } in &self.wrong {
            write!(f, "\n  {file}")?;
            for WrongPart { what, expected, answered } in parts {
                write!(f, "\n    {what}: `{answered}` instead of `{}`", expected.join("` or `"))?;
            }
        }
        Ok(())
    }

    fn write_unsure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n\n{} mails that the rules do not know for sure, with their confidence", self.unsure.len())?;
        for Unsure { file, program, confidence } in &self.unsure {
            write!(f, "\n  {confidence:.1}  {file} ({})", program.as_deref().unwrap_or("by its words"))?;
        }
        Ok(())
    }
}
