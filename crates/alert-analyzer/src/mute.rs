//! Second stage: what a tenant muted is dropped here, before anything is spent on it; so is mail of our own that comes
//! back, which would be sent again, and come back again, for ever.

use watchbell_common::{alert::Event, config::Snapshot, ids::DeliveryId, payload::DELIVERY_HEADER};

use crate::decode::Headers;

/// Why the event is dropped, if it is.
pub(crate) fn reason(event: &Event, headers: &Headers<'_>, config: &Snapshot) -> Option<String> {
    let delivery = headers.text(DELIVERY_HEADER).and_then(|text| text.parse::<DeliveryId>().ok());
    if let Some(delivery) = delivery {
        return Some(format!("a mail that Watchbell itself sent, as {delivery}"));
    }
    let comment = config.tenants.get(&event.tenant)?.muted(&event.from, &event.source)?;
    Some(if comment.is_empty() { "muted".to_owned() } else { format!("muted: {comment}") })
}
