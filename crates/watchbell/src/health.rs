//! `watchbell health`: a health check for images that hold nothing but our binaries.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use watchbell_common::outbound;

/// A health address answers from memory; what takes longer is not healthy.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// For example <http://127.0.0.1:8080/readyz>.
    url: String,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let answer = outbound::client()?.get(&options.url).timeout(TIMEOUT).send().await.context("asking")?;
    if !answer.status().is_success() {
        bail!("{} answered {}", options.url, answer.status());
    }
    Ok(())
}
