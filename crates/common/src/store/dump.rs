//! Every row of a store as text, for tests that compare a store before and after. Behind the feature `testing`.

use std::collections::BTreeMap;

use sqlx::{
    AssertSqlSafe, Column as _, Row as _, ValueRef as _,
    any::{AnyRow, AnyTypeInfoKind},
};

use super::{Engine, Store, StoreError};
use crate::crypto::hex;

/// What each column of a row holds, as text.
pub type Row = BTreeMap<String, String>;

/// The rows of every table, sorted. A table that a later migration adds is there by itself.
///
/// # Errors
/// The store's.
pub async fn rows(store: &Store) -> Result<BTreeMap<String, Vec<Row>>, StoreError> {
    let tables = match store.engine {
        Engine::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()"
        }
    };
    let mut tx = store.begin_read().await?;
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *tx).await?;
    let mut dump = BTreeMap::new();
    for table in tables {
        let found = sqlx::query(AssertSqlSafe(format!("SELECT * FROM \"{table}\""))).fetch_all(&mut *tx).await?;
        let mut rows = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        rows.sort_unstable();
        dump.insert(table, rows);
    }
    Ok(dump)
}

fn read(row: &AnyRow) -> Result<Row, sqlx::Error> {
    row.columns().iter().map(|column| Ok((column.name().to_owned(), text(row, column.ordinal())?))).collect()
}

fn text(row: &AnyRow, column: usize) -> Result<String, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok("null".to_owned());
    }
    let kind = value.type_info().kind();
    Ok(match kind {
        AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
            row.try_get::<i64, _>(column)?.to_string()
        }
        AnyTypeInfoKind::Real | AnyTypeInfoKind::Double => row.try_get::<f64, _>(column)?.to_string(),
        AnyTypeInfoKind::Blob => hex(&row.try_get::<Vec<u8>, _>(column)?),
        _ => row.try_get::<String, _>(column)?,
    })
}
