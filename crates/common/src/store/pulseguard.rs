//! Reads the SQLite file of a `PulseGuard`, and never writes to it.
//!
//! Texts and numbers are read whatever type SQLite gave them. What is small is read at once, in one transaction with
//! the history, which may be long and is read in pages.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, types::ValueRef};
use secrecy::SecretString;

use crate::clock::UnixMillis;

/// The tables that are read; a database without one of them is another program's.
const TABLES: [&str; 9] = [
    "bots",
    "channel_templates",
    "channels",
    "commands",
    "invite_codes",
    "push_logs",
    "silences",
    "templates",
    "tenants",
];

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("it is not a PulseGuard database: it has no table `{0}`")]
    AnotherProgram(&'static str),
    #[error("it cannot be read as a PulseGuard database (one of an older version must be opened by the newest once)")]
    Sqlite(#[from] rusqlite::Error),
}

/// An account, which is a tenant too.
#[derive(Debug)]
pub struct Tenant {
    pub id: i64,
    pub email: String,
    pub password_hash: String,
    pub display_name: String,
    pub admin: bool,
    pub active: bool,
    pub created_at: UnixMillis,
}

/// A code with which somebody may register.
#[derive(Debug)]
pub struct Invite {
    pub code: SecretString,
    pub expires_at: Option<UnixMillis>,
    pub used: bool,
    pub created_at: UnixMillis,
}

/// Credentials; what ends in `_enc` is encrypted.
#[derive(Debug)]
pub struct Bot {
    pub id: i64,
    pub name: String,
    pub platform: String,
    pub kind: String,
    pub description: String,
    pub enabled: bool,
    pub token_enc: Vec<u8>,
    pub smtp_host: String,
    pub smtp_port: i64,
    pub smtp_username: String,
    pub smtp_password_enc: Vec<u8>,
    pub smtp_from: String,
    pub smtp_use_tls: bool,
}

/// How messages are written.
#[derive(Debug)]
pub struct Template {
    pub id: i64,
    pub name: String,
    pub parse_mode: String,
    pub body: String,
}

/// Where messages go.
#[derive(Debug)]
pub struct Channel {
    pub id: i64,
    pub name: String,
    pub push_token: SecretString,
    pub bot: i64,
    pub chat_id: String,
    pub rate_per_min: i64,
    pub dedup_window_s: i64,
    pub enabled: bool,
    /// In the order in which they are tried.
    pub templates: Vec<Binding>,
}

/// A channel's use of a template.
#[derive(Debug)]
pub struct Binding {
    pub template: i64,
    pub default: bool,
    /// Empty: never by itself.
    pub condition: String,
}

/// A script that answers in a chat.
#[derive(Debug)]
pub struct Command {
    pub bot: i64,
    pub name: String,
    pub description: String,
    pub code: String,
    pub enabled: bool,
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
}

/// What is kept from the channels.
#[derive(Debug)]
pub struct Silence {
    /// The beginning of a fingerprint.
    pub pattern: String,
    pub created_by: String,
    pub expires_at: UnixMillis,
}

/// The end of a push.
#[derive(Debug)]
pub struct Log {
    pub id: i64,
    pub channel: i64,
    pub payload: String,
    pub status: String,
    pub error: String,
    pub attempts: i64,
    pub created_at: UnixMillis,
}

/// The file, open for reading.
#[derive(Debug)]
pub struct Source(Connection);

impl Source {
    /// Opens the file and begins to read one state of it.
    ///
    /// # Errors
    /// When it is no database, or that of another program.
    pub fn open(file: &Path) -> Result<Self, ReadError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; BEGIN")?;
        for table in TABLES {
            let statement = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
            let there: i64 = connection.query_row(statement, [table], |row| row.get(0))?;
            if there == 0 {
                return Err(ReadError::AnotherProgram(table));
            }
        }
        Ok(Self(connection))
    }

    /// All accounts.
    pub fn tenants(&self) -> Result<Vec<Tenant>, ReadError> {
        let statement = "SELECT * FROM tenants WHERE id >= ?1 ORDER BY id";
        self.rows(statement, 0, |row| {
            Ok(Tenant {
                id: row.get("id")?,
                email: text(row, "email")?,
                password_hash: text(row, "password_hash")?,
                display_name: text(row, "display_name")?,
                admin: text(row, "role")? == "admin",
                active: text(row, "status")? == "active",
                created_at: number(row, "created_at")?,
            })
        })
    }

    /// The invites that an account made.
    pub fn invites(&self, tenant: i64) -> Result<Vec<Invite>, ReadError> {
        let statement = "SELECT * FROM invite_codes WHERE created_by = ?1 ORDER BY created_at, code";
        self.rows(statement, tenant, |row| {
            Ok(Invite {
                code: text(row, "code")?.into(),
                expires_at: Some(number(row, "expires_at")?).filter(|at| *at > 0),
                used: number(row, "used_at")? > 0,
                created_at: number(row, "created_at")?,
            })
        })
    }

    /// An account's bots.
    pub fn bots(&self, tenant: i64) -> Result<Vec<Bot>, ReadError> {
        self.rows("SELECT * FROM bots WHERE tenant_id = ?1 ORDER BY id", tenant, |row| {
            Ok(Bot {
                id: row.get("id")?,
                name: text(row, "name")?,
                platform: text(row, "platform")?,
                kind: text(row, "bot_kind")?,
                description: text(row, "description")?,
                enabled: number(row, "enabled")? != 0,
                token_enc: bytes(row, "bot_token_enc")?,
                smtp_host: text(row, "smtp_host")?,
                smtp_port: number(row, "smtp_port")?,
                smtp_username: text(row, "smtp_username")?,
                smtp_password_enc: bytes(row, "smtp_password_enc")?,
                smtp_from: text(row, "smtp_from")?,
                smtp_use_tls: number(row, "smtp_use_tls")? != 0,
            })
        })
    }

    /// An account's templates.
    pub fn templates(&self, tenant: i64) -> Result<Vec<Template>, ReadError> {
        self.rows("SELECT * FROM templates WHERE tenant_id = ?1 ORDER BY id", tenant, |row| {
            Ok(Template {
                id: row.get("id")?,
                name: text(row, "name")?,
                parse_mode: text(row, "parse_mode")?,
                body: text(row, "body")?,
            })
        })
    }

    /// An account's channels and the templates that they use.
    pub fn channels(&self, tenant: i64) -> Result<Vec<Channel>, ReadError> {
        let mut channels = self.rows("SELECT * FROM channels WHERE tenant_id = ?1 ORDER BY id", tenant, |row| {
            Ok(Channel {
                id: row.get("id")?,
                name: text(row, "name")?,
                push_token: text(row, "push_token")?.into(),
                bot: number(row, "bot_id")?,
                chat_id: text(row, "chat_id")?,
                rate_per_min: number(row, "rate_per_min")?,
                dedup_window_s: number(row, "dedup_window_s")?,
                enabled: number(row, "enabled")? != 0,
                templates: Vec::new(),
            })
        })?;
        for channel in &mut channels {
            let statement = "SELECT * FROM channel_templates WHERE channel_id = ?1 ORDER BY sort_order, template_id";
            channel.templates = self.rows(statement, channel.id, |row| {
                Ok(Binding {
                    template: row.get("template_id")?,
                    default: number(row, "is_default")? != 0,
                    condition: text(row, "condition")?,
                })
            })?;
        }
        Ok(channels)
    }

    /// An account's scripts.
    pub fn commands(&self, tenant: i64) -> Result<Vec<Command>, ReadError> {
        self.rows("SELECT * FROM commands WHERE tenant_id = ?1 ORDER BY id", tenant, |row| {
            Ok(Command {
                bot: number(row, "bot_id")?,
                name: text(row, "name")?,
                description: text(row, "description")?,
                code: text(row, "code")?,
                enabled: number(row, "enabled")? != 0,
                created_at: number(row, "created_at")?,
                updated_at: number(row, "updated_at")?,
            })
        })
    }

    /// An account's silences, expired ones too.
    pub fn silences(&self, tenant: i64) -> Result<Vec<Silence>, ReadError> {
        self.rows("SELECT * FROM silences WHERE tenant_id = ?1 ORDER BY id", tenant, |row| {
            Ok(Silence {
                pattern: text(row, "pattern")?,
                created_by: text(row, "created_by")?,
                expires_at: number(row, "expires_at")?,
            })
        })
    }

    /// An account's history: at most `limit` ends of pushes behind the one with the id `after`.
    pub fn logs(&self, tenant: i64, after: i64, limit: usize) -> Result<Vec<Log>, ReadError> {
        let statement =
            format!("SELECT * FROM push_logs WHERE tenant_id = ?1 AND id > {after} ORDER BY id LIMIT {limit}");
        self.rows(&statement, tenant, |row| {
            Ok(Log {
                id: row.get("id")?,
                channel: number(row, "channel_id")?,
                payload: text(row, "payload_json")?,
                status: text(row, "status")?,
                error: text(row, "error")?,
                attempts: number(row, "attempts")?,
                created_at: number(row, "created_at")?,
            })
        })
    }

    /// The highest id of a template, of whatever account.
    pub fn last_template(&self) -> Result<i64, ReadError> {
        Ok(self.0.query_row("SELECT COALESCE(max(id), 0) FROM templates", [], |row| row.get(0))?)
    }

    /// How many pushes were accepted and neither sent nor given up; 0 where there is no such table.
    pub fn waiting(&self) -> i64 {
        let statement = "SELECT count(*) FROM push_outbox WHERE status IN ('pending', 'in_flight', 'retry')";
        self.0.query_row(statement, [], |row| row.get(0)).unwrap_or_default()
    }

    fn rows<T>(
        &self,
        statement: &str,
        parameter: i64,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ReadError> {
        let mut statement = self.0.prepare(statement)?;
        let rows = statement.query_map([parameter], read)?.collect::<rusqlite::Result<_>>()?;
        Ok(rows)
    }
}

/// A text; absent is empty.
fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    })
}

/// A whole number; absent is 0.
fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<i64> {
    Ok(row.get::<_, Option<i64>>(column)?.unwrap_or_default())
}

/// Bytes; absent is none.
fn bytes(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<u8>> {
    Ok(row.get::<_, Option<Vec<u8>>>(column)?.unwrap_or_default())
}
