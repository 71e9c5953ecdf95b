//! The books after steps in any order: what no single situation shows.

use std::time::Duration;

use bytes::Bytes;

use super::{Harness, TENANT, TTL, assert_sound, books, job, job_of, pass, take, tend, worker};
use crate::queue::{
    Counter, DELAY_MAX, DeadFilter, Decision, Dedup, Depth, Ending, Lease, NewJob, QueueError, QueueName, Scope,
    Verdict, Want,
};

const STEPS: u64 = 1_500;
const QUEUES: [QueueName; 3] = [QueueName::Intake, QueueName::Route, QueueName::Deliver];

/// Numbers that look random and are the same in every run: xorshift64*, Marsaglia 2003.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()].clone()
    }

    /// Job number `n` of that event, with whatever options.
    fn job(&mut self, n: u64, event: Option<u64>) -> NewJob {
        let lane = format!("lane {}", self.roll(4));
        let plain = event.map_or_else(|| job(n, &lane), |event| job_of(event, n, &lane));
        let dedup = Dedup {
            key: format!("key {}", self.roll(3)),
            variant: self.of(&["firing", "resolved"]).to_owned(),
            window: Duration::from_secs(self.roll(60)),
            fact: Bytes::from_static(b"a repeat"),
        };
        NewJob {
            order: self.one_in(3).then(|| format!("order {}", self.roll(3))),
            dedup: self.one_in(3).then_some(dedup),
            counter: self.one_in(4).then(|| Counter { name: "counter".to_owned(), closes: self.one_in(3) }),
            delay: Duration::from_secs(if self.one_in(4) { self.roll(20) } else { 0 }),
            ..plain
        }
    }

    fn verdict(&mut self, lease: &Lease, n: u64) -> Verdict {
        let after = Duration::from_secs(self.roll(10));
        match self.roll(8) {
            0 => Verdict::Retry { after, error: "on purpose".to_owned() },
            1 => Verdict::Defer { after, scope: Scope::Job },
            2 => Verdict::Defer { after, scope: Scope::Lane },
            3 => Verdict::Bury { reason: "on purpose".to_owned() },
            4 | 5 => {
                let follow_ups = (0..=self.roll(2))
                    .map(|more| (self.of(&QUEUES), NewJob { event: lease.event, ..self.job(n * 10 + more, None) }));
                Verdict::Complete { follow_ups: follow_ups.collect(), ending: None }
            }
            _ => Verdict::Complete { follow_ups: Vec::new(), ending: Some(self.of(&Ending::ALL)) },
        }
    }
}

pub(crate) async fn steps_in_any_order_keep_the_books<H: Harness>(mut h: H) {
    let mut dice = Dice(0x0057_A7C4_BE11);
    let mut leases = Vec::new();
    for step in 1..=STEPS {
        if dice.one_in(150) {
            h.restart().await;
        }
        let q = h.queue();
        match dice.roll(12) {
            0..=2 => {
                let jobs = (0..=dice.roll(2)).map(|n| {
                    let event = (!dice.one_in(5)).then(|| step * 10 + dice.roll(2));
                    dice.job((STEPS + step) * 10 + n, event)
                });
                let jobs = jobs.collect();
                q.push(dice.of(&QUEUES), jobs).await.unwrap();
            }
            3..=5 => {
                let w = worker(&*q, dice.of(&["one", "two"])).await;
                let max = 1 + usize::try_from(dice.roll(3)).unwrap();
                let want = Want { max, per_lane: dice.of(&[0, 1, 2]), whole_lanes: dice.one_in(4) };
                leases.extend(q.lease(dice.of(&QUEUES), &w, want).await.unwrap());
            }
            6..=9 if !leases.is_empty() => {
                let lease = leases.swap_remove(usize::try_from(dice.roll(leases.len() as u64)).unwrap());
                let verdict = dice.verdict(&lease, STEPS * 3 + step);
                let facts = vec![Bytes::from_static(b"fact"); usize::try_from(dice.roll(2)).unwrap()];
                match q.decide(Decision { lease: lease.token, verdict, facts }).await {
                    Ok(_) | Err(QueueError::StaleLease) => {}
                    Err(error) => panic!("step {step}: {error}"),
                }
            }
            10 => {
                h.advance(Duration::from_secs(dice.roll(20))).await;
                tend(&*q).await;
            }
            11 if dice.one_in(4) => {
                q.replay(&DeadFilter::default(), 3).await.unwrap();
            }
            11 if dice.one_in(4) => {
                q.release(&worker(&*q, "one").await).await.unwrap();
            }
            11 if dice.one_in(4) => h.rewind(Duration::from_secs(dice.roll(600))).await,
            _ => {}
        }
        if step % 25 == 0 {
            assert_sound(&*q).await;
            h.assert_sound().await;
        }
    }
    finish(&h).await;
    h.assert_sound().await;
}

/// Brings everything to its end, however often it was put off: nothing may be out of reach.
async fn finish<H: Harness>(h: &H) {
    let q = h.queue();
    loop {
        h.advance(DELAY_MAX).await;
        pass(h, &*q, TTL).await;
        q.replay(&DeadFilter::default(), 10_000).await.unwrap();
        let w = worker(&*q, "last").await;
        let mut done = 0;
        for name in QUEUES {
            loop {
                let leases = take(&*q, name, &w, 100).await;
                if leases.is_empty() {
                    break;
                }
                done += leases.len();
                for lease in leases {
                    assert_eq!(lease.tenant, TENANT);
                    let ending = lease.event.map(|_| Ending::Delivered);
                    let verdict = Verdict::Complete { follow_ups: Vec::new(), ending };
                    q.decide(Decision { lease: lease.token, verdict, facts: Vec::new() }).await.unwrap();
                }
            }
        }
        if done == 0 {
            break;
        }
    }
    for (name, depth) in q.depths().await.unwrap() {
        if QUEUES.contains(&name) {
            assert_eq!(depth, Depth::default(), "{name}");
        }
    }
    let books = books(&*q).await;
    assert_eq!((books.pending, books.dead), (0, 0));
    assert!(books.received > STEPS / 4, "{books:?}");
    assert_eq!(q.audit().await.unwrap().lines, 0);
}
