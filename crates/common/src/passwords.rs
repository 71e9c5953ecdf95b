//! Passwords of people and of mail clients: Argon2id (RFC 9106), written as PHC strings (`$argon2id$v=19$…`).
//!
//! Hashes of bcrypt, which come with the users of an imported `PulseGuard`, verify as well; a login that finds one
//! writes a new hash in its place ([`PasswordHash::needs_upgrade`]). Hashing takes tens of milliseconds and 19 MiB on
//! purpose: every door that takes passwords asks a [`Hasher`], which lets a few through at a time.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
    time::timeout,
};

/// The most work that a bcrypt hash may ask for: 2 to this power. It doubles with each step; 14 is a second.
const BCRYPT_COST_MAX: u32 = 14;

/// Passwords that a [`Hasher`] works on at a time.
const AT_A_TIME: usize = 2;

/// How long a password waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// A hash of nothing known, with the parameters of [`hash`].
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$gEO9V3t0mnoa6Z4GMAVKhA$2wX8K6oGlm0HIWsex92yCaoio1bYrhd9tG1mrobem84";

/// The hash of a password, known to be one that this version can verify.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Argon2id(Box<phc::PasswordHash>),
    Bcrypt(String),
}

/// A text that is no hash of a password.
#[derive(Debug, thiserror::Error)]
pub enum BadHash {
    #[error("not a password hash of the form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`")]
    Form,
    #[error("hashed with `{0}`, but only argon2id and bcrypt are accepted")]
    Algorithm(String),
    #[error("its argon2 parameters are out of range")]
    Parameters,
    #[error("its bcrypt cost is {0}, but at most {BCRYPT_COST_MAX} is accepted")]
    Cost(u32),
}

/// Hashes a password with a new salt and the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane).
///
/// # Errors
/// When the system gives no random bytes, or the password is longer than 4 GiB.
pub fn hash(password: &SecretString) -> anyhow::Result<PasswordHash> {
    Argon2::default()
        .hash_password(password.expose_secret().as_bytes())
        .map(|hash| PasswordHash(Form::Argon2id(Box::new(hash))))
        .map_err(|error| anyhow::anyhow!("hashing a password: {error}"))
}

impl PasswordHash {
    /// Whether this is the hash of `password`. Takes as long for a wrong password as for the right one.
    pub fn verify(&self, password: &SecretString) -> bool {
        let password = password.expose_secret().as_bytes();
        match &self.0 {
            Form::Argon2id(hash) => Argon2::default().verify_password(password, &**hash).is_ok(),
            Form::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }

    /// Whether a login that knows the password should replace it: it was not made as [`hash`] makes them, or weaker.
    pub fn needs_upgrade(&self) -> bool {
        let Form::Argon2id(hash) = &self.0 else { return true };
        let ours = Params::default();
        Params::try_from(&**hash).is_ok_and(|theirs| {
            (theirs.m_cost(), theirs.t_cost(), theirs.p_cost()) < (ours.m_cost(), ours.t_cost(), ours.p_cost())
        })
    }
}

impl FromStr for PasswordHash {
    type Err = BadHash;

