//! Failures at the doors that take a password: how many a subject has had, and until when it is locked out.
//!
//! An attempt is counted before it is made and taken back when it succeeds, so that many attempts at once, through
//! several processes, are as few as one after the other.

use super::{Connection, StoreError};
use crate::clock::UnixMillis;

/// What is known of a subject with the present attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Failures in a row, the present attempt included.
    pub failures: i64,
    pub locked_until: UnixMillis,
}

/// Counts an attempt; what lies before `forget_before` is not counted any more. The row is locked until the
/// transaction ends: roll it back when the subject is locked out.
pub async fn count(
    connection: &mut Connection,
    subject: &str,
    now: UnixMillis,
    forget_before: UnixMillis,
) -> Result<Count, StoreError> {
    let statement = "INSERT INTO lockouts (subject, failures, last_at, locked_until) VALUES ($1, 1, $2, 0)
        ON CONFLICT (subject) DO UPDATE SET
            failures = CASE WHEN lockouts.last_at < $3 THEN 1 ELSE lockouts.failures + 1 END, last_at = excluded.last_at
        RETURNING failures, locked_until";
    let query = sqlx::query_as(statement).bind(subject).bind(now).bind(forget_before);
    let (failures, locked_until) = query.fetch_one(connection).await?;
    Ok(Count { failures, locked_until })
}

/// Locks a subject out until then.
pub async fn lock(connection: &mut Connection, subject: &str, until: UnixMillis) -> Result<(), StoreError> {
    let statement = "UPDATE lockouts SET locked_until = $1 WHERE subject = $2";
    sqlx::query(statement).bind(until).bind(subject).execute(connection).await?;
    Ok(())
}

/// Takes back one counted attempt and the lock that it alone caused.
pub async fn take_back(connection: &mut Connection, subject: &str, locked_until: UnixMillis) -> Result<(), StoreError> {
    let statement = "UPDATE lockouts SET failures = failures - 1,
            locked_until = CASE WHEN locked_until = $1 THEN 0 ELSE locked_until END
        WHERE subject = $2 AND failures > 0";
    sqlx::query(statement).bind(locked_until).bind(subject).execute(connection).await?;
    Ok(())
}

/// Forgets all failures of a subject.
pub async fn clear(connection: &mut Connection, subject: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM lockouts WHERE subject = $1").bind(subject).execute(connection).await?;
    Ok(())
}

/// Notes that a subject is known to be good.
pub async fn trust(connection: &mut Connection, subject: &str, now: UnixMillis) -> Result<(), StoreError> {
    let statement = "INSERT INTO lockouts (subject, failures, last_at, locked_until) VALUES ($1, 0, $2, 0)
        ON CONFLICT (subject) DO UPDATE SET last_at = excluded.last_at";
    sqlx::query(statement).bind(subject).bind(now).execute(connection).await?;
    Ok(())
}

/// Whether a subject was noted since then.
pub async fn trusted(connection: &mut Connection, subject: &str, since: UnixMillis) -> Result<bool, StoreError> {
    let statement = "SELECT last_at FROM lockouts WHERE subject = $1 AND last_at >= $2";
    let found: Option<i64> = sqlx::query_scalar(statement).bind(subject).bind(since).fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// Forgets subjects of which nothing was heard since then.
pub async fn sweep(connection: &mut Connection, before: UnixMillis) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM lockouts WHERE last_at < $1").bind(before).execute(connection).await?;
    Ok(done.rows_affected())
}
