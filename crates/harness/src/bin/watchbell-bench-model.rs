//! Part of `make bench`: whatever the model's server does, it is never in the way. The same load at the same moderate
//! rate, in turns without a model and with one that behaves in each way there is.
//!
//! A round is one run of each behaviour between two without a model, which are what it is compared with. Fails when an
//! aim is missed, after the table. `--quick`: one short round, for a look.

use std::{io::Write as _, time::Duration};

use watchbell_harness::{
    Behaviour, Model, Product, Sink, eventually,
    load::{Aims, Latencies, send, storm},
};

/// A fraction of what two cores deliver: how long one waits should not be a question of what else waits.
const PER_SECOND: f64 = 250.0;
/// A quarter of a minute: the model knows all kinds after the first four seconds.
const ALERTS: usize = 4_000;
const ROUNDS: usize = 3;
const QUICK_ALERTS: usize = 500;
/// The model's answers are late: each asks for an update after the message.
const THINKING: Duration = Duration::from_millis(300);
/// How long the route waits for the model in a further run, which is shorter: all that is asked is that half a second
/// is half a second.
const MAX_WAIT: Duration = Duration::from_millis(500);
const WAITING_ALERTS: usize = 1_000;
/// What a p99 with a model may be, as a share of that without.
const RATIO_MAX: f64 = 1.10;
/// How long a run may take.
const AT_MOST: Duration = Duration::from_mins(2);

/// What the runs of a behaviour came to.
#[derive(Default)]
struct Row {
    p99s: Vec<Duration>,
    /// To the runs without a model of the same round.
    ratios: Vec<f64>,
    calls: u64,
}

impl Row {
    fn add(&mut self, (p99, calls): (Duration, u64), without: Duration) {
        self.p99s.push(p99);
        self.ratios.push(p99.as_secs_f64() / without.as_secs_f64());
        self.ratios.sort_unstable_by(f64::total_cmp);
        self.calls = calls.max(self.calls);
    }

    fn p99(&self) -> Duration {
        Latencies::from(self.p99s.clone()).percentile(50)
    }

    fn ratio(&self) -> f64 {
        self.ratios[self.ratios.len() / 2]
    }

    fn spread(&self) -> String {
        format!("{:.2} - {:.2}", self.ratios[0], self.ratios[self.ratios.len() - 1])
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (alerts, rounds) = if quick { (QUICK_ALERTS, 1) } else { (ALERTS, ROUNDS) };
    let (mut out, mut aims) = (std::io::stdout(), Aims::default());
    writeln!(
        out,
        "\nNever in the way: {alerts} alerts at {PER_SECOND}/s, `watchbell serve` on SQLite, {rounds} rounds"
    )?;
    writeln!(out, "  p99 from 250 to delivery, medians of the rounds; each run: all delivered, 0 unaccounted")?;
    let (mut alone, mut rows) = (Row::default(), Behaviour::ALL.map(|behaviour| (behaviour, Row::default())));
    for round in 0..rounds {
        let before = run(None, Duration::ZERO, alerts).await?;
        // Whoever comes later finds the machine busier, so they take turns.
        if round > 0 {
            rows.reverse();
        }
        let mut came = Vec::new();
        for (behaviour, _) in &rows {
            came.push(run(Some(*behaviour), Duration::ZERO, alerts).await?);
        }
        let after = run(None, Duration::ZERO, alerts).await?;
        let without = (before.0 + after.0) / 2;
        rows.iter_mut().zip(came).for_each(|((_, row), run)| row.add(run, without));
        for run in [before, after] {
            alone.add(run, without);
        }
    }
    rows.sort_by_key(|(behaviour, _)| Behaviour::ALL.iter().position(|other| other == behaviour));
    let without = alone.p99();
    writeln!(
        out,
        "  without a model: {without:.1?}; between runs of a round, chance makes a ratio of {}",
        alone.spread()
    )?;
    writeln!(
        out,
        "  {:<14}{:>10}{:>8}{:>16}{:>16}{:>8}",
        "the model is", "p99", "ratio", "min - max", "with a wait", "calls"
    )?;
    for (behaviour, row) in &rows {
        // That one waits for half a second at most needs no second look.
        let (waiting, _) = run(Some(*behaviour), MAX_WAIT, WAITING_ALERTS.min(alerts)).await?;
        let (name, p99, ratio, spread) = (format!("{behaviour:?}"), row.p99(), row.ratio(), row.spread());
        writeln!(out, "  {name:<14}{p99:>10.1?}{ratio:>8.2}{spread:>16}{waiting:>16.1?}{:>8}", row.calls)?;
        aims.expect(ratio <= RATIO_MAX, || format!("{name}: ratio {ratio:.3} > {RATIO_MAX:.2}"));
        let most = (without + MAX_WAIT).mul_f64(RATIO_MAX);
        aims.expect(waiting <= most, || format!("{name}: with a wait {waiting:.1?} > {most:.1?}"));
    }
    writeln!(out, "  aims: ratio ≤ {RATIO_MAX:.2}; with a wait ≤ {RATIO_MAX:.2} times that without and {MAX_WAIT:?}")?;
    aims.verdict()
}

/// One run: the p99, and how often the model was asked. Fails when an alert is missing or the books do not balance.
async fn run(behaviour: Option<Behaviour>, wait: Duration, alerts: usize) -> anyhow::Result<(Duration, u64)> {
    let (sink, model) = (Sink::start().await, Model::start(THINKING).await);
    model.behave(behaviour.unwrap_or(Behaviour::Right));
    let url = model.base_url();
    let settings =
        [("WATCHBELL_AI_BASE_URL", url.as_str()), ("WATCHBELL_AI_MODEL", "bench"), ("WATCHBELL_AI_TIMEOUT", "2s")];
    let settings = if behaviour.is_some() { settings.as_slice() } else { &[] };
    let rules = format!("rules: [{{ name: waits, channels: [sink], ai_max_wait: {}ms }}]\n", wait.as_millis());
    let yaml = sink.as_only_channel() + &rules;
    let product = Product::embedded_with(&yaml, settings).await;
    send(product.smtp, alerts, Some(PER_SECOND), storm).await?;
    eventually("every alert to be delivered", AT_MOST, || {
        let messages = sink.count_of(|message| !message.is_update());
        std::future::ready((messages >= alerts).then_some(()))
    })
    .await;
    let books = product.settled(AT_MOST).await;
    anyhow::ensure!(books["delivered"] == alerts && books["unaccounted"] == 0, "the books are wrong: {books}");
    let received = sink.received();
    let latencies = Latencies::of(received.iter().filter(|message| !message.is_update()));
    Ok((latencies.percentile(99), model.calls()))
}
