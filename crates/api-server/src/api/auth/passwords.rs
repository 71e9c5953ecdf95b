//! Passwords at the API: their rules, and a clear answer when too many are being checked.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{
    http::ApiError,
    passwords::{Busy, Hasher, PasswordHash},
};

/// The shortest password that can be chosen, in characters (NIST SP 800-63B asks for 8 at least).
const LENGTH_MIN: usize = 10;

/// The longest, in bytes: nobody types more, and it costs nothing to hash.
const BYTES_MAX: usize = 1024;

/// What a client is told to wait when it got no turn.
const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// Hashes and checks passwords, a few at a time.
#[derive(Debug, Default)]
pub(crate) struct Passwords(Hasher);

impl Passwords {
    /// Whether it is that password. Without a hash it is not, after as long a time.
    pub(crate) async fn verify(&self, hash: Option<&PasswordHash>, password: &SecretString) -> Result<bool, ApiError> {
        self.0.verify(hash, password.clone()).await.map_err(|Busy| busy())
    }

    /// Hashes a password that keeps to the rules.
    pub(crate) async fn hash(&self, password: &SecretString) -> Result<PasswordHash, ApiError> {
        check(password)?;
        self.rehash(password).await
    }

    /// Hashes a password that somebody has already, whatever the rules are now.
    pub(crate) async fn rehash(&self, password: &SecretString) -> Result<PasswordHash, ApiError> {
        self.0.hash(password.clone()).await.map_err(|error| match error.downcast() {
            Ok(Busy) => busy(),
            Err(error) => ApiError::internal().because(format!("{error:#}")),
        })
    }
}

fn busy() -> ApiError {
    ApiError::unavailable("too many passwords are being checked; try again shortly", BUSY_PAUSE)
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

    #[test]
    fn a_password_has_ten_characters_to_a_kilobyte() {
        assert!(check(&"ünïcödé-ok".into()).is_ok());
        assert!(check(&"ünïcödé".into()).is_err());
        assert!(check(&"x".repeat(1024).into()).is_ok());
        assert!(check(&"x".repeat(1025).into()).is_err());
    }
}
