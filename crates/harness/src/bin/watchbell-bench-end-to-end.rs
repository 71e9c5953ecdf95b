//! Part of `make bench`: mails in, webhooks out, through `watchbell serve` on SQLite.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use watchbell_harness::{
    Product, Sink,
    load::{Latencies, per_second, send},
};

const MAILS: usize = 20_000;
/// How long either run may take.
const AT_MOST: Duration = Duration::from_mins(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sink = Sink::start().await;
    let starting = Instant::now();
    let mut product = Product::embedded(&sink.as_only_channel()).await;
    let ready = starting.elapsed();
    let idle = product.serve().resident_mb()?;

    let started = Instant::now();
    send(product.smtp, MAILS, None, message).await?;
    let accepted = started.elapsed();
    sink.wait_for(MAILS, AT_MOST).await;
    let delivered = started.elapsed();
    let rate = per_second(MAILS, delivered);
    let after = product.serve().resident_mb()?;

    send(product.smtp, MAILS, Some(rate / 2.0), message).await?;
    let received = sink.wait_for(2 * MAILS, AT_MOST).await;
    let latencies = Latencies::of(&received[MAILS..]);

    let mut out = std::io::stdout();
    writeln!(out, "\nEnd to end: {MAILS} mails to a webhook, `watchbell serve` on SQLite")?;
    writeln!(out, "  accepted per second               {:>9.0}", per_second(MAILS, accepted))?;
    writeln!(out, "  delivered per second              {rate:>9.0}   aim ≥ 1500")?;
    writeln!(
        out,
        "  at half of that rate, 250 to delivery: p50 {:.1?}, p99 {:.1?}, max {:.1?}",
        latencies.percentile(50),
        latencies.percentile(99),
        latencies.percentile(100)
    )?;
    writeln!(out, "  resident memory: idle {idle} MB (aim ≤ 40), after the run {after} MB")?;
    writeln!(out, "  from start to ready: {ready:.0?} (aim ≤ 0.3 s)")?;
    Ok(())
}

fn message(number: usize) -> String {
    let filler = "load average above threshold\r\n".repeat(60);
    format!("From: bench@corp.example\r\nSubject: CPU high on host{number:05}\r\n\r\n{filler}")
}
