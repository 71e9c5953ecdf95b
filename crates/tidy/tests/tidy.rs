//! The house rules that no other tool checks. Each test names everything that breaks its rule.
#![cfg(test)]

use std::{collections::BTreeSet, iter};

use watchbell_tidy::Repository;

/// Our crates, and which of ours each may use. `common ← channels, analysis, dialects ← services ← watchbell`: services never
/// use each other, so any of them can run alone and be read alone.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("alert-analyzer", &["common", "analysis"]),
    ("analysis", &["common"]),
    ("api-server", &["common", "channels", "analysis", "dialects"]),
    ("channels", &["common"]),
    ("common", &[]),
    ("dialects", &["common"]),
    ("dispatcher", &["common", "channels"]),
    // Knows the services as processes only.
    ("harness", &["common"]),
    ("key-gateway", &["common"]),
    ("smtp-ingestor", &["common", "channels"]),
    ("tidy", &["tidy"]),
    (
        "watchbell",
        &[
            "common",
            "channels",
            "analysis",
            "dialects",
            "smtp-ingestor",
            "webhook-ingestor",
            "alert-analyzer",
            "dispatcher",
            "api-server",
            "key-gateway",
            "harness",
            "watchbell",
        ],
    ),
    ("webhook-ingestor", &["common", "dialects"]),
];

/// A file that one can keep in mind. Tests are lists of cases and may be longer.
const LINES_MAX: usize = 600;
const TEST_LINES_MAX: usize = 1_000;
/// Longer files, each with the reason why cutting it would make it harder to read.
const LONG_FILES: &[(&str, &str)] = &[];

/// All logic of a service is in its library, so that `watchbell serve` is the same code.
const MAIN_LINES_MAX: usize = 40;

/// What is named like a metric and is none.
const COOKIES: [&str; 2] = ["watchbell_session", "watchbell_csrf"];

/// Where SQL may stand.
const SQL_HOMES: [&str; 2] = ["crates/common/src/store", "crates/common/src/queue/sqlite"];

fn no_complaints(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Test code by its place: `tests/`, `benches/`, or a file or folder called `test…` among the sources.
fn is_test(path: &str) -> bool {
    path.contains("/test") || path.contains("/benches/")
}

/// The prose: every Markdown file.
fn prose(repository: &Repository) -> impl Iterator<Item = (&str, String)> {
    repository.under("", ".md").map(|path| (path, repository.read(path)))
}

#[test]
fn the_workspace_has_exactly_the_crates_of_the_table() {
    let repository = Repository::open();
    let manifests = repository.under("crates/", "/Cargo.toml");
    let crates: Vec<_> = manifests.filter_map(|path| path.split('/').nth(1)).collect();
    assert_eq!(crates, MAY_USE.map(|(name, _)| name));
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let repository = Repository::open();
    let mut complaints = Vec::new();
    for (name, allowed) in MAY_USE {
        let manifest = repository.read(&format!("crates/{name}/Cargo.toml"));
        for line in manifest.lines().filter_map(|line| line.strip_prefix("watchbell-")) {
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !allowed.contains(&used) {
                complaints.push(format!("crates/{name} must not use {used}"));
            }
        }
    }
    no_complaints(&complaints);
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let repository = Repository::open();
    let mut complaints = Vec::new();
    for path in repository.under("crates/", ".rs") {
        let text = repository.read(path);
        let first = text.lines().find(|line| !line.is_empty() && !line.starts_with("#!["));
        if !first.is_some_and(|line| line.starts_with("//! ")) {
            complaints.push(format!("{path} does not open with `//!` and what it is for"));
        }
    }
    no_complaints(&complaints);
}

#[test]
fn every_file_is_part_of_its_crate() {
    let repository = Repository::open();
    let mut reached: BTreeSet<String> =
        repository.under("crates/", ".rs").filter(|path| is_root(path)).map(ToOwned::to_owned).collect();
    let mut open: Vec<_> = reached.iter().cloned().collect();
    while let Some(path) = open.pop() {
        for module in modules(&path, &repository.read(&path)) {
            if repository.files.contains(&module) && reached.insert(module.clone()) {
                open.push(module);
            }
        }
    }
    let dead = repository.under("crates/", ".rs").filter(|path| !reached.contains(*path));
    no_complaints(&dead.map(|path| format!("{path} is compiled into nothing")).collect::<Vec<_>>());
}

/// Whether Cargo compiles the file by itself, without a `mod` line.
fn is_root(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').skip(2).collect();
    matches!(
        parts.as_slice(),
        ["build.rs"]
            | ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["tests" | "benches" | "examples", _]
            | ["tests" | "benches" | "examples", _, "main.rs"]
    )
}

/// The files that the `mod` lines of a file can mean.
fn modules(path: &str, text: &str) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let own = if is_root(path) || file == "mod.rs" { folder } else { path.trim_end_matches(".rs") };
    let mut found = Vec::new();
    let mut at = None;
    for line in text.lines().map(str::trim) {
        if let Some(other) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            at = Some(format!("{folder}/{other}"));
        }
        let declared = line.split_once("mod ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
        if let Some(name) = declared.and_then(|(_, rest)| rest.strip_suffix(';')) {
            found.extend(at.take());
            found.extend([format!("{own}/{name}.rs"), format!("{own}/{name}/mod.rs")]);
        }
    }
    found
}

