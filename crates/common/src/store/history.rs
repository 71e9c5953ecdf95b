//! Facts become rows: a whole batch with a handful of statements.
//!
//! Facts come twice and out of order. Each kind has rows of its own that are written once; what is summed up from
//! them (alerts, deliveries) takes only what was new and compares by time of the facts, not of their arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Connection, StoreError,
    alerts::{self, Route},
    changes,
    deliveries::{self, AttemptKey, DeliveryKey, DeliveryRow, Standing, State},
    events::{self, EnrichmentRow, EventKey, EventRow, RoutingRow},
    marks,
    tallies::{self, Tallies, Tally},
};
use crate::{
    clock::UnixMillis,
    ids::{AlertId, ChannelId, DeliveryId, EventId, TenantId},
    payload::{Fact, FactHead, What},
};

/// Writes facts. Writing them again changes nothing. Call it in a transaction of its own. `now` dates the note of what
/// changed.
pub async fn record(connection: &mut Connection, facts: &[Fact], now: UnixMillis) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for fact in facts {
        batch.add(fact);
    }
    batch.write(connection, now).await
}

#[derive(Default)]
struct Batch<'f> {
    events: BTreeMap<EventKey, EventRow<'f>>,
    routings: BTreeMap<EventKey, RoutingRow<'f>>,
    enrichments: BTreeMap<EventKey, EnrichmentRow<'f>>,
    deliveries: BTreeMap<DeliveryKey, DeliveryRow<'f>>,
    attempts: BTreeMap<AttemptKey, &'f str>,
    burials: BTreeMap<(EventKey, UnixMillis), &'f str>,
    /// Alerts whose last event may have a new analysis.
    touched: BTreeSet<(TenantId, AlertId)>,
    routes: BTreeSet<Route>,
}

impl<'f> Batch<'f> {
    fn add(&mut self, fact: &'f Fact) {
        let head = &fact.head;
        let key = (head.tenant, head.event);
        match &head.what {
            What::Analysed { alert, raw_truncated } => {
                let (event, raw_truncated) = (&alert.event, *raw_truncated);
                let (dropped, mute) = (None, None);
                let row = EventRow { event, alert: Some(alert), dropped, mute, raw: &fact.raw, raw_truncated };
                self.events.entry((event.tenant, event.id)).or_insert(row);
            }
            What::Dropped { event, ending, reason, mute } => {
                let (dropped, mute) = (Some((*ending, reason.as_str())), *mute);
                let row = EventRow { event, alert: None, dropped, mute, raw: &fact.raw, raw_truncated: false };
                self.events.entry((event.tenant, event.id)).or_insert(row);
            }
            What::Routed { alert, reasons, rules, deliveries, ending, silence, analysis } => {
                let row = RoutingRow {
                    at: head.at,
                    reasons,
                    ending: *ending,
                    silence: *silence,
                    analysis: analysis.as_ref(),
                };
                if self.routings.get(&key).is_none_or(|present| present.at < row.at) {
                    self.routings.insert(key, row);
                }
                let route = |kind, item| (head.tenant, *alert, kind, item);
                self.routes.extend(rules.iter().map(|rule| route("rule", rule.0)));
                self.routes.extend(deliveries.iter().map(|(_, channel)| route("channel", channel.0)));
                if analysis.is_some() || ending.is_some() {
                    self.touched.insert((head.tenant, *alert));
                }
                self.pending(head, *alert, deliveries);
            }
            What::Enriched { alert, reasons, deliveries, analysis } => {
                let row = EnrichmentRow { at: head.at, reasons, analysis };
                if self.enrichments.get(&key).is_none_or(|present| present.at < row.at) {
                    self.enrichments.insert(key, row);
                }
                self.touched.insert((head.tenant, *alert));
                self.pending(head, *alert, deliveries);
            }
            What::Deduplicated { delivery, channel } => {
                self.delivery(head, *delivery, *channel, State::Deduplicated, 0, "");
            }
            What::Attempt { delivery, channel, number, outcome, detail } => {
                let outcome = State::from(*outcome);
                self.delivery(head, *delivery, *channel, outcome, *number, detail);
                let attempt =
                    AttemptKey { tenant: head.tenant, delivery: *delivery, at: head.at, number: *number, outcome };
                self.attempts.insert(attempt, detail);
            }
            What::Buried { reason } => {
                self.burials.insert((key, head.at), reason);
            }
        }
    }

