//! The books balance in every situation, and the audit would notice if they did not.

use std::time::Duration;

use bytes::Bytes;

use super::{
    Harness, TENANT, assert_sound, books, bury, decide, done, ended, event_id, facts, job, job_of, retry, take,
    take_one, tend, then, worker,
};
use crate::{
    ids::TenantId,
    queue::{Books, DeadFilter, Dedup, Ending, Lease, NewJob, Pushed, Queue, QueueName, WorkerId},
};

const INTAKE: QueueName = QueueName::Intake;
const DELIVER: QueueName = QueueName::Deliver;

fn once(job: NewJob) -> NewJob {
    let dedup = Dedup {
        key: "disk full".to_owned(),
        variant: "firing".to_owned(),
        window: Duration::from_secs(300),
        fact: Bytes::from_static(b"a repeat"),
    };
    NewJob { dedup: Some(dedup), ..job }
}

/// Receives event `event` and fans it out to `jobs`, which are leased.
async fn fan_out(q: &dyn Queue, w: &WorkerId, event: u64, jobs: Vec<NewJob>) -> Vec<Lease> {
    q.push(INTAKE, vec![job_of(event, event * 1_000, "sender")]).await.unwrap();
    let lease = take_one(q, INTAKE, w).await;
    decide(q, &lease, then(jobs.into_iter().map(|job| (DELIVER, job)).collect())).await.unwrap();
    take(q, DELIVER, w, 100).await
}

pub(crate) async fn an_open_event_is_pending<H: Harness>(h: H) {
    let q = h.queue();
    let pending = Books { received: 1, pending: 1, ..Books::default() };
    assert!(q.books().await.unwrap().is_empty());
    q.push(INTAKE, vec![job_of(1, 1, "a")]).await.unwrap();
    assert_eq!(books(&*q).await, pending);
    let w = worker(&*q, "w").await;
    let lease = take_one(&*q, INTAKE, &w).await;
    assert_eq!(books(&*q).await, pending);
    decide(&*q, &lease, retry(Duration::from_secs(5))).await.unwrap();
    assert_eq!(books(&*q).await, pending);
    h.advance(Duration::from_secs(5)).await;
    tend(&*q).await;
    let lease = take_one(&*q, INTAKE, &w).await;
    let ordered = |n| NewJob { order: Some("o".to_owned()), ..job_of(1, n, "a") };
    decide(&*q, &lease, then(vec![(DELIVER, ordered(2)), (DELIVER, ordered(3))])).await.unwrap();
    assert_eq!(books(&*q).await, pending);
    assert_eq!((q.audit().await.unwrap().lines, q.audit().await.unwrap().jobs), (1, 2));
}

pub(crate) async fn an_event_ends_as_its_job_did<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    for (n, ending) in (1..).zip(Ending::ALL) {
        q.push(INTAKE, vec![job_of(n, n, "a")]).await.unwrap();
        let lease = take_one(&*q, INTAKE, &w).await;
        decide(&*q, &lease, ended(ending)).await.unwrap();
    }
    let expected =
        Books { received: 5, delivered: 1, silenced: 1, deduplicated: 1, unrouted: 1, muted: 1, dead: 0, pending: 0 };
    assert_eq!(books(&*q).await, expected);
    assert_eq!(q.audit().await.unwrap(), crate::queue::Audit::default());
}

pub(crate) async fn a_job_without_an_event_stays_out_of_the_books<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(QueueName::Enrich, vec![job(1, "a"), job(2, "a")]).await.unwrap();
    let leases = take(&*q, QueueName::Enrich, &w, 2).await;
    decide(&*q, &leases[0], done()).await.unwrap();
    decide(&*q, &leases[1], bury("gone")).await.unwrap();
    assert_eq!(books(&*q).await, Books::default());
    assert_eq!(q.replay(&DeadFilter::default(), 10).await.unwrap(), 1);
    // An ending of a job without an event has no line to go to.
    let lease = take_one(&*q, QueueName::Enrich, &w).await;
    decide(&*q, &lease, ended(Ending::Delivered)).await.unwrap();
    assert_eq!(books(&*q).await, Books::default());
}

pub(crate) async fn an_event_is_received_once<H: Harness>(h: H) {
    let q = h.queue();
    q.push(INTAKE, vec![job_of(1, 1, "a"), job_of(1, 2, "a"), job_of(2, 3, "a")]).await.unwrap();
    q.push(DELIVER, vec![job_of(1, 4, "a")]).await.unwrap();
    assert_eq!(books(&*q).await, Books { received: 2, pending: 2, ..Books::default() });
}

