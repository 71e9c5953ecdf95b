//! Part of `make bench`: mails in, webhooks out, through `watchbell serve` on SQLite.

use std::{
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use watchbell_harness::{Product, Received, Sink, mail::Client};

const MAILS: usize = 20_000;
const CONNECTIONS: usize = 16;
/// How long either run may take.
const AT_MOST: Duration = Duration::from_mins(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sink = Sink::start().await;
    let yaml = format!(
        "channels:\n  - {{ name: sink, platform: webhook, target: '{}' }}\ndefault_channels: [sink]\n",
        sink.url("alerts")
    );
    let starting = Instant::now();
    let mut product = Product::embedded(&yaml).await;
    let ready = starting.elapsed();
    let idle = resident_mb(product.serve().id())?;

    let started = Instant::now();
    send(&product, MAILS, None).await?;
    let accepted = started.elapsed();
    sink.wait_for(MAILS, AT_MOST).await;
    let delivered = started.elapsed();
    let rate = per_second(MAILS, delivered);
    let after = resident_mb(product.serve().id())?;

    send(&product, MAILS, Some(rate / 2.0)).await?;
    let received = sink.wait_for(2 * MAILS, AT_MOST).await;
    let mut latencies: Vec<_> = received[MAILS..].iter().map(Received::latency).collect();
    latencies.sort_unstable();
    let percentile = |share: usize| latencies[(latencies.len() - 1) * share / 100];

    let mut out = std::io::stdout();
    writeln!(out, "\nEnd to end: {MAILS} mails to a webhook, `watchbell serve` on SQLite")?;
    writeln!(out, "  accepted per second               {:>9.0}", per_second(MAILS, accepted))?;
    writeln!(out, "  delivered per second              {rate:>9.0}   aim ≥ 1500")?;
    writeln!(
        out,
        "  at half of that rate, 250 to delivery: p50 {:?}, p99 {:?}, max {:?}",
        percentile(50),
        percentile(99),
        percentile(100)
    )?;
    writeln!(out, "  resident memory: idle {idle} MB (aim ≤ 40), after the run {after} MB")?;
    writeln!(out, "  from start to ready: {ready:?} (aim ≤ 0.3 s)")?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand mails")]
fn per_second(mails: usize, took: Duration) -> f64 {
    mails as f64 / took.as_secs_f64()
}

/// Sends over [`CONNECTIONS`] connections, as fast as it goes or at `rate` mails per second.
async fn send(product: &Product, mails: usize, rate: Option<f64>) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..CONNECTIONS {
        let to = product.smtp;
        senders.spawn(async move {
            let mut client = Client::connect(to).await?;
            for number in (sender..mails).step_by(CONNECTIONS) {
                if let Some(rate) = rate {
                    let due = started + Duration::from_secs_f64(f64::from(u32::try_from(number)?) / rate);
                    tokio::time::sleep_until(due.into()).await;
                }
                client.send("bench@corp.example", "ops@corp.example", &message(number)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    Ok(())
}

fn message(number: usize) -> String {
    let filler = "load average above threshold\r\n".repeat(60);
    format!("From: bench@corp.example\r\nSubject: CPU high on host{number:05}\r\n\r\n{filler}")
}

/// The resident set of a process, from `/proc`.
fn resident_mb(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024)
}
