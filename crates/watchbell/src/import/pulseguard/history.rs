//! Logs become history: each end of a push is an event with its delivery.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use watchbell_analysis::{Analysed, analyse};
use watchbell_common::{
    alert::{Alert, Status},
    config::Snapshot,
    ids::{ChannelId, DeliveryId, EventId},
    payload::{AlertPayload, AttemptOutcome, Content, Fact, FactHead, IntakeHead, What},
    queue::Ending,
    store::{
        Store, events, history,
        pulseguard::{Log, Tenant},
    },
};
use watchbell_dialects::{GENERIC, Post};

use super::{
    Import,
    channels::Bots,
    report::Kind,
    tenant::{Owner, blot},
};

/// Ends of pushes that are read and written in one transaction.
const PAGE: usize = 250;

/// Why it went where it went.
const REASON: &str = "PulseGuard sent it to the channel whose push token was used";

impl Import<'_> {
    /// Brings the history of the channels that were brought. Ids are derived, so that nothing comes twice.
    pub(super) async fn history(
        &mut self,
        store: &Store,
        owner: &Owner,
        theirs: &Tenant,
        channels: &HashMap<i64, ChannelId>,
        bots: &Bots,
    ) -> anyhow::Result<()> {
        let secrets = bots.secrets();
        let (mut after, mut unread, mut homeless) = (0, 0, 0);
        loop {
            let page = self.source.logs(theirs.id, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let mut stories = Vec::new();
            for log in page {
                let Some(&channel) = channels.get(&log.channel) else {
                    homeless += 1;
                    continue;
                };
                let error = blot(&log.error, &secrets);
                match self.story(owner, channel, Log { error, ..log }) {
                    Some(facts) => stories.push(facts),
                    None => unread += 1,
                }
            }
            self.write(store, owner, stories).await?;
        }
        self.report.left_many(Kind::Logs, homeless, owner.email(), "their channel could not be brought");
        self.report.left_many(Kind::Logs, unread, owner.email(), "their payload or status cannot be read");
        Ok(())
    }

    async fn write(&mut self, store: &Store, owner: &Owner, stories: Vec<(EventId, Vec<Fact>)>) -> anyhow::Result<()> {
        let mut tx = store.begin().await?;
        let ids: Vec<_> = stories.iter().map(|(id, _)| *id).collect();
        let there: HashSet<_> =
            events::of_ids(&mut tx, owner.tenant, &ids).await?.into_iter().map(|stored| stored.event.id).collect();
        self.report.present(Kind::Logs, there.len());
        self.report.brought(Kind::Logs, ids.len() - there.len());
        let fresh = stories.into_iter().filter(|(id, _)| !there.contains(id));
        let facts: Vec<_> = fresh.flat_map(|(_, facts)| facts).collect();
        if self.dry_run || facts.is_empty() {
            return Ok(());
        }
        history::record(&mut tx, &facts, self.now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What happened to a push, as this product tells it.
    fn story(&self, owner: &Owner, channel: ChannelId, log: Log) -> Option<(EventId, Vec<Fact>)> {
        let (log_id, at) = (log.id.to_be_bytes(), log.created_at);
        let named: [&[u8]; 4] = [b"pulseguard", owner.email().as_bytes(), &log_id, &at.to_be_bytes()];
        let (event, delivery) = (EventId::derived(&named), DeliveryId::derived(&named));
        let outcome = match log.status.as_str() {
            "sent" | "edited" => Some(AttemptOutcome::Delivered),
            "failed" | "dead" => Some(AttemptOutcome::Dead),
            "silenced" => None,
            _ => return None,
        };
        let raw = Bytes::from(log.payload);
        let alert = self.alert(owner, channel, (event, at), &raw)?;
        let id = alert.id;
        let kept = raw.slice(..raw.len().min(self.settings.history.raw_max_bytes));
        let raw_truncated = kept.len() < raw.len();
        let deliveries = outcome.iter().map(|_| (delivery, channel)).collect();
        let ending = outcome.is_none().then_some(Ending::Silenced);
        let routed = What::Routed {
            alert: id,
            reasons: vec![REASON.to_owned()],
            rules: Vec::new(),
            deliveries,
            ending,
            silence: None,
            analysis: None,
        };
        let number = u32::try_from(log.attempts.max(1)).unwrap_or(u32::MAX);
        let attempt = |outcome| What::Attempt { delivery, channel, number, outcome, detail: log.error.clone() };
        let analysed = What::Analysed { alert: Box::new(alert), raw_truncated };
        let what = [analysed, routed].into_iter().chain(outcome.map(attempt));
        let fact = |what| Fact { head: FactHead { tenant: owner.tenant, event, at, what }, raw: Bytes::new() };
        let mut facts: Vec<_> = what.map(fact).collect();
        facts[0].raw = kept;
        Some((event, facts))
    }

    /// What the doors and the analyser would have made of the push. `PulseGuard` knew no end of an alert; what is over
    /// there is over here, until its next event.
    fn alert(&self, owner: &Owner, channel: ChannelId, (event, at): (EventId, i64), raw: &Bytes) -> Option<Alert> {
        let readings = (GENERIC.parse)(&Post { body: raw, depth_max: self.settings.http.json_depth_max }).ok()?;
        let item = readings.into_iter().next()?.item;
        let head = IntakeHead {
            event,
            tenant: owner.tenant,
            received_at: at,
            peer: None,
            channel: Some(channel),
            content: Content::Item(item),
        };
        match analyse(&AlertPayload { head, raw: raw.clone() }, &Snapshot::default(), "") {
            Analysed::Understood(mut alert) => {
                alert.analysis.status = Status::Resolved;
                Some(*alert)
            }
            Analysed::Muted { .. } => None,
        }
    }
}
