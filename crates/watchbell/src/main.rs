//! The `watchbell` command. Reads the command line, then hands over to the library.

use clap::Parser as _;
use watchbell::cli::{Cli, run};
use watchbell_common::boot;

fn main() -> anyhow::Result<()> {
    boot::small_pages();
    boot::on_runtime(run(Cli::parse()))
}
