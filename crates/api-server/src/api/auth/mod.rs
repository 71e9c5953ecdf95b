//! How callers prove who they are: passwords behind a lock-out, cookies of browsers, short tokens of scripts.

pub(super) mod cookies;
pub(super) mod jwt;
pub(super) mod lockout;
pub(super) mod passwords;
pub(super) mod sign_in;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;

/// Bytes of chance in a secret: 192 bits cannot be guessed.
const SECRET_BYTES: usize = 24;

/// A secret of 32 characters behind a prefix that says what it is.
pub(crate) fn new_secret(prefix: &str) -> SecretString {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>())).into()
}
