//! Why jobs gave up: dead letters of one channel, or of one queue, that say the same, counted together.
//!
//! What they say is brought into one wording: moments, ids and durations become `…`, so that equal failures fall
//! together however often they happened. The wording also names the cause in filters.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use axum::{Json as Answer, extract::State};
use regex::{Captures, Regex};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::UnixMillis,
    http::ApiError,
    ids::{ChannelId, JobId},
    payload::DeliverPayload,
    queue::{DeadFilter, DeadJob, Queue, QueueError, QueueName},
};

use super::{
    super::{Shelf, body::Params, caller::Viewer, deliveries::Names, errors::Common, time::Time, words::QueueWord},
    DeadLetterFilter,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_dead_letter_causes))
}

/// How many dead letters one request looks at when it looks for causes: some ten milliseconds of work.
pub(super) const SCANNED_MAX: usize = 10_000;

/// How many causes one answer names.
const CAUSES_MAX: usize = 100;

/// The longest cause, in characters: behind them answers of the same provider differ in what does not matter.
const CAUSE_MAX_CHARS: usize = 160;

/// Why some dead letters gave up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadCause {
    #[schema(value_type = QueueWord)]
    queue: QueueName,
    /// Absent for jobs that are no deliveries.
    channel: Option<i64>,
    /// Absent when the channel is gone.
    channel_name: Option<String>,
    /// What their reasons have in common, with `…` for what differs: names the cause in filters.
    #[schema(example = "400 Bad Request: chat not found")]
    cause: String,
    /// What the last of them says, in full.
    reason: String,
    /// How many they are.
    count: usize,
    /// When the first of them gave up.
    since: Time,
    /// When the last of them gave up.
    last_at: Time,
}

/// Why dead letters gave up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadCauses {
    /// Those with the most dead letters first, at most 100.
    items: Vec<DeadCause>,
    /// How many dead letters were looked at: the oldest, at most 10,000.
    counted: usize,
    /// There are more dead letters than were looked at, or more causes than are named.
    more: bool,
}

/// Why dead letters gave up, most frequent causes first
///
/// Looks at the oldest 10,000 dead letters that pass the filter, and names at most 100 causes.
#[utoipa::path(
    get, path = "/api/v1/dead-letters/causes", tag = "dead letters", params(DeadLetterFilter),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = DeadCauses), Common)
)]
async fn list_dead_letter_causes(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<DeadLetterFilter>,
) -> Result<Answer<DeadCauses>, ApiError> {
    let (dead, cause) = (filter.read(caller.tenant)?, filter.cause);
    let mut heads = api.shared.queue.dead_heads(&dead, 0, SCANNED_MAX + 1).await?;
    let more = heads.len() > SCANNED_MAX;
    heads.truncate(SCANNED_MAX);
    let names = Names::new(&api, caller.tenant);
    let mut items = grouped(&heads, &names);
    items.retain(|item| cause.as_ref().is_none_or(|cause| *cause == item.cause));
    let more = more || items.len() > CAUSES_MAX;
    items.truncate(CAUSES_MAX);
    Ok(Answer(DeadCauses { items, counted: heads.len(), more }))
}

/// The causes of jobs that are in the order in which they gave up; those with the most first.
fn grouped(heads: &[DeadJob], names: &Names) -> Vec<DeadCause> {
    let mut causes = Causes::default();
    let mut groups: BTreeMap<(QueueName, Option<ChannelId>, String), Vec<&DeadJob>> = BTreeMap::new();
    for head in heads {
        groups.entry((head.queue, channel_of(head), causes.of(&head.reason).to_owned())).or_default().push(head);
    }
    let view = |((queue, channel, cause), jobs): ((_, Option<ChannelId>, _), Vec<&DeadJob>)| {
        let at = |job: Option<&&DeadJob>| Time(job.map_or(UnixMillis::default(), |job| job.buried_at));
        DeadCause {
            queue,
            channel: channel.map(|channel| channel.0),
            channel_name: channel.and_then(|channel| names.channel(channel)),
            cause,
            reason: jobs.last().map(|job| job.reason.clone()).unwrap_or_default(),
            count: jobs.len(),
            since: at(jobs.first()),
            last_at: at(jobs.last()),
        }
    };
    let mut items: Vec<_> = groups.into_iter().map(view).collect();
    items.sort_by_key(|item| std::cmp::Reverse((item.count, item.last_at)));
    items
}

fn channel_of(job: &DeadJob) -> Option<ChannelId> {
    if job.queue == QueueName::Deliver { DeliverPayload::channel_of(&job.lane) } else { None }
}

