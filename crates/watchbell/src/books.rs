//! `watchbell books`: every event accounted for, or an error.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use watchbell_common::{
    clock::SystemClock,
    ids::TenantId,
    queue::{self, Audit, Books},
    settings::Settings,
};

use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Also compare the ledger with every job that is really there. Takes a while on a long queue;
    /// on a busy one, events in motion may show up as wrong.
    #[arg(long)]
    audit: bool,
}

#[derive(Serialize)]
struct Report {
    tenants: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Audit>,
}

#[derive(Serialize)]
struct Row {
    tenant: TenantId,
    #[serde(flatten)]
    books: Books,
    unaccounted: i64,
}

/// Prints the books.
///
/// # Errors
/// When something is unaccounted for, so that a script notices.
pub(crate) async fn run(options: &Options, settings: Settings) -> anyhow::Result<()> {
    let queue = queue::connect(&settings, Arc::new(SystemClock)).await.context("opening the queue")?;
    let tenants =
        queue.books().await?.into_iter().map(|(tenant, books)| Row { tenant, books, unaccounted: books.unaccounted() });
    let audit = if options.audit { Some(queue.audit().await?) } else { None };
    let report = Report { tenants: tenants.collect(), audit };
    if options.json {
        output::json(&report)?;
    } else {
        for row in &report.tenants {
            output::line(&table(row))?;
        }
        if report.tenants.is_empty() {
            output::line("nothing was received yet")?;
        }
        if let Some(audit) = &report.audit {
            output::line(&format!(
                "audit: {} open events, {} jobs, {} wrong{}",
                audit.lines,
                audit.jobs,
                audit.wrong_total,
                audit.wrong.iter().fold(String::new(), |list, event| list + "\n  " + &event.to_string())
            ))?;
        }
    }
    let missing: i64 = report.tenants.iter().map(|row| row.unaccounted.abs()).sum();
    let wrong = report.audit.as_ref().map_or(0, |audit| audit.wrong_total);
    if missing != 0 || wrong != 0 {
        bail!("the books do not balance: {missing} unaccounted for, {wrong} wrong in the audit");
    }
    Ok(())
}

fn table(row: &Row) -> String {
    let books = &row.books;
    format!(
        "tenant {}\n  received      {:>10}\n  delivered     {:>10}\n  silenced      {:>10}\n  deduplicated  {:>10}\n  unrouted      {:>10}\n  muted         {:>10}\n  dead          {:>10}\n  pending       {:>10}\n  unaccounted   {:>10}",
        row.tenant,
        books.received,
        books.delivered,
        books.silenced,
        books.deduplicated,
        books.unrouted,
        books.muted,
        books.dead,
        books.pending,
        row.unaccounted,
    )
}
