//! Bindings, and the list of changes by which every process forgets what it remembers of them.

use ipnet::IpNet;
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::{Connection, StoreError, config, sql};
use crate::{
    binding::{Addresses, Binding, Mode, gateway::Runtime, token::KeyHash},
    clock::UnixMillis,
    ids::TenantId,
};

/// A binding as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    pub key: KeyHash,
    /// The secret as people may see it.
    pub masked: String,
    pub binding: Binding,
    pub created_at: UnixMillis,
    /// Written some seconds late.
    pub last_used_at: UnixMillis,
}

const COLUMNS: &str = "key_hash, masked, mode, addresses, blocked, created_at, last_used_at";

fn read(row: &AnyRow) -> Result<Bound, StoreError> {
    let binding = Binding {
        mode: mode(row.try_get("mode")?)?,
        addresses: addresses(row.try_get("addresses")?)?,
        blocked: row.try_get::<i64, _>("blocked")? != 0,
    };
    Ok(Bound {
        key: key(row.try_get("key_hash")?)?,
        masked: row.try_get("masked")?,
        binding,
        created_at: row.try_get("created_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}

fn mode(word: String) -> Result<Mode, StoreError> {
    sql::from_word("a binding's mode", word)
}

pub(super) fn key(text: &str) -> Result<KeyHash, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged { what: "a key's hash", why: format!("`{text}`") })
}

fn addresses(text: &str) -> Result<Addresses, StoreError> {
    let nets: Result<Vec<IpNet>, _> = text.split_ascii_whitespace().map(str::parse).collect();
    nets.map(Addresses::from)
        .map_err(|error| StoreError::Damaged { what: "a binding's addresses", why: error.to_string() })
}

/// Addresses as they are stored and shown.
pub fn text(addresses: &Addresses) -> String {
    let nets = addresses.as_slice().iter();
    nets.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// What [`get`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The number of the last change that is already in it: a later one may make it wrong.
    pub as_of: i64,
    pub bound: Option<Bound>,
}

/// The binding of a secret.
pub async fn get(connection: &mut Connection, tenant: TenantId, key: KeyHash) -> Result<Found, StoreError> {
    // One statement, so that number and binding are of one moment.
    let statement = "SELECT ids.last, found.key_hash, found.masked, found.mode, found.addresses, found.blocked,
            found.created_at, found.last_used_at
        FROM ids LEFT JOIN bindings AS found ON found.tenant_id = $1 AND found.key_hash = $2
        WHERE ids.kind = 'binding_changes'";
    let row = sqlx::query(statement).bind(tenant.0).bind(key.to_string()).fetch_one(connection).await?;
    let bound = row.try_get::<Option<&str>, _>("key_hash")?.is_some().then(|| read(&row)).transpose()?;
    Ok(Found { as_of: row.try_get("last")?, bound })
}

/// Binds a secret to a network, unless it is bound: one statement, so of many that try at once one succeeds. `true`
/// when it was this call. Commit, then [`get`] says what the secret is bound to.
pub async fn bind(
    connection: &mut Connection,
    tenant: TenantId,
    key: KeyHash,
    masked: &str,
    net: IpNet,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let binding = Binding::first_use(net);
    let bound = Bound { key, masked: masked.to_owned(), binding, created_at: now, last_used_at: now };
    Ok(insert(connection, tenant, &[bound]).await? == 1)
}

/// Adds bindings of secrets that have none, and says how many.
pub async fn insert(connection: &mut Connection, tenant: TenantId, bindings: &[Bound]) -> Result<usize, StoreError> {
    let insert = sql::Insert {
        head: "bindings (tenant_id, key_hash, masked, mode, addresses, blocked, created_at, last_used_at)",
        columns: 8,
        tail: "ON CONFLICT (tenant_id, key_hash) DO NOTHING RETURNING key_hash",
    };
    let new = insert.run(connection, bindings, |statement, bound| {
        statement
            .bind(tenant.0)
            .bind(bound.key.to_string())
            .bind(sql::clean(&bound.masked))
            .bind(bound.binding.mode.as_str())
            .bind(text(&bound.binding.addresses))
            .bind(i64::from(bound.binding.blocked))
            .bind(bound.created_at)
            .bind(bound.last_used_at)
    });
    Ok(new.await?.len())
}

/// Replaces what a secret is bound to: its mode, its addresses, whether it is blocked.
pub async fn set(
    connection: &mut Connection,
    tenant: TenantId,
    key: KeyHash,
    binding: &Binding,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE bindings SET mode = $1, addresses = $2, blocked = $3 WHERE tenant_id = $4 AND key_hash = $5",
    )
    .bind(binding.mode.as_str())
    .bind(text(&binding.addresses))
    .bind(i64::from(binding.blocked))
    .bind(tenant.0)
    .bind(key.to_string())
    .execute(&mut *connection)
    .await?;
    sql::one_row(&done, "binding", key)?;
    note_changes(connection, tenant, &[key.to_string()], now).await
}

/// Adds a network to what a secret is bound to. `false`: somebody else changed the binding since it was read.
pub async fn learn(
    connection: &mut Connection,
    tenant: TenantId,
    bound: &Bound,
    net: IpNet,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let nets = bound.binding.addresses.as_slice().iter().copied().chain([net]).collect::<Vec<_>>();
    let done = sqlx::query(
        "UPDATE bindings SET mode = $1, addresses = $2 WHERE tenant_id = $3 AND key_hash = $4 AND addresses = $5",
    )
    .bind(Mode::Multiple.as_str())
    .bind(text(&nets.into()))
    .bind(tenant.0)
    .bind(bound.key.to_string())
    .bind(text(&bound.binding.addresses))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    note_changes(connection, tenant, &[bound.key.to_string()], now).await?;
    Ok(true)
}

/// Unbinds a secret: its next use binds it anew.
pub async fn remove(
    connection: &mut Connection,
    tenant: TenantId,
    key: KeyHash,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let statement = "DELETE FROM bindings WHERE tenant_id = $1 AND key_hash = $2";
    let done = sqlx::query(statement).bind(tenant.0).bind(key.to_string()).execute(&mut *connection).await?;
    sql::one_row(&done, "binding", key)?;
    note_changes(connection, tenant, &[key.to_string()], now).await
}

/// Which bindings to list. Empty fields match everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A part of the masked secret or of an address.
    pub search: Option<String>,
    pub mode: Option<Mode>,
    pub blocked: Option<bool>,
    /// The last one of the page before.
    pub after: Option<(UnixMillis, KeyHash)>,
}

