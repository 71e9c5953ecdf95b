//! The command line: what `watchbell --help` shows, and which file does what.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use watchbell_common::{
    settings::{Settings, SettingsError},
    telemetry,
};

use crate::{backup, books, check, data_dir, dead, eval, health, import, keys, output, send_test, serve, users};

/// Turns raw alerts into messages that the right people see, and proves that none was lost.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Settings come from --config FILE, then WATCHBELL_<SECTION>_<FIELD> in the environment, then flags;
config.example.toml describes each with its default.

  watchbell serve                      start everything; needs no other service
  watchbell send-test                  send it a sample alert mail
  watchbell books                      received = delivered + … + pending, to the last alert
  watchbell backup DIR                 copy the data folder while it is used"
)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Common {
    /// A TOML file with settings.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the SQLite files and the master key are (data.dir).
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Common {
    fn settings(&self) -> Result<Settings, SettingsError> {
        let dir = self.data_dir.as_ref().map(|dir| ("data.dir", dir.display().to_string()));
        Settings::load(self.config.as_deref(), &dir.into_iter().collect::<Vec<_>>())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start every service in this process.
    #[command(
        after_help = "Stops on SIGTERM or Ctrl-C: takes no more, finishes what is in hand within stop.drain, and hands the
rest back to the queue. Exits non-zero when a service ends unasked."
    )]
    Serve,
    /// Send a sample Zabbix alert mail over SMTP.
    SendTest(send_test::Options),
    /// Show the books: what was received and what became of it, per tenant.
    Books(books::Options),
    /// List and replay dead letters.
    #[command(subcommand)]
    Dead(dead::Command),
    /// List the master keys and change them.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Copy the data folder while it is used, and check the copy.
    Backup(backup::BackupOptions),
    /// Put a backup back into the data folder of a stopped installation.
    Restore(backup::RestoreOptions),
    /// Take over what another program kept.
    #[command(subcommand)]
    Import(import::Command),
    /// List users, and let one choose a new password.
    #[command(subcommand)]
    Users(users::Command),
    /// Measure how well labelled mails are read, and list those that no rule knows.
    #[command(after_help = eval::HELP)]
    Eval(eval::Options),
    /// Check the settings and the provisioning file, and change nothing.
    CheckConfig(check::Options),
    /// Print the OpenAPI document of the admin API.
    Openapi,
    /// Read a password from standard input and print its hash for the file of SMTP users.
    HashPassword,
    /// Ask a health address; exits 0 when it answers 200. For container health checks.
    Health(health::Options),
}

/// Carries out a command.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve => {
            let settings = cli.common.settings()?;
            let metrics = telemetry::start("watchbell", &settings.log)?;
            serve::run(settings, metrics).await
        }
        Command::SendTest(options) => send_test::run(&options, || Ok(cli.common.settings()?)).await,
        Command::Books(options) => books::run(&options, installed(&cli.common)?).await,
        Command::Dead(command) => dead::run(command, installed(&cli.common)?).await,
        Command::Keys(command) => keys::run(command, installed(&cli.common)?).await,
        Command::Backup(options) => backup::run(&options, &cli.common.settings()?),
        Command::Restore(options) => backup::restore(&options, &cli.common.settings()?),
        Command::Import(command) => import::run(command, &cli.common.settings()?).await,
        Command::Users(command) => users::run(command, installed(&cli.common)?).await,
        Command::Eval(options) => eval::run(&options, || Ok(cli.common.settings()?)).await,
        Command::CheckConfig(options) => check::run(&options, &cli.common.settings()?),
        Command::Openapi => output::text(&watchbell_api_server::openapi()),
        Command::HashPassword => check::hash_password(),
        Command::Health(options) => health::run(&options).await,
    }
}

/// The settings of an installation that is there.
fn installed(common: &Common) -> anyhow::Result<Settings> {
    let settings = common.settings()?;
    data_dir::check_installed(&settings)?;
    Ok(settings)
}
