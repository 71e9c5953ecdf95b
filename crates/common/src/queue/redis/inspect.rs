//! What people ask of the queue: depths, books, dead jobs, the audit.
//!
//! Long structures are walked in pieces, so that Redis serves everyone else in between. What moves during a
//! walk may be seen twice or not at all.

use std::collections::{HashMap, HashSet, VecDeque};

use redis::{Cmd, cmd, pipe};

use super::{RedisQueue, event_id, job_id, malformed, number, scripts::hex, text};
use crate::{
    clock::UnixMillis,
    ids::{EventId, JobId, TenantId},
    queue::{AUDIT_EXAMPLES_MAX, Audit, Books, DeadFilter, DeadJob, Depth, QueueError, QueueName},
};

/// How many entries of a long structure are read at a time.
const PIECE: usize = 500;

/// How many dead jobs one script replays.
const REPLAYS_PER_STEP: usize = 100;

/// A dead job, as its head describes it.
pub(super) struct DeadHead {
    id: JobId,
    queue: QueueName,
    tenant: TenantId,
    event: Option<EventId>,
    lane: String,
    attempts: u32,
    reason: String,
    buried_at: UnixMillis,
}

impl DeadHead {
    /// Reads what [`HEAD_FIELDS`] name; `None` when the job is not dead (any more).
    fn read(id: JobId, fields: &mut [Option<Vec<u8>>]) -> Result<Option<Self>, QueueError> {
        let [queue, tenant, event, lane, attempts, reason, buried_at] = fields else { return Err(malformed()) };
        let (Some(queue), Some(tenant), Some(lane), Some(buried_at)) = (queue, tenant, lane, buried_at) else {
            return Ok(None);
        };
        Ok(Some(Self {
            id,
            queue: std::str::from_utf8(queue).ok().and_then(QueueName::from_name).ok_or_else(malformed)?,
            tenant: TenantId(number(tenant)?),
            event: event_id(event.as_deref().unwrap_or_default())?,
            lane: text(lane)?,
            attempts: attempts.as_deref().map_or(Ok(0), number)?,
            reason: reason.as_mut().map_or(Ok(String::new()), text)?,
            buried_at: number(buried_at)?,
        }))
    }

    fn matches(&self, filter: &DeadFilter) -> bool {
        filter.tenant.is_none_or(|tenant| tenant == self.tenant)
            && filter.queue.is_none_or(|queue| queue == self.queue)
            && (filter.lanes.is_empty() || filter.lanes.contains(&self.lane))
    }

    pub(super) fn with(self, payload: Option<Vec<u8>>) -> DeadJob {
        let Self { id, queue, tenant, event, lane, attempts, reason, buried_at } = self;
        let payload = payload.unwrap_or_default().into();
        DeadJob { id, queue, tenant, event, lane, attempts, reason, buried_at, payload }
    }
}

const HEAD_FIELDS: [&str; 7] = ["q", "t", "e", "l", "n", "r", "b"];

/// A walk along the dead list of one queue.
struct DeadWalk {
    queue: QueueName,
    at: usize,
    ended: bool,
    found: VecDeque<DeadHead>,
}

