//! Reading a request body within its limits.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::ApiError;

/// Reads a whole body of at most `max` bytes within `timeout`. A body that came in one piece is not copied.
///
/// # Errors
/// 413 as soon as it is known to be too large, by its declared length or by count, without reading the rest;
/// 408 when it takes too long; 400 when the client ends early. The first two close the connection.
pub async fn read_body(headers: &HeaderMap, body: Body, max: usize, timeout: Duration) -> Result<Bytes, ApiError> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > max as u64) {
        return Err(too_large(max));
    }
    tokio::time::timeout(timeout, collect(body, max)).await.unwrap_or_else(|_| {
        let message = format!("the body did not arrive within {} s", timeout.as_secs_f32());
        Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "TIMEOUT", message).closing())
    })
}

async fn collect(mut body: Body, max: usize) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::validation("the body ended early").closing())?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > max {
            return Err(too_large(max));
        }
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn too_large(max: usize) -> ApiError {
    let message = format!("the body exceeds the limit of {max} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "VALIDATION", message).closing()
}
