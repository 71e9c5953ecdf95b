//! Group commit: calls of one script that wait at the same time go to Redis as one call.
//!
//! A script call costs Redis several times what a job in it costs, so many small steps are far cheaper together.
//! [`CLERKS`] tasks share one line of waiting work. A clerk takes what waits, sends it, answers, and takes again:
//! alone, a step leaves at once; under load, the next group forms while Redis works on the last one.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use redis::{Cmd, FromRedisValue, Script, Value};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::{JoinSet, yield_now},
};

use super::{
    link::Link,
    scripts::{Calls, add_decision, add_job},
};
use crate::queue::{Decision, NewJob, QueueError, QueueName, Verdict};

/// Calls in flight: Redis works on one while the other is being written or read.
const CLERKS: usize = 2;

/// A group stops growing at this many steps: some milliseconds during which Redis serves nobody else.
const GROUP_STEPS: usize = 256;

/// A group stops growing at this many bytes of payload.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// What a step mostly adds to a call besides its payload: so much room is made for it.
const STEP_ARGUMENTS: usize = 8;
const STEP_BYTES: usize = 512;

/// How much work may wait in line; callers beyond it wait to get into it.
const WAITING_MAX: usize = 4_096;

/// One step of a script, with its own arguments and its own answer.
pub(super) trait Step: Send + Sync + 'static {
    type Answer: Send;
    /// How much it carries, in bytes.
    fn bytes(&self) -> usize;
    fn add(&self, call: &mut Cmd);
}

/// A job to push. Answered as `push.lua` says.
pub(super) struct Push(pub(super) QueueName, pub(super) NewJob);

impl Step for Push {
    type Answer = u8;

    fn bytes(&self) -> usize {
        self.1.payload.len()
    }

    fn add(&self, call: &mut Cmd) {
        add_job(call, self.0, &self.1);
    }
}

/// Answered as `decide.lua` says.
impl Step for Decision {
    type Answer = Value;

    fn bytes(&self) -> usize {
        let follow_ups = match &self.verdict {
            Verdict::Complete { follow_ups, .. } => follow_ups.iter().map(|(_, job)| job.payload.len()).sum(),
            _ => 0,
        };
        follow_ups + self.facts.iter().map(bytes::Bytes::len).sum::<usize>()
    }

    fn add(&self, call: &mut Cmd) {
        add_decision(call, self);
    }
}

type Answers<S> = Result<Vec<<S as Step>::Answer>, QueueError>;

/// Steps that belong together, and the way back to their caller.
struct Waiting<S: Step> {
    steps: Vec<S>,
    reply: oneshot::Sender<Answers<S>>,
}

/// The way into the line. Its clerks end when it is dropped.
pub(super) struct Gather<S: Step> {
    entrance: mpsc::Sender<Waiting<S>>,
    _clerks: JoinSet<()>,
}

impl<S: Step> Gather<S>
where
    Vec<S::Answer>: FromRedisValue,
{
    /// Starts the clerks on the runtime of the caller.
    pub(super) fn start(link: &Arc<Link>, script: &Script, calls: &Calls) -> Self {
        let (entrance, exit) = mpsc::channel(WAITING_MAX);
        let exit = Arc::new(Mutex::new(exit));
        let in_flight = Arc::new(AtomicUsize::new(0));
        let mut clerks = JoinSet::new();
        for _ in 0..CLERKS {
            let clerk = Clerk {
                link: link.clone(),
                script: script.clone(),
                calls: calls.clone(),
                in_flight: in_flight.clone(),
            };
            clerks.spawn(clerk.serve(exit.clone()));
        }
        Self { entrance, _clerks: clerks }
    }

    /// Takes steps that keep the limits of the contract. They are taken in one call, and even when the caller goes
    /// away meanwhile. There is an answer to each.
    pub(super) async fn take(&self, steps: Vec<S>) -> Answers<S> {
        let (reply, answer) = oneshot::channel();
        let stopped = || QueueError::Unavailable("the queue was closed".to_owned());
        self.entrance.send(Waiting { steps, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

struct Clerk {
    link: Arc<Link>,
    script: Script,
    calls: Calls,
    /// Calls that Redis has not answered yet, of all clerks.
    in_flight: Arc<AtomicUsize>,
}

impl Clerk {
    async fn serve<S: Step>(self, line: Arc<Mutex<mpsc::Receiver<Waiting<S>>>>)
    where
        Vec<S::Answer>: FromRedisValue,
    {
        loop {
            // The other clerk waits for the line meanwhile, or for Redis.
            let group = take_group(&mut *line.lock().await, &self.in_flight).await;
            if group.is_empty() {
                return;
            }
            let steps = || group.iter().flat_map(|waiting| &waiting.steps);
            let bytes: usize = steps().map(|step| STEP_BYTES + step.bytes()).sum();
            let mut call = self.calls.roomy(&self.script, STEP_ARGUMENTS * (1 + steps().count()), bytes);
            steps().for_each(|step| step.add(&mut call));
            self.in_flight.fetch_add(1, Relaxed);
            let answers = self.link.run(&self.script, &call).await;
            self.in_flight.fetch_sub(1, Relaxed);
            hand_out(group, answers);
        }
    }
}

/// Waits for the first steps and takes those that wait behind them, up to the bounds. Empty when the line is closed.
async fn take_group<S: Step>(line: &mut mpsc::Receiver<Waiting<S>>, in_flight: &AtomicUsize) -> Vec<Waiting<S>> {
    let (mut group, mut steps, mut bytes) = (Vec::new(), 0, 0);
    let mut next = line.recv().await;
    await_company(line, in_flight).await;
    while let Some(waiting) = next {
        steps += waiting.steps.len();
        bytes += waiting.steps.iter().map(Step::bytes).sum::<usize>();
        group.push(waiting);
        next = if steps < GROUP_STEPS && bytes < GROUP_BYTES { line.try_recv().ok() } else { None };
    }
    group
}

/// Lets those run who are about to get into line: one more step in a call costs Redis a sixth of what one more call
/// does. While Redis works on another call, that goes on as long as it brings any; but it is never left without work.
async fn await_company<S: Step>(line: &mpsc::Receiver<Waiting<S>>, in_flight: &AtomicUsize) {
    let mut before = 0;
    loop {
        yield_now().await;
        let waiting = line.len();
        if waiting == before || waiting >= GROUP_STEPS || in_flight.load(Relaxed) == 0 {
            return;
        }
        before = waiting;
    }
}

/// Gives each caller its part of the answers, or all of them the same error. A caller that went away needs none.
fn hand_out<S: Step>(group: Vec<Waiting<S>>, answers: Answers<S>) {
    let mut rest = answers.map(Vec::into_iter);
    for Waiting { steps, reply } in group {
        let answer = match &mut rest {
            Ok(rest) => Some(rest.by_ref().take(steps.len()).collect::<Vec<_>>())
                .filter(|own| own.len() == steps.len())
                .ok_or_else(super::malformed),
            Err(error) => Err(error.clone()),
        };
        drop(reply.send(answer));
    }
}
