//! Leases: work that one process at a time does, and another takes over when that one is gone.

use super::{Connection, StoreError};
use crate::clock::UnixMillis;

/// Takes or keeps a lease until a time. `false` while another owner has it.
pub async fn take(
    connection: &mut Connection,
    name: &str,
    owner: &str,
    now: UnixMillis,
    until: UnixMillis,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO leases (name, owner, until) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
         WHERE leases.owner = excluded.owner OR leases.until <= $4",
    )
    .bind(name)
    .bind(owner)
    .bind(until)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
