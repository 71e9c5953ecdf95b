//! What is remembered beside the jobs: deduplication and counters (promise 8), notes, sums and slots (promise 10), the
//! configuration.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{
    Harness, TENANT, decide, depth, done, facts as facts_of, job, number, numbers, take, take_one, tend, then, worker,
};
use crate::queue::{
    COUNTER_TTL, Counter, Dedup, Depth, KEY_MAX_BYTES, NOTE_MAX_BYTES, NOTE_TTL_MAX, NewJob, Published, Pushed, Queue,
    QueueError, QueueName, Slot, facts,
};

const INTAKE: QueueName = QueueName::Intake;
const DELIVER: QueueName = QueueName::Deliver;
const WINDOW: Duration = Duration::from_mins(5);

fn repeat(n: u64, variant: &str) -> NewJob {
    let fact = Bytes::from(format!("{n} was a repeat\0"));
    let dedup = Dedup { key: "disk full".to_owned(), variant: variant.to_owned(), window: WINDOW, fact };
    NewJob { dedup: Some(dedup), ..job(n, "a") }
}

fn counted(n: u64, counter: &str) -> NewJob {
    NewJob { counter: Some(super::counter(counter)), ..job(n, "a") }
}

pub(crate) async fn a_repeat_inside_the_window_is_dropped_and_leaves_a_fact<H: Harness>(mut h: H) {
    let q = h.queue();
    assert_eq!(q.push(DELIVER, vec![repeat(1, "firing")]).await.unwrap(), [Pushed::Queued]);
    assert!(facts_of(&*q).await.is_empty());
    let other_key = NewJob {
        dedup: Some(Dedup { key: "disk slow".to_owned(), ..repeat(3, "firing").dedup.unwrap() }),
        ..job(3, "a")
    };
    let answers = q.push(DELIVER, vec![repeat(2, "firing"), other_key]).await.unwrap();
    assert_eq!(answers, [Pushed::Duplicate, Pushed::Queued]);
    drop(q);
    h.restart().await;
    let q = h.queue();
    assert_eq!(q.push(DELIVER, vec![repeat(4, "firing")]).await.unwrap(), [Pushed::Duplicate]);
    let w = worker(&*q, "w").await;
    let leases = take(&*q, DELIVER, &w, 10).await;
    assert_eq!(numbers(&leases), [1, 3]);
    let recorder = worker(&*q, "recorder").await;
    let jobs = take(&*q, QueueName::History, &recorder, 10).await;
    let facts: Vec<_> = jobs.iter().flat_map(|job| facts::read(&job.payload).unwrap()).collect();
    assert_eq!(facts, [&b"2 was a repeat\0"[..], b"4 was a repeat\0"]);
    assert!(jobs.iter().all(|job| (job.tenant, job.event) == (TENANT, None)));
}

pub(crate) async fn another_variant_is_not_a_repeat<H: Harness>(h: H) {
    let q = h.queue();
    let mut answers = Vec::new();
    for (n, variant) in (1..).zip(["firing", "firing", "resolved", "resolved", "firing", "firing"]) {
        answers.extend(q.push(DELIVER, vec![repeat(n, variant)]).await.unwrap());
    }
    assert_eq!(
        answers,
        [Pushed::Queued, Pushed::Duplicate, Pushed::Queued, Pushed::Duplicate, Pushed::Queued, Pushed::Duplicate]
    );
}

pub(crate) async fn a_window_is_counted_from_the_first_sighting<H: Harness>(h: H) {
    let q = h.queue();
    let mut answers = Vec::new();
    for n in 1..=5 {
        answers.extend(q.push(DELIVER, vec![repeat(n, "firing")]).await.unwrap());
        h.advance(WINDOW / 2).await;
        tend(&*q).await;
    }
    assert_eq!(answers, [Pushed::Queued, Pushed::Duplicate, Pushed::Queued, Pushed::Duplicate, Pushed::Queued]);
}

pub(crate) async fn a_refused_push_is_not_remembered<H: Harness>(h: H) {
    let q = h.queue();
    let first = NewJob { counter: Some(super::counter("c")), ..repeat(1, "firing") };
    let refused = q.push(DELIVER, vec![first.clone(), job(2, &"x".repeat(KEY_MAX_BYTES + 1))]).await;
    assert!(matches!(refused, Err(QueueError::BadJob(_))), "{refused:?}");
    assert_eq!(q.push(DELIVER, vec![first]).await.unwrap(), [Pushed::Queued]);
    let w = worker(&*q, "w").await;
    assert_eq!(take_one(&*q, DELIVER, &w).await.count, 1);
}

