//! What can go wrong when sending, in three classes, and when configuring.

use std::time::Duration;

/// How long to wait when a platform limits our rate and does not say for how long.
pub const RATE_LIMIT_DEFAULT: Duration = Duration::from_secs(5);

/// Why a message was not sent. The class decides what happens next; `detail` is for people and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Worth another try.
    #[error("{detail}")]
    Transient {
        detail: String,
        /// The platform asked not to be tried sooner.
        retry_after: Option<Duration>,
        /// The message may have arrived all the same: it was handed over and no answer came back.
        ambiguous: bool,
    },
    /// Too fast. Waiting for it is not an attempt.
    #[error("{detail}")]
    RateLimited { detail: String, retry_after: Duration },
    /// Trying again cannot help.
    #[error("{detail}")]
    Rejected { detail: String },
}

impl SendError {
    /// For metrics and logs.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::RateLimited { .. } => "rate_limited",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// The same error in other words.
    pub(crate) fn reworded(self, reword: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Transient { detail, retry_after, ambiguous } => {
                Self::Transient { detail: reword(detail), retry_after, ambiguous }
            }
            Self::RateLimited { detail, retry_after } => Self::RateLimited { detail: reword(detail), retry_after },
            Self::Rejected { detail } => Self::Rejected { detail: reword(detail) },
        }
    }
}

/// What people can do where no connection comes about, by a part of what the libraries beneath say, the first that fits.
const OF_CONNECTIONS: [(&str, &str); 10] = [
    (
        "invalid peer certificate",
        "this machine does not trust the certificate for this name: renew it, or make its authority known here",
    ),
    ("corrupt message", "what answers there does not speak TLS: check the port, and whether it should be encrypted"),
    ("proxy auth", "the proxy wants another user or password"),
    ("tunnel error", "the proxy does not let this call through: check its rules"),
    ("connection refused", "nobody listens there: check host and port, and whether the service runs"),
    ("underlying connection", "nobody listens there: check host and port, and whether the service runs"),
    ("unreachable", "there is no way there from this machine: check its network"),
    ("resolving for socks", "this machine cannot look the name up: with socks5h:// the proxy does"),
    ("failed to lookup address", "the name leads nowhere: check its spelling, and this machine's DNS"),
    ("looking up", "the name leads nowhere: check its spelling, and this machine's DNS"),
];

/// What happened to a connection, with what to do about it where that is known.
pub(crate) fn of_connection(detail: String) -> String {
    let text = detail.to_ascii_lowercase();
    match OF_CONNECTIONS.iter().find(|(known, _)| text.contains(known)) {
        Some((_, advice)) => format!("{detail}; {advice}"),
        None => detail,
    }
}

/// Why a channel cannot be used as it is configured. Names the field and shows no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {why}")]
pub struct ConfigureError {
    field: String,
    why: String,
}

impl ConfigureError {
    pub(crate) fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }

    /// The field, and why.
    pub(crate) fn into_parts(self) -> (String, String) {
        (self.field, self.why)
    }
}
