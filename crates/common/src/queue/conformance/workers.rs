//! Workers that vanish and clocks that jump: promises 4 and 9.

use std::time::Duration;

use super::{
    Harness, TTL, TTL_OVER, assert_sound, decide, defer, depth, done, ended, event_id, job, job_of, number, numbers,
    pass, retry, take, take_one, tend, then, worker,
};
use crate::queue::{
    DELAY_MAX, DeadFilter, Decision, Depth, Ending, LAPSES_MAX, NewJob, Queue, QueueName, Scope, Tended,
};

const INTAKE: QueueName = QueueName::Intake;
const SOON: Duration = Duration::from_secs(5);

pub(crate) async fn a_vanished_workers_jobs_return_to_the_head<H: Harness>(h: H) {
    let q = h.queue();
    let gone = worker(&*q, "gone").await;
    q.push(INTAKE, (1..=4).map(|n| job(n, "a")).collect()).await.unwrap();
    assert_eq!(numbers(&take(&*q, INTAKE, &gone, 2).await), [1, 2]);
    assert_eq!(pass(&h, &*q, TTL * 9 / 10).await.reclaimed, 0);
    assert_eq!(pass(&h, &*q, TTL / 5).await.reclaimed, 2);
    assert_eq!(tend(&*q).await.reclaimed, 0);
    let next = worker(&*q, "next").await;
    let leases = take(&*q, INTAKE, &next, 10).await;
    assert_eq!(numbers(&leases), [1, 2, 3, 4]);
    assert!(leases.iter().all(|lease| lease.attempts == 0));
    let lapses: Vec<u32> = leases.iter().map(|lease| lease.lapses).collect();
    assert_eq!(lapses, [1, 1, 0, 0]);
}

pub(crate) async fn a_living_worker_keeps_its_jobs<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    for _ in 0..6 {
        assert_eq!(pass(&h, &*q, TTL / 2).await.reclaimed, 0);
        q.keep_alive(&w, TTL).await.unwrap();
    }
    decide(&*q, &lease, done()).await.unwrap();
}

/// A disk that hangs, a machine that sleeps, a clock that jumps: the queue hears of it before the worker can report.
pub(crate) async fn a_living_worker_keeps_its_jobs_when_everything_stood_still<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    tend(&*q).await;
    for _ in 0..6 {
        h.advance(TTL * 10).await;
        assert_eq!(tend(&*q).await.reclaimed, 0);
        // It is heard again, after what is left of the pause between two reports.
        assert_eq!(pass(&h, &*q, TTL / 3).await.reclaimed, 0);
        q.keep_alive(&w, TTL).await.unwrap();
        h.advance(TTL * 10).await;
        assert_eq!(tend(&*q).await.reclaimed, 0);
        assert_eq!(pass(&h, &*q, TTL / 3).await.reclaimed, 0);
        q.keep_alive(&w, TTL).await.unwrap();
    }
    decide(&*q, &lease, done()).await.unwrap();
}

pub(crate) async fn a_released_job_returns_at_once_and_counts_no_lapse<H: Harness>(h: H) {
    let q = h.queue();
    q.push(INTAKE, (1..=3).map(|n| job(n, "a")).collect()).await.unwrap();
    for round in 0..LAPSES_MAX + 4 {
        let w = worker(&*q, &format!("worker {round}")).await;
        assert_eq!(numbers(&take(&*q, INTAKE, &w, 2).await), [1, 2]);
        assert_eq!(q.release(&w).await.unwrap(), 2);
        assert_eq!(q.release(&w).await.unwrap(), 0);
        // Forgotten: nothing of it is left to take back later.
        assert_eq!(pass(&h, &*q, TTL_OVER).await, Tended::default());
    }
    assert_eq!(depth(&*q, INTAKE).await, Depth { ready: 3, ..Depth::default() });
}

pub(crate) async fn a_job_that_outlives_too_many_workers_is_buried<H: Harness>(h: H) {
    let q = h.queue();
    q.push(INTAKE, vec![job_of(1, 1, "a"), job_of(2, 2, "a")]).await.unwrap();
    let lapse = async |round: u32| {
        let w = worker(&*q, &format!("worker {round}")).await;
        assert_eq!(numbers(&take(&*q, INTAKE, &w, 1).await), [1]);
        pass(&h, &*q, TTL_OVER).await
    };
    for round in 1..LAPSES_MAX {
        let tended = lapse(round).await;
        assert_eq!((tended.reclaimed, tended.buried), (1, 0), "round {round}");
    }
    assert_eq!(lapse(LAPSES_MAX).await.buried, 1);
    let dead = q.dead(&DeadFilter::default(), 0, 10).await.unwrap();
    assert_eq!((dead.len(), &dead[0].payload[..]), (1, &b"1"[..]));
    assert!(!dead[0].reason.is_empty());
    let books = super::books(&*q).await;
    assert_eq!((books.dead, books.pending), (1, 1));
    // Replayed, it has all its lapses again.
    assert_eq!(q.replay(&DeadFilter::default(), 10).await.unwrap(), 1);
    let w = worker(&*q, "last").await;
    assert_eq!(take(&*q, INTAKE, &w, 10).await.len(), 2);
    let tended = pass(&h, &*q, TTL_OVER).await;
    assert_eq!((tended.reclaimed, tended.buried), (2, 0));
}

