//! Conditions ([`Match`]) of many rules, compiled together: one glob set per field, one look per event.

use std::collections::{BTreeMap, HashMap};

use super::glob::{Globs, GlobsBuilder, Hits};
use crate::{
    alert::{Alert, Severity},
    config::{ConfigError, Match},
};

/// The text fields of a [`Match`], in the order of the arrays below.
const FIELDS: [&str; 6] = ["from", "to", "subject", "source", "system", "category"];

fn patterns(conditions: &Match) -> [Option<&String>; FIELDS.len()] {
    let Match { from, to, subject, source, system, category, severity_at_least: _, labels: _ } = conditions;
    [from, to, subject, source, system, category].map(Option::as_ref)
}

/// What the conditions look at. What is left empty only matches globs that match nothing at all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look<'a> {
    pub(super) from: &'a [String],
    pub(super) to: &'a [String],
    pub(super) subject: &'a str,
    pub(super) source: &'a str,
    pub(super) system: &'a str,
    pub(super) category: &'a str,
    pub(super) labels: Option<&'a BTreeMap<String, String>>,
}

impl<'a> From<&'a Alert> for Look<'a> {
    fn from(alert: &'a Alert) -> Self {
        Self {
            from: &alert.event.from,
            to: &alert.event.to,
            subject: &alert.event.subject,
            source: &alert.event.source,
            system: &alert.analysis.system,
            category: &alert.analysis.category,
            labels: Some(&alert.event.labels),
        }
    }
}

/// Collects conditions; each gets the next number.
#[derive(Debug, Default)]
pub(super) struct MatchersBuilder {
    fields: [GlobsBuilder; FIELDS.len()],
    label_numbers: HashMap<String, usize>,
    labels: Vec<(String, GlobsBuilder)>,
    all: Vec<Conditions>,
}

/// One [`Match`], its patterns as numbers in their fields' sets.
#[derive(Debug)]
struct Conditions {
    fields: [Option<usize>; FIELDS.len()],
    severity_at_least: Option<Severity>,
    /// (label, pattern)
    labels: Vec<(usize, usize)>,
}

impl MatchersBuilder {
    /// Adds the conditions of `whose` (for the error: ``rule `x` ``).
    pub(super) fn add(&mut self, whose: &str, conditions: &Match) -> Result<(), ConfigError> {
        let broken = |field: &str| {
            let whose = format!("{whose}, {field}");
            |source| ConfigError::Pattern { whose, source }
        };
        let mut fields = [None; FIELDS.len()];
        for (i, pattern) in patterns(conditions).into_iter().enumerate() {
            fields[i] = pattern.map(|pattern| self.fields[i].add(pattern)).transpose().map_err(broken(FIELDS[i]))?;
        }
        let mut labels = Vec::with_capacity(conditions.labels.len());
        for (label, pattern) in &conditions.labels {
            let number = self.label(label);
            let pattern = self.labels[number].1.add(pattern).map_err(broken(&format!("label `{label}`")))?;
            labels.push((number, pattern));
        }
        self.all.push(Conditions { fields, severity_at_least: conditions.severity_at_least, labels });
        Ok(())
    }

    fn label(&mut self, name: &str) -> usize {
        if let Some(&number) = self.label_numbers.get(name) {
            return number;
        }
        let number = self.labels.len();
        self.labels.push((name.to_owned(), GlobsBuilder::default()));
        self.label_numbers.insert(name.to_owned(), number);
        number
    }

    /// Compiles the sets.
    pub(super) fn build(self) -> Matchers {
        Matchers {
            fields: self.fields.into_iter().map(GlobsBuilder::build).collect(),
            labels: self.labels.into_iter().map(|(label, globs)| (label, globs.build())).collect(),
            all: self.all,
        }
    }
}

/// Compiled conditions.
#[derive(Debug, Default)]
pub(super) struct Matchers {
    fields: Vec<Globs>,
    labels: Vec<(String, Globs)>,
    all: Vec<Conditions>,
}

impl Matchers {
    /// Reads each field once, for all conditions.
    pub(super) fn look(&self, at: Look<'_>) -> Seen<'_> {
        let one = std::slice::from_ref;
        let texts: [&[&str]; 4] = [one(&at.subject), one(&at.source), one(&at.system), one(&at.category)];
        let mut hits = Vec::with_capacity(self.fields.len());
        for (i, globs) in self.fields.iter().enumerate() {
            hits.push(match i {
                0 => globs.matching(at.from.iter().map(String::as_str)),
                1 => globs.matching(at.to.iter().map(String::as_str)),
                i => globs.matching(texts[i - 2].iter().copied()),
            });
        }
        let value = |label: &str| at.labels.and_then(|labels| labels.get(label)).map_or("", String::as_str);
        let labels = self.labels.iter().map(|(label, globs)| globs.matching([value(label)])).collect();
        Seen { conditions: &self.all, fields: hits, labels }
    }
}

/// Which patterns match one event.
#[derive(Debug)]
pub(super) struct Seen<'m> {
    conditions: &'m [Conditions],
    fields: Vec<Hits>,
    labels: Vec<Hits>,
}

impl Seen<'_> {
    /// Whether the conditions of that number all hold, for an event of that severity.
    pub(super) fn holds(&self, number: usize, severity: Severity) -> bool {
        let conditions = &self.conditions[number];
        conditions.severity_at_least.is_none_or(|least| severity >= least)
            && conditions
                .fields
                .iter()
                .zip(&self.fields)
                .all(|(pattern, hits)| pattern.is_none_or(|pattern| hits.has(pattern)))
            && conditions.labels.iter().all(|&(label, pattern)| self.labels[label].has(pattern))
    }
}
