//! Who comes next: promises 6 and 7.

use std::time::Duration;

use super::{
    Harness, TTL_OVER, bury, decide, defer, depth, done, job, number, numbers, pass, retry, take, take_one, tend,
    worker,
};
use crate::queue::{DeadFilter, Depth, NewJob, QueueName, Scope, Want};

const DELIVER: QueueName = QueueName::Deliver;
const SOON: Duration = Duration::from_secs(5);

fn ordered(n: u64, lane: &str) -> NewJob {
    NewJob { order: Some("alert".to_owned()), ..job(n, lane) }
}

pub(crate) async fn a_lane_is_first_in_first_out<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    for n in 1..=100 {
        q.push(DELIVER, vec![job(n, "a")]).await.unwrap();
    }
    let mut order = Vec::new();
    for max in [1, 2, 30, 100] {
        order.extend(numbers(&take(&*q, DELIVER, &w, max).await));
    }
    assert_eq!(order, (1..=100).collect::<Vec<_>>());
}

pub(crate) async fn lanes_take_turns<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    for (lane, start) in [("a", 10), ("b", 20), ("c", 30)] {
        q.push(DELIVER, (start..start + 5).map(|n| job(n, lane)).collect()).await.unwrap();
    }
    // Turns go on from one call to the next, whatever the size of the calls.
    let mut lanes = Vec::new();
    for max in [1, 4, 2, 8] {
        lanes.extend(take(&*q, DELIVER, &w, max).await.into_iter().map(|lease| lease.lane));
    }
    assert_eq!(lanes.len(), 15);
    for round in lanes.chunks(3) {
        let mut round = round.to_vec();
        round.sort();
        assert_eq!(round, ["a", "b", "c"], "{lanes:?}");
    }
}

pub(crate) async fn a_full_lane_delays_another_only_by_its_share<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    for start in (0..10_000).step_by(500) {
        q.push(DELIVER, (start..start + 500).map(|n| job(n, "noisy")).collect()).await.unwrap();
    }
    assert_eq!(take(&*q, DELIVER, &w, 10).await.len(), 10);
    q.push(DELIVER, (20_000..20_003).map(|n| job(n, "quiet")).collect()).await.unwrap();
    let lanes: Vec<String> = take(&*q, DELIVER, &w, 6).await.into_iter().map(|lease| lease.lane).collect();
    assert_eq!(lanes.iter().filter(|lane| *lane == "quiet").count(), 3, "{lanes:?}");
}

pub(crate) async fn new_lanes_do_not_starve_an_old_one<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![job(1, "old"), job(2, "old")]).await.unwrap();
    take_one(&*q, DELIVER, &w).await;
    // Each new lane brings one job, two for every one that is taken, as a sender with a new name per mail does.
    let mut taken = Vec::new();
    for n in 10..20 {
        q.push(DELIVER, vec![job(n * 2, &format!("new {n}")), job(n * 2 + 1, &format!("newer {n}"))]).await.unwrap();
        taken.push(number(&take_one(&*q, DELIVER, &w).await));
    }
    assert!(taken[..3].contains(&2), "{taken:?}");
}

pub(crate) async fn no_lane_holds_more_leases_than_its_bound<H: Harness>(h: H) {
    let q = h.queue();
    let (one, two) = (worker(&*q, "one").await, worker(&*q, "two").await);
    q.push(DELIVER, (1..=6).map(|n| job(n, "slow")).collect()).await.unwrap();
    q.push(DELIVER, vec![job(10, "quick")]).await.unwrap();
    let want = |max| Want { per_lane: 3, ..Want::up_to(max) };
    let first = q.lease(DELIVER, &one, want(2)).await.unwrap();
    let mut lanes: Vec<&str> = first.iter().map(|lease| lease.lane.as_str()).collect();
    lanes.sort_unstable();
    assert_eq!(lanes, ["quick", "slow"]);
    assert_eq!(numbers(&q.lease(DELIVER, &two, want(10)).await.unwrap()), [2, 3]);
    assert!(q.lease(DELIVER, &one, want(10)).await.unwrap().is_empty());
    let slow = first.iter().find(|lease| lease.lane == "slow").unwrap();
    decide(&*q, slow, done()).await.unwrap();
    assert_eq!(numbers(&q.lease(DELIVER, &one, want(10)).await.unwrap()), [4]);
    // Whatever gives a job back gives its place in the lane back, too.
    assert_eq!(q.release(&two).await.unwrap(), 2);
    assert_eq!(numbers(&q.lease(DELIVER, &one, want(10)).await.unwrap()), [2, 3]);
    pass(&h, &*q, TTL_OVER).await;
    let two = worker(&*q, "two").await;
    let leases = q.lease(DELIVER, &two, want(10)).await.unwrap();
    assert_eq!(leases.iter().filter(|lease| lease.lane == "slow").count(), 3);
    let slow: Vec<_> = leases.iter().filter(|lease| lease.lane == "slow").collect();
    decide(&*q, slow[0], retry(SOON)).await.unwrap();
    decide(&*q, slow[1], bury("gone")).await.unwrap();
    decide(&*q, slow[2], defer(SOON, Scope::Job)).await.unwrap();
    assert_eq!(numbers(&q.lease(DELIVER, &two, want(10)).await.unwrap()), [5, 6]);
}

