//! Lists of history: latest first, in pages, with filters, at a bounded cost.
//!
//! A page reads one index in its order. Conditions that the index does not answer are checked row by row, but of at
//! most [`SCANNED_MAX`] rows: then the page ends there, even when it is not full, and the next one goes on. So a search
//! for what does not exist costs a few pages of milliseconds each, and never a walk through a million rows.

use std::{fmt, fmt::Write as _, str::FromStr};

use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::{Connection, StoreError, sql::Statement};
use crate::{clock::UnixMillis, ids::TenantId};

/// How many rows a page looks at when not every condition has an index.
pub const SCANNED_MAX: u32 = 10_000;

/// How many it looks at first: mostly enough, and to find the last of ten thousand is most of the work.
const SCANNED_FIRST: u32 = 500;

/// Where something stands in a list: its time, then its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub at: UnixMillis,
    pub id: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

/// A text that is no place.
#[derive(Debug, thiserror::Error)]
#[error("not a place of a list")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (at, id) = text.split_once('.').ok_or(NoPlace)?;
        Ok(Self { at: at.parse().map_err(|_| NoPlace)?, id: id.to_owned() })
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    pub items: Vec<T>,
    /// Behind which the next page begins; `None` at the end. A page that is not full may have a next one.
    pub next: Option<Place>,
}

/// A value of a condition.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Number(i64),
    Text(String),
}

/// A condition: SQL in which each `?` stands for one of the values, in order.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    sql: String,
    values: Vec<Value>,
}

impl Condition {
    pub(super) fn new(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        Self { sql: sql.into(), values: values.into_iter().collect() }
    }

    /// `column = value`, to be answered by an index.
    pub(super) fn equals(column: &str, value: impl Into<String>) -> Self {
        Self::new(format!("{column} = ?"), [Value::Text(value.into())])
    }

    /// `column` is one of the words, checked row by row: the empty text that is added hides the column from the
    /// planners, which would else sort all rows of an index that is in another order.
    pub(super) fn one_of(column: &str, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values: Vec<_> = words.into_iter().map(|word| Value::Text(word.into())).collect();
        let marks = vec!["?"; values.len()].join(", ");
        Self::new(format!("({column} || '') IN ({marks})"), values)
    }

    /// Every word stands in the text, in any case (of ASCII letters at least).
    pub(super) fn contains(text: &str, words: &str) -> Vec<Self> {
        let escape = |word: &str| word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let one = |word: &str| {
            let pattern = format!("%{}%", escape(&word.to_lowercase()));
            Self::new(format!("lower({text}) LIKE ? ESCAPE '\\'"), [Value::Text(pattern)])
        };
        words.split_whitespace().map(one).collect()
    }
}

/// What a list is asked for.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Each of them has an index in the order of the list; a row must meet one of them. None: the index by time.
    pub(super) any: Vec<Condition>,
    /// A row must meet all of them.
    pub(super) all: Vec<Condition>,
}

/// A table that is listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    pub(super) columns: &'static str,
    pub(super) from: &'static str,
    /// The tenant's, the time's and the id's column.
    pub(super) keys: [&'static str; 3],
}

/// Text and values of a statement under construction.
struct Text {
    sql: String,
    values: Vec<Value>,
}

impl Text {
    fn and(&mut self, condition: &str, values: &[Value]) {
        self.sql.push_str(" AND ");
        for (index, part) in condition.split('?').enumerate() {
            if index > 0 {
                self.values.push(values[index - 1].clone());
                let _ = write!(self.sql, "${}", self.values.len());
            }
            self.sql.push_str(part);
        }
    }

    fn statement(self, end: &str) -> Statement {
        // Safe: the text is made of constants and numbers.
        let statement = sqlx::query(AssertSqlSafe(format!("{}{end}", self.sql)));
        self.values.into_iter().fold(statement, |statement, value| match value {
            Value::Number(number) => statement.bind(number),
            Value::Text(text) => statement.bind(text),
        })
    }
}

/// One index in its order.
struct Run {
    rows: Vec<(Place, AnyRow)>,
    /// How far it looked, when that was not far enough.
    horizon: Option<Place>,
}

impl List {
    /// A page of at most `limit` rows behind `before`.
    pub(super) async fn page<T>(
        &self,
        connection: &mut Connection,
        tenant: TenantId,
        query: &Query,
        (before, limit): (Option<&Place>, u32),
        read: impl Fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Found<T>, StoreError> {
        let mut rows = Vec::new();
        let mut horizon: Option<Place> = None;
        let runs = if query.any.is_empty() { vec![None] } else { query.any.iter().map(Some).collect() };
        for lead in runs {
            let run = self.run(connection, tenant, (lead, &query.all), (before, limit)).await?;
            rows.extend(run.rows);
            horizon = horizon.max(run.horizon);
        }
        if let Some(horizon) = &horizon {
            rows.retain(|(place, _)| place >= horizon);
        }
        rows.sort_by(|(a, _), (b, _)| b.cmp(a));
        rows.dedup_by(|(a, _), (b, _)| a == b);
        let limit = limit as usize;
        let next = if rows.len() > limit { Some(rows[limit - 1].0.clone()) } else { horizon };
        rows.truncate(limit);
        Ok(Found { items: rows.iter().map(|(_, row)| read(row)).collect::<Result<_, _>>()?, next })
    }

    /// How many of the latest [`SCANNED_MAX`] rows meet all conditions.
    pub(super) async fn count(
        &self,
        connection: &mut Connection,
        tenant: TenantId,
        conditions: &[Condition],
    ) -> Result<i64, StoreError> {
        let [whose, at, id] = self.keys;
        let sql = format!(
            "SELECT count(*) FROM (SELECT * FROM {from} WHERE {whose} = $1 ORDER BY {at} DESC, {id} DESC
                LIMIT {SCANNED_MAX}) {from} WHERE 1 = 1",
            from = self.from
        );
        let mut text = Text { sql, values: vec![Value::Number(tenant.0)] };
        for Condition { sql, values } in conditions {
            text.and(sql, values);
        }
        Ok(text.statement("").fetch_one(connection).await?.try_get(0)?)
    }