pub(crate) async fn a_dropped_follow_up_is_reported<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(10, "a"), job(11, "a")]).await.unwrap();
    let leases = take(&*q, INTAKE, &w, 2).await;
    let answers = decide(&*q, &leases[0], then(vec![(DELIVER, repeat(1, "firing"))])).await.unwrap();
    assert_eq!(answers, [Pushed::Queued]);
    let follow_ups = vec![(DELIVER, job(2, "a")), (DELIVER, repeat(3, "firing")), (DELIVER, job(4, "a"))];
    let answers = decide(&*q, &leases[1], then(follow_ups)).await.unwrap();
    assert_eq!(answers, [Pushed::Queued, Pushed::Duplicate, Pushed::Queued]);
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 10).await), [1, 2, 4]);
    assert_eq!(facts_of(&*q).await.len(), 1);
}

pub(crate) async fn a_window_that_began_in_the_future_starts_anew<H: Harness>(h: H) {
    let q = h.queue();
    q.push(DELIVER, vec![repeat(1, "firing")]).await.unwrap();
    h.rewind(Duration::from_hours(24)).await;
    tend(&*q).await;
    q.push(DELIVER, vec![repeat(2, "firing")]).await.unwrap();
    h.advance(WINDOW).await;
    // At the latest one window after the jump, the alert is heard again.
    assert_eq!(q.push(DELIVER, vec![repeat(3, "firing")]).await.unwrap(), [Pushed::Queued]);
}

pub(crate) async fn a_counter_counts_the_jobs_of_its_name<H: Harness>(h: H) {
    const JOBS: u64 = 200;
    let mut pushing = JoinSet::new();
    for n in 0..JOBS {
        let q = h.queue();
        pushing.spawn(async move {
            q.push(DELIVER, vec![counted(n, "even spread"), counted(n + JOBS, &format!("own {n}"))]).await.unwrap();
        });
    }
    pushing.join_all().await;
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let leases = take(&*q, DELIVER, &w, 1_000).await;
    assert_eq!(leases.len() as u64, JOBS * 2);
    let (own, shared): (Vec<_>, Vec<_>) = leases.iter().partition(|lease| number(lease) >= JOBS);
    assert!(own.iter().all(|lease| lease.count == 1));
    assert_eq!(shared.iter().map(|lease| lease.count).collect::<BTreeSet<_>>(), (1..=JOBS).collect());
}

pub(crate) async fn a_dropped_job_is_not_counted<H: Harness>(h: H) {
    let q = h.queue();
    for (n, variant) in (1..).zip(["firing", "firing", "resolved"]) {
        let job = NewJob { counter: Some(super::counter("c")), ..repeat(n, variant) };
        q.push(DELIVER, vec![job.clone()]).await.unwrap();
        q.push(DELIVER, vec![job]).await.unwrap();
    }
    let w = worker(&*q, "w").await;
    let counts: Vec<u64> = take(&*q, DELIVER, &w, 10).await.iter().map(|lease| lease.count).collect();
    assert_eq!(counts, [1, 2]);
}

pub(crate) async fn an_unused_counter_is_forgotten<H: Harness>(h: H) {
    let q = h.queue();
    let count = async |n| {
        q.push(DELIVER, vec![counted(n, "c")]).await.unwrap();
        tend(&*q).await;
        let w = worker(&*q, "w").await;
        let lease = take_one(&*q, DELIVER, &w).await;
        decide(&*q, &lease, done()).await.unwrap();
        lease.count
    };
    assert_eq!(count(1).await, 1);
    h.advance(COUNTER_TTL).await;
    tend(&*q).await;
    assert_eq!(count(2).await, 2);
    h.advance(COUNTER_TTL).await;
    tend(&*q).await;
    assert_eq!(count(3).await, 3);
    h.advance(COUNTER_TTL + Duration::from_secs(1)).await;
    tend(&*q).await;
    assert_eq!(count(4).await, 1);
    assert_eq!(depth(&*q, DELIVER).await, Depth::default());
}