pub(crate) async fn jobs_with_one_order_key_move_one_after_the_other<H: Harness>(mut h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![ordered(1, "a"), ordered(2, "b"), job(10, "a")]).await.unwrap();
    q.push(DELIVER, vec![ordered(3, "a")]).await.unwrap();
    let mut leases = take(&*q, DELIVER, &w, 10).await;
    leases.sort_by_key(number);
    assert_eq!(numbers(&leases), [1, 10]);
    assert_eq!(depth(&*q, DELIVER).await, Depth { leased: 2, held: 2, ..Depth::default() });
    drop(q);
    h.restart().await;
    let q = h.queue();
    decide(&*q, &leases[0], done()).await.unwrap();
    for n in [2, 3] {
        let leases = take(&*q, DELIVER, &w, 10).await;
        assert_eq!(numbers(&leases), [n]);
        decide(&*q, &leases[0], done()).await.unwrap();
    }
    q.push(DELIVER, vec![ordered(4, "a")]).await.unwrap();
    assert_eq!(number(&take_one(&*q, DELIVER, &w).await), 4);
}

pub(crate) async fn an_order_holds_through_a_retry<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![ordered(1, "a"), ordered(2, "a")]).await.unwrap();
    for verdict in [retry(SOON), defer(SOON, Scope::Job), defer(SOON, Scope::Lane)] {
        let lease = take_one(&*q, DELIVER, &w).await;
        assert_eq!(number(&lease), 1);
        decide(&*q, &lease, verdict).await.unwrap();
        assert!(take(&*q, DELIVER, &w, 10).await.is_empty());
        assert_eq!(depth(&*q, DELIVER).await.held, 1);
        h.advance(SOON).await;
        tend(&*q).await;
    }
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 10).await), [1]);
}

pub(crate) async fn burying_a_job_frees_the_next_of_its_order<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![ordered(1, "a"), ordered(2, "a")]).await.unwrap();
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, bury("gone")).await.unwrap();
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 10).await), [2]);
}

pub(crate) async fn a_held_job_still_waits_for_its_delay<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![ordered(1, "a"), NewJob { delay: SOON, ..ordered(2, "a") }]).await.unwrap();
    let lease = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &lease, done()).await.unwrap();
    assert!(take(&*q, DELIVER, &w, 10).await.is_empty());
    assert_eq!(depth(&*q, DELIVER).await, Depth { waiting: 1, ..Depth::default() });
    h.advance(SOON).await;
    tend(&*q).await;
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 10).await), [2]);
}

pub(crate) async fn a_replayed_job_waits_for_its_order<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![ordered(1, "a"), ordered(2, "a")]).await.unwrap();
    let first = take_one(&*q, DELIVER, &w).await;
    decide(&*q, &first, bury("gone")).await.unwrap();
    let second = take_one(&*q, DELIVER, &w).await;
    assert_eq!(q.replay(&DeadFilter::default(), 10).await.unwrap(), 1);
    assert!(take(&*q, DELIVER, &w, 10).await.is_empty());
    assert_eq!(depth(&*q, DELIVER).await, Depth { leased: 1, held: 1, ..Depth::default() });
    decide(&*q, &second, done()).await.unwrap();
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 10).await), [1]);
}

pub(crate) async fn an_order_key_holds_in_its_own_queue_only<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "w").await;
    q.push(DELIVER, vec![ordered(1, "a")]).await.unwrap();
    q.push(QueueName::Route, vec![ordered(2, "a")]).await.unwrap();
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 10).await), [1]);
    assert_eq!(numbers(&take(&*q, QueueName::Route, &w, 10).await), [2]);
}

pub(crate) async fn an_order_survives_a_vanished_worker<H: Harness>(h: H) {
    let q = h.queue();
    let w = worker(&*q, "gone").await;
    q.push(DELIVER, vec![ordered(1, "a"), ordered(2, "b")]).await.unwrap();
    take_one(&*q, DELIVER, &w).await;
    pass(&h, &*q, TTL_OVER).await;
    let w = worker(&*q, "next").await;
    let leases = take(&*q, DELIVER, &w, 10).await;
    assert_eq!(numbers(&leases), [1]);
    q.release(&w).await.unwrap();
    let w = worker(&*q, "last").await;
    assert_eq!(numbers(&take(&*q, DELIVER, &w, 10).await), [1]);
}

pub(crate) async fn whole_lanes_go_to_one_worker_at_a_time<H: Harness>(h: H) {
    let q = h.queue();
    let (one, other) = (worker(&*q, "one").await, worker(&*q, "other").await);
    q.push(DELIVER, vec![job(1, "a"), job(2, "a"), job(3, "a"), job(4, "b")]).await.unwrap();
    let whole = |max| Want { whole_lanes: true, ..Want::up_to(max) };
    let first = q.lease(DELIVER, &one, whole(3)).await.unwrap();
    assert_eq!(numbers(&first), [1, 4, 2], "lanes take turns, and then it is full");
    // What comes meanwhile waits as well; other lanes do not.
    q.push(DELIVER, vec![job(5, "a"), job(6, "c")]).await.unwrap();
    assert_eq!(numbers(&q.lease(DELIVER, &other, whole(9)).await.unwrap()), [6]);
    decide(&*q, &first[0], done()).await.unwrap();
    assert!(q.lease(DELIVER, &other, whole(9)).await.unwrap().is_empty(), "one of the lane is still leased");
    decide(&*q, &first[2], done()).await.unwrap();
    assert_eq!(numbers(&q.lease(DELIVER, &other, whole(9)).await.unwrap()), [3, 5]);
    // Those who want no whole lanes are not bound by it.
    q.push(DELIVER, vec![job(7, "a")]).await.unwrap();
    assert_eq!(numbers(&take(&*q, DELIVER, &one, 9).await), [7]);
}