#[test]
fn no_file_is_too_long_to_keep_in_mind() {
    let repository = Repository::open();
    let mut complaints = Vec::new();
    for path in repository.under("crates/", ".rs") {
        let lines = repository.read(path).lines().count();
        let max = if is_test(path) { TEST_LINES_MAX } else { LINES_MAX };
        let excused = LONG_FILES.iter().any(|(long, _)| *long == path);
        if (lines > max) != excused {
            complaints.push(format!("{path}: {lines} lines of {max}, and LONG_FILES says {excused}"));
        }
    }
    for (path, _) in LONG_FILES.iter().filter(|(path, _)| !repository.has(path)) {
        complaints.push(format!("LONG_FILES names {path}, which does not exist"));
    }
    no_complaints(&complaints);
}

#[test]
fn a_main_file_only_starts_what_the_library_holds() {
    let repository = Repository::open();
    let mains = repository.under("crates/", "/src/main.rs");
    let long = mains.filter(|path| repository.read(path).lines().count() > MAIN_LINES_MAX);
    no_complaints(&long.map(|path| format!("{path} has more than {MAIN_LINES_MAX} lines")).collect::<Vec<_>>());
}

#[test]
fn sql_stands_in_the_store_and_in_the_queue_on_sqlite_only() {
    let repository = Repository::open();
    let sql = ["SELECT ", "INSERT INTO ", "INSERT OR ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA "];
    let mut complaints = Vec::new();
    let outside = |path: &&str| !is_test(path) && !SQL_HOMES.iter().any(|home| path.starts_with(home));
    for path in repository.under("crates/", ".rs").filter(outside) {
        let text = repository.read(path);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if sql.iter().any(|word| line.contains(word)) {
                complaints.push(format!("{path}:{}: SQL belongs into {}", number + 1, SQL_HOMES[0]));
            }
        }
    }
    no_complaints(&complaints);
}

#[test]
fn every_path_that_the_prose_quotes_exists() {
    let repository = Repository::open();
    let mut complaints = Vec::new();
    for (file, text) in prose(&repository) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        for path in quoted(&text).into_iter().filter(|word| is_path(&repository, word)) {
            let tail = format!("/{path}");
            if !repository.has(path) && !repository.files.iter().any(|known| known.ends_with(&tail)) {
                complaints.push(format!("{file} quotes `{path}`, which does not exist"));
            }
        }
        for link in links(&text) {
            if !repository.has(&resolve(folder, link)) {
                complaints.push(format!("{file} links to {link}, which does not exist"));
            }
        }
    }
    no_complaints(&complaints);
}

/// What stands between backticks, outside of code blocks.
fn quoted(text: &str) -> Vec<&str> {
    let mut in_block = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// Whether a word is meant as a path in this repository: it starts in one of our folders, or is a Rust file.
fn is_path(repository: &Repository, word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "./_-@".contains(c)) && !word.contains("NNNN");
    let ours = word.split_once('/').is_some_and(|(first, _)| !first.is_empty() && repository.has(first));
    let is_rust = word.strip_suffix(".rs").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['.', '/']));
    plain && (ours || is_rust)
}

/// The targets of links to files beside the text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':'))
}

