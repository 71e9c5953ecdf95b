//! What the statements share: rows in bulk, and texts that both databases take.

use std::fmt::Write as _;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Any, AssertSqlSafe, any::AnyArguments, any::AnyRow, query::Query};

use super::{Connection, StoreError};

/// Parameters of one statement. SQLite allows 32,766 and PostgreSQL 65,535; longer statements gain nothing.
const PARAMETERS_MAX: usize = 4_096;

pub(super) type Statement = Query<'static, Any, AnyArguments>;

/// `INSERT INTO <head> VALUES ($1, $2), ($3, $4) … <tail>`, a few statements for any number of rows.
pub(super) struct Insert {
    /// The table and its columns.
    pub(super) head: &'static str,
    pub(super) columns: usize,
    /// `ON CONFLICT …`, `RETURNING …`.
    pub(super) tail: &'static str,
}

impl Insert {
    /// Inserts `rows`, which `bind` adds to the statement column by column. The answers are what `RETURNING` gave.
    pub(super) async fn run<T>(
        &self,
        connection: &mut Connection,
        rows: &[T],
        bind: impl Fn(Statement, &T) -> Statement,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let mut answers = Vec::new();
        for part in rows.chunks(PARAMETERS_MAX / self.columns) {
            // Safe: the text is made of constants and numbers. Not kept prepared, since its length varies.
            let statement = sqlx::query(AssertSqlSafe(self.text(part.len()))).persistent(false);
            let statement = part.iter().fold(statement, &bind);
            answers.extend(statement.fetch_all(&mut *connection).await?);
        }
        Ok(answers)
    }

    fn text(&self, rows: usize) -> String {
        let mut text = format!("INSERT INTO {} VALUES ", self.head);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { "), (" });
            let first = row * self.columns + 1;
            let _ = write!(text, "${first}");
            for parameter in first + 1..first + self.columns {
                let _ = write!(text, ", ${parameter}");
            }
        }
        let _ = write!(text, ") {}", self.tail);
        text
    }
}

/// A text that both databases take: PostgreSQL refuses U+0000, so the replacement character stands for it.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A value as JSON text.
pub(super) fn json(value: &impl Serialize) -> String {
    clean(&serde_json::to_string(value).expect("what the store keeps as JSON has string keys and finite numbers"))
}

/// Reads JSON text.
pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged { what, why: error.to_string() })
}

/// Reads a word of an enumeration, as serde spells it.
pub(super) fn from_word<T: DeserializeOwned>(what: &'static str, word: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|error| StoreError::Damaged { what, why: error.to_string() })
}

/// Reads an id.
pub(super) fn from_id<T: std::str::FromStr<Err = crate::ids::BadId>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error: crate::ids::BadId| StoreError::Damaged { what: "an id", why: error.to_string() })
}

/// Whether one row was changed; none means that the tenant has no such row.
pub(super) fn one_row(
    result: &sqlx::any::AnyQueryResult,
    what: &'static str,
    id: impl std::fmt::Display,
) -> Result<(), StoreError> {
    if result.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Missing { what, id: id.to_string() }) }
}

/// A whole number that the store keeps as BIGINT.
pub(super) fn narrow<T: TryFrom<i64>>(what: &'static str, number: i64) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::Damaged { what, why: format!("{number} is out of range") })
}
