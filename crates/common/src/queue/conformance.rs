//! The promises of the queue as tests, for every backend.
//!
//! Each promise is one function, named as a sentence. [`queue_conformance!`] lists them once and makes a test of
//! each for a [`Harness`]. A function that is missing from the list is dead code, which breaks the build.

mod books;
mod fairness;
mod keys;
mod push;
mod verdicts;
mod walk;
mod workers;

pub(crate) use self::{books::*, fairness::*, keys::*, push::*, verdicts::*, walk::*, workers::*};

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    Books, Counter, Decision, Depth, Ending, Lease, NewJob, Pushed, Queue, QueueError, QueueName, SILENCE_MAX, Scope,
    Verdict, Want, WorkerId,
};
use crate::ids::{EventId, JobId, TenantId};

/// What the suite needs of a backend.
pub(crate) trait Harness: Sized {
    /// A queue with nothing in it, whose clock moves only by [`Harness::advance`] and [`Harness::rewind`].
    async fn fresh() -> Self;

    /// The queue as it is open now.
    fn queue(&self) -> Arc<dyn Queue>;

    /// Ends every process as `kill -9` would and opens the same data again: nothing in memory survives.
    async fn restart(&mut self);

    /// Moves the clock forward.
    async fn advance(&self, by: Duration);

    /// Makes the clock jump back.
    async fn rewind(&self, by: Duration);

    /// Adds a live job to the ledger line of `event` that does not exist.
    async fn break_ledger(&self, event: EventId);

    /// Whatever the backend keeps beside the jobs (sums, indices) matches them.
    async fn assert_sound(&self) {}
}

