//! Pushing and leasing: promises 1 and 2, delays, waking and depths.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{
    Harness, TENANT, TTL_OVER, bury, counter, decide, depth, done, job, job_id, job_of, number, numbers, retry, take,
    take_one, tend, worker,
};
use crate::queue::{DELAY_MAX, Dedup, Depth, KEY_MAX_BYTES, NewJob, Pushed, QueueError, QueueName, Want, WorkerId};

const INTAKE: QueueName = QueueName::Intake;

pub(crate) async fn a_pushed_job_survives_a_restart<H: Harness>(mut h: H) {
    h.queue().push(INTAKE, vec![job_of(1, 1, "a"), job_of(2, 2, "a")]).await.unwrap();
    h.restart().await;
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let leases = take(&*q, INTAKE, &w, 10).await;
    assert_eq!(numbers(&leases), [1, 2]);
    assert_eq!(leases[0].event, Some(super::event_id(1)));
    assert_eq!((leases[0].tenant, leases[0].lane.as_str(), leases[0].attempts, leases[0].count), (TENANT, "a", 0, 0));
}

pub(crate) async fn all_jobs_of_a_push_are_queued_or_none<H: Harness>(h: H) {
    let q = h.queue();
    let too_long = "x".repeat(KEY_MAX_BYTES + 1);
    let refused = q.push(INTAKE, vec![job_of(1, 1, "a"), job_of(2, 2, &too_long), job_of(3, 3, "a")]).await;
    assert!(matches!(refused, Err(QueueError::BadJob(_))), "{refused:?}");
    assert_eq!(depth(&*q, INTAKE).await, Depth::default());
    assert_eq!(super::books(&*q).await.received, 0);
}

pub(crate) async fn a_job_id_that_is_still_queued_is_queued_once<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let again = || async {
        let repeat = NewJob { payload: Bytes::from_static(b"other bytes"), ..job_of(1, 1, "other lane") };
        assert_eq!(q.push(INTAKE, vec![repeat]).await.unwrap(), [Pushed::Queued]);
        let depth = depth(&*q, INTAKE).await;
        assert_eq!(depth.ready + depth.held + depth.leased + depth.waiting + depth.dead, 1, "{depth:?}");
        assert_eq!(super::books(&*q).await.received, 1);
    };
    assert_eq!(
        q.push(INTAKE, vec![job_of(1, 1, "a"), job_of(1, 1, "a")]).await.unwrap(),
        [Pushed::Queued, Pushed::Queued]
    );
    again().await;
    let lease = take_one(&*q, INTAKE, &w).await;
    again().await;
    decide(&*q, &lease, retry(Duration::from_secs(5))).await.unwrap();
    again().await;
    h.advance(Duration::from_secs(6)).await;
    tend(&*q).await;
    let lease = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &lease, bury("on purpose")).await.unwrap();
    again().await;
    assert_eq!(q.dead(&crate::queue::DeadFilter::default(), 0, 10).await.unwrap()[0].payload, "1");
}

pub(crate) async fn a_job_goes_to_one_worker_only<H: Harness>(h: H) {
    let q = h.queue();
    let (one, two) = (worker(&*q, "one").await, worker(&*q, "two").await);
    q.push(INTAKE, (1..=3).map(|n| job(n, "a")).collect()).await.unwrap();
    assert_eq!(numbers(&take(&*q, INTAKE, &one, 2).await), [1, 2]);
    assert_eq!(numbers(&take(&*q, INTAKE, &two, 2).await), [3]);
    assert!(take(&*q, INTAKE, &one, 2).await.is_empty());
    assert!(take(&*q, QueueName::Route, &one, 2).await.is_empty());
}

pub(crate) async fn a_lease_survives_a_restart<H: Harness>(mut h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    drop(q);
    h.restart().await;
    let q = h.queue();
    assert!(take(&*q, INTAKE, &w, 1).await.is_empty());
    decide(&*q, &lease, done()).await.unwrap();
    assert_eq!(depth(&*q, INTAKE).await, Depth::default());
}

