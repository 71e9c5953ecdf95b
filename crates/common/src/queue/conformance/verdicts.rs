//! What a worker may decide: promises 2, 3 and 5, and the dead.

use std::time::Duration;

use bytes::Bytes;

use super::{
    Harness, TENANT, TTL_OVER, assert_sound, books, bury, counter, decide, defer, depth, done, ended, event_id, facts,
    job, job_id, job_of, number, numbers, pass, retry, take, take_one, tend, then, worker,
};
use crate::{
    ids::TenantId,
    queue::{
        DeadFilter, DeadJob, Decision, Depth, Ending, KEY_MAX_BYTES, Lease, NewJob, Pushed, Queue, QueueError,
        QueueName, Scope, Verdict,
    },
};

const INTAKE: QueueName = QueueName::Intake;
const DELIVER: QueueName = QueueName::Deliver;
const SOON: Duration = Duration::from_secs(5);

pub(crate) async fn a_stale_lease_decides_nothing<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job_of(1, 1, "a")]).await.unwrap();

    let released = take_one(&*q, INTAKE, &w).await;
    q.release(&w).await.unwrap();
    assert_stale(&*q, &released).await;

    let w = worker(&*q, "w").await;
    let reclaimed = take_one(&*q, INTAKE, &w).await;
    assert_stale(&*q, &released).await;
    pass(&h, &*q, TTL_OVER).await;
    assert_stale(&*q, &reclaimed).await;

    let w = worker(&*q, "w").await;
    let retried = take_one(&*q, INTAKE, &w).await;
    assert_stale(&*q, &reclaimed).await;
    decide(&*q, &retried, retry(SOON)).await.unwrap();
    assert_stale(&*q, &retried).await;
    h.advance(SOON).await;
    tend(&*q).await;

    let deferred = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &deferred, defer(SOON, Scope::Lane)).await.unwrap();
    assert_stale(&*q, &deferred).await;
    h.advance(SOON).await;
    tend(&*q).await;

    let buried = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &buried, bury("on purpose")).await.unwrap();
    assert_stale(&*q, &buried).await;
    assert_eq!(q.replay(&DeadFilter::default(), 10).await.unwrap(), 1);

    let completed = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &completed, ended(Ending::Delivered)).await.unwrap();
    assert_stale(&*q, &completed).await;
    assert_eq!(depth(&*q, INTAKE).await, Depth::default());
    let books = super::books(&*q).await;
    assert_eq!((books.received, books.delivered), (1, 1));
}

/// No verdict under this lease does anything, and each says so.
async fn assert_stale(q: &dyn Queue, lease: &Lease) {
    let before = (q.depths().await.unwrap(), super::books(q).await);
    let verdicts = [
        then(vec![(DELIVER, job_of(1, 99, "a")), (DELIVER, job_of(2, 98, "a"))]),
        ended(Ending::Muted),
        retry(SOON),
        defer(SOON, Scope::Job),
        defer(SOON, Scope::Lane),
        bury("stale"),
    ];
    for verdict in verdicts {
        let decision = Decision { lease: lease.token.clone(), verdict, facts: vec![Bytes::from_static(b"fact")] };
        let answer = q.decide(decision.clone()).await;
        assert!(matches!(answer, Err(QueueError::StaleLease)), "{decision:?}: {answer:?}");
    }
    assert_eq!((q.depths().await.unwrap(), super::books(q).await), before);
}

pub(crate) async fn a_lease_of_a_job_that_was_pushed_again_is_stale<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    let first = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &first, done()).await.unwrap();
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    let second = take_one(&*q, INTAKE, &w).await;
    assert!(second.token.epoch > first.token.epoch, "{} after {}", second.token.epoch, first.token.epoch);
    assert!(matches!(decide(&*q, &first, done()).await, Err(QueueError::StaleLease)));
    decide(&*q, &second, done()).await.unwrap();
}

