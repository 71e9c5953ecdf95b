//! Live updates: server-sent events about what was recorded, by whichever process recorded it.
//!
//! Each tenant that somebody watches has a feed. Whoever watches asks it twice a second; the first to ask reads what is
//! new from the store ([`changes`]) for all. So a tenant that nobody watches costs nothing, a thousand watchers read
//! changes no more than four times a second, and a watcher that falls behind the feed's buffer is told to begin anew.
//!
//! It asks because nothing would tell: the recorder is often another process, the queue hands its jobs to one worker
//! and tells nobody else (the configuration is asked for as well), and of the two databases only PostgreSQL can
//! notify. What that costs is half a second of delay, and a look at the end of one index, of a table that keeps ten
//! minutes. Besides, each watcher's session is looked up before it is told anything and every two seconds
//! ([`RECHECK`]), which no notice of changes would save.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::{sync::Mutex, time::Instant};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::millis,
    http::ApiError,
    ids::{AlertId, ChangeId, TenantId},
    store::{
        alerts,
        changes::{self, Change},
    },
};

use super::{
    Api, Shelf,
    alerts::AlertView,
    caller::{Caller, Viewer, still_valid},
    errors::Common,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(live))
}

/// How often the store is asked.
const POLL: Duration = Duration::from_millis(500);

/// How often a watcher's credentials are looked at again while nothing happens.
const RECHECK: Duration = Duration::from_secs(2);

/// A comment keeps proxies from closing a quiet connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many messages a feed keeps for watchers that are slow to ask.
const KEPT_MAX: usize = 256;

/// How many changes are read at a time. More at once: begin anew.
const CHANGES_MAX: u32 = 500;

/// The feeds of the tenants that somebody watches.
#[derive(Default)]
pub(crate) struct Feeds(StdMutex<HashMap<TenantId, Arc<Mutex<Feed>>>>);

impl Feeds {
    fn of(&self, tenant: TenantId) -> Arc<Mutex<Feed>> {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody holds have no watcher any more.
        feeds.retain(|_, feed| Arc::strong_count(feed) > 1);
        feeds.entry(tenant).or_default().clone()
    }
}

/// What a watcher is told.
#[derive(Debug, Clone)]
enum Message {
    Changed(Arc<Changed>),
    /// Too much happened: what the watcher shows is stale.
    Reset(ChangeId),
}

#[derive(Debug)]
struct Changed {
    id: ChangeId,
    body: LiveChange,
}

/// The data of an event `change`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveChange {
    /// The alerts that changed, as they are now.
    alerts: Vec<AlertView>,
    /// How many deliveries came into another state.
    deliveries: i64,
}

impl Message {
    fn event(&self) -> Event {
        match self {
            Self::Changed(changed) => {
                let data = serde_json::to_string(&changed.body).expect("views have string keys and finite numbers");
                Event::default().id(changed.id.to_string()).event("change").data(data)
            }
            Self::Reset(id) => Event::default().id(id.to_string()).event("reset").data("{}"),
        }
    }
}

/// The latest messages of one tenant.
#[derive(Default)]
struct Feed {
    messages: VecDeque<Message>,
    /// The number of the first of them.
    first: u64,
    /// The newest change that was read; `None` before the first look.
    newest: Option<ChangeId>,
    /// Those of the last seconds that were read: later ones may have earlier ids.
    seen: BTreeSet<ChangeId>,
    looked_at: Option<Instant>,
}

impl Feed {
    fn end(&self) -> u64 {
        self.first + self.messages.len() as u64
    }

    /// The messages from a number on; `None` when some of them are gone.
    fn from(&self, number: u64) -> Option<impl Iterator<Item = &Message>> {
        let skip = usize::try_from(number.checked_sub(self.first)?).ok()?;
        Some(self.messages.iter().skip(skip))
    }

    fn push(&mut self, message: Message) {
        if self.messages.len() == KEPT_MAX {
            self.messages.pop_front();
            self.first += 1;
        }
        self.messages.push_back(message);
    }

    /// Reads what is new, unless somebody just did.
    async fn look(&mut self, api: &Api, tenant: TenantId) -> Result<(), ApiError> {
        if self.looked_at.is_some_and(|at| at.elapsed() < POLL / 2) {
            return Ok(());
        }
        let now = api.shared.clock.now_ms();
        let mut tx = api.read().await?;
        let Some(newest) = self.newest else {
            let begin = ChangeId::first_at(now - millis(changes::LATE));
            let present = changes::after(&mut tx, tenant, begin, CHANGES_MAX).await?;
            self.seen.extend(present.iter().map(|change| change.id));
            self.newest = Some(self.seen.last().copied().unwrap_or(begin));
            self.looked_at = Some(Instant::now());
            return Ok(());
        };
        let begin = ChangeId::first_at(newest.at_ms() - millis(changes::LATE));
        let mut found = changes::after(&mut tx, tenant, begin, CHANGES_MAX).await?;
        let all = found.len() < CHANGES_MAX as usize;
        found.retain(|change| !self.seen.contains(&change.id));
        let last = if all { found.last().map(|change| change.id) } else { Some(ChangeId::at(now)) };
        self.seen.extend(found.iter().map(|change| change.id));
        self.newest = last.max(Some(newest));
        let floor = ChangeId::first_at(self.newest.unwrap_or(newest).at_ms() - millis(changes::LATE));
        self.seen = self.seen.split_off(&floor);
        if let Some(id) = last {
            let message = if all { changed(&mut tx, tenant, id, &found).await? } else { Message::Reset(id) };
            self.push(message);
        }
        self.looked_at = Some(Instant::now());
        Ok(())
    }
}