pub(crate) async fn any_bytes_come_back_as_they_were<H: Harness>(mut h: H) {
    let every_byte: Vec<u8> = (0..=255).chain([0, 0, 0xc3, 0x28, b'\r', b'\n', 0]).collect();
    let large: Vec<u8> = every_byte.iter().copied().cycle().take(3 << 20).collect();
    let payloads = [Bytes::new(), Bytes::from_static(b"\0"), every_byte.into(), large.into()];
    let jobs = (1..).zip(&payloads).map(|(n, payload)| NewJob { payload: payload.clone(), ..job(n, "a\0 ü\n") });
    h.queue().push(INTAKE, jobs.collect()).await.unwrap();
    h.restart().await;
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let leases = take(&*q, INTAKE, &w, 10).await;
    assert_eq!(leases.len(), payloads.len());
    for (lease, payload) in leases.iter().zip(&payloads) {
        assert_eq!(lease.lane, "a\0 ü\n");
        assert!(lease.payload == payload, "{} bytes differ", payload.len());
    }
}

pub(crate) async fn names_over_the_limit_are_refused<H: Harness>(h: H) {
    let q = h.queue();
    let long = || "x".repeat(KEY_MAX_BYTES + 1);
    let dedup = |key: String, variant: String| Dedup { key, variant, window: TTL_OVER, fact: Bytes::new() };
    let refused = [
        job(1, &long()),
        NewJob { order: Some(long()), ..job(1, "a") },
        NewJob { counter: Some(counter(&long())), ..job(1, "a") },
        NewJob { dedup: Some(dedup(long(), "v".to_owned())), ..job(1, "a") },
        NewJob { dedup: Some(dedup("k".to_owned(), long())), ..job(1, "a") },
    ];
    for bad in refused {
        let answer = q.push(INTAKE, vec![bad.clone()]).await;
        assert!(matches!(answer, Err(QueueError::BadJob(_))), "{bad:?}: {answer:?}");
    }
    let answer = q.keep_alive(&WorkerId(long().into()), TTL_OVER).await;
    assert!(matches!(answer, Err(QueueError::BadJob(_))), "{answer:?}");
    let longest = "x".repeat(KEY_MAX_BYTES);
    let good = NewJob {
        order: Some(longest.clone()),
        counter: Some(counter(&longest)),
        dedup: Some(dedup(longest.clone(), longest.clone())),
        ..job(1, &longest)
    };
    assert_eq!(q.push(INTAKE, vec![good]).await.unwrap(), [Pushed::Queued]);
}

pub(crate) async fn ten_thousand_jobs_through_four_workers_are_each_completed_once<H: Harness>(h: H) {
    const JOBS: u64 = 10_000;
    let q = h.queue();
    for start in (0..JOBS).step_by(500) {
        q.push(INTAKE, (start..start + 500).map(|n| job(n, &format!("lane {}", n % 7))).collect()).await.unwrap();
    }
    let mut workers = JoinSet::new();
    for n in 0..4 {
        let q = h.queue();
        workers.spawn(async move {
            let w = worker(&*q, &format!("worker {n}")).await;
            let mut completed = Vec::new();
            loop {
                let leases = take(&*q, INTAKE, &w, 32).await;
                if leases.is_empty() {
                    return completed;
                }
                let mut deciding = JoinSet::new();
                for lease in leases {
                    let q = q.clone();
                    deciding.spawn(async move {
                        decide(&*q, &lease, done()).await.unwrap();
                        number(&lease)
                    });
                }
                completed.extend(deciding.join_all().await);
            }
        });
    }
    let mut times = BTreeMap::new();
    for n in workers.join_all().await.into_iter().flatten() {
        *times.entry(n).or_insert(0) += 1;
    }
    assert_eq!(times.len() as u64, JOBS);
    assert!(times.values().all(|times| *times == 1));
    assert_eq!(depth(&*q, INTAKE).await, Depth::default());
}

pub(crate) async fn a_delayed_job_waits<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![NewJob { delay: Duration::from_secs(10), ..job(1, "a") }, job(2, "a")]).await.unwrap();
    assert_eq!(numbers(&take(&*q, INTAKE, &w, 10).await), [2]);
    h.advance(Duration::from_secs(9)).await;
    assert_eq!(tend(&*q).await.due, 0);
    assert!(take(&*q, INTAKE, &w, 10).await.is_empty());
    h.advance(Duration::from_secs(1)).await;
    assert_eq!(tend(&*q).await.due, 1);
    assert_eq!(numbers(&take(&*q, INTAKE, &w, 10).await), [1]);
}

