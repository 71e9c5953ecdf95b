//! Who may log in: a file with a `name:argon2 hash` per line.

use std::{collections::HashMap, path::Path};

use anyhow::{Context as _, bail, ensure};
use secrecy::SecretString;
use watchbell_common::passwords::{Busy, Hasher, PasswordHash};

/// The users of `smtp.users_file`.
#[derive(Debug)]
pub(crate) struct Users {
    by_name: HashMap<String, PasswordHash>,
    hasher: Hasher,
}

impl Users {
    /// Reads the file. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// Name the setting, the file and the line.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let load = || Self::parse(&std::fs::read_to_string(path)?);
        load().with_context(|| format!("smtp.users_file: reading {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut by_name = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) = line.split_once(':').with_context(|| format!("line {number}: no `name:hash`"))?;
            ensure!(!name.is_empty(), "line {number}: the name is empty");
            let hash: PasswordHash = hash.parse().with_context(|| format!("line {number}: user `{name}`"))?;
            if by_name.insert(name.to_owned(), hash).is_some() {
                bail!("line {number}: user `{name}` is there twice");
            }
        }
        let decoy = by_name.values().next().cloned().context("it names no user")?;
        Ok(Self { by_name, hasher: Hasher::default().with_decoy(decoy) })
    }

    /// Whether this is the user's password. A user that does not exist takes as long as one that does, as far
    /// as all hashes in the file have the same parameters.
    pub(crate) async fn authorize(&self, name: &str, password: SecretString) -> Result<bool, Busy> {
        self.hasher.verify(self.by_name.get(name), password).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of `hunter2` with the smallest parameters, so that tests do not wait for it.
    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$gEO9V3t0mnoa6Z4GMAVKhA$2wX8K6oGlm0HIWsex92yCaoio1bYrhd9tG1mrobem84";

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let users = Users::parse(&format!("# people\n\nops:{HASH}\n")).unwrap();
        assert!(users.authorize("ops", "hunter2".into()).await.unwrap());
        assert!(!users.authorize("ops", "hunter3".into()).await.unwrap());
        assert!(!users.authorize("Ops", "hunter2".into()).await.unwrap(), "the decoy's password opens nothing");
    }

    #[test]
    fn a_broken_file_is_refused_with_its_line() {
        let refused = |text: &str| format!("{:#}", Users::parse(text).unwrap_err());
        assert!(refused("").contains("names no user"));
        assert!(refused("# x\nops").contains("line 2"));
        assert!(refused("ops:hunter2").contains("line 1: user `ops`: not a password hash"));
        assert!(refused(&format!("ops:{HASH}\nops:{HASH}")).contains("twice"));
        assert!(!refused("ops:hunter2").contains("hunter2"), "what stands for a password is not repeated");
    }
}
