//! The store: all SQL of the product, for SQLite and PostgreSQL from one set of functions.
//!
//! [`Store`] opens the database and hands out transactions; the functions of the submodules, one file per group
//! of tables, take a [`Connection`], so that their callers own the transactions. Statements use `$1` placeholders
//! and the types BIGINT, TEXT, DOUBLE PRECISION and BLOB/BYTEA, which is what `sqlx::Any` reads from both
//! databases. Every query on a tenant's rows names the tenant. Secrets arrive sealed.
//!
//! No alert waits for the store: only the recorder and whoever changes configuration use it.

pub mod alerts;
pub mod api_tokens;
pub mod audit;
pub mod backup;
pub mod bindings;
pub mod bots;
pub mod changes;
pub mod channel_health;
pub mod channels;
pub mod chat_commands;
pub mod config;
pub mod deliveries;
#[cfg(any(test, feature = "testing"))]
pub mod dump;
mod error;
pub mod events;
#[cfg(any(test, feature = "testing"))]
pub mod filling;
pub mod hidden;
pub mod history;
pub mod installation;
pub mod interceptions;
pub mod invites;
pub mod leases;
pub mod links;
mod lists;
pub mod lockouts;
pub mod marks;
mod migrate;
pub mod mutes;
pub mod pulseguard;
pub mod retention;
pub mod rules;
pub mod sealed;
pub mod senders;
pub mod sentinel;
pub mod sessions;
pub mod signing_keys;
pub mod silences;
mod sql;
pub mod tallies;
pub mod templates;
pub mod tenants;
#[cfg(test)]
pub(crate) mod tests;
pub mod usage;
pub mod users;

use std::{
    fs,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions as _, Transaction, any::AnyConnectOptions, any::AnyPoolOptions,
};

pub use error::StoreError;
pub use lists::{Found, Place, SCANNED_MAX};

/// What the functions of the store work on; a [`Tx`] is one.
pub type Connection = AnyConnection;

/// A transaction. Dropped without [`Tx::commit`], it is rolled back.
pub type Tx = Transaction<'static, Any>;

/// How long to wait for a connection, including the attempt to make one.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to PostgreSQL: the recorder, provisioning, and requests of the API.
const POSTGRES_CONNECTIONS: u32 = 8;

/// Connections that read the SQLite file while the one that writes is busy.
const SQLITE_READERS: u32 = 4;

/// The file in the data folder.
const SQLITE_FILE: &str = "watchbell.db";

/// WAL, so that readers of other processes do not block the writer. `synchronous = FULL`: a fact leaves the queue
/// once it is committed here, and with NORMAL a power failure could take the last commits back; the recorder
/// writes batches, so that is one fsync per batch.
const SQLITE_SESSION: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                              PRAGMA busy_timeout = 5000; PRAGMA journal_size_limit = 67108864";

/// Readers write nothing, not even a checkpoint: see [`Store::open_file`].
const SQLITE_READER: &str = "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000";

/// A statement that runs longer, or a transaction that idles longer, holds locks that others wait for.
const POSTGRES_SESSION: &str =
    "SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'";

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// An open database with all migrations applied. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    /// Those of SQLite; PostgreSQL has one pool for all.
    readers: AnyPool,
    engine: Engine,
    /// How many transactions began: as long as this grows, whoever waits in vain met a crowd and no failure.
    begun: Arc<AtomicU64>,
}

impl Store {
    /// Opens the database that `database.url` names (`sqlite` is a file in `data_dir`) and applies migrations.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it may work later, [`StoreError::Unusable`] when it will not.
    pub async fn open(url: &SecretString, data_dir: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let store = match url.expose_secret() {
            "sqlite" => Self::open_file(&data_dir.join(SQLITE_FILE)).await?,
            url => Self::open_server(url).await?,
        };
        migrate::run(&store).await?;
        Ok(store)
    }

    async fn open_file(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Unavailable(format!("{}: {error}", path.display()));
        // Made here and not by SQLite, so that only its owner reads the alerts in it.
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let file = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        drop(file);
        // One connection that writes and checkpoints: two could meet the WAL-reset fault that SQLite had until
        // 3.51.3, and a second would only wait for the first. It never expires.
        let options = AnyPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let url = format!("sqlite://{}?mode=rw", percent_encode(path));
        let pool = connect(options, &url, SQLITE_SESSION).await?;
        let readers = AnyPoolOptions::new().min_connections(0).max_connections(SQLITE_READERS);
        let readers = connect(readers, &url, SQLITE_READER).await?;
        Ok(Self { pool, readers, engine: Engine::Sqlite, begun: Arc::default() })
    }

    async fn open_server(url: &str) -> Result<Self, StoreError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(StoreError::from(sqlx::Error::Configuration("unknown scheme".into())));
        }
        let options = AnyPoolOptions::new().max_connections(POSTGRES_CONNECTIONS);
        let pool = connect(options, url, POSTGRES_SESSION).await?;
        Ok(Self { readers: pool.clone(), pool, engine: Engine::Postgres, begun: Arc::default() })
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        // SQLite: take the write lock now, since a transaction that begins as a reader cannot wait for it later.
        let statement = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        self.begun(&self.pool, statement).await
    }

    /// Begins a transaction that reads one state of the database, whatever others commit meanwhile.
    pub async fn begin_read(&self) -> Result<Tx, StoreError> {
        let statement = match self.engine {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        };
        self.begun(&self.readers, statement).await
    }

    /// Begins a transaction as soon as a connection is free; whoever waits longest is next.
    async fn begun(&self, pool: &AnyPool, statement: &'static str) -> Result<Tx, StoreError> {
        let before = self.begun.load(Relaxed);
        match pool.begin_with(statement).await {
            Ok(tx) => {
                self.begun.fetch_add(1, Relaxed);
                Ok(tx)
            }
            // A file is always there. A server is, if it answered somebody meanwhile.
            Err(sqlx::Error::PoolTimedOut) if self.engine == Engine::Sqlite || self.begun.load(Relaxed) != before => {
                Err(StoreError::Busy(format!("no connection was free within {} s", ACQUIRE_TIMEOUT.as_secs())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the database answers: a cheap round trip.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// The database's name and version, for the start-up log.
    pub async fn version(&self) -> Result<String, StoreError> {
        let statement = match self.engine {
            Engine::Sqlite => "SELECT 'SQLite ' || sqlite_version()",
            Engine::Postgres => "SELECT 'PostgreSQL ' || current_setting('server_version')",
        };
        Ok(sqlx::query_scalar(statement).fetch_one(&self.pool).await?)
    }

    /// Closes all connections; SQLite then folds its WAL into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.pool.close().await;
    }
}

async fn connect(options: AnyPoolOptions, url: &str, session: &'static str) -> Result<AnyPool, StoreError> {
    let pool = options
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(session).execute(connection).await.map(drop) })
        })
        .connect_with(url.parse::<AnyConnectOptions>()?.disable_statement_logging())
        .await?;
    Ok(pool)
}

/// A path as it may stand in a URL: everything but unreserved characters (RFC 3986 §2.3) and slashes is encoded.
fn percent_encode(path: &Path) -> String {
    use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _};
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut out, &byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