pub(crate) async fn completion_moves_jobs_and_facts_in_one_step<H: Harness>(mut h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job_of(1, 1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    let follow_ups = vec![(QueueName::Route, job_of(1, 2, "a")), (QueueName::Enrich, job(3, "b"))];
    let facts_of_it = vec![Bytes::from_static(b"one\0"), Bytes::from_static(b"two")];
    let verdict = Verdict::Complete { follow_ups, ending: None };
    let answers = q.decide(Decision { lease: lease.token, verdict, facts: facts_of_it.clone() }).await.unwrap();
    assert_eq!(answers, [Pushed::Queued, Pushed::Queued]);
    drop(q);
    h.restart().await;
    let q = h.queue();
    assert_eq!(depth(&*q, INTAKE).await, Depth::default());
    assert_eq!(numbers(&take(&*q, QueueName::Route, &w, 10).await), [2]);
    assert_eq!(numbers(&take(&*q, QueueName::Enrich, &w, 10).await), [3]);
    assert_eq!(facts(&*q).await, facts_of_it);
    let books = super::books(&*q).await;
    assert_eq!((books.received, books.pending), (1, 1));
}

pub(crate) async fn a_refused_follow_up_leaves_everything_as_it_was<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job_of(1, 1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    let before = (q.depths().await.unwrap(), super::books(&*q).await);
    let good = NewJob { counter: Some(counter("c")), ..job_of(1, 2, "a") };
    let bad = job_of(1, 3, &"x".repeat(KEY_MAX_BYTES + 1));
    let follow_ups = vec![(DELIVER, good.clone()), (DELIVER, bad)];
    let verdict = Verdict::Complete { follow_ups, ending: Some(Ending::Silenced) };
    let facts = vec![Bytes::from_static(b"fact")];
    let refused = q.decide(Decision { lease: lease.token.clone(), verdict, facts }).await;
    assert!(matches!(refused, Err(QueueError::BadJob(_))), "{refused:?}");
    assert_eq!((q.depths().await.unwrap(), super::books(&*q).await), before);
    // The lease still decides, and the refused attempt was not counted.
    decide(&*q, &lease, then(vec![(DELIVER, good)])).await.unwrap();
    assert_eq!(take_one(&*q, DELIVER, &w).await.count, 1);
}

pub(crate) async fn a_follow_up_that_is_still_queued_is_queued_once<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job_of(1, 1, "a"), job_of(1, 2, "a")]).await.unwrap();
    for lease in take(&*q, INTAKE, &w, 2).await {
        let answer = decide(&*q, &lease, then(vec![(DELIVER, job_of(1, 3, "a"))])).await.unwrap();
        assert_eq!(answer, [Pushed::Queued]);
        assert_sound(&*q).await;
    }
    let leases = take(&*q, DELIVER, &w, 10).await;
    assert_eq!(numbers(&leases), [3]);
    // A job may succeed itself under its own id: it leaves first.
    decide(&*q, &leases[0], then(vec![(DELIVER, job_of(1, 3, "a"))])).await.unwrap();
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, ended(Ending::Delivered)).await.unwrap();
    let books = super::books(&*q).await;
    assert_eq!((books.received, books.delivered), (1, 1));
}

pub(crate) async fn the_last_job_of_an_event_must_say_how_it_ended<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job_of(1, 1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    for silent in [done(), then(vec![(QueueName::Enrich, job(2, "a"))])] {
        let refused = decide(&*q, &lease, silent).await;
        assert!(matches!(refused, Err(QueueError::BadJob(_))), "{refused:?}");
    }
    assert_eq!(super::books(&*q).await.pending, 1);
    decide(&*q, &lease, ended(Ending::Muted)).await.unwrap();
    assert_eq!(super::books(&*q).await.muted, 1);
}

pub(crate) async fn a_retry_counts_an_attempt_and_waits<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    for attempts in 0..3 {
        let lease = take_one(&*q, INTAKE, &w).await;
        assert_eq!(lease.attempts, attempts);
        decide(&*q, &lease, retry(SOON)).await.unwrap();
        assert_eq!(depth(&*q, INTAKE).await, Depth { waiting: 1, ..Depth::default() });
        tend(&*q).await;
        assert!(take(&*q, INTAKE, &w, 1).await.is_empty());
        h.advance(SOON).await;
        assert_eq!(tend(&*q).await.due, 1);
    }
}

pub(crate) async fn a_deferred_job_counts_no_attempt<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a"), job(2, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &lease, defer(SOON, Scope::Job)).await.unwrap();
    // Only this job waits, not its lane.
    assert_eq!(numbers(&take(&*q, INTAKE, &w, 10).await), [2]);
    h.advance(SOON).await;
    assert_eq!(tend(&*q).await.due, 1);
    let lease = take_one(&*q, INTAKE, &w).await;
    assert_eq!((number(&lease), lease.attempts), (1, 0));
}