pub(crate) async fn a_closed_counter_begins_another_episode<H: Harness>(h: H) {
    const STEP: Duration = Duration::from_mins(1);
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let mut seen = Vec::new();
    for (n, closes) in (1..).zip([false, false, true, true, false, false]) {
        let counter = Counter { name: "c".to_owned(), closes };
        q.push(DELIVER, vec![NewJob { counter: Some(counter), ..job(n, "a") }]).await.unwrap();
        let lease = take_one(&*q, DELIVER, &w).await;
        seen.push((lease.count, lease.since));
        h.advance(STEP).await;
    }
    let start = seen[0].1;
    let second = start + i64::try_from(STEP.as_millis()).unwrap() * 4;
    assert_eq!(seen, [(1, start), (2, start), (3, start), (4, start), (1, second), (2, second)]);
}

async fn take_slot(q: &dyn Queue, key: &str, per_minute: u32) -> Result<Duration, QueueError> {
    q.take_slots(&[Slot { key: key.to_owned(), per_minute, burst: per_minute, reserve: 0, count: 1 }]).await
}

pub(crate) async fn slots_are_taken_together_or_not_at_all<H: Harness>(h: H) {
    let q = h.queue();
    let slot = |key: &str, per_minute, burst| Slot { key: key.to_owned(), per_minute, burst, reserve: 0, count: 1 };
    let both = [slot("chat", 60, 1), slot("bot", 1_800, 30)];
    assert_eq!(q.take_slots(&both).await.unwrap(), Duration::ZERO);
    for _ in 0..40 {
        assert_eq!(q.take_slots(&both).await.unwrap(), Duration::from_secs(1), "the chat has none");
    }
    // So the bot still has all of its own but one.
    for _ in 0..29 {
        assert_eq!(q.take_slots(&both[1..]).await.unwrap(), Duration::ZERO);
    }
    let wait = q.take_slots(&both[1..]).await.unwrap();
    assert!((Duration::from_millis(33)..=Duration::from_millis(34)).contains(&wait), "{wait:?}");
    h.advance(Duration::from_secs(1)).await;
    assert_eq!(q.take_slots(&both).await.unwrap(), Duration::ZERO);
    assert_eq!(q.take_slots(&[]).await.unwrap(), Duration::ZERO);
    assert!(matches!(q.take_slots(&[slot("chat", 60, 0)]).await, Err(QueueError::BadJob(_))));
}

pub(crate) async fn a_reserve_is_left_for_those_who_keep_none<H: Harness>(h: H) {
    let q = h.queue();
    let slot = |reserve| [Slot { key: "chat".to_owned(), per_minute: 6, burst: 3, reserve, count: 1 }];
    for _ in 0..2 {
        assert_eq!(q.take_slots(&slot(1)).await.unwrap(), Duration::ZERO);
    }
    assert_eq!(q.take_slots(&slot(1)).await.unwrap(), Duration::from_secs(10));
    assert_eq!(q.take_slots(&slot(0)).await.unwrap(), Duration::ZERO);
    assert_eq!(q.take_slots(&slot(0)).await.unwrap(), Duration::from_secs(10));
    assert_eq!(q.take_slots(&slot(1)).await.unwrap(), Duration::from_secs(20));
    assert!(matches!(q.take_slots(&slot(3)).await, Err(QueueError::BadJob(_))));
}

pub(crate) async fn several_slots_are_taken_at_once<H: Harness>(h: H) {
    let q = h.queue();
    let slot = |count, reserve| [Slot { key: "chat".to_owned(), per_minute: 6, burst: 4, reserve, count }];
    assert_eq!(q.take_slots(&slot(3, 1)).await.unwrap(), Duration::ZERO);
    assert_eq!(q.take_slots(&slot(2, 0)).await.unwrap(), Duration::from_secs(10), "one is left");
    assert_eq!(q.take_slots(&slot(3, 1)).await.unwrap(), Duration::from_secs(30));
    assert_eq!(q.take_slots(&slot(1, 0)).await.unwrap(), Duration::ZERO);
    h.advance(Duration::from_secs(20)).await;
    assert_eq!(q.take_slots(&slot(2, 0)).await.unwrap(), Duration::ZERO);
    for (count, reserve) in [(0, 0), (4, 1), (u32::MAX, 1)] {
        assert!(matches!(q.take_slots(&slot(count, reserve)).await, Err(QueueError::BadJob(_))));
    }
}

