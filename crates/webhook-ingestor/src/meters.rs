//! The figures of this service, with handles that the hot path need not look up.

use metrics::{Counter, counter, describe_counter};

use watchbell_dialects::{ALL, Dialect};

/// What became of the items of each dialect, in the order of [`ALL`].
pub(crate) struct Meters(Vec<Outcomes>);

struct Outcomes {
    queued: Counter,
    duplicate: Counter,
}

impl Meters {
    /// The figures of all dialects, from 0 on.
    pub(crate) fn new() -> Self {
        describe_counter!("watchbell_webhook_events_total", "Items that were queued or dropped as repeats, by dialect");
        let of = |source, outcome| counter!("watchbell_webhook_events_total", "source" => source, "outcome" => outcome);
        let outcomes =
            |dialect: &Dialect| Outcomes { queued: of(dialect.id, "queued"), duplicate: of(dialect.id, "duplicate") };
        Self(ALL.iter().map(outcomes).collect())
    }

    /// Counts the items of one request. `source` is the id of the dialect that read them.
    pub(crate) fn count(&self, source: &str, queued: usize, duplicate: usize) {
        let of_source = ALL.iter().zip(&self.0).find(|(dialect, _)| dialect.id == source);
        if let Some((_, outcomes)) = of_source {
            outcomes.queued.increment(queued as u64);
            outcomes.duplicate.increment(duplicate as u64);
        }
    }
}
