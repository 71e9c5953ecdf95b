//! What happened per minute: added up while it is recorded, so that a chart reads a few rows and counts none.

use std::collections::BTreeMap;

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, sql::Insert};
use crate::{clock::UnixMillis, ids::TenantId};

const MINUTE_MS: i64 = 60_000;

/// What happened in one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// When the minute begins.
    pub at: UnixMillis,
    pub received: i64,
    pub delivered: i64,
    /// Attempts that will be repeated.
    pub failed: i64,
    /// Deliveries that gave up.
    pub dead: i64,
    /// From the arrival to the delivery, added up over the delivered.
    pub latency_ms: i64,
    pub latency_ms_max: i64,
}

/// Tallies by tenant and minute.
pub(super) type Tallies = BTreeMap<(TenantId, i64), Tally>;

/// The tally of that tenant at that time.
pub(super) fn at(tallies: &mut Tallies, tenant: TenantId, at: UnixMillis) -> &mut Tally {
    tallies.entry((tenant, at.div_euclid(MINUTE_MS))).or_default()
}

/// Adds to what was counted before. Call it last in a transaction: others that count the same minute wait for its end.
pub(super) async fn add(connection: &mut Connection, tallies: &Tallies) -> Result<(), StoreError> {
    let insert = Insert {
        head: "tallies (tenant_id, minute, received, delivered, failed, dead, latency_ms, latency_ms_max)",
        columns: 8,
        tail: "ON CONFLICT (tenant_id, minute) DO UPDATE SET received = tallies.received + excluded.received,
            delivered = tallies.delivered + excluded.delivered, failed = tallies.failed + excluded.failed,
            dead = tallies.dead + excluded.dead, latency_ms = tallies.latency_ms + excluded.latency_ms,
            latency_ms_max = CASE WHEN excluded.latency_ms_max > tallies.latency_ms_max
                THEN excluded.latency_ms_max ELSE tallies.latency_ms_max END",
    };
    let rows: Vec<_> = tallies.iter().collect();
    insert
        .run(connection, &rows, |statement, ((tenant, minute), tally)| {
            statement
                .bind(tenant.0)
                .bind(*minute)
                .bind(tally.received)
                .bind(tally.delivered)
                .bind(tally.failed)
                .bind(tally.dead)
                .bind(tally.latency_ms)
                .bind(tally.latency_ms_max)
        })
        .await?;
    Ok(())
}

/// A tenant's minutes from one time to before another, oldest first; those in which nothing happened are absent.
pub async fn between(
    connection: &mut Connection,
    tenant: TenantId,
    (from, to): (UnixMillis, UnixMillis),
) -> Result<Vec<Tally>, StoreError> {
    let statement = "SELECT * FROM tallies WHERE tenant_id = $1 AND minute >= $2 AND minute < $3 ORDER BY minute";
    let rows = sqlx::query(statement)
        .bind(tenant.0)
        .bind(from.div_euclid(MINUTE_MS))
        .bind((to + MINUTE_MS - 1).div_euclid(MINUTE_MS));
    let read = |row: &AnyRow| {
        Ok(Tally {
            at: row.try_get::<i64, _>("minute")? * MINUTE_MS,
            received: row.try_get("received")?,
            delivered: row.try_get("delivered")?,
            failed: row.try_get("failed")?,
            dead: row.try_get("dead")?,
            latency_ms: row.try_get("latency_ms")?,
            latency_ms_max: row.try_get("latency_ms_max")?,
        })
    };
    rows.fetch_all(connection).await?.iter().map(read).collect()
}