pub(crate) async fn a_note_is_kept_for_its_time<H: Harness>(mut h: H) {
    const DAY: Duration = Duration::from_hours(24);
    let q = h.queue();
    assert_eq!(q.recall("note").await.unwrap(), None);
    q.remember("note", Bytes::from_static(b"1 \0\n"), DAY).await.unwrap();
    q.remember("another", Bytes::from_static(b""), DAY * 400).await.unwrap();
    drop(q);
    h.restart().await;
    let q = h.queue();
    h.advance(DAY.saturating_sub(Duration::from_secs(1))).await;
    tend(&*q).await;
    assert_eq!(q.recall("note").await.unwrap().as_deref(), Some(&b"1 \0\n"[..]));
    h.advance(Duration::from_secs(1)).await;
    assert_eq!(q.recall("note").await.unwrap(), None);
    q.remember("note", Bytes::from_static(b"two"), DAY).await.unwrap();
    assert_eq!(q.recall("note").await.unwrap().as_deref(), Some(&b"two"[..]));
    q.remember("note", Bytes::from_static(b"three"), Duration::ZERO).await.unwrap();
    assert_eq!(q.recall("note").await.unwrap(), None);
    assert_eq!(q.recall("another").await.unwrap().as_deref(), Some(&b""[..]));
    h.advance(NOTE_TTL_MAX).await;
    tend(&*q).await;
    assert_eq!(q.recall("another").await.unwrap(), None);
    let large = Bytes::from(vec![0; NOTE_MAX_BYTES + 1]);
    assert!(matches!(q.remember("large", large.clone(), DAY).await, Err(QueueError::BadJob(_))));
    q.remember("large", large.slice(1..), DAY).await.unwrap();
    let long = "x".repeat(KEY_MAX_BYTES + 1);
    assert!(matches!(q.remember(&long, Bytes::new(), DAY).await, Err(QueueError::BadJob(_))));
}

pub(crate) async fn an_announcement_is_seen_for_its_time<H: Harness>(mut h: H) {
    const HOUR: Duration = Duration::from_hours(1);
    let q = h.queue();
    assert!(q.announced().await.unwrap().is_empty());
    q.remember("note", Bytes::from_static(b"no announcement"), HOUR).await.unwrap();
    q.announce("one", Bytes::from_static(b"early"), HOUR).await.unwrap();
    q.announce("two", Bytes::from_static(b"2 \0\n\xff"), HOUR * 2).await.unwrap();
    q.announce("one", Bytes::from_static(b"1"), HOUR).await.unwrap();
    drop(q);
    h.restart().await;
    let q = h.queue();
    let both = [("one".to_owned(), Bytes::from_static(b"1")), ("two".to_owned(), Bytes::from_static(b"2 \0\n\xff"))];
    assert_eq!(q.announced().await.unwrap(), both);
    h.advance(HOUR).await;
    tend(&*q).await;
    assert_eq!(q.announced().await.unwrap(), both[1..]);
    q.announce("two", Bytes::new(), Duration::ZERO).await.unwrap();
    assert!(q.announced().await.unwrap().is_empty());
    let long = "x".repeat(KEY_MAX_BYTES + 1);
    assert!(matches!(q.announce(&long, Bytes::new(), HOUR).await, Err(QueueError::BadJob(_))));
}

pub(crate) async fn a_sum_begins_anew_when_its_time_is_over<H: Harness>(mut h: H) {
    const HOUR: Duration = Duration::from_hours(1);
    let q = h.queue();
    assert_eq!(q.add_up("tokens", 40, HOUR).await.unwrap(), 40);
    h.advance(HOUR / 2).await;
    assert_eq!(q.add_up("tokens", 2, HOUR).await.unwrap(), 42);
    drop(q);
    h.restart().await;
    let q = h.queue();
    tend(&*q).await;
    assert_eq!(q.add_up("tokens", 0, HOUR).await.unwrap(), 42);
    h.advance(HOUR / 2).await;
    assert_eq!(q.add_up("tokens", 7, HOUR).await.unwrap(), 7, "counted from the first addition");
    assert_eq!(q.add_up("others", 1, HOUR).await.unwrap(), 1);
}

