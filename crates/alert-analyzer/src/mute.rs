//! Second stage: what a tenant muted is dropped here, before anything is spent on it.

use watchbell_common::{alert::Event, config::Snapshot};

/// Why the event is dropped, if it is.
pub(crate) fn reason(event: &Event, config: &Snapshot) -> Option<String> {
    let comment = config.tenants.get(&event.tenant)?.muted(&event.from, &event.source)?;
    Some(if comment.is_empty() { "muted".to_owned() } else { format!("muted: {comment}") })
}
