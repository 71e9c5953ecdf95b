//! Why the store did not do it, sorted by what the caller can do about it.

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing is known to be written; the same call may succeed later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It answers others, and had no time for this; the same call may succeed shortly.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// The content contradicts what is there: a name or token that is taken, something that is still in use.
    #[error("the store refused a conflict: {0}")]
    Conflict(String),
    /// The tenant has no such row.
    #[error("there is no {what} {id}")]
    Missing { what: &'static str, id: String },
    /// A row holds what this version cannot read.
    #[error("{what} in the store cannot be read: {why}")]
    Damaged { what: &'static str, why: String },
    /// The database cannot be used by this version at all.
    #[error("the store cannot be used: {0}")]
    Unusable(String),
    /// The database refused the statement or its content; trying again would not help.
    #[error("the store refused: {0}")]
    Refused(String),
}

impl StoreError {
    /// Whether trying the same again later can succeed.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) => from_database(&*refusal),
            sqlx::Error::ColumnDecode { index, source } => {
                Self::Damaged { what: "a column", why: format!("{index}: {source}") }
            }
            sqlx::Error::Configuration(_) => {
                Self::Unusable("database.url must be `sqlite` or postgres://user:password@host/name".to_owned())
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error.to_string()),
            other => Self::Refused(other.to_string()),
        }
    }
}

fn from_database(refusal: &dyn sqlx::error::DatabaseError) -> StoreError {
    let text = refusal.to_string();
    if refusal.is_unique_violation() || refusal.is_foreign_key_violation() {
        return StoreError::Conflict(text);
    }
    match refusal.code() {
        Some(code) if is_lock(&code) => StoreError::Busy(text),
        Some(code) if passes_by_itself(&code) => StoreError::Unavailable(text),
        _ => StoreError::Refused(text),
    }
}

/// Whether a database's error code says that somebody else held a lock for too long.
fn is_lock(code: &str) -> bool {
    // BUSY and LOCKED of SQLite with the extended codes of both, `lock_not_available` of PostgreSQL.
    code == "55P03" || (code.len() != 5 && code.parse::<i32>().is_ok_and(|number| matches!(number & 0xff, 5 | 6)))
}

/// Whether a database's error code names a condition that passes or is repaired, rather than a fault of the statement.
fn passes_by_itself(code: &str) -> bool {
    // SQLite's are numbers; the low byte is the primary code (https://sqlite.org/rescode.html).
    if code.len() != 5
        && let Ok(number) = code.parse::<i32>()
    {
        // NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL
        return matches!(number & 0xff, 7 | 8 | 9 | 10 | 13 | 14 | 15);
    }
    // PostgreSQL's have five characters, the first two are the class (appendix A of its manual): connection,
    // read-only transaction (a standby), rollback to be repeated, authorization (a password being changed),
    // resources, operator intervention (shutdown, timeouts), system error.
    ["08", "25006", "40", "28", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_stopped_server_pass_by_themselves_and_bad_content_does_not() {
        for passing in ["13", "14", "522", "08006", "57P01", "57014", "53100", "40001"] {
            assert!(passes_by_itself(passing), "{passing}");
        }
        for lasting in ["1", "19", "2067", "22021", "42601", "23505"] {
            assert!(!passes_by_itself(lasting) && !is_lock(lasting), "{lasting}");
        }
        for lock in ["5", "6", "261", "517", "55P03"] {
            assert!(is_lock(lock), "{lock}");
        }
    }
}
