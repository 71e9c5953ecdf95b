//! Short tokens of scripts: a JWT (RFC 7519) that names a session for some minutes.
//!
//! The algorithm is pinned, each key has an id, and a new key takes over every day while the old one still verifies.
//! A token is only as good as its session, which is looked up with every request.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use watchbell_common::{
    clock::{UnixMillis, millis},
    crypto::Place,
    http::ApiError,
    ids::SessionId,
    store::{
        Connection,
        config::{self, Kind},
        signing_keys::{self, SigningKey},
    },
};

use super::new_secret;
use crate::api::Api;

/// How long a token is valid.
pub(crate) const TTL: Duration = Duration::from_mins(10);

/// How long a key signs.
const KEY_SIGNS_FOR: Duration = Duration::from_hours(24);

/// Who issues them.
const ISSUER: &str = "watchbell";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The session.
    sub: String,
    iat: i64,
    exp: i64,
}

/// A token for a session, signed with the present key, which is made when there is none.
pub(crate) async fn issue(api: &Api, tx: &mut Connection, session: SessionId) -> Result<String, ApiError> {
    let now = api.shared.clock.now_ms();
    let key = match signing_keys::newest(tx, now - millis(KEY_SIGNS_FOR)).await? {
        Some(key) => key,
        None => make_key(api, tx, now).await?,
    };
    let header = Header { kid: Some(key.id.to_string()), ..Header::new(Algorithm::HS256) };
    let exp = (now + millis(TTL)) / 1000;
    let claims = Claims { iss: ISSUER.to_owned(), sub: session.to_string(), iat: now / 1000, exp };
    let secret = open(api, &key)?;
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    encode(&header, &claims, &key).map_err(|error| ApiError::internal().because(format!("signing a token: {error}")))
}

/// The session that a token names, if we signed it and it has not expired.
pub(crate) async fn verify(api: &Api, tx: &mut Connection, token: &str) -> Result<Option<SessionId>, ApiError> {
    let now = api.shared.clock.now_ms();
    let Some(id) = decode_header(token).ok().and_then(|header| header.kid?.parse().ok()) else { return Ok(None) };
    let Some(key) = signing_keys::get(tx, id, now).await? else { return Ok(None) };
    let secret = open(api, &key)?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    // Compared with our own clock below.
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
    let Ok(token) = decode::<Claims>(token, &key, &validation) else { return Ok(None) };
    let valid = token.claims.exp > now / 1000;
    Ok(token.claims.sub.parse().ok().filter(|_| valid).map(SessionId))
}

async fn make_key(api: &Api, tx: &mut Connection, now: UnixMillis) -> Result<SigningKey, ApiError> {
    let id = config::next_id(tx, Kind::SigningKey).await?;
    let secret = api.shared.vault.seal(&Place::signing_key(id), &new_secret(""));
    let expires_at = now + millis(KEY_SIGNS_FOR + TTL);
    let key = SigningKey { id, secret, created_at: now, expires_at };
    signing_keys::add(tx, &key).await?;
    Ok(key)
}

fn open(api: &Api, key: &SigningKey) -> Result<secrecy::SecretString, ApiError> {
    let failed = |error| ApiError::internal().because(format!("opening the signing key {}: {error}", key.id));
    api.shared.vault.open(&key.secret, &Place::signing_key(key.id)).map_err(failed)
}