/// What changes come to, up to the one of that id.
async fn changed(
    tx: &mut watchbell_common::store::Connection,
    tenant: TenantId,
    id: ChangeId,
    changes: &[Change],
) -> Result<Message, ApiError> {
    let Some(ids) = changes.iter().map(|change| change.alerts.as_deref()).collect::<Option<Vec<_>>>() else {
        return Ok(Message::Reset(id));
    };
    let ids: Vec<AlertId> = ids.concat().into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    if ids.len() > changes::NAMED_MAX {
        return Ok(Message::Reset(id));
    }
    let stored = alerts::of_ids(tx, tenant, &ids).await?;
    let alerts = AlertView::of(tx, tenant, stored).await?;
    let deliveries = changes.iter().map(|change| change.deliveries).sum();
    Ok(Message::Changed(Arc::new(Changed { id, body: LiveChange { alerts, deliveries } })))
}

/// Somebody who watches.
struct Watcher {
    api: Shelf,
    caller: Caller,
    feed: Arc<Mutex<Feed>>,
    /// The number of the message that comes next.
    next: u64,
    waiting: VecDeque<Event>,
    checked_at: Instant,
}

impl Watcher {
    async fn begin(api: Shelf, caller: Caller, last: Option<&str>) -> Result<Self, ApiError> {
        let tenant = caller.tenant;
        let feed = api.feeds.of(tenant);
        let (next, newest) = {
            let mut feed = feed.lock().await;
            feed.look(&api, tenant).await?;
            (feed.end(), feed.newest)
        };
        let mut waiting = VecDeque::new();
        if let Some(last) = last {
            waiting.push_back(missed(&api, tenant, last).await?.event());
        } else if let Some(newest) = newest {
            waiting.push_back(Event::default().id(newest.to_string()).event("ready").data("{}"));
        }
        Ok(Self { api, caller, feed, next, waiting, checked_at: Instant::now() })
    }

    /// The next event; `None` ends the stream: the session is over, or the store is away. Browsers come back.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            tokio::time::sleep(POLL).await;
            self.look().await.ok()?;
            // Nobody is told anything who may not read any more.
            if !self.waiting.is_empty() || self.checked_at.elapsed() >= RECHECK {
                if !still_valid(&self.api, &self.caller).await.ok()? {
                    return None;
                }
                self.checked_at = Instant::now();
            }
        }
    }

    /// Takes what is new from the feed.
    async fn look(&mut self) -> Result<(), ApiError> {
        let mut feed = self.feed.lock().await;
        feed.look(&self.api, self.caller.tenant).await?;
        match feed.from(self.next) {
            Some(messages) => self.waiting.extend(messages.map(Message::event)),
            None => self.waiting.extend(feed.newest.map(|newest| Message::Reset(newest).event())),
        }
        self.next = feed.end();
        Ok(())
    }
}

/// What somebody missed since that id.
async fn missed(api: &Api, tenant: TenantId, last: &str) -> Result<Message, ApiError> {
    let now = api.shared.clock.now_ms();
    let fresh = Message::Reset(ChangeId::at(now));
    let Ok(last) = last.parse::<ChangeId>() else { return Ok(fresh) };
    if now - last.at_ms() > millis(changes::KEPT) {
        return Ok(fresh);
    }
    let mut tx = api.read().await?;
    let begin = ChangeId::first_at(last.at_ms() - millis(changes::LATE));
    let found = changes::after(&mut tx, tenant, begin, CHANGES_MAX).await?;
    if found.len() == CHANGES_MAX as usize {
        return Ok(fresh);
    }
    let id = found.last().map_or(last, |change| change.id);
    changed(&mut tx, tenant, id, &found).await
}

/// Live updates
///
/// Server-sent events. `ready` comes first; `change` names the alerts that changed as they are now, and how many
/// deliveries came into another state; `reset` says that too much happened: load again what you show. Every event has
/// an id: send the last one as `Last-Event-ID` to get what was missed, for ten minutes. An alert may come twice. The
/// stream ends when the session does.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "overview",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, content_type = "text/event-stream", body = LiveChange), Common)
)]
async fn live(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let watcher = Watcher::begin(api, caller, last).await?;
    let events = stream::unfold(watcher, async |mut watcher: Watcher| {
        let event = watcher.next().await?;
        Some((Ok(event), watcher))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}
