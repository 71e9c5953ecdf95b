//! Deliveries and their attempts.
//!
//! A delivery's state follows from the set of facts alone: delivered once is delivered for good, being dropped as
//! a repeat comes next, else the latest attempt tells.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, Found, Place, StoreError,
    lists::{Condition, List, Query, Value},
    sql::{self, Insert},
};
use crate::{
    alert::Severity,
    clock::UnixMillis,
    ids::{AlertId, ChannelId, DeliveryId, EventId, TenantId},
    payload::AttemptOutcome,
};

/// Where a delivery stands. Ordered only to break ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    /// The last word was a rate limit to wait for.
    RateLimited,
    /// The last attempt failed and another follows.
    Failed,
    /// It gave up.
    Dead,
    /// The channel had the same alert inside its window.
    Deduplicated,
    Delivered,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::RateLimited, Self::Failed, Self::Dead, Self::Deduplicated, Self::Delivered];

    /// Those in which a message did not get through, so far.
    pub const TROUBLE: [Self; 3] = [Self::RateLimited, Self::Failed, Self::Dead];

    /// The word used in the API, the database and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RateLimited => "rate_limited",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Deduplicated => "deduplicated",
            Self::Delivered => "delivered",
        }
    }

    /// What outweighs what, whenever it happened. An attempt that ended badly is outweighed only by a later one,
    /// since a dead letter can be replayed.
    const fn rank(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::RateLimited | Self::Failed | Self::Dead => 1,
            Self::Deduplicated => 2,
            Self::Delivered => 3,
        }
    }
}

impl From<AttemptOutcome> for State {
    fn from(outcome: AttemptOutcome) -> Self {
        match outcome {
            AttemptOutcome::Delivered => Self::Delivered,
            AttemptOutcome::Failed => Self::Failed,
            AttemptOutcome::RateLimited => Self::RateLimited,
            AttemptOutcome::Dead => Self::Dead,
        }
    }
}

/// A delivery as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDelivery {
    pub id: DeliveryId,
    pub event: EventId,
    pub channel: ChannelId,
    /// `None` when the fact of its routing has not arrived yet.
    pub alert: Option<AlertId>,
    pub state: State,
    /// When it came into this state.
    pub state_at: UnixMillis,
    /// Waiting for a rate limit is not an attempt.
    pub attempts: i64,
    /// What the provider answered last.
    pub detail: String,
    /// The event's subject; `None` when the event is not known (any more).
    pub subject: Option<String>,
    /// As routing saw it.
    pub severity: Option<Severity>,
}

/// One attempt as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttempt {
    pub at: UnixMillis,
    pub number: i64,
    /// One of the states that an attempt can end in.
    pub outcome: State,
    pub detail: String,
}

/// The facts about one delivery, summed up.
pub(super) struct DeliveryRow<'f> {
    pub(super) event: EventId,
    pub(super) channel: ChannelId,
    pub(super) alert: Option<AlertId>,
    pub(super) standing: Standing,
    pub(super) detail: &'f str,
    pub(super) attempts: i64,
}

/// A state and what decides between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    rank: i64,
    at: UnixMillis,
    number: i64,
    state: State,
}

impl Standing {
    pub(super) fn new(state: State, at: UnixMillis, number: u32) -> Self {
        Self { rank: state.rank(), at, number: i64::from(number), state }
    }
}

pub(super) type DeliveryKey = (TenantId, DeliveryId);

/// What names an attempt. A rate limit may leave several with the same number, so the time belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AttemptKey {
    pub(super) tenant: TenantId,
    pub(super) delivery: DeliveryId,
    pub(super) at: UnixMillis,
    pub(super) number: u32,
    pub(super) outcome: State,
}

/// Writes attempts that are not there yet, and says which those were.
pub(super) async fn insert_attempts(
    connection: &mut Connection,
    rows: &BTreeMap<AttemptKey, &str>,
) -> Result<HashSet<AttemptKey>, StoreError> {
    let insert = Insert {
        head: "attempts (tenant_id, delivery_id, at, number, outcome, detail)",
        columns: 6,
        tail: "ON CONFLICT (tenant_id, delivery_id, at, number, outcome) DO NOTHING
            RETURNING tenant_id, delivery_id, at, number, outcome",
    };
    let rows: Vec<_> = rows.iter().collect();
    let inserted = insert
        .run(connection, &rows, |statement, (key, detail)| {
            statement
                .bind(key.tenant.0)
                .bind(key.delivery.to_string())
                .bind(key.at)
                .bind(i64::from(key.number))
                .bind(key.outcome.as_str())
                .bind(sql::clean(detail))
        })
        .await?;
    inserted.iter().map(attempt_key).collect()
}

