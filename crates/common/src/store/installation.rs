//! What belongs to the installation and not to a tenant: settings that change at run time, by name.

use super::{Connection, StoreError};

/// The value of that name.
pub async fn get(connection: &mut Connection, name: &str) -> Result<Option<String>, StoreError> {
    let statement = "SELECT value FROM installation WHERE name = $1";
    Ok(sqlx::query_scalar(statement).bind(name.to_owned()).fetch_optional(connection).await?)
}

/// Gives a name a value, instead of the one before.
pub async fn put(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    let statement = "INSERT INTO installation (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(statement).bind(name.to_owned()).bind(value.to_owned()).execute(connection).await?;
    Ok(())
}

/// Takes a name's value away.
pub async fn remove(connection: &mut Connection, name: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM installation WHERE name = $1").bind(name.to_owned()).execute(connection).await?;
    Ok(())
}
