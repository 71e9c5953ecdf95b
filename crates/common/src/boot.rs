//! How each separate service binary starts, so that every `main.rs` stays boring.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Arg, Command, value_parser};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{settings::Settings, telemetry};

/// The allocator of every process of ours. Messages are many small pieces that one thread makes and another drops, which
/// the C library's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a process has before it opens anything.
pub struct Boot {
    pub settings: Settings,
    pub metrics: PrometheusHandle,
}

/// Runs a process to its end, on half as many threads as there are cores, at least one. The other half is for whom it
/// works with: the queue's writer, or Redis. With a thread for each core they take turns on the same cores, which
/// costs a tenth of the mails a second where there are two.
///
/// # Errors
/// Those of `process`, or when the system gives no threads.
pub fn on_runtime(process: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads((cores / 2).max(1)).enable_all().build().context("starting threads")?;
    runtime.block_on(process)
}

/// Has memory come in small pages only. A process that holds every service is idle most of the time, and rounding up
/// each of its heaps to pages of 2 MB was a fifth of its memory. The ingestors keep large pages: without them they
/// take fewer pushes a second.
pub fn small_pages() {
    // A kernel that cannot do this only takes more memory.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
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