    async fn run(
        &self,
        connection: &mut Connection,
        tenant: TenantId,
        (lead, all): (Option<&Condition>, &[Condition]),
        (before, limit): (Option<&Place>, u32),
    ) -> Result<Run, StoreError> {
        let run = self.look(connection, tenant, (lead, all), (before, limit), SCANNED_FIRST).await?;
        if run.horizon.is_none() {
            return Ok(run);
        }
        self.look(connection, tenant, (lead, all), (before, limit), SCANNED_MAX).await
    }

    async fn look(
        &self,
        connection: &mut Connection,
        tenant: TenantId,
        (lead, all): (Option<&Condition>, &[Condition]),
        (before, limit): (Option<&Place>, u32),
        scanned: u32,
    ) -> Result<Run, StoreError> {
        let horizon = self.horizon(connection, tenant, (lead, all), (before, scanned)).await?;
        let text = self.text(tenant, (lead, all), (before, horizon.as_ref()));
        let end = format!("{} LIMIT {}", self.latest_first(), limit + 1);
        let rows = text.statement(&end).fetch_all(connection).await?;
        let rows = rows.into_iter().map(|row| Ok((place(&row)?, row))).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Run { horizon: horizon.filter(|_| rows.len() <= limit as usize), rows })
    }

    /// The last row that a page looks at, when not all conditions have an index and there are so many rows.
    async fn horizon(
        &self,
        connection: &mut Connection,
        tenant: TenantId,
        (lead, all): (Option<&Condition>, &[Condition]),
        (before, scanned): (Option<&Place>, u32),
    ) -> Result<Option<Place>, StoreError> {
        if all.is_empty() {
            return Ok(None);
        }
        let columns = format!("{} AS at_, {} AS id_", self.keys[1], self.keys[2]);
        let end = format!("{} LIMIT 1 OFFSET {}", self.latest_first(), scanned - 1);
        let statement = self.select(&columns, tenant, lead, before).statement(&end);
        let row = statement.fetch_optional(connection).await?;
        row.map(|row| place(&row)).transpose()
    }

    /// The statement of a page, up to its order.
    fn text(
        &self,
        tenant: TenantId,
        (lead, all): (Option<&Condition>, &[Condition]),
        (before, horizon): (Option<&Place>, Option<&Place>),
    ) -> Text {
        let columns = format!("{}, {} AS at_, {} AS id_", self.columns, self.keys[1], self.keys[2]);
        let mut text = self.select(&columns, tenant, lead, before);
        if let Some(Place { at, id }) = horizon {
            let behind = format!("({}, {}) >= (?, ?)", self.keys[1], self.keys[2]);
            text.and(&behind, &[Value::Number(*at), Value::Text(id.clone())]);
        }
        for Condition { sql, values } in all {
            text.and(sql, values);
        }
        text
    }

    /// How the database would read the first page, line by line; of several runs, the first.
    #[cfg(any(test, feature = "testing"))]
    pub(super) async fn explain(
        &self,
        connection: &mut Connection,
        tenant: TenantId,
        query: &Query,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let conditions = (query.any.first(), &query.all[..]);
        let horizon = self.horizon(connection, tenant, conditions, (None, SCANNED_MAX)).await?;
        let mut text = self.text(tenant, conditions, (None, horizon.as_ref()));
        let sqlite = connection.backend_name() == "SQLite";
        text.sql.insert_str(0, if sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN (COSTS OFF) " });
        let end = format!("{} LIMIT {}", self.latest_first(), limit + 1);
        let rows = text.statement(&end).fetch_all(connection).await?;
        // SQLite's lines stand in the fourth column.
        let column = if sqlite { 3 } else { 0 };
        rows.iter().map(|row| Ok(row.try_get::<String, _>(column)?)).collect()
    }

    fn select(&self, columns: &str, tenant: TenantId, lead: Option<&Condition>, before: Option<&Place>) -> Text {
        let sql = format!("SELECT {columns} FROM {} WHERE {} = $1", self.from, self.keys[0]);
        let mut text = Text { sql, values: vec![Value::Number(tenant.0)] };
        if let Some(Condition { sql, values }) = lead {
            text.and(sql, values);
        }
        if let Some(Place { at, id }) = before {
            let behind = format!("({}, {}) < (?, ?)", self.keys[1], self.keys[2]);
            text.and(&behind, &[Value::Number(*at), Value::Text(id.clone())]);
        }
        text
    }

    fn latest_first(&self) -> String {
        format!(" ORDER BY {} DESC, {} DESC", self.keys[1], self.keys[2])
    }
}

fn place(row: &AnyRow) -> Result<Place, StoreError> {
    Ok(Place { at: row.try_get("at_")?, id: row.try_get("id_")? })
}
