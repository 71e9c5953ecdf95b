//! What follows an attempt: a pure function of how often it was tried and what went wrong.

use std::time::Duration;

use watchbell_channels::SendError;
use watchbell_common::{
    payload::AttemptOutcome,
    queue::{Scope, Verdict},
};

/// How long to wait after the first, second … failed attempt. After the last of them one more attempt follows,
/// the seventh; then the delivery is a dead letter. Together some 21 minutes: longer than a restart or a
/// failover of a destination, short enough that a person hears of it while it matters.
pub const RETRY_AFTER: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];

/// Waits differ by up to this share in either direction, so that what failed together does not return together.
const JITTER: f64 = 0.2;

/// The shortest wait for a rate limit, whatever the platform says: zero would spin.
const RATE_LIMIT_MIN: Duration = Duration::from_secs(1);

/// How long to wait in a drill at most: whoever plays a failure through wants to see its end, the dead letter, within
/// seconds.
const DRILL_WAIT_MAX: Duration = Duration::from_secs(3);

/// What to do about an attempt that failed, how it stands in the history, and what to say about it.
#[derive(Debug, Clone)]
pub(crate) struct After {
    pub(crate) verdict: Verdict,
    pub(crate) outcome: AttemptOutcome,
    pub(crate) detail: String,
}

/// Decides after a failed attempt. `attempts` is how many were made before it; `spread` is from -1 to 1.
pub(crate) fn decide_after(attempts: u32, error: SendError, spread: f64) -> After {
    match error {
        SendError::RateLimited { detail, retry_after } => {
            let verdict = Verdict::Defer { after: retry_after.max(RATE_LIMIT_MIN), scope: Scope::Lane };
            After { verdict, outcome: AttemptOutcome::RateLimited, detail }
        }
        SendError::Rejected { detail } => give_up(detail),
        SendError::Transient { detail, retry_after, ambiguous } => {
            let detail = if ambiguous { format!("possibly duplicated: {detail}") } else { detail };
            let step = usize::try_from(attempts).ok().and_then(|attempts| RETRY_AFTER.get(attempts));
            let Some(step) = step else {
                return give_up(format!("gave up after {} attempts: {detail}", attempts.saturating_add(1)));
            };
            let jittered = step.mul_f64(1.0 + JITTER * spread.clamp(-1.0, 1.0));
            let after = jittered.max(retry_after.unwrap_or_default());
            let verdict = Verdict::Retry { after, error: detail.clone() };
            After { verdict, outcome: AttemptOutcome::Failed, detail }
        }
    }
}

/// Decides after an attempt that was not made, because the channel pretends to be down: as after any other, but sooner.
pub(crate) fn decide_in_drill(attempts: u32) -> After {
    let detail = "drill: the channel pretends to be down".to_owned();
    let mut after = decide_after(attempts, SendError::Transient { detail, retry_after: None, ambiguous: false }, 0.0);
    if let Verdict::Retry { after: wait, .. } = &mut after.verdict {
        *wait = (*wait).min(DRILL_WAIT_MAX);
    }
    after
}

fn give_up(detail: String) -> After {
    let verdict = Verdict::Bury { reason: detail.clone() };
    After { verdict, outcome: AttemptOutcome::Dead, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transient(retry_after: Option<u64>) -> SendError {
        let retry_after = retry_after.map(Duration::from_secs);
        SendError::Transient { detail: "503".to_owned(), retry_after, ambiguous: false }
    }

    fn wait(attempts: u32, error: SendError, spread: f64) -> Option<Duration> {
        match decide_after(attempts, error, spread) {
            After { verdict: Verdict::Retry { after, .. }, outcome: AttemptOutcome::Failed, .. } => Some(after),
            After { verdict: Verdict::Bury { .. }, outcome: AttemptOutcome::Dead, .. } => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_six_waits_are_used_and_then_it_gives_up() {
        let waits: Vec<_> = (0..8).map(|attempts| wait(attempts, transient(None), 0.0)).collect();
        let expected = [1, 5, 15, 60, 300, 900].map(|seconds| Some(Duration::from_secs(seconds)));
        assert_eq!(waits[..6], expected);
        assert_eq!(waits[6..], [None, None]);
        let After { detail, .. } = decide_after(6, transient(None), 0.0);
        assert_eq!(detail, "gave up after 7 attempts: 503");
        assert_eq!(wait(u32::MAX, transient(None), 0.0), None);
    }

    #[test]
    fn waits_are_spread_by_a_fifth_either_way() {
        assert_eq!(wait(1, transient(None), -1.0), Some(Duration::from_secs(4)));
        assert_eq!(wait(1, transient(None), 1.0), Some(Duration::from_secs(6)));
        assert_eq!(wait(1, transient(None), 7.0), Some(Duration::from_secs(6)));
    }

    #[test]
    fn a_longer_wish_of_the_platform_is_honoured_and_a_shorter_one_is_not() {
        assert_eq!(wait(1, transient(Some(120)), 0.0), Some(Duration::from_mins(2)));
        assert_eq!(wait(1, transient(Some(2)), 0.0), Some(Duration::from_secs(5)));
        assert_eq!(wait(6, transient(Some(2)), 0.0), None);
    }

    #[test]
    fn a_rate_limit_pauses_the_channel_and_is_no_attempt() {
        for (seconds, expected) in [(17, 17), (0, 1)] {
            let error = SendError::RateLimited { detail: "429".to_owned(), retry_after: Duration::from_secs(seconds) };
            let After { verdict, outcome, .. } = decide_after(99, error, 1.0);
            let Verdict::Defer { after, scope: Scope::Lane } = verdict else { panic!("{verdict:?}") };
            assert_eq!((after.as_secs(), outcome), (expected, AttemptOutcome::RateLimited));
        }
    }

    #[test]
    fn a_drill_tries_as_often_as_ever_and_is_over_within_seconds() {
        let waits: Vec<_> = (0..7)
            .map(|attempts| match decide_in_drill(attempts).verdict {
                Verdict::Retry { after, .. } => Some(after.as_secs()),
                Verdict::Bury { .. } => None,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(waits, [Some(1), Some(3), Some(3), Some(3), Some(3), Some(3), None]);
        let After { detail, outcome, .. } = decide_in_drill(6);
        assert_eq!(detail, "gave up after 7 attempts: drill: the channel pretends to be down");
        assert_eq!(outcome, AttemptOutcome::Dead);
    }

    #[test]
    fn a_rejection_is_buried_at_once() {
        assert_eq!(wait(0, SendError::Rejected { detail: "404".to_owned() }, 0.0), None);
    }

    #[test]
    fn an_ambiguous_send_is_marked() {
        let error = SendError::Transient { detail: "no answer".to_owned(), retry_after: None, ambiguous: true };
        assert_eq!(decide_after(0, error.clone(), 0.0).detail, "possibly duplicated: no answer");
        assert!(decide_after(6, error, 0.0).detail.ends_with("possibly duplicated: no answer"));
    }
}
