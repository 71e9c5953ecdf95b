//! `watchbell backup` and `watchbell restore`: the data folder of an embedded installation, copied while it is used.
//!
//! The queue is copied before the store. What moved from one to the other between the two copies is then in both, and
//! the recorder writes every fact once; the other way round it would be in neither. The key file comes last: it holds
//! all keys that anything before it was sealed with.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use watchbell_common::{
    clock::{Clock as _, SystemClock},
    crypto::KEY_FILE,
    queue::sqlite::FILE as QUEUE_FILE,
    settings::Settings,
    store::backup::{self, STORE_FILE},
};

use watchbell_key_gateway::SECRET_FILE as GATEWAY_FILE;

use crate::{
    data_dir::{self, Restoring},
    output,
};

/// What a backup consists of, in the order in which it is copied.
const FILES: [&str; 4] = [QUEUE_FILE, STORE_FILE, KEY_FILE, GATEWAY_FILE];

/// What SQLite keeps beside a database; that of another database must not stay.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

const MANIFEST: &str = "manifest.json";

/// The version of the manifest.
const FORMAT: u32 = 1;

#[derive(Debug, Args)]
pub(crate) struct BackupOptions {
    /// The folder to make. It holds the master key: keep it as safe as the installation.
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreOptions {
    /// The folder that `watchbell backup` made.
    dir: PathBuf,
    /// Also where there is data already, which is moved aside.
    #[arg(long)]
    force: bool,
}

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    watchbell: String,
    made_at: String,
    files: Vec<Entry>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    sha256: String,
    /// By table, of a database.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rows: BTreeMap<String, u64>,
}

/// Makes a backup. It appears whole under its name, or not at all.
pub(crate) fn run(options: &BackupOptions, settings: &Settings) -> anyhow::Result<()> {
    let (to, from) = (&options.dir, &settings.data.dir);
    let names = files(settings);
    ensure!(
        !names.is_empty(),
        "queue and store are on servers of their own: docs/guide/operations.md says how to back those up"
    );
    ensure!(!to.exists(), "{} is there already: name a new folder", to.display());
    let mut partial = to.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let making = || format!("making {} (what is left of a backup that was cut off can be removed)", partial.display());
    fs::DirBuilder::new().mode(0o700).create(&partial).with_context(making)?;
    let mut files = Vec::new();
    for name in names {
        let (source, copy) = (from.join(name), partial.join(name));
        if is_key(name) {
            copy_file(&source, &copy)?;
        } else {
            backup::copy(&source, &copy)?;
        }
        files.push(entry(&partial, name)?);
    }
    let made_at = jiff::Timestamp::from_millisecond(SystemClock.now_ms())?.to_string();
    let manifest = Manifest { format: FORMAT, watchbell: env!("CARGO_PKG_VERSION").to_owned(), made_at, files };
    write(&partial.join(MANIFEST), serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    data_dir::sync(&partial)?;
    fs::rename(&partial, to).with_context(|| format!("naming it {}", to.display()))?;
    data_dir::sync(to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    report("backed up to", to, &manifest)?;
    if !manifest.files.iter().any(|entry| entry.name == KEY_FILE) {
        output::line("security.master_key is not part of it: keep it, since nothing opens the secrets without it")?;
    }
    Ok(())
}

/// What of the installation is in files.
fn files(settings: &Settings) -> Vec<&'static str> {
    let is_file = |name: &&str| match *name {
        QUEUE_FILE => settings.embedded(),
        STORE_FILE => settings.database.url.expose_secret() == "sqlite",
        KEY_FILE if !settings.security.master_key.expose_secret().is_empty() => false,
        name => settings.data.dir.join(name).exists(),
    };
    FILES.into_iter().filter(is_file).collect()
}

/// Whether a file holds a key; the others are databases.
fn is_key(name: &str) -> bool {
    [KEY_FILE, GATEWAY_FILE].contains(&name)
}

/// Puts a backup back.
pub(crate) fn restore(options: &RestoreOptions, settings: &Settings) -> anyhow::Result<()> {
    let (from, to) = (&options.dir, &settings.data.dir);
    let manifest = verified(from)?;
    let _lock = data_dir::lock(to).context("stop it first")?;
    let there: Vec<_> = FILES.into_iter().filter(|name| to.join(name).exists()).collect();
    if !there.is_empty() && !options.force {
        bail!("{} holds {} already: --force moves them aside", to.display(), there.join(", "));
    }
    let restoring = Restoring::begin(to)?;
    if !there.is_empty() {
        let aside = to.join(format!("before-restore-{}", SystemClock.now_ms()));
        move_aside(to, &aside)?;
        output::line(&format!("what was there is in {} now", aside.display()))?;
    }
    for entry in &manifest.files {
        let next = to.join(format!("{}.next", entry.name));
        let _ = fs::remove_file(&next);
        copy_file(&from.join(&entry.name), &next)?;
        ensure!(backup::checksum(&next)? == entry.sha256, "{} was not copied whole", next.display());
        fs::rename(&next, to.join(&entry.name)).with_context(|| format!("naming {}", next.display()))?;
    }
    data_dir::sync(to)?;
    restoring.done()?;
    report("restored from", from, &manifest)
}

/// The manifest of a backup whose files are as it says.
fn verified(dir: &Path) -> anyhow::Result<Manifest> {
    let path = dir.join(MANIFEST);
    let text = fs::read(&path).with_context(|| format!("reading {}: is this a backup?", path.display()))?;
    let manifest: Manifest = serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))?;
    ensure!(manifest.format == FORMAT, "this backup has format {}, this program knows {FORMAT}", manifest.format);
    for expected in &manifest.files {
        ensure!(FILES.contains(&&*expected.name), "{} names an unknown file", path.display());
        let path = dir.join(&expected.name);
        // The bytes first: they say why a database that is damaged is so.
        ensure!(backup::checksum(&path)? == expected.sha256, "{} is not as it was made", path.display());
        ensure!(entry(dir, &expected.name)? == *expected, "{} is not what it says", dir.join(MANIFEST).display());
    }
    Ok(manifest)
}

