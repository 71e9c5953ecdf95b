//! What an import tells: how much it brought, and what it could not.

use std::{collections::BTreeMap, fmt::Display};

use crate::output;

/// What there is to bring, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Tenants,
    Invites,
    Bots,
    Templates,
    Channels,
    Commands,
    Silences,
    Logs,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Tenants,
        Self::Invites,
        Self::Bots,
        Self::Templates,
        Self::Channels,
        Self::Commands,
        Self::Silences,
        Self::Logs,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Invites => "invites",
            Self::Bots => "bots",
            Self::Templates => "templates",
            Self::Channels => "channels",
            Self::Commands => "commands",
            Self::Silences => "silences",
            Self::Logs => "logs",
        }
    }
}

/// Every item of a tenant that was brought is in one of these.
#[derive(Debug, Default)]
struct Counts {
    brought: usize,
    present: usize,
    left: usize,
}

#[derive(Debug, Default)]
pub(super) struct Report {
    counts: BTreeMap<Kind, Counts>,
    left: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn brought(&mut self, kind: Kind, many: usize) {
        self.counts.entry(kind).or_default().brought += many;
    }

    /// It was there already, and is as it was.
    pub(super) fn present(&mut self, kind: Kind, many: usize) {
        self.counts.entry(kind).or_default().present += many;
    }

    /// It could not be brought.
    pub(super) fn left(&mut self, kind: Kind, what: impl Display, why: impl Display) {
        self.counts.entry(kind).or_default().left += 1;
        self.left.push(format!("{what}: {why}"));
    }

    /// As many could not be brought, for the same reason.
    pub(super) fn left_many(&mut self, kind: Kind, many: usize, whose: &str, why: &str) {
        if many > 0 {
            self.counts.entry(kind).or_default().left += many;
            self.left.push(format!("{many} {} of {whose}: {why}", kind.as_str()));
        }
    }

    /// It was brought, and somebody should know something about it.
    pub(super) fn note(&mut self, what: impl Display, why: impl Display) {
        self.notes.push(format!("{what}: {why}"));
    }

    /// How many were brought.
    pub(super) fn total(&self) -> usize {
        self.counts.values().map(|counts| counts.brought).sum()
    }

    pub(super) fn print(&self, dry_run: bool) -> anyhow::Result<()> {
        let brought = if dry_run { "to bring" } else { "brought" };
        output::line(&format!("{:<10}{brought:>10}{:>15}{:>10}", "", "there already", "left out"))?;
        for kind in Kind::ALL {
            let none = Counts::default();
            let Counts { brought, present, left } = self.counts.get(&kind).unwrap_or(&none);
            output::line(&format!("{:<10}{brought:>10}{present:>15}{left:>10}", kind.as_str()))?;
        }
        for (heading, lines) in [("Left out:", &self.left), ("To know:", &self.notes)] {
            if !lines.is_empty() {
                output::line(&format!("\n{heading}\n  {}", lines.join("\n  ")))?;
            }
        }
        Ok(())
    }
}
