//! Sees to it that the folder of the dashboard's export exists, because `rust-embed` takes its path when it compiles.
//!
//! A debug build reads the files while it runs, so an export that comes later is found. A release build carries them,
//! so a new export means a new build.

use std::{env, fs, path::Path};

fn main() {
    let export = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web-ui/out");
    // Where sources are read-only, a build without the dashboard is as good as it gets.
    let _ = fs::create_dir_all(&export);
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed={}", export.display());
    }
}
