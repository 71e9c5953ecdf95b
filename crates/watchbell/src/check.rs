//! `watchbell check-config` and `watchbell hash-password`.

use std::{io::BufRead as _, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use secrecy::SecretString;
use watchbell_common::{
    passwords, provision,
    settings::{self, Settings},
};

use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The provisioning file to check, instead of provision.file.
    #[arg(long, value_name = "FILE")]
    provision: Option<PathBuf>,
}

/// Checks what can be checked without starting anything. The settings themselves were checked by loading them.
pub(crate) fn run(options: &Options, settings: &Settings) -> anyhow::Result<()> {
    output::line("settings: good")?;
    let Some(file) = options.provision.as_ref().or(settings.provision.file.as_ref()) else {
        return output::line("provisioning file: none");
    };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {name}"))?;
    match provision::parse(&text, &name, &watchbell_api_server::vocabulary(), &settings::environment) {
        Ok(provision) => {
            for warning in &provision.warnings {
                output::line(&warning.to_string())?;
            }
            output::line(&format!("{name}: good ({})", provision.summary()))
        }
        Err(problems) => {
            for problem in &problems {
                output::line(&problem.to_string())?;
            }
            bail!("{name}: {} to fix; nothing was changed", problems.len());
        }
    }
}

/// Reads one line and prints its hash. Not an argument: those show up in process lists and shell histories.
pub(crate) fn hash_password() -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("reading the password from standard input")?;
    let password = SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned());
    output::line(&passwords::hash(&password)?.to_string())
}