pub(crate) async fn a_deferred_lane_pauses_and_keeps_its_head<H: Harness>(mut h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a"), job(2, "a"), job(3, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &lease, defer(SOON, Scope::Lane)).await.unwrap();
    q.push(INTAKE, vec![job(4, "a"), job(5, "b")]).await.unwrap();
    drop(q);
    h.restart().await;
    let q = h.queue();
    assert_eq!(numbers(&take(&*q, INTAKE, &w, 10).await), [5]);
    assert_eq!(depth(&*q, INTAKE).await.ready, 4);
    h.advance(SOON).await;
    tend(&*q).await;
    let leases = take(&*q, INTAKE, &w, 10).await;
    assert_eq!(numbers(&leases), [1, 2, 3, 4]);
    assert_eq!(leases[0].attempts, 0);
}

pub(crate) async fn every_verdict_queues_its_facts<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    for (n, verdict) in (1..).zip([retry(SOON), defer(SOON, Scope::Job), defer(SOON, Scope::Lane), bury("x"), done()]) {
        q.push(INTAKE, vec![job(n, &format!("lane {n}"))]).await.unwrap();
        let lease = take_one(&*q, INTAKE, &w).await;
        let fact = Bytes::from(format!("fact {n}"));
        q.decide(Decision { lease: lease.token, verdict, facts: vec![fact.clone()] }).await.unwrap();
        assert_eq!(facts(&*q).await, [fact]);
    }
}

pub(crate) async fn a_buried_job_keeps_its_bytes_and_its_reason<H: Harness>(mut h: H) {
    let unreadable = Bytes::from_static(b"\0\xff\xfe not json \xc3\x28\0");
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![NewJob { payload: unreadable.clone(), ..job_of(7, 1, "a") }]).await.unwrap();
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, retry(SOON)).await.unwrap();
    h.advance(SOON).await;
    tend(&*q).await;
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, bury("not a payload of any version: ü")).await.unwrap();
    drop(q);
    h.restart().await;
    let q = h.queue();
    let dead = q.dead(&DeadFilter::default(), 0, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id, dead[0].queue, dead[0].tenant), (job_id(1), DELIVER, TENANT));
    assert_eq!((dead[0].event, dead[0].lane.as_str(), dead[0].attempts), (Some(event_id(7)), "a", 1));
    assert_eq!((dead[0].reason.as_str(), &dead[0].payload), ("not a payload of any version: ü", &unreadable));
    assert!(dead[0].buried_at > 0);
    assert_eq!(super::books(&*q).await.dead, 1);
}

