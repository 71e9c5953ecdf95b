//! Load for benchmarks: mails over many connections, and the figures of what came out.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{Received, mail::Client};

/// Connections that send at the same time.
const CONNECTIONS: usize = 16;

/// Sends mails from `bench@corp.example`, as fast as it goes or at `rate` mails per second.
pub async fn send(to: SocketAddr, mails: usize, rate: Option<f64>, message: fn(usize) -> String) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut senders = JoinSet::new();
    for sender in 0..CONNECTIONS {
        senders.spawn(async move {
            let mut client = Client::connect(to).await?;
            for number in (sender..mails).step_by(CONNECTIONS) {
                if let Some(rate) = rate {
                    let due = started + Duration::from_secs_f64(f64::from(u32::try_from(number)?) / rate);
                    tokio::time::sleep_until(due.into()).await;
                }
                client.send("bench@corp.example", "ops@corp.example", &message(number)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    Ok(())
}

const PARTS: [&str; 10] =
    ["disk", "memory", "cpu", "network", "database", "queue", "cache", "proxy", "mailer", "router"];
const TROUBLES: [&str; 5] = ["is slow", "has errors", "is almost full", "was restarted", "lost its peer"];

/// The kinds of [`storm`]'s alerts.
pub const KINDS: usize = PARTS.len() * TROUBLES.len();
/// How many hosts have each kind of trouble.
pub const HOSTS: usize = 200;

/// A mail of a storm: its kind is in its words, the rest is a host, an address, numbers, a time and an id: what an
/// answer of a model is used again for.
pub fn storm(number: usize) -> String {
    let kind = number % KINDS;
    let (part, trouble) = (PARTS[kind % PARTS.len()], TROUBLES[kind / PARTS.len()]);
    let host = number / KINDS % HOSTS;
    format!(
        "From: bench@corp.example\r\nSubject: ERROR: {part} {trouble} on host{host:03}\r\n\r\n\
         2026-03-02 10:00:{:02} host{host:03} (10.0.{}.{host}): the {part} {trouble}, measured {number} times, \
         pid {}, trace 7f3a{number:08x}\r\n",
        number % 60,
        number % 7,
        4_000 + number,
    )
}

/// A rate.
#[expect(clippy::cast_precision_loss, reason = "some ten thousand mails")]
pub fn per_second(mails: usize, took: Duration) -> f64 {
    mails as f64 / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand mails")]
fn part(some: usize, all: usize) -> f64 {
    some as f64 / all as f64
}

/// From the arrival of each event to its delivery, sorted.
#[derive(Debug)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Those of some deliveries.
    pub fn of<'a>(received: impl IntoIterator<Item = &'a Received>) -> Self {
        received.into_iter().map(Received::latency).collect::<Vec<_>>().into()
    }

    /// The latency that `share` per cent of the deliveries do not exceed; zero without deliveries. The times are whole
    /// milliseconds, too coarse to tell 5 from 5.5: those of one millisecond count as spread evenly around it.
    pub fn percentile(&self, share: usize) -> Duration {
        const STEP: Duration = Duration::from_millis(1);
        let rank = (self.0.len() * share).div_ceil(100).max(1);
        let Some(&found) = self.0.get(rank - 1) else { return Duration::ZERO };
        let before = self.0.partition_point(|latency| *latency < found);
        let like = self.0[before..].partition_point(|latency| *latency == found);
        (found + STEP.mul_f64(part(2 * (rank - before) - 1, 2 * like))).saturating_sub(STEP / 2)
    }
}

/// What a benchmark aims at, and what it missed of that.
#[derive(Debug, Default)]
pub struct Aims(Vec<String>);

impl Aims {
    /// Notes that an aim was missed.
    pub fn expect(&mut self, met: bool, aim: impl FnOnce() -> String) {
        self.0.extend((!met).then(aim));
    }

    /// The verdict, for the end of a benchmark, when its table is printed.
    ///
    /// # Errors
    /// Names every aim that was missed.
    pub fn verdict(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.0.is_empty(), "missed: {}", self.0.join("; "));
        Ok(())
    }
}

impl From<Vec<Duration>> for Latencies {
    fn from(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let all = Latencies((1..=200).map(Duration::from_millis).collect());
        assert_eq!([0, 50, 99, 100].map(|share| all.percentile(share).as_millis()), [1, 100, 198, 200]);
        assert_eq!(Latencies(Vec::new()).percentile(99), Duration::ZERO);
    }

    #[test]
    fn a_percentile_is_told_within_its_millisecond() {
        let all = Latencies([[5; 10], [6; 10]].concat().into_iter().map(Duration::from_millis).collect());
        assert_eq!([5, 50, 75, 100].map(|share| all.percentile(share).as_micros()), [4_550, 5_450, 5_950, 6_450]);
    }

    #[test]
    fn a_missed_aim_is_named_and_fails_the_benchmark() {
        let mut aims = Aims::default();
        aims.expect(true, || unreachable!());
        assert!(Aims::default().verdict().is_ok());
        aims.expect(false, || "calls: 101 > 100".to_owned());
        aims.expect(false, || "ratio: 1.20 > 1.10".to_owned());
        assert_eq!(aims.verdict().unwrap_err().to_string(), "missed: calls: 101 > 100; ratio: 1.20 > 1.10");
    }
}