/// Makes one `#[tokio::test]` of each promise.
macro_rules! queue_conformance {
    ($harness:ty) => {
        $crate::queue::conformance::queue_conformance! { $harness =>
            // push
            a_pushed_job_survives_a_restart,
            all_jobs_of_a_push_are_queued_or_none,
            a_job_id_that_is_still_queued_is_queued_once,
            a_job_goes_to_one_worker_only,
            a_lease_survives_a_restart,
            any_bytes_come_back_as_they_were,
            names_over_the_limit_are_refused,
            ten_thousand_jobs_through_four_workers_are_each_completed_once,
            a_delayed_job_waits,
            a_delay_is_cut_to_the_longest,
            a_waiting_worker_wakes_when_a_job_is_pushed,
            a_waiting_worker_wakes_when_a_retry_falls_due,
            a_wait_ends_without_a_job,
            depths_count_every_place,
            // verdicts
            a_stale_lease_decides_nothing,
            a_lease_of_a_job_that_was_pushed_again_is_stale,
            completion_moves_jobs_and_facts_in_one_step,
            a_refused_follow_up_leaves_everything_as_it_was,
            a_follow_up_that_is_still_queued_is_queued_once,
            the_last_job_of_an_event_must_say_how_it_ended,
            a_retry_counts_an_attempt_and_waits,
            a_deferred_job_counts_no_attempt,
            a_deferred_lane_pauses_and_keeps_its_head,
            every_verdict_queues_its_facts,
            decisions_are_carried_out_in_their_order_and_each_for_itself,
            many_facts_share_a_job_up_to_its_size,
            a_waiting_job_can_be_amended_until_it_goes,
            a_waiting_job_can_be_hurried_until_it_goes,
            a_buried_job_keeps_its_bytes_and_its_reason,
            dead_jobs_are_listed_by_filter,
            dead_jobs_are_replayed_one_and_all,
            // workers
            a_vanished_workers_jobs_return_to_the_head,
            a_living_worker_keeps_its_jobs,
            a_living_worker_keeps_its_jobs_when_everything_stood_still,
            a_released_job_returns_at_once_and_counts_no_lapse,
            a_job_that_outlives_too_many_workers_is_buried,
            an_event_survives_a_worker_killed_between_any_two_steps,
            tending_moves_a_bounded_number_and_says_when_more_is_due,
            a_clock_that_jumps_forward_loses_nothing,
            a_clock_that_jumps_back_delays_nothing_longer_than_the_limit,
            // fairness
            a_lane_is_first_in_first_out,
            lanes_take_turns,
            a_full_lane_delays_another_only_by_its_share,
            new_lanes_do_not_starve_an_old_one,
            no_lane_holds_more_leases_than_its_bound,
            jobs_with_one_order_key_move_one_after_the_other,
            an_order_holds_through_a_retry,
            burying_a_job_frees_the_next_of_its_order,
            a_held_job_still_waits_for_its_delay,
            a_replayed_job_waits_for_its_order,
            an_order_key_holds_in_its_own_queue_only,
            an_order_survives_a_vanished_worker,
            whole_lanes_go_to_one_worker_at_a_time,
            // keys
            a_repeat_inside_the_window_is_dropped_and_leaves_a_fact,
            another_variant_is_not_a_repeat,
            a_window_is_counted_from_the_first_sighting,
            a_refused_push_is_not_remembered,
            a_dropped_follow_up_is_reported,
            a_window_that_began_in_the_future_starts_anew,
            a_counter_counts_the_jobs_of_its_name,
            a_dropped_job_is_not_counted,
            an_unused_counter_is_forgotten,
            a_closed_counter_begins_another_episode,
            slots_are_refilled_evenly,
            slots_are_taken_together_or_not_at_all,
            several_slots_are_taken_at_once,
            a_reserve_is_left_for_those_who_keep_none,
            a_clock_that_jumps_back_blocks_no_slot,
            a_note_is_kept_for_its_time,
            an_announcement_is_seen_for_its_time,
            a_sum_begins_anew_when_its_time_is_over,
            a_sum_misses_no_addition,
            a_sum_takes_back_what_was_too_much,
            an_older_configuration_is_ignored,
            // books
            an_open_event_is_pending,
            an_event_ends_as_its_job_did,
            a_job_without_an_event_stays_out_of_the_books,
            an_event_is_received_once,
            the_best_ending_of_several_jobs_counts,
            a_dead_job_of_a_fan_out_keeps_the_event_open_until_it_is_replayed,
            an_event_dropped_at_the_door_is_deduplicated,
            an_event_whose_fan_out_is_dropped_is_deduplicated,
            each_tenant_has_its_own_books,
            the_books_survive_a_restart,
            an_audit_finds_a_line_that_does_not_match_its_jobs,
            steps_in_any_order_keep_the_books,
        }
    };
    ($harness:ty => $($promise:ident,)*) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let harness = <$harness as $crate::queue::conformance::Harness>::fresh().await;
                $crate::queue::conformance::$promise(harness).await;
            }
        )*
    };
}

pub(crate) use queue_conformance;

/// How long a worker of the suite is believed to live.
const TTL: Duration = Duration::from_secs(30);

/// More than [`TTL`], less than anything else that expires.
const TTL_OVER: Duration = Duration::from_secs(31);

const TENANT: TenantId = TenantId::DEFAULT;

/// Job number `n` in `lane`, of no event; its payload is the number in decimal.
fn job(n: u64, lane: &str) -> NewJob {
    NewJob::new(job_id(n), TENANT, None, lane, Bytes::from(n.to_string()))
}

/// Job number `n` of event number `event`.
fn job_of(event: u64, n: u64, lane: &str) -> NewJob {
    NewJob { event: Some(event_id(event)), ..job(n, lane) }
}

fn job_id(n: u64) -> JobId {
    JobId::derived(&[&n.to_be_bytes()])
}

fn event_id(n: u64) -> EventId {
    EventId::derived(&[&n.to_be_bytes()])
}

/// The number that [`job`] made the lease's payload of.
fn number(lease: &Lease) -> u64 {
    std::str::from_utf8(&lease.payload).unwrap().parse().unwrap()
}

fn numbers(leases: &[Lease]) -> Vec<u64> {
    leases.iter().map(number).collect()
}

/// A worker that is known to live.
async fn worker(queue: &dyn Queue, name: &str) -> WorkerId {
    let worker = WorkerId(name.into());
    queue.keep_alive(&worker, TTL).await.unwrap();
    worker
}

