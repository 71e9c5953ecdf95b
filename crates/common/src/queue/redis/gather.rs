//! Group commit: pushes that wait at the same time go to Redis as one call of `push.lua`.
//!
//! A script call costs Redis several times what a job in it costs, so many small pushes are far cheaper together.
//! [`CLERKS`] tasks share one line of waiting pushes. A clerk takes what waits, sends it, answers, and takes again:
//! alone, a push leaves at once; under load, the next group forms while Redis works on the last ones.

use std::sync::Arc;

use redis::Script;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};

use super::{
    link::Link,
    scripts::{Calls, add_job},
};
use crate::queue::{NewJob, Pushed, QueueError, QueueName};

/// Calls in flight: Redis works on one while the other is being written or read.
const CLERKS: usize = 2;

/// A group stops growing at this many jobs: some milliseconds during which Redis serves nobody else.
const GROUP_JOBS: usize = 256;

/// A group stops growing at this many bytes of payload.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// How many pushes may wait in line; callers beyond it wait to get into it.
const WAITING_MAX: usize = 4_096;

/// A push, checked, and the way back to its caller.
struct Waiting {
    queue: QueueName,
    jobs: Vec<NewJob>,
    reply: oneshot::Sender<Result<Vec<Pushed>, QueueError>>,
}

/// The way into the line. Its clerks end when it is dropped.
pub(super) struct Gather {
    entrance: mpsc::Sender<Waiting>,
    _clerks: JoinSet<()>,
}

impl Gather {
    /// Starts the clerks on the runtime of the caller.
    pub(super) fn start(link: &Arc<Link>, push: &Script, calls: &Calls) -> Self {
        let (entrance, exit) = mpsc::channel(WAITING_MAX);
        let exit = Arc::new(Mutex::new(exit));
        let mut clerks = JoinSet::new();
        for _ in 0..CLERKS {
            let clerk = Clerk { link: link.clone(), push: push.clone(), calls: calls.clone() };
            clerks.spawn(clerk.serve(exit.clone()));
        }
        Self { entrance, _clerks: clerks }
    }

    /// Pushes jobs that keep the limits of the contract. They are pushed even when the caller goes away meanwhile.
    pub(super) async fn push(&self, queue: QueueName, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, QueueError> {
        let (reply, answer) = oneshot::channel();
        let stopped = || QueueError::Unavailable("the queue was closed".to_owned());
        self.entrance.send(Waiting { queue, jobs, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

struct Clerk {
    link: Arc<Link>,
    push: Script,
    calls: Calls,
}

impl Clerk {
    async fn serve(self, line: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
        loop {
            // The other clerk waits for the line meanwhile, or for Redis.
            let group = take_group(&mut *line.lock().await).await;
            if group.is_empty() {
                return;
            }
            self.send(group).await;
        }
    }

    async fn send(&self, group: Vec<Waiting>) {
        let mut call = self.calls.of(&self.push);
        for waiting in &group {
            for job in &waiting.jobs {
                add_job(&mut call, waiting.queue, job);
            }
        }
        let answers = self.link.run::<Vec<u8>>(&self.push, &call).await;
        hand_out(group, answers.as_deref());
    }
}

/// Waits for the first push and takes those that wait behind it, up to the bounds. Empty when the line is closed.
async fn take_group(line: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let (mut group, mut jobs, mut bytes) = (Vec::new(), 0, 0);
    let mut next = line.recv().await;
    while let Some(waiting) = next {
        jobs += waiting.jobs.len();
        bytes += waiting.jobs.iter().map(|job| job.payload.len()).sum::<usize>();
        group.push(waiting);
        next = if jobs < GROUP_JOBS && bytes < GROUP_BYTES { line.try_recv().ok() } else { None };
    }
    group
}

/// Gives each caller its part of the answers, or all of them the same error. A caller that went away needs none.
fn hand_out(group: Vec<Waiting>, answers: Result<&[u8], &QueueError>) {
    let mut rest = answers;
    for Waiting { jobs, reply, .. } in group {
        let answer = match rest.map(|answers| answers.split_at_checked(jobs.len())) {
            Ok(Some((own, others))) => {
                rest = Ok(others);
                Ok(super::pushed(own))
            }
            Ok(None) => Err(super::malformed()),
            Err(QueueError::Unavailable(why)) => Err(QueueError::Unavailable(why.clone())),
            Err(error) => Err(QueueError::Unavailable(error.to_string())),
        };
        drop(reply.send(answer));
    }
}
