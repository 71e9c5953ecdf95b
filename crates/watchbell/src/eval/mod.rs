//! `watchbell eval`: how well a folder of labelled mails is read, and which mails are not known.

mod provider;
mod report;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::ensure;
use clap::Args;
use watchbell_analysis::{
    Analysed, analyse,
    labelled::{self, Labelled},
};
use watchbell_common::{
    alert::{Alert, Analysis},
    config::Snapshot,
    payload::AlertPayload,
    settings::Settings,
};

use self::{provider::Provider, report::Report};
use crate::output;

/// What `--help` says about the folder and the figures.
pub(crate) const HELP: &str =
    "The folder holds mails as they were received (*.eml) and expected.tsv, a table with a heading and, separated by
tabs, these columns:

  file      the mail; every mail in the folder needs a line
  severity  info, warning, error or critical; accepts several with | between them
  status    firing, acknowledged or resolved; likewise
  system    what the system must contain; likewise
  category  disk, backup, availability …; likewise

An empty column is not judged. x.envelope.json (helo, mail_from, rcpt_tos) beside x.eml gives its SMTP envelope;
without it, the sender is that of Return-Path, else of From.

A mail is right when its severity, its status and its system are. The recall of critical counts the mails that may
be nothing but critical. In the matrix, an answer that is not accepted stands in the row of the nearest that is.
The mails that no rule knows, or not for sure, are listed whether they were read right or wrong.

With --provider, the model of the settings (ai.base_url, ai.model) is asked about each mail, one at a time, and what
is judged is what people would see: the rules' analysis with what the model may add to it. An answer that cannot be
used is wrong in everything. Nothing is taken from the cache or counted in the daily budget.

  watchbell eval fixtures/mail                   how the rules read the recorded mails
  watchbell eval ~/our-alerts --at-least 95      fail in a pipeline when fewer are right
  watchbell eval ~/our-alerts --provider         how they are read with the model; costs what its tokens cost
  watchbell eval ~/our-alerts --json | jq .wrong[].file";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder with the mails and expected.tsv.
    folder: PathBuf,
    /// Exit with an error when fewer than this many per cent of the mails are right.
    #[arg(long, value_name = "PER CENT", value_parser = per_cent)]
    at_least: Option<f64>,
    /// Ask the model of the settings as well.
    #[arg(long)]
    provider: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn per_cent(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "use a number from 0 to 100".to_owned())
}

/// What was answered for one mail.
struct Answer {
    /// Or why the answer could not be used.
    analysis: Result<Analysis, String>,
    /// The family of rules that knew the mail.
    program: Option<String>,
    /// How sure the rules were.
    confidence: f32,
    took: Duration,
    tokens: u64,
    /// In millionths of the currency in which the prices are.
    cost_micros: u64,
}

impl Answer {
    /// The deterministic analysis. It costs nothing and is always there.
    fn of_rules(alert: &Alert, took: Duration) -> Self {
        Self {
            analysis: Ok(alert.analysis.clone()),
            program: alert.event.labels.get("program").cloned(),
            confidence: alert.analysis.confidence,
            took,
            tokens: 0,
            cost_micros: 0,
        }
    }
}

/// Prints how well the folder's mails are read.
///
/// # Errors
/// When the folder cannot be read, there is no model to ask, or fewer are right than was asked for.
pub(crate) async fn run(options: &Options, settings: impl FnOnce() -> anyhow::Result<Settings>) -> anyhow::Result<()> {
    let mails = labelled::read(&options.folder)?;
    let mut provider = if options.provider { Some(Provider::of(settings()?.ai)?) } else { None };
    // The first mail builds the tables of words, which is no part of what a mail costs.
    by_rules(&mails[0].payload);
    let mut answered: Vec<(Labelled, Answer)> = Vec::with_capacity(mails.len());
    for mail in mails {
        let started = Instant::now();
        let alert = by_rules(&mail.payload);
        let answer = match &mut provider {
            None => Answer::of_rules(&alert, started.elapsed()),
            Some(provider) => provider.answer(&alert).await?,
        };
        answered.push((mail, answer));
    }
    let by = provider.map_or_else(|| "rules".to_owned(), |provider| provider.name());
    let report = Report::of(by, &options.folder, &answered);
    if options.json {
        output::json(&report)?;
    } else {
        output::line(&report.to_string())?;
    }
    if let Some(least) = options.at_least {
        let right = report.right.per_cent();
        ensure!(right >= least, "{right:.1} % of the mails are right, and at least {least} % were asked for");
    }
    Ok(())
}

fn by_rules(payload: &AlertPayload) -> Box<Alert> {
    match analyse(payload, &Snapshot::default(), "") {
        Analysed::Understood(alert) => alert,
        Analysed::Muted { .. } => unreachable!("an empty configuration mutes nothing"),
    }
}