fn attempt_key(row: &AnyRow) -> Result<AttemptKey, StoreError> {
    Ok(AttemptKey {
        tenant: TenantId(row.try_get("tenant_id")?),
        delivery: sql::from_id(row.try_get("delivery_id")?)?,
        at: row.try_get("at")?,
        number: sql::narrow("an attempt's number", row.try_get("number")?)?,
        outcome: sql::from_word("an outcome", row.try_get("outcome")?)?,
    })
}

macro_rules! if_later {
    ($column:literal) => {
        concat!(
            $column,
            " = CASE WHEN (excluded.state_rank, excluded.state_at, excluded.state_number, excluded.state)
                > (deliveries.state_rank, deliveries.state_at, deliveries.state_number, deliveries.state)
                THEN excluded.",
            $column,
            " ELSE deliveries.",
            $column,
            " END"
        )
    };
}

/// Writes what is new about deliveries.
pub(super) async fn put(
    connection: &mut Connection,
    rows: &BTreeMap<DeliveryKey, DeliveryRow<'_>>,
) -> Result<(), StoreError> {
    let insert = Insert {
        head: "deliveries (tenant_id, id, event_id, channel_id, alert_id, state, state_rank, state_at, state_number,
            attempts, detail)",
        columns: 11,
        tail: concat!(
            "ON CONFLICT (tenant_id, id) DO UPDATE SET alert_id = COALESCE(excluded.alert_id, deliveries.alert_id),
            attempts = deliveries.attempts + excluded.attempts, ",
            if_later!("state"),
            ", ",
            if_later!("state_rank"),
            ", ",
            if_later!("state_at"),
            ", ",
            if_later!("state_number"),
            ", ",
            if_later!("detail")
        ),
    };
    let rows: Vec<_> = rows.iter().collect();
    insert
        .run(connection, &rows, |statement, ((tenant, id), row)| {
            statement
                .bind(tenant.0)
                .bind(id.to_string())
                .bind(row.event.to_string())
                .bind(row.channel.0)
                .bind(row.alert.map(|alert| alert.to_string()))
                .bind(row.standing.state.as_str())
                .bind(row.standing.rank)
                .bind(row.standing.at)
                .bind(row.standing.number)
                .bind(row.attempts)
                .bind(sql::clean(row.detail))
        })
        .await?;
    Ok(())
}

/// A delivery's own columns, and what names its event: looked up by its key for each row that is answered.
macro_rules! columns {
    () => {
        "deliveries.*,
        (SELECT events.subject FROM events
            WHERE events.tenant_id = deliveries.tenant_id AND events.id = deliveries.event_id) AS subject,
        COALESCE(
            (SELECT routings.severity FROM routings
                WHERE routings.tenant_id = deliveries.tenant_id AND routings.event_id = deliveries.event_id),
            (SELECT events.severity FROM events
                WHERE events.tenant_id = deliveries.tenant_id AND events.id = deliveries.event_id)) AS severity"
    };
}

/// The deliveries of one of a tenant's events, in the order of their channels.
pub async fn of_event(
    connection: &mut Connection,
    tenant: TenantId,
    event: EventId,
) -> Result<Vec<StoredDelivery>, StoreError> {
    let statement = concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries WHERE tenant_id = $1 AND event_id = $2 ORDER BY channel_id, id"
    );
    sqlx::query(statement)
        .bind(tenant.0)
        .bind(event.to_string())
        .fetch_all(connection)
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Which deliveries: each list that is not empty must hold the delivery's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    pub states: Vec<State>,
    pub channels: Vec<ChannelId>,
    pub since: Option<UnixMillis>,
}

impl Filter {
    fn query(&self) -> Query {
        let mut query = Query::default();
        if !self.states.is_empty() && self.states.iter().all(|state| State::TROUBLE.contains(state)) {
            query.any.push(Condition::new("state IN ('failed', 'rate_limited', 'dead')", []));
        }
        if !self.states.is_empty() {
            query.all.push(Condition::one_of("state", self.states.iter().map(|state| state.as_str())));
        }
        if !self.channels.is_empty() {
            let marks = vec!["?"; self.channels.len()].join(", ");
            let values = self.channels.iter().map(|channel| Value::Number(channel.0));
            query.all.push(Condition::new(format!("channel_id IN ({marks})"), values));
        }
        query.all.extend(self.since.map(|since| Condition::new("state_at >= ?", [Value::Number(since)])));
        query
    }
}