/// Five dead jobs, buried in the order of their numbers: 1 and 2 in lane a, 3 in lane b, 4 of another tenant,
/// 5 in another queue.
async fn five_dead<H: Harness>(h: &H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let jobs =
        [job_of(1, 1, "a"), job_of(2, 2, "a"), job_of(3, 3, "b"), NewJob { tenant: TenantId(7), ..job_of(4, 4, "a") }];
    for job in jobs {
        q.push(DELIVER, vec![job]).await.unwrap();
        let lease = take_one(&*q, DELIVER, &w).await;
        decide(&*q, &lease, bury("gone")).await.unwrap();
        h.advance(Duration::from_millis(10)).await;
    }
    q.push(INTAKE, vec![job_of(5, 5, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &lease, bury("gone")).await.unwrap();
}

pub(crate) async fn dead_jobs_are_listed_by_filter<H: Harness>(h: H) {
    five_dead(&h).await;
    let q = h.queue();
    let list = async |filter: DeadFilter, skip, limit| -> Vec<u64> {
        let dead = q.dead(&filter, skip, limit).await.unwrap();
        let heads = q.dead_heads(&filter, skip, limit).await.unwrap();
        assert!(heads.iter().all(|head| head.payload.is_empty()));
        let named = |dead: &[DeadJob]| dead.iter().map(|dead| (dead.id, dead.buried_at)).collect::<Vec<_>>();
        assert_eq!(named(&heads), named(&dead));
        dead.iter().map(|dead| std::str::from_utf8(&dead.payload).unwrap().parse().unwrap()).collect()
    };
    let all = DeadFilter::default;
    assert_eq!(list(all(), 0, 100).await, [1, 2, 3, 4, 5]);
    assert_eq!(list(all(), 1, 3).await, [2, 3, 4]);
    assert_eq!(list(all(), 5, 3).await, [0; 0]);
    assert_eq!(list(DeadFilter { tenant: Some(TenantId(7)), ..all() }, 0, 100).await, [4]);
    assert_eq!(list(DeadFilter { queue: Some(INTAKE), ..all() }, 0, 100).await, [5]);
    assert_eq!(
        list(DeadFilter { lanes: vec!["a".to_owned(), "none".to_owned()], ..all() }, 0, 100).await,
        [1, 2, 4, 5]
    );
    let ids = vec![job_id(5), job_id(3), job_id(99)];
    assert_eq!(list(DeadFilter { ids: ids.clone(), ..all() }, 0, 100).await, [3, 5]);
    assert_eq!(list(DeadFilter { ids, tenant: Some(TenantId(7)), ..all() }, 0, 100).await, [0; 0]);
    let narrow = DeadFilter {
        tenant: Some(TENANT),
        queue: Some(DELIVER),
        lanes: vec!["a".to_owned(), "none".to_owned()],
        ids: vec![job_id(2), job_id(3)],
    };
    assert_eq!(list(narrow, 0, 100).await, [2]);
}

pub(crate) async fn dead_jobs_are_replayed_one_and_all<H: Harness>(h: H) {
    five_dead(&h).await;
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let one = DeadFilter { ids: vec![job_id(3)], ..DeadFilter::default() };
    assert_eq!(q.replay(&one, 10).await.unwrap(), 1);
    assert_eq!(q.replay(&one, 10).await.unwrap(), 0);
    assert_sound(&*q).await;
    let lease = take_one(&*q, DELIVER, &w).await;
    assert_eq!((number(&lease), lease.attempts), (3, 0));
    decide(&*q, &lease, ended(Ending::Delivered)).await.unwrap();
    assert_eq!(q.replay(&one, 10).await.unwrap(), 0);

    assert_eq!(q.replay(&DeadFilter::default(), 2).await.unwrap(), 2);
    assert_eq!(q.dead(&DeadFilter::default(), 0, 10).await.unwrap().len(), 2);
    assert_eq!(q.replay(&DeadFilter::default(), 100).await.unwrap(), 2);
    assert_eq!(q.replay(&DeadFilter::default(), 100).await.unwrap(), 0);
    assert_sound(&*q).await;
    let mut replayed = numbers(&take(&*q, DELIVER, &w, 10).await);
    replayed.extend(numbers(&take(&*q, INTAKE, &w, 10).await));
    replayed.sort_unstable();
    assert_eq!(replayed, [1, 2, 4, 5]);
    assert_eq!(depth(&*q, DELIVER).await, Depth { leased: 3, ..Depth::default() });
}

pub(crate) async fn decisions_are_carried_out_in_their_order_and_each_for_itself<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, (1..=40).map(|n| job_of(n, n, "a")).collect()).await.unwrap();
    let leases = take(&*q, INTAKE, &w, 40).await;
    let decide = |lease: &Lease, verdict| Decision { lease: lease.token.clone(), verdict, facts: Vec::new() };
    let next = |n: u64| then(vec![(DELIVER, job_of(n, 100 + n, "a"))]);
    let mut decisions: Vec<_> = (1..).zip(&leases).map(|(n, lease)| decide(lease, next(n))).collect();
    // One is refused, one comes twice and one without saying how its event ends.
    decisions[10].verdict = then(vec![(DELIVER, job_of(11, 111, &"x".repeat(KEY_MAX_BYTES + 1)))]);
    decisions[20] = decisions[19].clone();
    decisions[30].verdict = done();
    let answers = q.decide_all(decisions).await;
    assert_eq!(answers.len(), 40);
    for (index, answer) in answers.iter().enumerate() {
        match index {
            10 | 30 => assert!(matches!(answer, Err(QueueError::BadJob(_))), "{index}: {answer:?}"),
            20 => assert!(matches!(answer, Err(QueueError::StaleLease)), "{index}: {answer:?}"),
            _ => assert_eq!(answer.as_ref().unwrap(), &[Pushed::Queued], "{index}"),
        }
    }
    let expected: Vec<u64> = (1..=40).filter(|n| ![11, 21, 31].contains(n)).map(|n| 100 + n).collect();
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 100).await), expected);
    assert_eq!(depth(&*q, INTAKE).await.leased, 3);
    assert_eq!(books(&*q).await.pending, 40);
    assert!(q.decide_all(Vec::new()).await.is_empty());
}