fn entry(dir: &Path, name: &str) -> anyhow::Result<Entry> {
    let path = dir.join(name);
    let bytes = fs::metadata(&path).with_context(|| format!("looking for {}", path.display()))?.len();
    let sha256 = backup::checksum(&path)?;
    let rows = if is_key(name) { BTreeMap::new() } else { backup::check(&path)? };
    Ok(Entry { name: name.to_owned(), bytes, sha256, rows })
}

fn move_aside(dir: &Path, aside: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(aside).with_context(|| format!("making {}", aside.display()))?;
    for name in FILES {
        for name in std::iter::once(name.to_owned()).chain(COMPANIONS.map(|end| format!("{name}{end}"))) {
            let path = dir.join(&name);
            if path.exists() {
                fs::rename(&path, aside.join(&name)).with_context(|| format!("moving {}", path.display()))?;
            }
        }
    }
    data_dir::sync(dir)
}

/// Copies a file so that only its owner can read it and it is on the disk.
fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copy = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        std::io::copy(&mut fs::File::open(from)?, &mut file)?;
        file.sync_all()
    };
    copy().with_context(|| format!("copying {} to {}", from.display(), to.display()))
}

fn write(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text)?;
        file.sync_all()
    };
    write().with_context(|| format!("writing {}", path.display()))
}

fn report(done: &str, dir: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    output::line(&format!("{done} {} (made {})", dir.display(), manifest.made_at))?;
    for entry in &manifest.files {
        let rows: u64 = entry.rows.values().sum();
        let rows = if entry.rows.is_empty() { String::new() } else { format!(", {rows} rows") };
        output::line(&format!("  {:<14}{} bytes{rows}, checked", entry.name, entry.bytes))?;
    }
    Ok(())
}
