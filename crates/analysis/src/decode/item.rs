//! An item of a webhook as an event. Its dialect already read it; here it is only cleaned and cut.

use std::collections::BTreeMap;

use watchbell_common::{
    alert::{Event, TEXT_MAX_BYTES},
    payload::{IntakeHead, Item},
};

use super::{Claims, Clues, Decoded, LABEL_MAX_BYTES, SUBJECT_MAX_BYTES, text};

/// Labels that are kept, in the order of their names.
const LABELS_MAX: usize = 200;

pub(super) fn decode<'a>(head: &IntakeHead, item: &Item) -> Decoded<'a> {
    let line = |text: &str| text::cut(text::one_line(text), LABEL_MAX_BYTES);
    let labels: BTreeMap<_, _> =
        item.labels.iter().take(LABELS_MAX).map(|(name, value)| (line(name), line(value))).collect();
    let event = Event {
        id: head.event,
        tenant: head.tenant,
        received_at: head.received_at,
        source: line(&item.source),
        channel: head.channel,
        peer: head.peer,
        from: item.from.iter().map(|from| line(from).to_lowercase()).filter(|from| !from.is_empty()).collect(),
        to: Vec::new(),
        subject: text::cut(text::one_line(&item.title), SUBJECT_MAX_BYTES),
        text: text::cut_with_note(text::clean(&item.text), TEXT_MAX_BYTES, false),
        labels,
        attachments: Vec::new(),
    };
    let given = |value: &Option<String>| value.as_deref().map(line).filter(|value| !value.is_empty());
    let claims = Claims {
        severity: item.severity,
        status: item.status,
        system: given(&item.system),
        category: given(&item.category),
        fingerprint: watchbell_common::fingerprint::of_item(item),
    };
    Decoded { event, clues: Clues::default(), claims: Some(claims) }
}
