//! What is kept of an alert's last message, and what the next one about the same alert does with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use teloxide::types::ChatId;
use watchbell_common::{
    alert::{Severity, Status},
    clock::{UnixMillis, millis},
};

use crate::{Kept, Message};

/// The messages about one alert, as they stand in the chat. This is what travels as [`Kept`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Thread {
    /// Bot, target and topic, as they were configured.
    pub(super) place: String,
    /// Where Telegram put them.
    pub(super) chat: ChatId,
    /// Their ids, first part first.
    pub(super) messages: Vec<i32>,
    /// Whether a file with the whole text went with them.
    pub(super) attached: bool,
    pub(super) status: Status,
    pub(super) severity: Severity,
    /// When the event that they show arrived.
    pub(super) shows: UnixMillis,
    /// When they were last sent or edited.
    pub(super) touched: UnixMillis,
}

/// What to do with a message when there is a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Send it.
    Fresh,
    /// Show it in the messages that are there.
    Edit,
    /// The same, and say so: an edit notifies nobody.
    EditAndTell,
    /// What is there is newer.
    Leave,
}

impl Thread {
    /// What was kept, if it is about the same place.
    pub(super) fn of(kept: &Kept, place: &str) -> Option<Self> {
        Self::deserialize(kept).ok().filter(|thread| thread.place == place && !thread.messages.is_empty())
    }

    pub(super) fn keep(&self) -> Kept {
        serde_json::to_value(self).expect("keys are strings")
    }

    /// Decides about the next message. `quiet_gap` is the pause after which a repeat is news.
    pub(super) fn plan(&self, message: &Message, now: UnixMillis, quiet_gap: Duration) -> Plan {
        let firing = message.status == Status::Firing;
        if firing && self.status == Status::Resolved && !message.update {
            return Plan::Fresh;
        }
        if message.received_at.as_millisecond() < self.shows {
            return Plan::Leave;
        }
        let rises = firing && message.severity > self.severity;
        let resolves = message.status == Status::Resolved && self.status != Status::Resolved;
        let quiet = now.saturating_sub(self.touched) > millis(quiet_gap);
        match (message.update, message.status) {
            (true, _) if rises => Plan::EditAndTell,
            (_, Status::Resolved) if resolves => Plan::EditAndTell,
            (true, _) | (_, Status::Resolved) => Plan::Edit,
            (false, _) if rises || quiet => Plan::Fresh,
            (false, _) => Plan::Edit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KEEP_MAX_BYTES, contract};

    const GAP: Duration = Duration::from_hours(1);

    fn thread() -> Thread {
        let message = contract::message();
        Thread {
            place: "123/-100/7".to_owned(),
            chat: ChatId(-100),
            messages: vec![1],
            attached: false,
            status: Status::Firing,
            severity: Severity::Warning,
            shows: message.received_at.as_millisecond(),
            touched: message.received_at.as_millisecond(),
        }
    }

    /// What becomes of a message of that status and severity, so long after a thread of that status.
    fn plan(was: Status, status: Status, severity: Severity, after: Duration, update: bool) -> Plan {
        let thread = Thread { status: was, ..thread() };
        let message = Message { status, severity, update, ..contract::message() };
        thread.plan(&message, thread.touched + millis(after), GAP)
    }

    #[test]
    fn each_case_has_its_plan() {
        use self::{Plan::*, Severity::*, Status::*};
        let (soon, late) = (GAP, GAP + Duration::from_millis(1));
        let table = [
            (Firing, Firing, Warning, soon, false, Edit),
            (Firing, Firing, Info, soon, false, Edit),
            (Firing, Firing, Warning, late, false, Fresh),
            (Firing, Firing, Error, soon, false, Fresh),
            (Firing, Acknowledged, Critical, soon, false, Edit),
            (Acknowledged, Firing, Warning, soon, false, Edit),
            (Acknowledged, Firing, Warning, late, false, Fresh),
            (Resolved, Firing, Warning, soon, false, Fresh),
            (Firing, Resolved, Warning, soon, false, EditAndTell),
            (Firing, Resolved, Critical, late, false, EditAndTell),
            (Acknowledged, Resolved, Warning, late, false, EditAndTell),
            (Resolved, Resolved, Warning, late, false, Edit),
            (Firing, Firing, Warning, late, true, Edit),
            (Firing, Firing, Critical, late, true, EditAndTell),
            (Firing, Resolved, Warning, soon, true, EditAndTell),
            (Resolved, Resolved, Warning, soon, true, Edit),
        ];
        for (was, status, severity, after, update, wanted) in table {
            let case = format!("{was:?} → {status:?}, {severity}, after {after:?}, update {update}");
            assert_eq!(plan(was, status, severity, after, update), wanted, "{case}");
        }
    }

    #[test]
    fn what_is_older_than_what_is_shown_changes_nothing_unless_it_is_news() {
        let newer = Thread { shows: i64::MAX, ..thread() };
        let update = Message { update: true, ..contract::message() };
        for message in [contract::message(), update.clone()] {
            assert_eq!(newer.plan(&message, newer.touched, GAP), Plan::Leave);
        }
        let resolved = Thread { status: Status::Resolved, ..newer };
        assert_eq!(resolved.plan(&contract::message(), resolved.touched, GAP), Plan::Fresh);
        assert_eq!(resolved.plan(&update, resolved.touched, GAP), Plan::Leave);
    }

    #[test]
    fn what_is_kept_is_read_again_for_the_same_place_only() {
        let thread = Thread { messages: vec![i32::MAX; super::super::draw::PARTS_MAX], ..thread() };
        let kept = thread.keep();
        assert!(kept.to_string().len() < KEEP_MAX_BYTES);
        assert_eq!(Thread::of(&kept, "123/-100/7"), Some(thread.clone()));
        assert_eq!(Thread::of(&kept, "123/-100/8"), None);
        assert_eq!(Thread::of(&serde_json::json!({ "id": 7 }), "123/-100/7"), None);
        assert_eq!(Thread::of(&Thread { messages: Vec::new(), ..thread }.keep(), "123/-100/7"), None);
    }
}
