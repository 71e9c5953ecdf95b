//! The keys of an installation: the active one, older ones that still open, and the one that hashes.
//!
//! The hash key outlives rotation, since what is hashed cannot be hashed anew: it is that of the oldest key, or one
//! that is given by itself, so that the oldest key can be dropped.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use aws_lc_rs::{
    aead::{AES_256_GCM, RandomizedNonceKey},
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::{CryptoError, KEY_BYTES, hex};

/// The key file in the data folder of an embedded installation.
pub const KEY_FILE: &str = "master.key";

/// What the line of the hash key begins with.
const HASH_LINE: &str = "hash ";

/// One master key.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) sealing: RandomizedNonceKey,
    /// What `hash` of this key would be, in base64; used when no hash key is given.
    hash: SecretString,
    text: SecretString,
}

impl Key {
    fn read(text: &SecretString) -> Result<Self, CryptoError> {
        let master = STANDARD.decode(text.expose_secret().trim()).map_err(|_| CryptoError::BadKey)?;
        if master.len() != KEY_BYTES {
            return Err(CryptoError::BadKey);
        }
        // Each use has a key of its own, derived with HMAC as RFC 5869 §2.3 expands one block.
        let root = hmac::Key::new(hmac::HMAC_SHA256, &master);
        let sealing = hmac::sign(&root, b"watchbell seal\x01");
        let hashing = hmac::sign(&root, b"watchbell hash\x01");
        Ok(Self {
            id: hex(&digest(&SHA256, sealing.as_ref()).as_ref()[..4]),
            sealing: RandomizedNonceKey::new(&AES_256_GCM, sealing.as_ref()).map_err(|_| CryptoError::BadKey)?,
            hash: STANDARD.encode(hashing.as_ref()).into(),
            text: text.expose_secret().trim().to_owned().into(),
        })
    }
}

/// Keys that belong together.
pub(super) struct Ring {
    /// The newest, which is the active one, first.
    pub(super) keys: Vec<Key>,
    pub(super) hashing: hmac::Key,
    /// The hash key in base64.
    pub(super) hash: SecretString,
}

impl Ring {
    /// `keys` are the newest first; an empty `hash` stands for that of the oldest.
    pub(super) fn new(keys: &[SecretString], hash: &SecretString) -> Result<Self, CryptoError> {
        let keys = keys.iter().map(Key::read).collect::<Result<Vec<_>, _>>()?;
        let oldest = keys.last().ok_or(CryptoError::BadKey)?;
        let hash = if hash.expose_secret().trim().is_empty() { oldest.hash.clone() } else { hash.clone() };
        let bytes = STANDARD.decode(hash.expose_secret().trim()).map_err(|_| CryptoError::BadHashKey)?;
        if bytes.len() != KEY_BYTES {
            return Err(CryptoError::BadHashKey);
        }
        Ok(Self { keys, hashing: hmac::Key::new(hmac::HMAC_SHA256, &bytes), hash })
    }

    fn active(&self) -> &Key {
        self.keys.first().expect("a ring is not made without a key")
    }

    pub(super) fn active_id(&self) -> &str {
        &self.active().id
    }

    pub(super) fn sealing(&self) -> &RandomizedNonceKey {
        &self.active().sealing
    }

    pub(super) fn key(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    fn parse(text: &str) -> Result<Self, CryptoError> {
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<SecretString> = lines().filter(|line| !line.starts_with(HASH_LINE)).map(Into::into).collect();
        let hash = lines().find_map(|line| line.strip_prefix(HASH_LINE)).unwrap_or_default();
        Self::new(&keys, &hash.into())
    }

    fn text(&self) -> String {
        let keys = self.keys.iter().map(|key| format!("{}\n", key.text.expose_secret()));
        let head = "# Master keys, the active one first. Keep it as secret as what it protects.\n".to_owned();
        std::iter::once(head)
            .chain(keys)
            .chain([format!("{HASH_LINE}{}\n", self.hash.expose_secret().trim())])
            .collect()
    }
}

/// The key file of an embedded installation.
#[derive(Debug, Clone)]
pub(super) struct KeyFile(PathBuf);

impl KeyFile {
    pub(super) fn of(dir: &Path) -> Self {
        Self(dir.join(KEY_FILE))
    }

    /// Reads it, or makes one that only its owner can read.
    pub(super) fn read_or_make(&self) -> anyhow::Result<Ring> {
        let dir = self.0.parent().unwrap_or(Path::new("."));
        secret_in(dir, KEY_FILE)?;
        self.read()
    }

    pub(super) fn read(&self) -> anyhow::Result<Ring> {
        let text = fs::read_to_string(&self.0).with_context(|| format!("reading {}", self.0.display()))?;
        Ring::parse(&text).with_context(|| format!("reading {}", self.0.display()))
    }

    /// Puts a new active key before the others. Readers see the file as it was or as it is, nothing between.
    ///
    /// # Errors
    /// When another process is doing the same, or the file cannot be written.
    pub(super) fn add_key(&self) -> anyhow::Result<()> {
        let guard = fs::File::create(self.0.with_extension("lock")).context("locking the key file")?;
        guard.try_lock().context("another process changes the key file")?;
        let ring = self.read()?;
        let keys: Vec<_> = std::iter::once(new_key()).chain(ring.keys.iter().map(|key| key.text.clone())).collect();
        let ring = Ring::new(&keys, &ring.hash)?;
        let next = self.0.with_extension("next");
        let _ = fs::remove_file(&next);
        let mut file = create(&next)?;
        file.write_all(ring.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, &self.0).with_context(|| format!("replacing {}", self.0.display()))?;
        let dir = self.0.parent().unwrap_or(Path::new("."));
        fs::File::open(dir).and_then(|dir| dir.sync_all()).with_context(|| format!("syncing {}", dir.display()))
    }
}

/// Reads a secret from a file in a data folder, or makes one, 32 random bytes in base64, that only its owner can read.
pub fn secret_in(dir: &Path, name: &str) -> anyhow::Result<SecretString> {
    let path = dir.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(dir).with_context(|| format!("making the data folder {}", dir.display()))?;
            let (mut file, key) = (create(&path)?, new_key());
            file.write_all(key.expose_secret().as_bytes())?;
            file.sync_all()?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// A new file that only its owner can read.
fn create(path: &Path) -> anyhow::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).with_context(|| format!("making {}", path.display()))
}

fn new_key() -> SecretString {
    STANDARD.encode(rand::random::<[u8; KEY_BYTES]>()).into()
}
