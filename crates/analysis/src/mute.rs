//! Second stage: what a tenant muted is dropped here, before anything is spent on it; so is mail of our own that comes
//! back, and the report that it did not arrive. Either would be sent again, and come back again, for ever.

use watchbell_common::{
    alert::Event,
    config::{Mute, Snapshot},
    ids::{DeliveryId, MuteId},
    payload::DELIVERY_HEADER,
};

use crate::{
    decode::{Clues, Headers},
    rules::{self, Seen},
};

/// Why the event is dropped, if it is, and by which of the tenant's mutes.
pub(crate) fn reason(event: &Event, clues: &Clues<'_>, config: &Snapshot) -> Option<(String, Option<MuteId>)> {
    if let Some(delivery) = delivery(&clues.headers) {
        return Some((format!("a mail that Watchbell itself sent, as {delivery}"), None));
    }
    if let Some(reason) = report(event, clues) {
        return Some((reason, None));
    }
    let Mute { id, comment, .. } = config.tenants.get(&event.tenant)?.muted(&event.from, &event.source)?;
    let reason = if comment.is_empty() { "muted".to_owned() } else { format!("muted: {comment}") };
    Some((reason, Some(*id)))
}

/// A report of a mail system that returns a mail of ours. Reports come from the null sender (RFC 3464 §2), so nothing
/// that a person or a program sends on, with our mail inside, is taken for one.
fn report(event: &Event, clues: &Clues<'_>) -> Option<String> {
    let delivery = delivery(&clues.returned).filter(|_| clues.null_sender)?;
    let what = rules::bounce(&Seen::new(event, clues))?;
    Some(format!("a report about a mail that Watchbell itself sent, as {delivery}: {what}"))
}

fn delivery(headers: &Headers<'_>) -> Option<DeliveryId> {
    headers.text(DELIVERY_HEADER)?.parse().ok()
}