/// Bindings, the newest first.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Bound>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM bindings
         WHERE tenant_id = $1
             AND ($2 = '' OR LOWER(masked) LIKE $3 ESCAPE '!' OR addresses LIKE $3 ESCAPE '!')
             AND ($4 = '' OR mode = $4) AND ($5 < 0 OR blocked = $5)
             AND (created_at < $6 OR (created_at = $6 AND key_hash < $7))
         ORDER BY created_at DESC, key_hash DESC LIMIT $8"
    );
    let search = filter.search.as_deref().unwrap_or_default().to_lowercase();
    let (before, key) = filter.after.map_or((i64::MAX, String::new()), |(at, key)| (at, key.to_string()));
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(tenant.0)
        .bind(search.clone())
        .bind(sql::contains(&search))
        .bind(filter.mode.map_or("", Mode::as_str))
        .bind(filter.blocked.map_or(-1, i64::from))
        .bind(before)
        .bind(key)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// How many secrets are bound.
pub async fn count(connection: &mut Connection, tenant: TenantId) -> Result<i64, StoreError> {
    let statement = "SELECT COUNT(*) FROM bindings WHERE tenant_id = $1";
    Ok(sqlx::query_scalar(statement).bind(tenant.0).fetch_one(connection).await?)
}

/// Notes that these secrets were used by now.
pub async fn used(
    connection: &mut Connection,
    tenant: TenantId,
    keys: &[KeyHash],
    now: UnixMillis,
) -> Result<(), StoreError> {
    for part in sql::parts(keys, sql::PARAMETERS_MAX - 2) {
        let list = sql::parameters(3, part.len());
        let statement = format!(
            "UPDATE bindings SET last_used_at = $1 WHERE tenant_id = $2 AND key_hash IN ({list}) AND last_used_at < $1"
        );
        // Safe: the text is made of constants and numbers.
        let statement = sqlx::query(AssertSqlSafe(statement)).bind(now).bind(tenant.0);
        part.iter().fold(statement, |statement, key| statement.bind(key.to_string())).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Moves up to `limit` bindings that were last used before a time into the archive, and says how many. Those that a
/// person blocked stay: archived, they could be bound anew.
pub async fn archive(
    connection: &mut Connection,
    tenant: TenantId,
    before: UnixMillis,
    limit: i64,
    now: UnixMillis,
) -> Result<usize, StoreError> {
    let statement = "DELETE FROM bindings WHERE tenant_id = $1 AND key_hash IN (
             SELECT key_hash FROM bindings WHERE tenant_id = $1 AND last_used_at < $2 AND blocked = 0
             ORDER BY last_used_at LIMIT $3)
         RETURNING key_hash, masked, mode, addresses, blocked, created_at, last_used_at";
    let rows = sqlx::query(statement).bind(tenant.0).bind(before).bind(limit).fetch_all(&mut *connection).await?;
    let idle = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let insert = sql::Insert {
        head: "bindings_archive
            (tenant_id, key_hash, masked, mode, addresses, created_at, last_used_at, archived_at)",
        columns: 8,
        tail: "ON CONFLICT (tenant_id, key_hash, archived_at) DO NOTHING",
    };
    insert
        .run(connection, &idle, |statement, bound| {
            statement
                .bind(tenant.0)
                .bind(bound.key.to_string())
                .bind(bound.masked.clone())
                .bind(bound.binding.mode.as_str())
                .bind(text(&bound.binding.addresses))
                .bind(bound.created_at)
                .bind(bound.last_used_at)
                .bind(now)
        })
        .await?;
    let keys: Vec<_> = idle.iter().map(|bound| bound.key.to_string()).collect();
    note_changes(connection, tenant, &keys, now).await?;
    Ok(idle.len())
}

/// Forgets what was archived before a time, and changes that every process has long seen.
pub async fn prune(
    connection: &mut Connection,
    tenant: TenantId,
    archived_before: UnixMillis,
    changed_before: UnixMillis,
) -> Result<(), StoreError> {
    for (statement, before) in [
        ("DELETE FROM bindings_archive WHERE tenant_id = $1 AND archived_at < $2", archived_before),
        ("DELETE FROM binding_changes WHERE tenant_id = $1 AND at < $2", changed_before),
    ] {
        sqlx::query(statement).bind(tenant.0).bind(before).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The binding of this secret.
    Binding(KeyHash),
    /// [`runtime`].
    Settings,
}

/// Changes after a number, in the order in which they were committed: of all tenants, since whoever follows them
/// remembers secrets of all.
pub async fn changes(
    connection: &mut Connection,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, TenantId, Change)>, StoreError> {
    let statement = "SELECT seq, tenant_id, key_hash FROM binding_changes WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(statement).bind(after).bind(limit).fetch_all(connection).await?;
    let change = |text: &str| if text.is_empty() { Ok(Change::Settings) } else { key(text).map(Change::Binding) };
    rows.into_iter().map(|(seq, tenant, text)| Ok((seq, TenantId(tenant), change(&text)?))).collect()
}

/// The number of the last change.
pub async fn last_change(connection: &mut Connection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT last FROM ids WHERE kind = 'binding_changes'").fetch_one(connection).await?)
}

/// Numbers are given under a lock that lasts until the commit, so no change becomes visible after a later one.
async fn note_changes(
    connection: &mut Connection,
    tenant: TenantId,
    keys: &[String],
    now: UnixMillis,
) -> Result<(), StoreError> {
    let many = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let statement = "UPDATE ids SET last = last + $1 WHERE kind = 'binding_changes' RETURNING last";
    let last: i64 = sqlx::query_scalar(statement).bind(many).fetch_one(&mut *connection).await?;
    let rows: Vec<_> = (last - many + 1..).zip(keys).collect();
    sql::Insert { head: "binding_changes (seq, tenant_id, key_hash, at)", columns: 4, tail: "" }
        .run(connection, &rows, |statement, (seq, key)| {
            statement.bind(*seq).bind(tenant.0).bind((*key).clone()).bind(now)
        })
        .await?;
    Ok(())
}

/// The tenant's setting that holds what was changed while running.
const RUNTIME_SETTING: &str = "gateway";

/// What was set while running; it goes before the settings of the process.
pub async fn runtime(connection: &mut Connection, tenant: TenantId) -> Result<Runtime, StoreError> {
    let text = config::setting(connection, tenant, RUNTIME_SETTING).await?;
    text.map_or_else(|| Ok(Runtime::default()), |text| sql::from_json("the gateway's settings", &text))
}

/// Sets what goes before the settings of the processes, in all of them.
pub async fn set_runtime(
    connection: &mut Connection,
    tenant: TenantId,
    runtime: &Runtime,
    now: UnixMillis,
) -> Result<(), StoreError> {
    config::set_setting(connection, tenant, RUNTIME_SETTING, Some(&sql::json(runtime))).await?;
    note_changes(connection, tenant, &[String::new()], now).await
}
