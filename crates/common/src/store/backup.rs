//! Copies of SQLite files (the store's and the queue's) while others write to them, and whether a copy is whole.

use std::{collections::BTreeMap, fs, io::Read as _, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use rusqlite::{Connection, OpenFlags};

use crate::crypto::hex;

/// The store's file in the data folder of an embedded installation.
pub const STORE_FILE: &str = super::SQLITE_FILE;

/// How long to wait for a writer: the copy itself only reads, but opening may have to recover a log.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a file is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Copies a database as it is at one moment. Everything that was committed before the call is in the copy; writers are
/// not held up. The copy is on the disk when this returns, and only its owner can read it.
///
/// # Errors
/// When `to` exists, or one of the two cannot be used.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let make = || -> anyhow::Result<()> {
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        source.busy_timeout(BUSY_TIMEOUT)?;
        let name = to.to_str().context("its path is not UTF-8")?;
        source.execute("VACUUM INTO $1", [name])?;
        file.sync_all()?;
        Ok(())
    };
    make().with_context(|| format!("copying {} to {}", from.display(), to.display()))
}

/// Checks a database that nobody uses, and counts its rows by table.
///
/// # Errors
/// What is damaged.
pub fn check(path: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let look = || -> anyhow::Result<BTreeMap<String, u64>> {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        ensure!(verdict == "ok", "it is damaged: {verdict}");
        let mut tables =
            conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
        let names = tables.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let count = |name: String| {
            let rows = conn.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0))?;
            Ok((name, rows))
        };
        names.into_iter().map(count).collect()
    };
    look().with_context(|| format!("checking {}", path.display()))
}

/// The SHA-256 of a file, in hex.
pub fn checksum(path: &Path) -> anyhow::Result<String> {
    let read = || -> std::io::Result<String> {
        let (mut file, mut digest) = (fs::File::open(path)?, Digest::new(&SHA256));
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(hex(digest.finish().as_ref())),
                length => digest.update(&chunk[..length]),
            }
        }
    };
    read().with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(dir: &Path) -> (Connection, std::path::PathBuf) {
        let path = dir.join("a.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2);").unwrap();
        (conn, path)
    }

    #[test]
    fn a_copy_holds_what_was_committed_while_another_writes() {
        let dir = tempfile::tempdir().unwrap();
        let (conn, path) = database(dir.path());
        conn.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (3);").unwrap();
        let to = dir.path().join("b.db");
        copy(&path, &to).unwrap();
        assert_eq!(check(&to).unwrap(), BTreeMap::from([("t".to_owned(), 2)]));
        assert!(format!("{:#}", copy(&path, &to).unwrap_err()).contains("exists"));
        conn.execute_batch("COMMIT").unwrap();
    }

    #[test]
    fn a_damaged_copy_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (conn, path) = database(dir.path());
        conn.execute_batch("CREATE TABLE u (x); INSERT INTO u SELECT zeroblob(9000);").unwrap();
        let to = dir.path().join("b.db");
        copy(&path, &to).unwrap();
        let before = checksum(&to).unwrap();
        let mut bytes = fs::read(&to).unwrap();
        // The head of the second page: a table's.
        bytes[4_096..4_200].fill(0xff);
        fs::write(&to, bytes).unwrap();
        assert_ne!(checksum(&to).unwrap(), before);
        assert!(check(&to).is_err());
    }
}