const LIST: List = List { columns: columns!(), from: "deliveries", keys: ["tenant_id", "state_at", "id"] };

/// A page of a tenant's deliveries, those whose state changed last first, behind `before`.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
    before: Option<&Place>,
    limit: u32,
) -> Result<Found<StoredDelivery>, StoreError> {
    LIST.page(connection, tenant, &filter.query(), (before, limit), read).await
}

/// How many of a tenant's latest [`super::SCANNED_MAX`] deliveries pass a filter.
pub async fn count(connection: &mut Connection, tenant: TenantId, filter: &Filter) -> Result<i64, StoreError> {
    LIST.count(connection, tenant, &filter.query().all).await
}

/// How often deliveries to a channel did not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    pub channel: ChannelId,
    /// Deliveries that wait for another attempt, or for a rate limit.
    pub waiting: i64,
    pub dead: i64,
    /// When that was last so.
    pub last_at: UnixMillis,
}

/// A tenant's channels whose deliveries are in trouble since a time, worst first. Looks at the latest 10,000 of those.
pub async fn troubles(
    connection: &mut Connection,
    tenant: TenantId,
    since: UnixMillis,
) -> Result<Vec<Trouble>, StoreError> {
    let statement = "SELECT channel_id, count(*) AS n, max(state_at) AS last_at,
            sum(CASE state WHEN 'dead' THEN 0 ELSE 1 END) AS waiting FROM (
                SELECT channel_id, state_at, state FROM deliveries
                WHERE tenant_id = $1 AND state_at >= $2 AND state IN ('failed', 'rate_limited', 'dead')
                ORDER BY state_at DESC, id DESC LIMIT 10000) troubled
        GROUP BY channel_id ORDER BY n DESC, channel_id";
    let read = |row: &AnyRow| {
        let waiting: i64 = row.try_get("waiting")?;
        Ok(Trouble {
            channel: ChannelId(row.try_get("channel_id")?),
            waiting,
            dead: row.try_get::<i64, _>("n")? - waiting,
            last_at: row.try_get("last_at")?,
        })
    };
    sqlx::query(statement).bind(tenant.0).bind(since).fetch_all(connection).await?.iter().map(read).collect()
}

/// One of a tenant's deliveries.
pub async fn get(
    connection: &mut Connection,
    tenant: TenantId,
    id: DeliveryId,
) -> Result<Option<StoredDelivery>, StoreError> {
    let statement = concat!("SELECT ", columns!(), " FROM deliveries WHERE tenant_id = $1 AND id = $2");
    let row = sqlx::query(statement).bind(tenant.0).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<StoredDelivery, StoreError> {
    let severity: Option<String> = row.try_get("severity")?;
    Ok(StoredDelivery {
        id: sql::from_id(row.try_get("id")?)?,
        event: sql::from_id(row.try_get("event_id")?)?,
        channel: ChannelId(row.try_get("channel_id")?),
        alert: row.try_get::<Option<&str>, _>("alert_id")?.map(sql::from_id).transpose()?,
        state: sql::from_word("a state", row.try_get("state")?)?,
        state_at: row.try_get("state_at")?,
        attempts: row.try_get("attempts")?,
        detail: row.try_get("detail")?,
        subject: row.try_get("subject")?,
        severity: severity.map(|word| sql::from_word("a severity", word)).transpose()?,
    })
}

/// The attempts of one of a tenant's deliveries, in order.
pub async fn attempts(
    connection: &mut Connection,
    tenant: TenantId,
    delivery: DeliveryId,
) -> Result<Vec<StoredAttempt>, StoreError> {
    let rows = sqlx::query(
        "SELECT at, number, outcome, detail FROM attempts WHERE tenant_id = $1 AND delivery_id = $2
         ORDER BY at, number",
    )
    .bind(tenant.0)
    .bind(delivery.to_string())
    .fetch_all(connection)
    .await?;
    let read = |row: &AnyRow| {
        Ok(StoredAttempt {
            at: row.try_get("at")?,
            number: row.try_get("number")?,
            outcome: sql::from_word("an outcome", row.try_get("outcome")?)?,
            detail: row.try_get("detail")?,
        })
    };
    rows.iter().map(read).collect()
}