/// Leases up to `max` jobs without a bound per lane.
async fn take(queue: &dyn Queue, name: QueueName, worker: &WorkerId, max: usize) -> Vec<Lease> {
    queue.lease(name, worker, Want::up_to(max)).await.unwrap()
}

/// Leases the one job that must be there.
async fn take_one(queue: &dyn Queue, name: QueueName, worker: &WorkerId) -> Lease {
    take(queue, name, worker, 1).await.pop().expect("a job is ready")
}

async fn decide(queue: &dyn Queue, lease: &Lease, verdict: Verdict) -> Result<Vec<Pushed>, QueueError> {
    queue.decide(Decision { lease: lease.token.clone(), verdict, facts: Vec::new() }).await
}

fn done() -> Verdict {
    Verdict::Complete { follow_ups: Vec::new(), ending: None }
}

fn ended(ending: Ending) -> Verdict {
    Verdict::Complete { follow_ups: Vec::new(), ending: Some(ending) }
}

fn then(follow_ups: Vec<(QueueName, NewJob)>) -> Verdict {
    Verdict::Complete { follow_ups, ending: None }
}

fn retry(after: Duration) -> Verdict {
    Verdict::Retry { after, error: "connection refused".to_owned() }
}

fn defer(after: Duration, scope: Scope) -> Verdict {
    Verdict::Defer { after, scope }
}

fn bury(reason: &str) -> Verdict {
    Verdict::Bury { reason: reason.to_owned() }
}

/// Tends until nothing more is due.
async fn tend(queue: &dyn Queue) -> super::Tended {
    let mut sum = super::Tended::default();
    loop {
        let tended = queue.tend().await.unwrap();
        sum.due += tended.due;
        sum.reclaimed += tended.reclaimed;
        sum.buried += tended.buried;
        if !tended.more {
            return sum;
        }
    }
}

/// Lets time pass on a queue that is tended all the while.
async fn pass<H: Harness>(h: &H, queue: &dyn Queue, by: Duration) -> super::Tended {
    let mut sum = tend(queue).await;
    let mut left = by;
    while !left.is_zero() {
        let step = left.min(SILENCE_MAX);
        h.advance(step).await;
        let tended = tend(queue).await;
        sum.due += tended.due;
        sum.reclaimed += tended.reclaimed;
        sum.buried += tended.buried;
        left -= step;
    }
    sum
}

async fn depth(queue: &dyn Queue, name: QueueName) -> Depth {
    let depths = queue.depths().await.unwrap();
    depths.into_iter().find(|(queue, _)| *queue == name).map(|(_, depth)| depth).unwrap_or_default()
}

/// The books of [`TENANT`], after checking that they balance and that the ledger matches the jobs.
async fn books(queue: &dyn Queue) -> Books {
    assert_sound(queue).await;
    let books = queue.books().await.unwrap();
    books.into_iter().find(|(tenant, _)| *tenant == TENANT).map(|(_, books)| books).unwrap_or_default()
}

/// The books of every tenant balance and the ledger matches the jobs.
async fn assert_sound(queue: &dyn Queue) {
    for (tenant, books) in queue.books().await.unwrap() {
        assert_eq!(books.unaccounted(), 0, "tenant {tenant}: {books:?}");
    }
    let audit = queue.audit().await.unwrap();
    assert_eq!(audit.wrong_total, 0, "{audit:?}");
}

/// The facts waiting in [`QueueName::History`], whose jobs are thereby completed.
async fn facts(queue: &dyn Queue) -> Vec<Bytes> {
    let recorder = worker(queue, "recorder").await;
    let leases = take(queue, QueueName::History, &recorder, 1_000).await;
    for lease in &leases {
        decide(queue, lease, done()).await.unwrap();
    }
    leases.iter().flat_map(|lease| super::facts::read(&lease.payload).unwrap()).collect()
}

fn counter(name: &str) -> Counter {
    Counter { name: name.to_owned(), closes: false }
}
