//! The ledger: one line per open event, changed in the same transaction as the event's jobs.

use rusqlite::{Row, types::FromSqlError};
use uuid::Uuid;

use super::{tally::Sum, writer::Desk};
use crate::{
    ids::{EventId, TenantId},
    queue::{AUDIT_EXAMPLES_MAX, Audit, Books, Ending},
};

/// How one step changes the lines of the events it touches.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<Change>);

/// How one step changes one line.
#[derive(Debug)]
struct Change {
    event: EventId,
    tenant: TenantId,
    pending: i64,
    dead: i64,
    ending: Option<Ending>,
}

impl Changes {
    /// `n` live jobs more.
    pub(super) fn pending(&mut self, event: Option<EventId>, tenant: TenantId, n: i64) {
        if let Some(event) = event {
            self.of(event, tenant).pending += n;
        }
    }

    /// `n` dead jobs more.
    pub(super) fn dead(&mut self, event: Option<EventId>, tenant: TenantId, n: i64) {
        if let Some(event) = event {
            self.of(event, tenant).dead += n;
        }
    }

    /// One job ended like this.
    pub(super) fn ended(&mut self, event: Option<EventId>, tenant: TenantId, ending: Ending) {
        if let Some(event) = event {
            let change = self.of(event, tenant);
            change.ending = best(change.ending, Some(ending));
        }
    }