    fn from_str(text: &str) -> Result<Self, BadHash> {
        if let Some(version) = text.strip_prefix("$2") {
            return match bcrypt::HashParts::from_str(text) {
                _ if !["a$", "b$", "y$"].iter().any(|known| version.starts_with(known)) => Err(BadHash::Form),
                Err(_) => Err(BadHash::Form),
                Ok(parts) if parts.get_cost() > BCRYPT_COST_MAX => Err(BadHash::Cost(parts.get_cost())),
                Ok(_) => Ok(Self(Form::Bcrypt(text.to_owned()))),
            };
        }
        let hash = phc::PasswordHash::new(text).map_err(|_| BadHash::Form)?;
        let algorithm = hash.algorithm.as_str();
        if Algorithm::try_from(algorithm) != Ok(Algorithm::Argon2id) {
            return Err(BadHash::Algorithm(algorithm.to_owned()));
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(BadHash::Form);
        }
        Params::try_from(&hash).map_err(|_| BadHash::Parameters)?;
        Ok(Self(Form::Argon2id(Box::new(hash))))
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Argon2id(hash) => hash.fmt(f),
            Form::Bcrypt(hash) => f.write_str(hash),
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A password could not be looked at; it says nothing about the password.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

/// Works on passwords off the async threads, a few at a time. Clones share the limit.
#[derive(Debug, Clone)]
pub struct Hasher {
    turns: Arc<Semaphore>,
    /// How long a password waits for its turn.
    patience: Duration,
    /// Stands in for the hash of a user that does not exist, so that both take equally long.
    decoy: PasswordHash,
}

impl Default for Hasher {
    /// A hasher that works on two passwords at a time: each takes a core for tens of milliseconds.
    fn default() -> Self {
        let decoy = DECOY.parse().expect("the decoy has the form of a hash");
        Self { turns: Arc::new(Semaphore::new(AT_A_TIME)), patience: TURN_TIMEOUT, decoy }
    }
}

impl Hasher {
    /// The same with another stand-in for users that do not exist: one whose parameters are those of most who do.
    #[must_use]
    pub fn with_decoy(self, decoy: PasswordHash) -> Self {
        Self { decoy, ..self }
    }

    /// Whether this is the user's password. `None` stands for a user that does not exist: never right, and as slow.
    ///
    /// # Errors
    /// When too many others wait.
    pub async fn verify(&self, known: Option<&PasswordHash>, password: SecretString) -> Result<bool, Busy> {
        let _turn = self.turn().await?;
        let hash = known.unwrap_or(&self.decoy).clone();
        let right = spawn_blocking(move || hash.verify(&password)).await.map_err(|_| Busy)?;
        Ok(right && known.is_some())
    }

    /// [`hash`], when its turn comes.
    ///
    /// # Errors
    /// When too many others wait, or hashing fails.
    pub async fn hash(&self, password: SecretString) -> anyhow::Result<PasswordHash> {
        let _turn = self.turn().await?;
        spawn_blocking(move || hash(&password)).await?
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Busy> {
        timeout(self.patience, self.turns.acquire()).await.map_err(|_| Busy)?.map_err(|_| Busy)
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

    /// `correct horse`, by another implementation (libxcrypt), with cost 4, as its own program, PHP and Go spell the version.
    const BCRYPT: [&str; 3] = [
        "$2b$04$SzGPjLeVZJgJnJgZPGj/zOyqVAcKSIwZnyf1iP8gC7BUpELjgRYDO",
        "$2y$04$SzGPjLeVZJgJnJgZPGj/zOyqVAcKSIwZnyf1iP8gC7BUpELjgRYDO",
        "$2a$04$SzGPjLeVZJgJnJgZPGj/zOyqVAcKSIwZnyf1iP8gC7BUpELjgRYDO",
    ];

    #[test]
    fn bcrypt_hashes_of_every_spelling_verify_and_ask_to_be_replaced() {
        for text in BCRYPT {
            let hash: PasswordHash = text.parse().unwrap();
            assert!(hash.verify(&"correct horse".into()), "{text}");
            assert!(!hash.verify(&"correct horsf".into()), "{text}");
            assert!(hash.needs_upgrade());
            assert_eq!((hash.to_string().as_str(), format!("{hash:?}").as_str()), (text, "PasswordHash(…)"));
        }
        assert!(!hash(&"x".into()).unwrap().needs_upgrade());
        let weak = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo".parse::<PasswordHash>().unwrap();
        assert!(weak.needs_upgrade());
    }

    #[test]
    fn a_bcrypt_hash_that_would_keep_a_core_busy_for_hours_is_refused() {
        let costly = BCRYPT[0].replacen("$04$", "$31$", 1);
        assert!(matches!(costly.parse::<PasswordHash>(), Err(BadHash::Cost(31))));
        for broken in ["$2b$04$short", "$2x$04$", "$2", &BCRYPT[0][..59]] {
            assert!(matches!(broken.parse::<PasswordHash>(), Err(BadHash::Form)), "{broken}");
        }
    }

    #[tokio::test]
    async fn a_hasher_knows_no_password_of_a_user_that_does_not_exist() {
        let hasher = Hasher::default().with_decoy(BCRYPT[0].parse().unwrap());
        let known: PasswordHash = BCRYPT[1].parse().unwrap();
        assert!(hasher.verify(Some(&known), "correct horse".into()).await.unwrap());
        assert!(!hasher.verify(Some(&known), "wrong".into()).await.unwrap());
        assert!(!hasher.verify(None, "correct horse".into()).await.unwrap(), "the stand-in's password opens nothing");
        assert!(hasher.hash("x".into()).await.unwrap().verify(&"x".into()));
    }

    #[tokio::test]
    async fn a_hasher_works_on_few_at_a_time_and_does_not_let_others_wait_for_ever() {
        let hasher = Hasher { patience: Duration::from_millis(1), ..Hasher::default() };
        let _turns = hasher.turns.acquire_many(2).await.unwrap();
        assert!(hasher.clone().verify(None, "x".into()).await.is_err());
        assert!(hasher.hash("x".into()).await.is_err());
    }

    #[test]
    fn nothing_prints_a_hash() {
        let made = hash(&"x".into()).unwrap();
        assert_eq!(format!("{made:?}"), "PasswordHash(…)");
    }
}
