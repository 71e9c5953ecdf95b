//! What all channels that speak HTTP share: one call, one classification of its outcome, no secret in either.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    RequestBuilder, StatusCode, Url,
    header::{HeaderMap, HeaderValue},
};
use secrecy::SecretString;
use watchbell_common::{
    clock::{Clock, UnixMillis},
    outbound::{self, CallError, Http},
};

use crate::{
    Tools,
    error::{ConfigureError, RATE_LIMIT_DEFAULT, SendError, of_connection},
    render,
    secrets::Secrets,
};

/// How much of an answer is read: providers' answers are some hundred bytes.
pub(crate) const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// The longest id of a platform's that is kept, in bytes.
const PROVIDER_ID_MAX_BYTES: usize = 100;

/// Makes calls for one channel.
pub(crate) struct Caller {
    pub(crate) clock: Arc<dyn Clock>,
    http: Http,
    timeout: Duration,
    secrets: Secrets,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({:?})", self.secrets)
    }
}

/// What came back. May repeat our secrets, so that nothing of it may be shown as it is.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A platform's own name for a message, as it is kept.
pub(crate) fn provider_id(id: &str) -> String {
    render::line(id, PROVIDER_ID_MAX_BYTES)
}

/// What the words of an answer mean where its status says too little; each with what to do about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Rejected(&'static str),
    /// The form of the message is refused, so that a plainer one may be taken.
    Form(&'static str),
    /// Without a wait, that of the headers holds.
    RateLimited(Option<Duration>, &'static str),
    Transient {
        advice: &'static str,
        /// As in [`SendError::Transient`].
        ambiguous: bool,
    },
}

/// Reads a platform's answers; `None` where the status says it all.
pub(crate) type Reader = fn(&Answer) -> Option<Verdict>;

impl Caller {
    /// `secrets` are what no error may show, however the other side repeats them.
    pub(crate) fn new(tools: &Tools, secrets: Vec<SecretString>) -> Self {
        Self {
            clock: tools.clock.clone(),
            http: tools.http.clone(),
            timeout: tools.timeout,
            secrets: Secrets::new(secrets),
        }
    }

    /// Sends the request and classifies what comes back by its words, or else by its status.
    pub(crate) async fn call_reading(&self, request: RequestBuilder, read: Reader) -> Result<Answer, SendError> {
        let answer = self.exchange(request).await?;
        self.judge(&answer, read)?;
        Ok(answer)
    }

    /// Sends a message as it is drawn, and in the same attempt as plain text where the platform does not accept its
    /// form: how a message looks never costs an alert. With what came back, what to say about it in the history.
    pub(crate) async fn call_or_plain(
        &self,
        drawn: RequestBuilder,
        plain: impl FnOnce() -> RequestBuilder,
        read: Reader,
    ) -> Result<(Answer, String), SendError> {
        let answer = self.exchange(drawn).await?;
        match (read(&answer), self.judge(&answer, read)) {
            (_, Ok(())) => {
                let detail = answer.status.to_string();
                Ok((answer, detail))
            }
            (Some(Verdict::Form(_)), Err(refused)) => {
                let answer = self.call_reading(plain(), read).await?;
                let detail = format!("{}; sent as plain text: {refused}", answer.status);
                Ok((answer, detail))
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// Sends the request. What comes back is not classified yet.
    pub(crate) async fn exchange(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        self.exchange_up_to(request, ANSWER_MAX_BYTES).await
    }

    /// [`Caller::exchange`], for an answer that can be longer than those to messages.
    pub(crate) async fn exchange_up_to(&self, request: RequestBuilder, max: usize) -> Result<Answer, SendError> {
        let response = self.http.send(request.timeout(self.timeout)).await.map_err(|error| self.unanswered(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        // The status decides. A body that breaks off is not worth a second delivery.
        let body = outbound::read_capped(response, max).await.map(|(body, _)| body).unwrap_or_default();
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Classifies an answer by its status alone.
    pub(crate) fn check(&self, answer: &Answer) -> Result<(), SendError> {
        self.judge(answer, |_| None)
    }

    /// Classifies an answer by its words, or else by its status.
    pub(crate) fn judge(&self, answer: &Answer, read: Reader) -> Result<(), SendError> {
        let said = said(answer.status, &self.blot(&answer.body));
        let now_ms = self.clock.now_ms();
        match read(answer) {
            Some(verdict) => Err(verdict.error(&said, outbound::retry_after(&answer.headers, now_ms))),
            None => classify(answer.status, &answer.headers, said, now_ms),
        }
    }

    /// No answer: refused, timed out, broken off.
    fn unanswered(&self, error: CallError) -> SendError {
        let error = match error {
            CallError::Refused(refused) => return SendError::Rejected { detail: self.blot(&refused.to_string()) },
            CallError::Failed(error) => error,
        };
        if error.is_builder() {
            return SendError::Rejected { detail: self.blot(&outbound::explain(error)) };
        }
        let ambiguous = !error.is_connect();
        let detail = match (error.is_timeout(), ambiguous) {
            (true, true) => format!("no answer within {:?}", self.timeout),
            (true, false) => {
                let limit = self.timeout.min(outbound::CONNECT_TIMEOUT);
                format!("no connection within {limit:?}; check host and port, and whether a firewall is in between")
            }
            (false, _) => of_connection(self.blot(&outbound::explain(error))),
        };
        SendError::Transient { detail, retry_after: None, ambiguous }
    }

    /// What the other side said, for people: one short line without secrets.
    pub(crate) fn blot(&self, text: &str) -> String {
        self.secrets.blot(text)
    }
}

impl Verdict {
    /// A refusal of which the platform's code or word stands in a list of them, each with what to do.
    pub(crate) fn listed<C: PartialEq>(refusals: &[(C, &'static str)], code: &C) -> Option<Self> {
        refusals.iter().find(|(known, _)| known == code).map(|(_, advice)| Self::Rejected(advice))
    }

    fn error(self, said: &str, retry_after: Option<Duration>) -> SendError {
        let detail = |advice: &str| format!("{said}; {advice}");
        match self {
            Self::Rejected(advice) | Self::Form(advice) => SendError::Rejected { detail: detail(advice) },
            Self::RateLimited(wait, advice) => SendError::RateLimited {
                detail: detail(advice),
                retry_after: wait.or(retry_after).unwrap_or(RATE_LIMIT_DEFAULT),
            },
            Self::Transient { advice, ambiguous } => {
                SendError::Transient { detail: detail(advice), retry_after, ambiguous }
            }
        }
    }
}

/// A URL that somebody typed.
pub(crate) fn url(field: &str, text: &str) -> Result<Url, ConfigureError> {
    let bad = |why: String| ConfigureError::new(field, why);
    let url = Url::parse(text).map_err(|error| bad(format!("is not a URL: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(bad(format!("must start with http:// or https://, not {scheme}:"))),
    }
}

/// A header value that is a secret.
pub(crate) fn credential(field: &str, value: &str) -> Result<HeaderValue, ConfigureError> {
    let bad = |_| ConfigureError::new(field, "is not a header value");
    let mut value = HeaderValue::from_str(value).map_err(bad)?;
    value.set_sensitive(true);
    Ok(value)
}

fn said(status: StatusCode, excerpt: &str) -> String {
    if excerpt.is_empty() { status.to_string() } else { format!("{status}: {excerpt}") }
}

/// The one place that says what the status of an HTTP answer means.
fn classify(status: StatusCode, headers: &HeaderMap, detail: String, now_ms: UnixMillis) -> Result<(), SendError> {
    if status.is_success() {
        return Ok(());
    }
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
        let status = StatusCode::from_u16(status).unwrap();
        classify(status, &headers.into_iter().collect(), said(status, "sorry"), NOW)
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

    #[test]
    fn the_words_of_an_answer_outweigh_its_status_and_say_what_to_do() {
        let limited = Verdict::RateLimited(None, "wait").error("200 OK: slow", Some(Duration::from_secs(9)));
        assert_eq!(
            limited,
            SendError::RateLimited { detail: "200 OK: slow; wait".to_owned(), retry_after: Duration::from_secs(9) }
        );
        let told = Verdict::RateLimited(Some(Duration::from_secs(2)), "wait").error("", Some(Duration::from_secs(9)));
        assert!(matches!(told, SendError::RateLimited { retry_after, .. } if retry_after == Duration::from_secs(2)));
        let unsaid = Verdict::RateLimited(None, "wait").error("", None);
        assert!(matches!(unsaid, SendError::RateLimited { retry_after: RATE_LIMIT_DEFAULT, .. }));
    }
}
