//! Cookies of browsers: the session's secret, and the token that changes must carry against cross-site requests.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    http::{HeaderMap, HeaderName, header},
    response::AppendHeaders,
};
use axum_extra::extract::CookieJar;
use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{crypto::Vault, http::ApiError};

const SESSION: &str = "watchbell_session";
const CSRF: &str = "watchbell_csrf";

/// Where a change made with the cookie repeats the token.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// Headers that set both cookies.
pub(crate) type SetCookies = AppendHeaders<[(HeaderName, String); 2]>;

/// A name as browsers keep it. `__Host-` makes them refuse one that was set without TLS or by another host
/// (RFC 6265bis §4.1.3), so with TLS no other name is read.
fn name(base: &str, secure: bool) -> String {
    if secure { format!("__Host-{base}") } else { base.to_owned() }
}

/// The secret that a request's cookie holds.
pub(crate) fn secret(headers: &HeaderMap, secure: bool) -> Option<SecretString> {
    CookieJar::from_headers(headers).get(&name(SESSION, secure)).map(|cookie| cookie.value().to_owned().into())
}

/// Gives a browser its session. The token's cookie can be read by scripts of our own pages.
pub(crate) fn set(vault: &Vault, secret: &SecretString, secure: bool, ttl: Duration) -> SetCookies {
    let token = csrf_token(vault, secret);
    both(secret.expose_secret(), &token, secure, ttl.as_secs())
}

/// Takes it away.
pub(crate) fn unset(secure: bool) -> SetCookies {
    both("", "", secure, 0)
}

fn both(secret: &str, token: &str, secure: bool, seconds: u64) -> SetCookies {
    let tail = format!("; Path=/; SameSite=Lax; Max-Age={seconds}{}", if secure { "; Secure" } else { "" });
    AppendHeaders([
        (header::SET_COOKIE, format!("{}={secret}{tail}; HttpOnly", name(SESSION, secure))),
        (header::SET_COOKIE, format!("{}={token}{tail}", name(CSRF, secure))),
    ])
}

/// The token of a session: whoever knows it has read an answer to the session, which other sites cannot.
pub(crate) fn csrf_token(vault: &Vault, secret: &SecretString) -> String {
    vault.hash(&format!("csrf {}", secret.expose_secret()))
}

/// Whether a request carries the session's token.
pub(crate) fn check_csrf(headers: &HeaderMap, token: &str) -> Result<(), ApiError> {
    let given = headers.get(CSRF_HEADER).ok_or_else(|| ApiError::forbidden("missing csrf token: send X-CSRF-Token"))?;
    verify_slices_are_equal(given.as_bytes(), token.as_bytes())
        .map_err(|_| ApiError::forbidden("csrf token invalid: GET /api/v1/me has the session's"))
}
