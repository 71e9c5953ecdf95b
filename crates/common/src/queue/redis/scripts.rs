//! The Lua scripts, each one atomic step, and how their arguments are laid out.
//!
//! A script is a line that sets its flags, the constants below, `prelude.lua` and its own file.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use redis::{Cmd, Script};
use uuid::Uuid;

use crate::{
    clock::{Clock, millis},
    ids::JobId,
    queue::{
        COUNTER_TTL, DELAY_MAX, Decision, Ending, LAPSES_MAX, NewJob, QueueName, SILENCE_MAX, Scope, Verdict,
        facts::BUNDLE_BYTES,
    },
};

/// How long a worker that never called `keep_alive` keeps its jobs.
const UNANNOUNCED_TTL: Duration = Duration::from_secs(30);

/// The longest dedup window; longer ones are cut to it. Redis refuses absurd expiries, and a script must not
/// fail in its middle.
const WINDOW_MAX: Duration = Duration::from_hours(366 * 24);

/// How much of a reason is kept with a dead job, in bytes.
const REASON_MAX_BYTES: usize = 4 * 1024;

/// Whether a script may run when Redis has reached `maxmemory`.
#[derive(Clone, Copy)]
enum Memory {
    /// Refused before its first write: what takes in new jobs.
    Bounded,
    /// Allowed: what moves or ends jobs, so that a full queue can empty itself.
    Any,
}

/// All scripts. Redis keeps them by their hash; they are loaded again when it forgot them.
pub(super) struct Scripts {
    pub(super) push: Script,
    pub(super) lease: Script,
    pub(super) decide: Script,
    pub(super) keep_alive: Script,
    pub(super) release: Script,
    pub(super) tend: Script,
    pub(super) replay: Script,
    pub(super) slots: Script,
    pub(super) amend: Script,
    pub(super) recall: Script,
    pub(super) remember: Script,
    pub(super) add_up: Script,
    pub(super) announce: Script,
    pub(super) announced: Script,
    pub(super) publish: Script,
    pub(super) depths: Script,
    pub(super) books: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            push: script(Memory::Bounded, include_str!("push.lua")),
            lease: script(Memory::Any, include_str!("lease.lua")),
            decide: script(Memory::Any, include_str!("decide.lua")),
            keep_alive: script(Memory::Any, include_str!("keep_alive.lua")),
            release: script(Memory::Any, include_str!("release.lua")),
            tend: script(Memory::Any, include_str!("tend.lua")),
            replay: script(Memory::Any, include_str!("replay.lua")),
            slots: script(Memory::Any, include_str!("slots.lua")),
            amend: script(Memory::Any, include_str!("amend.lua")),
            recall: script(Memory::Any, include_str!("recall.lua")),
            remember: script(Memory::Bounded, include_str!("remember.lua")),
            add_up: script(Memory::Any, include_str!("add_up.lua")),
            announce: script(Memory::Bounded, include_str!("announce.lua")),
            announced: script(Memory::Any, include_str!("announced.lua")),
            publish: script(Memory::Bounded, include_str!("publish.lua")),
            depths: script(Memory::Any, include_str!("depths.lua")),
            books: script(Memory::Any, include_str!("books.lua")),
        }
    }
}

fn script(memory: Memory, body: &str) -> Script {
    let flags = match memory {
        Memory::Bounded => "#!lua",
        Memory::Any => "#!lua flags=allow-oom",
    };
    let quoted = |names: Vec<&str>| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let constants = format!(
        "local QUEUES, ENDINGS, DEDUPLICATED = {{ {} }}, {{ {} }}, {}\n\
         local LAPSES_MAX, DELAY_MAX, COUNTER_TTL, UNANNOUNCED_TTL, SILENCE_MAX = {LAPSES_MAX}, {}, {}, {}, {}\n\
         local BUNDLE_BYTES = {BUNDLE_BYTES}",
        quoted(QueueName::ALL.map(QueueName::as_str).to_vec()),
        quoted(Ending::ALL.map(Ending::as_str).to_vec()),
        ending_number(Some(Ending::Deduplicated)),
        millis(DELAY_MAX),
        millis(COUNTER_TTL),
        millis(UNANNOUNCED_TTL),
        millis(SILENCE_MAX),
    );
    Script::new(&format!("{flags}\n{constants}\n{}\n{body}", include_str!("prelude.lua")))
}

/// What the call of every script begins with: the partition and the time.
#[derive(Clone)]
pub(super) struct Calls {
    /// `watchbell:{<partition>}`
    root: Arc<str>,
    /// `None`: the time of Redis.
    clock: Option<Arc<dyn Clock>>,
}