    fn pending(&mut self, head: &FactHead, alert: AlertId, deliveries: &[(DeliveryId, ChannelId)]) {
        for &(delivery, channel) in deliveries {
            self.delivery(head, delivery, channel, State::Pending, 0, "").alert = Some(alert);
        }
    }

    fn delivery(
        &mut self,
        head: &FactHead,
        id: DeliveryId,
        channel: ChannelId,
        state: State,
        number: u32,
        detail: &'f str,
    ) -> &mut DeliveryRow<'f> {
        let standing = Standing::new(state, head.at, number);
        let fresh = || DeliveryRow { event: head.event, channel, alert: None, standing, detail, attempts: 0 };
        let row = self.deliveries.entry((head.tenant, id)).or_insert_with(fresh);
        if standing > row.standing {
            row.standing = standing;
            row.detail = detail;
        }
        row
    }

    async fn write(mut self, connection: &mut Connection, now: UnixMillis) -> Result<(), StoreError> {
        let rows: Vec<EventRow<'f>> = std::mem::take(&mut self.events).into_values().collect();
        let new = events::insert(connection, &rows).await?;
        let mut tallies = Tallies::new();
        for row in rows.iter().filter(|row| is_new(&new, row)) {
            tallies::at(&mut tallies, row.event.tenant, row.event.received_at).received += 1;
        }
        events::put_routings(connection, &self.routings).await?;
        events::put_enrichments(connection, &self.enrichments).await?;
        let seen: Vec<_> = rows.iter().filter(|row| is_new(&new, row)).filter_map(|row| row.alert).collect();
        alerts::see(connection, seen.iter().copied()).await?;
        self.touched.extend(seen.iter().map(|alert| (alert.event.tenant, alert.id)));
        alerts::refresh(connection, &self.touched).await?;
        marks::renew(connection, &self.touched, &seen).await?;
        alerts::put_routes(connection, &self.routes).await?;

        for attempt in deliveries::insert_attempts(connection, &self.attempts).await? {
            let Some(row) = self.deliveries.get_mut(&(attempt.tenant, attempt.delivery)) else { continue };
            if attempt.outcome != State::RateLimited {
                row.attempts += 1;
            }
            count(tallies::at(&mut tallies, attempt.tenant, attempt.at), &attempt, row.event);
        }
        deliveries::put(connection, &self.deliveries).await?;
        events::put_burials(connection, &self.burials).await?;
        self.note_changes(connection, now).await?;
        tallies::add(connection, &tallies).await
    }

    async fn note_changes(&self, connection: &mut Connection, now: UnixMillis) -> Result<(), StoreError> {
        let mut changed = BTreeMap::<TenantId, (BTreeSet<AlertId>, i64)>::new();
        for (tenant, alert) in self.touched.iter().copied().chain(self.routes.iter().map(|route| (route.0, route.1))) {
            changed.entry(tenant).or_default().0.insert(alert);
        }
        for (tenant, _) in self.deliveries.keys() {
            changed.entry(*tenant).or_default().1 += 1;
        }
        for (tenant, (alerts, deliveries)) in changed {
            changes::add(connection, tenant, &alerts, deliveries, now).await?;
        }
        Ok(())
    }
}

fn count(tally: &mut Tally, attempt: &AttemptKey, event: EventId) {
    match attempt.outcome {
        State::Delivered => {
            let latency = event.received_at().map_or(0, |received| (attempt.at - received).max(0));
            tally.delivered += 1;
            tally.latency_ms += latency;
            tally.latency_ms_max = tally.latency_ms_max.max(latency);
        }
        State::Failed => tally.failed += 1,
        State::Dead => tally.dead += 1,
        _ => {}
    }
}

fn is_new(new: &std::collections::HashSet<(TenantId, EventId)>, row: &EventRow<'_>) -> bool {
    new.contains(&(row.event.tenant, row.event.id))
}
