//! The `watchbell` command. Reads the command line, then hands over to the library.

use clap::Parser as _;
use watchbell::cli::{Cli, run};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(Cli::parse()).await
}
