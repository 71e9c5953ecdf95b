//! Applies the provisioning file when its content changes, and publishes the configuration to the queue.
//!
//! The content is polled, not the file's time or identity: Kubernetes swaps symbolic links, editors write new
//! files, and both change the content. What changed is applied once it stood still for one poll, so that a file
//! that is just being written is not taken for a short one.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    ids::TenantId,
    outage::Outage,
    provision::{self, ApplyError, FIRST_START, Problem},
    settings,
    shared::Shared,
    store::{Store, StoreError, config},
};

use crate::{publisher, vocabulary};

/// How often file and store are looked at.
const POLL: Duration = Duration::from_secs(1);

/// Every so many polls the queue is asked whether it still has the configuration, which it has not if it was wiped.
const POLLS_PER_QUEUE_CHECK: u32 = 5;

pub(crate) struct Provisioner {
    shared: Shared,
    store: Store,
    /// The content that was applied or refused last, so that each is done once.
    handled: Option<String>,
    /// What stood in the file one poll ago.
    previous: Option<String>,
    /// The version that was published or found on the queue.
    published: Option<i64>,
    polls: u32,
}

/// What became of a file.
enum Taken {
    Applied,
    Refused(Vec<Problem>),
}

impl Provisioner {
    pub(crate) fn new(shared: Shared, store: Store) -> Self {
        Self { shared, store, handled: None, previous: None, published: None, polls: 0 }
    }

    /// Applies the file, or what a first start begins with, and publishes.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        let configured = self.version().await? > 0;
        match self.shared.settings.provision.file.clone() {
            None if configured => {}
            None => self.take_built_in().await?,
            Some(file) => self.take_first(&file, configured).await?,
        }
        self.publish().await
    }

    /// What a first start begins with belongs to people: no file keeps it.
    async fn take_built_in(&mut self) -> anyhow::Result<()> {
        drop(self.take(FIRST_START, "the built-in first configuration").await?);
        let mut tx = self.store.begin().await?;
        config::release(&mut tx, TenantId::DEFAULT).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    /// A file that cannot be used ends a first start. Later ones go on with the configuration there is: a typing
    /// error in a file must not keep a restarted machine from delivering.
    async fn take_first(&mut self, file: &Path, configured: bool) -> anyhow::Result<()> {
        let refused = match read(file).await {
            Ok(text) => match self.take(&text, &file.display().to_string()).await? {
                Taken::Applied => return Ok(()),
                Taken::Refused(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            },
            Err(error) if configured => {
                self.unreadable(format!("{error:#}"));
                return Ok(());
            }
            Err(error) => format!("{error:#}"),
        };
        if !configured {
            bail!("there is no earlier configuration to go on with, and the provisioning file is refused:\n{refused}");
        }
        Ok(())
    }

    /// Watches until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut outage = Outage::new("keeping the configuration in step");
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            let Some(answer) = stop.run_until_cancelled(self.poll()).await else { break };
            outage.note(&answer);
        }
        Ok(())
    }

    async fn poll(&mut self) -> anyhow::Result<()> {
        self.polls = self.polls.wrapping_add(1);
        if let Some(file) = self.shared.settings.provision.file.clone() {
            self.poll_file(&file).await?;
        }
        if self.polls.is_multiple_of(POLLS_PER_QUEUE_CHECK) || self.published != Some(self.version().await?) {
            self.publish().await?;
        }
        Ok(())
    }

    async fn poll_file(&mut self, file: &Path) -> anyhow::Result<()> {
        // A file that cannot be read is handled like a content of its own: said once.
        let (content, text) = match read(file).await {
            Ok(text) => (text.clone(), Some(text)),
            Err(error) => (format!("{error:#}"), None),
        };
        let still = self.previous.replace(content.clone()).as_ref() == Some(&content);
        if !still || self.handled.as_ref() == Some(&content) {
            return Ok(());
        }
        match text {
            Some(text) => drop(self.take(&text, &file.display().to_string()).await?),
            None => self.unreadable(content),
        }
        Ok(())
    }

    fn unreadable(&mut self, why: String) {
        refused(&why);
        self.previous = Some(why.clone());
        self.handled = Some(why);
    }

    /// Applies a file's content. Problems of the file are logged here; errors are the store's, and then the same
    /// content is taken again later.
    async fn take(&mut self, text: &str, name: &str) -> anyhow::Result<Taken> {
        let taken = match provision::parse(text, name, &vocabulary(), &settings::environment) {
            Err(problems) => Taken::Refused(problems),
            Ok(file) => {
                let now = self.shared.clock.now_ms();
                match provision::apply(&self.store, &self.shared.vault, TenantId::DEFAULT, &file, now).await {
                    Err(ApplyError::Problems(problems)) => Taken::Refused(problems),
                    Err(error) => return Err(error).context("applying the provisioning file"),
                    Ok(applied) => {
                        for warning in &file.warnings {
                            tracing::warn!("{warning}");
                        }
                        if applied.changed {
                            tracing::info!(config.version = applied.version, "applied {name}: {}", file.summary());
                        }
                        Taken::Applied
                    }
                }
            }
        };
        match &taken {
            Taken::Applied => metrics::gauge!("watchbell_provision_ok").set(1.0),
            Taken::Refused(problems) => {
                for problem in problems {
                    tracing::error!("{problem}");
                }
                refused(&format!("{} problems", problems.len()));
            }
        }
        self.handled = Some(text.to_owned());
        self.previous = Some(text.to_owned());
        Ok(taken)
    }

    async fn version(&self) -> anyhow::Result<i64> {
        let mut tx = self.store.begin_read().await?;
        Ok(config::version(&mut tx).await?)
    }

    async fn publish(&mut self) -> anyhow::Result<()> {
        self.published = Some(publisher::publish(&self.shared, &self.store).await?);
        Ok(())
    }
}

fn refused(why: &str) {
    metrics::gauge!("watchbell_provision_ok").set(0.0);
    tracing::error!("the provisioning file is refused, the present configuration stays: {why}");
}

async fn read(file: &Path) -> anyhow::Result<String> {
    tokio::fs::read_to_string(file).await.with_context(|| format!("reading {}", file.display()))
}