/// The causes of reasons; each wording is thought about once.
#[derive(Default)]
pub(super) struct Causes(HashMap<String, String>);

impl Causes {
    fn of(&mut self, reason: &str) -> &str {
        if !self.0.contains_key(reason) {
            self.0.insert(reason.to_owned(), cause_of(reason));
        }
        &self.0[reason]
    }

    /// Whether a job gave up for this cause; any job does for none.
    pub(super) fn is(&mut self, job: &DeadJob, cause: Option<&String>) -> bool {
        cause.is_none_or(|cause| self.of(&job.reason) == cause)
    }
}

/// A page of the dead jobs with one cause, and how many jobs to skip for the next page.
pub(super) async fn page(
    queue: &dyn Queue,
    filter: &DeadFilter,
    cause: &String,
    (skip, limit): (usize, usize),
) -> Result<(Vec<DeadJob>, Option<usize>), QueueError> {
    let heads = queue.dead_heads(filter, skip, SCANNED_MAX).await?;
    let mut causes = Causes::default();
    let fitting = heads.iter().enumerate().filter(|(_, head)| causes.is(head, Some(cause)));
    let found: Vec<(usize, JobId)> = fitting.map(|(at, head)| (at, head.id)).take(limit + 1).collect();
    let next = if found.len() > limit {
        Some(skip + found[limit].0)
    } else {
        (heads.len() == SCANNED_MAX).then_some(skip + SCANNED_MAX)
    };
    let ids: Vec<_> = found.iter().take(limit).map(|(_, id)| *id).collect();
    // No ids would mean any.
    if ids.is_empty() {
        return Ok((Vec::new(), next));
    }
    let jobs = queue.dead(&DeadFilter { ids, ..filter.clone() }, 0, limit).await?;
    Ok((jobs, next))
}

/// Moments, durations, and words that may be ids.
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    let moment = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?";
    let time = r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?";
    let duration = r"\b\d+(?:\.\d+)? ?(?:µs|ms|s|min)\b";
    Regex::new(&format!("{moment}|{time}|{duration}|(?<word>[0-9A-Za-z_-]{{6,}})")).expect("the pattern is a constant")
});

/// A reason without what differs from one failure to the next.
fn cause_of(reason: &str) -> String {
    let same = VARYING.replace_all(reason, |found: &Captures<'_>| {
        let kept = found.name("word").map(|word| word.as_str()).filter(|word| !has_id(word));
        kept.unwrap_or("…").to_owned()
    });
    let cause = same.split_whitespace().collect::<Vec<_>>().join(" ");
    match cause.char_indices().nth(CAUSE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &cause[..end]),
        None => cause,
    }
}

/// Whether a part of a word is that of an id. Codes of errors have up to five digits, and no letters among them.
fn has_id(word: &str) -> bool {
    word.split(['_', '-']).any(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        digits >= 6 || (digits >= 2 && digits < part.len() && part.len() >= 5)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_failures_have_one_cause() {
        for (one, other) in [
            (
                "503 Service Unavailable: request 8f14e45f-ceea-467f-a8b6-9c1d2e3f4a5b",
                "503 Service Unavailable: request 0195f3f0-c0de-7d2a-8b3c-4d5e6f708192",
            ),
            ("timed out after 9.8 s", "timed out after 10.25 s"),
            ("timed out after 812ms", "timed out after 1020ms"),
            ("at 2026-11-23T07:10:00.123Z: no route", "at 2026-11-24 08:11:01+03:30: no route"),
            ("chat -1001234567890  not found", "chat -1009876543210 not found"),
            ("trace req_01HZX3 refused", "trace req_77AB99 refused"),
        ] {
            assert_eq!(cause_of(one), cause_of(other));
            assert!(cause_of(one).contains('…'), "{one}");
        }
        assert_eq!(cause_of("timed out after 9.8 s"), "timed out after …");
    }

    #[test]
    fn codes_and_words_are_kept_apart() {
        for reason in [
            "404 Not Found",
            "400 Bad Request: chat not found",
            "550 5.1.1 <ops@example.com>: no such user",
            "200 OK: code 19021, sign match fail",
            "can't parse entities in MarkdownV2",
            "drill: the channel pretends to be down",
            "کانال پیدا نشد",
        ] {
            assert_eq!(cause_of(reason), reason);
        }
        assert_ne!(cause_of("404 Not Found"), cause_of("403 Forbidden"));
        let long = cause_of(&"ü ".repeat(200));
        assert_eq!((long.chars().count(), long.ends_with('…')), (CAUSE_MAX_CHARS + 1, true));
    }
}
