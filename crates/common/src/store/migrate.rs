//! Migrations: SQL files that are compiled in, applied in order, each once.
//!
//! All that are missing are applied in one transaction, under a lock, so that two processes that start together
//! are safe and a failure leaves the database as it was. A file that was applied must not change any more; its
//! checksum is kept to notice.

use aws_lc_rs::digest::{SHA256, digest};

use super::{Connection, Engine, Store, StoreError};
use crate::crypto::hex;

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const fn both(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration { version, name, sqlite: sql, postgres: sql }
}

const MIGRATIONS: &[Migration] = &[
    both(1, "configuration", include_str!("migrations/0001_configuration.sql")),
    both(2, "history", include_str!("migrations/0002_history.sql")),
    Migration {
        version: 3,
        name: "raw",
        sqlite: include_str!("migrations/0003_raw.sqlite.sql"),
        postgres: include_str!("migrations/0003_raw.postgres.sql"),
    },
    both(4, "templates", include_str!("migrations/0004_templates.sql")),
    both(5, "model", include_str!("migrations/0005_model.sql")),
    both(6, "identity", include_str!("migrations/0006_identity.sql")),
    both(7, "bindings", include_str!("migrations/0007_bindings.sql")),
    both(9, "configuration_times", include_str!("migrations/0009_configuration_times.sql")),
    both(10, "acknowledged", include_str!("migrations/0010_acknowledged.sql")),
    both(11, "enrichments", include_str!("migrations/0011_enrichments.sql")),
    both(12, "chat_commands", include_str!("migrations/0012_chat_commands.sql")),
    both(14, "drills", include_str!("migrations/0014_drills.sql")),
    both(15, "hidden", include_str!("migrations/0015_hidden.sql")),
    both(16, "audit", include_str!("migrations/0016_audit.sql")),
];

/// Any number that no other user of the database takes for its advisory lock: "watchbel" in ASCII.
const LOCK: i64 = 0x7761_7463_6862_656c;

const HISTORY_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";

/// Applies what is missing. Safe to repeat and to run in several processes at once.
pub(super) async fn run(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    if store.engine == Engine::Postgres {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    }
    sqlx::query(HISTORY_TABLE).execute(&mut *tx).await?;
    let applied: Vec<(i64, String)> =
        sqlx::query_as("SELECT version, checksum FROM schema_migrations ORDER BY version").fetch_all(&mut *tx).await?;
    let newest = MIGRATIONS[MIGRATIONS.len() - 1].version;
    if let Some((version, _)) = applied.last().filter(|(version, _)| *version > newest) {
        return Err(StoreError::Unusable(format!(
            "its schema has version {version}, this program knows versions up to {newest}: use a newer program"
        )));
    }
    for migration in MIGRATIONS {
        let known = applied.iter().find(|(version, _)| *version == migration.version).map(|(_, checksum)| &**checksum);
        apply(&mut tx, migration, store.engine, known).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn apply(
    connection: &mut Connection,
    migration: &Migration,
    engine: Engine,
    known: Option<&str>,
) -> Result<(), StoreError> {
    let sql = match engine {
        Engine::Sqlite => migration.sqlite,
        Engine::Postgres => migration.postgres,
    };
    let checksum = hex(digest(&SHA256, sql.as_bytes()).as_ref());
    match known {
        Some(known) if known == checksum => return Ok(()),
        Some(_) => {
            let why = format!("migration {} was applied with another content", migration.version);
            return Err(StoreError::Unusable(why));
        }
        None => {}
    }
    sqlx::raw_sql(sql).execute(&mut *connection).await?;
    sqlx::query("INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)")
        .bind(migration.version)
        .bind(migration.name)
        .bind(checksum)
        .execute(connection)
        .await?;
    Ok(())
}
