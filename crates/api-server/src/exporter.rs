//! The books and the depths of the queues as metrics.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use watchbell_common::{
    outage::Outage,
    queue::{Books, Depth, QueueError, QueueName},
    shared::Shared,
};

/// Fresher than any scrape, and two small reads each time.
const EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn run(shared: Shared, stop: CancellationToken) -> anyhow::Result<()> {
    let mut outage = Outage::new("reading the books");
    loop {
        outage.note(&export(&shared).await);
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            return Ok(());
        }
    }
}

async fn export(shared: &Shared) -> Result<(), QueueError> {
    let (books, depths) = (shared.queue.books().await?, shared.queue.depths().await?);
    let config = shared.config.load();
    for (tenant, books) in books {
        let name = config.tenants.get(&tenant).map_or_else(|| tenant.to_string(), |tenant| tenant.name.clone());
        show_books(&name, &books);
    }
    for (queue, depth) in depths {
        show_depth(queue, &depth);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 events")]
fn show_books(name: &str, books: &Books) {
    let states = [
        ("received", books.received),
        ("delivered", books.delivered),
        ("silenced", books.silenced),
        ("deduplicated", books.deduplicated),
        ("unrouted", books.unrouted),
        ("muted", books.muted),
        ("dead", books.dead),
        ("pending", books.pending),
    ];
    for (state, count) in states {
        metrics::gauge!("watchbell_events", "tenant" => name.to_owned(), "state" => state).set(count as f64);
    }
    metrics::gauge!("watchbell_unaccounted", "tenant" => name.to_owned()).set(books.unaccounted() as f64);
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 jobs")]
fn show_depth(queue: QueueName, depth: &Depth) {
    let states = [
        ("ready", depth.ready),
        ("held", depth.held),
        ("leased", depth.leased),
        ("waiting", depth.waiting),
        ("dead", depth.dead),
    ];
    for (state, count) in states {
        metrics::gauge!("watchbell_jobs", "queue" => queue.as_str(), "state" => state).set(count as f64);
    }
}
