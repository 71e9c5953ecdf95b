//! What all channels that speak HTTP share: one call, one classification of its outcome, no secret in either.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    RequestBuilder, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use secrecy::SecretString;
use watchbell_common::{
    clock::{Clock, UnixMillis},
    outbound,
};

use crate::{
    Tools,
    error::{RATE_LIMIT_DEFAULT, SendError},
    secrets::Secrets,
};

/// How much of an answer is read: providers' answers are some hundred bytes.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// Makes calls for one channel.
pub(crate) struct Caller {
    pub(crate) clock: Arc<dyn Clock>,
    timeout: Duration,
    secrets: Secrets,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({:?})", self.secrets)
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// As text, at most [`ANSWER_MAX_BYTES`] of it.
    pub(crate) body: String,
}

impl Caller {
    /// `secrets` are what no error may show, however the other side repeats them.
    pub(crate) fn new(tools: &Tools, secrets: Vec<SecretString>) -> Self {
        Self { clock: tools.clock.clone(), timeout: tools.timeout, secrets: Secrets::new(secrets) }
    }

    /// Sends the request and classifies what comes back by its status.
    pub(crate) async fn call(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        let answer = self.exchange(request).await?;
        self.check(&answer)?;
        Ok(answer)
    }

    /// Sends the request; what the answer means is for the channel to say.
    pub(crate) async fn exchange(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        let response = request.timeout(self.timeout).send().await.map_err(|error| self.unanswered(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        // The status decides. A body that breaks off is not worth a second delivery.
        let body = outbound::read_capped(response, ANSWER_MAX_BYTES).await.map(|(body, _)| body).unwrap_or_default();
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// What the status of an answer means.
    pub(crate) fn check(&self, answer: &Answer) -> Result<(), SendError> {
        classify(answer.status, &answer.headers, &self.blot(&answer.body), self.clock.now_ms())
    }

    /// What the other side said, for people: one short line without secrets.
    pub(crate) fn blot(&self, text: &str) -> String {
        self.secrets.blot(text)
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
}

/// The one place that says what an HTTP answer means.
fn classify(status: StatusCode, headers: &HeaderMap, excerpt: &str, now_ms: UnixMillis) -> Result<(), SendError> {
    if status.is_success() {
        return Ok(());
    }
    let detail = match excerpt {
        "" => status.to_string(),
        excerpt => format!("{status}: {excerpt}"),
    };
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now_ms));
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

/// Reads `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3). A date that has passed means now.
fn retry_after(value: &str, now_ms: UnixMillis) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::from_millis(u64::try_from(at.as_millisecond() - now_ms).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
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
