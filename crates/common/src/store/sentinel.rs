//! Reads the bindings of a Key-IP Sentinel from its PostgreSQL.
//!
//! Rows are read as JSON, so that no type of a column matters, and members are looked for under the names that its
//! versions may use. Its hashes are HMAC-SHA256 in hexadecimal, as ours are.

use futures_util::TryStreamExt as _;
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sqlx::{Connection as _, any::AnyConnectOptions};

use super::{
    Store, StoreError,
    bindings::{self, Bound},
};
use crate::{
    binding::{ADDRESSES_MAX, Binding, Mode},
    clock::UnixMillis,
    ids::TenantId,
};

/// Bindings written in one transaction.
const BATCH: usize = 500;

/// How many rows that cannot be read are named.
const UNREADABLE_MAX: usize = 20;

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    pub added: usize,
    /// Keys that had a binding here already; it was left as it is.
    pub present: usize,
    pub unreadable: usize,
    /// Why, for the first of them.
    pub problems: Vec<String>,
}

/// Adds the bindings behind a `postgres://` URL that a tenant does not have yet. Safe to repeat.
pub async fn import(
    store: &Store,
    tenant: TenantId,
    from: &SecretString,
    now: UnixMillis,
) -> Result<Imported, StoreError> {
    let options = options(from.expose_secret())?;
    let mut theirs = sqlx::AnyConnection::connect_with(&options).await?;
    let mut imported = Imported::default();
    let rows = sqlx::query_scalar::<_, String>("SELECT CAST(to_jsonb(found) AS TEXT) FROM token_bindings AS found");
    let mut batches = rows.fetch(&mut theirs).try_chunks(BATCH);
    while let Some(batch) = batches.try_next().await.map_err(|error| StoreError::from(error.1))? {
        let mut readable = Vec::with_capacity(batch.len());
        for row in &batch {
            match serde_json::from_str(row).map_err(|error| error.to_string()).and_then(|row| read(&row, now)) {
                Ok(bound) => readable.push(bound),
                Err(why) => {
                    imported.unreadable += 1;
                    if imported.problems.len() < UNREADABLE_MAX {
                        imported.problems.push(why);
                    }
                }
            }
        }
        let mut tx = store.begin().await?;
        let added = bindings::insert(&mut tx, tenant, &readable).await?;
        tx.commit().await?;
        imported.added += added;
        imported.present += readable.len() - added;
    }
    Ok(imported)
}

/// Its `PG_DSN` names a driver of Python's: `postgresql+asyncpg://`.
fn options(url: &str) -> Result<AnyConnectOptions, StoreError> {
    let wrong = || StoreError::Unusable("its URL must be postgres://user:password@host/name".to_owned());
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    match scheme.split('+').next() {
        Some("postgres" | "postgresql") => format!("postgres://{rest}").parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// One row of theirs.
fn read(row: &Value, now: UnixMillis) -> Result<Bound, String> {
    let text = |names: &[&str]| names.iter().find_map(|name| row[*name].as_str()).filter(|text| !text.is_empty());
    let hash = text(&["token_hash", "key_hash", "hash"]).ok_or("a row without token_hash")?;
    let key = hash.parse().map_err(|error| format!("token_hash `{hash}`: {error}"))?;
    let mut nets: Vec<IpNet> = Vec::new();
    for name in ["bound_ip", "allowed_ips", "bound_ips", "addresses"] {
        for text in texts(&row[name]) {
            let net = net(text.trim()).ok_or_else(|| format!("token_hash `{hash}`: `{text}` is no address"))?;
            if !nets.contains(&net) {
                nets.push(net);
            }
        }
    }
    let mode = match text(&["binding_mode", "mode"]) {
        Some("all") => Mode::All,
        Some("multiple") => Mode::Multiple,
        _ if nets.len() > 1 => Mode::Multiple,
        _ => Mode::Single,
    };
    if nets.len() > ADDRESSES_MAX {
        return Err(format!("token_hash `{hash}`: more than {ADDRESSES_MAX} addresses"));
    }
    Binding::check(mode, &nets).map_err(|why| format!("token_hash `{hash}`: {why}"))?;
    let active = text(&["status", "state"]).is_none_or(|status| matches!(status, "active" | "normal" | "enabled"));
    // As a number, 1 is active, and another is what people did to a key: banned.
    let banned = row["status"].as_i64().is_some_and(|status| status != 1);
    let blocked = !active || banned || row["is_active"] == false || row["enabled"] == false;
    let time = |names: &[&str]| text(names).and_then(millis_of);
    let used = time(&["last_used_at", "updated_at"]).unwrap_or(now);
    Ok(Bound {
        key,
        masked: text(&["token_display", "masked_token", "token_masked", "display"]).unwrap_or("…").to_owned(),
        binding: Binding { mode, addresses: nets.into(), blocked },
        created_at: time(&["first_used_at", "created_at"]).unwrap_or(used),
        last_used_at: used,
    })
}

/// A text, a list of texts, or a text that is such a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) if text.trim_start().starts_with('[') => {
            serde_json::from_str(text).map(|list: Value| texts(&list)).unwrap_or_default()
        }
        Value::String(text) => text.split(',').filter(|item| !item.trim().is_empty()).map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn net(text: &str) -> Option<IpNet> {
    let net = text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
    net.map(|net| net.trunc())
}

/// PostgreSQL's JSON of a time; without an offset, it is UTC.
fn millis_of(text: &str) -> Option<UnixMillis> {
    let read = |text: &str| text.parse::<jiff::Timestamp>().ok();
    read(text).or_else(|| read(&format!("{text}Z"))).map(jiff::Timestamp::as_millisecond)
}
