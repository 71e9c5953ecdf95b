//! What requests bring: JSON bodies and ids in paths, with errors in the one envelope.

use std::{fmt, str::FromStr};

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use watchbell_common::http::{ApiError, read_body};

use super::Shelf;

/// The largest body. A template or a provider's answer is some kB.
pub(crate) const BODY_MAX_BYTES: usize = 1024 * 1024;

/// A JSON body of at most [`BODY_MAX_BYTES`], whatever its `Content-Type` says. The types behind it deny unknown
/// fields, so that a misspelt one is an error and not ignored.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shelf> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Shelf) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let timeout = api.shared.settings.http.body_timeout;
        let bytes = read_body(&parts.headers, body, BODY_MAX_BYTES, timeout).await?;
        let wrong = |error: serde_json::Error| ApiError::validation(format!("the body is not as described: {error}"));
        serde_json::from_slice(&bytes).map(Self).map_err(wrong)
    }
}

/// The parameters behind the question mark. Unknown ones are ignored, as everywhere on the web.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shelf> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shelf) -> Result<Self, ApiError> {
        // PostgreSQL refuses the one character that is in no text, wherever it comes along.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(ApiError::validation("the query is not as described: no text has a zero byte (%00)"));
        }
        let wrong = |error| ApiError::validation(format!("the query is not as described: {error}"));
        Query::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(wrong)
    }
}

/// The one id in a path.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr<Err: fmt::Display>> FromRequestParts<Shelf> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Shelf) -> Result<Self, ApiError> {
        let invalid = |_| ApiError::validation("invalid path id");
        let Path(text) = Path::<String>::from_request_parts(parts, api).await.map_err(invalid)?;
        text.parse().map(Self).map_err(|_| ApiError::validation("invalid path id"))
    }
}