pub(crate) async fn a_delay_is_cut_to_the_longest<H: Harness>(h: H) {
    let q = h.queue();
    q.push(INTAKE, vec![NewJob { delay: DELAY_MAX * 1_000, ..job(1, "a") }, job(2, "b")]).await.unwrap();
    let w = worker(&*q, "w").await;
    let lease = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &lease, retry(Duration::MAX)).await.unwrap();
    h.advance(DELAY_MAX).await;
    tend(&*q).await;
    let w = worker(&*q, "w").await;
    assert_eq!(take(&*q, INTAKE, &w, 10).await.len(), 2);
}

pub(crate) async fn a_waiting_worker_wakes_when_a_job_is_pushed<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let pushing = h.queue();
    // Whether the push comes before or after the wait began, the worker must not sleep through it.
    for n in 1..=20 {
        assert!(take(&*q, INTAKE, &w, 1).await.is_empty());
        let began = Instant::now();
        let looking = async {
            loop {
                q.wait(INTAKE, Duration::from_secs(30)).await;
                if let Some(lease) = take(&*q, INTAKE, &w, 1).await.pop() {
                    return lease;
                }
            }
        };
        let (lease, pushed) = tokio::join!(looking, pushing.push(INTAKE, vec![job(n, "a")]));
        pushed.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "woke after {:?}", began.elapsed());
        assert_eq!(number(&lease), n);
        decide(&*q, &lease, done()).await.unwrap();
    }
}

pub(crate) async fn a_waiting_worker_wakes_when_a_retry_falls_due<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(INTAKE, vec![job(1, "a")]).await.unwrap();
    let lease = take_one(&*q, INTAKE, &w).await;
    decide(&*q, &lease, retry(Duration::from_secs(5))).await.unwrap();
    h.advance(Duration::from_secs(5)).await;
    let began = Instant::now();
    let looking = async {
        while take(&*q, INTAKE, &w, 1).await.is_empty() {
            q.wait(INTAKE, Duration::from_secs(30)).await;
        }
    };
    let tending = h.queue();
    tokio::join!(looking, tend(&*tending));
    assert!(began.elapsed() < Duration::from_secs(1), "woke after {:?}", began.elapsed());
}

pub(crate) async fn a_wait_ends_without_a_job<H: Harness>(h: H) {
    let q = h.queue();
    tokio::time::timeout(Duration::from_secs(10), q.wait(INTAKE, Duration::from_millis(50))).await.unwrap();
    q.ping().await.unwrap();
}

pub(crate) async fn depths_count_every_place<H: Harness>(mut h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    let ordered = |n| NewJob { order: Some("one by one".to_owned()), ..job(n, "ordered") };
    let mut jobs: Vec<NewJob> = (1..=3).map(|n| job(n, "a")).collect();
    jobs.extend((4..=6).map(ordered));
    jobs.push(NewJob { delay: Duration::from_mins(1), ..job(7, "a") });
    q.push(QueueName::Deliver, jobs).await.unwrap();
    q.push(INTAKE, vec![job(8, "a")]).await.unwrap();
    let leases = q.lease(QueueName::Deliver, &w, Want { per_lane: 2, ..Want::up_to(3) }).await.unwrap();
    let dying = leases.iter().find(|lease| lease.lane == "a").unwrap();
    decide(&*q, dying, bury("on purpose")).await.unwrap();
    let expected = Depth { ready: 1, held: 2, leased: 2, waiting: 1, dead: 1 };
    assert_eq!(depth(&*q, QueueName::Deliver).await, expected);
    assert_eq!(depth(&*q, INTAKE).await, Depth { ready: 1, ..Depth::default() });
    assert_eq!(depth(&*q, QueueName::Route).await, Depth::default());
    drop(q);
    h.restart().await;
    let q = h.queue();
    assert_eq!(depth(&*q, QueueName::Deliver).await, expected);
    assert_eq!(q.dead(&crate::queue::DeadFilter::default(), 0, 10).await.unwrap()[0].id, job_id(number(dying)));
}