pub(crate) async fn the_best_ending_of_several_jobs_counts<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let leases = fan_out(&*q, &w, 1, (1..=3).map(|n| job_of(1, n, "a")).collect()).await;
    for (lease, ending) in leases.iter().zip([Ending::Unrouted, Ending::Delivered, Ending::Silenced]) {
        assert_eq!(books(&*q).await.pending, 1);
        decide(&*q, lease, ended(ending)).await.unwrap();
    }
    assert_eq!(books(&*q).await, Books { received: 1, delivered: 1, ..Books::default() });

    // An ending beside successors counts, too, and one that says nothing leaves the others'.
    q.push(INTAKE, vec![job_of(2, 10, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    let verdict = crate::queue::Verdict::Complete {
        follow_ups: vec![(DELIVER, job_of(2, 11, "a"))],
        ending: Some(Ending::Silenced),
    };
    decide(&*q, &lease, verdict).await.unwrap();
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, ended(Ending::Muted)).await.unwrap();
    assert_eq!(books(&*q).await, Books { received: 2, delivered: 1, silenced: 1, ..Books::default() });
}

pub(crate) async fn a_dead_job_of_a_fan_out_keeps_the_event_open_until_it_is_replayed<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let leases = fan_out(&*q, &w, 1, (1..=3).map(|n| job_of(1, n, "a")).collect()).await;
    decide(&*q, &leases[0], ended(Ending::Delivered)).await.unwrap();
    decide(&*q, &leases[1], bury("gone")).await.unwrap();
    assert_eq!(books(&*q).await, Books { received: 1, pending: 1, ..Books::default() });
    decide(&*q, &leases[2], ended(Ending::Delivered)).await.unwrap();
    assert_eq!(books(&*q).await, Books { received: 1, dead: 1, ..Books::default() });
    assert_eq!(q.replay(&DeadFilter::default(), 10).await.unwrap(), 1);
    assert_eq!(books(&*q).await, Books { received: 1, pending: 1, ..Books::default() });
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, bury("gone again")).await.unwrap();
    assert_eq!(books(&*q).await, Books { received: 1, dead: 1, ..Books::default() });
    assert_eq!(q.replay(&DeadFilter::default(), 10).await.unwrap(), 1);
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, ended(Ending::Silenced)).await.unwrap();
    assert_eq!(books(&*q).await, Books { received: 1, delivered: 1, ..Books::default() });
}

pub(crate) async fn an_event_dropped_at_the_door_is_deduplicated<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    assert_eq!(q.push(INTAKE, vec![once(job_of(1, 1, "a"))]).await.unwrap(), [Pushed::Queued]);
    let answers = q.push(INTAKE, vec![once(job_of(2, 2, "a")), once(job_of(3, 3, "a"))]).await.unwrap();
    assert_eq!(answers, [Pushed::Duplicate, Pushed::Duplicate]);
    assert_eq!(books(&*q).await, Books { received: 3, deduplicated: 2, pending: 1, ..Books::default() });
    assert_eq!(facts(&*q).await.len(), 2);
    // Dropped beside a job of the same event that was kept, it does not end the event.
    let answers = q.push(INTAKE, vec![once(job_of(4, 4, "a")), job_of(4, 5, "b")]).await.unwrap();
    assert_eq!(answers, [Pushed::Duplicate, Pushed::Queued]);
    assert_eq!(books(&*q).await, Books { received: 4, deduplicated: 2, pending: 2, ..Books::default() });
    for lease in take(&*q, INTAKE, &w, 10).await {
        decide(&*q, &lease, ended(Ending::Delivered)).await.unwrap();
    }
    assert_eq!(books(&*q).await, Books { received: 4, deduplicated: 2, delivered: 2, ..Books::default() });
}

pub(crate) async fn an_event_whose_fan_out_is_dropped_is_deduplicated<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let leases = fan_out(&*q, &w, 1, vec![once(job_of(1, 1, "a"))]).await;
    decide(&*q, &leases[0], ended(Ending::Delivered)).await.unwrap();
    assert!(fan_out(&*q, &w, 2, vec![once(job_of(2, 2, "a")), once(job_of(2, 3, "b"))]).await.is_empty());
    assert_eq!(books(&*q).await, Books { received: 2, delivered: 1, deduplicated: 1, ..Books::default() });
    let leases = fan_out(&*q, &w, 3, vec![once(job_of(3, 4, "a")), job_of(3, 5, "b")]).await;
    decide(&*q, &leases[0], ended(Ending::Delivered)).await.unwrap();
    assert_eq!(books(&*q).await, Books { received: 3, delivered: 2, deduplicated: 1, ..Books::default() });
}

pub(crate) async fn each_tenant_has_its_own_books<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let other = TenantId(i64::MAX);
    q.push(INTAKE, vec![job_of(1, 1, "a"), NewJob { tenant: other, ..job_of(2, 2, "a") }]).await.unwrap();
    let leases = take(&*q, INTAKE, &w, 2).await;
    decide(&*q, &leases[0], ended(Ending::Delivered)).await.unwrap();
    assert_sound(&*q).await;
    let mut all = q.books().await.unwrap();
    all.sort_by_key(|(tenant, _)| *tenant);
    let expected = [
        (TENANT, Books { received: 1, delivered: 1, ..Books::default() }),
        (other, Books { received: 1, pending: 1, ..Books::default() }),
    ];
    assert_eq!(all, expected);
}

pub(crate) async fn the_books_survive_a_restart<H: Harness>(mut h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let leases = fan_out(&*q, &w, 1, vec![job_of(1, 1, "a"), job_of(1, 2, "a")]).await;
    decide(&*q, &leases[0], ended(Ending::Delivered)).await.unwrap();
    drop(q);
    h.restart().await;
    let q = h.queue();
    assert_eq!(books(&*q).await, Books { received: 1, pending: 1, ..Books::default() });
    decide(&*q, &leases[1], ended(Ending::Silenced)).await.unwrap();
    drop(q);
    h.restart().await;
    assert_eq!(books(&*h.queue()).await, Books { received: 1, delivered: 1, ..Books::default() });
}

pub(crate) async fn an_audit_finds_a_line_that_does_not_match_its_jobs<H: Harness>(h: H) {
    let q = h.queue();
    q.push(INTAKE, vec![job_of(1, 1, "a"), job_of(2, 2, "a"), job(3, "a")]).await.unwrap();
    assert_sound(&*q).await;
    h.break_ledger(event_id(2)).await;
    let audit = q.audit().await.unwrap();
    assert_eq!((audit.lines, audit.jobs), (2, 2));
    assert_eq!((audit.wrong.as_slice(), audit.wrong_total), (&[event_id(2)][..], 1));
}
