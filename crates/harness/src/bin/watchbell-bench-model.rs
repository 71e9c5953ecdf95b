//! Part of `make bench`: whatever the model's server does, it is never in the way. The same load at the same moderate
//! rate, in turns without a model and with one that behaves in each way there is.
//!
//! Fails when an aim is missed, after the table. `--quick`: one short round, for a look.

use std::{io::Write as _, iter, time::Duration};

use watchbell_harness::{
    Behaviour, Model, Product, Sink, eventually,
    load::{Aims, Latencies, send, storm},
};

/// A fraction of what two cores deliver: how long one waits should not be a question of what else waits.
const PER_SECOND: f64 = 250.0;
const ALERTS: usize = 1_000;
const ROUNDS: usize = 5;
const QUICK_ALERTS: usize = 500;
/// The model's answers are late: each asks for an update after the message.
const THINKING: Duration = Duration::from_millis(300);
/// How long the route waits for the model in a further run.
const MAX_WAIT: Duration = Duration::from_millis(500);
/// What a p99 with a model may be, as a share of that without.
const RATIO_MAX: f64 = 1.10;
/// How long a run may take.
const AT_MOST: Duration = Duration::from_mins(2);

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
    writeln!(
        out,
        "  {:<14}{:>10}{:>10}{:>8}{:>16}{:>16}{:>8}",
        "the model is", "without", "with", "ratio", "min - max", "with a wait", "calls"
    )?;
    // First a control: without a model on either side, the ratio is what chance makes of it.
    for behaviour in iter::once(None).chain(Behaviour::ALL.map(Some)) {
        let (mut p99s, mut ratios, mut waiting, mut calls) = ([vec![], vec![]], vec![], Duration::ZERO, 0);
        for round in 0..rounds {
            let mut sides = [(0, None), (1, behaviour)];
            // Whoever comes second finds the disk busier, so they take turns.
            if round % 2 == 1 {
                sides.reverse();
            }
            for (side, behaviour) in sides {
                let (p99, asked) = run(behaviour, Duration::ZERO, alerts).await?;
                p99s[side].push(p99);
                calls = asked.max(calls);
            }
            ratios.push(p99s[1][round].as_secs_f64() / p99s[0][round].as_secs_f64());
        }
        if behaviour.is_some() {
            // That one waits for half a second at most needs no second look.
            waiting = run(behaviour, MAX_WAIT, alerts).await?.0;
        }
        ratios.sort_unstable_by(f64::total_cmp);
        let [without, with] = p99s.map(|p99s| Latencies::from(p99s).percentile(50));
        let (ratio, spread) = (ratios[rounds / 2], format!("{:.2} - {:.2}", ratios[0], ratios[rounds - 1]));
        let name = behaviour.map_or_else(|| "(not there)".to_owned(), |behaviour| format!("{behaviour:?}"));
        writeln!(out, "  {name:<14}{without:>10.1?}{with:>10.1?}{ratio:>8.2}{spread:>16}{waiting:>16.1?}{calls:>8}")?;
        aims.expect(behaviour.is_none() || ratio <= RATIO_MAX, || format!("{name}: ratio {ratio:.3} > {RATIO_MAX:.2}"));
        let most = without.mul_f64(RATIO_MAX) + MAX_WAIT;
        aims.expect(waiting <= most, || format!("{name}: with a wait {waiting:.1?} > {most:.1?}"));
    }
    writeln!(out, "  aims: ratio ≤ {RATIO_MAX:.2}; with a wait ≤ {RATIO_MAX:.2} times without, plus {MAX_WAIT:?}")?;
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
