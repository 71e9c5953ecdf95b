//! How each separate service binary starts, so that every `main.rs` stays boring.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Arg, Command, value_parser};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{settings::Settings, telemetry};

/// What a process has before it opens anything.
pub struct Boot {
    pub settings: Settings,
    pub metrics: PrometheusHandle,
}

/// Reads the command line (`--config FILE`), the settings, and starts logs and metrics.
///
/// # Errors
/// Settings that cannot be used; the text names the field.
pub fn start(service: &'static str, about: &'static str) -> anyhow::Result<Boot> {
    let file = Arg::new("config").long("config").value_name("FILE").value_parser(value_parser!(PathBuf));
    let matches = Command::new(service)
        .about(about)
        .version(env!("CARGO_PKG_VERSION"))
        .arg(file.help("A TOML file with settings; config.example.toml describes each"))
        .get_matches();
    let file = matches.get_one::<PathBuf>("config");
    let settings = Settings::load(file.map(PathBuf::as_path), &[]).context("reading the settings")?;
    let metrics = telemetry::start(service, &settings.log)?;
    Ok(Boot { settings, metrics })
}
