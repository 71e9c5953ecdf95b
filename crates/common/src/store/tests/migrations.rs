//! Migrations, and what opening a database answers.

use super::{Empty, on_both};
use crate::store::{Store, StoreError, config, tenants};

on_both!(
    migrating_twice_changes_nothing,
    processes_that_start_together_migrate_once,
    a_schema_from_the_future_is_refused,
    a_migration_that_was_changed_afterwards_is_noticed,
);

async fn migrating_twice_changes_nothing(empty: Empty) {
    let first = empty.open().await;
    let mut tx = first.begin().await.unwrap();
    let version = config::bump_version(&mut tx, 7, 0).await.unwrap();
    tx.commit().await.unwrap();
    first.close().await;
    let second = empty.open().await;
    let mut tx = second.begin_read().await.unwrap();
    assert_eq!(config::version(&mut tx).await.unwrap(), version);
}

async fn processes_that_start_together_migrate_once(empty: Empty) {
    let (a, b, c, d) = tokio::join!(empty.open(), empty.open(), empty.open(), empty.open());
    for store in [a, b, c, d] {
        store.ping().await.unwrap();
        let mut tx = store.begin_read().await.unwrap();
        assert_eq!(tenants::list(&mut tx).await.unwrap().len(), 1);
    }
}

async fn a_schema_from_the_future_is_refused(empty: Empty) {
    let text = spoilt(&empty, "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'x', 'x')").await;
    assert!(text.contains("9999"), "{text}");
}

async fn a_migration_that_was_changed_afterwards_is_noticed(empty: Empty) {
    let text = spoilt(&empty, "UPDATE schema_migrations SET checksum = 'x' WHERE version = 2").await;
    assert!(text.contains("migration 2"), "{text}");
}

async fn spoilt(empty: &Empty, statement: &'static str) -> String {
    let store = empty.open().await;
    sqlx::query(statement).execute(&store.pool).await.unwrap();
    store.close().await;
    let error = Store::open(&empty.url, empty.dir.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn the_file_is_for_its_owner_only_and_its_folder_may_have_any_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let empty = Empty::sqlite();
    let dir = empty.dir.path().join("a folder, 100% odd? #1 ü");
    let store = Store::open(&empty.url, &dir).await.unwrap();
    assert!(store.version().await.unwrap().starts_with("SQLite 3."));
    let mode = std::fs::metadata(dir.join("watchbell.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_store_that_is_down_is_unavailable_and_a_wrong_url_is_unusable_and_neither_tells_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let open = async |url: &str| Store::open(&url.into(), dir.path()).await.unwrap_err();
    let down = open("postgres://u:hunter2@localhost/db?host=/nonexistent").await;
    assert!(down.is_transient(), "{down}");
    for wrong in ["mysql://u:hunter2@h/db", "hunter2", "postgres://u:hunter2@h:port/db"] {
        let error = open(wrong).await;
        assert!(matches!(error, StoreError::Unusable(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}
