//! What the store promises, checked on SQLite and on PostgreSQL alike.

mod bindings;
mod chat_commands;
mod configuration;
mod crowd;
mod history;
mod lists;
mod migrations;
mod sealed;
mod sentinel;

use std::path::PathBuf;

use secrecy::SecretString;

use super::Store;
use crate::testing;

/// An empty database; the folder lives as long as the test.
pub(crate) struct Empty {
    pub(crate) url: SecretString,
    pub(crate) dir: tempfile::TempDir,
}

impl Empty {
    pub(crate) fn sqlite() -> Self {
        Self { url: "sqlite".into(), dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn postgres() -> Self {
        Self { url: testing::database(), dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url, self.dir.path()).await.unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("watchbell.db")
    }
}

/// Runs each test on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::store::tests::Empty::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::store::tests::Empty::postgres()).await;
            })+
        }
    };
}
pub(crate) use on_both;
