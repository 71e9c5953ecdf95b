//! Reads the repository for the house rules in `tests/tidy.rs`. Nothing else depends on this crate.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Folders that hold what was built, fetched or run, and a file of secrets: not part of the repository.
const NOT_OURS: [&str; 8] = ["target", "data", "node_modules", ".git", ".next", ".env", "out", "test-results"];

/// The repository's files, by their paths from its root with `/` between the parts.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    pub files: BTreeSet<String>,
}

impl Repository {
    /// Lists the repository that this crate was compiled in.
    pub fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = BTreeSet::new();
        list(&root, "", &mut files);
        Self { root, files }
    }

    /// The text of a file; what is not UTF-8 is replaced.
    pub fn read(&self, path: &str) -> String {
        let bytes = fs::read(self.root.join(path)).unwrap_or_else(|error| panic!("reading {path}: {error}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The files whose path begins with `folder` and ends with `end`.
    pub fn under<'a>(&'a self, folder: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(String::as_str).filter(move |path| path.starts_with(folder) && path.ends_with(end))
    }

    /// Whether there is a file or a folder at this path from the root.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains(path) || self.files.iter().any(|file| file.starts_with(&folder))
    }
}

fn list(root: &Path, folder: &str, files: &mut BTreeSet<String>) {
    let entries = fs::read_dir(root.join(folder)).expect("folders of a checkout can be listed");
    for entry in entries {
        let entry = entry.expect("folders of a checkout can be listed");
        let name = entry.file_name().into_string().expect("our file names are UTF-8");
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.path().is_dir() {
            list(root, &path, files);
        } else {
            files.insert(path);
        }
    }
}
