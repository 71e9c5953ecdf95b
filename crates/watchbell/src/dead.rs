//! `watchbell dead`: what gave up, and how to try it again.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use watchbell_common::{
    clock::SystemClock,
    ids::{ChannelId, JobId},
    payload::DeliverPayload,
    queue::{self, DeadFilter, DeadJob, Queue, QueueName},
    settings::Settings,
};

use crate::output;

/// Dead letters replayed in one step, so that a long list does not become one long transaction.
const REPLAY_STEP: usize = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List dead letters, oldest first.
    List {
        #[command(flatten)]
        which: Which,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Leave out this many first.
        #[arg(long, default_value_t = 0)]
        skip: usize,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Try dead letters again, from the first attempt. Safe to repeat.
    Replay {
        /// Which ones, by id (`watchbell dead list` shows them).
        ids: Vec<JobId>,
        /// All that match.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only from this queue: intake, route, deliver, enrich or history.
    #[arg(long, value_parser = queue_name)]
    queue: Option<QueueName>,
    /// Only deliveries to the channel with this number.
    #[arg(long, value_name = "ID")]
    channel: Option<i64>,
}

fn queue_name(text: &str) -> Result<QueueName, String> {
    QueueName::from_name(text).ok_or_else(|| "use intake, route, deliver, enrich or history".to_owned())
}

impl Which {
    fn filter(&self, ids: Vec<JobId>) -> DeadFilter {
        let lanes = self.channel.map(|id| DeliverPayload::lanes(ChannelId(id)).to_vec());
        let queue = self.queue.or(lanes.as_ref().map(|_| QueueName::Deliver));
        DeadFilter { tenant: None, queue, lanes: lanes.unwrap_or_default(), ids }
    }
}

pub(crate) async fn run(command: Command, settings: Settings) -> anyhow::Result<()> {
    let queue = queue::connect(&settings, Arc::new(SystemClock)).await.context("opening the queue")?;
    match command {
        Command::List { which, limit, skip, json } => {
            let jobs = queue.dead(&which.filter(Vec::new()), skip, limit).await?;
            if json { output::json(&jobs) } else { list(&jobs) }
        }
        Command::Replay { ids, all, which } => {
            if ids.is_empty() && !all {
                bail!("say which: ids from `watchbell dead list`, or --all (with --queue or --channel to narrow it)");
            }
            replay(&*queue, &which.filter(ids)).await
        }
    }
}

fn list(jobs: &[DeadJob]) -> anyhow::Result<()> {
    if jobs.is_empty() {
        return output::line("no dead letters");
    }
    let mut by_reason = HashMap::<&str, usize>::new();
    for job in jobs {
        *by_reason.entry(&job.reason).or_default() += 1;
        let event = job.event.map(|event| event.to_string()).unwrap_or_default();
        let at = jiff::Timestamp::from_millisecond(job.buried_at).map(|at| at.to_string()).unwrap_or_default();
        output::line(&format!(
            "{}  {:<8} {:<8} {at}  attempts {}  {event}\n    {}",
            job.id, job.queue, job.lane, job.attempts, job.reason
        ))?;
    }
    output::line(&format!("{} shown, {} different reasons", jobs.len(), by_reason.len()))
}

async fn replay(queue: &dyn Queue, filter: &DeadFilter) -> anyhow::Result<()> {
    let mut total = 0;
    // What dies again meanwhile is not picked up for ever: one pass over what is dead now.
    let dead: u64 = queue.depths().await?.iter().map(|(_, depth)| depth.dead).sum();
    while total < dead {
        let step = queue.replay(filter, REPLAY_STEP).await?;
        total += step;
        if step == 0 {
            break;
        }
    }
    output::line(&format!("{total} on their way again"))
}
