//! When sessions and tokens were last used: kept in memory and written in batches, so that no request waits for it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use watchbell_common::{
    clock::UnixMillis,
    ids::{ApiTokenId, SessionId},
    store::{Store, StoreError, api_tokens, sessions},
};

/// What a caller proved itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Credential {
    Session(SessionId),
    Token(ApiTokenId),
}

/// What was used since the last batch.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<Credential, UnixMillis>>);

impl Seen {
    pub(crate) fn note(&self, credential: Credential, at: UnixMillis) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(credential, at);
    }

    fn take(&self) -> HashMap<Credential, UnixMillis> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes the batch. What cannot be written is forgotten: the next use is noted again.
    pub(crate) async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let mut seen: Vec<_> = self.take().into_iter().collect();
        if seen.is_empty() {
            return Ok(());
        }
        // One order for all processes, so that two batches cannot wait for each other's rows.
        seen.sort_by_key(|(credential, _)| match credential {
            Credential::Session(id) => (0, id.0),
            Credential::Token(id) => (1, id.0),
        });
        let mut tx = store.begin().await?;
        for (credential, at) in seen {
            match credential {
                Credential::Session(id) => sessions::seen(&mut tx, id, at).await?,
                Credential::Token(id) => api_tokens::used(&mut tx, id, at).await?,
            }
        }
        Ok(tx.commit().await?)
    }
}