impl Calls {
    pub(super) fn new(partition: &str, clock: Option<Arc<dyn Clock>>) -> Self {
        Self { root: format!("watchbell:{{{partition}}}").into(), clock }
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// The call of a script, up to and with the time; its own arguments follow.
    pub(super) fn of(&self, script: &Script) -> Cmd {
        self.roomy(script, 8, 256)
    }

    /// The same, with room for its own arguments: a large call that grows piece by piece is copied over and over.
    pub(super) fn roomy(&self, script: &Script, arguments: usize, bytes: usize) -> Cmd {
        let mut call = Cmd::with_capacity(arguments, bytes);
        call.arg("EVALSHA").arg(script.get_hash()).arg(1).arg(&*self.root);
        match &self.clock {
            Some(clock) => call.arg(clock.now_ms()),
            None => call.arg(""),
        };
        call
    }
}

/// Endings are numbered from the best, 1; 0 is none.
fn ending_number(ending: Option<Ending>) -> usize {
    Ending::ALL.iter().position(|&other| Some(other) == ending).map_or(0, |index| index + 1)
}

/// An id as it stands in keys: 32 hex digits.
pub(super) fn hex(id: Uuid) -> String {
    id.as_simple().to_string()
}

/// Adds an id as [`hex`] writes it.
fn add_id(cmd: &mut Cmd, id: Uuid) {
    cmd.arg(&*id.as_simple().encode_lower(&mut Uuid::encode_buffer()));
}

/// A delay as the contract has it: longer ones are cut.
fn delay_ms(delay: Duration) -> i64 {
    millis(delay.min(DELAY_MAX))
}

/// Adds a job, as `prelude.lua` describes it.
pub(super) fn add_job(cmd: &mut Cmd, queue: QueueName, job: &NewJob) {
    cmd.arg(queue.as_str());
    add_id(cmd, job.id.uuid());
    cmd.arg(job.tenant.0);
    match job.event {
        Some(event) => add_id(cmd, event.uuid()),
        None => drop(cmd.arg("")),
    }
    cmd.arg(&job.lane).arg(&*job.payload);
    let more = job.order.is_some() || job.dedup.is_some() || job.counter.is_some() || !job.delay.is_zero();
    cmd.arg(u8::from(more));
    if more {
        add_more(cmd, job);
    }
}

/// Adds what most jobs have none of.
fn add_more(cmd: &mut Cmd, job: &NewJob) {
    cmd.arg(job.order.as_deref().unwrap_or_default());
    match &job.dedup {
        Some(dedup) => {
            let fact_id = JobId::derived(&[job.id.uuid().as_bytes(), b"duplicate"]);
            cmd.arg(&dedup.key).arg(&dedup.variant).arg(millis(dedup.window.min(WINDOW_MAX)));
            add_id(cmd, fact_id.uuid());
            cmd.arg(&*dedup.fact);
        }
        None => {
            cmd.arg("").arg("").arg(0).arg("").arg("");
        }
    }
    let (counter, closes) = job.counter.as_ref().map_or(("", false), |counter| (&*counter.name, counter.closes));
    cmd.arg(counter).arg(u8::from(closes)).arg(delay_ms(job.delay));
}

/// Adds a decision: whose job, the verdict with two arguments, the follow-ups, the facts.
pub(super) fn add_decision(cmd: &mut Cmd, decision: &Decision) {
    let Decision { lease, verdict, facts } = decision;
    cmd.arg(lease.queue.as_str());
    add_id(cmd, lease.job.uuid());
    cmd.arg(&*lease.worker.0).arg(lease.epoch);
    let follow_ups: &[(QueueName, NewJob)] = match verdict {
        Verdict::Complete { follow_ups, ending } => {
            cmd.arg("complete").arg(ending_number(*ending)).arg("");
            follow_ups
        }
        Verdict::Retry { after, .. } => {
            cmd.arg("retry").arg(delay_ms(*after)).arg("");
            &[]
        }
        Verdict::Defer { after, scope } => {
            let what = match scope {
                Scope::Job => "job",
                Scope::Lane => "lane",
            };
            cmd.arg("defer").arg(delay_ms(*after)).arg(what);
            &[]
        }
        Verdict::Bury { reason } => {
            cmd.arg("bury").arg(&reason[..reason.floor_char_boundary(REASON_MAX_BYTES)]).arg("");
            &[]
        }
    };
    cmd.arg(follow_ups.len()).arg(facts.len());
    for (queue, job) in follow_ups {
        add_job(cmd, *queue, job);
    }
    add_facts(cmd, lease.job, lease.epoch, facts);
}

/// A fact is named after the decision that it belongs to.
fn add_facts(cmd: &mut Cmd, job: JobId, epoch: u64, facts: &[Bytes]) {
    for (index, fact) in facts.iter().enumerate() {
        let id = JobId::derived(&[job.uuid().as_bytes(), &epoch.to_be_bytes(), &(index as u64).to_be_bytes()]);
        add_id(cmd, id.uuid());
        cmd.arg(&**fact);
    }
}
