//! `watchbell import pulseguard`: a `PulseGuard` moves over, and its senders do not notice.
//!
//! Each of its accounts becomes a tenant with one user, in a transaction of its own; the history follows in pages. What
//! is here already is found by address, push token, code or name and left as it is, so that a second run adds only what
//! the first did not. `docs/guide/moving-in.md` says what comes along.

mod channels;
mod history;
mod key;
mod report;
mod tenant;

use std::{collections::HashSet, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use secrecy::SecretString;
use watchbell_common::{
    clock::{Clock as _, SystemClock, UnixMillis},
    config::Snapshot,
    crypto::Vault,
    ids::{AuditId, TenantId},
    settings::Settings,
    shared::open_vault,
    store::{
        Connection, Store, StoreError, Tx,
        audit::{self, Entry},
        config::{self, Kind as Ids},
        pulseguard::{Source, Tenant},
    },
};

use self::{key::OldKey, report::Report, tenant::Owner};
use crate::data_dir;

pub(super) const HELP: &str = "\
Stop PulseGuard first, so that nothing is pushed to it any more. Its file is only read. An embedded Watchbell must be
stopped too; on PostgreSQL it may run. Safe to repeat: what is here already stays as it is.";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Its SQLite file.
    file: PathBuf,
    /// Its `security.master_key_b64`. Others on this machine may see it in the list of processes; a file or the
    /// environment keeps it to yourself.
    #[arg(
        long,
        value_name = "KEY",
        env = "PULSEGUARD_SECURITY_MASTER_KEY_B64",
        hide_env_values = true,
        required_unless_present = "master_key_file"
    )]
    master_key: Option<SecretString>,
    /// A file that holds the key.
    #[arg(long, value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Say what would be brought, and bring nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Options {
    fn key(&self) -> anyhow::Result<OldKey> {
        match (&self.master_key_file, &self.master_key) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
                OldKey::read(&text.into())
            }
            (None, Some(key)) => OldKey::read(key),
            (None, None) => bail!("give PulseGuard's master key with --master-key-file"),
        }
    }
}

pub(super) async fn run(options: &Options, settings: &Settings) -> anyhow::Result<()> {
    let key = options.key()?;
    let source = Source::open(&options.file).with_context(|| format!("opening {}", options.file.display()))?;
    key.check(&source)?;
    let dir = &settings.data.dir;
    let _lock = settings.embedded().then(|| data_dir::lock(dir).context("stop it first")).transpose()?;
    data_dir::check_whole(dir)?;
    let vault = open_vault(settings)?;
    let store = Store::open(&settings.database.url, dir).await.context("opening the store")?;
    let mut import = Import {
        source: &source,
        key: &key,
        vault: &vault,
        settings,
        now: SystemClock.now_ms(),
        dry_run: options.dry_run,
        keeps_ids: false,
        report: Report::default(),
    };
    let done = import.all(&store).await;
    store.close().await;
    done.context("what was finished before stays; it can be run again")?;
    import.report.print(options.dry_run)
}

/// An import under way.
struct Import<'a> {
    source: &'a Source,
    key: &'a OldKey,
    vault: &'a Vault,
    settings: &'a Settings,
    now: UnixMillis,
    dry_run: bool,
    /// Whether templates keep their ids, which senders may name.
    keeps_ids: bool,
    report: Report,
}

impl Import<'_> {
    async fn all(&mut self, store: &Store) -> anyhow::Result<()> {
        let mut tx = store.begin().await?;
        self.keeps_ids = config::reserve_ids(&mut tx, Ids::Template, self.source.last_template()?).await?;
        self.end(tx).await?;
        let mut addresses = HashSet::new();
        for theirs in self.source.tenants()? {
            self.one(store, &theirs, &mut addresses).await.with_context(|| format!("importing {}", theirs.email))?;
        }
        match self.source.waiting() {
            0 => {}
            many => self.report.note(
                "PulseGuard",
                format_args!("{many} pushes wait in it to be sent: start it once more, or they are lost"),
            ),
        }
        Ok(())
    }

    /// One account with all it has.
    async fn one(&mut self, store: &Store, theirs: &Tenant, addresses: &mut HashSet<String>) -> anyhow::Result<()> {
        let before = self.report.total();
        let mut tx = store.begin().await?;
        config::lock(&mut tx).await?;
        let Some(owner) = self.owner(&mut tx, theirs, addresses).await? else { return Ok(()) };
        self.invites(&mut tx, &owner, theirs).await?;
        let bots = self.bots(&mut tx, &owner, theirs).await?;
        let templates = self.templates(&mut tx, &owner, theirs).await?;
        let channels = self.channels(&mut tx, &owner, theirs, &bots, &templates).await?;
        self.commands(&mut tx, &owner, theirs, &bots).await?;
        self.silences(&mut tx, &owner, theirs).await?;
        if self.report.total() > before {
            self.finish(&mut tx, &owner).await?;
        }
        self.end(tx).await?;
        self.history(store, &owner, theirs, &channels, &bots).await
    }

    async fn end(&self, tx: Tx) -> Result<(), StoreError> {
        let end = if self.dry_run { tx.rollback().await } else { tx.commit().await };
        Ok(end?)
    }

    /// Makes what was written the configuration.
    async fn finish(&self, tx: &mut Connection, owner: &Owner) -> anyhow::Result<()> {
        let entry = Entry {
            id: AuditId::at(self.now),
            tenant: owner.tenant,
            at: self.now,
            user: None,
            actor: ACTOR.to_owned(),
            address: String::new(),
            action: "import".to_owned(),
            kind: "tenant".to_owned(),
            item: owner.tenant.to_string(),
            before: None,
            after: None,
        };
        audit::add(tx, &entry).await?;
        config::bump_version(tx, self.now, 0).await?;
        // What cannot be compiled must not become the configuration.
        Snapshot::compile(&config::document(tx).await?, self.vault)?;
        Ok(())
    }

    async fn touch(&self, tx: &mut Connection, tenant: TenantId, item: (Ids, i64)) -> Result<(), StoreError> {
        config::touch(tx, tenant, item, self.now, ACTOR).await
    }
}

/// Who made what an import brings.
const ACTOR: &str = "watchbell import";
