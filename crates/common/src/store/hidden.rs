//! How much each mute and each silence kept from people, and when, as far as the history goes back.

use std::ops::Range;

use super::{Connection, SCANNED_MAX, StoreError};
use crate::{
    clock::UnixMillis,
    ids::{MuteId, SilenceId, TenantId},
};

/// How many parts a time is divided into.
pub const PARTS: usize = 24;

/// How many events, when the last one came, and how they are spread over a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// [`SCANNED_MAX`] means that many or more.
    pub count: i64,
    pub last_at: Option<UnixMillis>,
    /// How many there were in each part of the time that was asked for.
    pub parts: [i64; PARTS],
}

/// The newest of a table's events that a mute or a silence kept back, by the part of a time that they fall into; those
/// from before it have a part of their own.
macro_rules! spread {
    ($time:literal, $from:literal) => {
        concat!(
            "SELECT CASE WHEN at < $4 THEN -1 ELSE (at - $4) / $5 END AS part, COUNT(*), MAX(at) FROM (SELECT ",
            $time,
            " AS at FROM ",
            $from,
            " = $2 AND tenant_id = $1 ORDER BY ",
            $time,
            " DESC LIMIT $3) latest GROUP BY 1"
        )
    };
}

/// What a mute dropped at intake.
pub async fn by_mute(
    connection: &mut Connection,
    tenant: TenantId,
    id: MuteId,
    time: &Range<UnixMillis>,
) -> Result<Hidden, StoreError> {
    hidden(connection, spread!("received_at", "events WHERE mute_id"), (tenant, id.0), time).await
}

/// What a silence kept from the channels.
pub async fn by_silence(
    connection: &mut Connection,
    tenant: TenantId,
    id: SilenceId,
    time: &Range<UnixMillis>,
) -> Result<Hidden, StoreError> {
    hidden(connection, spread!("at", "routings WHERE silence_id"), (tenant, id.0), time).await
}

async fn hidden(
    connection: &mut Connection,
    statement: &'static str,
    (tenant, id): (TenantId, i64),
    time: &Range<UnixMillis>,
) -> Result<Hidden, StoreError> {
    let parts = i64::try_from(PARTS).expect("it is small");
    let width = ((time.end - time.start + parts - 1) / parts).max(1);
    let rows = sqlx::query_as::<_, (i64, i64, UnixMillis)>(statement).bind(tenant.0).bind(id);
    let rows = rows.bind(i64::from(SCANNED_MAX)).bind(time.start).bind(width).fetch_all(connection).await?;
    let mut hidden = Hidden::default();
    for (part, count, last_at) in rows {
        hidden.count += count;
        hidden.last_at = hidden.last_at.max(Some(last_at));
        // What comes at the end of the time, or behind it, belongs to its last part.
        if let Ok(part) = usize::try_from(part) {
            hidden.parts[part.min(PARTS - 1)] += count;
        }
    }
    Ok(hidden)
}