pub(crate) async fn a_sum_takes_back_what_was_too_much<H: Harness>(h: H) {
    const HOUR: Duration = Duration::from_hours(1);
    let q = h.queue();
    assert_eq!(q.add_up("tries", -1, Duration::ZERO).await.unwrap(), 0, "nothing is there");
    assert_eq!(q.add_up("tries", 5, HOUR).await.unwrap(), 5);
    assert_eq!(q.add_up("tries", -2, Duration::ZERO).await.unwrap(), 3);
    assert_eq!(q.add_up("tries", -9, Duration::ZERO).await.unwrap(), 0, "no less than nothing");
    assert_eq!(q.add_up("tries", 1, HOUR).await.unwrap(), 1);
    h.advance(HOUR).await;
    assert_eq!(q.add_up("tries", -1, Duration::ZERO).await.unwrap(), 0);
    assert_eq!(q.add_up("tries", 2, HOUR).await.unwrap(), 2);
    h.advance(HOUR / 2).await;
    assert_eq!(q.add_up("tries", 1, HOUR).await.unwrap(), 3, "its hour began with the first addition");
}

pub(crate) async fn a_sum_misses_no_addition<H: Harness>(h: H) {
    let mut adding = JoinSet::new();
    for _ in 0..100 {
        let q = h.queue();
        adding.spawn(async move { q.add_up("sum", 3, Duration::from_hours(1)).await.unwrap() });
    }
    let sums: BTreeSet<u64> = adding.join_all().await.into_iter().collect();
    assert_eq!(sums, (1..=100).map(|n| n * 3).collect());
}

pub(crate) async fn slots_are_refilled_evenly<H: Harness>(mut h: H) {
    let q = h.queue();
    for _ in 0..6 {
        assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::ZERO);
    }
    assert_eq!(take_slot(&*q, "another bot", 6).await.unwrap(), Duration::ZERO);
    drop(q);
    h.restart().await;
    let q = h.queue();
    // Asking takes nothing: the answer counts down and no more.
    assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::from_secs(10));
    h.advance(Duration::from_secs(4)).await;
    assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::from_secs(6));
    h.advance(Duration::from_secs(6)).await;
    assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::ZERO);
    assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::from_secs(10));
    h.advance(Duration::from_hours(1)).await;
    tend(&*q).await;
    for _ in 0..6 {
        assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::ZERO);
    }
    assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::from_secs(10));
    assert!(matches!(take_slot(&*q, "bot", 0).await, Err(QueueError::BadJob(_))));
    assert!(matches!(take_slot(&*q, &"x".repeat(KEY_MAX_BYTES + 1), 6).await, Err(QueueError::BadJob(_))));
}

pub(crate) async fn a_clock_that_jumps_back_blocks_no_slot<H: Harness>(h: H) {
    let q = h.queue();
    for _ in 0..6 {
        take_slot(&*q, "bot", 6).await.unwrap();
    }
    h.rewind(Duration::from_hours(24)).await;
    tend(&*q).await;
    assert!(take_slot(&*q, "bot", 6).await.unwrap() <= Duration::from_secs(10));
    h.advance(Duration::from_secs(10)).await;
    assert_eq!(take_slot(&*q, "bot", 6).await.unwrap(), Duration::ZERO);
}

pub(crate) async fn an_older_configuration_is_ignored<H: Harness>(mut h: H) {
    let q = h.queue();
    let published = |version, document: &'static str| Published { version, document: Bytes::from(document) };
    assert_eq!(q.config_newer(0).await.unwrap(), None);
    q.publish_config(published(3, "three\0")).await.unwrap();
    q.publish_config(published(2, "two")).await.unwrap();
    drop(q);
    h.restart().await;
    let q = h.queue();
    assert_eq!(q.config_newer(0).await.unwrap(), Some(published(3, "three\0")));
    assert_eq!(q.config_newer(2).await.unwrap(), Some(published(3, "three\0")));
    assert_eq!(q.config_newer(3).await.unwrap(), None);
    q.publish_config(published(4, "four")).await.unwrap();
    assert_eq!(q.config_newer(3).await.unwrap(), Some(published(4, "four")));
}