pub(crate) async fn an_event_survives_a_worker_killed_between_any_two_steps<H: Harness>(mut h: H) {
    for event in 1.. {
        let q = h.queue();
        q.push(INTAKE, vec![job_of(event, event * 10, "sender")]).await.unwrap();
        let crashes_after = usize::try_from(event).unwrap();
        let finished = drive(&*q, event, &format!("first {event}"), crashes_after).await;
        drop(q);
        // The worker is gone now; every other time the whole process is.
        if event % 2 == 0 {
            h.restart().await;
        }
        let q = h.queue();
        assert_sound(&*q).await;
        pass(&h, &*q, TTL_OVER).await;
        assert_sound(&*q).await;
        assert!(drive(&*q, event, &format!("second {event}"), usize::MAX).await);
        let books = super::books(&*q).await;
        assert_eq!((books.received, books.delivered, books.pending), (event, event, 0));
        assert_eq!(q.audit().await.unwrap().lines, 0);
        assert_eq!(super::facts(&*q).await.len(), 2, "one per delivery");
        if finished {
            assert_eq!(event, 9, "four jobs are leased and decided");
            return;
        }
    }
}

/// Takes `event` from intake through route to two deliveries; stops for good after `steps` leases and decisions.
/// Says whether it came to the end.
async fn drive(q: &dyn Queue, event: u64, name: &str, steps: usize) -> bool {
    let w = worker(q, name).await;
    let mut left = steps;
    for stage in [INTAKE, QueueName::Route, QueueName::Deliver] {
        loop {
            if left == 0 {
                return false;
            }
            let Some(lease) = take(q, stage, &w, 1).await.pop() else { break };
            assert_eq!(lease.event, Some(event_id(event)));
            assert_sound(q).await;
            left -= 1;
            if left == 0 {
                return false;
            }
            let n = event * 10;
            let (verdict, facts) = match stage {
                INTAKE => (then(vec![(QueueName::Route, job_of(event, n + 1, "tenant"))]), Vec::new()),
                QueueName::Route => {
                    let to = |n, lane| (QueueName::Deliver, job_of(event, n, lane));
                    (then(vec![to(n + 2, "telegram"), to(n + 3, "matrix")]), Vec::new())
                }
                _ => (ended(Ending::Delivered), vec![lease.payload.clone()]),
            };
            q.decide(Decision { lease: lease.token, verdict, facts }).await.unwrap();
            assert_sound(q).await;
            left -= 1;
        }
    }
    true
}

pub(crate) async fn tending_moves_a_bounded_number_and_says_when_more_is_due<H: Harness>(h: H) {
    const JOBS: u64 = 5_000;
    let q = h.queue();
    for start in (0..JOBS).step_by(500) {
        let jobs = (start..start + 500).map(|n| NewJob { delay: SOON, ..job(n, "a") });
        q.push(INTAKE, jobs.collect()).await.unwrap();
    }
    h.advance(SOON).await;
    let mut due = 0;
    loop {
        let tended = q.tend().await.unwrap();
        due += tended.due;
        assert!(tended.due < JOBS, "one call moved all");
        if !tended.more {
            break;
        }
    }
    assert_eq!(due, JOBS);
    assert_eq!(depth(&*q, INTAKE).await, Depth { ready: JOBS, ..Depth::default() });
}

pub(crate) async fn a_clock_that_jumps_forward_loses_nothing<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let delayed = NewJob { delay: SOON, ..job_of(2, 2, "b") };
    q.push(INTAKE, vec![job_of(1, 1, "a"), delayed, job_of(3, 3, "c")]).await.unwrap();
    let leases = take(&*q, INTAKE, &w, 2).await;
    decide(&*q, &leases[1], defer(SOON, Scope::Lane)).await.unwrap();
    h.advance(Duration::from_hours(24 * 365)).await;
    tend(&*q).await;
    assert_sound(&*q).await;
    // The worker lives, and what it has in hand is still its own.
    decide(&*q, &leases[0], ended(Ending::Delivered)).await.unwrap();
    let leases = take(&*q, INTAKE, &w, 10).await;
    assert_eq!(leases.len(), 2);
    for lease in &leases {
        decide(&*q, lease, ended(Ending::Delivered)).await.unwrap();
    }
    assert_eq!(super::books(&*q).await.delivered, 3);
}

pub(crate) async fn a_clock_that_jumps_back_delays_nothing_longer_than_the_limit<H: Harness>(h: H) {
    let q = h.queue();
    let gone = worker(&*q, "gone").await;
    q.push(INTAKE, vec![job(1, "vanished"), job(2, "paused"), job(3, "retried")]).await.unwrap();
    for lease in take(&*q, INTAKE, &gone, 3).await {
        let verdict = match number(&lease) {
            2 => defer(SOON, Scope::Lane),
            3 => retry(SOON),
            _ => continue,
        };
        decide(&*q, &lease, verdict).await.unwrap();
    }
    let first = NewJob { order: Some("o".to_owned()), ..job(4, "ordered") };
    q.push(INTAKE, vec![first.clone(), NewJob { delay: DELAY_MAX, ..NewJob { id: super::job_id(5), ..first } }])
        .await
        .unwrap();
    h.rewind(Duration::from_hours(24 * 30)).await;
    tend(&*q).await;
    // A worker is believed no longer than its own time to live from now on.
    assert_eq!(pass(&h, &*q, TTL_OVER).await.reclaimed, 1);
    let w = worker(&*q, "w").await;
    let mut at_once = take(&*q, INTAKE, &w, 10).await;
    at_once.sort_by_key(number);
    assert_eq!(numbers(&at_once), [1, 4]);
    for lease in &at_once {
        decide(&*q, lease, done()).await.unwrap();
    }
    tend(&*q).await;
    h.advance(DELAY_MAX).await;
    tend(&*q).await;
    let w = worker(&*q, "w").await;
    assert_eq!(take(&*q, INTAKE, &w, 10).await.len(), 3);
}
