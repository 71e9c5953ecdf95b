//! What the statements share: rows in bulk, and texts that both databases take.

use std::fmt::Write as _;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Any, AssertSqlSafe, any::AnyArguments, any::AnyRow, query::Query};

use super::{Connection, StoreError};
use crate::ids::TenantId;

/// Parameters of one statement. The databases allow tens of thousands, but to bind one to SQLite its name is compared
/// with those of the others: with 4,096, that took a quarter of the whole process.
pub(super) const PARAMETERS_MAX: usize = 128;

/// Cuts rows into parts of 1, 2, 4 … up to `max` rows: a few statement texts serve any number of rows and stay prepared.
pub(super) fn parts<T>(mut rows: &[T], max: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let most = rows.len().min(max);
        let part;
        (part, rows) = rows.split_at(if most == 0 { 0 } else { 1 << most.ilog2() });
        (!part.is_empty()).then_some(part)
    })
}

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
        for part in parts(rows, PARAMETERS_MAX / self.columns) {
            // Safe: the text is made of constants and numbers.
            let statement = sqlx::query(AssertSqlSafe(self.text(part.len())));
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

/// `<select> IN (…)`, where `$1` is the tenant: the rows of these ids, a few statements for any number of them.
pub(super) async fn of_ids(
    connection: &mut Connection,
    select: &'static str,
    tenant: TenantId,
    ids: &[impl ToString],
) -> Result<Vec<AnyRow>, StoreError> {
    let mut rows = Vec::new();
    for part in parts(ids, PARAMETERS_MAX / 2) {
        let marks: Vec<_> = (2..2 + part.len()).map(|parameter| format!("${parameter}")).collect();
        // Safe: the text is made of constants and numbers.
        let statement = sqlx::query(AssertSqlSafe(format!("{select} IN ({})", marks.join(", ")))).bind(tenant.0);
        let statement = part.iter().fold(statement, |statement, id| statement.bind(id.to_string()));
        rows.extend(statement.fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

/// A text that both databases take: PostgreSQL refuses U+0000, so the replacement character stands for it.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// `$3, $4 …`: so many parameters, from a number on.
pub(super) fn parameters(first: usize, many: usize) -> String {
    (first..first + many).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// The pattern of `LIKE … ESCAPE '!'` for texts that contain this one.
pub(super) fn contains(part: &str) -> String {
    let escaped = part.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{}%", clean(&escaped))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_sizes_and_leave_nothing_out() {
        let rows: Vec<_> = (0..23).collect();
        let sizes: Vec<_> = parts(&rows, 8).map(<[_]>::len).collect();
        assert_eq!(sizes, [8, 8, 4, 2, 1]);
        assert_eq!(parts(&rows, 5).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(parts(&rows[..0], 8).count(), 0);
    }
}
