//! Part of `make bench`: how long a page of the alert list takes in a store with a million events, on SQLite and on
//! PostgreSQL. Writes how the databases read it to `docs/query-plans.md`.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use watchbell_common::{
    alert::{Severity, Status},
    clock::{Clock as _, SystemClock},
    ids::{ChannelId, TenantId},
    store::{Store, alerts, deliveries, events, filling},
    testing,
};

/// The aim, for each page.
const AIM: Duration = Duration::from_millis(50);
const ROUNDS: usize = 21;
const PAGE: u32 = 50;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let events = std::env::args().nth(1).map_or(Ok(1_000_000), |number| number.parse()).context("how many events")?;
    let mut out = std::io::stdout();
    let mut plans = "# Query plans\n\nHow the databases read the lists of a store with a long history. \
                     `watchbell-bench-alert-list`, a part of `make bench`, writes this file.\n"
        .to_owned();
    let mut slow = 0;
    for (name, url) in [("SQLite", "sqlite".into()), ("PostgreSQL", testing::database())] {
        let dir = tempfile::tempdir()?;
        let store = Store::open(&url, dir.path()).await?;
        let begin = Instant::now();
        filling::fill(&store, events, SystemClock.now_ms()).await?;
        writeln!(out, "\n{name}: {events} events in {:.0?}", begin.elapsed())?;
        write!(plans, "\n## {name}, {events} events\n")?;
        for (what, filter) in filters() {
            let median = time(async || {
                let mut tx = store.begin_read().await?;
                Ok(_ = alerts::list(&mut tx, TenantId::DEFAULT, &filter, None, PAGE).await?)
            })
            .await?;
            slow += report(&mut out, what, median)?;
            let mut tx = store.begin_read().await?;
            write!(plans, "\n### {what}\n\n```\n")?;
            for line in alerts::explain(&mut tx, TenantId::DEFAULT, &filter, PAGE).await? {
                writeln!(plans, "{line}")?;
            }
            plans.push_str("```\n");
        }
        slow += others(&mut out, &store).await?;
        store.close().await;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/query-plans.md");
    std::fs::write(file, plans).context("writing docs/query-plans.md")?;
    anyhow::ensure!(slow == 0, "{slow} of them took longer than {AIM:?}");
    Ok(())
}

fn filters() -> Vec<(&'static str, alerts::Filter)> {
    let all = alerts::Filter::default;
    vec![
        ("Alerts: the first page", all()),
        (
            "Alerts that are firing or acknowledged",
            alerts::Filter { statuses: vec![Status::Firing, Status::Acknowledged], ..all() },
        ),
        (
            "Alerts that are critical, from mails",
            alerts::Filter { severities: vec![Severity::Critical], sources: vec!["mail".to_owned()], ..all() },
        ),
        ("Alerts of one system", alerts::Filter { systems: vec!["host7".to_owned()], ..all() }),
        ("Alerts that went to one channel", alerts::Filter { channels: vec![ChannelId(7)], ..all() }),
        ("Alerts with a word that stands in none", alerts::Filter { text: "nowhere".to_owned(), ..all() }),
    ]
}

/// What stands around the list.
async fn others(out: &mut impl std::io::Write, store: &Store) -> anyhow::Result<usize> {
    let tenant = TenantId::DEFAULT;
    let counts = time(async || Ok(_ = alerts::count(&mut *store.begin_read().await?, tenant).await?)).await?;
    let mut slow = report(out, "Counters of the overview", counts)?;
    let newest = time(async || {
        let mut tx = store.begin_read().await?;
        Ok(_ = events::list(&mut tx, tenant, &events::Filter::default(), None, PAGE).await?)
    });
    slow += report(out, "Events: the first page", newest.await?)?;
    let dead = deliveries::Filter { states: vec![deliveries::State::Dead], ..deliveries::Filter::default() };
    let dead = time(async || {
        let mut tx = store.begin_read().await?;
        Ok(_ = deliveries::list(&mut tx, tenant, &dead, None, PAGE).await?)
    });
    slow += report(out, "Deliveries that gave up", dead.await?)?;
    Ok(slow)
}

/// The median of some rounds, after one that fills the caches.
async fn time(mut run: impl AsyncFnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    run().await?;
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        run().await?;
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    Ok(took[ROUNDS / 2])
}

/// Prints it, and counts it when it is too slow.
fn report(out: &mut impl std::io::Write, what: &str, median: Duration) -> anyhow::Result<usize> {
    writeln!(out, "  {what:<44} {median:>9.1?}   aim ≤ {AIM:?}")?;
    Ok(usize::from(median > AIM))
}
