//! What all channels that speak HTTP share: one call, one classification of its outcome, no secret in either.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{
    clock::{Clock, UnixMillis},
    outbound,
};

use crate::{
    Tools,
    error::{RATE_LIMIT_DEFAULT, SendError},
    render,
};

/// How much of an answer is read: providers' answers are some hundred bytes.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// How much of an answer stands in an error, in bytes.
const EXCERPT_MAX_BYTES: usize = 200;

/// A shorter value is not looked for when secrets are blotted out: it would blot out innocent text.
const SECRET_MIN_BYTES: usize = 4;

/// Makes calls for one channel.
pub(crate) struct Caller {
    pub(crate) clock: Arc<dyn Clock>,
    timeout: Duration,
    secrets: Vec<SecretString>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({} secrets)", self.secrets.len())
    }
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

impl Caller {
    /// `secrets` are what no error may show, however the other side repeats them.
    pub(crate) fn new(tools: &Tools, mut secrets: Vec<SecretString>) -> Self {
        secrets.retain(|secret| secret.expose_secret().len() >= SECRET_MIN_BYTES);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self { clock: tools.clock.clone(), timeout: tools.timeout, secrets }
    }

    /// Sends the request and classifies what comes back.
    pub(crate) async fn call(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        let response = request.timeout(self.timeout).send().await.map_err(|error| self.unanswered(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        // The status decides. A body that breaks off is not worth a second delivery.
        let body = outbound::read_capped(response, ANSWER_MAX_BYTES).await.map(|(body, _)| body).unwrap_or_default();
        let excerpt = self.blot(&String::from_utf8_lossy(&body));
        classify(status, &headers, &excerpt, self.clock.now_ms())?;
        Ok(Answer { status, headers })
    }

    /// No answer: refused, timed out, broken off.
    fn unanswered(&self, error: reqwest::Error) -> SendError {
        if error.is_builder() {
            return SendError::Rejected { detail: self.blot(&outbound::explain(error)) };
        }
        let ambiguous = !error.is_connect();
        let detail = match (error.is_timeout(), ambiguous) {
            (true, true) => format!("no answer within {:?}", self.timeout),
            (true, false) => format!("no connection within {:?}", self.timeout.min(outbound::CONNECT_TIMEOUT)),
            (false, _) => self.blot(&outbound::explain(error)),
        };
        SendError::Transient { detail, retry_after: None, ambiguous }
    }

    fn blot(&self, text: &str) -> String {
        let blotted =
            self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "***"));
        render::line(&blotted, EXCERPT_MAX_BYTES)
    }
}

/// The one place that says what an HTTP answer means.
pub(crate) fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    excerpt: &str,
    now_ms: UnixMillis,
) -> Result<(), SendError> {
    if status.is_success() {
        return Ok(());
    }
    let detail = match excerpt {
        "" => status.to_string(),
        excerpt => format!("{status}: {excerpt}"),
    };
    let retry_after = outbound::retry_after(headers, now_ms);
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS => {
            SendError::RateLimited { detail, retry_after: retry_after.unwrap_or(RATE_LIMIT_DEFAULT) }
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
            SendError::Transient { detail, retry_after, ambiguous: false }
        }
        _ if status.is_server_error() => SendError::Transient { detail, retry_after, ambiguous: false },
        _ if status.is_redirection() => {
            SendError::Rejected { detail: format!("{status}: redirects are not followed; use the address it leads to") }
        }
        _ => SendError::Rejected { detail },
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::RETRY_AFTER;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const NOW: UnixMillis = 784_111_777_000;

    fn classified(status: u16, retry_after: Option<&str>) -> Result<(), SendError> {
        let headers = retry_after.map(|value| (RETRY_AFTER, value.parse().unwrap()));
        classify(StatusCode::from_u16(status).unwrap(), &headers.into_iter().collect(), "sorry", NOW)
    }

    #[test]
    fn every_status_has_its_class() {
        let table = [
            (200, None),
            (202, None),
            (204, None),
            (301, Some("rejected")),
            (308, Some("rejected")),
            (400, Some("rejected")),
            (401, Some("rejected")),
            (404, Some("rejected")),
            (408, Some("transient")),
            (410, Some("rejected")),
            (413, Some("rejected")),
            (425, Some("transient")),
            (429, Some("rate_limited")),
            (500, Some("transient")),
            (501, Some("transient")),
            (503, Some("transient")),
            (599, Some("transient")),
        ];
        for (status, class) in table {
            assert_eq!(classified(status, None).err().map(|error| error.class()), class, "{status}");
        }
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        let limited = |value| match classified(429, value) {
            Err(SendError::RateLimited { retry_after, .. }) => retry_after,
            other => panic!("{other:?}"),
        };
        assert_eq!(limited(Some("17")), Duration::from_secs(17));
        assert_eq!(limited(Some("Sun, 06 Nov 1994 08:50:37 GMT")), Duration::from_mins(1));
        assert_eq!(limited(Some("Sun, 06 Nov 1994 08:00:00 GMT")), Duration::ZERO);
        assert_eq!(limited(Some("soon")), RATE_LIMIT_DEFAULT);
        assert_eq!(limited(Some("-3")), RATE_LIMIT_DEFAULT);
        assert_eq!(limited(None), RATE_LIMIT_DEFAULT);
        let Err(SendError::Transient { retry_after, .. }) = classified(503, Some("30")) else { panic!() };
        assert_eq!(retry_after, Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_rejection_says_what_the_other_side_said() {
        assert_eq!(classified(400, None).unwrap_err().to_string(), "400 Bad Request: sorry");
        assert!(classified(302, None).unwrap_err().to_string().contains("redirects are not followed"));
    }
}
