//! Part of `make bench`: a storm of alerts of few kinds through `watchbell serve` with a language model on. How often is
//! the model asked, and what do its answers cost the others? The same storm without a model is what it is compared with.
//! That it is not in the way is the question of `watchbell-bench-model`, which repeats itself. Fails when the model is
//! asked too often, after all was printed.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use watchbell_harness::{
    Model, Product, Sink, eventually,
    load::{Aims, KINDS, Latencies, per_second, send, storm},
};

const ALERTS: usize = 10_000;
/// Twice the kinds: what is asked at the same time may be asked twice.
const CALLS_MAX: u64 = 100;
/// How long the model thinks: about what a hosted one takes for a short answer.
const THINKING: Duration = Duration::from_millis(300);
/// How long a run may take.
const AT_MOST: Duration = Duration::from_mins(5);

/// What one run showed.
struct Run {
    rate: f64,
    latencies: Latencies,
    updates: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (mut out, mut aims) = (std::io::stdout(), Aims::default());
    writeln!(out, "\nStorm: {ALERTS} alerts of {KINDS} kinds, `watchbell serve` on SQLite")?;
    let alone = run(None, None).await?;
    print(&mut out, "without a model", &alone)?;
    let model = Model::start(THINKING).await;
    let with = run(Some(&model), None).await?;
    print(&mut out, "with a model", &with)?;
    writeln!(out, "  calls to the model                {:>9}   aim ≤ {CALLS_MAX}", model.calls())?;
    aims.expect(model.calls() <= CALLS_MAX, || format!("{} calls to the model > {CALLS_MAX}", model.calls()));
    writeln!(out, "  messages enriched afterwards      {:>9}", with.updates)?;
    // How long one waits is a question of what else waits, unless there is room.
    let pace = Some(alone.rate / 2.0);
    let (alone, with) = (run(None, pace).await?, run(Some(&Model::start(THINKING).await), pace).await?);
    let [before, now] = [&alone, &with].map(|run| run.latencies.percentile(99));
    let ratio = now.as_secs_f64() / before.as_secs_f64();
    writeln!(out, "  p99 at half of that rate, without and with it: {before:.0?}, {now:.0?}: {ratio:.2}")?;
    aims.verdict()
}

fn print(out: &mut impl std::io::Write, which: &str, run: &Run) -> std::io::Result<()> {
    let [p50, p99] = [50, 99].map(|share| run.latencies.percentile(share));
    writeln!(out, "  {which}")?;
    writeln!(out, "    delivered per second            {:>9.0}", run.rate)?;
    writeln!(out, "    250 to delivery in the storm    p50 {p50:.1?}, p99 {p99:.1?}")
}

/// Sends the storm, as fast as it goes or at `pace` alerts per second, waits until all was delivered once, and checks
/// the books.
async fn run(model: Option<&Model>, pace: Option<f64>) -> anyhow::Result<Run> {
    let sink = Sink::start().await;
    let url = model.map(Model::base_url).unwrap_or_default();
    let settings = [("WATCHBELL_AI_BASE_URL", url.as_str()), ("WATCHBELL_AI_MODEL", "storm")];
    let settings = if model.is_some() { settings.as_slice() } else { &[] };
    let product = Product::embedded_with(&sink.as_only_channel(), settings).await;
    let started = Instant::now();
    send(product.smtp, ALERTS, pace, storm).await?;
    eventually("every alert to be delivered", AT_MOST, || {
        let messages = sink.count_of(|message| !message.is_update());
        std::future::ready((messages >= ALERTS).then_some(()))
    })
    .await;
    let took = started.elapsed();
    let books = product.settled(AT_MOST).await;
    anyhow::ensure!(books["delivered"] == ALERTS && books["unaccounted"] == 0, "the books are wrong: {books}");
    let received = sink.received();
    let (updates, messages): (Vec<_>, Vec<_>) = received.iter().partition(|message| message.is_update());
    Ok(Run { rate: per_second(ALERTS, took), latencies: Latencies::of(messages), updates: updates.len() })
}
