//! Passwords of people and of mail clients: Argon2id (RFC 9106), written as PHC strings (`$argon2id$v=19$…`).
//!
//! Hashing takes tens of milliseconds and 19 MiB on purpose: call it from `spawn_blocking`, a few at a time.

use std::{fmt, str::FromStr};

use argon2::{
    Algorithm, Argon2, Params,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use secrecy::{ExposeSecret as _, SecretString};

/// The hash of a password, known to be one that this version can verify.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(phc::PasswordHash);

/// A text that is no hash of a password.
#[derive(Debug, thiserror::Error)]
pub enum BadHash {
    #[error("not a password hash of the form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`")]
    Form,
    #[error("hashed with `{0}`, but only argon2id is accepted")]
    Algorithm(String),
    #[error("its argon2 parameters are out of range")]
    Parameters,
}

/// Hashes a password with a new salt and the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane).
///
/// # Errors
/// When the system gives no random bytes, or the password is longer than 4 GiB.
pub fn hash(password: &SecretString) -> anyhow::Result<PasswordHash> {
    Argon2::default()
        .hash_password(password.expose_secret().as_bytes())
        .map(PasswordHash)
        .map_err(|error| anyhow::anyhow!("hashing a password: {error}"))
}

impl PasswordHash {
    /// Whether this is the hash of `password`. Takes as long for a wrong password as for the right one.
    pub fn verify(&self, password: &SecretString) -> bool {
        Argon2::default().verify_password(password.expose_secret().as_bytes(), &self.0).is_ok()
    }
}

impl FromStr for PasswordHash {
    type Err = BadHash;

    fn from_str(text: &str) -> Result<Self, BadHash> {
        let hash = phc::PasswordHash::new(text).map_err(|_| BadHash::Form)?;
        let algorithm = hash.algorithm.as_str();
        if Algorithm::try_from(algorithm) != Ok(Algorithm::Argon2id) {
            return Err(BadHash::Algorithm(algorithm.to_owned()));
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(BadHash::Form);
        }
        Params::try_from(&hash).map_err(|_| BadHash::Parameters)?;
        Ok(Self(hash))
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_and_verifies_its_password_only() {
        let made = hash(&"correct horse".into()).unwrap().to_string();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        let read: PasswordHash = made.parse().unwrap();
        assert!(read.verify(&"correct horse".into()));
        assert!(!read.verify(&"correct horsf".into()));
        assert_ne!(made, hash(&"correct horse".into()).unwrap().to_string(), "each hash has a salt of its own");
    }

    #[test]
    fn what_is_no_argon2id_hash_is_refused_with_the_reason() {
        let reason = |text: &str| text.parse::<PasswordHash>().unwrap_err().to_string();
        assert!(reason("hunter2").contains("not a password hash"));
        assert!(reason("$argon2id$v=19$m=8,t=1,p=1").contains("not a password hash"));
        assert!(reason("$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo").contains("pbkdf2-sha256"));
        assert!(reason("$argon2id$v=19$m=1,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo").contains("parameters"));
    }

    #[test]
    fn nothing_prints_a_hash() {
        let made = hash(&"x".into()).unwrap();
        assert_eq!(format!("{made:?}"), "PasswordHash(…)");
    }
}
