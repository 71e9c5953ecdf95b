//! Lets a release build notice that the dashboard was exported again. A debug build reads its files from the disk.

use std::{env, path::Path};

const EXPORT: &str = "../../web-ui/out";

fn main() {
    let embeds = env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    // While there is no export, a release build looks for it each time.
    let watched = if embeds || Path::new(EXPORT).exists() { EXPORT } else { "build.rs" };
    println!("cargo::rerun-if-changed={watched}");
}
