//! Sealed values, wherever they are: which keys they need, and sealing them anew under the active key.
//!
//! Both walk [`Column::ALL`] row by row, in small transactions, while the services run. A row that somebody changes
//! meanwhile is left as it is and met again in the next pass.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::{Store, StoreError, config, sql};
use crate::{
    clock::UnixMillis,
    crypto::{Column, CryptoError, Place, Sealed, Vault},
    ids::TenantId,
};

/// Rows that are read at a time.
const PAGE: i64 = 64;

/// Passes over the store. One is enough unless somebody changes the same rows at the same moment.
const PASSES_MAX: usize = 5;

/// What sealing anew did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that were sealed anew.
    pub values: u64,
    /// What could not be opened, with its place.
    pub unreadable: Vec<String>,
}

/// How the rows of a sealed column are found.
struct Source {
    /// A positive number that names the row over all tenants.
    key: &'static str,
    /// Which rows of the table.
    only: &'static str,
    /// Whether the names in the column's object are fields of the place.
    named: bool,
}

const fn source(column: Column) -> Source {
    match column {
        Column::BotCredentials | Column::ChannelSecrets => Source { key: "id", only: "1 = 1", named: true },
        Column::PushToken | Column::InviteCode | Column::SigningKey => {
            Source { key: "id", only: "1 = 1", named: false }
        }
        Column::Models => Source { key: "tenant_id", only: "name = 'models'", named: false },
    }
}

/// One row's sealed column.
struct Row {
    tenant: TenantId,
    key: i64,
    text: String,
}

/// Seals everything anew that is not sealed with the active key, and publishes the configuration with it.
///
/// # Errors
/// The store's. What was done until then is done; call it again for the rest.
pub async fn reseal(store: &Store, vault: &Vault, now: UnixMillis) -> Result<Resealed, StoreError> {
    let mut done = Resealed::default();
    for _ in 0..PASSES_MAX {
        let pass = pass(store, vault).await?;
        done.values += pass.values;
        done.unreadable = pass.unreadable;
        if pass.values == 0 {
            break;
        }
        // The copy that is published for the services still needs the old key.
        let mut tx = store.begin().await?;
        config::bump_version(&mut tx, now, 0).await?;
        tx.commit().await?;
    }
    Ok(done)
}

async fn pass(store: &Store, vault: &Vault) -> Result<Resealed, StoreError> {
    let mut done = Resealed::default();
    for &column in Column::ALL {
        let mut after = 0;
        loop {
            let rows = page(store, column, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.key;
            for row in rows {
                let mut value: Value = sql::from_json(column.table(), &row.text)?;
                let mut count = 0;
                walk(&mut value, column, &row, &mut |sealed, place| match vault.reseal(sealed, place) {
                    Ok(None) => None,
                    Ok(anew) => {
                        count += 1;
                        anew
                    }
                    Err(error) => {
                        done.unreadable.push(unreadable(place, &error));
                        None
                    }
                });
                if count > 0 && replace(store, column, &row, &value).await? {
                    done.values += count;
                }
            }
        }
    }
    Ok(done)
}

/// How many values each key seals, by the key's id.
pub async fn keys_in_use(store: &Store) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut uses = BTreeMap::new();
    for &column in Column::ALL {
        let mut after = 0;
        loop {
            let rows = page(store, column, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.key;
            for row in rows {
                let mut value: Value = sql::from_json(column.table(), &row.text)?;
                walk(&mut value, column, &row, &mut |sealed, _| {
                    *uses.entry(sealed.key().to_owned()).or_default() += 1;
                    None
                });
            }
        }
    }
    uses.remove("");
    Ok(uses)
}

async fn page(store: &Store, column: Column, after: i64) -> Result<Vec<Row>, StoreError> {
    let Source { key, only, .. } = source(column);
    let (table, name) = (column.table(), column.name());
    let statement =
        format!("SELECT tenant_id, {key}, {name} FROM {table} WHERE {only} AND {key} > $1 ORDER BY {key} LIMIT {PAGE}");
    let mut tx = store.begin_read().await?;
    // Safe: the text is made of constants.
    let rows: Vec<(i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(statement)).bind(after).fetch_all(&mut *tx).await?;
    Ok(rows.into_iter().map(|(tenant, key, text)| Row { tenant: TenantId(tenant), key, text }).collect())
}

/// Writes the row unless it changed since it was read; says which.
async fn replace(store: &Store, column: Column, row: &Row, value: &Value) -> Result<bool, StoreError> {
    let Source { key, only, .. } = source(column);
    let (table, name) = (column.table(), column.name());
    let statement =
        format!("UPDATE {table} SET {name} = $1 WHERE {only} AND tenant_id = $2 AND {key} = $3 AND {name} = $4");
    let mut tx = store.begin().await?;
    // Safe: the text is made of constants.
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(sql::json(value))
        .bind(row.tenant.0)
        .bind(row.key)
        .bind(row.text.clone())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Shows every sealed value of a column to `visit`, with its place, and puts what it answers there instead.
fn walk(value: &mut Value, column: Column, row: &Row, visit: &mut impl FnMut(&Sealed, &Place) -> Option<Sealed>) {
    let place =
        |field: Option<&str>| Place { tenant: row.tenant, column, field: field.map(str::to_owned), row: row.key };
    match value {
        Value::Object(fields) if source(column).named => {
            for (field, value) in fields {
                visit_all(value, &place(Some(field)), visit);
            }
        }
        value => visit_all(value, &place(None), visit),
    }
}

fn visit_all(value: &mut Value, place: &Place, visit: &mut impl FnMut(&Sealed, &Place) -> Option<Sealed>) {
    if let Ok(sealed) = Sealed::deserialize(&*value) {
        if let Some(anew) = visit(&sealed, place) {
            *value = serde_json::to_value(anew).expect("a sealed value is four texts");
        }
        return;
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| visit_all(value, place, visit)),
        Value::Array(items) => items.iter_mut().for_each(|value| visit_all(value, place, visit)),
        _ => {}
    }
}

fn unreadable(place: &Place, error: &CryptoError) -> String {
    format!("{place}: {error}")
}
