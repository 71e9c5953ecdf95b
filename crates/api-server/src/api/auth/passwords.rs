//! Passwords: their rules, and hashing that leaves the rest of the process its cores.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use watchbell_common::{
    http::ApiError,
    passwords::{self, PasswordHash},
};

/// The shortest password that can be chosen, in characters (NIST SP 800-63B asks for 8 at least).
const LENGTH_MIN: usize = 10;

/// The longest, in bytes: nobody types more, and it costs nothing to hash.
const BYTES_MAX: usize = 1024;

/// Hashes that are made at a time. Each takes a core for tens of milliseconds and 19 MiB.
const AT_A_TIME: usize = 2;

/// How long a request waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// What a client is told to wait when it got no turn.
const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// Stands in for the hash of a user that does not exist, so that both take equally long: parameters as
/// [`passwords::hash`] has them. It is the hash of nothing known.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$gEO9V3t0mnoa6Z4GMAVKhA$2wX8K6oGlm0HIWsex92yCaoio1bYrhd9tG1mrobem84";

/// Takes turns at hashing.
#[derive(Debug)]
pub(crate) struct Passwords(Semaphore);

impl Default for Passwords {
    fn default() -> Self {
        Self(Semaphore::new(AT_A_TIME))
    }
}

impl Passwords {
    /// Whether it is that password. Without a hash it is not, after as long a time.
    pub(crate) async fn verify(&self, hash: Option<&PasswordHash>, password: &SecretString) -> Result<bool, ApiError> {
        let known = hash.is_some();
        let decoy = || DECOY.parse().expect("the decoy has the form of a hash");
        let (hash, password) = (hash.cloned().unwrap_or_else(decoy), password.clone());
        let right = self.in_turn(move || hash.verify(&password)).await?;
        Ok(known && right)
    }

    /// Hashes a password that keeps to the rules.
    pub(crate) async fn hash(&self, password: &SecretString) -> Result<PasswordHash, ApiError> {
        check(password)?;
        self.rehash(password).await
    }

    /// Hashes a password that somebody has already, whatever the rules are now.
    pub(crate) async fn rehash(&self, password: &SecretString) -> Result<PasswordHash, ApiError> {
        let password = password.clone();
        let hash = self.in_turn(move || passwords::hash(&password)).await?;
        hash.map_err(|error| ApiError::internal().because(format!("{error:#}")))
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let busy = || ApiError::unavailable("too many passwords are being checked; try again shortly", BUSY_PAUSE);
        let turn = timeout(TURN_TIMEOUT, self.0.acquire()).await.map_err(|_| busy())?;
        let _turn = turn.expect("the semaphore is never closed");
        spawn_blocking(work).await.map_err(|error| ApiError::internal().because(error.to_string()))
    }
}

/// Whether a password may be chosen.
pub(crate) fn check(password: &SecretString) -> Result<(), ApiError> {
    let text = password.expose_secret();
    if text.len() > BYTES_MAX || text.chars().count() < LENGTH_MIN {
        return Err(ApiError::validation(format!(
            "password: must have at least {LENGTH_MIN} characters and at most {BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_hash_every_password_is_wrong() {
        assert!(!Passwords::default().verify(None, &"hunter2".into()).await.unwrap());
    }

    #[test]
    fn a_password_has_ten_characters_to_a_kilobyte() {
        assert!(check(&"ünïcödé-ok".into()).is_ok());
        assert!(check(&"ünïcödé".into()).is_err());
        assert!(check(&"x".repeat(1024).into()).is_ok());
        assert!(check(&"x".repeat(1025).into()).is_err());
    }
}