pub(crate) async fn many_facts_share_a_job_up_to_its_size<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    let mut told: Vec<Bytes> = (0..100_u8).map(|n| Bytes::from(vec![n; 10_000])).collect();
    told.push(Bytes::from(vec![b'{'; 1_000_000]));
    told.push(Bytes::new());
    let decision = Decision { lease: lease.token, verdict: done(), facts: told.clone() };
    q.decide(decision).await.unwrap();
    let jobs = depth(&*q, QueueName::History).await.ready;
    assert!((5..=6).contains(&jobs), "2 MB in {jobs} jobs");
    assert_eq!(facts(&*q).await, told);
}

const LATER: Duration = Duration::from_secs(5);

/// Three jobs that wait until [`LATER`], the third behind the second.
async fn push_waiting(q: &dyn Queue) {
    let waits = |event, n, order: &str| NewJob { delay: LATER, order: Some(order.to_owned()), ..job_of(event, n, "a") };
    q.push(DELIVER, vec![waits(1, 1, "one"), waits(2, 2, "two"), waits(3, 3, "two")]).await.unwrap();
}

pub(crate) async fn a_waiting_job_can_be_amended_until_it_goes<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    push_waiting(&*q).await;
    assert!(take(&*q, DELIVER, &w, 9).await.is_empty());
    assert!(q.amend(DELIVER, job_id(1), Bytes::from_static(b"10")).await.unwrap());
    assert!(!q.amend(DELIVER, job_id(1), Bytes::from_static(b"11")).await.unwrap(), "it goes already");
    assert!(!q.amend(INTAKE, job_id(2), Bytes::from_static(b"12")).await.unwrap(), "another queue");
    assert!(!q.amend(DELIVER, job_id(9), Bytes::from_static(b"13")).await.unwrap(), "no such job");
    let amended = take(&*q, DELIVER, &w, 9).await;
    assert_eq!(numbers(&amended), [10]);
    assert!(!q.amend(DELIVER, job_id(1), Bytes::from_static(b"14")).await.unwrap(), "it is leased");
    // One that is held behind another goes when that one is done, and not sooner.
    assert!(q.amend(DELIVER, job_id(3), Bytes::from_static(b"30")).await.unwrap());
    assert!(take(&*q, DELIVER, &w, 9).await.is_empty());
    h.advance(LATER).await;
    tend(&*q).await;
    let second = take_one(&*q, DELIVER, &w).await;
    assert_eq!(number(&second), 2);
    decide(&*q, &second, ended(Ending::Delivered)).await.unwrap();
    let third = take_one(&*q, DELIVER, &w).await;
    assert_eq!(number(&third), 30);
    for lease in [&amended[0], &third] {
        decide(&*q, lease, ended(Ending::Delivered)).await.unwrap();
    }
    assert_eq!(books(&*q).await.delivered, 3);
    h.assert_sound().await;
}

pub(crate) async fn a_waiting_job_can_be_hurried_until_it_goes<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    push_waiting(&*q).await;
    assert!(!q.hurry(INTAKE, job_id(1)).await.unwrap(), "another queue");
    assert!(!q.hurry(DELIVER, job_id(9)).await.unwrap(), "no such job");
    assert!(q.hurry(DELIVER, job_id(1)).await.unwrap());
    assert!(!q.hurry(DELIVER, job_id(1)).await.unwrap(), "it goes already");
    let first = take_one(&*q, DELIVER, &w).await;
    assert_eq!(number(&first), 1, "as it was pushed");
    assert!(!q.hurry(DELIVER, job_id(1)).await.unwrap(), "it is leased");
    // One that was put off goes again, and one that is held behind another when that one is done.
    decide(&*q, &first, Verdict::Defer { after: LATER, scope: Scope::Job }).await.unwrap();
    assert!(q.hurry(DELIVER, job_id(1)).await.unwrap() && q.hurry(DELIVER, job_id(3)).await.unwrap());
    let first = take_one(&*q, DELIVER, &w).await;
    assert!(take(&*q, DELIVER, &w, 9).await.is_empty());
    assert!(q.hurry(DELIVER, job_id(2)).await.unwrap());
    let second = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &second, ended(Ending::Delivered)).await.unwrap();
    let third = take_one(&*q, DELIVER, &w).await;
    assert_eq!([number(&first), number(&second), number(&third)], [1, 2, 3]);
    for lease in [&first, &third] {
        decide(&*q, lease, ended(Ending::Delivered)).await.unwrap();
    }
    assert_eq!(books(&*q).await.delivered, 3);
    h.assert_sound().await;
}