fn resolve(folder: &str, link: &str) -> String {
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_setting_that_is_mentioned_exists() {
    let repository = Repository::open();
    let known = settings(&repository.read("config.example.toml"));
    let others = ["docker-compose.yml", ".env.example", "Makefile", ".ci/run"].into_iter();
    let others = others.filter(|path| repository.has(path)).map(|path| (path, repository.read(path)));
    let mut complaints = Vec::new();
    for (file, text) in prose(&repository).chain(others) {
        for name in words(&text).filter(|word| word.starts_with("WATCHBELL_") && !word.ends_with('_')) {
            if !known.contains(name) {
                complaints.push(format!("{file} mentions {name}, which config.example.toml does not have"));
            }
        }
    }
    no_complaints(&complaints);
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// The environment names of all settings.
fn settings(example: &str) -> BTreeSet<String> {
    let mut section = "";
    let mut names = BTreeSet::new();
    for line in example.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((field, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            names.insert(format!("WATCHBELL_{section}_{field}").to_uppercase());
        }
    }
    names
}

#[test]
fn the_books_for_newcomers_are_there() {
    let repository = Repository::open();
    for path in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        assert!(repository.has(path), "{path} is missing");
    }
    let manifest = repository.read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).expect("the workspace has one");
    let changelog = repository.read("CHANGELOG.md");
    let told = ["Unreleased", version.trim_matches('"')].iter().any(|head| changelog.contains(&format!("## [{head}]")));
    assert!(told, "CHANGELOG.md has neither [Unreleased] nor version {version}");
}

#[test]
fn the_book_has_every_page_of_the_guide() {
    let repository = Repository::open();
    let summary = repository.read("docs/SUMMARY.md");
    let pages = repository.under("docs/guide/", ".md");
    let missing =
        pages.into_iter().filter(|page| !summary.contains(&format!("({})", page.trim_start_matches("docs/"))));
    no_complaints(&missing.map(|page| format!("docs/SUMMARY.md does not list {page}")).collect::<Vec<_>>());
}

#[test]
fn decisions_are_numbered_without_gaps_and_say_what_they_cost() {
    let repository = Repository::open();
    let mut complaints = Vec::new();
    for (number, path) in iter::zip(1.., repository.under("docs/decisions/", ".md")) {
        if !path.starts_with(&format!("docs/decisions/{number:04}-")) {
            complaints.push(format!("{path} should be number {number:04}"));
        }
        let text = repository.read(path);
        if !text.starts_with(&format!("# {number}. ")) {
            complaints.push(format!("{path} should begin with `# {number}. ` and what was decided"));
        }
        for heading in ["\n## Context\n", "\n## Decision\n", "\n## Consequences\n"] {
            if !text.contains(heading) {
                complaints.push(format!("{path} has no heading `{}`", heading.trim()));
            }
        }
    }
    no_complaints(&complaints);
}

#[test]
fn nothing_knows_the_machine_it_was_written_on() {
    let repository = Repository::open();
    // In two halves, so that this file does not find itself. Recorded mails may name such folders of their senders.
    let machines = [["/wo", "rk/"], ["/ro", "ot/"], ["/tmp", "/wt"], ["/home", "/user/"]].map(|halves| halves.concat());
    let mut complaints = Vec::new();
    for path in repository.files.iter().filter(|path| !path.contains("fixtures/")) {
        let text = repository.read(path);
        let found = machines.iter().find(|machine| text.contains(machine.as_str()));
        complaints.extend(found.map(|machine| format!("{path} contains {machine}")));
    }
    no_complaints(&complaints);
}

#[test]
fn the_operators_guide_lists_exactly_the_metrics_that_there_are() {
    let repository = Repository::open();
    let names = |text: &str, edge: char| -> BTreeSet<String> {
        let found = text.split(edge).filter(|word| {
            word.strip_prefix("watchbell_").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        });
        found.map(str::to_owned).collect()
    };
    let crates = repository.under("crates/", ".rs").filter(|path| path.contains("/src/") && !is_test(path));
    let mut measured: BTreeSet<_> = crates.flat_map(|path| names(&repository.read(path), '"')).collect();
    measured.retain(|name| !COOKIES.contains(&name.as_str()));
    let listed = names(&repository.read("docs/guide/operations.md"), '`');
    let difference: Vec<_> = measured.symmetric_difference(&listed).cloned().collect();
    no_complaints(&difference);
}