    fn of(&mut self, event: EventId, tenant: TenantId) -> &mut Change {
        let known = self.0.iter().position(|change| change.event == event);
        let index = known.unwrap_or_else(|| {
            self.0.push(Change { event, tenant, pending: 0, dead: 0, ending: None });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

/// The better of two endings.
fn best(one: Option<Ending>, other: Option<Ending>) -> Option<Ending> {
    one.into_iter().chain(other).min()
}

/// A line as it is in the table.
#[derive(Debug, Clone, Copy)]
struct Line {
    tenant: TenantId,
    pending: i64,
    dead: i64,
    ending: Option<Ending>,
}

impl Line {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let ending = match row.get_ref(3)?.as_str_or_null()? {
            None => None,
            Some(name) => {
                Some(Ending::ALL.into_iter().find(|ending| ending.as_str() == name).ok_or(FromSqlError::InvalidType)?)
            }
        };
        Ok(Self { tenant: TenantId(row.get(0)?), pending: row.get(1)?, dead: row.get(2)?, ending })
    }

    /// Which sum of the books counts it: a live job makes it pending, else a dead one dead; else it has ended.
    fn sum(&self) -> Option<Sum> {
        match (self.pending, self.dead) {
            (1.., _) => Some(Sum::Pending),
            (_, 1..) => Some(Sum::Dead),
            _ => None,
        }
    }
}

impl Desk {
    /// Carries the changes of one step into the ledger.
    pub(super) fn write_lines(&mut self, changes: Changes) -> rusqlite::Result<()> {
        changes.0.into_iter().try_for_each(|change| self.write_line(&change))
    }

    fn write_line(&mut self, change: &Change) -> rusqlite::Result<()> {
        match change {
            Change { pending: 0, dead: 0, ending: None, .. } => Ok(()),
            Change { pending: 1.., dead: 0, ending: None, .. } => self.add_jobs(change),
            Change { pending: -1, dead: 0, ending: Some(ending), .. } => {
                if self.end_last_job(change.event, *ending)? {
                    Ok(())
                } else {
                    self.rewrite_line(change)
                }
            }
            _ => self.rewrite_line(change),
        }
    }

    /// The usual beginning, in one statement: jobs of an event are pushed.
    fn add_jobs(&mut self, change: &Change) -> rusqlite::Result<()> {
        let now = self.first(
            "INSERT INTO ledger VALUES (?1, ?2, ?3, 0, NULL) ON CONFLICT DO UPDATE SET pending = pending + ?3
             RETURNING tenant, pending, dead, ending",
            (change.event.uuid(), change.tenant.0, change.pending),
            Line::read,
        )?;
        let line = now.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let before = Line { pending: line.pending - change.pending, ..line };
        // No line is kept that counts no job, so this one is new.
        match before.sum() {
            Some(sum) => self.tally.book(line.tenant, sum, -1),
            None => self.tally.book(line.tenant, Sum::Received, 1),
        }
        self.tally.book(line.tenant, Sum::Pending, 1);
        Ok(())
    }

    /// The usual end, in one statement: the only job of an event is done. `false`: it is not that simple.
    fn end_last_job(&mut self, event: EventId, ending: Ending) -> rusqlite::Result<bool> {
        let line = self.first(
            "DELETE FROM ledger WHERE event = ?1 AND pending = 1 AND dead = 0
             RETURNING tenant, pending, dead, ending",
            [event.uuid()],
            Line::read,
        )?;
        let Some(line) = line else { return Ok(false) };
        self.tally.book(line.tenant, Sum::Pending, -1);
        self.tally.book(line.tenant, Sum::Ended(line.ending.map_or(ending, |known| known.min(ending))), 1);
        Ok(true)
    }

    /// Any other change.
    fn rewrite_line(&mut self, change: &Change) -> rusqlite::Result<()> {
        let event = change.event.uuid();
        let before =
            self.first("SELECT tenant, pending, dead, ending FROM ledger WHERE event = ?1", [&event], Line::read)?;
        let tenant = before.map_or(change.tenant, |line| line.tenant);
        let from = before.unwrap_or(Line { tenant, pending: 0, dead: 0, ending: None });
        let line = Line {
            tenant,
            pending: (from.pending + change.pending).max(0),
            dead: (from.dead + change.dead).max(0),
            ending: best(from.ending, change.ending),
        };
        match before.and_then(|line| line.sum()) {
            Some(sum) => self.tally.book(tenant, sum, -1),
            None => self.tally.book(tenant, Sum::Received, 1),
        }
        // A completion without an ending is refused unless a successor carries the event on, so the last job of an
        // event always says how it ended. `Unrouted` is what is left to say if a file was tampered with.
        let sum = line.sum().unwrap_or(Sum::Ended(line.ending.unwrap_or(Ending::Unrouted)));
        self.tally.book(tenant, sum, 1);
        if line.sum().is_some() {
            self.run(
                "INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET pending = excluded.pending, dead = excluded.dead, ending = excluded.ending",
                (&event, tenant.0, line.pending, line.dead, line.ending.map(Ending::as_str)),
            )?;
        } else if before.is_some() {
            self.run("DELETE FROM ledger WHERE event = ?1", [&event])?;
        }
        Ok(())
    }

    /// See [`Queue::books`](crate::queue::Queue::books).
    pub(super) fn books(&self) -> rusqlite::Result<Vec<(TenantId, Books)>> {
        self.all(
            "SELECT tenant, received, delivered, silenced, deduplicated, unrouted, muted, dead, pending
             FROM books ORDER BY tenant",
            [],
            |row| {
                let books = Books {
                    received: row.get(1)?,
                    delivered: row.get(2)?,
                    silenced: row.get(3)?,
                    deduplicated: row.get(4)?,
                    unrouted: row.get(5)?,
                    muted: row.get(6)?,
                    dead: row.get(7)?,
                    pending: row.get(8)?,
                };
                Ok((TenantId(row.get(0)?), books))
            },
        )
    }

    /// See [`Queue::audit`](crate::queue::Queue::audit). Runs in one transaction like everything here, so it is exact
    /// even while the queue is busy; nothing else happens meanwhile (a second or two for a million jobs).
    pub(super) fn audit(&self) -> rusqlite::Result<Audit> {
        let count = |sql| self.first(sql, [], |row| row.get(0)).map(Option::unwrap_or_default);
        let mut audit = Audit {
            lines: count("SELECT count(*) FROM ledger")?,
            jobs: count("SELECT count(*) FROM jobs WHERE event IS NOT NULL")?,
            ..Audit::default()
        };
        let mut find = self.prepare(
            "SELECT event FROM (
                 SELECT event, pending, dead, 0 AS jobs FROM ledger
                 UNION ALL
                 SELECT event, -(place <> 'dead'), -(place = 'dead'), 1 FROM jobs WHERE event IS NOT NULL
             ) GROUP BY event HAVING sum(pending) <> 0 OR sum(dead) <> 0 OR sum(jobs) = 0",
        )?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            audit.wrong_total += 1;
            if audit.wrong.len() < AUDIT_EXAMPLES_MAX {
                audit.wrong.push(EventId::from_uuid(row.get::<_, Uuid>(0)?));
            }
        }
        Ok(audit)
    }
}