impl RedisQueue {
    pub(super) async fn list_dead(
        &self,
        filter: &DeadFilter,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<DeadJob>, QueueError> {
        let mut dead = Vec::new();
        for head in self.find_dead(filter, skip, limit).await? {
            // One by one: payloads may be large, and what was replayed meanwhile has none.
            let payload = self.link.query(cmd("GET").arg(self.body_key(head.id))).await?;
            dead.push(head.with(payload));
        }
        Ok(dead)
    }

    pub(super) async fn replay_dead(&self, filter: &DeadFilter, limit: usize) -> Result<u64, QueueError> {
        let found = self.find_dead(filter, 0, limit).await?;
        let mut replayed = 0;
        for step in found.chunks(REPLAYS_PER_STEP) {
            let mut call = self.call(&self.scripts.replay);
            for head in step {
                call.arg(hex(head.id.uuid()));
            }
            replayed += self.link.run::<u64>(&self.scripts.replay, &call).await?;
        }
        Ok(replayed)
    }

    /// The dead jobs that match, oldest first, without payloads.
    pub(super) async fn find_dead(
        &self,
        filter: &DeadFilter,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<DeadHead>, QueueError> {
        if !filter.ids.is_empty() {
            // A name twice is one job.
            let ids = filter.ids.iter().copied().collect::<HashSet<_>>().into_iter().collect::<Vec<_>>();
            let mut found = self.read_dead(&ids, filter).await?;
            found.sort_by_key(|head| (head.buried_at, head.id));
            return Ok(found.into_iter().skip(skip).take(limit).collect());
        }
        let queues = filter.queue.map_or_else(|| QueueName::ALL.to_vec(), |queue| vec![queue]);
        let mut walks: Vec<DeadWalk> =
            queues.into_iter().map(|queue| DeadWalk { queue, at: 0, ended: false, found: VecDeque::new() }).collect();
        let mut found = Vec::new();
        let mut skipped = 0;
        while found.len() < limit {
            for walk in &mut walks {
                self.walk_on(walk, filter).await?;
            }
            let oldest = walks.iter_mut().filter(|walk| !walk.found.is_empty());
            let Some(walk) = oldest.min_by_key(|walk| walk.found[0].buried_at) else { break };
            let head = walk.found.pop_front();
            if skipped < skip {
                skipped += 1;
            } else {
                found.extend(head);
            }
        }
        Ok(found)
    }

    /// Reads on until the walk has a match at hand or the list ends.
    async fn walk_on(&self, walk: &mut DeadWalk, filter: &DeadFilter) -> Result<(), QueueError> {
        while walk.found.is_empty() && !walk.ended {
            let ids = self.piece_of_list(&self.key(&format!("dead:{}", walk.queue)), walk.at).await?;
            walk.at += ids.len();
            walk.ended = ids.len() < PIECE;
            walk.found.extend(self.read_dead(&ids, filter).await?);
        }
        Ok(())
    }

    /// Those of `ids` that are dead and match.
    async fn read_dead(&self, ids: &[JobId], filter: &DeadFilter) -> Result<Vec<DeadHead>, QueueError> {
        let mut found = Vec::new();
        for ids in ids.chunks(PIECE) {
            let heads: Vec<Vec<Option<Vec<u8>>>> = self.read_heads(ids, &HEAD_FIELDS).await?;
            for (&id, mut fields) in ids.iter().zip(heads) {
                found.extend(DeadHead::read(id, &mut fields)?.filter(|head| head.matches(filter)));
            }
        }
        Ok(found)
    }

    pub(super) async fn count_jobs(&self) -> Result<Vec<(QueueName, Depth)>, QueueError> {
        let call = self.call(&self.scripts.depths);
        let counts: Vec<u64> = self.link.run(&self.scripts.depths, &call).await?;
        let depths = counts.chunks_exact(5).map(|counts| {
            let [ready, held, leased, waiting, dead] = counts else { unreachable!("chunks of five") };
            Depth { ready: *ready, held: *held, leased: *leased, waiting: *waiting, dead: *dead }
        });
        Ok(QueueName::ALL.into_iter().zip(depths).collect())
    }

    pub(super) async fn read_books(&self) -> Result<Vec<(TenantId, Books)>, QueueError> {
        let call = self.call(&self.scripts.books);
        let entries: Vec<(String, i64)> = self.link.run(&self.scripts.books, &call).await?;
        let mut all: HashMap<TenantId, Books> = HashMap::new();
        for (name, count) in entries {
            let (tenant, name) = name.split_once(':').ok_or_else(malformed)?;
            let books = all.entry(TenantId(number(tenant.as_bytes())?)).or_default();
            let field = match name {
                "received" => &mut books.received,
                "delivered" => &mut books.delivered,
                "silenced" => &mut books.silenced,
                "deduplicated" => &mut books.deduplicated,
                "unrouted" => &mut books.unrouted,
                "muted" => &mut books.muted,
                "dead" => &mut books.dead,
                "open" => &mut books.pending,
                _ => return Err(malformed()),
            };
            *field = u64::try_from(count).map_err(|_| malformed())?;
        }
        let mut all: Vec<_> = all.into_iter().collect();
        for (_, books) in &mut all {
            // An open line has a live job or only dead ones.
            books.pending = books.pending.checked_sub(books.dead).ok_or_else(malformed)?;
        }
        all.sort_by_key(|(tenant, _)| *tenant);
        Ok(all)
    }

    pub(super) async fn audit_ledger(&self) -> Result<Audit, QueueError> {
        let mut jobs = HashMap::new();
        for queue in QueueName::ALL.into_iter().filter(|queue| *queue != QueueName::History) {
            self.count_queue(queue, &mut jobs).await?;
        }
        let mut audit = Audit { jobs: jobs.values().map(|(live, dead)| live + dead).sum(), ..Audit::default() };
        for (tenant, _) in self.read_books().await? {
            self.compare_ledger(tenant, &mut jobs, &mut audit).await?;
        }
        // What is left belongs to no line.
        for (_, event) in jobs.into_keys() {
            audit.is_wrong(event);
        }
        Ok(audit)
    }

    /// Counts the live and dead jobs of each event in a queue, wherever they are.
    async fn count_queue(&self, queue: QueueName, jobs: &mut Jobs) -> Result<(), QueueError> {
        for lanes in ["lanes", "paused"] {
            for lane in self.whole_set(&self.key(&format!("{lanes}:{queue}"))).await? {
                let lane = String::from_utf8(lane).map_err(|_| malformed())?;
                self.count_list(&format!("ready:{queue}:{lane}"), jobs, Place::Live).await?;
            }
        }
        for worker in self.whole_set(&self.key("workers")).await? {
            let worker = String::from_utf8(worker).map_err(|_| malformed())?;
            self.count_list(&format!("processing:{queue}:{worker}"), jobs, Place::Live).await?;
        }
        self.count_list(&format!("dead:{queue}"), jobs, Place::Dead).await?;
        for waiting in ["retry", "held"] {
            let members = self.whole_set(&self.key(&format!("{waiting}:{queue}"))).await?;
            // A held job's id is the end of its member.
            let ids: Result<Vec<JobId>, _> =
                members.iter().map(|member| job_id(&member[member.len().saturating_sub(32)..])).collect();
            self.count_jobs_of(&ids?, jobs, Place::Live).await?;
        }
        Ok(())
    }

    async fn count_list(&self, list: &str, jobs: &mut Jobs, place: Place) -> Result<(), QueueError> {
        let (key, mut at) = (self.key(list), 0);
        loop {
            let ids = self.piece_of_list(&key, at).await?;
            self.count_jobs_of(&ids, jobs, place).await?;
            at += ids.len();
            if ids.len() < PIECE {
                return Ok(());
            }
        }
    }

    async fn count_jobs_of(&self, ids: &[JobId], jobs: &mut Jobs, place: Place) -> Result<(), QueueError> {
        for ids in ids.chunks(PIECE) {
            let heads: Vec<(Option<i64>, Option<Vec<u8>>)> = self.read_heads(ids, &["t", "e"]).await?;
            for (tenant, event) in heads {
                let Some(event) = event_id(event.as_deref().unwrap_or_default())? else { continue };
                let count = jobs.entry((TenantId(tenant.unwrap_or_default()), event)).or_default();
                match place {
                    Place::Live => count.0 += 1,
                    Place::Dead => count.1 += 1,
                }
            }
        }
        Ok(())
    }

    /// Compares one tenant's lines with the jobs that were found, and takes those off.
    async fn compare_ledger(&self, tenant: TenantId, jobs: &mut Jobs, audit: &mut Audit) -> Result<(), QueueError> {
        let key = self.key(&format!("ledger:{tenant}"));
        let mut cursor = 0_u64;
        // A hash that is being rehashed may show a line twice.
        let mut seen = HashSet::new();
        loop {
            let scan = cmd("HSCAN").arg(&key).arg(cursor).arg("COUNT").arg(PIECE).take();
            let (next, lines): (u64, Vec<(Vec<u8>, String)>) = self.link.query(&scan).await?;
            for (event, line) in lines {
                let event = event_id(&event)?.ok_or_else(malformed)?;
                if !seen.insert(event) {
                    continue;
                }
                audit.lines += 1;
                let mut counts = line.split(' ').map(|count| number::<u64>(count.as_bytes()));
                let (Some(live), Some(dead)) = (counts.next(), counts.next()) else { return Err(malformed()) };
                if jobs.remove(&(tenant, event)) != Some((live?, dead?)) {
                    audit.is_wrong(event);
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    fn body_key(&self, id: JobId) -> String {
        self.key(&format!("body:{}", hex(id.uuid())))
    }

    async fn read_heads<T: redis::FromRedisValue>(&self, ids: &[JobId], fields: &[&str]) -> Result<T, QueueError> {
        let mut heads = pipe();
        for id in ids {
            heads.cmd("HMGET").arg(self.key(&format!("job:{}", hex(id.uuid())))).arg(fields);
        }
        self.link.query_all(&heads).await
    }

    async fn piece_of_list(&self, key: &str, at: usize) -> Result<Vec<JobId>, QueueError> {
        let ids: Vec<Vec<u8>> = self.link.query(cmd("LRANGE").arg(key).arg(at).arg(at + PIECE - 1)).await?;
        ids.iter().map(|id| job_id(id)).collect()
    }

    /// All members of a sorted set, in order.
    async fn whole_set(&self, key: &str) -> Result<Vec<Vec<u8>>, QueueError> {
        let mut all = Vec::new();
        loop {
            let piece: Vec<Vec<u8>> = self.link.query(&range(key, all.len())).await?;
            let ended = piece.len() < PIECE;
            all.extend(piece);
            if ended {
                return Ok(all);
            }
        }
    }
}

fn range(key: &str, at: usize) -> Cmd {
    cmd("ZRANGE").arg(key).arg(at).arg(at + PIECE - 1).take()
}

/// How many live and dead jobs each event has.
type Jobs = HashMap<(TenantId, EventId), (u64, u64)>;

#[derive(Clone, Copy)]
enum Place {
    Live,
    Dead,
}

impl Audit {
    fn is_wrong(&mut self, event: EventId) {
        self.wrong_total += 1;
        if self.wrong.len() < AUDIT_EXAMPLES_MAX {
            self.wrong.push(event);
        }
    }
}
